// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/casework"
	"github.com/ozg-cloud/platform/graph/answer"
	"github.com/ozg-cloud/platform/graph/model"
)

func (r mutation) AskApplicant(ctx context.Context, in model.AskApplicantInput) (*answer.Payload, error) {
	return r.onCase(in.CaseID, func(id uuid.UUID) (casework.Changed, error) {
		said, err := said(in.Subject, in.Body, in.UploadIds)
		if err != nil {
			return casework.Changed{}, err
		}
		return r.Casework.AskApplicant(ctx, casework.On{Case: id, Revision: in.ExpectedRevision}, said)
	})
}
