// SPDX-License-Identifier: EUPL-1.2

package reading_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/internal/demo"
	"github.com/ozg-cloud/platform/schema"
)

// complaints compares what a viewer is answered with what the oracle says: the lists of Query with their counts, and for each type of the
// contract a sample of rows, seen or not, with every field, every edge and every list of each.
func (w *world) complaints(v viewer, seed uint64) (out []string) {
	c := rand.New(rand.NewPCG(seed, 0))
	for _, list := range []struct{ field, typ string }{{"cases", "Case"}, {"followUps", "FollowUp"}, {"tenants", "Tenant"}, {"services", "Service"}, {"offerings", "ServiceOffering"}, {"auditEntries", "AuditEntry"}} {
		if w.rows[list.typ] == nil {
			continue
		}
		if w.hidden(v, w.contract.Query.Fields.ForName(list.field)) {
			continue
		}
		a := v.ask("{ "+list.field+"(first: 100) { totalCount nodes { id } pageInfo { hasNextPage hasPreviousPage } } }", nil)
		all := inOrder(w.seen(v, w.rows[list.typ]), natural[list.typ])
		want := map[string]any{
			"totalCount": float64(len(all)), "nodes": idNodes(all[:min(100, len(all))]),
			"pageInfo": map[string]any{"hasNextPage": len(all) > 100, "hasPreviousPage": false},
		}
		if got := a.At(list.field); !reflect.DeepEqual(got, want) {
			out = append(out, fmt.Sprintf("%s: %s", list.field, difference(got, want)))
		}
	}
	for _, typ := range w.types() {
		// Half of the sample can be seen, where there is so much; the other half is taken blindly.
		seen := w.seen(v, w.rows[typ])
		n := 40
		if w.lists(v, typ) > 1 {
			n = 12
		}
		var sample []*row
		for range n {
			if len(seen) > 0 && c.IntN(2) == 0 {
				sample = append(sample, seen[c.IntN(len(seen))])
			} else if rows := w.rows[typ]; len(rows) > 0 {
				sample = append(sample, rows[c.IntN(len(rows))])
			}
		}
		out = append(out, w.complaintsAbout(v, typ, sample)...)
	}
	return out
}

func (w *world) complaintsAbout(v viewer, typ string, sample []*row) (out []string) {
	if lacks(v, w.contract.Types[typ].Directives) { // what does not exist for somebody is not there under its id either
		a := v.ask("query($ids: [ID!]!) { nodes(ids: $ids) { __typename } }", map[string]any{"ids": ids(sample)})
		if !same(a.At("nodes"), make([]any, len(sample))) {
			out = append(out, fmt.Sprintf("%s: %s", typ, a.Raw))
		}
		return out
	}
	document, variables := fmt.Sprintf("query($ids: [ID!]!) { nodes(ids: $ids) { ...all } } fragment all on %s { %s }", typ, w.selection(v, typ)), map[string]any{"ids": ids(sample)}
	if w.lists(v, typ) > 1 { // nodes are reckoned as a hundred, which would cost too much
		document = fmt.Sprintf(" } fragment all on %s { %s }", typ, w.selection(v, typ))
		for i, r := range sample {
			document = fmt.Sprintf("n%d: node(id: %q) { ...all } ", i, r.gid()) + document
		}
		document, variables = "{ "+document, nil
	}
	a := v.ask(document, variables)
	got, _ := a.At("nodes").([]any)
	if variables == nil && len(a.Errors) == 0 {
		for i := range sample {
			got = append(got, a.Data[fmt.Sprintf("n%d", i)])
		}
	}
	if len(got) != len(sample) {
		return []string{fmt.Sprintf("%s: %s", typ, a.Raw)}
	}
	for i, r := range sample {
		var want any
		if w.sees(v, r) {
			want = w.show(v, r)
		}
		if m, ok := got[i].(map[string]any); ok && typ == "Attachment" && m["url"] != nil {
			m["url"] = "a link" // which is another one each time
		}
		if m, ok := got[i].(map[string]any); ok && m["eventCursor"] != nil {
			m["eventCursor"] = "a cursor" // of a position, which the rows do not tell
		}
		if !reflect.DeepEqual(got[i], want) {
			out = append(out, fmt.Sprintf("%s %s: %s", typ, r.id, difference(got[i], want)))
		}
	}
	// The same row through node, and through the field of its own.
	one := sample[0]
	fields := "node(id: $id) { id }"
	if typ == "Case" {
		fields += " case(id: $id) { id }"
	}
	a = v.ask("query($id: ID!) { "+fields+" }", map[string]any{"id": one.gid()})
	for _, field := range []string{"node", "case"} {
		if got := a.Text(field + ".id"); strings.Contains(fields, field) && (got == one.gid()) != w.sees(v, one) {
			out = append(out, fmt.Sprintf("%s %s through %s: %s", typ, one.id, field, a.Raw))
		}
	}
	return out
}

