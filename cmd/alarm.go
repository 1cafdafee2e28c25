// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/ozg-cloud/platform/reading"
)

// alarm is raised when the second wall has caught something that the first let through. Nobody has been harmed yet, and somebody has to mend
// the program.
type alarm struct {
	log    *slog.Logger
	caught atomic.Int64
}

// raise is told names of what was caught, no values.
func (a *alarm) raise(ctx context.Context, what string) {
	a.caught.Add(1)
	a.log.ErrorContext(ctx, "second wall", "caught", what)
}

// watching starts a watch over a connection of its own, and gives what stops it.
func watching(ctx context.Context, g Ground, a *alarm) (w *reading.Watch, stop func(), err error) {
	c, err := pgxpool.ParseConfig(g.WatchURL)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the address of the watch: %w", err)
	}
	c.MaxConns = 1
	maps.Copy(c.ConnConfig.RuntimeParams, map[string]string{"application_name": "ozg watch", "timezone": "UTC", "jit": "off", "statement_timeout": "10s"})
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, nil, fmt.Errorf("opening the pool of the watch: %w", err)
	}
	w = reading.NewWatch(pool, g.WatchEvery, a.raise, g.Log)
	end := running(ctx, w.Run)
	return w, func() { end(); pool.Close() }, nil
}
