// SPDX-License-Identifier: EUPL-1.2

package housetest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/internal/housetest"
)

// replicas is two houses on one database, a case of Kiel, and Wanda, who is a caseworker there now and then. Her rights and the case are changed
// past both houses, so that neither hears of it.
type replicas struct {
	*housetest.House
	a, b *housetest.House
	db   *pgx.Conn
	c    housetest.Case
}

func newReplicas(t *testing.T) *replicas {
	t.Helper()
	h := housetest.New(t)
	r := &replicas{House: h, a: h, b: h.Another(), db: h.Database()}
	r.c = h.As("kiel-applicant").Submit("99108001001000", "010020000000")
	return r
}

func (r *replicas) exec(statement string, args ...any) {
	r.Helper()
	if _, err := r.db.Exec(r.Context(), statement, args...); err != nil {
		r.Fatalf("%s: %v", statement, err)
	}
}

const wanda = "user:dev:wanda"

func (r *replicas) hire() {
	r.Helper()
	r.exec(`insert into role_assignments (id, tenant_id, place, subject, role, assigned_by, assigned_at)
		select gen_random_uuid(), id, place, $1, 'CASEWORKER', 'test', now() from tenants where slug = 'kiel'`, wanda)
}

func (r *replicas) dismiss() {
	r.Helper()
	r.exec("delete from role_assignments where subject = $1", wanda)
}

func (r *replicas) block() {
	r.Helper()
	r.exec("insert into blocked_subjects (id, subject, blocked_at) values (gen_random_uuid(), $1, now())", wanda)
}

// amend writes a new file reference into the case.
func (r *replicas) amend(reference string) {
	r.Helper()
	r.exec("update cases set file_reference = $1", reference)
}

// deaf lets nobody hear of changed rights: the seeded fault of all these tests.
func (r *replicas) deaf() {
	r.Helper()
	r.exec("drop trigger rights_changed on role_assignments")
	r.exec("drop trigger rights_changed on blocked_subjects")
}

// looks is what Wanda is answered by a house: the file reference of the case, and whether there was a case at all.
func (r *replicas) looks(at *housetest.House) (reference string, there bool, a housetest.Answer) {
	r.Helper()
	a = at.With("wanda", authz.Substantial).Ask("query($id: ID!) { case(id: $id) { fileReference } }", map[string]any{"id": r.c.ID})
	return a.Text("case.fileReference"), a.At("case") != nil, a
}

func refusedAsUnauthenticated(a housetest.Answer) bool {
	return len(a.Errors) == 1 && a.Errors[0].Extensions["code"] == "UNAUTHENTICATED" && a.Errors[0].Extensions["rule"] == "blocked" || a.Status == http.StatusUnauthorized
}

// races is how often the new enemy is tried.
const races = 200

// newEnemy lets Wanda look at house b again and again while her right is taken away and then the case is changed. It tells how often she saw the
// change, and how often the first answer after it still had a case.
func (r *replicas) newEnemy(rounds int, takeAway func()) (saw, late int) {
	r.Helper()
	for i := range rounds {
		r.exec("delete from blocked_subjects")
		r.dismiss()
		r.hire()
		r.exec("update rights_version set version = version + 1") // of the new role everybody hears, in the twin too
		r.amend("before")
		if _, there, a := r.looks(r.b); !there {
			r.Fatalf("a new caseworker sees nothing: %s", a.Raw)
		}
		secret := fmt.Sprintf("secret-%d", i)
		looked, ended := make(chan struct{}, 1), make(chan struct{})
		go func() {
			defer close(ended)
			for {
				reference, there, a := r.looks(r.b)
				if reference == secret {
					saw++
					return
				}
				if !there {
					if a.Status != http.StatusOK && a.Status != http.StatusUnauthorized {
						r.Errorf("status %d: %s", a.Status, a.Raw)
					}
					return
				}
				select {
				case looked <- struct{}{}:
				default:
				}
			}
		}()
		select {
		case <-looked:
		case <-ended:
		}
		takeAway()
		r.amend(secret)
		if _, there, _ := r.looks(r.b); there {
			late++
		}
		<-ended
	}
	return saw, late
}

func TestNoReplicaShowsAChangeToWhoLostTheRightBeforeIt(t *testing.T) {
	t.Parallel()
	for name, takeAway := range map[string]func(*replicas){"the role was removed": (*replicas).dismiss, "the subject was blocked": (*replicas).block} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReplicas(t)
			if saw, late := r.newEnemy(races, func() { takeAway(r) }); saw > 0 || late > 0 {
				t.Errorf("of %d changes %d were seen, and %d answers came out of old rights", races, saw, late)
			}
			// The twin: nobody hears of changed rights.
			r.deaf()
			r.Clock.Forward(time.Second) // what the doorkeeper remembers
			if saw, late := r.newEnemy(5, func() { takeAway(r) }); saw+late == 0 {
				t.Error("without the version of rights nothing was seen either: the test is of no use")
			}
		})
	}
}

func TestWhoWasBlockedIsUnauthenticatedInTheNextAnswer(t *testing.T) {
	t.Parallel()
	r := newReplicas(t)
	r.hire()
	for _, h := range []*housetest.House{r.a, r.b} {
		if _, there, a := r.looks(h); !there {
			t.Fatalf("a caseworker sees nothing: %s", a.Raw)
		}
	}
	r.block()
	for _, h := range []*housetest.House{r.a, r.b} {
		if _, there, a := r.looks(h); there || !refusedAsUnauthenticated(a) {
			t.Errorf("status %d: %s", a.Status, a.Raw)
		}
	}
}

