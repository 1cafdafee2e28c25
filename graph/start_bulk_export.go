// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/graph/answer"
	"github.com/ozg-cloud/platform/graph/model"
	"github.com/ozg-cloud/platform/partners"
	"github.com/ozg-cloud/platform/reading"
)

func (r mutation) StartBulkExport(ctx context.Context, in model.StartBulkExportInput) (*answer.Payload, error) {
	tenant, err := idOf("Tenant", in.TenantID, "input", "tenantId")
	if err != nil {
		return refused(err)
	}
	purpose := reading.Purpose(graphql.GetOperationContext(ctx).Headers.Get("X-Purpose"))
	id, err := r.Partners.StartExport(ctx, partners.Export{Tenant: tenant, Document: in.Document, Purpose: purpose})
	if err != nil {
		return refused(err)
	}
	return answer.Done(r.Reading, map[string]uuid.UUID{"BulkOperation": id}), nil
}
