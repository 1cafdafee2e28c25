// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/ozg-cloud/platform/federation/charter"
	"github.com/ozg-cloud/platform/federation/directory"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/web"
)

// Directory hands on what is offered in this house, and reads what is offered in the others.
type Directory struct {
	*directory.Shelf
	belonging *Belonging
	pool      *pgxpool.Pool
	log       *slog.Logger

	own, before atomic.Pointer[directory.Snapshot] // before is handed on to those who have just read its index
}

// spread is how often a house looks what has changed, here and elsewhere.
const spread = 30 * time.Second

func newDirectory(shelf *directory.Shelf, b *Belonging, pool *pgxpool.Pool, log *slog.Logger) *Directory {
	return &Directory{Shelf: shelf, belonging: b, pool: pool, log: log}
}

// Run spreads the directory until ctx ends.
func (d *Directory) Run(ctx context.Context) {
	again := time.NewTicker(spread)
	defer again.Stop()
	for {
		if err := d.Round(ctx); err != nil && ctx.Err() == nil {
			d.log.ErrorContext(ctx, "the directory is not kept up", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
	}
}

// Round looks once what has changed here and in all other houses. A house that cannot be reached, and one whose state is refused, stays as it was known; the log
// says so. Before somebody has founded the federation there is nothing to do.
func (d *Directory) Round(ctx context.Context) error {
	roll := d.belonging.Roll()
	if roll == nil {
		return nil
	}
	if err := d.look(ctx); err != nil {
		return err
	}
	self, _ := d.belonging.Self()
	var (
		all    sync.WaitGroup
		mu     sync.Mutex
		failed []error
	)
	free := make(chan struct{}, pullAtOnce)
	for _, m := range roll.Members() {
		for _, i := range roll.Instances(m.ID) {
			fetch := directory.From(d.belonging.client, i.Endpoint)
			if i.ID == self {
				fetch = d.fetch
			}
			free <- struct{}{}
			all.Go(func() {
				defer func() { <-free }()
				if err := d.pull(ctx, fetch, i, roll); err != nil {
					mu.Lock()
					defer mu.Unlock()
					failed = append(failed, err)
				}
			})
		}
	}
	all.Wait()
	return errors.Join(failed...)
}

// look makes the state of this house afresh.
func (d *Directory) look(ctx context.Context) error {
	region := d.belonging.seat.Region
	offered, err := directory.Own(ctx, d.pool, region)
	if err != nil {
		return err
	}
	now, err := directory.NewSnapshot(region, offered)
	if err != nil {
		return err
	}
	if known := d.own.Load(); known == nil || !known.Same(now) {
		d.before.Store(known)
		d.own.Store(now)
	}
	return nil
}

// pull keeps what has changed at a house.
func (d *Directory) pull(ctx context.Context, fetch directory.Fetch, of charter.Instance, roll *charter.Roll) error {
	known, err := d.State(ctx, of.ID)
	if err != nil {
		return err
	}
	change, err := directory.Pull(ctx, fetch, of, known, roll, d.belonging.clock())
	if err != nil {
		d.log.InfoContext(ctx, "the directory of a house stays as it was", "house", of.ID, "error", err)
		return nil
	}
	return d.Keep(ctx, known, change)
}

// head signs that the state of this house holds now.
func (d *Directory) head() ([]byte, error) {
	own := d.own.Load()
	if own == nil {
		return nil, problem.New(problem.Missing, "notFound")
	}
	self, _ := d.belonging.Self()
	return own.Sign(d.belonging.seat.Signer(), self, d.belonging.clock())
}

func (d *Directory) text(hash string) ([]byte, bool) {
	for _, s := range []*directory.Snapshot{d.own.Load(), d.before.Load()} {
		if s != nil {
			if text, ok := s.Text(hash); ok {
				return text, true
			}
		}
	}
	return nil, false
}

// fetch reads from this house itself what others read from it.
func (d *Directory) fetch(_ context.Context, path string, _ int64) ([]byte, error) {
	if path == directory.Path {
		return d.head()
	}
	text, ok := d.text(path[len(directory.Path)+1:])
	if !ok {
		return nil, problem.New(problem.Missing, "notFound")
	}
	return text, nil
}

// routes are where other houses read from this one. Everybody may: what is offered where is public.
func (d *Directory) routes() []web.Route {
	return []web.Route{
		{Pattern: "GET " + directory.Path, Handler: func(w http.ResponseWriter, _ *http.Request) error {
			head, err := d.head()
			if err != nil {
				return err
			}
			w.Header().Set("Content-Type", "application/jwt")
			_, err = w.Write(head)
			return err
		}},
		{Pattern: "GET " + directory.Path + "/{hash}", Handler: func(w http.ResponseWriter, r *http.Request) error {
			text, ok := d.text(r.PathValue("hash"))
			if !ok {
				return problem.New(problem.Missing, "notFound", "hash")
			}
			w.Header().Set("Content-Type", "application/json")
			_, err := w.Write(text) //nolint:gosec // JSON of our own, found by its hash
			return err
		}},
	}
}
