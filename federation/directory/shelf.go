// SPDX-License-Identifier: EUPL-1.2

package directory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"entgo.io/ent/dialect"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/store"
	"github.com/ozg-cloud/platform/federation/charter"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/internal/seal"
)

// Shelf keeps what houses have handed on, and answers out of it.
type Shelf struct {
	reading *pgxpool.Pool
	writing dialect.Driver
	seal    *seal.Seal
	clock   func() time.Time
}

// NewShelf makes a shelf. secret seals cursors and is the same on every replica.
func NewShelf(reading *pgxpool.Pool, writing dialect.Driver, secret []byte, clock func() time.Time) *Shelf {
	return &Shelf{reading, writing, seal.New(secret, "directory"), clock}
}

// LongestPage is how many offers a page may have.
const LongestPage = 100

// State is what is kept of a house; empty where that is nothing.
func (s *Shelf) State(ctx context.Context, of charter.InstanceID) (State, error) {
	out := State{Parts: map[string]string{}}
	batch := &pgx.Batch{} // one transaction with one snapshot
	batch.Queue("select as_of, hash from directory_heads where instance = $1", string(of))
	batch.Queue("select service, hash from directory_parts where instance = $1", string(of))
	results := s.reading.SendBatch(ctx, batch)
	defer func() { _ = results.Close() }() // what went wrong has been told
	if err := results.QueryRow().Scan(&out.At, &out.Index); errors.Is(err, pgx.ErrNoRows) {
		return State{}, nil
	} else if err != nil {
		return State{}, fmt.Errorf("directory: reading a head: %w", err)
	}
	rows, err := results.Query()
	if err != nil {
		return State{}, fmt.Errorf("directory: reading parts: %w", err)
	}
	var service, hash string
	if _, err := pgx.ForEachRow(rows, []any{&service, &hash}, func() error { out.Parts[service] = hash; return nil }); err != nil {
		return State{}, fmt.Errorf("directory: reading parts: %w", err)
	}
	return out, nil
}

// Keep keeps a change as a whole or not at all. known is the state that it was made from: where somebody has kept something else meanwhile, nothing is kept, and
// that is no error; the next round makes up for it.
func (s *Shelf) Keep(ctx context.Context, known State, c Change) (err error) {
	ctx = authz.With(ctx, authz.System(authz.Federating))
	tx, err := s.writing.Tx(ctx)
	if err != nil {
		return fmt.Errorf("directory: keeping: %w", err)
	}
	defer func() {
		if err != nil {
			_ = tx.Rollback()
		}
	}()
	of := string(c.Head.Instance)
	exec := func(statement string, args ...any) {
		if err == nil {
			err = tx.Exec(ctx, statement, args, nil)
		}
	}
	exec("select pg_advisory_xact_lock(hashtextextended($1, 13))", of)
	if err != nil {
		return fmt.Errorf("directory: keeping: %w", err)
	}
	var at time.Time
	index := ""
	err = store.Each(ctx, tx, func(row func(...any) error) error { return row(&at, &index) }, "select as_of, hash from directory_heads where instance = $1", of)
	if err != nil {
		return fmt.Errorf("directory: keeping: %w", err)
	}
	if index != known.Index || at.Unix() > c.Head.At {
		return tx.Rollback()
	}
	exec(`insert into directory_heads (instance, head, hash, as_of, entries) values ($1, $2, $3, $4, $5)
		on conflict (instance) do update set head = excluded.head, hash = excluded.hash, as_of = excluded.as_of, entries = excluded.entries`,
		of, string(c.Document), c.Head.Index, time.Unix(c.Head.At, 0).UTC(), c.Head.Entries)
	for _, service := range c.Gone {
		exec("delete from directory_parts where instance = $1 and service = $2", of, service)
	}
	for _, p := range c.New {
		exec("delete from directory_parts where instance = $1 and service = $2", of, p.Service)
		exec("insert into directory_parts (instance, service, hash) values ($1, $2, $3)", of, p.Service, p.Hash)
		exec(`insert into directory_entries (instance, service, territory, authority, name, valid_from, valid_to, maturity)
			select $1, $2, e.territory, e.authority, e.name, e."from", e."to", e.maturity
			from jsonb_to_recordset($3::jsonb) as e(territory text, authority text, name text, "from" date, "to" date, maturity smallint)`, of, p.Service, string(p.Content))
	}
	if err != nil {
		return fmt.Errorf("directory: keeping: %w", err)
	}
	if err = tx.Commit(); err != nil {
		return fmt.Errorf("directory: keeping: %w", err)
	}
	return nil
}

// Kept says how much is kept of a house, and of when it is.
type Kept struct {
	At      time.Time
	Entries int
}

