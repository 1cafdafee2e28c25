// SPDX-License-Identifier: EUPL-1.2

package book

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"entgo.io/ent/dialect"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/ozg-cloud/platform/ent/store"
	"github.com/ozg-cloud/platform/federation/ask"
	"github.com/ozg-cloud/platform/federation/charter"
	"github.com/ozg-cloud/platform/federation/gather"
	"github.com/ozg-cloud/platform/statistics"
)

// Asked is what a house keeps of asking and of being asked. It is ask.Books and gather.Shelf; any number of replicas may use one database.
type Asked struct {
	on    dialect.Driver
	clock func() time.Time
}

var (
	_ ask.Books    = (*Asked)(nil)
	_ gather.Shelf = (*Asked)(nil)
)

// NewAsked makes one that reads and writes by a driver, each statement as a transaction of its own.
func NewAsked(on dialect.Driver, clock func() time.Time) *Asked { return &Asked{on, clock} }

func wrap(doing string, err error) error {
	if err == nil || errors.Is(err, ask.ErrAsked) {
		return err
	}
	return fmt.Errorf("book: %s: %w", doing, err)
}

// Said is that of ask.Books.
func (a *Asked) Said(ctx context.Context, by charter.InstanceID, question string) (payload []byte, ok bool, err error) {
	err = store.Each(asHouse(ctx), a.on, func(row func(...any) error) error {
		ok = true
		var text string
		err := row(&text)
		payload = []byte(text)
		return err
	}, "select payload from federation_statements where issuer = $1 and question = $2 and revision = 0", string(by), question)
	return payload, ok, wrap("looking for what was said", err)
}

// Say is that of ask.Books.
func (a *Asked) Say(ctx context.Context, s ask.Statement, payload []byte) ([]byte, error) {
	if err := a.on.Exec(asHouse(ctx), `insert into federation_statements (issuer, question, revision, payload, received_at) values ($1, $2, $3, $4, $5)
		on conflict do nothing`, []any{string(s.Issuer), s.Question, s.Revision, string(payload), a.clock()}, nil); err != nil {
		return nil, wrap("keeping what was said", err)
	}
	kept, ok, err := a.Said(ctx, s.Issuer, s.Question)
	if err == nil && !ok {
		err = errors.New("book: what was said is gone")
	}
	return kept, err
}

// oneAtATime is the lock of those who add to the log.
const oneAtATime = 0x6665645f6c6f67 // "fed_log"

// Enter is that of ask.Books.
func (a *Asked) Enter(ctx context.Context, l ask.Line, record []byte, seen int64) (at ask.Spot, err error) {
	ctx = asHouse(ctx)
	tx, err := a.on.Tx(ctx)
	if err != nil {
		return at, wrap("writing down what was asked", err)
	}
	at, err = a.enter(ctx, tx, l, record, seen)
	if err != nil {
		_ = tx.Rollback() // what went wrong is told
		return ask.Spot{}, wrap("writing down what was asked", err)
	}
	return at, wrap("writing down what was asked", tx.Commit())
}

