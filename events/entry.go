// SPDX-License-Identifier: EUPL-1.2

package events

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/ozg-cloud/platform/authz"
)

// Entry is what the log knows of an event: which, and whom it may concern. Nothing of it is shown to anybody.
type Entry struct {
	At   Position
	Type string
	Case uuid.UUID
	// Target is what rights on the case depend on, after the event and before it. They differ where the case was handed to another unit.
	Target, Before authz.Target
}

// moved tells whether the case was handed to another unit.
func (e *Entry) moved() bool { return e.Target.Unit != e.Before.Unit }

const (
	// page is how many entries are read at once.
	page = 1000
	// few is how many are read at first for a page of a story, which has no more than a hundred: most often all of them are part of it.
	few = 128
)

// entries reads what lies in a part of the tree behind a mark and below the horizon. The horizon is the oldest transaction that still runs: whatever
// lies below it has ended, so that nothing can appear there any more.
const (
	entries = `
select e.xid, e.seq, e.type, e.case_id, e.place, e.unit_id, e.unit_before, k.service_id, coalesce(k.owner, ''), k.via_point_of_contact
from `
	below = "e.xid < pg_snapshot_xmin(pg_current_snapshot())"
)

// everything is the scope of whoever is shown all events there are.
var everything = authz.System(authz.Telling).Scope()

// gone are the types of events that have an index of their own.
var gone = map[string]bool{"CASE_DISCARDED": true, "CASE_ERASED": true}

// statement reads so many entries of a scope that are of some types (nil: of any), and gives what it needs beyond the mark and the scope. The number
// stands in the text: the planner has to know how little is wanted.
func statement(scope authz.Scope, types map[string]bool, most int) (text string, more []any) {
	var wanted string
	if types != nil {
		names := slices.Sorted(maps.Keys(types))
		if slices.ContainsFunc(names, func(n string) bool { return !gone[n] }) {
			wanted, more = " and e.type = any($6)", []any{names}
		} else if len(names) > 0 {
			wanted = " and e.type in ('" + strings.Join(names, "', '") + "')" // the index is found by its names alone
		}
	}
	// The log of a place is an index. What part of the tree it is stands in the text: the planner has to know how much lies there. For a part like any other it
	// read all that followed and sorted it, for each page.
	mark, part := "($1, $2)", fmt.Sprintf("e.place between %d and %d", scope.Lo, scope.Hi)
	switch {
	case scope == everything:
		// The reader of each process asks this all the time, with values by which a plan of its own would always look best: making that takes ten times as
		// long as reading. Here no plan depends on a value.
		mark, part = "((select $1::xid8), (select $2::bigint))", "true"
	case scope.Lo == scope.Hi:
		part = fmt.Sprintf("e.place = %d", scope.Lo)
	}
	where := " where (e.xid, e.seq) > " + mark + " and " + below + " and " + part + " and $3 <= $4::bigint" + wanted
	const order = " order by e.xid, e.seq"
	last := order + " limit " + strconv.Itoa(most)
	text = "/*" + scope.Class() + "*/ " + entries
	if scope.Owner != "" { // who has few cases, whose events are found by them
		return text + "events e join cases k on k.tenant_id = e.tenant_id and k.id = e.case_id" + where + " and k.owner = $5" + last, more
	}
	// Each entry has its case, which is looked up by its key: joined, a page that is longer than what the planner expects was read off the cases, all of them.
	return text + "(select e.* from events e" + where + " and $5 = ''" + last +
		") e cross join lateral (select * from cases k where k.tenant_id = e.tenant_id and k.id = e.case_id offset 0) k" + order, more
}

// horizon tells how far the log can be read, whether there is something beyond, and before what nothing is left.
const horizon = `
select pg_snapshot_xmin(pg_current_snapshot()), exists (select from events where xid >= pg_snapshot_xmin(pg_current_snapshot())), xid, seq from events_forgotten`

// reach is how far the log could be read at some moment.
type reach struct {
	to      Position // everything before it has been read
	more    bool     // there is more below the horizon
	held    bool     // there is something beyond the horizon, which waits for a transaction
	newest  Position // what is told is as it was when this was the last event, or later
	oldest  Position // nothing is left up to here
	version int64    // of all rights at that moment
}

// span is a part of the log: so many entries behind a mark, of some types (nil: of all).
type span struct {
	mark  Position
	types map[string]bool
	most  int
}

// read reads a part of the log, as far as a scope goes, all in one snapshot.
func read(ctx context.Context, pool *pgxpool.Pool, scope authz.Scope, s span, first ...func(*pgx.Batch)) ([]Entry, reach, error) {
	b := &pgx.Batch{}
	b.Queue("select ozg_enter($1, $2, $3)", int64(scope.Lo), int64(scope.Hi), scope.Owner)
	for _, f := range first {
		f(b)
	}
	b.Queue("/*" + scope.Class() + "*/ " + horizon)
	text, more := statement(scope, s.types, s.most)
	b.Queue(text, append([]any{s.mark.XID, s.mark.Seq, int64(scope.Lo), int64(scope.Hi), scope.Owner}, more...)...)
	answers := pool.SendBatch(ctx, b)
	defer func() { _ = answers.Close() }() // what went wrong has been told
	var r reach
	if err := answers.QueryRow().Scan(&r.version); err != nil {
		return nil, r, fmt.Errorf("events: entering the scope: %w", err)
	}
	for range first {
		if _, err := answers.Exec(); err != nil {
			return nil, r, fmt.Errorf("events: calling: %w", err)
		}
	}
	if err := answers.QueryRow().Scan(&r.to.XID, &r.held, &r.oldest.XID, &r.oldest.Seq); err != nil {
		return nil, r, fmt.Errorf("events: asking for the horizon: %w", err)
	}
	rows, err := answers.Query()
	if err != nil {
		return nil, r, fmt.Errorf("events: reading the log: %w", err)
	}
	found, err := pgx.CollectRows(rows, entryOf)
	if err != nil {
		return nil, r, fmt.Errorf("events: reading the log: %w", err)
	}
	r.newest = r.to
	if r.more = len(found) == s.most; r.more {
		r.to = found[s.most-1].At
	}
	return found, r, nil
}

func entryOf(row pgx.CollectableRow) (Entry, error) {
	var (
		e            Entry
		place        int64
		unit, before *uuid.UUID
	)
	t := &e.Target
	err := row.Scan(&e.At.XID, &e.At.Seq, &e.Type, &e.Case, &place, &unit, &before, &t.Service, &t.Owner, &t.ViaPointOfContact)
	t.Place = authz.Place(place)
	e.Before = *t
	if unit != nil {
		t.Unit = *unit
	}
	if before != nil {
		e.Before.Unit = *before
	}
	return e, err
}
