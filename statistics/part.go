// SPDX-License-Identifier: EUPL-1.2

package statistics

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ozg-cloud/platform/internal/problem"
)

// largestTold is the largest number that is believed: as many as a floating number holds exactly, and far from where a sum would overflow.
const largestTold = 1 << 53

// Count is a number as it is told: a sum in which so many numbers carry noise. Both follow from what was published alone.
type Count struct {
	N     int64 `json:"n"`
	Noisy int64 `json:"noisy,omitempty"`
}

func (c Count) plus(d Count) Count { return Count{c.N + d.N, c.Noisy + d.Noisy} }

// BinCount is the number of a bin.
type BinCount struct {
	Bin int `json:"bin"`
	Count
}

// Figure is what a part says of one measure in one row.
type Figure struct {
	Count
	// Of is what a share is a share of.
	Of Count `json:"of"`
	// Bins are those of durations, coarse ones in a protected part, in order and without empty ones.
	Bins []BinCount `json:"bins,omitempty"`
	// Sums are those of the extension fields of the frame, of an exact part.
	Sums []Sum `json:"sums,omitempty"`
}

// Sum is what the values of an extension field of so many cases add up to.
type Sum struct {
	N     int64   `json:"n"`
	Total float64 `json:"total"`
}

// Row is one combination of values of the axes, with a figure for each measure of the frame.
type Row struct {
	At      []string `json:"at"`
	Figures []Figure `json:"figures"`
}

// Contribution says who has counted, and up to when.
type Contribution struct {
	Member string `json:"member"`
	// AsOf is the instant up to which events are counted, Position the same as a cursor of the log.
	AsOf     time.Time `json:"asOf"`
	Position string    `json:"position,omitempty"`
}

// Gap says who has not counted, and why: a name of a state such as UNREACHABLE or DECLINED.
type Gap struct {
	Member string `json:"member"`
	Reason string `json:"reason"`
}

// Part is what one member or several have counted for a question. It holds no key of a record, and nothing that depends on who asks: the same
// events give the same bytes everywhere.
type Part struct {
	Frame
	Counted []Contribution `json:"contributions"`
	Missing []Gap          `json:"missing"`
	Rows    []Row          `json:"rows"`
}

// Counted are the true cells of one row, one for each measure of the plan.
type Counted struct {
	At      []string // in the order of the frame's axes
	Figures []CountedFigure
}

// CountedFigure are the true cells of a measure.
type CountedFigure struct {
	Cell Cell
	Of   Cell // of a share
	Bins Bins // of durations, fine ones
	Sums []Sum
}

// Part makes the part of one member out of its true cells. Of a protected plan each cell is published and keys are dropped; each row has to be one
// cell of the table of the plan, so the same row twice is an error, and so are rows that do not fit the plan. A row, or a bin, in which nothing is
// told is left out, whether it was empty or has become so.
func (p *Plan) Part(by Contribution, rows []Counted) (Part, error) {
	by.AsOf = by.AsOf.UTC()
	out := Part{Frame: p.Frame, Counted: []Contribution{by}, Missing: []Gap{}, Rows: []Row{}}
	tell := func(c Cell) Count { return Count{N: c.N} }
	if p.Product == Protected {
		tell = func(c Cell) Count { return Count{Published(c), 1} }
	}
	for _, r := range rows {
		if len(r.At) != len(p.Axes) || len(r.Figures) != len(p.Measured) {
			return Part{}, fmt.Errorf("statistics: counting a part: a row of %d axes and %d figures does not fit the plan", len(r.At), len(r.Figures))
		}
		row, empty := Row{At: append([]string{}, r.At...)}, true
		for i, f := range r.Figures {
			figure := Figure{Count: tell(f.Cell), Sums: f.Sums}
			switch p.Measured[i].Kind {
			case Number:
			case Share:
				figure.Of = tell(f.Of)
			case Durations:
				figure.Bins = tellBins(f.Bins, p.Product == Protected, tell)
			}
			row.Figures = append(row.Figures, figure)
			empty = empty && figure.N == 0 && figure.Of.N == 0 && len(figure.Bins) == 0
		}
		if !empty {
			out.Rows = append(out.Rows, row)
		}
	}
	slices.SortFunc(out.Rows, func(a, b Row) int { return slices.Compare(a.At, b.At) })
	for i := 1; i < len(out.Rows); i++ {
		if slices.Equal(out.Rows[i].At, out.Rows[i-1].At) {
			return Part{}, fmt.Errorf("statistics: counting a part: a row occurs twice")
		}
	}
	return out, nil
}

func tellBins(bins Bins, coarse bool, tell func(Cell) Count) []BinCount {
	if coarse {
		bins = bins.Coarse()
	}
	var out []BinCount
	for bin, c := range bins {
		if told := tell(c); told.N != 0 {
			out = append(out, BinCount{bin, told})
		}
	}
	slices.SortFunc(out, func(a, b BinCount) int { return a.Bin - b.Bin })
	return out
}

// Absent is the part of a member that has not counted.
func (p *Plan) Absent(member, reason string) Part {
	return Part{Frame: p.Frame, Counted: []Contribution{}, Missing: []Gap{{member, reason}}, Rows: []Row{}}
}

