// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/graph/answer"
	"github.com/ozg-cloud/platform/graph/model"
)

func (r mutation) SetServiceExtension(ctx context.Context, in model.SetServiceExtensionInput) (*answer.Payload, error) {
	id, err := idOf("Service", in.ServiceID, "input", "serviceId")
	if err != nil {
		return refused(err)
	}
	if err := r.Values.SetService(ctx, id, Added(ctx), in.Extension); err != nil {
		return refused(err)
	}
	return answer.Done(r.Reading, map[string]uuid.UUID{"Service": id}), nil
}
