-- SPDX-License-Identifier: EUPL-1.2
-- A case is looked up by its number more often than by anything else. The unique key leads with the tenant, whom a list does not name: it names places. And the exact number
-- of all cases of an authority is counted in an index that has what the second wall looks at, instead of in the table.

-- +goose Up
create index cases_number on cases (number);
create index cases_seen on cases (place, owner);
