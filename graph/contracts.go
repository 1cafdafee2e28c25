// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/extension/inforce"
)

// kept is how many contracts are kept at most. There is one for each set of rights that somebody lacks, of which there are about as many as
// combinations of roles, and for each tenant that adds something to the standard house. One that is asked for again is made again. Of as many
// principals it is kept what they lack.
const kept = 2048

// Contracts gives everybody the contract that they may know of: the standard house with what is added to it where they are at home, without
// what asks for a right that they have on no row at all, where the contract says that this is hidden (onDeny: HIDE). What is hidden, and what
// others add, does not exist for them, see without and extension.Chain.Overlay.
//
// T is what serves a contract. It is made when somebody first needs it, and shared by all who have the same one: what T remembers, such as
// documents that were valid, must be remembered for this contract alone.
type Contracts[T any] struct {
	whole *ast.Schema
	hides []right
	held  func(*authz.Principal) *inforce.Held
	serve func(Contract[T]) T
	made  *lru.Cache[string, *entry[T]] // by name
	masks *lru.Cache[authz.Rights, string]
}

// Contract is what somebody may know of.
type Contract[T any] struct {
	Schema *ast.Schema
	// Name tells it from all others: contracts with the same name say the same, also where one of them was made anew.
	Name string
	// Held is what is added to the standard house; nil: nothing.
	Held *inforce.Held
	// Standard serves those who may know the same of the standard house, to which nothing is added; nil where this is that contract.
	Standard *T
}

// entry is made once, however many need it at the same time.
type entry[T any] struct {
	once   sync.Once
	schema *ast.Schema
	serves T
}

// right is what a directive @policy asks for.
type right struct {
	object authz.Object
	action authz.Action
}

// NewContracts makes the contracts that come of a whole one. held says what is added where a principal is at home, nil where nothing is; it is
// asked at each request.
func NewContracts[T any](whole *ast.Schema, held func(*authz.Principal) *inforce.Held, serve func(Contract[T]) T) *Contracts[T] {
	made, _ := lru.New[string, *entry[T]](kept) // which fails where nothing could be kept
	masks, _ := lru.New[authz.Rights, string](kept)
	return &Contracts[T]{whole: whole, hides: hiding(whole), held: held, serve: serve, made: made, masks: masks}
}

// For gives what serves the contract of the principal in the context. Without a principal it is the contract of somebody who has no right.
func (c *Contracts[T]) For(ctx context.Context) T {
	p, err := authz.From(ctx)
	if err != nil {
		p = &authz.Principal{}
	}
	return c.entry(c.mask(p), c.held(p)).serves
}

func (c *Contracts[T]) entry(mask string, held *inforce.Held) *entry[T] {
	name := mask
	if held != nil {
		name += held.Hash
	}
	e, ok := c.made.Get(name)
	if !ok {
		e = &entry[T]{} // by two at once where they are the first: either is good
		c.made.Add(name, e)
	}
	e.once.Do(func() {
		if held == nil {
			e.schema = c.of(mask)
			e.serves = c.serve(Contract[T]{Schema: e.schema, Name: name})
			return
		}
		standard := c.entry(mask, nil)
		e.schema = held.Chain.Overlay(standard.schema)
		e.serves = c.serve(Contract[T]{Schema: e.schema, Name: name, Held: held, Standard: &standard.serves})
	})
	return e
}

// mask has a bit for each right that hides something: set where the principal has it nowhere.
func (c *Contracts[T]) mask(p *authz.Principal) string {
	name, ok := p.Rights()
	if !ok {
		return c.lacks(p)
	}
	mask, known := c.masks.Get(name) // to find it out anew for each request asks for a dozen rights
	if !known {
		mask = c.lacks(p)
		c.masks.Add(name, mask)
	}
	return mask
}

func (c *Contracts[T]) lacks(p *authz.Principal) string {
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
