// SPDX-License-Identifier: EUPL-1.2

package reading_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/internal/housetest"
	"github.com/ozg-cloud/platform/schema"
)

// asking gives somebody's request to the handler of a house, without a network.
func asking(b *testing.B, h *housetest.House, name, document string, variables map[string]any) func() []byte {
	b.Helper()
	body, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err != nil {
		b.Fatal(err)
	}
	token := h.Token(name, map[string]any{"trust_level": "SUBSTANTIAL"}, 2*time.Hour)
	return func() []byte {
		r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/graphql", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+token)
		to := httptest.NewRecorder()
		h.House.ServeHTTP(to, r)
		if to.Code != http.StatusOK || bytes.Contains(to.Body.Bytes(), []byte(`"errors"`)) {
			b.Fatalf("status %d: %.300s", to.Code, to.Body)
		}
		return to.Body.Bytes()
	}
}

// turns are the times of things that take turns, so that whatever else the machine does hits all of them.
type turns map[string][]time.Duration

// take lets each have its turn, in another order every time.
func (t turns) take(n int, each map[string]func()) {
	names := make([]string, 0, len(each))
	for name := range each { // of a map: in any order
		names = append(names, name)
	}
	for i := range names {
		name := names[(i+n)%len(names)]
		start := time.Now()
		each[name]()
		t[name] = append(t[name], time.Since(start))
	}
}

// at is the time below which a part of the turns stayed.
func (t turns) at(name string, part float64) time.Duration {
	slices.Sort(t[name])
	return t[name][int(part*float64(len(t[name])-1))]
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }

// BenchmarkTheTimeTellsNothing asks, as somebody of Kiel, for a case of others, for one of Kiel that was deleted, and for one that never was. spread is
// how many times as long as the quickest of the three the slowest takes, by the median.
func BenchmarkTheTimeTellsNothing(b *testing.B) {
	w := furnish(b, 600)
	v := w.viewer("kiel-caseworker", authz.Substantial)
	seen := func(r *row) bool { return w.sees(v, r) }
	own := w.rows["Case"][slices.IndexFunc(w.rows["Case"], seen)]
	foreign := w.rows["Case"][slices.IndexFunc(w.rows["Case"], func(r *row) bool { return !seen(r) })]
	for _, statement := range []string{"set session_replication_role = replica", "delete from cases where id = '" + own.id.String() + "'"} {
		if _, err := w.db.Exec(b.Context(), statement); err != nil {
			b.Fatal(err)
		}
	}
	ids := map[string]string{"foreign": foreign.gid(), "deleted": own.gid(), "unknown": schema.ID(7, uuid.Must(uuid.NewV7()))}
	for name, document := range map[string]string{
		"node":   "query($id: ID!) { node(id: $id) { id } }",
		"cases":  "query($id: ID!) { cases(first: 3, where: { id: { eq: $id } }) { totalCount nodes { id } } }",
		"accept": "mutation($id: ID!) { acceptCase(input: { caseId: $id, expectedRevision: 1 }) { case { id } problems { __typename } } }",
	} {
		b.Run(name, func(b *testing.B) {
			each, answers := map[string]func(){}, map[string]string{}
			for what, id := range ids {
				ask := asking(b, w.House, "kiel-caseworker", document, map[string]any{"id": id})
				each[what] = func() { answers[what] = string(ask()) }
			}
			took := turns{}
			for n := 0; b.Loop(); n++ {
				took.take(n, each)
			}
			if answers["foreign"] != answers["unknown"] || answers["deleted"] != answers["unknown"] {
				b.Fatalf("the answers tell already: %v", answers)
			}
			var medians []time.Duration
			for what := range each {
				medians = append(medians, took.at(what, 0.5))
				b.ReportMetric(micros(took.at(what, 0.5)), "µs/"+what)
			}
			b.ReportMetric(float64(slices.Max(medians))/float64(slices.Min(medians)), "spread")
		})
	}
}

