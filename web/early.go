// SPDX-License-Identifier: EUPL-1.2

package web

import (
	"context"
	"hash/maphash"
	"net/http"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"
)

// early refuses, before anything of it is looked at, what would be refused whatever it asks for. Who is asking is known by the headers that
// were seen before, as far as this goes: to find out whether they still hold would be asking the database for those who are to wait for it.
func (d *Door) early(r *http.Request) error {
	who, ok := d.faces.seen(r)
	if !ok {
		return nil
	}
	return d.room(r.Context(), who, r)
}

// room asks whether there is any for the best that a caller's request could be.
func (d *Door) room(ctx context.Context, who Caller, r *http.Request) error {
	best := ast.Query
	if r.Method == http.MethodPost {
		best = ast.Mutation
	}
	c := who.class(best)
	err := d.gate.ask(c)
	d.mark(ctx, c, err)
	return err
}

// mostFaces bounds what is remembered.
const mostFaces = 20_000

// faces remember how callers are to be ranked, by hashes of their headers alone. It lets nobody in.
type faces struct {
	seed maphash.Seed

	mu sync.Mutex
	of map[uint64]Caller
}

func newFaces() *faces { return &faces{seed: maphash.MakeSeed(), of: map[uint64]Caller{}} }

func (f *faces) seen(r *http.Request) (Caller, bool) {
	key := maphash.String(f.seed, r.Header.Get("Authorization"))
	f.mu.Lock()
	defer f.mu.Unlock()
	c, ok := f.of[key]
	return c, ok
}

// remember takes note of somebody whose token was valid.
func (f *faces) remember(r *http.Request, c Caller) {
	c.Subject, c.Tenant = "", ""
	key := maphash.String(f.seed, r.Header.Get("Authorization"))
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.of) >= mostFaces {
		clear(f.of)
	}
	f.of[key] = c
}
