// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/casework"
	"github.com/ozg-cloud/platform/graph/answer"
	"github.com/ozg-cloud/platform/graph/model"
)

func (r mutation) AssignCase(ctx context.Context, in model.AssignCaseInput) (*answer.Payload, error) {
	return r.onCase(in.CaseID, func(id uuid.UUID) (casework.Changed, error) {
		var unit *uuid.UUID
		if in.UnitID != nil {
			u, err := idOf("OrganisationalUnit", *in.UnitID, "input", "unitId")
			if err != nil {
				return casework.Changed{}, err
			}
			unit = &u
		}
		return r.Casework.Assign(ctx, casework.On{Case: id, Revision: in.ExpectedRevision}, text(in.Assignee), unit)
	})
}
