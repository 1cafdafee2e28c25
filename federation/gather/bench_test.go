// SPDX-License-Identifier: EUPL-1.2

package gather_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/federation/ask/asktest"
	"github.com/ozg-cloud/platform/federation/charter"
	"github.com/ozg-cloud/platform/federation/gather"
	"github.com/ozg-cloud/platform/federation/gather/gathertest"
	"github.com/ozg-cloud/platform/statistics"
)

// figures is the question of the benchmarks: durations by service and month, several hundred cells from each member.
var figures = asktest.Asked([]statistics.Measure{statistics.TimeToDecision}, statistics.Land, statistics.Service, statistics.Month)

// afar makes a country whose houses take their time before they answer.
func afar(b *testing.B, wait func(i int) time.Duration) *gathertest.Country {
	b.Helper()
	c, err := gathertest.New(members, func(i int) []asktest.Case { return asktest.History(uint64(i), 1000) })
	if err != nil {
		b.Fatal(err)
	}
	c.Listen(b)
	for i, h := range c.Houses {
		h.Ail(func(h *gathertest.House, w http.ResponseWriter, r *http.Request) {
			select {
			case <-time.After(wait(i)):
				h.Well(w, r)
			case <-r.Context().Done():
			}
		})
	}
	return c
}

// quantiles are median and 95th percentile of durations in milliseconds.
func quantiles(all []time.Duration) (p50, p95 float64) {
	slices.Sort(all)
	at := func(share int) float64 { return float64(all[len(all)*share/100].Microseconds()) / 1000 }
	return at(50), at(95)
}

// BenchmarkColdMonth asks sixteen members over loopback HTTP for a closed month of which nothing is kept, and compares with asking the slowest of them
// alone. Houses take 10 to 40 ms before they begin. Goal: p50 1.2 times, p95 1.4 times the slowest member.
func BenchmarkColdMonth(b *testing.B) {
	c := afar(b, func(i int) time.Duration { return time.Duration(10+2*i) * time.Millisecond })
	g := c.Gatherer(0, forgetful{&gathertest.Shelf{}})
	var together, slowest []time.Duration
	for range 20 { // connections, and what is usual
		asks(b, g, figures, patient)
	}
	last := patient
	last.Members = []charter.MemberID{asktest.Land(members - 1)}
	for b.Loop() {
		begun := time.Now()
		asks(b, g, figures, last)
		slowest = append(slowest, time.Since(begun))
		begun = time.Now()
		if a := asks(b, g, figures, patient); !a.Complete() {
			b.Fatal("somebody is missing")
		}
		together = append(together, time.Since(begun))
	}
	alone, _ := quantiles(slowest)
	p50, p95 := quantiles(together)
	b.ReportMetric(alone, "ms/slowest")
	b.ReportMetric(p50, "ms/p50")
	b.ReportMetric(p95, "ms/p95")
	b.ReportMetric(p50/alone, "p50/slowest")
	b.ReportMetric(p95/alone, "p95/slowest")
}

// BenchmarkStragglers is the same where 2 of 100 answers take 400 ms longer, with second questions and without. Goal: p95 0.3 times that without.
func BenchmarkStragglers(b *testing.B) {
	c := afar(b, func(int) time.Duration {
		d := time.Duration(10+rand.IntN(20)) * time.Millisecond
		if rand.IntN(50) == 0 {
			d += 400 * time.Millisecond
		}
		return d
	})
	hedged, plain := c.Gatherer(0, forgetful{&gathertest.Shelf{}}), c.Gatherer(0, forgetful{&gathertest.Shelf{}}).Unhedged()
	for range 20 {
		asks(b, hedged, figures, patient)
		asks(b, plain, figures, patient)
	}
	var with, without []time.Duration
	for b.Loop() {
		begun := time.Now()
		asks(b, hedged, figures, patient)
		with = append(with, time.Since(begun))
		begun = time.Now()
		asks(b, plain, figures, patient)
		without = append(without, time.Since(begun))
	}
	_, p95 := quantiles(with)
	_, unhedged := quantiles(without)
	asked, again := hedged.Load()
	b.ReportMetric(p95, "ms/p95")
	b.ReportMetric(unhedged, "ms/p95-unhedged")
	b.ReportMetric(p95/unhedged, "p95/unhedged")
	b.ReportMetric(100*float64(again)/float64(asked), "%extra")
}

// BenchmarkKept is the same question where everybody's statement is kept. Goal: p95 15 ms, nobody is asked.
func BenchmarkKept(b *testing.B) {
	c := afar(b, func(int) time.Duration { return 0 })
	g := c.Gatherer(0, &gathertest.Shelf{})
	asks(b, g, figures, patient)
	asked, _ := g.Load()
	var all []time.Duration
	for b.Loop() {
		begun := time.Now()
		asks(b, g, figures, patient)
		all = append(all, time.Since(begun))
	}
	if again, _ := g.Load(); again != asked {
		b.Fatal("somebody was asked")
	}
	p50, p95 := quantiles(all)
	b.ReportMetric(p50, "ms/p50")
	b.ReportMetric(p95, "ms/p95")
}

// BenchmarkDeadline asks where one member is cut off in the middle of its answer. Goal: the answer comes at most 20 ms after the deadline.
func BenchmarkDeadline(b *testing.B) {
	c := afar(b, func(int) time.Duration { return 0 })
	c.Houses[5].Ail(gathertest.SlowBody)
	o := gather.Options{Deadline: 250 * time.Millisecond}
	var late []time.Duration
	for b.Loop() {
		g := c.Gatherer(0, forgetful{&gathertest.Shelf{}})
		begun := time.Now()
		a := asks(b, g, figures, o)
		late = append(late, time.Since(begun)-o.Deadline)
		if len(a.Members) != members {
			b.Fatal("somebody is not told")
		}
		g.Settle()
	}
	p50, p95 := quantiles(late)
	b.ReportMetric(p50, "ms-late/p50")
	b.ReportMetric(p95, "ms-late/p95")
}

// forgetful is a shelf that knows no statements, so that everybody is asked each time.
type forgetful struct{ *gathertest.Shelf }

func (f forgetful) Learn(_ context.Context, l gather.Learned) (gather.Kept, error) {
	return l.Kept, nil
}
