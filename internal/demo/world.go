// SPDX-License-Identifier: EUPL-1.2

package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/authz"
)

// hand is who assigned the roles.
const hand = "system:demo"

// laid is the day on which everything in the world began to hold.
var laid = time.Date(2020, time.January, 1, 0, 0, 0, 0, time.UTC)

// World lays the furniture of the house: tenants with their units, the catalogue and who is responsible for what, form servers, and
// the roles of the principals and of the colleagues who work on demo cases. Doing so again changes nothing, and what somebody has changed
// since stays changed. conn's login has to be a member of ozg_owner, and is in no transaction.
func World(ctx context.Context, conn *pgx.Conn) error { return Wider(ctx, conn, 0) }

// Wider is World with invented districts, so that each Land has as many as it has, and invented authorities in them, until there are so many
// authorities in all; where there are as many without, it is World.
func Wider(ctx context.Context, conn *pgx.Conn, authorities int) error {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return fmt.Errorf("demo: beginning to lay the world: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // after Commit it does nothing
	if err := asOwner(ctx, tx); err != nil {
		return err
	}
	w, err := build(authorities)
	if err != nil {
		return err
	}
	known, err := there(ctx, tx)
	if err != nil {
		return err
	}
	if err := tx.SendBatch(ctx, w.statements(known)).Close(); err != nil {
		return fmt.Errorf("demo: laying the world: %w", err)
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("demo: storing the world: %w", err)
	}
	return nil
}

// asOwner makes the transaction the owner's, who sees all rows behind the second wall.
func asOwner(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, "set local role ozg_owner; set local app.lo = '0'; set local app.hi = '999999999999999'; set local app.owner = ''")
	if err != nil {
		return fmt.Errorf("demo: becoming the owner: %w", err)
	}
	return nil
}

type tenant struct {
	id     rowID
	place  authz.Place
	kind   authz.TenantKind
	slug   string
	name   string
	key    string // ARS; empty for the federation
	parent *tenant
}

type unit struct {
	id     rowID
	at     *tenant
	number string
	name   string
	above  *unit
}

type service struct {
	entry
	id rowID
}

type offering struct {
	id        rowID
	at        *authority
	service   *service
	unit      *unit
	territory string
}

// authority is an office as a tenant, with what it offers.
type authority struct {
	*tenant
	office office
	offers []*offering
	form   *connector // through which form servers of its Land deliver
}

type connector struct {
	id      rowID
	at      *tenant
	name    string
	subject string
}

type role struct {
	id       rowID
	entry    rowID // in the audit log
	at       *tenant
	subject  string
	role     authz.Role
	unit     *unit
	services []uuid.UUID
}

// narrowed are the services that a role is narrowed to; nil where it is not.
func (r *role) narrowed() any {
	if len(r.services) == 0 {
		return nil
	}
	return r.services
}

// world is the furniture before it is laid. It is the same each time.
type world struct {
	tenants     []*tenant
	services    []*service
	units       []*unit
	offerings   []*offering
	connectors  []*connector
	roles       []*role
	authorities []*authority

	bySlug map[string]*tenant
	given  map[rowID]bool
}

// build invents authorities until there are so many.
func build(authorities int) (*world, error) {
	inventedDistricts, inventedOffices := invent(authorities)
	w := &world{bySlug: map[string]*tenant{}, given: map[rowID]bool{}}
	var wrong error
	tenantAt := func(parent *tenant, kind authz.TenantKind, slug, name, ars string, n int) *tenant {
		t := &tenant{id: named("tenant", slug), kind: kind, slug: slug, name: name, parent: parent}
		if kind != authz.Federation {
			t.key = ars + strings.Repeat("0", 12-len(ars))
			place, err := authz.PlaceOf(t.key, n)
			wrong = errors.Join(wrong, err)
			t.place = place
		}
		w.tenants = append(w.tenants, t)
		w.bySlug[slug] = t
		return t
	}
	federation := tenantAt(nil, authz.Federation, "federation", "Bundesrepublik Deutschland", "", 0)
	over := map[string]*tenant{}
	forms := map[string]*connector{}
	for _, l := range lands {
		over[l.ars] = tenantAt(federation, authz.Land, l.slug, l.name, l.ars, 0)
		forms[l.ars] = w.formServer(over[l.ars])
	}
	for _, d := range slices.Concat(districts, inventedDistricts) {
		over[d.ars] = tenantAt(over[d.ars[:2]], authz.District, d.slug, d.name, d.ars, 0)
	}
	for _, e := range catalogue {
		w.services = append(w.services, &service{e, named("service", e.key)})
	}
	for _, o := range slices.Concat(offices, inventedOffices) {
		above := over[o.key[:min(5, len(o.key))]]
		a := &authority{tenant: tenantAt(above, authz.Authority, o.slug, o.name, o.key, 1), office: o, form: forms[o.key[:2]]}
		w.authorities = append(w.authorities, a)
		w.furnish(a)
	}
	for _, p := range Principals() {
		for _, r := range p.Roles {
			var services []uuid.UUID
			for _, key := range r.Services {
				services = append(services, named("service", key))
			}
			w.give(w.bySlug[r.Tenant], p.Subject, r.Role, nil, services)
		}
	}
	return w, wrong
}

