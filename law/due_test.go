// SPDX-License-Identifier: EUPL-1.2

package law_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/law"
)

func days(n int) *int { return &n }

// deadlines were counted by hand on the calendar. Instants are UTC; want is empty where no deadline applies.
var deadlines = []struct {
	name       string
	completeAt string
	promise    *int
	fiction    bool
	want       string
}{
	{"neither", "2026-03-02 10:00", nil, false, ""},
	{"a promise of two weeks", "2026-03-02 10:00", days(14), false, "2026-03-16 22:59"},
	{"a promise for the same day", "2026-03-02 10:00", days(0), false, "2026-03-02 22:59"},
	{"a promise that ends on a Sunday stays", "2026-03-01 10:00", days(7), false, "2026-03-08 22:59"},
	{"a promise that ends on Christmas Day stays", "2026-12-18 10:00", days(7), false, "2026-12-25 22:59"},
	{"a promise into summer time", "2026-03-27 10:00", days(2), false, "2026-03-29 21:59"},
	{"a promise into winter time", "2026-10-24 10:00", days(1), false, "2026-10-25 22:59"},
	{"complete on a winter evening", "2026-01-14 22:30", days(1), false, "2026-01-15 22:59"},
	{"complete on a summer night", "2026-07-14 22:30", days(1), false, "2026-07-16 21:59"},
	{"a promise over a leap day", "2028-02-28 10:00", days(2), false, "2028-03-01 22:59"},

	{"three months", "2026-01-14 10:00", nil, true, "2026-04-14 21:59"},
	{"three months from a night", "2026-01-14 23:30", nil, true, "2026-04-15 21:59"},
	{"three months into a February without the day", "2026-11-30 10:00", nil, true, "2027-03-01 22:59"}, // the 28th is a Sunday
	{"three months into a leap February", "2027-11-30 10:00", nil, true, "2028-02-29 22:59"},
	{"three months into a month without the 31st", "2026-03-31 10:00", nil, true, "2026-06-30 21:59"},
	{"three months from a leap day", "2028-02-29 10:00", nil, true, "2028-05-29 21:59"},
	{"three months over the year's end", "2026-10-15 10:00", nil, true, "2027-01-15 22:59"},
	{"to a Saturday, ends on Monday", "2026-01-11 10:00", nil, true, "2026-04-13 21:59"}, // from Saturday 11.04.
	{"to a Sunday, ends on Monday", "2026-01-12 10:00", nil, true, "2026-04-13 21:59"},
	{"to New Year", "2025-10-01 10:00", nil, true, "2026-01-02 22:59"},
	{"to Good Friday, ends after Easter", "2025-01-18 10:00", nil, true, "2025-04-22 21:59"},
	{"to Labour Day, a Friday", "2026-02-01 10:00", nil, true, "2026-05-04 21:59"},
	{"to Ascension", "2026-02-14 10:00", nil, true, "2026-05-15 21:59"},
	{"to Whit Monday", "2026-02-25 10:00", nil, true, "2026-05-26 21:59"},
	{"to German Unity Day, a Friday", "2025-07-03 10:00", nil, true, "2025-10-06 21:59"},
	{"to Christmas Day, a Friday, over the second and Sunday", "2026-09-25 10:00", nil, true, "2026-12-28 22:59"},
	{"a holiday of some Länder is a day like others", "2025-07-31 10:00", nil, true, "2025-10-31 22:59"},

	{"both, the promise ends first", "2026-01-14 10:00", days(30), true, "2026-02-13 22:59"},
	{"both, the fiction comes first", "2026-01-14 10:00", days(120), true, "2026-04-14 21:59"},
}

func wrongDue(due func(time.Time, *int, bool) *time.Time) []string {
	var names []string
	for _, row := range deadlines {
		got := ""
		if end := due(at(row.completeAt), row.promise, row.fiction); end != nil {
			if got = end.Format("2006-01-02 15:04"); end.Location() != time.UTC || end.Second() != 59 {
				got = end.String()
			}
		}
		if got != row.want {
			names = append(names, fmt.Sprintf("%s: %s, not %s", row.name, got, row.want))
		}
	}
	return names
}

func TestEveryDeadlineIsTheOneCountedByHand(t *testing.T) {
	for _, w := range wrongDue(law.Due) {
		t.Error(w)
	}
}

func TestATwinThatCountsWronglyMissesADeadline(t *testing.T) {
	for name, dayOf := range faults {
		if len(wrongDue(func(completeAt time.Time, promise *int, fiction bool) *time.Time {
			return law.DueBy(dayOf, completeAt, promise, fiction)
		})) == 0 {
			t.Errorf("%s: every row of the table is right", name)
		}
	}
}

func TestEasterIsWhenItWas(t *testing.T) {
	for _, want := range []string{
		"1818-03-22", "1943-04-25", "1954-04-18", "1981-04-19", "2000-04-23", "2008-03-23", "2011-04-24", "2024-03-31",
		"2025-04-20", "2026-04-05", "2027-03-28", "2028-04-16", "2038-04-25", "2049-04-18", "2076-04-19",
	} {
		year := at(want + " 00:00").Year()
		if got := law.Easter(year).Format(time.DateOnly); got != want {
			t.Errorf("Easter Sunday %d is %s, not %s", year, got, want)
		}
	}
}

func TestTodayIsTheDayInBerlin(t *testing.T) {
	for instant, want := range map[string]string{
		"2026-01-14 22:59": "2026-01-14", "2026-01-14 23:00": "2026-01-15",
		"2026-07-14 21:59": "2026-07-14", "2026-07-14 22:00": "2026-07-15",
		"2026-03-28 23:00": "2026-03-29", "2026-03-29 22:00": "2026-03-30",
		"2026-10-24 22:00": "2026-10-25", "2026-10-25 22:59": "2026-10-25", "2026-12-31 23:00": "2027-01-01",
	} {
		if got := law.Today(at(instant)); !got.Equal(at(want+" 00:00")) || got.Location() != time.UTC {
			t.Errorf("%s UTC is %s, not %s", instant, got, want)
		}
	}
}
