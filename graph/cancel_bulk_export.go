// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"

	"github.com/ozg-cloud/platform/graph/answer"
	"github.com/ozg-cloud/platform/graph/model"
)

func (r mutation) CancelBulkExport(ctx context.Context, in model.CancelBulkExportInput) (*answer.Payload, error) {
	return r.onKept(ctx, "BulkOperation", in.BulkOperationID, r.Partners.CancelExport)
}
