-- SPDX-License-Identifier: EUPL-1.2
-- Figures: what each case counts for (facts), and the sums of that at every node of the tree (cells). Both are written by ozg_fold alone, in one transaction with
-- the position in the log up to which events have been counted, so that each is counted exactly once, however often a fold breaks off.
--
-- A cell is a number of cases with the sum of their secret keys modulo 2^62: see docs/decisions/0022. A question is answered out of cells, never out of cases,
-- and no cell has to be added up over tenants: every case is counted at its authority, its district, its Land and the federation at once.

-- +goose Up
-- The one position up to which events are counted, and the instant at which they were: of the generation that answers are made of, and of one that is just being counted
-- anew. The first position of all is before everything.
create table statistics_offset (
  generation integer primary key,
  answers    boolean not null,
  xid        xid8 not null,
  seq        bigint not null,
  at         timestamptz not null
);
alter table statistics_offset add constraint one_answers exclude (answers with =) where (answers); -- one generation answers
insert into statistics_offset (generation, answers, xid, seq, at) values (1, true, '0', 0, 'epoch');

-- The secret of the keys of records, as the two blocks of HMAC-SHA256. Only the owner reads it: neither it nor a key is ever sent to a server or written to a log.
-- Whoever has it can undo the protection of everything that was published.
create table statistics_secret (
  only_one boolean primary key default true check (only_one),
  inward   bytea not null check (length(inward) = 64),
  outward  bytea not null check (length(outward) = 64)
);
-- +goose StatementBegin
do $$
declare
    secret  bytea := ''; -- four random UUIDs: 488 random bits
    inward  bytea;
    outward bytea;
