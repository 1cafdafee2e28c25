// SPDX-License-Identifier: EUPL-1.2

package statistics

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"strings"
)

const (
	// Deviation (D) is how far a published count is from the true one at most.
	Deviation = 5

	deviation = Deviation
	variance  = 2 // V, of the deviation of any count but 0
	smallest  = 3 // no smaller number but 0 is published: one and two are never told

	keyBits   = 62
	shareBits = 24 // shares of the table are whole numbers of 2^-24, so that it is the same on every machine
)

// Step is one line of the table of noise: a cell of n records whose key, shifted right by 38, is less than Below, and not less than the Below of
// the step before, is published as n + Add. N = 8 stands for every larger count.
type Step struct {
	N     int64
	Below int64
	Add   int64
}

// NoiseHash names the table of noise that this edition of the house publishes with.
func NoiseHash() string { return noiseHash }

// NoiseTable is the table of noise, for whoever publishes within the database.
func NoiseTable() []Step {
	var out []Step
	for n, row := range noise {
		for _, s := range row {
			out = append(out, Step{int64(n), s.below, s.add})
		}
	}
	return out
}

type step struct{ below, add int64 }

// largest is the count from which on all are treated alike.
const largest = deviation + smallest

var noise = func() (table [largest + 1][]step) {
	table[0] = []step{{1 << shareBits, 0}}
	for n := 1; n <= largest; n++ {
		table[n] = steps(n)
	}
	return table
}()

var noiseHash = func() string {
	var text strings.Builder
	for _, s := range NoiseTable() {
		fmt.Fprintf(&text, "%d %d %d\n", s.N, s.Below, s.Add)
	}
	sum := sha256.Sum256([]byte(text.String()))
	return "sha256:" + hex.EncodeToString(sum[:])
}()

// Published is what is told of a cell across tenants: its count and a deviation that follows from count and key alone, so that the same
// records are always told alike. 0 stays 0; 1 and 2 are never told; no count is told further off than 5.
// (Cell-key method: Fraser and Wooton 2005; as the German census does it.)
func Published(c Cell) int64 {
	n := min(max(c.N, 0), largest)
	share := c.K >> (keyBits - shareBits)
	for _, s := range noise[n] {
		if share < s.below {
			return max(c.N, 0) + s.add
		}
	}
	panic("statistics: a key has more than 62 bits")
}

// steps are the deviations of a count, with mean 0, the variance asked for, and no result that is forbidden. Of all distributions with these
// properties it is the one with the highest entropy, p(v) ~ exp(a v + b v²): it tells the least.
func steps(n int) []step {
	var allowed []float64
	for v := -deviation; v <= deviation; v++ {
		if told := n + v; told == 0 || told >= smallest {
			allowed = append(allowed, float64(v))
		}
	}
	shares := highestEntropy(allowed)
	out := make([]step, 0, len(shares))
	sum := 0.0
	for i, v := range allowed {
		sum += shares[i]
		below := int64(math.Round(sum * (1 << shareBits)))
		if len(out) > 0 && out[len(out)-1].below == below {
			continue // never drawn
		}
		out = append(out, step{below, int64(v)})
	}
	return out
}

// highestEntropy finds a and b by Newton's method on the dual, which is convex. It panics where there is no such distribution.
func highestEntropy(values []float64) []float64 {
	a, b := 0.0, -1.0/(2*variance)
	shares := make([]float64, len(values))
	for range 1000 {
		highest := math.Inf(-1)
		for _, v := range values {
			highest = max(highest, a*v+b*v*v)
		}
		var all float64
		for i, v := range values {
			shares[i] = math.Exp(a*v + b*v*v - highest)
			all += shares[i]
		}
		var m1, m2, m3, m4 float64
		for i, v := range values {
			shares[i] /= all
			m1 += shares[i] * v
			m2 += shares[i] * v * v
			m3 += shares[i] * v * v * v
			m4 += shares[i] * v * v * v * v
		}
		d1, d2 := m1, m2-variance
		if math.Abs(d1) < 1e-11 && math.Abs(d2) < 1e-11 {
			return shares
		}
		h11, h12, h22 := m2-m1*m1, m3-m1*m2, m4-m2*m2
		det := h11*h22 - h12*h12
		da, db := (d1*h22-d2*h12)/det, (d2*h11-d1*h12)/det
		pace := 1 / max(1, math.Hypot(da, db))
		a, b = a-pace*da, b-pace*db
	}
	panic("statistics: no noise has these properties")
}
