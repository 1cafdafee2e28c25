-- SPDX-License-Identifier: EUPL-1.2
--
-- The house before its first table: who owns it, who may serve, who may watch, and the second wall.
-- Run by the login itself; every later migration runs as ozg_owner.

-- +goose Up

-- +goose StatementBegin
-- Roles belong to the whole cluster: another database of it may be making them at this moment, or an administrator has made them before.
do $$
begin
    begin
        create role ozg_owner nologin;
    exception when duplicate_object or unique_violation or insufficient_privilege then null; -- without them, what follows is refused
    end;
    begin
        create role ozg_serving nologin;
    exception when duplicate_object or unique_violation or insufficient_privilege then null;
    end;
    begin
        create role ozg_watching nologin;
    exception when duplicate_object or unique_violation or insufficient_privilege then null;
    end;
    begin
        execute format('grant ozg_owner to %I', session_user);
    exception when insufficient_privilege or unique_violation then null; -- a member already, or what follows is refused
    end;
end $$;
-- +goose StatementEnd

revoke all on schema public from public;
grant usage, create on schema public to ozg_owner;
grant usage on schema public to ozg_serving, ozg_watching;

-- For exclusion constraints over identities and periods. Whoever owns the database may add it, ozg_owner may not.
create extension if not exists btree_gist with schema public;

-- What comes later is executable for those who are named, and for nobody else.
alter default privileges for role ozg_owner revoke execute on functions from public;

-- Readiness compares the version; only migrations change it.
alter table goose_db_version owner to ozg_owner;
revoke all on goose_db_version from public;
grant select on goose_db_version to ozg_serving;

-- +goose StatementBegin
-- Without this an expression that slipped into a statement could change the scope after it was entered. It takes a superuser.
-- Where the login is none, one has to say these two lines by hand: serving refuses to start as long as it may execute the function.
do $$
begin
    revoke execute on function pg_catalog.set_config(text, text, boolean) from public;
    grant execute on function pg_catalog.set_config(text, text, boolean) to ozg_owner;
exception when insufficient_privilege then
    raise notice 'a superuser has to revoke execute on pg_catalog.set_config from public and grant it to ozg_owner';
end $$;
-- +goose StatementEnd

-- The version of all rights: raised with every change of a role, a unit or a blocked subject, in the same transaction.
create table rights_version (
  only_one boolean primary key default true check (only_one),
  version  bigint not null
);
insert into rights_version (version) values (1);
alter table rights_version owner to ozg_owner;
revoke all on rights_version from public;

-- +goose StatementBegin
-- Raises the version of all rights: a trigger for migrations. It runs as the owner, because serving may not write the version.
-- The transaction remembers how often it has raised it: see ozg_still.
create function ozg_rights_changed() returns trigger
    language plpgsql volatile security definer
    set search_path = public, pg_temp
as $$
begin
    update rights_version set version = version + 1;
    perform pg_catalog.set_config('app.raised', (coalesce(nullif(current_setting('app.raised', true), ''), '0')::bigint + 1)::text, true);
    return null;
end $$;
-- +goose StatementEnd
revoke all on function ozg_rights_changed() from public;
alter function ozg_rights_changed() owner to ozg_owner;

-- +goose StatementBegin
-- Enters the scope of a transaction and gives the version of all rights as the transaction sees it: rows whose place lies between lo and hi, and where owner is not empty, only those of that applicant.
-- It can be entered once (OZG01), must be whole (OZG02), and is forgotten with the transaction, however that ends.
create function ozg_enter(lo bigint, hi bigint, owner text) returns bigint
    language plpgsql volatile security definer
    set search_path = pg_catalog, pg_temp
as $$
begin
    if nullif(current_setting('app.lo', true), '') is not null then
        raise exception 'this transaction has entered its scope before' using errcode = 'OZG01';
    end if;
    if lo is null or hi is null or owner is null or lo < 0 or hi < lo then
        raise exception 'a scope needs an interval of places and an owner, be it an empty one' using errcode = 'OZG02';
    end if;
    perform set_config('app.lo', lo::text, true), set_config('app.hi', hi::text, true), set_config('app.owner', owner, true);
    return (select version from public.rights_version);
end $$;
-- +goose StatementEnd

