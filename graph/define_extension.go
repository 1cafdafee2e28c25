// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"

	"github.com/ozg-cloud/platform/extension/desk"
	"github.com/ozg-cloud/platform/graph/answer"
	"github.com/ozg-cloud/platform/graph/model"
)

func (r mutation) DefineExtension(ctx context.Context, in model.DefineExtensionInput) (*answer.Payload, error) {
	tenant, err := idOf("Tenant", in.TenantID, "input", "tenantId")
	if err != nil {
		return r.defined(desk.Outcome{}, err)
	}
	return r.defined(r.Extension.Define(ctx, desk.Text{Tenant: tenant, SDL: in.Sdl, Version: in.ExpectedVersion, Try: in.DryRun}))
}
