// SPDX-License-Identifier: EUPL-1.2

package reading

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/internal/problem"
)

// Line is an access as it is written down.
type Line struct {
	ID uuid.UUID
	At time.Time
	Access
}

const (
	// mostWaiting bounds the lines that are noted and not yet written.
	mostWaiting = 10_000
	// patience is how long an answer waits for room.
	patience = time.Second
	// gathered is how long lines wait for others.
	gathered = 200 * time.Millisecond
	// longestPause is between two attempts to write.
	longestPause = 5 * time.Second
	// lastWords is how long the rest may take when the book is closed.
	lastWords = 10 * time.Second
)

// Book is a Witness that notes accesses at once and writes them in batches, each line at most 200 ms later where the database answers.
// While it does not, answers with personal data are given until the book is full, and then no more: they are refused as Busy after a second.
// What is noted and not yet written is lost when the process is killed. Nothing is ever written that was not about to be shown.
type Book struct {
	write func(context.Context, []Line) error
	clock func() time.Time
	log   *slog.Logger

	room  chan struct{} // holds one for each line that is noted and not written
	wake  chan struct{}
	hurry chan struct{}

	mu      sync.Mutex
	pending []Line
	known   map[sheet]int // where in pending a request's line about a case is
	noted   int
	written int
	turned  chan struct{} // closed when written rises
	closed  bool
}

// sheet is what one line is about.
type sheet struct {
	request any
	file    uuid.UUID
}

// NewBook makes a book. write stores all lines or none, and a line that it has stored already only once.
func NewBook(write func(context.Context, []Line) error, clock func() time.Time, log *slog.Logger) *Book {
	return &Book{
		write: write, clock: clock, log: log,
		room: make(chan struct{}, mostWaiting), wake: make(chan struct{}, 1), hurry: make(chan struct{}, 1),
		known: map[sheet]int{}, turned: make(chan struct{}),
	}
}

// Witness notes accesses. Those of one request to one case become one line, unless they are so far apart that the first part is written already.
func (b *Book) Witness(ctx context.Context, seen []Access) error {
	if err := b.reserve(ctx, len(seen)); err != nil {
		return err
	}
	now := b.clock().UTC().Truncate(time.Microsecond)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		b.release(len(seen))
		return problem.New(problem.Busy, "shuttingDown")
	}
	for _, a := range seen {
		s := sheet{a.Request, a.Case}
		if i, ok := b.known[s]; ok && a.Request != nil {
			fields := append(slices.Clone(b.pending[i].Fields), a.Fields...)
			slices.Sort(fields)
			b.pending[i].Fields = slices.Compact(fields)
			b.release(1)
			continue
		}
		b.known[s] = len(b.pending)
		b.pending = append(b.pending, Line{uuid.Must(uuid.NewV7()), now, a})
		b.noted++
	}
	signal(b.wake)
	return nil
}

// reserve takes room for n lines, all or none.
func (b *Book) reserve(ctx context.Context, n int) error {
	var late <-chan time.Time
	for i := range n {
		select {
		case b.room <- struct{}{}:
			continue
		default:
		}
		if late == nil {
			t := time.NewTimer(patience)
			defer t.Stop()
			late = t.C
		}
		select {
		case b.room <- struct{}{}:
		case <-late:
			b.release(i)
			return problem.New(problem.Busy, "overloaded")
		case <-ctx.Done():
			b.release(i)
			return problem.New(problem.Busy, "timeout")
		}
	}
	return nil
}

func (b *Book) release(n int) {
	for range n {
		<-b.room
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Keep writes until ctx ends. Then it writes what is left and closes the book: from then on nothing personal is shown.
func (b *Book) Keep(ctx context.Context) {
	defer b.close(ctx)
	for {
		select {
		case <-b.wake:
		case <-ctx.Done():
			return
		}
		pause := time.NewTimer(gathered)
		select {
		case <-pause.C:
		case <-b.hurry:
		case <-ctx.Done():
		}
		pause.Stop()
		if !b.store(ctx) {
			return
		}
	}
}

// store writes what is pending, however often it takes. false: ctx has ended before.
func (b *Book) store(ctx context.Context) bool {
	lines := b.take()
	for wait := gathered; len(lines) > 0; wait = min(2*wait, longestPause) {
		err := b.write(ctx, lines)
		if err == nil {
			b.done(len(lines))
			break
		}
		if ctx.Err() == nil {
			b.log.ErrorContext(ctx, "the access log cannot be written", "lines", len(lines), "error", err)
		}
		pause := time.NewTimer(wait)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			b.giveBack(lines)
			return false
		}
	}
	return true
}

func (b *Book) take() []Line {
	b.mu.Lock()
	defer b.mu.Unlock()
	lines := b.pending
	b.pending = nil
	clear(b.known)
	for i := range lines {
		lines[i].Request = nil // which may hold much
	}
	return lines
}

func (b *Book) giveBack(lines []Line) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pending = append(lines, b.pending...)
	clear(b.known)
}

func (b *Book) done(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.written += n
	b.release(n)
	close(b.turned)
	b.turned = make(chan struct{})
}

// close writes the rest, for a while.
func (b *Book) close(ctx context.Context) {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer cancel()
	lines := b.take()
	if len(lines) == 0 {
		return
	}
	if err := b.write(ctx, lines); err != nil {
		b.log.ErrorContext(ctx, "the end of the access log is lost", "lines", len(lines), "error", err)
		return
	}
	b.done(len(lines))
}

// Settle waits until all that was noted before is written.
func (b *Book) Settle(ctx context.Context) error {
	b.mu.Lock()
	upTo := b.noted
	b.mu.Unlock()
	for {
		b.mu.Lock()
		settled, turned := b.written >= upTo, b.turned
		b.mu.Unlock()
		if settled {
			return nil
		}
		signal(b.hurry)
		select {
		case <-turned:
		case <-ctx.Done():
			return fmt.Errorf("reading: waiting for the access log: %w", ctx.Err())
		}
	}
}
