// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/graph/answer"
	"github.com/ozg-cloud/platform/graph/model"
)

func (r mutation) PauseWebhook(ctx context.Context, in model.PauseWebhookInput) (*answer.Payload, error) {
	id, err := idOf("Webhook", in.WebhookID, "input", "webhookId")
	if err != nil {
		return refused(err)
	}
	if err := r.Partners.Pause(ctx, id); err != nil {
		return refused(err)
	}
	return answer.Done(r.Reading, map[string]uuid.UUID{"Webhook": id}), nil
}