// BenchmarkRightsOfACrowd is what rights cost among 10,000 tenants and 100,000 roles: reading somebody's off the roster and compiling them,
// which is the difference between a request of somebody unknown and of somebody remembered; compiling alone; and a decision.
func BenchmarkRightsOfACrowd(b *testing.B) {
	h := housetest.New(b)
	db := h.Database()
	for _, statement := range []string{
		`insert into tenants (id, place, place_end, slug, name, kind, parent_id, created_at)
		 select gen_random_uuid(), l.place + g * 1000 + 1, l.place + g * 1000 + 1, 'crowd-' || g, 'Crowd', 'AUTHORITY', l.id, now()
		 from tenants l, generate_series(1, 10000) g where l.kind = 'LAND' and l.place = 150000000000000`,
		`insert into role_assignments (id, tenant_id, place, subject, role, assigned_by, assigned_at)
		 select gen_random_uuid(), t.id, t.place, case when g <= 100 then 'user:dev:crowd-hundred' else 'user:dev:crowd-' || g / 3 end, 'CASEWORKER', 'test', now()
		 from generate_series(1, 100000) g join tenants t on t.slug = 'crowd-' || 1 + g % 10000`,
		`analyze`,
	} {
		if _, err := db.Exec(b.Context(), statement); err != nil {
			b.Fatal(err)
		}
	}
	policy, err := authz.NewPolicy()
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"kiel-caseworker", "crowd-5000", "crowd-hundred"} {
		b.Run(name, func(b *testing.B) {
			w := &world{House: h, db: db, policy: policy}
			if name == "kiel-caseworker" { // whose role is narrowed to a unit
				w = load(h, db)
			}
			v := w.viewer(name, authz.Substantial)
			at := v.Assignments[len(v.Assignments)-1]
			row := authz.Target{Place: at.Tenant.Place}
			if len(at.Units) > 0 {
				row.Unit = at.Units[0]
			}
			ask := asking(b, h, name, "{ __typename }", nil)
			each := map[string]func(){
				"remembered": func() { ask() },
				"compile":    func() { policy.Principal(v.Subject, v.TrustLevel, v.Assignments) },
			}
			took, cold := turns{}, turns{}
			for n := 0; b.Loop(); n++ {
				h.Clock.Forward(time.Second + time.Millisecond) // the doorkeeper's memory of persons is older now
				cold.take(n, map[string]func(){"unknown": func() { ask() }})
				took.take(n, each)
				for range 100 {
					took.take(n, map[string]func(){"decision": func() {
						if !v.Principal.May("case", "decide", row) {
							b.Fatal("refused")
						}
					}})
				}
			}
			b.ReportMetric(micros(cold.at("unknown", 0.5)), "µs/unknown")
			b.ReportMetric(micros(took.at("remembered", 0.5)), "µs/remembered")
			b.ReportMetric(micros(took.at("compile", 0.5)), "µs/compile")
			b.ReportMetric(micros(took.at("compile", 0.99)), "µs/compile-p99")
			b.ReportMetric(float64(took.at("decision", 0.99).Nanoseconds()), "ns/decision-p99")
		})
	}
}

// BenchmarkSecondWall compares reads in three houses with the same cases: one as it is, one without row level security, and one in which no
// scope is entered either. Medians of requests that take turns.
func BenchmarkSecondWall(b *testing.B) {
	const cases = 20_000
	houses := map[string]*housetest.House{}
	const anywhere = "create or replace function ozg_enter(lo bigint, hi bigint, owner text) returns bigint language sql as 'select 0::bigint'"
	for name, statements := range map[string][]string{"whole": nil, "open": nil, "none": {anywhere}} {
		h := housetest.New(b)
		h.Seed(cases, 5)
		db := h.Database()
		if name != "whole" {
			statements = append(statements, disabling(b, db)...)
		}
		for _, s := range append(statements, "vacuum analyze") {
			if _, err := db.Exec(b.Context(), s); err != nil {
				b.Fatal(err)
			}
		}
		houses[name] = h
	}
	for _, who := range []string{"kiel-caseworker", "kiel-mailroom", "sh-admin", "kiel-applicant"} {
		var id string
		a := houses["whole"].As(who).Ask("{ cases(first: 1) { nodes { id } } }", nil).Works()
		if id = a.Text("cases.nodes.0.id"); id == "" {
			b.Fatalf("%s sees nothing", who)
		}
		for what, document := range map[string]string{
			"page": page,
			"case": "query($id: ID!) { case(id: $id) { id number state receivedAt revision service { title } messages(first: 5) { nodes { id subject body } } } }",
		} {
			variables := map[string]any{}
			if what == "case" {
				variables["id"] = id
			}
			b.Run(what+" "+who, func(b *testing.B) {
				each, answers := map[string]func(){}, map[string]string{}
				for name, h := range houses {
					ask := asking(b, h, who, document, variables)
					each[name] = func() { answers[name] = string(ask()) }
				}
				took := turns{}
				for n := 0; b.Loop(); n++ {
					took.take(n, each)
				}
				for name, a := range answers {
					if a != answers["whole"] || !strings.Contains(a, `"number"`) {
						b.Fatalf("%s answers something else: %.300s\n%.300s", name, a, answers["whole"])
					}
				}
				whole := float64(took.at("whole", 0.5))
				b.ReportMetric(whole/1000, "µs")
				b.ReportMetric(whole/float64(took.at("open", 0.5)), "of-open")
				b.ReportMetric(whole/float64(took.at("none", 0.5)), "of-none")
			})
		}
	}
}

// disabling are the statements, each of its own so that none waits for another, that take row level security from all tables.
func disabling(b *testing.B, db *pgx.Conn) []string {
	b.Helper()
	rows, err := db.Query(b.Context(), "select format('alter table %s disable row level security', oid::regclass) from pg_class where relrowsecurity")
	if err != nil {
		b.Fatal(err)
	}
	statements, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(statements) == 0 {
		b.Fatalf("%d tables: %v", len(statements), err)
	}
	return statements
}