// lists counts the lists that a type has.
func (w *world) lists(v viewer, typ string) int { return strings.Count(w.selection(v, typ), "nodes") }

func idNodes(rows []*row) []any {
	out := []any{}
	for _, r := range rows {
		out = append(out, map[string]any{"id": r.gid()})
	}
	return out
}

// difference tells two answers apart, shortly.
func difference(got, want any) string {
	g, ok1 := got.(map[string]any)
	m, ok2 := want.(map[string]any)
	if ok1 && ok2 {
		var out []string
		for k := range m {
			if !reflect.DeepEqual(g[k], m[k]) {
				out = append(out, k+" "+difference(g[k], m[k]))
			}
		}
		slices.Sort(out)
		return strings.Join(out, "; ")
	}
	text := func(v any) string {
		b, _ := json.Marshal(v) //nolint:errchkjson // came from JSON
		if len(b) > 300 {
			return string(b[:300]) + "…"
		}
		return string(b)
	}
	return text(got) + " instead of " + text(want)
}

func TestEveryPrincipalOfTheDemoIsAnsweredWhatThePolicySays(t *testing.T) {
	w := shared()
	for _, p := range demo.Principals() {
		t.Run(p.Name, func(t *testing.T) {
			for _, c := range w.complaints(w.viewer(p.Name, p.Trust), 1) {
				t.Error(c)
			}
		})
	}
}

func TestEveryTypeOfTheContractHasItsLineInTheMatrix(t *testing.T) {
	w := shared()
	for _, def := range w.contract.PossibleTypes["Node"] {
		if objects[def.Name] == "" {
			t.Errorf("%s has no line: nobody has said who may see it", def.Name)
		}
		if len(w.rows[def.Name]) == 0 {
			t.Errorf("there is no %s in the house, so that nothing is proved", def.Name)
		}
	}
}

// somebody draws a person: an applicant who has cases, or somebody with one to three roles anywhere, narrowed to a unit or to services or not.
func (w *world) somebody(t *rapid.T) viewer {
	trust := rapid.SampledFrom([]authz.TrustLevel{authz.Basic, authz.Substantial, authz.High}).Draw(t, "trust")
	if rapid.IntRange(0, 5).Draw(t, "applies") == 0 {
		owner := rapid.SampledFrom(w.rows["Case"]).Filter(func(r *row) bool { return r.text("owner") != "" }).Draw(t, "whose")
		return w.viewer(strings.TrimPrefix(owner.text("owner"), "user:dev:"), trust)
	}
	roles := slices.DeleteFunc(w.policy.Roles(), func(r authz.Role) bool { return r == authz.Applicant })
	w.subjects++
	name := fmt.Sprintf("somebody-%d", w.subjects)
	for range rapid.IntRange(1, 3).Draw(t, "roles") {
		role := rapid.SampledFrom(roles).Draw(t, "role")
		// Where cases are: their authority, or what stands above it.
		at := w.byID[must(rapid.SampledFrom(w.rows["Case"]).Draw(t, "at").ref("tenant_id"))]
		for range rapid.SampledFrom([]int{0, 0, 0, 1, 2, 3}).Draw(t, "above") {
			if above, ok := at.ref("parent_id"); ok {
				at = w.byID[above]
			}
		}
		var unit *uuid.UUID
		if units := w.below["OrganisationalUnit.tenant_id"][at.id]; len(units) > 0 && rapid.Bool().Draw(t, "narrowed") {
			unit = &rapid.SampledFrom(units).Draw(t, "unit").id
		}
		var services []uuid.UUID
		if rapid.Bool().Draw(t, "named") {
			for _, s := range rapid.SliceOfN(rapid.SampledFrom(w.rows["Service"]), 1, 4).Draw(t, "services") {
				services = append(services, s.id)
			}
		}
		_, err := w.db.Exec(w.Context(), `insert into role_assignments (id, tenant_id, place, subject, role, unit_id, service_ids, assigned_by, assigned_at)
			values ($1, $2, $3, $4, $5, $6, $7, 'test', now()) on conflict do nothing`,
			uuid.New(), at.id, at.values["place"], "user:dev:"+name, string(role), unit, services)
		if err != nil {
			t.Fatal(err)
		}
	}
	return w.viewer(name, trust)
}

