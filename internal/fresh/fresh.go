// SPDX-License-Identifier: EUPL-1.2

// Package fresh keeps in memory what the database says under a version, half a second behind it, so that asking never waits.
// What is kept, and how it is read, belongs to the rooms whose it is.
package fresh

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Kept is what a process knows of something that changes seldom and is read all the time.
type Kept[T any] struct {
	pool    *pgxpool.Pool
	name    string
	version string
	read    func(ctx context.Context, before T) (T, error)
	known   atomic.Pointer[state[T]]
}

type state[T any] struct {
	version int64
	is      T
}

// Keep makes a copy that knows nothing but first before it is refreshed. name says in errors and in the log what it is; version is the table whose one
// row has the version, which is above zero and rises with each change; read reads all of it, and may take over from before what has not changed.
func Keep[T any](pool *pgxpool.Pool, name, version string, first T, read func(ctx context.Context, before T) (T, error)) *Kept[T] {
	k := &Kept[T]{pool: pool, name: name, version: version, read: read}
	k.known.Store(&state[T]{is: first})
	return k
}

// Now is what is known.
func (k *Kept[T]) Now() T { return k.known.Load().is }

// Ready says what keeps it from knowing anything; nil once it does.
func (k *Kept[T]) Ready(ctx context.Context) error {
	if k.known.Load().version > 0 {
		return nil
	}
	return k.Refresh(ctx)
}

// Refresh reads what has changed since the last time. What was known stays known where that fails.
func (k *Kept[T]) Refresh(ctx context.Context) error {
	before := k.known.Load()
	var version int64
	if err := k.pool.QueryRow(ctx, "select version from "+k.version).Scan(&version); err != nil {
		return fmt.Errorf("%s: asking for the version: %w", k.name, err)
	}
	if version == before.version {
		return nil
	}
	// Where somebody changes something just now, it comes under the older version, and is read again the next time.
	is, err := k.read(ctx, before.is)
	if err != nil {
		return err
	}
	k.known.Store(&state[T]{version, is})
	return nil
}

// every is how often it is looked for changes.
const every = 500 * time.Millisecond

// Run refreshes until ctx ends. A failure is logged once until the next success.
func (k *Kept[T]) Run(ctx context.Context, log *slog.Logger) {
	again := time.NewTicker(every)
	defer again.Stop()
	failing := false
	for {
		err := k.Refresh(ctx)
		if err != nil && ctx.Err() == nil && !failing {
			log.ErrorContext(ctx, "what is kept in memory is not refreshed", "of", k.name, "error", err)
		}
		failing = err != nil
		select {
		case <-again.C:
		case <-ctx.Done():
			return
		}
	}
}
