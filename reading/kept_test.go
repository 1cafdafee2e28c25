// SPDX-License-Identifier: EUPL-1.2

package reading_test

import (
	"fmt"
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

// request is somebody who asks for a thing by a document.
type request struct {
	v    viewer
	text string
	id   string
	few  int
}

func (r request) answer() string {
	return string(r.v.ask(r.text, map[string]any{"id": r.id, "few": r.few}).Raw) // variables that nobody declares are ignored
}

// mistaken asks the same in a random order twice, with what is kept of questions and without, and tells where the answers differ.
func (w *world) mistaken(t *rapid.T, people []viewer) (out []string) {
	var things []string
	for _, typ := range []string{"Case", "Case", "Service", "Tenant"} {
		rows := w.rows[typ]
		things = append(things, rows[rapid.IntRange(0, len(rows)-1).Draw(t, typ)].gid())
	}
	requests := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) request {
		return request{
			rapid.SampledFrom(people).Draw(t, "who"), rapid.SampledFrom(oneByOne).Draw(t, "what"), rapid.SampledFrom(things).Draw(t, "of"), rapid.IntRange(0, 3).Draw(t, "few"),
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
	for _, text := range oneByOne {
		r := request{w.viewer("kiel-caseworker", authz.Substantial), text, w.rows["Case"][0].gid(), 2}
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
	for _, part := range []string{"rights", "thing", "field"} {
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
