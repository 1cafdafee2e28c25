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

func TestAVerbTellsWhereItsEventStands(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	s := h.As("kiel-caseworker").Follow(stream, nil)
	checkpoint(t, s)
	c := h.As("kiel-applicant").Submit(parking, kiel)
	event(t, s, "CASE_OPENED")
	accept := `mutation($id: ID!, $seen: Int!) { acceptCase(input: { caseId: $id, expectedRevision: $seen }) { cursor problems { __typename } } }`
	a := h.As("kiel-mailroom").Ask(accept, map[string]any{"id": c.ID, "seen": 1}).Works()
	if e := event(t, s, "CASE_ACCEPTED"); e.Cursor != a.Text("acceptCase.cursor") {
		t.Errorf("the verb tells %q, the stream %q", a.Text("acceptCase.cursor"), e.Cursor)
	}
	if a := h.As("kiel-mailroom").Ask(accept, map[string]any{"id": c.ID, "seen": 1}).Works(); a.At("acceptCase.cursor") != nil {
		t.Errorf("a verb that changed nothing has a place: %s", a.Raw)
	}
}

func TestAConversationIsToldMessageByMessage(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	c := h.As("kiel-applicant").Submit(parking, kiel)
	conversation := `subscription($case: ID!, $after: EventCursor) { messages(caseId: $case, after: $after, heartbeatSeconds: 300) { __typename
		... on MessageEvent { cursor type message { id subject direction } } ... on StreamCheckpoint { cursor } } }`
	of := func(name string) *housetest.Stream {
		s := h.As(name).Follow(conversation, map[string]any{"case": c.ID})
		if e := s.Next(); e.Type != "StreamCheckpoint" {
			t.Fatalf("no checkpoint: %s", e.Raw)
		}
		return s
	}
	streams := []*housetest.Stream{of("kiel-applicant"), of("kiel-caseworker")}
	stranger := of("luebeck-caseworker")
	clerk := h.As("kiel-caseworker")
	clerk.Must("acceptCase", &c, nil)
	clerk.Must("startCase", &c, nil)
	clerk.Must("sendMessage", &c, map[string]any{"subject": "Parkausweis", "body": "Er ist fertig.", "replyPolicy": "POSSIBLE"})
	clerk.Must("decideCase", &c, map[string]any{"outcome": "GRANTED", "channel": "PORTAL"})
	for _, s := range streams {
		for _, want := range []string{"MESSAGE_SENT", "CASE_DECIDED"} {
			e := s.Next()
			message, _ := e.Frame["message"].(map[string]any)
			if e.Text("type") != want || message["direction"] != "TO_APPLICANT" || message["subject"] == nil {
				t.Errorf("not %s: %s", want, e.Raw)
			}
		}
		if more := s.Silent(); len(more) > 0 {
			t.Errorf("what is no message is told: %s", more[0].Raw)
		}
	}
	if heard := stranger.Silent(); len(heard) > 0 {
		t.Errorf("a stranger hears of %s", heard[0].Raw)
	}
}

// TestReceiversWithEqualRightsShareWhatIsReadButNotWhoReadIt: one reads the event for both, and each stands in the access log.
func TestReceiversWithEqualRightsShareWhatIsReadButNotWhoReadIt(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	h.Give("berta", "CASEWORKER", "kiel", "")
	personal := `subscription { caseEvents(heartbeatSeconds: 300) { __typename ... on CaseEvent { case { id applicant { name }
		attachments(first: 1) { nodes { url } } } } } }`
	names := []string{"kiel-caseworker", "berta"}
	streams := map[string]*housetest.Stream{}
	for _, name := range names {
		streams[name] = h.As(name).Follow(personal, nil)
		streams[name].Next()
	}
	h.As("kiel-applicant").Submit(parking, kiel)
	for _, s := range streams {
		if e := s.Next(); e.Type != "CaseEvent" {
			t.Fatalf("no event: %s", e.Raw)
		}
	}
	if err := h.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	var readers int
	if err := h.Database().QueryRow(t.Context(), "select count(distinct reader) from access_entries where fields ? 'Applicant.name'").Scan(&readers); err != nil || readers != len(names) {
		t.Errorf("%d readers stand in the access log, not %d: %v", readers, len(names), err)
	}
}
