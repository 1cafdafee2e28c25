-- SPDX-License-Identifier: EUPL-1.2
-- Extension fields (Balkone): who defines which, and what they hold. Values lie in one record for each row and owner; those by which rows are found or
-- ordered lie beside it in typed columns, because the operators of JSON are not leakproof and no index would serve them behind the second wall.

-- +goose Up
create table extension_definitions (
  id           uuid primary key,
  tenant_id    uuid not null,
  place        bigint not null,
  version      integer not null check (version > 0),
  state        text not null check (state in ('DRAFT', 'ACTIVE', 'DEPRECATED', 'RETIRED')),
  sdl          text not null check (octet_length(sdl) <= 200000),
  hash         text not null check (hash ~ '^[0-9a-f]{64}$'),
  numbers      jsonb not null,
  created_at   timestamptz not null,
  created_by   text not null,
  activated_at timestamptz,
  activated_by text,
  retired_at   timestamptz,
  retired_by   text,
  unique (tenant_id, id),
  unique (tenant_id, version),
  foreign key (tenant_id, place) references tenants (id, place),
  check (state not in ('ACTIVE', 'DEPRECATED') or activated_at is not null)
);
-- What holds now is one version.
create unique index extension_definitions_one_in_force on extension_definitions (tenant_id, (true)) where state in ('ACTIVE', 'DEPRECATED');
call ozg_wall('extension_definitions', 'false', '{SELECT,INSERT,DELETE}');
grant update (state, activated_at, activated_by, retired_at, retired_by) on extension_definitions to ozg_serving;

-- Raised with every change of a definition, so that asking whether there are others costs next to nothing.
create table extension_version (
  only_one boolean primary key default true check (only_one),
  version  bigint not null
);
insert into extension_version (version) values (1);
revoke all on extension_version from public;
grant select on extension_version to ozg_serving;

-- +goose StatementBegin
create function ozg_extensions_changed() returns trigger
    language plpgsql volatile security definer
    set search_path = public, pg_temp
as $$
begin
    update extension_version set version = version + 1;
    return null;
end $$;
-- +goose StatementEnd
create trigger extensions_changed after insert or update or delete on extension_definitions for each statement execute function ozg_extensions_changed();

create table extension_records (
  id         uuid primary key,
  tenant_id  uuid not null,
  place      bigint not null,
  case_id    uuid,
  target     text not null check (target in ('CASE', 'SERVICE', 'SERVICE_OFFERING', 'MESSAGE', 'APPLICANT', 'DECISION')),
  target_id  uuid not null,
  owner      bigint not null references tenants (place),
  document   jsonb not null check (jsonb_typeof(document) = 'object'),
  updated_at timestamptz not null,
  unique (tenant_id, target_id, owner),
  foreign key (tenant_id, place) references tenants (id, place),
  foreign key (tenant_id, case_id) references cases (tenant_id, id),
  check ((target in ('SERVICE', 'SERVICE_OFFERING')) = (case_id is null)),
  check (target <> 'CASE' or target_id = case_id)
);
-- The applicant's own application is filled by a form, so what is written there may stand in the own scope; the first wall shows applicants none of it.
call ozg_wall('extension_records', 'exists (select from cases c where c.tenant_id = extension_records.tenant_id and c.id = extension_records.case_id)', '{SELECT,INSERT,DELETE}');
grant update (document, updated_at) on extension_records to ozg_serving;

create table extension_entries (
  id        uuid primary key,
  tenant_id uuid not null,
  place     bigint not null,
  case_id   uuid,
  target_id uuid not null,
  field     bigint not null,
  text      text check (octet_length(text) <= 1000),
  number    double precision,
  time      timestamptz,
  ranked_at timestamptz,
  foreign key (tenant_id, place) references tenants (id, place),
  foreign key (tenant_id, case_id) references cases (tenant_id, id),
  check (num_nonnulls(text, number, time) = 1)
);
-- Rows are looked up here by their id alone: with the tenant beside it the planner expects a two-hundredth of what comes, and hashes all cases.
create unique index extension_entries_target on extension_entries (target_id, field);
-- An equal text in the order in which cases run of themselves, for an authority and for whoever sees all who have the field.
create index extension_entries_text       on extension_entries (place, field, text, ranked_at desc, target_id desc) where text is not null;
create index extension_entries_all_text   on extension_entries (field, text, ranked_at desc, target_id desc) where text is not null;
create index extension_entries_number     on extension_entries (place, field, number, target_id) where number is not null;
create index extension_entries_all_number on extension_entries (field, number, target_id) where number is not null;
create index extension_entries_time       on extension_entries (place, field, time, target_id) where time is not null;
create index extension_entries_all_time   on extension_entries (field, time, target_id) where time is not null;
-- Many fields share a column: what is frequent in one is known only together with the field.
create statistics extension_entries_text_of_field (ndistinct, mcv) on field, text from extension_entries;
alter table extension_entries alter column field set statistics 1000, alter column text set statistics 1000;
call ozg_wall('extension_entries', 'exists (select from cases c where c.tenant_id = extension_entries.tenant_id and c.id = extension_entries.case_id)', '{SELECT,INSERT,DELETE}');

-- +goose StatementBegin
-- An entry of a case knows when the case was received, which never changes.
create function ozg_ranked() returns trigger
    language plpgsql volatile
    set search_path = public, pg_temp
as $$
begin
    new.ranked_at := (select c.received_at from cases c where c.tenant_id = new.tenant_id and c.id = new.case_id);
    return new;
end $$;
-- +goose StatementEnd
grant execute on function ozg_ranked() to ozg_serving;
create trigger ranked before insert on extension_entries for each row execute function ozg_ranked();

-- The audit log tells of definitions, too; what it is about is then the hash of the definition.
alter table audit_entries drop constraint audit_entries_action_check;
alter table audit_entries add constraint audit_entries_action_check check (action in ('ROLE_ASSIGNED', 'ROLE_REMOVED', 'SUBJECT_BLOCKED', 'SUBJECT_UNBLOCKED',
  'EXTENSION_DEFINED', 'EXTENSION_ACTIVATED', 'EXTENSION_DEPRECATED', 'EXTENSION_RETIRED', 'EXTENSION_ERASED'));
