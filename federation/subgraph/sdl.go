// SPDX-License-Identifier: EUPL-1.2

package subgraph

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
)

// link says which edition of the specification a subgraph keeps to, and what of it a contract uses.
const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", "@shareable"])` + "\n\n"

// told are the directives of a contract that mean something to a composer. What prices, rights and classes of data a field has is said in the
// contract itself; here they would collide with the directives of others.
var told = []string{"key", "shareable", "deprecated", "specifiedBy", "oneOf"}

// SDL is a contract as composers read it: without what every subgraph has for gateways, and with no directives but those of the specifications.
func SDL(contract *ast.Schema) string {
	s := *contract
	s.SchemaDirectives = nil
	s.Directives = maps.Clone(contract.Directives)
	maps.DeleteFunc(s.Directives, func(_ string, d *ast.DirectiveDefinition) bool { return d.Position == nil || !d.Position.Src.BuiltIn })
	s.Types = make(map[string]*ast.Definition, len(contract.Types))
	for name, def := range contract.Types {
		if name != unionOfEntities && name != representation && name != service {
			s.Types[name] = plain(def)
		}
	}
	if s.Query != nil {
		query := *s.Types[s.Query.Name]
		query.Fields = slices.DeleteFunc(slices.Clone(query.Fields), func(f *ast.FieldDefinition) bool { return f.Name == "_entities" || f.Name == "_service" })
		s.Types[s.Query.Name] = &query
	}
	named := map[string]bool{}
	for _, def := range s.Types {
		for _, f := range def.Fields {
			named[f.Type.Name()] = true
			for _, a := range f.Arguments {
				named[a.Type.Name()] = true
			}
		}
	}
	maps.DeleteFunc(s.Types, func(name string, def *ast.Definition) bool { // of directives that are left out
		return !named[name] && (def.Kind == ast.Enum || def.Kind == ast.Scalar) && !def.BuiltIn
	})
	var b strings.Builder
	b.WriteString(link)
	formatter.NewFormatter(&b, formatter.WithIndent("  ")).FormatSchema(&s)
	return b.String()
}

// Of is SDL of a contract that is at hand as text.
func Of(text string) (string, error) {
	contract, err := gqlparser.LoadSchema(&ast.Source{Name: "contract", Input: text})
	if err != nil {
		return "", fmt.Errorf("subgraph: reading a contract: %w", err)
	}
	return SDL(contract), nil
}

// plain is a definition with the directives that composers are told.
func plain(def *ast.Definition) *ast.Definition {
	d := *def
	d.Directives = sift(d.Directives)
	d.Fields = make(ast.FieldList, len(def.Fields))
	for i, f := range def.Fields {
		field := *f
		field.Directives = sift(f.Directives)
		field.Arguments = make(ast.ArgumentDefinitionList, len(f.Arguments))
		for k, a := range f.Arguments {
			argument := *a
			argument.Directives = sift(a.Directives)
			field.Arguments[k] = &argument
		}
		d.Fields[i] = &field
	}
	d.EnumValues = make(ast.EnumValueList, len(def.EnumValues))
	for i, v := range def.EnumValues {
		value := *v
		value.Directives = sift(v.Directives)
		d.EnumValues[i] = &value
	}
	return &d
}

func sift(all ast.DirectiveList) ast.DirectiveList {
	return slices.DeleteFunc(slices.Clone(all), func(d *ast.Directive) bool { return !slices.Contains(told, d.Name) })
}