// formServer connects the form server of a Land. Schleswig-Holstein's is the principal gover.
func (w *world) formServer(l *tenant) *connector {
	name := "gover-" + l.slug
	if l.slug == "sh" {
		name = "gover"
	}
	c := &connector{named("connector", name), l, "Formularserver " + l.name, subjectOf(name)}
	w.connectors = append(w.connectors, c)
	w.give(l, c.subject, "FORM_SERVER", nil, nil)
	return c
}

// furnish gives an authority its units, what it offers and its people: a mail room, a caseworker for everything, one for each office
// within, and somebody who erases.
func (w *world) furnish(a *authority) {
	units := map[string]*unit{}
	for _, p := range parts {
		if a.office.tasks == ofLand && !strings.HasPrefix(p.number, "50") {
			continue
		}
		u := &unit{named("unit", a.slug+"/"+p.number), a.tenant, p.number, p.name, units[p.above]}
		units[p.number] = u
		w.units = append(w.units, u)
		if u.above == nil {
			w.give(a.tenant, a.caseworkerOf(u), "CASEWORKER", u, nil)
		}
	}
	for _, s := range w.services {
		if !a.office.carriesOut(s.entry) {
			continue
		}
		o := &offering{named("offering", a.slug+"/"+s.key), a, s, units[s.part], a.office.key}
		a.offers = append(a.offers, o)
		w.offerings = append(w.offerings, o)
	}
	w.give(a.tenant, a.caseworker(), "CASEWORKER", nil, nil)
	w.give(a.tenant, a.mailroom(), "MAIL_ROOM", nil, nil)
	w.give(a.tenant, a.deletionOfficer(), "DELETION_OFFICER", nil, nil)
}

func (a *authority) caseworker() string      { return subjectOf(a.slug + "-caseworker") }
func (a *authority) mailroom() string        { return subjectOf(a.slug + "-mailroom") }
func (a *authority) deletionOfficer() string { return subjectOf(a.slug + "-deletion-officer") }

// caseworkerOf works for one part of the authority, the office that the unit belongs to.
func (a *authority) caseworkerOf(u *unit) string {
	if u.above != nil {
		u = u.above
	}
	return subjectOf(a.slug + "-caseworker-" + u.number)
}

// give assigns a role once.
func (w *world) give(at *tenant, subject string, what authz.Role, u *unit, services []uuid.UUID) {
	name := at.slug + "/" + subject + "/" + string(what)
	r := &role{named("role", name), named("audit", name), at, subject, what, u, services}
	if !w.given[r.id] {
		w.given[r.id] = true
		w.roles = append(w.roles, r)
	}
}

// rowsAtOnce is how many rows a statement writes.
const rowsAtOnce = 500

// insertion gathers rows of one table.
type insertion struct {
	into   string
	marks  []string
	values []any
}

// add takes in a row, and hands a full statement on.
func (i *insertion) add(b *pgx.Batch, row ...any) {
	marks := make([]string, len(row))
	for k := range marks {
		marks[k] = fmt.Sprintf("$%d", len(i.values)+k+1)
	}
	i.marks, i.values = append(i.marks, "("+strings.Join(marks, ", ")+")"), append(i.values, row...)
	if len(i.marks) == rowsAtOnce {
		i.flush(b)
	}
}

func (i *insertion) flush(b *pgx.Batch) {
	if len(i.marks) > 0 {
		b.Queue(i.into+strings.Join(i.marks, ", ")+" on conflict (id) do nothing", i.values...)
		i.marks, i.values = nil, nil
	}
}

