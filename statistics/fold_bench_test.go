// SPDX-License-Identifier: EUPL-1.2

package statistics_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

var benchCases = flag.Int("cases", 20_000, "how many cases the benchmarks of the fold have")

// spent is the time that processors have worked for this program and for its connections to its database.
func (l *ledger) spent() time.Duration {
	l.Helper()
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		l.Fatal(err)
	}
	return time.Duration(own.Utime.Nano()+own.Stime.Nano()) + l.spentThere("%")
}

// tallies are the logins of tallies.
const tallies = `login\_%`

// spentThere is the time that processors have worked for the connections of some logins to the database.
func (l *ledger) spentThere(logins string) (sum time.Duration) {
	l.Helper()
	rows, err := l.db.Query(l.Context(), "select pid from pg_stat_activity where datname = current_database() and usename like $1", logins)
	if err != nil {
		l.Fatal(err)
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		l.Fatal(err)
	}
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
	l.House.House.Close() // it would read the log of all that has been laid meanwhile, for those who listen
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

// BenchmarkLag changes cases a thousand times a second for ten seconds, beside a tally that counts them, and tells how long after it was stored an event was counted:
// of steps, by which a case gets into another state, and of messages, which are counted the first time only. CPUs/Mevents are those of the tally's connections for a
// million events, and -of-all those of everything here, the writing of the events among it.
func BenchmarkLag(b *testing.B) {
	for _, of := range []struct {
		name, action string
		states       []string
	}{
		{"steps", "CASE_ACCEPTED", []string{"ACCEPTED", "IN_PROGRESS", "WAITING_FOR_APPLICANT"}},
		{"messages", "MESSAGE_SENT", []string{""}},
	} {
		b.Run(of.name, func(b *testing.B) { lag(b, of.action, of.states) })
	}
}

func lag(b *testing.B, action string, states []string) {
	l := newLedger(b, 4, 2_000)
	l.House.House.Close()
	l.folds()
	all := l.cases()
	type stored struct {
		seq int64
		at  time.Time
	}
	for b.Loop() {
		var mu sync.Mutex
		var waiting []stored
		var lags []time.Duration
		ctx, stop := context.WithCancel(b.Context())
		var wait sync.WaitGroup
		wait.Go(func() { l.tally(l.books.Writing).Run(ctx) })
		looking := l.Database()
		wait.Go(func() {
			for ctx.Err() == nil {
				var seq int64
				if err := looking.QueryRow(ctx, "select seq from statistics_offset, pg_sleep(0.005) where answers").Scan(&seq); err != nil {
					return
				}
				now := time.Now()
				mu.Lock()
				for len(waiting) > 0 && waiting[0].seq <= seq {
					lags = append(lags, now.Sub(waiting[0].at))
					waiting = waiting[1:]
				}
				mu.Unlock()
			}
		})
		begun, before, there := time.Now(), l.spent(), l.spentThere(tallies)
		turn := time.NewTicker(10 * time.Millisecond)
		const turns, each = 1_000, 10
		for i := range turns {
			<-turn.C
			ids := make([]string, each)
			first := l.chance.IntN(len(all) - each)
			for j := range ids {
				ids[j] = all[first+j].String()
			}
			var seq int64
			if err := l.db.QueryRow(b.Context(), `with k as (update cases set revision = revision + 1, state = coalesce(nullif($4, ''), state) where id = any($1::uuid[]) returning *),
				h as (insert into history_events (id, tenant_id, place, case_id, sequence, at, actor, action, to_state, previous_hash, hash)
					select gen_random_uuid(), tenant_id, place, id, revision, $2, 'user:dev:somebody', $3, state, '', gen_random_uuid()::text from k),
				e as (insert into events (id, tenant_id, place, type, case_id, sequence, revision, at)
					select gen_random_uuid(), tenant_id, place, $3, id, revision, revision, $2 from k returning seq)
				select max(seq) from e`, ids, l.now, action, states[i%len(states)]).Scan(&seq); err != nil {
				b.Fatal(err)
			}
			mu.Lock()
			waiting = append(waiting, stored{seq, time.Now()})
			mu.Unlock()
		}
		turn.Stop()
		took := time.Since(begun)
		for left := true; left; {
			mu.Lock()
			left = len(waiting) > 0
			mu.Unlock()
			if err := l.db.QueryRow(b.Context(), "select $1::bool from pg_sleep(0.01)", left).Scan(&left); err != nil {
				b.Fatal(err)
			}
		}
		spent, counting := l.spent()-before, l.spentThere(tallies)-there
		stop()
		wait.Wait()
		slices.Sort(lags)
		b.ReportMetric(turns*each/took.Seconds(), "events/s")
		b.ReportMetric(lags[len(lags)/2].Seconds(), "s-p50")
		b.ReportMetric(lags[len(lags)*99/100].Seconds(), "s-p99")
		b.ReportMetric(counting.Seconds()/(turns*each)*1e6, "CPUs/Mevents")
		b.ReportMetric(spent.Seconds()/(turns*each)*1e6, "CPUs/Mevents-of-all")
	}
	b.ReportMetric(0, "ns/op")
}
