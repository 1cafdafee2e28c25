// SPDX-License-Identifier: EUPL-1.2

package extension

import (
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Overlay gives the schema of a tenant: the standard house and what the chain adds. What the contract has as scalars becomes, as far as there are
// fields for it, a type with the fields of the chain:
//
//	<Target>Extension        the fields
//	<Target>ExtensionInput   the fields, to be handed in
//	<Target>ExtensionFilter  conditions on those that are filterable, each as in the standard house (StringFilter, ...), enums by <Enum>Filter
//	<Target>ExtensionOrder   those that are sortable, each with an OrderDirection; an order names exactly one
//	StatisticsSum            the numbers of Case that are aggregatable; enums and booleans are further values of StatisticsAxis
//
// and of every own object <Type>, <Type>Input, <Type>Filter and <Type>Order, as far as something leads there. A scalar that has nothing to
// hold stays a scalar: it is null, and nothing can be handed in for it.
//
// Everything else is shared with the contract, and what is made of a definition with all tenants that have it; neither may be changed. It takes
// a contract from which hidden things were cut just as well as a whole one, and can be cut itself.
func (c Chain) Overlay(contract *ast.Schema) *ast.Schema {
	o := overlay{schema: contract, types: make([]map[string]*ast.Definition, len(c))}
	for i, d := range c {
		o.types[i] = d.parts().types
	}
	var replaced []*ast.Definition
	for _, target := range Targets {
		for kind, ending := range endingOf {
			was := contract.Types[target+"Extension"+ending]
			if was == nil || was.Kind != ast.Scalar {
				continue
			}
			var fields ast.FieldList
			for _, d := range c {
				fields = append(fields, d.parts().targets[target][kind]...)
			}
			if len(fields) > 0 {
				replaced = append(replaced, define(kind, was.Name, was.Description, fields))
			}
		}
	}
	var counted []*ast.Definition
	for name, how := range map[string]Counted{"StatisticsAxis": ByValue, "StatisticsSum": Summed} {
		if def := c.counts(contract.Types[name], how); def != nil {
			counted = append(counted, def)
		}
	}
	if len(replaced)+len(counted) == 0 {
		return contract
	}
	s := *contract
	s.Types, s.PossibleTypes = maps.Clone(s.Types), maps.Clone(s.PossibleTypes)
	o.schema = &s
	for _, def := range append(replaced, counted...) {
		o.add(def)
	}
	for _, def := range replaced {
		o.lead(def)
	}
	return o.schema
}

type overlay struct {
	schema *ast.Schema
	types  []map[string]*ast.Definition // of each owner
}

func (o *overlay) add(def *ast.Definition) {
	o.schema.Types[def.Name] = def
	if def.Kind == ast.Object {
		o.schema.PossibleTypes[def.Name] = []*ast.Definition{def}
	}
}

// lead adds what a definition leads to.
func (o *overlay) lead(def *ast.Definition) {
	for _, f := range def.Fields {
		name := f.Type.Name()
		if o.schema.Types[name] != nil {
			continue
		}
		made := further[name]
		for _, types := range o.types {
			if made == nil {
				made = types[name]
			}
		}
		o.add(made)
		o.lead(made)
	}
}

// The kinds of types that are made of an object.
const (
	answer = iota
	input
	filter
	order
	kinds
)

var endingOf = [kinds]string{"", "Input", "Filter", "Order"}

// parts are what a definition adds to schemas: the fields of each target, and the types of its own. They are the same in every schema.
type parts struct {
	targets map[string][kinds]ast.FieldList
	types   map[string]*ast.Definition
}

func (d *Definition) parts() *parts {
	d.once.Do(func() {
		p := press{leaving: d.Leaving, named: map[string]*ast.Type{}, listed: map[string]*ast.Type{}}
		d.made = parts{map[string][kinds]ast.FieldList{}, map[string]*ast.Definition{}}
		for name, t := range d.Targets {
			d.made.targets[name] = p.fields(t, false)
		}
		for _, t := range d.Types {
			if t.Enum() {
				d.made.types[t.Name], d.made.types[t.Name+"Filter"] = p.enum(t), p.chosen(t.Name)
				continue
			}
			for kind, fields := range p.fields(t, true) {
				if len(fields) > 0 {
					name := t.Name + endingOf[kind]
					d.made.types[name] = define(kind, name, t.Description, fields)
				}
			}
		}
	})
	return &d.made
}

// here stands for the place of a definition that is in no file.
var here = &ast.Position{Src: &ast.Source{Name: "extension"}}

func define(kind int, name, description string, fields ast.FieldList) *ast.Definition {
	def := &ast.Definition{Kind: ast.InputObject, Name: name, Description: description, Fields: fields, Position: here}
	switch kind {
	case answer:
		def.Kind = ast.Object
	case filter:
		def.Description = join(description, "Conditions; all that are given must hold.")
	case order:
		def.Description = join(description, "An order by exactly one of these.")
	}
	return def
}

func join(description, more string) string { return strings.TrimSpace(description + "\n" + more) }

// press makes the parts of a definition. Types and directives are the same wherever they are needed.
type press struct {
	leaving       bool
	named, listed map[string]*ast.Type
}

func (p *press) of(name string, isList bool) *ast.Type {
	cache, fresh := p.named, func() *ast.Type { return ast.NamedType(name, here) }
	if isList {
		cache, fresh = p.listed, func() *ast.Type { return ast.ListType(ast.NonNullNamedType(name, here), here) }
	}
	if cache[name] == nil {
		cache[name] = fresh()
	}
	return cache[name]
}

func (p *press) enum(t *Type) *ast.Definition {
	def := &ast.Definition{Kind: ast.Enum, Name: t.Name, Description: t.Description, Position: here}
	for _, v := range t.Values {
		def.EnumValues = append(def.EnumValues, &ast.EnumValueDefinition{Name: v.Name, Description: v.Description, Directives: gone(v.Deprecated), Position: here})
	}
	return def
}

// chosen is the filter of an enum.
func (p *press) chosen(enum string) *ast.Definition {
	return define(filter, enum+"Filter", "", ast.FieldList{
		{Name: "eq", Description: "Equal.", Type: p.of(enum, false), Position: here},
		{Name: "ne", Description: "Not equal; missing values count as not equal.", Type: p.of(enum, false), Position: here},
		{Name: "in", Description: "One of these, up to 100.", Type: p.of(enum, true), Position: here},
		{Name: "isNull", Description: "Missing (true) or present (false).", Type: p.of("Boolean", false), Position: here},
	})
}

// fields are what an object gives to each kind of type. Inside an own object, what is required has to be handed in, since an object is
// handed in whole; in the extension itself, what is left out stays as it is.
func (p *press) fields(t *Type, whole bool) (out [kinds]ast.FieldList) {
	for _, f := range t.Fields {
		reason := f.Deprecated
		if reason == nil && p.leaving {
			reason = &onItsWayOut
		}
		leaving := gone(reason)
		add := func(kind int, typ *ast.Type, directives ...*ast.Directive) {
			out[kind] = append(out[kind], &ast.FieldDefinition{
				Name: f.Name, Description: f.Description, Type: typ, Directives: slices.Clip(append(directives, leaving...)), Position: here,
			})
		}
		class := classed[f.Class]
		switch {
		case f.Object() && f.List:
			add(answer, p.of(f.kind(), true), class, sized)
			add(input, p.of(f.kind()+"Input", true), class)
		case f.List:
			add(answer, p.of(f.kind(), true), class, sized)
			add(input, p.of(f.kind(), true), class)
		case f.Object():
			add(answer, p.of(f.kind(), false), class)
			add(input, p.of(f.kind()+"Input", false), class)
			if leads(f.Of, func(f *Field) bool { return f.Filterable }) {
				add(filter, p.of(f.kind()+"Filter", false))
			}
			if leads(f.Of, func(f *Field) bool { return f.Sortable }) {
				add(order, p.of(f.kind()+"Order", false))
			}
		default:
			add(answer, p.of(f.kind(), false), class)
			add(input, p.of(f.kind(), false), class)
			if f.Filterable {
				add(filter, p.of(f.kind()+"Filter", false))
			}
			if f.Sortable {
				add(order, p.of("OrderDirection", false))
			}
		}
		if last := out[input][len(out[input])-1]; whole && f.Required {
			needed := *last.Type
			needed.NonNull = true
			last.Type = &needed
			last.Directives = slices.DeleteFunc(slices.Clone(last.Directives), func(d *ast.Directive) bool { return d.Name == "deprecated" }) // not for what is needed
		}
	}
	return out
}

// leads tells whether there is such a single value in an object, or in objects inside it.
func leads(t *Type, is func(*Field) bool) bool {
	return slices.ContainsFunc(t.Fields, func(f *Field) bool {
		return !f.List && (f.Object() && leads(f.Of, is) || !f.Object() && is(f))
	})
}

var onItsWayOut = "The definition is on its way out."

func gone(reason *string) ast.DirectiveList {
	if reason == nil {
		return nil
	}
	return ast.DirectiveList{directive("deprecated", "reason", &ast.Value{Kind: ast.StringValue, Raw: *reason, Position: here})}
}

func directive(name, argument string, v *ast.Value) *ast.Directive {
	return &ast.Directive{Name: name, Position: here, Arguments: ast.ArgumentList{{Name: argument, Value: v, Position: here}}}
}

// Directives are the same in every schema.
var (
	classed = func() map[string]*ast.Directive {
		out := map[string]*ast.Directive{}
		for _, class := range []string{"PUBLIC", "INTERNAL", "PERSONAL", "SENSITIVE"} {
			out[class] = directive("dataClass", "class", &ast.Value{Kind: ast.EnumValue, Raw: class, Position: here})
		}
		return out
	}()
	sized = directive("listSize", "assumedSize", &ast.Value{Kind: ast.IntValue, Raw: "10", Position: here})
)

// further are filters that the standard house has no use for itself. They are shared by all schemas that need them.
var further = func() map[string]*ast.Definition {
	words := map[string]string{
		"eq": "Equal.", "ne": "Not equal; missing values count as not equal.", "in": "One of these, up to 100.", "gt": "Greater than.",
		"gte": "Greater than or equal.", "lt": "Less than.", "lte": "Less than or equal.", "isNull": "Missing (true) or present (false).",
	}
	of := func(scalar, description string, names ...string) *ast.Definition {
		def := &ast.Definition{Kind: ast.InputObject, Name: scalar + "Filter", Description: description, Position: here}
		for _, n := range names {
			t := ast.NamedType(scalar, here)
			switch n {
			case "in":
				t = ast.ListType(ast.NonNullNamedType(scalar, here), here)
			case "isNull":
				t = ast.NamedType("Boolean", here)
			}
			def.Fields = append(def.Fields, &ast.FieldDefinition{Name: n, Description: words[n], Type: t, Position: here})
		}
		return def
	}
	return map[string]*ast.Definition{
		"FloatFilter":   of("Float", "Conditions on a number. All that are given must hold.", "eq", "ne", "in", "gt", "gte", "lt", "lte", "isNull"),
		"BooleanFilter": of("Boolean", "Conditions on a yes or no. All that are given must hold.", "eq", "isNull"),
	}
}()

// Lapsed are the types of a definition that a contract has meanwhile itself, so that they cannot be added to it any more: where a new edition
// of the standard house takes a name. The owner gives them other names; until then the definition must not stand in a chain.
func (d *Definition) Lapsed(contract *ast.Schema) []string {
	var out []string
	for _, t := range d.Types {
		if slices.ContainsFunc(endingOf[:], func(made string) bool { return contract.Types[t.Name+made] != nil }) {
			out = append(out, t.Name)
		}
	}
	slices.Sort(out)
	return out
}
