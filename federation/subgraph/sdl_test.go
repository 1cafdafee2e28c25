// SPDX-License-Identifier: EUPL-1.2

package subgraph_test

import (
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ozg-cloud/platform/federation/subgraph"
	"github.com/ozg-cloud/platform/schema"
)

func house(t testing.TB) *ast.Schema {
	t.Helper()
	s, err := schema.Load()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAComposerIsToldTheContractAndNothingOfOurOwnTools(t *testing.T) {
	contract := house(t)
	before := schema.Print(contract)
	text := subgraph.SDL(contract)
	if schema.Print(contract) != before {
		t.Error("printing changes the contract")
	}
	for _, no := range []string{"@policy", "@cost", "@listSize", "@dataClass", "@idempotent", "_entities", "_service", "_Any", "_Entity", "_Service", "directive @", "enum DataClass", "enum DenyMode"} {
		if strings.Contains(text, no) {
			t.Errorf("%s is told", no)
		}
	}
	for _, yes := range []string{
		`extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", "@shareable"])`,
		`type Case implements Node @key(fields: "id") {`, `type Service implements Node @key(fields: "leikaKey") {`, `type PageInfo @shareable {`,
	} {
		if !strings.Contains(text, yes) {
			t.Errorf("%s is not told", yes)
		}
	}
	// With what the specification adds, it is a contract with the same fields.
	_, rest, _ := strings.Cut(text, "\n")
	told, err := gqlparser.LoadSchema(&ast.Source{Input: rest + ` directive @key(fields: String!) on OBJECT directive @shareable on OBJECT`})
	if err != nil {
		t.Fatal(err)
	}
	for name, def := range contract.Types {
		if strings.HasPrefix(name, "_") || def.BuiltIn {
			continue
		}
		if told.Types[name] == nil && name != "DataClass" && name != "DenyMode" {
			t.Errorf("%s is not told", name)
			continue
		}
		for _, f := range def.Fields {
			if strings.HasPrefix(f.Name, "_") {
				continue
			}
			if as := told.Types[name].Fields.ForName(f.Name); as == nil || as.Type.String() != f.Type.String() || len(as.Arguments) != len(f.Arguments) || as.Description != f.Description {
				t.Errorf("%s.%s is told otherwise", name, f.Name)
			}
		}
	}
}
