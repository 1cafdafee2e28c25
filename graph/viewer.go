// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"
	"strconv"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/graph/generated"
	"github.com/ozg-cloud/platform/graph/model"
	"github.com/ozg-cloud/platform/reading"
)

func (query) Viewer(ctx context.Context) (*model.Viewer, error) {
	p, err := authz.From(ctx)
	if err != nil {
		return nil, err
	}
	v := &model.Viewer{Subject: p.Subject, TrustLevel: model.TrustLevel(p.TrustLevel), Roles: []model.RoleAtTenant{}, RightsVersion: strconv.FormatInt(p.Version, 10)}
	if !p.ExpiresAt.IsZero() {
		v.TokenExpiresAt = &p.ExpiresAt
	}
	for _, a := range p.Assignments {
		v.Roles = append(v.Roles, model.RoleAtTenant{Role: string(a.Role), TenantSlug: a.Tenant.Slug})
	}
	return v, nil
}

func (r query) Limits(context.Context) (*model.Limits, error) {
	l := r.Resolver.Limits
	return &l, nil
}

// RoleAtTenant gives the resolvers of roles.
func (r *Resolver) RoleAtTenant() generated.RoleAtTenantResolver { return roleAtTenant{r} }

type roleAtTenant struct{ *Resolver }

func (r roleAtTenant) Tenant(ctx context.Context, obj *model.RoleAtTenant) (reading.Value, error) {
	return r.Reading.One(ctx, "Tenant", "slug", obj.TenantSlug)
}
