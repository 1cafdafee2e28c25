// SPDX-License-Identifier: EUPL-1.2

package extension

import (
	_ "embed"
	"regexp"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// Language describes the directives of definitions, in SDL.
//
//go:embed language.graphql
var Language string

// directives of the language, by name, with what GraphQL itself brings.
var directives = func() map[string]*ast.DirectiveDefinition {
	doc, err := parser.ParseSchema(&ast.Source{Name: "language.graphql", Input: Language +
		"\n directive @deprecated(reason: String = \"No longer supported\") on FIELD_DEFINITION | ENUM_VALUE"})
	if err != nil {
		panic(err) // our own text
	}
	out := map[string]*ast.DirectiveDefinition{}
	for _, d := range doc.Directives {
		out[d.Name] = d
	}
	return out
}()

// Targets are the types of the standard house that can be extended. Each has a field extension in the contract, of the type
// <Target>Extension.
var Targets = []string{"Applicant", "Case", "Decision", "Message", "Service", "ServiceOffering"}

// Scalars are the types of values that come with the language.
var scalars = []string{"String", "Int", "Float", "Boolean", "Date", "DateTime"}

// The bounds of a definition. What goes beyond is refused: tooLarge, tooMany or tooDeep.
const (
	mostBytes   = 64 << 10
	mostTokens  = 20_000
	mostNesting = 8    // brackets within brackets in the text
	mostFields  = 200  // of all types together
	mostPlaces  = 1000 // of fields in all objects, wherever they stand
	mostTypes   = 50
	mostValues  = 500 // of an enum
	mostDepth   = 4   // objects within objects; the extension itself is the first
	mostItems   = 1000
	mostText    = 100_000   // characters of a text that says so
	mostIndexed = 250       // characters, which are at most 1,000 bytes, of a text that rows are filtered or ordered by
	mostWords   = 1000      // characters of a description
	mostName    = 100       // of a field or type, with its space
	mostRecord  = 256 << 10 // bytes that an owner keeps of a row
	mostShared  = 50        // tenants that a field is shared with

	usualText  = 10_000
	usualItems = 100
)

var (
	fieldName = regexp.MustCompile(`^[a-z][A-Za-z0-9]{0,62}$`)
	typeName  = regexp.MustCompile(`^[A-Z][A-Za-z0-9]{0,62}$`)
	slug      = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`) // of a tenant
	valueName = regexp.MustCompile(`^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$`)
)

// endings are those of the types that are made of others.
var endings = []string{"Extension", "Input", "Filter", "Order", "Group", "Connection", "Edge", "Payload"}

func reserved(typeName string) bool {
	return slices.ContainsFunc(endings, func(e string) bool { return strings.HasSuffix(typeName, e) })
}
