-- SPDX-License-Identifier: EUPL-1.2
-- Extension fields (Balkone) of what hangs on no case: services of the shared catalogue, whose values lie with the owner of the field, and offerings of
-- the directory. Both are read by everybody for whom the owner's fields hold, wherever the row lies. Beside that, what becomes of values when a
-- definition changes: they are brought into the index afterwards, and erased on order, by a task that goes from record to record.

-- +goose Up
-- How far down the tree the owner's fields hold: up to its last place. Only where no case decides who may see the values.
alter table extension_records add column reach bigint, add check ((case_id is null) = (reach is not null));
alter table extension_entries add column reach bigint, add check ((case_id is null) = (reach is not null));

-- +goose StatementBegin
-- The database looks it up itself: a reach that is too far would be a hole in the second wall. An owner's place is the upper part of a field's key.
create function ozg_reached() returns trigger
    language plpgsql volatile
    set search_path = public, pg_temp
as $$
begin
    new.reach := null;
    if new.case_id is null then
        if tg_table_name = 'extension_records' then
            new.reach := (select t.place_end from tenants t where t.place = new.owner);
        else
            new.reach := (select t.place_end from tenants t where t.place = new.field / 8192);
        end if;
    end if;
    return new;
end $$;
-- +goose StatementEnd
grant execute on function ozg_reached() to ozg_serving;
create trigger reached before insert on extension_records for each row execute function ozg_reached();
create trigger reached before insert on extension_entries for each row execute function ozg_reached();

-- Who works where the owner's fields hold reads what they say of the catalogue and of the directory. Applicants have no such fields.
create policy catalogue on extension_records for select to ozg_serving using (
  case when case_id is null and (select current_setting('app.owner', true)) = ''
    and owner <= (select nullif(current_setting('app.lo', true), '')::bigint) and reach >= (select nullif(current_setting('app.hi', true), '')::bigint) then true else false end);
create policy catalogue on extension_entries for select to ozg_serving using (
  case when case_id is null and (select current_setting('app.owner', true)) = ''
    and field / 8192 <= (select nullif(current_setting('app.lo', true), '')::bigint) and reach >= (select nullif(current_setting('app.hi', true), '')::bigint) then true else false end);

-- The task that goes from record to record of an owner.
create index extension_records_owner on extension_records (owner, id);
alter table extension_definitions
  add column indexed_to       uuid,
  add column indexed_at       timestamptz,
  add column erase_ordered_at timestamptz,
  add column erase_ordered_by text,
  add column erased_to        uuid,
  add column erased_at        timestamptz,
  add check ((erase_ordered_at is null) = (erase_ordered_by is null)),
  add check (erased_at is null or erase_ordered_at is not null);
grant update (indexed_to, indexed_at, erase_ordered_at, erase_ordered_by, erased_to, erased_at) on extension_definitions to ozg_serving;
create index extension_definitions_to_index on extension_definitions (activated_at) where indexed_at is null and state in ('ACTIVE', 'DEPRECATED');
create index extension_definitions_to_erase on extension_definitions (erase_ordered_at) where erase_ordered_at is not null and erased_at is null;

-- How far that task has come is no other definition.
create or replace trigger extensions_changed after insert or update of state or delete on extension_definitions for each statement execute function ozg_extensions_changed();

alter table audit_entries drop constraint audit_entries_action_check;
alter table audit_entries add constraint audit_entries_action_check check (action in ('ROLE_ASSIGNED', 'ROLE_REMOVED', 'SUBJECT_BLOCKED', 'SUBJECT_UNBLOCKED',
  'EXTENSION_DEFINED', 'EXTENSION_ACTIVATED', 'EXTENSION_DEPRECATED', 'EXTENSION_RETIRED', 'EXTENSION_ERASED', 'EXTENSION_EXPORTED', 'EXTENSION_WRITTEN'));
