-- SPDX-License-Identifier: EUPL-1.2
-- The tables of the standard house. ent/schema is the model; TestTheDatabaseIsWhatTheModelSays compares the two.
-- Every tenant-owned table has (tenant_id, place) held together with its tenant by a foreign key, and hangs on its case by
-- (tenant_id, case_id), so that nothing can be hung on the case of another tenant.

-- +goose Up
create table tenants (
  id           uuid primary key,
  place        bigint not null unique check (place >= 0),
  place_end    bigint not null check (place_end >= place),
  slug         text not null unique check (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  name         text not null,
  kind         text not null check (kind in ('FEDERATION', 'LAND', 'DISTRICT', 'AUTHORITY')),
  regional_key text check (regional_key ~ '^\d{12}$'),
  parent_id    uuid references tenants,
  created_at   timestamptz not null,
  unique (id, place)
);
create index tenants_parent on tenants (parent_id, name, id);
create index tenants_name on tenants (name, id);

create table services (
  id                   uuid primary key,
  leika_key            text not null unique check (leika_key ~ '^99\d{12}$'),
  title                text not null,
  type                 smallint not null check (type between 1 and 5),
  maturity             smallint not null check (maturity between 0 and 7),
  required_trust_level text not null check (required_trust_level in ('BASIC', 'SUBSTANTIAL', 'HIGH')),
  deadline_days        integer check (deadline_days > 0),
  fiction_of_approval  boolean not null,
  retention_days       integer not null check (retention_days > 0),
  version              integer not null
);
create index services_title on services (title, id);

create table organisational_units (
  id          uuid primary key,
  tenant_id   uuid not null,
  place       bigint not null,
  external_id text not null,
  name        text not null,
  parent_id   uuid,
  retired_at  timestamptz,
  unique (tenant_id, id),
  unique (tenant_id, external_id),
  foreign key (tenant_id, place) references tenants (id, place),
  foreign key (tenant_id, parent_id) references organisational_units (tenant_id, id)
);

create table service_offerings (
  id         uuid primary key,
  tenant_id  uuid not null,
  place      bigint not null,
  service_id uuid not null references services,
  unit_id    uuid,
  territory  text not null check (territory ~ '^\d{0,12}$'),
  valid_from date not null,
  valid_to   date check (valid_to > valid_from),
  unique (tenant_id, id),
  foreign key (tenant_id, place) references tenants (id, place),
  foreign key (tenant_id, unit_id) references organisational_units (tenant_id, id),
  -- Responsibility is a function: one offering for a service, a territory and a day.
  constraint one_responsible exclude using gist (service_id with =, territory with =, daterange(valid_from, valid_to) with &&)
);
create index service_offerings_tenant on service_offerings (tenant_id, id);

create table connectors (
  id        uuid primary key,
  tenant_id uuid not null,
  place     bigint not null,
  kind      text not null check (kind in ('FORM', 'MAILBOX', 'DMS', 'SPECIALIST_SYSTEM')),
  direction text not null check (direction in ('INBOUND', 'OUTBOUND', 'BOTH')),
  name      text not null,
  subject   text not null unique,
  active    boolean not null,
  unique (tenant_id, id),
  foreign key (tenant_id, place) references tenants (id, place)
);

create table cases (
  id                   uuid primary key,
  tenant_id            uuid not null,
  place                bigint not null,
  land                 smallint not null generated always as (place / 10000000000000) stored,
  district             integer not null generated always as (place / 10000000000) stored,
  number               text not null,
  file_reference       text,
  service_id           uuid not null references services,
  unit_id              uuid,
  state                text not null check (state in ('NEW', 'ACCEPTED', 'IN_PROGRESS', 'WAITING_FOR_APPLICANT', 'FORWARDED', 'DECIDED', 'CLOSED', 'DISCARDED', 'TO_BE_DELETED', 'ERASED')),
  channel              text not null check (channel in ('FORM_SERVER', 'PORTAL')),
  via_point_of_contact boolean not null,
  trust_level          text not null check (trust_level in ('BASIC', 'SUBSTANTIAL', 'HIGH')),
  owner                text,
  received_at          timestamptz not null,
  complete_at          timestamptz,
  due_at               timestamptz,
  decided_at           timestamptz,
  closed_at            timestamptz,
  updated_at           timestamptz not null,
  revision             integer not null check (revision > 0),
  history_head         text not null check (history_head ~ '^[0-9a-f]{64}$'),
  unique (tenant_id, id),
  unique (tenant_id, number),
  foreign key (tenant_id, place) references tenants (id, place),
  foreign key (tenant_id, unit_id) references organisational_units (tenant_id, id),
  check (state not in ('DECIDED', 'CLOSED') or decided_at is not null),
  check (state <> 'CLOSED' or closed_at is not null)
);
-- The lists that people open: all, by state, what changed, what is due; of an authority, a district, a Land, and everywhere.
create index cases_received          on cases (place, received_at desc, id desc);
create index cases_state_received    on cases (place, state, received_at desc, id desc);
create index cases_updated           on cases (place, updated_at desc, id desc);
create index cases_due               on cases (place, due_at, id) where decided_at is null;
create index cases_land_received     on cases (land, received_at desc, id desc);
create index cases_land_state        on cases (land, state, received_at desc, id desc);
create index cases_district_received on cases (district, received_at desc, id desc);
create index cases_all_received      on cases (received_at desc, id desc);
create index cases_owner             on cases (owner, received_at desc, id desc) where owner is not null;
create index cases_unit              on cases (unit_id, received_at desc, id desc) where unit_id is not null;
create index cases_service           on cases (place, service_id, received_at desc, id desc);

create table submissions (
  id             uuid primary key,
  tenant_id      uuid not null,
  place          bigint not null,
  case_id        uuid not null,
  source         text not null,
  connector_id   uuid references connectors,
  channel        text not null check (channel in ('FORM_SERVER', 'PORTAL')),
  transaction_id text not null,
  payload_hash   text not null check (payload_hash ~ '^[0-9a-f]{64}$'),
  form_data      jsonb not null,
  received_at    timestamptz not null,
  unique (tenant_id, id),
  unique (tenant_id, source, transaction_id),
  unique (tenant_id, case_id),
  foreign key (tenant_id, place) references tenants (id, place),
  foreign key (tenant_id, case_id) references cases (tenant_id, id)
);

create table applicants (
  id              uuid primary key,
  tenant_id       uuid not null,
  place           bigint not null,
  case_id         uuid not null,
  kind            text not null check (kind in ('NATURAL_PERSON', 'LEGAL_PERSON')),
  name            text not null,
  mailbox_kind    text,
  mailbox_address text,
  postal_address  text,
  trust_level     text not null check (trust_level in ('BASIC', 'SUBSTANTIAL', 'HIGH')),
  unique (tenant_id, id),
  unique (tenant_id, case_id),
  foreign key (tenant_id, place) references tenants (id, place),
  foreign key (tenant_id, case_id) references cases (tenant_id, id)
);

create table messages (
  id             uuid primary key,
  tenant_id      uuid not null,
  place          bigint not null,
  case_id        uuid not null,
  direction      text not null check (direction in ('TO_APPLICANT', 'FROM_APPLICANT')),
  subject        text not null,
  body           text not null,
  reply_policy   text not null check (reply_policy in ('POSSIBLE', 'MANDATORY', 'FORBIDDEN')),
  in_reply_to_id uuid,
  trust_level    text not null check (trust_level in ('BASIC', 'SUBSTANTIAL', 'HIGH')),
  author         text not null,
  sent_at        timestamptz not null,
  provided_at    timestamptz,
  opened_at      timestamptz,
  delivery_state text not null check (delivery_state in ('PENDING', 'PROVIDED', 'FAILED', 'ELSEWHERE')),
  unique (tenant_id, id),
  unique (tenant_id, case_id, id),
  foreign key (tenant_id, place) references tenants (id, place),
  foreign key (tenant_id, case_id) references cases (tenant_id, id),
  foreign key (tenant_id, case_id, in_reply_to_id) references messages (tenant_id, case_id, id)
);
create index messages_case on messages (case_id, sent_at, id);
create index messages_to_provide on messages (sent_at) where delivery_state = 'PENDING';

create table attachments (
  id            uuid primary key,
  tenant_id     uuid not null,
  place         bigint not null,
  case_id       uuid not null,
  purpose       text not null check (purpose in ('REPRESENTATION', 'ENCLOSURE', 'DOCUMENT')),
  submission_id uuid,
  message_id    uuid,
  name          text not null,
  media_type    text not null,
  size          bigint not null check (size >= 0),
  sha256        text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  scan_state    text not null check (scan_state in ('PENDING', 'CLEAN', 'INFECTED')),
  created_at    timestamptz not null,
  unique (tenant_id, id),
  unique (tenant_id, case_id, id),
  foreign key (tenant_id, place) references tenants (id, place),
  foreign key (tenant_id, case_id) references cases (tenant_id, id),
  foreign key (tenant_id, submission_id) references submissions (tenant_id, id),
  foreign key (tenant_id, case_id, message_id) references messages (tenant_id, case_id, id)
);
create index attachments_case on attachments (case_id, created_at, id);
create index attachments_message on attachments (message_id) where message_id is not null;
create index attachments_submission on attachments (submission_id) where submission_id is not null;
create index attachments_content on attachments (sha256);

create table decisions (
  id          uuid primary key,
  tenant_id   uuid not null,
  place       bigint not null,
  case_id     uuid not null,
  outcome     text not null check (outcome in ('GRANTED', 'PARTLY_GRANTED', 'REJECTED', 'OTHER')),
  reason      text,
  document_id uuid,
  message_id  uuid not null,
  replaces_id uuid,
  author      text not null,
  sent_at     timestamptz not null,
  unique (tenant_id, id),
  unique (tenant_id, case_id, id),
  unique (tenant_id, replaces_id),
  foreign key (tenant_id, place) references tenants (id, place),
  foreign key (tenant_id, case_id) references cases (tenant_id, id),
  foreign key (tenant_id, case_id, document_id) references attachments (tenant_id, case_id, id),
  foreign key (tenant_id, case_id, message_id) references messages (tenant_id, case_id, id),
  foreign key (tenant_id, case_id, replaces_id) references decisions (tenant_id, case_id, id)
);
create index decisions_case on decisions (case_id, sent_at, id);
create index decisions_message on decisions (message_id);

create table announcements (
  id                 uuid primary key,
  tenant_id          uuid not null,
  place              bigint not null,
  case_id            uuid not null,
  decision_id        uuid not null,
  channel            text not null check (channel in ('PORTAL', 'POST', 'ELECTRONIC')),
  sent_at            timestamptz not null,
  provided_at        timestamptz,
  notified_at        timestamptz,
  first_retrieved_at timestamptz,
  rule               text not null,
  announced_on       date,
  explanation        jsonb not null,
  unique (tenant_id, id),
  unique (tenant_id, decision_id),
  foreign key (tenant_id, place) references tenants (id, place),
  foreign key (tenant_id, case_id, decision_id) references decisions (tenant_id, case_id, id)
);
create index announcements_decision on announcements (decision_id);

create table comments (
  id         uuid primary key,
  tenant_id  uuid not null,
  place      bigint not null,
  case_id    uuid not null,
  body       text not null,
  author     text not null,
  created_at timestamptz not null,
  unique (tenant_id, id),
  foreign key (tenant_id, place) references tenants (id, place),
  foreign key (tenant_id, case_id) references cases (tenant_id, id)
);
create index comments_case on comments (case_id, created_at, id);

create table follow_ups (
  id         uuid primary key,
  tenant_id  uuid not null,
  place      bigint not null,
  case_id    uuid not null,
  due_on     date not null,
  note       text not null,
  author     text not null,
  created_at timestamptz not null,
  done_at    timestamptz,
  unique (tenant_id, id),
  foreign key (tenant_id, place) references tenants (id, place),
  foreign key (tenant_id, case_id) references cases (tenant_id, id)
);
create index follow_ups_case on follow_ups (case_id, due_on, id);
create index follow_ups_open on follow_ups (place, due_on, id) where done_at is null;

create table assignments (
  id          uuid primary key,
  tenant_id   uuid not null,
  place       bigint not null,
  case_id     uuid not null,
  assignee    text not null,
  assigned_by text not null,
  assigned_at timestamptz not null,
  ended_at    timestamptz,
  unique (tenant_id, id),
  foreign key (tenant_id, place) references tenants (id, place),
  foreign key (tenant_id, case_id) references cases (tenant_id, id)
);
create index assignments_case on assignments (case_id, assigned_at, id);
create unique index assignments_one_current on assignments (tenant_id, case_id) where ended_at is null;
create index assignments_assignee on assignments (assignee, case_id) where ended_at is null;

create table history_events (
  id            uuid primary key,
  tenant_id     uuid not null,
  place         bigint not null,
  case_id       uuid not null,
  sequence      integer not null check (sequence > 0),
  at            timestamptz not null,
  actor         text not null,
  action        text not null,
  from_state    text,
  to_state      text not null,
  reason        text,
  previous_hash text not null,
  hash          text not null,
  unique (tenant_id, case_id, sequence),
  foreign key (tenant_id, place) references tenants (id, place),
  foreign key (tenant_id, case_id) references cases (tenant_id, id)
);
create index history_events_case on history_events (case_id, sequence);

-- The log (outbox). xid and seq give the position: commit order is not id order, see docs/decisions.
create table events (
  id         uuid primary key,
  xid        xid8 not null default pg_current_xact_id(),
  seq        bigint generated always as identity,
  tenant_id  uuid not null,
  place      bigint not null,
  type       text not null,
  case_id    uuid not null,
  sequence   integer not null,
  revision   integer not null,
  subject_id uuid,
  at         timestamptz not null,
  foreign key (tenant_id, place) references tenants (id, place),
  foreign key (tenant_id, case_id, sequence) references history_events (tenant_id, case_id, sequence)
);
create index events_position on events (xid, seq);
create unique index events_one_for_each_line on events (tenant_id, case_id, sequence);

create table role_assignments (
  id          uuid primary key,
  tenant_id   uuid not null,
  place       bigint not null,
  subject     text not null,
  role        text not null,
  unit_id     uuid,
  service_ids jsonb,
  assigned_by text not null,
  assigned_at timestamptz not null,
  unique (tenant_id, id),
  foreign key (tenant_id, place) references tenants (id, place),
  foreign key (tenant_id, unit_id) references organisational_units (tenant_id, id)
);
create unique index role_assignments_once on role_assignments (tenant_id, subject, role, coalesce(unit_id, '00000000-0000-0000-0000-000000000000'));
create index role_assignments_subject on role_assignments (subject);
create index role_assignments_tenant on role_assignments (place, assigned_at desc, id desc);

create table audit_entries (
  id             uuid primary key,
  tenant_id      uuid not null,
  place          bigint not null,
  at             timestamptz not null,
  actor          text not null,
  action         text not null check (action in ('ROLE_ASSIGNED', 'ROLE_REMOVED', 'SUBJECT_BLOCKED', 'SUBJECT_UNBLOCKED')),
  subject        text not null,
  role           text check ((role is not null) = (action in ('ROLE_ASSIGNED', 'ROLE_REMOVED'))),
  unit_id        uuid,
  service_ids    jsonb,
  unique (tenant_id, id),
  foreign key (tenant_id, place) references tenants (id, place),
  foreign key (tenant_id, unit_id) references organisational_units (tenant_id, id)
);
create index audit_entries_tenant on audit_entries (place, at desc, id desc);

-- Who read personal data of a case. One row for each case and request.
create table access_entries (
  id        uuid primary key,
  tenant_id uuid not null,
  place     bigint not null,
  case_id   uuid not null,
  at        timestamptz not null,
  reader    text not null,
  purpose   text,
  fields    jsonb not null,
  unique (tenant_id, id)
);
-- +goose StatementBegin
-- Holds lines of the access log together with their case, and so with their tenant and its place, as a foreign key would (23503), once for all lines of a
-- statement. A foreign key locks, and so writes, the row of the case with every line: reading would cost more than half of what it costs in writing about
-- cases that nobody changes. Nothing is lost by it: cases are never deleted and never move.
create function ozg_access_of_case() returns trigger
    language plpgsql volatile security definer
    set search_path = public, pg_temp
as $$
begin
    if exists (select from written w where not exists
               (select from cases c where c.tenant_id = w.tenant_id and c.id = w.case_id and c.place = w.place)) then
        raise exception 'a line of the access log is about no case of its tenant' using errcode = '23503';
    end if;
    return null;
end $$;
-- +goose StatementEnd
revoke all on function ozg_access_of_case() from public;
create trigger of_case after insert on access_entries referencing new table as written for each statement execute function ozg_access_of_case();
create index access_entries_case on access_entries (case_id, at desc, id desc);
create index access_entries_tenant on access_entries (place, at desc, id desc);

create table blocked_subjects (
  id         uuid primary key,
  subject    text not null unique,
  blocked_at timestamptz not null
);

create table uploads (
  id         uuid primary key,
  subject    text not null,
  name       text not null,
  media_type text not null,
  size       bigint not null check (size >= 0),
  sha256     text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  created_at timestamptz not null,
  expires_at timestamptz not null
);
create index uploads_subject on uploads (subject, id);
create index uploads_expired on uploads (expires_at);
create index uploads_content on uploads (sha256);

create table idempotency_keys (
  id           uuid primary key,
  subject      text not null,
  key          text not null,
  request_hash text not null,
  tenant_id    uuid not null references tenants,
  result_id    uuid not null,
  made         jsonb,
  created_at   timestamptz not null,
  expires_at   timestamptz,
  unique (subject, key)
);
create index idempotency_keys_expired on idempotency_keys (expires_at) where expires_at is not null;
