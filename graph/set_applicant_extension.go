// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/casework"
	"github.com/ozg-cloud/platform/graph/answer"
	"github.com/ozg-cloud/platform/graph/model"
)

func (r mutation) SetApplicantExtension(ctx context.Context, in model.SetApplicantExtensionInput) (*answer.Payload, error) {
	return r.onCase(in.CaseID, func(id uuid.UUID) (casework.Changed, error) {
		return r.Casework.SetExtension(ctx, casework.On{Case: id, Revision: in.ExpectedRevision}, casework.Part{Target: "Applicant"}, Added(ctx), in.Extension)
	})
}
