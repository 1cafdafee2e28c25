// SPDX-License-Identifier: EUPL-1.2

package extension

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Columns is how many columns stand beside each case, in which the first values by which an owner has cases filtered lie a second time. A case is found by them as by a
// column of the standard house (decision 0020).
const Columns = 6

// columns are the first and the last of those that are an owner's. Owners of one kind never lie above each other, so that no two fill the same one of a case.
func (o Owner) columns() (first, last int) {
	switch o.Kind {
	case "LAND":
		return 1, 3
	case "DISTRICT":
		return 4, 4
	}
	return 5, Columns
}

// placed gives columns to the values by which cases are filtered, in the order of the text: whoever had one keeps it, and whoever comes to be filtered by takes the first that
// is free. Nobody gets one later, since what was kept meanwhile would not stand there and nobody would notice.
func (d *Definition) placed(before *Definition) {
	d.numbers.Columns = map[int]int{}
	taken := map[int]bool{}
	var come []*Leaf
	for _, l := range d.leaves["Case"] {
		if !l.Filterable {
			continue
		}
		was := before.filtered(l.Number)
		switch {
		case was == nil:
			come = append(come, l)
		case was.Column != 0:
			d.numbers.Columns[l.Number], taken[was.Column] = was.Column, true
		}
	}
	next, last := d.Owner.columns()
	for _, l := range come {
		for taken[next] {
			next++
		}
		if next > last {
			break
		}
		d.numbers.Columns[l.Number], taken[next] = next, true
	}
}

// filtered is the value of a number by which cases are filtered; nil where there is none.
func (d *Definition) filtered(number int) *Leaf {
	if d != nil {
		for _, l := range d.leaves["Case"] {
			if l.Number == number && l.Filterable {
				return l
			}
		}
	}
	return nil
}

// Found is how a value of a leaf stands in its column beside a case: its key and the value, of a number (float64) and a time (time.Time) the bytes that the database sends.
// The database writes the same (migration 0033).
func Found(key int64, value any) string {
	var text string
	switch v := value.(type) {
	case string:
		text = v
	case float64:
		text = fmt.Sprintf("%016x", math.Float64bits(v+0)) // zero has one form
	case time.Time:
		text = fmt.Sprintf("%016x", uint64(v.UnixMicro()-epoch.UnixMicro())) //nolint:gosec // the bytes of what is before it, too
	default:
		panic(fmt.Sprintf("extension: no value of a leaf: %T", v))
	}
	return strconv.FormatInt(key, 10) + "=" + text
}

// epoch is when the times of the database begin.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
