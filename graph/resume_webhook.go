// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"

	"github.com/ozg-cloud/platform/graph/answer"
	"github.com/ozg-cloud/platform/graph/model"
)

func (r mutation) ResumeWebhook(ctx context.Context, in model.ResumeWebhookInput) (*answer.Payload, error) {
	return r.onKept(ctx, "Webhook", in.WebhookID, r.Partners.Resume)
}
