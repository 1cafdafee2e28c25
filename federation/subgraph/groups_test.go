// SPDX-License-Identifier: EUPL-1.2

package subgraph_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ozg-cloud/platform/federation/subgraph"
	"github.com/ozg-cloud/platform/internal/problem"
)

func TestARepresentationThatIsNoneIsRefusedAndNotShown(t *testing.T) {
	keys := keysOf(t, market)
	const secret = "Kanarienvogel"
	for name, bad := range map[string]map[string]any{
		"nothing":                {},
		"null":                   nil,
		"no type":                {"id": "1"},
		"a type that is none":    {"__typename": secret, "id": "1"},
		"a type that is no text": {"__typename": 7, "id": "1"},
		"a type without a key":   {"__typename": "Variation", "id": "1"},
		"the union":              {"__typename": "_Entity", "id": "1"},
		"no key":                 {"__typename": "Authority", "name": secret},
		"half a key":             {"__typename": "Product", "sku": secret},
		"a key of another type":  {"__typename": "Permit", "id": "1"},
		"a key that is null":     {"__typename": "Authority", "id": nil},
		"a key that is a list":   {"__typename": "Authority", "id": []any{secret}},
		"a key that is a thing":  {"__typename": "Authority", "id": map[string]any{"id": secret}},
		"a key that is a half":   {"__typename": "Authority", "id": 1.5},
		"a number that is text":  {"__typename": "Permit", "number": "7"},
		"a part that is text":    {"__typename": "Product", "sku": "a", "variation": secret},
	} {
		_, err := keys.Groups([]map[string]any{{"__typename": "Authority", "id": "1"}, bad}, subgraph.Most)
		p, ok := problem.Of(err)
		if !ok || p.Kind != problem.Invalid || p.Rule != "badEntity" || !slices.Equal(p.Path, []string{"representations", "1"}) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// many are representations of one thing each.
func many(n int) []map[string]any {
	out := make([]map[string]any, n)
	for i := range out {
		out[i] = map[string]any{"__typename": "Authority", "id": fmt.Sprint(i)}
	}
	return out
}

func TestTooManyRepresentationsAreRefusedBeforeOneIsRead(t *testing.T) {
	keys := keysOf(t, market)
	if _, err := keys.Groups(many(subgraph.Most), subgraph.Most); err != nil {
		t.Error(err)
	}
	last := many(subgraph.Most + 1)
	last[0] = nil // would be refused for itself
	if p, ok := problem.Of(second(keys.Groups(last, subgraph.Most))); !ok || p.Rule != "tooMany" {
		t.Errorf("one too many: %v", p)
	}
}

func second[T any](_ T, err error) error { return err }

func TestThereIsOneKeyForEachTypeOfTheHouse(t *testing.T) {
	for _, f := range subgraph.Faults(house(t)) {
		t.Error(f)
	}
}

func TestTheLintOfKeysFindsWhatItShould(t *testing.T) {
	for want, seed := range map[string][2]string{
		"Authority has more than one key":                                                {"", ""},
		"Permit.number is a key and may be null":                                         {"number: Int!", "number: Int"},
		"Variation has a key, and nobody can ask for it":                                 {"type Variation {", `type Variation @key(fields: "id") {`},
		"subgraph: Permit has no key":                                                    {`type Permit @key(fields: "number")`, "type Permit"},
		`subgraph: the key "{" of Permit cannot be read`:                                 {`type Permit @key(fields: "number")`, `type Permit @key(fields: "{")`},
		`subgraph: the key "nummer" of Permit: Permit.nummer is no field with one value`: {`type Permit @key(fields: "number")`, `type Permit @key(fields: "nummer")`},
		`subgraph: the key "a: number" of Permit: Permit has something beside fields`:    {`type Permit @key(fields: "number")`, `type Permit @key(fields: "a: number")`},
	} {
		if got := subgraph.Faults(load(t, strings.Replace(market, seed[0], seed[1], 1))); !slices.Contains(got, want) {
			t.Errorf("found %q, not %q", got, want)
		}
	}
}

// BenchmarkTooMany refuses 20,000 representations; the figure of issue 8 is 5 ms.
func BenchmarkTooMany(b *testing.B) {
	keys, all := keysOf(b, market), many(20_000)
	for b.Loop() {
		if _, err := keys.Groups(all, subgraph.Most); err == nil {
			b.Fatal("they are taken")
		}
	}
}

func BenchmarkTwoHundred(b *testing.B) {
	keys, all := keysOf(b, market), many(subgraph.Most)
	for b.Loop() {
		groups, err := keys.Groups(all, subgraph.Most)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := subgraph.Answer(len(all), groups, func(g subgraph.Group) ([]subgraph.Found[int], error) {
			out := make([]subgraph.Found[int], len(g.Sought))
			for i, s := range g.Sought {
				out[i] = subgraph.Found[int]{Key: s.Key, Value: i}
			}
			return out, nil
		}); err != nil {
			b.Fatal(err)
		}
	}
}
