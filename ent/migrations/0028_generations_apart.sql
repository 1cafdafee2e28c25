-- SPDX-License-Identifier: EUPL-1.2
-- Each generation of figures lies in tables of its own, parts of statistics_facts and statistics_cells: one that is being counted anew takes rows by COPY as they are, without
-- a door that writes each of them once more, and one that is over goes as a whole. See docs/decisions/0042.

-- +goose Up
-- A rebuild that has been begun is given up; what the tables hold afterwards is the part of the generation that answers.
delete from statistics_offset where not answers;
delete from statistics_cells where generation not in (select generation from statistics_offset);
delete from statistics_facts where generation not in (select generation from statistics_offset);
drop view statistics_facts_poured, statistics_cells_poured;
drop function ozg_pour_fact(), ozg_pour_cells();
-- +goose StatementBegin
do $$
declare
    present constant integer := (select generation from statistics_offset);
    part    text;
    name    text;
begin
    drop policy wall on statistics_cells;
    alter table statistics_cells no force row level security, disable row level security;
    foreach name in array array['statistics_cells', 'statistics_facts'] loop
        part := format('%s_%s', name, present);
        execute format('revoke all on %I from ozg_serving', name);
        execute format('alter table %I rename to %I', name, part);
        execute format('alter index %I rename to %I', name || '_pkey', part || '_pkey');
    end loop;
    execute format('alter index statistics_facts_to_come rename to statistics_facts_%s_to_come', present);
    foreach name in array array['statistics_cells', 'statistics_facts'] loop
        part := format('%s_%s', name, present);
        execute format('create table %I (like %I including defaults including constraints) partition by list (generation)', name, part);
    end loop;
    alter table statistics_cells add primary key (generation, level, lo, population, shape, period, service_id, detail);
    alter table statistics_facts add primary key (generation, case_id);
    create index statistics_facts_to_come on statistics_facts (generation, counted_in) where open;
    foreach name in array array['statistics_cells', 'statistics_facts'] loop
        execute format('alter table %I attach partition %I for values in (%s)', name, format('%s_%s', name, present), present);
    end loop;
end $$;
-- +goose StatementEnd

-- The second wall, as before. It stands around the whole and not around the parts, which nobody but the owner may read by their own names.
alter table statistics_cells enable row level security, force row level security;
-- +goose StatementBegin
do $$
declare
    within text := $c$case when lo >= (select nullif(current_setting('app.lo', true), '')::bigint) and hi <= (select nullif(current_setting('app.hi', true), '')::bigint)
        and (select current_setting('app.owner', true)) = '' then true else false end$c$;
begin
    execute format('create policy wall on statistics_cells for all to ozg_serving, ozg_owner using (%1$s) with check (%1$s)', within);
end $$;
-- +goose StatementEnd
grant select on statistics_cells to ozg_serving;
revoke all on statistics_facts from public;

-- +goose StatementBegin
-- Bound to the table, and not to its name, as a function of SQL is: it would go on reading one part.
create or replace function ozg_to_count(of_generation integer, present timestamptz, most integer) returns setof uuid
    language sql stable security definer
    set search_path = public, pg_temp
    set timezone = 'Europe/Berlin'
begin atomic
    (select case_id from statistics_facts where generation = of_generation and open and counted_in < date_trunc('month', present)::date order by counted_in limit most)
    union (select case_id from statistics_again where generation = of_generation order by case_id limit most);
end;
-- +goose StatementEnd

-- +goose StatementBegin
-- Looks once before each COPY into a part: refused (OZG02) where the scope is not the whole country, and (OZG05) unless the generation is being counted. It stays that until
-- the copy is over: nobody begins anew or answers by it meanwhile.
create function ozg_pour() returns trigger
    language plpgsql volatile security definer
    set search_path = public, pg_temp
as $$
begin
    perform ozg_whole_country();
    perform from statistics_offset where generation = tg_argv[0]::integer and not answers for share;
    if not found then
        raise exception 'somebody else has begun to count anew' using errcode = 'OZG05';
    end if;
    return null;
end $$;
-- +goose StatementEnd
revoke all on function ozg_pour() from public;

-- +goose StatementBegin
-- Begins a generation, as migration 0016 says, and makes the parts that it is poured into. They are attached at once: that waits for nobody who reads or counts, and the
-- indexes are there, so that each transaction stays a short one.
create or replace function ozg_count_anew(present timestamptz) returns integer
    language plpgsql volatile security definer
    set search_path = public, pg_temp
as $$
declare
    made constant integer := nextval('statistics_generation');
    name text;
    part text;
