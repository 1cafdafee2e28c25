// SPDX-License-Identifier: EUPL-1.2

package statistics_test

import (
	"encoding/binary"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ozg-cloud/platform/statistics"
)

// What somebody reckons who knows method, tables and every attribute that cases can have, but no key: attacks of docs/decisions/0022. Chance is what
// one published number gives away: it is the true one in about 29 of 100 cells.

var laender = flag.Int("laender", 4, "how many Länder of each size are attacked; a hundred give figures to within one in a hundred")

// publisher tells a cell. The house's is statistics.Published; twins publish otherwise.
type publisher func(statistics.Cell) int64

// afresh draws new noise for every question, as a house without keys would.
func afresh(seed uint64) publisher {
	rng := rand.New(rand.NewPCG(seed, 1))
	return func(c statistics.Cell) int64 {
		c.K = rng.Int64N(statistics.KeyMask)
		return statistics.Published(c)
	}
}

// cells are n records, with keys.
func cells(rng *rand.Rand, n int) []statistics.Cell {
	out := make([]statistics.Cell, n)
	for i := range out {
		var id [16]byte
		binary.BigEndian.PutUint64(id[:], rng.Uint64())
		binary.BigEndian.PutUint64(id[8:], rng.Uint64())
		out[i] = keys.Record(id)
	}
	return out
}

func sum(all []statistics.Cell) (out statistics.Cell) {
	for _, c := range all {
		out = out.Plus(c)
	}
	return out
}

// recovered is the share of attempts that end at the true number.
func recovered(attempts int, seed uint64, attempt func(*rand.Rand) (guess float64, truth int64)) float64 {
	rng, hit := rand.New(rand.NewPCG(seed, 2)), 0
	for range attempts {
		if guess, truth := attempt(rng); int64(math.Round(guess)) == truth {
			hit++
		}
	}
	return float64(hit) / float64(attempts)
}

// repeating asks the same a hundred times and takes the mean.
func repeating(tell publisher) float64 {
	return recovered(1000, 1, func(rng *rand.Rand) (float64, int64) {
		c, all := sum(cells(rng, 60)), int64(0)
		for range 100 {
			all += tell(c)
		}
		return float64(all) / 100, c.N
	})
}

func TestAskingAgainTellsNothing(t *testing.T) {
	t.Parallel()
	if got := repeating(statistics.Published); got > 0.33 {
		t.Errorf("a hundred answers to the same question give away %.2f", got)
	}
	if got := repeating(afresh(1)); got < 0.9 {
		t.Errorf("the attack does not find noise that is drawn afresh: %.2f", got)
	}
}

// splitting cuts sixty records in two at will, again and again, and takes the mean of the sums. It is what Asghar and Kaafar did (PETS 2020).
func splitting(splits int) float64 {
	return recovered(500, 3, func(rng *rand.Rand) (float64, int64) {
		records, all := cells(rng, 60), int64(0)
		for range splits {
			rng.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
			cut := 20 + rng.IntN(20)
			all += statistics.Published(sum(records[:cut])) + statistics.Published(sum(records[cut:]))
		}
		return float64(all) / float64(splits), 60
	})
}

func TestFreeUnionsWouldGiveEverythingAwayAndAreRefused(t *testing.T) {
	t.Parallel()
	if got := splitting(50); got < 0.8 {
		t.Errorf("the attack is too weak to show why: %.2f", got)
	}
	if _, err := statistics.Standard().Plan(statistics.Question{
		Product: statistics.Protected, Measures: []statistics.Measure{statistics.Applications}, From: "2026-09", To: "2026-09", Now: now,
		Where: []statistics.Filter{{Axis: statistics.Authority, Values: []string{"kiel", "plon", "eutin"}}},
	}); !isProblem(err, "freeUnion") {
		t.Errorf("a free union: %v", err)
	}
}

// following watches one cell grow by a record that is known to come, and takes the mean of what is told.
func following(times int) float64 {
	return recovered(500, 4, func(rng *rand.Rand) (float64, int64) {
		records, all := cells(rng, 40+times), int64(0)
		for i := range times {
			all += statistics.Published(sum(records[:40+i])) - int64(i)
		}
		return float64(all) / float64(times), 40
	})
}

