// SPDX-License-Identifier: EUPL-1.2

package subgraph

import (
	"maps"
	"strconv"

	"github.com/ozg-cloud/platform/internal/problem"
)

// Most is how many representations one field may bring, unless somebody says otherwise.
const Most = 200

// Group is what is looked for together: things of one type by one form of key.
type Group struct {
	Type   string
	Form   Form
	Sought []Sought // each key once, in the order in which they were asked for first
}

// Sought is a thing that is looked for.
type Sought struct {
	Key Key
	// Representation is what was asked with, __typename and fields that are not of the key included; of two with the same key it is the first.
	Representation map[string]any
	// At are the places at which it was asked for, in order.
	At []int
}

// Groups reads representations, at most so many. A type that is unknown and a representation without a whole key is an Invalid problem
// (badEntity) that names its place, as are too many of them (tooMany); nothing is looked at before they are counted.
// Where a type has several forms of key, the first counts of which a representation has all.
func (k Keys) Groups(representations []map[string]any, most int) ([]Group, error) {
	if len(representations) > most {
		return nil, problem.New(problem.Invalid, "tooMany", "representations")
	}
	type of struct{ typ, form string }
	type one struct {
		of
		key Key
	}
	var (
		out    []Group
		groups = map[of]int{}
		known  = map[one]int{}
	)
	for i, r := range representations {
		typ, _ := r["__typename"].(string)
		f, key, ok := k.read(typ, r)
		if !ok {
			return nil, problem.New(problem.Invalid, "badEntity", "representations", strconv.Itoa(i))
		}
		g, ok := groups[of{typ, f.Text}]
		if !ok {
			g = len(out)
			groups[of{typ, f.Text}] = g
			out = append(out, Group{Type: typ, Form: f})
		}
		group := &out[g]
		n, ok := known[one{of{typ, f.Text}, key}]
		if !ok {
			n = len(group.Sought)
			known[one{of{typ, f.Text}, key}] = n
			group.Sought = append(group.Sought, Sought{Key: key, Representation: maps.Clone(r)})
		}
		group.Sought[n].At = append(group.Sought[n].At, i)
	}
	return out, nil
}

func (k Keys) read(typ string, r map[string]any) (Form, Key, bool) {
	for _, f := range k[typ] {
		if key, ok := f.Key(r); ok {
			return f, key, true
		}
	}
	return Form{}, "", false
}
