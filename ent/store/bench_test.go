// SPDX-License-Identifier: EUPL-1.2

package store_test

import (
	"testing"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/ent/store"
)

const (
	forUpdate = "select weight from parcel where id = $1 for update"
	weigh     = "update parcel set weight = weight + 1 where id = $1"
)

// BenchmarkTransaction compares select for update, update, three creations and commit over the driver (three round trips, because ent asks
// how many rows an update has changed) with the same by hand in two pipelines. It reports the driver's time as a multiple of the other's;
// both take turns, so that a busy machine slows both.
func BenchmarkTransaction(b *testing.B) {
	r := newRoom(b)
	s := r.open(b, "app", one)
	ctx := in(b.Context(), 1, 1, "")
	hot := parcel(1, nil, nil)
	must(b, s.Writing.Exec(ctx, insert, hot, nil))

	driver := func() {
		tx := begin(ctx, b, s.Writing)
		var rows sql.Rows
		must(b, tx.Query(ctx, forUpdate, hot[:1], &rows))
		_, err := sql.ScanInt64(rows)
		must(b, err)
		must(b, rows.Close())
		must(b, tx.Exec(ctx, weigh, hot[:1], new(sql.Result)))
		for range 3 {
			must(b, tx.Exec(ctx, insert, parcel(1, nil, nil), nil))
		}
		must(b, tx.Commit())
	}
	conn, err := pgx.Connect(ctx, shared.URL("app", r.name))
	must(b, err)
	defer conn.Close(ctx)
	hand := func() {
		first := &pgx.Batch{}
		first.Queue("begin")
		store.Scope{Lo: 1, Hi: 1}.Enter(first)
		var weight int64
		first.Queue(forUpdate, hot[0]).QueryRow(func(row pgx.Row) error { return row.Scan(&weight) })
		must(b, conn.SendBatch(ctx, first).Close())
		second := &pgx.Batch{}
		second.Queue(weigh, hot[0])
		for range 3 {
			second.Queue(insert, parcel(1, nil, nil)...)
		}
		second.Queue("commit")
		must(b, conn.SendBatch(ctx, second).Close())
	}
	var tookDriver, tookHand time.Duration
	for b.Loop() {
		t := time.Now()
		driver()
		tookDriver += time.Since(t)
		t = time.Now()
		hand()
		tookHand += time.Since(t)
	}
	b.ReportMetric(float64(tookDriver.Microseconds())/float64(b.N), "µs/driver")
	b.ReportMetric(float64(tookHand.Microseconds())/float64(b.N), "µs/hand")
	b.ReportMetric(float64(tookDriver)/float64(tookHand), "driver/hand")
}
