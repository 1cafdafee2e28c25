// SPDX-License-Identifier: EUPL-1.2

package partners

import (
	"context"
	"errors"
	"time"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/events"
	"github.com/ozg-cloud/platform/internal/problem"
)

// errDue ends a lane whose next attempt is due later; errGiven one that has found what it looked for.
var (
	errDue   = errors.New("partners: it is tried again later")
	errGiven = errors.New("partners: nothing further is needed")
)

// lead leads a webhook along the log, until it has to wait, is told to rest, stops, or ctx ends.
func (c *Courier) lead(ctx context.Context, h hook) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	keeping, taken := make(chan struct{}), h
	go func() {
		defer close(keeping)
		c.keep(ctx, taken, cancel)
	}()
	err := c.follow(ctx, &h)
	cancel()
	<-keeping
	c.leave(context.WithoutCancel(ctx), h, err)
}

// keep renews the lease in time. Where that fails, somebody else may work on the webhook soon, so that this one stops before.
func (c *Courier) keep(ctx context.Context, h hook, lost func()) {
	again := time.NewTicker(c.patience.Lease / 4)
	defer again.Stop()
	since := time.Now()
	for {
		select {
		case <-again.C:
		case <-ctx.Done():
			return
		}
		begun := time.Now()
		err := c.books.keepHook(ctx, h)
		switch {
		case err == nil:
			since = begun
		case errors.Is(err, errLost), time.Since(since) > c.patience.Lease/2:
			lost()
			return
		default:
			c.complain(ctx, err)
		}
	}
}

// leave gives the webhook back as it has to be.
func (c *Courier) leave(ctx context.Context, h hook, err error) {
	ctx, cancel := context.WithTimeout(ctx, dialWithin)
	defer cancel()
	rule, stops := final(err)
	switch {
	case errors.Is(err, errDue), errors.Is(err, errLost):
		return
	case stops:
		c.log.WarnContext(ctx, "a webhook stops", "webhook", h.id, "rule", rule)
		err = c.books.stopHook(ctx, h, rule)
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		err = c.books.leaveHook(ctx, h, 0)
	default:
		c.log.WarnContext(ctx, "a webhook could not be led on", "webhook", h.id, "error", err)
		err = c.books.leaveHook(ctx, h, c.patience.pause(3))
	}
	c.complain(ctx, err)
}

// follow reads frames from behind the mark and sends them, one after the other.
func (c *Courier) follow(ctx context.Context, h *hook) error {
	document, err := live(h.text)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		p, err := c.engine.Who(ctx, h.subject, h.trust)
		if err != nil {
			return err
		}
		if err := mayKeep(p, "webhook", h.place); err != nil {
			return err
		}
		q := Question{Subject: h.subject, Trust: h.trust, Held: h.held, Document: document, After: c.cursors.Checkpoint(h.mark), Purpose: purpose}
		told := false
		err = c.engine.Play(ctx, q, func(a Answer) error { told = true; return c.take(ctx, h, a) })
		switch {
		case errors.Is(err, ErrAgain):
		case err != nil:
			return err
		case !told && ctx.Err() == nil:
			return problem.New(problem.Busy, "notAvailable") // a stream that ends before it begins would end again at once
		}
	}
	return ctx.Err()
}

// take sends a frame, or moves on over a checkpoint.
func (c *Courier) take(ctx context.Context, h *hook, a Answer) error {
	typ, caughtUp := a.Frame()
	at, ok := c.cursors.Open(a.Cursor)
	if !ok || typ == "" {
		return refusal(a)
	}
	if err := mayKeep(a.Reader, "webhook", h.place); err != nil {
		return err
	}
	held := a.Reader.Assignments
	frame := frames[typ]
	if frame == "" {
		if err := c.books.passed(ctx, *h, at, held, caughtUp); err != nil {
			return err
		}
		h.mark, h.held = at, held
		return nil
	}
	if err := c.deliver(ctx, *h, frame, at, held, a); err != nil {
		return err
	}
	h.mark, h.held = at, held
	return nil
}

// deliver makes one attempt. Where it fails, the rest is for later, unless it was the last one.
func (c *Courier) deliver(ctx context.Context, h hook, frame string, at events.Position, held []authz.Assignment, a Answer) error {
	id, attempts, err := c.books.attempt(ctx, h, frame, at)
	if err != nil {
		return err
	}
	o, err := envelope{h.id, id, h.url, a.Cursor, attempts, a.Body}.send(ctx, c.post, c.signer, c.clock())
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil && o.failure != "" {
		return err // this house gave up, not the receiver
	}
	// What the receiver has taken is written down also when the house is told to end meanwhile.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dialWithin)
	defer cancel()
	switch {
	case o.failure == "":
		return c.books.delivered(ctx, h, id, at, held, o)
	case attempts >= c.patience.Attempts:
		c.log.WarnContext(ctx, "a delivery is dead", "webhook", h.id, "delivery", id, "failure", o.failure, "status", o.status)
		return c.books.dead(ctx, h, id, at, held, o, c.patience.DeadInRow)
	}
	if err := c.books.failed(ctx, h, id, o, max(c.patience.pause(attempts), min(o.again, c.patience.Latest))); err != nil {
		return err
	}
	return errDue
}

// replay sends an event once more, as it is shown now.
func (c *Courier) replay(ctx context.Context, r replay) error {
	o := outcome{failure: "GONE"}
	document, err := live(r.text)
	if err != nil {
		return err
	}
	p, err := c.engine.Who(ctx, r.subject, r.trust)
	if err == nil {
		err = mayKeep(p, "webhook", r.place)
	}
	if err == nil {
		before := events.Position{XID: r.at.XID, Seq: max(r.at.Seq-1, 0)}
		q := Question{Subject: r.subject, Trust: r.trust, Document: document, After: c.cursors.Checkpoint(before), Purpose: purpose}
		err = c.engine.Play(ctx, q, func(a Answer) error {
			typ, caughtUp := a.Frame()
			at, ok := c.cursors.Open(a.Cursor)
			switch {
			case !ok || typ == "":
				return refusal(a)
			case frames[typ] == "EVENT" && at == r.at:
				var err error
				if o, err = (envelope{r.id, r.delivery, r.url, a.Cursor, r.attempts, a.Body}).send(ctx, c.post, c.signer, c.clock()); err != nil {
					return err
				}
				return errGiven
			case at.Compare(r.at) >= 0 || caughtUp || frames[typ] == "GAP":
				return errGiven
			}
			return nil
		})
	}
	if ctx.Err() != nil && o.failure != "" {
		return ctx.Err() // somebody else tries it after a while
	}
	if _, never := final(err); err != nil && !errors.Is(err, errGiven) && !never {
		return err
	}
	return c.books.replayed(context.WithoutCancel(ctx), r, o)
}
