// SPDX-License-Identifier: EUPL-1.2

package statistics

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/ozg-cloud/platform/authz"
)

const (
	// readAtOnce is how many cases a rebuild reads at a time: some 2 MiB.
	readAtOnce = 2_000
	// writers are how many write at the same time: writing is most of the work.
	writers = 2
	// forgottenBlocks is in how many blocks of 8 KiB what extension fields count for in a generation that is over is deleted in one transaction.
	forgottenBlocks = 100
	// tries is how often in vain, each time for a quarter of a second, a part of a generation that is over is to be forgotten that somebody still reads.
	tries = 40
)

// Rebuild counts all cases anew, in short transactions beside what is being answered and counted meanwhile, and then answers by that. Broken off, it
// has changed nothing of what is answered. Of two at the same time the later one wins. progress hears how many cases have been counted. It keeps some
// hundred MiB at most, however many cases there are.
func (t *Tally) Rebuild(ctx context.Context, progress func(done int)) error {
	ctx = authz.With(ctx, authz.System(authz.Counting))
	made, err := ask[int32](ctx, t.books, "select ozg_count_anew($1)", t.clock())
	if err != nil {
		return err
	}
	generation := made[0]
	if err := t.bulk(ctx, generation, progress); err != nil {
		if refused, ok := errors.AsType[*pgconn.PgError](err); ok && refused.Code == "42P01" { // undefined_table: what is poured into has been forgotten
			return fmt.Errorf("statistics: somebody else has begun to count anew: %w", err)
		}
		return err
	}
	for more := true; more; { // what has happened meanwhile
		if more, err = t.fold(ctx, int(generation)); err != nil {
			return err
		}
	}
	if _, err := ask[string](ctx, t.books, "select ozg_answer_by($1)::text", generation); err != nil {
		return err
	}
	return t.forget(ctx)
}

// forget forgets generations that nobody counts any more. Parts that somebody reads all the time are left to the next rebuild.
func (t *Tally) forget(ctx context.Context) error {
	for left, vain := int32(math.MaxInt32), 0; left > 0 && vain < tries; {
		still, err := ask[int32](ctx, t.books, "select ozg_forget_part()")
		if err != nil {
			return err
		}
		if still[0] == left {
			vain++
		}
		left = still[0]
	}
	for from, more := 0, true; more; from += forgottenBlocks {
		left, err := ask[bool](ctx, t.books, "select ozg_forget_counts($1, $2)", from, forgottenBlocks)
		if err != nil {
			return err
		}
		more = left[0]
	}
	return nil
}

// bulk reads, folds and pours all cases side by side. What happens meanwhile is counted afterwards: a case counts for what its fact says, whatever
// moment that is of, and the log tells which have changed since the generation was begun.
func (t *Tally) bulk(ctx context.Context, generation int32, progress func(done int)) error {
	present := instantOf(t.clock())
	_, now := present.civil()
	services, err := t.catalogue(ctx)
	if err != nil {
		return err
	}
	read := make(chan []*life, 1)
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var all sync.WaitGroup
	work := func(do func() error) {
		all.Go(func() {
			if err := do(); err != nil {
				stop(err)
			}
		})
	}
	work(func() error {
		defer close(read)
		for after := (*life)(nil); ; {
			cases, err := t.read(ctx, after)
			if err != nil || len(cases) == 0 {
				return err
			}
			after = cases[len(cases)-1]
			if err := hand(ctx, read, cases); err != nil {
				return err
			}
		}
	})
	work(func() error {
		writing := make(chan struct{}, writers)
		write := func(into string, rows []byte) error {
			if err := hand(ctx, writing, struct{}{}); err != nil {
				return err
			}
			work(func() error {
				defer func() { <-writing }()
				if err := t.books.Copy(ctx, into, bytes.NewReader(rows)); err != nil {
					return fmt.Errorf("statistics: counting: %w", err)
				}
				return nil
			})
			return nil
		}
		cells := newTree(generation, t.kept, services, func(rows []byte, adds bool) error {
			if !adds {
				return write("statistics_cells_"+strconv.Itoa(int(generation)), rows)
			}
			for range writers { // what it adds to has to be there
				if err := hand(ctx, writing, struct{}{}); err != nil {
					return err
				}
			}
			for range writers {
				<-writing
			}
			return write("statistics_cells_summed", rows)
		})
		intoFacts := "statistics_facts_" + strconv.Itoa(int(generation)) + factsColumns
		done := 0
		for cases := range read {
			var facts pouring
			for _, l := range cases {
				f := l.fact(present)
				facts.fact(generation, &f, now.first())
				if err := cells.add(&f); err != nil {
					return err
				}
			}
			if err := write(intoFacts, facts.end()); err != nil {
				return err
			}
			done += len(cases)
			progress(done)
		}
		return cells.end()
	})
	all.Wait()
	return context.Cause(ctx)
}

