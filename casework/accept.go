// SPDX-License-Identifier: EUPL-1.2

package casework

import (
	"context"
	"fmt"

	"github.com/ozg-cloud/platform/ent/service"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/law"
)

// Accept takes a new case (annehmen). When the documents are complete the deadline of its service begins, or the fiction of approval
// (§ 42a VwVfG), whichever ends earlier. fileReference (Aktenzeichen) may be empty.
func (d *Desk) Accept(ctx context.Context, on On, documentsComplete bool, fileReference string) (Changed, error) {
	if fileReference != "" {
		if err := problem.InFilledText(fileReference, longestReference, "input", "fileReference"); err != nil {
			return Changed{}, err
		}
	}
	return d.change(ctx, on, "accept", func(w *work) error {
		w.line.Action = CaseAccepted
		if err := w.goes(Accept, ""); err != nil {
			return err
		}
		if fileReference != "" {
			w.update.SetFileReference(fileReference)
		}
		if !documentsComplete {
			return nil
		}
		asked, err := w.tx.Service.Query().Where(service.ID(w.file.ServiceID)).Only(w.ctx)
		if err != nil {
			return fmt.Errorf("casework: finding a service: %w", err)
		}
		w.update.SetCompleteAt(w.now).SetNillableDueAt(law.Due(w.now, asked.DeadlineDays, asked.FictionOfApproval))
		return nil
	})
}

// Discard puts away a new case that is no application (verwerfen).
func (d *Desk) Discard(ctx context.Context, on On, reason string) (Changed, error) {
	return d.step(ctx, on, Discard, "discard", CaseDiscarded, &reason)
}

// Start begins to work on an accepted case, or goes on with one whose applicant does not answer.
func (d *Desk) Start(ctx context.Context, on On) (Changed, error) {
	return d.step(ctx, on, Start, "start", CaseStarted, nil)
}

// Restore takes back that a case was discarded (wiederherstellen).
func (d *Desk) Restore(ctx context.Context, on On, reason string) (Changed, error) {
	return d.step(ctx, on, Restore, "restore", CaseRestored, &reason)
}
