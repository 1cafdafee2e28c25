// SPDX-License-Identifier: EUPL-1.2

package extension_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/ozg-cloud/platform/extension"
)

// versions reads one text after another, each with the numbers of the one before.
func versions(t *testing.T, sdl ...string) (out []*extension.Definition) {
	t.Helper()
	standard := contract(t)
	for i, text := range sdl {
		d, problems := extension.Read(text, sh, standard)
		if d == nil {
			t.Fatal(told(problems))
		}
		var before *extension.Definition
		if i > 0 {
			before = out[i-1]
		}
		if problems := d.Follow(before); len(problems) > 0 {
			t.Fatal(told(problems))
		}
		out = append(out, d)
	}
	return out
}

func TestEachChangeHasItsClass(t *testing.T) {
	t.Parallel()
	const enum, less, thing = `"E." enum E { "V." V "W." W }`, `"E." enum E { "V." V }`, `"T." type T { "N." n: String }`
	for name, c := range map[string]struct {
		before, after string
		want          []string // class, kind and coordinate; with a star where values are lost
	}{
		"nothing":                  {field("a: Int"), field("a: Int"), nil},
		"a field more":             {field("a: Int"), field(`a: Int "B." b: Int`), []string{"SAFE fieldAdded Case.b"}},
		"a field that is needed":   {field("a: Int"), field(`a: Int "B." b: Int @required`), []string{"DANGEROUS fieldAdded Case.b"}},
		"a field less":             {field(`a: Int "B." b: Int`), field("a: Int"), []string{"BREAKING fieldRemoved Case.b*"}},
		"another name":             {field("a: Int"), field(`b: Int @renamedFrom(name: "a")`), []string{"BREAKING fieldRenamed Case.a"}},
		"a wider number":           {field("a: Int"), field("a: Float"), []string{"BREAKING typeWidened Case.a"}},
		"a narrower number":        {field("a: Float"), field("a: Int"), []string{"BREAKING typeChanged Case.a*"}},
		"a free text":              {field("a: E", enum), field("a: String"), []string{"BREAKING typeWidened Case.a", "BREAKING typeRemoved E"}},
		"a choice":                 {field("a: String"), field("a: E", enum), []string{"BREAKING typeChanged Case.a*", "SAFE typeAdded E"}},
		"a list":                   {field("a: Int"), field("a: [Int!]"), []string{"BREAKING typeChanged Case.a*"}},
		"a value more":             {field("a: E", less), field("a: E", enum), []string{"DANGEROUS valueAdded E.W"}},
		"a value less":             {field("a: E", enum), field("a: E", less), []string{"BREAKING valueRemoved E.W*"}},
		"a filter":                 {field("a: Int"), field("a: Int @filterable"), []string{"SAFE filterAdded Case.a"}},
		"no filter":                {field("a: Int @filterable"), field("a: Int"), []string{"BREAKING filterRemoved Case.a"}},
		"an order":                 {field("a: Int"), field("a: Int @sortable"), []string{"SAFE orderAdded Case.a"}},
		"no order":                 {field("a: Int @sortable"), field("a: Int"), []string{"BREAKING orderRemoved Case.a"}},
		"a narrower range":         {field("a: Int @range(max: 9)"), field("a: Int @range(max: 8)"), []string{"DANGEROUS narrowed Case.a"}},
		"a wider range":            {field("a: Int @range(max: 8)"), field("a: Int @range(max: 9)"), []string{"SAFE widened Case.a"}},
		"needed from now on":       {field("a: Int"), field("a: Int @required"), []string{"DANGEROUS narrowed Case.a"}},
		"a pattern":                {field("a: String"), field(`a: String @pattern(regexp: "x")`), []string{"DANGEROUS narrowed Case.a"}},
		"another class":            {field("a: Int @dataClass(class: PERSONAL)"), field("a: Int @dataClass(class: PUBLIC)"), []string{"DANGEROUS classChanged Case.a"}},
		"on its way out":           {field("a: Int"), field(`a: Int @deprecated(reason: "b")`), []string{"SAFE deprecated Case.a"}},
		"another source":           {field("a: Int"), field(`a: Int @from(path: ["x"])`), []string{"SAFE sourceChanged Case.a"}},
		"other words":              {field("a: Int"), `extend type Case { "B." a: Int }`, []string{"SAFE described Case.a"}},
		"inside an object":         {field("a: T", thing), field("a: T", `"T." type T { "N." n: Int }`), []string{"BREAKING typeChanged T.n*"}},
		"everything":               {field("a: T", thing), `extend type Message { "A." a: Int }`, []string{"BREAKING fieldRemoved Case.a*", "SAFE fieldAdded Message.a", "BREAKING typeRemoved T"}},
		"an object becomes a list": {field("a: T", thing), field("a: [T!]", thing), []string{"BREAKING typeChanged Case.a*"}},
	} {
		v := versions(t, c.before, c.after)
		var got []string
		for _, change := range extension.Diff(v[0], v[1]) {
			line := fmt.Sprint(change.Class, " ", change.Kind, " ", change.Coordinate)
			if change.Lost {
				line += "*"
			}
			got = append(got, line)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, not %v", name, got, c.want)
		}
	}
	if first, last := extension.Diff(nil, versions(t, ofSH)[0]), extension.Diff(versions(t, ofSH)[0], nil); len(first) != 10 || len(last) != 10 {
		t.Errorf("%d changes with the first version, %d with the last: %v", len(first), len(last), last)
	}
}

