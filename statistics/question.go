// SPDX-License-Identifier: EUPL-1.2

package statistics

import (
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // Europe/Berlin is known on every machine

	"github.com/ozg-cloud/platform/internal/problem"
)

// Product says which of the two kinds of figures an answer holds.
type Product string

// The products.
const (
	// Exact figures are live and belong to one's own tenant and what is below it.
	Exact Product = "EXACT"
	// Protected figures cross the borders of tenants: of periods that are over, by published tables only, and with noise.
	Protected Product = "PROTECTED"
)

var berlin = func() *time.Location {
	l, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err) // it is linked in
	}
	return l
}()

// MonthOf is the month of an instant in Europe/Berlin, "2026-10".
func MonthOf(t time.Time) string { return t.In(berlin).Format("2006-01") }

// MonthBefore is the month that lies n before the month of an instant in Europe/Berlin; with 1 the last one that is over.
func MonthBefore(t time.Time, n int) string {
	t = t.In(berlin)
	return time.Date(t.Year(), t.Month()-time.Month(n), 1, 0, 0, 0, 0, berlin).Format("2006-01")
}

// DayOf is the day of an instant in Europe/Berlin, "2026-10-03".
func DayOf(t time.Time) string { return t.In(berlin).Format(time.DateOnly) }

// EndOf is the instant at which a month is over.
func EndOf(month string) (time.Time, bool) {
	t, err := time.ParseInLocation("2006-01", month, berlin)
	return t.AddDate(0, 1, 0), err == nil
}

// Filter keeps the figures of the values of an axis.
type Filter struct {
	Axis   Axis
	Values []string
}

// Question is what is asked of a part of the tree of tenants.
type Question struct {
	Product  Product
	Measures []Measure
	By       []Axis
	Where    []Filter
	// Sums are extension fields whose values are added up, for exact figures.
	Sums []Axis
	// Scope is the level of the tenant that is asked about: Land, District or Authority; empty is the federation.
	Scope Axis
	// From and To are the first and the last month of the period, "2026-10"; both empty is the present, for exact figures of what is open.
	From, To string
	// Now is the instant up to which events have been counted.
	Now time.Time
	// Fields are the extension fields that figures may be told by or that may be summed, each with its key in the index.
	Fields map[Axis]int64
}

// Plan is a question that is answered.
type Plan struct {
	Frame
	// Table are the axes of the cells that the answer is made of: those of the rows, of the filters and of the scope, the finest of each
	// hierarchy. Of a protected answer each row is one cell of a published table.
	Table Table
	// Measured says how each measure of the frame comes about, and of which population.
	Measured []PlannedMeasure

	field int64   // the extension field that the answer is told by, or 0
	sums  []int64 // those that are summed, in the order of the frame
}

// PlannedMeasure is a measure with its population.
type PlannedMeasure struct {
	Measured
	Population Population
}

// Frame is what parts must have in common to be merged.
type Frame struct {
	Product  Product   `json:"product"`
	Scheme   string    `json:"scheme"`
	Measures []Measure `json:"measures"`
	Axes     []Axis    `json:"axes"`
	Where    []Filter  `json:"where"`
	From     string    `json:"from"`
	To       string    `json:"to"`
	Sums     []Axis    `json:"sums,omitempty"`
}

const (
	maxMeasures = 10
	maxAxes     = 6
	maxValues   = 1000
	maxMonths   = 120
)

