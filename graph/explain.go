// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/graph/model"
	"github.com/ozg-cloud/platform/staff"
)

func (r query) ExplainAccess(ctx context.Context, subject, action, id string, object *string) (*model.AccessExplanation, error) {
	thing, ok, err := r.Reading.Locate(ctx, id)
	if err != nil || !ok {
		return nil, err
	}
	if object != nil {
		thing.Object = authz.Object(*object)
	}
	e, ok, err := r.Staff.Explain(ctx, staff.Question{Subject: subject, Object: thing.Object, Action: authz.Action(action), At: thing.Target})
	if err != nil || !ok {
		return nil, err
	}
	out := &model.AccessExplanation{
		Subject: e.Subject, Object: string(e.Object), Action: string(e.Action), Allowed: e.Allowed, Known: e.Known, PolicyVersion: e.Policy,
		Grounds: []model.AccessGround{},
	}
	for _, g := range e.Grounds {
		ground := model.AccessGround{
			Assignment: model.RoleAtTenant{Role: string(g.Assignment.Role), TenantSlug: g.Assignment.Tenant.Slug}, Reason: model.AccessReason(g.Reason),
		}
		if g.Line != "" {
			ground.Line = &g.Line
		}
		out.Grounds = append(out.Grounds, ground)
	}
	return out, nil
}
