// SPDX-License-Identifier: EUPL-1.2

package casework

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/internal/problem"
)

// Comment leaves a note for colleagues (Kommentar). It never reaches the applicant.
func (d *Desk) Comment(ctx context.Context, on On, body string) (Changed, error) {
	if err := problem.InFilledText(body, longestComment, "input", "body"); err != nil {
		return Changed{}, err
	}
	return d.change(ctx, on, "comment", func(w *work) error {
		w.line.Action = CommentAdded
		if err := w.stays(); err != nil {
			return err
		}
		w.subject = uuid.Must(uuid.NewV7())
		w.made.Comment = w.subject
		err := w.tx.Comment.Create().SetID(w.subject).SetTenantID(w.file.TenantID).SetPlace(w.file.Place).SetCaseID(w.file.ID).
			SetBody(body).SetAuthor(w.p.Subject).SetCreatedAt(w.now).Exec(w.ctx)
		if err != nil {
			return fmt.Errorf("casework: writing a comment: %w", err)
		}
		return nil
	})
}
