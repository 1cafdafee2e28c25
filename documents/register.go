// SPDX-License-Identifier: EUPL-1.2

package documents

import (
	"context"
	"fmt"
	"iter"
	"maps"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/ozg-cloud/platform/internal/fresh"
)

// Register knows every document that is loaded, whoever's it is, by hash. Asking it never waits.
type Register struct{ *fresh.Kept[map[string]string] }

// NewRegister makes a register over the database of who serves. It knows nothing before Refresh.
func NewRegister(pool *pgxpool.Pool) *Register {
	return &Register{fresh.Keep(pool, "documents", "trusted_documents_version", nil, func(ctx context.Context, _ map[string]string) (map[string]string, error) {
		rows, err := pool.Query(ctx, "select distinct on (sha256) sha256, document from trusted_documents")
		if err != nil {
			return nil, fmt.Errorf("documents: reading: %w", err)
		}
		all := map[string]string{}
		var hash, document string
		if _, err := pgx.ForEachRow(rows, []any{&hash, &document}, func() error {
			all[hash] = document
			return nil
		}); err != nil {
			return nil, fmt.Errorf("documents: reading: %w", err)
		}
		return all, nil
	})}
}

// Text gives the document with a hash, which may stand behind "sha256:".
func (r *Register) Text(id string) (document string, ok bool) {
	hash, ok := Name(id)
	if !ok {
		return "", false
	}
	document, ok = r.Now()[hash]
	return document, ok
}

// All gives the documents, in no order.
func (r *Register) All() iter.Seq[string] { return maps.Values(r.Now()) }

// Named gives the documents with their hashes, in no order.
func (r *Register) Named() iter.Seq2[string, string] { return maps.All(r.Now()) }