// TestAVerbIsCarriedOutByRightsThatHoldWhenItIsStored lets a verb wait for the case while its right is taken away.
func TestAVerbIsCarriedOutByRightsThatHoldWhenItIsStored(t *testing.T) {
	t.Parallel()
	comment := func(r *replicas) housetest.Answer {
		return r.b.With("wanda", authz.Substantial).Ask(
			`mutation($in: CommentOnCaseInput!) { commentOnCase(input: $in) { comment { id } problems { ... on Problem { code } } } }`,
			map[string]any{"in": map[string]any{"caseId": r.c.ID, "expectedRevision": r.c.Revision, "body": "Rückruf"}})
	}
	during := func(r *replicas, change func()) (a housetest.Answer) {
		lock, err := r.Database().Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := lock.Exec(t.Context(), "select from cases for update"); err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			a = comment(r)
		}()
		for waits := false; !waits; {
			err := r.db.QueryRow(t.Context(), `select exists (select from pg_stat_activity
				where datname = current_database() and wait_event_type = 'Lock' and query like '%FOR UPDATE%')`).Scan(&waits)
			if err != nil {
				t.Fatal(err)
			}
			select {
			case <-done:
				t.Fatalf("it does not wait: %s", a.Raw)
			default:
			}
		}
		change()
		if err := lock.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-done
		return a
	}
	comments := func(r *replicas) (n int) {
		if err := r.db.QueryRow(t.Context(), "select count(*) from comments").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	t.Run("the role is removed", func(t *testing.T) {
		t.Parallel()
		r := newReplicas(t)
		r.hire()
		a := during(r, r.dismiss)
		if a.Text("commentOnCase.problems.0.code") != "NOT_FOUND" || comments(r) != 0 {
			t.Errorf("%d comments: %s", comments(r), a.Raw)
		}
	})
	t.Run("the subject is blocked", func(t *testing.T) {
		t.Parallel()
		r := newReplicas(t)
		r.hire()
		if a := during(r, r.block); !refusedAsUnauthenticated(a) || comments(r) != 0 {
			t.Errorf("%d comments: %s", comments(r), a.Raw)
		}
	})
	t.Run("somebody else's role is removed", func(t *testing.T) {
		t.Parallel()
		r := newReplicas(t)
		r.hire()
		a := during(r, func() { r.exec("update role_assignments set assigned_by = 'test' where subject <> $1", wanda) })
		if a.Text("commentOnCase.comment.id") == "" || comments(r) != 1 {
			t.Errorf("%d comments: %s", comments(r), a.Raw)
		}
	})
	t.Run("twin: nobody hears of it", func(t *testing.T) {
		t.Parallel()
		r := newReplicas(t)
		r.deaf()
		r.hire()
		if a := during(r, r.dismiss); comments(r) != 1 {
			t.Errorf("the check bites without a version of rights: %s", a.Raw)
		}
	})
}

func TestANewRightCountsAtOnceOnEveryReplica(t *testing.T) {
	t.Parallel()
	r := newReplicas(t)
	for range 20 {
		for _, h := range []*housetest.House{r.a, r.b} {
			if _, there, a := r.looks(h); there {
				t.Fatalf("a stranger sees the case: %s", a.Raw)
			}
		}
		r.hire()
		for _, h := range []*housetest.House{r.a, r.b} {
			if _, there, a := r.looks(h); !there {
				t.Fatalf("a caseworker does not: %s", a.Raw)
			}
		}
		r.dismiss()
	}
}

func TestAMutationTellsTheVersionOfRightsByWhichItWasDecided(t *testing.T) {
	t.Parallel()
	r := newReplicas(t)
	r.hire()
	version := func(a housetest.Answer) string {
		var said struct {
			Extensions struct{ RightsVersion string } `json:"extensions"`
		}
		if err := json.Unmarshal(a.Raw, &said); err != nil {
			t.Fatal(err)
		}
		return said.Extensions.RightsVersion
	}
	var now string
	stored := func() string {
		if err := r.db.QueryRow(t.Context(), "select version::text from rights_version").Scan(&now); err != nil {
			t.Fatal(err)
		}
		return now
	}
	who := r.b.With("wanda", authz.Substantial)
	document := `mutation($in: CommentOnCaseInput!) { commentOnCase(input: $in) { case { id revision } problems { ... on Problem { code } } } }`
	for i := range 3 {
		in := map[string]any{"caseId": r.c.ID, "expectedRevision": r.c.Revision, "body": "Rückruf"}
		if i == 2 {
			in["expectedRevision"] = 99 // a refusal has been decided as well
		}
		a := who.Ask(document, map[string]any{"in": in}).Works()
		if got := version(a); got != stored() {
			t.Errorf("told %q, not %q: %s", got, now, a.Raw)
		}
		if i < 2 {
			r.c.Revision = a.Number("commentOnCase.case.revision")
		}
		if got := who.Ask("{ viewer { rightsVersion } }", nil).Works().Text("viewer.rightsVersion"); got != now {
			t.Errorf("the viewer is answered by %q, not %q", got, now)
		}
		r.exec("update role_assignments set assigned_by = 'test' where subject <> $1", wanda)
	}
	if a := who.Ask("{ viewer { subject } }", nil).Works(); strings.Contains(string(a.Raw), "extensions\":{\"rights") {
		t.Errorf("a query tells it too: %s", a.Raw)
	}
}
