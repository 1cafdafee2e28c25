// SPDX-License-Identifier: EUPL-1.2

package store_test

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/sqlgraph"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/ozg-cloud/platform/ent/store"
)

// trips counts round trips: how often something is read after something was written.
type trips struct {
	net.Conn
	wrote *atomic.Bool
	n     *atomic.Int64
}

func (c trips) Write(b []byte) (int, error) {
	c.wrote.Store(true)
	return c.Conn.Write(b)
}

func (c trips) Read(b []byte) (int, error) {
	if c.wrote.CompareAndSwap(true, false) {
		c.n.Add(1)
	}
	return c.Conn.Read(b)
}

func counting(n *atomic.Int64) func(*pgxpool.Config) {
	return func(c *pgxpool.Config) {
		c.MaxConns = 1
		dial := c.ConnConfig.DialFunc
		c.ConnConfig.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dial(ctx, network, addr)
			return trips{conn, &atomic.Bool{}, n}, err
		}
	}
}

// create is what ent does for a thing whose id it knows.
func create(ctx context.Context, on dialect.Driver, place int64, word string) error {
	return sqlgraph.CreateNode(ctx, on, &sqlgraph.CreateSpec{
		Table: "parcel",
		ID:    &sqlgraph.FieldSpec{Column: "id", Type: field.TypeUUID, Value: uuid.Must(uuid.NewV7())},
		Fields: []*sqlgraph.FieldSpec{
			{Column: "place", Type: field.TypeInt64, Value: place},
			{Column: "word", Type: field.TypeString, Value: word},
		},
	})
}

// inside is what ent makes of a transaction, so that its builders take it.
type inside struct{ dialect.ExecQuerier }

func (inside) Dialect() string                          { return dialect.Postgres }
func (inside) Close() error                             { return nil }
func (i inside) Tx(context.Context) (dialect.Tx, error) { return dialect.NopTx(i), nil }

func TestRoundTripsAreFew(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	s := newRoom(t).open(t, "app", counting(&n))
	ctx := in(t.Context(), 1, 1, "")
	lock := func(tx dialect.Tx) {
		var rows sql.Rows
		must(t, tx.Query(ctx, "select id from parcel where place = $1 for update", []any{1}, &rows))
		for rows.Next() {
		}
		must(t, rows.Err())
		must(t, rows.Close())
	}
	for _, c := range []struct {
		what string
		want int64
		run  func()
	}{
		{"a statement", 1, func() { _, err := places(ctx, s.Writing); must(t, err) }},
		{"a change", 1, func() { must(t, s.Writing.Exec(ctx, "delete from parcel", []any{}, new(sql.Result))) }},
		{"nothing", 0, func() { must(t, begin(ctx, t, s.Writing).Commit()) }},
		{"a creation that is undone before it was sent", 0, func() {
			tx := begin(ctx, t, s.Writing)
			must(t, create(ctx, inside{tx}, 1, "a"))
			must(t, tx.Rollback())
		}},
		{"three creations", 1, func() {
			tx := begin(ctx, t, s.Writing)
			for _, word := range []string{"a", "b", "c"} {
				must(t, create(ctx, inside{tx}, 1, word))
			}
			must(t, tx.Commit())
		}},
		{"select for update and three creations", 2, func() {
			tx := begin(ctx, t, s.Writing)
			lock(tx)
			for _, word := range []string{"d", "e", "f"} {
				must(t, create(ctx, inside{tx}, 1, word))
			}
			must(t, tx.Commit())
		}},
		{"select for update, a change of so many rows and three creations", 2, func() {
			tx := begin(ctx, t, s.Writing)
			lock(tx)
			must(t, tx.Exec(store.Changing(ctx, 0), "update parcel set weight = weight + 1", []any{}, new(sql.Result)))
			for _, word := range []string{"k", "l", "m"} {
				must(t, create(ctx, inside{tx}, 1, word))
			}
			must(t, tx.Commit())
		}},
		{"select for update, update and three creations", 3, func() {
			tx := begin(ctx, t, s.Writing)
			lock(tx)
			must(t, tx.Exec(ctx, "update parcel set weight = weight + 1", []any{}, new(sql.Result)))
			for _, word := range []string{"g", "h", "i"} {
				must(t, create(ctx, inside{tx}, 1, word))
			}
			must(t, tx.Commit())
		}},
	} {
		c.run() // each connection prepares a statement once
		must(t, s.Writing.Exec(ctx, "delete from parcel", []any{}, new(sql.Result)))
		n.Store(0)
		c.run()
		if got := n.Load(); got != c.want {
			t.Errorf("%s: %d round trips, want %d", c.what, got, c.want)
		}
		must(t, s.Writing.Exec(ctx, "delete from parcel", []any{}, new(sql.Result)))
	}
}

