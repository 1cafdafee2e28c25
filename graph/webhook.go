// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/graph/answer"
	"github.com/ozg-cloud/platform/reading"
)

func (r query) Webhooks(ctx context.Context, _ *int, _ *string, _ *int, _ *string, _ map[string]any) (reading.Value, error) {
	return r.Reading.Page(ctx, "Webhook")
}

// onKept reads the id of something that is kept for a partner and hands it to the verb, which changes it.
func (r *Resolver) onKept(ctx context.Context, typ, globalID string, verb func(context.Context, uuid.UUID) error) (*answer.Payload, error) {
	id, err := idOf(typ, globalID, "input", strings.ToLower(typ[:1])+typ[1:]+"Id")
	if err != nil {
		return refused(err)
	}
	if err := verb(ctx, id); err != nil {
		return refused(err)
	}
	return answer.Done(r.Reading, map[string]uuid.UUID{typ: id}), nil
}
