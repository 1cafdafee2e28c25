// SPDX-License-Identifier: EUPL-1.2

package law

import (
	"time"
	_ "time/tzdata" // the machine may have no zones, and the law has one
)

var berlin = func() *time.Location {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic("law: " + err.Error())
	}
	return zone
}()

// Today gives the legal date of an instant: the day that it falls on in Europe/Berlin, as midnight UTC.
func Today(now time.Time) time.Time {
	year, month, day := now.In(berlin).Date()
	return date(year, month, day)
}

func date(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// endOf is the last second of a day in Europe/Berlin, in UTC. It is not the midnight after it, so that whoever shows only the date shows
// the right one.
func endOf(day time.Time) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), 23, 59, 59, 0, berlin).UTC()
}

// monthsAfter gives the end of a period of months that an event on a day begins (§§ 187(1), 188(2) BGB): the day of the same number,
// or the last of the month where it has none (§ 188(3) BGB).
func monthsAfter(day time.Time, months int) time.Time {
	month := day.Month() + time.Month(months)
	end, last := date(day.Year(), month, day.Day()), date(day.Year(), month+1, 0)
	if end.After(last) {
		return last
	}
	return end
}

// workdayFrom gives a day itself, or the next working day after a Saturday, a Sunday or a public holiday (§ 31(3) VwVfG, § 193 BGB).
func workdayFrom(day time.Time) time.Time {
	for day.Weekday() == time.Saturday || day.Weekday() == time.Sunday || holiday(day) {
		day = day.AddDate(0, 0, 1)
	}
	return day
}

// holiday says whether a day is a public holiday in all of Germany. The holidays of one Land only, such as Reformation Day, are not
// considered: a period that ends on one of them ends a day too early here.
func holiday(day time.Time) bool {
	switch day.Format("01-02") {
	case "01-01", "05-01", "10-03", "12-25", "12-26":
		return true
	}
	switch day.Sub(easter(day.Year())) / (24 * time.Hour) {
	case -2, 1, 39, 50: // Good Friday, Easter Monday, Ascension, Whit Monday
		return true
	}
	return false
}

// easter finds Easter Sunday of a year by the rule of Gauss as completed by Lichtenberg, which knows no exceptions.
func easter(year int) time.Time {
	century := year / 100
	solar := (3*century + 3) / 4
	cycle := year % 19
	moon := (19*cycle + 15 + solar - (8*century+13)/25) % 30
	full := 21 + moon - (moon+cycle/11)/29 // the full moon, and below a Sunday before it, as days of March
	sunday := 7 - (year+year/4+2-solar)%7
	return date(year, time.March, full+7-(full-sunday)%7)
}
