// SPDX-License-Identifier: EUPL-1.2

package partners_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/internal/housetest"
)

const secretly = `subscription { caseEvents(heartbeatSeconds: 1) { __typename ... on CaseEvent { type caseId revision case { id state fileReference } } } }`

// newEnemy takes Wanda's right away and changes the case afterwards, so many times. It tells how often the change was sent.
func newEnemy(t *testing.T, rounds int, sabotage ...string) (sent int) {
	t.Helper()
	h := housetest.New(t, near)
	db := h.Database()
	exec := func(statement string, args ...any) {
		if _, err := db.Exec(t.Context(), statement, args...); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	r := receives(t, h)
	started(t, h)
	c := h.As("kiel-applicant").Submit(parking, kiel)
	wanda := h.Give("wanda", "TENANT_ADMIN", "kiel", "")
	id := hooks(t, wanda, r.URL, map[string]any{"document": secretly})
	for _, s := range sabotage {
		exec(s)
	}
	clerk := h.As("kiel-caseworker")
	told := func(i int) (n int) {
		for _, l := range r.all() {
			if strings.Contains(l.Body, fmt.Sprintf("secret-%d", i)) {
				n++
			}
		}
		return n
	}
	for i := range rounds {
		// She sees what happens ...
		clerk.Must("commentOnCase", &c, map[string]any{"body": "Notiz"})
		for l := r.next(); l.Event != "COMMENT_ADDED"; l = r.next() { // what waited for a transaction of somebody else may come before
		}
		// ... while it happens all the time, and her right is taken away.
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for range 3 {
				clerk.Must("commentOnCase", &c, map[string]any{"body": "Notiz"})
			}
		}()
		exec("delete from role_assignments where subject = 'user:dev:wanda'")
		exec("update cases set file_reference = $1", fmt.Sprintf("secret-%d", i))
		<-ended
		clerk.Must("commentOnCase", &c, map[string]any{"body": "Notiz"})
		if len(sabotage) == 0 {
			until(t, "it stops and says why", func() bool {
				a := h.As("sh-admin").Ask(about, map[string]any{"id": id}).Works()
				return a.Text("node.state") == "STOPPED" && a.Text("node.stoppedBecause") == "notAllowed"
			})
		} else {
			until(t, "who does not hear of lost rights is told", func() bool { return told(i) > 0 })
		}
		sent += told(i)
		h.Give("wanda", "TENANT_ADMIN", "kiel", "")
		exec("update webhooks set state = 'ACTIVE', stopped_because = null, lease = null, leased_until = null, mark_xid = (select pg_snapshot_xmin(pg_current_snapshot())::text::bigint), mark_seq = 0")
		exec("update rights_version set version = version + 1")
		exec("update cases set file_reference = 'before'")
		until(t, "she is told again", func() bool {
			clerk.Must("commentOnCase", &c, map[string]any{"body": "Notiz"})
			select {
			case <-r.taken:
				return true
			case <-time.After(50 * time.Millisecond):
				return false
			}
		})
		for drained := false; !drained; {
			select {
			case <-r.taken:
			case <-time.After(100 * time.Millisecond):
				drained = true
			}
		}
	}
	return sent
}

func TestNothingIsSentByARightThatWasLostBefore(t *testing.T) {
	t.Parallel()
	if sent := newEnemy(t, 8); sent > 0 {
		t.Errorf("%d changes were sent to who had lost the right before", sent)
	}
}

// TestWhoDoesNotHearOfLostRightsIsCaught is the twin: nobody is told that rights have changed.
func TestWhoDoesNotHearOfLostRightsIsCaught(t *testing.T) {
	t.Parallel()
	if sent := newEnemy(t, 1, "drop trigger rights_changed on role_assignments"); sent == 0 {
		t.Error("nothing was sent either: the test is of no use")
	}
}

// TestWhoKeepsARightIsToldThatAnotherIsLost: a revocation comes before anything that is read by what is left, also where the loss falls between two lanes.
func TestWhoKeepsARightIsToldThatAnotherIsLost(t *testing.T) {
	t.Parallel()
	for name, asleep := range map[string]bool{"while it is sent": false, "while nobody works": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := housetest.New(t, near)
			r := receives(t, h)
			stop := started(t, h)
			h.Give("otto", "TENANT_ADMIN", "luebeck", "")
			otto := h.Give("otto", "TENANT_ADMIN", "kiel", "")
			hooks(t, otto, r.URL, nil)
			h.As("kiel-applicant").Submit(parking, kiel)
			if l := r.next(); l.Event != "CASE_OPENED" {
				t.Fatalf("%+v", l)
			}
			if asleep {
				stop()
			}
			if _, err := h.Database().Exec(t.Context(), "delete from role_assignments where subject = 'user:dev:otto' and tenant_id = (select id from tenants where slug = 'luebeck')"); err != nil {
				t.Fatal(err)
			}
			h.As("kiel-applicant").Submit(parking, kiel)
			if asleep {
				started(t, h)
			}
			if l := r.next(); l.Type != "StreamRevocation" {
				t.Errorf("no revocation first: %+v", l)
			}
			if l := r.next(); l.Event != "CASE_OPENED" {
				t.Errorf("%+v", l)
			}
		})
	}
}
