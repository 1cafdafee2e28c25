// SPDX-License-Identifier: EUPL-1.2

package extension

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ozg-cloud/platform/internal/problem"
)

// Numbers are those of an owner's fields: of a field by Type.field, of a leaf inside objects by Target.field.field. A number that was given
// once is never given again, so that values of a field that is gone are not taken for those of another.
type Numbers struct {
	Next int            `json:"next"`
	Of   map[string]int `json:"of"`
	// Columns are those beside a case, by the number of the value that stands there.
	Columns map[int]int `json:"columns,omitempty"`
}

// String is the form in which numbers are kept: JSON, always the same for the same numbers.
func (n Numbers) String() string {
	text, err := json.Marshal(n) // maps in order of their keys
	if err != nil {
		panic(err) // numbers and names
	}
	return string(text)
}

// Numbers gives those of the definition.
func (d *Definition) Numbers() Numbers { return d.numbers }

// Numbered takes the numbers with which a definition was kept. It fails where they are those of another text.
func (d *Definition) Numbered(n Numbers) error {
	for key, into := range d.keys() {
		number, ok := n.Of[key]
		if !ok || number < 1 || number >= n.Next {
			return fmt.Errorf("extension: no number for %s", key)
		}
		*into = number
	}
	d.settled(n)
	return nil
}

// Kept reads a definition as it was kept: its text beside those above it, and its numbers as JSON. Where the text does not fit the standard house any
// more, the error is the first problem.
func Kept(sdl string, numbers []byte, owner Owner, standard *ast.Schema, above ...*Definition) (*Definition, error) {
	d, problems := Read(sdl, owner, standard, above...)
	if len(problems) > 0 {
		return nil, problems[0]
	}
	var n Numbers
	if err := json.Unmarshal(numbers, &n); err != nil {
		return nil, fmt.Errorf("extension: reading numbers: %w", err)
	}
	if err := d.Numbered(n); err != nil {
		return nil, err
	}
	return d, nil
}

// settled takes numbers that are those of the text. A leaf that is a field of the target has the field's.
func (d *Definition) settled(n Numbers) {
	d.numbers = n
	for target, leaves := range d.leaves {
		for _, l := range leaves {
			if len(l.Path) == 1 {
				l.Number = l.Field.Number
			}
			if target == "Case" {
				l.Column = n.Columns[l.Number]
			}
		}
	}
}

// Follow gives numbers to a definition that comes after another of the same owner, nil for the first one. A field keeps its number, and with it
// its values, where it has the same name or says by which name it went (@renamedFrom), and where it can hold what the field before it held.
// A field that says it went by a name that there was not is a problem (unknownFormerName).
func (d *Definition) Follow(before *Definition) []*problem.Problem {
	n := Numbers{Next: 1, Of: map[string]int{}}
	var problems []*problem.Problem
	if before != nil {
		n.Next = max(n.Next, before.numbers.Next)
	}
	for _, t := range d.objects() {
		for _, f := range t.Fields {
			if f.Former != "" && d.was(before, t.Name, f) == nil {
				problems = append(problems, problem.New(problem.Invalid, "unknownFormerName", t.Name, f.Name, "renamedFrom"))
			}
		}
	}
	if len(problems) > 0 {
		return problems
	}
	keys := d.keys()
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		number, ok := d.formerly(before, key)
		if !ok {
			number = n.Next
			n.Next++
		}
		n.Of[key], *keys[key] = number, number
	}
	if n.Next > MostNumbers+1 {
		return []*problem.Problem{problem.New(problem.Invalid, "tooMany")}
	}
	d.settled(n)
	d.placed(before)
	return nil
}

// was is what a field was in the definition before, whether or not it can hold the same; nil where it is new.
func (*Definition) was(before *Definition, typeName string, f *Field) *Field {
	t := before.named(typeName)
	if f.Former != "" {
		if g := t.Field(f.Former); g != nil {
			return g
		}
	}
	return t.Field(f.Name)
}

// formerly is the number that a key had, where the values can stay.
func (d *Definition) formerly(before *Definition, key string) (int, bool) {
	if before == nil {
		return 0, false
	}
	parts := strings.Split(key, ".")
	old := []string{parts[0]}
	for at, i := parts[0], 1; i < len(parts); i++ {
		f := d.named(at).Field(parts[i])
		g := d.was(before, at, f)
		if g == nil || !holds(f, g) {
			return 0, false
		}
		old = append(old, g.Name)
		if f.Of != nil {
			at = f.Of.Name
		}
	}
	number, ok := before.numbers.Of[strings.Join(old, ".")]
	return number, ok
}

// holds tells whether a field can hold what another held: the same, or what is narrower.
func holds(f, before *Field) bool {
	switch {
	case f.List != before.List, f.Object() != before.Object():
		return false
	case f.Object():
		return f.Of.Name == before.Of.Name
	case f.kind() == before.kind():
		return true
	case f.Scalar == "Float":
		return before.Scalar == "Int"
	}
	return f.Scalar == "String" && before.Of != nil // an enum that has become free text
}

// objects are the targets and the own types that have fields.
func (d *Definition) objects() []*Type {
	var out []*Type
	for _, name := range Targets {
		if t := d.Targets[name]; t != nil {
			out = append(out, t)
		}
	}
	for _, t := range d.Types {
		if !t.Enum() {
			out = append(out, t)
		}
	}
	return out
}

// named finds a target or an own type.
func (d *Definition) named(name string) *Type {
	if d == nil {
		return nil
	}
	if t := d.Targets[name]; t != nil {
		return t
	}
	for _, t := range d.Types {
		if t.Name == name {
			return t
		}
	}
	return nil
}

// keys are those of everything that has a number, with the place of the number.
func (d *Definition) keys() map[string]*int {
	out := map[string]*int{}
	for _, t := range d.objects() {
		for _, f := range t.Fields {
			out[t.Name+"."+f.Name] = &f.Number
		}
	}
	for target, leaves := range d.leaves {
		for _, l := range leaves {
			if len(l.Path) > 1 {
				out[target+"."+strings.Join(l.Path, ".")] = &l.Number
			}
		}
	}
	return out
}
