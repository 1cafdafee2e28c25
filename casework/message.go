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
	"github.com/ozg-cloud/platform/ent/applicant"
	"github.com/ozg-cloud/platform/ent/attachment"
	"github.com/ozg-cloud/platform/ent/casefile"
	"github.com/ozg-cloud/platform/ent/message"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/once"
)

// ReplyPolicy says whether a message can be answered, as in the contract's enum ReplyPolicy.
type ReplyPolicy string

// The reply policies.
const (
	ReplyPossible  ReplyPolicy = "POSSIBLE"
	ReplyMandatory ReplyPolicy = "MANDATORY"
	ReplyForbidden ReplyPolicy = "FORBIDDEN"
)

// Text is what a message says.
type Text struct {
	Subject, Body string
	Uploads       []uuid.UUID // of the sender, in order
}

func (t Text) check() error {
	if err := problem.InFilledText(t.Subject, longestSubject, "input", "subject"); err != nil {
		return err
	}
	return problem.InFilledText(t.Body, longestBody, "input", "body")
}

// AskApplicant asks the applicant something that has to be answered (Rückfrage); the case waits until then.
// An applicant without a mailbox cannot be asked here (rule noMailbox).
func (d *Desk) AskApplicant(ctx context.Context, on On, t Text) (Changed, error) {
	if err := t.check(); err != nil {
		return Changed{}, err
	}
	return d.change(ctx, on, "askApplicant", func(w *work) error {
		w.line.Action = ApplicantAsked
		if err := w.goes(AskApplicant, ""); err != nil {
			return err
		}
		return d.send(w, t, ReplyMandatory)
	}, withMailbox)
}

// Send sends a message to the applicant; the state of the case stays.
func (d *Desk) Send(ctx context.Context, on On, t Text, policy ReplyPolicy) (Changed, error) {
	if err := t.check(); err != nil {
		return Changed{}, err
	}
	return d.change(ctx, on, "send", func(w *work) error {
		w.line.Action = MessageSent
		if err := w.stays(); err != nil {
			return err
		}
		return d.send(w, t, policy)
	}, withMailbox)
}

func (d *Desk) send(w *work, t Text, policy ReplyPolicy) error {
	state, provided, err := w.mailbox()
	if err != nil {
		return err
	}
	pieces, err := d.TakeUploads(w.ctx, w.tx, t.Uploads, attachment.PurposeENCLOSURE, "input", "uploadIds")
	if err != nil {
		return err
	}
	if err := w.write(t, policy, state, provided); err != nil {
		return err
	}
	_, err = d.Attach(w.ctx, w.tx, w.hanging(), pieces)
	return err
}

// reachable is what withMailbox calls its answer.
const reachable = "reachable"

// withMailbox looks up with a case whether its applicant has a mailbox elsewhere: for verbs that write to the applicant. That was said with the application
// and never changes, so it does not matter that the case is locked only afterwards.
func withMailbox(s *sql.Selector) {
	a := sql.Table(applicant.Table)
	s.AppendSelectExprAs(sql.Exists(sql.Select(a.C(applicant.FieldID)).From(a).Where(sql.And(
		sql.ColumnsEQ(a.C(applicant.FieldTenantID), s.C(casefile.FieldTenantID)),
		sql.ColumnsEQ(a.C(applicant.FieldCaseID), s.C(casefile.FieldID)),
		sql.NotNull(a.C(applicant.FieldMailboxKind)), sql.NotNull(a.C(applicant.FieldMailboxAddress)),
	))), reachable)
}

// mailbox says how a message reaches the applicant, of a case that was looked up withMailbox. Who can sign in here has the mailbox in this house: the message is
// there as soon as the transaction is stored. Everybody else has it elsewhere, and the relay carries it there.
func (w *work) mailbox() (message.DeliveryState, *time.Time, error) {
	if w.file.Owner != nil {
		return message.DeliveryStatePROVIDED, &w.now, nil
	}
	known, err := w.file.Value(reachable)
	if err != nil {
		return "", nil, fmt.Errorf("casework: looking for a mailbox: %w", err)
	}
	if known != true {
		return "", nil, problem.New(problem.Conflict, "noMailbox")
	}
	return message.DeliveryStatePENDING, nil, nil
}

