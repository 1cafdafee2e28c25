// SPDX-License-Identifier: EUPL-1.2

package web

import (
	"context"
	"sync"
	"time"

	"github.com/ozg-cloud/platform/internal/problem"
)

// streams counts the connections that last: sockets and event streams.
type streams struct {
	most   int
	ending context.Context // ends when they are to end
	end    context.CancelFunc
	gone   chan struct{} // closed when they have ended

	mu     sync.Mutex
	open   int
	closed bool
}

func newStreams(most int) *streams {
	s := &streams{most: most, gone: make(chan struct{})}
	s.ending, s.end = context.WithCancel(context.Background())
	return s
}

// enter lets one more in, or says why not. Who entered leaves.
func (s *streams) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return problem.New(problem.Busy, "shuttingDown")
	case s.open >= s.most:
		return problem.New(problem.Busy, "overloaded")
	}
	s.open++
	return nil
}

func (s *streams) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	if s.closed && s.open == 0 {
		close(s.gone)
	}
}

// close tells all of them to end and lets nobody in any more.
func (s *streams) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.end()
	if s.open == 0 {
		close(s.gone)
	}
}

// enter lets a connection that lasts into the house.
func (d *Door) enter() error {
	if d.draining.Load() {
		return problem.New(problem.Busy, "shuttingDown")
	}
	return d.streams.enter()
}

// untilSignedOut calls end when the sign-in of the principal in ctx ends; release takes that back.
func (d *Door) untilSignedOut(ctx context.Context, end func()) (release func() bool) {
	if d.o.SignedInUntil != nil {
		if at := d.o.SignedInUntil(ctx); !at.IsZero() {
			return time.AfterFunc(time.Until(at), end).Stop
		}
	}
	return func() bool { return false }
}

// aside does something on a stack of its own. A goroutine that waits for hours keeps the stack that it once needed, and there are as many as streams.
// What panics there panics here, with the stack that it had there (panicked): in events, which has its own, nobody could read that.
func aside(do func()) {
	var failed error
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				failed = panicked(p)
			}
		}()
		do()
	}()
	if <-done; failed != nil {
		panic(failed)
	}
}
