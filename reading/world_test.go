// SPDX-License-Identifier: EUPL-1.2

package reading_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/casework"
	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/internal/housetest"
	"github.com/ozg-cloud/platform/schema"
)

// world is the oracle: all rows of the house, loaded past both walls, and plain Go that says what somebody should be answered.
// It knows the policy by asking authz about one row after the other, and nothing of SQL.
type world struct {
	*housetest.House
	db       *pgx.Conn
	policy   *authz.Policy
	contract *ast.Schema
	rows     map[string][]*row // by type
	byID     map[uuid.UUID]*row
	below    map[string]map[uuid.UUID][]*row // by type and column: who refers to it
	mu       sync.Mutex
	subjects int // made up so far
}

// row is a stored thing, its values by column.
type row struct {
	typ    string
	id     uuid.UUID
	values map[string]any
	rank   map[string]int64 // where it stands among all values of a column, as the database sorts; missing ones last
}

func (r *row) gid() string { return schema.ID(catalog.Types[r.typ].Number, r.id) }

func (r *row) text(column string) string { s, _ := r.values[column].(string); return s }

func (r *row) when(column string) (time.Time, bool) {
	t, ok := r.values[column].(time.Time)
	return t, ok
}

func (r *row) ref(column string) (uuid.UUID, bool) {
	raw, ok := r.values[column].([16]byte)
	return raw, ok
}

// sorted are the columns that lists are ordered by.
var sorted = map[string][]string{
	"Case":    {"received_at", "updated_at", "due_at", "number", "state"},
	"Tenant":  {"name", "slug"},
	"Service": {"title", "leika_key"}, "ServiceOffering": {}, "OrganisationalUnit": {"name"}, "Message": {"sent_at"}, "Attachment": {"created_at"},
	"Decision": {"sent_at"}, "Comment": {"created_at"}, "FollowUp": {"due_on"}, "Assignment": {"assigned_at"}, "HistoryEvent": {"sequence"},
	"RoleAssignment": {"assigned_at"}, "AuditEntry": {"at"}, "ExtensionDefinition": {"created_at"},
}

func load(h *housetest.House, db *pgx.Conn) *world {
	h.Helper()
	w := &world{House: h, db: db, rows: map[string][]*row{}, byID: map[uuid.UUID]*row{}, below: map[string]map[uuid.UUID][]*row{}}
	var err error
	if w.policy, err = authz.NewPolicy(); err != nil {
		h.Fatal(err)
	}
	if w.contract, err = schema.Load(); err != nil {
		h.Fatal(err)
	}
	for _, def := range w.contract.PossibleTypes["Node"] {
		t := catalog.Types[def.Name]
		columns := "*"
		for _, c := range sorted[t.Name] {
			columns += fmt.Sprintf(", dense_rank() over (order by %s) as rank_%[1]s", c)
		}
		found, err := db.Query(h.Context(), "select "+columns+" from "+t.Table)
		if err != nil {
			h.Fatal(err)
		}
		for found.Next() {
			values, err := found.Values()
			if err != nil {
				h.Fatal(err)
			}
			r := &row{typ: t.Name, values: map[string]any{}, rank: map[string]int64{}}
			for i, f := range found.FieldDescriptions() {
				if rank, ok := values[i].(int64); ok && len(f.Name) > 5 && f.Name[:5] == "rank_" {
					r.rank[f.Name[5:]] = rank
					continue
				}
				r.values[f.Name] = values[i]
			}
			r.id, _ = r.ref("id")
			w.rows[t.Name] = append(w.rows[t.Name], r)
			w.byID[r.id] = r
			for column := range r.values {
				if to, ok := r.ref(column); ok && column != "id" {
					key := t.Name + "." + column
					if w.below[key] == nil {
						w.below[key] = map[uuid.UUID][]*row{}
					}
					w.below[key][to] = append(w.below[key][to], r)
				}
			}
		}
		if found.Err() != nil {
			h.Fatal(found.Err())
		}
		slices.SortFunc(w.rows[t.Name], func(a, b *row) int { return slices.Compare(a.id[:], b.id[:]) })
	}
	return w
}

// viewer is somebody who asks, and the same person as the policy sees them.
type viewer struct {
	*authz.Principal
	as    *housetest.Caller
	words *words // where the policy is a random one
}

func (v viewer) ask(document string, variables map[string]any) housetest.Answer {
	return v.as.Ask(document, variables)
}

