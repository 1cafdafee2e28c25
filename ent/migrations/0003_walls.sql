-- SPDX-License-Identifier: EUPL-1.2
-- The second wall around every table of tenants, and what serving may do at all. What is immutable is immutable because nobody
-- was granted to change it: submissions, comments, decisions, history and events only ever grow; of a message only its delivery changes.

-- +goose Up
-- Shared: the directory and the catalogue are read by all; changing them is a matter of migrations and administration.
grant select on tenants, services to ozg_serving, ozg_watching;
-- Registers of the front door, which belong to subjects and not to tenants.
grant select, insert, delete on blocked_subjects to ozg_serving;
grant select, insert, delete on uploads to ozg_serving;
grant select, insert, delete on idempotency_keys to ozg_serving;

call ozg_wall('organisational_units', 'false', '{SELECT,INSERT}');
grant update (name, parent_id, retired_at) on organisational_units to ozg_serving;

call ozg_wall('service_offerings', 'false', '{SELECT,INSERT}');
grant update (unit_id, valid_to) on service_offerings to ozg_serving;
-- Who is responsible for what is public.
create policy directory on service_offerings for select to ozg_serving using (true);

call ozg_wall('connectors', 'false', '{SELECT,INSERT}');
grant update (name, active) on connectors to ozg_serving;

call ozg_wall('cases', $$owner = current_setting('app.owner', true)$$, '{SELECT,INSERT}');
grant update (file_reference, unit_id, state, owner, complete_at, due_at, decided_at, closed_at, updated_at, revision, history_head) on cases to ozg_serving;

call ozg_wall('submissions', 'exists (select from cases c where c.tenant_id = submissions.tenant_id and c.id = submissions.case_id)', '{SELECT,INSERT}');
call ozg_wall('applicants', 'exists (select from cases c where c.tenant_id = applicants.tenant_id and c.id = applicants.case_id)', '{SELECT,INSERT}');

call ozg_wall('messages', 'exists (select from cases c where c.tenant_id = messages.tenant_id and c.id = messages.case_id)', '{SELECT,INSERT}');
grant update (provided_at, opened_at, delivery_state) on messages to ozg_serving;

call ozg_wall('attachments', 'exists (select from cases c where c.tenant_id = attachments.tenant_id and c.id = attachments.case_id)', '{SELECT,INSERT}');
grant update (scan_state) on attachments to ozg_serving;

call ozg_wall('decisions', 'exists (select from cases c where c.tenant_id = decisions.tenant_id and c.id = decisions.case_id)', '{SELECT,INSERT}');

call ozg_wall('announcements', 'exists (select from cases c where c.tenant_id = announcements.tenant_id and c.id = announcements.case_id)', '{SELECT,INSERT}');
grant update (provided_at, notified_at, first_retrieved_at, rule, announced_on, explanation) on announcements to ozg_serving;

-- Notes, follow-ups and assignments never reach the applicant.
call ozg_wall('comments', 'false', '{SELECT,INSERT}');
call ozg_wall('follow_ups', 'false', '{SELECT,INSERT}');
grant update (done_at) on follow_ups to ozg_serving;
call ozg_wall('assignments', 'false', '{SELECT,INSERT}');
grant update (ended_at) on assignments to ozg_serving;

call ozg_wall('history_events', 'exists (select from cases c where c.tenant_id = history_events.tenant_id and c.id = history_events.case_id)', '{SELECT,INSERT}');
call ozg_wall('events', 'exists (select from cases c where c.tenant_id = events.tenant_id and c.id = events.case_id)', '{SELECT,INSERT}');

call ozg_wall('role_assignments', 'false', '{SELECT,INSERT,DELETE}');

call ozg_wall('audit_entries', 'false', '{SELECT,INSERT}');
call ozg_wall('access_entries', 'exists (select from cases c where c.tenant_id = access_entries.tenant_id and c.id = access_entries.case_id)', '{SELECT,INSERT}');

create trigger rights_changed after insert or update or delete on role_assignments for each statement execute function ozg_rights_changed();
create trigger rights_changed after insert or update or delete on blocked_subjects for each statement execute function ozg_rights_changed();
create trigger rights_changed after insert or update of parent_id or delete on organisational_units for each statement execute function ozg_rights_changed();