func must(id uuid.UUID, ok bool) uuid.UUID {
	if !ok {
		panic("no id")
	}
	return id
}

func TestWhoeverAsksIsAnsweredWhatThePolicySays(t *testing.T) {
	w := shared()
	rapid.Check(t, func(t *rapid.T) {
		v := w.somebody(t)
		for _, c := range w.complaints(v, rapid.Uint64().Draw(t, "sample")) {
			t.Errorf("%v %s: %s", v.Assignments, v.TrustLevel, c)
		}
	})
}

func TestAForeignADeletedAndAnUnknownIDAreAnsweredByteForByteAlike(t *testing.T) {
	w := furnish(t, 100)
	v := w.viewer("kiel-caseworker", authz.Substantial)
	for _, typ := range w.types() {
		if typ == "Tenant" || typ == "Service" || typ == "ServiceOffering" {
			continue // known to all
		}
		seen := func(r *row) bool { return w.sees(v, r) }
		asked := map[string]string{"foreign": w.rows[typ][slices.IndexFunc(w.rows[typ], func(r *row) bool { return !seen(r) })].gid()}
		if own := slices.IndexFunc(w.rows[typ], seen); own >= 0 {
			r := w.rows[typ][own]
			if got := v.ask("query($id: ID!) { node(id: $id) { id } }", map[string]any{"id": r.gid()}).Text("node.id"); got != r.gid() {
				t.Fatalf("%s %s was not there in the first place", typ, r.id)
			}
			for _, statement := range []string{"set session_replication_role = replica", "delete from " + catalog.Types[typ].Table + " where id = '" + r.id.String() + "'"} {
				if _, err := w.db.Exec(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
			}
			asked["deleted"] = r.gid()
		}
		for _, document := range []string{
			"query($id: ID!) { node(id: $id) { id } }",
			"query($id: ID!) { nodes(ids: [$id]) { id } }",
			"query($id: ID!) { case(id: $id) { id messages(first: 1) { totalCount } } }",
			"query($id: ID!) { node(id: $id) { ... on Case { messages(first: 5) { nodes { id } } } } cases(first: 3, where: { unit: { eq: $id } }) { totalCount } }",
			"query($id: ID!) { cases(first: 3, where: { id: { eq: $id } }) { totalCount nodes { id } pageInfo { hasNextPage } } }",
			"mutation($id: ID!) { acceptCase(input: { caseId: $id, expectedRevision: 1 }) { case { id } problems { __typename ... on Problem { title } } } }",
		} {
			want := v.ask(document, map[string]any{"id": schema.ID(catalog.Types[typ].Number, uuid.Must(uuid.NewV7()))})
			for what, id := range asked {
				got := v.ask(document, map[string]any{"id": id})
				if got.Status != want.Status || !bytes.Equal(got.Raw, want.Raw) {
					t.Errorf("%s, %s: %s instead of %s", typ, what, got.Raw, want.Raw)
				}
			}
		}
	}
}
