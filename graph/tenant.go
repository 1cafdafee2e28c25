// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"

	"github.com/ozg-cloud/platform/reading"
)

func (r query) Tenant(ctx context.Context, slug string) (reading.Value, error) {
	return r.Reading.One(ctx, "Tenant", "slug", slug)
}

func (r query) Tenants(ctx context.Context, _ *int, _ *string, _ *int, _ *string, _ map[string]any, _ []map[string]any) (reading.Value, error) {
	return r.Reading.Page(ctx, "Tenant")
}