// viewer signs somebody in whose roles stand in the database.
func (w *world) viewer(name string, trust authz.TrustLevel) viewer {
	w.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	subject := "user:dev:" + name
	found, err := w.db.Query(w.Context(), `select r.role, t.id, t.slug, t.kind, t.place, r.unit_id, r.service_ids from role_assignments r join tenants t on t.id = r.tenant_id where r.subject = $1`, subject)
	if err != nil {
		w.Fatal(err)
	}
	var given []authz.Assignment
	for found.Next() {
		var a authz.Assignment
		var unit *uuid.UUID
		if err := found.Scan(&a.Role, &a.Tenant.ID, &a.Tenant.Slug, &a.Tenant.Kind, &a.Tenant.Place, &unit, &a.Services); err != nil {
			w.Fatal(err)
		}
		if unit != nil {
			a.Units = w.unitsBelow(*unit)
		}
		given = append(given, a)
	}
	if found.Err() != nil {
		w.Fatal(found.Err())
	}
	if given == nil {
		given = []authz.Assignment{{Role: authz.Applicant, Tenant: authz.TenantRef{Kind: authz.Federation}}}
	}
	return viewer{w.policy.Principal(subject, trust, given), w.With(name, trust), nil}
}

func (w *world) unitsBelow(top uuid.UUID) []uuid.UUID {
	out := []uuid.UUID{top}
	for _, u := range w.below["OrganisationalUnit.parent_id"][top] {
		out = append(out, w.unitsBelow(u.id)...)
	}
	return out
}

// objects says under which name the policy knows a type. A type of the contract that is missing here fails the matrix.
var objects = map[string]authz.Object{
	"Tenant": "tenant", "Service": "service", "ServiceOffering": "offering", "OrganisationalUnit": "unit",
	"Case": "case", "Submission": "submission", "Applicant": "applicant", "Message": "message", "Attachment": "attachment",
	"Decision": "decision", "Announcement": "decision", "Comment": "comment", "FollowUp": "followUp", "Assignment": "assignment", "HistoryEvent": "history",
	"RoleAssignment": "roleAssignment", "AuditEntry": "audit", "AccessEntry": "accessLog",
	"ExtensionDefinition": "extension", "Webhook": "webhook", "WebhookDelivery": "webhook", "BulkOperation": "export",
}

// hidden tells whether a field does not exist for a viewer, because the right that it or its type asks for is given to them on no row at all.
func (w *world) hidden(v viewer, f *ast.FieldDefinition) bool {
	of := strings.TrimSuffix(f.Type.Name(), "Connection")
	return lacks(v, f.Directives) || lacks(v, w.contract.Types[f.Type.Name()].Directives) || w.contract.Types[of] != nil && lacks(v, w.contract.Types[of].Directives)
}

func lacks(v viewer, directives ast.DirectiveList) bool {
	d := directives.ForName("policy")
	if d == nil || d.Arguments.ForName("onDeny") == nil || d.Arguments.ForName("onDeny").Value.Raw != "HIDE" {
		return false
	}
	return !v.MayAnywhere(authz.Object(d.Arguments.ForName("object").Value.Raw), authz.Action(d.Arguments.ForName("action").Value.Raw))
}

// sees tells whether a viewer may see a row at all.
func (w *world) sees(v viewer, r *row) bool {
	switch r.typ {
	case "Tenant", "Service", "ServiceOffering":
		return v.MayAnywhere(objects[r.typ], authz.Read)
	case "Webhook", "WebhookDelivery", "BulkOperation": // whose right is finer than a place sees the own ones
		return slices.ContainsFunc(v.Rows(objects[r.typ]).Any, func(c authz.Condition) bool {
			finer := c.Units != nil || c.Services != nil || c.Owner != "" || c.ViaPointOfContact
			return c.Place.Contains(w.target(r).Place) && (!finer || r.text("subject") == v.Subject)
		})
	}
	return v.May(objects[r.typ], authz.Read, w.target(r)) && w.trusts(v, r)
}

func (w *world) target(r *row) authz.Target {
	place, _ := r.values["place"].(int64)
	t := authz.Target{Place: authz.Place(place)}
	if id, ok := r.ref("case_id"); ok {
		r = w.byID[id]
	}
	if r.typ == "Case" {
		t.Unit, _ = r.ref("unit_id")
		t.Service, _ = r.ref("service_id")
		t.Owner = r.text("owner")
		t.ViaPointOfContact, _ = r.values["via_point_of_contact"].(bool)
	}
	return t
}

