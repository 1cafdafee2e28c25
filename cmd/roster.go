// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/blockedsubject"
	"github.com/ozg-cloud/platform/ent/organisationalunit"
	"github.com/ozg-cloud/platform/ent/roleassignment"
	"github.com/ozg-cloud/platform/ent/store"
	"github.com/ozg-cloud/platform/ent/tenant"
)

// roster answers the doorkeeper's questions out of the store.
type roster struct {
	client *ent.Client
	writes *store.Driver // sees what is committed; a reading pool may look at a copy one day
}

var _ authz.Roster = roster{}

// Version is that of all rights.
func (r roster) Version(ctx context.Context) (int64, error) { return r.writes.Version(ctx) }

// Assignments are a subject's roles, each unit with all units below it.
func (r roster) Assignments(ctx context.Context, subject string) ([]authz.Assignment, error) {
	rows, err := r.client.RoleAssignment.Query().Where(roleassignment.Subject(subject)).WithTenant().Order(roleassignment.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading role assignments: %w", err)
	}
	var tenants []uuid.UUID
	for _, row := range rows {
		if row.UnitID != nil {
			tenants = append(tenants, row.TenantID)
		}
	}
	children, err := r.children(ctx, tenants)
	if err != nil {
		return nil, err
	}
	out := make([]authz.Assignment, 0, len(rows))
	for _, row := range rows {
		a := authz.Assignment{Role: authz.Role(row.Role), Tenant: tenantRef(row.Edges.Tenant), Services: row.ServiceIds}
		if row.UnitID != nil {
			a.Units = below(children, *row.UnitID)
		}
		out = append(out, a)
	}
	return out, nil
}

// children gives the units right below each unit of some tenants.
func (r roster) children(ctx context.Context, tenants []uuid.UUID) (map[uuid.UUID][]uuid.UUID, error) {
	children := map[uuid.UUID][]uuid.UUID{}
	if len(tenants) == 0 {
		return children, nil
	}
	units, err := r.client.OrganisationalUnit.Query().
		Where(organisationalunit.TenantIDIn(tenants...), organisationalunit.ParentIDNotNil()).Order(organisationalunit.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading units: %w", err)
	}
	for _, u := range units {
		children[*u.ParentID] = append(children[*u.ParentID], u.ID)
	}
	return children, nil
}

// below lists a unit and all units below it.
func below(children map[uuid.UUID][]uuid.UUID, top uuid.UUID) []uuid.UUID {
	seen := map[uuid.UUID]bool{top: true}
	out := []uuid.UUID{top}
	for i := 0; i < len(out); i++ {
		for _, c := range children[out[i]] {
			if !seen[c] {
				seen[c] = true
				out = append(out, c)
			}
		}
	}
	return out
}

// Blocked tells whether a subject's tokens are refused.
func (r roster) Blocked(ctx context.Context, subject string) (bool, error) {
	return r.client.BlockedSubject.Query().Where(blockedsubject.Subject(subject)).Exist(ctx)
}

// Tenant finds a tenant by its slug.
func (r roster) Tenant(ctx context.Context, slug string) (authz.TenantRef, error) {
	t, err := r.client.Tenant.Query().Where(tenant.Slug(slug)).Only(ctx)
	if err != nil {
		return authz.TenantRef{}, fmt.Errorf("finding a tenant: %w", err)
	}
	return tenantRef(t), nil
}

func tenantRef(t *ent.Tenant) authz.TenantRef {
	return authz.TenantRef{ID: t.ID, Slug: t.Slug, Kind: authz.TenantKind(t.Kind), Place: authz.Place(t.Place)}
}
