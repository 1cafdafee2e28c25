// SPDX-License-Identifier: EUPL-1.2

package values_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/extension"
	"github.com/ozg-cloud/platform/internal/housetest"
)

// misplaced counts values that do not stand beside the case that they are of, and values beside cases that are of no entry. What is left of a field that stands in no
// column any more is of no interest.
const misplaced = `select count(*) from
	(select e.case_id, k.beside, ozg_found(e.field, e.text, e.number, e.time) as value from extension_entries e join extension_columns k using (field) where e.case_id = e.target_id) entered
	full join (select c.id as case_id, v.beside::smallint, v.value from cases c,
			lateral (values (1, extension_1), (2, extension_2), (3, extension_3), (4, extension_4), (5, extension_5), (6, extension_6), (7, extension_7), (8, extension_8), (9, extension_9), (10, extension_10)) v (beside, value)
		where split_part(v.value, '=', 1)::bigint in (select field from extension_columns)) found using (case_id, beside)
	where entered.value is distinct from found.value`

// types are the columns of entries, of which each fills one.
var types = map[string]string{"text": "text", "number": "double precision", "time": "timestamptz"}

func column(t *rapid.T) string {
	return rapid.SampledFrom([]string{"text", "number", "time"}).Draw(t, "column")
}

// value is a random one of an entry.
func value(t *rapid.T, column string) any {
	switch column {
	case "text":
		return rapid.OneOf(rapid.StringMatching(`[a-zäß=/ ]{0,12}`), rapid.SampledFrom([]string{"", "=", "17=x"})).Draw(t, "text")
	case "number":
		return rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 1, -1, 1e300})).Draw(t, "number")
	}
	return time.UnixMicro(rapid.Int64Range(-60_000_000_000_000_000, 250_000_000_000_000_000).Draw(t, "time")).UTC()
}

func TestAValueIsFoundInTheFormInWhichTheDatabaseWritesIt(t *testing.T) {
	t.Parallel()
	db := housetest.New(t).Database()
	rapid.Check(t, func(t *rapid.T) {
		key, given := rapid.Int64Range(1, 1<<62).Draw(t, "key"), map[string]any{}
		column := column(t)
		v := value(t, column)
		given[column] = v
		var got string
		if err := db.QueryRow(context.Background(), "select ozg_found($1, $2, $3, $4)", key, given["text"], given["number"], given["time"]).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if want := extension.Found(key, v); got != want {
			t.Fatalf("%v: the database writes %q, and it is looked for by %q", v, got, want)
		}
	})
}

// TestWhatIsEnteredStandsBesideItsCase enters and throws away random values of random cases and fields, many in a statement, and looks beside the cases after each.
func TestWhatIsEnteredStandsBesideItsCase(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	h.Seed(20, 7)
	db := h.Database()
	var cases []uuid.UUID
	rows, err := db.Query(t.Context(), "select id from cases")
	if err == nil {
		cases, err = pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	}
	if err != nil {
		t.Fatal(err)
	}
	const first = 1 << 40
	do := func(t rapid.TB, statement string, args ...any) {
		if _, err := db.Exec(context.Background(), statement, args...); err != nil {
			t.Fatal(err)
		}
	}
	wrong := func(t rapid.TB) (n int) {
		if err := db.QueryRow(context.Background(), misplaced).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	do(t, "insert into extension_columns (field, beside) select $1::bigint + n, n from generate_series(1, 10) n", first)
	enter := func(t *rapid.T) {
		text := ""
		var args []any
		column := column(t)
		taken := map[string]bool{}
		for range rapid.IntRange(1, 8).Draw(t, "entries") {
			of, field := rapid.SampledFrom(cases).Draw(t, "case"), first+rapid.IntRange(1, 12).Draw(t, "field") // two stand in no column
			if id := fmt.Sprint(of, field); !taken[id] {
				taken[id] = true
				args = append(args, of, field, value(t, column))
				text += fmt.Sprintf(" union all select $%d::uuid, $%d::bigint, $%d::%s", len(args)-2, len(args)-1, len(args), types[column])
			}
		}
		do(t, fmt.Sprintf(`insert into extension_entries (id, tenant_id, place, case_id, target_id, field, %s)
			select gen_random_uuid(), c.tenant_id, c.place, c.id, c.id, n.field, n.value from (%s) n (id, field, value) join cases c on c.id = n.id
			where not exists (select from extension_entries e where e.target_id = n.id and e.field = n.field)`, column, text[len(" union all "):]), args...)
	}
	// moves gives fields other columns, or none, as another version does, and enters all that there is anew, as the caretaker does. Then nothing else stands beside any case.
	moves := func(t *rapid.T) {
		columns, fields := rapid.Permutation([]int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}).Draw(t, "columns"), rapid.SliceOfNDistinct(rapid.IntRange(1, 12), 0, 10, rapid.ID[int]).Draw(t, "fields")
		do(t, "delete from extension_columns")
		for i, n := range fields {
			do(t, "insert into extension_columns (field, beside) values ($1::bigint + $2, $3)", int64(first), n, columns[i])
		}
		if err := pgx.BeginFunc(context.Background(), db, func(tx pgx.Tx) error {
			for _, s := range []string{"create temporary table kept on commit drop as select * from extension_entries", "delete from extension_entries", "insert into extension_entries select * from kept"} {
				if _, err := tx.Exec(context.Background(), s); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		var entered, beside int
		err := db.QueryRow(context.Background(), `select (select count(*) from extension_entries join extension_columns using (field)),
			(select sum(num_nonnulls(extension_1, extension_2, extension_3, extension_4, extension_5, extension_6, extension_7, extension_8, extension_9, extension_10)) from cases)`).Scan(&entered, &beside)
		if err != nil || entered != beside {
			t.Fatalf("%d values stand beside cases instead of %d: %v", beside, entered, err)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		for range rapid.IntRange(1, 8).Draw(t, "statements") {
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0:
				moves(t)
			case 1:
				do(t, "delete from extension_entries where target_id = any($1) and (field % 3 = $2 or $3)", rapid.SliceOfN(rapid.SampledFrom(cases), 1, 4).Draw(t, "cases"),
					rapid.IntRange(0, 2).Draw(t, "gone"), rapid.Bool().Draw(t, "all"))
			default:
				enter(t)
			}
			if n := wrong(t); n > 0 {
				t.Fatalf("%d values are misplaced", n)
			}
		}
		moves(t)
	})
	do(t, "delete from extension_entries")
	do(t, "delete from extension_columns")
	do(t, "insert into extension_columns (field, beside) values ($1::bigint + 1, 1), ($1::bigint + 2, 2)", int64(first))
	// The twins: a trigger that does not work is noticed.
	one := `insert into extension_entries (id, tenant_id, place, case_id, target_id, field, text) select gen_random_uuid(), tenant_id, place, id, id, $1, 'x' from cases limit 1`
	do(t, "alter table extension_entries disable trigger entered")
	if do(t, one, first+1); wrong(t) != 1 {
		t.Error("a value that is brought nowhere is not noticed")
	}
	do(t, "alter table extension_entries enable trigger entered, disable trigger thrown_away")
	do(t, "delete from extension_entries")
	do(t, one, first+2)
	if do(t, "delete from extension_entries"); wrong(t) != 1 {
		t.Error("a value that stays is not noticed")
	}
}
