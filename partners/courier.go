// SPDX-License-Identifier: EUPL-1.2

package partners

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/events"
	"github.com/ozg-cloud/platform/internal/problem"
)

// Patience says how often and how long something is tried. What is zero is as Patient says.
type Patience struct {
	// Attempts is how often a frame is tried before it is dead.
	Attempts int
	// Soonest is about how long the second attempt waits; each further one waits twice as long, but never longer than Latest.
	Soonest, Latest time.Duration
	// DeadInRow is how many dead frames one after the other stop a webhook.
	DeadInRow int
	// Look is how often a process looks for work that is due.
	Look time.Duration
	// Lease is how long work is left alone whose process says nothing.
	Lease time.Duration
}

// Patient tries a frame for about three quarters of an hour.
var Patient = Patience{Attempts: 15, Soonest: time.Second, Latest: 10 * time.Minute, DeadInRow: 10, Look: time.Second, Lease: 20 * time.Second}

func (p Patience) orPatient() Patience {
	return Patience{
		cmp.Or(p.Attempts, Patient.Attempts), cmp.Or(p.Soonest, Patient.Soonest), cmp.Or(p.Latest, Patient.Latest), cmp.Or(p.DeadInRow, Patient.DeadInRow),
		cmp.Or(p.Look, Patient.Look), cmp.Or(p.Lease, Patient.Lease),
	}
}

// pause is how long to wait after so many failures: twice as long after each, half of it left to chance, so that not all come back at once.
func (p Patience) pause(failures int) time.Duration {
	d := p.Latest
	if failures < 30 { // the doubling would overflow at some time
		d = min(p.Soonest<<(failures-1), p.Latest)
	}
	return d/2 + rand.N(d/2+1) //nolint:gosec // no secret
}

const (
	// mostLanes is how many webhooks a process works on at a time.
	mostLanes = 200
	// mostReplays is how many deliveries it replays at a time.
	mostReplays = 4
	// mostTaken is how many webhooks it takes at once, so that others get some.
	mostTaken = 20
)

// Courier sends what webhooks want sent. Any number of couriers work on one database; each webhook is worked on by one at a time.
type Courier struct {
	books    books
	engine   Engine
	cursors  *events.Cursors
	signer   Signer
	post     *http.Client
	patience Patience
	clock    func() time.Time
	log      *slog.Logger
}

// NewCourier makes a courier over the writing driver.
func NewCourier(on Books, engine Engine, cursors *events.Cursors, signer Signer, outside Outside, patience Patience, clock func() time.Time, log *slog.Logger) *Courier {
	p := patience.orPatient()
	return &Courier{books{on, p.Lease}, engine, cursors, signer, outside.client(), p, clock, log}
}

// Run sends until ctx ends, and returns when nothing is under way any more. Failures are logged and tried again, so there is no error to return.
func (c *Courier) Run(ctx context.Context) {
	var under sync.WaitGroup
	defer under.Wait()
	lanes, replays := make(chan struct{}, mostLanes), make(chan struct{}, mostReplays)
	again := time.NewTicker(c.patience.Look)
	defer again.Stop()
	for ctx.Err() == nil {
		if free := min(cap(lanes)-len(lanes), mostTaken); free > 0 {
			hooks, err := c.books.dueHooks(ctx, free)
			c.complain(ctx, err)
			for _, h := range hooks {
				lanes <- struct{}{}
				under.Go(func() { c.lead(ctx, h); <-lanes })
			}
		}
		if free := cap(replays) - len(replays); free > 0 {
			due, err := c.books.dueReplays(ctx, free)
			c.complain(ctx, err)
			for _, r := range due {
				replays <- struct{}{}
				under.Go(func() { c.complain(ctx, c.replay(ctx, r)); <-replays })
			}
		}
		select {
		case <-again.C:
		case <-ctx.Done():
		}
	}
}

func (c *Courier) complain(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil && !errors.Is(err, errLost) {
		c.log.ErrorContext(ctx, "work for partners failed", "error", err)
	}
}

// purpose is what the access log says of what a webhook shows.
const purpose = "Webhook"

// frames are what a webhook sends, by their type.
var frames = map[string]string{"CaseEvent": "EVENT", "StreamGap": "GAP", "StreamRevocation": "REVOCATION"}

// refusal is the problem of an answer that has nothing but errors.
func refusal(a Answer) error {
	if len(a.Errors) == 0 {
		return problem.New(problem.Busy, "notAvailable")
	}
	kind := problem.Busy
	switch a.Errors[0].Code {
	case "UNAUTHENTICATED":
		kind = problem.Unauthenticated
	case "FORBIDDEN":
		kind = problem.Forbidden
	case "VALIDATION", "NOT_FOUND":
		kind = problem.Invalid
	}
	return problem.New(kind, a.Errors[0].Rule)
}

// final tells whether there is no use in trying again, and the rule that says why.
func final(err error) (rule string, ok bool) {
	p, ok := problem.Of(err)
	if !ok || p.Kind == problem.Busy || p.Kind == problem.Conflict {
		return "", false
	}
	return p.Rule, true
}

// mayKeep refuses somebody who may not keep such a thing any more.
func mayKeep(p *authz.Principal, object authz.Object, at authz.Place) error {
	return p.AskToKeep(object, "create", at)
}