// hand hands something over, unless ctx ends before.
func hand[T any](ctx context.Context, to chan<- T, what T) error {
	select {
	case to <- what:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// The cases behind one, in the order of their places: those of the same place, which an index has, and then those of the next ones.
const (
	casesColumns = "select k.id, k.place, k.service_id, k.state, k.channel, k.trust_level, k.received_at, k.due_at from cases k where "
	casesBehind  = "(" + casesColumns + `k.place = $1 and (k.received_at, k.id) < ($2::timestamptz, $3) order by k.received_at desc, k.id desc limit $4)
		union all (` + casesColumns + "k.place > $1 order by k.place, k.received_at desc, k.id desc limit $4) limit $4"
)

// read gives the next cases with all that they count for; none behind the last one.
func (t *Tally) read(ctx context.Context, after *life) ([]*life, error) {
	place, received, id := int64(-1), time.Time{}, [16]byte{}
	if after != nil {
		place, received, id = after.place, time.UnixMicro(int64(after.received)+epoch), after.id
	}
	var cases []*life
	var ids [][16]byte // pgx makes a text of a uuid.UUID first
	b := t.asked()
	b.Queue(casesBehind, place, received, id, readAtOnce)
	err := t.each(ctx, b, func(v [][]byte) (err error) {
		l := &life{id: [16]byte(v[0]), place: int64of(v[1]), service: [16]byte(v[2]), received: instantIn(v[6]), due: instantIn(v[7])}
		if l.state, err = markOf(markStates, v[3]); err != nil {
			return err
		}
		if l.channel, err = markOf(markChannels, v[4]); err != nil {
			return err
		}
		if l.level, err = markOf(markLevels, v[5]); err != nil {
			return err
		}
		cases, ids = append(cases, l), append(ids, l.id)
		return nil
	})
	if err != nil || len(cases) == 0 {
		return nil, err
	}
	b = t.asked()
	b.Queue("select u.i, u.k from unnest(ozg_record_keys($1)) with ordinality u(k, i)", ids)
	b.Queue("select u.i, h.sequence, h.at, h.action, h.to_state from unnest($1::uuid[]) with ordinality u(id, i) join history_events h on h.case_id = u.id", ids)
	b.Queue(`select u.i, d.outcome, exists (select from announcements a where a.decision_id = d.id and a.tenant_id = d.tenant_id and a.channel = 'POST')
		from unnest($1::uuid[]) with ordinality u(id, i) join decisions d on d.case_id = u.id order by u.i, d.sent_at, d.id`, ids)
	return cases, t.each(ctx, b, func(v [][]byte) error {
		cases[int64of(v[0])-1].key = int64of(v[1])
		return nil
	}, func(v [][]byte) error {
		l := cases[int64of(v[0])-1]
		state, err := markOf(markStates, v[4])
		l.lines = append(l.lines, line{int32of(v[1]), instantIn(v[2]), means[string(v[3])], state})
		return err
	}, func(v [][]byte) (err error) { // the last one holds
		l := cases[int64of(v[0])-1]
		l.post = l.post || v[2][0] == 1
		l.outcome, err = markOf(markOutcomes, v[1])
		return err
	})
}

// catalogue gives all services in their order.
func (t *Tally) catalogue(ctx context.Context) (services [][16]byte, err error) {
	b := t.asked()
	b.Queue("select id from services order by id")
	err = t.each(ctx, b, func(v [][]byte) error {
		services = append(services, [16]byte(v[0]))
		return nil
	})
	return services, err
}

// asked is a pipeline that has entered the scope.
func (t *Tally) asked() *pgx.Batch {
	b := &pgx.Batch{}
	b.Queue("select ozg_enter($1, $2, $3)", int64(t.scope.Lo), int64(t.scope.Hi), t.scope.Owner)
	return b
}

// each sends a pipeline and hands the rows of each of its statements, as they come over the wire, to a function of its own.
func (t *Tally) each(ctx context.Context, b *pgx.Batch, statements ...func([][]byte) error) error {
	answers := t.log.SendBatch(ctx, b)
	defer func() { _ = answers.Close() }() // what went wrong has been told
	if _, err := answers.Exec(); err != nil {
		return fmt.Errorf("statistics: entering the scope: %w", err)
	}
	for _, take := range statements {
		rows, err := answers.Query()
		if err != nil {
			return fmt.Errorf("statistics: reading cases: %w", err)
		}
		for rows.Next() {
			if err := take(rows.RawValues()); err != nil {
				rows.Close()
				return err
			}
		}
		if err := rows.Err(); err != nil {
			return fmt.Errorf("statistics: reading cases: %w", err)
		}
	}
	return nil
}

func int64of(v []byte) int64 { return int64(binary.BigEndian.Uint64(v)) } //nolint:gosec // the bits as they are

func int32of(v []byte) int32 { return int32(binary.BigEndian.Uint32(v)) } //nolint:gosec // the bits as they are
func int16of(v []byte) int16 { return int16(binary.BigEndian.Uint16(v)) } //nolint:gosec // the bits as they are

// instantIn is a time that may be null.
func instantIn(v []byte) instant {
	if v == nil {
		return never
	}
	return instant(int64of(v))
}
