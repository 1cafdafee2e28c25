// SPDX-License-Identifier: EUPL-1.2

package values

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/casefile"
	"github.com/ozg-cloud/platform/ent/extensiondefinition"
	"github.com/ozg-cloud/platform/ent/extensionentry"
	"github.com/ozg-cloud/platform/ent/extensionrecord"
	"github.com/ozg-cloud/platform/ent/predicate"
	"github.com/ozg-cloud/platform/extension"
	"github.com/ozg-cloud/platform/internal/rounds"
)

const (
	// tended is how many records are seen to in one transaction. Streams wait for transactions that write, so each has to be short.
	tended = 50
	// settled is how long after a definition has changed nobody writes by the older one any more: what is known in memory is half a second old, and a
	// verb takes less than the rest.
	settled = 15 * time.Second
	// calm is how long nobody looks while there is nothing to do.
	calm = 2 * time.Second
	// longestCalm is between two attempts that fail.
	longestCalm = time.Minute
)

// Caretaker (Hausmeister) goes from record to record of an owner whose definition has changed: what was kept before is brought into the index, so that
// it can be found by fields that have become filterable, and what has gone is erased where that was ordered. Any number of replicas may run one on the
// same database: a definition is seen to by one at a time. Broken off at any moment, it goes on where it was.
type Caretaker struct {
	client  *ent.Client
	inForce func(authz.Place) extension.Chain
	clock   func() time.Time
	log     *slog.Logger
}

// NewCaretaker makes a caretaker over the writing client. inForce is what holds at a tenant, at most a second ago.
func NewCaretaker(client *ent.Client, inForce func(authz.Place) extension.Chain, clock func() time.Time, log *slog.Logger) *Caretaker {
	return &Caretaker{client, inForce, clock, log}
}

// Run works until ctx ends.
func (c *Caretaker) Run(ctx context.Context) {
	rounds.Go(ctx, rounds.Pauses{Calm: calm, Longest: longestCalm}, c.Step, func(err error) {
		c.log.ErrorContext(ctx, "extension fields cannot be seen to", "error", err)
	})
}

// Step sees to the next records, in one transaction. more tells whether there may be others.
func (c *Caretaker) Step(ctx context.Context) (more bool, err error) {
	ctx = authz.With(ctx, authz.System(authz.Caretaking))
	tx, err := c.client.Tx(ctx)
	if err != nil {
		return false, fmt.Errorf("values: beginning: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	before := c.clock().Add(-settled)
	v, err := c.next(ctx, tx, func(*ent.ExtensionDefinition) bool { return true },
		extensiondefinition.EraseOrderedAtNotNil(), extensiondefinition.ErasedAtIsNil(), extensiondefinition.RetiredAtLT(before))
	if err != nil {
		return false, err
	}
	if v != nil {
		if err := c.erase(ctx, tx, v); err != nil {
			return false, err
		}
		return true, commit(tx)
	}
	v, err = c.next(ctx, tx, func(v *ent.ExtensionDefinition) bool { return c.known(v) != nil },
		extensiondefinition.IndexedAtIsNil(), extensiondefinition.ActivatedAtLT(before),
		extensiondefinition.StateIn(extensiondefinition.StateACTIVE, extensiondefinition.StateDEPRECATED))
	if err != nil || v == nil {
		return false, err
	}
	if err := c.index(ctx, tx, v); err != nil {
		return false, err
	}
	return true, commit(tx)
}

func commit(tx *ent.Tx) error {
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("values: storing: %w", err)
	}
	return nil
}

// next locks a version at which there is something to do, which this process may see to, and which nobody else sees to at the moment; nil where there
// is none.
func (*Caretaker) next(ctx context.Context, tx *ent.Tx, may func(*ent.ExtensionDefinition) bool, which ...predicate.ExtensionDefinition) (*ent.ExtensionDefinition, error) {
	all, err := tx.ExtensionDefinition.Query().Where(which...).Order(ent.Asc(extensiondefinition.FieldID)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("values: finding definitions to see to: %w", err)
	}
	for _, v := range all {
		if !may(v) {
			continue
		}
		held, err := tx.ExtensionDefinition.Query().Where(append(which, extensiondefinition.ID(v.ID))...).ForUpdate(sql.WithLockAction(sql.SkipLocked)).All(ctx)
		if err != nil {
			return nil, fmt.Errorf("values: holding a definition: %w", err)
		}
		if len(held) > 0 {
			return held[0], nil
		}
	}
	return nil, nil
}

// known is a version in force as this process knows it; nil where it does not yet, or where the standard house does not let it through any more.
func (c *Caretaker) known(v *ent.ExtensionDefinition) *extension.Definition {
	for _, d := range c.inForce(authz.Place(v.Place)) {
		if d.Owner.ID == v.TenantID && d.SDL == v.Sdl {
			return d
		}
	}
	return nil
}

// records are the next ones of an owner behind one that was seen to, held against whoever else writes them: first their cases, as the desks do.
func (*Caretaker) records(ctx context.Context, tx *ent.Tx, owner int64, behind *uuid.UUID) ([]*ent.ExtensionRecord, error) {
	which := []predicate.ExtensionRecord{extensionrecord.Owner(owner)}
	if behind != nil {
		which = append(which, extensionrecord.IDGT(*behind))
	}
	page, err := tx.ExtensionRecord.Query().Where(which...).Order(ent.Asc(extensionrecord.FieldID)).Limit(tended).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("values: finding records: %w", err)
	}
	var ids, cases []uuid.UUID
	for _, r := range page {
		ids = append(ids, r.ID)
		if r.CaseID != nil {
			cases = append(cases, *r.CaseID)
		}
	}
	if _, err := tx.CaseFile.Query().Where(casefile.IDIn(cases...)).Order(ent.Asc(casefile.FieldID)).ForUpdate().IDs(ctx); err != nil {
		return nil, fmt.Errorf("values: holding cases: %w", err)
	}
	page, err = tx.ExtensionRecord.Query().Where(extensionrecord.IDIn(ids...)).Order(ent.Asc(extensionrecord.FieldID)).ForUpdate().All(ctx)
	if err != nil {
		return nil, fmt.Errorf("values: holding records: %w", err)
	}
	return page, nil
}

