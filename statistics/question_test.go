// SPDX-License-Identifier: EUPL-1.2

package statistics_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/statistics"
)

// now is the tenth of November 2026: October is over, November is not.
var now = time.Date(2026, 11, 10, 12, 0, 0, 0, time.UTC)

func isProblem(err error, rule string) bool {
	p, ok := problem.Of(err)
	return ok && p.Kind == problem.Invalid && p.Rule == rule
}

func protected(change func(*statistics.Question)) statistics.Question {
	q := statistics.Question{
		Product: statistics.Protected, Measures: []statistics.Measure{statistics.Applications}, By: []statistics.Axis{statistics.Service},
		Scope: statistics.Land, From: "2026-10", To: "2026-10", Now: now,
	}
	if change != nil {
		change(&q)
	}
	return q
}

func TestWhatIsPublishedIsAnswered(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		question statistics.Question
		table    statistics.Table
		axes     []statistics.Axis
	}{
		"a Land by service": {protected(nil), statistics.Table{statistics.Land, statistics.Service, statistics.Month}, []statistics.Axis{statistics.Service}},
		"by district and month": {protected(func(q *statistics.Question) {
			q.By, q.From = []statistics.Axis{statistics.Month, statistics.District}, "2025-11"
		}), statistics.Table{statistics.District, statistics.Month}, []statistics.Axis{statistics.District, statistics.Month}},
		"one node of many": {protected(func(q *statistics.Question) {
			q.By, q.Where = nil, []statistics.Filter{{statistics.District, []string{"kiel"}}}
		}), statistics.Table{statistics.District, statistics.Month}, []statistics.Axis{}},
		"several nodes, each for itself": {protected(func(q *statistics.Question) {
			q.By, q.Where = []statistics.Axis{statistics.District}, []statistics.Filter{{statistics.District, []string{"kiel", "plon"}}}
		}), statistics.Table{statistics.District, statistics.Month}, []statistics.Axis{statistics.District}},
		"the median": {protected(func(q *statistics.Question) {
			q.Measures = []statistics.Measure{statistics.TimeToDecision, statistics.DecidedCases}
		}), statistics.Table{statistics.Land, statistics.Service, statistics.Month}, []statistics.Axis{statistics.Service}},
	} {
		p, err := statistics.Standard().Plan(row.question)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !slices.Equal(p.Table, row.table) || !slices.Equal(p.Axes, row.axes) {
			t.Errorf("%s: the table %v with rows by %v", name, p.Table, p.Axes)
		}
	}
}

func TestARefusalSaysWhatWasWrong(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		change func(*statistics.Question)
		rule   string
	}{
		"no such product": {func(q *statistics.Question) { q.Product = "RAW" }, "unknownValue"},
		"nothing asked":   {func(q *statistics.Question) { q.Measures = nil }, "required"},
		"no such measure": {func(q *statistics.Question) { q.Measures = []statistics.Measure{"shoeSize"} }, "unknownValue"},
		"a measure twice": {func(q *statistics.Question) { q.Measures = append(q.Measures, q.Measures[0]) }, "askedTwice"},
		"an axis twice":   {func(q *statistics.Question) { q.By = append(q.By, q.By[0]) }, "askedTwice"},
		"a filter twice": {func(q *statistics.Question) {
			q.Where = slices.Repeat([]statistics.Filter{{statistics.Service, []string{"a"}}}, 2)
		}, "askedTwice"},
		"an empty filter":      {func(q *statistics.Question) { q.Where = []statistics.Filter{{statistics.Service, nil}} }, "required"},
		"too many axes":        {func(q *statistics.Question) { q.By = make([]statistics.Axis, 7) }, "tooMany"},
		"no such scope":        {func(q *statistics.Question) { q.Scope = statistics.Service }, "unknownValue"},
		"no month":             {func(q *statistics.Question) { q.From = "october" }, "pattern"},
		"a period backwards":   {func(q *statistics.Question) { q.From = "2026-11" }, "range"},
		"a period too long":    {func(q *statistics.Question) { q.From = "1990-01" }, "tooMany"},
		"no period":            {func(q *statistics.Question) { q.From, q.To = "", "" }, "pattern"},
		"a month that goes on": {func(q *statistics.Question) { q.To = "2026-11" }, "openPeriod"},
		"months added up":      {func(q *statistics.Question) { q.From = "2026-01" }, "freeUnion"},
		"services added up": {func(q *statistics.Question) {
			q.By, q.Where = nil, []statistics.Filter{{statistics.Service, []string{"a", "b"}}}
		}, "freeUnion"},
		"services within groups": {func(q *statistics.Question) {
			q.By, q.Where = []statistics.Axis{statistics.ServiceGroup}, []statistics.Filter{{statistics.Service, []string{"a", "b"}}}
		}, "freeUnion"},
		"a table not published":    {func(q *statistics.Question) { q.By = []statistics.Axis{statistics.Authority, statistics.Service} }, "tableNotPublished"},
		"channel alone":            {func(q *statistics.Question) { q.By = []statistics.Axis{statistics.Channel} }, "tableNotPublished"},
		"a filter makes the table": {func(q *statistics.Question) { q.Where = []statistics.Filter{{statistics.Channel, []string{"PORTAL"}}} }, "tableNotPublished"},
		"bins not published": {func(q *statistics.Question) {
			q.Measures, q.By = []statistics.Measure{statistics.TimeToDecision}, []statistics.Axis{statistics.District, statistics.Service}
		}, "tableNotPublished"},
		"what is not counted": {func(q *statistics.Question) {
			q.Measures, q.By = []statistics.Measure{statistics.DeliveryFailures}, []statistics.Axis{statistics.Outcome}
		}, "axisNotMeasured"},
		"a field of a Land": {func(q *statistics.Question) { q.By = []statistics.Axis{"EXTENSION_DEICHNAEHE"} }, "axisNotMeasured"},
		"nobody's axis":     {func(q *statistics.Question) { q.By = []statistics.Axis{statistics.Duration} }, "axisNotMeasured"},
	} {
		if _, err := statistics.Standard().Plan(protected(row.change)); !isProblem(err, row.rule) {
			t.Errorf("%s: %v, not %s", name, err, row.rule)
		}
	}
}

