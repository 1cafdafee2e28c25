// SPDX-License-Identifier: EUPL-1.2

package reading_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ozg-cloud/platform/internal/housetest"
	"github.com/ozg-cloud/platform/reading"
)

// besides lets receivers with random rights, many of them equal, hear random events at the same moment, and then each of them the same alone. It counts
// those who were told something else, byte for byte, beside others. What is selected does not change after the event.
func besides(t *testing.T, h *housetest.House, seed uint64) (different int) {
	t.Helper()
	const cases = `(after: $after, heartbeatSeconds: 300) { __typename ... on CaseEvent { cursor type revision case { id number applicant { name } } } } }`
	documents := []string{
		`subscription($after: EventCursor) { caseEvents` + cases, `subscription($after: EventCursor) { other: caseEvents` + cases,
		`subscription Named($after: EventCursor, $types: [CaseEventType!]) { caseEvents(after: $after, where: { types: $types }, heartbeatSeconds: 300) { __typename ... on CaseEvent { cursor type case { id } } } }`,
	}
	names := []string{"kiel-caseworker", "kiel-mailroom", "kiel-admin", "luebeck-caseworker", "sh-admin", "kiel-applicant", "partner", "berta", "xenia", "yannick", "xenia", "yannick"}
	chance := rand.New(rand.NewPCG(seed, 1))
	begin := h.As("kiel-caseworker").Ask(`{ caseEvents(first: 0) { newest } }`, nil).Works().Text("caseEvents.newest")
	type receiver struct {
		who, document string
		variables     map[string]any
		stream        *housetest.Stream
	}
	all := make([]*receiver, 40)
	for i := range all {
		r := &receiver{who: names[chance.IntN(len(names))], document: documents[chance.IntN(len(documents))], variables: map[string]any{"after": begin}}
		if r.document == documents[2] {
			r.variables["types"] = [][]string{{"CASE_OPENED"}, {"CASE_ACCEPTED", "COMMENT_ADDED"}}[chance.IntN(2)]
		}
		if r.stream = h.As(r.who).Follow(r.document, r.variables); chance.IntN(3) == 0 {
			r.stream = h.As(r.who).Listen(r.document, r.variables, "")
		}
		r.stream.Next()
		all[i] = r
	}
	for range 3 {
		c := h.As("kiel-applicant").Submit("99108001001000", "010020000000")
		h.As("kiel-mailroom").Must("acceptCase", &c, nil)
		if chance.IntN(2) == 0 {
			h.As("kiel-mailroom").Must("commentOnCase", &c, map[string]any{"body": fmt.Sprint("Rückruf ", chance.IntN(100))})
		}
	}
	db := h.Database()
	for still := true; still; { // a transaction elsewhere holds up what is told
		if err := db.QueryRow(t.Context(), "select exists (select from events where xid >= pg_snapshot_xmin(pg_current_snapshot()))").Scan(&still); err != nil {
			t.Fatal(err)
		}
	}
	event := func(e housetest.Told) bool { return e.Type != "StreamCheckpoint" && e.Type != "" }
	for _, r := range all {
		var alone, beside []string
		s := h.As(r.who).Follow(r.document, r.variables)
		for e := s.Next(); event(e); e = s.Next() {
			alone = append(alone, e.Raw)
		}
		s.Close()
		for len(beside) < len(alone) {
			if e := r.stream.Next(); event(e) {
				beside = append(beside, e.Raw)
			}
		}
		for _, e := range r.stream.Silent() {
			if event(e) {
				beside = append(beside, e.Raw)
			}
		}
		if !slices.Equal(alone, beside) {
			different++
		}
		r.stream.Close()
	}
	return different
}

func TestWhoHearsBesideOthersIsToldWhatItWouldBeToldAlone(t *testing.T) {
	h := housetest.New(t)
	h.Give("berta", "CASEWORKER", "kiel", "")
	// The same roles, and so the same contract: both see the cases of Kiel, one of them without applicants.
	for name, at := range map[string][2]string{"xenia": {"kiel", "luebeck"}, "yannick": {"luebeck", "kiel"}} {
		h.Give(name, "CASEWORKER", at[0], "")
		h.Give(name, "TENANT_ADMIN", at[1], "")
	}
	for seed := range uint64(2) {
		if n := besides(t, h, seed); n > 0 {
			t.Errorf("%d receivers were told something else beside others (seed %d)", n, seed)
		}
	}
	// The twin: what was read is shared whatever the rights are.
	defer reading.ForgetRights()()
	if besides(t, h, 1) == 0 {
		t.Error("without rights in the question nobody was told anything else: the test is of no use")
	}
}
