// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"

	"github.com/ozg-cloud/platform/graph/answer"
	"github.com/ozg-cloud/platform/graph/model"
)

func (r mutation) ActivateExtension(ctx context.Context, in model.ActivateExtensionInput) (*answer.Payload, error) {
	return r.onDefinition(ctx, in.ExtensionDefinitionID, in.AcceptBreaking, r.Extension.Activate)
}
