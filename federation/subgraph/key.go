// SPDX-License-Identifier: EUPL-1.2

package subgraph

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// Key tells a thing from all others of its type and form of key: the values of the key's fields in their order, as JSON. Two keys are of the same thing
// exactly where they are the same text.
type Key string

// KeyOf is the key that consists of one text.
func KeyOf(text string) Key {
	return Key(appendJSON(nil, []any{text}))
}

// Text is the text of a key that consists of one.
func (k Key) Text() (string, bool) {
	var values []string
	if err := json.Unmarshal([]byte(k), &values); err != nil || len(values) != 1 {
		return "", false
	}
	return values[0], true
}

// Form is one form of key of a type.
type Form struct {
	// Text is the form as the contract has it: "id", "sku variation { id }".
	Text   string
	fields []part
}

type part struct {
	name   string
	number bool // an Int; everything else is a text, also where it is sent as a number
	inner  []part
}

// form reads what a directive says.
func form(s *ast.Schema, def *ast.Definition, text string) (Form, error) {
	doc, err := parser.ParseQuery(&ast.Source{Input: "{" + text + "}"})
	if err != nil || len(doc.Operations) != 1 {
		return Form{}, fmt.Errorf("subgraph: the key %q of %s cannot be read", text, def.Name)
	}
	fields, err := parts(s, def, doc.Operations[0].SelectionSet)
	if err != nil {
		return Form{}, fmt.Errorf("subgraph: the key %q of %s: %w", text, def.Name, err)
	}
	return Form{text, fields}, nil
}

func parts(s *ast.Schema, def *ast.Definition, set ast.SelectionSet) ([]part, error) {
	var out []part
	for _, selection := range set {
		f, ok := selection.(*ast.Field)
		if !ok || len(f.Arguments) > 0 || f.Alias != f.Name {
			return nil, fmt.Errorf("%s has something beside fields", def.Name)
		}
		known := def.Fields.ForName(f.Name)
		if known == nil || known.Type.Elem != nil {
			return nil, fmt.Errorf("%s.%s is no field with one value", def.Name, f.Name)
		}
		p := part{name: f.Name, number: known.Type.Name() == "Int"}
		if of := s.Types[known.Type.Name()]; of != nil && of.IsCompositeType() {
			var err error
			if p.inner, err = parts(s, of, f.SelectionSet); err != nil {
				return nil, err
			}
		}
		out = append(out, p)
	}
	return out, nil
}

// Key takes a key of this form out of what is known of a thing: a representation, or the thing itself. Fields that are not of the key do not count.
// It is false where a field of the key is missing, null or of another kind.
func (f Form) Key(of map[string]any) (Key, bool) {
	values, ok := values(f.fields, of)
	if !ok {
		return "", false
	}
	return Key(appendJSON(nil, values)), true
}

func values(fields []part, of map[string]any) ([]any, bool) {
	out := make([]any, 0, len(fields))
	for _, p := range fields {
		v, ok := p.value(of[p.name])
		if !ok {
			return nil, false
		}
		out = append(out, v)
	}
	return out, true
}

func (p part) value(v any) (any, bool) {
	if p.inner != nil {
		of, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		return values(p.inner, of)
	}
	switch v := v.(type) {
	case string:
		return v, !p.number
	case bool:
		return v, !p.number
	case json.Number, int, int64, float64:
		n, err := strconv.ParseInt(fmt.Sprint(v), 10, 64) // an ID may be sent as a whole number
		if p.number {
			return n, err == nil
		}
		return strconv.FormatInt(n, 10), err == nil
	}
	return nil, false
}

func appendJSON(dst []byte, v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("subgraph: a text, a number or a list of them cannot be written as JSON")
	}
	return append(dst, b...)
}
