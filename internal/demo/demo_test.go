// SPDX-License-Identifier: EUPL-1.2

package demo_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/ent/migrations"
	"github.com/ozg-cloud/platform/internal/cluster"
	"github.com/ozg-cloud/platform/internal/demo"
)

// until is now in the demo.
var until = time.Date(2026, time.November, 20, 15, 0, 0, 0, time.UTC)

// shared is the cluster of this package's tests; each test has a copy of the database "world", in which the world is laid.
var shared struct {
	*cluster.Cluster
	copies atomic.Int64
}

func TestMain(m *testing.M) {
	c, err := cluster.Start(context.Background(), cluster.Options{})
	if err == nil {
		shared.Cluster = c
		err = model(context.Background())
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

func model(ctx context.Context) error {
	if err := shared.CreateDatabase(ctx, "world", ""); err != nil {
		return err
	}
	url := shared.URL(cluster.Superuser, "world")
	if err := migrations.Apply(ctx, url); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	return demo.World(ctx, conn)
}

// house is a copy of the world, with a connection of the superuser.
func house(t testing.TB) *pgx.Conn {
	t.Helper()
	ctx := context.Background()
	name := fmt.Sprintf("house%d", shared.copies.Add(1))
	if err := shared.CreateDatabase(ctx, name, "world"); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(ctx, shared.URL(cluster.Superuser, name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close(ctx)
		if err := shared.DropDatabase(ctx, name); err != nil {
			t.Error(err)
		}
	})
	return conn
}

func seed(t testing.TB, conn *pgx.Conn, n int, seed uint64) {
	t.Helper()
	if err := demo.Cases(context.Background(), conn, n, seed, until, nil); err != nil {
		t.Fatal(err)
	}
}

func must(t testing.TB, conn *pgx.Conn, statement string) {
	t.Helper()
	if _, err := conn.Exec(context.Background(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func ask[T any](t testing.TB, conn *pgx.Conn, question string, with ...any) T {
	t.Helper()
	rows, err := conn.Query(context.Background(), question, with...)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	if err != nil {
		t.Fatalf("%s: %v", question, err)
	}
	return answer
}

func list[T any](t testing.TB, conn *pgx.Conn, question string, row pgx.RowToFunc[T], with ...any) []T {
	t.Helper()
	rows, err := conn.Query(context.Background(), question, with...)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, row)
	if err != nil {
		t.Fatalf("%s: %v", question, err)
	}
	return all
}

// content is a fingerprint of every table. The position in the log is the database's own.
func content(t testing.TB, conn *pgx.Conn) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, table := range list(t, conn, `select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
		and not relispartition and relname not in ('goose_db_version', 'statistics_secret')`, pgx.RowTo[string]) {
		row := "to_jsonb(r)"
		if table == "events" {
			row += " - 'xid'"
		}
		out[table] = ask[string](t, conn, "select count(*) || ' ' || coalesce(md5(string_agg(x, '|' order by x)), '') from (select ("+row+")::text x from "+table+" r) y")
	}
	return out
}

func differing(a, b map[string]string) []string {
	var out []string
	for table := range a {
		if a[table] != b[table] {
			out = append(out, table)
		}
	}
	slices.Sort(out)
	return out
}

// BenchmarkCases stores b.N cases: go test -run - -bench Cases -benchtime 100000x.
func BenchmarkCases(b *testing.B) {
	conn := house(b)
	before := ask[int64](b, conn, "select pg_database_size(current_database())")
	b.ResetTimer()
	seed(b, conn, b.N, 1)
	b.StopTimer()
	rows := 0
	for _, table := range []string{
		"cases", "submissions", "applicants", "messages", "decisions", "announcements", "comments", "follow_ups", "assignments", "history_events", "events",
	} {
		rows += ask[int](b, conn, "select count(*) from "+table)
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(rows)/float64(b.N), "rows/case")
	b.ReportMetric(float64(ask[int64](b, conn, "select pg_database_size(current_database())")-before)/float64(b.N), "bytes/case")
}
