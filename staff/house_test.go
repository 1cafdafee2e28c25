// SPDX-License-Identifier: EUPL-1.2

package staff_test

import (
	"fmt"
	"testing"

	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/internal/housetest"
	"github.com/ozg-cloud/platform/schema"
)

const (
	parking = "99108001001000" // Bewohnerparkausweis
	renewal = "99108001020000"
	kiel    = "010020000000"
)

// office is a house with the ids that the tests name things by.
type office struct {
	*housetest.House
}

func open(t *testing.T) office {
	t.Helper()
	return office{housetest.New(t)}
}

// tenant gives the id of a tenant.
func (o office) tenant(slug string) string {
	o.Helper()
	id := o.As("sh-admin").Ask(`query($slug: String!) { tenant(slug: $slug) { id } }`, map[string]any{"slug": slug}).Works().Text("tenant.id")
	if id == "" {
		o.Fatalf("there is no tenant %s", slug)
	}
	return id
}

// service gives the id of a service.
func (o office) service(key string) string {
	o.Helper()
	return o.As("sh-admin").Ask(`query($key: LeikaKey!) { service(leikaKey: $key) { id } }`, map[string]any{"key": key}).Works().Text("service.id")
}

// unit gives the id of a unit of Kiel or Lübeck.
func (o office) unit(tenant, number string) string {
	o.Helper()
	var id [16]byte
	err := o.Database().QueryRow(o.Context(), `select u.id from organisational_units u join tenants t on t.id = u.tenant_id where t.slug = $1 and u.external_id = $2`, tenant, number).Scan(&id)
	if err != nil {
		o.Fatal(err)
	}
	return globalID("OrganisationalUnit", id)
}

// give is the input of assignRole.
func (o office) give(subject, role, tenant string) map[string]any {
	o.Helper()
	return map[string]any{"tenantId": o.tenant(tenant), "subject": "user:dev:" + subject, "role": role}
}

const (
	assign = `mutation($in: AssignRoleInput!) { assignRole(input: $in) { roleAssignment { id role subject assignedBy tenant { slug } unit { name } serviceIds }
		problems { __typename ... on Problem { code type title } ... on ForbiddenProblem { action object } ... on ValidationProblem { path } ... on NotFoundProblem { path } } } }`
	remove = `mutation($in: RemoveRoleInput!) { removeRole(input: $in) { removedId problems { __typename ... on Problem { code type title } ... on NotFoundProblem { path } } } }`
)

func (o office) assign(by *housetest.Caller, in map[string]any) housetest.Answer {
	o.Helper()
	return by.Ask(assign, map[string]any{"in": in})
}

func (o office) remove(by *housetest.Caller, id string) housetest.Answer {
	o.Helper()
	return by.Ask(remove, map[string]any{"in": map[string]any{"roleAssignmentId": id}})
}

// gives fails the test unless the role is given, and gives the id of the assignment.
func (o office) gives(by *housetest.Caller, in map[string]any) string {
	o.Helper()
	a := o.assign(by, in).Works()
	id := a.Text("assignRole.roleAssignment.id")
	if id == "" || a.Rule() != "" {
		o.Fatalf("%s cannot give %v: %s", by.Name, in["role"], a.Raw)
	}
	return id
}

// takes fails the test unless the role is taken away.
func (o office) takes(by *housetest.Caller, id string) {
	o.Helper()
	if a := o.remove(by, id).Works(); a.Text("removeRole.removedId") != id {
		o.Fatalf("%s cannot take the role: %s", by.Name, a.Raw)
	}
}

// held tells the roles in the store, as role, subject and tenant.
func (o office) held(where string, args ...any) map[string]bool {
	o.Helper()
	rows, err := o.Database().Query(o.Context(), `select a.role, a.subject, t.slug from role_assignments a join tenants t on t.id = a.tenant_id where `+where, args...)
	if err != nil {
		o.Fatal(err)
	}
	defer rows.Close()
	out := map[string]bool{}
	for rows.Next() {
		var role, subject, slug string
		if err := rows.Scan(&role, &subject, &slug); err != nil {
			o.Fatal(err)
		}
		out[fmt.Sprintf("%s %s %s", role, subject, slug)] = true
	}
	return out
}

func globalID(typ string, id [16]byte) string { return schema.ID(catalog.Types[typ].Number, id) }
