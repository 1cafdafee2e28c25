-- SPDX-License-Identifier: EUPL-1.2
-- The documents that may be asked by their hash alone. Who serves reads them; only the owner's login loads them.

-- +goose Up
create table trusted_documents (
  client    text not null check (client ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
  edition   text not null check (edition ~ '^[A-Za-z0-9][A-Za-z0-9._+-]{0,62}$'),
  sha256    text not null check (sha256 ~ '^[0-9a-f]{64}$' and sha256 = encode(sha256(convert_to(document, 'UTF8')), 'hex')),
  document  text not null,
  loaded_at timestamptz not null,
  primary key (client, edition, sha256)
);
-- Raised with every change, so that asking whether there are others costs next to nothing.
create table trusted_documents_version (
  only_one boolean primary key default true check (only_one),
  version  bigint not null
);
insert into trusted_documents_version (version) values (1);
alter table trusted_documents owner to ozg_owner;
alter table trusted_documents_version owner to ozg_owner;
revoke all on trusted_documents, trusted_documents_version from public;
grant select on trusted_documents, trusted_documents_version to ozg_serving;
