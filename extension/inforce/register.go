// SPDX-License-Identifier: EUPL-1.2

package inforce

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/extension"
	"github.com/ozg-cloud/platform/internal/fresh"
	"github.com/ozg-cloud/platform/internal/problem"
)

// Held is what is added to the standard house somewhere. All for whom the same is added have the same one, until a definition changes.
type Held struct {
	Chain extension.Chain
	// Hash names what is added, see extension.Chain.
	Hash string
}

// Register knows what is in force. Asking it never waits, and takes as long for one tenant as for ten thousand.
type Register struct {
	*fresh.Kept[*known]
	pool     *pgxpool.Pool
	standard *ast.Schema
	log      *slog.Logger
}

// known is what was in force at one moment: at most one definition of each owner.
type known struct {
	read      map[stored]*extension.Definition // nil for one that the standard house does not let through any more
	lands     map[int64]*extension.Definition
	districts map[int64]*extension.Definition
	places    map[authz.Place]*extension.Definition
	shared    map[authz.Interval]map[string][]extension.Owned // by the part of the tree with which they are shared, and by target

	mu   sync.Mutex
	held map[[3]*extension.Definition]*Held
}

// stored is a definition as it lies in the database: its text never changes, its state does.
type stored struct {
	id      uuid.UUID
	leaving bool
	indexed bool // what was kept before is found by it; until then nothing is looked for in columns beside cases
}

// NewRegister makes a register over the database of who serves, for definitions that add to this contract. It knows nothing before Refresh.
func NewRegister(pool *pgxpool.Pool, standard *ast.Schema, log *slog.Logger) *Register {
	r := &Register{pool: pool, standard: standard, log: log}
	r.Kept = fresh.Keep(pool, "inforce", "extension_version", &known{}, r.reread)
	return r
}

// At gives what holds in a part of the tree: what the owners add whose own part covers it. It is nil where nothing is added.
func (r *Register) At(part authz.Interval) *Held {
	k := r.Now()
	var owners [3]*extension.Definition // from the Land down
	if authz.Cover(authz.Land, part.Lo).Covers(part) {
		owners[0] = k.lands[part.Lo.Land()]
	}
	if authz.Cover(authz.District, part.Lo).Covers(part) {
		owners[1] = k.districts[part.Lo.District()]
	}
	if part.Lo == part.Hi {
		owners[2] = k.places[part.Lo]
	}
	if owners == [3]*extension.Definition{} {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if h := k.held[owners]; h != nil {
		return h
	}
	var chain extension.Chain
	for _, d := range owners {
		if d != nil {
			chain = append(chain, d)
		}
	}
	h := &Held{chain, chain.Hash()}
	k.held[owners] = h // no more of them than there are definitions
	return h
}

// Chain gives what is added to the standard house at a place; nil where that is nothing.
func (r *Register) Chain(at authz.Place) extension.Chain {
	if h := r.At(authz.Interval{Lo: at, Hi: at}); h != nil {
		return h.Chain
	}
	return nil
}

// For gives what holds for a principal: what holds at home. It is nil for who has none, see authz.Principal.Home.
func (r *Register) For(p *authz.Principal) *Held {
	home, ok := p.Home()
	if !ok {
		return nil
	}
	return r.At(home)
}

// Shared gives the fields of a target that owners share with a principal, wherever in the tree: those that are shared with a tenant at which, or below
// which, the principal has a role. Nothing is shared with applicants and system principals. Some of them may hold for the principal anyway.
func (r *Register) Shared(p *authz.Principal, target string) []extension.Owned {
	k := r.Now()
	if len(k.shared) == 0 || p.System() || p.Scope().Owner != "" {
		return nil
	}
	var with []authz.Interval
	for _, a := range p.Assignments {
		own := authz.Cover(a.Tenant.Kind, a.Tenant.Place)
		for _, kind := range []authz.TenantKind{authz.Federation, authz.Land, authz.District, authz.Authority} {
			if part := authz.Cover(kind, a.Tenant.Place); part.Covers(own) && !slices.Contains(with, part) {
				with = append(with, part)
			}
		}
	}
	var out []extension.Owned
	for _, part := range with {
		out = append(out, k.shared[part][target]...)
	}
	return out
}

// reread reads all that is in force. What has not changed is taken over.
//
// A definition that the contract does not let through any more, because a new edition of the standard house has taken one of its names,
// is left out and logged: its owner defines it anew.
func (r *Register) reread(ctx context.Context, before *known) (*known, error) {
	next := &known{
		read: map[stored]*extension.Definition{}, held: map[[3]*extension.Definition]*Held{},
		lands: map[int64]*extension.Definition{}, districts: map[int64]*extension.Definition{}, places: map[authz.Place]*extension.Definition{},
	}
	next.shared = map[authz.Interval]map[string][]extension.Owned{}
	rows, err := r.rows(ctx)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		d, seen := before.read[row.stored]
		if !seen {
			d = r.definition(ctx, row, next)
		}
		next.read[row.stored] = d
		if d == nil {
			continue
		}
		switch row.kind {
		case authz.Land:
			next.lands[row.place.Land()] = d
		case authz.District:
			next.districts[row.place.District()] = d
		default:
			next.places[row.place] = d
		}
	}
	return next, r.share(ctx, next)
}

