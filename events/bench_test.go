// SPDX-License-Identifier: EUPL-1.2

package events_test

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/internal/housetest"
)

// BenchmarkOneEventToMany measures from the answer to a verb until each of many receivers has its event, all in one process with their house.
// OZG_RECEIVERS says how many; the default is 1,000.
func BenchmarkOneEventToMany(b *testing.B) {
	many := 1000
	if n, err := strconv.Atoi(os.Getenv("OZG_RECEIVERS")); err == nil {
		many = n
	}
	h := housetest.New(b)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	arrived := make(chan time.Time, many)
	var ready sync.WaitGroup
	for range many {
		s := h.As("kiel-caseworker").Follow(stream, nil)
		ready.Add(1)
		go func() {
			for e := s.Next(); e.Cursor != ""; e = s.Wait() {
				if e.Type == "CaseEvent" {
					arrived <- time.Now()
				} else {
					ready.Done()
				}
			}
		}()
	}
	ready.Wait()
	runtime.GC()
	runtime.ReadMemStats(&after)
	var all []time.Duration
	b.ResetTimer()
	for range b.N {
		h.As("kiel-applicant").Submit(parking, kiel)
		begun := time.Now()
		for range many {
			all = append(all, (<-arrived).Sub(begun))
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(after.HeapAlloc+after.StackInuse-before.HeapAlloc-before.StackInuse)/float64(many)/1024, "KiB/stream")
	slices.Sort(all)
	for _, p := range []int{50, 99} {
		b.ReportMetric(float64(all[len(all)*p/100].Microseconds())/1000, fmt.Sprintf("p%d-ms", p))
	}
}
