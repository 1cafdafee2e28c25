// SPDX-License-Identifier: EUPL-1.2

package reading_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/reading"
)

// narrow are people whose rights are finer than the second wall, so that a gap in the first one shows.
func (w *world) narrow(t *testing.T) []viewer {
	t.Helper()
	for _, r := range [][3]string{
		{"gap-auditor", "AUDITOR", "kiel"}, {"gap-deletion", "DELETION_OFFICER", "kiel"}, {"gap-contact", "POINT_OF_SINGLE_CONTACT", "kiel"},
		{"gap-both", "POINT_OF_SINGLE_CONTACT", "kiel"}, {"gap-both", "CASEWORKER", "luebeck"}, // knows units, but not those of Kiel
	} {
		if _, err := w.db.Exec(w.Context(), `insert into role_assignments (id, tenant_id, place, subject, role, assigned_by, assigned_at)
			select gen_random_uuid(), id, place, 'user:dev:' || $1, $2, 'test', now() from tenants where slug = $3 on conflict do nothing`, r[0], r[1], r[2]); err != nil {
			t.Fatal(err)
		}
	}
	out := []viewer{}
	for _, name := range []string{"gap-auditor", "gap-deletion", "gap-contact", "gap-both", "partner", "kiel-admin", "sh-analyst", "kiel-caseworker-32"} {
		out = append(out, w.viewer(name, authz.Substantial))
	}
	return append(out, w.viewer("kiel-applicant", authz.Basic))
}

func TestAGapInTheFirstWallIsNoticed(t *testing.T) {
	w := shared()
	people := w.narrow(t)
	noticed := func(rounds uint64) string {
		for seed := range rounds {
			for _, v := range people {
				if c := w.complaints(v, seed); len(c) > 0 {
					return c[0]
				}
			}
		}
		return ""
	}
	if c := noticed(1); c != "" {
		t.Fatalf("without a gap: %s", c)
	}
	byObject := func(object authz.Object) func() {
		return reading.GapInRows(func(o authz.Object, _ string) bool { return o == object })
	}
	gaps := map[string]func() (mend func()){
		"in the edges to messages": func() func() {
			return reading.GapInRows(func(o authz.Object, a string) bool { return o == "message" && a != "t1" })
		},
		"in the edges to the unit": func() func() {
			return reading.GapInRows(func(o authz.Object, a string) bool { return o == "unit" && a != "t1" })
		},
		"at the top of cases": func() func() {
			return reading.GapInRows(func(o authz.Object, a string) bool { return o == "case" && a == "t1" })
		},
		"in counts":                 reading.GapInCounts,
		"in the text of messages":   func() func() { return byObject("message.body") },
		"in what a form was filled": func() func() { return byObject("submission.formData") },
	}
	for _, object := range objects {
		if object != "tenant" && object != "service" && object != "offering" { // everybody here sees all of them
			gaps["in the rows of "+string(object)] = func() func() { return byObject(object) }
		}
	}
	for name, gap := range gaps {
		t.Run(name, func(t *testing.T) {
			mend := gap()
			defer mend()
			if noticed(4) == "" {
				t.Error("nobody notices")
			}
		})
	}
}

// wallComplaints enters scopes as serving does and compares what the second wall alone lets through with what lies in the scope.
func (w *world) wallComplaints(tables ...string) (out []string) {
	w.Helper()
	conn := w.Serving()
	defer conn.Close(context.Background())
	kiel := w.place("kiel")
	for _, s := range []authz.Scope{
		{Lo: kiel, Hi: kiel}, {Lo: 0, Hi: authz.Last}, {Lo: kiel + 1, Hi: kiel + 2}, {Lo: w.place("luebeck"), Hi: w.place("muenchen")},
		{Lo: 0, Hi: authz.Last, Owner: "user:dev:kiel-applicant"}, {Lo: 0, Hi: authz.Last, Owner: "user:dev:nobody"},
	} {
		tx, err := conn.Begin(w.Context())
		if err != nil {
			w.Fatal(err)
		}
		if _, err := tx.Exec(w.Context(), "select ozg_enter($1, $2, $3)", int64(s.Lo), int64(s.Hi), s.Owner); err != nil {
			w.Fatal(err)
		}
		for _, typ := range w.types() {
			t := catalog.Types[typ]
			if !t.Owned || typ == "ServiceOffering" || tables != nil && !slices.Contains(tables, t.Table) {
				continue // shared: the directory and the catalogue
			}
			var got int
			known := make([]uuid.UUID, len(w.rows[typ])) // others may have come by the tests themselves
			for i, r := range w.rows[typ] {
				known[i] = r.id
			}
			if err := tx.QueryRow(w.Context(), "select count(*) from "+t.Table+" where id = any($1)", known).Scan(&got); err != nil {
				w.Fatal(err)
			}
			want := 0
			for _, r := range w.rows[typ] {
				if w.within(s, r) {
					want++
				}
			}
			if got != want {
				out = append(out, fmt.Sprintf("%s in %v: %d rows instead of %d", t.Table, s, got, want))
			}
		}
		if err := tx.Rollback(w.Context()); err != nil {
			w.Fatal(err)
		}
	}
	return out
}

