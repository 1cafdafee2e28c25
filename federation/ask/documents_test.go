// SPDX-License-Identifier: EUPL-1.2

package ask_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/ozg-cloud/platform/federation/ask"
	"github.com/ozg-cloud/platform/federation/ask/asktest"
	"github.com/ozg-cloud/platform/schema"
	"github.com/ozg-cloud/platform/statistics"
)

// mayCross are the types of the contract that cross the border of a Land. All others never do: cases, messages, attachments, persons, keys of records.
var mayCross = []string{"CaseStatistics", "StatisticsRow", "StatisticsFigure", "StatisticsBin", "StatisticsProduct", "StatisticsAxis", "StatisticsMeasure", "String", "Int", "Float", "Boolean"}

// crosses says what of a document may not leave a Land.
func crosses(contract *ast.Schema, document string) (found []string) {
	doc, err := gqlparser.LoadQueryWithRules(contract, document, rules.NewDefaultRules())
	if err != nil {
		return []string{err.Error()}
	}
	for _, op := range doc.Operations {
		if op.Operation != ast.Query {
			found = append(found, "it is a "+string(op.Operation))
		}
		var walk func(path string, set ast.SelectionSet)
		walk = func(path string, set ast.SelectionSet) {
			for _, s := range set {
				switch s := s.(type) {
				case *ast.Field:
					at := path + "." + s.Name
					if strings.HasPrefix(s.Name, "__") || !slices.Contains(mayCross, s.Definition.Type.Name()) {
						found = append(found, at+" is never told")
					}
					if class := s.Definition.Directives.ForName("dataClass"); class != nil {
						if c := class.Arguments.ForName("class").Value.Raw; c == "PERSONAL" || c == "SENSITIVE" || c == "INTERNAL" {
							found = append(found, at+" is "+c)
						}
					}
					if s.Name == "caseStatistics" {
						if p := s.Arguments.ForName("product"); p.Value.Kind != ast.EnumValue || p.Value.Raw != "PROTECTED" {
							found = append(found, at+" is not protected whatever is asked")
						}
					}
					walk(at, s.SelectionSet)
				case *ast.InlineFragment:
					walk(path, s.SelectionSet)
				case *ast.FragmentSpread:
					walk(path, s.Definition.SelectionSet)
				}
			}
		}
		walk("Query", op.SelectionSet)
	}
	return found
}

func TestNoDocumentThatCanBeAskedReachesWhatNeverLeavesALand(t *testing.T) {
	t.Parallel()
	contract, err := schema.Load()
	if err != nil {
		t.Fatal(err)
	}
	documents := ask.Documents()
	if len(documents) == 0 {
		t.Fatal("there is no document")
	}
	for hash, text := range documents {
		if ask.Hash([]byte(text)) != hash {
			t.Errorf("%s is not the hash of its document", hash)
		}
		for _, f := range crosses(contract, text) {
			t.Error(f)
		}
	}
	// The twin: documents that would, which the walk has to find.
	for name, seeded := range map[string]string{
		"cases":               `query X { cases(first: 1) { nodes { id } } }`,
		"exact figures":       `query X($s: String!) { caseStatistics(scope: $s, product: EXACT, measures: [OPEN]) { axes } }`,
		"a product asked for": `query X($s: String!, $p: StatisticsProduct!) { caseStatistics(scope: $s, product: $p, measures: [OPEN]) { axes } }`,
		"a fragment":          `query X { ...F } fragment F on Query { viewer { subject } }`,
		"the contract":        `query X { __schema { types { name } } }`,
		"who has not counted": `query X($s: String!) { caseStatistics(scope: $s, product: PROTECTED, measures: [OPEN]) { missing { reason } } }`,
	} {
		if len(crosses(contract, seeded)) == 0 {
			t.Errorf("%s would pass", name)
		}
	}
}

// names are all names of members in a JSON text.
func names(v any) (out []string) {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			out = append(append(out, name), names(inner)...)
		}
	case []any:
		for _, inner := range v {
			out = append(out, names(inner)...)
		}
	}
	return out
}

// ofStatements is everything that a statement has a name for.
var ofStatements = []string{
	"iss", "q", "edition", "as_of", "rev", "status", "cells", "sdc", "method", "table",
	"product", "scheme", "measures", "axes", "where", "Axis", "Values", "from", "to", "contributions", "member", "asOf", "missing", "rows", "at", "figures",
	"n", "noisy", "of", "bins", "bin",
}

func TestAStatementOfAnyMeasureAndTableTellsCountsAndNothingElse(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	e, asked := ask.Current(), 0
	for _, c := range e.Catalogue.Cubes() {
		for _, m := range c.Measures {
			for _, table := range c.Published {
				var by []statistics.Axis
				for _, a := range table {
					if a != statistics.Duration {
						by = append(by, a)
					}
				}
				_, v, err := e.Plan(ask.Vars{Measures: []statistics.Measure{m.Measure}, By: by, From: "2026-10", To: "2026-10"}, asktest.Now)
				if err != nil {
					continue // of this table only what is coarser is published at the level of a Land
				}
				asked++
				r, a := p.asks(t, asktest.Ask(0, 1, v, asktest.Now), ask.Head{})
				if r.Outcome != ask.Answered {
					t.Fatalf("%s by %v: %s for reason %s", m.Measure, by, r.Outcome, r.Reason)
				}
				_, payload, err := ask.OpenStatement([]byte(a.Statement), p.roll, asktest.Now)
				if err != nil {
					t.Fatal(err)
				}
				var told any
				if err := json.Unmarshal(payload, &told); err != nil {
					t.Fatal(err)
				}
				for _, n := range names(told) {
					if !slices.Contains(ofStatements, n) {
						t.Errorf("%s by %v tells %q", m.Measure, by, n)
					}
				}
				for _, c := range p.cases {
					if strings.Contains(string(payload), fmt.Sprint(c.ID)) {
						t.Fatalf("%s by %v tells which case it was", m.Measure, by)
					}
				}
			}
		}
	}
	if asked < 30 {
		t.Errorf("only %d questions were tried", asked)
	}
}
