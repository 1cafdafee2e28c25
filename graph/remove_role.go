// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"

	"github.com/ozg-cloud/platform/graph/answer"
	"github.com/ozg-cloud/platform/graph/model"
)

func (r mutation) RemoveRole(ctx context.Context, in model.RemoveRoleInput) (*answer.Payload, error) {
	id, err := idOf("RoleAssignment", in.RoleAssignmentID, "input", "roleAssignmentId")
	if err != nil {
		return refused(err)
	}
	if err := r.Staff.Remove(ctx, id); err != nil {
		return refused(err)
	}
	return answer.Removed(in.RoleAssignmentID), nil
}