func TestAChangeOfAnotherNumberOfRowsThanWasSaidStoresNothing(t *testing.T) {
	t.Parallel()
	s := newRoom(t).open(t, "app", one)
	ctx := in(t.Context(), 1, 1, "")
	for _, word := range []string{"a", "b"} {
		must(t, create(ctx, s.Writing, 1, word))
	}
	change := func(said int64, word string) error {
		tx := begin(ctx, t, s.Writing)
		must(t, create(ctx, inside{tx}, 1, word))
		var changed sql.Result
		must(t, tx.Exec(store.Changing(ctx, said), "update parcel set weight = 7 where place = $1 and word in ('a', 'b')", []any{1}, &changed))
		if n, err := changed.RowsAffected(); err != nil || n != said {
			t.Errorf("%d rows are said to be changed, %v", n, err)
		}
		return tx.Commit()
	}
	stored := func(what string) (n int) {
		var rows sql.Rows
		must(t, s.Writing.Query(ctx, "select count(*) from parcel where "+what, []any{}, &rows))
		n, err := sql.ScanInt(rows)
		must(t, err)
		must(t, rows.Close())
		return n
	}
	for _, said := range []int64{0, 1, 3} {
		if err := change(said, "c"); err == nil {
			t.Errorf("two rows are taken for %d", said)
		}
	}
	if n := stored("weight = 7 or word = 'c'"); n != 0 {
		t.Errorf("%d rows are stored of transactions that failed", n)
	}
	must(t, change(2, "d"))
	if n := stored("weight = 7 or word = 'd'"); n != 3 {
		t.Errorf("%d rows are stored of one that did not", n)
	}
}

func TestAStatementThatWasKeptBackFailsTheWholeTransaction(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	s := r.open(t, "app", one)
	ctx := in(t.Context(), 1, 1, "")
	must(t, create(ctx, s.Writing, 1, "taken"))

	for at, later := range map[string]func(dialect.Tx) error{
		"Commit": func(tx dialect.Tx) error { return nil },
		"Query":  func(tx dialect.Tx) error { _, err := places(ctx, tx); return err },
		"Exec": func(tx dialect.Tx) error {
			return tx.Exec(ctx, "update parcel set weight = 2", []any{}, new(sql.Result))
		},
	} {
		tx := begin(ctx, t, s.Writing)
		must(t, create(ctx, inside{tx}, 1, "free"))
		must(t, create(ctx, inside{tx}, 1, "taken")) // shows later
		must(t, create(ctx, inside{tx}, 1, "free too"))
		err := later(tx)
		if at != "Commit" && err == nil {
			t.Errorf("%s does not tell the failure", at)
		}
		err = tx.Commit() // tells it, be it again
		if !store.Violates(err, "one_word") || store.Violates(err, "parcel_pkey") || !sqlgraph.IsUniqueConstraintError(err) {
			t.Errorf("%s: got %v", at, err)
		}
		if again := tx.Exec(ctx, "select 1", []any{}, nil); again != err {
			t.Errorf("%s: a failed transaction goes on: %v", at, again)
		}
		if err := tx.Rollback(); err != nil {
			t.Errorf("%s: undoing what is undone: %v", at, err)
		}
		if n := r.count(t); n != 1 {
			t.Errorf("%s: %d rows are stored, want the one before", at, n)
		}
	}
}

func TestViolationsAreKnownByTheirConstraint(t *testing.T) {
	t.Parallel()
	s := newRoom(t).open(t, "app", nil)
	ctx := in(t.Context(), 1, 1, "")
	must(t, create(ctx, s.Writing, 1, "taken"))
	for _, c := range []struct {
		constraint string
		err        error
		known      func(error) bool
	}{
		{"one_word", create(ctx, s.Writing, 1, "taken"), sqlgraph.IsUniqueConstraintError},
		{"has_weight", s.Writing.Exec(ctx, "update parcel set weight = 0", []any{}, nil), sqlgraph.IsCheckConstraintError},
		{"in_a_box", s.Writing.Exec(ctx, "update parcel set box = gen_random_uuid()", []any{}, nil), sqlgraph.IsForeignKeyConstraintError},
	} {
		if !store.Violates(c.err, c.constraint) || store.Violates(c.err, "another") || !c.known(c.err) {
			t.Errorf("%s: got %v", c.constraint, c.err)
		}
	}
	other := s.Writing.Exec(ctx, "select 1/0", []any{}, nil)
	if store.Violates(other, "") || store.Violates(nil, "one_word") || sqlgraph.IsConstraintError(other) {
		t.Errorf("a violation was seen in %v", other)
	}
	// A server that speaks German says it like that.
	german := s.Writing.Exec(ctx, `do $$ begin raise 'doppelter Schlüsselwert verletzt Unique-Constraint' using errcode = '23505', constraint = 'one_word'; end $$`, []any{}, nil)
	if !store.Violates(german, "one_word") || !sqlgraph.IsUniqueConstraintError(german) {
		t.Errorf("in German it is no violation: %v", german)
	}
}