// share finds with which parts of the tree fields are shared. A slug that no tenant has any more shares nothing.
func (r *Register) share(ctx context.Context, k *known) error {
	by := map[string]map[string][]extension.Owned{} // slug and target
	for _, d := range k.read {
		if d == nil {
			continue
		}
		for target, t := range d.Targets {
			for _, f := range t.Fields {
				for _, slug := range f.Shared {
					if by[slug] == nil {
						by[slug] = map[string][]extension.Owned{}
					}
					by[slug][target] = append(by[slug][target], extension.Owned{Field: f, Definition: d})
				}
			}
		}
	}
	if len(by) == 0 {
		return nil
	}
	rows, err := r.pool.Query(ctx, "select slug, kind, place from tenants where slug = any($1)", slices.Collect(maps.Keys(by)))
	if err != nil {
		return fmt.Errorf("inforce: finding with whom fields are shared: %w", err)
	}
	var slug string
	var kind authz.TenantKind
	var place authz.Place
	if _, err := pgx.ForEachRow(rows, []any{&slug, &kind, &place}, func() error {
		k.shared[authz.Cover(kind, place)] = by[slug]
		return nil
	}); err != nil {
		return fmt.Errorf("inforce: finding with whom fields are shared: %w", err)
	}
	return nil
}

// row is a definition in force.
type row struct {
	stored
	tenant  uuid.UUID
	slug    string
	kind    authz.TenantKind
	place   authz.Place
	sdl     string
	numbers []byte
}

// rows gives the definitions in force, owners before those below them.
func (r *Register) rows(ctx context.Context) ([]row, error) {
	batch := &pgx.Batch{}
	batch.Queue("select ozg_enter(0, $1, '')", int64(authz.Last))
	batch.Queue(`select d.id, d.state = 'DEPRECATED', d.indexed_at is not null, t.id, t.slug, t.kind, t.place, d.sdl,
		case when d.indexed_at is null then d.numbers - 'columns' else d.numbers end from extension_definitions d join tenants t on t.id = d.tenant_id
		where d.state in ('ACTIVE', 'DEPRECATED') order by case t.kind when 'LAND' then 1 when 'DISTRICT' then 2 else 3 end, t.place`)
	results := r.pool.SendBatch(ctx, batch)
	defer func() { _ = results.Close() }() // all has been read, or has failed
	if _, err := results.Exec(); err != nil {
		return nil, fmt.Errorf("inforce: entering the scope: %w", err)
	}
	found, err := results.Query()
	if err != nil {
		return nil, fmt.Errorf("inforce: reading: %w", err)
	}
	var out []row
	var w row
	if _, err := pgx.ForEachRow(found, []any{&w.id, &w.leaving, &w.indexed, &w.tenant, &w.slug, &w.kind, &w.place, &w.sdl, &w.numbers}, func() error {
		out = append(out, w)
		w.numbers = nil
		return nil
	}); err != nil {
		return nil, fmt.Errorf("inforce: reading: %w", err)
	}
	return out, nil
}

// definition reads one beside those above it that are known by now.
func (r *Register) definition(ctx context.Context, w row, k *known) *extension.Definition {
	var above []*extension.Definition
	for _, d := range []*extension.Definition{k.lands[w.place.Land()], k.districts[w.place.District()]} {
		if d != nil {
			above = append(above, d)
		}
	}
	d, err := extension.Kept(w.sdl, w.numbers, extension.Owner{ID: w.tenant, Kind: string(w.kind), Slug: w.slug, Place: int64(w.place)}, r.standard, above...)
	if p, ok := problem.Of(err); ok {
		r.log.ErrorContext(ctx, "a definition in force does not fit the standard house any more", "tenant", w.slug, "rule", p.Rule)
		return nil
	}
	if err != nil {
		r.log.ErrorContext(ctx, "a definition in force has not its numbers", "tenant", w.slug, "error", err)
		return nil
	}
	d.Leaving = w.leaving
	return d
}
