// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"

	"github.com/ozg-cloud/platform/graph/answer"
	"github.com/ozg-cloud/platform/graph/model"
)

func (r mutation) ReplyToMessage(ctx context.Context, in model.ReplyToMessageInput) (*answer.Payload, error) {
	id, err := idOf("Message", in.MessageID, "input", "messageId")
	if err != nil {
		return refused(err)
	}
	said, err := said(in.Subject, in.Body, in.UploadIds)
	if err != nil {
		return refused(err)
	}
	return r.changed(r.Casework.Reply(ctx, id, said))
}