// Kept says of which houses something is kept.
func (s *Shelf) Kept(ctx context.Context) (map[charter.InstanceID]Kept, error) {
	rows, err := s.reading.Query(ctx, "select instance, as_of, entries from directory_heads")
	if err != nil {
		return nil, fmt.Errorf("directory: reading heads: %w", err)
	}
	out := map[charter.InstanceID]Kept{}
	var (
		id string
		k  Kept
	)
	if _, err := pgx.ForEachRow(rows, []any{&id, &k.At, &k.Entries}, func() error { out[charter.InstanceID(id)] = k; return nil }); err != nil {
		return nil, fmt.Errorf("directory: reading heads: %w", err)
	}
	return out, nil
}

// Question asks who offers a service at present.
type Question struct {
	Service string
	// Region is a regional key of 12 digits, for which somebody has to be responsible; empty: anywhere.
	Region string
	First  int
	After  string // a cursor; empty: from the start
	// Count wants to know how many there are in all, which takes longer than a page.
	Count bool
}

// Offer is an entry, with the house that says it.
type Offer struct {
	Instance charter.InstanceID
	Service  string
	Entry
	Cursor string
}

// Found is a page of offers in the order of their territories.
type Found struct {
	Offers []Offer
	Total  int // where it was to be counted
	More   bool
}

var berlin = func() *time.Location {
	l, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err) // built in, see law
	}
	return l
}()

// Look answers a question out of what is kept of some houses. Nobody is asked. A question that is none is an Invalid problem.
func (s *Shelf) Look(ctx context.Context, q Question, of []charter.InstanceID) (Found, error) {
	if !ofService.MatchString(q.Service) {
		return Found{}, problem.New(problem.Invalid, "pattern", "service")
	}
	if q.Region != "" && (!ofTerritory.MatchString(q.Region) || len(q.Region) != 12) {
		return Found{}, problem.New(problem.Invalid, "pattern", "region")
	}
	if q.First < 0 || q.First > LongestPage {
		return Found{}, problem.New(problem.Invalid, "range", "first")
	}
	houses := make([]string, len(of))
	for i, id := range of {
		houses[i] = string(id)
	}
	today := s.clock().In(berlin).Format(time.DateOnly)
	which, args := `from directory_entries where service = $1 and instance = any($2) and valid_from <= $3::date and (valid_to is null or valid_to > $3::date)`, []any{q.Service, houses, today}
	if q.Region != "" {
		var covering []string
		for n := 1; n <= len(q.Region); n++ {
			covering = append(covering, q.Region[:n])
		}
		which, args = which+" and territory = any($4)", append(args, covering)
	}
	batch := &pgx.Batch{}
	if q.Count {
		batch.Queue("select count(*) "+which, args...)
	}
	if q.After != "" {
		at, ok := s.open(q)
		if !ok {
			return Found{}, problem.New(problem.Invalid, "badCursor", "after")
		}
		n := len(args)
		which += fmt.Sprintf(" and (territory, instance, authority, valid_from) > ($%d, $%d, $%d, $%d::date)", n+1, n+2, n+3, n+4)
		args = append(args, at[0], at[1], at[2], at[3])
	}
	batch.Queue("select instance, territory, authority, name, valid_from::text, coalesce(valid_to::text, ''), maturity "+which+
		fmt.Sprintf(" order by territory, instance, authority, valid_from limit %d", q.First+1), args...)
	results := s.reading.SendBatch(ctx, batch)
	defer func() { _ = results.Close() }() // what went wrong has been told
	out := Found{Offers: []Offer{}}
	if q.Count {
		if err := results.QueryRow().Scan(&out.Total); err != nil {
			return Found{}, failed(ctx, err)
		}
	}
	rows, err := results.Query()
	if err != nil {
		return Found{}, failed(ctx, err)
	}
	o := Offer{Service: q.Service}
	_, err = pgx.ForEachRow(rows, []any{&o.Instance, &o.Territory, &o.Authority, &o.Name, &o.From, &o.To, &o.Maturity}, func() error {
		if len(out.Offers) == q.First {
			out.More = true
			return nil
		}
		o.Cursor = s.cursor(q, o)
		out.Offers = append(out.Offers, o)
		return nil
	})
	if err != nil {
		return Found{}, failed(ctx, err)
	}
	return out, nil
}

func failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return problem.New(problem.Busy, "timeout")
	}
	return fmt.Errorf("directory: looking: %w", err)
}

// cursor is where an offer stands in the answer to a question, and to no other.
func (s *Shelf) cursor(q Question, o Offer) string {
	said, err := json.Marshal([]string{q.Service, q.Region, o.Territory, string(o.Instance), o.Authority, o.From})
	if err != nil {
		panic("directory: texts cannot be written as JSON")
	}
	return string(s.seal.Append(nil, said))
}

func (s *Shelf) open(q Question) (at []string, ok bool) {
	said, ok := s.seal.Open(q.After)
	if !ok || json.Unmarshal(said, &at) != nil || len(at) != 6 || !slices.Equal(at[:2], []string{q.Service, q.Region}) {
		return nil, false
	}
	return at[2:], true
}

// Now is the clock by which the ages are counted.
func (s *Shelf) Now() time.Time { return s.clock() }
