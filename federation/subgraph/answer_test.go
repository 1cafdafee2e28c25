// SPDX-License-Identifier: EUPL-1.2

package subgraph_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ozg-cloud/platform/federation/subgraph"
)

var batches = flag.Int("batches", 3_000, "how many random batches of representations are tried")

// market is a contract with types that have one form of key, several, and one within another: more than this house allows itself.
const market = `
	directive @key(fields: String!) repeatable on OBJECT
	scalar _Any
	union _Entity = Authority | Permit | Product
	type Authority @key(fields: "id") @key(fields: "ars") { id: ID! ars: String! name: String! }
	type Permit @key(fields: "number") { number: Int! name: String! }
	type Product @key(fields: "id") @key(fields: "sku package") @key(fields: "sku variation { id }") { id: ID! sku: String! package: String! variation: Variation! name: String! }
	type Variation { id: ID! }
	type Query { _entities(representations: [_Any!]!): [_Entity]! }`

func load(t testing.TB, text string) *ast.Schema {
	t.Helper()
	s, err := gqlparser.LoadSchema(&ast.Source{Name: "market", Input: text})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func keysOf(t testing.TB, text string) subgraph.Keys {
	t.Helper()
	k, err := subgraph.KeysOf(load(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// thing is something in a market. Its name tells it from all others.
type thing struct {
	typ    string
	fields map[string]any
}

// world is what there is, and what of it somebody may see.
type world struct {
	things []thing
	hidden map[string]bool // by name
}

func newWorld(r *rand.Rand) world {
	w := world{hidden: map[string]bool{}}
	add := func(typ string, fields map[string]any) {
		name := fmt.Sprintf("thing %d", len(w.things))
		fields["name"] = name
		w.things, w.hidden[name] = append(w.things, thing{typ, fields}), r.IntN(5) == 0
	}
	for i := range 1 + r.IntN(6) {
		// the keys of one form and type are those of another, so that whoever mixes them up finds something
		id := fmt.Sprint(i)
		if r.IntN(2) == 0 {
			add("Authority", map[string]any{"id": id, "ars": fmt.Sprint(5 - i)})
		}
		if r.IntN(2) == 0 {
			add("Permit", map[string]any{"number": i})
		}
		if i == 0 || r.IntN(2) == 0 {
			add("Product", map[string]any{"id": id, "sku": fmt.Sprint(i % 3), "package": id, "variation": map[string]any{"id": fmt.Sprint(i / 3)}})
		}
	}
	return w
}

// asked is a representation with what it is of; empty: nothing that is there and can be seen.
type asked struct {
	representation map[string]any
	name           string
}

// ask makes a representation of something, or of nothing.
func (w world) ask(r *rand.Rand, keys subgraph.Keys) asked {
	t := w.things[r.IntN(len(w.things))]
	out := asked{map[string]any{"__typename": t.typ}, fmt.Sprint(t.fields["name"])}
	form := keys[t.typ][r.IntN(len(keys[t.typ]))]
	for name := range strings.FieldsSeq(strings.NewReplacer("{ id }", "").Replace(form.Text)) {
		out.representation[name] = t.fields[name]
	}
	switch r.IntN(6) {
	case 0: // what is not there
		for name, v := range out.representation {
			if text, ok := v.(string); ok && name != "__typename" {
				out.representation[name] = text + "0000"
			} else if _, ok := v.(int); ok {
				out.representation[name] = 10_000
			}
		}
		out.name = ""
	case 1: // with something that is no key
		out.representation["name"] = "another"
	}
	if w.hidden[out.name] {
		out.name = ""
	}
	return out
}

// find is a finder as good as there are: in any order, without what is not there.
func (w world) find(r *rand.Rand, g subgraph.Group) (out []subgraph.Found[string]) {
	sought := map[subgraph.Key]bool{}
	for _, s := range g.Sought {
		sought[s.Key] = true
	}
	for _, t := range w.things {
		key, ok := g.Form.Key(t.fields)
		if name := fmt.Sprint(t.fields["name"]); ok && t.typ == g.Type && sought[key] && !w.hidden[name] {
			out = append(out, subgraph.Found[string]{Key: key, Value: name})
		}
	}
	r.Shuffle(len(out), func(i, k int) { out[i], out[k] = out[k], out[i] })
	return out
}

// way is a way to answer representations; ours, or one with a fault.
type way func(r *rand.Rand, keys subgraph.Keys, w world, representations []map[string]any) ([]string, error)

func ours(r *rand.Rand, keys subgraph.Keys, w world, representations []map[string]any) ([]string, error) {
	groups, err := keys.Groups(representations, subgraph.Most)
	if err != nil {
		return nil, err
	}
	return subgraph.Answer(len(representations), groups, func(g subgraph.Group) ([]subgraph.Found[string], error) { return w.find(r, g), nil })
}

// wrong tries a way with random batches, and says of the first that is answered wrongly.
func wrong(answer way, keys subgraph.Keys, seed uint64, n int) string {
	r := rand.New(rand.NewPCG(seed, 0))
	for range n {
		w := newWorld(r)
		batch := make([]asked, r.IntN(20))
		representations := make([]map[string]any, len(batch))
		for i := range batch {
			batch[i] = w.ask(r, keys)
			representations[i] = batch[i].representation
		}
		got, err := answer(r, keys, w, representations)
		if err != nil {
			return fmt.Sprintf("%v: %v", representations, err)
		}
		for i, a := range batch {
			if got[i] != a.name {
				return fmt.Sprintf("%v at %d: %q, not %q", representations, i, got[i], a.name)
			}
		}
	}
	return ""
}

func TestEveryThingStandsWhereItsKeyWasAskedFor(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	if fault := wrong(ours, keysOf(t, market), seed, *batches); fault != "" {
		t.Errorf("seed %d: %s", seed, fault)
	}
}

// TestBatchesFindAWayThatMixesThingsUp is the twin: two ways that others go, and one that forgets that keys have types.
func TestBatchesFindAWayThatMixesThingsUp(t *testing.T) {
	t.Parallel()
	keys := keysOf(t, market)
	for name, answer := range map[string]way{
		"the first representation decides on the form of key": func(r *rand.Rand, keys subgraph.Keys, w world, representations []map[string]any) ([]string, error) {
			out := make([]string, len(representations))
			first := map[string]subgraph.Form{}
			for i, rep := range representations {
				typ := rep["__typename"].(string)
				for _, f := range keys[typ] {
					if _, ok := f.Key(rep); ok && first[typ].Text == "" {
						first[typ] = f
					}
				}
				if key, ok := first[typ].Key(rep); ok {
					for _, f := range w.find(r, subgraph.Group{Type: typ, Form: first[typ], Sought: []subgraph.Sought{{Key: key}}}) {
						out[i] = f.Value
					}
				}
			}
			return out, nil
		},
		"things are put where they stand among those that were found": func(r *rand.Rand, keys subgraph.Keys, w world, representations []map[string]any) ([]string, error) {
			groups, err := keys.Groups(representations, subgraph.Most)
			if err != nil {
				return nil, err
			}
			out := make([]string, len(representations))
			for _, g := range groups {
				found := map[subgraph.Key]string{}
				for _, f := range w.find(r, g) {
					found[f.Key] = f.Value
				}
				place := 0
				for _, s := range g.Sought {
					if v, ok := found[s.Key]; ok { // what is missing is left out, and everything behind it moves up
						for _, i := range g.Sought[place].At {
							out[i] = v
						}
						place++
					}
				}
			}
			return out, nil
		},
		"things of different types with one key are one": func(r *rand.Rand, keys subgraph.Keys, w world, representations []map[string]any) ([]string, error) {
			seen := map[string]map[string]any{}
			all := slices.Clone(representations)
			for i, rep := range all {
				if id, ok := rep["id"].(string); ok {
					if seen[id] == nil {
						seen[id] = rep
					}
					all[i] = seen[id]
				}
			}
			return ours(r, keys, w, all)
		},
	} {
		if wrong(answer, keys, 1, 1000) == "" {
			t.Errorf("nobody notices that %s", name)
		}
	}
}

func TestAFinderThatMixesThingsUpIsGivenNoAnswer(t *testing.T) {
	keys := keysOf(t, market)
	groups, err := keys.Groups([]map[string]any{{"__typename": "Authority", "id": "1"}, {"__typename": "Authority", "id": "2"}}, subgraph.Most)
	if err != nil {
		t.Fatal(err)
	}
	one, other := subgraph.KeyOf("1"), subgraph.KeyOf("3")
	for name, found := range map[string][]subgraph.Found[string]{
		"what nobody asked for": {{Key: one, Value: "1"}, {Key: other, Value: "3"}},
		"one thing twice":       {{Key: one, Value: "1"}, {Key: one, Value: "1"}},
	} {
		got, err := subgraph.Answer(2, groups, func(subgraph.Group) ([]subgraph.Found[string], error) { return found, nil })
		if err == nil {
			t.Errorf("%s is answered: %q", name, got)
		}
	}
}

func TestAKeyIsTheSameHoweverItIsSent(t *testing.T) {
	keys := keysOf(t, market)
	for _, same := range [][]map[string]any{
		{{"__typename": "Authority", "id": "7"}, {"__typename": "Authority", "id": 7}, {"__typename": "Authority", "id": float64(7), "name": "x"}},
		{{"__typename": "Product", "sku": "a", "variation": map[string]any{"id": "1"}}, {"__typename": "Product", "variation": map[string]any{"id": 1, "x": nil}, "sku": "a", "package": nil}},
		{{"__typename": "Permit", "number": 7}, {"__typename": "Permit", "number": int64(7)}},
	} {
		groups, err := keys.Groups(same, subgraph.Most)
		if err != nil || len(groups) != 1 || len(groups[0].Sought) != 1 || len(groups[0].Sought[0].At) != len(same) {
			t.Errorf("%v are %v, %v", same, groups, err)
		}
	}
}

func TestTheKeysOfAGroupAreAskedForOnce(t *testing.T) {
	keys := keysOf(t, market)
	r := slices.Repeat([]map[string]any{{"__typename": "Authority", "id": "1"}, {"__typename": "Authority", "ars": "1"}, {"__typename": "Product", "id": "1"}}, 50)
	groups, err := keys.Groups(r, subgraph.Most)
	if err != nil || len(groups) != 3 {
		t.Fatalf("%d groups, %v", len(groups), err)
	}
	for i, g := range groups {
		if len(g.Sought) != 1 || len(g.Sought[0].At) != 50 || g.Sought[0].At[1] != i+3 || !maps.Equal(g.Sought[0].Representation, r[i]) {
			t.Errorf("%+v", g)
		}
	}
}
