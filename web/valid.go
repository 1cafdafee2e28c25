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
func (v *Valid) Of(contract string) ValidIn { return ValidIn{v, contract} }

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

// ValidIn are the documents that are valid in one contract: the cache of its executor, and what its guard need not look through again.
type ValidIn struct {
	of       *Valid
	contract string
}

var _ graphql.Cache[*ast.QueryDocument] = ValidIn{}

// Add remembers a document.
func (in ValidIn) Add(_ context.Context, text string, doc *ast.QueryDocument) {
	if len(text) > longestKept {
		return
	}
	v := in.of
	r := &remembered{question{in.contract, text}, doc, weightOf(text, doc)}
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
func (in ValidIn) Get(_ context.Context, text string) (*ast.QueryDocument, bool) {
	doc := in.peek(text)
	if doc == nil {
		in.of.unknown.Inc()
		return nil, false
	}
	in.of.found.Inc()
	return doc, true
}

// peek is Get that nobody counts; nil where the document is not remembered.
func (in ValidIn) peek(text string) *ast.QueryDocument {
	v := in.of
	if v == nil {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	e := v.known[question{in.contract, text}]
	if e == nil {
		return nil
	}
	v.order.MoveToFront(e)
	return e.Value.(*remembered).doc //nolint:forcetypeassert // nothing else is in it
}
