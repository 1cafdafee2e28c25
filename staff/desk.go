// SPDX-License-Identifier: EUPL-1.2

package staff

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/auditentry"
	"github.com/ozg-cloud/platform/ent/tenant"
	"github.com/ozg-cloud/platform/internal/problem"
)

// Keeper knows who signs in here; authz.Doorkeeper is one.
type Keeper interface {
	// SpeaksFor tells whether a subject's roles at a tenant count.
	SpeaksFor(ctx context.Context, subject string, at authz.TenantRef) (bool, error)
	// Recall says who a subject is, with the rights that it has now.
	Recall(ctx context.Context, subject string, trust authz.TrustLevel) (*authz.Principal, error)
}

// Desk carries out the verbs. An administrator gives and takes what the policy says (roleAssignment.<role>, assign), at the own tenant and
// below, and never the own rights. The operator at the console gives and takes everything.
type Desk struct {
	client *ent.Client
	policy *authz.Policy
	keeper Keeper
	clock  func() time.Time
}

// NewDesk makes a desk over the writing client.
func NewDesk(client *ent.Client, policy *authz.Policy, keeper Keeper, clock func() time.Time) *Desk {
	return &Desk{client, policy, keeper, clock}
}

func (d *Desk) now() time.Time { return d.clock().UTC().Truncate(time.Microsecond) }

// mayAssign asks for the right to give and take a role at a place. Nobody has it for the own rights.
func mayAssign(p *authz.Principal, subject string, role authz.Role, at authz.Place) error {
	there := authz.Target{Place: at}
	if err := p.Ask("roleAssignment", "assign", there); err != nil {
		return err
	}
	object := authz.Object("roleAssignment." + strings.ToLower(string(role)))
	if !p.System() { // the operator gives every role, those of later policies too
		if err := p.Ask(object, "assign", there); err != nil {
			return err
		}
	}
	if subject == p.Subject {
		return &problem.Problem{Kind: problem.Forbidden, Rule: "ownRights", Object: string(object), Action: "assign"}
	}
	return nil
}

// tenantOf finds the tenant at which a role is given. Tenants are a directory that everybody reads.
func tenantOf(ctx context.Context, tx *ent.Tx, id uuid.UUID) (authz.TenantRef, error) {
	t, err := tx.Tenant.Query().Where(tenant.ID(id)).Only(ctx)
	switch {
	case ent.IsNotFound(err):
		return authz.TenantRef{}, problem.New(problem.Missing, "notFound", "input", "tenantId")
	case err != nil:
		return authz.TenantRef{}, fmt.Errorf("staff: finding a tenant: %w", err)
	}
	return authz.TenantRef{ID: t.ID, Slug: t.Slug, Kind: authz.TenantKind(t.Kind), Place: authz.Place(t.Place)}, nil
}

// entry begins a line of the audit log at a tenant.
func (d *Desk) entry(p *authz.Principal, tx *ent.Tx, tenant uuid.UUID, at authz.Place, action auditentry.Action, subject string) *ent.AuditEntryCreate {
	return tx.AuditEntry.Create().SetTenantID(tenant).SetPlace(int64(at)).SetAt(d.now()).SetActor(p.Subject).SetAction(action).SetSubject(subject)
}

// written stores the line.
func written(ctx context.Context, line *ent.AuditEntryCreate) error {
	if err := line.Exec(ctx); err != nil {
		return fmt.Errorf("staff: writing the audit log: %w", err)
	}
	return nil
}
