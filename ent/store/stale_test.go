// SPDX-License-Identifier: EUPL-1.2

package store_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/ent/store"
)

// asOf is in the scope of the whole world, made of rights of a version.
func asOf(ctx context.Context, version int64) context.Context {
	return context.WithValue(ctx, scopeKey{}, store.Scope{Lo: 0, Hi: 9, Version: version})
}

const raise = "update rights_version set version = version + 1"

// changeRights is what a change of somebody's rights does, by somebody else.
func (r room) changeRights(t testing.TB) {
	t.Helper()
	_, err := r.owner.Exec(context.Background(), raise)
	must(t, err)
}

func rightsNow(t testing.TB, s *store.Store) int64 {
	t.Helper()
	version, err := s.Writing.Version(in(context.Background(), 0, 9, ""))
	must(t, err)
	return version
}

// meets is the version that an error carries; zero where it is another error.
func meets(err error) int64 {
	if stale, ok := errors.AsType[*store.Stale](err); ok {
		return stale.RightsVersion()
	}
	return 0
}

// steps are the ways of writing a row: alone, in a transaction of one round trip, and in one of several. between happens where there are several.
var steps = map[string]func(context.Context, *store.Store, func()) error{
	"a statement": func(ctx context.Context, s *store.Store, _ func()) error {
		return s.Writing.Exec(ctx, insert, parcel(1, nil, nil), nil)
	},
	"a question": func(ctx context.Context, s *store.Store, _ func()) error {
		var rows sql.Rows
		if err := s.Writing.Query(ctx, insert+" returning id", parcel(1, nil, nil), &rows); err != nil {
			return err
		}
		for rows.Next() {
		}
		return errors.Join(rows.Err(), rows.Close())
	},
	"a transaction of one trip": func(ctx context.Context, s *store.Store, _ func()) error {
		tx, err := s.Writing.Tx(ctx)
		return errors.Join(err, tx.Exec(ctx, insert, parcel(1, nil, nil), nil), tx.Commit())
	},
	"a transaction": func(ctx context.Context, s *store.Store, between func()) error {
		tx, err := s.Writing.Tx(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		if _, err := places(ctx, tx); err != nil {
			return err
		}
		between()
		return errors.Join(tx.Exec(ctx, insert, parcel(1, nil, nil), nil), tx.Commit())
	},
}

func TestNothingIsStoredByOlderRightsThanThoseThatHold(t *testing.T) {
	t.Parallel()
	for what, write := range steps {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			s := r.open(t, "app", one)
			version := rightsNow(t, s)
			must(t, write(asOf(t.Context(), version), s, func() {}))
			r.changeRights(t)
			if err := write(asOf(t.Context(), version), s, func() {}); meets(err) != version+1 {
				t.Errorf("by old rights: %v", err)
			}
			if n := r.count(t); n != 1 {
				t.Errorf("%d rows are stored, not the one from before", n)
			}
			must(t, write(asOf(t.Context(), version+1), s, func() {}))
			must(t, write(asOf(t.Context(), version+7), s, func() {})) // whoever knows more than the database tells
			must(t, write(asOf(t.Context(), 0), s, r.changerOf(t)))    // the twin: without a version nobody is stopped
		})
	}
}

func (r room) changerOf(t testing.TB) func() { return func() { r.changeRights(t) } }

func TestRightsThatChangeDuringATransactionStopIt(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	s := r.open(t, "app", one)
	version := rightsNow(t, s)
	if err := steps["a transaction"](asOf(t.Context(), version), s, r.changerOf(t)); meets(err) != version+1 {
		t.Errorf("got %v", err)
	}
	// Waiting for a lock is when it happens: what is read behind it is younger than the rights.
	tx := begin(asOf(t.Context(), version+1), t, s.Writing)
	r.whenBlocked(t, func(lock string) {
		if err := tx.Exec(t.Context(), lock, []any{}, new(sql.Result)); meets(err) != version+2 {
			t.Errorf("behind a lock: %v", err)
		}
	}, func() {
		r.changeRights(t)
		r.unblock(t)
	})
	if err := tx.Commit(); meets(err) != version+2 {
		t.Errorf("told again: %v", err)
	}
	if n := r.count(t); n != 0 {
		t.Errorf("%d rows are stored", n)
	}
}

