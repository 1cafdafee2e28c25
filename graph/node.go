// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"

	"github.com/ozg-cloud/platform/reading"
)

func (r query) Node(ctx context.Context, id string) (reading.Value, error) {
	return r.Reading.Node(ctx, id)
}

func (r query) Nodes(ctx context.Context, ids []string) ([]reading.Value, error) {
	return r.Reading.Nodes(ctx, ids)
}
