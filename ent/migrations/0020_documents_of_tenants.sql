-- SPDX-License-Identifier: EUPL-1.2
-- Documents that ask for the extension fields of a tenant belong to that tenant: a client may have some of its own in each contract.

-- +goose Up
alter table trusted_documents add column owner bigint references tenants (place); -- null: the standard house
alter table trusted_documents drop constraint trusted_documents_pkey;
alter table trusted_documents add constraint trusted_documents_key unique nulls not distinct (client, edition, owner, sha256);
