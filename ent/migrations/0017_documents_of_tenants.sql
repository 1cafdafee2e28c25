-- SPDX-License-Identifier: EUPL-1.2
-- A client of one Land or authority asks for extension fields. Its documents are loaded for a tenant: they fit the contract of that one, and are known to those alone who are
-- at home there or below.

-- +goose Up
alter table trusted_documents add column tenant bigint references tenants (place);
