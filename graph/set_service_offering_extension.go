// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/graph/answer"
	"github.com/ozg-cloud/platform/graph/model"
)

func (r mutation) SetServiceOfferingExtension(ctx context.Context, in model.SetServiceOfferingExtensionInput) (*answer.Payload, error) {
	id, err := idOf("ServiceOffering", in.ServiceOfferingID, "input", "serviceOfferingId")
	if err != nil {
		return refused(err)
	}
	if err := r.Values.SetOffering(ctx, id, Added(ctx), in.Extension); err != nil {
		return refused(err)
	}
	return answer.Done(r.Reading, map[string]uuid.UUID{"ServiceOffering": id}), nil
}
