// SPDX-License-Identifier: EUPL-1.2

package cluster_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/internal/cluster"
)

func TestOnAGivenServerNothingIsLeftBehind(t *testing.T) {
	own := start(t, cluster.Options{})
	address := own.URL(cluster.Superuser, "postgres")
	databases := func() string {
		conn, err := pgx.Connect(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		var all string
		if err := conn.QueryRow(t.Context(), "select string_agg(datname, ' ' order by datname) from pg_database").Scan(&all); err != nil {
			t.Fatal(err)
		}
		return all
	}
	before := databases()
	one, err := cluster.Given(address)
	if err != nil {
		t.Fatal(err)
	}
	other, err := cluster.Given(address)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*cluster.Cluster{one, other} { // two processes do not meet
		if err := c.CreateDatabase(t.Context(), "house", ""); err != nil {
			t.Fatal(err)
		}
		if err := c.CreateDatabase(t.Context(), "copy", "house"); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := ask(one.URL(cluster.Superuser, "copy"), "select current_database()"); err != nil || !strings.HasSuffix(got, "_copy") {
		t.Errorf("the copy is %q: %v", got, err)
	}
	if err := one.DropDatabase(t.Context(), "copy"); err != nil {
		t.Error(err)
	}
	if with := databases(); with == before {
		t.Error("nothing was made")
	}
	for _, c := range []*cluster.Cluster{one, other} {
		if err := c.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if after := databases(); after != before {
		t.Errorf("left behind: %s", after)
	}
	if _, err := cluster.Given("no address: secret"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("what is no address is taken, or told again: %v", err)
	}
}
