// SPDX-License-Identifier: EUPL-1.2

package partners

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/webhookdelivery"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/once"
)

// Replay lets a delivery be tried once more, out of its turn, as the event is shown then. Only events can be read again (notReplayable); what is still being
// tried needs no replay (alreadyDone).
func (d *Desk) Replay(ctx context.Context, id uuid.UUID) error {
	_, err := once.Change(ctx, d.client, d.at, id, func(p *authz.Principal, tx *ent.Tx) (uuid.UUID, error) {
		found, err := tx.WebhookDelivery.Query().Where(webhookdelivery.ID(id)).ForUpdate().Only(ctx)
		switch {
		case ent.IsNotFound(err):
			return uuid.Nil, missing("webhookDeliveryId")
		case err != nil:
			return uuid.Nil, fmt.Errorf("partners: finding a delivery: %w", err)
		}
		if err := mayKeep(p, "webhook", authz.Place(found.Place)); err != nil {
			return uuid.Nil, err
		}
		switch {
		case found.Frame != webhookdelivery.FrameEVENT:
			return uuid.Nil, problem.New(problem.Conflict, "notReplayable")
		case found.State != webhookdelivery.StateDEAD && found.State != webhookdelivery.StateDELIVERED:
			return uuid.Nil, problem.New(problem.Conflict, "alreadyDone")
		}
		if err := tx.WebhookDelivery.UpdateOneID(id).SetState(webhookdelivery.StateREPLAYING).ClearNextAt().ClearFailure().ClearStatus().ClearDeliveredAt().Exec(ctx); err != nil {
			return uuid.Nil, fmt.Errorf("partners: replaying: %w", err)
		}
		return found.TenantID, nil
	})
	return err
}
