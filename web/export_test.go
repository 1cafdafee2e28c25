// SPDX-License-Identifier: EUPL-1.2

package web

import (
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// Budgets are what a test asks of budgets.
type Budgets struct{ of *budgets }

// NewBudgets makes some.
func NewBudgets(perMinute int) Budgets { return Budgets{newBudgets(perMinute)} }

// Take pays.
func (b Budgets) Take(name string, cost int) { b.of.take(name, cost, time.Now()) }

// Size is how many are remembered.
func (b Budgets) Size() int { return len(b.of.of) }

// Oversized tells whether a document is refused before anything parses it.
func (g *Guard) Oversized(query string) bool { return g.oversized(query) }

// Remember lets a guard take one document for another one.
func (g *Guard) Remember(text, other string) {
	doc, err := parser.ParseQuery(&ast.Source{Input: other})
	if err != nil {
		panic(err)
	}
	g.asked.Store(&described{text, doc})
}
