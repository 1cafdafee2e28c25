// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"cmp"
	"maps"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ozg-cloud/platform/authz"
)

// hiding lists the rights that hide something in a contract, always in the same order.
func hiding(s *ast.Schema) []right {
	found := map[right]bool{}
	look := func(d ast.DirectiveList) {
		if r, ok := hides(d); ok {
			found[r] = true
		}
	}
	for _, def := range s.Types {
		look(def.Directives)
		for _, f := range def.Fields {
			look(f.Directives)
		}
		for _, v := range def.EnumValues {
			look(v.Directives)
		}
	}
	return slices.SortedFunc(maps.Keys(found), func(a, b right) int {
		return cmp.Or(cmp.Compare(a.object, b.object), cmp.Compare(a.action, b.action))
	})
}

// hides gives the right without which a part of the contract is hidden.
func hides(d ast.DirectiveList) (right, bool) {
	p := d.ForName("policy")
	if p == nil {
		return right{}, false
	}
	mode := p.Arguments.ForName("onDeny")
	if mode == nil || mode.Value.Raw != "HIDE" {
		return right{}, false
	}
	return right{authz.Object(p.Arguments.ForName("object").Value.Raw), authz.Action(p.Arguments.ForName("action").Value.Raw)}, true
}

// without gives a contract in which nothing is left that is hidden for want of the lacking rights: neither the thing itself, nor a field,
// argument or member that leads to it, nor the pages of a type (its Connection and Edge), nor a type that is empty without it or that
// nothing reaches any more. Everything else is shared with the whole contract, which stays as it is.
func without(whole *ast.Schema, lacking map[right]bool) *ast.Schema {
	if len(lacking) == 0 {
		return whole
	}
	c := cut{lacking: lacking, types: maps.Clone(whole.Types)}
	for name, def := range whole.Types {
		if c.hidden(def.Directives) {
			for _, gone := range []string{name, name + "Connection", name + "Edge"} {
				delete(c.types, gone)
			}
		}
	}
	for again := true; again; { // a type that has become empty empties others
		again = false
		for name, def := range c.types {
			if c.types[name] = c.trimmed(def); empty(c.types[name]) && !empty(def) {
				delete(c.types, name)
				again = true
			}
		}
	}
	s := *whole
	s.Types = c.types
	for _, root := range []**ast.Definition{&s.Query, &s.Mutation, &s.Subscription} {
		if *root != nil {
			*root = c.types[(*root).Name]
		}
	}
	s.PossibleTypes, s.Implements = c.kept(whole.PossibleTypes), c.kept(whole.Implements)
	reached := reach(&s)
	for name := range reach(whole) {
		if !reached[name] {
			delete(c.types, name)
		}
	}
	s.PossibleTypes, s.Implements = c.kept(s.PossibleTypes), c.kept(s.Implements)
	return &s
}

// cut is a contract from which something is taken away.
type cut struct {
	lacking map[right]bool
	types   map[string]*ast.Definition // those that are left
}

func (c *cut) hidden(d ast.DirectiveList) bool {
	r, ok := hides(d)
	return ok && c.lacking[r]
}

func (c *cut) gone(name string) bool { return c.types[name] == nil }

// trimmed is a definition without what is hidden in it or leads to what is gone; the same definition where that is nothing.
func (c *cut) trimmed(def *ast.Definition) *ast.Definition {
	fields := sift(def.Fields, func(f *ast.FieldDefinition) (*ast.FieldDefinition, bool) {
		if c.hidden(f.Directives) || c.gone(f.Type.Name()) {
			return nil, false
		}
		arguments := sift(f.Arguments, func(a *ast.ArgumentDefinition) (*ast.ArgumentDefinition, bool) { return a, !c.gone(a.Type.Name()) })
		if len(arguments) != len(f.Arguments) {
			trimmed := *f
			trimmed.Arguments = arguments
			return &trimmed, true
		}
		return f, true
	})
	values := sift(def.EnumValues, func(v *ast.EnumValueDefinition) (*ast.EnumValueDefinition, bool) { return v, !c.hidden(v.Directives) })
	members := sift(def.Types, func(name string) (string, bool) { return name, !c.gone(name) })
	interfaces := sift(def.Interfaces, func(name string) (string, bool) { return name, !c.gone(name) })
	if slices.Equal(fields, def.Fields) && len(values) == len(def.EnumValues) && len(members) == len(def.Types) && len(interfaces) == len(def.Interfaces) {
		return def
	}
	trimmed := *def
	trimmed.Fields, trimmed.EnumValues, trimmed.Types, trimmed.Interfaces = fields, values, members, interfaces
	trimmed.TypePositions = nil // no longer those of the members
	return &trimmed
}

// sift keeps what is to be kept, in the form in which it is. Where all of it stays as it is, the list is the same.
func sift[L ~[]E, E comparable](list L, keep func(E) (E, bool)) L {
	for i, e := range list {
		if as, ok := keep(e); ok && as == e {
			continue
		}
		out := append(make(L, 0, len(list)), list[:i]...)
		for _, e := range list[i:] {
			if as, ok := keep(e); ok {
				out = append(out, as)
			}
		}
		return out
	}
	return list
}

func empty(def *ast.Definition) bool {
	return len(def.Fields) == 0 && len(def.EnumValues) == 0 && len(def.Types) == 0
}

// kept is an index of definitions, brought to those that are left.
func (c *cut) kept(index map[string][]*ast.Definition) map[string][]*ast.Definition {
	out := make(map[string][]*ast.Definition, len(index))
	for name, list := range index {
		if c.gone(name) {
			continue
		}
		if left := sift(list, func(d *ast.Definition) (*ast.Definition, bool) { return c.types[d.Name], !c.gone(d.Name) }); len(left) > 0 {
			out[name] = left
		}
	}
	return out
}

// reach is what can be reached from the roots of a contract, from its directives and from what GraphQL itself brings.
func reach(s *ast.Schema) map[string]bool {
	seen := map[string]bool{}
	var visit func(name string)
	of := func(arguments ast.ArgumentDefinitionList) {
		for _, a := range arguments {
			visit(a.Type.Name())
		}
	}
	visit = func(name string) {
		def := s.Types[name]
		if def == nil || seen[name] {
			return
		}
		seen[name] = true
		for _, f := range def.Fields {
			visit(f.Type.Name())
			of(f.Arguments)
		}
		for _, other := range slices.Concat(def.Types, def.Interfaces) {
			visit(other)
		}
		for _, possible := range s.PossibleTypes[name] {
			visit(possible.Name)
		}
	}
	for _, root := range []*ast.Definition{s.Query, s.Mutation, s.Subscription} {
		if root != nil {
			visit(root.Name)
		}
	}
	for _, d := range s.Directives {
		of(d.Arguments)
	}
	for name, def := range s.Types {
		if def.BuiltIn {
			visit(name)
		}
	}
	return seen
}
