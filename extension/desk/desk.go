// SPDX-License-Identifier: EUPL-1.2

package desk

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/documents"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/auditentry"
	"github.com/ozg-cloud/platform/ent/extensiondefinition"
	"github.com/ozg-cloud/platform/ent/tenant"
	"github.com/ozg-cloud/platform/extension"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/once"
)

// Desk carries out the verbs. Each asks for the right extension, define at the tenant whose fields they are.
type Desk struct {
	client    *ent.Client
	standard  *ast.Schema
	inForce   func(authz.Place) extension.Chain
	documents Documents
	clock     func() time.Time
}

// Documents are the trusted documents, some of which might become invalid: those of everybody (nil) and those of tenants, by their hash.
type Documents interface {
	Named(of *documents.Owner) iter.Seq2[string, string]
	Owners() []documents.Owner
}

// New makes a desk over the writing client. standard is the whole contract of the standard house, inForce what holds at a tenant at most a second ago.
func New(client *ent.Client, standard *ast.Schema, inForce func(authz.Place) extension.Chain, trusted Documents, clock func() time.Time) *Desk {
	return &Desk{client, standard, inForce, trusted, clock}
}

// Outcome is what came of a verb.
type Outcome struct {
	// Definition is the version that was made or has another state now; the zero id where it was only tried.
	Definition uuid.UUID
	// Changes are those against what was in force before.
	Changes []extension.Change
	// Documents are the hashes of the trusted documents that are valid before and not after.
	Documents []string
}

// Breaking tells whether something would break, so that it has to be asked for.
func (o Outcome) breaking() bool {
	for _, c := range o.Changes {
		if c.Class == extension.Breaking {
			return true
		}
	}
	return len(o.Documents) > 0
}

func (d *Desk) now() time.Time { return d.clock().UTC().Truncate(time.Microsecond) }

// errTried ends a transaction in which something was only tried.
type errTried struct{ outcome Outcome }

func (errTried) Error() string { return "extension: only tried" }

// inTransaction stores all that do writes, or nothing, under rights that hold when it is stored, and once for a request that may be said again.
func (d *Desk) inTransaction(ctx context.Context, do func(p *authz.Principal, tx *ent.Tx) (tenant uuid.UUID, o Outcome, err error)) (Outcome, error) {
	o, err := once.Do(ctx, d.client, d.now, func(tx *ent.Tx) (Outcome, error) {
		p, err := authz.From(ctx)
		if err != nil {
			return Outcome{}, err
		}
		at, o, err := do(p, tx)
		if err != nil {
			return Outcome{}, err
		}
		return o, once.Enter(ctx, tx, d.now(), at, o.Definition, o)
	})
	if tried, ok := err.(errTried); ok { //nolint:errorlint // it comes from do as it is
		return tried.outcome, nil
	}
	return o, err
}

// owning finds a tenant that can own fields, and locks what it has defined: versions are made one after the other.
func owning(ctx context.Context, tx *ent.Tx, p *authz.Principal, id uuid.UUID, path ...string) (*ent.Tenant, error) {
	t, err := tx.Tenant.Query().Where(tenant.ID(id)).Only(ctx)
	switch {
	case ent.IsNotFound(err):
		return nil, problem.New(problem.Missing, "notFound", path...)
	case err != nil:
		return nil, fmt.Errorf("extension: finding a tenant: %w", err)
	}
	if err := p.Ask("extension", "define", authz.Target{Place: authz.Place(t.Place)}); err != nil {
		return nil, err
	}
	if t.Kind == tenant.KindFEDERATION {
		return nil, problem.New(problem.Invalid, "ownerLevel", path...)
	}
	return t, nil
}

func owner(t *ent.Tenant) extension.Owner {
	return extension.Owner{ID: t.ID, Place: t.Place, Kind: string(t.Kind), Slug: t.Slug}
}

// above are the definitions in force that a tenant inherits.
func (d *Desk) above(t *ent.Tenant) []*extension.Definition {
	var out []*extension.Definition
	for _, a := range d.inForce(authz.Place(t.Place)) {
		if a.Owner.ID != t.ID {
			out = append(out, a)
		}
	}
	return out
}

