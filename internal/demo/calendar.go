// SPDX-License-Identifier: EUPL-1.2

package demo

import (
	"math"
	"slices"
	"time"
)

// oldest is how long before the end the first case can have come in.
const oldest = 3 * 365 * 24 * time.Hour

// arrivals are the instants at which n cases come in until the end, in order: ever more of them, most on working days by day.
func arrivals(c chance, n int, until time.Time, berlin *time.Location) []time.Time {
	out := make([]time.Time, n)
	for i := range out {
		mean := 300 * 24 * time.Hour
		if c.of(0.3) {
			mean = 16 * 24 * time.Hour
		}
		age := time.Duration(math.Mod(c.ExpFloat64()*float64(mean), float64(oldest)))
		at := until.Add(-age).In(berlin)
		if c.of(0.85) {
			switch at.Weekday() {
			case time.Saturday:
				at = at.AddDate(0, 0, -1)
			case time.Sunday:
				at = at.AddDate(0, 0, -2)
			}
			hour := 8 + 5*(c.Float64()+c.Float64()) // most around one o'clock
			at = clock(at, time.Duration(hour*float64(time.Hour)))
		}
		for at.After(until) {
			at = at.AddDate(0, 0, -1)
		}
		out[i] = at.UTC().Truncate(time.Microsecond)
	}
	slices.SortFunc(out, time.Time.Compare)
	return out
}

// opened is the next instant at which an office works: on working days from 8 to 17 o'clock.
func opened(c chance, at time.Time, berlin *time.Location) time.Time {
	local := at.In(berlin)
	switch hour := local.Hour(); {
	case hour >= 17:
		local = clock(local.AddDate(0, 0, 1), 0)
	case hour >= 8 && local.Weekday() != time.Saturday && local.Weekday() != time.Sunday:
		return at
	}
	for local.Weekday() == time.Saturday || local.Weekday() == time.Sunday {
		local = local.AddDate(0, 0, 1)
	}
	return clock(local, 8*time.Hour+time.Duration(c.Int64N(int64(3*time.Hour)))).UTC().Truncate(time.Microsecond)
}

// clock is the same day at a time of the day.
func clock(at time.Time, of time.Duration) time.Time {
	y, m, d := at.Date()
	return time.Date(y, m, d, 0, 0, 0, int(of), at.Location())
}
