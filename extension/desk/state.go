// SPDX-License-Identifier: EUPL-1.2

package desk

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/auditentry"
	"github.com/ozg-cloud/platform/ent/extensiondefinition"
	"github.com/ozg-cloud/platform/internal/problem"
)

// Step names a version, and says whether it may break what others rely on.
type Step struct {
	Definition uuid.UUID
	// Breaking says that the caller has seen what breaks and what is lost, and wants it. Without it such a step is a conflict (breakingChange).
	Breaking bool
}

// Activate brings a draft into force, within a second everywhere. What was in force before is retired; fields that are in both keep their values.
// A draft that was made before the version in force is out of date (staleVersion).
func (d *Desk) Activate(ctx context.Context, s Step) (Outcome, error) {
	return d.step(ctx, s, func(w *step) error {
		if w.it.State != extensiondefinition.StateDRAFT {
			return problem.New(problem.Conflict, "alreadyDone")
		}
		former := last(w.all)
		if former != nil && former.Version > w.it.Version {
			return problem.New(problem.Conflict, "staleVersion")
		}
		next, err := d.opened(w.tenant, w.it)
		if err != nil {
			return err
		}
		behind, before, err := d.formerly(w.tenant, w.all)
		if err != nil {
			return err
		}
		// Two drafts may have given the same number to different fields, each behind the version that was there.
		if kept := next.Numbers().String(); len(next.Follow(behind)) > 0 || next.Numbers().String() != kept {
			return problem.New(problem.Conflict, "staleVersion")
		}
		if w.outcome = d.compared(w.tenant, before, next); w.outcome.breaking() && !s.Breaking {
			return problem.New(problem.Conflict, "breakingChange", "input", "acceptBreaking")
		}
		if old := holding(w.all); old != nil {
			if err := w.retired(old); err != nil {
				return err
			}
		}
		update := w.update(w.it).SetState(extensiondefinition.StateACTIVE).SetActivatedAt(d.now()).SetActivatedBy(w.p.Subject)
		if former == nil || former.IndexedAt != nil && !next.Indexes(before) {
			update.SetIndexedAt(d.now()) // else the caretaker brings in what there is
		}
		if err := update.Exec(w.ctx); err != nil {
			return fmt.Errorf("extension: bringing a version into force: %w", err)
		}
		return w.entry(auditentry.ActionEXTENSION_ACTIVATED)
	})
}

// Deprecate marks the version in force as being on its way out: every field says so, and goes on working.
func (d *Desk) Deprecate(ctx context.Context, s Step) (Outcome, error) {
	return d.step(ctx, s, func(w *step) error {
		if w.it.State != extensiondefinition.StateACTIVE {
			return notInForce(w.it)
		}
		if err := w.update(w.it).SetState(extensiondefinition.StateDEPRECATED).Exec(w.ctx); err != nil {
			return fmt.Errorf("extension: deprecating a version: %w", err)
		}
		return w.entry(auditentry.ActionEXTENSION_DEPRECATED)
	})
}

// Retire takes the version in force out of it. The fields are gone for everybody; their values are kept until they are erased, and come back with a
// version that has the same fields.
func (d *Desk) Retire(ctx context.Context, s Step) (Outcome, error) {
	return d.step(ctx, s, func(w *step) error {
		if w.it.State != extensiondefinition.StateACTIVE && w.it.State != extensiondefinition.StateDEPRECATED {
			return notInForce(w.it)
		}
		before, err := d.opened(w.tenant, w.it)
		if err != nil {
			return err
		}
		if w.outcome = d.compared(w.tenant, before, nil); w.outcome.breaking() && !s.Breaking {
			return problem.New(problem.Conflict, "breakingChange", "input", "acceptBreaking")
		}
		if err := w.retired(w.it); err != nil {
			return err
		}
		return w.entry(auditentry.ActionEXTENSION_RETIRED)
	})
}

// notInForce is the conflict of a step that is for the version in force.
func notInForce(v *ent.ExtensionDefinition) error {
	if v.State == extensiondefinition.StateDRAFT {
		return problem.New(problem.Conflict, "notInForce")
	}
	return problem.New(problem.Conflict, "alreadyDone")
}

// step is one change of state under way.
type step struct {
	desk    *Desk
	ctx     context.Context // a clerk's at the place of the tenant
	tx      *ent.Tx
	p       *authz.Principal
	tenant  *ent.Tenant
	all     []*ent.ExtensionDefinition
	it      *ent.ExtensionDefinition
	outcome Outcome
}

func (d *Desk) step(ctx context.Context, s Step, do func(*step) error) (Outcome, error) {
	return d.inTransaction(ctx, func(p *authz.Principal, tx *ent.Tx) (uuid.UUID, Outcome, error) {
		found, err := tx.ExtensionDefinition.Query().Where(extensiondefinition.ID(s.Definition)).Only(ctx)
		switch {
		case ent.IsNotFound(err):
			return uuid.Nil, Outcome{}, problem.New(problem.Missing, "notFound", "input", "extensionDefinitionId")
		case err != nil:
			return uuid.Nil, Outcome{}, fmt.Errorf("extension: finding a version: %w", err)
		}
		t, err := owning(ctx, tx, p, found.TenantID, "input", "extensionDefinitionId")
		if err != nil {
			return uuid.Nil, Outcome{}, err
		}
		w := &step{desk: d, tx: tx, p: p, tenant: t}
		if w.all, err = versions(ctx, tx, t); err != nil {
			return uuid.Nil, Outcome{}, err
		}
		for _, v := range w.all {
			if v.ID == s.Definition {
				w.it = v
			}
		}
		if w.it == nil {
			return uuid.Nil, Outcome{}, problem.New(problem.Missing, "notFound", "input", "extensionDefinitionId")
		}
		if w.ctx, err = authz.Clerk(ctx, authz.Place(t.Place)); err != nil {
			return uuid.Nil, Outcome{}, err
		}
		if err := do(w); err != nil {
			return uuid.Nil, Outcome{}, err
		}
		w.outcome.Definition = w.it.ID
		return t.ID, w.outcome, nil
	})
}

func (w *step) update(v *ent.ExtensionDefinition) *ent.ExtensionDefinitionUpdate {
	return w.tx.ExtensionDefinition.Update().Where(extensiondefinition.ID(v.ID), extensiondefinition.TenantID(v.TenantID))
}

func (w *step) retired(v *ent.ExtensionDefinition) error {
	err := w.update(v).SetState(extensiondefinition.StateRETIRED).SetRetiredAt(w.desk.now()).SetRetiredBy(w.p.Subject).Exec(w.ctx)
	if err != nil {
		return fmt.Errorf("extension: retiring a version: %w", err)
	}
	return nil
}

func (w *step) entry(action auditentry.Action) error {
	return w.desk.entry(w.ctx, w.tx, w.p, w.tenant, action, w.it.Hash)
}
