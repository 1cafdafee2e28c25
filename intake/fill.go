// SPDX-License-Identifier: EUPL-1.2

package intake

import (
	"context"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/schema"
	"github.com/ozg-cloud/platform/extension/values"
)

// fill writes what the form says of the extension fields of the new case and of who applies.
func (d *Desk) fill(ctx context.Context, tx *ent.Tx, form []schema.FormItem, to address, caseID, applicant uuid.UUID) error {
	if d.added == nil {
		return nil
	}
	chain := d.added(to.tenant.Place)
	for _, row := range []values.Row{{Target: "Case", ID: caseID}, {Target: "Applicant", ID: applicant}} {
		if len(chain.Fields(row.Target)) == 0 {
			continue
		}
		records, left := chain.FromForm(row.Target, values.Items(form))
		for _, p := range left {
			d.unfit(ctx, p)
		}
		row.Tenant, row.Place, row.Case = to.tenant.ID, int64(to.tenant.Place), &caseID
		if err := values.Keep(ctx, tx, row, chain, records); err != nil {
			return err
		}
	}
	return nil
}
