// SPDX-License-Identifier: EUPL-1.2

package events_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/internal/housetest"
	"github.com/ozg-cloud/platform/schema"
)

const workList = `subscription($where: CaseFilter, $after: EventCursor) { workList(where: $where, after: $after, heartbeatSeconds: 300) { __typename
	... on WorkListChange { cursor move caseId case { id state applicant { name } history(last: 1) { nodes { action } } } }
	... on StreamCheckpoint { cursor caughtUp } ... on StreamGap { resumeAt } ... on StreamRevocation { cursor caseIds } } }`

// moved fails the test unless a case moves next, in this way, and gives back what was told.
func moved(t *testing.T, s *housetest.Stream, id, move string) housetest.Told {
	t.Helper()
	e := s.Next()
	shown, _ := e.Frame["case"].(map[string]any)
	if e.Type != "WorkListChange" || e.Text("caseId") != id || e.Text("move") != move || e.Cursor == "" || e.Cursor != e.Text("cursor") || (move == "LEFT") != (shown == nil) || shown != nil && shown["id"] != id {
		t.Fatalf("%s not %s: %s", id, move, e.Raw)
	}
	return e
}

var fresh = map[string]any{"where": map[string]any{"state": []string{"NEW", "ACCEPTED"}}}

func TestAWorkListTellsWhatComesWhatChangesAndWhatGoes(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	s := h.As("kiel-caseworker").Follow(workList, fresh)
	checkpoint(t, s)
	c := h.As("kiel-applicant").Submit(parking, kiel)
	opened := moved(t, s, c.ID, "ENTERED")
	clerk := h.As("kiel-caseworker")
	clerk.Must("acceptCase", &c, nil)
	moved(t, s, c.ID, "CHANGED")
	clerk.Must("startCase", &c, nil)
	last := moved(t, s, c.ID, "LEFT")
	clerk.Must("commentOnCase", &c, map[string]any{"body": "Rückruf"}) // which is no business of this list
	d := h.As("kiel-applicant").Submit(parking, kiel)
	moved(t, s, d.ID, "ENTERED")
	if heard := s.Silent(); len(heard) > 0 {
		t.Errorf("there is more: %s", heard[0].Raw)
	}

	// Who comes back is told as the case is now, and what has gone meanwhile once more: nobody knows any more what had been told.
	again := h.As("kiel-caseworker").Listen(workList, fresh, opened.Cursor)
	moved(t, again, c.ID, "LEFT")
	moved(t, again, d.ID, "ENTERED")
	checkpoint(t, again)
	after := h.As("kiel-caseworker").Follow(workList, map[string]any{"where": fresh["where"], "after": last.Cursor})
	moved(t, after, c.ID, "LEFT") // by the comment; the same as nothing for who knows it
	moved(t, after, d.ID, "ENTERED")
	checkpoint(t, after)
}

func TestAWorkListTellsOfNoCaseThatItsReaderDoesNotSee(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	everything := h.As("luebeck-caseworker").Follow(workList, nil)
	checkpoint(t, everything)
	filtered := h.As("luebeck-caseworker").Follow(workList, fresh)
	checkpoint(t, filtered)
	own := h.As("kiel-caseworker").Follow(workList, nil)
	checkpoint(t, own)
	c := h.As("kiel-applicant").Submit(parking, kiel)
	clerk := h.As("kiel-caseworker")
	clerk.Must("acceptCase", &c, nil)
	clerk.Must("startCase", &c, nil)
	moved(t, own, c.ID, "ENTERED")
	moved(t, own, c.ID, "CHANGED")
	moved(t, own, c.ID, "CHANGED")
	d := h.As("luebeck-applicant").Submit(parking, "010030000000")
	for _, s := range []*housetest.Stream{everything, filtered} {
		moved(t, s, d.ID, "ENTERED")
		if heard := s.Silent(); len(heard) > 0 {
			t.Errorf("Lübeck hears of %s", heard[0].Raw)
		}
	}
}

