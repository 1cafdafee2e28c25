// SPDX-License-Identifier: EUPL-1.2

package mailbox

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/internal/problem"
)

const (
	look     = 30 * time.Second // how often a lane looks for letters that nobody nudged it about
	soonest  = time.Second      // a letter that failed once is tried again after about this time,
	latest   = 5 * time.Minute  // and one that has failed often after this
	peace    = time.Minute      // the longest rest of a lane whose mailbox is out of order
	atOnce   = 4                // letters handed to one mailbox at the same time
	pageSize = 50
)

// lane is the way to one mailbox.
type lane struct {
	kind   string
	box    Mailbox
	desk   Desk
	log    *slog.Logger
	clock  func() time.Time
	nudged chan struct{}

	waiting   map[uuid.UUID]wait // letters that are to be tried again
	after     Letter             // the last one of the walk so far, zero at its beginning
	met       map[uuid.UUID]bool // on the walk so far
	fruitless int                // pages in a row that came to nothing
}

// wait says how often a letter has failed and before when it is not tried again.
type wait struct {
	failed int
	until  time.Time
}

func (l *lane) run(ctx context.Context) {
	for ctx.Err() == nil {
		nudged := l.nudged
		rest := l.walk(ctx)
		if rest > 0 {
			nudged = nil // what is out of order is left in peace, whoever nudges
		} else {
			rest = l.untilDue()
		}
		t := time.NewTimer(rest)
		select {
		case <-nudged:
		case <-t.C:
		case <-ctx.Done():
		}
		t.Stop()
	}
}

// walk goes on through the letters that wait, from the oldest to the newest. When of all that were tried on a page none got through,
// something is out of order: then it breaks off and gives the time to rest. The next walk begins behind that page, so that letters
// which never get through hold up no other.
func (l *lane) walk(ctx context.Context) time.Duration {
	for {
		page, err := l.desk.Letters(ctx, l.kind, l.after, pageSize)
		if err != nil {
			if ctx.Err() == nil {
				l.log.ErrorContext(ctx, "looking for letters failed", "error", err)
			}
			return l.rest()
		}
		tried, done := l.handOver(ctx, page)
		for _, letter := range page {
			l.after, l.met[letter.ID] = Letter{ID: letter.ID, SentAt: letter.SentAt}, true
		}
		if len(page) < pageSize {
			l.turn()
		}
		if tried > 0 && done == 0 {
			return l.rest()
		}
		l.fruitless = 0
		if l.after.ID == uuid.Nil {
			return 0
		}
	}
}

// turn ends a walk. Letters that it has not met were carried by another relay, or erased: nobody has to wait for them.
func (l *lane) turn() {
	maps.DeleteFunc(l.waiting, func(id uuid.UUID, _ wait) bool { return !l.met[id] })
	clear(l.met)
	l.after = Letter{}
}

func (l *lane) rest() time.Duration {
	l.fruitless++
	return min(pause(l.fruitless), peace)
}

// untilDue is the time until a letter is to be tried again, or else until the lane looks for new ones.
func (l *lane) untilDue() time.Duration {
	soon := look
	for _, w := range l.waiting {
		soon = min(soon, w.until.Sub(l.clock()))
	}
	return max(soon, 0)
}

// handOver hands over those letters of a page that are due, and says how many were tried and how many need no further try.
func (l *lane) handOver(ctx context.Context, page []Letter) (tried, done int) {
	var due []Letter
	now := l.clock()
	for _, letter := range page {
		if !now.Before(l.waiting[letter.ID].until) {
			due = append(due, letter)
		}
	}
	failed := make([]error, len(due))
	free := make(chan struct{}, atOnce)
	var under sync.WaitGroup
	for i, letter := range due {
		free <- struct{}{}
		under.Go(func() {
			failed[i] = l.carry(ctx, letter)
			<-free
		})
	}
	under.Wait()
	for i, letter := range due {
		if failed[i] == nil {
			delete(l.waiting, letter.ID)
			done++
			continue
		}
		w := wait{failed: l.waiting[letter.ID].failed + 1}
		w.until = l.clock().Add(max(pause(w.failed), asked(failed[i])))
		l.waiting[letter.ID] = w
		if ctx.Err() == nil {
			l.log.WarnContext(ctx, "a letter was not provided yet", "message", letter.ID, "failed", w.failed, "error", failed[i])
		}
	}
	return len(due), done
}

// carry hands a letter over and records what became of it. Between the two the house may fall: the letter is then handed over again.
func (l *lane) carry(ctx context.Context, letter Letter) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	got, err := l.box.Provide(ctx, letter)
	switch {
	case errors.Is(err, &problem.Problem{Kind: problem.Invalid}):
		l.log.WarnContext(ctx, "a letter was refused", "message", letter.ID)
		err = l.desk.Refused(ctx, letter.ID)
	case err != nil:
		return err
	default:
		if got, err = got.against(letter, l.clock()); err != nil {
			return err
		}
		err = l.desk.Provided(ctx, letter.ID, got.ProvidedAt, got.NotifiedAt)
	}
	if errors.Is(err, &problem.Problem{Kind: problem.Missing}) {
		return nil // erased in the meantime
	}
	return err
}

// asked is how long the mailbox wants to be left in peace, as far as that is reasonable.
func asked(err error) time.Duration {
	if p, ok := problem.Of(err); ok {
		return min(time.Duration(p.RetryAfterSeconds)*time.Second, latest)
	}
	return 0
}

// pause doubles with every failure up to latest. Half of it is left to chance, so that not all come back at once.
func pause(failed int) time.Duration {
	d := latest
	if failed < 10 { // the doubling would overflow at some time
		d = min(soonest<<(failed-1), latest)
	}
	return d/2 + rand.N(d/2) //nolint:gosec // no secret
}
