-- SPDX-License-Identifier: EUPL-1.2
-- What every request or every event asks of the database, with less to do for the same answer. See docs/performance.md.

-- +goose Up
-- +goose StatementBegin
-- As before (0001), but for what it costs: expressions without a table are reckoned at once, while PERFORM is a statement of its own.
create or replace function ozg_enter(lo bigint, hi bigint, owner text) returns bigint
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
    lo := set_config('app.lo', lo::text, true);
    hi := set_config('app.hi', hi::text, true);
    owner := set_config('app.owner', owner, true);
    return (select version from public.rights_version);
end $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- As before (0002), but for how it looks: a case is found by its key for each line. As a join it was one with all cases of the house where these are few, and the plan
-- was kept when they became many.
create or replace function ozg_access_of_case() returns trigger
    language plpgsql volatile security definer
    set search_path = public, pg_temp
as $$
begin
    if exists (select from written w where (select c.place from cases c where c.tenant_id = w.tenant_id and c.id = w.case_id) is distinct from w.place) then
        raise exception 'a line of the access log is about no case of its tenant' using errcode = '23503';
    end if;
    return null;
end $$;
-- +goose StatementEnd

drop function ozg_fold(integer, xid8, bigint, xid8, bigint, uuid[], timestamptz, bigint[]);
-- +goose StatementBegin
-- Counts cases into a generation and moves its position from one to another. false: somebody else has counted meanwhile, and nothing is changed.
-- touched are cases of which events say only that somebody has dealt with them: the first time that counts, and after it there is nothing to count.
create function ozg_fold(into_generation integer, after_xid xid8, after_seq bigint, to_xid xid8, to_seq bigint, ids uuid[], touched uuid[], present timestamptz, bounds bigint[])
    returns boolean
    language plpgsql volatile security definer
    set search_path = public, pg_temp
as $$
declare
    counted uuid[];
begin
    perform ozg_whole_country();
    update statistics_offset set xid = to_xid, seq = to_seq, at = greatest(at, present) where generation = into_generation and (xid, seq) = (after_xid, after_seq);
    if not found then
        return false;
    end if;
    -- What is asked for again meanwhile stays: it is counted by a later snapshot than this one.
    delete from statistics_again where generation = into_generation and case_id = any(ids);
    counted := ids || array(
        select t.id from unnest(touched) t(id) where not exists (
            select from statistics_facts f join cases k on k.id = f.case_id
            where f.generation = into_generation and f.case_id = t.id and f.acted_at is not null and f.state = k.state));
    if counted <> '{}' then
        perform ozg_count(into_generation, counted, present, bounds);
    end if;
    return true;
end $$;
-- +goose StatementEnd
revoke all on function ozg_fold(integer, xid8, bigint, xid8, bigint, uuid[], uuid[], timestamptz, bigint[]) from public;
grant execute on function ozg_fold(integer, xid8, bigint, xid8, bigint, uuid[], uuid[], timestamptz, bigint[]) to ozg_serving;

-- The messages of a case are counted in its index, as the second wall looks at tenant and place, and the planner knows that a case has one tenant and one place: it took
-- each for a matter of chance, expected a message where there are many, and fetched them all from the table to count them.
create index messages_of_case on messages (case_id, sent_at, id) include (tenant_id, place);
drop index messages_case;
alter index messages_of_case rename to messages_case;
create statistics messages_of_case (dependencies) on tenant_id, case_id, place from messages;
alter statistics messages_of_case owner to ozg_owner;
