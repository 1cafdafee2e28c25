-- SPDX-License-Identifier: EUPL-1.2
-- Counting all cases anew in bulk: the program folds cases into facts and cells, and pours them through two doors into a generation that answers nothing yet.
-- The doors take rows by COPY, which no log of statements writes down. See docs/decisions/0035.

-- +goose Up
-- Numbers of generations are never used again: what a rebuild that was killed has written lies there until it is forgotten.
create sequence statistics_generation as integer;
select setval('statistics_generation', (select max(generation) + 1 from statistics_offset), false);
-- +goose StatementBegin
create or replace function ozg_count_anew(present timestamptz) returns integer
    language plpgsql volatile security definer
    set search_path = public, pg_temp
as $$
declare
    made constant integer := nextval('statistics_generation');
begin
    perform ozg_whole_country();
    lock table statistics_offset in share row exclusive mode;
    delete from statistics_offset where not answers;
    insert into statistics_offset (generation, answers, xid, seq, at) values (made, false, pg_snapshot_xmin(pg_current_snapshot()), -1, present);
    return made;
end $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- The keys of records, in the order of their ids. Whoever calls it has entered the scope of the whole country.
create function ozg_record_keys(ids uuid[]) returns bigint[]
    language plpgsql stable security definer
    set search_path = public, pg_temp
as $$
begin
    perform ozg_whole_country();
    return (select array_agg(('x' || encode(substring(sha256(s.outward || sha256(s.inward || uuid_send(g.id))) for 8), 'hex'))::bit(64)::bigint & 4611686018427387903 order by g.i)
            from unnest(ids) with ordinality g(id, i), statistics_secret s);
end $$;
-- +goose StatementEnd
revoke all on function ozg_record_keys(uuid[]) from public;
grant execute on function ozg_record_keys(uuid[]) to ozg_serving;

-- Nothing is ever read out of the doors, and nothing lies in them: what is written to them goes on into facts and cells.
create view statistics_facts_poured as select * from statistics_facts where false;
create view statistics_cells_poured as
    select 0 as generation, 0::smallint as level, false as adds, -- one level for each row, the cells in arrays
           '{}'::bigint[] as lo, '{}'::smallint[] as kind, '{}'::date[] as period, '{}'::uuid[] as service, '{}'::integer[] as detail, '{}'::bigint[] as n, '{}'::bigint[] as k
    where false;
revoke all on statistics_facts_poured, statistics_cells_poured from public;
grant insert on statistics_facts_poured, statistics_cells_poured to ozg_serving;

-- +goose StatementBegin
-- The scope is looked at here, and not by ozg_whole_country, because a call of that for each fact takes longer than writing the fact.
create function ozg_pour_fact() returns trigger
    language plpgsql volatile security definer
    set search_path = public, pg_temp
as $$
begin
    if concat_ws(' ', current_setting('app.lo', true), current_setting('app.hi', true), current_setting('app.owner', true) || '.') <> '0 999999999999999 .' then
        raise exception 'only whoever sees the whole country counts' using errcode = 'OZG02';
    end if;
    insert into statistics_facts values (new.*);
    return null;
end $$;
-- +goose StatementEnd
create trigger poured instead of insert on statistics_facts_poured for each row execute function ozg_pour_fact();

-- +goose StatementBegin
-- Adds cells of one level to a generation that is being counted anew. Refused (OZG05) where somebody else has begun to count anew, and of the generation that answers.
-- kind is the population plus 16 times the shape. Where adds is false none of the cells is there yet: looking before each costs twice as much as writing it.
create function ozg_pour_cells() returns trigger
    language plpgsql volatile security definer
    set search_path = public, pg_temp
as $$
declare
    width constant bigint := (array[1, 10000000000, 10000000000000, 1000000000000000])[new.level + 1];
begin
    perform ozg_whole_country();
    if not exists (select from statistics_offset where generation = new.generation and not answers) then
        raise exception 'somebody else has begun to count anew' using errcode = 'OZG05';
    end if;
    if new.adds then
        insert into statistics_cells as c (generation, level, lo, hi, population, shape, period, service_id, detail, n, k)
            select new.generation, new.level, u.lo, u.lo + width - 1, u.kind & 15, u.kind >> 4, u.period, u.service, u.detail, u.n, u.k
            from unnest(new.lo, new.kind, new.period, new.service, new.detail, new.n, new.k) u(lo, kind, period, service, detail, n, k)
        on conflict (generation, level, lo, population, shape, period, service_id, detail) do update set n = c.n + excluded.n, k = (c.k + excluded.k) & 4611686018427387903;
    else
        insert into statistics_cells (generation, level, lo, hi, population, shape, period, service_id, detail, n, k)
            select new.generation, new.level, u.lo, u.lo + width - 1, u.kind & 15, u.kind >> 4, u.period, u.service, u.detail, u.n, u.k
            from unnest(new.lo, new.kind, new.period, new.service, new.detail, new.n, new.k) u(lo, kind, period, service, detail, n, k);
    end if;
    return null;
end $$;
-- +goose StatementEnd
create trigger poured instead of insert on statistics_cells_poured for each row execute function ozg_pour_cells();

-- +goose StatementBegin
-- Forgets what generations that nobody counts any more have in so many blocks of cells and of facts from one on. true: there are blocks behind them. By blocks, and
-- not by rows, because looking for the next rows would pass all those that are gone again and again.
create function ozg_forget_counts(from_block bigint, blocks bigint) returns boolean
    language plpgsql volatile security definer
    set search_path = public, pg_temp
as $$
declare
    first constant tid := format('(%s,0)', from_block);
    after constant tid := format('(%s,0)', from_block + blocks);
begin
    perform ozg_whole_country();
    delete from statistics_cells where ctid >= first and ctid < after and generation not in (select generation from statistics_offset);
    delete from statistics_facts where ctid >= first and ctid < after and generation not in (select generation from statistics_offset);
    return (from_block + blocks) * current_setting('block_size')::bigint < greatest(pg_relation_size('statistics_cells'), pg_relation_size('statistics_facts'));
end $$;
-- +goose StatementEnd
revoke all on function ozg_forget_counts(bigint, bigint) from public;
grant execute on function ozg_forget_counts(bigint, bigint) to ozg_serving;
drop function ozg_forget_counts(integer);
