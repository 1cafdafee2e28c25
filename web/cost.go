// SPDX-License-Identifier: EUPL-1.2

package web

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
)

// Prices that the contract does not state (after the IBM GraphQL cost directives): whatever has fields costs one, a value nothing.
const (
	priceOfObject = 1
	priceOfSchema = 2_000 // __schema: the whole contract, some hundred kilobytes
	priceOfType   = 20    // __type: one definition
	assumedLength = 10    // of a list about which the contract says nothing
)

// prices has the price of each field, by type and name.
type prices map[string]map[string]*price

type price struct {
	weight  int
	of      string   // the type that comes out
	list    bool     // it is a list whose length counts here
	passes  bool     // its length counts at fields further in, see sized
	sized   bool     // it has the length that the field around it was given
	slicing []string // the arguments that bound the length
	length  int      // without such arguments; 0: a whole page
}

// pricesOf reads the prices out of a contract.
func pricesOf(s *ast.Schema) prices {
	out := prices{}
	out.read(s, s.Types)
	return out
}

// read adds the prices of some types of a contract to those that are known.
func (p prices) read(s *ast.Schema, types map[string]*ast.Definition) {
	for name, def := range types {
		if def.Kind != ast.Object && def.Kind != ast.Interface {
			continue
		}
		fields := make(map[string]*price, len(def.Fields))
		for _, f := range def.Fields {
			fields[f.Name] = priceOf(s, f)
		}
		p[name] = fields
	}
	// A connection's nodes and edges have the length that the field was given which led to the connection.
	for _, def := range types {
		for _, f := range def.Fields {
			size := f.Directives.ForName("listSize")
			if size == nil {
				continue
			}
			for _, inner := range words(size, "sizedFields") {
				if known := p[f.Type.Name()][inner]; known != nil {
					if !known.sized { // those of other contracts are
						known.sized, known.list = true, false
					}
					p[def.Name][f.Name].passes, p[def.Name][f.Name].list = true, false
				}
			}
		}
	}
	if s.Query != nil && types[s.Query.Name] != nil {
		p[s.Query.Name]["__schema"] = &price{weight: priceOfSchema, of: "__Schema"}
		p[s.Query.Name]["__type"] = &price{weight: priceOfType, of: "__Type"}
	}
}

// over gives the prices of a contract that shares most of its types with the one whose prices these are: those are not read again.
func (p prices) over(base, s *ast.Schema) prices {
	other := map[string]*ast.Definition{}
	for name, def := range s.Types {
		if base.Types[name] != def {
			other[name] = def
		}
	}
	around := map[string]*ast.Definition{} // what a field weighs depends on its type
	for name, def := range s.Types {
		if slices.ContainsFunc(def.Fields, func(f *ast.FieldDefinition) bool { return other[f.Type.Name()] != nil }) {
			around[name] = def
		}
	}
	maps.Copy(other, around)
	out := make(prices, len(p)+len(other))
	for name, known := range p {
		if s.Types[name] != nil {
			out[name] = known
		}
	}
	out.read(s, other)
	return out
}

func priceOf(s *ast.Schema, f *ast.FieldDefinition) *price {
	p := &price{of: f.Type.Name(), list: f.Type.Elem != nil, length: assumedLength}
	def := s.Types[p.of]
	if def.IsCompositeType() && !describes(def.Name) {
		p.weight = priceOfObject
	}
	for _, d := range []*ast.Directive{def.Directives.ForName("cost"), f.Directives.ForName("cost")} {
		if d != nil {
			p.weight = number(d, "weight", p.weight)
		}
	}
	if d := f.Directives.ForName("listSize"); d != nil {
		p.slicing = words(d, "slicingArguments")
		p.length = number(d, "assumedSize", 0)
	}
	return p
}

func number(d *ast.Directive, argument string, otherwise int) int {
	if a := d.Arguments.ForName(argument); a != nil {
		if n, err := strconv.Atoi(a.Value.Raw); err == nil {
			return n
		}
	}
	return otherwise
}

func words(d *ast.Directive, argument string) []string {
	a := d.Arguments.ForName(argument)
	if a == nil {
		return nil
	}
	var out []string
	for _, c := range a.Value.Children {
		out = append(out, c.Value.Raw)
	}
	return out
}

// length is the measure of a selection set. Its price is fixed + n * each, where n is the length that the field around it was given:
// so that a fragment has one measure, wherever it is spread.
type length struct {
	fixed, each int
	depth       int
	fields      int  // directly in the set, fragments included
	all         int  // with those further in
	asks        bool // for more than introspection
	describes   bool // the contract
}

