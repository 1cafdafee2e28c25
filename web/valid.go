// SPDX-License-Identifier: EUPL-1.2

package web

import (
	"container/list"
	"context"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/vektah/gqlparser/v2/ast"
)

// Valid remembers documents that are valid, those of all contracts together within so many bytes; what was asked longest ago is forgotten
// first. A document that is valid in one contract may be none in another, so each contract finds its own ones alone.
type Valid struct {
	most           int
	found, unknown prometheus.Counter

	mu    sync.Mutex
	bytes int
	known map[question]*list.Element
	order *list.List // of *remembered, the last asked first
}

// question is what is asked in which contract.
type question struct{ contract, text string }

type remembered struct {
	question
	doc   *ast.QueryDocument
	bytes int
}

// NewValid makes room for the documents of all contracts. The metrics count how often they are found.
func NewValid(bytes int, m *Metrics) *Valid {
	return &Valid{
		most: bytes, known: map[question]*list.Element{}, order: list.New(),
		found: m.documents.WithLabelValues("yes"), unknown: m.documents.WithLabelValues("no"),
	}
}

// Of gives the documents of the contract with a name. Contracts with one name say the same.
func (v *Valid) Of(contract string) graphql.Cache[*ast.QueryDocument] { return validIn{v, contract} }

// longestKept is the longest document that is remembered, in bytes: one that consists of comments would be remembered with them.
const longestKept = 8 << 10

// weightOf is about what a document takes in memory: its text, and the nodes that come of it. A field takes about 400 bytes and is at least
// two letters long in practice; see TestADocumentTakesNoMoreThanItIsWeighed.
func weightOf(text string, doc *ast.QueryDocument) int {
	nodes := 0
	var below func(s ast.SelectionSet)
	below = func(s ast.SelectionSet) {
		for _, selection := range s {
			nodes++
			switch n := selection.(type) {
			case *ast.Field:
				nodes += 2*len(n.Arguments) + len(n.Directives)
				below(n.SelectionSet)
			case *ast.InlineFragment:
				nodes += len(n.Directives)
				below(n.SelectionSet)
			case *ast.FragmentSpread:
				nodes += len(n.Directives)
			}
		}
	}
	for _, o := range doc.Operations {
		nodes += 2 + 3*len(o.VariableDefinitions)
		below(o.SelectionSet)
	}
	for _, f := range doc.Fragments {
		nodes += 2
		below(f.SelectionSet)
	}
	return 1<<10 + 2*len(text) + 448*nodes
}

type validIn struct {
	*Valid
	contract string
}

// Add remembers a document.
func (v validIn) Add(_ context.Context, text string, doc *ast.QueryDocument) {
	if len(text) > longestKept {
		return
	}
	r := &remembered{question{v.contract, text}, doc, weightOf(text, doc)}
	v.mu.Lock()
	defer v.mu.Unlock()
	if e := v.known[r.question]; e != nil {
		v.forget(e)
	}
	v.known[r.question] = v.order.PushFront(r)
	for v.bytes += r.bytes; v.bytes > v.most; {
		v.forget(v.order.Back())
	}
}

func (v *Valid) forget(e *list.Element) {
	r := v.order.Remove(e).(*remembered) //nolint:forcetypeassert // nothing else is in it
	delete(v.known, r.question)
	v.bytes -= r.bytes
}

// Get finds a document.
func (v validIn) Get(_ context.Context, text string) (*ast.QueryDocument, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	e := v.known[question{v.contract, text}]
	if e == nil {
		v.unknown.Inc()
		return nil, false
	}
	v.order.MoveToFront(e)
	v.found.Inc()
	return e.Value.(*remembered).doc, true //nolint:forcetypeassert // as above
}
