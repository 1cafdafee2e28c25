// SPDX-License-Identifier: EUPL-1.2

package intake

import (
	"slices"

	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/internal/strictjson"
)

// deepestJSON leaves a form that is too deep to be refused as such.
const deepestJSON = 4 * deepestItem

// node is a value of a JSON document, with the path to it. A value that is null is taken for one that is not there.
type node struct {
	value any // map[string]any, []any, string, json.Number, bool, or nil
	path  []string
}

// parse reads one JSON document strictly, not too deep. Numbers stay as they are written.
func parse(document []byte, path ...string) (node, error) {
	value, err := strictjson.Read(document, deepestJSON)
	if p, ok := problem.Of(err); ok {
		err = problem.New(p.Kind, p.Rule, path...)
	}
	return node{value, path}, err
}

// member is a value of an object. Of what is no object there are none.
func (n node) member(name string) node {
	object, _ := n.value.(map[string]any)
	return node{object[name], under(n.path, name)}
}

// only refuses an object with other members than these.
func (n node) only(names ...string) error {
	object, _ := n.value.(map[string]any)
	for name := range object {
		if !slices.Contains(names, name) {
			return problem.New(problem.Invalid, "unknownValue", n.path...)
		}
	}
	return nil
}

// optional gives a value of a type, the zero value and false where there is none; a value of another type is malformed.
func optional[T any](n node) (value T, there bool, err error) {
	if n.value == nil {
		return value, false, nil
	}
	value, there = n.value.(T)
	if !there {
		err = problem.New(problem.Invalid, "malformed", n.path...)
	}
	return value, there, err
}

// needed is optional for what has to be there.
func needed[T any](n node) (T, error) {
	value, there, err := optional[T](n)
	if err == nil && !there {
		err = problem.New(problem.Invalid, "required", n.path...)
	}
	return value, err
}