// Merge makes one part of two. It is associative and commutative. Parts of different frames, and parts that the same member has a part in, are
// refused: nobody is counted twice.
func Merge(a, b Part) (Part, error) {
	if !a.Frame.equal(b.Frame) {
		return Part{}, fmt.Errorf("statistics: merging parts: they answer different questions")
	}
	members := map[string]bool{}
	for _, p := range []Part{a, b} {
		for _, m := range p.members() {
			if members[m] {
				return Part{}, fmt.Errorf("statistics: merging parts: a member has a part in both")
			}
			members[m] = true
		}
	}
	out := Part{Frame: a.Frame, Counted: slices.Concat(a.Counted, b.Counted), Missing: slices.Concat(a.Missing, b.Missing)}
	slices.SortFunc(out.Counted, func(x, y Contribution) int { return strings.Compare(x.Member, y.Member) })
	slices.SortFunc(out.Missing, func(x, y Gap) int { return strings.Compare(x.Member, y.Member) })
	out.Rows = make([]Row, 0, max(len(a.Rows), len(b.Rows)))
	i, j := 0, 0
	for i < len(a.Rows) || j < len(b.Rows) {
		var order int
		switch {
		case i == len(a.Rows):
			order = 1
		case j == len(b.Rows):
			order = -1
		default:
			order = slices.Compare(a.Rows[i].At, b.Rows[j].At)
		}
		switch {
		case order < 0:
			out.Rows = append(out.Rows, a.Rows[i])
			i++
		case order > 0:
			out.Rows = append(out.Rows, b.Rows[j])
			j++
		default:
			out.Rows = append(out.Rows, a.Rows[i].plus(b.Rows[j]))
			i, j = i+1, j+1
		}
	}
	return out, nil
}

func (p *Part) members() []string {
	out := make([]string, 0, len(p.Counted)+len(p.Missing))
	for _, c := range p.Counted {
		out = append(out, c.Member)
	}
	for _, g := range p.Missing {
		out = append(out, g.Member)
	}
	return out
}

func (r Row) plus(s Row) Row {
	out := Row{r.At, make([]Figure, len(r.Figures))}
	for i, f := range r.Figures {
		g := s.Figures[i]
		out.Figures[i] = Figure{f.Count.plus(g.Count), f.Of.plus(g.Of), mergeBins(f.Bins, g.Bins), mergeSums(f.Sums, g.Sums)}
	}
	return out
}

func mergeSums(a, b []Sum) []Sum {
	out := slices.Clone(a)
	for i, s := range b {
		out[i] = Sum{out[i].N + s.N, out[i].Total + s.Total}
	}
	return out
}

func mergeBins(a, b []BinCount) []BinCount {
	var out []BinCount
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].Bin < b[0].Bin:
			out, a = append(out, a[0]), a[1:]
		case len(a) == 0 || b[0].Bin < a[0].Bin:
			out, b = append(out, b[0]), b[1:]
		default:
			out, a, b = append(out, BinCount{a[0].Bin, a[0].plus(b[0].Count)}), a[1:], b[1:]
		}
	}
	return out
}

func (f Frame) equal(g Frame) bool {
	return f.Product == g.Product && f.Scheme == g.Scheme && f.From == g.From && f.To == g.To &&
		slices.Equal(f.Measures, g.Measures) && slices.Equal(f.Axes, g.Axes) && slices.Equal(f.Sums, g.Sums) &&
		slices.EqualFunc(f.Where, g.Where, func(a, b Filter) bool { return a.Axis == b.Axis && slices.Equal(a.Values, b.Values) })
}

// Bytes are the part as another member reads it: JSON, one text for one part.
func (p Part) Bytes() ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(p); err != nil {
		return nil, fmt.Errorf("statistics: writing a part: %w", err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// ReadPart reads the part of another member for this plan. Whatever Bytes would not have written, and whatever does not answer the plan, is
// refused as malformed: rows out of order, negative numbers, exact numbers in a protected part, a measure too many.
func (p *Plan) ReadPart(text []byte) (Part, error) {
	malformed := problem.New(problem.Invalid, "malformed")
	var out Part
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&out); err != nil {
		return Part{}, malformed
	}
	again, err := out.Bytes()
	if err != nil || !bytes.Equal(again, text) || !out.Frame.equal(p.Frame) || !p.holds(out) {
		return Part{}, malformed
	}
	return out, nil
}

// holds tells whether a part is one that this plan makes.
func (p *Plan) holds(part Part) bool {
	members := part.members()
	slices.Sort(members)
	if len(members) == 0 || len(slices.Compact(members)) != len(part.members()) || part.Counted == nil || part.Missing == nil || part.Rows == nil ||
		!slices.IsSortedFunc(part.Counted, func(x, y Contribution) int { return strings.Compare(x.Member, y.Member) }) ||
		!slices.IsSortedFunc(part.Missing, func(x, y Gap) int { return strings.Compare(x.Member, y.Member) }) {
		return false
	}
	told := func(c Count) bool {
		return c.N >= 0 && c.N <= largestTold && c.Noisy >= 0 && c.Noisy <= int64(len(part.Counted)) && (p.Product == Protected) == (c.Noisy > 0)
	}
	for i, r := range part.Rows {
		if len(r.At) != len(p.Axes) || len(r.Figures) != len(p.Measured) || i > 0 && slices.Compare(part.Rows[i-1].At, r.At) >= 0 {
			return false
		}
		for m, f := range r.Figures {
			kind := p.Measured[m].Kind
			if !told(f.Count) || kind == Share && !told(f.Of) || kind != Share && f.Of != (Count{}) || kind != Durations && f.Bins != nil || len(f.Sums) != len(p.Sums) {
				return false
			}
			for b, c := range f.Bins {
				if c.N == 0 || !told(c.Count) || c.Bin < 0 || c.Bin > len(bounds) || b > 0 && f.Bins[b-1].Bin >= c.Bin {
					return false
				}
			}
		}
	}
	return true
}
