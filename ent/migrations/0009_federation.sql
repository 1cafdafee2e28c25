-- SPDX-License-Identifier: EUPL-1.2
-- What the house keeps of the federation's papers: charters, lists of who is suspended, and what stands for each house. All are signed and are checked again
-- whenever they are read, so that whoever writes here can hide something, and forge nothing. Two different charters of one version are both kept: they are the
-- proof of a fork. Only what stands for houses is ever thrown away, once it was replaced.

-- +goose Up
create table federation_papers (
  kind     text not null check (kind in ('CHARTER', 'SUSPENSIONS')),
  issuer   text not null check (length(issuer) <= 200),
  number   bigint not null check (number > 0),
  hash     text not null check (hash ~ '^sha256:[0-9a-f]{64}$'),
  document text not null check (length(document) <= 262144),
  came_at  timestamptz not null,
  primary key (kind, issuer, number, hash)
);
create table federation_vouchers (
  instance      text not null check (length(instance) <= 200),
  number        bigint not null check (number > 0),
  voucher       text not null check (length(voucher) <= 262144),
  configuration text not null check (length(configuration) <= 262144),
  came_at       timestamptz not null,
  primary key (instance, number)
);
alter table federation_papers owner to ozg_owner;
alter table federation_vouchers owner to ozg_owner;
revoke all on federation_papers, federation_vouchers from public;
grant select, insert on federation_papers to ozg_serving;
grant select, insert, delete on federation_vouchers to ozg_serving;
