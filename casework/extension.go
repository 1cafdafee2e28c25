// SPDX-License-Identifier: EUPL-1.2

package casework

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/extensionentry"
	"github.com/ozg-cloud/platform/ent/extensionrecord"
	"github.com/ozg-cloud/platform/extension"
	"github.com/ozg-cloud/platform/internal/problem"
)

// SetExtension writes extension fields of a case (Balkon): what is handed in, and nothing else. known is what the caller knows to be added; whatever is
// not in it does not exist (unknownField). All that does not fit is told at once, as a problem.List. History and event say that something was
// written, not what: values may be personal data. Writing what stands there already changes nothing.
func (d *Desk) SetExtension(ctx context.Context, on On, known extension.Chain, values map[string]any) (Changed, error) {
	return d.change(ctx, on, "extend", func(w *work) error {
		w.line.Action = ExtensionChanged
		if err := w.stays(); err != nil {
			return err
		}
		if len(known.Fields("Case")) == 0 {
			return problem.New(problem.Invalid, "unknownField", "input", "extension")
		}
		found, err := w.tx.ExtensionRecord.Query().Where(extensionrecord.TargetID(w.file.ID), extensionrecord.TenantID(w.file.TenantID)).All(w.ctx)
		if err != nil {
			return fmt.Errorf("casework: finding extension fields: %w", err)
		}
		stored := map[uuid.UUID]json.RawMessage{}
		for _, r := range found {
			for _, d := range known {
				if d.Owner.Place == r.Owner {
					stored[d.Owner.ID] = r.Document
				}
			}
		}
		records, problems := known.Apply("Case", stored, values)
		switch {
		case len(problems) > 0:
			return problem.List(problems).Below("input", "extension")
		case len(records) == 0:
			return errUnchanged
		}
		return Extend(w.ctx, w.tx, Extended{Tenant: w.file.TenantID, Place: w.file.Place, Case: w.file.ID}, known, records)
	})
}

// Extended is the case whose extension fields are written.
type Extended struct {
	Tenant, Case uuid.UUID
	Place        int64
}

// Extend keeps records of a case, each with its entries of the index, in place of what there was of their owners. ctx is a clerk's at the place of
// the case, in a transaction that holds its row.
func Extend(ctx context.Context, tx *ent.Tx, at Extended, owners extension.Chain, records []extension.Record) error {
	for _, r := range records {
		var owner extension.Owner
		for _, d := range owners {
			if d.Owner.ID == r.Owner {
				owner = d.Owner
			}
		}
		n, err := tx.ExtensionRecord.Update().Where(extensionrecord.TenantID(at.Tenant), extensionrecord.TargetID(at.Case), extensionrecord.Owner(owner.Place)).
			SetDocument(r.Values).Save(ctx)
		if err != nil {
			return fmt.Errorf("casework: changing extension fields: %w", err)
		}
		if n == 0 {
			err := tx.ExtensionRecord.Create().SetTenantID(at.Tenant).SetPlace(at.Place).SetCaseID(at.Case).SetTarget(extensionrecord.TargetCASE).
				SetTargetID(at.Case).SetOwner(owner.Place).SetDocument(r.Values).Exec(ctx)
			if err != nil {
				return fmt.Errorf("casework: writing extension fields: %w", err)
			}
		} else {
			first, end := extension.Key(owner, 0), extension.Key(extension.Owner{Place: owner.Place + 1}, 0)
			_, err := tx.ExtensionEntry.Delete().Where(extensionentry.TenantID(at.Tenant), extensionentry.TargetID(at.Case),
				extensionentry.OfFieldGTE(first), extensionentry.OfFieldLT(end)).Exec(ctx)
			if err != nil {
				return fmt.Errorf("casework: throwing away what is found by: %w", err)
			}
		}
		for _, e := range r.Entries {
			err := tx.ExtensionEntry.Create().SetTenantID(at.Tenant).SetPlace(at.Place).SetCaseID(at.Case).SetTargetID(at.Case).
				SetOfField(extension.Key(owner, e.Number)).SetNillableText(e.Text).SetNillableNumber(e.Amount).SetNillableTime(e.Time).Exec(ctx)
			if err != nil {
				return fmt.Errorf("casework: writing what is found by: %w", err)
			}
		}
	}
	return nil
}
