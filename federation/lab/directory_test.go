// SPDX-License-Identifier: EUPL-1.2

package lab_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/federation/book"
	"github.com/ozg-cloud/platform/federation/lab"
	"github.com/ozg-cloud/platform/internal/housetest"
)

const parking = "99108001001000"

// available asks a house who offers parking permits.
func available(h *lab.House, arguments string) housetest.Answer {
	return h.As("kiel-caseworker").Ask(`{ federation { availability(service: "`+parking+`" `+arguments+`) {
		total hasNextPage endCursor nodes { member { id } instance authority name territory } parts { member { id } state ageSeconds offers } } } }`, nil)
}

func spread(t *testing.T, houses ...*lab.House) {
	t.Helper()
	for range 2 { // the second round reads what the first has made everywhere
		for _, h := range houses {
			if err := h.Directory.Round(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestAHouseKnowsWhoOffersWhatInAllOthersWhileTheyCannotBeReached(t *testing.T) {
	l := lab.New(t, 4)
	h := l.Houses[0]
	if a := available(h, "").Works(); a.Number("federation.availability.total") != 0 || a.Text("federation.availability.parts.3.state") != "NEVER_HEARD" {
		t.Errorf("before anybody was heard: %s", a.Raw)
	}
	spread(t, l.Houses...)
	everything := available(h, "first: 100").Works()
	total := everything.Number("federation.availability.total")
	seen := map[string]int{}
	for i := range total {
		seen[everything.Text(fmt.Sprintf("federation.availability.nodes.%d.member.id", i))]++
	}
	if len(seen) < 2 || total > 100 {
		t.Fatalf("%d offers prove nothing: %s", total, everything.Raw)
	}

	// All others are cut off, and it stays as complete as before; only the age rises.
	for _, other := range l.Houses[1:] {
		other.Front.Break(lab.Cut)
	}
	h.Clock.Forward(time.Hour)
	if err := h.Directory.Round(t.Context()); err != nil {
		t.Fatal(err)
	}
	cut := available(h, "first: 100").Works()
	if cut.Number("federation.availability.total") != total {
		t.Errorf("something is missing: %s", cut.Raw)
	}
	for i := range l.Houses {
		part := fmt.Sprintf("federation.availability.parts.%d.", i)
		if age := cut.Number(part + "ageSeconds"); cut.Text(part+"state") != "KNOWN" || (age >= 3600) != (i > 0) {
			t.Errorf("of member %d: %s, %d s old", i, cut.Text(part+"state"), age)
		}
	}

	// Pages are those of the whole, each once.
	var paged []string
	for after, more := "", true; more; {
		page := available(h, "first: 1"+after).Works()
		paged = append(paged, page.Text("federation.availability.nodes.0.instance")+page.Text("federation.availability.nodes.0.authority")+page.Text("federation.availability.nodes.0.territory"))
		after, more = fmt.Sprintf(" after: %q", page.Text("federation.availability.endCursor")), page.At("federation.availability.hasNextPage") == true
	}
	if len(paged) != total {
		t.Errorf("%d on pages, %d in all", len(paged), total)
	}
	for i, p := range paged {
		at := fmt.Sprintf("federation.availability.nodes.%d.", i)
		if want := everything.Text(at+"instance") + everything.Text(at+"authority") + everything.Text(at+"territory"); p != want {
			t.Errorf("on page %d is %s, not %s", i, p, want)
		}
	}

	// One region has those who are responsible there.
	one := available(h, `region: "010020000000"`).Works()
	if one.Number("federation.availability.total") != 1 || one.Text("federation.availability.nodes.0.authority") != "kiel" {
		t.Errorf("in Kiel: %s", one.Raw)
	}

	// Who is suspended is not told any more, and said to be so.
	h.Learn(book.Bundle{Suspensions: []string{string(l.Suspend(1))}})
	without := available(h, "first: 100").Works()
	if got := without.Number("federation.availability.total"); got != total-seen[string(l.Houses[1].Seat.Member)] || without.Text("federation.availability.parts.1.state") != "SUSPENDED" {
		t.Errorf("with one suspended: %d of %d: %s", got, total, without.Raw)
	}
}

func TestOnlyWhatHasChangedIsReadAgain(t *testing.T) {
	l := lab.New(t, 2)
	spread(t, l.Houses...)
	h, other := l.Houses[0], l.Houses[1]
	asks := func() int64 {
		t.Helper()
		before := other.Front.Asked()
		if err := h.Directory.Round(t.Context()); err != nil {
			t.Fatal(err)
		}
		return other.Front.Asked() - before
	}
	if n := asks(); n != 1 {
		t.Errorf("%d questions while nothing has changed", n)
	}
	_, err := other.Database().Exec(t.Context(), `update service_offerings set valid_to = valid_from + 10000 where service_id = (select id from services where leika_key = $1)`, parking)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Directory.Round(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := asks(); n != 3 {
		t.Errorf("%d questions for the head, the index and one part", n)
	}
	if n := asks(); n != 1 {
		t.Errorf("%d questions after that", n)
	}
}

func TestAQuestionToTheDirectoryThatIsNoneIsRefused(t *testing.T) {
	l := lab.New(t, 1)
	spread(t, l.Houses...)
	for arguments, rule := range map[string]string{
		`first: 101`: "range", `first: -1`: "range", `after: "x"`: "badCursor", `region: "01"`: "pattern", `region: "01002000000x"`: "pattern",
	} {
		if a := available(l.Houses[0], arguments); len(a.Errors) != 1 || a.Errors[0].Extensions["rule"] != rule {
			t.Errorf("%s: %d %s", arguments, a.Status, a.Raw)
		}
	}
	a := available(l.Houses[0], "first: 1").Works()
	cursor := a.Text("federation.availability.endCursor")
	if b := available(l.Houses[0], fmt.Sprintf(`first: 1 region: "010020000000" after: %q`, cursor)); len(b.Errors) != 1 || b.Errors[0].Extensions["rule"] != "badCursor" {
		t.Errorf("a cursor of another question: %s", b.Raw)
	}
}
