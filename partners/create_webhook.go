// SPDX-License-Identifier: EUPL-1.2

package partners

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/webhook"
	"github.com/ozg-cloud/platform/events"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/once"
)

// Webhook is what is asked for.
type Webhook struct {
	Tenant              uuid.UUID
	Name, URL, Document string
	After               *events.Position // nil: from now on
}

const (
	longestName = 200
	// mostWebhooks is how many webhooks somebody may have.
	mostWebhooks = 50
)

// CreateWebhook makes a webhook that works under the rights that ctx's principal has at each moment, and tells its id. Refused are addresses that are none
// or lead inside (badAddress, closedAddress), documents that no webhook can be made of (unfitDocument, typeNameNeeded) or that the caller could not ask,
// and one more than 50 (tooMany).
func (d *Desk) CreateWebhook(ctx context.Context, w Webhook) (uuid.UUID, error) {
	if err := problem.InFilledText(w.Name, longestName, "input", "name"); err != nil {
		return uuid.Nil, err
	}
	if err := problem.InFilledText(w.Document, longestDocument, "input", "document"); err != nil {
		return uuid.Nil, err
	}
	host, err := d.outside.address(w.URL)
	if err != nil {
		return uuid.Nil, err
	}
	if err := subscribes(w.Document); err != nil {
		return uuid.Nil, err
	}
	played, err := live(w.Document)
	if err != nil {
		return uuid.Nil, err
	}
	if err := d.engine.Fits(ctx, played, w.Document); err != nil {
		return uuid.Nil, ofDocument(err)
	}
	from := w.After
	if from == nil {
		now, err := d.now(ctx)
		if err != nil {
			return uuid.Nil, err
		}
		from = &now
	}
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.Nil, fmt.Errorf("partners: making an id: %w", err)
	}
	return once.Change(ctx, d.client, d.at, id, func(p *authz.Principal, tx *ent.Tx) (uuid.UUID, error) {
		at, err := placeOf(ctx, p, tx, w.Tenant, "webhook")
		if err != nil {
			return uuid.Nil, err
		}
		have, err := tx.Webhook.Query().Where(webhook.Subject(p.Subject)).Count(ctx)
		if err != nil {
			return uuid.Nil, fmt.Errorf("partners: counting webhooks: %w", err)
		}
		if have >= mostWebhooks {
			return uuid.Nil, problem.New(problem.Conflict, "tooMany", "input")
		}
		err = tx.Webhook.Create().SetID(id).SetTenantID(w.Tenant).SetPlace(int64(at)).SetSubject(p.Subject).SetTrustLevel(string(p.TrustLevel)).
			SetName(w.Name).SetURL(w.URL).SetHost(host).SetDocument(w.Document).SetMarkXid(int64(from.XID)).SetMarkSeq(from.Seq).SetCreatedAt(d.at()).Exec(ctx) //nolint:gosec // 48 bits
		if err != nil {
			return uuid.Nil, fmt.Errorf("partners: making a webhook: %w", err)
		}
		return w.Tenant, nil
	})
}

// ofDocument says of a problem with a document where in the input it stands.
func ofDocument(err error) error {
	p, ok := problem.Of(err)
	if !ok || p.Kind != problem.Invalid {
		return err
	}
	return problem.New(problem.Invalid, p.Rule, "input", "document")
}
