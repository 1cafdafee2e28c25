// SPDX-License-Identifier: EUPL-1.2

package events_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/ozg-cloud/platform/internal/housetest"
)

const poll = `query($after: EventCursor, $first: Int!, $where: CaseEventFilter) { caseEvents(after: $after, first: $first, where: $where) {
	edges { cursor node { cursor type } } nodes { caseId revision } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } next oldest newest } }`

// polled is the cursors of all events that somebody finds in the log, page by page.
func polled(t *testing.T, c *housetest.Caller, size int) (cursors []string) {
	t.Helper()
	var after any
	for {
		a := c.Ask(poll, map[string]any{"after": after, "first": size}).Works()
		for i := 0; a.At(fmt.Sprintf("caseEvents.edges.%d", i)) != nil; i++ {
			at := fmt.Sprintf("caseEvents.edges.%d.", i)
			if a.Text(at+"cursor") != a.Text(at+"node.cursor") {
				t.Errorf("an edge and its event differ: %s", a.Raw)
			}
			cursors = append(cursors, a.Text(at+"cursor"))
		}
		after = a.Text("caseEvents.next")
		if a.At("caseEvents.pageInfo.hasNextPage") != true {
			return cursors
		}
	}
}

// settled waits until everything that is stored can be told: as long as a transaction of anybody in the cluster is older, it cannot.
func settled(t *testing.T, h *housetest.House) {
	t.Helper()
	db := h.Database()
	for still := true; still; {
		if err := db.QueryRow(t.Context(), "select exists (select from events where xid >= pg_snapshot_xmin(pg_current_snapshot()))").Scan(&still); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPollingFindsWhatAStreamTells(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	begin := h.As("kiel-caseworker").Ask(poll, map[string]any{"first": 0}).Works().Text("caseEvents.newest")
	for range 4 {
		c := h.As("kiel-applicant").Submit(parking, kiel)
		h.As("kiel-mailroom").Must("acceptCase", &c, nil)
		h.As("luebeck-applicant").Submit(parking, "010030000000")
	}
	for name, want := range map[string]int{"kiel-caseworker": 8, "luebeck-caseworker": 4, "kiel-applicant": 8, "sh-admin": 12} {
		s := h.As(name).Follow(stream, map[string]any{"after": begin})
		var told []string
		for len(told) < want { // checkpoints come in between where somebody else's transaction lasts longer
			if e := s.Next(); e.Type == "CaseEvent" {
				told = append(told, e.Cursor)
			}
		}
		for _, size := range []int{1, 3, 100} {
			if got := polled(t, h.As(name), size); !slices.Equal(got, told) {
				t.Errorf("%s finds %d of %d events in pages of %d", name, len(got), len(told), size)
			}
		}
	}
}

func TestAFilterChoosesTypesAndCases(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	a := h.As("kiel-applicant").Submit(parking, kiel)
	b := h.As("kiel-applicant").Submit(parking, kiel)
	h.As("kiel-mailroom").Must("acceptCase", &a, nil)
	settled(t, h)
	for _, c := range []struct {
		where map[string]any
		want  int
	}{
		{nil, 3},
		{map[string]any{"types": []string{"CASE_ACCEPTED"}}, 1},
		{map[string]any{"types": "CASE_OPENED"}, 2},
		{map[string]any{"types": []string{}}, 0},
		{map[string]any{"cases": map[string]any{"id": map[string]any{"eq": b.ID}}}, 1},
		{map[string]any{"cases": map[string]any{"state": []string{"ACCEPTED"}}}, 2}, // as they are now
		{map[string]any{"types": []string{"CASE_OPENED"}, "cases": map[string]any{"state": []string{"ACCEPTED"}}}, 1},
	} {
		got := h.As("kiel-caseworker").Ask(poll, map[string]any{"first": 100, "where": c.where}).Works()
		if list, _ := got.At("caseEvents.nodes").([]any); len(list) != c.want {
			t.Errorf("%v: %d events, not %d", c.where, len(list), c.want)
		}
	}
}

func TestWhatIsWrongWithTheQuestionIsToldAtOnce(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	who := h.As("kiel-caseworker")
	for _, c := range []struct {
		variables map[string]any
		rule      string
	}{
		{map[string]any{"after": "nonsense"}, "badCursor"},
		{map[string]any{"after": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}, "badCursor"},
		{map[string]any{"where": map[string]any{"cases": map[string]any{"id": map[string]any{"eq": "x"}}}}, "badId"},
	} {
		if s := who.Follow(stream, c.variables).Next(); s.Rule != c.rule {
			t.Errorf("%v: %s", c.variables, s.Raw)
		}
		c.variables["first"] = 1
		if a := who.Ask(poll, c.variables); len(a.Errors) != 1 || a.Errors[0].Extensions["rule"] != c.rule {
			t.Errorf("%v: %s", c.variables, a.Raw)
		}
	}
	for _, first := range []int{-1, 101} {
		if a := who.Ask(poll, map[string]any{"first": first}); len(a.Errors) != 1 || a.Errors[0].Extensions["rule"] != "range" {
			t.Errorf("first %d: %s", first, a.Raw)
		}
	}
	for _, seconds := range []int{0, 301} {
		s := who.Follow(fmt.Sprintf("subscription { caseEvents(heartbeatSeconds: %d) { __typename } }", seconds), nil).Next()
		if s.Rule != "range" {
			t.Errorf("heartbeat %d: %s", seconds, s.Raw)
		}
	}
	// A cursor of a list is none of the log.
	list := who.Ask("{ cases(first: 1) { edges { cursor } } }", nil).Works()
	_ = list
}

// TestAFeedOfSomeTypesIsWhatThoseOfAllTypesHaveOfThem asks whoever reads one place, several and their own cases only, for types that have an index and others.
func TestAFeedOfSomeTypesIsWhatThoseOfAllTypesHaveOfThem(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	for range 3 {
		c := h.As("kiel-applicant").Submit(parking, kiel)
		h.As("kiel-mailroom").Must("discardCase", &c, map[string]any{"reason": "Doppelt"})
		c = h.As("luebeck-applicant").Submit(parking, "010030000000")
		h.As("luebeck-caseworker").Must("acceptCase", &c, nil)
	}
	settled(t, h)
	typed := func(c *housetest.Caller, types ...string) (found []string) {
		a := c.Ask(poll, map[string]any{"first": 100, "where": map[string]any{"types": types}}).Works()
		for i := 0; a.At(fmt.Sprintf("caseEvents.edges.%d", i)) != nil; i++ {
			found = append(found, a.Text(fmt.Sprintf("caseEvents.edges.%d.node.cursor", i)))
		}
		return found
	}
	for name, some := range map[string]bool{"kiel-caseworker": true, "luebeck-caseworker": false, "kiel-applicant": true, "sh-admin": true} {
		who := h.As(name)
		for _, types := range [][]string{{"CASE_DISCARDED"}, {"CASE_ERASED", "CASE_DISCARDED"}, {"CASE_OPENED", "CASE_DISCARDED"}, {"CASE_ACCEPTED"}} {
			all := who.Ask(poll, map[string]any{"first": 100}).Works()
			var want []string
			for i := 0; all.At(fmt.Sprintf("caseEvents.edges.%d", i)) != nil; i++ {
				if at := fmt.Sprintf("caseEvents.edges.%d.node.", i); slices.Contains(types, all.Text(at+"type")) {
					want = append(want, all.Text(at+"cursor"))
				}
			}
			got := typed(who, types...)
			if !slices.Equal(got, want) {
				t.Errorf("%s finds %d events of %v, and %d among all", name, len(got), types, len(want))
			}
			if slices.Contains(types, "CASE_DISCARDED") && !slices.Contains(types, "CASE_OPENED") && (len(got) > 0) != some {
				t.Errorf("%s finds %d that were discarded", name, len(got))
			}
		}
	}
}
