// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"

	"github.com/ozg-cloud/platform/reading"
)

func (r query) Offerings(ctx context.Context, _ *int, _ *string, _ *int, _ *string, _ map[string]any) (reading.Value, error) {
	return r.Reading.Page(ctx, "ServiceOffering")
}

func (r query) ResponsibleOffering(ctx context.Context, serviceKey, regionalKey string) (reading.Value, error) {
	id, found, err := r.Intake.Responsible(ctx, serviceKey, regionalKey)
	if err != nil || !found {
		return nil, err
	}
	return r.Reading.One(ctx, "ServiceOffering", "id", id)
}
