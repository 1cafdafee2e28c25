// SPDX-License-Identifier: EUPL-1.2

package staff_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

func TestEveryChangeOfARoleHasItsLineInTheAuditLog(t *testing.T) {
	t.Parallel()
	o := open(t)
	admin := o.As("kiel-admin")
	id := o.gives(admin, o.give("anna", "CASEWORKER", "kiel"))
	o.assign(admin, o.give("anna", "CASEWORKER", "kiel")).Wants("alreadyDone")
	o.takes(admin, id)
	o.remove(admin, id).Wants("notFound")
	o.gives(admin, o.give("anna", "CASEWORKER", "kiel"))

	auditor := o.Give("auditor", "AUDITOR", "kiel", "")
	log := auditor.Ask(`{ auditEntries(first: 10, where: {subject: {eq: "user:dev:anna"}}) { totalCount nodes { actor action subject role tenant { slug } } } }`, nil).Works()
	nodes, _ := log.At("auditEntries.nodes").([]any)
	if len(nodes) != 3 || log.Number("auditEntries.totalCount") != 3 {
		t.Fatalf("not three lines: %s", log.Raw)
	}
	for i, action := range []string{"ROLE_ASSIGNED", "ROLE_REMOVED", "ROLE_ASSIGNED"} {
		line, _ := nodes[i].(map[string]any)
		if line["action"] != action || line["actor"] != "user:dev:kiel-admin" || line["role"] != "CASEWORKER" {
			t.Errorf("line %d: %v", i, line)
		}
	}
	if strings.Contains(string(log.Raw), "luebeck") {
		t.Error("Lübeck stands in the log of Kiel")
	}
	for _, name := range []string{"kiel-caseworker", "kiel-admin", "kiel-applicant"} {
		if a := o.As(name).Ask(`{ auditEntries(first: 1) { totalCount } }`, nil); a.Number("auditEntries.totalCount") > 0 {
			t.Errorf("%s reads the log: %s", name, a.Raw)
		}
	}
}

// changeless tells whether a login can neither change nor delete lines of a log.
func changeless(t *testing.T, conn *pgx.Conn, table string) bool {
	t.Helper()
	for _, statement := range []string{"update " + table + " set at = now()", "delete from " + table, "truncate " + table} {
		_, err := conn.Exec(context.Background(), statement)
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || pg.Code != "42501" {
			return false
		}
	}
	return true
}

func TestTheLogsAreNeverChangedByWhoServes(t *testing.T) {
	t.Parallel()
	o := open(t)
	for _, table := range []string{"audit_entries", "access_entries"} {
		if !changeless(t, o.Serving(), table) {
			t.Errorf("%s can be changed", table)
		}
		// The twin: with the grants that the migrations withhold, it is noticed.
		if _, err := o.Database().Exec(t.Context(), "grant update, delete, truncate on "+table+" to ozg_serving"); err != nil {
			t.Fatal(err)
		}
		if changeless(t, o.Serving(), table) {
			t.Errorf("nobody would notice that %s can be changed", table)
		}
	}
}
