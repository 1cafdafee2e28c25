// SPDX-License-Identifier: EUPL-1.2

package events

import (
	"context"
	"crypto/rand"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/ozg-cloud/platform/authz"
)

const (
	// idle is how long the reader waits where nobody says that there is something to read. All that waking does is to shorten it.
	idle = 100 * time.Millisecond
	// brisk is the time between two readings where something holds the log up, and the longest where somebody has written.
	brisk = 20 * time.Millisecond
	// breath is the shortest time between two readings. It is longer where reading takes longer, which is when there is much to do: so that no more
	// than a fifth of the time is spent on reading, and what is written meanwhile is read and told at once.
	breath = 2 * time.Millisecond
	// remembered is how many of the newest entries are kept. Who is further behind reads the database.
	remembered = 20_000
	// atOnce bounds how many receivers read the database at the same time.
	atOnce = 8
	// longestPause is between two attempts to read.
	longestPause = 5 * time.Second
	// channel is where processes that share a database call each other.
	channel = "ozg_events"
)

// Log is the log as one process sees it: a single reader, and all receivers that it wakes.
type Log struct {
	pool   *pgxpool.Pool
	log    *slog.Logger
	scope  authz.Scope
	name   string // by which the process knows its own calls
	nudged chan struct{}
	called chan struct{}
	doors  chan struct{}
	begun  chan struct{} // closed after the first reading

	mu        sync.Mutex
	entries   []Entry  // never changed in place
	since     Position // entries are all that lies behind it,
	to        Position // up to here
	oldest    Position // nothing is left up to here
	version   int64    // of all rights when they were read
	receivers map[*receiver]struct{}
}

// NewLog makes the log of a process. pool is one that cannot write.
func NewLog(pool *pgxpool.Pool, log *slog.Logger) *Log {
	return &Log{
		pool: pool, log: log, scope: authz.System(authz.Telling).Scope(), name: rand.Text(),
		nudged: make(chan struct{}, 1), called: make(chan struct{}, 1), doors: make(chan struct{}, atOnce), begun: make(chan struct{}),
		receivers: map[*receiver]struct{}{},
	}
}

// Nudge says that this process has written. The others are called, once for all that is written between two readings.
func (l *Log) Nudge() { signal(l.nudged) }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run reads the log until ctx ends. Without it nothing is ever told.
func (l *Log) Run(ctx context.Context) {
	var wait sync.WaitGroup
	wait.Go(func() { l.listen(ctx) })
	defer wait.Wait()
	call, pause := false, brisk
	for {
		last := time.Now()
		r, err := l.poll(ctx, call)
		rest := min(max(4*time.Since(last), breath), brisk)
		switch {
		case err == nil:
			call, pause = false, idle
			if r.held {
				pause = brisk
			}
		case ctx.Err() == nil:
			l.log.ErrorContext(ctx, "the log of events cannot be read", "error", err)
			pause = min(2*pause, longestPause)
		}
		if err == nil && r.more {
			continue
		}
		timer := time.NewTimer(pause)
		select {
		case <-l.nudged:
			call = true
		case <-l.called:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		if rest -= time.Since(last); rest > 0 {
			timer.Reset(rest)
			select {
			case <-timer.C:
			case <-ctx.Done():
			}
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// poll reads what is new, and calls the other processes where this one has written.
func (l *Log) poll(ctx context.Context, call bool) (reach, error) {
	ctx, cancel := context.WithTimeout(ctx, longestPause)
	defer cancel()
	var first []func(*pgx.Batch)
	if call {
		first = append(first, func(b *pgx.Batch) { b.Queue("select pg_notify($1, $2)", channel, l.name) })
	}
	l.mu.Lock()
	mark, begun := l.to, l.to != Position{}
	l.mu.Unlock()
	if !begun {
		// The first reading only asks where the log ends. What lies before is there for those who ask for it.
		mark = Position{XID: 1<<48 - 1}
	}
	found, r, err := read(ctx, l.pool, l.scope, span{mark, nil, page}, first...)
	if err != nil {
		return r, err
	}
	l.advance(found, r)
	return r, nil
}

// advance takes in what was read and wakes whom it concerns.
func (l *Log) advance(found []Entry, r reach) {
	for _, v := range l.concerned(found, r) { // they begin by asking for what is locked until here
		signal(v.wake)
	}
}

// concerned takes in what was read and gives those who wait and whom it concerns.
func (l *Log) concerned(found []Entry, r reach) (all []*receiver) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.to == (Position{}) {
		l.since, l.to = r.to, r.to
		close(l.begun)
	}
	changed := r.version != l.version
	l.entries, l.version, l.oldest = append(l.entries, found...), r.version, r.oldest
	if r.to.Compare(l.to) > 0 {
		l.to = r.to
	}
	if over := len(l.entries) - remembered; over > 0 {
		l.since = l.entries[over-1].At
		l.entries = slices.Clone(l.entries[over:])
	}
	for v := range l.receivers {
		switch {
		case v.behind:
		case changed || v.hears(found):
			v.behind = true
			all = append(all, v)
		case l.to.Compare(v.mark) > 0:
			v.mark = l.to
		}
	}
	return all
}

// hears tells whether one of some entries concerns a receiver.
func (v *receiver) hears(found []Entry) bool {
	for i := range found {
		if v.concerned(&found[i]) {
			return true
		}
	}
	return false
}

// listen lets the other processes call, as long as the database lets it. Without it the reader is a little later.
func (l *Log) listen(ctx context.Context) {
	for pause := brisk; ctx.Err() == nil; pause = min(2*pause, longestPause) {
		err := l.hear(ctx, func() { pause = brisk })
		if ctx.Err() != nil {
			return
		}
		l.log.WarnContext(ctx, "other processes cannot call, so that their events come a little later", "error", err)
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

func (l *Log) hear(ctx context.Context, heard func()) error {
	pooled, err := l.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	conn := pooled.Hijack() // it is no longer as the pool made it
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, "listen "+channel); err != nil {
		return err
	}
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		heard()
		if n.Payload != l.name {
			signal(l.called)
		}
	}
}
