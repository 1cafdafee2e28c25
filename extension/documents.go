// SPDX-License-Identifier: EUPL-1.2

package extension

import (
	"iter"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// mostDocument bounds the tokens of a document that is looked at.
const mostDocument = 15_000

// Broken names the documents that are valid in one schema of a tenant and not in another, in order: those of clients whose requests would be
// refused. The documents come by name, such as their hash. Those that ask for nothing of an extension are not looked at, since the schemas of
// a tenant do not differ in anything else.
func Broken(before, after *ast.Schema, documents iter.Seq2[string, string]) []string {
	known := rules.NewDefaultRules()
	valid := func(s *ast.Schema, text string) bool {
		doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, mostDocument) // anew, since validation writes into it
		return err == nil && len(validator.ValidateWithRules(s, doc, known)) == 0
	}
	var out []string
	for name, text := range documents {
		if strings.Contains(text, "xtension") && valid(before, text) && !valid(after, text) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