func TestATransactionIsOverAfterItsEnd(t *testing.T) {
	t.Parallel()
	s := newRoom(t).open(t, "app", one)
	ctx := in(t.Context(), 1, 1, "")
	for name, end := range map[string]func(dialect.Tx) error{"Commit": dialect.Tx.Commit, "Rollback": dialect.Tx.Rollback} {
		for _, sent := range []bool{false, true} {
			tx := begin(ctx, t, s.Writing)
			if sent {
				_, err := places(ctx, tx)
				must(t, err)
			}
			must(t, end(tx))
			var rows sql.Rows
			for what, err := range map[string]error{
				"Exec":     tx.Exec(ctx, insert, parcel(1, nil, nil), nil),
				"Query":    tx.Query(ctx, "select 1", []any{}, &rows),
				"Commit":   tx.Commit(),
				"Rollback": tx.Rollback(),
			} {
				if !errors.Is(err, store.ErrEnded) {
					t.Errorf("%s after %s: got %v", what, name, err)
				}
			}
		}
	}
}

func TestAPanicWhileRowsAreReadLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	s := r.open(t, "app", one)
	ctx := in(t.Context(), 1, 1, "")
	func() {
		tx := begin(ctx, t, s.Writing)
		defer func() {
			if recover() == nil {
				t.Error("there was no panic")
			}
			must(t, tx.Rollback())
		}()
		must(t, create(ctx, inside{tx}, 1, "a"))
		must(t, create(ctx, inside{tx}, 1, "b"))
		var rows sql.Rows
		must(t, tx.Query(ctx, "select id from parcel", []any{}, &rows))
		rows.Next()
		panic("in the midst of reading")
	}()
	if _, err := places(ctx, s.Writing); err != nil { // over the same, only connection
		t.Error(err)
	}
	if n := r.count(t); n != 0 {
		t.Errorf("%d rows are stored", n)
	}
}

func TestRowsAreReadBeforeTheNextStatement(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	s := r.open(t, "app", one)
	ctx := in(t.Context(), 1, 1, "")
	tx := begin(ctx, t, s.Writing)
	must(t, create(ctx, inside{tx}, 1, "a"))
	var rows, more sql.Rows
	must(t, tx.Query(ctx, "select id from parcel union all select id from parcel", []any{}, &rows))
	if err := tx.Query(ctx, "select 1", []any{}, &more); err == nil {
		t.Error("two statements are read at once")
	}
	must(t, tx.Commit()) // closes what was left open
	if n := r.count(t); n != 1 {
		t.Errorf("%d rows are stored", n)
	}
}

func TestATransactionWhoseCallerHasLeftStoresNothing(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	s := r.open(t, "app", one)
	for _, sent := range []bool{false, true} {
		ctx, cancel := context.WithCancel(in(t.Context(), 1, 1, ""))
		tx := begin(ctx, t, s.Writing)
		must(t, create(ctx, inside{tx}, 1, "a"))
		if sent {
			_, err := places(ctx, tx)
			must(t, err)
		}
		cancel()
		if err := tx.Commit(); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		must(t, tx.Rollback())
		if n := r.count(t); n != 0 {
			t.Errorf("%d rows are stored", n)
		}
	}
}

func TestAWaitEndsWithTheDeadlineOfItsStatement(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	s := r.open(t, "app", one)
	ctx := in(t.Context(), 1, 1, "")
	tx := begin(ctx, t, s.Writing)
	statement, cancel := context.WithCancel(ctx)
	r.whenBlocked(t, func(lock string) {
		if err := tx.Exec(statement, lock, []any{}, new(sql.Result)); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	}, cancel)
	if err := tx.Commit(); !errors.Is(err, context.Canceled) {
		t.Errorf("a transaction went on after a statement that nobody waited for: %v", err)
	}
	if _, err := places(ctx, s.Writing); err != nil {
		t.Error(err)
	}
}
