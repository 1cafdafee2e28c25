// SPDX-License-Identifier: EUPL-1.2

package demo_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/migrations"
	"github.com/ozg-cloud/platform/internal/cluster"
	"github.com/ozg-cloud/platform/internal/demo"
)

func TestTheWorldLaidTwiceIsTheSame(t *testing.T) {
	t.Parallel()
	conn := house(t)
	before := content(t, conn)
	if err := demo.World(context.Background(), conn); err != nil {
		t.Fatal(err)
	}
	if d := differing(before, content(t, conn)); d != nil {
		t.Errorf("changed: %v", d)
	}
	must(t, conn, "update services set title = 'Umbenannt' where leika_key = '99108001001000'; delete from role_assignments where subject = 'user:dev:partner'")
	if err := demo.World(context.Background(), conn); err != nil {
		t.Fatal(err)
	}
	if n := ask[int](t, conn, "select count(*) from services where title = 'Umbenannt'"); n != 1 {
		t.Error("what somebody changed was changed back")
	}
	if n := ask[int](t, conn, "select count(*) from role_assignments where subject = 'user:dev:partner'"); n != 0 {
		t.Error("a role that was taken away was given back")
	}
}

func TestTheWorldStandsAsTheRegionalKeysSay(t *testing.T) {
	t.Parallel()
	conn := house(t)
	type row struct {
		ID           [16]byte
		Place, End   int64
		Slug, Kind   string
		Key, Parent  *string
		Start, Stop  *int64
		ParentKind   *string
		OfferingsOf1 int
	}
	all := list(t, conn, `select t.id, t.place, t.place_end, t.slug, t.kind, t.regional_key, p.slug, p.place, p.place_end, p.kind,
		(select count(*) from service_offerings o where o.tenant_id = t.id) from tenants t left join tenants p on p.id = t.parent_id`, pgx.RowToStructByPos[row])
	kinds := map[string]int{}
	for _, r := range all {
		kinds[r.Kind]++
		if cover := authz.Cover(authz.TenantKind(r.Kind), authz.Place(r.Place)); int64(cover.Hi) != r.End {
			t.Errorf("%s ends at %d, not where its kind says: %d", r.Slug, r.End, cover.Hi)
		}
		if r.Start != nil && (r.Place < *r.Start || r.End > *r.Stop) {
			t.Errorf("%s does not lie in %s", r.Slug, *r.Parent)
		}
		if (r.Kind == "AUTHORITY") != (r.OfferingsOf1 > 0) {
			t.Errorf("%s offers %d services", r.Slug, r.OfferingsOf1)
		}
	}
	if kinds["FEDERATION"] != 1 || kinds["LAND"] != 16 || kinds["DISTRICT"] < 17 || kinds["AUTHORITY"] < 15+11+15 {
		t.Errorf("%v", kinds)
	}
	for slug, parent := range map[string]string{
		"sh": "federation", "by": "federation", "kreis-kiel": "sh", "kiel": "kreis-kiel", "luebeck": "kreis-luebeck", "flensburg": "kreis-flensburg",
		"neumuenster": "kreis-neumuenster", "eutin": "kreis-ostholstein", "fehmarn": "kreis-ostholstein", "muenchen": "kreis-muenchen",
	} {
		if got := ask[string](t, conn, "select p.slug from tenants t join tenants p on p.id = t.parent_id where t.slug = $1", slug); got != parent {
			t.Errorf("%s stands below %s, not %s", slug, got, parent)
		}
	}
	for _, land := range list(t, conn, "select slug from tenants where kind = 'LAND'", pgx.RowTo[string]) {
		n := ask[int](t, conn, "select count(*) from tenants a join tenants l on a.place between l.place and l.place_end where l.slug = $1 and a.kind = 'AUTHORITY'", land)
		if n == 0 || land == "by" && n < 2 {
			t.Errorf("%s has %d authorities", land, n)
		}
	}
}

// responsible counts the offerings that hold for a service and a region: those with the longest territory that the region begins with.
const responsible = `select count(*) from (
	select rank() over (order by length(o.territory) desc) r from service_offerings o
	where o.service_id = $1 and starts_with($2, o.territory) and o.valid_from <= current_date and (o.valid_to is null or o.valid_to > current_date)) x where r = 1`

func TestAtMostOneAuthorityIsResponsibleForAServiceInARegion(t *testing.T) {
	t.Parallel()
	conn := house(t)
	services := list(t, conn, "select id from services", pgx.RowTo[[16]byte])
	for _, region := range list(t, conn, "select distinct regional_key from tenants where regional_key is not null", pgx.RowTo[string]) {
		for _, s := range services {
			n := ask[int](t, conn, responsible, s, region)
			if n > 1 {
				t.Errorf("%d authorities are responsible in %s", n, region)
			}
			if n == 0 && strings.HasPrefix(region, "01") && region != "010000000000" {
				t.Errorf("in Schleswig-Holstein nobody is responsible for a service in %s", region)
			}
		}
	}
	// The twin: an authority that claims what another one does is refused by the database itself.
	_, err := conn.Exec(context.Background(), `insert into service_offerings (id, tenant_id, place, service_id, territory, valid_from)
		select gen_random_uuid(), l.id, l.place, o.service_id, o.territory, '2026-01-01' from tenants l, service_offerings o join tenants k on k.id = o.tenant_id
		where l.slug = 'luebeck' and k.slug = 'kiel' limit 1`)
	if err == nil || !strings.Contains(err.Error(), "one_responsible") {
		t.Errorf("two are responsible: %v", err)
	}
}

