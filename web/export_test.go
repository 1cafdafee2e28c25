// SPDX-License-Identifier: EUPL-1.2

package web

import "time"

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
