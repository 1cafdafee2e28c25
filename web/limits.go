// SPDX-License-Identifier: EUPL-1.2

package web

import (
	"errors"
	"time"
)

// Limits bound what one request may ask. DefaultLimits gives what the house is built for; a limit of zero is refused, for it would
// be none.
type Limits struct {
	// Body is the largest body of a GraphQL request, in bytes. Routes bound their own bodies.
	Body int64
	// Nesting is how deeply JSON may be nested: variables, and the request around them.
	Nesting int

	// Tokens is the length of a document.
	Tokens int
	// Depth is how many fields may stand inside each other, fragments included. The usual introspection needs 15.
	Depth int
	// RootFields is how many fields an operation may ask of Query or Mutation, fragments included.
	RootFields int
	// Fields is how many fields an operation may have when every fragment is written out where it is spread.
	Fields int
	// Aliases is how many fields of a document may have another name in the answer.
	Aliases int
	// SameName is how often one name may stand in one selection set.
	SameName int
	// Directives is how many a document may use.
	Directives int
	// Fragments is how many a document may define.
	Fragments int
	// Spreads is how many times a document may use fragments, inline ones included.
	Spreads int
	// Operations is how many a document may define; one of them is carried out.
	Operations int
	// Page is the length that is reckoned for a list where neither the operation nor the contract tells.
	Page int
	// Cost is the highest cost of an operation, in the units of the contract's directive cost.
	Cost int

	// Operation is how long an operation may take, the database included.
	Operation time.Duration
}

// DefaultLimits are documented in docs/limits.md and published by the contract's field limits.
func DefaultLimits() Limits {
	return Limits{
		Body:    256 << 10,
		Nesting: 32,

		Tokens:     1000,
		Depth:      15,
		RootFields: 20,
		Fields:     2000,
		Aliases:    50,
		SameName:   3,
		Directives: 50,
		Fragments:  50,
		Spreads:    100,
		Operations: 5,
		Page:       100,
		Cost:       10_000,

		Operation: 10 * time.Second,
	}
}

func (l Limits) check() error {
	if l.Body <= 0 || l.Operation <= 0 || min(l.Nesting, l.Tokens, l.Depth, l.RootFields, l.Fields, l.Aliases, l.SameName, l.Directives, l.Fragments, l.Spreads, l.Operations, l.Page, l.Cost) <= 0 {
		return errors.New("web: a limit is zero, so there would be none")
	}
	return nil
}
