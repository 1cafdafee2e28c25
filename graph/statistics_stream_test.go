// SPDX-License-Identifier: EUPL-1.2

package graph_test

import (
	"encoding/json"
	"maps"
	"testing"

	"github.com/ozg-cloud/platform/internal/housetest"
)

const watchOpen = `subscription($scope: String!, $every: Int!) { caseStatistics(scope: $scope, measures: [OPEN], groupBy: [STATE], everySeconds: $every) {
	__typename cursor rows { at figures { count } }
} }`

// open counts what is open in Schleswig-Holstein, by state.
func (b *bureau) open(who string, atLeast any) housetest.Answer {
	return b.As(who).Ask(`query($atLeast: EventCursor) { caseStatistics(scope: "sh", product: EXACT, measures: [OPEN], groupBy: [STATE], atLeast: $atLeast) { cursor rows { at figures { count } } } }`,
		map[string]any{"atLeast": atLeast})
}

// shown are the numbers in a frame.
func shown(t *testing.T, told housetest.Told) map[string]int {
	t.Helper()
	var read struct {
		Rows []struct {
			At      []string
			Figures []struct{ Count int }
		}
	}
	text, _ := json.Marshal(told.Frame)
	if err := json.Unmarshal(text, &read); err != nil || told.Rule != "" {
		t.Fatalf("%v: %s", err, told.Raw)
	}
	out := map[string]int{}
	for _, r := range read.Rows {
		out[r.At[0]] = r.Figures[0].Count
	}
	return out
}

// openAt is open when everything up to a position is counted, which transactions elsewhere on the server may hold up.
func (b *bureau) openAt(who, at string) housetest.Answer {
	b.Helper()
	for {
		if _, err := b.Tally.Fold(b.Context()); err != nil {
			b.Fatal(err)
		}
		if a := b.open(who, at); ruleOf(a) != "stillCounting" {
			return a
		}
	}
}

// accepted takes the oldest new case of Kiel, and gives the position of that.
func (b *bureau) accepted() string {
	b.Helper()
	clerk := b.As("kiel-caseworker")
	c := clerk.Ask(`{ cases(first: 1, where: { state: [NEW] }) { nodes { id revision } } }`, nil).Works()
	return clerk.Ask(`mutation($in: AcceptCaseInput!) { acceptCase(input: $in) { cursor case { id } } }`, map[string]any{"in": map[string]any{
		"caseId": c.Text("cases.nodes.0.id"), "expectedRevision": c.Number("cases.nodes.0.revision"),
	}}).Works().Text("acceptCase.cursor")
}

func TestWhoWatchesFiguresIsToldOfThoseThatChangeAndOfNothingElse(t *testing.T) {
	t.Parallel()
	b := newBureau(t)
	watcher := b.Give("sh-watcher", "LAND_ANALYST", "sh", "")
	asked := map[string]any{"scope": "sh", "every": 1}
	streams := map[string]*housetest.Stream{"a socket": watcher.Follow(watchOpen, asked), "an event stream": watcher.Listen(watchOpen, asked, "")}
	before := counts(b.open("sh-analyst", nil).Works())
	for name, s := range streams {
		if got := shown(t, s.Next()); len(before) < 3 || !maps.Equal(got, before) {
			t.Errorf("over %s: %v, and there are %v", name, got, before)
		}
	}
	// Who writes a note changes no figure: what is told next is what the acceptance changes.
	c := b.As("kiel-caseworker").Ask(`{ cases(first: 1, where: { state: [NEW] }) { nodes { id revision } } }`, nil).Works()
	b.As("kiel-caseworker").Do("commentOnCase", &housetest.Case{ID: c.Text("cases.nodes.0.id"), Revision: c.Number("cases.nodes.0.revision")}, map[string]any{"body": "Rückruf"}).Works()
	after := counts(b.openAt("sh-analyst", b.accepted()).Works())
	if maps.Equal(before, after) {
		t.Fatal("nothing has changed, so that this shows nothing")
	}
	for name, s := range streams {
		if got := shown(t, s.Next()); !maps.Equal(got, after) {
			t.Errorf("over %s: %v, and there are %v", name, got, after)
		}
	}
	// Who loses the right is told so, and nothing more.
	if _, err := b.db.Exec(t.Context(), "delete from role_assignments where subject = 'user:dev:sh-watcher'"); err != nil {
		t.Fatal(err)
	}
	b.openAt("sh-analyst", b.accepted())
	for name, s := range streams {
		if got := s.Next(); got.Rule != "notAllowed" || got.Frame != nil {
			t.Errorf("over %s, after the right was lost: %s", name, got.Raw)
		}
		if got := s.Next(); got.Frame != nil || got.Rule != "" {
			t.Errorf("over %s, after the end: %s", name, got.Raw)
		}
	}
}