// Plan says how a question is answered, or why it is not. Refusals are problems of the kind invalid; across tenants that is a table which is not
// published (tableNotPublished), a sum of several of its cells (freeUnion), or a period that is not over (openPeriod).
func (c *Catalogue) Plan(q Question) (*Plan, error) {
	switch {
	case q.Product != Exact && q.Product != Protected:
		return nil, problem.New(problem.Invalid, "unknownValue", "product")
	case len(q.Measures) == 0:
		return nil, problem.New(problem.Invalid, "required", "measures")
	case len(q.Measures) > maxMeasures:
		return nil, problem.New(problem.Invalid, "tooMany", "measures")
	case len(q.By) > maxAxes:
		return nil, problem.New(problem.Invalid, "tooMany", "groupBy")
	case len(q.Where) > maxAxes:
		return nil, problem.New(problem.Invalid, "tooMany", "where")
	case q.Scope != "" && !slices.Contains(hierarchies[0], q.Scope):
		return nil, problem.New(problem.Invalid, "unknownValue", "scope")
	}
	months, err := period(q)
	if err != nil {
		return nil, err
	}
	where := make([]Filter, 0, len(q.Where))
	for _, f := range q.Where {
		switch {
		case len(f.Values) == 0:
			return nil, problem.New(problem.Invalid, "required", "where", string(f.Axis))
		case len(f.Values) > maxValues:
			return nil, problem.New(problem.Invalid, "tooMany", "where", string(f.Axis))
		}
		values := slices.Clone(f.Values)
		slices.Sort(values)
		where = append(where, Filter{f.Axis, slices.Compact(values)})
	}
	slices.SortFunc(where, func(a, b Filter) int { return strings.Compare(string(a.Axis), string(b.Axis)) })
	for i := 1; i < len(where); i++ {
		if where[i].Axis == where[i-1].Axis {
			return nil, problem.New(problem.Invalid, "askedTwice", "where")
		}
	}
	axes := append(Table{}, slices.Compact(sorted(q.By))...) // never nil: a part has one text
	if len(axes) != len(q.By) {
		return nil, problem.New(problem.Invalid, "askedTwice", "groupBy")
	}
	p := &Plan{
		Frame: Frame{q.Product, c.scheme, slices.Clone(q.Measures), axes, where, q.From, q.To, slices.Clone(q.Sums)},
		Table: finest(q, axes, where),
	}
	for _, a := range p.Table {
		key, known := q.Fields[a]
		switch {
		case !a.Added():
		case q.Product == Protected:
			return nil, problem.New(problem.Invalid, "axisNotMeasured", "groupBy")
		case !known:
			return nil, problem.New(problem.Invalid, "unknownValue", "groupBy")
		case p.field != 0:
			return nil, problem.New(problem.Invalid, "axisNotMeasured", "groupBy")
		default:
			p.field = key
		}
	}
	for i, a := range q.Sums {
		key, known := q.Fields[a]
		switch {
		case i == maxMeasures:
			return nil, problem.New(problem.Invalid, "tooMany", "sums")
		case slices.Contains(q.Sums[:i], a):
			return nil, problem.New(problem.Invalid, "askedTwice", "sums")
		case q.Product == Protected || p.field != 0:
			return nil, problem.New(problem.Invalid, "axisNotMeasured", "sums")
		case !known:
			return nil, problem.New(problem.Invalid, "unknownValue", "sums")
		}
		p.sums = append(p.sums, key)
	}
	for i, m := range q.Measures {
		if slices.Contains(q.Measures[:i], m) {
			return nil, problem.New(problem.Invalid, "askedTwice", "measures")
		}
		cube, measured, ok := c.find(m)
		if !ok {
			return nil, problem.New(problem.Invalid, "unknownValue", "measures")
		}
		if q.From == "" && cube.Population != Open && cube.Population != Overdue {
			return nil, problem.New(problem.Invalid, "required", "period")
		}
		p.Measured = append(p.Measured, PlannedMeasure{measured, cube.Population})
		for _, a := range p.Table {
			if !slices.Contains(cube.Axes, a) && (q.Product == Protected || !a.Added()) {
				return nil, problem.New(problem.Invalid, "axisNotMeasured", "groupBy")
			}
		}
		if q.Product == Protected {
			if err := cube.published(measured, p.Table); err != nil {
				return nil, err
			}
		}
	}
	if q.Product == Protected {
		return p, single(axes, where, months)
	}
	return p, nil
}

// finest are the axes of cells: the finest of each hierarchy that somebody asks by, filters on or stands at.
func finest(q Question, by []Axis, where []Filter) Table {
	all := slices.Clone(by)
	for _, f := range where {
		all = append(all, f.Axis)
	}
	if q.Scope != "" {
		all = append(all, q.Scope)
	}
	if q.From != "" {
		all = append(all, Month)
	}
	all = sorted(all)
	var out Table
	for i, a := range all {
		if i+1 < len(all) {
			h, _, ok := levelOf(a)
			if next, _, known := levelOf(all[i+1]); ok && known && h == next || a == all[i+1] {
				continue
			}
		}
		out = append(out, a)
	}
	return out
}

// published refuses a table that is not declared for a measure.
func (c *Cube) published(m Measured, t Table) error {
	if m.Kind == Durations {
		t = sorted(append(slices.Clone(t), Duration))
	}
	if !c.publishes(t) {
		return problem.New(problem.Invalid, "tableNotPublished", "groupBy")
	}
	return nil
}

// single refuses rows that would be sums of several cells: noise would thin out, and what is published could be taken from what is not.
func single(by []Axis, where []Filter, months int) error {
	told := func(a Axis) bool {
		h, l, _ := levelOf(a)
		return slices.ContainsFunc(by, func(b Axis) bool { g, m, ok := levelOf(b); return ok && g == h && m >= l })
	}
	if months > 1 && !told(Month) {
		return problem.New(problem.Invalid, "freeUnion", "period")
	}
	for _, f := range where {
		if len(f.Values) > 1 && !told(f.Axis) {
			return problem.New(problem.Invalid, "freeUnion", "where", string(f.Axis))
		}
	}
	return nil
}

// period counts the months of a question.
func period(q Question) (int, error) {
	if q.From == "" && q.To == "" && q.Product == Exact {
		for _, a := range finest(q, q.By, q.Where) {
			if a == Month || a == Day {
				return 0, problem.New(problem.Invalid, "required", "period")
			}
		}
		return 0, nil
	}
	first, ok := EndOf(q.From)
	if !ok {
		return 0, problem.New(problem.Invalid, "pattern", "period", "from")
	}
	last, ok := EndOf(q.To)
	if !ok {
		return 0, problem.New(problem.Invalid, "pattern", "period", "to")
	}
	a, b := first.AddDate(0, -1, 0), last.AddDate(0, -1, 0)
	months := (b.Year()-a.Year())*12 + int(b.Month()) - int(a.Month()) + 1
	switch {
	case months < 1:
		return 0, problem.New(problem.Invalid, "range", "period", "to")
	case months > maxMonths:
		return 0, problem.New(problem.Invalid, "tooMany", "period")
	case q.Product == Protected && last.After(q.Now):
		return 0, problem.New(problem.Invalid, "openPeriod", "period", "to")
	}
	return months, nil
}
