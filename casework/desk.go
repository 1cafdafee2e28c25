// SPDX-License-Identifier: EUPL-1.2

package casework

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/casefile"
	"github.com/ozg-cloud/platform/ent/predicate"
	"github.com/ozg-cloud/platform/ent/store"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/once"
)

// Desk carries out the verbs. Each asks for its right on the row itself, after the row has been found under the caller's rule: what the
// caller cannot see is missing, what the caller sees and may not change is forbidden.
type Desk struct {
	client *ent.Client
	clock  func() time.Time
}

// NewDesk makes a desk over the writing client.
func NewDesk(client *ent.Client, clock func() time.Time) *Desk { return &Desk{client, clock} }

// Changed names what a verb changed and made; the zero id stands for nothing.
type Changed struct {
	Case, Applicant, Message, Decision, Comment, FollowUp uuid.UUID
	Revision                                              int // of the case, after the change
}

// On names the case that a verb is about, and the revision that the caller has seen.
// A case that has another revision by now is a conflict that carries it (rule staleRevision).
type On struct {
	Case     uuid.UUID
	Revision int
}

// work is one change of one case under way: a transaction that holds the case's row.
type work struct {
	ctx    context.Context // a clerk's at the place of the case
	tx     *ent.Tx
	p      *authz.Principal
	now    time.Time
	file   *ent.CaseFile
	update *ent.CaseFileUpdate

	line    Line
	subject uuid.UUID // what the change made
	made    Changed
}

// change does something to a case in one transaction. right is asked for on the row; do says what happens and may set w.line and w.subject.
// Two changes at once come one after the other: the row is locked. Where the caller's rights have changed meanwhile, do is called again.
// What also selects is looked up with the row, in the same round trip.
func (d *Desk) change(ctx context.Context, on On, right authz.Action, do func(*work) error, also ...predicate.CaseFile) (Changed, error) {
	return once.Do(ctx, d.client, d.now, func(tx *ent.Tx) (Changed, error) {
		return d.changeIn(ctx, tx, on.Case, &on.Revision, right, do, also...)
	})
}

// changeIn is change inside a transaction. seen is nil where the caller names no revision: an applicant sees messages, not revisions.
func (d *Desk) changeIn(ctx context.Context, tx *ent.Tx, id uuid.UUID, seen *int, right authz.Action, do func(*work) error, also ...predicate.CaseFile) (Changed, error) {
	p, err := authz.From(ctx)
	if err != nil {
		return Changed{}, err
	}
	file, err := tx.CaseFile.Query().Where(casefile.ID(id)).Where(also...).ForUpdate().Only(ctx)
	switch {
	case ent.IsNotFound(err):
		return Changed{}, problem.New(problem.Missing, "notFound", "input", "caseId")
	case err != nil:
		return Changed{}, fmt.Errorf("casework: finding a case: %w", err)
	}
	if err := p.Ask("case", right, target(file)); err != nil {
		return Changed{}, err
	}
	if seen != nil && *seen != file.Revision {
		return Changed{}, &problem.Problem{Kind: problem.Conflict, Rule: "staleRevision", CurrentRevision: file.Revision}
	}
	clerk, err := authz.Clerk(ctx, authz.Place(file.Place))
	if err != nil {
		return Changed{}, err
	}
	w := &work{
		ctx: clerk, tx: tx, p: p, now: d.now(), file: file,
		update: tx.CaseFile.Update().Where(casefile.ID(file.ID), casefile.TenantID(file.TenantID)),
		made:   Changed{Case: file.ID, Revision: file.Revision},
	}
	// The clock of one house may lag behind another's; a history never runs backwards.
	if w.now.Before(file.UpdatedAt) {
		w.now = file.UpdatedAt
	}
	w.line = Line{Case: file.ID, Sequence: file.Revision + 1, At: w.now, Actor: p.Subject, From: State(file.State), To: State(file.State)}
	switch err := do(w); {
	case errors.Is(err, errUnchanged):
	case err != nil:
		return Changed{}, err
	default:
		w.made.Revision = w.line.Sequence
		if err := w.store(); err != nil {
			return Changed{}, err
		}
	}
	return w.made, once.Enter(ctx, tx, d.now(), file.TenantID, file.ID, w.made)
}

// errUnchanged is what a verb returns when what it would do has been done before, and saying so again changes nothing.
var errUnchanged = errors.New("casework: nothing to change")

func (d *Desk) now() time.Time { return d.clock().UTC().Truncate(time.Microsecond) }

func target(c *ent.CaseFile) authz.Target {
	t := authz.Target{Place: authz.Place(c.Place), Service: c.ServiceID, ViaPointOfContact: c.ViaPointOfContact}
	if c.UnitID != nil {
		t.Unit = *c.UnitID
	}
	if c.Owner != nil {
		t.Owner = *c.Owner
	}
	return t
}

// goes takes a transition. reason is kept in the history.
func (w *work) goes(t Transition, reason string) error {
	to, err := next(t, State(w.file.State))
	if err != nil {
		return err
	}
	w.update.SetState(casefile.State(to))
	w.line.To, w.line.Reason = to, reason
	return nil
}

// stays refuses to change a case that is finished.
func (w *work) stays() error {
	if finished(State(w.file.State)) {
		return problem.New(problem.Conflict, "caseClosed")
	}
	return nil
}

// store writes the case's row, its line of history and its event.
func (w *work) store() error {
	if err := record(w.ctx, w.tx, w.file.TenantID, w.file.Place, w.line, w.file.HistoryHead, w.event()); err != nil {
		return err
	}
	change := w.update.SetRevision(w.line.Sequence).SetUpdatedAt(w.now).SetHistoryHead(w.line.Hash(w.file.HistoryHead))
	if err := change.Exec(store.Changing(w.ctx, 1)); err != nil { // its row is locked
		return fmt.Errorf("casework: changing a case: %w", err)
	}
	return nil
}

// event is what the log keeps of the change beside the line of history.
func (w *work) event() happened {
	h := happened{unit: w.file.UnitID, unitBefore: w.file.UnitID}
	if unit, ok := w.update.Mutation().UnitID(); ok {
		h.unit = &unit
	}
	if w.subject != uuid.Nil {
		h.subject = &w.subject
	}
	return h
}

// happened is what an event has beside its line of history; nil stands for none.
type happened struct{ subject, unit, unitBefore *uuid.UUID }

// record writes a line of history and its event.
func record(ctx context.Context, tx *ent.Tx, tenant uuid.UUID, place int64, line Line, before string, h happened) error {
	create := tx.HistoryEvent.Create().SetTenantID(tenant).SetPlace(place).SetCaseID(line.Case).SetSequence(line.Sequence).
		SetAt(line.At).SetActor(line.Actor).SetAction(string(line.Action)).SetToState(string(line.To)).
		SetPreviousHash(before).SetHash(line.Hash(before))
	if line.From != "" {
		create.SetFromState(string(line.From))
	}
	if line.Reason != "" {
		create.SetReason(line.Reason)
	}
	if err := create.Exec(ctx); err != nil {
		return fmt.Errorf("casework: writing history: %w", err)
	}
	event := tx.Event.Create().SetTenantID(tenant).SetPlace(place).SetCaseID(line.Case).SetSequence(line.Sequence).
		SetRevision(line.Sequence).SetType(string(line.Action)).SetAt(line.At).
		SetNillableSubjectID(h.subject).SetNillableUnitID(h.unit).SetNillableUnitBefore(h.unitBefore)
	if err := event.Exec(ctx); err != nil {
		return fmt.Errorf("casework: writing an event: %w", err)
	}
	return nil
}
