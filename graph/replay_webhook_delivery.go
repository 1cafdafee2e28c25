// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"

	"github.com/ozg-cloud/platform/graph/answer"
	"github.com/ozg-cloud/platform/graph/model"
)

func (r mutation) ReplayWebhookDelivery(ctx context.Context, in model.ReplayWebhookDeliveryInput) (*answer.Payload, error) {
	return r.onKept(ctx, "WebhookDelivery", in.WebhookDeliveryID, r.Partners.Replay)
}
