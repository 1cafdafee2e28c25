-- SPDX-License-Identifier: EUPL-1.2
-- Figures by state out of cells of their own, and figures by extension fields (Balkone): how many cases have which value of a field that is an enumeration or a boolean,
-- and the sum of one that is a number. There are exact ones alone, so that no cell of a field has keys. See docs/decisions/0037.

-- +goose Up
-- Shape 5: by month and state; detail is the state's number. Figures by state alone took a hundred cells by marks where they take ten now.
-- +goose StatementBegin
do $$
begin
    perform set_config('app.lo', '0', true), set_config('app.hi', '999999999999999', true), set_config('app.owner', '', true);
    insert into statistics_cells (generation, level, lo, hi, population, shape, period, service_id, detail, n, k)
        select generation, level, lo, hi, population, 5, period, service_id, detail & 15, sum(n)::bigint, (sum(k) % 4611686018427387904)::bigint
        from statistics_cells where shape = 1 group by generation, level, lo, hi, population, period, service_id, detail & 15;
end $$;
-- +goose StatementEnd

-- What figures are told by of an entry: VALUE apart by its value, SUM its sum; null: not at all.
alter table extension_entries add column counted text check (counted in ('VALUE', 'SUM')), add check (counted is distinct from 'SUM' or number is not null);
create index extension_entries_counted on extension_entries (case_id) where counted is not null;
-- What was kept before is told by what holds now, as if a field had become filterable.
update extension_definitions set indexed_to = null, indexed_at = null where state in ('ACTIVE', 'DEPRECATED') and sdl like '%@aggregatable%';

alter table statistics_facts
  add column fields        bigint[] not null default '{}', -- of the case that are counted, in their order
  add column field_values  text[] not null default '{}',   -- their values, empty where they are summed
  add column field_amounts numeric[] not null default '{}'; -- null where they are not

-- Cells of one value of one field (level, lo, hi, population, period and detail as in statistics_cells), of the shapes 1, 2 and 4.
create table statistics_field_cells (
  n          bigint not null,
  total      numeric not null,
  field      bigint not null,
  lo         bigint not null,
  hi         bigint not null,
  service_id uuid not null,
  period     date not null,
  detail     integer not null,
  level      smallint not null,
  population smallint not null,
  shape      smallint not null,
  generation integer not null,
  value      text not null,
  primary key (generation, level, lo, field, value, population, shape, period, service_id, detail)
) with (fillfactor = 80);
-- The second wall, as that of statistics_cells.
alter table statistics_field_cells enable row level security, force row level security;
-- +goose StatementBegin
do $$
declare
    within text := $c$case when lo >= (select nullif(current_setting('app.lo', true), '')::bigint) and hi <= (select nullif(current_setting('app.hi', true), '')::bigint)
        and (select current_setting('app.owner', true)) = '' then true else false end$c$;
begin
    execute format('create policy wall on statistics_field_cells for all to ozg_serving, ozg_owner using (%1$s) with check (%1$s)', within);
end $$;
-- +goose StatementEnd
grant select on statistics_field_cells to ozg_serving;

-- Cases that are counted again although no event says that they changed: a definition did.
create table statistics_again (
  generation integer not null references statistics_offset on delete cascade,
  case_id    uuid not null,
  primary key (generation, case_id)
);
revoke all on statistics_again from public;

-- +goose StatementBegin
-- Has cases counted again once the transaction is stored, in every generation that is counted: one that begins meanwhile waits for the end of this one.
create function ozg_count_again(ids uuid[]) returns void
    language plpgsql volatile
    set search_path = public, pg_temp
as $$
begin
    lock table statistics_offset in row exclusive mode;
    insert into statistics_again (generation, case_id) select o.generation, i.id from statistics_offset o, unnest(ids) i(id) on conflict do nothing;
end $$;
-- +goose StatementEnd
revoke all on function ozg_count_again(uuid[]) from public;

-- +goose StatementBegin
-- The task that goes from record to record (0011) notes how far it has come; what lies in between is counted again. Its entries may have come to count.
create function ozg_tended() returns trigger
    language plpgsql volatile security definer
    set search_path = public, pg_temp
as $$
begin
    perform ozg_count_again(array(select r.target_id from extension_records r where r.owner = new.place and r.target = 'CASE'
        and (r.id > coalesce(old.indexed_to, '00000000-0000-0000-0000-000000000000') and r.id <= new.indexed_to
            or r.id > coalesce(old.erased_to, '00000000-0000-0000-0000-000000000000') and r.id <= new.erased_to)));
    return null;
