// SPDX-License-Identifier: EUPL-1.2

package events_test

import (
	"testing"

	"github.com/ozg-cloud/platform/internal/housetest"
)

func TestWhoComesTooLateIsToldOfTheGapAndGoesOnBehindIt(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	who := h.As("kiel-caseworker")
	begin := checkpoint(t, who.Follow(stream, nil)).Cursor
	exec(h, `set role ozg_owner; create table events_20200106 partition of events for values from ('2020-01-06 00:00Z') to ('2020-01-13 00:00Z')`)
	c := h.As("kiel-applicant").Submit(parking, kiel)
	h.As("kiel-mailroom").Must("acceptCase", &c, nil)
	// An old event lies between the two: what is older by position goes with it.
	exec(h, `with old as (select * from events where type = 'CASE_OPENED')
		insert into events (id, xid, tenant_id, place, type, case_id, sequence, revision, at)
		select gen_random_uuid(), xid, tenant_id, place, 'COMMENT_ADDED', case_id, 1, 1, '2020-01-07' from old`)
	before := who.Follow(stream, map[string]any{"after": begin})
	for _, typ := range []string{"CASE_OPENED", "COMMENT_ADDED", "CASE_ACCEPTED"} {
		for e := before.Next(); e.Text("type") != typ; e = before.Next() {
			if e.Type != "StreamCheckpoint" {
				t.Fatalf("not %s: %s", typ, e.Raw)
			}
		}
	}
	if err := h.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	late, gap := tooLate(who, begin)
	other, _ := tooLate(h.Another().As("kiel-caseworker"), begin)
	event(t, other, "CASE_ACCEPTED")
	event(t, late, "CASE_ACCEPTED")
	checkpoint(t, late)
	if gap.Type != "StreamGap" || gap.Text("resumeAt") == "" {
		t.Fatalf("no gap: %s", gap.Raw)
	}
	again := who.Follow(stream, map[string]any{"after": gap.Text("resumeAt")})
	event(t, again, "CASE_ACCEPTED")
	a := who.Ask(poll, map[string]any{"first": 100}).Works()
	if list, _ := a.At("caseEvents.nodes").([]any); len(list) != 2 { // nothing that is still there is withheld
		t.Errorf("%s", a.Raw)
	}
	again = who.Follow(stream, map[string]any{"after": a.Text("caseEvents.oldest")})
	event(t, again, "CASE_ACCEPTED")
}

// TestThereIsOneGapHoweverMuchStillLiesInIt has more events before what was dropped than are read at once.
func TestThereIsOneGapHoweverMuchStillLiesInIt(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	who := h.As("kiel-caseworker")
	begin := checkpoint(t, who.Follow(stream, nil)).Cursor
	exec(h, `set role ozg_owner; create table events_20200106 partition of events for values from ('2020-01-06 00:00Z') to ('2020-01-13 00:00Z')`)
	c := h.As("kiel-applicant").Submit(parking, kiel)
	for _, in := range []string{"now() + n * interval '1 microsecond' from old, generate_series(1, 2500) n", "'2020-01-07' from old"} {
		exec(h, `with old as (select * from events where type = 'CASE_OPENED')
			insert into events (id, xid, tenant_id, place, type, case_id, sequence, revision, at)
			select gen_random_uuid(), xid, tenant_id, place, 'COMMENT_ADDED', case_id, 1, 1, `+in)
	}
	h.As("kiel-mailroom").Must("acceptCase", &c, nil)
	if err := h.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	late, gap := tooLate(who, begin)
	if gap.Type != "StreamGap" {
		t.Fatalf("no gap: %s", gap.Raw)
	}
	next := late.Next()
	for ; next.Type == "StreamCheckpoint"; next = late.Next() { // as long as the log waits for somebody who writes
	}
	if next.Text("type") != "CASE_ACCEPTED" {
		t.Errorf("behind the gap comes %s", next.Raw)
	}
}

// tooLate opens streams until one begins with a gap: the reader of a replica notices what was dropped with its next look.
func tooLate(who *housetest.Caller, after string) (*housetest.Stream, housetest.Told) {
	for {
		s := who.Listen(stream, nil, after)
		if first := s.Next(); first.Type != "CaseEvent" {
			return s, first
		}
		s.Close()
	}
}
