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
const Columns = 10

// columns are the first and the last of those that are an owner's. Owners of one kind never lie above each other, so that no two fill the same one of a case.
func (o Owner) columns() (first, last int) {
	switch o.Kind {
	case "LAND":
		return 1, 6
	case "DISTRICT":
		return 7, 8
	}
	return 9, Columns
}

// placed gives columns to the values by which cases are filtered, in the order of the text: whoever had one keeps it, and of the others the first ones get what is free.
func (d *Definition) placed(before *Definition) {
	next, last := d.Owner.columns()
	d.numbers.Columns = map[int]int{}
	taken := map[int]bool{}
	var come []*Leaf
	for _, l := range d.leaves["Case"] {
		switch {
		case !l.Filterable:
		case before != nil && before.numbers.Columns[l.Number] != 0:
			l.Column = before.numbers.Columns[l.Number]
			d.numbers.Columns[l.Number], taken[l.Column] = l.Column, true
		default:
			come = append(come, l)
		}
	}
	for _, l := range come {
		for taken[next] {
			next++
		}
		if next > last {
			break
		}
		l.Column = next
		d.numbers.Columns[l.Number], taken[next] = next, true
	}
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
