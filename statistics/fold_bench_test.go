// SPDX-License-Identifier: EUPL-1.2

package statistics_test

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

var benchCases = flag.Int("cases", 20_000, "how many cases the benchmarks of the fold have")

// spent is the time that processors have worked for this program and for its connections to its database.
func (l *ledger) spent() time.Duration {
	l.Helper()
	rows, err := l.db.Query(l.Context(), "select pid from pg_stat_activity where datname = current_database()")
	if err != nil {
		l.Fatal(err)
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		l.Fatal(err)
	}
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		l.Fatal(err)
	}
	sum := time.Duration(own.Utime.Nano() + own.Stime.Nano())
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue // it has left
		}
		fields := strings.Fields(string(text)[strings.LastIndexByte(string(text), ')')+1:])
		for _, field := range fields[11:13] { // utime and stime, in hundredths of a second
			ticks, err := strconv.ParseInt(field, 10, 64)
			if err != nil {
				l.Fatal(err)
			}
			sum += time.Duration(ticks) * 10 * time.Millisecond
		}
	}
	return sum
}

// BenchmarkRebuild counts all cases anew, and beside it reads the log and the cases' history and writes the same number of cells by hand, which is what no rebuild can do
// without. events/s reckons with the lines of history, each of which was an event; CPU s are those of both sides for a million of them.
func BenchmarkRebuild(b *testing.B) {
	l := newLedger(b, 3, *benchCases)
	var lines, cells float64
	if err := l.db.QueryRow(b.Context(), "select count(*) from history_events").Scan(&lines); err != nil {
		b.Fatal(err)
	}
	l.exec("analyze")
	var took, worked, byHand, workedByHand time.Duration
	for b.Loop() {
		begun, before := time.Now(), l.spent()
		if err := l.tally(l.books.Writing).Rebuild(b.Context(), func(int) {}); err != nil {
			b.Fatal(err)
		}
		took, worked = took+time.Since(begun), worked+l.spent()-before
		if err := l.db.QueryRow(b.Context(), "select count(*) from statistics_cells where generation = (select generation from statistics_offset where answers)").Scan(&cells); err != nil {
			b.Fatal(err)
		}

		begun, before = time.Now(), l.spent()
		l.exec("create unlogged table bare (like statistics_cells including indexes)")
		rows, err := l.db.Query(b.Context(), "select h.case_id, h.at, h.action, h.to_state, k.* from cases k join history_events h on h.case_id = k.id order by k.place, k.id, h.sequence")
		if err != nil {
			b.Fatal(err)
		}
		for rows.Next() {
			_ = rows.RawValues()
		}
		if rows.Err() != nil {
			b.Fatal(rows.Err())
		}
		l.exec("insert into bare select * from statistics_cells where generation = (select generation from statistics_offset where answers) order by generation, level, lo, population, shape, period, service_id, detail")
		byHand, workedByHand = byHand+time.Since(begun), workedByHand+l.spent()-before
		l.exec("drop table bare")
	}
	n := lines * float64(b.N)
	b.ReportMetric(n/took.Seconds(), "events/s")
	b.ReportMetric(worked.Seconds()/n*1e6, "CPUs/Mevents")
	b.ReportMetric(n/byHand.Seconds(), "events/s-by-hand")
	b.ReportMetric(workedByHand.Seconds()/n*1e6, "CPUs/Mevents-by-hand")
	b.ReportMetric(cells/float64(*benchCases), "cells/case")
	b.ReportMetric(0, "ns/op")
}