// within tells whether a row lies in a scope: by its place and, for an applicant, by whose case it hangs on.
func (w *world) within(s authz.Scope, r *row) bool {
	place, _ := r.values["place"].(int64)
	if authz.Place(place) < s.Lo || authz.Place(place) > s.Hi {
		return false
	}
	if s.Owner == "" {
		return true
	}
	switch r.typ {
	case "Comment", "FollowUp", "Assignment", "OrganisationalUnit", "RoleAssignment", "AuditEntry", "ExtensionDefinition": // never for applicants
		return false
	}
	if id, ok := r.ref("case_id"); ok {
		r = w.byID[id]
	}
	return r.typ == "Case" && r.text("owner") == s.Owner
}

func (w *world) place(slug string) authz.Place {
	i := slices.IndexFunc(w.rows["Tenant"], func(r *row) bool { return r.text("slug") == slug })
	place, _ := w.rows["Tenant"][i].values["place"].(int64)
	return authz.Place(place)
}

func TestTheSecondWallHoldsWithoutTheFirst(t *testing.T) {
	w := shared()
	for _, c := range w.wallComplaints() {
		t.Error(c)
	}
}

func TestAGapInTheSecondWallIsNoticed(t *testing.T) {
	w := furnish(t, 120)
	for _, typ := range w.types() {
		table := catalog.Types[typ].Table
		if !catalog.Types[typ].Owned || typ == "ServiceOffering" {
			continue
		}
		t.Run(table, func(t *testing.T) {
			if _, err := w.db.Exec(t.Context(), "alter table "+table+" disable row level security"); err != nil {
				t.Fatal(err)
			}
			if len(w.wallComplaints(table)) == 0 {
				t.Error("nobody notices")
			}
			// The first wall holds alone meanwhile.
			for _, c := range w.complaints(w.viewer("luebeck-caseworker", authz.Substantial), 1) {
				t.Error(c)
			}
			if _, err := w.db.Exec(t.Context(), "alter table "+table+" enable row level security"); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestWhatOthersDoChangesNoAnswer is noninterference for reads: what Lübeck is answered is the same byte for byte, whatever happens elsewhere.
func TestWhatOthersDoChangesNoAnswer(t *testing.T) {
	w := furnish(t, 150)
	v := w.viewer("luebeck-caseworker", authz.Substantial)
	foreign := func(typ string) string {
		return w.rows[typ][slices.IndexFunc(w.rows[typ], func(r *row) bool { return !w.sees(v, r) })].gid()
	}
	look := func() string {
		var b strings.Builder
		for _, document := range []string{
			"{ cases(first: 50) { totalCount nodes { id revision messages(first: 20) { totalCount nodes { id } } history(last: 3) { totalCount nodes { id } } } pageInfo { hasNextPage endCursor } } }",
			`{ cases(last: 20, where: { or: [{ overdue: true }, { assignee: { isNull: true } }, { search: "a" }] }, orderBy: [{ field: STATE }]) { totalCount edges { cursor node { number } } } followUps(first: 20) { totalCount nodes { id } } }`,
			fmt.Sprintf("{ a: node(id: %q) { id } b: node(id: %q) { id } c: node(id: %q) { id } }", foreign("Case"), foreign("Message"), foreign("Decision")),
			`{ tenant(slug: "kiel") { name units(first: 10) { totalCount nodes { id } } } }`,
		} {
			a := v.ask(document, nil)
			if len(a.Errors) > 0 {
				t.Fatalf("%s: %s", document, a.Raw)
			}
			b.Write(a.Raw)
		}
		return b.String()
	}
	before := look()
	for _, statement := range []string{
		"set session_replication_role = replica",
		"update cases set revision = revision + 1, updated_at = now(), state = 'IN_PROGRESS', closed_at = null where place <> $1",
		"insert into messages select (jsonb_populate_record(m, jsonb_build_object('id', gen_random_uuid()))).* from messages m where place <> $1",
		"insert into comments (id, tenant_id, place, case_id, body, author, created_at) select gen_random_uuid(), tenant_id, place, id, 'x', 'x', now() from cases where place <> $1",
		"delete from assignments where place <> $1", "delete from decisions where place <> $1", "delete from follow_ups where place <> $1",
		"update organisational_units set name = 'x' where place <> $1",
		"delete from cases where place <> $1 and get_byte(uuid_send(id), 15) % 2 = 0",
		"analyze",
	} {
		var args []any
		if strings.Contains(statement, "$1") {
			args = append(args, int64(w.place("luebeck")))
		}
		if _, err := w.db.Exec(t.Context(), statement, args...); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
		if after := look(); after != before {
			t.Fatalf("after %s\n%s\n%s", statement, before, after)
		}
	}
}
