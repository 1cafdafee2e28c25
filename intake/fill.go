// SPDX-License-Identifier: EUPL-1.2

package intake

import (
	"context"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/casework"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/schema"
	"github.com/ozg-cloud/platform/extension"
)

// fill writes what the form says of the extension fields of the new case.
func (d *Desk) fill(ctx context.Context, tx *ent.Tx, form []schema.FormItem, to address, caseID uuid.UUID) error {
	if d.added == nil {
		return nil
	}
	chain := d.added(to.tenant.Place)
	if len(chain.Fields("Case")) == 0 {
		return nil
	}
	records, left := chain.FromForm("Case", items(form))
	for _, p := range left {
		d.unfit(ctx, p)
	}
	return casework.Extend(ctx, tx, casework.Extended{Tenant: to.tenant.ID, Place: int64(to.tenant.Place), Case: caseID}, chain, records)
}

// items are those of a form, each with the one value that it has.
func items(form []schema.FormItem) []extension.Item {
	out := make([]extension.Item, len(form))
	for i, f := range form {
		out[i] = extension.Item{Name: f.Name, Items: items(f.Items)}
		switch {
		case f.String != nil:
			out[i].Value = *f.String
		case f.Number != nil:
			out[i].Value = *f.Number
		case f.Date != nil:
			out[i].Value = *f.Date
		case f.Boolean != nil:
			out[i].Value = *f.Boolean
		}
	}
	return out
}
