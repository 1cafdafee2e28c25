-- SPDX-License-Identifier: EUPL-1.2
-- Whoever follows the log as one authority reads its own events, and not those of everybody; and whoever only wants to know what is gone, to delete it
-- elsewhere, reads nothing else.

-- +goose Up
create index events_place on events (place, xid, seq);
create index events_gone on events (place, xid, seq) where type in ('CASE_DISCARDED', 'CASE_ERASED');
