// SPDX-License-Identifier: EUPL-1.2

package statistics

import (
	"fmt"
	"slices"
	"time"
)

// instant is a time as PostgreSQL sends it: microseconds since the beginning of 2000 in UTC.
type instant int64

// never is what has not happened.
const never instant = -1 << 63

// epoch is instant 0 in microseconds of Unix.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()

func instantOf(t time.Time) instant { return instant(t.UnixMicro() - epoch) }

// day is a day as PostgreSQL sends it: days since the beginning of 2000. month is a month in Europe/Berlin: twelve times the year, and 0 for January.
type (
	day   int32
	month int32
)

// civil is the calendar of Europe/Berlin at an instant.
func (i instant) civil() (day, month) {
	y, m, d := time.UnixMicro(int64(i) + epoch).In(berlin).Date()
	at := month(y*12 + int(m) - 1)   //nolint:gosec // years have four digits
	return at.first() + day(d-1), at //nolint:gosec // of a month
}

// first is the first day of a month.
func (m month) first() day {
	return day((time.Date(int(m)/12, time.Month(m%12+1), 1, 0, 0, 0, 0, time.UTC).UnixMicro() - epoch) / (24 * time.Hour).Microseconds()) //nolint:gosec // years have four digits
}

// end is the instant at which a month is over.
func (m month) end() instant {
	return instantOf(time.Date(int(m)/12, time.Month(m%12+2), 1, 0, 0, 0, 0, berlin))
}

// life is what the books tell of a case.
type life struct {
	id, service           [16]byte
	place                 int64
	key                   int64
	state, channel, level uint8 // numbers of marks
	received, due         instant
	lines                 []line
	outcome               uint8 // of the decision that holds, 0 for none
	post                  bool  // something went by post
}

// line is a line of history.
type line struct {
	sequence int32
	at       instant
	means    uint8
	state    uint8
}

// What a line means.
const (
	staffActed = 1 << iota
	wasDecided
	wasAsked
	wasRefused
)

// means tells of actions what they count for; others count for nothing.
var means = map[string]uint8{
	"CASE_ACCEPTED": staffActed, "CASE_DISCARDED": staffActed, "CASE_STARTED": staffActed, "CASE_ASSIGNED": staffActed, "COMMENT_ADDED": staffActed,
	"FOLLOW_UP_ADDED": staffActed, "MESSAGE_SENT": staffActed,
	"APPLICANT_ASKED": staffActed | wasAsked, "CASE_DECIDED": staffActed | wasDecided, "MESSAGE_REFUSED": wasRefused,
}

// open tells whether a state is one of those in which a case is open.
func open(state uint8) bool { return state >= 1 && state <= 5 }

// fact is what a case counts for: a line of statistics_facts.
type fact struct {
	*life
	acted, decided, asked, refused instant
	digital, open                  bool
	openMonths                     []month
	openStates                     []uint8
}

// fact reckons what a life counts for at present. It says in Go what ozg_count (migration 0016) says in SQL, but for extension fields, which are counted there
// alone; a test holds both against a count of the cases.
func (l *life) fact(present instant) fact {
	f := fact{life: l, acted: never, decided: never, asked: never, refused: never, open: open(l.state)}
	slices.SortFunc(l.lines, func(a, b line) int { return int(a.sequence - b.sequence) })
	for i := range l.lines {
		if i > 0 { // clocks of replicas differ a little, and a line is never older than the one before it
			l.lines[i].at = max(l.lines[i].at, l.lines[i-1].at)
		}
	}
	first := func(at *instant, happened bool, when instant) {
		if happened && *at == never {
			*at = when
		}
	}
	_, now := present.civil()
	for i, h := range l.lines {
		first(&f.acted, h.means&staffActed != 0, h.at)
		first(&f.decided, h.means&wasDecided != 0, h.at)
		first(&f.asked, h.means&wasAsked != 0, h.at)
		first(&f.refused, h.means&wasRefused != 0, h.at)
		if !open(h.state) {
			continue
		}
		_, from := h.at.civil()
		until := now
		if i+1 < len(l.lines) {
			_, until = min(l.lines[i+1].at, present).civil()
		}
		for m := from; m < until; m++ {
			f.openMonths, f.openStates = append(f.openMonths, m), append(f.openStates, h.state)
		}
	}
	f.digital = f.decided != never && !l.post
	return f
}

// kind is the population of a cell plus 16 times its shape.
type kind int16

// marks are the marks of a case in a state as one number, see ozg_marks.
func (l *life) marks(state uint8) int32 {
	return int32(state) + 16*int32(l.channel) + 64*int32(l.level) + 256*int32(l.outcome)
}

// binBetween is the bin of the time from receipt on.
func (l *life) binBetween(until instant) int32 {
	return int32(binOf(int64(max(until-l.received, 0)) / time.Minute.Microseconds())) //nolint:gosec // there are some hundred bins
}

// contribute hands each cell that the case counts in to add.
func (f *fact) contribute(add func(kind, day, int32)) {
	marks := f.marks(f.state)
	flow := func(population kind, at instant, lasts bool) {
		if at == never {
			return
		}
		on, in := at.civil()
		first := in.first()
		add(population+16*kind(byMonth), first, 0)
		add(population+16*kind(byMarks), first, marks)
		add(population+16*kind(byState), first, int32(f.state))
		add(population+16*kind(byDay), on, 0)
		if lasts {
			add(population+16*kind(byBin), first, f.binBetween(at))
		}
	}
	flow(1, f.received, false)
	flow(2, f.acted, true)
	flow(3, f.decided, true)
	if f.digital {
		flow(4, f.decided, false)
	}
	flow(7, f.asked, false)
	flow(8, f.refused, false)
	for i, m := range f.openMonths {
		first, end, marks := m.first(), m.end(), f.marks(f.openStates[i])
		add(5+16*kind(byMonth), first, 0)
		add(5+16*kind(byMarks), first, marks)
		add(5+16*kind(byState), first, int32(f.openStates[i]))
		add(5+16*kind(byBin), first, f.binBetween(end))
		if f.due != never && f.due < end {
			add(6+16*kind(byMonth), first, 0)
			add(6+16*kind(byMarks), first, marks)
			add(6+16*kind(byState), first, int32(f.openStates[i]))
		}
	}
	if f.open {
		on, _ := f.received.civil()
		add(5+16*kind(atPresent), on, marks)
		if f.due != never {
			on, _ := f.due.civil()
			add(6+16*kind(atPresent), on, marks)
		}
	}
}

// markOf is the number of a mark, as ozg_marks counts them.
func markOf(names []string, name []byte) (uint8, error) {
	for i, n := range names {
		if i > 0 && n == string(name) {
			return uint8(i), nil
		}
	}
	return 0, fmt.Errorf("statistics: counting: a mark has no number")
}
