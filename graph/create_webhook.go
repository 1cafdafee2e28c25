// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/graph/answer"
	"github.com/ozg-cloud/platform/graph/model"
	"github.com/ozg-cloud/platform/partners"
)

func (r mutation) CreateWebhook(ctx context.Context, in model.CreateWebhookInput) (*answer.Payload, error) {
	tenant, err := idOf("Tenant", in.TenantID, "input", "tenantId")
	if err != nil {
		return refused(err)
	}
	after, err := r.Reading.Position(text(in.After), "input", "after")
	if err != nil {
		return refused(err)
	}
	id, err := r.Partners.CreateWebhook(ctx, partners.Webhook{Tenant: tenant, Name: in.Name, URL: in.URL, Document: in.Document, After: after})
	if err != nil {
		return refused(err)
	}
	return answer.Done(r.Reading, map[string]uuid.UUID{"Webhook": id}), nil
}