end $$;
-- +goose StatementEnd
create trigger tended after update of indexed_to, erased_to on extension_definitions for each row execute function ozg_tended();
-- +goose StatementBegin
-- ... and a record of which nothing is left does not lie there any more.
create function ozg_taken_away() returns trigger
    language plpgsql volatile security definer
    set search_path = public, pg_temp
as $$
begin
    perform ozg_count_again(array(select distinct target_id from gone where target = 'CASE'));
    return null;
end $$;
-- +goose StatementEnd
create trigger taken_away after delete on extension_records referencing old table as gone for each statement execute function ozg_taken_away();

-- +goose StatementBegin
-- Counts cases as they are now: takes back what they counted for and adds what they count for. present decides which months are
-- over. bounds are the lower bounds of the bins of durations, in minutes. An erased case counts for what its tombstone, its history and its decisions tell.
-- Whoever calls it has entered the scope of the whole country.
create or replace function ozg_count(into_generation integer, ids uuid[], present timestamptz, bounds bigint[]) returns void
    language plpgsql volatile security definer
    set search_path = public, pg_temp
    set timezone = 'Europe/Berlin'
    set work_mem = '64MB'
as $$
begin
    with given as materialized (
        select g.id, (('x' || encode(substring(sha256(s.outward || sha256(s.inward || uuid_send(g.id))) for 8), 'hex'))::bit(64)::bigint & 4611686018427387903) as key
        from (select distinct id from unnest(ids) u(id)) g, statistics_secret s
    ), told as ( -- clocks of replicas differ a little, and a line is never older than the one before it
        select h.case_id, h.sequence, h.action, h.to_state, max(h.at) over (partition by h.case_id order by h.sequence) as at
        from given g join history_events h on h.case_id = g.id
    ), lines as materialized (
        select t.*, coalesce(lead(t.at) over (partition by t.case_id order by t.sequence), present) as until from told t
    ), steps as materialized (
        select case_id,
               min(at) filter (where action in ('CASE_ACCEPTED', 'CASE_DISCARDED', 'CASE_STARTED', 'CASE_ASSIGNED', 'COMMENT_ADDED', 'FOLLOW_UP_ADDED',
                                                'APPLICANT_ASKED', 'MESSAGE_SENT', 'CASE_DECIDED')) as acted_at,
               min(at) filter (where action = 'CASE_DECIDED') as decided_at,
               min(at) filter (where action = 'APPLICANT_ASKED') as asked_at,
               min(at) filter (where action = 'MESSAGE_REFUSED') as refused_at
        from lines group by case_id
    ), stock as materialized (
        select l.case_id, array_agg(m.month::date order by m.month) as months, array_agg(l.to_state order by m.month) as states
        from lines l cross join lateral generate_series(date_trunc('month', l.at), date_trunc('month', least(l.until, present)) - interval '1 month', interval '1 month') m(month)
        where l.to_state in ('NEW', 'ACCEPTED', 'IN_PROGRESS', 'WAITING_FOR_APPLICANT', 'FORWARDED')
        group by l.case_id
    ), added as materialized ( -- values are taken apart by the number of their field, sums have none
        select e.case_id, array_agg(e.field order by e.field) as fields,
               array_agg(case when e.counted = 'SUM' then '' when e.text is not null then e.text when e.number = 1 then 'true' else 'false' end order by e.field) as field_values,
               array_agg(case when e.counted = 'SUM' then e.number::numeric end order by e.field) as field_amounts
        from given g join extension_entries e on e.target_id = g.id
        where e.counted is not null and (e.text is not null or e.number is not null)
        group by e.case_id
    ), fresh as materialized (
        select into_generation as generation, k.id as case_id, k.place as authority, k.service_id, g.key, k.state, k.channel, k.trust_level, d.outcome, k.received_at,
               s.acted_at, s.decided_at, s.asked_at, s.refused_at, k.due_at,
               s.decided_at is not null and not exists (select from announcements a join decisions e on e.id = a.decision_id and e.tenant_id = a.tenant_id
                                                        where e.case_id = k.id and a.channel = 'POST') as digital,
               k.state in ('NEW', 'ACCEPTED', 'IN_PROGRESS', 'WAITING_FOR_APPLICANT', 'FORWARDED') as open,
               date_trunc('month', present)::date as counted_in, coalesce(o.months, '{}') as open_months, coalesce(o.states, '{}') as open_states,
               coalesce(x.fields, '{}') as fields, coalesce(x.field_values, '{}') as field_values, coalesce(x.field_amounts, '{}') as field_amounts
        from given g join cases k on k.id = g.id
        left join steps s on s.case_id = k.id
        left join stock o on o.case_id = k.id
        left join added x on x.case_id = k.id
        left join lateral (select outcome from decisions where case_id = k.id order by sent_at desc, id desc limit 1) d on true
    ), before as materialized (
        select f.* from given g join statistics_facts f on f.generation = into_generation and f.case_id = g.id
    ), changed as materialized (
        select a.case_id from fresh a left join before b on b.case_id = a.case_id where b is distinct from a
    ), signed as materialized (
        select 1 as sign, a.* from fresh a join changed using (case_id)
        union all
        select -1, b.* from before b join changed using (case_id)
    ), moments(sign, case_id, authority, service_id, key, population, month, day, bin, marks) as (
        select s.sign, s.case_id, s.authority, s.service_id, s.key, v.population, date_trunc('month', v.at)::date, v.at::date, v.bin, ozg_marks(s.state, s.channel, s.trust_level, s.outcome)
        from signed s cross join lateral (values
            (1, s.received_at, null),
            (2, s.acted_at, extract(epoch from s.acted_at - s.received_at)),
            (3, s.decided_at, extract(epoch from s.decided_at - s.received_at)),
            (4, case when s.digital then s.decided_at end, null),
            (7, s.asked_at, null),
            (8, s.refused_at, null)) v(population, at, bin)
        where v.at is not null
        union all
        select s.sign, s.case_id, s.authority, s.service_id, s.key, v.population, m.month, null, v.bin, ozg_marks(m.state, s.channel, s.trust_level, s.outcome)
        from signed s cross join lateral unnest(s.open_months, s.open_states) m(month, state)
        cross join lateral (values
            (5, extract(epoch from (m.month + interval '1 month')::timestamptz - s.received_at)),
            (6, null)) v(population, bin)
        where v.population = 5 or s.due_at < (m.month + interval '1 month')::timestamptz
    ), contributions as materialized ( -- what is open at the end of a month counts on no day, and not everything lasts
        select m.sign, m.case_id, m.authority, m.service_id, m.key, m.population, v.shape, v.period, v.detail
        from moments m cross join lateral (values
            (0, m.month, 0),
            (1, m.month, m.marks),
            (2, m.month, width_bucket(floor(greatest(m.bin, 0) / 60)::bigint, bounds)),
            (3, m.day, 0),
            (5, m.month, m.marks & 15)) v(shape, period, detail)
        where v.period is not null and (v.shape <> 2 or m.bin is not null)
        union all
        select s.sign, s.case_id, s.authority, s.service_id, s.key, v.population, 4, v.at::date, ozg_marks(s.state, s.channel, s.trust_level, s.outcome)
        from signed s cross join lateral (values (5, s.received_at), (6, s.due_at)) v(population, at)
        where s.open and v.at is not null
    ), field_leaves as (
        select c.authority, c.service_id, x.field, x.value, c.population, c.shape, c.period, c.detail, sum(c.sign) as n, sum(c.sign * x.amount) as total
        from signed s join contributions c on c.sign = s.sign and c.case_id = s.case_id
        cross join lateral unnest(s.fields, s.field_values, s.field_amounts) x(field, value, amount)
        where s.fields <> '{}' and c.shape in (1, 2, 4)
        group by 1, 2, 3, 4, 5, 6, 7, 8
    ), field_summed as (
        insert into statistics_field_cells as c (generation, level, lo, hi, field, value, population, shape, period, service_id, detail, n, total)
        select into_generation, v.level, v.lo, v.lo + v.width - 1, field, value, population, shape, period, service_id, detail, sum(n)::bigint, coalesce(sum(total), 0)
        from field_leaves cross join lateral (values
            (0, authority, 1::bigint),
            (1, authority / 10000000000 * 10000000000, 10000000000),
            (2, authority / 10000000000000 * 10000000000000, 10000000000000),
            (3, 0, 1000000000000000)) v(level, lo, width)
        where n <> 0 or total <> 0
        group by 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
        having sum(n) <> 0 or sum(total) <> 0
        order by 2, 3, 5, 6, 7, 8, 9, 10, 11
        on conflict (generation, level, lo, field, value, population, shape, period, service_id, detail) do update set n = c.n + excluded.n, total = c.total + excluded.total
    ), leaves as materialized ( -- a key in two halves: sums of int need no numeric
        select authority, service_id, population, shape, period, detail, sum(sign) as n,
               sum(sign * (key >> 31)::int) as upper, sum(sign * (key & 2147483647)::int) as lower
        from contributions group by 1, 2, 3, 4, 5, 6
    ), nodes as (
        select v.level, v.lo, v.lo + v.width - 1 as hi, population, shape, period, service_id, detail, sum(n)::bigint as n, sum(upper)::bigint as upper, sum(lower)::bigint as lower
        from leaves cross join lateral (values
            (0, authority, 1::bigint),
            (1, authority / 10000000000 * 10000000000, 10000000000),
            (2, authority / 10000000000000 * 10000000000000, 10000000000000),
            (3, 0, 1000000000000000)) v(level, lo, width)
        where n <> 0 or upper <> 0 or lower <> 0
        group by 1, 2, 3, 4, 5, 6, 7, 8
    ), summed as (
        insert into statistics_cells as c (generation, level, lo, hi, population, shape, period, service_id, detail, n, k)
        select into_generation, level, lo, hi, population, shape, period, service_id, detail, n, (((upper << 31) & 4611686018427387903) + lower) & 4611686018427387903
        from nodes where n <> 0 or upper <> 0 or lower <> 0
        order by level, lo, population, shape, period, service_id, detail
        on conflict (generation, level, lo, population, shape, period, service_id, detail) do update set n = c.n + excluded.n, k = (c.k + excluded.k) & 4611686018427387903
    )
    insert into statistics_facts as f select a.* from fresh a join changed using (case_id)
    on conflict (generation, case_id) do update set
        (authority, service_id, key, state, channel, trust_level, outcome, received_at, acted_at, decided_at, asked_at, refused_at, due_at, digital, open, counted_in, open_months, open_states, fields, field_values,
         field_amounts)
        = (excluded.authority, excluded.service_id, excluded.key, excluded.state, excluded.channel, excluded.trust_level, excluded.outcome, excluded.received_at, excluded.acted_at,
           excluded.decided_at, excluded.asked_at, excluded.refused_at, excluded.due_at, excluded.digital, excluded.open, excluded.counted_in, excluded.open_months, excluded.open_states, excluded.fields, excluded.field_values,
           excluded.field_amounts);