func TestPublishingACellAsItGrowsWouldGiveItAwayAndIsRefused(t *testing.T) {
	t.Parallel()
	if got := following(1); got > 0.34 {
		t.Errorf("one publication gives away %.2f", got)
	}
	if got := following(2); got > 0.45 {
		t.Errorf("one planned revision gives away %.2f", got)
	}
	if got := following(50); got < 0.9 {
		t.Errorf("the attack is too weak to show why: %.2f", got)
	}
	if _, err := statistics.Standard().Plan(statistics.Question{
		Product: statistics.Protected, Measures: []statistics.Measure{statistics.Applications}, From: "2026-11", To: "2026-11", Now: now,
	}); !isProblem(err, "openPeriod") {
		t.Errorf("a month that goes on: %v", err)
	}
}

func TestOneCaseMoreOrLessIsNotSeen(t *testing.T) {
	t.Parallel()
	seen := func(tell publisher) float64 {
		return recovered(4000, 5, func(rng *rand.Rand) (float64, int64) {
			with := cells(rng, 25)
			return float64(tell(sum(with)) - tell(sum(with[:24]))), 1
		})
	}
	if got := seen(statistics.Published); got > 0.25 {
		t.Errorf("a single case is seen in %.2f", got)
	}
	// The twin is noise that is keyed by the count alone: neighbours then differ always alike.
	if got := seen(func(c statistics.Cell) int64 { return statistics.Published(statistics.Cell{N: c.N, K: 1 << 61}) }); got < 0.9 {
		t.Errorf("the attack does not find noise without keys: %.2f", got)
	}
}

// differencing takes the other parts from the whole, and weighs what is left with what is told of the part itself.
func differencing(parts int, tell publisher) float64 {
	return recovered(4000, 8, func(rng *rand.Rand) (float64, int64) {
		part := sum(cells(rng, 5+rng.IntN(20)))
		whole, others := part, int64(0)
		for range parts - 1 {
			other := sum(cells(rng, 5+rng.IntN(20)))
			whole, others = whole.Plus(other), others+tell(other)
		}
		left, weight := float64(tell(whole)-others), 1/float64(parts) // as many numbers are off as there are parts
		return (float64(tell(part)) + weight*left) / (1 + weight), part.N
	})
}

func TestAWholeLessItsOtherPartsTellsLittle(t *testing.T) {
	t.Parallel()
	for parts, limit := range map[int]float64{2: 0.38, 6: 0.34} {
		if got := differencing(parts, statistics.Published); got > limit {
			t.Errorf("a whole of %d parts gives away %.2f", parts, got)
		}
		// The twin tells the whole as it is, and its parts too: then the difference is what was to be hidden.
		if got := differencing(parts, func(c statistics.Cell) int64 { return c.N }); got < 0.99 {
			t.Errorf("the attack does not find numbers without noise: %.2f", got)
		}
	}
}

func TestWhatIsToldOfOneAndTwoIsNoughtOrThree(t *testing.T) {
	t.Parallel()
	told := func(tell publisher) map[int64]int {
		rng, out := rand.New(rand.NewPCG(6, 6)), map[int64]int{}
		for range 3000 {
			out[tell(sum(cells(rng, 1+rng.IntN(2))))]++
		}
		return out
	}
	for n := range told(statistics.Published) {
		if n != 0 && n != 3 {
			t.Errorf("a small cell is told as %d", n)
		}
	}
	without := told(func(c statistics.Cell) int64 {
		// Noise of large counts for small ones: a table that blocks nothing.
		return max(0, statistics.Published(statistics.Cell{N: c.N + 100, K: c.K})-100)
	})
	if without[1] == 0 || without[2] == 0 {
		t.Errorf("a table that blocks nothing tells %v", without)
	}
}

// world is one Land in one month, narrower than SmallestHierarchy, so that its tables tell more of each other than those of a real one.
// Its cases fall into leaves, one for each combination of what can be asked by.
type world struct {
	leaves int
	label  map[statistics.Axis]func(leaf int) int
}

