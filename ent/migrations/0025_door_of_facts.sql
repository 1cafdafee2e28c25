-- SPDX-License-Identifier: EUPL-1.2
-- The door of facts takes them into a generation that is being counted anew, and into no other, as that of cells does. See docs/decisions/0035.

-- +goose Up
-- +goose StatementBegin
-- Refused (OZG05) where somebody else has begun to count anew, and of the generation that answers. Looking and writing are one statement, because this is done
-- for each fact. The scope is looked at here, and not by ozg_whole_country, for the same reason.
create or replace function ozg_pour_fact() returns trigger
    language plpgsql volatile security definer
    set search_path = public, pg_temp
as $$
begin
    if concat_ws(' ', current_setting('app.lo', true), current_setting('app.hi', true), current_setting('app.owner', true) || '.') <> '0 999999999999999 .' then
        raise exception 'only whoever sees the whole country counts' using errcode = 'OZG02';
    end if;
    insert into statistics_facts select new.* from statistics_offset o where o.generation = new.generation and not o.answers;
    if not found then
        raise exception 'somebody else has begun to count anew' using errcode = 'OZG05';
    end if;
    return null;
end $$;
-- +goose StatementEnd