begin
    perform ozg_whole_country();
    lock table statistics_offset in share row exclusive mode;
    delete from statistics_offset where not answers;
    insert into statistics_offset (generation, answers, xid, seq, at) values (made, false, pg_snapshot_xmin(pg_current_snapshot()), -1, present);
    -- Poured are facts without extension fields: whatever has one is counted once more, the usual way.
    insert into statistics_again (generation, case_id) select distinct made, case_id from extension_entries where counted is not null and case_id is not null;
    foreach name in array array['statistics_cells', 'statistics_facts'] loop
        part := format('%s_%s', name, made);
        execute format('create table %I (like %I including defaults including constraints including indexes) with (fillfactor = 80)', part, name);
        execute format('create trigger poured before insert on %I for each statement execute function ozg_pour(%s)', part, made);
        execute format('alter table %I attach partition %I for values in (%s)', name, part, made);
        execute format('grant insert on %I to ozg_serving', part);
    end loop;
    return made;
end $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- From now on answers are made of this generation, and nothing is poured into it any more.
create or replace function ozg_answer_by(made integer) returns void
    language plpgsql volatile security definer
    set search_path = public, pg_temp
as $$
begin
    perform ozg_whole_country();
    lock table statistics_offset in share row exclusive mode;
    if not exists (select from statistics_offset where generation = made) then
        raise exception 'somebody else has begun to count anew' using errcode = 'OZG05';
    end if;
    delete from statistics_offset where generation <> made;
    update statistics_offset set answers = true where generation = made;
    execute format('revoke insert on statistics_cells_%s, statistics_facts_%1$s from ozg_serving', made);
end $$;
-- +goose StatementEnd

-- What a rebuild cannot keep in memory it writes in parts, and those behind the first through this door, which adds them up. Nothing lies in it.
create view statistics_cells_summed as
    select 0 as generation, 0::smallint as level, -- one level for each row, the cells in arrays
           '{}'::bigint[] as lo, '{}'::smallint[] as kind, '{}'::date[] as period, '{}'::uuid[] as service, '{}'::integer[] as detail, '{}'::bigint[] as n, '{}'::bigint[] as k
    where false;
revoke all on statistics_cells_summed from public;
grant insert on statistics_cells_summed to ozg_serving;

-- +goose StatementBegin
-- Adds cells of one level to a generation that is being counted anew, and refuses as ozg_pour does. kind is the population plus 16 times the shape.
create function ozg_add_cells() returns trigger
    language plpgsql volatile security definer
    set search_path = public, pg_temp
as $$
declare
    width constant bigint := (array[1, 10000000000, 10000000000000, 1000000000000000])[new.level + 1];
begin
    perform ozg_whole_country();
    perform from statistics_offset where generation = new.generation and not answers for share;
    if not found then
        raise exception 'somebody else has begun to count anew' using errcode = 'OZG05';
    end if;
    insert into statistics_cells as c (generation, level, lo, hi, population, shape, period, service_id, detail, n, k)
        select new.generation, new.level, u.lo, u.lo + width - 1, u.kind & 15, u.kind >> 4, u.period, u.service, u.detail, u.n, u.k
        from unnest(new.lo, new.kind, new.period, new.service, new.detail, new.n, new.k) u(lo, kind, period, service, detail, n, k)
    on conflict (generation, level, lo, population, shape, period, service_id, detail) do update set n = c.n + excluded.n, k = (c.k + excluded.k) & 4611686018427387903;
    return null;
end $$;
-- +goose StatementEnd
revoke all on function ozg_add_cells() from public;
create trigger added instead of insert on statistics_cells_summed for each row execute function ozg_add_cells();

-- +goose StatementBegin
-- Forgets one part of a generation that nobody counts any more, and tells how many there are still. Where somebody reads them for longer than a quarter of a second (a backup
-- does) none is forgotten: answers would wait behind it. One part at a time, so that it waits for no second table while it holds the first.
create function ozg_forget_part() returns integer
    language plpgsql volatile security definer
    set search_path = public, pg_temp
    set lock_timeout = '250ms'
as $$
declare
    parts text[];
begin
    perform ozg_whole_country();
    select array_agg(format('%I', c.relname) order by c.relname) into parts from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent in ('statistics_cells'::regclass, 'statistics_facts'::regclass)
            and substring(c.relname from '\d+$')::integer not in (select generation from statistics_offset);
    if parts is null then
        return 0;
    end if;
    begin
        execute 'drop table ' || parts[1];
    exception when lock_not_available then
        return cardinality(parts);
    end;
    return cardinality(parts) - 1;
end $$;
-- +goose StatementEnd
revoke all on function ozg_forget_part() from public;
grant execute on function ozg_forget_part() to ozg_serving;

-- +goose StatementBegin
-- As before, of the cells of extension fields alone, which have no parts.
create or replace function ozg_forget_counts(from_block bigint, blocks bigint) returns boolean
    language plpgsql volatile security definer
    set search_path = public, pg_temp
as $$
declare
    first constant tid := format('(%s,0)', from_block);
    after constant tid := format('(%s,0)', from_block + blocks);
begin
    perform ozg_whole_country();
    delete from statistics_field_cells where ctid >= first and ctid < after and generation not in (select generation from statistics_offset);
    return (from_block + blocks) * current_setting('block_size')::bigint < pg_relation_size('statistics_field_cells');
end $$;
-- +goose StatementEnd