// trusts tells whether an applicant's sign-in is strong enough for a message and for what it carries.
func (w *world) trusts(v viewer, r *row) bool {
	if v.Assignments[0].Role != authz.Applicant {
		return true
	}
	if id, ok := r.ref("decision_id"); ok {
		r = w.byID[id]
	}
	if id, ok := r.ref("message_id"); ok {
		r = w.byID[id]
	}
	if r.typ != "Message" {
		return true
	}
	levels := []authz.TrustLevel{authz.Basic, authz.Substantial, authz.High}
	return slices.Index(levels, authz.TrustLevel(r.text("trust_level"))) <= slices.Index(levels, v.TrustLevel)
}

// seen are the rows of a type that a viewer may see.
func (w *world) seen(v viewer, rows []*row) []*row {
	var out []*row
	for _, r := range rows {
		if w.sees(v, r) {
			out = append(out, r)
		}
	}
	return out
}

// behind finds what an edge of the contract leads to, seen or not.
func (w *world) behind(r *row, field string) []*row {
	if r.typ == "Case" && field == "currentAssignment" {
		return slices.DeleteFunc(w.behind(r, "assignments"), func(a *row) bool { return a.values["ended_at"] != nil })
	}
	e, ok := catalog.Types[r.typ].Edges[field]
	if !ok {
		panic("nobody knows " + r.typ + "." + field)
	}
	if e.Back != "" {
		return slices.Clone(w.below[e.To+"."+e.Back][r.id])
	}
	if id, ok := r.ref(e.Column); ok {
		return []*row{w.byID[id]}
	}
	return nil
}

// by is an order of the contract.
type by struct {
	column string
	desc   bool
}

var natural = map[string][]by{
	"Case": {{"received_at", true}}, "Tenant": {{"name", false}}, "Service": {{"title", false}}, "ServiceOffering": nil,
	"OrganisationalUnit": {{"name", false}}, "Message": {{"sent_at", false}}, "Attachment": {{"created_at", false}}, "Decision": {{"sent_at", false}},
	"Comment": {{"created_at", false}}, "FollowUp": {{"due_on", false}}, "Assignment": {{"assigned_at", false}}, "HistoryEvent": {{"sequence", false}},
	"RoleAssignment": {{"assigned_at", true}}, "AuditEntry": {{"at", true}}, "ExtensionDefinition": {{"created_at", true}},
	"Webhook": {{"created_at", true}}, "WebhookDelivery": {{"created_at", true}}, "BulkOperation": {{"created_at", true}},
}

// compare says which of two rows comes first: missing values last whichever way the list runs, ties by id as the last order runs.
func compare(o []by) func(a, b *row) int {
	return func(a, b *row) int {
		for _, k := range o {
			ma, mb := a.values[k.column] == nil, b.values[k.column] == nil
			switch {
			case ma && mb:
				continue
			case ma:
				return 1
			case mb:
				return -1
			}
			if c := cmp.Compare(a.rank[k.column], b.rank[k.column]); c != 0 {
				if k.desc {
					return -c
				}
				return c
			}
		}
		c := slices.Compare(a.id[:], b.id[:])
		if len(o) > 0 && o[len(o)-1].desc {
			return -c
		}
		return c
	}
}

func inOrder(rows []*row, o []by) []*row {
	out := slices.Clone(rows)
	slices.SortFunc(out, compare(o))
	return out
}

func ids(rows []*row) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = r.gid()
	}
	return out
}

// overdue is the contract's Case.overdue.
func overdue(r *row) bool {
	due, ok := r.when("due_at")
	return ok && r.values["decided_at"] == nil && due.Before(time.Now()) && !slices.Contains([]string{"DISCARDED", "TO_BE_DELETED", "ERASED"}, r.text("state"))
}

var berlin = func() *time.Location {
	l, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err)
	}
	return l
}()

// inner is how long the lists within a document are.
const inner = 40

// fields are those of a type that exist for a viewer. The access log is left out where it would be a list: it grows while one reads.
func (w *world) fields(v viewer, typ string) (out []*ast.FieldDefinition) {
	for _, f := range w.contract.Types[typ].Fields {
		if !w.hidden(v, f) && f.Name != "accessEntries" {
			out = append(out, f)
		}
	}
	return out
}

