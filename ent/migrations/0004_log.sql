-- SPDX-License-Identifier: EUPL-1.2
-- What those who follow the log need beside the position: from which unit to which a case went, so that whoever sees only one of them can be told
-- or be told no more, by the log alone.

-- +goose Up
alter table events add column unit_id uuid, add column unit_before uuid;