// index brings the next records into the index by the version in force.
func (c *Caretaker) index(ctx context.Context, tx *ent.Tx, v *ent.ExtensionDefinition) error {
	d := c.known(v)
	page, err := c.records(ctx, tx, v.Place, v.IndexedTo)
	if err != nil {
		return err
	}
	for _, r := range page {
		row := rowOf(r)
		entries, err := d.Entries(row.Target, r.Document)
		if err != nil {
			return err
		}
		if err := forget(ctx, tx, row, d.Owner); err != nil {
			return err
		}
		if err := enter(ctx, tx, row, d.Owner, entries); err != nil {
			return err
		}
	}
	update := tx.ExtensionDefinition.Update().Where(extensiondefinition.ID(v.ID))
	if len(page) > 0 {
		update.SetIndexedTo(page[len(page)-1].ID)
	}
	if len(page) < tended {
		update.SetIndexedAt(c.clock().UTC().Truncate(time.Microsecond))
	}
	if err := update.Exec(ctx); err != nil {
		return fmt.Errorf("values: noting how far the index has come: %w", err)
	}
	return nil
}

// erase takes out of the next records what has gone up to a version, but for what the version in force has.
func (c *Caretaker) erase(ctx context.Context, tx *ent.Tx, v *ent.ExtensionDefinition) error {
	given, err := numbersOf(v)
	if err != nil {
		return err
	}
	owner := extension.Owner{ID: v.TenantID, Place: v.Place}
	held := map[int]bool{}
	stays := []int64{}
	holding, err := tx.ExtensionDefinition.Query().Where(extensiondefinition.TenantID(v.TenantID),
		extensiondefinition.StateIn(extensiondefinition.StateACTIVE, extensiondefinition.StateDEPRECATED)).All(ctx)
	if err != nil {
		return fmt.Errorf("values: finding the version in force: %w", err)
	}
	for _, h := range holding {
		n, err := numbersOf(h)
		if err != nil {
			return err
		}
		for _, number := range n.Of {
			held[number] = true
			stays = append(stays, extension.Key(owner, number))
		}
	}
	page, err := c.records(ctx, tx, v.Place, v.ErasedTo)
	if err != nil {
		return err
	}
	for _, r := range page {
		left, changed, err := extension.Without(r.Document, func(number int) bool { return number < given.Next && !held[number] })
		if err != nil {
			return err
		}
		if !changed {
			continue
		}
		_, err = tx.ExtensionEntry.Delete().Where(extensionentry.TenantID(r.TenantID), extensionentry.TargetID(r.TargetID),
			extensionentry.OfFieldGTE(extension.Key(owner, 0)), extensionentry.OfFieldLT(extension.Key(owner, given.Next)), extensionentry.OfFieldNotIn(stays...)).Exec(ctx)
		if err != nil {
			return fmt.Errorf("values: erasing what is found by: %w", err)
		}
		if left == nil {
			_, err = tx.ExtensionRecord.Delete().Where(extensionrecord.ID(r.ID)).Exec(ctx)
		} else {
			err = tx.ExtensionRecord.Update().Where(extensionrecord.ID(r.ID)).SetDocument(left).Exec(ctx)
		}
		if err != nil {
			return fmt.Errorf("values: erasing: %w", err)
		}
	}
	update := tx.ExtensionDefinition.Update().Where(extensiondefinition.ID(v.ID))
	if len(page) > 0 {
		update.SetErasedTo(page[len(page)-1].ID)
	}
	if len(page) < tended {
		update.SetErasedAt(c.clock().UTC().Truncate(time.Microsecond))
	}
	if err := update.Exec(ctx); err != nil {
		return fmt.Errorf("values: noting how far erasing has come: %w", err)
	}
	return nil
}

func numbersOf(v *ent.ExtensionDefinition) (n extension.Numbers, err error) {
	if err := json.Unmarshal(v.Numbers, &n); err != nil {
		return n, fmt.Errorf("values: reading numbers: %w", err)
	}
	return n, nil
}

// rowOf is the row of a record.
func rowOf(r *ent.ExtensionRecord) Row {
	row := Row{ID: r.TargetID, Tenant: r.TenantID, Place: r.Place, Case: r.CaseID}
	for name, target := range stored {
		if target == r.Target {
			row.Target = name
		}
	}
	return row
}
