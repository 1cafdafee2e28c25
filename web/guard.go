// SPDX-License-Identifier: EUPL-1.2

package web

import (
	"errors"
	"strings"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/lexer"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/ozg-cloud/platform/internal/problem"
)

// Guard measures documents before anything validates or executes them. Validation takes time in the square of equal names, and
// fragments that spread each other double whatever walks along them: so each definition is looked at once, and what is too large is
// refused by its measure alone.
type Guard struct {
	limits Limits
	prices prices
	schema *ast.Schema
	valid  ValidIn
	asked  atomic.Pointer[described]
}

// described is a document that asks for nothing but the contract. It is remembered beside those that are valid: where strangers may not have the answer,
// nobody validates their question, and it is most often the same one.
type described struct {
	text string
	doc  *ast.QueryDocument
}

// NewGuard makes the guard of a contract. The contract's directives cost and listSize tell what its fields weigh.
func NewGuard(schema *ast.Schema, limits Limits) *Guard {
	return &Guard{limits: limits, prices: pricesOf(schema), schema: schema}
}

// Knowing is the guard where documents are remembered that are valid in its contract: it let them through before, and only asks what they weigh with other
// variables.
func (g *Guard) Knowing(valid ValidIn) *Guard {
	return &Guard{limits: g.limits, prices: g.prices, schema: g.schema, valid: valid}
}

// Over makes the guard of a contract that shares most of its types with this one's. It weighs exactly as NewGuard's would.
func (g *Guard) Over(schema *ast.Schema) *Guard {
	return &Guard{limits: g.limits, prices: g.prices.over(g.schema, schema), schema: schema}
}

// Measure is what the guard knows of an operation that it lets through.
type Measure struct {
	// Kind tells queries from mutations and subscriptions.
	Kind ast.Operation
	// Cost is the price of the operation, an upper bound.
	Cost int
	// Introspection is true where nothing but the contract itself is asked for.
	Introspection bool
	// Bare is true where nothing but __typename is asked for.
	Bare bool
}

// Measure refuses what is no document, what does not hold the operation asked for, and what is beyond a limit; each with a problem of
// the kind Invalid. The cost stands in the measure of an operation that is too costly, too.
func (g *Guard) Measure(p *graphql.RawParams) (Measure, error) {
	doc := g.valid.peek(p.Query)
	last := g.asked.Load()
	if doc == nil && last != nil && last.text == p.Query {
		doc = last.doc
	}
	fresh := doc == nil
	if fresh {
		var err error
		if doc, err = g.read(p.Query); err != nil {
			return Measure{}, err
		}
	}
	op := doc.Operations.ForName(p.OperationName)
	if op == nil {
		return Measure{}, problem.New(problem.Invalid, "invalidDocument")
	}
	t := tape{prices: g.prices, page: g.limits.Page, doc: doc, op: op, variables: p.Variables, fragments: map[string]*length{}}
	l := t.set(op.SelectionSet, g.prices[g.root(op.Operation)])
	m := Measure{Kind: op.Operation, Cost: add(l.fixed, l.each), Introspection: !l.asks, Bare: !l.asks && !l.describes}
	switch {
	case t.circle:
		return Measure{}, problem.New(problem.Invalid, "invalidDocument")
	case l.depth > g.limits.Depth || l.fields > g.limits.RootFields || l.all > g.limits.Fields || t.renamed:
		return m, problem.New(problem.Invalid, "tooComplex")
	case m.Cost > g.limits.Cost:
		return m, problem.New(problem.Invalid, "tooCostly")
	}
	if fresh && m.Introspection && !m.Bare && len(p.Query) <= longestKept {
		g.asked.Store(&described{p.Query, doc})
	}
	return m, nil
}

// read parses a document that is not too large.
func (g *Guard) read(query string) (*ast.QueryDocument, error) {
	if g.oversized(query) {
		return nil, problem.New(problem.Invalid, "tooComplex")
	}
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: query}, g.limits.Tokens)
	if err != nil {
		if g.tooLong(query) {
			return nil, problem.New(problem.Invalid, "tooComplex")
		}
		return nil, unreadable(err)
	}
	return doc, g.count(doc)
}

// unreadable is a document that the parser refused.
func unreadable(err error) error {
	list := gqlerror.List{}
	if e, ok := errors.AsType[*gqlerror.Error](err); ok {
		list = append(list, e)
	}
	return &documentError{problem.New(problem.Invalid, "unreadableDocument"), list}
}

// longestName is how long a name may be, of whatever it is. The longest in the contract has less than fifty letters.
const longestName = 200

