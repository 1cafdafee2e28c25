// SPDX-License-Identifier: EUPL-1.2

package statistics_test

import (
	"flag"
	"testing"
	"time"
)

var benchCases = flag.Int("cases", 20_000, "how many cases the benchmarks of the fold have")

// BenchmarkRebuild counts all cases anew. events/s reckons with the events that a rebuild out of the log alone would have read.
func BenchmarkRebuild(b *testing.B) {
	l := newLedger(b, 3, *benchCases)
	var lines int
	if err := l.db.QueryRow(b.Context(), "select count(*) from history_events").Scan(&lines); err != nil {
		b.Fatal(err)
	}
	l.exec("analyze")
	for b.Loop() {
		begun := time.Now()
		if err := l.tally(l.books.Writing).Rebuild(b.Context(), func(int) {}); err != nil {
			b.Fatal(err)
		}
		took := time.Since(begun).Seconds()
		b.ReportMetric(float64(lines)/took, "events/s")
		b.ReportMetric(float64(*benchCases)/took, "cases/s")
	}
	var cells int
	if err := l.db.QueryRow(b.Context(), "select count(*) from statistics_cells").Scan(&cells); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(cells), "cells")
}
