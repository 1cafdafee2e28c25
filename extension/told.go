// SPDX-License-Identifier: EUPL-1.2

package extension

import (
	"encoding/json"
	"strconv"
)

// Told is a single value of a row as those are told it who know nothing of the definition behind it (extensionValues).
type Told struct {
	Owner string   // slug of whose field it is
	Name  string   // of the field
	Path  []string // from the field to the value: positions in lists, from 0, and names in objects
	Type  string   // String, Int, Float, Boolean, Date, DateTime, or the name of an enum
	Enum  bool
	Value any // a string, json.Number or bool
}

// Tell appends what a record holds of a field, in the order of lists and of the definition. What does not fit the field as it is now, such as a
// value that its enum has no more, is left out.
func (o Owned) Tell(to []Told, values map[string]any) []Told {
	t := Told{Owner: o.Definition.Owner.Slug, Name: o.Name}
	return o.Field.tell(to, t, values[strconv.Itoa(o.Number)])
}

func (f *Field) tell(to []Told, t Told, v any) []Told {
	list, isList := v.([]any)
	switch {
	case v == nil || isList != f.List:
		return to
	case !isList:
		return f.tellOne(to, t, v)
	}
	for i, e := range list {
		one := t
		one.Path = append(t.Path[:len(t.Path):len(t.Path)], strconv.Itoa(i))
		to = f.tellOne(to, one, e)
	}
	return to
}

func (f *Field) tellOne(to []Told, t Told, v any) []Told {
	if !f.Fits(v) {
		return to
	}
	if !f.Object() {
		t.Type, t.Enum, t.Value = f.kind(), f.Of != nil, v
		return append(to, t)
	}
	object, _ := v.(map[string]any)
	for _, inner := range f.Of.Fields {
		one := t
		one.Path = append(t.Path[:len(t.Path):len(t.Path)], inner.Name)
		to = inner.tell(to, one, object[strconv.Itoa(inner.Number)])
	}
	return to
}

// Fits tells whether what is kept, one entry where the field is a list, is of the kind of the field as it is now.
func (f *Field) Fits(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return f.Object()
	case string:
		if f.Of != nil {
			return f.Of.Enum() && f.Of.Value(v)
		}
		return f.Scalar != "Int" && f.Scalar != "Float" && f.Scalar != "Boolean"
	case json.Number:
		return f.Scalar == "Int" || f.Scalar == "Float"
	case bool:
		return f.Scalar == "Boolean"
	}
	return false
}

// Personal tells whether the field, or one inside it, holds personal data.
func (f *Field) Personal() bool {
	if f.Class == "PERSONAL" || f.Class == "SENSITIVE" {
		return true
	}
	if f.Object() {
		for _, inner := range f.Of.Fields {
			if inner.Personal() {
				return true
			}
		}
	}
	return false
}
