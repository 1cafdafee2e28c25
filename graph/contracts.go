// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ozg-cloud/platform/authz"
)

// kept is how many contracts are kept at most. There is one for each set of rights that somebody lacks, so there are about as many as
// there are combinations of roles.
const kept = 256

// Contracts gives everybody the contract that they may know of: the whole one without what asks for a right that they have on no row at
// all, where the contract says that this is hidden (onDeny: HIDE). What is hidden does not exist for them, see without.
//
// T is what serves a contract. It is made when somebody first needs it, and shared by all who have the same one: what T remembers, such as
// documents that were valid, must be remembered for this contract alone.
type Contracts[T any] struct {
	whole *ast.Schema
	hides []right
	serve func(contract *ast.Schema) T
	made  *lru.LRU[T] // by mask
}

// right is what a directive @policy asks for.
type right struct {
	object authz.Object
	action authz.Action
}

// NewContracts makes the contracts that come of a whole one.
func NewContracts[T any](whole *ast.Schema, serve func(contract *ast.Schema) T) *Contracts[T] {
	return &Contracts[T]{whole, hiding(whole), serve, lru.New[T](kept)}
}

// For gives what serves the contract of the principal in the context. Without a principal it is the contract of somebody who has no right.
func (c *Contracts[T]) For(ctx context.Context) T {
	p, err := authz.From(ctx)
	if err != nil {
		p = &authz.Principal{}
	}
	mask := c.mask(p)
	if served, ok := c.made.Get(ctx, mask); ok {
		return served
	}
	served := c.serve(c.of(mask)) // by two at once where they are the first: either is good
	c.made.Add(ctx, mask, served)
	return served
}

// mask has a bit for each right that hides something: set where the principal has it nowhere.
func (c *Contracts[T]) mask(p *authz.Principal) string {
	m := make([]byte, (len(c.hides)+7)/8)
	for i, r := range c.hides {
		if !p.MayAnywhere(r.object, r.action) {
			m[i/8] |= 1 << (i % 8)
		}
	}
	return string(m)
}

// of is the contract without what the rights in a mask hide.
func (c *Contracts[T]) of(mask string) *ast.Schema {
	lacking := map[right]bool{}
	for i, r := range c.hides {
		if mask[i/8]&(1<<(i%8)) != 0 {
			lacking[r] = true
		}
	}
	return without(c.whole, lacking)
}
