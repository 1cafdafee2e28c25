// SPDX-License-Identifier: EUPL-1.2

package casework

import (
	"context"
	"fmt"
	"strings"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/announcement"
	"github.com/ozg-cloud/platform/ent/attachment"
	"github.com/ozg-cloud/platform/ent/decision"
	"github.com/ozg-cloud/platform/ent/message"
	"github.com/ozg-cloud/platform/ent/schema"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/law"
)

// Ruling is what a decision says, as in the contract's enum DecisionOutcome.
type Ruling string

// The rulings.
const (
	Granted       Ruling = "GRANTED"
	PartlyGranted Ruling = "PARTLY_GRANTED"
	Rejected      Ruling = "REJECTED"
	Other         Ruling = "OTHER"
)

// Outcome is how a case is decided.
type Outcome struct {
	Ruling   Ruling
	Reason   string     // needed unless everything is granted
	Document *uuid.UUID // the written decision, an upload of the caller
	Channel  Channel
}

// Channel is how a decision reaches the applicant.
type Channel = law.Channel

// Decide grants or refuses what the case asks for and sends the decision (Bescheid) to the applicant.
// A decision is final: deciding again, which a decided case allows, makes a new one that replaces it.
// When it counts as announced follows from the facts known now, and again from each fact that becomes known later (law.Announce).
func (d *Desk) Decide(ctx context.Context, on On, o Outcome) (Changed, error) {
	if o.Reason != "" || o.Ruling != Granted {
		if err := problem.InFilledText(o.Reason, longestDecision, "input", "reason"); err != nil {
			return Changed{}, err
		}
	}
	return d.change(ctx, on, "decide", func(w *work) error {
		w.line.Action = CaseDecided
		if err := w.goes(Decide, ""); err != nil {
			return err
		}
		w.update.SetDecidedAt(w.now)
		before, err := w.tx.Decision.Query().Where(decision.CaseID(w.file.ID)).
			Order(decision.BySentAt(sql.OrderDesc()), decision.ByID(sql.OrderDesc())).First(w.ctx)
		if err != nil && !ent.IsNotFound(err) {
			return fmt.Errorf("casework: finding the decision before: %w", err)
		}
		facts, err := w.carry(o)
		if err != nil {
			return err
		}
		document, err := d.document(w, o)
		if err != nil {
			return err
		}
		w.subject = uuid.Must(uuid.NewV7())
		w.made.Decision = w.subject
		create := w.tx.Decision.Create().SetID(w.subject).SetTenantID(w.file.TenantID).SetPlace(w.file.Place).SetCaseID(w.file.ID).
			SetOutcome(decision.Outcome(o.Ruling)).SetNillableDocumentID(document).SetMessageID(w.made.Message).SetAuthor(w.p.Subject).SetSentAt(w.now)
		if o.Reason != "" {
			create.SetReason(o.Reason)
		}
		if before != nil {
			create.SetReplacesID(before.ID)
		}
		if err := create.Exec(w.ctx); err != nil {
			return fmt.Errorf("casework: writing a decision: %w", err)
		}
		return w.announce(facts)
	}, withMailbox)
}

// carry writes the message that brings the decision, and gives the facts from which the date of its announcement follows.
func (w *work) carry(o Outcome) (law.Facts, error) {
	facts := law.Facts{Channel: o.Channel, SentAt: w.now}
	state, provided, err := w.mailbox()
	if p, ok := problem.Of(err); ok && p.Rule == "noMailbox" && o.Channel != law.Portal {
		state, err = message.DeliveryStateELSEWHERE, nil
	}
	if err != nil {
		return law.Facts{}, err
	}
	if o.Channel == law.Portal {
		// The mailbox of this house shows what is new as soon as it is there, which is the notification.
		facts.ProvidedAt, facts.NotifiedAt = provided, provided
	}
	t := Text{Subject: "Bescheid zum Vorgang " + w.file.Number, Body: letter(o)}
	return facts, w.write(t, ReplyForbidden, state, provided)
}

