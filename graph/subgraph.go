// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"
	"fmt"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ozg-cloud/platform/federation/subgraph"
	"github.com/ozg-cloud/platform/graph/answer"
	"github.com/ozg-cloud/platform/reading"
)

// asSubgraph is what gateways of others may know of a contract.
type asSubgraph struct {
	keys subgraph.Keys
	sdl  func() string // printed when somebody first asks
}

// subgraphOf reads the keys of a contract. One that is wrong is a fault of the program: the contract is built in.
func subgraphOf(contract *ast.Schema) *asSubgraph {
	keys, err := subgraph.KeysOf(contract)
	if err != nil {
		panic(err)
	}
	return &asSubgraph{keys, sync.OnceValue(func() string { return subgraph.SDL(contract) })}
}

// Entities finds what gateways ask for by keys: by the keys of the caller's own contract, so that what is hidden has none, through the door for
// reads, under the caller's rights.
func (r query) Entities(ctx context.Context, representations []map[string]any) ([]reading.Value, error) {
	groups, err := ctx.Value(ownKey{}).(*own).subgraph.keys.Groups(representations, subgraph.Most) //nolint:forcetypeassert // put there by Engine
	if err != nil {
		return nil, err
	}
	return subgraph.Answer(len(representations), groups, func(g subgraph.Group) ([]subgraph.Found[reading.Value], error) {
		sought := make([]reading.Sought, len(g.Sought))
		for i, s := range g.Sought {
			text, ok := s.Key.Text()
			if !ok {
				return nil, fmt.Errorf("graph: the key %q of %s is not one text", g.Form.Text, g.Type)
			}
			sought[i] = reading.Sought{Key: text, At: s.At}
		}
		found, err := r.Reading.ByKey(ctx, g.Type, g.Form.Text, sought)
		if err != nil {
			return nil, err
		}
		out := make([]subgraph.Found[reading.Value], len(found))
		for i, f := range found {
			out[i] = subgraph.Found[reading.Value]{Key: subgraph.KeyOf(f.Key), Value: f.Value}
		}
		return out, nil
	})
}

// Subgraph tells composers the caller's own contract.
func (query) Subgraph(ctx context.Context) (answer.Subgraph, error) {
	return answer.Subgraph{SDL: ctx.Value(ownKey{}).(*own).subgraph.sdl()}, nil //nolint:forcetypeassert // put there by Engine
}
