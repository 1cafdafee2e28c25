// SPDX-License-Identifier: EUPL-1.2

package statistics_test

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/statistics"
)

// figures are the numbers of cases that answers are measured with, from few to many.
var figures = flag.String("figures", "", "numbers of cases that answers are measured with, for example 1000000,10000000")

// answer asks how many applications came and how many cases were decided, by service and month of a year, of a Land.
func (l *ledger) answer(slug string) (statistics.Answer, error) {
	l.Helper()
	tally := l.tally(l.books.Writing)
	ctx := authz.With(l.Context(), authz.System(authz.Counting))
	at, ok, err := tally.At(ctx, slug)
	if err != nil || !ok {
		l.Fatal(ok, err)
	}
	plan, err := statistics.Standard().Plan(statistics.Question{
		Product: statistics.Exact, Measures: []statistics.Measure{statistics.Applications, statistics.DecidedCases},
		By: []statistics.Axis{statistics.Service, statistics.Month}, Scope: statistics.LevelOf(at.Kind), From: "2025-01", To: "2025-12", Now: l.now,
	})
	if err != nil {
		l.Fatal(err)
	}
	part, err := tally.Count(ctx, plan, at)
	if err != nil {
		return statistics.Answer{}, err
	}
	return plan.Answer(part), nil
}

// TestTheFiguresOfStatistics prints what answers cost with so many cases of 600 services, spread over 16 Länder as people are, 1,600 authorities and a year. Facts and cells
// are written by statements over sets; counting is a statement over the facts of the Land, which an index finds.
func TestTheFiguresOfStatistics(t *testing.T) {
	if *figures == "" {
		t.Skip("no numbers of cases (-figures)")
	}
	l := newLedger(t, 41, 10)
	l.now = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	l.exec("truncate statistics_facts, statistics_cells")
	l.exec(`insert into services (id, leika_key, title, type, maturity, required_trust_level, fiction_of_approval, retention_days, version)
		select gen_random_uuid(), '99' || lpad((i / 20 + 700)::text, 3, '0') || lpad(i::text, 9, '0'), 'service', 2, 3, 'BASIC', false, 365, 1
		from generate_series(1, 600 - (select count(*) from services)) i`)
	l.exec("create index facts_of_authority on statistics_facts (generation, authority)")
	l.exec("create table bare as select row_number() over (order by id) as i, id from services; alter table bare add primary key (i)")
	have := 0
	t.Logf("%10s %12s %9s %9s %9s %13s %13s %8s", "cases", "cells", "p50 ms", "p95 ms", "CPU ms", "counting ms", "counting CPU", "times")
	for given := range strings.SplitSeq(*figures, ",") {
		cases, err := strconv.Atoi(given)
		if err != nil {
			t.Fatal(err)
		}
		for have < cases {
			more := min(1_000_000, cases-have)
			l.exec(`insert into statistics_facts (generation, case_id, authority, service_id, key, state, channel, trust_level, outcome, received_at, decided_at, digital, open, counted_in, open_months, open_states)
				select 1, lpad(to_hex(r.i), 32, '0')::uuid, r.land * 10000000000000 + (1 + r.a / 4) * 10000000000 + 1 + r.a % 4, s.id, (random() * 2147483647)::bigint, 'CLOSED', 'PORTAL', 'BASIC', 'GRANTED',
					r.at, r.at + r.took * interval '1 day', true, false, '2026-01-01', '{}', '{}'
				from (select width_bucket(random(), array[0, 0.034, 0.060, 0.153, 0.163, 0.374, 0.448, 0.496, 0.626, 0.781, 0.793, 0.844, 0.874, 0.894, 0.945, 0.973])::bigint as land,
					(random() * 99)::bigint as a, 1 + (600 * power(random(), 2))::int % 600 as s, timestamptz '2025-01-01 Europe/Berlin' + random() * interval '364 days' as at, random() * 40 as took, i
					from generate_series($1::int, $2::int) i) r join bare s on s.i = r.s`, have+1, have+more)
			have += more
		}
		l.exec("truncate statistics_cells")
		for level, width := range []int64{1, 10_000_000_000, 10_000_000_000_000, 1_000_000_000_000_000} {
			for population, column := range map[int]string{ofReceived: "received_at", ofDecided: "decided_at"} {
				l.exec(fmt.Sprintf(`insert into statistics_cells (generation, level, lo, hi, population, shape, period, service_id, detail, n, k)
					select 1, %[1]d, lo, lo + %[2]d - 1, %[3]d, 0, month, service_id, 0, count(*), sum(key)::bigint & 4611686018427387903
					from (select authority / %[2]d * %[2]d as lo, date_trunc('month', %[4]s, 'Europe/Berlin')::date as month, service_id, key from statistics_facts) f
					group by lo, month, service_id order by lo, month, service_id`, level, width, population, column))
			}
		}
		l.exec("analyze statistics_facts; analyze statistics_cells; checkpoint")
		var cells int
		if err := l.db.QueryRow(t.Context(), "select count(*) from statistics_cells").Scan(&cells); err != nil {
			t.Fatal(err)
		}
		const warm, asked = 5, 40
		var took []time.Duration
		var before time.Duration
		for i := range warm + asked {
			if i == warm {
				before = l.spent()
			}
			begun := time.Now()
			told, err := l.answer("nw")
			if err != nil {
				t.Fatal(err)
			}
			if i >= warm {
				took = append(took, time.Since(begun))
			}
			if len(told.Rows) < 1_000 {
				t.Fatalf("only %d rows", len(told.Rows))
			}
		}
		each := (l.spent() - before) / asked
		slices.Sort(took)
		begun, at := time.Now(), l.spent()
		l.exec(`set max_parallel_workers_per_gather = 0; set jit = off; select service_id, date_trunc('month', received_at, 'Europe/Berlin'), count(*) from statistics_facts
			where generation = 1 and authority between 50000000000000 and 59999999999999 group by 1, 2; select service_id, date_trunc('month', decided_at, 'Europe/Berlin'), count(*)
			from statistics_facts where generation = 1 and authority between 50000000000000 and 59999999999999 group by 1, 2`)
		counting, spent := time.Since(begun), l.spent()-at
		ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
		t.Logf("%10d %12d %9.1f %9.1f %9.2f %13.0f %13.0f %8.0f", cases, cells, ms(took[asked/2]), ms(took[asked*95/100]), ms(each), ms(counting), ms(spent), float64(spent)/float64(each))
	}
}

