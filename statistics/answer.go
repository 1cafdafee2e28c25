// SPDX-License-Identifier: EUPL-1.2

package statistics

import (
	"math"
	"time"
)

// Method says how an answer is protected.
type Method string

// The methods.
const (
	NotProtected Method = "NONE"
	CellKey      Method = "CELL_KEY"
)

// leastTold is the smallest number of cases of which a protected share or duration is told: with fewer the noise would be most of it.
const leastTold = 30

// Disclosure says what was done so that nobody is unmasked.
type Disclosure struct {
	Method Method
	// Noise names the table of noise; empty without protection.
	Noise string
	// Smallest is the smallest number but 0 that is told.
	Smallest int64
	// Margin is that of one number of one member: with 95 % certainty the true one is no further off. Figures have their own.
	Margin float64
	// Suppressed is how many shares and durations were held back because too few cases were told of. It follows from told numbers alone: how many
	// true numbers were small is told to nobody.
	Suppressed int
}

// BinTold is a bin of a histogram: the durations from FromMinutes on, below ToMinutes; the last one has no end.
type BinTold struct {
	FromMinutes int64
	ToMinutes   *int64
	Count       int64
	Margin      float64
}

// FigureTold is a figure as people read it. Margins are 0 where nothing is protected.
type FigureTold struct {
	Measure Measure
	Kind    Kind
	Count   int64
	Margin  float64
	// Share, Median and P90 are nil where there are no cases, or where Suppressed.
	Share       *float64 // from 0 to 1
	ShareMargin float64
	Median, P90 *float64 // minutes
	// RankMargin is how far off, as a share of all cases, the case may be that Median and P90 are taken from.
	RankMargin float64
	Histogram  []BinTold
	Suppressed bool
	Sums       []Sum // those of the frame
}

// RowTold is a row as people read it.
type RowTold struct {
	At      []string
	Figures []FigureTold
}

// Answer is what a question is answered with.
type Answer struct {
	Frame
	// AsOf is the instant up to which every contribution counts: the oldest of theirs.
	AsOf time.Time
	// Position is the one in the log of this house up to which is counted at least.
	Position   Position
	Counted    []Contribution
	Missing    []Gap
	Disclosure Disclosure
	Rows       []RowTold
}

// Answer reads a part. Floating numbers arise here and nowhere before, so that parts merge exactly.
func (p *Plan) Answer(part Part) Answer {
	out := Answer{Frame: p.Frame, Counted: part.Counted, Missing: part.Missing, Disclosure: Disclosure{Method: NotProtected, Smallest: 1}}
	if p.Product == Protected {
		out.Disclosure = Disclosure{Method: CellKey, Noise: noiseHash, Smallest: smallest, Margin: margin(1)}
	}
	for i, c := range part.Counted {
		if i == 0 || c.AsOf.Before(out.AsOf) {
			out.AsOf = c.AsOf
		}
	}
	for _, r := range part.Rows {
		row := RowTold{At: r.At}
		for i, f := range r.Figures {
			told := p.tell(p.Measured[i].Measured, f)
			if told.Suppressed {
				out.Disclosure.Suppressed++
			}
			row.Figures = append(row.Figures, told)
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// margin is the half width of the interval that holds 95 % of the sum of so many deviations.
func margin(noisy int64) float64 { return 1.96 * math.Sqrt(float64(variance*noisy)) }

func (p *Plan) tell(m Measured, f Figure) FigureTold {
	out := FigureTold{Measure: m.Measure, Kind: m.Kind, Count: f.N, Margin: margin(f.Noisy), Sums: f.Sums}
	switch m.Kind {
	case Number:
	case Share:
		switch {
		case p.Product == Protected && f.Of.N < leastTold:
			out.Suppressed = true
		case f.Of.N > 0:
			// Noise may lift the part above the whole.
			share := min(1, float64(f.N)/float64(f.Of.N))
			out.Share = &share
			out.ShareMargin = 1.96 * math.Sqrt(variance*(float64(f.Noisy)+share*share*float64(f.Of.Noisy))) / float64(f.Of.N)
		}
	case Durations:
		p.tellDurations(&out, f)
	}
	return out
}

func (p *Plan) tellDurations(out *FigureTold, f Figure) {
	coarse := p.Product == Protected
	var all Count
	for _, b := range f.Bins {
		all = all.plus(b.Count)
		lo, hi := span(b.Bin, coarse)
		told := BinTold{FromMinutes: lo, Count: b.N, Margin: margin(b.Noisy)}
		if hi > lo || b.Bin == 0 || hi < bounds[len(bounds)-1] {
			end := hi + 1
			told.ToMinutes = &end
		}
		out.Histogram = append(out.Histogram, told)
	}
	if coarse && all.N < leastTold {
		out.Suppressed, out.Histogram = true, nil
		return
	}
	if median, ok := quantile(f.Bins, 50, coarse); ok {
		p90, _ := quantile(f.Bins, 90, coarse)
		out.Median, out.P90, out.RankMargin = &median, &p90, margin(all.Noisy)/float64(all.N)
	}
}
