// SPDX-License-Identifier: EUPL-1.2

package store_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

// written tells how often memory is asked for where ids are written.
func written(t testing.TB, m *pgtype.Map) (times float64) {
	t.Helper()
	id := uuid.Must(uuid.NewV7())
	buf := make([]byte, 0, 64)
	for _, value := range []any{id, &id} {
		times += testing.AllocsPerRun(100, func() {
			if _, err := m.Encode(pgtype.UUIDOID, pgtype.BinaryFormatCode, value, buf); err != nil {
				t.Fatal(err)
			}
		})
	}
	return times
}

func TestAnIDIsWrittenAsItStandsThroughBothDoors(t *testing.T) { //nolint:paralleltest // it counts what memory is asked for
	var maps []*pgtype.Map
	s := newRoom(t).open(t, "app", func(c *pgxpool.Config) {
		c.MaxConns = 1
		c.AfterConnect = func(_ context.Context, conn *pgx.Conn) error {
			maps = append(maps, conn.TypeMap())
			return nil
		}
	})
	must(t, s.Writing.Exec(in(t.Context(), 1, 1, ""), "select 1", []any{}, nil))
	must(t, s.Reading.Ping(t.Context()))
	if len(maps) != 2 {
		t.Fatalf("%d connections", len(maps))
	}
	for _, m := range maps {
		if n := written(t, m); n != 0 {
			t.Errorf("two ids were made something else first, which took %v pieces of memory", n)
		}
	}
	// The twin: pgx by itself makes a text of it.
	if written(t, pgtype.NewMap()) == 0 {
		t.Error("a text in between was not noticed")
	}
}

func TestIDsArriveAsTheyWereSent(t *testing.T) {
	t.Parallel()
	s := newRoom(t).open(t, "app", one)
	two := []uuid.UUID{uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())}
	for _, c := range []struct {
		sent any
		want []uuid.UUID
	}{{two, two}, {[]*uuid.UUID{&two[1], &two[0]}, []uuid.UUID{two[1], two[0]}}, {[]uuid.UUID{}, []uuid.UUID{}}, {[]uuid.UUID(nil), nil}} {
		var texts []string // what the database understood
		var got []uuid.UUID
		must(t, s.Reading.QueryRow(t.Context(), "select $1::uuid[]::text[], $1", c.sent).Scan(&texts, &got))
		if !slices.Equal(got, c.want) || (got == nil) != (c.want == nil) {
			t.Errorf("%v: got %v", c.sent, got)
		}
		for i, id := range c.want {
			if texts[i] != id.String() {
				t.Errorf("%v: the database read %v", c.sent, texts)
			}
		}
	}
	var text string
	must(t, s.Reading.QueryRow(t.Context(), "select $1::text", two[0]).Scan(&text))
	if text != two[0].String() {
		t.Errorf("where a text is wanted, an id is %q", text)
	}
}
