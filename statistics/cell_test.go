// SPDX-License-Identifier: EUPL-1.2

package statistics_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sort"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/statistics"
)

var keys = statistics.NewKeys([]byte("a secret of at least thirty-two bytes"))

func record(n uint64) (id [16]byte) {
	binary.BigEndian.PutUint64(id[8:], n)
	return id
}

func TestTheKeyOfARecordIsTheHMACOfItsId(t *testing.T) {
	t.Parallel()
	id := record(7)
	h := hmac.New(sha256.New, []byte("a secret of at least thirty-two bytes"))
	h.Write(id[:])
	want := int64(binary.BigEndian.Uint64(h.Sum(nil)) << 2 >> 2)
	if got := keys.Of(id); got != want || got != keys.Of(id) {
		t.Errorf("the key is %d, not %d", got, want)
	}
	if other := statistics.NewKeys([]byte("another secret of at least 32 bytes!")).Of(id); other == want {
		t.Error("another secret gives the same key")
	}
	defer func() {
		if recover() == nil {
			t.Error("a short secret is taken")
		}
	}()
	statistics.NewKeys([]byte("short"))
}

func TestWhatIsTakenBackWasNeverThere(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		gen := rapid.Custom(func(t *rapid.T) statistics.Cell {
			return statistics.Cell{N: rapid.Int64Range(0, 1<<40).Draw(t, "n"), K: rapid.Int64Range(0, statistics.KeyMask).Draw(t, "k")}
		})
		a, b, c := gen.Draw(t, "a"), gen.Draw(t, "b"), gen.Draw(t, "c")
		if a.Plus(b) != b.Plus(a) || a.Plus(b).Plus(c) != a.Plus(b.Plus(c)) || a.Plus(b).Minus(b) != a {
			t.Errorf("%v, %v and %v do not add up", a, b, c)
		}
		if k := a.Minus(b).K; k < 0 || k > statistics.KeyMask {
			t.Errorf("the key %d has more than 62 bits", k)
		}
	})
}

func TestEveryDurationLiesInItsBin(t *testing.T) {
	t.Parallel()
	bounds := statistics.Bounds()
	if !sort.SliceIsSorted(bounds, func(i, j int) bool { return bounds[i] < bounds[j] }) || bounds[0] != 1 || len(bounds) > 400 {
		t.Fatalf("%d bounds from %d on", len(bounds), bounds[0])
	}
	rapid.Check(t, func(t *rapid.T) {
		minutes := rapid.Int64Range(0, bounds[len(bounds)-1]-1).Draw(t, "minutes")
		bin := statistics.BinOf(time.Duration(minutes)*time.Minute + time.Duration(rapid.Int64Range(0, int64(time.Minute)-1).Draw(t, "rest")))
		if bin > 0 && bounds[bin-1] > minutes || bounds[bin] <= minutes {
			t.Errorf("%d minutes are in bin %d", minutes, bin)
		}
	})
	if statistics.BinOf(-time.Hour) != 0 || statistics.BinOf(59*time.Second) != 0 {
		t.Error("what took no time is in another bin than the first")
	}
	if got := statistics.BinOf(100 * 366 * 24 * time.Hour); got != len(bounds) {
		t.Errorf("a century is in bin %d", got)
	}
}

func TestEveryFineBinLiesInOneCoarseBin(t *testing.T) {
	t.Parallel()
	if statistics.Coarse(0) != 0 || statistics.Coarse(1) != 1 {
		t.Error("what took no time is counted with what did")
	}
	for b := 1; b < len(statistics.Bounds()); b++ {
		if d := statistics.Coarse(b+1) - statistics.Coarse(b); d < 0 || d > 1 {
			t.Errorf("bins %d and %d lie in %d and %d", b, b+1, statistics.Coarse(b), statistics.Coarse(b+1))
		}
	}
}

// A case counts in one bin at a time; a correction takes it out of one and puts it into another, an erasure leaves it where it is, what is told twice
// counts once.
type change struct {
	id       uint64
	duration time.Duration // negative: taken back
}

var histories = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) change {
	return change{rapid.Uint64Range(0, 40).Draw(t, "case"), time.Duration(rapid.Int64Range(-1, 60*24*60).Draw(t, "minutes")) * time.Minute}
}), 0, 200)

// fold counts a history change by change; faulty forgets to take the old bin back where something was corrected.
func fold(history []change, faulty bool) statistics.Bins {
	at, bins := map[uint64]int{}, statistics.Bins{}
	for _, c := range history {
		cell := keys.Record(record(c.id))
		if old, ok := at[c.id]; ok {
			if !faulty {
				bins.Add(old, statistics.Cell{}.Minus(cell))
			}
			delete(at, c.id)
		}
		if c.duration >= 0 {
			bin := statistics.BinOf(c.duration)
			bins.Add(bin, cell)
			at[c.id] = bin
		}
	}
	return bins
}

// counted counts what is there at the end.
func counted(history []change) statistics.Bins {
	last := map[uint64]time.Duration{}
	for _, c := range history {
		last[c.id] = c.duration
	}
	bins := statistics.Bins{}
	for id, d := range last {
		if d >= 0 {
			bins.Add(statistics.BinOf(d), keys.Record(record(id)))
		}
	}
	return bins
}

func equal(a, b statistics.Bins) bool {
	if len(a) != len(b) {
		return false
	}
	for bin, c := range a {
		if b[bin] != c {
			return false
		}
	}
	return true
}

func TestAHistoryFoldedInPartsIsWhatACountOfItsCasesGives(t *testing.T) {
	t.Parallel()
	check := func(t *rapid.T) {
		history := histories.Draw(t, "history")
		members := rapid.IntRange(1, 16).Draw(t, "members")
		merged := statistics.Bins{}
		order := rapid.Permutation(slices.Collect(seq(members))).Draw(t, "order")
		for _, m := range order {
			var own []change
			for _, c := range history {
				if int(c.id)%members == m {
					own = append(own, c)
				}
			}
			merged.Merge(fold(own, false))
		}
		if want := counted(history); !equal(merged, want) || !equal(merged.Coarse(), want.Coarse()) {
			t.Fatalf("folded %v, counted %v", merged, want)
		}
	}
	rapid.Check(t, check)
}

func seq(n int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

func TestAFoldThatForgetsToTakeBackIsCaught(t *testing.T) {
	t.Parallel()
	history := []change{{1, time.Hour}, {2, time.Hour}, {1, 3 * time.Hour}}
	if !equal(fold(history, false), counted(history)) || equal(fold(history, true), counted(history)) {
		t.Error("the comparison does not see a correction that was forgotten")
	}
}

func BenchmarkRecordKey(b *testing.B) {
	id := record(1)
	for b.Loop() {
		keys.Of(id)
	}
}

func BenchmarkPublished(b *testing.B) {
	c := statistics.Cell{N: 12, K: keys.Of(record(1))}
	for b.Loop() {
		c.K = (c.K + 0x123456789abcdef) & statistics.KeyMask
		statistics.Published(c)
	}
}