func TestACaseThatGoesToAnotherUnitLeavesTheListsOfThisOne(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	c := h.As("kiel-applicant").Submit(parking, kiel)
	settled(t, h)
	var here, there string
	var unit, back uuid.UUID
	err := h.Database().QueryRow(t.Context(), `select a.external_id, b.external_id, b.id, a.id from cases c join organisational_units a on a.id = c.unit_id
		join organisational_units b on b.tenant_id = a.tenant_id and b.id <> a.id and b.parent_id is not distinct from a.parent_id limit 1`).Scan(&here, &there, &unit, &back)
	if err != nil {
		t.Fatal(err)
	}
	// From now on, however far the house has read: a stream that begins where it has could tell of the application.
	follows := func(who *housetest.Caller) *housetest.Stream {
		return who.Follow(workList, map[string]any{"after": who.Ask(poll, map[string]any{"first": 0}).Works().Text("caseEvents.newest")})
	}
	before := follows(h.Give("hier", "CASEWORKER", "kiel", here))
	after := follows(h.Give("dort", "CASEWORKER", "kiel", there))
	checkpoint(t, before)
	checkpoint(t, after)
	h.As("kiel-mailroom").Must("acceptCase", &c, nil)
	moved(t, before, c.ID, "ENTERED")
	to := func(id uuid.UUID) map[string]any {
		return map[string]any{"unitId": schema.ID(catalog.Types["OrganisationalUnit"].Number, id)}
	}
	h.As("kiel-admin").Must("assignCase", &c, to(unit))
	moved(t, before, c.ID, "LEFT")
	moved(t, after, c.ID, "ENTERED")
	h.As("kiel-admin").Must("assignCase", &c, to(back))
	moved(t, before, c.ID, "ENTERED")
	moved(t, after, c.ID, "LEFT")
}

// TestOfACaseThatLeavesAListNothingIsRead: the answer has no case, so nothing stands in the access log either.
func TestOfACaseThatLeavesAListNothingIsRead(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	c := h.As("kiel-applicant").Submit(parking, kiel)
	settled(t, h)
	s := h.Give("berta", "CASEWORKER", "kiel", "").Follow(workList, map[string]any{"where": map[string]any{"state": []string{"CLOSED"}}})
	checkpoint(t, s)
	h.As("kiel-mailroom").Must("acceptCase", &c, nil)
	moved(t, s, c.ID, "LEFT")
	entries := func() (n int) {
		if err := h.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := h.Database().QueryRow(t.Context(), "select count(*) from access_entries where reader like '%berta'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := entries(); n > 0 {
		t.Errorf("%d entries for a case that was not shown", n)
	}
	all := h.As("berta").Follow(workList, nil)
	checkpoint(t, all)
	h.As("kiel-caseworker").Must("startCase", &c, nil)
	moved(t, all, c.ID, "ENTERED")
	if n := entries(); n != 1 {
		t.Errorf("%d entries for a case that was shown", n)
	}
}

// TestWhoAppliesAWorkListHasTheList lets cases move at random and compares what a receiver has put together, over breaks, with the list as it is read.
func TestWhoAppliesAWorkListHasTheList(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	clerk := h.With("kiel-caseworker", authz.Substantial)
	var cases []*housetest.Case
	for range 6 {
		c := h.As("kiel-applicant").Submit(parking, kiel)
		cases = append(cases, &c)
	}
	s := clerk.Follow(workList, fresh)
	at := checkpoint(t, s).Cursor
	have, twin := map[string]bool{}, map[string]bool{} // the twin never takes anything out
	for _, c := range cases {
		have[c.ID], twin[c.ID] = true, true // as it was read
	}
	for round, verb := range []string{"acceptCase", "startCase", "commentOnCase"} {
		for i, c := range cases {
			if i%3 < round {
				continue
			}
			var with map[string]any
			if verb == "commentOnCase" {
				with = map[string]any{"body": "Rückruf"}
			}
			clerk.Must(verb, c, with)
		}
		s.Close()
		s = clerk.Follow(strings.Replace(workList, "heartbeatSeconds: 300", "heartbeatSeconds: 1", 1), map[string]any{"where": fresh["where"], "after": at})
		want := listed(clerk)
		// A checkpoint alone is not the end: what was stored may lie behind a transaction of somebody else for a while.
		for checkpoints := 0; checkpoints == 0 || checkpoints < 20 && !maps.Equal(have, want); {
			e := s.Next()
			at = e.Cursor
			switch {
			case e.Type == "StreamCheckpoint":
				checkpoints++
			case e.Text("move") == "LEFT":
				delete(have, e.Text("caseId"))
			default:
				have[e.Text("caseId")], twin[e.Text("caseId")] = true, true
			}
		}
		if !maps.Equal(have, want) {
			t.Errorf("after %s: %d cases instead of %d", verb, len(have), len(want))
		}
	}
	if len(twin) == len(have) {
		t.Error("who takes nothing out has the same list: the test is of no use")
	}
}

// listed are the cases of the list as it is read.
func listed(who *housetest.Caller) map[string]bool {
	a := who.Ask(`query($where: CaseFilter) { cases(first: 100, where: $where) { nodes { id } } }`, fresh).Works()
	out := map[string]bool{}
	for i := range 100 {
		if id := a.Text(fmt.Sprintf("cases.nodes.%d.id", i)); id != "" {
			out[id] = true
		}
	}
	return out
}
