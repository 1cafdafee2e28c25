-- SPDX-License-Identifier: EUPL-1.2
-- The entries of extension fields lie in the order in which lists run, so that a filter by one reads the newest rows first and stops when the page is full, as
-- it does by a column of the standard house (decision 0020). All ascending: one index serves both directions, and a cursor is one comparison of rows.

-- +goose Up
drop index extension_entries_text, extension_entries_all_text, extension_entries_number, extension_entries_all_number, extension_entries_time, extension_entries_all_time;
-- An equal value in the order of the list, and all values in their own; of an authority, and for whoever sees all who have the field.
create index extension_entries_text       on extension_entries (place, field, text, ranked_at, target_id) where text is not null;
create index extension_entries_all_text   on extension_entries (field, text, ranked_at, target_id) where text is not null;
create index extension_entries_number     on extension_entries (place, field, number, ranked_at, target_id) where number is not null;
create index extension_entries_all_number on extension_entries (field, number, ranked_at, target_id) where number is not null;
create index extension_entries_time       on extension_entries (place, field, time, ranked_at, target_id) where time is not null;
create index extension_entries_all_time   on extension_entries (field, time, ranked_at, target_id) where time is not null;
-- Ranges, lists of values and parts of texts that many rows meet: the field is walked in the order of the list, and each value looked at.
create index extension_entries_ranked     on extension_entries (place, field, ranked_at, target_id);
create index extension_entries_all_ranked on extension_entries (field, ranked_at, target_id);
-- The place says much of the field, since each has its owner's: reckoned apart, a page was taken for the whole answer and sorted.
drop statistics extension_entries_text_of_field;
create statistics extension_entries_texts   (ndistinct, mcv) on place, field, text from extension_entries;
create statistics extension_entries_numbers (ndistinct, mcv) on place, field, number from extension_entries;
