// SPDX-License-Identifier: EUPL-1.2

package staff

import (
	"context"
	"fmt"
	"regexp"
	"slices"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/auditentry"
	"github.com/ozg-cloud/platform/ent/organisationalunit"
	"github.com/ozg-cloud/platform/ent/roleassignment"
	"github.com/ozg-cloud/platform/ent/service"
	"github.com/ozg-cloud/platform/ent/store"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/once"
)

// Role is a role that somebody is to have at a tenant.
type Role struct {
	Tenant   uuid.UUID
	Subject  string
	Role     authz.Role
	Unit     *uuid.UUID  // narrows it to a unit and all below, where the role can be narrowed so
	Services []uuid.UUID // what a role that holds for named services is named for
}

const mostServices = 100

// subjects are those of people and machines. The name of a system principal is none.
var subjects = regexp.MustCompile(`^user:[a-z][a-z0-9-]{0,30}:\PC{1,200}$`)

// levels are where a role can be given that has a meaning only there: statistics of a Land count authorities, and are no window into one.
var levels = map[authz.Role][]authz.TenantKind{
	"LAND_ANALYST": {authz.Federation, authz.Land},
}

// Assign gives a role and tells the id of the assignment. Refused are roles that the policy does not know (unknownValue), a unit or services
// with which the role would reach further than it seems (notNarrowed), subjects whose issuer does not speak for the tenant, so that the role would
// never count (issuerElsewhere), and what the giver may not give. A second time it is a conflict: alreadyDone, or roleHeld where the services differ.
func (d *Desk) Assign(ctx context.Context, r Role) (uuid.UUID, error) {
	if err := d.check(r); err != nil {
		return uuid.Nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.Nil, fmt.Errorf("staff: making an id: %w", err)
	}
	id, err = once.Change(ctx, d.client, d.now, id, func(p *authz.Principal, tx *ent.Tx) (uuid.UUID, error) { return r.Tenant, d.assign(ctx, p, tx, id, r) })
	if store.Violates(err, "role_assignments_once") { // somebody was faster
		return uuid.Nil, problem.New(problem.Conflict, "alreadyDone")
	}
	if err != nil {
		return uuid.Nil, err
	}
	return id, nil
}

// check refuses what is wrong wherever it is given.
func (d *Desk) check(r Role) error {
	byUnit, byService := d.policy.Narrowing(r.Role)
	switch {
	case !subjects.MatchString(r.Subject):
		return problem.New(problem.Invalid, "pattern", "input", "subject")
	case r.Role == authz.Applicant || !slices.Contains(d.policy.Roles(), r.Role):
		return problem.New(problem.Invalid, "unknownValue", "input", "role")
	case r.Unit != nil && !byUnit:
		return problem.New(problem.Invalid, "notNarrowed", "input", "unitId")
	case len(r.Services) > 0 && !byService:
		return problem.New(problem.Invalid, "notNarrowed", "input", "serviceIds")
	case len(r.Services) == 0 && byService:
		return problem.New(problem.Invalid, "required", "input", "serviceIds")
	case len(r.Services) > mostServices:
		return problem.New(problem.Invalid, "tooMany", "input", "serviceIds")
	}
	return nil
}

func (d *Desk) assign(ctx context.Context, p *authz.Principal, tx *ent.Tx, id uuid.UUID, r Role) error {
	at, err := tenantOf(ctx, tx, r.Tenant)
	if err != nil {
		return err
	}
	if err := mayAssign(p, r.Subject, r.Role, at.Place); err != nil {
		return err
	}
	if kinds, ok := levels[r.Role]; ok && !slices.Contains(kinds, at.Kind) {
		return problem.New(problem.Invalid, "roleLevel", "input", "tenantId")
	}
	counts, err := d.keeper.SpeaksFor(ctx, r.Subject, at)
	if err != nil {
		return err
	}
	if !counts {
		return problem.New(problem.Invalid, "issuerElsewhere", "input", "subject")
	}
	clerk, err := authz.Clerk(ctx, at.Place)
	if err != nil {
		return err
	}
	services, err := narrowed(clerk, tx, r)
	if err != nil {
		return err
	}
	if err := notYet(clerk, tx, r, services); err != nil {
		return err
	}
	create := tx.RoleAssignment.Create().SetID(id).SetTenantID(at.ID).SetPlace(int64(at.Place)).SetSubject(r.Subject).SetRole(string(r.Role)).
		SetNillableUnitID(r.Unit).SetAssignedBy(p.Subject).SetAssignedAt(d.now())
	line := d.entry(p, tx, at.ID, at.Place, auditentry.ActionROLE_ASSIGNED, r.Subject).SetRole(string(r.Role)).SetNillableUnitID(r.Unit)
	if len(services) > 0 {
		create.SetServiceIds(services)
		line.SetServiceIds(services)
	}
	if err := create.Exec(clerk); err != nil {
		return fmt.Errorf("staff: assigning a role: %w", err)
	}
	return written(clerk, line)
}

// narrowed finds unit and services. The services come back in order and once each.
func narrowed(ctx context.Context, tx *ent.Tx, r Role) ([]uuid.UUID, error) {
	if r.Unit != nil {
		there, err := tx.OrganisationalUnit.Query().
			Where(organisationalunit.ID(*r.Unit), organisationalunit.TenantID(r.Tenant), organisationalunit.RetiredAtIsNil()).Exist(ctx)
		if err != nil {
			return nil, fmt.Errorf("staff: finding a unit: %w", err)
		}
		if !there {
			return nil, problem.New(problem.Missing, "notFound", "input", "unitId")
		}
	}
	services := inOrder(r.Services)
	if len(services) == 0 {
		return nil, nil
	}
	known, err := tx.Service.Query().Where(service.IDIn(services...)).Count(ctx)
	if err != nil {
		return nil, fmt.Errorf("staff: finding services: %w", err)
	}
	if known != len(services) {
		return nil, problem.New(problem.Invalid, "unknownService", "input", "serviceIds")
	}
	return services, nil
}

func inOrder(ids []uuid.UUID) []uuid.UUID {
	ids = slices.Clone(ids)
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	return slices.Compact(ids)
}

// notYet refuses what the subject has already.
func notYet(ctx context.Context, tx *ent.Tx, r Role, services []uuid.UUID) error {
	same := tx.RoleAssignment.Query().
		Where(roleassignment.TenantID(r.Tenant), roleassignment.Subject(r.Subject), roleassignment.Role(string(r.Role)))
	if r.Unit == nil {
		same = same.Where(roleassignment.UnitIDIsNil())
	} else {
		same = same.Where(roleassignment.UnitID(*r.Unit))
	}
	have, err := same.Only(ctx)
	switch {
	case ent.IsNotFound(err):
		return nil
	case err != nil:
		return fmt.Errorf("staff: looking for a role: %w", err)
	case slices.Equal(inOrder(have.ServiceIds), services):
		return problem.New(problem.Conflict, "alreadyDone")
	}
	return problem.New(problem.Conflict, "roleHeld")
}