func TestValuesOutliveANewNameAndAWiderType(t *testing.T) {
	t.Parallel()
	v := versions(t, field(`a: Int "B." b: String`), field(`c: Float @renamedFrom(name: "a")`), field(`c: Float @renamedFrom(name: "a") "B." b: String`))
	records, _ := extension.Chain{v[0]}.Apply("Case", nil, map[string]any{"a": int64(7), "b": "x"})
	if got := byName(v[1].Targets["Case"], decoded(t, records[0].Values)); !maps.Equal(got, map[string]any{"c": 7.0}) {
		t.Errorf("%v is left", got)
	}
	if got := byName(v[2].Targets["Case"], decoded(t, records[0].Values)); !maps.Equal(got, map[string]any{"c": 7.0}) {
		t.Errorf("%v: what was taken out of the definition shows again under a field that is new", got)
	}
	standard := contract(t)
	d, _ := extension.Read(field(`c: Int @renamedFrom(name: "nothing")`), sh, standard)
	if problems := d.Follow(v[0]); len(problems) == 0 || told(problems)[0] != "unknownFormerName Case.c.renamedFrom" {
		t.Errorf("a former name that there was not: %v", told(problems))
	}
}

func TestAnOwnerRunsOutOfNumbersOnlyWithAProblem(t *testing.T) {
	t.Parallel()
	standard := contract(t)
	var before *extension.Definition
	for i := range extension.MostNumbers/200 + 1 {
		d, _ := extension.Read(strings.ReplaceAll(fields(200), " a", fmt.Sprintf(" v%d", i)), sh, standard)
		problems := d.Follow(before)
		if before = d; len(problems) > 0 {
			if i < extension.MostNumbers/200 || told(problems)[0] != "tooMany " {
				t.Errorf("version %d: %v", i, told(problems))
			}
			return
		}
	}
	t.Error("numbers without end")
}

func TestDocumentsThatWouldBeRefusedAreNamed(t *testing.T) {
	t.Parallel()
	standard := contract(t)
	v := versions(t, ofSH, strings.Replace(strings.Replace(ofSH, "geschosse: Int @filterable @sortable", "geschosse: Int @sortable", 1), "  name: String @required @filterable @sortable", "  name: String @required @sortable", 1))
	before, after := extension.Chain{v[0]}.Overlay(standard), extension.Chain{v[1]}.Overlay(standard)
	documents := map[string]string{
		"standard": `{ cases(first: 1) { nodes { id } } }`,
		"select":   `{ cases(first: 1) { nodes { extension { geschosse } } } }`,
		"filter":   `{ cases(first: 1, where: {extension: {geschosse: {gt: 3}}}) { totalCount } }`,
		"nested":   `query($n: StringFilter) { cases(first: 1, where: {extension: {bauherr: {name: $n}}}) { totalCount } }`,
		"variable": `query($w: CaseFilter) { cases(first: 1, where: $w) { nodes { extension { geschosse } } } }`,
		"wrong":    `{ extension }`,
		"no query": `{`,
	}
	if got := extension.Broken(before, after, maps.All(documents)); !slices.Equal(got, []string{"filter", "nested"}) {
		t.Errorf("%v", got)
	}
	if got := extension.Broken(before, standard, maps.All(documents)); !slices.Equal(got, []string{"select", "variable"}) { // a filter by nothing is valid
		t.Errorf("without the definition: %v", got)
	}
}
