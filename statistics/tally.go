// SPDX-License-Identifier: EUPL-1.2

package statistics

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/ozg-cloud/platform/authz"
)

const (
	// folded is how many events are counted in one transaction.
	folded = 20_000
	// recounted is how many cases are, where no event says that they changed.
	recounted = 10_000
	// calm is how long nobody looks after everything has been counted; it is the most that figures lag behind while the house keeps up.
	calm = 500 * time.Millisecond
	// longestCalm is between two attempts that fail.
	longestCalm = 10 * time.Second
)

// Tally (Zählwerk) counts events into cells, in the order of the log. Any number of replicas may run one on the same database: a page that somebody
// else has counted is not counted again.
type Tally struct {
	log   *pgxpool.Pool
	books dialect.Driver
	keys  *Keys
	clock func() time.Time
	told  *slog.Logger
	scope authz.Scope
}

// NewTally makes the tally of a house. log is read; books are written, each statement as a transaction in the scope of its context.
func NewTally(log *pgxpool.Pool, books dialect.Driver, keys *Keys, clock func() time.Time, told *slog.Logger) *Tally {
	return &Tally{log, books, keys, clock, told, authz.System(authz.Counting).Scope()}
}

// Run counts until ctx ends.
func (t *Tally) Run(ctx context.Context) {
	for pause := calm; ctx.Err() == nil; {
		more, err := t.Fold(ctx)
		switch {
		case err == nil && more:
			continue
		case err == nil:
			pause = calm
		case ctx.Err() == nil:
			t.told.ErrorContext(ctx, "events cannot be counted", "error", err)
			pause = min(2*pause, longestCalm)
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// mark is a position in the log, see events.Position.
type mark struct {
	xid uint64
	seq int64
}

// page is a part of the log behind the mark up to which events are counted.
type page struct {
	from, to mark
	cases    []uuid.UUID
	more     bool
	overdue  []uuid.UUID // cases that were open at the end of a month that is over since
}

// Fold counts the next page of the log, and of a month that has come to its end the cases that were open. more tells whether there is a next one.
// Broken off at any moment it has counted everything of the page or nothing.
func (t *Tally) Fold(ctx context.Context) (more bool, err error) {
	ctx = authz.With(ctx, authz.System(authz.Counting))
	present := t.clock()
	p, err := t.next(ctx, present)
	if err != nil {
		return false, err
	}
	if len(p.cases)+len(p.overdue) == 0 {
		return false, nil
	}
	if err := t.count(ctx, t.books, p.from, p.to, append(p.cases, p.overdue...), present); err != nil {
		return false, err
	}
	return p.more || len(p.overdue) == recounted, nil
}

// next reads the page behind what is counted, as far as no transaction that still runs could write into it.
func (t *Tally) next(ctx context.Context, present time.Time) (p page, err error) {
	b := &pgx.Batch{}
	b.Queue("select ozg_enter($1, $2, $3)", int64(t.scope.Lo), int64(t.scope.Hi), t.scope.Owner)
	b.Queue("select xid, seq, pg_snapshot_xmin(pg_current_snapshot()) from statistics_offset")
	b.Queue(`select e.xid, e.seq, e.case_id from statistics_offset o, events e
		where (e.xid, e.seq) > (o.xid, o.seq) and e.xid < pg_snapshot_xmin(pg_current_snapshot()) order by e.xid, e.seq limit $1`, folded)
	b.Queue("select ozg_to_count($1, $2)", present, recounted)
	answers := t.log.SendBatch(ctx, b)
	defer func() { _ = answers.Close() }() // what went wrong has been told
	if _, err := answers.Exec(); err != nil {
		return p, fmt.Errorf("statistics: entering the scope: %w", err)
	}
	var horizon uint64
	if err := answers.QueryRow().Scan(&p.from.xid, &p.from.seq, &horizon); err != nil {
		return p, fmt.Errorf("statistics: asking how far events are counted: %w", err)
	}
	rows, err := answers.Query()
	if err != nil {
		return p, fmt.Errorf("statistics: reading the log: %w", err)
	}
	seen, n := map[uuid.UUID]bool{}, 0
	p.to = p.from
	var id uuid.UUID
	if _, err = pgx.ForEachRow(rows, []any{&p.to.xid, &p.to.seq, &id}, func() error {
		n++
		if !seen[id] {
			seen[id] = true
			p.cases = append(p.cases, id)
		}
		return nil
	}); err != nil {
		return p, fmt.Errorf("statistics: reading the log: %w", err)
	}
	if p.more = n == folded; !p.more && horizon > p.to.xid {
		p.to = mark{horizon, -1} // there is nothing before it that is not counted
	}
	if rows, err = answers.Query(); err != nil {
		return p, fmt.Errorf("statistics: looking for the ends of months: %w", err)
	}
	if p.overdue, err = pgx.CollectRows(rows, pgx.RowTo[uuid.UUID]); err != nil {
		return p, fmt.Errorf("statistics: looking for the ends of months: %w", err)
	}
	return p, nil
}

// count counts cases in one transaction with the position. Where somebody else has moved the position, nothing is counted.
func (t *Tally) count(ctx context.Context, books dialect.ExecQuerier, from, to mark, cases []uuid.UUID, present time.Time) error {
	keys := make([]int64, len(cases))
	for i, id := range cases {
		keys[i] = t.keys.Of(id)
	}
	var rows sql.Rows
	err := books.Query(ctx, "select ozg_fold($1::xid8, $2, $3::xid8, $4, $5, $6, $7, $8)", []any{from.xid, from.seq, to.xid, to.seq, cases, keys, present, bounds}, &rows)
	if err != nil {
		return fmt.Errorf("statistics: counting: %w", err)
	}
	for rows.Next() { // whether it was somebody else does not matter
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("statistics: counting: %w", err)
	}
	if err := rows.Close(); err != nil {
		return fmt.Errorf("statistics: counting: %w", err)
	}
	return nil
}

// Rebuild counts all cases anew, in one transaction: until it ends, what was counted before is answered and nothing new is counted; broken off, it has
// changed nothing. progress hears how many cases have been counted.
func (t *Tally) Rebuild(ctx context.Context, progress func(done int)) error {
	ctx = authz.With(ctx, authz.System(authz.Counting))
	present := t.clock()
	tx, err := t.books.Tx(ctx)
	if err != nil {
		return fmt.Errorf("statistics: counting anew: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit there is nothing to roll back
	if err := tx.Exec(ctx, "select ozg_count_anew($1)", []any{present}, nil); err != nil {
		return fmt.Errorf("statistics: counting anew: %w", err)
	}
	at, err := ask(ctx, tx, "select xid::text::bigint, seq from statistics_offset", nil, func(r *sql.Rows) (m mark, err error) {
		err = r.Scan(&m.xid, &m.seq)
		return m, err
	})
	if err != nil {
		return err
	}
	for done, last := 0, (uuid.UUID{}); ; {
		cases, err := ask(ctx, tx, "select id from cases where id > $1 order by id limit $2", []any{last, recounted}, func(r *sql.Rows) (id uuid.UUID, err error) {
			err = r.Scan(&id)
			return id, err
		})
		if err != nil {
			return err
		}
		if len(cases) == 0 {
			break
		}
		last = cases[len(cases)-1]
		if err := t.count(ctx, tx, at[0], at[0], cases, present); err != nil {
			return err
		}
		done += len(cases)
		progress(done)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("statistics: counting anew: %w", err)
	}
	return nil
}

func ask[T any](ctx context.Context, books dialect.ExecQuerier, question string, args []any, scan func(*sql.Rows) (T, error)) (out []T, err error) {
	if args == nil {
		args = []any{}
	}
	var rows sql.Rows
	if err := books.Query(ctx, question, args, &rows); err != nil {
		return nil, fmt.Errorf("statistics: counting anew: %w", err)
	}
	defer func() { _ = rows.Close() }() // its error is that of Err
	for rows.Next() {
		v, err := scan(&rows)
		if err != nil {
			return nil, fmt.Errorf("statistics: counting anew: %w", err)
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("statistics: counting anew: %w", err)
	}
	return out, nil
}