func TestAnAnswerThatIsTooLargeIsRefusedBeforeItIsRead(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 42, 10)
	l.folds()
	const days, services = 1_800, 25
	l.exec(`insert into statistics_cells (generation, level, lo, hi, population, shape, period, service_id, detail, n, k)
		select 1, 2, 10000000000000, 19999999999999, 1, 3, date '2021-01-01' + d, s.id, 0, 5, 5 from generate_series(1, $1::int) d, (select id from services limit $2) s`, days, services)
	l.exec("analyze statistics_cells")
	tally := l.tally(l.books.Writing)
	ctx := authz.With(t.Context(), authz.System(authz.Counting))
	at, _, err := tally.At(ctx, "sh")
	if err != nil {
		t.Fatal(err)
	}
	read := func() (rows int) {
		l.books.Reading.Reset() // what a connection has read is told when it ends
		l.exec("do $$ begin perform pg_stat_clear_snapshot(); while exists (select from pg_stat_activity where datname = current_database() and query like '%from statistics_cells c%' and pid <> pg_backend_pid()) loop perform pg_sleep(0.01), pg_stat_clear_snapshot(); end loop; end $$")
		if err := l.db.QueryRow(t.Context(), "select sum(seq_tup_read + idx_tup_fetch)::bigint from pg_stat_user_tables where relname like 'statistics_cells_%'").Scan(&rows); err != nil {
			t.Fatal(err)
		}
		return rows
	}
	ask := func(from string) error {
		plan, err := statistics.Standard().Plan(statistics.Question{
			Product: statistics.Exact, Measures: []statistics.Measure{statistics.Applications}, By: []statistics.Axis{statistics.Service, statistics.Day},
			Scope: statistics.Land, From: from, To: "2025-12", Now: l.now,
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = tally.Count(ctx, plan, at)
		return err
	}
	before := read()
	if err := ask("2021-02"); !errors.Is(err, &problem.Problem{Kind: problem.Invalid, Rule: "tooMany"}) {
		t.Errorf("refused with %v", err)
	}
	if got := read() - before; got > days*services/2 {
		t.Errorf("%d of %d cells were read", got, days*services)
	}
	before = read()
	if err := ask("2025-01"); err != nil {
		t.Errorf("one year of it is refused: %v", err)
	}
	if got := read() - before; got < 300*services {
		t.Errorf("of an answer only %d cells were read: the meter is wrong", got)
	}
}
