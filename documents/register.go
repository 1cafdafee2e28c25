// SPDX-License-Identifier: EUPL-1.2

package documents

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/internal/fresh"
)

// Register knows every document that is loaded, whoever's it is, by hash. Asking it never waits.
type Register struct {
	*fresh.Kept[map[string]loaded]
}

// loaded is a document, everybody's or that of tenants.
type loaded struct {
	text       string
	everybodys bool
	owners     []Owner
}

// Owner is a tenant that has documents of its own.
type Owner struct {
	Kind  authz.TenantKind
	Place authz.Place
}

// Part is where the owner's documents are known.
func (o Owner) Part() authz.Interval { return authz.Cover(o.Kind, o.Place) }

// NewRegister makes a register over the database of who serves. It knows nothing before Refresh.
func NewRegister(pool *pgxpool.Pool) *Register {
	return &Register{fresh.Keep(pool, "documents", "trusted_documents_version", nil, func(ctx context.Context, _ map[string]loaded) (map[string]loaded, error) {
		rows, err := pool.Query(ctx, `select d.sha256, min(d.document), t.kind, t.place from trusted_documents d left join tenants t on t.place = d.owner
			group by d.sha256, t.kind, t.place`)
		if err != nil {
			return nil, fmt.Errorf("documents: reading: %w", err)
		}
		all := map[string]loaded{}
		var hash, document string
		var kind *authz.TenantKind
		var place *authz.Place
		if _, err := pgx.ForEachRow(rows, []any{&hash, &document, &kind, &place}, func() error {
			d := all[hash]
			d.text = document
			if kind == nil {
				d.everybodys = true
			} else {
				d.owners = append(d.owners, Owner{*kind, *place})
			}
			all[hash] = d
			return nil
		}); err != nil {
			return nil, fmt.Errorf("documents: reading: %w", err)
		}
		return all, nil
	})}
}

// Text gives the document with a hash, which may stand behind "sha256:", to the principal in the context. Those of a tenant are there only for whoever is
// at home there, see authz.Principal.Home: for all others they were never loaded.
func (r *Register) Text(ctx context.Context, id string) (document string, ok bool) {
	hash, ok := Name(id)
	if !ok {
		return "", false
	}
	d, ok := r.Now()[hash]
	if !ok {
		return "", false
	}
	return d.text, d.everybodys || d.known(ctx)
}

func (d loaded) known(ctx context.Context) bool {
	p, err := authz.From(ctx)
	if err != nil {
		return false
	}
	home, ok := p.Home()
	return ok && slices.ContainsFunc(d.owners, func(o Owner) bool { return o.Part().Covers(home) })
}

// All gives the documents of everybody, in no order.
func (r *Register) All() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, d := range r.Now() {
			if d.everybodys && !yield(d.text) {
				return
			}
		}
	}
}

// Named gives the documents of an owner with their hashes, in no order; nil stands for those of everybody.
func (r *Register) Named(of *Owner) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for hash, d := range r.Now() {
			if (of == nil && d.everybodys || of != nil && slices.Contains(d.owners, *of)) && !yield(hash, d.text) {
				return
			}
		}
	}
}

// Owners gives the tenants that have documents of their own, in no order.
func (r *Register) Owners() []Owner {
	var out []Owner
	for _, d := range r.Now() {
		for _, o := range d.owners {
			if !slices.Contains(out, o) {
				out = append(out, o)
			}
		}
	}
	return out
}
