// SPDX-License-Identifier: EUPL-1.2

package partners

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/webhook"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/once"
)

// Pause lets a webhook rest. What is under way is given up within a quarter of a lease. One that does not work is a conflict (alreadyDone).
func (d *Desk) Pause(ctx context.Context, id uuid.UUID) error {
	return d.onWebhook(ctx, id, func(tx *ent.Tx, w *ent.Webhook) error {
		if w.State != webhook.StateACTIVE {
			return problem.New(problem.Conflict, "alreadyDone")
		}
		return tx.Webhook.UpdateOneID(id).SetState(webhook.StatePAUSED).ClearLease().ClearLeasedUntil().Exec(ctx)
	})
}

// Resume lets a webhook go on from its place in the log, at once, whatever it was waiting for. One that works is a conflict (alreadyDone).
// What stopped it may stop it again.
func (d *Desk) Resume(ctx context.Context, id uuid.UUID) error {
	return d.onWebhook(ctx, id, func(tx *ent.Tx, w *ent.Webhook) error {
		if w.State == webhook.StateACTIVE {
			return problem.New(problem.Conflict, "alreadyDone")
		}
		return tx.Webhook.UpdateOneID(id).SetState(webhook.StateACTIVE).ClearStoppedBecause().SetDeadInRow(0).ClearNextAt().ClearLease().ClearLeasedUntil().Exec(ctx)
	})
}

// DeleteWebhook deletes a webhook with its deliveries. A second time it is missing.
func (d *Desk) DeleteWebhook(ctx context.Context, id uuid.UUID) error {
	return d.onWebhook(ctx, id, func(tx *ent.Tx, _ *ent.Webhook) error { return tx.Webhook.DeleteOneID(id).Exec(ctx) })
}

// onWebhook finds a webhook that the caller sees, locks it, asks whether the caller may change it, and changes it.
func (d *Desk) onWebhook(ctx context.Context, id uuid.UUID, change func(tx *ent.Tx, w *ent.Webhook) error) error {
	_, err := once.Change(ctx, d.client, d.at, id, func(p *authz.Principal, tx *ent.Tx) (uuid.UUID, error) {
		w, err := tx.Webhook.Query().Where(webhook.ID(id)).ForUpdate().Only(ctx)
		switch {
		case ent.IsNotFound(err):
			return uuid.Nil, missing("webhookId")
		case err != nil:
			return uuid.Nil, fmt.Errorf("partners: finding a webhook: %w", err)
		}
		if err := mayKeep(p, "webhook", authz.Place(w.Place)); err != nil {
			return uuid.Nil, err
		}
		if err := change(tx, w); err != nil {
			return uuid.Nil, changing(err)
		}
		return w.TenantID, nil
	})
	return err
}

// changing wraps what is no problem.
func changing(err error) error {
	if _, ok := problem.Of(err); ok {
		return err
	}
	return fmt.Errorf("partners: changing: %w", err)
}
