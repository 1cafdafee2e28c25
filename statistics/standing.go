// SPDX-License-Identifier: EUPL-1.2

package statistics

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/internal/problem"
)

// Position is where something stands in the log of events, see events.Position.
type Position struct {
	XID uint64
	Seq int64
}

// Compare is negative where p comes before q.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.XID, q.XID), cmp.Compare(p.Seq, q.Seq))
}

const (
	// patience is how long somebody waits for what they know of to be counted.
	patience = 2 * time.Second
	// glance is between two looks at it.
	glance = 50 * time.Millisecond
)

// standing is the position up to which is counted, and the version of all rights at that moment.
func (t *Tally) standing(ctx context.Context) (at Position, version int64, err error) {
	b := &pgx.Batch{}
	b.Queue("select ozg_enter($1, $2, $3)", int64(t.scope.Lo), int64(t.scope.Hi), t.scope.Owner)
	b.Queue("select xid, seq from statistics_offset where answers")
	answers := t.log.SendBatch(ctx, b)
	defer func() { _ = answers.Close() }() // what went wrong has been told
	if err := answers.QueryRow().Scan(&version); err != nil {
		return at, 0, fmt.Errorf("statistics: entering the scope: %w", err)
	}
	if err := answers.QueryRow().Scan(&at.XID, &at.Seq); err != nil {
		return at, 0, fmt.Errorf("statistics: asking how far events are counted: %w", err)
	}
	return at, version, nil
}

// await waits until everything up to a position is counted, for two seconds; then it is the problem stillCounting.
func (t *Tally) await(ctx context.Context, wanted Position) error {
	late := time.NewTimer(patience)
	defer late.Stop()
	look := time.NewTicker(glance)
	defer look.Stop()
	for {
		at, _, err := t.standing(ctx)
		if err != nil || at.Compare(wanted) >= 0 {
			return err
		}
		select {
		case <-look.C:
		case <-late.C:
			p := problem.New(problem.Busy, "stillCounting", "atLeast")
			p.RetryAfterSeconds = 1
			return p
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
