// SPDX-License-Identifier: EUPL-1.2

package events

import (
	"context"
	"fmt"
)

// Now is how far the log can be read at this moment: whatever was committed before the call stands before it, or can already be seen by whoever
// reads from now on. What can be seen and stands behind it waited for a transaction that still runs.
func (l *Log) Now(ctx context.Context) (Position, error) {
	var p Position
	if err := l.pool.QueryRow(ctx, "select pg_snapshot_xmin(pg_current_snapshot())").Scan(&p.XID); err != nil {
		return p, fmt.Errorf("events: asking for the horizon: %w", err)
	}
	return p, nil
}
