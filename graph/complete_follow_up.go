// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/casework"
	"github.com/ozg-cloud/platform/graph/answer"
	"github.com/ozg-cloud/platform/graph/model"
)

func (r mutation) CompleteFollowUp(ctx context.Context, in model.CompleteFollowUpInput) (*answer.Payload, error) {
	return r.onCase(in.CaseID, func(id uuid.UUID) (casework.Changed, error) {
		followUp, err := idOf("FollowUp", in.FollowUpID, "input", "followUpId")
		if err != nil {
			return casework.Changed{}, err
		}
		return r.Casework.CompleteFollowUp(ctx, casework.On{Case: id, Revision: in.ExpectedRevision}, followUp)
	})
}
