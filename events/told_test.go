// SPDX-License-Identifier: EUPL-1.2

package events_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ozg-cloud/platform/internal/housetest"
)

var upToNow = strings.Replace(stream, "heartbeatSeconds: 300", "follow: false", 1)

func TestAStreamThatDoesNotFollowIsCompleteAsSoonAsEverythingIsTold(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	begin := h.As("kiel-caseworker").Ask(poll, map[string]any{"first": 0}).Works().Text("caseEvents.newest")
	c := h.As("kiel-applicant").Submit(parking, kiel)
	h.As("kiel-mailroom").Must("acceptCase", &c, nil)

	for name, open := range map[string]func(after string) *housetest.Stream{
		"socket": func(after string) *housetest.Stream {
			return h.As("kiel-caseworker").Follow(upToNow, map[string]any{"after": after})
		},
		"event stream": func(after string) *housetest.Stream { return h.As("kiel-caseworker").Listen(upToNow, nil, after) },
	} {
		t.Run(name, func(t *testing.T) {
			var told []string
			for after := begin; len(told) < 2; { // what waits for somebody else's transaction is told the next time
				s := open(after)
				var last housetest.Told
				for e := s.Next(); e.Raw != "EOF"; e = s.Next() {
					if last, after = e, e.Cursor; e.Type == "CaseEvent" {
						told = append(told, e.Text("type"))
					}
				}
				if last.Type != "StreamCheckpoint" || last.Frame["caughtUp"] != true {
					t.Fatalf("it ends with %s", last.Raw)
				}
			}
			if !slices.Equal(told, []string{"CASE_OPENED", "CASE_ACCEPTED"}) {
				t.Errorf("told: %q", told)
			}
		})
	}
}