// letter is the text of the message that carries a decision.
func letter(o Outcome) string {
	said := map[Ruling]string{
		Granted:       "Ihrem Antrag wurde entsprochen.",
		PartlyGranted: "Ihrem Antrag wurde teilweise entsprochen.",
		Rejected:      "Ihr Antrag wurde abgelehnt.",
		Other:         "Über Ihren Antrag wurde entschieden.",
	}[o.Ruling]
	if reason := strings.TrimSpace(o.Reason); reason != "" {
		said += "\n\nBegründung:\n" + reason
	}
	if o.Document != nil {
		said += "\n\nDen Bescheid finden Sie im Anhang."
	}
	return said
}

// document hangs the written decision on the message that carries it.
func (d *Desk) document(w *work, o Outcome) (*uuid.UUID, error) {
	if o.Document == nil {
		return nil, nil
	}
	pieces, err := d.TakeUploads(w.ctx, w.tx, []uuid.UUID{*o.Document}, attachment.PurposeDOCUMENT, "input", "documentUploadId")
	if err != nil {
		return nil, err
	}
	ids, err := d.Attach(w.ctx, w.tx, w.hanging(), pieces)
	if err != nil {
		return nil, err
	}
	return &ids[0], nil
}

// announce writes when the decision just made counts as announced, and why.
func (w *work) announce(f law.Facts) error {
	a := law.Announce(land(w.file), f)
	err := w.tx.Announcement.Create().SetTenantID(w.file.TenantID).SetPlace(w.file.Place).SetCaseID(w.file.ID).SetDecisionID(w.made.Decision).
		SetChannel(announcement.Channel(f.Channel)).SetSentAt(f.SentAt).SetNillableProvidedAt(f.ProvidedAt).SetNillableNotifiedAt(f.NotifiedAt).
		SetRule(a.Rule).SetNillableAnnouncedOn(a.On).SetExplanation(explained(a)).Exec(w.ctx)
	if err != nil {
		return fmt.Errorf("casework: writing an announcement: %w", err)
	}
	return nil
}

// announceAgain computes the announcement of the decision that a message carries anew, with a fact that has become known.
// A message that carries none is left alone.
func (w *work) announceAgain(carrier uuid.UUID, learn func(*ent.Announcement)) error {
	a, err := w.tx.Announcement.Query().Where(announcement.HasDecisionWith(decision.MessageID(carrier))).Only(w.ctx)
	switch {
	case ent.IsNotFound(err):
		return nil
	case err != nil:
		return fmt.Errorf("casework: finding an announcement: %w", err)
	}
	learn(a)
	now := law.Announce(land(w.file), law.Facts{
		Channel: law.Channel(a.Channel), SentAt: a.SentAt, ProvidedAt: a.ProvidedAt, NotifiedAt: a.NotifiedAt, FirstRetrievedAt: a.FirstRetrievedAt,
	})
	update := w.tx.Announcement.Update().Where(announcement.ID(a.ID)).SetNillableProvidedAt(a.ProvidedAt).SetNillableNotifiedAt(a.NotifiedAt).
		SetNillableFirstRetrievedAt(a.FirstRetrievedAt).SetRule(now.Rule).SetExplanation(explained(now))
	if now.On != nil {
		update.SetAnnouncedOn(*now.On)
	} else {
		update.ClearAnnouncedOn()
	}
	if _, err := update.Save(w.ctx); err != nil {
		return fmt.Errorf("casework: renewing an announcement: %w", err)
	}
	return nil
}

func explained(a law.Announcement) []schema.ExplanationStep {
	steps := make([]schema.ExplanationStep, len(a.Steps))
	for i, s := range a.Steps {
		steps[i] = schema.ExplanationStep(s)
	}
	return steps
}

func land(c *ent.CaseFile) string { return fmt.Sprintf("%02d", authz.Place(c.Place).Land()) }
