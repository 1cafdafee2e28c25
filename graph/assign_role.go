// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/graph/answer"
	"github.com/ozg-cloud/platform/graph/model"
	"github.com/ozg-cloud/platform/staff"
)

func (r mutation) AssignRole(ctx context.Context, in model.AssignRoleInput) (*answer.Payload, error) {
	role := staff.Role{Subject: in.Subject, Role: authz.Role(in.Role)}
	var err error
	if role.Tenant, err = idOf("Tenant", in.TenantID, "input", "tenantId"); err != nil {
		return refused(err)
	}
	if in.UnitID != nil {
		unit, err := idOf("OrganisationalUnit", *in.UnitID, "input", "unitId")
		if err != nil {
			return refused(err)
		}
		role.Unit = &unit
	}
	for _, text := range in.ServiceIds {
		id, err := idOf("Service", text, "input", "serviceIds")
		if err != nil {
			return refused(err)
		}
		role.Services = append(role.Services, id)
	}
	made, err := r.Staff.Assign(ctx, role)
	if err != nil {
		return refused(err)
	}
	return answer.Done(r.Reading, map[string]uuid.UUID{"RoleAssignment": made}), nil
}
