// SPDX-License-Identifier: EUPL-1.2

package lab_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/cmd"
	"github.com/ozg-cloud/platform/federation/book"
	"github.com/ozg-cloud/platform/federation/lab"
	"github.com/ozg-cloud/platform/internal/housetest"
	"github.com/ozg-cloud/platform/statistics"
)

const askAll = `query($measures: [StatisticsMeasure!]!, $by: [StatisticsAxis!], $from: String!, $to: String!, $options: FederatedOptions) {
	federation { statistics(measures: $measures, groupBy: $by, from: $from, to: $to, options: $options) {
		meta { question asOf complete expected answered coverage members { member { id } state reason edition statement } }
		axes scheme noise rows { at figures { measure count margin } }
	} }
}`

// all is what a house tells of everybody.
type all struct {
	Meta struct {
		Complete           bool
		Expected, Answered int
		Members            []struct {
			Member    struct{ ID string }
			State     string
			Reason    *string
			Statement *string
		}
	}
	Rows []struct {
		At      []string
		Figures []struct{ Count int }
	}
}

// months is a year that is over.
func months(h *lab.House) (from, to string) {
	now := h.Clock.Now()
	return statistics.MonthBefore(now, 12), statistics.MonthBefore(now, 1)
}

// asks asks everybody, for whoever reads the statistics of the first house.
func asks(t *testing.T, h *lab.House, measure string, options map[string]any) (all, housetest.Answer) {
	t.Helper()
	from, to := months(h)
	a := h.As("federation-analyst").Ask(askAll, map[string]any{
		"measures": []string{measure}, "by": []string{"LAND", "MONTH"}, "from": from, "to": to, "options": options,
	})
	text, err := json.Marshal(a.Data["federation"])
	if err != nil {
		t.Fatal(err)
	}
	var out struct{ Statistics *all }
	if err := json.Unmarshal(text, &out); err != nil || out.Statistics == nil {
		t.Fatalf("%v: %v", err, a.Errors)
	}
	return *out.Statistics, a
}

func (a all) states() string {
	var out []string
	for _, m := range a.Meta.Members {
		out = append(out, m.State)
	}
	return strings.Join(out, " ")
}

// patient is a deadline that nobody misses who answers at all.
var patient = map[string]any{"deadlineMillis": 9_000}

