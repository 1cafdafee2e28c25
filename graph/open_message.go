// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"

	"github.com/ozg-cloud/platform/graph/answer"
	"github.com/ozg-cloud/platform/graph/model"
)

func (r mutation) OpenMessage(ctx context.Context, in model.OpenMessageInput) (*answer.Payload, error) {
	id, err := idOf("Message", in.MessageID, "input", "messageId")
	if err != nil {
		return refused(err)
	}
	return r.changed(r.Casework.OpenMessage(ctx, id))
}
