// SPDX-License-Identifier: EUPL-1.2

package casework

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/followup"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/law"
)

// FollowUp brings a case back to the desk on a day (Wiedervorlage), today in Berlin at the earliest.
// dueOn is midnight UTC of the day.
func (d *Desk) FollowUp(ctx context.Context, on On, dueOn time.Time, note string) (Changed, error) {
	if err := problem.InFilledText(note, longestReason, "input", "note"); err != nil {
		return Changed{}, err
	}
	return d.change(ctx, on, "followUp", func(w *work) error {
		w.line.Action = FollowUpAdded
		if err := w.stays(); err != nil {
			return err
		}
		if dueOn.Before(law.Today(w.now)) {
			return problem.New(problem.Invalid, "inThePast", "input", "dueOn")
		}
		w.subject = uuid.Must(uuid.NewV7())
		w.made.FollowUp = w.subject
		err := w.tx.FollowUp.Create().SetID(w.subject).SetTenantID(w.file.TenantID).SetPlace(w.file.Place).SetCaseID(w.file.ID).
			SetDueOn(dueOn).SetNote(note).SetAuthor(w.p.Subject).SetCreatedAt(w.now).Exec(w.ctx)
		if err != nil {
			return fmt.Errorf("casework: writing a follow-up: %w", err)
		}
		return nil
	})
}

// CompleteFollowUp ticks a follow-up of the case off. Doing so twice is a conflict (rule alreadyDone).
func (d *Desk) CompleteFollowUp(ctx context.Context, on On, followUp uuid.UUID) (Changed, error) {
	return d.change(ctx, on, "followUp", func(w *work) error {
		w.line.Action = FollowUpCompleted
		if err := w.stays(); err != nil {
			return err
		}
		f, err := w.tx.FollowUp.Query().Where(followup.ID(followUp), followup.CaseID(w.file.ID)).Only(w.ctx)
		switch {
		case ent.IsNotFound(err):
			return problem.New(problem.Missing, "notFound", "input", "followUpId")
		case err != nil:
			return fmt.Errorf("casework: finding a follow-up: %w", err)
		case f.DoneAt != nil:
			return problem.New(problem.Conflict, "alreadyDone")
		}
		w.subject, w.made.FollowUp = f.ID, f.ID
		_, err = w.tx.FollowUp.Update().Where(followup.ID(f.ID)).SetDoneAt(w.now).Save(w.ctx)
		if err != nil {
			return fmt.Errorf("casework: completing a follow-up: %w", err)
		}
		return nil
	})
}