func (a *Asked) enter(ctx context.Context, tx dialect.Tx, l ask.Line, record []byte, seen int64) (at ask.Spot, err error) {
	if err := store.Each(ctx, tx, func(func(...any) error) error { return nil }, "select pg_advisory_xact_lock($1)::text", int64(oneAtATime)); err != nil {
		return at, err
	}
	var lines int64
	var again bool
	if err := store.Each(ctx, tx, func(row func(...any) error) error { return row(&lines, &again) },
		"select (select coalesce(max(idx) + 1, 0) from federation_answered), exists (select from federation_answered where issuer = $1 and id = $2)",
		string(l.By), l.ID); err != nil {
		return at, err
	}
	if again {
		return at, ask.ErrAsked
	}
	hashes, at, err := ask.Grow(lines, record, seen, tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) { return hashesAt(ctx, tx, indexes) }))
	if err != nil {
		return at, err
	}
	measures := make([]string, 0, len(l.Measures))
	for _, m := range l.Measures {
		measures = append(measures, string(m))
	}
	if err := tx.Exec(ctx, `insert into federation_answered (idx, at, issuer, member, id, question, document, measures, purpose, role, cells, outcome, reason, request)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`, []any{
		at.Index, l.At, string(l.By), string(l.Member), l.ID, l.Question, l.Document, measures, l.Purpose, l.Role, l.Cells, string(l.Outcome), l.Reason, string(l.Request),
	}, nil); err != nil {
		return at, err
	}
	first := tlog.StoredHashIndex(0, at.Index)
	for i, h := range hashes {
		if err := tx.Exec(ctx, "insert into federation_log_hashes (idx, hash) values ($1, $2)", []any{first + int64(i), h[:]}, nil); err != nil {
			return at, err
		}
	}
	return at, nil
}

func hashesAt(ctx context.Context, on dialect.ExecQuerier, indexes []int64) ([]tlog.Hash, error) {
	if len(indexes) == 0 {
		return nil, nil
	}
	known := map[int64]tlog.Hash{}
	if err := store.Each(ctx, on, func(row func(...any) error) error {
		var i int64
		var h []byte
		if err := row(&i, &h); err != nil {
			return err
		}
		known[i] = tlog.Hash(h)
		return nil
	}, "select idx, hash from federation_log_hashes where idx = any($1)", indexes); err != nil {
		return nil, err
	}
	out := make([]tlog.Hash, 0, len(indexes))
	for _, i := range indexes {
		h, ok := known[i]
		if !ok {
			return nil, fmt.Errorf("the hash %d of the log is missing", i)
		}
		out = append(out, h)
	}
	return out, nil
}

// Look is that of gather.Shelf.
func (a *Asked) Look(ctx context.Context, questions []string, m statistics.Measure) (gather.Known, error) {
	ctx = asHouse(ctx)
	out := gather.Known{Volumes: map[charter.MemberID]float64{}, Heads: map[charter.InstanceID]ask.Head{}}
	err := store.Each(ctx, a.on, func(row func(...any) error) error {
		k, err := keptOf(row)
		out.Statements = append(out.Statements, k)
		return err
	}, "select member, payload, document, received_at from federation_statements where question = any($1) and document is not null", questions)
	if err != nil {
		return out, wrap("looking for statements", err)
	}
	err = store.Each(ctx, a.on, func(row func(...any) error) error {
		var member string
		var perMonth float64
		err := row(&member, &perMonth)
		out.Volumes[charter.MemberID(member)] = perMonth
		return err
	}, "select member, per_month from federation_volumes where measure = $1", string(m))
	if err != nil {
		return out, wrap("looking for volumes", err)
	}
	heads, err := a.Heads(ctx)
	for _, h := range heads {
		out.Heads[h.House] = h.Head
	}
	return out, err
}

func keptOf(row func(...any) error) (k gather.Kept, err error) {
	var member, payload, document string
	if err := row(&member, &payload, &document, &k.ReceivedAt); err != nil {
		return k, err
	}
	k.Member, k.Payload, k.Document = charter.MemberID(member), []byte(payload), []byte(document)
	return k, json.Unmarshal(k.Payload, &k.Statement)
}

// Learn is that of gather.Shelf.
func (a *Asked) Learn(ctx context.Context, l gather.Learned) (kept gather.Kept, err error) {
	ctx = asHouse(ctx)
	tx, err := a.on.Tx(ctx)
	if err != nil {
		return kept, wrap("keeping an answer", err)
	}
	kept, err = a.learn(ctx, tx, l)
	if err != nil {
		_ = tx.Rollback() // what went wrong is told
		return kept, wrap("keeping an answer", err)
	}
	return kept, wrap("keeping an answer", tx.Commit())
}

