// SPDX-License-Identifier: EUPL-1.2

package events_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/internal/housetest"
	"github.com/ozg-cloud/platform/schema"
)

// exec runs a statement past the house, so that none of its processes hears of it.
func exec(h *housetest.House, statement string, args ...any) {
	h.Helper()
	db := h.Database()
	defer db.Close(h.Context())
	if _, err := db.Exec(h.Context(), statement, args...); err != nil {
		h.Fatalf("%s: %v", statement, err)
	}
}

func TestWhatHappensElsewhereMakesNoFrame(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	strangers := map[string]*housetest.Stream{}
	for _, name := range []string{"luebeck-caseworker", "muenchen-caseworker", "somebody", "partner"} {
		strangers[name] = h.As(name).Follow(stream, nil)
		checkpoint(t, strangers[name])
	}
	own := h.As("kiel-caseworker").Follow(stream, nil)
	checkpoint(t, own)
	c := h.As("kiel-applicant").Submit("99102013002000", kiel) // dog tax, which the partner is not named for
	h.As("kiel-mailroom").Must("acceptCase", &c, nil)
	event(t, own, "CASE_OPENED")
	event(t, own, "CASE_ACCEPTED")
	d := h.As("somebody").Submit(parking, "010030000000") // Lübeck
	for _, name := range []string{"luebeck-caseworker", "somebody"} {
		if e := event(t, strangers[name], "CASE_OPENED"); e.Text("caseId") != d.ID {
			t.Errorf("%s hears of %s", name, e.Raw)
		}
	}
	for name, s := range strangers {
		if heard := s.Silent(); len(heard) > 0 {
			t.Errorf("%s hears of %s", name, heard[0].Raw)
		}
	}
	for name, want := range map[string]int{"kiel-caseworker": 2, "luebeck-caseworker": 1, "muenchen-caseworker": 0, "somebody": 1, "partner": 0, "sh-admin": 3, "kiel-applicant": 2} {
		if got := len(polled(t, h.As(name), 1)); got != want {
			t.Errorf("%s finds %d events in the log, not %d", name, got, want)
		}
	}
}

func TestNoTwoCursorsOfCheckpointsAreAlike(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	s := h.As("luebeck-caseworker").Follow(brisk, nil)
	seen := map[string]bool{}
	for range 3 {
		c := checkpoint(t, s)
		if seen[c.Cursor] {
			t.Errorf("the cursor of a checkpoint comes again, although nothing has happened: %s", c.Raw)
		}
		seen[c.Cursor] = true
		checkpoint(t, h.As("luebeck-caseworker").Follow(stream, map[string]any{"after": c.Cursor}))
	}
}

func TestACaseThatGoesToAnotherUnitIsRevokedOnce(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	c := h.As("kiel-applicant").Submit(parking, kiel)
	settled(t, h)
	var here, there string
	var unit uuid.UUID
	err := h.Database().QueryRow(t.Context(), `select a.external_id, b.external_id, b.id from cases c join organisational_units a on a.id = c.unit_id
		join organisational_units b on b.tenant_id = a.tenant_id and b.id <> a.id and b.parent_id is not distinct from a.parent_id limit 1`).Scan(&here, &there, &unit)
	if err != nil {
		t.Fatal(err)
	}
	before := h.Give("hier", "CASEWORKER", "kiel", here).Follow(stream, nil)
	after := h.Give("dort", "CASEWORKER", "kiel", there).Follow(stream, nil)
	mark := checkpoint(t, before)
	checkpoint(t, after)
	h.As("kiel-mailroom").Must("acceptCase", &c, nil)
	event(t, before, "CASE_ACCEPTED")
	h.As("kiel-admin").Must("assignCase", &c, map[string]any{"unitId": schema.ID(catalog.Types["OrganisationalUnit"].Number, unit)})
	revoked(t, before, c.ID)
	event(t, after, "CASE_ASSIGNED")
	h.As("kiel-mailroom").Must("commentOnCase", &c, map[string]any{"body": "Rückruf"})
	event(t, after, "COMMENT_ADDED")
	if heard := before.Silent(); len(heard) > 0 {
		t.Errorf("the unit that has lost the case hears of %s", heard[0].Raw)
	}
	// Who was away meanwhile is told as well.
	settled(t, h)
	later := h.As("hier").Follow(stream, map[string]any{"after": mark.Cursor})
	revoked(t, later, c.ID)
	checkpoint(t, later)
}

func revoked(t *testing.T, s *housetest.Stream, id string) {
	t.Helper()
	e := s.Next()
	ids, _ := e.Frame["caseIds"].([]any)
	if e.Type != "StreamRevocation" || (id == "") != (ids == nil) || id != "" && (len(ids) != 1 || ids[0] != id) {
		t.Fatalf("no revocation: %s", e.Raw)
	}
}

const wanda = "user:dev:wanda"

func dismiss(h *housetest.House) { exec(h, "delete from role_assignments where subject = $1", wanda) }