func TestExactFiguresAreFreeWithinOnesOwn(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*statistics.Question){
		"months added up":   func(q *statistics.Question) { q.From = "2026-01" },
		"the month that is": func(q *statistics.Question) { q.To = "2026-11" },
		"services added up": func(q *statistics.Question) { q.Where = []statistics.Filter{{statistics.Service, []string{"a", "b"}}} },
		"any combination": func(q *statistics.Question) {
			q.By = []statistics.Axis{statistics.Authority, statistics.Service, statistics.Channel, statistics.State}
		},
		"a field of the Land": func(q *statistics.Question) {
			q.By, q.Fields = []statistics.Axis{"EXTENSION_DEICHNAEHE"}, map[statistics.Axis]int64{"EXTENSION_DEICHNAEHE": 7}
		},
		"what is open at once": func(q *statistics.Question) {
			q.Measures, q.From, q.To = []statistics.Measure{statistics.OpenCases}, "", ""
		},
	} {
		if _, err := statistics.Standard().Plan(protected(func(q *statistics.Question) { q.Product = statistics.Exact; change(q) })); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, row := range map[string]struct {
		by   []statistics.Axis
		rule string
	}{
		"a field of nobody":       {[]statistics.Axis{"EXTENSION_DEICHNAEHE"}, "unknownValue"},
		"two fields at once":      {[]statistics.Axis{"EXTENSION_A", "EXTENSION_B"}, "axisNotMeasured"},
		"a field from day to day": {[]statistics.Axis{"EXTENSION_A", statistics.Day}, "axisNotMeasured"},
	} {
		plan, err := statistics.Standard().Plan(protected(func(q *statistics.Question) {
			q.Product, q.By, q.Fields = statistics.Exact, row.by, map[statistics.Axis]int64{"EXTENSION_A": 7, "EXTENSION_B": 8}
		}))
		if err == nil {
			_, err = plan.Shape()
		}
		if !isProblem(err, row.rule) {
			t.Errorf("%s: %v, not %s", name, err, row.rule)
		}
	}
	for name, change := range map[string]func(*statistics.Question){
		"what was received ever": func(q *statistics.Question) {},
		"by month of no period": func(q *statistics.Question) {
			q.Measures, q.By = []statistics.Measure{statistics.OpenCases}, []statistics.Axis{statistics.Month}
		},
	} {
		if _, err := statistics.Standard().Plan(protected(func(q *statistics.Question) { q.Product, q.From, q.To = statistics.Exact, "", ""; change(q) })); !isProblem(err, "required") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever is asked: an answer across tenants is a published table, of one cell for each row, of months that are over.
func TestNoQuestionAcrossTenantsFormsASumOfCells(t *testing.T) {
	t.Parallel()
	catalogue := statistics.Standard()
	axes := []statistics.Axis{
		statistics.Land, statistics.District, statistics.Authority, statistics.ServiceGroup, statistics.Service, statistics.Month, statistics.Day,
		statistics.State, statistics.Channel, statistics.TrustLevel, statistics.Outcome, statistics.Duration, "EXTENSION_X", "other", "",
	}
	var measures []statistics.Measure
	for _, c := range catalogue.Cubes() {
		for _, m := range c.Measures {
			measures = append(measures, m.Measure)
		}
	}
	answered := 0
	rapid.Check(t, func(t *rapid.T) {
		q := statistics.Question{
			Product:  statistics.Protected,
			Measures: rapid.SliceOfN(rapid.SampledFrom(measures), 1, 3).Draw(t, "measures"),
			By:       rapid.SliceOfN(rapid.SampledFrom(axes), 0, 4).Draw(t, "by"),
			Scope:    rapid.SampledFrom([]statistics.Axis{"", statistics.Land, statistics.District, statistics.Authority}).Draw(t, "scope"),
			From:     rapid.SampledFrom([]string{"2026-08", "2026-10", "2026-11", ""}).Draw(t, "from"), Now: now,
		}
		q.To = rapid.SampledFrom([]string{q.From, "2026-10", "2026-11"}).Draw(t, "to")
		for _, a := range rapid.SliceOfN(rapid.SampledFrom(axes), 0, 2).Draw(t, "where") {
			q.Where = append(q.Where, statistics.Filter{Axis: a, Values: rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 1, 3).Draw(t, "values")})
		}
		p, err := catalogue.Plan(q)
		if err != nil {
			if _, ok := problem.Of(err); !ok {
				t.Fatalf("%+v: %v", q, err)
			}
			return
		}
		answered++
		// The oracle: every axis of a cell is fixed by the row, by a filter of one value, or by the one month.
		for _, a := range p.Table {
			fixed := slices.Contains(p.Axes, a) || a == statistics.Month && q.From == q.To || a == q.Scope
			for _, f := range p.Where {
				fixed = fixed || f.Axis == a && len(f.Values) == 1
			}
			if !fixed {
				t.Fatalf("%+v adds up values of %s", q, a)
			}
		}
		for _, f := range p.Where {
			if !slices.Contains(p.Table, f.Axis) && len(f.Values) > 1 && !finer(p.Table, f.Axis) {
				t.Fatalf("%+v forms a union of %s", q, f.Axis)
			}
		}
		if q.To > "2026-10" {
			t.Fatalf("%+v is answered before the month is over", q)
		}
	})
	if answered < 3 {
		t.Logf("only %d questions were answered", answered)
	}
}

func finer(t statistics.Table, a statistics.Axis) bool {
	known := map[statistics.Axis][]statistics.Axis{
		statistics.Land: {statistics.District, statistics.Authority}, statistics.District: {statistics.Authority},
		statistics.ServiceGroup: {statistics.Service}, statistics.Month: {statistics.Day},
	}
	return slices.ContainsFunc(known[a], func(f statistics.Axis) bool { return slices.Contains(t, f) })
}

func TestAMonthBeginsAndEndsInBerlin(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 9, 30, 22, 30, 0, 0, time.UTC)
	if statistics.MonthOf(at) != "2026-10" || statistics.DayOf(at) != "2026-10-01" || statistics.MonthOf(at.Add(-time.Hour)) != "2026-09" {
		t.Errorf("%s is in %s, on %s", at, statistics.MonthOf(at), statistics.DayOf(at))
	}
	for instant, months := range map[time.Time][2]string{ // the month before, and the one a year before
		at: {"2026-09", "2025-10"}, at.Add(-time.Hour): {"2026-08", "2025-09"},
		time.Date(2026, 10, 31, 22, 30, 0, 0, time.UTC): {"2026-09", "2025-10"}, // the month before has fewer days
		time.Date(2026, 12, 31, 23, 30, 0, 0, time.UTC): {"2026-12", "2026-01"},
	} {
		if got := [2]string{statistics.MonthBefore(instant, 1), statistics.MonthBefore(instant, 12)}; got != months {
			t.Errorf("before %s lie %v instead of %v", instant, got, months)
		}
	}
	end, ok := statistics.EndOf("2026-10")
	if want := time.Date(2026, 10, 31, 23, 0, 0, 0, time.UTC); !ok || !end.Equal(want) {
		t.Errorf("October ends at %s", end)
	}
	for _, bad := range []string{"", "2026", "2026-13", "2026-1", "2026-10-01", strings.Repeat("9", 100)} {
		if _, ok := statistics.EndOf(bad); ok {
			t.Errorf("%q is a month", bad)
		}
	}
}

func TestTheGroupOfAServiceStandsInItsKey(t *testing.T) {
	t.Parallel()
	if got := statistics.Group("99050012104000"); got != "050" {
		t.Errorf("the group is %q", got)
	}
	if statistics.Group("99") != "" {
		t.Error("no key has a group")
	}
}
