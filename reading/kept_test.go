// SPDX-License-Identifier: EUPL-1.2

package reading_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/reading"
)

// oneByOne are documents that ask for one thing each, so that what is compiled for one is at hand when the next is asked. Two fields have the same name and another
// selection, two think of another thing, and one depends on a variable in its middle.
var oneByOne = []string{
	`query($id: ID!) { node(id: $id) { id ... on Case { number state messages(first: 3) { nodes { id subject body } } comments(first: 2) { totalCount } } ... on Service { title } ... on Tenant { name } } }`,
	`query($id: ID!) { case(id: $id) { number } again: case(id: $id) { title: number service { title } applicant { name } } }`,
	`query($id: ID!) { case(id: $id) { id ...more } } fragment more on Case { viewerCan { decide } history(first: 2) { nodes { id } } }`,
	`query($id: ID!, $few: Int!) { case(id: $id) { id messages(first: $few) { nodes { id } } } }`,
	`query($id: ID!) { case(id: $id) { id } case(id: $id) { number } }`,
}

// pageByPage are documents that turn pages. In one an order has values that may be missing, in one a variable is no more than a part of the filter, and one begins in
// the middle in its own words.
var pageByPage = []string{
	`query($few: Int!, $at: Cursor) { cases(first: $few, after: $at) { edges { cursor node { id number messages(first: 1) { nodes { subject } totalCount } } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`,
	`query($few: Int!, $at: Cursor) { cases(last: $few, before: $at, where: {state: [NEW, IN_PROGRESS]}) { nodes { id state service { title } } totalCount pageInfo { hasNextPage hasPreviousPage } } }`,
	`query($few: Int!, $at: Cursor) { cases(first: 3, after: $at) { nodes { id } pageInfo { hasNextPage hasPreviousPage } } again: cases(first: $few, orderBy: [{field: DUE_AT}]) { nodes { id } } }`,
	`query($few: Int!, $at: Cursor, $in: [CaseState!]) { cases(first: $few, after: $at, where: {state: $in}) { nodes { id state } } }`,
	`query($few: Int!, $at: Cursor) { cases(first: 2, before: $at) { nodes { id messages(first: $few) { nodes { id } } } } services(first: $few) { nodes { title } } }`,
}

// request is somebody who asks for a thing by a document, or for a page.
type request struct {
	v    viewer
	text string
	id   string
	few  int
	at   any
	in   []string
}

func (r request) answer() string {
	return string(r.v.ask(r.text, map[string]any{"id": r.id, "few": r.few, "at": r.at, "in": r.in}).Raw) // variables that nobody declares are ignored
}

// places are cursors of cases, one of another order, one of nothing, and none.
func (v viewer) places(t fataler) []any {
	var got struct {
		Data map[string]struct{ Edges []struct{ Cursor string } }
	}
	a := v.ask("{ cases(first: 20) { edges { cursor } } other: cases(first: 1, orderBy: [{field: DUE_AT}]) { edges { cursor } } }", nil)
	if err := json.Unmarshal(a.Raw, &got); err != nil {
		t.Fatal(err)
	}
	out := []any{nil, nil, "?"}
	for _, name := range []string{"cases", "other"} {
		for _, e := range got.Data[name].Edges {
			out = append(out, e.Cursor)
		}
	}
	return out
}

// fataler is a test of either kind.
type fataler interface{ Fatal(args ...any) }

// mistaken asks the same in a random order twice, with what is kept of questions and without, and tells where the answers differ.
func (w *world) mistaken(t *rapid.T, people []viewer) (out []string) {
	var things []string
	for _, typ := range []string{"Case", "Case", "Service", "Tenant"} {
		rows := w.rows[typ]
		things = append(things, rows[rapid.IntRange(0, len(rows)-1).Draw(t, typ)].gid())
	}
	at := people[0].places(t)
	documents := oneByOne
	if rapid.Bool().Draw(t, "pages") {
		documents = pageByPage
	}
	requests := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) request {
		return request{
			rapid.SampledFrom(people).Draw(t, "who"), rapid.SampledFrom(documents).Draw(t, "what"), rapid.SampledFrom(things).Draw(t, "of"), rapid.IntRange(0, 3).Draw(t, "few"),
			rapid.SampledFrom(at).Draw(t, "at"), rapid.SampledFrom([][]string{{"IN_PROGRESS"}, {"NEW", "CLOSED"}}).Draw(t, "in"),
		}
	}), 5, 12).Draw(t, "requests")
	for range 2 {
		for _, r := range requests {
			kept := r.answer()
			remember := reading.Forgetting()
			fresh := r.answer()
			remember()
			if kept != fresh {
				out = append(out, fmt.Sprintf("%s by %s of %s: %s instead of %s", r.text, r.v.Subject, r.id, kept, fresh))
			}
		}
	}
	return out
}

// curious are people whose rights differ.
func (w *world) curious(t *testing.T) []viewer {
	people := w.narrow(t)
	for _, name := range []string{"kiel-caseworker", "luebeck-caseworker", "sh-admin"} {
		people = append(people, w.viewer(name, authz.Substantial))
	}
	return people
}

func TestWhatIsKeptOfAQuestionAnswersNoOtherQuestion(t *testing.T) {
	w := shared()
	people := w.curious(t)
	v := w.viewer("kiel-caseworker", authz.Substantial)
	for _, text := range slices.Concat(oneByOne, pageByPage) {
		r := request{v, text, w.rows["Case"][0].gid(), 2, v.places(t)[3], []string{"IN_PROGRESS"}}
		if a := r.answer(); !strings.HasPrefix(a, `{"data":`) {
			t.Fatalf("%s: %s", text, a)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		for _, m := range w.mistaken(t, people) {
			t.Error(m)
		}
	})
}

func TestAQuestionThatIsTakenForAnotherIsNoticed(t *testing.T) {
	w := shared()
	people := w.curious(t)
	for _, part := range []string{"rights", "thing", "field", "size", "side"} {
		t.Run(part, func(t *testing.T) {
			defer reading.Mistaking(part)()
			noticed := false
			for seed := 0; seed < 40 && !noticed; seed++ {
				noticed = rapid.Custom(func(t *rapid.T) bool { return len(w.mistaken(t, people)) > 0 }).Example(seed)
			}
			if !noticed {
				t.Error("nobody notices")
			}
		})
	}
}
