// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/graph/answer"
	"github.com/ozg-cloud/platform/graph/model"
)

func (r mutation) ReplayWebhookDelivery(ctx context.Context, in model.ReplayWebhookDeliveryInput) (*answer.Payload, error) {
	id, err := idOf("WebhookDelivery", in.WebhookDeliveryID, "input", "webhookDeliveryId")
	if err != nil {
		return refused(err)
	}
	if err := r.Partners.Replay(ctx, id); err != nil {
		return refused(err)
	}
	return answer.Done(r.Reading, map[string]uuid.UUID{"WebhookDelivery": id}), nil
}