// newWorld crosses axes. The values of an axis are numbered through below the axis above it: a district is also its Land.
func newWorld(parts map[statistics.Axis]int) *world {
	w := &world{1, map[statistics.Axis]func(int) int{statistics.Month: func(int) int { return 0 }}}
	for _, axes := range [][]statistics.Axis{
		{statistics.Land, statistics.District, statistics.Authority},
		{statistics.ServiceGroup, statistics.Service},
		{statistics.Day},
		{statistics.State},
		{statistics.Channel},
		{statistics.TrustLevel},
		{statistics.Outcome},
		{statistics.Duration},
	} {
		before, whole := w.leaves, 1
		for _, a := range axes {
			whole *= max(1, parts[a])
		}
		within := whole
		for _, a := range axes {
			within /= max(1, parts[a])
			each := within
			w.label[a] = func(leaf int) int { return leaf / before % whole / each }
		}
		w.leaves *= whole
	}
	return w
}

// table numbers, for each leaf, the cell of a table that it lies in.
func (w *world) table(t statistics.Table) (cellOf []int, size int) {
	cellOf, names := make([]int, w.leaves), map[[6]int]int{}
	for leaf := range w.leaves {
		var name [6]int
		for i, a := range t {
			name[i] = w.label[a](leaf)
		}
		n, ok := names[name]
		if !ok {
			n = len(names)
			names[name] = n
		}
		cellOf[leaf] = n
	}
	return cellOf, len(names)
}

// linear is the best linear estimate of every published cell out of all of them together: it uses sums of parts, wholes less the other parts, and
// whatever else can be added up. spread says how little is known beforehand: at 1 that cases fall evenly, as many as fall on average, at 10,000
// nothing. It counts the cells of 1 to 10 cases, those that it finds, and those that each number by itself already is.
func (w *world) linear(tables []statistics.Table, cases int, seed uint64, spread float64) (small, found, alone int) {
	rng := rand.New(rand.NewPCG(seed, 7))
	truth := make([]statistics.Cell, w.leaves)
	for _, c := range cells(rng, cases) {
		leaf := int(float64(w.leaves) * math.Pow(rng.Float64(), 1.5)) // some are busier than others
		truth[leaf] = truth[leaf].Plus(c)
	}
	var maps [][]int
	var told [][]float64
	var counts [][]int64
	for _, t := range tables {
		of, size := w.table(t)
		sums := make([]statistics.Cell, size)
		for leaf, c := range truth {
			sums[of[leaf]] = sums[of[leaf]].Plus(c)
		}
		y, n := make([]float64, size), make([]int64, size)
		for i, c := range sums {
			y[i], n[i] = float64(statistics.Published(c)), c.N
		}
		maps, told, counts = append(maps, of), append(told, y), append(counts, n)
	}
	mean := float64(cases) / float64(w.leaves)
	sums := func(x []float64) [][]float64 {
		out := make([][]float64, len(maps))
		for t, of := range maps {
			out[t] = make([]float64, len(told[t]))
			for leaf, v := range x {
				out[t][of[leaf]] += v
			}
		}
		return out
	}
	back := func(y [][]float64) []float64 {
		out := make([]float64, w.leaves)
		for t, of := range maps {
			for leaf := range out {
				out[leaf] += y[t][of[leaf]] / 2 // the variance of the noise
			}
		}
		return out
	}
	// (A'A/V + I/mean) d = A'(y - A mean)/V, by conjugate gradients.
	flat := make([]float64, w.leaves)
	for i := range flat {
		flat[i] = mean
	}
	off := sums(flat)
	for t := range off {
		for i := range off[t] {
			off[t][i] = told[t][i] - off[t][i]
		}
	}
	d, r := make([]float64, w.leaves), back(off)
	p, rr := slices.Clone(r), dot(r, r)
	near := rr * 1e-9
	for range 400 {
		q := back(sums(p))
		for i := range q {
			q[i] += p[i] / (mean * spread)
		}
		pace := rr / dot(p, q)
		for i := range d {
			d[i] += pace * p[i]
			r[i] -= pace * q[i]
		}
		next := dot(r, r)
		if next < near {
			break
		}
		for i := range p {
			p[i] = r[i] + next/rr*p[i]
		}
		rr = next
	}
	for i := range d {
		d[i] += mean
	}
	for t, estimates := range sums(d) {
		for i, e := range estimates {
			if n := counts[t][i]; n >= 1 && n <= 10 {
				small++
				if int64(math.Round(e)) == n {
					found++
				}
				if int64(told[t][i]) == n {
					alone++
				}
			}
		}
	}
	return small, found, alone
}

