// SPDX-License-Identifier: EUPL-1.2

package casework

import (
	"context"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/internal/problem"
)

// step is a verb that is nothing but a transition; reason is nil where none is asked for.
func (d *Desk) step(ctx context.Context, on On, t Transition, right authz.Action, action Action, reason *string) (Changed, error) {
	why := ""
	if reason != nil {
		if err := problem.InFilledText(*reason, longestReason, "input", "reason"); err != nil {
			return Changed{}, err
		}
		why = *reason
	}
	return d.change(ctx, on, right, func(w *work) error {
		w.line.Action = action
		return w.goes(t, why)
	})
}
