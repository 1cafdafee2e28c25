// SPDX-License-Identifier: EUPL-1.2

// Package store carries ent's statements to PostgreSQL over pgx, each inside its caller's scope, in as few round trips as possible.
// Who may see what does not belong here: the scope is handed in, and the database keeps to it (ent/migrations).
package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Scope is what the second wall lets through: rows of the places from Lo to Hi, both included, and where Owner is not empty,
// only those of that applicant.
type Scope struct {
	Lo, Hi int64
	Owner  string
	// Version is that of the rights that the scope was made of; zero stands for any. A transaction that meets a higher one fails with Stale.
	Version int64
}

const (
	enter = "select ozg_enter($1, $2, $3)"
	still = "select ozg_still($1)"
)

// Enter queues the entrance into the scope. It has to be the first statement of a transaction, or of a pipeline
// that is its own transaction. Entering twice in one is refused by the database (SQLSTATE OZG01).
// The answer is the version of all rights, as the transaction sees it.
func (s Scope) Enter(b *pgx.Batch) { b.Queue(enter, s.Lo, s.Hi, s.Owner) }

// entered reads the answer to Enter.
func (s Scope) entered(answers pgx.BatchResults) error {
	var version int64
	if err := answers.QueryRow().Scan(&version); err != nil {
		return err
	}
	if s.Version != 0 && version > s.Version {
		return &Stale{version}
	}
	return nil
}

// leaving is what each round trip ends with: rights may have changed since the scope was entered, and what a statement has waited for may be younger
// than they are.
func (s Scope) leaving() []kept {
	if s.Version == 0 {
		return nil
	}
	return []kept{{still, []any{s.Version}}}
}

// Options are what Open needs beside the address.
type Options struct {
	// Scope tells the scope of whoever asks. Its error is returned as it is, and nothing is sent. It is mandatory.
	Scope func(context.Context) (Scope, error)
	// Refused is told what the database refuses although the program has let it through: a row outside the scope, or what serving was
	// never granted. It is given names, no values. Nil: nobody is told.
	Refused func(ctx context.Context, what string)
	// Committed is told of each transaction that was stored, and has to return at once. Nil: nobody is told.
	Committed func()
	// Configure may change a pool before it opens, such as its size or its tracer. It is called for both.
	Configure func(*pgxpool.Config)
}

// Store is the two doors to the database.
type Store struct {
	// Writing is ent's driver.
	Writing *Driver
	// Reading cannot write. A pipeline sent over it is one transaction with one snapshot, without BEGIN: its first
	// statement has to be Scope.Enter, or the others see nothing.
	Reading *pgxpool.Pool
}

// Open makes both pools for the serving login. It does not connect: whether the database answers shows with the first statement.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	if o.Scope == nil {
		return nil, errors.New("store: no scope to enter")
	}
	writing, err := pool(ctx, url, o.Configure, nil)
	if err != nil {
		return nil, err
	}
	reading, err := pool(ctx, url, o.Configure, map[string]string{
		"default_transaction_isolation": "repeatable read",
		"default_transaction_read_only": "on",
		// One plan serves every authority, and has the average one in mind. For one that holds a thousand times as much, a bitmap fetches all that it has,
		// to sort it or to intersect it, where an index walked in its order is read until the page is full.
		"enable_bitmapscan": "off",
	})
	if err != nil {
		writing.Close()
		return nil, err
	}
	return &Store{Writing: &Driver{pool: writing, scope: o.Scope, refused: o.Refused, committed: o.Committed}, Reading: reading}, nil
}

// Writes tells how the pool of the writing door is; of the reading one, the pool itself tells it.
func (s *Store) Writes() *pgxpool.Stat { return s.Writing.pool.Stat() }

// Close waits for what is under way and closes all connections.
func (s *Store) Close() {
	s.Writing.pool.Close()
	s.Reading.Close()
}

func pool(ctx context.Context, url string, configure func(*pgxpool.Config), settings map[string]string) (*pgxpool.Pool, error) {
	c, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("store: read the database's address: %w", err)
	}
	c.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement
	maps.Copy(c.ConnConfig.RuntimeParams, map[string]string{
		"application_name":                "ozg",
		"timezone":                        "UTC",
		"jit":                             "off",
		"max_parallel_workers_per_gather": "0", // starting them costs 12 ms, more than most statements
	})
	maps.Copy(c.ConnConfig.RuntimeParams, settings)
	if configure != nil {
		configure(c)
	}
	before := c.AfterConnect
	c.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		conn.TypeMap().RegisterTypes([]*pgtype.Type{
			{Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC}},
			{Name: "uuid", OID: pgtype.UUIDOID, Codec: ids{}},
		})
		if before == nil {
			return nil
		}
		return before(ctx, conn)
	}
	p, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("store: open the pool: %w", err)
	}
	return p, nil
}
