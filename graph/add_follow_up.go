// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/casework"
	"github.com/ozg-cloud/platform/graph/answer"
	"github.com/ozg-cloud/platform/graph/model"
)

func (r mutation) AddFollowUp(ctx context.Context, in model.AddFollowUpInput) (*answer.Payload, error) {
	return r.onCase(in.CaseID, func(id uuid.UUID) (casework.Changed, error) {
		day, err := date(in.DueOn, "input", "dueOn")
		if err != nil {
			return casework.Changed{}, err
		}
		return r.Casework.FollowUp(ctx, casework.On{Case: id, Revision: in.ExpectedRevision}, day, in.Note)
	})
}
