// SPDX-License-Identifier: EUPL-1.2

package statistics_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/statistics"
)

// faultsOf says what is wrong with a table of noise.
func faultsOf(table []statistics.Step) map[string]bool {
	out := map[string]bool{}
	var last statistics.Step
	mean, square, share := map[int64]float64{}, map[int64]float64{}, map[int64]float64{}
	for _, s := range table {
		before := int64(0)
		if last.N == s.N {
			before = last.Below
		}
		p := float64(s.Below-before) / (1 << 24)
		share[s.N] += p
		mean[s.N] += p * float64(s.Add)
		square[s.N] += p * float64(s.Add*s.Add)
		if told := s.N + s.Add; told < 0 || told == 1 || told == 2 {
			out["a number that must not be told"] = true
		}
		if s.N == 0 && s.Add != 0 {
			out["nothing becomes something"] = true
		}
		if s.Add < -5 || s.Add > 5 {
			out["too far off"] = true
		}
		last = s
	}
	for n := range int64(9) {
		if math.Abs(share[n]-1) > 1e-12 {
			out["shares do not add up"] = true
		}
		if math.Abs(mean[n]) > 1e-6 {
			out["one side is favoured"] = true
		}
		if n > 0 && math.Abs(square[n]-2) > 1e-5 {
			out["another variance"] = true
		}
	}
	return out
}

func TestTheTableOfNoiseKeepsItsPromises(t *testing.T) {
	t.Parallel()
	for fault := range faultsOf(statistics.NoiseTable()) {
		t.Error(fault)
	}
	if got, want := statistics.NoiseHash(), "sha256:d350ab39bdf63bc3c915cd7d9f60a70d637c86155021f24435ade4b948992b1f"; got != want {
		t.Errorf("the table has become another one, so that what was published would be told anew: %s", got)
	}
}

func TestATableThatTellsOneAndTwoIsCaught(t *testing.T) {
	t.Parallel()
	table := statistics.NoiseTable()
	for i := range table {
		if table[i].N == 3 && table[i].Add == -3 {
			table[i].Add = -1
		}
	}
	found := faultsOf(table)
	if !found["a number that must not be told"] || !found["one side is favoured"] {
		t.Errorf("found %v", found)
	}
}

func TestWhatIsPublishedIsNearNeverSmallAndAlwaysTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := statistics.Cell{N: rapid.Int64Range(0, 1<<50).Draw(t, "n"), K: rapid.Int64Range(0, statistics.KeyMask).Draw(t, "k")}
		if rapid.Bool().Draw(t, "small") {
			c.N %= 12
		}
		told := statistics.Published(c)
		if told != statistics.Published(c) || told < 0 || told == 1 || told == 2 || told-c.N > 5 || c.N-told > 5 || c.N == 0 && told != 0 {
			t.Errorf("%v is told as %d", c, told)
		}
	})
	for _, k := range []int64{0, statistics.KeyMask} {
		for n := range int64(20) {
			statistics.Published(statistics.Cell{N: n, K: k}) // no key is without a step
		}
	}
}
