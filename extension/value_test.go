// SPDX-License-Identifier: EUPL-1.2

package extension_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/extension"
)

func TestAValueThatDoesNotFitIsToldWithTheWayToItAndNothingIsKept(t *testing.T) {
	t.Parallel()
	chain := extension.Chain{read(t, ofSH, sh, contract(t))}
	many := func(n int) []any { return slices.Repeat([]any{map[string]any{"bezeichnung": "x"}}, n) }
	for name, c := range map[string]struct {
		given map[string]any
		want  string
	}{
		"a field of nobody":         {map[string]any{"nothing": 1}, "unknownField nothing"},
		"a number as a text":        {map[string]any{"flurstueck": int64(7)}, "wrongType flurstueck"},
		"a text as a number":        {map[string]any{"geschosse": "7"}, "wrongType geschosse"},
		"half a storey":             {map[string]any{"geschosse": 7.5}, "wrongType geschosse"},
		"too many storeys":          {map[string]any{"geschosse": int64(101)}, "range geschosse"},
		"below the ground":          {map[string]any{"geschosse": json.Number("-1")}, "range geschosse"},
		"a number without end":      {map[string]any{"geschosse": json.Number("1e999")}, "range geschosse"},
		"no number":                 {map[string]any{"geschosse": json.Number("x")}, "wrongType geschosse"},
		"another form":              {map[string]any{"flurstueck": "12/x"}, "pattern flurstueck"},
		"a line more than the form": {map[string]any{"flurstueck": "12\n"}, "pattern flurstueck"},
		"a value of nobody":         {map[string]any{"bauart": "RUINE"}, "unknownValue bauart"},
		"a statement as a text":     {map[string]any{"denkmal": "true"}, "wrongType denkmal"},
		"a text as an object":       {map[string]any{"bauherr": "x"}, "wrongType bauherr"},
		"an object lacking a value": {map[string]any{"bauherr": map[string]any{"seit": "2026-01-01"}}, "required bauherr.name"},
		"an object with more":       {map[string]any{"bauherr": map[string]any{"name": "x", "nothing": 1}}, "unknownField bauherr.nothing"},
		"a day that is none":        {map[string]any{"bauherr": map[string]any{"name": "x", "seit": "2026-02-30"}}, "wrongType bauherr.seit"},
		"too many entries":          {map[string]any{"bauteile": many(21)}, "tooMany bauteile"},
		"an entry that is null":     {map[string]any{"stichworte": []any{"x", nil}}, "required stichworte.1"},
		"an entry that is too long": {map[string]any{"stichworte": []any{"x", strings.Repeat("ä", 51)}}, "maxLength stichworte.1"},
		"an entry lacking a value":  {map[string]any{"bauteile": append(many(1), map[string]any{"bezeichnung": ""})}, "minLength bauteile.1.bezeichnung"},
		"a text with a NUL":         {map[string]any{"stichworte": []any{"\x00"}}, "notText stichworte.0"},
		"a text that is no UTF-8":   {map[string]any{"stichworte": []any{"\xff"}}, "notText stichworte.0"},
	} {
		records, problems := chain.Apply("Case", nil, c.given)
		if len(records) > 0 || !slices.Equal(told(problems), []string{c.want}) {
			t.Errorf("%s: %v and %d records, not %s", name, told(problems), len(records), c.want)
		}
		for _, p := range problems {
			if strings.Contains(fmt.Sprint(p), "RUINE") || strings.Contains(fmt.Sprint(p), "12/x") {
				t.Errorf("%s: the value is repeated", name)
			}
		}
	}
	large := versions(t, field("a: [String!] @length(max: 100000)"))
	if _, problems := (extension.Chain{large[0]}).Apply("Case", nil, map[string]any{"a": []any{strings.Repeat("x", 99_999), strings.Repeat("x", 99_999), strings.Repeat("x", 99_999)}}); !slices.Equal(told(problems), []string{"tooLarge "}) {
		t.Errorf("a record without end: %v", told(problems))
	}
}

func TestWhatIsNotHandedInStaysAndNullTakesAway(t *testing.T) {
	t.Parallel()
	standard := contract(t)
	land := read(t, ofSH, sh, standard)
	chain := extension.Chain{land, read(t, ofKiel, kiel, standard, land)}
	apply := func(stored map[uuid.UUID]json.RawMessage, given map[string]any) map[uuid.UUID]json.RawMessage {
		t.Helper()
		records, problems := chain.Apply("Case", stored, given)
		if len(problems) > 0 {
			t.Fatal(told(problems))
		}
		out := map[uuid.UUID]json.RawMessage{}
		for _, r := range records {
			out[r.Owner] = r.Values
		}
		return out
	}
	first := apply(nil, map[string]any{"flurstueck": "12", "geschosse": int64(3), "stadt_kiel_gruen": 0.25})
	if len(first) != 2 {
		t.Fatalf("%d records of two owners", len(first))
	}
	first[sh.ID] = json.RawMessage(strings.Replace(string(first[sh.ID]), "{", `{"4711": "of a field that is gone",`, 1))
	second := apply(first, map[string]any{"geschosse": nil, "bauart": "NEUBAU"})
	if len(second) != 1 {
		t.Fatalf("%d records are changed, not that of the Land alone", len(second))
	}
	_, flurstueck := chain.Field("Case", "flurstueck")
	got := decoded(t, second[sh.ID])
	if named := byName(land.Targets["Case"], got); !flurstueck || len(named) != 2 || named["flurstueck"] != "12" || named["bauart"] != "NEUBAU" || got["4711"] == nil {
		t.Errorf("%s is kept", second[sh.ID])
	}
	spaced := map[uuid.UUID]json.RawMessage{kiel.ID: json.RawMessage(strings.Replace(string(first[kiel.ID]), "0.25", " 2.5e-1", 1))}
	if again := apply(spaced, map[string]any{"stadt_kiel_gruen": json.Number("0.250")}); len(again) != 0 {
		t.Errorf("the same number in another way is a change: %s", again)
	}
}

