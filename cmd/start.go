// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Inspect looks at the second wall with the login that will serve, and refuses the start where it would not hold. Each refusal says what to do.
// A policy that is empty has been refused by Build; how far the migrations are is told by readiness.
func (h *House) Inspect(ctx context.Context) error {
	conn, err := h.reading.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("the start is refused, because the database cannot be looked at: %w", err)
	}
	defer conn.Release()
	var refusals []error
	for _, ask := range []func(context.Context, *pgx.Conn) ([]error, error){h.logins, unwalled, changeable} {
		found, err := ask(ctx, conn.Conn())
		if err != nil {
			return fmt.Errorf("inspecting the second wall: %w", err)
		}
		refusals = append(refusals, found...)
	}
	if len(refusals) > 0 {
		return fmt.Errorf("the start is refused: %w", errors.Join(refusals...))
	}
	return nil
}

// tooPowerful asks what a login could do in any role that it has or can take on. Whoever may become a superuser is one.
const tooPowerful = `
select coalesce(bool_or(r.rolsuper), false), coalesce(bool_or(r.rolbypassrls), false), coalesce(bool_or(r.rolcreaterole or r.rolreplication), false),
       coalesce(bool_or(r.rolname = 'ozg_owner'), false), coalesce(bool_or(r.rolname = 'ozg_watching'), false),
       coalesce(bool_or(exists (select from pg_class c where c.relowner = r.oid and c.relkind in ('r', 'p', 'v', 'm', 'f'))), false)
from pg_roles u join pg_roles r on pg_has_role(u.oid, r.oid, 'member') and (r.oid = u.oid or not u.rolsuper)
where u.rolname = `

// logins refuses a login with rights that no wall holds back. In development every connection takes on the role of serving over a login that
// owns the house: there only that role is looked at.
func (h *House) logins(ctx context.Context, conn *pgx.Conn) (refusals []error, err error) {
	who := []string{"session_user", "current_user"}
	if h.role != "" {
		who = who[1:]
	}
	for _, u := range who {
		var super, bypass, create, owner, watching, owns bool
		if err := conn.QueryRow(ctx, tooPowerful+u).Scan(&super, &bypass, &create, &owner, &watching, &owns); err != nil {
			return nil, fmt.Errorf("asking what %s may do: %w", u, err)
		}
		for _, c := range []struct {
			is  bool
			why string
		}{
			{super, "is a superuser or can become one: serve with a login that is only a member of ozg_serving"},
			{bypass, "may bypass row level security: take BYPASSRLS away from it and its roles"},
			{create, "may make roles or copy the database: take CREATEROLE and REPLICATION away from it and its roles"},
			{owner, "is a member of ozg_owner: revoke ozg_owner from it, migrations have a login of their own"},
			{watching, "is a member of ozg_watching: revoke ozg_watching from it, the watch has a login of its own"},
			{owns, "owns a table: give its tables to ozg_owner"},
		} {
			if c.is {
				refusals = append(refusals, fmt.Errorf("the serving login (%s) %s", u, c.why))
			}
		}
	}
	return refusals, nil
}

// unwalled refuses a table of tenants that does not stand behind the wall. Of tenants itself the place is no secret;
// a part of a table is reached through the whole alone, as nobody was granted anything on it.
func unwalled(ctx context.Context, conn *pgx.Conn) (refusals []error, err error) {
	rows, err := conn.Query(ctx, `
		select c.oid::regclass::text from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'place' and not a.attisdropped
		where c.relkind in ('r', 'p') and not c.relispartition and c.relname <> 'tenants' and c.relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
		  and not (c.relrowsecurity and c.relforcerowsecurity and exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'wall' and p.polcmd = '*'))
		order by 1`)
	if err != nil {
		return nil, fmt.Errorf("looking for tables without a wall: %w", err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("looking for tables without a wall: %w", err)
	}
	for _, t := range tables {
		refusals = append(refusals, fmt.Errorf("the table %s has a place and no wall: a migration has to call ozg_wall for it", t))
	}
	return refusals, nil
}

// changeable refuses a database in which a statement could change the scope that was entered.
func changeable(ctx context.Context, conn *pgx.Conn) (refusals []error, err error) {
	var may bool
	err = conn.QueryRow(ctx, "select has_function_privilege(current_user, 'pg_catalog.set_config(text, text, boolean)', 'execute')").Scan(&may)
	if err != nil {
		return nil, fmt.Errorf("asking for set_config: %w", err)
	}
	if may {
		refusals = append(refusals, errors.New("serving may execute pg_catalog.set_config: migrate as a superuser, or let one revoke it from public and grant it to ozg_owner (deploy/README.md)"))
	}
	return refusals, nil
}
