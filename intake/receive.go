// SPDX-License-Identifier: EUPL-1.2

package intake

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/casework"
	"github.com/ozg-cloud/platform/content"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/applicant"
	"github.com/ozg-cloud/platform/ent/attachment"
	"github.com/ozg-cloud/platform/ent/schema"
	"github.com/ozg-cloud/platform/ent/store"
	"github.com/ozg-cloud/platform/ent/submission"
)

// arrival is an application that was checked, with what is known of how it came in.
type arrival struct {
	Application
	by      *authz.Principal // the source: an applicant, or a form server
	channel submission.Channel
	trust   authz.TrustLevel // of the applicant
	owner   string           // subject of the applicant where one can sign in here, else empty
	hash    string           // over everything delivered

	representation *content.Staged // the form in readable shape; nil at the portal
	enclosures     []*content.Staged

	servicePath, regionPath []string // where the input names service and region
}

// receipt is what the source is told.
type receipt struct {
	caseID uuid.UUID
	number string
	again  bool // it was told the same before
}

// attempts is how often an application is tried to be opened: a clash of case numbers is rare, two in a row are next to impossible.
const attempts = 4

// receive is the one way down for both doors. After an error nothing is stored in the database, and nothing in the blob store unless the
// database failed or another delivery of the same transaction was faster; the sweeper then takes what nobody refers to.
func (d *Desk) receive(ctx context.Context, a *arrival) (receipt, error) {
	if r, err := d.look(ctx, a); err != nil || r.again {
		return r, err
	}
	to, err := d.address(ctx, a)
	if err != nil {
		return receipt{}, err
	}
	// Not inside the transaction: whoever reads the log of events waits for the oldest one, and a blob store may be far away.
	if err := a.keep(ctx); err != nil {
		return receipt{}, err
	}
	for range attempts {
		var r receipt
		if r, err = d.open(ctx, a, to); err == nil {
			return r, nil
		}
		if !store.Violates(err, "idempotency_keys_subject_key_key") && !store.Violates(err, "cases_tenant_id_number_key") {
			return receipt{}, err
		}
		if r, err := d.look(ctx, a); err != nil || r.again {
			return r, err
		}
	}
	return receipt{}, fmt.Errorf("intake: opening a case %d times: %w", attempts, err)
}

func (a *arrival) keep(ctx context.Context) error {
	if a.representation == nil {
		return nil
	}
	if err := a.representation.Keep(ctx); err != nil {
		return fmt.Errorf("intake: keeping a representation: %w", err)
	}
	for _, e := range a.enclosures {
		if err := e.Keep(ctx); err != nil {
			return fmt.Errorf("intake: keeping an enclosure: %w", err)
		}
	}
	return nil
}

// open stores everything that an application becomes, in one transaction. Its statements travel together, so that a clash shows late.
func (d *Desk) open(ctx context.Context, a *arrival, to address) (receipt, error) {
	ctx, err := authz.Clerk(ctx, to.tenant.Place)
	if err != nil {
		return receipt{}, err
	}
	tx, err := d.client.Tx(ctx)
	if err != nil {
		return receipt{}, fmt.Errorf("intake: beginning: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	now := d.now()
	id, err := d.cases.Open(ctx, tx, casework.Opening{
		Tenant: to.tenant, Service: to.service, Unit: to.unit, Channel: string(a.channel), TrustLevel: a.trust, Owner: a.owner, ReceivedAt: now,
	})
	if err != nil {
		return receipt{}, err
	}
	// Before anything that is waited for: whoever comes second waits here, and takes no uploads.
	if err := enter(ctx, tx, a, to.tenant.ID, id, now); err != nil {
		return receipt{}, err
	}
	if err := d.hang(ctx, tx, a, to, id, now); err != nil {
		return receipt{}, err
	}
	if err := tx.Commit(); err != nil {
		return receipt{}, fmt.Errorf("intake: storing: %w", err)
	}
	return receipt{caseID: id, number: casework.Number(id, now)}, nil
}

// hang writes what hangs on the new case.
func (d *Desk) hang(ctx context.Context, tx *ent.Tx, a *arrival, to address, caseID uuid.UUID, now time.Time) error {
	pieces, err := d.pieces(ctx, tx, a)
	if err != nil {
		return err
	}
	place, submitted := int64(to.tenant.Place), uuid.Must(uuid.NewV7())
	form := a.Form
	if form == nil {
		form = []schema.FormItem{}
	}
	err = tx.Submission.Create().SetID(submitted).SetTenantID(to.tenant.ID).SetPlace(place).SetCaseID(caseID).
		SetSource(a.by.Subject).SetNillableConnectorID(to.connector).SetChannel(a.channel).SetTransactionID(a.TransactionID).
		SetPayloadHash(a.hash).SetFormData(form).SetReceivedAt(now).Exec(ctx)
	if err != nil {
		return fmt.Errorf("intake: writing a submission: %w", err)
	}
	applies := uuid.Must(uuid.NewV7())
	err = tx.Applicant.Create().SetID(applies).SetTenantID(to.tenant.ID).SetPlace(place).SetCaseID(caseID).
		SetKind(applicant.Kind(a.Applicant.Kind)).SetName(a.Applicant.Name).SetNillablePostalAddress(known(a.Applicant.PostalAddress)).
		SetNillableMailboxKind(known(a.Applicant.MailboxKind)).SetNillableMailboxAddress(known(a.Applicant.MailboxAddress)).
		SetTrustLevel(applicant.TrustLevel(a.trust)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("intake: writing an applicant: %w", err)
	}
	if err := d.fill(ctx, tx, a.Form, to, caseID, applies); err != nil {
		return err
	}
	_, err = d.cases.Attach(ctx, tx, casework.Hanging{Tenant: to.tenant.ID, Place: place, Case: caseID, Submission: &submitted}, pieces)
	return err
}

func (d *Desk) pieces(ctx context.Context, tx *ent.Tx, a *arrival) ([]casework.Piece, error) {
	if a.representation == nil {
		return d.cases.TakeUploads(ctx, tx, a.Uploads, attachment.PurposeENCLOSURE, "input", "uploadIds")
	}
	out := []casework.Piece{piece(a.representation, attachment.PurposeREPRESENTATION)}
	for _, e := range a.enclosures {
		out = append(out, piece(e, attachment.PurposeENCLOSURE))
	}
	return out, nil
}

func piece(s *content.Staged, purpose attachment.Purpose) casework.Piece {
	return casework.Piece{Name: s.Name, MediaType: s.MediaType, SHA256: s.SHA256, Size: s.Size, Purpose: purpose}
}

// known is nil for what is empty.
func known(value string) *string {
	if value == "" {
		return nil
	}
	return &value
}
