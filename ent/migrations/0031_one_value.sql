-- SPDX-License-Identifier: EUPL-1.2
-- What a filter and an order by an extension field ask of the database, with less to do for the same answer. See docs/decisions/0020.

-- +goose Up
-- Entries of a whole Land lie in indexes that an authority's statement cannot use, because it does not say what they are of. Reckoned alike, as fields share a column, one of
-- them was taken in place of the authority's own, and a village walked through what all of its Land has.
drop index extension_entries_all_text, extension_entries_all_number, extension_entries_all_time, extension_entries_all_ranked;
create index extension_entries_all_text   on extension_entries (field, text, ranked_at, target_id) where text is not null and reach is null;
create index extension_entries_all_number on extension_entries (field, number, ranked_at, target_id) where number is not null and reach is null;
create index extension_entries_all_time   on extension_entries (field, time, ranked_at, target_id) where time is not null and reach is null;
create index extension_entries_all_ranked on extension_entries (field, ranked_at, target_id) where reach is null;
-- What hangs on no case, in its own order alone.
create index extension_entries_catalogue_text   on extension_entries (field, text, target_id) where text is not null and reach is not null;
create index extension_entries_catalogue_number on extension_entries (field, number, target_id) where number is not null and reach is not null;
create index extension_entries_catalogue_time   on extension_entries (field, time, target_id) where time is not null and reach is not null;

-- As before (0011), but that the settings are read by the few rows that hang on no case, and not by each statement.
alter policy catalogue on extension_records using (
  case when case_id is null and current_setting('app.owner', true) = ''
    and owner <= nullif(current_setting('app.lo', true), '')::bigint and reach >= nullif(current_setting('app.hi', true), '')::bigint then true else false end);
alter policy catalogue on extension_entries using (
  case when case_id is null and current_setting('app.owner', true) = ''
    and field / 8192 <= nullif(current_setting('app.lo', true), '')::bigint and reach >= nullif(current_setting('app.hi', true), '')::bigint then true else false end);

-- +goose StatementBegin
-- From here to the end of the transaction, or until it is called again: whether statements run by one plan for all values, or as the server is set. For those that have only one
-- good plan, which the server reckons to be too dear and so makes anew each time.
create function ozg_one_plan(one boolean) returns void
    language plpgsql volatile security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    mode constant text := set_config('plan_cache_mode', case when one then 'force_generic_plan' end, true);
begin
end $$;
-- +goose StatementEnd
revoke all on function ozg_one_plan(boolean) from public;
alter function ozg_one_plan(boolean) owner to ozg_owner;
grant execute on function ozg_one_plan(boolean) to ozg_serving;
