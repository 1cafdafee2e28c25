// SPDX-License-Identifier: EUPL-1.2

package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/ozg-cloud/platform/ent/migrations"
	"github.com/ozg-cloud/platform/ent/store"
	"github.com/ozg-cloud/platform/internal/cluster"
)

// house is the cluster of this package's tests; each test has a copy of the database "model".
type house struct {
	*cluster.Cluster
	copies atomic.Int64
}

var shared house

func TestMain(m *testing.M) {
	c, err := cluster.Start(context.Background(), cluster.Options{})
	if err == nil {
		shared.Cluster = c
		err = model(context.Background(), c)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	if err := c.Stop(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(status)
}

// toys are a table behind the wall, and one with a column of each type that ent is used with.
const toys = `
create table parcel (
	id     uuid primary key,
	place  bigint not null,
	owner  text,
	word   text constraint one_word unique,
	weight int not null default 1 constraint has_weight check (weight > 0),
	box    uuid constraint in_a_box references parcel
);
create table kinds (
	id      uuid primary key,
	place   bigint not null,
	uid     uuid, word text, state varchar, many text[], data jsonb, day date, flag boolean, at timestamptz, big bigint, small int, ratio double precision, raw bytea
);
alter table parcel owner to ozg_owner;
alter table kinds owner to ozg_owner;
call ozg_wall('parcel', $$owner = current_setting('app.owner', true)$$, '{SELECT,INSERT,UPDATE,DELETE}');
call ozg_wall('kinds', 'true', '{SELECT,INSERT}');
create role app login in role ozg_serving;
create role holey login bypassrls in role ozg_serving;
`

func model(ctx context.Context, c *cluster.Cluster) error {
	if err := c.CreateDatabase(ctx, "model", ""); err != nil {
		return err
	}
	url := c.URL(cluster.Superuser, "model")
	if err := migrations.Apply(ctx, url); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, toys)
	return err
}

// room is one test's database.
type room struct {
	name  string
	owner *pgx.Conn // the superuser, whom no wall holds
}

func newRoom(t testing.TB) room {
	t.Helper()
	ctx := context.Background()
	r := room{name: fmt.Sprintf("room%d", shared.copies.Add(1))}
	if err := shared.CreateDatabase(ctx, r.name, "model"); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(ctx, shared.URL(cluster.Superuser, r.name))
	if err != nil {
		t.Fatal(err)
	}
	r.owner = conn
	t.Cleanup(func() {
		_ = conn.Close(ctx)
		if err := shared.DropDatabase(ctx, r.name); err != nil {
			t.Error(err)
		}
	})
	return r
}

func (r room) open(t testing.TB, login string, configure func(*pgxpool.Config)) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), shared.URL(login, r.name), store.Options{Scope: scope, Configure: configure})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func (r room) count(t testing.TB) (n int) {
	t.Helper()
	if err := r.owner.QueryRow(context.Background(), "select count(*) from parcel").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// one makes pools of a single connection, so that whoever comes next stands where the one before stood.
func one(c *pgxpool.Config) { c.MaxConns = 1 }

type scopeKey struct{}

var errClosedDoor = errors.New("nobody is asking")

func scope(ctx context.Context) (store.Scope, error) {
	s, ok := ctx.Value(scopeKey{}).(store.Scope)
	if !ok {
		return s, errClosedDoor
	}
	return s, nil
}

func in(ctx context.Context, lo, hi int64, owner string) context.Context {
	return context.WithValue(ctx, scopeKey{}, store.Scope{Lo: lo, Hi: hi, Owner: owner})
}

const insert = `insert into parcel (id, place, owner, word) values ($1, $2, $3, $4)`

// parcel is the arguments of insert.
func parcel(place int64, owner, word any) []any {
	return []any{uuid.Must(uuid.NewV7()), place, owner, word}
}

// places asks for the places of all rows that are visible.
func places(ctx context.Context, on dialect.ExecQuerier) (found []int64, err error) {
	var rows sql.Rows
	if err := on.Query(ctx, "select place from parcel order by place, id", []any{}, &rows); err != nil {
		return nil, err
	}
	defer rows.Close()
	err = sql.ScanSlice(rows, &found)
	return found, err
}

func begin(ctx context.Context, t testing.TB, d *store.Driver) dialect.Tx {
	t.Helper()
	tx, err := d.Tx(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func code(err error) string {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code
	}
	return ""
}

// strangers reads in the scope of place 2, in and outside a transaction, and reports every row of another place.
func strangers(t *testing.T, s *store.Store) (seen []int64) {
	t.Helper()
	ctx := in(t.Context(), 2, 2, "")
	tx := begin(ctx, t, s.Writing)
	defer tx.Rollback()
	for _, on := range []dialect.ExecQuerier{s.Writing, tx} {
		found, err := places(ctx, on)
		must(t, err)
		for _, p := range found {
			if p != 2 {
				seen = append(seen, p)
			}
		}
	}
	return seen
}

func TestAScopeShowsNoRowOfAnotherPlace(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	s := r.open(t, "app", nil)
	for p := range int64(4) {
		must(t, s.Writing.Exec(in(t.Context(), p, p, ""), insert, parcel(p, nil, nil), nil))
	}
	if seen := strangers(t, s); len(seen) > 0 {
		t.Errorf("place 2 has seen rows of %v", seen)
	}
	// The twin: a login that may bypass the wall.
	if seen := strangers(t, r.open(t, "holey", nil)); len(seen) != 6 {
		t.Errorf("without a wall the check has seen %v, which are three strangers twice", seen)
	}
}

func TestNobodyWritesIntoAnotherPlace(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	s := r.open(t, "app", nil)
	const denied = "42501"
	ctx := in(t.Context(), 2, 2, "")
	if err := s.Writing.Exec(ctx, insert, parcel(3, nil, nil), nil); code(err) != denied {
		t.Errorf("an insert: %v", err)
	}
	must(t, s.Writing.Exec(ctx, insert, parcel(2, nil, nil), nil))
	if err := s.Writing.Exec(ctx, "update parcel set place = 3", []any{}, nil); code(err) != denied {
		t.Errorf("moving a row: %v", err)
	}
	if err := s.Writing.Exec(in(t.Context(), 2, 2, "anna"), insert, parcel(2, "bert", nil), nil); code(err) != denied {
		t.Errorf("an applicant writing in the name of another: %v", err)
	}
	var affected sql.Result
	must(t, s.Writing.Exec(in(t.Context(), 3, 9, ""), "delete from parcel", []any{}, &affected))
	if n, err := affected.RowsAffected(); err != nil || n != 0 {
		t.Errorf("a stranger has deleted %d rows, %v", n, err)
	}
}

func TestWithoutAPrincipalTheDoorIsClosed(t *testing.T) {
	t.Parallel()
	s := newRoom(t).open(t, "app", nil)
	var rows sql.Rows
	_, err := s.Writing.Tx(t.Context())
	for what, err := range map[string]error{
		"Tx":    err,
		"Exec":  s.Writing.Exec(t.Context(), insert, parcel(1, nil, nil), nil),
		"Query": s.Writing.Query(t.Context(), "select 1", []any{}, &rows),
	} {
		if err != errClosedDoor {
			t.Errorf("%s: got %v", what, err)
		}
	}
	if _, err := store.Open(t.Context(), "postgres:///", store.Options{}); err == nil {
		t.Error("a store without a scope was opened")
	}
}

func TestTheScopeEndsWithTheTransactionHoweverThatEnds(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	var left []string // settings that a connection still had when it was given out again
	s := r.open(t, "app", func(c *pgxpool.Config) {
		c.MaxConns = 1
		c.PrepareConn = func(ctx context.Context, conn *pgx.Conn) (bool, error) {
			var setting string
			err := conn.QueryRow(ctx, "select concat(current_setting('app.lo', true), current_setting('app.hi', true), current_setting('app.owner', true))").Scan(&setting)
			if setting != "" {
				left = append(left, setting)
			}
			return true, err
		}
	})
	for end, run := range map[string]func(context.Context, context.CancelFunc) error{
		"statement": func(ctx context.Context, _ context.CancelFunc) error { _, err := places(ctx, s.Writing); return err },
		"failed statement": func(ctx context.Context, _ context.CancelFunc) error {
			if err := s.Writing.Exec(ctx, "select 1/0", []any{}, nil); code(err) != "22012" {
				return fmt.Errorf("no failure: %w", err)
			}
			return nil
		},
		"commit": func(ctx context.Context, _ context.CancelFunc) error {
			tx := begin(ctx, t, s.Writing)
			_, err := places(ctx, tx)
			return errors.Join(err, tx.Commit())
		},
		"rollback": func(ctx context.Context, _ context.CancelFunc) error {
			tx := begin(ctx, t, s.Writing)
			_, err := places(ctx, tx)
			return errors.Join(err, tx.Rollback())
		},
		"failure": func(ctx context.Context, _ context.CancelFunc) error {
			tx := begin(ctx, t, s.Writing)
			if err := tx.Exec(ctx, "select 1/0", []any{}, new(sql.Result)); code(err) != "22012" {
				return fmt.Errorf("no failure: %w", err)
			}
			return tx.Rollback()
		},
		"cancel between statements, and nobody rolls back": func(ctx context.Context, cancel context.CancelFunc) error {
			tx := begin(ctx, t, s.Writing)
			_, err := places(ctx, tx)
			cancel()
			return err
		},
		"cancel during a statement, and nobody rolls back": func(ctx context.Context, cancel context.CancelFunc) error {
			tx := begin(ctx, t, s.Writing)
			_, err := places(ctx, tx)
			r.whenBlocked(t, func(lock string) { // the statement waits for a lock that is never given
				if err := tx.Exec(ctx, lock, []any{}, new(sql.Result)); !errors.Is(err, context.Canceled) {
					t.Errorf("got %v", err)
				}
			}, cancel)
			return err
		},
	} {
		ctx, cancel := context.WithCancel(in(t.Context(), 5, 7, "anna"))
		if err := run(ctx, cancel); err != nil {
			t.Errorf("%s: %v", end, err)
		}
		// The only connection comes back, or this would wait for ever.
		if _, err := places(in(t.Context(), 0, 9, ""), s.Writing); err != nil {
			t.Errorf("after %s: %v", end, err)
		}
		if left != nil {
			t.Errorf("after %s the scope was still there: %v", end, left)
			left = nil
		}
		cancel()
	}
}

// whenBlocked runs f, which has to run the statement it is given, and calls then as soon as that statement waits in the database.
// The statement goes on when then has called unblock; otherwise it waits until nobody waits for it any more.
func (r room) whenBlocked(t *testing.T, f func(lock string), then func()) {
	t.Helper()
	ctx := context.Background()
	_, err := r.owner.Exec(ctx, "select pg_advisory_lock(4711)")
	must(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		f("select pg_advisory_xact_lock(4711)")
	}()
	for waits := false; !waits; {
		must(t, r.owner.QueryRow(ctx, `select exists (select from pg_locks where not granted and locktype = 'advisory'
			and database = (select oid from pg_database where datname = current_database()))`).Scan(&waits))
	}
	then()
	<-done
	r.unblock(t)
}

func (r room) unblock(t *testing.T) {
	t.Helper()
	_, err := r.owner.Exec(context.Background(), "select pg_advisory_unlock_all()")
	must(t, err)
}

func TestAScopeCannotBeChangedInsideItsTransaction(t *testing.T) {
	t.Parallel()
	s := newRoom(t).open(t, "app", nil)
	ctx := in(t.Context(), 2, 2, "")
	for statement, want := range map[string]string{
		"select ozg_enter(0, 9, '')":                                                        "OZG01",
		"select set_config('app.lo', '0', true)":                                            "42501",
		"select query_to_xml('select ozg_enter(0, 9, $$$$)', true, true, '')":               "OZG01",
		"select query_to_xml('set local app.lo = 0', true, true, '')":                       "0A000",
		"select query_to_xml('select set_config($$app.lo$$, $$0$$, true)', true, true, '')": "42501",
		"insert into parcel (id, place) select gen_random_uuid(), 3":                        "42501",
	} {
		if err := s.Writing.Exec(ctx, statement, []any{}, nil); code(err) != want {
			t.Errorf("%s: got %v, want %s", statement, err, want)
		}
		tx := begin(ctx, t, s.Writing)
		if err := tx.Exec(ctx, statement, []any{}, new(sql.Result)); code(err) != want {
			t.Errorf("%s in a transaction: got %v, want %s", statement, err, want)
		}
		must(t, tx.Rollback())
	}
}

func TestTheReadingPoolCannotWrite(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	s := r.open(t, "app", nil)
	b := &pgx.Batch{}
	store.Scope{Lo: 1, Hi: 1}.Enter(b)
	b.Queue(insert, parcel(1, nil, nil)...)
	if err := s.Reading.SendBatch(t.Context(), b).Close(); code(err) != "25006" { // read_only_sql_transaction
		t.Errorf("got %v", err)
	}
	if n := r.count(t); n != 0 {
		t.Errorf("%d rows were written", n)
	}
}

// changes tells whether a second statement of one pipeline sees what was committed after the first.
func (r room) changes(t *testing.T, p *pgxpool.Pool) bool {
	t.Helper()
	var before, after int
	r.whenBlocked(t, func(lock string) {
		b := &pgx.Batch{}
		store.Scope{Lo: 0, Hi: 9}.Enter(b)
		b.Queue("select count(*) from parcel").QueryRow(func(row pgx.Row) error { return row.Scan(&before) })
		b.Queue(lock)
		b.Queue("select count(*) from parcel").QueryRow(func(row pgx.Row) error { return row.Scan(&after) })
		if err := p.SendBatch(t.Context(), b).Close(); err != nil {
			t.Error(err)
		}
	}, func() {
		_, err := r.owner.Exec(t.Context(), insert, parcel(1, nil, nil)...)
		must(t, err)
		r.unblock(t)
	})
	return before != after
}

func TestAPipelineOfTheReadingPoolSeesOneSnapshot(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	s := r.open(t, "app", nil)
	if r.changes(t, s.Reading) {
		t.Error("the second statement has seen another state than the first")
	}
	// The twin: at the ordinary isolation it does.
	ordinary, err := pgxpool.New(t.Context(), shared.URL("app", r.name))
	must(t, err)
	defer ordinary.Close()
	if !r.changes(t, ordinary) {
		t.Error("a change between two statements was not noticed")
	}
}

func TestErrorsDoNotTellValues(t *testing.T) {
	t.Parallel()
	s := newRoom(t).open(t, "app", nil)
	ctx := in(t.Context(), 1, 1, "")
	const secret = "Erika Mustermann"
	must(t, s.Writing.Exec(ctx, insert, parcel(1, nil, secret), nil))
	scanned := func() error {
		var rows sql.Rows
		if err := s.Writing.Query(ctx, "select word from parcel", []any{}, &rows); err != nil {
			return err
		}
		defer rows.Close()
		_, err := sql.ScanInt64(rows)
		return err
	}
	for what, err := range map[string]error{
		"a unique violation":      s.Writing.Exec(ctx, insert, parcel(1, nil, secret), nil),
		"a text that is no uuid":  s.Writing.Exec(ctx, "select $1::text::uuid", []any{secret}, nil),
		"a text for a number":     s.Writing.Exec(ctx, "select $1::bigint", []any{secret}, nil),
		"a text for a time":       s.Writing.Exec(ctx, "select $1::timestamptz", []any{secret}, nil),
		"a text read as a number": scanned(),
	} {
		if err == nil {
			t.Errorf("%s is no error", what)
		} else if strings.Contains(err.Error(), "Mustermann") {
			t.Errorf("%s: %v", what, err)
		}
	}
}
