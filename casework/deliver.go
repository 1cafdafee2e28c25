// SPDX-License-Identifier: EUPL-1.2

package casework

import (
	"context"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/announcement"
	"github.com/ozg-cloud/platform/ent/applicant"
	"github.com/ozg-cloud/platform/ent/attachment"
	"github.com/ozg-cloud/platform/ent/message"
)

// Letter is a message that waits to be carried to the mailbox that its applicant has elsewhere.
type Letter struct {
	Message, Case               uuid.UUID
	MailboxKind, MailboxAddress string
	Subject, Body               string
	ReplyPolicy                 message.ReplyPolicy
	TrustLevel                  authz.TrustLevel // readable only with at least this level
	SentAt                      time.Time
	Attachments                 []Piece // in the order in which they were attached
}

// Letters gives up to most messages that wait for a mailbox of a kind, oldest first, those behind another one; behind the zero Letter
// come all. A message that carries malware stays where it is. Only the relay may ask (authz.Relay); everybody else is told that there is nothing.
func (d *Desk) Letters(ctx context.Context, kind string, after Letter, most int) ([]Letter, error) {
	p, err := authz.From(ctx)
	if err != nil {
		return nil, err
	}
	if !p.MayAnywhere("case", deliver) {
		return nil, nil
	}
	waiting, err := d.client.Message.Query().
		Where(
			message.DeliveryStateEQ(message.DeliveryStatePENDING),
			message.SentAtGTE(after.SentAt), // where the index begins
			message.Or(message.SentAtGT(after.SentAt), message.IDGT(after.Message)),
			bound(kind), harmless,
		).
		Order(message.BySentAt(), message.ByID()).Limit(most).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("casework: finding letters: %w", err)
	}
	letters := make([]Letter, 0, len(waiting))
	for _, m := range waiting {
		l, err := d.letter(ctx, m)
		switch {
		case ent.IsNotFound(err): // erased in the meantime
		case err != nil:
			return nil, fmt.Errorf("casework: writing out a letter: %w", err)
		default:
			letters = append(letters, l)
		}
	}
	return letters, nil
}

// deliver is the right to carry messages to mailboxes. No role has it.
const deliver authz.Action = "deliver"

// bound finds messages whose applicant has a mailbox of a kind. ent would ask by the case alone, which no index serves.
func bound(kind string) func(*sql.Selector) {
	return func(s *sql.Selector) {
		a := sql.Table(applicant.Table).As("a")
		s.Where(sql.Exists(sql.Select(a.C(applicant.FieldID)).From(a).Where(sql.And(
			sql.ColumnsEQ(a.C(applicant.FieldTenantID), s.C(message.FieldTenantID)),
			sql.ColumnsEQ(a.C(applicant.FieldCaseID), s.C(message.FieldCaseID)),
			sql.EQ(a.C(applicant.FieldMailboxKind), kind),
			sql.NotNull(a.C(applicant.FieldMailboxAddress)),
		))))
	}
}

// harmless finds messages without malware.
func harmless(s *sql.Selector) {
	a := sql.Table(attachment.Table).As("b")
	s.Where(sql.Not(sql.Exists(sql.Select(a.C(attachment.FieldID)).From(a).Where(sql.And(
		sql.ColumnsEQ(a.C(attachment.FieldMessageID), s.C(message.FieldID)),
		sql.EQ(a.C(attachment.FieldScanState), attachment.ScanStateINFECTED),
	)))))
}

// letter adds to a message what the mailbox has to know. The relay sees messages everywhere; whom they go to and what hangs on them
// is read by a clerk at the place of the case.
func (d *Desk) letter(ctx context.Context, m *ent.Message) (Letter, error) {
	ctx, err := authz.Clerk(ctx, authz.Place(m.Place))
	if err != nil {
		return Letter{}, err
	}
	to, err := d.client.Applicant.Query().Where(
		applicant.TenantID(m.TenantID), applicant.CaseID(m.CaseID), applicant.MailboxKindNotNil(), applicant.MailboxAddressNotNil(),
	).Only(ctx)
	if err != nil {
		return Letter{}, err
	}
	hanging, err := d.client.Attachment.Query().Where(attachment.MessageID(m.ID)).Order(attachment.ByCreatedAt(), attachment.ByID()).All(ctx)
	if err != nil {
		return Letter{}, err
	}
	l := Letter{
		Message: m.ID, Case: m.CaseID, MailboxKind: *to.MailboxKind, MailboxAddress: *to.MailboxAddress, Subject: m.Subject, Body: m.Body,
		ReplyPolicy: m.ReplyPolicy, TrustLevel: authz.TrustLevel(m.TrustLevel), SentAt: m.SentAt,
	}
	for _, a := range hanging {
		l.Attachments = append(l.Attachments, Piece{a.Name, a.MediaType, a.Sha256, a.Size, a.Purpose})
	}
	return l, nil
}

// Provided records that a mailbox elsewhere has made a message available for retrieval and has notified the applicant of it, and when.
// A decision that the message carries thereby gets the day of its announcement. What the mailbox says happened; so a closed case
// takes it too, and so does a message that was thought to be refused. A second time changes nothing, nor does it when the message
// never waited for a mailbox.
func (d *Desk) Provided(ctx context.Context, id uuid.UUID, providedAt, notifiedAt time.Time) error {
	providedAt, notifiedAt = stored(providedAt), stored(notifiedAt)
	_, err := d.changeByMessage(ctx, id, deliver, func(w *work, m *ent.Message) error {
		w.line.Action = MessageProvided
		w.subject, w.made.Message = m.ID, m.ID
		if m.DeliveryState != message.DeliveryStatePENDING && m.DeliveryState != message.DeliveryStateFAILED {
			return errUnchanged
		}
		_, err := w.tx.Message.Update().Where(message.ID(m.ID)).
			SetDeliveryState(message.DeliveryStatePROVIDED).SetProvidedAt(providedAt).Save(w.ctx)
		if err != nil {
			return fmt.Errorf("casework: recording that a message was provided: %w", err)
		}
		return w.announceAgain(m.ID, func(a *ent.Announcement) {
			// Through another channel it is announced by that, and the message only says so (see carry).
			if a.Channel == announcement.ChannelPORTAL {
				a.ProvidedAt, a.NotifiedAt = &providedAt, &notifiedAt
			}
		})
	})
	return err
}

// Refused records that a mailbox elsewhere will never take a message. A second time changes nothing, nor does it when the message
// has been provided after all.
func (d *Desk) Refused(ctx context.Context, id uuid.UUID) error {
	_, err := d.changeByMessage(ctx, id, deliver, func(w *work, m *ent.Message) error {
		w.line.Action = MessageRefused
		w.subject, w.made.Message = m.ID, m.ID
		if m.DeliveryState != message.DeliveryStatePENDING {
			return errUnchanged
		}
		if _, err := w.tx.Message.Update().Where(message.ID(m.ID)).SetDeliveryState(message.DeliveryStateFAILED).Save(w.ctx); err != nil {
			return fmt.Errorf("casework: recording that a message was refused: %w", err)
		}
		return nil
	})
	return err
}

// stored is an instant as the database keeps it.
func stored(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
