// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"cmp"
	"context"
	"fmt"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/store"
)

// eventDays is how long the log of events is kept where nobody says otherwise.
const eventDays = 30

// forgetEvents makes room for the events to come and drops those of the weeks that ended more than so many days ago.
func forgetEvents(ctx context.Context, writes *store.Driver, days int) error {
	ctx = authz.With(ctx, authz.System(authz.Sweeping))
	if err := writes.Exec(ctx, "select ozg_keep_events($1)", []any{cmp.Or(days, eventDays)}, nil); err != nil {
		return fmt.Errorf("cmd: forgetting events: %w", err)
	}
	return nil
}
