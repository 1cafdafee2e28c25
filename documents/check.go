// SPDX-License-Identifier: EUPL-1.2

package documents

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// Check says what is wrong with documents in a contract, one error for each that does not fit. bounded says whether an operation keeps to the limits of
// the front door.
func Check(documents map[string]string, contract *ast.Schema, bounded func(document string, o *ast.OperationDefinition) error) error {
	var wrong []error
	for _, hash := range slices.Sorted(maps.Keys(documents)) {
		if err := check(documents[hash], contract, bounded); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", hash, err))
		}
	}
	return errors.Join(wrong...)
}

// mostTokens bounds what is parsed here at all; the front door is stricter.
const mostTokens = 20_000

func check(text string, contract *ast.Schema, bounded func(string, *ast.OperationDefinition) error) error {
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, mostTokens)
	if err != nil {
		return fmt.Errorf("it cannot be read: %w", err)
	}
	if len(doc.Operations) == 0 {
		return errors.New("it has no operation")
	}
	for _, o := range doc.Operations { // before validation, whose time grows with the square of what is bounded here
		if err := bounded(text, o); err != nil {
			return fmt.Errorf("%s is beyond the limits: %w", o.Name, err)
		}
	}
	if found := validator.ValidateWithRules(contract, doc, rules.NewDefaultRules()); len(found) > 0 {
		return fmt.Errorf("it does not fit the contract: %w", found)
	}
	return nil
}
