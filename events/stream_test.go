// SPDX-License-Identifier: EUPL-1.2

package events_test

import (
	"fmt"
	"testing"

	"github.com/ozg-cloud/platform/internal/housetest"
)

const stream = `subscription($after: EventCursor, $where: CaseEventFilter) { caseEvents(after: $after, where: $where, heartbeatSeconds: 300) { __typename
	... on CaseEvent { cursor type at caseId revision case { id revision state number } }
	... on StreamCheckpoint { cursor caughtUp } ... on StreamGap { resumeAt } ... on StreamRevocation { cursor caseIds } } }`

// event fails the test unless an event of a type comes next, and gives it back.
func event(t *testing.T, s *housetest.Stream, typ string) housetest.Told {
	t.Helper()
	e := s.Next()
	if e.Type != "CaseEvent" || e.Text("type") != typ || e.Cursor != e.Text("cursor") || e.Cursor == "" {
		t.Fatalf("not %s: %s", typ, e.Raw)
	}
	return e
}

func checkpoint(t *testing.T, s *housetest.Stream) housetest.Told {
	t.Helper()
	e := s.Next()
	if e.Type != "StreamCheckpoint" || e.Frame["caughtUp"] != true || e.Cursor == "" {
		t.Fatalf("no checkpoint: %s", e.Raw)
	}
	return e
}

const (
	parking = "99108001001000"
	kiel    = "010020000000"
)

func TestAStreamBeginsWithACheckpointAndGoesOnWithWhatHappens(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	for name, open := range map[string]func(c *housetest.Caller) *housetest.Stream{
		"socket":       func(c *housetest.Caller) *housetest.Stream { return c.Follow(stream, nil) },
		"event stream": func(c *housetest.Caller) *housetest.Stream { return c.Listen(stream, nil, "") },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(h.As("kiel-caseworker"))
			checkpoint(t, s)
			c := h.As("kiel-applicant").Submit(parking, kiel)
			opened := event(t, s, "CASE_OPENED")
			if opened.Text("caseId") != c.ID || fmt.Sprint(opened.Frame["revision"]) != "1" {
				t.Errorf("%s", opened.Raw)
			}
			h.As("kiel-mailroom").Must("acceptCase", &c, nil)
			accepted := event(t, s, "CASE_ACCEPTED")
			shown, _ := accepted.Frame["case"].(map[string]any)
			if shown["id"] != c.ID || shown["state"] != "ACCEPTED" {
				t.Errorf("%s", accepted.Raw)
			}
			s.Close()

			// From behind the first event the second comes again, and with the same cursor.
			again := h.As("kiel-caseworker").Follow(stream, map[string]any{"after": opened.Cursor})
			if e := event(t, again, "CASE_ACCEPTED"); e.Cursor != accepted.Cursor {
				t.Errorf("the cursor of an event changes: %s", e.Raw)
			}
			checkpoint(t, again)
			resumed := h.As("kiel-caseworker").Listen(stream, nil, opened.Cursor)
			event(t, resumed, "CASE_ACCEPTED")
			checkpoint(t, resumed)
		})
	}
}
