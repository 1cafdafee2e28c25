// SPDX-License-Identifier: EUPL-1.2

package casework

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/assignment"
	"github.com/ozg-cloud/platform/ent/organisationalunit"
	"github.com/ozg-cloud/platform/ent/roleassignment"
	"github.com/ozg-cloud/platform/internal/problem"
)

// Assign gives a case to a caseworker of its authority, who replaces the one before; an empty assignee only ends the present assignment.
// unit hands the case to another unit of the authority that is not retired; nil leaves it where it is.
func (d *Desk) Assign(ctx context.Context, on On, assignee string, unit *uuid.UUID) (Changed, error) {
	if assignee != "" {
		if err := problem.InFilledText(assignee, longestAssignee, "input", "assignee"); err != nil {
			return Changed{}, err
		}
	}
	return d.change(ctx, on, "assign", func(w *work) error {
		w.line.Action = CaseAssigned
		if err := w.stays(); err != nil {
			return err
		}
		if unit != nil {
			if err := w.moveTo(*unit); err != nil {
				return err
			}
		}
		if assignee != "" {
			if err := w.worksHere(assignee); err != nil {
				return err
			}
		}
		_, err := w.tx.Assignment.Update().Where(assignment.CaseID(w.file.ID), assignment.EndedAtIsNil()).SetEndedAt(w.now).Save(w.ctx)
		if err != nil {
			return fmt.Errorf("casework: ending an assignment: %w", err)
		}
		if assignee == "" {
			return nil
		}
		w.subject = uuid.Must(uuid.NewV7())
		err = w.tx.Assignment.Create().SetID(w.subject).SetTenantID(w.file.TenantID).SetPlace(w.file.Place).SetCaseID(w.file.ID).
			SetAssignee(assignee).SetAssignedBy(w.p.Subject).SetAssignedAt(w.now).Exec(w.ctx)
		if err != nil {
			return fmt.Errorf("casework: assigning: %w", err)
		}
		return nil
	})
}

func (w *work) moveTo(unit uuid.UUID) error {
	u, err := w.tx.OrganisationalUnit.Query().Where(organisationalunit.ID(unit), organisationalunit.TenantID(w.file.TenantID)).Only(w.ctx)
	switch {
	case ent.IsNotFound(err), err == nil && u.RetiredAt != nil:
		return problem.New(problem.Invalid, "unitElsewhere", "input", "unitId")
	case err != nil:
		return fmt.Errorf("casework: finding a unit: %w", err)
	}
	w.update.SetUnitID(unit)
	return nil
}

// worksHere refuses an assignee who is no caseworker of the case's authority.
func (w *work) worksHere(subject string) error {
	known, err := w.tx.RoleAssignment.Query().
		Where(roleassignment.Subject(subject), roleassignment.Role("CASEWORKER"), roleassignment.TenantID(w.file.TenantID)).Exist(w.ctx)
	if err != nil {
		return fmt.Errorf("casework: looking for a caseworker: %w", err)
	}
	if !known {
		return problem.New(problem.Invalid, "assigneeUnknown", "input", "assignee")
	}
	return nil
}