// oversized looks over a document once, byte by byte, before anything parses it: it has a name that is longer than any may be (validation compares
// names with similar ones, letter by letter), more aliases or more tokens than it may. What it counts is never more than what is there, as long as the
// document can be parsed at all; an alias that repeats the name of its field is one.
func (g *Guard) oversized(query string) bool {
	name, tokens, aliases, brackets := 0, 0, 0, 0
	for i := 0; i < len(query); i++ {
		c := query[i]
		if letter[c] {
			if name++; name == 1 && c > '9' { // a number may be several of these
				tokens++
			}
			if name > longestName {
				return true
			}
			continue
		}
		name = 0
		switch c {
		case '"':
			i = behindString(query, i)
		case '#':
			for i+1 < len(query) && query[i+1] != '\n' && query[i+1] != '\r' {
				i++
			}
		case '(':
			tokens++
			brackets++
		case ')':
			tokens++
			brackets = max(0, brackets-1)
		case ':':
			if tokens++; brackets == 0 { // elsewhere it stands behind an argument, a variable or a member of a value
				if aliases++; aliases > g.limits.Aliases {
					return true // without a look at the thousands that may follow
				}
			}
		case '!', '$', '&', '=', '@', '[', ']', '{', '|', '}':
			tokens++
		}
	}
	return tokens > g.limits.Tokens
}

// letter tells which bytes names and numbers are made of.
var letter = func() (is [256]bool) {
	for c := range is {
		is[c] = c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
	}
	return is
}()

// behindString is where a string ends whose first quote stands at i; where it does not end, the document does.
func behindString(query string, i int) int {
	if strings.HasPrefix(query[i:], `"""`) {
		for i += 3; i < len(query); i++ {
			if strings.HasPrefix(query[i:], `\"""`) {
				i += 3
			} else if strings.HasPrefix(query[i:], `"""`) {
				return i + 2
			}
		}
		return i
	}
	for i++; i < len(query); i++ {
		switch query[i] {
		case '\\':
			i++
		case '"', '\n', '\r':
			return i
		}
	}
	return i
}

// tooLong tells whether a document that could not be parsed has more tokens than it may.
func (g *Guard) tooLong(query string) bool {
	l := lexer.New(&ast.Source{Input: query})
	for range g.limits.Tokens {
		t, err := l.ReadToken()
		if err != nil || t.Kind == lexer.EOF {
			return false
		}
	}
	return true
}

func (g *Guard) root(kind ast.Operation) string {
	def := g.schema.Query
	switch kind {
	case ast.Mutation:
		def = g.schema.Mutation
	case ast.Subscription:
		def = g.schema.Subscription
	}
	if def == nil {
		return ""
	}
	return def.Name
}

// count bounds what a document is made of, whatever of it is used.
func (g *Guard) count(doc *ast.QueryDocument) error {
	if len(doc.Operations) == 0 {
		return problem.New(problem.Invalid, "unreadableDocument")
	}
	c := counter{limits: g.limits}
	for _, op := range doc.Operations {
		c.directives += len(op.Directives)
		for _, v := range op.VariableDefinitions {
			c.directives += len(v.Directives)
		}
		c.set(op.SelectionSet)
	}
	for _, f := range doc.Fragments {
		c.directives += len(f.Directives)
		c.set(f.SelectionSet)
	}
	l := g.limits
	if c.crowded || c.aliases > l.Aliases || c.directives > l.Directives || c.spreads > l.Spreads || len(doc.Fragments) > l.Fragments || len(doc.Operations) > l.Operations {
		return problem.New(problem.Invalid, "tooComplex")
	}
	return nil
}

type counter struct {
	limits                       Limits
	aliases, directives, spreads int
	crowded                      bool // a name stands too often in one set
}

func (c *counter) set(s ast.SelectionSet) {
	var names map[string]int
	if len(s) > c.limits.SameName {
		names = make(map[string]int, len(s))
	}
	for _, selection := range s {
		switch n := selection.(type) {
		case *ast.Field:
			if n.Alias != n.Name {
				c.aliases++
			}
			if names != nil {
				names[n.Alias]++
				c.crowded = c.crowded || names[n.Alias] > c.limits.SameName
			}
			c.directives += len(n.Directives)
			c.set(n.SelectionSet)
		case *ast.InlineFragment:
			c.spreads++
			c.directives += len(n.Directives)
			c.set(n.SelectionSet)
		case *ast.FragmentSpread:
			c.spreads++
			c.directives += len(n.Directives)
		}
	}
}

// describes tells whether a field is part of introspection.
func describes(name string) bool { return strings.HasPrefix(name, "__") }