// write writes a message to the applicant and makes it what the change is about.
func (w *work) write(t Text, policy ReplyPolicy, state message.DeliveryState, provided *time.Time) error {
	w.subject = uuid.Must(uuid.NewV7())
	w.made.Message = w.subject
	err := w.tx.Message.Create().SetID(w.subject).SetTenantID(w.file.TenantID).SetPlace(w.file.Place).SetCaseID(w.file.ID).
		SetDirection(message.DirectionTO_APPLICANT).SetSubject(t.Subject).SetBody(t.Body).SetReplyPolicy(message.ReplyPolicy(policy)).
		SetTrustLevel(message.TrustLevel(w.file.TrustLevel)).SetAuthor(w.p.Subject).
		SetSentAt(w.now).SetNillableProvidedAt(provided).SetDeliveryState(state).Exec(w.ctx)
	if err != nil {
		return fmt.Errorf("casework: writing a message: %w", err)
	}
	return nil
}

func (w *work) hanging() Hanging {
	at := Hanging{Tenant: w.file.TenantID, Place: w.file.Place, Case: w.file.ID}
	if w.made.Message != uuid.Nil {
		at.Message = &w.made.Message
	}
	return at
}

// Reply answers a message of the authority, as the applicant. A case that waits for the applicant goes on.
func (d *Desk) Reply(ctx context.Context, to uuid.UUID, t Text) (Changed, error) {
	if err := t.check(); err != nil {
		return Changed{}, err
	}
	return d.changeByMessage(ctx, to, "reply", func(w *work, m *ent.Message) error {
		w.line.Action = MessageReceived
		if err := w.stays(); err != nil {
			return err
		}
		if m.Direction != message.DirectionTO_APPLICANT || ReplyPolicy(m.ReplyPolicy) == ReplyForbidden {
			return problem.New(problem.Conflict, "replyForbidden")
		}
		if State(w.file.State) == WaitingForApplicant {
			if err := w.goes(ApplicantReplied, ""); err != nil {
				return err
			}
		}
		pieces, err := d.TakeUploads(w.ctx, w.tx, t.Uploads, attachment.PurposeENCLOSURE, "input", "uploadIds")
		if err != nil {
			return err
		}
		w.subject = uuid.Must(uuid.NewV7())
		w.made.Message = w.subject
		err = w.tx.Message.Create().SetID(w.subject).SetTenantID(w.file.TenantID).SetPlace(w.file.Place).SetCaseID(w.file.ID).
			SetDirection(message.DirectionFROM_APPLICANT).SetSubject(t.Subject).SetBody(t.Body).
			SetReplyPolicy(message.ReplyPolicy(ReplyForbidden)). // the authority answers by a message of its own
			SetInReplyToID(m.ID).SetTrustLevel(message.TrustLevel(w.file.TrustLevel)).SetAuthor(w.p.Subject).
			SetSentAt(w.now).SetProvidedAt(w.now).SetDeliveryState(message.DeliveryStatePROVIDED).Exec(w.ctx)
		if err != nil {
			return fmt.Errorf("casework: writing an answer: %w", err)
		}
		_, err = d.Attach(w.ctx, w.tx, w.hanging(), pieces)
		return err
	})
}

// OpenMessage records that the applicant has retrieved a message. The first time counts; a repetition changes nothing, nor does opening
// one's own message.
func (d *Desk) OpenMessage(ctx context.Context, id uuid.UUID) (Changed, error) {
	return d.changeByMessage(ctx, id, "open", func(w *work, m *ent.Message) error {
		w.line.Action = MessageOpened
		w.subject, w.made.Message = m.ID, m.ID
		if m.OpenedAt != nil || m.Direction != message.DirectionTO_APPLICANT {
			return errUnchanged
		}
		_, err := w.tx.Message.Update().Where(message.ID(m.ID)).SetOpenedAt(w.now).Save(w.ctx)
		if err != nil {
			return fmt.Errorf("casework: recording that a message was opened: %w", err)
		}
		return w.announceAgain(m.ID, func(a *ent.Announcement) { a.FirstRetrievedAt = &w.now })
	})
}

// changeByMessage is change for somebody who names a message and sees it, and through it the case.
func (d *Desk) changeByMessage(ctx context.Context, id uuid.UUID, right authz.Action, do func(*work, *ent.Message) error) (Changed, error) {
	return once.Do(ctx, d.client, d.now, func(tx *ent.Tx) (Changed, error) {
		m, err := tx.Message.Query().Where(message.ID(id)).Only(ctx)
		switch {
		case ent.IsNotFound(err):
			return Changed{}, problem.New(problem.Missing, "notFound", "input", "messageId")
		case err != nil:
			return Changed{}, fmt.Errorf("casework: finding a message: %w", err)
		}
		return d.changeIn(ctx, tx, m.CaseID, nil, right, func(w *work) error {
			// Read again behind the lock of the case: somebody may have been faster.
			m, err := tx.Message.Query().Where(message.ID(id)).Only(w.ctx)
			if err != nil {
				return fmt.Errorf("casework: finding a message again: %w", err)
			}
			return do(w, m)
		})
	})
}
