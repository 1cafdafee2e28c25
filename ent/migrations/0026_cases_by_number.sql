-- SPDX-License-Identifier: EUPL-1.2
-- A case is looked up by its number more often than by anything else. The unique key leads with the tenant, whom a list does not name: it names places.

-- +goose Up
create index cases_number on cases (number);
