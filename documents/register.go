// SPDX-License-Identifier: EUPL-1.2

package documents

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Register knows every document that is loaded, whoever's it is. Asking it never waits.
type Register struct {
	pool  *pgxpool.Pool
	known atomic.Pointer[known]
}

type known struct {
	version   int64
	documents map[string]string // by hash
}

// NewRegister makes a register over the database of who serves. It knows nothing before Refresh.
func NewRegister(pool *pgxpool.Pool) *Register {
	r := &Register{pool: pool}
	r.known.Store(&known{})
	return r
}

// Text gives the document with a hash, which may stand behind "sha256:".
func (r *Register) Text(id string) (document string, ok bool) {
	hash, ok := Name(id)
	if !ok {
		return "", false
	}
	document, ok = r.known.Load().documents[hash]
	return document, ok
}

// Ready says what keeps it from knowing anything; nil once it does.
func (r *Register) Ready(ctx context.Context) error {
	if r.known.Load().version > 0 {
		return nil
	}
	return r.Refresh(ctx)
}

// All gives the documents, in no order.
func (r *Register) All() iter.Seq[string] { return maps.Values(r.known.Load().documents) }

// Named gives the documents with their hashes, in no order.
func (r *Register) Named() iter.Seq2[string, string] { return maps.All(r.known.Load().documents) }

// Refresh reads what has changed since the last time. What was known stays known where that fails.
func (r *Register) Refresh(ctx context.Context) error {
	var version int64
	if err := r.pool.QueryRow(ctx, "select version from trusted_documents_version").Scan(&version); err != nil {
		return fmt.Errorf("documents: asking for the version: %w", err)
	}
	if version == r.known.Load().version {
		return nil
	}
	rows, err := r.pool.Query(ctx, "select distinct on (sha256) sha256, document from trusted_documents")
	if err != nil {
		return fmt.Errorf("documents: reading: %w", err)
	}
	// Where somebody loads others just now, they come under the older version, and are read again the next time.
	next := &known{version, map[string]string{}}
	var hash, document string
	if _, err := pgx.ForEachRow(rows, []any{&hash, &document}, func() error {
		next.documents[hash] = document
		return nil
	}); err != nil {
		return fmt.Errorf("documents: reading: %w", err)
	}
	r.known.Store(next)
	return nil
}

// every is how often the register looks for changes.
const every = 500 * time.Millisecond

// Run refreshes until ctx ends. A failure is logged once until the next success.
func (r *Register) Run(ctx context.Context, log *slog.Logger) {
	again := time.NewTicker(every)
	defer again.Stop()
	failing := false
	for {
		err := r.Refresh(ctx)
		if err != nil && ctx.Err() == nil && !failing {
			log.ErrorContext(ctx, "the register of documents is not refreshed", "error", err)
		}
		failing = err != nil
		select {
		case <-again.C:
		case <-ctx.Done():
			return
		}
	}
}
