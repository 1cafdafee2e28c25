// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"

	"github.com/ozg-cloud/platform/graph/answer"
	"github.com/ozg-cloud/platform/graph/model"
)

func (r mutation) EraseExtensionValues(ctx context.Context, in model.EraseExtensionValuesInput) (*answer.Payload, error) {
	return r.onDefinition(ctx, in.ExtensionDefinitionID, false, r.Extension.Erase)
}
