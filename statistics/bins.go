// SPDX-License-Identifier: EUPL-1.2

package statistics

import (
	"slices"
	"sort"
	"time"
)

// Accuracy is how far a duration that is told from exact bins is from the true one at most, as a share of it: two in a hundred.
const Accuracy = 0.02

// coarsening is how many bins make one in which protected durations are counted: fewer bins carry less noise.
const coarsening = 4

// bounds are the lower bounds of the bins from 1 on, in minutes; bin 0 is what took less than a minute, the last one has no end. They grow by
// (1 + Accuracy) / (1 - Accuracy) = 51/49 (the geometry of DDSketch, Masson et al. 2019) up to twenty years, reckoned in whole numbers,
// so that every machine draws the same bins.
var bounds = func() []int64 {
	var out []int64
	for b := int64(1); b <= 20*366*24*60; b = b*51/49 + 1 {
		out = append(out, b)
	}
	return out
}()

// Bounds are the lower bounds of bins 1, 2, …, in minutes: PostgreSQL's width_bucket(minutes, bounds) is BinOf.
func Bounds() []int64 { return slices.Clone(bounds) }

// BinOf is the bin of a duration. What ends before it began took no time.
func BinOf(d time.Duration) int { return binOf(int64(d / time.Minute)) }

func binOf(minutes int64) int {
	return sort.Search(len(bounds), func(i int) bool { return bounds[i] > minutes })
}

// Coarse is the coarse bin, in which protected durations are counted, of a bin.
func Coarse(bin int) int { return (bin + coarsening - 1) / coarsening }

// Bins are durations as cells of their bins; bins without records are not kept, so that equal histories are equal bins.
type Bins map[int]Cell

// Add counts a cell in a bin; a cell that is taken back is handed in negated (Cell{}.Minus).
func (b Bins) Add(bin int, c Cell) {
	if sum := b[bin].Plus(c); sum == (Cell{}) {
		delete(b, bin)
	} else {
		b[bin] = sum
	}
}

// Merge adds other bins to these.
func (b Bins) Merge(o Bins) {
	for bin, c := range o {
		b.Add(bin, c)
	}
}

// Coarse counts the same records in coarse bins.
func (b Bins) Coarse() Bins {
	out := Bins{}
	for bin, c := range b {
		out.Add(Coarse(bin), c)
	}
	return out
}

// span is the shortest and the longest whole number of minutes in a bin.
func span(bin int, coarse bool) (lo, hi int64) {
	first, last := bin, bin
	if coarse {
		first, last = (bin-1)*coarsening+1, bin*coarsening
	}
	if bin == 0 {
		return 0, 0
	}
	first, last = min(first, len(bounds)), min(last, len(bounds))
	lo = bounds[first-1]
	if last == len(bounds) {
		return lo, lo // what has no end is told by its beginning
	}
	return lo, bounds[last] - 1
}

// minutesOf is the duration that stands for a bin: no duration in the bin is further from it than Accuracy.
func minutesOf(bin int, coarse bool) float64 {
	lo, hi := span(bin, coarse)
	if lo+hi == 0 {
		return 0
	}
	return 2 * float64(lo) * float64(hi) / float64(lo+hi)
}

// quantile is the duration in minutes of the record that a share of the others, in hundredths, is not slower than; false where there are no records.
func quantile(bins []BinCount, hundredths int64, coarse bool) (float64, bool) {
	var total int64
	for _, b := range bins {
		total += b.N
	}
	if total <= 0 {
		return 0, false
	}
	rank := (total - 1) * hundredths / 100
	for _, b := range bins {
		if rank -= b.N; rank < 0 {
			return minutesOf(b.Bin, coarse), true
		}
	}
	return 0, false
}
