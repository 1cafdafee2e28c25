// SPDX-License-Identifier: EUPL-1.2

package web

import (
	"errors"
	"time"
)

// Limits bound what one request may ask. A limit of zero is refused, for it would be none.
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

	// CallerPerMinute and TenantPerMinute are the cost that one subject, and all of one tenant, may ask for in a minute; what is left of a
	// minute is not saved up for the next. Each replica reckons for itself.
	CallerPerMinute, TenantPerMinute int
	// AtOnce is how many operations may be carried out at once, however well the database carries them.
	AtOnce int
	// Operation is how long an operation may take, the database included. A subscription lasts until somebody ends it.
	Operation time.Duration

	// Streams is how many sockets and event streams may be open at once.
	Streams int
	// Running is how many operations may be under way on one of them.
	Running int
	// ID is the longest id of an operation on one of them, in bytes.
	ID int
	// Message is the largest message on a socket, in bytes.
	Message int64
	// MessageRate is how many messages a second a socket may send in the long run, four times as many at once.
	MessageRate int
	// Init is how long a socket may take to say who it is, and a reserved stream to be fetched.
	Init time.Duration
	// Write is how long the other side may take to receive a message. Who reads more slowly is cut off.
	Write time.Duration
	// Ping is how often a silent connection is asked whether it still is one.
	Ping time.Duration
}

// DefaultLimits are what the house is built for; the contract's field limits publishes some of them.
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

		CallerPerMinute: 200_000,
		TenantPerMinute: 4_000_000,
		AtOnce:          256,
		Operation:       10 * time.Second,

		Streams:     20_000,
		Running:     100,
		ID:          128,
		Message:     64 << 10,
		MessageRate: 50,
		Init:        3 * time.Second,
		Write:       10 * time.Second,
		Ping:        30 * time.Second,
	}
}

func (l Limits) check() error {
	counts := min(l.Nesting, l.Tokens, l.Depth, l.RootFields, l.Fields, l.Aliases, l.SameName, l.Directives, l.Fragments, l.Spreads, l.Operations, l.Page, l.Cost,
		l.CallerPerMinute, l.TenantPerMinute, l.AtOnce, l.Streams, l.Running, l.ID, l.MessageRate)
	if counts <= 0 || min(l.Body, l.Message) <= 0 || min(l.Operation, l.Init, l.Write, l.Ping) <= 0 {
		return errors.New("web: a limit is zero, so there would be none")
	}
	return nil
}
