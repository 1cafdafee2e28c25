// SPDX-License-Identifier: EUPL-1.2

package reading_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/cmd"
	"github.com/ozg-cloud/platform/internal/housetest"
	"github.com/ozg-cloud/platform/reading"
)

// watched is a house with cases in which every read is repeated without the second wall.
func watched(t *testing.T) *housetest.House {
	t.Helper()
	h := housetest.New(t)
	h.Seed(200, 3)
	_, address := h.Login("in role ozg_serving, ozg_watching")
	return h.Another(func(g *cmd.Ground) { g.WatchURL, g.WatchEvery = address, 1 })
}

// caught asks until the alarm is raised: what is asked while the watch is busy is not repeated.
func caught(t *testing.T, h *housetest.House, ask func()) {
	t.Helper()
	before := h.Caught()
	for end := time.Now().Add(20 * time.Second); h.Caught() == before; ask() {
		if time.Now().After(end) {
			t.Fatal("no alarm")
		}
	}
}

func TestAGapInTheFirstWallIsAnAlarmAndHarmsNobody(t *testing.T) {
	h := watched(t)
	for name, c := range map[string]struct {
		who      string
		document string
		gap      func() (mend func())
	}{
		"rows, for a caseworker": {
			"luebeck-caseworker", "{ cases(first: 20) { nodes { id number messages(first: 5) { nodes { id } } } } }",
			func() func() { return reading.GapInRows(func(o authz.Object, _ string) bool { return o == "case" }) },
		},
		"rows, for an applicant": {
			"kiel-applicant", "{ cases(first: 20) { nodes { id number } } }",
			func() func() { return reading.GapInRows(func(o authz.Object, _ string) bool { return o == "case" }) },
		},
		"a count": {"luebeck-caseworker", "{ cases(first: 1) { totalCount } }", reading.GapInCounts},
	} {
		t.Run(name, func(t *testing.T) {
			whole := h.As(c.who).Ask(c.document, nil).Works()
			defer c.gap()()
			caught(t, h, func() {
				if got := h.As(c.who).Ask(c.document, nil).Works(); !bytes.Equal(got.Raw, whole.Raw) {
					t.Errorf("the second wall has let something through: %s instead of %s", got.Raw, whole.Raw)
				}
			})
		})
	}
	log := h.Log.String()
	if !strings.Contains(log, `"level":"ERROR","msg":"second wall","caught":"Query.cases: `) {
		t.Errorf("the log does not say what was caught: %s", log)
	}
	for line := range strings.Lines(log) {
		if strings.Contains(line, "second wall") && strings.Contains(line, "user:dev:") || strings.Contains(line, "could not be repeated") {
			t.Errorf("the log says %s", line)
		}
	}
}

// TestASoundHouseRaisesNoAlarm has everybody read everything, and at the end somebody read through a gap, of which alone the alarm tells: the watch looks at
// one read after the other.
func TestASoundHouseRaisesNoAlarm(t *testing.T) {
	h := watched(t)
	for _, who := range []string{"kiel-caseworker", "kiel-mailroom", "kiel-admin", "sh-admin", "kiel-applicant", "federation-analyst", "partner"} {
		for _, document := range []string{
			"{ cases(first: 30) { totalCount pageInfo { hasNextPage } nodes { id service { title } unit { name } messages(first: 9) { totalCount nodes { id attachments(first: 3) { nodes { id } } } } } } }",
			"{ cases(last: 10, where: { not: { overdue: true } }) { totalCount edges { cursor node { number } } } }",
			"{ tenants(first: 50) { nodes { slug parent { slug } units(first: 5) { totalCount nodes { name } } } } }",
		} {
			h.As(who).Ask(document, nil) // some may not ask for all of it
		}
	}
	defer reading.GapInCounts()()
	caught(t, h, func() { h.As("luebeck-caseworker").Ask("{ followUps(first: 1) { totalCount } }", nil).Works() })
	for line := range strings.Lines(h.Log.String()) {
		if strings.Contains(line, "second wall") && !strings.Contains(line, "Query.followUps: ") || strings.Contains(line, "could not be repeated") {
			t.Errorf("the log says %s", line)
		}
	}
}

func TestAWatchThatCannotLookIsNoHindrance(t *testing.T) {
	h := housetest.New(t)
	w := h.Another(func(g *cmd.Ground) { g.WatchURL, g.WatchEvery = "postgres://nobody@127.0.0.1:1/ozg?sslmode=disable", 1 })
	for range 10 {
		w.As("kiel-caseworker").Ask("{ cases(first: 5) { totalCount } }", nil).Works()
	}
	if w.Caught() != 0 {
		t.Error("an alarm was raised by nothing")
	}
}
