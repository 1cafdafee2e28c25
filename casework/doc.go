// SPDX-License-Identifier: EUPL-1.2

// Package casework carries out what happens to a case: open, accept, assign, talk, decide, close. Each verb is one transaction that
// raises the revision by one and writes one line of history and one event. Nobody is told inside it: that comes later and elsewhere.
// What an application has to look like before it becomes a case does not belong here (intake), nor does reading (reading).
//
// The states of a case and the ways between them:
//
//	ACCEPT             NEW -> ACCEPTED
//	DISCARD            NEW -> DISCARDED
//	START              ACCEPTED, WAITING_FOR_APPLICANT -> IN_PROGRESS
//	ASK_APPLICANT      IN_PROGRESS -> WAITING_FOR_APPLICANT
//	APPLICANT_REPLIED  WAITING_FOR_APPLICANT -> IN_PROGRESS
//	FORWARD            NEW, ACCEPTED -> FORWARDED
//	FORWARD_ACCEPTED   FORWARDED -> TO_BE_DELETED
//	FORWARD_DECLINED   FORWARDED -> ACCEPTED
//	DECIDE             IN_PROGRESS, DECIDED -> DECIDED
//	DECIDE_BY_FICTION  ACCEPTED, IN_PROGRESS, WAITING_FOR_APPLICANT -> DECIDED
//	CLOSE              DECIDED -> CLOSED
//	REOPEN             DECIDED, CLOSED -> IN_PROGRESS
//	RESTORE            DISCARDED -> NEW
//	MARK_FOR_DELETION  CLOSED, DISCARDED -> TO_BE_DELETED
//	UNMARK             TO_BE_DELETED -> CLOSED, DISCARDED
//	ERASE              TO_BE_DELETED -> ERASED
//
// A decided case that is decided again stays decided: the new decision replaces the old one. UNMARK leads back to where the case came
// from. A forwarded case that the other authority has accepted lives on there as a case of its own, so that no row changes its tenant.
package casework
