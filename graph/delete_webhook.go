// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"

	"github.com/ozg-cloud/platform/graph/answer"
	"github.com/ozg-cloud/platform/graph/model"
)

func (r mutation) DeleteWebhook(ctx context.Context, in model.DeleteWebhookInput) (*answer.Payload, error) {
	id, err := idOf("Webhook", in.WebhookID, "input", "webhookId")
	if err != nil {
		return refused(err)
	}
	if err := r.Partners.DeleteWebhook(ctx, id); err != nil {
		return refused(err)
	}
	return answer.Removed(in.WebhookID), nil
}
