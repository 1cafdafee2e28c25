// SPDX-License-Identifier: EUPL-1.2

package extension

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"sync"
)

// Definition is what one owner adds: a text that was read and found good. It is not changed any more once it has its numbers.
type Definition struct {
	Owner Owner
	SDL   string
	// Targets are the extended types by name; each is an object whose fields are the owner's.
	Targets map[string]*Type
	// Types are the owner's own enums and objects, in the order of the text.
	Types []*Type
	// Leaving says that the whole definition is on its way out (DEPRECATED): every field carries @deprecated then.
	Leaving bool

	numbers Numbers
	leaves  map[string][]*Leaf // by target

	once sync.Once
	made parts
}

// Type is an enum, an object, or what is added to a target.
type Type struct {
	Name, Description string
	Values            []Value  // of an enum
	Fields            []*Field // of an object
}

// Value is one of an enum.
type Value struct {
	Name, Description string
	Deprecated        *string // the reason
}

// Field is one field of an object. Everything is optional in the schema of a tenant, see @required.
type Field struct {
	Name, Description string
	Deprecated        *string // the reason
	Scalar            string  // String, Int, Float, Boolean, Date or DateTime; empty where Of is set
	Of                *Type   // the enum or the object that it holds
	List              bool    // of values none of which is null
	Required          bool
	Filterable        bool
	Sortable          bool
	Aggregatable      bool
	Class             string // PUBLIC, INTERNAL, PERSONAL or SENSITIVE

	MinLength, MaxLength int // of a text, in characters
	Pattern              *regexp.Regexp
	Min, Max             *float64 // of a number
	MinItems, MaxItems   int      // of a list
	From                 []string // into the form
	Former               string   // what it was called in the version before
	Shared               []string // slugs of the tenants with which it is shared

	// Number is the key of its values in a record, as decimal text. It stays the same when the field is renamed.
	Number int
}

// Leaf is a single value that can be indexed: a field of a target, or one inside its objects.
type Leaf struct {
	*Field
	// Path leads to it by names, from the target's fields on.
	Path []string
	// Number names it in the index. It is unique among all leaves of an owner and stays the same when a field on the way is renamed.
	Number int
	// Column is which of the columns beside a case it stands in as well, from 1 on; 0: in none.
	Column int
}

// Counted says what figures are told by of a leaf.
type Counted string

// What figures are told by.
const (
	ByValue Counted = "VALUE" // cases are told apart by its value
	Summed  Counted = "SUM"   // its sum over cases
)

// Counted is what figures are told by of the leaf; empty: nothing is.
func (l *Leaf) Counted() Counted {
	switch {
	case !l.Aggregatable:
		return ""
	case l.Scalar == "Int" || l.Scalar == "Float":
		return Summed
	}
	return ByValue
}

// Enum tells whether a type is one.
func (t *Type) Enum() bool { return len(t.Values) > 0 }

// Field finds a field by its name; nil where there is none.
func (t *Type) Field(name string) *Field {
	if t == nil {
		return nil
	}
	for _, f := range t.Fields {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// Value tells whether an enum has a value of this name. What is kept of a value that is gone is answered as null.
func (t *Type) Value(name string) bool {
	for _, v := range t.Values {
		if v.Name == name {
			return true
		}
	}
	return false
}

// Object tells whether the field holds an object, or a list of them.
func (f *Field) Object() bool { return f.Of != nil && !f.Of.Enum() }

// kind is what a field holds, by the name in the text.
func (f *Field) kind() string {
	if f.Of != nil {
		return f.Of.Name
	}
	return f.Scalar
}

// Leaves are the values under a target that are filterable, sortable or aggregatable, in the order of the text.
func (d *Definition) Leaves(target string) []*Leaf { return d.leaves[target] }

// Indexes tells whether rows can be found or counted by something by which they could not in the version before, nil where none was in force.
func (d *Definition) Indexes(before *Definition) bool {
	for target, leaves := range d.leaves {
		for _, l := range leaves {
			if before == nil || !slices.ContainsFunc(before.leaves[target], func(b *Leaf) bool {
				return b.Number == l.Number && b.Column == l.Column && b.Counted() == l.Counted()
			}) {
				return true
			}
		}
	}
	return false
}

// Hash is the same for the same text and state of the same owner with the same numbers, and for nothing else.
func (d *Definition) Hash() string {
	h := sha256.New()
	h.Write(d.Owner.ID[:])
	h.Write([]byte(d.numbers.String()))
	if d.Leaving {
		h.Write([]byte{1})
	}
	h.Write([]byte(d.SDL))
	return hex.EncodeToString(h.Sum(nil))
}

// indexed finds the leaves of every target.
func (d *Definition) indexed() {
	d.leaves = map[string][]*Leaf{}
	for name, target := range d.Targets {
		var below func(t *Type, path []string)
		below = func(t *Type, path []string) {
			for _, f := range t.Fields {
				way := append(path[:len(path):len(path)], f.Name)
				switch {
				case f.List:
				case f.Object():
					below(f.Of, way)
				case f.Filterable || f.Sortable || f.Aggregatable:
					d.leaves[name] = append(d.leaves[name], &Leaf{Field: f, Path: way})
				}
			}
		}
		below(target, nil)
	}
}
