// SPDX-License-Identifier: EUPL-1.2

package events_test

import (
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

	for name, s := range map[string]*housetest.Stream{
		"socket":       h.As("kiel-caseworker").Follow(upToNow, map[string]any{"after": begin}),
		"event stream": h.As("kiel-caseworker").Listen(upToNow, nil, begin),
	} {
		t.Run(name, func(t *testing.T) {
			event(t, s, "CASE_OPENED")
			event(t, s, "CASE_ACCEPTED")
			checkpoint(t, s)
			if e := s.Next(); e.Raw != "EOF" {
				t.Errorf("it goes on: %s", e.Raw)
			}
		})
	}
}
