// SPDX-License-Identifier: EUPL-1.2

package statistics

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/store"
	"github.com/ozg-cloud/platform/internal/rounds"
)

const (
	// folded is how many events are counted in one transaction, of about a hundred cases. Streams are told of nothing that is stored while a transaction
	// runs that writes, so each has to be over within some hundredths of a second.
	folded = 1_000
	// recounted is how many cases are, where no event says that they changed.
	recounted = 100
	// calm is how long nobody looks after everything has been counted; it is the most that figures lag behind while the house keeps up.
	calm = 500 * time.Millisecond
	// longestCalm is between two attempts that fail.
	longestCalm = 10 * time.Second
)

// Tally (Zählwerk) counts events into cells, in the order of the log. Any number of replicas may run one on the same database: a page that somebody
// else has counted is not counted again.
type Tally struct {
	log   *pgxpool.Pool
	books Books
	clock func() time.Time
	told  *slog.Logger
	scope authz.Scope
	kept  int // cells that a rebuild keeps in memory

	watched   watched
	elsewhere Elsewhere
	added     func(*authz.Principal) map[Axis]int64
}

// Books are what figures are written to, each statement and each copy as a transaction of its own in the scope of its context.
type Books interface {
	dialect.Driver
	// Copy writes rows in PostgreSQL's binary format of COPY into a table. It writes nothing, or all.
	Copy(ctx context.Context, into string, rows io.Reader) error
}

// NewTally makes the tally of a house out of the log, which is read, and the books.
func NewTally(log *pgxpool.Pool, books Books, clock func() time.Time, told *slog.Logger) *Tally {
	return &Tally{log: log, books: books, clock: clock, told: told, scope: authz.System(authz.Counting).Scope(), kept: mostKept,
		added: func(*authz.Principal) map[Axis]int64 { return nil }}
}

// Run counts until ctx ends.
func (t *Tally) Run(ctx context.Context) {
	rounds.Go(ctx, rounds.Pauses{Calm: calm, Longest: longestCalm}, t.Fold, func(err error) {
		t.told.ErrorContext(ctx, "events cannot be counted", "error", err)
	})
}

// Fold counts the next page of the log, and of a month that has come to its end the cases that were open. more tells whether there is a next one.
// Broken off at any moment it has counted everything of the page or nothing.
func (t *Tally) Fold(ctx context.Context) (more bool, err error) { return t.fold(ctx, 0) }

// mark is a position in the log, see events.Position.
type mark struct {
	xid uint64
	seq int64
}

// touching are the types of events by which nothing changes that a case counts for, but that somebody has dealt with it: and that only the first time.
// Of what is written every day most are of these, and counting a case costs as much as a message does.
var touching = []string{"MESSAGE_SENT", "MESSAGE_OPENED", "MESSAGE_PROVIDED", "COMMENT_ADDED", "FOLLOW_UP_ADDED", "FOLLOW_UP_COMPLETED"}

// page is a part of the log behind the mark up to which events are counted.
type page struct {
	generation int
	from, to   mark
	cases      []uuid.UUID
	touched    []uuid.UUID // others, of which events say only that somebody has dealt with them
	more       bool
	overdue    []uuid.UUID // cases that no event tells of: open at the end of a month that is over since, or counted again after a definition has changed
}

// fold is Fold for a generation; zero is the one that answers.
func (t *Tally) fold(ctx context.Context, generation int) (more bool, err error) {
	ctx = authz.With(ctx, authz.System(authz.Counting))
	present := t.clock()
	p, err := t.next(ctx, generation, present)
	if err != nil || len(p.cases)+len(p.touched)+len(p.overdue) == 0 {
		return false, err
	}
	if err := t.count(ctx, p, present); err != nil {
		return false, err
	}
	return p.more || len(p.overdue) >= recounted, nil
}

// next reads the page behind what is counted, as far as no transaction that still runs could write into it.
func (t *Tally) next(ctx context.Context, generation int, present time.Time) (p page, err error) {
	b := &pgx.Batch{}
	b.Queue("select ozg_enter($1, $2, $3)", int64(t.scope.Lo), int64(t.scope.Hi), t.scope.Owner)
	b.Queue("select generation, xid, seq from statistics_offset where case when $1 = 0 then answers else generation = $1 end", generation)
	// The position is asked for by itself: joined to it, the whole log would be read in its order and compared with it, each time.
	b.Queue(`select xid, seq, case_id, type = any($3) from events
		where (xid, seq) > ((select xid from statistics_offset where case when $2 = 0 then answers else generation = $2 end),
			(select seq from statistics_offset where case when $2 = 0 then answers else generation = $2 end))
			and xid < pg_snapshot_xmin(pg_current_snapshot())
		order by xid, seq limit $1`, folded, generation, touching)
	b.Queue("select ozg_to_count(generation, $1, $2) from statistics_offset where case when $3 = 0 then answers else generation = $3 end", present, recounted, generation)
	answers := t.log.SendBatch(ctx, b)
	defer func() { _ = answers.Close() }() // what went wrong has been told
	if _, err := answers.Exec(); err != nil {
		return p, fmt.Errorf("statistics: entering the scope: %w", err)
	}
	if err := answers.QueryRow().Scan(&p.generation, &p.from.xid, &p.from.seq); err != nil {
		return p, fmt.Errorf("statistics: asking how far events are counted: %w", err)
	}
	rows, err := answers.Query()
	if err != nil {
		return p, fmt.Errorf("statistics: reading the log: %w", err)
	}
	merely, n := map[uuid.UUID]bool{}, 0
	p.to = p.from
	var id uuid.UUID
	var touched bool
	if _, err = pgx.ForEachRow(rows, []any{&p.to.xid, &p.to.seq, &id, &touched}, func() error {
		n++
		so, seen := merely[id]
		merely[id] = touched && (so || !seen)
		return nil
	}); err != nil {
		return p, fmt.Errorf("statistics: reading the log: %w", err)
	}
	for id, touched := range merely {
		if touched {
			p.touched = append(p.touched, id)
		} else {
			p.cases = append(p.cases, id)
		}
	}
	p.more = n == folded
	if rows, err = answers.Query(); err != nil {
		return p, fmt.Errorf("statistics: looking for the ends of months: %w", err)
	}
	if p.overdue, err = pgx.CollectRows(rows, pgx.RowTo[uuid.UUID]); err != nil {
		return p, fmt.Errorf("statistics: looking for the ends of months: %w", err)
	}
	return p, nil
}

// count counts a page in one transaction with the position. Where somebody else has moved the position, nothing is counted.
func (t *Tally) count(ctx context.Context, p page, present time.Time) error {
	_, err := ask[bool](ctx, t.books, "select ozg_fold($1, $2::xid8, $3, $4::xid8, $5, $6, $7, $8, $9)", p.generation, p.from.xid, p.from.seq, p.to.xid, p.to.seq,
		append(p.cases, p.overdue...), p.touched, present, bounds)
	return err
}

// ask runs a statement as a transaction of its own, and gives the one column that it answers with.
func ask[T any](ctx context.Context, books dialect.ExecQuerier, question string, args ...any) (out []T, err error) {
	err = store.Each(ctx, books, func(row func(...any) error) error {
		var v T
		err := row(&v)
		out = append(out, v)
		return err
	}, question, args...)
	if err != nil {
		return nil, fmt.Errorf("statistics: counting: %w", err)
	}
	return out, nil
}