func (l *length) join(o length) {
	l.fixed, l.each = add(l.fixed, o.fixed), add(l.each, o.each)
	l.fields, l.all = add(l.fields, o.fields), add(l.all, o.all)
	l.depth = max(l.depth, o.depth)
	l.asks, l.describes = l.asks || o.asks, l.describes || o.describes
}

// tape measures one operation.
type tape struct {
	prices    prices
	page      int
	doc       *ast.QueryDocument
	op        *ast.OperationDefinition
	variables map[string]any
	fragments map[string]*length // nil while a fragment is being measured
	circle    bool               // a fragment spreads itself
	renamed   bool               // there is an alias in introspection, which would repeat the contract at no price
}

func (t *tape) set(s ast.SelectionSet, on map[string]*price) length {
	var out length
	for _, selection := range s {
		switch n := selection.(type) {
		case *ast.Field:
			out.join(t.field(n, on[n.Name]))
		case *ast.InlineFragment:
			inner := on
			if n.TypeCondition != "" {
				inner = t.prices[n.TypeCondition]
			}
			out.join(t.set(n.SelectionSet, inner))
		case *ast.FragmentSpread:
			out.join(t.fragment(n.Name))
		}
	}
	return out
}

// fragment measures a fragment once. One that is not defined measures nothing; validation refuses it.
func (t *tape) fragment(name string) length {
	if l, seen := t.fragments[name]; seen {
		if l == nil {
			t.circle = true
			return length{}
		}
		return *l
	}
	def := t.doc.Fragments.ForName(name)
	if def == nil {
		return length{}
	}
	t.fragments[name] = nil
	l := t.set(def.SelectionSet, t.prices[def.TypeCondition])
	t.fragments[name] = &l
	return l
}

func (t *tape) field(f *ast.Field, p *price) length {
	out := length{fields: 1, asks: !describes(f.Name), describes: describes(f.Name) && f.Name != "__typename"}
	if p == nil { // __typename, or a field that validation refuses
		p = &price{}
	}
	inner := t.set(f.SelectionSet, t.prices[p.of])
	out.depth, out.all = 1+inner.depth, add(1, inner.all)
	t.renamed = t.renamed || f.Alias != f.Name && describes(p.of) && !describes(f.Name)
	n := 1
	if p.list || p.passes {
		n = t.lengthOf(f, p)
	}
	cost := add(p.weight, inner.fixed)
	switch {
	case p.passes:
		cost = add(cost, mul(n, inner.each))
	case p.list:
		cost = mul(n, add(cost, mul(t.page, inner.each)))
	default:
		cost = add(cost, mul(t.page, inner.each))
	}
	if p.sized {
		out.each = cost
	} else {
		out.fixed = cost
	}
	return out
}

// lengthOf is how long a list may become: the largest of its slicing arguments. One that is a list counts by its own length.
func (t *tape) lengthOf(f *ast.Field, p *price) int {
	n, told := 0, false
	for _, name := range p.slicing {
		if a := f.Arguments.ForName(name); a != nil {
			if v, ok := t.number(a.Value); ok {
				n, told = max(n, v), true
			}
		}
	}
	switch {
	case told:
		return n
	case p.length > 0:
		return p.length
	}
	return t.page
}

// number is the value of an argument, where it is a whole number, or the length of the list that it is. What is neither is left to validation.
func (t *tape) number(v *ast.Value) (int, bool) {
	if v.Kind == ast.Variable {
		switch given := t.variables[v.Raw].(type) {
		case json.Number:
			n, err := strconv.Atoi(given.String())
			return n, err == nil
		case []any:
			return len(given), true
		default:
			def := t.op.VariableDefinitions.ForName(v.Raw)
			if given != nil || def == nil || def.DefaultValue == nil {
				return 0, false
			}
			v = def.DefaultValue
		}
	}
	if v.Kind == ast.ListValue {
		return len(v.Children), true
	}
	n, err := strconv.Atoi(v.Raw)
	return n, err == nil
}

// add and mul stop at the largest number instead of starting again from below.
func add(a, b int) int {
	if a > math.MaxInt32-b {
		return math.MaxInt32
	}
	return a + b
}

func mul(a, b int) int {
	if b != 0 && a > math.MaxInt32/b {
		return math.MaxInt32
	}
	return a * b
}
