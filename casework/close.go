// SPDX-License-Identifier: EUPL-1.2

package casework

import (
	"context"

	"github.com/ozg-cloud/platform/internal/problem"
)

// Close ends a decided case (abschließen); it is read-only from then on.
func (d *Desk) Close(ctx context.Context, on On) (Changed, error) {
	return d.change(ctx, on, "close", func(w *work) error {
		w.line.Action = CaseClosed
		w.update.SetClosedAt(w.now)
		return w.goes(Close, "")
	})
}

// Reopen takes up a decided or closed case again (wieder aufnehmen); its decisions stay until a new one replaces them.
func (d *Desk) Reopen(ctx context.Context, on On, reason string) (Changed, error) {
	if err := problem.InFilledText(reason, longestReason, "input", "reason"); err != nil {
		return Changed{}, err
	}
	return d.change(ctx, on, "reopen", func(w *work) error {
		w.line.Action = CaseReopened
		w.update.ClearClosedAt()
		return w.goes(Reopen, reason)
	})
}
