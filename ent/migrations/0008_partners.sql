-- SPDX-License-Identifier: EUPL-1.2
-- Webhooks, what became of what they sent, and exports. They belong to a tenant and to the subject under whose rights they work. A lease says which process
-- works on one: whoever writes names it, so that a process that was taken for dead stores nothing.

-- +goose Up
create table webhooks (
  id              uuid primary key,
  tenant_id       uuid not null,
  place           bigint not null,
  subject         text not null,
  trust_level     text not null check (trust_level in ('BASIC', 'SUBSTANTIAL', 'HIGH')),
  name            text not null,
  url             text not null,
  host            text not null,
  document        text not null,
  state           text not null check (state in ('ACTIVE', 'PAUSED', 'STOPPED')),
  stopped_because text check ((stopped_because is not null) = (state = 'STOPPED')),
  mark_xid        bigint not null check (mark_xid >= 0),
  mark_seq        bigint not null check (mark_seq >= 0),
  held            jsonb,
  dead_in_row     integer not null,
  created_at      timestamptz not null,
  delivered_at    timestamptz,
  caught_up_at    timestamptz,
  waiting_since   timestamptz,
  next_at         timestamptz,
  lease           text,
  leased_until    timestamptz check ((leased_until is null) = (lease is null)),
  unique (tenant_id, id),
  foreign key (tenant_id, place) references tenants (id, place)
);
create index webhooks_tenant on webhooks (place, created_at desc, id desc);
create index webhooks_due on webhooks (leased_until nulls first) where state = 'ACTIVE';
call ozg_wall('webhooks', 'false', '{SELECT,INSERT,DELETE}');
grant update (name, state, stopped_because, mark_xid, mark_seq, held, dead_in_row, delivered_at, caught_up_at, waiting_since, next_at, lease, leased_until) on webhooks to ozg_serving;

create table webhook_deliveries (
  id           uuid primary key,
  tenant_id    uuid not null,
  place        bigint not null,
  subject      text not null,
  trust_level  text not null,
  webhook_id   uuid not null,
  frame        text not null check (frame in ('EVENT', 'GAP', 'REVOCATION')),
  xid          bigint not null,
  seq          bigint not null,
  state        text not null check (state in ('PENDING', 'DELIVERED', 'DEAD', 'REPLAYING')),
  attempts     integer not null,
  failure      text check (failure in ('CONNECTION', 'TIMEOUT', 'ADDRESS', 'STATUS', 'GONE')),
  status       integer,
  created_at   timestamptz not null,
  attempted_at timestamptz,
  next_at      timestamptz,
  delivered_at timestamptz,
  unique (tenant_id, id),
  foreign key (tenant_id, place) references tenants (id, place),
  foreign key (tenant_id, webhook_id) references webhooks (tenant_id, id) on delete cascade
);
-- One frame is one delivery, however often it is tried.
create unique index webhook_deliveries_once on webhook_deliveries (tenant_id, webhook_id, xid, seq, frame);
create index webhook_deliveries_of on webhook_deliveries (webhook_id, created_at desc, id desc);
create index webhook_deliveries_tenant on webhook_deliveries (place, created_at desc, id desc);
create index webhook_deliveries_replay on webhook_deliveries (next_at) where state = 'REPLAYING';
create index webhook_deliveries_old on webhook_deliveries (created_at);
call ozg_wall('webhook_deliveries', 'false', '{SELECT,INSERT,DELETE}');
grant update (state, attempts, failure, status, attempted_at, next_at, delivered_at) on webhook_deliveries to ozg_serving;

create table bulk_operations (
  id             uuid primary key,
  tenant_id      uuid not null,
  place          bigint not null,
  subject        text not null,
  trust_level    text not null check (trust_level in ('BASIC', 'SUBSTANTIAL', 'HIGH')),
  purpose        text not null,
  document       text not null,
  format         text not null check (format in ('JSONL')),
  state          text not null check (state in ('CREATED', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELED', 'EXPIRED')),
  failed_because text check ((failed_because is not null) = (state = 'FAILED')),
  object_count   bigint not null,
  refused_fields bigint not null,
  size           bigint,
  sha256         text check (sha256 ~ '^[0-9a-f]{64}$'),
  blob           text,
  mark_xid       bigint,
  mark_seq       bigint,
  held           jsonb,
  beginnings     integer not null,
  created_at     timestamptz not null,
  started_at     timestamptz,
  completed_at   timestamptz,
  expires_at     timestamptz,
  lease          text,
  leased_until   timestamptz check ((leased_until is null) = (lease is null)),
  unique (tenant_id, id),
  foreign key (tenant_id, place) references tenants (id, place),
  -- What is complete can be read, and everything that is told of it is there.
  check (state <> 'COMPLETED' or (size is not null and sha256 is not null and blob is not null and mark_xid is not null and mark_seq is not null and completed_at is not null and expires_at is not null))
);
create index bulk_operations_tenant on bulk_operations (place, created_at desc, id desc);
create index bulk_operations_due on bulk_operations (created_at) where state in ('CREATED', 'RUNNING');
create index bulk_operations_expired on bulk_operations (expires_at) where state = 'COMPLETED';
call ozg_wall('bulk_operations', 'false', '{SELECT,INSERT,DELETE}');
grant update (state, failed_because, object_count, refused_fields, size, sha256, blob, mark_xid, mark_seq, held, beginnings, started_at, completed_at, expires_at, lease, leased_until) on bulk_operations to ozg_serving;