end $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Counts cases into a generation and moves its position from one to another. false: somebody else has counted meanwhile, and nothing is changed.
create or replace function ozg_fold(into_generation integer, after_xid xid8, after_seq bigint, to_xid xid8, to_seq bigint, ids uuid[], present timestamptz, bounds bigint[]) returns boolean
    language plpgsql volatile security definer
    set search_path = public, pg_temp
as $$
begin
    perform ozg_whole_country();
    update statistics_offset set xid = to_xid, seq = to_seq, at = greatest(at, present) where generation = into_generation and (xid, seq) = (after_xid, after_seq);
    if not found then
        return false;
    end if;
    -- What is asked for again meanwhile stays: it is counted by a later snapshot than this one.
    delete from statistics_again where generation = into_generation and case_id = any(ids);
    perform ozg_count(into_generation, ids, present, bounds);
    return true;
end $$;
-- +goose StatementEnd

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
    -- Poured are facts without extension fields: whatever has one is counted once more, the usual way.
    insert into statistics_again (generation, case_id) select distinct made, case_id from extension_entries where counted is not null and case_id is not null;
    return made;
end $$;
-- +goose StatementEnd

-- +goose StatementBegin
create or replace function ozg_forget_counts(from_block bigint, blocks bigint) returns boolean
    language plpgsql volatile security definer
    set search_path = public, pg_temp