revoke all on function ozg_enter(bigint, bigint, text) from public;
alter function ozg_enter(bigint, bigint, text) owner to ozg_owner;
grant execute on function ozg_enter(bigint, bigint, text) to ozg_serving;

-- +goose StatementBegin
-- Refuses (OZG03) whoever has decided by rights of a version that somebody else has raised since; the detail is the version now.
-- Each round trip ends with it, and so does what stands before COMMIT. At the ordinary isolation each statement sees what was committed before it, so nothing that the
-- transaction has seen is younger than what is compared here, however long it has waited for a lock.
create function ozg_still(decided_by bigint) returns void
    language plpgsql volatile security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    others bigint := (select version from public.rights_version) - coalesce(nullif(current_setting('app.raised', true), ''), '0')::bigint;
begin
    if others > decided_by then
        raise exception 'the rights have changed' using errcode = 'OZG03', detail = others::text;
    end if;
end $$;
-- +goose StatementEnd

revoke all on function ozg_still(bigint) from public;
alter function ozg_still(bigint) owner to ozg_owner;
grant execute on function ozg_still(bigint) to ozg_serving;

-- +goose StatementBegin
-- Builds the second wall around a table of tenants: for migrations, once the table stands, and again when one of its answers changes.
--
--   owner_condition says which rows belong to the applicant current_setting('app.owner', true): 'true' where an applicant may see what staff
--                   see, 'false' where applicants see nothing. It counts only for scopes with an owner. There is no silent default.
--   verbs           of SELECT, INSERT, UPDATE, DELETE: what serving may do at all. What it had before is taken away, grants on columns too;
--                   policies other than "wall" and "watch" stay.
--
-- The settings are read by sub-selects, once for a statement and not once for a row. They are no bounds of an index scan, and need not be: those
-- are the first wall's. A setting that is missing is null, or empty after the first transaction that had it: no row then.
--
-- The wall holds for the owner, too, with the same policy and no way around it. Views and functions that run with the owner's rights
-- thus show what their caller's scope shows. A policy "true" for the owner would have made each of them a door. Data migrations
-- see all rows all the same, because the connection that migrates enters the scope of the whole country when it connects (apply.go).
--
-- ozg_watching reads past the wall: whoever repeats a read in that role finds out whether the wall has made a difference (reading/watch.go).
create procedure ozg_wall(tab regclass, owner_condition text, verbs text[])
    language plpgsql
    set search_path = public, pg_temp
as $$
declare
    condition text := $c$place between (select nullif(current_setting('app.lo', true), '')::bigint) and (select nullif(current_setting('app.hi', true), '')::bigint)$c$;
    verb      text;
begin
    if owner_condition is null or verbs is null then
        raise exception 'the wall of % needs an owner condition and verbs', tab;
    end if;
    if not exists (select from pg_attribute
                   where attrelid = tab and attname = 'place' and atttypid = 'bigint'::regtype and attnotnull and not attisdropped) then
        raise exception '% has no column place of type bigint not null', tab;
    end if;
    -- As a case the planner takes it for a filter, which it is: behind the first wall every row passes. Taken for a condition it is reckoned to
    -- leave one row in two hundred, and a page of an authority is then sorted out of all its cases instead of being read off an index.
    condition := format($c$case when %s and ((select current_setting('app.owner', true)) = '' or (%s)) then true else false end$c$, condition, owner_condition);
    execute format('alter table %s enable row level security, force row level security', tab);
    execute format('drop policy if exists wall on %s', tab);
    execute format('create policy wall on %s for all to ozg_serving, ozg_owner using (%s) with check (%2$s)', tab, condition);
    execute format('drop policy if exists watch on %s', tab);
    execute format('create policy watch on %s for select to ozg_watching using (true)', tab);
    execute format('revoke all on %s from public, ozg_serving, ozg_watching', tab);
    execute format('grant select on %s to ozg_watching', tab);
    foreach verb in array verbs loop
        if coalesce(verb, '') not in ('SELECT', 'INSERT', 'UPDATE', 'DELETE') then
            raise exception 'nobody may % on %', verb, tab;
        end if;
        execute format('grant %s on %s to ozg_serving', verb, tab);
    end loop;
end $$;
-- +goose StatementEnd

revoke all on procedure ozg_wall(regclass, text, text[]) from public;
alter procedure ozg_wall(regclass, text, text[]) owner to ozg_owner;
