// SPDX-License-Identifier: EUPL-1.2

package store_test

import (
	"context"
	"fmt"
	"maps"
	"testing"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/ent/store"
)

// row is what the model remembers of a parcel.
type row struct {
	place  int64
	owner  string
	weight int
}

// world is what has to be in the database.
type world map[uuid.UUID]row

// seen is the part of the world that a scope shows.
func (w world) seen(s store.Scope) world {
	part := world{}
	for id, r := range w {
		if covers(s, r) {
			part[id] = r
		}
	}
	return part
}

func covers(s store.Scope, r row) bool {
	return s.Lo <= r.place && r.place <= s.Hi && (s.Owner == "" || s.Owner == r.owner)
}

// look is the part of the database that a scope shows.
func look(ctx context.Context, on dialect.ExecQuerier) (world, error) {
	var rows sql.Rows
	if err := on.Query(ctx, "select id, place, coalesce(owner, ''), weight from parcel", []any{}, &rows); err != nil {
		return nil, err
	}
	defer rows.Close()
	found := world{}
	for rows.Next() {
		var id uuid.UUID
		var r row
		if err := rows.Scan(&id, &r.place, &r.owner, &r.weight); err != nil {
			return nil, err
		}
		found[id] = r
	}
	return found, rows.Err()
}

func drawScope(t *rapid.T) store.Scope {
	lo := rapid.Int64Range(0, 4).Draw(t, "lo")
	return store.Scope{Lo: lo, Hi: rapid.Int64Range(lo, 4).Draw(t, "hi"), Owner: rapid.SampledFrom([]string{"", "", "anna", "bert"}).Draw(t, "owner")}
}

// transact lets somebody write at random in a random scope. It returns what has to be in the database afterwards, or what was wrong.
func transact(t *rapid.T, s *store.Store, before world) (world, error) {
	sc := drawScope(t)
	ctx := in(context.Background(), sc.Lo, sc.Hi, sc.Owner)
	tx, err := s.Writing.Tx(ctx)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() // after an early return
	after := maps.Clone(before)
	refused := false
	for range rapid.IntRange(1, 5).Draw(t, "statements") {
		var err error
		switch rapid.SampledFrom([]string{"insert", "move", "weigh", "delete", "look"}).Draw(t, "verb") {
		case "insert":
			r := row{rapid.Int64Range(0, 4).Draw(t, "place"), rapid.SampledFrom([]string{"", "anna", "bert"}).Draw(t, "of"), 1}
			id := uuid.Must(uuid.NewV7())
			err = tx.Exec(ctx, "insert into parcel (id, place, owner) values ($1, $2, nullif($3, ''))", []any{id, r.place, r.owner}, nil)
			refused = refused || !covers(sc, r)
			after[id] = r
		case "move":
			to := rapid.Int64Range(0, 4).Draw(t, "to")
			err = tx.Exec(ctx, "update parcel set place = $1", []any{to}, nil)
			for id, r := range after.seen(sc) {
				r.place = to
				refused = refused || !covers(sc, r)
				after[id] = r
			}
		case "weigh":
			err = tx.Exec(ctx, "update parcel set weight = weight + 1", []any{}, new(sql.Result))
			for id, r := range after.seen(sc) {
				r.weight++
				after[id] = r
			}
		case "delete":
			err = tx.Exec(ctx, "delete from parcel where weight > 2", []any{}, nil)
			for id, r := range after.seen(sc) {
				if r.weight > 2 {
					delete(after, id)
				}
			}
		case "look":
			var found world
			if found, err = look(ctx, tx); err == nil && !maps.Equal(found, after.seen(sc)) {
				return nil, fmt.Errorf("a transaction in %v sees %v, not %v", sc, found, after.seen(sc))
			}
		}
		if err != nil && !refused {
			return nil, fmt.Errorf("in %v: %w", sc, err)
		}
	}
	if !rapid.Bool().Draw(t, "commit") {
		return before, tx.Rollback()
	}
	if err := tx.Commit(); refused != (err != nil) {
		return nil, fmt.Errorf("what was to be refused in %v: %v; commit says: %w", sc, refused, err)
	}
	if refused {
		return before, nil
	}
	return after, nil
}

// history plays transactions one after the other and tells when the database has become another than the model, which knows no database,
// or when a scope shows too much or too little.
func history(t *rapid.T, r room, s *store.Store) error {
	if _, err := r.owner.Exec(context.Background(), "truncate parcel"); err != nil {
		return err
	}
	truth := world{}
	for range rapid.IntRange(1, 6).Draw(t, "transactions") {
		var err error
		if truth, err = transact(t, s, truth); err != nil {
			return err
		}
	}
	sc := drawScope(t)
	found, err := look(in(context.Background(), sc.Lo, sc.Hi, sc.Owner), s.Writing)
	if err != nil {
		return err
	}
	if !maps.Equal(found, truth.seen(sc)) {
		return fmt.Errorf("%v shows %v, not %v", sc, found, truth.seen(sc))
	}
	return nil
}

func TestWhateverIsWrittenEachScopeShowsItsOwnRowsAndNoOther(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	s := r.open(t, "app", one) // all scopes share a connection
	rapid.Check(t, func(t *rapid.T) {
		if err := history(t, r, s); err != nil {
			t.Fatal(err)
		}
	})
}

// The twin: behind the login that may bypass the wall the same histories come out wrong.
func TestAHoleInTheWallIsSeenInItsHistory(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	s := r.open(t, "holey", one)
	caught := 0
	rapid.Check(t, func(t *rapid.T) {
		if history(t, r, s) != nil {
			caught++
		}
	})
	if caught == 0 {
		t.Error("no history has shown the hole")
	}
}
