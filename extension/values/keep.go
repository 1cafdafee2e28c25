// SPDX-License-Identifier: EUPL-1.2

package values

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

// Row is a row of the standard house that has extension fields, and where what they hold lies: with the tenant of the row.
type Row struct {
	Target string // the name of its type
	ID     uuid.UUID
	Tenant uuid.UUID
	Place  int64
	Case   *uuid.UUID // that it is or hangs on; nil for services and offerings
}

// stored is how records name targets.
var stored = map[string]extensionrecord.Target{
	"Applicant": extensionrecord.TargetAPPLICANT, "Case": extensionrecord.TargetCASE, "Decision": extensionrecord.TargetDECISION,
	"Message": extensionrecord.TargetMESSAGE, "Service": extensionrecord.TargetSERVICE, "ServiceOffering": extensionrecord.TargetSERVICE_OFFERING,
}

// Write brings values that were handed in to a row, and nothing else: what is not handed in stays. known is what the caller knows to be added; whatever
// is not in it does not exist (unknownField). All that does not fit is told at once, as a problem.List with paths from input.extension on. changed is false
// where all of it stands there already. ctx is a clerk's at the place of the row, in a transaction that holds the row.
func Write(ctx context.Context, tx *ent.Tx, row Row, known extension.Chain, given map[string]any) (changed bool, err error) {
	if len(known.Fields(row.Target)) == 0 {
		return false, problem.New(problem.Invalid, "unknownField", "input", "extension")
	}
	found, err := tx.ExtensionRecord.Query().Where(extensionrecord.TargetID(row.ID), extensionrecord.TenantID(row.Tenant)).All(ctx)
	if err != nil {
		return false, fmt.Errorf("values: finding extension fields: %w", err)
	}
	before := map[uuid.UUID]json.RawMessage{}
	for _, r := range found {
		for _, d := range known {
			if d.Owner.Place == r.Owner {
				before[d.Owner.ID] = r.Document
			}
		}
	}
	records, problems := known.Apply(row.Target, before, given)
	if len(problems) > 0 {
		return false, problem.List(problems).Below("input", "extension")
	}
	return len(records) > 0, Keep(ctx, tx, row, known, records)
}

// Keep keeps records of a row, each with its entries of the index, in place of what there was of their owners. ctx is a clerk's at the place of the
// row, in a transaction that holds it.
func Keep(ctx context.Context, tx *ent.Tx, row Row, owners extension.Chain, records []extension.Record) error {
	for _, r := range records {
		var owner extension.Owner
		for _, d := range owners {
			if d.Owner.ID == r.Owner {
				owner = d.Owner
			}
		}
		n, err := tx.ExtensionRecord.Update().Where(extensionrecord.TenantID(row.Tenant), extensionrecord.TargetID(row.ID), extensionrecord.Owner(owner.Place)).
			SetDocument(r.Values).Save(ctx)
		if err != nil {
			return fmt.Errorf("values: changing extension fields: %w", err)
		}
		if n == 0 {
			err := tx.ExtensionRecord.Create().SetTenantID(row.Tenant).SetPlace(row.Place).SetNillableCaseID(row.Case).SetTarget(stored[row.Target]).
				SetTargetID(row.ID).SetOwner(owner.Place).SetDocument(r.Values).Exec(ctx)
			if err != nil {
				return fmt.Errorf("values: writing extension fields: %w", err)
			}
		} else if err := forget(ctx, tx, row, owner); err != nil {
			return err
		}
		if err := enter(ctx, tx, row, owner, r.Entries); err != nil {
			return err
		}
	}
	return nil
}

// forget throws the entries of an owner away.
func forget(ctx context.Context, tx *ent.Tx, row Row, owner extension.Owner) error {
	first, end := extension.Key(owner, 0), extension.Key(extension.Owner{Place: owner.Place + 1}, 0)
	_, err := tx.ExtensionEntry.Delete().Where(extensionentry.TenantID(row.Tenant), extensionentry.TargetID(row.ID),
		extensionentry.OfFieldGTE(first), extensionentry.OfFieldLT(end)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("values: throwing away what is found by: %w", err)
	}
	return nil
}

// enter writes the entries of an owner, in one statement: the database brings them beside the case once.
func enter(ctx context.Context, tx *ent.Tx, row Row, owner extension.Owner, entries []extension.Entry) error {
	err := tx.ExtensionEntry.MapCreateBulk(entries, func(create *ent.ExtensionEntryCreate, i int) {
		e := entries[i]
		create.SetTenantID(row.Tenant).SetPlace(row.Place).SetNillableCaseID(row.Case).SetTargetID(row.ID).
			SetOfField(extension.Key(owner, e.Number)).SetNillableText(e.Text).SetNillableNumber(e.Amount).SetNillableTime(e.Time).SetNillableCounted(counted(e))
	}).Exec(ctx)
	if err != nil {
		return fmt.Errorf("values: writing what is found by: %w", err)
	}
	return nil
}

// counted is how the house counts an entry.
func counted(e extension.Entry) *extensionentry.Counted {
	if e.Counted == "" {
		return nil
	}
	c := extensionentry.Counted(e.Counted)
	return &c
}
