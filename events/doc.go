// SPDX-License-Identifier: EUPL-1.2

// Package events tells afterwards what has happened: it reads the log in commit order, once for the whole process, and leads each
// receiver through it, from where that one stands to the present and on from there.
// What a receiver is shown of an event does not belong here (reading), nor does writing one (casework) or the wire (web).
//
//	position.go  where an event stands, and the cursor that says so to receivers
//	entry.go     what the log knows of an event, and how it is read from the database
//	log.go       the one reader of a process: polls, remembers the newest entries, wakes whom they concern
//	follow.go    leads a receiver: gap, backlog, live, without a seam
//	page.go      the same for who polls
//
// Nothing of an event is decided by the memory of the process: it only says when it is worth asking, and what for. See
// docs/decisions/0004 and 0013.
package events
