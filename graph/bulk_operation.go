// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"

	"github.com/ozg-cloud/platform/reading"
)

func (r query) BulkOperations(ctx context.Context, _ *int, _ *string, _ *int, _ *string, _ map[string]any) (reading.Value, error) {
	return r.Reading.Page(ctx, "BulkOperation")
}
