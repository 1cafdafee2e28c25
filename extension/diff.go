// SPDX-License-Identifier: EUPL-1.2

package extension

import (
	"cmp"
	"fmt"
	"slices"
)

// Class says what a change does to those who use the schema already.
type Class string

// The classes, from what nobody notices to what breaks somebody's program.
const (
	Safe      Class = "SAFE"
	Dangerous Class = "DANGEROUS" // programs go on, but may see or have to give what they did not expect
	Breaking  Class = "BREAKING"  // documents become invalid, or values are lost
)

// Change is one difference between two versions.
type Change struct {
	Class Class
	// Kind is the stable name of what has changed: fieldAdded, fieldRemoved, fieldRenamed, typeWidened, typeChanged, valueAdded, valueRemoved,
	// typeAdded, typeRemoved, narrowed, widened, filterAdded, filterRemoved, orderAdded, orderRemoved, aggregateAdded,
	// aggregateRemoved, classChanged, shared, unshared, deprecated, sourceChanged, described.
	Kind string
	// Coordinate is what it concerns: Case.flurstueck, Bauart, Bauart.NEUBAU. Of what has gone it is the coordinate in the older version.
	Coordinate string
	// Lost says that values that are kept are not answered any more.
	Lost bool
}

// Diff tells what has changed from one version of an owner's definition to the next, in the order of coordinates. Either may be nil: before the
// first version, and after the last.
func Diff(before, after *Definition) []Change {
	c := comparison{before: before, after: after}
	for _, name := range Targets {
		c.fields(name, before.named(name), after.named(name))
	}
	for _, name := range c.names() {
		was, is := before.named(name), after.named(name)
		switch {
		case was == nil:
			c.tell(Safe, "typeAdded", name, false)
		case is == nil:
			c.tell(Breaking, "typeRemoved", name, false) // what it held is lost with its fields
		case was.Enum() != is.Enum():
			c.tell(Breaking, "typeChanged", name, false)
		default:
			if was.Description != is.Description {
				c.tell(Safe, "described", name, false)
			}
			c.values(name, was, is)
			c.fields(name, was, is)
		}
	}
	slices.SortStableFunc(c.changes, func(a, b Change) int { return cmp.Compare(a.Coordinate, b.Coordinate) })
	return c.changes
}

type comparison struct {
	before, after *Definition
	changes       []Change
}

func (c *comparison) tell(class Class, kind, coordinate string, lost bool) {
	c.changes = append(c.changes, Change{class, kind, coordinate, lost})
}

// names are those of all own types.
func (c *comparison) names() []string {
	var out []string
	for _, d := range []*Definition{c.before, c.after} {
		if d == nil {
			continue
		}
		for _, t := range d.Types {
			out = append(out, t.Name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (c *comparison) values(name string, was, is *Type) {
	for _, v := range was.Values {
		if !is.Value(v.Name) {
			c.tell(Breaking, "valueRemoved", name+"."+v.Name, true)
		}
	}
	for _, v := range is.Values {
		i := slices.IndexFunc(was.Values, func(w Value) bool { return w.Name == v.Name })
		if i < 0 {
			c.tell(Dangerous, "valueAdded", name+"."+v.Name, false)
			continue
		}
		c.words(name+"."+v.Name, was.Values[i].Description, v.Description, was.Values[i].Deprecated, v.Deprecated)
	}
}

func (c *comparison) words(coordinate, was, is string, left, leaves *string) {
	if was != is {
		c.tell(Safe, "described", coordinate, false)
	}
	if (left == nil) != (leaves == nil) || left != nil && *left != *leaves {
		c.tell(Safe, "deprecated", coordinate, false)
	}
}

// fields compares those of a type that may be new or gone.
func (c *comparison) fields(name string, was, is *Type) {
	stays := map[*Field]bool{}
	if is != nil {
		for _, f := range is.Fields {
			g := c.after.was(c.before, name, f)
			switch {
			case g == nil && f.Required:
				c.tell(Dangerous, "fieldAdded", name+"."+f.Name, false)
			case g == nil:
				c.tell(Safe, "fieldAdded", name+"."+f.Name, false)
			default:
				stays[g] = true
				c.field(name, g, f)
			}
		}
	}
	if was != nil {
		for _, g := range was.Fields {
			if !stays[g] {
				c.tell(Breaking, "fieldRemoved", name+"."+g.Name, true)
			}
		}
	}
}

func (c *comparison) field(name string, was, is *Field) {
	at := name + "." + is.Name
	if was.Name != is.Name {
		c.tell(Breaking, "fieldRenamed", name+"."+was.Name, false)
	}
	switch {
	case !holds(is, was):
		c.tell(Breaking, "typeChanged", at, true)
	case is.kind() != was.kind():
		c.tell(Breaking, "typeWidened", at, false)
	}
	if narrower(is, was) {
		c.tell(Dangerous, "narrowed", at, false)
	} else if narrower(was, is) {
		c.tell(Safe, "widened", at, false)
	}
	for _, turned := range []struct {
		kind     string
		was, has bool
	}{{"filter", was.Filterable, is.Filterable}, {"order", was.Sortable, is.Sortable}, {"aggregate", was.Aggregatable, is.Aggregatable}} {
		switch {
		case turned.has && !turned.was:
			c.tell(Safe, turned.kind+"Added", at, false)
		case turned.was && !turned.has:
			c.tell(Breaking, turned.kind+"Removed", at, false)
		}
	}
	if was.Class != is.Class {
		c.tell(Dangerous, "classChanged", at, false)
	}
	switch { // nobody loses what others never had
	case slices.ContainsFunc(is.Shared, func(s string) bool { return !slices.Contains(was.Shared, s) }):
		c.tell(Dangerous, "shared", at, false)
	case len(is.Shared) < len(was.Shared):
		c.tell(Dangerous, "unshared", at, false)
	}
	if !slices.Equal(was.From, is.From) {
		c.tell(Safe, "sourceChanged", at, false)
	}
	c.words(at, was.Description, is.Description, was.Deprecated, is.Deprecated)
}

// narrower tells whether a field refuses some of what another takes. What is kept already stays as it is.
func narrower(f, than *Field) bool {
	if f.kind() != than.kind() || f.List != than.List {
		return false
	}
	return f.Required && !than.Required || f.MinLength > than.MinLength || f.MaxLength < than.MaxLength ||
		f.MinItems > than.MinItems || f.MaxItems < than.MaxItems ||
		f.Min != nil && (than.Min == nil || *f.Min > *than.Min) || f.Max != nil && (than.Max == nil || *f.Max < *than.Max) ||
		f.Pattern != nil && (than.Pattern == nil || fmt.Sprint(f.Pattern) != fmt.Sprint(than.Pattern))
}
