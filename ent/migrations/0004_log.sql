-- SPDX-License-Identifier: EUPL-1.2
-- The log for those who follow it: it says from which unit to which a case went, so that whoever sees only one of them can be told, or be told no
-- more, by the log alone. And it is kept by the week, so that what is old is dropped and nothing is deleted row by row.

-- +goose Up
create table events_by_week (
  id          uuid not null,
  xid         xid8 not null default pg_current_xact_id(),
  seq         bigint generated always as identity,
  tenant_id   uuid not null,
  place       bigint not null,
  type        text not null,
  case_id     uuid not null,
  sequence    integer not null,
  revision    integer not null,
  subject_id  uuid,
  unit_id     uuid,
  unit_before uuid,
  at          timestamptz not null,
  primary key (id, at),
  foreign key (tenant_id, place) references tenants (id, place),
  foreign key (tenant_id, case_id, sequence) references history_events (tenant_id, case_id, sequence)
) partition by range (at);
-- What belongs to no week that was foreseen, because a clock was wrong or it is demo data.
create table events_rest partition of events_by_week default;
insert into events_by_week (id, xid, seq, tenant_id, place, type, case_id, sequence, revision, subject_id, at)
  overriding system value select id, xid, seq, tenant_id, place, type, case_id, sequence, revision, subject_id, at from events;
select setval(pg_get_serial_sequence('events_by_week', 'seq'), max(seq)) from events_by_week having max(seq) is not null;
drop table events;
alter table events_by_week rename to events;
alter index events_by_week_pkey rename to events_pkey;
create index events_position on events (xid, seq);
-- A line of history has one time, and so one event.
create unique index events_one_for_each_line on events (tenant_id, case_id, sequence, at);
call ozg_wall('events', 'exists (select from cases c where c.tenant_id = events.tenant_id and c.id = events.case_id)', '{SELECT,INSERT}');

-- The position up to which nothing is left.
create table events_forgotten (
  only_one boolean primary key default true check (only_one),
  xid      xid8 not null,
  seq      bigint not null
);
insert into events_forgotten (xid, seq) values ('0', 0);
grant select on events_forgotten to ozg_serving;

-- +goose StatementBegin
-- Makes room in the log for this week and the next two, and drops the weeks that ended more than so many days ago. Of processes that say so at the same time one
-- does it. It waits five seconds at most for those who write, and otherwise does it another time (SQLSTATE 55P03).
create function ozg_keep_events(days integer) returns void
    language plpgsql volatile security definer
    set search_path = public, pg_temp
    set lock_timeout = '5s'
as $$
declare
    monday date := date_trunc('week', now() at time zone 'UTC')::date;
    week   date;
    name   text;
    last   record;
begin
    if days is null or days < 1 then
        raise exception 'the log is kept for a day at least' using errcode = 'OZG04';
    end if;
    if not pg_try_advisory_xact_lock(hashtext('ozg_keep_events')) then
        return;
    end if;
    for week in select monday + 7 * n from generate_series(0, 2) n loop
        name := 'events_' || to_char(week, 'YYYYMMDD');
        if to_regclass(name) is null then
            begin
                execute format('create table %I partition of events for values from (%L) to (%L)', name, week::text || ' 00:00Z', (week + 7)::text || ' 00:00Z');
            exception when check_violation then null; -- there are some among the rest, where they stay
            end;
        end if;
    end loop;
    for name, week in
        select c.relname, to_date(right(c.relname, 8), 'YYYYMMDD') from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'events'::regclass and c.relname ~ '^events_\d{8}$'
    loop
        continue when week + 7 + days > (now() at time zone 'UTC')::date;
        execute format('select xid, seq from %I order by xid desc, seq desc limit 1', name) into last;
        update events_forgotten set (xid, seq) = (last.xid, last.seq) where (xid, seq) < (last.xid, last.seq);
        execute format('drop table %I', name);
    end loop;
end $$;
-- +goose StatementEnd
revoke all on function ozg_keep_events(integer) from public;
grant execute on function ozg_keep_events(integer) to ozg_serving;
select ozg_keep_events(36500);
