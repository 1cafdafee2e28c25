// SPDX-License-Identifier: EUPL-1.2

package gather_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/federation/ask/asktest"
	"github.com/ozg-cloud/platform/federation/gather"
	"github.com/ozg-cloud/platform/federation/gather/gathertest"
	"github.com/ozg-cloud/platform/statistics"
)

// central counts the cases of all Länder in one place: of each row and Land the published numbers, added up. It knows nothing of parts and how they merge.
func central(cases [][]asktest.Case, by, measures []string) map[string]int64 {
	type cell struct {
		land                int
		row, measure, which string
	}
	cells := map[cell]statistics.Cell{}
	for land, all := range cases {
		keys := statistics.NewKeys(asktest.Secret(land))
		for _, c := range all {
			row := ""
			for _, a := range by {
				row += map[string]string{
					"land": string(asktest.Land(land)), "service": c.Service, "serviceGroup": c.Service[2:5], "month": c.Month,
				}[a] + " "
			}
			var id [16]byte
			binary.BigEndian.PutUint64(id[:], c.ID)
			count := func(measure, which string) {
				at := cell{land, row, measure, which}
				cells[at] = cells[at].Plus(keys.Record(id))
			}
			for _, m := range measures {
				switch m {
				case "fullyDigital":
					count(m, "of")
					if c.Digital {
						count(m, "n")
					}
				case "timeToDecision":
					count(m, fmt.Sprintf("bin %d", statistics.Coarse(statistics.BinOf(c.Took))))
					count(m, "n")
				default:
					count(m, "n")
				}
			}
		}
	}
	out := map[string]int64{}
	for at, c := range cells {
		if n := statistics.Published(c); n != 0 {
			out[at.row+at.measure+" "+at.which] += n
		}
	}
	return out
}

// told is an answer in the same form.
func told(a gather.Answer) map[string]int64 {
	out := map[string]int64{}
	for _, r := range a.Part.Rows {
		row := ""
		for _, v := range r.At {
			row += v + " "
		}
		for i, m := range a.Plan.Measures {
			say := func(which string, n int64) {
				if n != 0 {
					out[row+string(m)+" "+which] += n
				}
			}
			say("n", r.Figures[i].N)
			say("of", r.Figures[i].Of.N)
			for _, b := range r.Figures[i].Bins {
				say(fmt.Sprintf("bin %d", b.Bin), b.N)
			}
		}
	}
	return out
}

func TestWhatTheFederationCountsIsWhatOneHouseWouldHavePublished(t *testing.T) {
	t.Parallel()
	tables := []struct{ by, measures []string }{
		{[]string{"month"}, []string{"decided", "fullyDigital", "timeToDecision"}},
		{[]string{"land", "month"}, []string{"timeToDecision", "decided"}},
		{[]string{"service", "month"}, []string{"timeToDecision", "fullyDigital"}},
		{[]string{"land", "service", "month"}, []string{"fullyDigital", "decided", "timeToDecision"}},
		{[]string{"serviceGroup", "month"}, []string{"decided", "fullyDigital"}},
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, members).Draw(t, "members")
		table := rapid.SampledFrom(tables).Draw(t, "table")
		seed := rapid.Uint64().Draw(t, "seed")
		rng := rand.New(rand.NewPCG(seed, 9))
		cases := make([][]asktest.Case, n)
		skew := rapid.IntRange(1, 4).Draw(t, "skew") // some Länder have nearly everything
		for _, c := range asktest.History(seed, rapid.IntRange(0, 400).Draw(t, "cases")) {
			land := rng.IntN(n)
			for range skew {
				land = min(land, rng.IntN(n))
			}
			cases[land] = append(cases[land], c)
		}
		c, err := gathertest.New(n, func(i int) []asktest.Case {
			shuffled := slices.Clone(cases[i])
			rng.Shuffle(len(shuffled), func(a, b int) { shuffled[a], shuffled[b] = shuffled[b], shuffled[a] })
			return shuffled
		})
		if err != nil {
			t.Fatal(err)
		}
		v := asktest.Asked(measuresOf(table.measures), axes(table.by)...)
		v.Measures = measuresOf(table.measures) // in the order asked for
		a, err := c.Gatherer(rng.IntN(n), &gathertest.Shelf{}).Ask(t.Context(), v, patient)
		if err != nil || !a.Complete() {
			t.Fatalf("%d of %d have answered: %v", a.Answered, a.Expected, err)
		}
		want, have := central(cases, table.by, table.measures), told(a)
		for key, n := range want {
			if have[key] != n {
				t.Fatalf("%s: %d instead of %d", key, have[key], n)
			}
		}
		if len(have) != len(want) {
			t.Fatalf("%d numbers instead of %d", len(have), len(want))
		}
		// The twin: a Land that is left out is noticed.
		for i := range cases {
			if len(cases[i]) < 20 {
				continue
			}
			without := slices.Clone(cases)
			without[i] = nil
			if fmt.Sprint(central(without, table.by, table.measures)) == fmt.Sprint(have) {
				t.Fatal("the comparison does not notice that a Land is missing")
			}
			break
		}
	})
}

func measuresOf(names []string) (out []statistics.Measure) {
	for _, n := range names {
		out = append(out, statistics.Measure(n))
	}
	return out
}

func axes(names []string) (out []statistics.Axis) {
	for _, n := range names {
		out = append(out, statistics.Axis(n))
	}
	return out
}
