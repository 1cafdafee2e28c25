// SPDX-License-Identifier: EUPL-1.2

package subgraph

import "fmt"

// Found is a thing that a finder has found, with the key that the thing itself has: not the one with which it was asked for.
type Found[V any] struct {
	Key   Key
	Value V
}

// Answer looks for each group and puts what was found where its key was asked for, n places in all. The zero value stands where nothing was found.
// Finders give things in any order, each once, and leave out what there is not and what the caller may not see. One that gives what nobody asked it for, or
// one thing twice, has mixed something up: then there is no answer at all, but an error.
func Answer[V any](n int, groups []Group, find func(Group) ([]Found[V], error)) ([]V, error) {
	out := make([]V, n)
	for _, g := range groups {
		found, err := find(g)
		if err != nil {
			return nil, err
		}
		at := make(map[Key][]int, len(g.Sought))
		for _, s := range g.Sought {
			at[s.Key] = s.At
		}
		for _, f := range found {
			places, ok := at[f.Key]
			if !ok {
				return nil, fmt.Errorf("subgraph: among the things of type %s by %q is one that was not asked for, or one twice", g.Type, g.Form.Text)
			}
			delete(at, f.Key)
			for _, i := range places {
				out[i] = f.Value
			}
		}
	}
	return out, nil
}