// statements write what is not there yet, many rows at once: even an insert that inserts nothing raises the version of all rights.
func (w *world) statements(there map[rowID]bool) *pgx.Batch {
	b := &pgx.Batch{}
	var open *insertion
	insert := func(table, columns string, id rowID, values ...any) {
		if there[id] {
			return
		}
		into := "insert into " + table + " (id, " + columns + ") values "
		if open == nil || open.into != into {
			if open != nil {
				open.flush(b)
			}
			open = &insertion{into: into}
		}
		open.add(b, append([]any{id}, values...)...)
	}
	for _, t := range w.tenants {
		var parent *rowID
		if t.parent != nil {
			parent = &t.parent.id
		}
		insert("tenants", "place, place_end, slug, name, kind, regional_key, parent_id, created_at",
			t.id, int64(t.place), int64(authz.Cover(t.kind, t.place).Hi), t.slug, t.name, string(t.kind), some(t.key), parent, laid)
	}
	for _, s := range w.services {
		insert("services", "leika_key, title, type, maturity, required_trust_level, deadline_days, fiction_of_approval, retention_days, version",
			s.id, s.key, s.title, s.kind, s.maturity, string(s.trust), s.deadline(), s.fiction, s.retention, 1)
	}
	for _, u := range w.units {
		insert("organisational_units", "tenant_id, place, external_id, name, parent_id",
			u.id, u.at.id, int64(u.at.place), u.number, u.name, u.above.reference())
	}
	for _, o := range w.offerings {
		insert("service_offerings", "tenant_id, place, service_id, unit_id, territory, valid_from",
			o.id, o.at.id, int64(o.at.place), o.service.id, o.unit.id, o.territory, laid)
	}
	for _, c := range w.connectors {
		insert("connectors", "tenant_id, place, kind, direction, name, subject, active",
			c.id, c.at.id, int64(c.at.place), "FORM", "INBOUND", c.name, c.subject, true)
	}
	for _, r := range w.roles {
		if !there[r.entry] { // given once; who took it away since had a reason
			insert("role_assignments", "tenant_id, place, subject, role, unit_id, service_ids, assigned_by, assigned_at",
				r.id, r.at.id, int64(r.at.place), r.subject, string(r.role), r.unit.reference(), r.narrowed(), hand, laid)
		}
	}
	for _, r := range w.roles {
		insert("audit_entries", "tenant_id, place, at, actor, action, subject, role, unit_id, service_ids",
			r.entry, r.at.id, int64(r.at.place), laid, hand, "ROLE_ASSIGNED", r.subject, string(r.role), r.unit.reference(), r.narrowed())
	}
	if open != nil {
		open.flush(b)
	}
	return b
}

// there are the ids of what lies in the tables of the world.
func there(ctx context.Context, tx pgx.Tx) (map[rowID]bool, error) {
	rows, err := tx.Query(ctx, `select id from tenants union all select id from services union all select id from organisational_units union all
		select id from service_offerings union all select id from connectors union all select id from role_assignments union all select id from audit_entries`)
	if err != nil {
		return nil, fmt.Errorf("demo: looking what lies there: %w", err)
	}
	out := map[rowID]bool{}
	var id rowID
	if _, err := pgx.ForEachRow(rows, []any{&id}, func() error { out[id] = true; return nil }); err != nil {
		return nil, fmt.Errorf("demo: looking what lies there: %w", err)
	}
	return out, nil
}

// missing counts what cases would name and does not lie there.
func (w *world) missing(there map[rowID]bool) int {
	n := 0
	count := func(id rowID) {
		if !there[id] {
			n++
		}
	}
	for _, t := range w.tenants {
		count(t.id)
	}
	for _, s := range w.services {
		count(s.id)
	}
	for _, u := range w.units {
		count(u.id)
	}
	for _, c := range w.connectors {
		count(c.id)
	}
	return n
}

func (u *unit) reference() *rowID {
	if u == nil {
		return nil
	}
	return &u.id
}

// deadline is that of law: nil where none is promised.
func (e entry) deadline() *int {
	if e.days == 0 {
		return nil
	}
	return &e.days
}

// some is null for the value that stands for nothing.
func some[T comparable](v T) any {
	if v == *new(T) {
		return nil
	}
	return v
}
