// SPDX-License-Identifier: EUPL-1.2

package staff

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/auditentry"
	"github.com/ozg-cloud/platform/ent/roleassignment"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/once"
)

// Remove takes a role away: from the next statement on, nothing is answered by it any more. Who may give a role may take it.
// A second time the assignment is missing.
func (d *Desk) Remove(ctx context.Context, assignment uuid.UUID) error {
	missing := problem.New(problem.Missing, "notFound", "input", "roleAssignmentId")
	_, err := once.Change(ctx, d.client, d.now, assignment, func(p *authz.Principal, tx *ent.Tx) (uuid.UUID, error) {
		held, err := tx.RoleAssignment.Query().Where(roleassignment.ID(assignment)).Only(ctx)
		switch {
		case ent.IsNotFound(err):
			return uuid.Nil, missing
		case err != nil:
			return uuid.Nil, fmt.Errorf("staff: finding a role: %w", err)
		}
		at := authz.Place(held.Place)
		if err := mayAssign(p, held.Subject, authz.Role(held.Role), at); err != nil {
			return uuid.Nil, err
		}
		clerk, err := authz.Clerk(ctx, at)
		if err != nil {
			return uuid.Nil, err
		}
		gone, err := tx.RoleAssignment.Delete().Where(roleassignment.ID(held.ID)).Exec(clerk)
		if err != nil {
			return uuid.Nil, fmt.Errorf("staff: removing a role: %w", err)
		}
		if gone == 0 { // somebody was faster, and has written it down
			return uuid.Nil, missing
		}
		line := d.entry(p, tx, held.TenantID, at, auditentry.ActionROLE_REMOVED, held.Subject).SetRole(held.Role).SetNillableUnitID(held.UnitID)
		if len(held.ServiceIds) > 0 {
			line.SetServiceIds(held.ServiceIds)
		}
		return held.TenantID, written(clerk, line)
	})
	return err
}
