// SPDX-License-Identifier: EUPL-1.2

package housetest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/internal/housetest"
)

// expired is a token of Kiel's caseworker that has expired so long ago.
func expired(h *housetest.House, ago time.Duration) *housetest.Caller {
	at := time.Now().Add(-ago)
	return h.Bearing(h.Token("kiel-caseworker", map[string]any{"trust_level": "SUBSTANTIAL", "iat": at.Add(-time.Hour).Unix(), "exp": at.Unix()}, 0))
}

// TestAStreamGoesOnForHalfAMinuteAfterItsTokenAndEndsThen does not wait for half a minute: the token has expired 28 seconds ago.
func TestAStreamGoesOnForHalfAMinuteAfterItsTokenAndEndsThen(t *testing.T) {
	h := housetest.New(t)
	const document = `subscription { caseEvents(heartbeatSeconds: 1) { __typename } }`
	begun := time.Now()
	late := expired(h, 28*time.Second)
	for name, s := range map[string]*housetest.Stream{"a socket": late.Follow(document, nil), "an event stream": late.Listen(document, nil, "")} {
		checkpoints := 0
		told := s.Next()
		for ; told.Type == "StreamCheckpoint"; told = s.Next() {
			checkpoints++
		}
		if checkpoints == 0 || told.Type != "" || time.Since(begun) < time.Second {
			t.Errorf("%s: %d checkpoints after the token, and then %q after %v", name, checkpoints, told.Raw, time.Since(begun))
		}
		if name == "a socket" && !strings.Contains(told.Raw, "4403") {
			t.Errorf("%s ends with %q", name, told.Raw)
		}
	}
	// The twin: half a minute is no more than that.
	if told := expired(h, 32*time.Second).Follow(document, nil).Next(); told.Type != "" || !strings.Contains(told.Raw, "4403") {
		t.Errorf("a token that expired long ago is told %q", told.Raw)
	}
}
