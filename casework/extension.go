// SPDX-License-Identifier: EUPL-1.2

package casework

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/applicant"
	"github.com/ozg-cloud/platform/ent/decision"
	"github.com/ozg-cloud/platform/ent/message"
	"github.com/ozg-cloud/platform/extension"
	"github.com/ozg-cloud/platform/extension/values"
	"github.com/ozg-cloud/platform/internal/problem"
)

// Part is what of a case has extension fields: the case itself (Case), who applies (Applicant), or a Message or a Decision with its id.
type Part struct {
	Target string
	ID     uuid.UUID
}

// SetExtension writes extension fields of a case or of what hangs on it (Balkon), as values.Write does. What hangs on it and is not seen by the caller is
// missing. History and event say that something was written, not what: values may be personal data. Writing what stands there already changes nothing.
func (d *Desk) SetExtension(ctx context.Context, on On, part Part, known extension.Chain, given map[string]any) (Changed, error) {
	return d.change(ctx, on, "extend", func(w *work) error {
		w.line.Action = ExtensionChanged
		if err := w.stays(); err != nil {
			return err
		}
		id, err := w.part(ctx, part)
		if err != nil {
			return err
		}
		row := values.Row{Target: part.Target, ID: id, Tenant: w.file.TenantID, Place: w.file.Place, Case: &w.file.ID}
		changed, err := values.Write(w.ctx, w.tx, row, known, given)
		if err == nil && !changed {
			return errUnchanged
		}
		return err
	})
}

// part finds the part under the rule of ctx, which is the caller's and not the clerk's, and makes it what the verb was about.
func (w *work) part(ctx context.Context, part Part) (id uuid.UUID, err error) {
	at := "caseId"
	switch part.Target {
	case "Case":
		return w.file.ID, nil
	case "Applicant":
		id, err = w.tx.Applicant.Query().Where(applicant.CaseID(w.file.ID)).OnlyID(ctx)
		w.made.Applicant = id
	case "Message":
		at = "messageId"
		id, err = w.tx.Message.Query().Where(message.ID(part.ID), message.CaseID(w.file.ID)).OnlyID(ctx)
		w.made.Message = id
	case "Decision":
		at = "decisionId"
		id, err = w.tx.Decision.Query().Where(decision.ID(part.ID), decision.CaseID(w.file.ID)).OnlyID(ctx)
		w.made.Decision = id
	default:
		return uuid.Nil, fmt.Errorf("casework: a case has no part %s", part.Target)
	}
	switch {
	case ent.IsNotFound(err):
		return uuid.Nil, problem.New(problem.Missing, "notFound", "input", at)
	case err != nil:
		return uuid.Nil, fmt.Errorf("casework: finding what is extended: %w", err)
	}
	return id, nil
}