begin
    for i in 1..4 loop
        secret := secret || uuid_send(gen_random_uuid());
    end loop;
    inward := secret;
    outward := secret;
    for i in 0..63 loop
        inward := set_byte(inward, i, get_byte(secret, i) # 54);
        outward := set_byte(outward, i, get_byte(secret, i) # 92);
    end loop;
    insert into statistics_secret (inward, outward) values (inward, outward);
end $$;
-- +goose StatementEnd

-- What a case counts for now. It is taken back out of the cells before what it counts for next is added.
create table statistics_facts (
  generation  integer not null,
  case_id     uuid not null,
  authority   bigint not null,   -- the place of its tenant
  service_id  uuid not null,
  key         bigint not null check (key >= 0),
  state       text not null,
  channel     text not null,
  trust_level text not null,
  outcome     text,              -- of the decision that holds
  received_at timestamptz not null,
  acted_at    timestamptz,       -- staff did something about it for the first time
  decided_at  timestamptz,       -- the first decision
  asked_at    timestamptz,       -- the applicant was asked for the first time
  refused_at  timestamptz,       -- a mailbox refused a message for the first time
  due_at      timestamptz,
  digital     boolean not null,  -- decided, and nothing went by post
  open        boolean not null,
  counted_in  date not null,     -- the month in which it was counted: months before it are over
  open_months date[] not null,   -- at whose ends it was open
  open_states text[] not null,   -- and in which states
  primary key (generation, case_id)
);
create index statistics_facts_to_come on statistics_facts (generation, counted_in) where open;

-- The cells. level 0 is an authority (or whichever tenant the case lies at), 1 a district, 2 a Land, 3 the federation; lo and hi are the part of the tree.
--   population  1 received, 2 acted on, 3 decided, 4 decided without paper, 5 open, 6 overdue, 7 asked, 8 refused by a mailbox
--   shape       0 by month; 1 by month and marks; 2 by month and bin of a duration; 3 by day; 4 open at present, by the day of receipt (of overdue: the day on which it
--               is due) and marks
--   detail      0; the bin; or the marks: state (1 to 10, in the order of ozg_marks) + 16 channel (1, 2) + 64 trust level (1 to 3) + 256 outcome (0 none, 1 to 4)
create table statistics_cells (
  n          bigint not null,
  k          bigint not null check (k >= 0),
  lo         bigint not null,
  hi         bigint not null,
  service_id uuid not null,
  period     date not null,
  detail     integer not null,
  level      smallint not null,
  population smallint not null,
  shape      smallint not null,
  generation integer not null,
  primary key (generation, level, lo, population, shape, period, service_id, detail)
) with (fillfactor = 80);

-- The second wall: a cell is a row of the part of the tree that it counts, and of no applicant.
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
grant select on statistics_cells, statistics_offset to ozg_serving;

-- +goose StatementBegin
-- The marks of a case as one number.
create function ozg_marks(state text, channel text, trust_level text, outcome text) returns integer
    language sql immutable parallel safe -- without a SET of its own, so that it is put in where it is called
begin atomic
    select array_position(array['NEW', 'ACCEPTED', 'IN_PROGRESS', 'WAITING_FOR_APPLICANT', 'FORWARDED', 'DECIDED', 'CLOSED', 'DISCARDED', 'TO_BE_DELETED', 'ERASED'], state)
        + 16 * array_position(array['FORM_SERVER', 'PORTAL'], channel)
        + 64 * array_position(array['BASIC', 'SUBSTANTIAL', 'HIGH'], trust_level)
        + 256 * coalesce(array_position(array['GRANTED', 'PARTLY_GRANTED', 'REJECTED', 'OTHER'], outcome), 0);
end;
-- +goose StatementEnd
revoke all on function ozg_marks(text, text, text, text) from public;

-- +goose StatementBegin
-- Refuses (OZG02) whoever has not entered the scope of the whole country: of what it does not see it would count nothing.
create function ozg_whole_country() returns void
    language plpgsql stable
    set search_path = pg_catalog, pg_temp
as $$
begin
    if concat_ws(' ', current_setting('app.lo', true), current_setting('app.hi', true), current_setting('app.owner', true) || '.') <> '0 999999999999999 .' then
        raise exception 'only whoever sees the whole country counts' using errcode = 'OZG02';
    end if;
end $$;
-- +goose StatementEnd
revoke all on function ozg_whole_country() from public;

-- +goose StatementBegin
-- Counts cases as they are now: takes back what they counted for and adds what they count for. present decides which months are
-- over. bounds are the lower bounds of the bins of durations, in minutes. An erased case counts for what its tombstone, its history and its decisions tell.
-- Whoever calls it has entered the scope of the whole country.
create function ozg_count(into_generation integer, ids uuid[], present timestamptz, bounds bigint[]) returns void
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
    ), fresh as materialized (
        select into_generation as generation, k.id as case_id, k.place as authority, k.service_id, g.key, k.state, k.channel, k.trust_level, d.outcome, k.received_at,
               s.acted_at, s.decided_at, s.asked_at, s.refused_at, k.due_at,
               s.decided_at is not null and not exists (select from announcements a join decisions e on e.id = a.decision_id and e.tenant_id = a.tenant_id
                                                        where e.case_id = k.id and a.channel = 'POST') as digital,
               k.state in ('NEW', 'ACCEPTED', 'IN_PROGRESS', 'WAITING_FOR_APPLICANT', 'FORWARDED') as open,
               date_trunc('month', present)::date as counted_in, coalesce(o.months, '{}') as open_months, coalesce(o.states, '{}') as open_states
        from given g join cases k on k.id = g.id
        left join steps s on s.case_id = k.id
        left join stock o on o.case_id = k.id
        left join lateral (select outcome from decisions where case_id = k.id order by sent_at desc, id desc limit 1) d on true
    ), before as materialized (
        select f.* from given g join statistics_facts f on f.generation = into_generation and f.case_id = g.id
    ), changed as materialized (
        select a.case_id from fresh a left join before b on b.case_id = a.case_id where b is distinct from a
    ), signed as (
        select 1 as sign, a.* from fresh a join changed using (case_id)
        union all
        select -1, b.* from before b join changed using (case_id)
    ), flows as (
        select s.sign, s.authority, s.service_id, s.key, v.population, v.at::date as day, v.bin,
               ozg_marks(s.state, s.channel, s.trust_level, s.outcome) as marks
        from signed s cross join lateral (values
            (1, s.received_at, null),
            (2, s.acted_at, extract(epoch from s.acted_at - s.received_at)),
            (3, s.decided_at, extract(epoch from s.decided_at - s.received_at)),
            (4, case when s.digital then s.decided_at end, null),
            (7, s.asked_at, null),
            (8, s.refused_at, null)) v(population, at, bin)
        where v.at is not null
    ), stocks as (
        select s.sign, s.authority, s.service_id, s.key, v.population, m.month, v.bin,
               ozg_marks(m.state, s.channel, s.trust_level, s.outcome) as marks
        from signed s cross join lateral unnest(s.open_months, s.open_states) m(month, state)
        cross join lateral (values
            (5, extract(epoch from (m.month + interval '1 month')::timestamptz - s.received_at)),
            (6, null)) v(population, bin)
        where v.population = 5 or s.due_at < (m.month + interval '1 month')::timestamptz
    ), marked as (
        select ozg_marks(s.state, s.channel, s.trust_level, s.outcome) as marks, s.* from signed s where s.open
    ), contributions(sign, authority, service_id, key, population, shape, period, detail) as (
        select sign, authority, service_id, key, population, 0, date_trunc('month', day)::date, 0 from flows
        union all select sign, authority, service_id, key, population, 1, date_trunc('month', day)::date, marks from flows
        union all select sign, authority, service_id, key, population, 3, day, 0 from flows
        union all select sign, authority, service_id, key, population, 2, date_trunc('month', day)::date, width_bucket(floor(greatest(bin, 0) / 60)::bigint, bounds) from flows where bin is not null
        union all select sign, authority, service_id, key, population, 0, month, 0 from stocks
        union all select sign, authority, service_id, key, population, 1, month, marks from stocks
        union all select sign, authority, service_id, key, population, 2, month, width_bucket(floor(greatest(bin, 0) / 60)::bigint, bounds) from stocks where bin is not null
        union all select sign, authority, service_id, key, 5, 4, received_at::date, marks from marked
        union all select sign, authority, service_id, key, 6, 4, due_at::date, marks from marked where due_at is not null
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
        (authority, service_id, key, state, channel, trust_level, outcome, received_at, acted_at, decided_at, asked_at, refused_at, due_at, digital, open, counted_in, open_months, open_states)
        = (excluded.authority, excluded.service_id, excluded.key, excluded.state, excluded.channel, excluded.trust_level, excluded.outcome, excluded.received_at, excluded.acted_at,
           excluded.decided_at, excluded.asked_at, excluded.refused_at, excluded.due_at, excluded.digital, excluded.open, excluded.counted_in, excluded.open_months, excluded.open_states);
end $$;
-- +goose StatementEnd
revoke all on function ozg_count(integer, uuid[], timestamptz, bigint[]) from public;

-- +goose StatementBegin
-- Counts cases into a generation and moves its position from one to another. false: somebody else has counted meanwhile, and nothing is changed.
create function ozg_fold(into_generation integer, after_xid xid8, after_seq bigint, to_xid xid8, to_seq bigint, ids uuid[], present timestamptz, bounds bigint[]) returns boolean
    language plpgsql volatile security definer
    set search_path = public, pg_temp
as $$
begin
    perform ozg_whole_country();
    update statistics_offset set xid = to_xid, seq = to_seq, at = greatest(at, present) where generation = into_generation and (xid, seq) = (after_xid, after_seq);
    if not found then
        return false;
    end if;
    perform ozg_count(into_generation, ids, present, bounds);
    return true;
end $$;
-- +goose StatementEnd
revoke all on function ozg_fold(integer, xid8, bigint, xid8, bigint, uuid[], timestamptz, bigint[]) from public;
grant execute on function ozg_fold(integer, xid8, bigint, xid8, bigint, uuid[], timestamptz, bigint[]) to ozg_serving;

-- +goose StatementBegin
-- Begins a generation that is counted anew beside the one that answers, and gives its number. Its position is the present end of the log: behind it there is nothing
-- that the next statement does not see. One that was begun before and never finished is given up.
create function ozg_count_anew(present timestamptz) returns integer
    language plpgsql volatile security definer
    set search_path = public, pg_temp
as $$
declare
    made integer;
begin
    perform ozg_whole_country();
    lock table statistics_offset in share row exclusive mode;
    delete from statistics_offset where not answers;
    insert into statistics_offset (generation, answers, xid, seq, at)
        select max(generation) + 1, false, pg_snapshot_xmin(pg_current_snapshot()), -1, present from statistics_offset
        returning generation into made;
    return made;
end $$;
-- +goose StatementEnd
revoke all on function ozg_count_anew(timestamptz) from public;
grant execute on function ozg_count_anew(timestamptz) to ozg_serving;

-- +goose StatementBegin
-- From now on answers are made of this generation.
create function ozg_answer_by(made integer) returns void
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
end $$;
-- +goose StatementEnd
revoke all on function ozg_answer_by(integer) from public;
grant execute on function ozg_answer_by(integer) to ozg_serving;

-- +goose StatementBegin
-- Forgets at most so many rows of generations that nobody counts any more. true: there are more.
create function ozg_forget_counts(most integer) returns boolean
    language plpgsql volatile security definer
    set search_path = public, pg_temp
as $$
declare
    gone integer;
    also integer;
begin
    perform ozg_whole_country();
    delete from statistics_cells where ctid = any(array(select ctid from statistics_cells where generation not in (select generation from statistics_offset) limit most));
    get diagnostics gone = row_count;
    delete from statistics_facts where ctid = any(array(select ctid from statistics_facts where generation not in (select generation from statistics_offset) limit most));
    get diagnostics also = row_count;
    return greatest(gone, also) = most;
end $$;
-- +goose StatementEnd
revoke all on function ozg_forget_counts(integer) from public;
grant execute on function ozg_forget_counts(integer) to ozg_serving;

-- +goose StatementBegin
-- The cases of a generation that were open when they were last counted, in a month that is over since: at its end they count anew. most bounds them.
create function ozg_to_count(of_generation integer, present timestamptz, most integer) returns setof uuid
    language sql stable security definer
    set search_path = public, pg_temp
    set timezone = 'Europe/Berlin'
begin atomic
    select case_id from statistics_facts where generation = of_generation and open and counted_in < date_trunc('month', present)::date order by counted_in limit most;
end;
-- +goose StatementEnd
revoke all on function ozg_to_count(integer, timestamptz, integer) from public;
grant execute on function ozg_to_count(integer, timestamptz, integer) to ozg_serving;
