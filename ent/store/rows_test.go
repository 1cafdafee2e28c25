// SPDX-License-Identifier: EUPL-1.2

package store_test

import (
	stdsql "database/sql"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"
)

// state is an enum as ent prints it.
type state string

func TestEachTypeThatEntUsesComesBackAsItWas(t *testing.T) {
	t.Parallel()
	s := newRoom(t).open(t, "app", nil)
	ctx := in(t.Context(), 1, 1, "")
	id := uuid.Must(uuid.NewV7())
	at := time.Date(2026, 3, 29, 1, 59, 59, 123456000, time.UTC)
	berlin, err := time.LoadLocation("Europe/Berlin")
	must(t, err)
	for _, c := range []struct {
		column string
		value  any // as ent sends it
		into   any // as ent scans it: a pointer
		want   any
	}{
		{"uid", id, new(uuid.UUID), id},
		{"uid", id, &sql.NullScanner{S: new(uuid.UUID)}, sql.NullScanner{S: &id, Valid: true}},
		{"uid", nil, &sql.NullScanner{S: new(uuid.UUID)}, sql.NullScanner{S: new(uuid.UUID)}},
		{"uid", &id, new(uuid.UUID), id},
		{"uid", (*uuid.UUID)(nil), &sql.NullScanner{S: new(uuid.UUID)}, sql.NullScanner{S: new(uuid.UUID)}},
		{"word", "Fußgängerübergänge", new(sql.NullString), sql.NullString{String: "Fußgängerübergänge", Valid: true}},
		{"word", nil, new(sql.NullString), sql.NullString{}},
		{"state", state("NEW"), new(sql.NullString), sql.NullString{String: "NEW", Valid: true}},
		{"many", []string{"a", `b"c`, ""}, new([]string), []string{"a", `b"c`, ""}},
		{"many", nil, new([]string), []string(nil)},
		{"data", json.RawMessage(`{"a": [1, null]}`), new([]byte), []byte(`{"a": [1, null]}`)},
		{"data", []byte(`{"a": 1}`), new([]byte), []byte(`{"a": 1}`)},
		{"data", nil, new([]byte), []byte(nil)},
		{"day", time.Date(2028, 2, 29, 0, 0, 0, 0, berlin), new(sql.NullTime), sql.NullTime{Time: time.Date(2028, 2, 29, 0, 0, 0, 0, time.UTC), Valid: true}},
		{"day", nil, new(sql.NullTime), sql.NullTime{}},
		{"flag", true, new(sql.NullBool), sql.NullBool{Bool: true, Valid: true}},
		{"flag", nil, new(sql.NullBool), sql.NullBool{}},
		{"at", at, new(sql.NullTime), sql.NullTime{Time: at, Valid: true}},
		{"at", at.In(berlin), new(time.Time), at},
		{"at", at, new(any), at},
		{"at", nil, new(sql.NullTime), sql.NullTime{}},
		{"big", int64(16999999999999999), new(sql.NullInt64), sql.NullInt64{Int64: 16999999999999999, Valid: true}},
		{"big", 7, new(int64), int64(7)},
		{"big", nil, new(sql.NullInt64), sql.NullInt64{}},
		{"small", 7, new(sql.NullInt64), sql.NullInt64{Int64: 7, Valid: true}},
		{"ratio", 0.25, new(sql.NullFloat64), sql.NullFloat64{Float64: 0.25, Valid: true}},
		{"raw", []byte{0, 1, 255}, new([]byte), []byte{0, 1, 255}},
	} {
		row := uuid.Must(uuid.NewV7())
		must(t, s.Writing.Exec(ctx, "insert into kinds (id, place, "+c.column+") values ($1, 1, $2)", []any{row, c.value}, nil))
		var rows sql.Rows
		must(t, s.Writing.Query(ctx, "select "+c.column+" from kinds where id = $1", []any{row}, &rows))
		if err := sql.ScanOne(rows, c.into); err != nil {
			t.Errorf("%s: %v", c.column, err)
		}
		must(t, rows.Close())
		if got := reflect.ValueOf(c.into).Elem().Interface(); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %#v, want %#v", c.column, got, c.want)
		}
	}
}

func TestRowsTellTheirColumnsAndNoTypes(t *testing.T) {
	t.Parallel()
	s := newRoom(t).open(t, "app", one)
	ctx := in(t.Context(), 1, 1, "")
	var rows sql.Rows
	must(t, s.Writing.Query(ctx, "select 1 as a, 'x' as b", []any{}, &rows))
	if names, err := rows.Columns(); err != nil || !reflect.DeepEqual(names, []string{"a", "b"}) {
		t.Errorf("got %v, %v", names, err)
	}
	if _, err := rows.ColumnTypes(); err == nil || rows.NextResultSet() {
		t.Error("rows promise what they do not have")
	}
	must(t, rows.Close())
	must(t, rows.Close())
	if rows.Next() {
		t.Error("closed rows go on")
	}
	must(t, s.Writing.Query(ctx, "select place from parcel", []any{}, &rows))
	if _, err := sql.ScanInt64(rows); err != stdsql.ErrNoRows {
		t.Errorf("got %v", err)
	}
}
