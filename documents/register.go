// SPDX-License-Identifier: EUPL-1.2

package documents

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/ozg-cloud/platform/internal/fresh"
)

// Register knows every document that is loaded, by hash. Asking it never waits.
type Register struct{ *fresh.Kept[map[string]loaded] }

// loaded is a document and whose it is.
type loaded struct {
	text      string
	everybody bool
	of        []Part // of the tenants that it was loaded for
}

// Part is a tenant with what is below it, by the first and the last place (see authz.Place).
type Part struct{ First, Last int64 }

// NewRegister makes a register over the database of who serves. It knows nothing before Refresh.
func NewRegister(pool *pgxpool.Pool) *Register {
	return &Register{fresh.Keep(pool, "documents", "trusted_documents_version", nil, func(ctx context.Context, _ map[string]loaded) (map[string]loaded, error) {
		rows, err := pool.Query(ctx, `select d.sha256, d.document, d.tenant is null, coalesce(t.place, 0), coalesce(t.place_end, 0)
			from trusted_documents d left join tenants t on t.place = d.tenant`)
		if err != nil {
			return nil, fmt.Errorf("documents: reading: %w", err)
		}
		all := map[string]loaded{}
		var hash, document string
		var everybody bool
		var of Part
		if _, err := pgx.ForEachRow(rows, []any{&hash, &document, &everybody, &of.First, &of.Last}, func() error {
			l := all[hash]
			l.text, l.everybody = document, l.everybody || everybody
			if !everybody && !slices.Contains(l.of, of) {
				l.of = append(l.of, of)
			}
			all[hash] = l
			return nil
		}); err != nil {
			return nil, fmt.Errorf("documents: reading: %w", err)
		}
		return all, nil
	})}
}

// Text gives the document with a hash, which may stand behind "sha256:", to somebody; within tells whether that is one of the people of a tenant. To all others a
// document of a tenant is as if nobody had loaded it.
func (r *Register) Text(id string, within func(Part) bool) (document string, ok bool) {
	hash, ok := Name(id)
	if !ok {
		return "", false
	}
	l, ok := r.Now()[hash]
	if !ok || !l.everybody && !slices.ContainsFunc(l.of, within) {
		return "", false
	}
	return l.text, true
}

// All gives the documents that everybody knows, in no order.
func (r *Register) All() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, l := range r.Now() {
			if l.everybody && !yield(l.text) {
				return
			}
		}
	}
}

// Named gives all documents with their hashes, in no order.
func (r *Register) Named() iter.Seq2[string, string] {
	return func(yield func(hash, text string) bool) {
		for hash, l := range r.Now() {
			if !yield(hash, l.text) {
				return
			}
		}
	}
}