// selection prints a document on everything that a type has, one step deep: each field, the id behind each edge, and each list.
func (w *world) selection(v viewer, typ string) string {
	out := "__typename"
	for _, f := range w.fields(v, typ) {
		def := w.contract.Types[f.Type.Name()]
		switch {
		case def.IsLeafType():
			out += " " + f.Name
		case w.byType(def.Name):
			out += " " + f.Name + " { id }"
		case f.Arguments.ForName("first") != nil:
			out += fmt.Sprintf(" %s(first: %d) { totalCount nodes { id } pageInfo { hasNextPage } }", f.Name, inner)
		default:
			out += " " + f.Name + " { " + w.fields(v, def.Name)[0].Name + " }"
		}
	}
	return out
}

func (w *world) byType(name string) bool { return objects[name] != "" }

// show is what a viewer should be answered to the selection on a row that is seen.
func (w *world) show(v viewer, r *row) map[string]any {
	out := map[string]any{"__typename": r.typ}
	for _, f := range w.fields(v, r.typ) {
		def := w.contract.Types[f.Type.Name()]
		switch {
		case w.byType(def.Name):
			out[f.Name] = nil
			for _, there := range w.seen(v, w.behind(r, f.Name)) {
				out[f.Name] = map[string]any{"id": there.gid()}
			}
		case f.Arguments.ForName("first") != nil:
			list := inOrder(w.seen(v, w.behind(r, f.Name)), natural[catalog.Types[r.typ].Edges[f.Name].To])
			nodes := []any{}
			for _, n := range list[:min(inner, len(list))] {
				nodes = append(nodes, map[string]any{"id": n.gid()})
			}
			out[f.Name] = map[string]any{"totalCount": float64(len(list)), "nodes": nodes, "pageInfo": map[string]any{"hasNextPage": len(list) > inner}}
		default:
			out[f.Name] = w.value(v, r, f, def)
		}
	}
	return out
}

// value is what a viewer should be answered to a field that is neither edge nor list of things.
func (w *world) value(v viewer, r *row, f *ast.FieldDefinition, def *ast.Definition) any {
	if d := f.Directives.ForName("policy"); d != nil && !v.May(authz.Object(d.Arguments.ForName("object").Value.Raw), authz.Read, w.target(r)) {
		return nil
	}
	if f.Name == "extensionValues" {
		return []any{} // nothing is added in this world: see extend_test.go and extension/values
	}
	switch r.typ + "." + f.Name {
	case "Case.overdue":
		return overdue(r)
	case "Case.allowedTransitions":
		out := []any{}
		for _, t := range casework.Allowed(v.Principal, casework.State(r.text("state")), w.target(r)) {
			out = append(out, string(t))
		}
		return out
	case "FollowUp.overdue":
		due, _ := r.when("due_on")
		return r.values["done_at"] == nil && due.Format(time.DateOnly) < time.Now().In(berlin).Format(time.DateOnly)
	case "Attachment.url":
		return "a link"
	case "WebhookDelivery.eventCursor":
		return "a cursor"
	case "Webhook.deadLetters":
		return float64(0)
	case "AccessEntry.caseId":
		return w.byID[must(r.ref("case_id"))].gid()
	case "Case.viewerCan":
		verb := w.fields(v, def.Name)[0].Name
		return map[string]any{verb: v.May("case", authz.Action(verb), w.target(r))}
	case "RoleAssignment.serviceIds", "AuditEntry.serviceIds":
		out := []any{}
		given, _ := r.values["service_ids"].([]any)
		for _, id := range given {
			out = append(out, schema.ID(catalog.Types["Service"].Number, uuid.MustParse(fmt.Sprint(id))))
		}
		return out
	}
	column := catalog.Types[r.typ].Columns[f.Name]
	switch value := r.values[column.Name].(type) {
	case nil:
		return nil
	case [16]byte:
		return r.gid()
	case time.Time:
		if def.Name == "Date" {
			return value.Format(time.DateOnly)
		}
		return value.UTC().Format("2006-01-02T15:04:05.999999Z07:00")
	case int16:
		return float64(value)
	case int32:
		return float64(value)
	case int64:
		return fmt.Sprint(value)
	case []any: // a document
		if def.IsLeafType() {
			return value
		}
		out := []any{}
		for _, item := range value {
			name := def.Fields[0].Name
			m, _ := item.(map[string]any)
			out = append(out, map[string]any{name: m[name]})
		}
		return out
	default:
		return value
	}
}

// types lists the types of the contract that are stored, in order.
func (w *world) types() []string { return slices.Sorted(maps.Keys(w.rows)) }