func (a *Asked) learn(ctx context.Context, tx dialect.Tx, l gather.Learned) (kept gather.Kept, err error) {
	if err := tx.Exec(ctx, `insert into federation_heads (house, size, root, seen_at) values ($1, $2, $3, $4)
		on conflict (house) do update set size = excluded.size, root = excluded.root, seen_at = excluded.seen_at where federation_heads.size < excluded.size`,
		[]any{string(l.From), l.Head.Size, l.Head.Root[:], a.clock()}, nil); err != nil {
		return kept, err
	}
	if l.Kept.Document == nil {
		return l.Kept, nil
	}
	if l.Measure != "" {
		if err := tx.Exec(ctx, `insert into federation_volumes (member, measure, per_month) values ($1, $2, $3)
			on conflict (member, measure) do update set per_month = excluded.per_month`, []any{string(l.Kept.Member), string(l.Measure), l.Volume}, nil); err != nil {
			return kept, err
		}
	}
	s := l.Kept.Statement
	if err := tx.Exec(ctx, `insert into federation_statements (issuer, question, revision, member, payload, document, received_at) values ($1, $2, $3, $4, $5, $6, $7)
		on conflict do nothing`, []any{
		string(s.Issuer), s.Question, s.Revision, string(l.Kept.Member), string(l.Kept.Payload), string(l.Kept.Document), l.Kept.ReceivedAt,
	}, nil); err != nil {
		return kept, err
	}
	err = store.Each(ctx, tx, func(row func(...any) error) (err error) {
		kept, err = keptOf(row)
		return err
	}, "select member, payload, document, received_at from federation_statements where issuer = $1 and question = $2 and revision = $3 and document is not null",
		string(s.Issuer), s.Question, s.Revision)
	return kept, err
}

// Contradicted is that of gather.Shelf.
func (a *Asked) Contradicted(ctx context.Context, c ask.Contradiction) error {
	return wrap("keeping a proof", a.on.Exec(asHouse(ctx), `insert into federation_contradictions (member, question, first, second, found_at) values ($1, $2, $3, $4, $5)
		on conflict do nothing`, []any{string(c.Member), c.Question, string(c.First), string(c.Second), c.FoundAt}, nil))
}

// Contradictions are all that are kept, the newest first.
func (a *Asked) Contradictions(ctx context.Context) (out []ask.Contradiction, err error) {
	err = store.Each(asHouse(ctx), a.on, func(row func(...any) error) error {
		var member, first, second string
		var c ask.Contradiction
		if err := row(&member, &c.Question, &first, &second, &c.FoundAt); err != nil {
			return err
		}
		c.Member, c.First, c.Second = charter.MemberID(member), []byte(first), []byte(second)
		out = append(out, c)
		return nil
	}, "select member, question, first, second, found_at from federation_contradictions order by found_at desc, member limit 100")
	return out, wrap("reading proofs", err)
}

// Lines are what was asked of this house, the newest first: at most most, from before the line with an index, or from the newest one where it is negative.
func (a *Asked) Lines(ctx context.Context, before int64, most int) (out []ask.Line, err error) {
	err = store.Each(asHouse(ctx), a.on, func(row func(...any) error) error {
		var by, member, measures, outcome, request string
		var l ask.Line
		if err := row(&l.Index, &l.At, &by, &member, &l.ID, &l.Question, &l.Document, &measures, &l.Purpose, &l.Role, &l.Cells, &outcome, &l.Reason, &request); err != nil {
			return err
		}
		l.By, l.Member, l.Outcome, l.Request = charter.InstanceID(by), charter.MemberID(member), ask.Outcome(outcome), []byte(request)
		err := json.Unmarshal([]byte(measures), &l.Measures)
		out = append(out, l)
		return err
	}, `select idx, at, issuer, member, id, question, document, array_to_json(measures)::text, purpose, role, cells, outcome, reason, request
		from federation_answered where $1 < 0 or idx < $1 order by idx desc limit $2`, before, most)
	return out, wrap("reading what was asked", err)
}