as $$
declare
    first constant tid := format('(%s,0)', from_block);
    after constant tid := format('(%s,0)', from_block + blocks);
begin
    perform ozg_whole_country();
    delete from statistics_cells where ctid >= first and ctid < after and generation not in (select generation from statistics_offset);
    delete from statistics_field_cells where ctid >= first and ctid < after and generation not in (select generation from statistics_offset);
    delete from statistics_facts where ctid >= first and ctid < after and generation not in (select generation from statistics_offset);
    return (from_block + blocks) * current_setting('block_size')::bigint < greatest(pg_relation_size('statistics_cells'), pg_relation_size('statistics_field_cells'), pg_relation_size('statistics_facts'));
end $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- The cases of a generation that are counted again, and those that were open when they were last counted, in a month that is over since: at its end they count anew.
-- most bounds each of both.
create or replace function ozg_to_count(of_generation integer, present timestamptz, most integer) returns setof uuid
    language sql stable security definer
    set search_path = public, pg_temp
    set timezone = 'Europe/Berlin'
begin atomic
    (select case_id from statistics_facts where generation = of_generation and open and counted_in < date_trunc('month', present)::date order by counted_in limit most)
    union (select case_id from statistics_again where generation = of_generation order by case_id limit most);
end;
-- +goose StatementEnd
