-- SPDX-License-Identifier: EUPL-1.2
-- What this house knows of who offers which service where, in all houses of the federation: signed by each, pulled, and answered from here, whoever can be reached.
-- Nothing of it is about a person. Of each house there is one state as a whole: the rows of a state come and go in one transaction with its head.

-- +goose Up
create table directory_heads (
  instance text primary key check (length(instance) <= 200),
  head     text not null check (length(head) <= 8192), -- as the house signed it
  hash     text not null check (hash ~ '^sha256:[0-9a-f]{64}$'),
  as_of    timestamptz not null,
  entries  integer not null check (entries >= 0)
);
create table directory_parts (
  instance text not null references directory_heads on delete cascade,
  service  text not null check (service ~ '^99\d{12}$'),
  hash     text not null check (hash ~ '^sha256:[0-9a-f]{64}$'),
  primary key (instance, service)
);
create table directory_entries (
  instance   text not null,
  service    text not null,
  territory  text not null check (territory ~ '^\d{1,12}$'),
  authority  text not null check (length(authority) <= 100),
  name       text not null check (length(name) <= 300),
  valid_from date not null,
  valid_to   date check (valid_to > valid_from),
  maturity   smallint not null check (maturity between 0 and 7),
  primary key (service, territory, instance, authority, valid_from) include (valid_to), -- so that those of today are counted without their rows
  foreign key (instance, service) references directory_parts on delete cascade
);
create index directory_entries_of_part on directory_entries (instance, service);
alter table directory_heads owner to ozg_owner;
alter table directory_parts owner to ozg_owner;
alter table directory_entries owner to ozg_owner;
revoke all on directory_heads, directory_parts, directory_entries from public;
grant select, insert, delete on directory_heads, directory_parts, directory_entries to ozg_serving;
grant update (head, hash, as_of, entries) on directory_heads to ozg_serving;
