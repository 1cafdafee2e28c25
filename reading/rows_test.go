// SPDX-License-Identifier: EUPL-1.2

package reading_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/reading"
	"github.com/ozg-cloud/platform/schema"
)

// leaves asks for cases with their messages and tells what is left of the answer in memory that the next one is made in.
func (w *world) leaves() string {
	v := w.viewer("kiel-caseworker", authz.Substantial)
	reading.Left()
	v.ask("{ cases(first: 20) { edges { cursor node { id number messages(first: 5) { nodes { subject body } } } } } }", nil)
	return string(reading.Left())
}

func TestNothingOfAnAnswerIsLeftForTheNext(t *testing.T) {
	if left := shared().leaves(); left != "" {
		t.Errorf("%d bytes are left", len(left))
	}
}

func TestWhatIsLeftOfAnAnswerIsNoticed(t *testing.T) {
	defer reading.LeavingAnswers()()
	for range 20 { // some of what is kept is thrown away now and then
		if strings.Contains(shared().leaves(), "{") {
			return
		}
	}
	t.Error("nobody notices")
}

func TestAnIDThatIsNobodysIsNotAnsweredWithWhatIsAskedBesideIt(t *testing.T) {
	w := shared()
	v := w.viewer("kiel-caseworker", authz.Substantial)
	of := w.rows["Case"][0]
	a := v.ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", map[string]any{"ids": []string{schema.ID(catalog.Types["Case"].Number, uuid.Nil), of.gid()}})
	if want := `{"data":{"nodes":[null,`; !strings.HasPrefix(string(a.Raw), want) {
		t.Errorf("%s", a.Raw)
	}
}

// unlike tells where an instant is written otherwise than Go does it.
func unlike(t *rapid.T, write func([]byte, time.Time) []byte) bool {
	at := time.Unix(rapid.Int64Range(-62135596800, 253402300799).Draw(t, "second"), 0).UTC() // the years 1 to 9999
	at = at.Add(time.Duration(rapid.OneOf(rapid.Just(0), rapid.IntRange(0, 999_999), rapid.SampledFrom([]int{100_000, 120_000, 1, 10, 999_000})).Draw(t, "micros")) * time.Microsecond)
	return string(write(nil, at)) != at.Format("2006-01-02T15:04:05.999999Z07:00")
}

func TestAnInstantIsWrittenAsGoWritesIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if unlike(t, reading.AppendInstant) {
			t.Error("it is not")
		}
	})
}

func TestAnInstantThatIsWrittenOtherwiseIsNoticed(t *testing.T) {
	for name, layout := range map[string]string{"all digits": "2006-01-02T15:04:05.000000Z07:00", "too few": "2006-01-02T15:04:05.999Z07:00", "an offset": "2006-01-02T15:04:05.999999-07:00"} {
		noticed := false
		for seed := 0; seed < 50 && !noticed; seed++ {
			noticed = rapid.Custom(func(t *rapid.T) bool {
				return unlike(t, func(dst []byte, at time.Time) []byte { return at.AppendFormat(dst, layout) })
			}).Example(seed)
		}
		if !noticed {
			t.Errorf("nobody notices %s", name)
		}
	}
}