func TestFourHousesTellOneStatisticAndNobodyIsMissingWithoutBeingNamed(t *testing.T) {
	everything := ""
	for _, c := range statistics.Standard().Cubes() {
		for _, m := range c.Measures {
			everything += fmt.Sprintf("p, role:member, figures.%s.land, ask, federation\n", m.Measure)
		}
	}
	l := lab.New(t, 4, func(i int, g *cmd.Ground) {
		consent := everything
		if i == 3 {
			consent = "p, role:member, figures.applications.land, ask, federation\n"
		}
		if err := g.Seat.Agreed(consent); err != nil {
			t.Fatal(err)
		}
	})
	for i, h := range l.Houses {
		h.Seed(150+50*i, uint64(i))
		if err := h.Tally.Rebuild(t.Context(), func(int) {}); err != nil {
			t.Fatal(err)
		}
	}
	first := l.Houses[0]

	// Everybody is well: what all tell is what each tells of itself, noise included.
	told, _ := asks(t, first, "APPLICATIONS", patient)
	if told.states() != "ANSWERED ANSWERED ANSWERED ANSWERED" || !told.Meta.Complete {
		t.Fatalf("they are %s", told.states())
	}
	rows := map[string]int{}
	for _, r := range told.Rows {
		rows[strings.Join(r.At, " ")] = r.Figures[0].Count
	}
	from, to := months(first)
	checked := 0
	for _, h := range l.Houses {
		own := h.As("federation-analyst").Ask(`query($s: String!, $from: String!, $to: String!) {
			caseStatistics(scope: $s, product: PROTECTED, measures: [APPLICATIONS], groupBy: [MONTH], from: $from, to: $to) { rows { at figures { count } } }
		}`, map[string]any{"s": h.Seat.Land, "from": from, "to": to}).Works()
		list, _ := own.At("caseStatistics.rows").([]any)
		for i := range list {
			month, _ := own.At(fmt.Sprintf("caseStatistics.rows.%d.at.0", i)).(string)
			at := string(h.Seat.Member) + " " + month
			if n := own.Number(fmt.Sprintf("caseStatistics.rows.%d.figures.0.count", i)); rows[at] != n {
				t.Errorf("%s is told as %d, and its house says %d", at, rows[at], n)
			}
			checked++
		}
	}
	of := func(i int) (n int) { // rows of a member
		for at := range rows {
			if strings.HasPrefix(at, string(l.Houses[i].Seat.Member)+" ") {
				n++
			}
		}
		return n
	}
	if of(0) == 0 || checked != len(rows) || checked < 4 {
		t.Errorf("%d rows are told, and the houses tell %d", len(rows), checked)
	}

	// What cannot be asked is refused before anybody is asked.
	for rule, options := range map[string]map[string]any{
		"range": {"deadlineMillis": 1}, "unknownValue": {"members": []string{"https://nobody.example"}}, "required": {"members": []string{}},
		"maxLength": {"purpose": strings.Repeat("x", 65)},
	} {
		a := first.As("federation-analyst").Ask(askAll, map[string]any{"measures": []string{"OPEN"}, "by": []string{"MONTH"}, "from": from, "to": to, "options": options})
		if len(a.Errors) != 1 || a.Errors[0].Extensions["rule"] != rule {
			t.Errorf("%v: %s", options, a.Raw)
		}
	}
	for rule, by := range map[string][]string{"required": {"DISTRICT", "MONTH"}, "freeUnion": {}, "tableNotPublished": {"LAND", "OUTCOME", "SERVICE", "MONTH"}} {
		a := first.As("federation-analyst").Ask(askAll, map[string]any{"measures": []string{"DECIDED"}, "by": by, "from": from, "to": to})
		if len(a.Errors) != 1 || a.Errors[0].Extensions["rule"] != rule {
			t.Errorf("%v: %s", by, a.Raw)
		}
	}

	// Another house is told the same bytes, and nobody is asked a second time.
	other, _ := asks(t, l.Houses[2], "APPLICATIONS", patient)
	for i, m := range other.Meta.Members {
		if m.Statement == nil || *m.Statement != *told.Meta.Members[i].Statement {
			t.Errorf("member %d tells house 2 something else", i)
		}
	}
	before := l.Houses[1].Front.Asked()
	if again, _ := asks(t, first, "APPLICATIONS", patient); again.states() != "ANSWERED CACHED CACHED CACHED" || l.Houses[1].Front.Asked() != before {
		t.Errorf("they are %s", again.states())
	}

	// The same, by the field that was there before.
	scope := first.As("federation-analyst").Ask(`query($from: String!, $to: String!) {
		caseStatistics(scope: "federation", product: PROTECTED, measures: [APPLICATIONS], groupBy: [LAND, MONTH], from: $from, to: $to) {
			contributions { member } missing { member reason } rows { at figures { count } }
		}
	}`, map[string]any{"from": from, "to": to}).Works()
	if list, _ := scope.At("caseStatistics.rows").([]any); len(list) != len(rows) || scope.At("caseStatistics.contributions.3.member") != string(l.Houses[3].Seat.Member) {
		t.Errorf("the statistics of the federation have %d rows", len(list))
	}

	// One is cut off, one lies, one has not agreed.
	l.Houses[1].Front.Break(lab.Cut)
	l.Houses[2].Front.Break(lab.Changed(func(body []byte) []byte {
		return bytes.Replace(body, []byte(`"receipt":"e`), []byte(`"receipt":"f`), 1)
	}))
	told, _ = asks(t, first, "DECIDED", patient)
	if told.states() != "ANSWERED UNREACHABLE REJECTED DECLINED" || told.Meta.Complete || told.Meta.Expected != 4 || told.Meta.Answered != 1 {
		t.Errorf("they are %s", told.states())
	}
	for _, r := range told.Rows {
		if r.At[0] != string(first.Seat.Member) {
			t.Errorf("%s counts", r.At[0])
		}
	}
	told, answer := asks(t, first, "DECIDED", map[string]any{"deadlineMillis": 9_000, "partial": "REQUIRE_COMPLETE"})
	if told.Rows != nil || len(answer.Errors) != 1 || answer.Errors[0].Extensions["rule"] != "notComplete" || len(told.Meta.Members) != 4 {
		t.Errorf("not everybody has answered, and %d rows are told with %v", len(told.Rows), answer.Errors)
	}
	l.Houses[1].Front.Mend()
	l.Houses[2].Front.Mend()

	// One is suspended: what it said before does not count any more.
	first.Learn(book.Bundle{Suspensions: []string{string(l.Suspend(1))}})
	first.Clock.Forward(2 * time.Second)
	if told, _ = asks(t, first, "APPLICATIONS", patient); told.states() != "ANSWERED SUSPENDED CACHED CACHED" {
		t.Errorf("they are %s", told.states())
	}

	// The Land that was asked reads what it was asked, and whoever reads figures only does not know that there is such a book.
	const answered = `{ federation { answered(first: 10) { index memberId purpose role cells outcome reason measures request } contradictions { memberId } } }`
	asked := l.Houses[3]
	read := asked.Give("by-book", authz.Role("AUDITOR"), "federation", "").Ask(answered, nil).Works()
	list, _ := read.At("federation.answered").([]any)
	if len(list) != 4 { // 2 and 0 for applications, 0 twice for decided
		t.Fatalf("it was asked %d times", len(list))
	}
	if read.At("federation.answered.0.outcome") != "DECLINED" || read.At("federation.answered.0.reason") != "consent" ||
		read.At("federation.answered.3.outcome") != "ANSWERED" || read.At("federation.answered.3.memberId") != string(first.Seat.Member) ||
		read.Number("federation.answered.3.cells") != of(3) || read.Number("federation.answered.3.index") != 0 || read.At("federation.answered.3.role") != "LAND_ANALYST" {
		t.Errorf("it reads %s", read.Raw)
	}
	if bytes.Contains(read.Raw, []byte("federation-analyst")) {
		t.Error("who asked stands there by name")
	}
	if a := asked.As("federation-analyst").Ask(answered, nil); len(a.Errors) == 0 || bytes.Contains(a.Raw, []byte("memberId\":")) {
		t.Errorf("whoever reads figures reads %s", a.Raw)
	}
}
