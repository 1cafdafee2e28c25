// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/casework"
	"github.com/ozg-cloud/platform/graph/answer"
	"github.com/ozg-cloud/platform/graph/model"
)

func (r mutation) DecideCase(ctx context.Context, in model.DecideCaseInput) (*answer.Payload, error) {
	return r.onCase(in.CaseID, func(id uuid.UUID) (casework.Changed, error) {
		outcome := casework.Outcome{
			Ruling: casework.Ruling(in.Outcome), Reason: text(in.Reason), Channel: casework.Channel(in.Channel),
		}
		if in.DocumentUploadID != nil {
			document, err := upload(*in.DocumentUploadID, "input", "documentUploadId")
			if err != nil {
				return casework.Changed{}, err
			}
			outcome.Document = &document
		}
		return r.Casework.Decide(ctx, casework.On{Case: id, Revision: in.ExpectedRevision}, outcome)
	})
}
