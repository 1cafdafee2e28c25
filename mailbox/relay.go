// SPDX-License-Identifier: EUPL-1.2

package mailbox

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
)

// Desk keeps the letters and what became of them.
type Desk interface {
	// Letters gives up to most letters that wait for a mailbox of a kind, oldest first, those behind another one; behind the zero
	// Letter come all.
	Letters(ctx context.Context, kind string, after Letter, most int) ([]Letter, error)
	// Provided records what a receipt says. A second time changes nothing.
	Provided(ctx context.Context, id uuid.UUID, providedAt, notifiedAt time.Time) error
	// Refused records that the mailbox will never take the letter. It never undoes Provided, and a second time changes nothing.
	Refused(ctx context.Context, id uuid.UUID) error
}

// Relay carries letters from the desk to mailboxes. Several relays over one desk do no harm: some letters are then handed over twice, under
// the same key.
type Relay struct{ lanes []*lane }

// NewRelay makes a relay for mailboxes by the kind of account that they belong to. Letters for any other kind keep waiting.
func NewRelay(desk Desk, boxes map[string]Mailbox, log *slog.Logger, clock func() time.Time) *Relay {
	r := &Relay{}
	for kind, box := range boxes {
		r.lanes = append(r.lanes, &lane{
			kind: kind, box: box, desk: desk, log: log.With("mailbox", kind), clock: clock,
			nudged: make(chan struct{}, 1), waiting: map[uuid.UUID]wait{}, met: map[uuid.UUID]bool{},
		})
	}
	return r
}

// Run carries letters until ctx ends, and returns when nothing is under way any more. Each mailbox has a lane of its own: one that is
// slow or out of order holds up no other. Failures are logged and tried again, so there is no error to return.
func (r *Relay) Run(ctx context.Context) {
	ctx = authz.With(ctx, authz.System(authz.Relay))
	var lanes sync.WaitGroup
	for _, l := range r.lanes {
		lanes.Go(func() { l.run(ctx) })
	}
	lanes.Wait()
}

// Nudge says that there may be something new. It never waits, and many nudges are one.
func (r *Relay) Nudge() {
	for _, l := range r.lanes {
		select {
		case l.nudged <- struct{}{}:
		default:
		}
	}
}