// versions are those of a tenant, the newest first.
func versions(ctx context.Context, tx *ent.Tx, t *ent.Tenant) ([]*ent.ExtensionDefinition, error) {
	all, err := tx.ExtensionDefinition.Query().Where(extensiondefinition.TenantID(t.ID)).
		Order(ent.Desc(extensiondefinition.FieldVersion)).ForUpdate().All(ctx)
	if err != nil {
		return nil, fmt.Errorf("extension: finding versions: %w", err)
	}
	return all, nil
}

// opened reads a version that was kept.
func (d *Desk) opened(t *ent.Tenant, v *ent.ExtensionDefinition) (*extension.Definition, error) {
	if v == nil {
		return nil, nil
	}
	out, err := extension.Kept(v.Sdl, v.Numbers, owner(t), d.standard, d.above(t)...)
	if err != nil {
		return nil, fmt.Errorf("extension: version %d is not what it was: %w", v.Version, err)
	}
	out.Leaving = v.State == extensiondefinition.StateDEPRECATED
	return out, nil
}

// holding is the version in force; nil where there is none.
func holding(all []*ent.ExtensionDefinition) *ent.ExtensionDefinition {
	for _, v := range all {
		if v.State == extensiondefinition.StateACTIVE || v.State == extensiondefinition.StateDEPRECATED {
			return v
		}
	}
	return nil
}

// last is the version that was in force last, which the numbers of the next one follow.
func last(all []*ent.ExtensionDefinition) *ent.ExtensionDefinition {
	for _, v := range all {
		if v.ActivatedAt != nil {
			return v
		}
	}
	return nil
}

// formerly reads what the numbers of a next version follow, and what is in force: the same, or nothing where that was retired.
func (d *Desk) formerly(t *ent.Tenant, all []*ent.ExtensionDefinition) (former, before *extension.Definition, err error) {
	if former, err = d.opened(t, last(all)); holding(all) != nil {
		before = former
	}
	return former, before, err
}

// compared says what comes of after following before, where either may be nil.
func (d *Desk) compared(t *ent.Tenant, before, after *extension.Definition) Outcome {
	return Outcome{Changes: extension.Diff(before, after), Documents: d.broken(t, before, after)}
}

// broken names the documents that would become invalid where a tenant's definition holds: those that are asked in its own contract, and those that tenants
// below it have for theirs, which may name fields of both.
func (d *Desk) broken(t *ent.Tenant, before, after *extension.Definition) []string {
	own := authz.Cover(authz.TenantKind(t.Kind), authz.Place(t.Place))
	look := func(place authz.Place, of *documents.Owner) []string {
		chain := func(version *extension.Definition) *ast.Schema {
			return instead(d.inForce(place), owner(t), version).Overlay(d.standard)
		}
		return extension.Broken(chain(before), chain(after), d.documents.Named(of))
	}
	out := look(authz.Place(t.Place), nil)
	for _, o := range d.documents.Owners() {
		switch {
		case o.Part().Covers(own):
			out = append(out, look(authz.Place(t.Place), &o)...)
		case own.Covers(o.Part()):
			out = append(out, look(o.Place, &o)...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// instead is a chain in which an owner's definition is another one, or none. From the Land down: what lies in a tenant has a place behind its own.
func instead(chain extension.Chain, o extension.Owner, d *extension.Definition) extension.Chain {
	out := slices.DeleteFunc(slices.Clone(chain), func(each *extension.Definition) bool { return each.Owner.ID == o.ID })
	if d != nil {
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b *extension.Definition) int { return cmp.Compare(a.Owner.Place, b.Owner.Place) })
	return out
}

// entry writes a line of the audit log.
func (d *Desk) entry(ctx context.Context, tx *ent.Tx, p *authz.Principal, t *ent.Tenant, action auditentry.Action, hash string) error {
	err := tx.AuditEntry.Create().SetTenantID(t.ID).SetPlace(t.Place).SetAt(d.now()).SetActor(p.Subject).SetAction(action).SetSubject(hash).Exec(ctx)
	if err != nil {
		return fmt.Errorf("extension: writing the audit log: %w", err)
	}
	return nil
}