func TestWhoLosesARoleIsToldWithinASecondAndHearsNoMore(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	other := h.Another()
	c := h.As("kiel-applicant").Submit(parking, kiel)
	settled(t, h)
	h.Give("wanda", "CASEWORKER", "kiel", "")
	s := other.With("wanda", authz.Substantial).Follow(stream, nil)
	checkpoint(t, s)
	begun := time.Now()
	dismiss(h)
	revoked(t, s, "")
	if took := time.Since(begun); took > time.Second {
		t.Errorf("it took %s", took)
	}
	// Of the process that Wanda listens to: when it tells, what happened has gone past her.
	own := other.As("kiel-caseworker").Follow(stream, map[string]any{"where": map[string]any{"types": []string{"CASE_ACCEPTED"}}})
	checkpoint(t, own)
	h.As("kiel-mailroom").Must("acceptCase", &c, nil)
	event(t, own, "CASE_ACCEPTED")
	h.Give("wanda", "CASEWORKER", "kiel", "")
	revoked(t, s, "") // Wanda is no applicant any more
	h.As("kiel-mailroom").Must("commentOnCase", &c, map[string]any{"body": "Rückruf"})
	event(t, s, "COMMENT_ADDED") // and nothing of what was in between
}

func TestWhoIsBlockedHearsTheEndOfTheStream(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	h.Give("wanda", "CASEWORKER", "kiel", "")
	another := h.Another()
	for name, open := range map[string]func() *housetest.Stream{
		"socket":       func() *housetest.Stream { return h.With("wanda", authz.Substantial).Follow(stream, nil) },
		"event stream": func() *housetest.Stream { return another.With("wanda", authz.Substantial).Listen(stream, nil, "") },
	} {
		s := open()
		checkpoint(t, s)
		exec(h, "insert into blocked_subjects (id, subject, blocked_at) values (gen_random_uuid(), $1, now())", wanda)
		if e := s.Next(); e.Rule != "blocked" || e.Frame != nil {
			t.Errorf("%s: %s", name, e.Raw)
		}
		if e := s.Next(); e.Raw != "EOF" {
			t.Errorf("%s: %s", name, e.Raw)
		}
		exec(h, "delete from blocked_subjects")
		h.Clock.Forward(2 * time.Second) // what the doorkeeper remembers
	}
}

// enemies is how often the new enemy is tried.
const enemies = 40

// newEnemy takes Wanda's role away and then changes the case, again and again, past both houses. It tells how many of these changes she heard of.
func newEnemy(t *testing.T, h *housetest.House, rounds int) (heard int) {
	t.Helper()
	houses := []*housetest.House{h, h.Another()}
	db := h.Database()
	do := func(statement string, args ...any) {
		if _, err := db.Exec(t.Context(), statement, args...); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	c, own := h.As("kiel-applicant").Submit(parking, kiel), h.As("luebeck-applicant").Submit(parking, "010030000000")
	do("set session_replication_role = replica")
	_, id, _ := schema.ParseID(own.ID)
	do("update cases set owner = $1 where id = $2", wanda, id)
	n := 1
	change := func(c housetest.Case, typ string) {
		n++
		_, id, _ := schema.ParseID(c.ID)
		do(`insert into events (id, tenant_id, place, type, case_id, sequence, revision, at, unit_id, unit_before)
			select gen_random_uuid(), tenant_id, place, $2, case_id, $1, $1, now(), unit_id, unit_id from events where case_id = $3 limit 1`, n, typ, id)
	}
	h.Give("wanda", "CASEWORKER", "kiel", "")
	streams := make([]*housetest.Stream, 2)
	for i := range streams {
		streams[i] = houses[i].With("wanda", authz.Substantial).Follow(stream, nil)
		checkpoint(t, streams[i])
	}
	until := func(typ string) {
		for _, s := range streams {
			for e := s.Next(); e.Text("type") != typ; e = s.Next() {
				if e.Text("type") == "CASE_CLOSED" {
					heard++
					break
				}
				if e.Type == "" {
					t.Fatal(e.Raw)
				}
			}
		}
	}
	for range rounds {
		change(c, "CASE_STARTED")
		until("CASE_STARTED")
		dismiss(h)
		change(c, "CASE_CLOSED")
		change(own, "CASE_ACCEPTED") // which she sees as an applicant
		until("CASE_ACCEPTED")
		h.Give("wanda", "CASEWORKER", "kiel", "")
	}
	return heard
}

func TestWhoHasLostTheRightNeverHearsOfAChangeAfterIt(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	if heard := newEnemy(t, h, enemies); heard > 0 {
		t.Errorf("of %d changes %d were heard", 2*enemies, heard)
	}
	// The twin: nobody hears of changed rights.
	deaf := housetest.New(t)
	exec(deaf, "drop trigger rights_changed on role_assignments")
	if heard := newEnemy(t, deaf, 1); heard == 0 {
		t.Error("without the version of rights nothing was heard either: the test is of no use")
	}
}