func dot(a, b []float64) (out float64) {
	for i := range a {
		out += a[i] * b[i]
	}
	return out
}

const (
	knowsNothing = 1e4
	knowsAverage = 1
	knowsNoTable = 1e-9 // the average and nothing else
)

// attacked adds up the attack on several Länder: small counts found, and found by each number alone, as shares.
func attacked(parts map[statistics.Axis]int, tables []statistics.Table, cases, times int, spread float64) (small int, found, alone float64) {
	w, f, a := newWorld(parts), 0, 0
	for seed := range times {
		n, hit, single := w.linear(tables, cases, uint64(seed), spread)
		small, f, a = small+n, f+hit, a+single
	}
	return small, float64(f) / float64(max(1, small)), float64(a) / float64(max(1, small))
}

// The limit of 40 % is one for what tables tell: it holds for somebody who knows nothing else. Who knows beforehand how many cases there are on
// average guesses better, with tables or without; how far that goes is held here too, so that no new table makes it worse unnoticed.
func TestAllDeclaredTablesTogetherDoNotGiveSmallCountsAway(t *testing.T) {
	t.Parallel()
	attackedBefore := map[string]bool{}
	for _, cube := range statistics.Standard().Cubes() {
		name := fmt.Sprint(cube.Published)
		if attackedBefore[name] {
			continue
		}
		attackedBefore[name] = true
		parts := map[statistics.Axis]int{statistics.District: 4, statistics.Authority: 3, statistics.ServiceGroup: 4, statistics.Service: 3}
		for _, table := range cube.Published {
			for _, a := range table {
				if n, ok := map[statistics.Axis]int{
					statistics.Day: 5, statistics.State: 4, statistics.Outcome: 4, statistics.Channel: 2, statistics.TrustLevel: 3, statistics.Duration: 6,
				}[a]; ok {
					parts[a] = n
				}
			}
		}
		for _, cases := range []int{30, 100, 300} {
			small, found, alone := attacked(parts, cube.Published, cases, *laender, knowsNothing)
			if small < 100 {
				continue // cells are large: there is nothing to find
			}
			_, informed, _ := attacked(parts, cube.Published, cases, *laender, knowsAverage)
			_, guessed, _ := attacked(parts, cube.Published, cases, *laender, knowsNoTable)
			t.Logf("%s, %d cases, %d small counts: %.2f by each number alone, %.2f by all tables; with the average known %.2f, and without tables %.2f",
				cube.Population, cases, small, alone, found, informed, guessed)
			if found > 0.40 || informed > 0.50 {
				t.Errorf("%s, %d cases: all tables give away %.3f of small counts, to who knows the average %.3f", cube.Population, cases, found, informed)
			}
		}
	}
}

func TestTablesThatTheAuditRefusesWouldGiveSmallCountsAway(t *testing.T) {
	t.Parallel()
	marks := []statistics.Axis{statistics.State, statistics.Channel, statistics.TrustLevel, statistics.Outcome, statistics.Day}
	parts := map[statistics.Axis]int{}
	for _, m := range marks {
		parts[m] = 2
	}
	cube := crossed(marks...)
	if _, err := statistics.Declare(parts, cube); err == nil {
		t.Fatal("five yes and no pass the audit")
	}
	small, found, alone := attacked(parts, cube.Published, 100, *laender, knowsNothing)
	t.Logf("five marks: %.2f of %d small counts, %.2f by each number alone", found, small, alone)
	if small < 100 || found < 0.6 {
		t.Errorf("the attack is too weak to show why: %.3f of %d", found, small)
	}
}
