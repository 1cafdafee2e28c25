// SPDX-License-Identifier: EUPL-1.2

package desk

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/auditentry"
	"github.com/ozg-cloud/platform/ent/extensiondefinition"
	"github.com/ozg-cloud/platform/ent/store"
	"github.com/ozg-cloud/platform/ent/tenant"
	"github.com/ozg-cloud/platform/extension"
	"github.com/ozg-cloud/platform/internal/problem"
)

// Text is a definition that is handed in.
type Text struct {
	Tenant uuid.UUID
	SDL    string
	// Version is the newest that the caller knows, 0 where there is none. Another one by now is a conflict (rule staleVersion).
	Version int
	// Try says that nothing is to be kept.
	Try bool
}

// Define reads a definition and keeps it as a draft, which changes nothing for anybody. It says what would change if it came into force now.
// What is wrong with the text is told at once, as a problem.List with paths from the input on.
func (d *Desk) Define(ctx context.Context, in Text) (Outcome, error) {
	return d.inTransaction(ctx, func(p *authz.Principal, tx *ent.Tx) (uuid.UUID, Outcome, error) {
		t, err := owning(ctx, tx, p, in.Tenant, "input", "tenantId")
		if err != nil {
			return uuid.Nil, Outcome{}, err
		}
		o, err := d.define(ctx, p, tx, t, in)
		return t.ID, o, err
	})
}

func (d *Desk) define(ctx context.Context, p *authz.Principal, tx *ent.Tx, t *ent.Tenant, in Text) (Outcome, error) {
	all, err := versions(ctx, tx, t)
	if err != nil {
		return Outcome{}, err
	}
	newest := 0
	if len(all) > 0 {
		newest = all[0].Version
	}
	if newest != in.Version {
		return Outcome{}, problem.New(problem.Conflict, "staleVersion", "input", "expectedVersion")
	}
	next, problems := extension.Read(in.SDL, owner(t), d.standard, d.above(t)...)
	if len(problems) > 0 {
		return Outcome{}, problem.List(problems).Below("input", "sdl")
	}
	if err := audience(ctx, tx, next); err != nil {
		return Outcome{}, err
	}
	former, before, err := d.formerly(t, all)
	if err != nil {
		return Outcome{}, err
	}
	if problems := next.Follow(former); len(problems) > 0 {
		return Outcome{}, problem.List(problems).Below("input", "sdl")
	}
	o := d.compared(t, before, next)
	if in.Try {
		return Outcome{}, errTried{o}
	}
	o.Definition = uuid.Must(uuid.NewV7())
	clerk, err := authz.Clerk(ctx, authz.Place(t.Place))
	if err != nil {
		return Outcome{}, err
	}
	err = tx.ExtensionDefinition.Create().SetID(o.Definition).SetTenantID(t.ID).SetPlace(t.Place).SetVersion(newest + 1).
		SetState(extensiondefinition.StateDRAFT).SetSdl(in.SDL).SetHash(next.Hash()).SetNumbers(json.RawMessage(next.Numbers().String())).
		SetCreatedAt(d.now()).SetCreatedBy(p.Subject).Exec(clerk)
	if store.Violates(err, "extension_definitions_tenant_id_version_key") { // somebody was faster
		return Outcome{}, problem.New(problem.Conflict, "staleVersion", "input", "expectedVersion")
	}
	if err != nil {
		return Outcome{}, fmt.Errorf("extension: keeping a draft: %w", err)
	}
	return o, d.entry(clerk, tx, p, t, auditentry.ActionEXTENSION_DEFINED, next.Hash())
}

// audience refuses to share with who is not there.
func audience(ctx context.Context, tx *ent.Tx, d *extension.Definition) error {
	var problems []*problem.Problem
	for _, target := range extension.Targets {
		if d.Targets[target] == nil {
			continue
		}
		for _, f := range d.Targets[target].Fields {
			if len(f.Shared) == 0 {
				continue
			}
			n, err := tx.Tenant.Query().Where(tenant.SlugIn(f.Shared...)).Count(ctx)
			if err != nil {
				return fmt.Errorf("extension: finding with whom a field is shared: %w", err)
			}
			if n < len(f.Shared) {
				problems = append(problems, problem.New(problem.Invalid, "unknownValue", target, f.Name, "shared", "with"))
			}
		}
	}
	if len(problems) > 0 {
		return problem.List(problems).Below("input", "sdl")
	}
	return nil
}
