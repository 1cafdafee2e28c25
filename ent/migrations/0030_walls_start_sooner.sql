-- SPDX-License-Identifier: EUPL-1.2
-- The second wall as strong as before, and sooner up. What it says of applicants was prepared with every statement of everybody: for most tables a look into the cases,
-- behind a wall of its own. See docs/decisions/0044-the-wall-starts-sooner.md.

-- +goose Up
-- +goose StatementBegin
-- Says whether whoever asks is an applicant in whose interval of places this one lies.
create function ozg_of_applicant(place bigint) returns boolean
    language plpgsql stable parallel safe
as $$
begin
    if coalesce(pg_catalog.current_setting('app.owner', true), '') operator(pg_catalog.=) '' then
        return false;
    end if;
    return place operator(pg_catalog.>=) pg_catalog.current_setting('app.lo', true)::pg_catalog.int8
        and place operator(pg_catalog.<=) pg_catalog.current_setting('app.hi', true)::pg_catalog.int8;
end $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Says whether whoever asks is the applicant to whom a row of this place belongs.
create function ozg_owns(place bigint, owner text) returns boolean
    language plpgsql stable parallel safe
as $$
begin
    if owner operator(pg_catalog.=) pg_catalog.current_setting('app.owner', true) then
        return public.ozg_of_applicant(place);
    end if;
    return false;
end $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Gives the cases that an applicant sees: none for anybody else, and null for somebody who has more than twenty. It looks with the caller's rights, so that the wall of
-- cases decides.
create function ozg_own_cases() returns uuid[]
    language plpgsql stable parallel safe
as $$
declare
    own uuid[];
begin
    if coalesce(pg_catalog.current_setting('app.owner', true), '') operator(pg_catalog.=) '' then
        return '{}';
    end if;
    own := array(select c.id from public.cases c where c.owner operator(pg_catalog.=) pg_catalog.current_setting('app.owner', true) limit 21);
    return case when pg_catalog.cardinality(own) operator(pg_catalog.<=) 20 then own end;
end $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Says whether whoever asks sees the case, with the caller's rights, too.
create function ozg_sees_case(of_tenant uuid, of_case uuid) returns boolean
    language plpgsql stable parallel safe
as $$
begin
    return exists (select from public.cases c where c.tenant_id operator(pg_catalog.=) of_tenant and c.id operator(pg_catalog.=) of_case);
end $$;
-- +goose StatementEnd
revoke all on function ozg_of_applicant(bigint), ozg_owns(bigint, text), ozg_own_cases(), ozg_sees_case(uuid, uuid) from public;
grant execute on function ozg_of_applicant(bigint), ozg_owns(bigint, text), ozg_own_cases(), ozg_sees_case(uuid, uuid) to ozg_serving;

-- +goose StatementBegin
-- The condition of the second wall, see ozg_wall. Staff are let through by the first branch alone, whose lower bound is null for an applicant. Behind the first wall that
-- is every row, and what is asked of applicants is functions, which cost nobody else more than their names. As a case the planner takes all of it for a filter, which it is (0001).
create function ozg_wall_condition(of_applicants text) returns text
    language sql immutable
    set search_path = public, pg_temp
as $$
    select $c$case when place between (select case when current_setting('app.owner', true) = '' then nullif(current_setting('app.lo', true), '')::bigint end)
        and (select nullif(current_setting('app.hi', true), '')::bigint) then true$c$
        || coalesce(' when ' || of_applicants || ' then true', '') || ' else false end'
$$;
-- +goose StatementEnd
revoke all on function ozg_wall_condition(text) from public;

-- +goose StatementBegin
-- As before (0001), but for the condition.
create or replace procedure ozg_wall(tab regclass, owner_condition text, verbs text[])
    language plpgsql
    set search_path = public, pg_temp
as $$
declare
    condition text := ozg_wall_condition(case when owner_condition <> 'false' then format('ozg_of_applicant(place) and (%s)', owner_condition) end);
    verb      text;
begin
    if owner_condition is null or verbs is null then
        raise exception 'the wall of % needs an owner condition and verbs', tab;
    end if;
    if not exists (select from pg_attribute
                   where attrelid = tab and attname = 'place' and atttypid = 'bigint'::regtype and attnotnull and not attisdropped) then
        raise exception '% has no column place of type bigint not null', tab;
    end if;
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

-- +goose StatementBegin
-- The walls that stand: what is granted stays as it is.
do $$
declare
    tab       text;
    condition text;
begin
    for tab, condition in
        select 'cases', 'ozg_owns(place, owner)'
        -- The cases of an applicant are found once for a statement, and a case is looked up for each row only where they are very many.
        union all select unnest('{submissions,applicants,messages,attachments,decisions,announcements,history_events,events,access_entries,extension_records,extension_entries}'::text[]),
            'coalesce(case_id = any((select ozg_own_cases())::uuid[]), ozg_sees_case(tenant_id, case_id)) and ozg_of_applicant(place)'
        union all select unnest('{organisational_units,service_offerings,connectors,comments,follow_ups,assignments,role_assignments,audit_entries,extension_definitions,webhooks,webhook_deliveries,bulk_operations}'::text[]),
            null
    loop
        execute format('alter policy wall on %I using (%s) with check (%2$s)', tab, ozg_wall_condition(condition));
    end loop;
end $$;
-- +goose StatementEnd

-- Keys that no foreign key holds on to and no statement looks into: ids are unique in the whole house. Each cost every line of the access log, and every message, an entry.
alter table access_entries drop constraint access_entries_tenant_id_id_key;
alter table messages drop constraint messages_tenant_id_id_key;
