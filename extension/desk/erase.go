// SPDX-License-Identifier: EUPL-1.2

package desk

import (
	"context"
	"fmt"

	"github.com/ozg-cloud/platform/ent/auditentry"
	"github.com/ozg-cloud/platform/ent/extensiondefinition"
	"github.com/ozg-cloud/platform/internal/problem"
)

// Erase orders that the values of all fields that have gone up to a version are erased, for good; what the version in force has stays. The version has
// to be out of force (notRetired). The order stands in the audit log at once; the caretaker carries it out afterwards, record by record, and the version tells
// when it was done. Ordering it again is a conflict (alreadyDone).
func (d *Desk) Erase(ctx context.Context, s Step) (Outcome, error) {
	return d.step(ctx, s, func(w *step) error {
		if w.it.State != extensiondefinition.StateRETIRED {
			return problem.New(problem.Conflict, "notRetired")
		}
		if w.it.EraseOrderedAt != nil {
			return problem.New(problem.Conflict, "alreadyDone")
		}
		if err := w.update(w.it).SetEraseOrderedAt(d.now()).SetEraseOrderedBy(w.p.Subject).Exec(w.ctx); err != nil {
			return fmt.Errorf("extension: ordering to erase: %w", err)
		}
		return w.entry(auditentry.ActionEXTENSION_ERASED)
	})
}
