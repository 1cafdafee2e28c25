// SPDX-License-Identifier: EUPL-1.2

package reading

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/ozg-cloud/platform/authz"
)

// Watch repeats one of so many reads without the second wall, and raises the alarm where the wall makes a difference: there the first wall has a
// hole. No answer waits for it or comes of it.
type Watch struct {
	pool  *pgxpool.Pool
	every uint64
	alarm func(ctx context.Context, what string)
	log   *slog.Logger

	reads atomic.Uint64
	next  chan glance
}

// WatchedBy lets a watch see what is read from now on. It comes before the first read.
func (r *Reader) WatchedBy(w *Watch) { r.watch = w }

// glance is a read that is to be repeated.
type glance struct {
	scope      authz.Scope
	field      string
	statements []fragment
}

// NewWatch makes a watch that repeats one of every so many reads over a pool whose login is a member of ozg_serving and ozg_watching.
// alarm is told the field and a statement, without values.
func NewWatch(pool *pgxpool.Pool, every int, alarm func(ctx context.Context, what string), log *slog.Logger) *Watch {
	return &Watch{pool: pool, every: uint64(max(every, 1)), alarm: alarm, log: log, next: make(chan glance, 1)}
}

// Run watches until ctx ends, one read after the other. What is to be repeated while two others wait is not.
func (w *Watch) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case g := <-w.next:
			caught, err := w.differing(ctx, g)
			if err != nil && ctx.Err() == nil {
				w.log.WarnContext(ctx, "a read could not be repeated without the second wall", "field", g.field, "error", err)
			}
			for _, s := range caught {
				w.alarm(ctx, g.field+": "+s.text)
			}
		}
	}
}

// see is told of each read.
func (w *Watch) see(ctx context.Context, scope authz.Scope, statements []fragment) {
	if w == nil || w.reads.Add(1)%w.every != 0 {
		return
	}
	f := graphql.GetFieldContext(ctx)
	select {
	case w.next <- glance{scope, f.Object + "." + f.Field.Name, statements}:
	default:
	}
}

// differing gives the statements that show other rows without the wall than behind it, both in one snapshot.
func (w *Watch) differing(ctx context.Context, g glance) ([]fragment, error) {
	tx, err := w.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, fmt.Errorf("reading: beginning to watch: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // it has only read
	behind := &pgx.Batch{}
	behind.Queue("set local role ozg_serving")
	behind.Queue("select ozg_enter($1, $2, $3)", int64(g.scope.Lo), int64(g.scope.Hi), g.scope.Owner)
	shown, err := repeat(ctx, tx, behind, g.statements)
	if err != nil {
		return nil, err
	}
	without := &pgx.Batch{}
	without.Queue("set local role ozg_watching")
	there, err := repeat(ctx, tx, without, g.statements)
	if err != nil {
		return nil, err
	}
	var out []fragment
	for i, s := range g.statements {
		if !slices.Equal(shown[i], there[i]) {
			out = append(out, s)
		}
	}
	return out, nil
}

// repeat gives the rows of each statement, behind those of the batch. They are sorted: not every statement has an order.
func repeat(ctx context.Context, tx pgx.Tx, batch *pgx.Batch, statements []fragment) ([][]string, error) {
	before := batch.Len()
	for _, s := range statements {
		s.queue(batch)
	}
	results := tx.SendBatch(ctx, batch)
	defer func() { _ = results.Close() }() // all has been read, or has failed
	for range before {
		if _, err := results.Exec(); err != nil {
			return nil, fmt.Errorf("reading: watching: %w", err)
		}
	}
	all := make([][]string, len(statements))
	for i := range statements {
		rows, err := results.Query()
		if err != nil {
			return nil, fmt.Errorf("reading: watching: %w", err)
		}
		for rows.Next() {
			var row []byte
			for _, v := range rows.RawValues() {
				length := int64(len(v))
				if v == nil {
					length = -1
				}
				row = append(binary.AppendVarint(row, length), v...)
			}
			all[i] = append(all[i], string(row))
		}
		if err := rows.Err(); err != nil {
			return nil, fmt.Errorf("reading: watching: %w", err)
		}
		slices.Sort(all[i])
	}
	return all, nil
}