func TestEveryPrincipalHasTheRolesThatItIsSaidToHave(t *testing.T) {
	t.Parallel()
	conn := house(t)
	policy, err := authz.NewPolicy()
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, p := range demo.Principals() {
		names = append(names, p.Name)
		if p.Subject != "user:dev:"+p.Name || p.Description == "" || p.Trust == "" {
			t.Errorf("%s is %+v", p.Name, p)
		}
		given := list(t, conn, `select concat_ws(' ', r.role, t.slug, r.unit_id, (select string_agg(s.leika_key, ',' order by s.leika_key)
			from services s where r.service_ids ? s.id::text)) from role_assignments r join tenants t on t.id = r.tenant_id where r.subject = $1`, pgx.RowTo[string], p.Subject)
		var said []string
		for _, r := range p.Roles {
			if !slices.Contains(policy.Roles(), r.Role) {
				t.Errorf("the policy does not know %s", r.Role)
			}
			line := string(r.Role) + " " + r.Tenant
			if len(r.Services) > 0 {
				line += " " + strings.Join(slices.Sorted(slices.Values(r.Services)), ",")
			}
			said = append(said, line)
		}
		if !slices.Equal(given, said) {
			t.Errorf("%s has %q and is said to have %q", p.Name, given, said)
		}
	}
	want := []string{
		"kiel-caseworker", "kiel-mailroom", "kiel-admin", "kiel-applicant", "luebeck-caseworker", "sh-admin", "sh-analyst", "muenchen-caseworker",
		"by-admin", "by-analyst", "federation-analyst", "partner", "gover",
	}
	if !slices.Equal(names, want) {
		t.Errorf("the principals are %v", names)
	}
	if got := ask[string](t, conn, "select t.slug || ' ' || c.kind || ' ' || c.active from connectors c join tenants t on t.id = c.tenant_id where c.subject = 'user:dev:gover'"); got != "sh FORM true" {
		t.Errorf("gover speaks for %s", got)
	}
	if n := ask[int](t, conn, `select count(*) from role_assignments r full join audit_entries a using (tenant_id, subject, role)
		where r.id is null or a.id is null or a.action <> 'ROLE_ASSIGNED' or a.actor <> r.assigned_by or a.at <> r.assigned_at or a.unit_id is distinct from r.unit_id`); n > 0 {
		t.Errorf("the audit log does not know of %d assignments", n)
	}
	if unknown := ask[int](t, conn, "select count(*) from role_assignments where role <> all($1)", policy.Roles()); unknown > 0 {
		t.Errorf("%d assignments give a role that the policy does not know", unknown)
	}
}

func TestWhoeverOwnsTheDatabaseFurnishesItAsASuperuserDoes(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	root := house(t)
	seed(t, root, 300, 7)
	must(t, root, "create role dba login createrole")
	must(t, root, "create database owned owner dba")
	t.Cleanup(func() {
		if err := shared.DropDatabase(ctx, "owned"); err != nil {
			t.Error(err)
		}
	})
	if err := migrations.Apply(ctx, shared.URL("dba", "owned")); err != nil {
		t.Fatal(err)
	}
	dba, err := pgx.Connect(ctx, shared.URL("dba", "owned"))
	if err != nil {
		t.Fatal(err)
	}
	defer dba.Close(ctx)
	if err := demo.World(ctx, dba); err != nil {
		t.Fatal(err)
	}
	seed(t, dba, 300, 7)
	inside, err := pgx.Connect(ctx, shared.URL(cluster.Superuser, "owned"))
	if err != nil {
		t.Fatal(err)
	}
	defer inside.Close(ctx)
	if d := differing(content(t, root), content(t, inside)); d != nil {
		t.Errorf("differing: %v", d)
	}
	const open = "select count(*) from pg_class where relrowsecurity and not relforcerowsecurity"
	if n := ask[int](t, inside, open); n > 0 {
		t.Errorf("for %d tables the wall was left open to the owner", n)
	}
}

func TestAWiderWorldHasTheDistrictsOfEachLandAndAsManyAuthoritiesAsAreWanted(t *testing.T) {
	t.Parallel()
	conn := house(t)
	before := content(t, conn)
	if err := demo.Wider(t.Context(), conn, 5); err != nil {
		t.Fatal(err)
	}
	if d := differing(before, content(t, conn)); d != nil {
		t.Errorf("fewer authorities than there are anyway change %v", d)
	}
	for _, authorities := range []int{420, 450} { // the second time some are there already
		if err := demo.Wider(t.Context(), conn, authorities); err != nil {
			t.Fatal(err)
		}
		if n := ask[int](t, conn, "select count(*) from tenants where kind = 'AUTHORITY'"); n != authorities {
			t.Errorf("%d authorities instead of %d", n, authorities)
		}
	}
	if n := ask[int](t, conn, "select count(*) from tenants where kind = 'DISTRICT'"); n != 400 {
		t.Errorf("%d districts", n)
	}
	if n := ask[int](t, conn, "select count(*) from tenants d join tenants l on l.id = d.parent_id where d.kind = 'DISTRICT' and l.slug = 'by'"); n != 96 {
		t.Errorf("Bavaria has %d districts", n)
	}
	astray := `select count(*) from tenants t join tenants p on p.id = t.parent_id where t.place not between p.place and p.place_end`
	if n := ask[int](t, conn, astray); n > 0 {
		t.Errorf("%d lie outside of what they belong to", n)
	}
	seed(t, conn, 1_500, 3)
	if n := ask[int](t, conn, "select count(*) from cases c join tenants t on t.id = c.tenant_id where t.slug like 'muster-%'"); n < 250 {
		t.Errorf("%d of 1,500 cases came in at authorities that were invented", n)
	}
}