func TestWhoChangesRightsIsNotStoppedByTheOwnChange(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	_, err := r.owner.Exec(t.Context(), "create trigger rights_changed after insert on parcel for each statement execute function ozg_rights_changed()")
	must(t, err)
	s := r.open(t, "app", one)
	version := rightsNow(t, s)
	for range 2 { // the count of own changes ends with the transaction
		tx := begin(asOf(t.Context(), version), t, s.Writing)
		for range 3 {
			must(t, tx.Exec(t.Context(), insert, parcel(1, nil, nil), new(sql.Result)))
		}
		must(t, tx.Commit())
		version += 3
		if now := rightsNow(t, s); now != version {
			t.Fatalf("the version is %d, not %d", now, version)
		}
	}
	// But by those of others, as often as they changed: afterwards they wait until the transaction has ended.
	tx := begin(asOf(t.Context(), version), t, s.Writing)
	_, err = places(t.Context(), tx)
	must(t, err)
	r.changeRights(t)
	r.changeRights(t)
	if err := tx.Exec(t.Context(), insert, parcel(1, nil, nil), new(sql.Result)); meets(err) != version+2 {
		t.Errorf("got %v", err)
	}
}

func TestWhatTheDatabaseRefusesIsToldByNameAndWithoutValues(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	var (
		mu   sync.Mutex
		told []string
	)
	s, err := store.Open(t.Context(), shared.URL("app", r.name), store.Options{Scope: scope, Refused: func(_ context.Context, what string) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, what)
	}})
	must(t, err)
	t.Cleanup(s.Close)
	ctx := in(t.Context(), 2, 2, "")
	must(t, s.Writing.Exec(ctx, insert, parcel(2, nil, "Mustermann"), nil))
	if err := s.Writing.Exec(ctx, "select 1/0", []any{}, nil); err == nil || told != nil {
		t.Errorf("an ordinary failure is told: %v, %q", err, told)
	}
	for what, write := range map[string]func(dialect.ExecQuerier) error{
		`new row violates row-level security policy for table "parcel"`: func(on dialect.ExecQuerier) error {
			return on.Exec(ctx, insert, parcel(3, nil, "Musterfrau"), new(sql.Result))
		},
		`permission denied for table rights_version`: func(on dialect.ExecQuerier) error { return on.Exec(ctx, raise, []any{}, new(sql.Result)) },
	} {
		tx := begin(ctx, t, s.Writing)
		for where, on := range map[string]dialect.ExecQuerier{"alone": s.Writing, "in a transaction": tx} {
			told = nil
			if err := write(on); code(err) != "42501" {
				t.Errorf("%s: %v", where, err)
			}
			if len(told) != 1 || told[0] != what {
				t.Errorf("%s: told %q, not once %q", where, told, what)
			}
		}
		if err := tx.Commit(); err == nil || len(told) != 1 {
			t.Errorf("after its failure a transaction tells again: %v, %q", err, told)
		}
	}
}

// BenchmarkEnter is what a scope costs in a pipeline: its entrance without and with the version of rights, and the question at the end whether they
// still hold. They take turns over one connection, so that a busy machine slows all; the medians are reported.
func BenchmarkEnter(b *testing.B) {
	r := newRoom(b)
	var bare string
	must(b, r.owner.QueryRow(b.Context(), `select replace(replace(pg_get_functiondef('ozg_enter(bigint, bigint, text)'::regprocedure),
		'ozg_enter', 'ozg_bare'), '(select version from public.rights_version)', '1')`).Scan(&bare))
	_, err := r.owner.Exec(b.Context(), bare)
	must(b, err)
	conn, err := r.open(b, "app", one).Reading.Acquire(b.Context())
	must(b, err)
	defer conn.Release()
	pipelines := [][]string{
		{"select 1::bigint"},
		{"select ozg_bare(0, 9, '')"},
		{"select ozg_enter(0, 9, '')"},
		{"select ozg_enter(0, 9, '')", "select ozg_still(1000000)"},
	}
	took := make([][]time.Duration, len(pipelines))
	for b.Loop() {
		for i, statements := range pipelines {
			batch := &pgx.Batch{}
			for _, s := range statements {
				batch.Queue(s)
			}
			begun := time.Now()
			must(b, conn.SendBatch(b.Context(), batch).Close())
			took[i] = append(took[i], time.Since(begun))
		}
	}
	for i, name := range []string{"µs/empty", "µs/bare", "µs/enter", "µs/enter+still"} {
		slices.Sort(took[i])
		b.ReportMetric(float64(took[i][len(took[i])/2].Nanoseconds())/1000, name)
	}
}
