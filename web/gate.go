// SPDX-License-Identifier: EUPL-1.2

package web

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/ozg-cloud/platform/internal/problem"
)

// class is the rank of an operation where not all can be carried out at once: the higher goes first.
type class int

const (
	statistical class = iota // of those who only count
	following                // what lasts: only its beginning has to wait
	looking                  // queries
	working                  // mutations
	applying                 // what brings an application in
	classes     = iota
)

var classNames = [classes]string{"statistics", "subscription", "query", "mutation", "intake"}

// waits is how long each class may expect to wait for its turn. Who would wait longer is refused at once, and who does wait twice as
// long, because others went first all the time, is refused then, and with it for a while all who come after.
var waits = [classes]time.Duration{100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second}

const (
	strainEvery = 100 * time.Millisecond
	strainMost  = 5 * time.Millisecond // what somebody inside may wait for a connection to the database, on average
	relax       = 0.9                  // what the limit becomes a part of when they wait longer
	barredFor   = 2 * time.Second      // nobody of a class waits any more after one has waited in vain
)

// gate lets as many operations inside as the database carries, and the others wait before it, in the order of their classes, instead of
// behind it in the order of their coming. What the database carries is found out: one more for as long as nobody inside has to wait for
// a connection, a tenth less when they do (additive increase, multiplicative decrease).
type gate struct {
	least, most float64
	strain      func() (waited time.Duration, times int64)

	mu      sync.Mutex
	limit   float64
	inside  int
	waiting [classes][]*turn // first come, first served
	barred  [classes]time.Time
	pace    time.Duration // from one who leaves to the next, of late, while others wait
	awaited time.Time     // since when it was the next one's turn to leave

	since  time.Time     // the limit was looked at
	full   bool          // somebody has had to wait since
	waited time.Duration // of the strain, then
	times  int64
}

// turn is somebody's place before the gate.
type turn struct{ comes chan struct{} }

// newGate makes a gate for at most so many. strain tells how long all who were inside have waited for connections since the beginning,
// and how often they took one; nil: the limit stays as it is.
func newGate(most int, strain func() (time.Duration, int64)) *gate {
	g := &gate{least: min(2, float64(most)), most: float64(most), limit: min(16, float64(most)), strain: strain, since: time.Now()}
	if strain == nil {
		g.limit = g.most
	}
	return g
}

// ask tells whether somebody of a class would be let in or could wait. It is cheap, and asked before anything else is done.
func (g *gate) ask(c class) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.hopeless(c)
}

// hopeless refuses who would have to wait for too long.
func (g *gate) hopeless(c class) error {
	if g.inside < int(g.limit) {
		return nil
	}
	now, ahead, barred := time.Now(), 1, false
	for k := c; k < classes; k++ {
		ahead += len(g.waiting[k])
		barred = barred || now.Before(g.barred[k])
	}
	wait := time.Duration(ahead)*g.pace + now.Sub(g.awaited) // where nobody leaves, nobody can expect to get in
	if wait <= waits[c] && !barred {
		return nil
	}
	return overloaded(wait)
}

func overloaded(wait time.Duration) error {
	p := problem.New(problem.Busy, "overloaded")
	p.RetryAfterSeconds = seconds(wait)
	return p
}

// seconds rounds up, and is at least one.
func seconds(d time.Duration) int { return max(1, int((d+time.Second-1)/time.Second)) }

// enter waits for the turn of somebody of a class, and is left again by calling leave. The error is that of a busy house, or of a context
// that has ended.
func (g *gate) enter(ctx context.Context, c class) (leave func(), err error) {
	g.mu.Lock()
	if g.inside < int(g.limit) {
		g.inside++
		g.awaited = time.Now()
		g.mu.Unlock()
		return g.leave, nil
	}
	g.full = true
	if err := g.hopeless(c); err != nil {
		g.mu.Unlock()
		return nil, err
	}
	t := &turn{make(chan struct{})}
	g.waiting[c] = append(g.waiting[c], t)
	g.mu.Unlock()
	patience := time.NewTimer(2 * waits[c])
	defer patience.Stop()
	select {
	case <-t.comes:
		return g.leave, nil
	case <-patience.C:
		err = overloaded(waits[c])
	case <-ctx.Done():
		err = ctx.Err()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.waiting[c], t); i >= 0 {
		g.waiting[c] = slices.Delete(g.waiting[c], i, i+1)
		if ctx.Err() == nil { // others went first all the time, and will for a while
			g.barred[c] = time.Now().Add(barredFor)
		}
		return nil, err
	}
	return g.leave, nil // the turn has come meanwhile
}

// leave makes room for the next.
func (g *gate) leave() {
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.waits() {
		g.pace += (now.Sub(g.awaited) - g.pace) / 16
	}
	g.awaited = now
	g.inside--
	g.adjust(now)
	g.admit()
}

// waits tells whether anybody does.
func (g *gate) waits() bool {
	return slices.ContainsFunc(g.waiting[:], func(w []*turn) bool { return len(w) > 0 })
}

// admit lets in those whose turn it is.
func (g *gate) admit() {
	for c := class(classes - 1); c >= 0 && g.inside < int(g.limit); {
		if len(g.waiting[c]) == 0 {
			c--
			continue
		}
		close(g.waiting[c][0].comes)
		g.waiting[c] = slices.Delete(g.waiting[c], 0, 1)
		g.inside++
	}
}

// adjust looks every now and then at how those inside have fared.
func (g *gate) adjust(now time.Time) {
	if g.strain == nil || now.Sub(g.since) < strainEvery {
		return
	}
	waited, times := g.strain()
	switch mean := (waited - g.waited) / time.Duration(max(1, times-g.times)); {
	case mean > strainMost:
		g.limit = max(g.least, g.limit*relax)
	case g.full:
		g.limit = min(g.most, g.limit+1)
	}
	g.since, g.full, g.waited, g.times = now, false, waited, times
}

// state is what the gate looks like from outside.
func (g *gate) state() (limit, inside int, waiting [classes]int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for c := range waiting {
		waiting[c] = len(g.waiting[c])
	}
	return int(g.limit), g.inside, waiting
}
