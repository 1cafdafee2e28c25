// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/graph/answer"
	"github.com/ozg-cloud/platform/graph/model"
)

func (r mutation) CancelBulkExport(ctx context.Context, in model.CancelBulkExportInput) (*answer.Payload, error) {
	id, err := idOf("BulkOperation", in.BulkOperationID, "input", "bulkOperationId")
	if err != nil {
		return refused(err)
	}
	if err := r.Partners.CancelExport(ctx, id); err != nil {
		return refused(err)
	}
	return answer.Done(r.Reading, map[string]uuid.UUID{"BulkOperation": id}), nil
}
