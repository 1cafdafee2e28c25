-- SPDX-License-Identifier: EUPL-1.2
-- A case is looked up by its file reference (Aktenzeichen), which was searched for in all cases of the authority; follow-ups (Wiedervorlagen) are listed whether done or
-- not, which went through those of all authorities; and who has a case at one authority is found without what the same person has elsewhere.

-- +goose Up
create index cases_reference on cases (file_reference) where file_reference is not null;
create index follow_ups_list on follow_ups (place, due_on, id);
drop index assignments_assignee;
create index assignments_assignee on assignments (assignee, place, case_id) where ended_at is null;
