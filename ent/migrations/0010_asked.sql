-- SPDX-License-Identifier: EUPL-1.2
-- What houses ask each other: what was said, by this house and by others; what this house was asked, with the tree of hashes over it; how the logs of other houses looked
-- when they last answered; how many cases members have; and who has contradicted himself. Nothing of it is about a person, and nothing belongs to a tenant. Who serves
-- changes no line of what was said or asked.

-- +goose Up
create table federation_statements (
  issuer      text not null check (length(issuer) <= 200),
  question    text not null check (question ~ '^sha256:[0-9a-f]{64}$'),
  revision    integer not null check (revision >= 0),
  payload     text not null,
  document    text,        -- as it was signed, of other houses
  member      text,
  received_at timestamptz not null,
  primary key (issuer, question, revision),
  check ((document is null) = (member is null))
);
create index federation_statements_question on federation_statements (question);

create table federation_answered (
  idx      bigint primary key check (idx >= 0), -- its place in the log, without a gap
  at       timestamptz not null,
  issuer   text not null,
  member   text not null,
  id       text not null,
  question text not null,
  document text not null,
  measures text[] not null,
  purpose  text not null,
  role     text not null,
  cells    integer not null,
  outcome  text not null check (outcome in ('ANSWERED', 'DECLINED', 'UNSUPPORTED')),
  reason   text not null,
  request  text not null,
  constraint federation_answered_once unique (issuer, id)
);
create table federation_log_hashes (
  idx  bigint primary key check (idx >= 0),
  hash bytea not null check (length(hash) = 32)
);

create table federation_heads (
  house   text primary key check (length(house) <= 200),
  size    bigint not null check (size > 0),
  root    bytea not null check (length(root) = 32),
  seen_at timestamptz not null
);
create table federation_volumes (
  member    text not null check (length(member) <= 200),
  measure   text not null check (length(measure) <= 62),
  per_month double precision not null check (per_month >= 0),
  primary key (member, measure)
);
create table federation_contradictions (
  member   text not null,
  question text not null,
  first    text not null,
  second   text not null check (second <> first),
  found_at timestamptz not null,
  primary key (member, question)
);

alter table federation_statements owner to ozg_owner;
alter table federation_answered owner to ozg_owner;
alter table federation_log_hashes owner to ozg_owner;
alter table federation_heads owner to ozg_owner;
alter table federation_volumes owner to ozg_owner;
alter table federation_contradictions owner to ozg_owner;
revoke all on federation_statements, federation_answered, federation_log_hashes, federation_heads, federation_volumes, federation_contradictions from public;
grant select, insert on federation_statements, federation_answered, federation_log_hashes, federation_contradictions to ozg_serving;
grant select, insert, update (size, root, seen_at) on federation_heads to ozg_serving;
grant select, insert, update (per_month) on federation_volumes to ozg_serving;
