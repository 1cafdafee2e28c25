// SPDX-License-Identifier: EUPL-1.2

package housetest_test

import (
	"flag"
	"fmt"
	"testing"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/internal/housetest"
	"github.com/ozg-cloud/platform/schema"
)

var racing = flag.Int("races", 100, "how often a right is taken away before a change, with a receiver on each process")

const enemies = 5

// loseRights lets receivers at two real programs lose their role, and changes the case at once, again and again. It tells how many heard of a change.
func loseRights(t *testing.T, h *housetest.House, urls []string, races int) (heard int) {
	t.Helper()
	db := h.Database()
	do := func(statement string, args ...any) {
		if _, err := db.Exec(t.Context(), statement, args...); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	file := func(c housetest.Case) any { _, id, _ := schema.ParseID(c.ID); return id }
	kiel := file(h.As("kiel-applicant").Submit("99108001001000", "010020000000"))
	do("set session_replication_role = replica") // for the events, which are written past the desk
	n := 1
	change := func(file any, typ string) {
		n++
		do(`insert into events (id, tenant_id, place, type, case_id, sequence, revision, at, unit_id, unit_before)
			select gen_random_uuid(), tenant_id, place, $2, case_id, $1, $1, now(), unit_id, unit_id from events where case_id = $3 limit 1`, n, typ, file)
	}
	own := file(h.As("luebeck-applicant").Submit("99108001001000", "010030000000"))
	with := h.Database() // where triggers tell that rights have changed
	rights := func(statement string) {
		if _, err := with.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	hire := `insert into role_assignments (id, tenant_id, place, subject, role, assigned_by, assigned_at)
		select gen_random_uuid(), t.id, t.place, 'user:dev:enemy' || n, 'CASEWORKER', 'test', now() from tenants t, generate_series(1, ` + fmt.Sprint(enemies) + `) n where slug = 'kiel'`
	// Something else they go on seeing, whatever becomes of the role.
	rights(`insert into role_assignments (id, tenant_id, place, subject, role, assigned_by, assigned_at)
		select gen_random_uuid(), t.id, t.place, 'user:dev:enemy' || n, 'CASEWORKER', 'test', now() from tenants t, generate_series(1, ` + fmt.Sprint(enemies) + `) n where slug = 'luebeck'`)
	rights(hire)
	rights("update rights_version set version = version + 1") // of the new role everybody hears, in the twin too
	var streams []*housetest.Stream
	for _, url := range urls {
		at := *h
		at.URL = url
		for i := range enemies {
			s := at.With(fmt.Sprintf("enemy%d", i+1), authz.Substantial).Follow(`subscription { caseEvents(heartbeatSeconds: 300) { __typename ... on CaseEvent { type } } }`, nil)
			s.Next()
			streams = append(streams, s)
		}
	}
	until := func(typ string) {
		for _, s := range streams {
			for e := s.Next(); e.Text("type") != typ; e = s.Next() {
				if e.Text("type") == "CASE_CLOSED" {
					heard++
				}
				if e.Type == "" {
					t.Fatal(e.Raw)
				}
			}
		}
	}
	for done := 0; done < races; done += len(streams) {
		change(kiel, "CASE_STARTED")
		until("CASE_STARTED")
		rights("delete from role_assignments where subject like 'user:dev:enemy%' and tenant_id = (select id from tenants where slug = 'kiel')")
		change(kiel, "CASE_CLOSED")
		change(own, "CASE_ACCEPTED")
		until("CASE_ACCEPTED")
		rights(hire)
	}
	return heard
}

// TestNoProcessTellsAChangeToWhoLostTheRightBeforeIt is the new enemy at streams of two real programs. make events-torture tries it 10,000 times.
func TestNoProcessTellsAChangeToWhoLostTheRightBeforeIt(t *testing.T) {
	h := housetest.New(t)
	binary, environ := built(t), append(h.Environ(), "OZG_DRAIN_SECONDS=0", "OZG_CALLER_BUDGET=1000000000", "OZG_TENANT_BUDGET=1000000000")
	urls := []string{start(t, binary, environ).url, start(t, binary, environ).url}
	if heard := loseRights(t, h, urls, *racing); heard > 0 {
		t.Errorf("in %d races %d changes were heard", *racing, heard)
	}
	// The twin: nobody hears of changed rights.
	if _, err := h.Database().Exec(t.Context(), "drop trigger rights_changed on role_assignments; delete from role_assignments where subject like 'user:dev:enemy%'; update rights_version set version = version + 1"); err != nil {
		t.Fatal(err)
	}
	if heard := loseRights(t, h, urls, 1); heard == 0 {
		t.Error("without the version of rights nothing was heard either: the test is of no use")
	}
	t.Logf("%d races over two programs, no change was heard", *racing)
}
