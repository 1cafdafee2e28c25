// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/organisationalunit"
	"github.com/ozg-cloud/platform/ent/predicate"
	"github.com/ozg-cloud/platform/ent/roleassignment"
	"github.com/ozg-cloud/platform/ent/service"
	"github.com/ozg-cloud/platform/ent/tenant"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/staff"
)

// role lists, gives and takes roles.
func role(ctx context.Context, c console, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	f := flags("role")
	tenantSlug := f.String("tenant", "", "only at this tenant")
	subjectName := f.String("subject", "", "only of this subject")
	unit := f.String("unit", "", "narrowed to this unit of the tenant and all below, by its number there")
	services := f.String("services", "", "given for these services, by their keys, separated by commas")
	if err := f.Parse(args[1:]); err != nil {
		return errUsage
	}
	given := f.Args()
	switch {
	case args[0] == "list" && len(given) == 0:
		return operate(ctx, c, func(ctx context.Context, o operator) error { return o.listRoles(ctx, c, *tenantSlug, *subjectName) })
	case args[0] == "assign" && len(given) == 3:
		return operate(ctx, c, func(ctx context.Context, o operator) error {
			r, err := o.roleOf(ctx, given[0], given[1], given[2], *unit, *services)
			if err != nil {
				return err
			}
			_, err = o.staff.Assign(ctx, r)
			return err
		})
	case args[0] == "remove" && len(given) == 3:
		return operate(ctx, c, func(ctx context.Context, o operator) error {
			r, err := o.roleOf(ctx, given[0], given[1], given[2], *unit, "")
			if err != nil {
				return err
			}
			id, err := o.held(ctx, r)
			if err != nil {
				return err
			}
			return o.staff.Remove(ctx, id)
		})
	}
	return errUsage
}

// subject blocks accounts and lets them in again.
func subject(ctx context.Context, c console, args []string) error {
	if len(args) != 2 {
		return errUsage
	}
	switch args[0] {
	case "block":
		return operate(ctx, c, func(ctx context.Context, o operator) error { return o.staff.Block(ctx, args[1]) })
	case "unblock":
		return operate(ctx, c, func(ctx context.Context, o operator) error { return o.staff.Unblock(ctx, args[1]) })
	}
	return errUsage
}

func (o operator) listRoles(ctx context.Context, c console, tenantSlug, subject string) error {
	q := o.client.RoleAssignment.Query().WithTenant().WithUnit()
	if tenantSlug != "" {
		q = q.Where(roleassignment.HasTenantWith(tenant.Slug(tenantSlug)))
	}
	if subject != "" {
		q = q.Where(roleassignment.Subject(subject))
	}
	rows, err := q.Order(roleassignment.ByPlace(), roleassignment.BySubject(), roleassignment.ByRole()).All(ctx)
	if err != nil {
		return fmt.Errorf("reading roles: %w", err)
	}
	t := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "TENANT\tSUBJECT\tROLE\tUNIT\tSERVICES\tGIVEN BY\tON")
	for _, r := range rows {
		unit := ""
		if r.Edges.Unit != nil {
			unit = r.Edges.Unit.ExternalID
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n", r.Edges.Tenant.Slug, r.Subject, r.Role, unit, len(r.ServiceIds), r.AssignedBy, r.AssignedAt.Format(time.DateOnly))
	}
	return t.Flush()
}

// roleOf finds what the words at the console mean.
func (o operator) roleOf(ctx context.Context, subject, role, tenantSlug, unit, services string) (staff.Role, error) {
	r := staff.Role{Subject: subject, Role: authz.Role(strings.ToUpper(role))}
	var err error
	if r.Tenant, err = o.client.Tenant.Query().Where(tenant.Slug(tenantSlug)).OnlyID(ctx); err != nil {
		return r, missing(err, "TENANT")
	}
	if unit != "" {
		id, err := o.client.OrganisationalUnit.Query().Where(organisationalunit.TenantID(r.Tenant), organisationalunit.ExternalID(unit)).OnlyID(ctx)
		if err != nil {
			return r, missing(err, "--unit")
		}
		r.Unit = &id
	}
	if services != "" {
		keys := strings.Split(services, ",")
		if r.Services, err = o.client.Service.Query().Where(service.LeikaKeyIn(keys...)).IDs(ctx); err != nil {
			return r, fmt.Errorf("finding services: %w", err)
		}
		if len(r.Services) != len(keys) {
			return r, problem.New(problem.Missing, "notFound", "--services")
		}
	}
	return r, nil
}

func (o operator) held(ctx context.Context, r staff.Role) (uuid.UUID, error) {
	which := []predicate.RoleAssignment{roleassignment.TenantID(r.Tenant), roleassignment.Subject(r.Subject), roleassignment.Role(string(r.Role)), roleassignment.UnitIDIsNil()}
	if r.Unit != nil {
		which[3] = roleassignment.UnitID(*r.Unit)
	}
	id, err := o.client.RoleAssignment.Query().Where(which...).OnlyID(ctx)
	if err != nil {
		return uuid.Nil, missing(err)
	}
	return id, nil
}

func missing(err error, path ...string) error {
	if ent.IsNotFound(err) {
		return problem.New(problem.Missing, "notFound", path...)
	}
	return err
}