func TestWhatRowsAreFoundByStandsInTheIndexByItsType(t *testing.T) {
	t.Parallel()
	d := versions(t, field(`text: String @filterable "B." art: E @filterable "C." zahl: Int @sortable "D." tag: Date @filterable
		"E." zeit: DateTime @filterable "F." ja: Boolean @filterable "G." ding: T "H." frei: String`, `"E." enum E { "V." V }`, `"T." type T { "N." innen: String @filterable }`))[0]
	records, problems := extension.Chain{d}.Apply("Case", nil, map[string]any{
		"text": "x", "art": "V", "zahl": int64(7), "tag": "2026-02-28", "zeit": "2026-02-28T01:00:00+01:00", "ja": true, "ding": map[string]any{"innen": "y"}, "frei": "z",
	})
	if len(problems) > 0 {
		t.Fatal(told(problems))
	}
	got := map[string]string{}
	for _, l := range d.Leaves("Case") {
		for _, e := range records[0].Entries {
			if e.Number != l.Number {
				continue
			}
			name := strings.Join(l.Path, ".")
			switch {
			case e.Text != nil:
				got[name] = "text " + *e.Text
			case e.Amount != nil:
				got[name] = fmt.Sprint("number ", *e.Amount)
			case e.Time != nil:
				got[name] = "time " + e.Time.UTC().String()[:16]
			}
		}
	}
	want := map[string]string{"text": "text x", "art": "text V", "zahl": "number 7", "tag": "time 2026-02-28 00:00", "zeit": "time 2026-02-28 00:00", "ja": "number 1", "ding.innen": "text y"}
	if fmt.Sprint(got) != fmt.Sprint(want) || len(records[0].Entries) != len(want) {
		t.Errorf("%v, not %v", got, want)
	}
	again, err := d.Entries("Case", records[0].Values)
	if err != nil || len(again) != len(want) {
		t.Errorf("the index made anew has %d entries: %v", len(again), err)
	}
}

func TestAFormFillsWhatFitsAndNothingElseStopsIt(t *testing.T) {
	t.Parallel()
	standard := contract(t)
	land := read(t, ofSH, sh, standard)
	chain := extension.Chain{land, read(t, ofKiel, kiel, standard, land)}
	item := func(name string, v any, items ...extension.Item) extension.Item {
		return extension.Item{Name: name, Value: v, Items: items}
	}
	form := []extension.Item{
		item("name", "not the builder's"),
		item("grundstueck", nil, item("flurstueck", "12/3"), item("flur", "7")),
		item("bauart", "Neubau"), item("geschosse", "sieben"), item("denkmal", "ja"),
		item("bauherr", nil, item("name", "Anna"), item("seit", "1.2.2020")),
		item("bauteile", nil, item("bauteil", nil, item("bezeichnung", "Dach"), item("flaeche", "1.200,5")), item("bauteil", nil, item("bezeichnung", "Wand"))),
		item("stichwort", "Holz"), item("stichwort", ""), item("stichwort", "Glas"),
	}
	records, problems := chain.FromForm("Case", form)
	if !slices.Equal(told(problems), []string{"wrongType geschosse"}) {
		t.Errorf("told: %v", told(problems))
	}
	if len(records) != 1 || records[0].Owner != sh.ID {
		t.Fatalf("%d records", len(records))
	}
	got, _ := json.Marshal(byName(land.Targets["Case"], decoded(t, records[0].Values)))
	const want = `{"bauart":"NEUBAU","bauherr":{"name":"Anna","seit":"2020-02-01"},"bauteile":[{"bezeichnung":"Dach","flaeche":1200.5},{"bezeichnung":"Wand"}],"denkmal":true,"flurstueck":"12/3","stichworte":["Holz","Glas"]}`
	if string(got) != want {
		t.Errorf("%s\nnot\n%s", got, want)
	}
	for name, hostile := range map[string][]extension.Item{
		"nothing":               nil,
		"a value for an object": {item("bauherr", "Anna")},
		"an object for a value": {item("bauart", nil, item("x", "y"))},
		"too many":              slices.Repeat([]extension.Item{item("stichwort", "x")}, 5000),
	} {
		if records, _ := chain.FromForm("Case", hostile); len(records) > 0 {
			t.Errorf("%s: %s", name, records[0].Values)
		}
	}
}