// toldAfterDismissal watches the figures of Schleswig-Holstein for somebody who loses the right between two changes, and gives what the streams tell after it.
func (b *bureau) toldAfterDismissal() map[string]housetest.Told {
	b.Helper()
	watcher := b.Give("sh-dismissed", "LAND_ANALYST", "sh", "")
	asked := map[string]any{"scope": "sh", "every": 1}
	streams := map[string]*housetest.Stream{"a socket": watcher.Follow(watchOpen, asked), "an event stream": watcher.Listen(watchOpen, asked, "")}
	for name, s := range streams {
		if first := s.Next(); first.Rule != "" || first.Frame == nil {
			b.Fatalf("over %s, before: %s", name, first.Raw)
		}
	}
	if _, err := b.db.Exec(b.Context(), "delete from role_assignments where subject = 'user:dev:sh-dismissed'"); err != nil {
		b.Fatal(err)
	}
	b.openAt("sh-analyst", b.accepted())
	told := map[string]housetest.Told{}
	for name, s := range streams {
		told[name] = s.Next()
	}
	return told
}

func TestWhoHasLostTheRightNeverSeesAFigureThatChangedAfterIt(t *testing.T) {
	t.Parallel()
	for name, told := range newBureau(t).toldAfterDismissal() {
		if told.Rule != "notAllowed" || told.Frame != nil {
			t.Errorf("over %s: %s", name, told.Raw)
		}
	}
	// The twin: nobody hears of changed rights.
	deaf := newBureau(t)
	if _, err := deaf.db.Exec(t.Context(), "drop trigger rights_changed on role_assignments"); err != nil {
		t.Fatal(err)
	}
	for name, told := range deaf.toldAfterDismissal() {
		if told.Rule != "" || told.Frame == nil {
			t.Errorf("over %s nothing was told without the version of rights either: the test is of no use (%s)", name, told.Raw)
		}
	}
}

func TestFiguresOfOthersAreNotWatched(t *testing.T) {
	t.Parallel()
	b := newBureau(t)
	for scope, wants := range map[string]string{"sh": "notAllowed", "federation": "notAllowed", "nowhere": "notFound"} {
		if got := b.As("by-analyst").Follow(watchOpen, map[string]any{"scope": scope, "every": 1}).Next(); got.Rule != wants || got.Frame != nil {
			t.Errorf("%s: %s", scope, got.Raw)
		}
	}
	for _, every := range []int{0, -1, 301} {
		if got := b.As("by-analyst").Follow(watchOpen, map[string]any{"scope": "by", "every": every}).Next(); got.Rule != "range" {
			t.Errorf("every %d seconds: %s", every, got.Raw)
		}
	}
}

func TestWhoHasChangedSomethingReadsFiguresWithIt(t *testing.T) {
	t.Parallel()
	b := newBureau(t)
	before := counts(b.open("sh-analyst", nil).Works())
	at := b.accepted()
	if got := counts(b.open("sh-analyst", nil).Works()); !maps.Equal(got, before) { // the twin: without the position they may be older
		t.Error("figures have changed before anything was counted, so that this shows nothing")
	}
	if a := b.open("sh-analyst", at); ruleOf(a) != "stillCounting" || a.At("caseStatistics") != nil {
		t.Errorf("told although it is not counted: %s", a.Raw)
	}
	a := b.openAt("sh-analyst", at)
	if got := counts(a.Works()); maps.Equal(got, before) {
		t.Errorf("what was counted is not told: %v", got)
	}
	// What the answer says of its position is a position.
	b.open("sh-analyst", a.Text("caseStatistics.cursor")).Works()
	if a := b.open("sh-analyst", "qqqq"); ruleOf(a) != "badCursor" {
		t.Errorf("%s", a.Raw)
	}
}
