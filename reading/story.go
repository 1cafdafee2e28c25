// SPDX-License-Identifier: EUPL-1.2

package reading

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/ent/rule"
	"github.com/ozg-cloud/platform/events"
)

// told is a type of the contract that the log gives: an event, and the thing that has to be visible for it to be told.
type told struct {
	*catalog.Type
	frame string   // the union of a stream
	about string   // the edge to the thing
	list  bool     // the filter does not choose what is told, but says what becomes of it
	path  []string // where the filter stands among the arguments
}

// ofLog says where the columns of events in the contract come from. They are not in the catalog, because the log is no list of things with ids.
var ofLog = map[string]told{
	"CaseEvent": {
		&catalog.Type{
			Name: "CaseEvent", Entity: "Event", Table: "events", Owned: true, OfCase: true,
			Columns: map[string]catalog.Column{
				"type": {Name: "type", Kind: catalog.Enum}, "at": {Name: "at", Kind: catalog.Instant}, "revision": {Name: "revision", Kind: catalog.Int},
			},
			Edges: map[string]catalog.Edge{"case": {To: "Case", Column: "case_id"}},
		}, "CaseStreamFrame", "case", false, []string{"where", "cases"},
	},
	"MessageEvent": {
		&catalog.Type{
			Name: "MessageEvent", Entity: "Event", Table: "events", Owned: true, OfCase: true,
			Columns: map[string]catalog.Column{"type": {Name: "type", Kind: catalog.Enum}, "at": {Name: "at", Kind: catalog.Instant}},
			Edges:   map[string]catalog.Edge{"message": {To: "Message", Column: "message_id"}},
		}, "MessageStreamFrame", "message", false, nil,
	},
	"WorkListChange": {
		&catalog.Type{
			Name: "WorkListChange", Entity: "Event", Table: "events", Owned: true, OfCase: true,
			Edges: map[string]catalog.Edge{"case": {To: "Case", Column: "listed_id"}},
		}, "WorkListStreamFrame", "case", true, []string{"where"},
	},
}

// aboutMessages are the events that are told of a conversation.
var aboutMessages = map[string]bool{
	"APPLICANT_ASKED": true, "MESSAGE_SENT": true, "MESSAGE_RECEIVED": true, "MESSAGE_PROVIDED": true, "MESSAGE_REFUSED": true, "MESSAGE_OPENED": true, "CASE_DECIDED": true,
}

// CaseStory is what the current field tells of events of cases. where is a CaseEventFilter.
func (r *Reader) CaseStory(ctx context.Context, where map[string]any) (events.Story, error) {
	s := events.Story{}
	if types := listed(where["types"]); where["types"] != nil {
		s.Types = map[string]bool{}
		for i, t := range types {
			name, err := enumValue(t, []string{"where", "types", strconv.Itoa(i)})
			if err != nil {
				return s, err
			}
			s.Types[name] = true
		}
	}
	return r.story(ctx, s, ofLog["CaseEvent"], where["cases"])
}

// MessageStory is what the current field tells of the messages of a case. Of a case that the caller does not see there is nothing to tell.
func (r *Reader) MessageStory(ctx context.Context, caseID string) (events.Story, error) {
	id, err := idOf(caseID, "Case", []string{"caseId"})
	if err != nil {
		return events.Story{}, err
	}
	return r.story(ctx, events.Story{Types: aboutMessages, Case: id}, ofLog["MessageEvent"], nil)
}

func (r *Reader) story(ctx context.Context, s events.Story, t told, filter any) (events.Story, error) {
	object, _, err := rule.Of(catalog.Types[t.Edges[t.about].To].Entity)
	if err != nil {
		return s, err
	}
	var last atomic.Pointer[sight]
	s.Sees = func(p *authz.Principal, at authz.Target) bool {
		v := last.Load()
		if v == nil || v.of != p {
			v = &sight{p, p.Rows("event"), p.Rows(object)}
			last.Store(v)
		}
		return v.events.Contains(at) && v.things.Contains(at)
	}
	var asked asking
	s.Read = func(ctx context.Context, at []events.Position, now events.Position) (out []events.Told, err error) {
		err = authz.Current(ctx, func() error {
			out, err = r.tellOnce(ctx, t, filter, &asked, at, now)
			return err
		})
		return out, err
	}
	// What is wrong with the question is told now and not with the first event.
	p, err := authz.From(ctx)
	if err != nil {
		return s, err
	}
	_, _, err = r.compileStory(ctx, p, t, filter, nil)
	return s, err
}

// sight is what somebody sees of events and of what they are about.
type sight struct {
	of             *authz.Principal
	events, things authz.Rows
}

// patienceWithStories is how long reading a few events may take.
const patienceWithStories = 10 * time.Second

// shown is what a receiver is shown of an event, once for each place in the answer where it stands.
type shown struct {
	views   []Value
	written [][]byte     // of a stream: the answer that each stands in, see written
	denied  [][]ast.Path // the places in each that are refused
	cursor  string       // of the event
	listing              // of a work list
}

// frame is the frame of a stream that shows a view.
func (s *shown) frame(ctx context.Context, view int) Frame {
	f := Frame{Value: s.views[view], cursor: s.cursor, denied: s.denied[view]}
	if len(f.denied) > 0 {
		f.path = graphql.GetPath(ctx)
	} else {
		f.written = s.written[view]
	}
	return f
}

// read is what was read of events.
type read struct {
	told     []events.Told
	seen     map[rowID]*sighting // personal data in it, by case
	version  int64               // of all rights when it was read
	personal bool                // it names who reads it
}

// tell reads events under somebody's rights.
func (r *Reader) tell(ctx context.Context, p *authz.Principal, t told, filter any, at []events.Position) (*read, error) {
	c, l, err := r.compileStory(ctx, p, t, filter, at)
	if err != nil {
		return nil, err
	}
	w := &writer{r: r, p: p}
	defer w.giveBack()
	if err := w.run(ctx, c.done(c.levels), given{}); err != nil {
		return nil, err
	}
	set, last := w.sets[l.number], len(l.views)-1
	out := make([]events.Told, len(set.rows))
	field := graphql.GetFieldContext(ctx).Field
	for i := range out {
		row := int32(i)
		s := &shown{views: make([]Value, last), denied: make([][]ast.Path, last)}
		for v := range last {
			s.views[v] = w.view(nil, l, set, row, v)
			w.denials(nil, l, row, v, func(p ast.Path) { s.denied[v] = append(s.denied[v], p) })
		}
		raw := w.view(nil, l, set, row, last)[1:]
		if t.list {
			s.file, s.meets = uuid.UUID(raw[16:32]), raw[32] == 1
		}
		at := events.Position{XID: binary.BigEndian.Uint64(raw), Seq: int64(binary.BigEndian.Uint64(raw[8:]))} //nolint:gosec // the database's own
		s.cursor = r.cursors.Of(at)
		if field.Definition.Type.Name() == t.frame {
			s.written = make([][]byte, last)
			for v := range last {
				s.written[v], s.views[v] = written(field.Alias, s.views[v], s.cursor)
			}
		}
		out[i] = events.Told{At: at, Shown: s}
	}
	return &read{out, w.seen, w.version, c.personal}, nil
}

// compileStory makes the level of the events at some positions. Its last view is the position.
func (r *Reader) compileStory(ctx context.Context, p *authz.Principal, t told, filter any, at []events.Position) (*compiler, *level, error) {
	c := r.compiler(ctx, p)
	seen, err := c.predicate(t.Type, "e")
	if err != nil {
		return nil, nil, err
	}
	seen = and(seen, c.mentioned("e"))
	a, edge := c.alias(), t.Edges[t.about]
	target := catalog.Types[edge.To]
	about := t.Edges[t.about]
	if t.list {
		about.Column = "case_id"
	}
	visible, err := c.predicate(target, a)
	if err != nil {
		return nil, nil, err
	}
	wanted, err := c.filter(target, a, filter, t.path)
	if err != nil {
		return nil, nil, err
	}
	xids, seqs := make([]uint64, len(at)), make([]int64, len(at))
	for i, p := range at {
		xids[i], seqs[i] = p.XID, p.Seq
	}
	alias := c.alias()
	// Each event is looked up by its position, once, and what it is about by its key, whatever else is wanted: left to choose, the planner begins with all that
	// meet a filter, or with all cases of an applicant, and looks up the events for each.
	log := sql("(with log as materialized (select e.* from unnest(?::xid8[], ?::bigint[]) n(xid, seq) cross join lateral (select * from events e where e.xid = n.xid and e.seq = n.seq offset 0) e) "+
		"select * from log) e", xids, seqs)
	thing := " cross join lateral (select * from " + target.Table + " " + a + " where " + join(t.Type, "e", about, target, a) + " offset 0) " + a
	from := sql("(select e.* from (select e.*, " + messageOf + " as message_id from ").then(log).then(where(seen)).with(") e" + thing).
		then(where(visible, wanted)).with(") " + alias)
	if t.list {
		// What does not meet the filter is joined to no case, so that nothing of it is read.
		meets := sql("true")
		if wanted.text != "" {
			meets = sql("coalesce(").then(wanted).with(", false)")
		}
		from = sql("(select e.*, m.meets, case when m.meets then e.case_id end as listed_id from ").then(log).with(thing + " cross join lateral (select ").then(meets).
			with(" as meets) m").then(where(seen, visible)).with(") " + alias)
	}
	l, err := c.add(&level{alias: alias, source: from, chain: from, order: " order by " + alias + ".xid, " + alias + ".seq", limit: -1})
	if err != nil {
		return nil, nil, err
	}
	if err := c.places(l, t, graphql.GetFieldContext(ctx).Field); err != nil {
		return nil, nil, err
	}
	position := op{kind: derived, value: rawPosition, from: []int{l.column(sql(alias + ".xid")), l.column(sql(alias + ".seq"))}}
	last := &object{present: -1, ops: []op{position}}
	if t.list {
		whether := func(_ *Reader, _ *authz.Principal, dst []byte, row [][]byte) ([]byte, error) {
			return rawListing(dst, row), nil
		}
		last.add(op{kind: derived, value: whether, from: []int{l.column(sql(alias + ".case_id")), l.column(sql(alias + ".meets"))}})
	}
	l.views = append(l.views, last)
	return c, l, nil
}

// mentioned leaves out the events that the caller must not know of, because what happened has a right of its own in the contract: nobody
// learns of a comment from the event that there is one.
func (c *compiler) mentioned(alias string) fragment {
	var all []fragment
	for _, name := range slices.Sorted(maps.Keys(c.r.guarded)) {
		if event, ok := strings.CutPrefix(name, "CaseEventType."); ok {
			if text, args := seenBy(c.p, c.r.guarded[name], rule.OfCase, alias); text != "" {
				all = append(all, or(sql(alias+".type <> ?", event), sql(text, args...)))
			}
		}
	}
	return and(all...)
}

// messageOf is the message of an event: what it is about, or, as a decision reaches the applicant in a message, that one.
const messageOf = "coalesce((select d.message_id from decisions d where d.tenant_id = e.tenant_id and d.id = e.subject_id), e.subject_id)"

// places makes a view for each place in the answer where an event stands: a frame of a stream, or an entry of a page.
func (c *compiler) places(l *level, t told, field graphql.CollectedField) error {
	view := func(o *object, err error) error {
		l.views = append(l.views, o)
		return err
	}
	if field.Definition.Type.Name() == t.frame {
		o, err := c.object(l, t.Type, l.alias, l.chain, field.Selections)
		if err == nil && t.list {
			l.views = append(l.views, inEachMove(o)...)
			return nil
		}
		return view(o, err)
	}
	for _, f := range c.collect(field.Selections, t.Name+"Connection") {
		var err error
		switch f.Name {
		case "nodes":
			err = view(c.object(l, t.Type, l.alias, l.chain, f.Selections))
		case "edges":
			err = view(c.edge(l, t.Type, f.Selections, func(w *op, f graphql.CollectedField) error {
				return c.derivation(w, l, t.Type, l.alias, l.chain, f, derivations["CaseEvent.cursor"])
			}))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// rawPosition appends a position in the database's binary format.
func rawPosition(_ *Reader, _ *authz.Principal, dst []byte, row [][]byte) ([]byte, error) {
	for _, raw := range row {
		n, err := integer(raw)
		if err != nil {
			return nil, err
		}
		dst = binary.BigEndian.AppendUint64(dst, uint64(n)) //nolint:gosec // the same bits
	}
	return dst, nil
}

// cursorOfEvent gives the cursor of an event.
func cursorOfEvent(r *Reader, _ *authz.Principal, dst []byte, row [][]byte) ([]byte, error) {
	at, err := positionOf(row)
	if err != nil {
		return nil, err
	}
	return appendString(dst, []byte(r.cursors.Of(at))), nil
}

// cursorOfDelivery gives the cursor of a frame: that of an event, or one that says no more than where it was.
func cursorOfDelivery(r *Reader, p *authz.Principal, dst []byte, row [][]byte) ([]byte, error) {
	if string(row[2]) == "EVENT" {
		return cursorOfEvent(r, p, dst, row)
	}
	return cursorOfSnapshot(r, p, dst, row)
}

// cursorOfSnapshot gives a cursor for a position that may be nobody's business; null where there is none.
func cursorOfSnapshot(r *Reader, _ *authz.Principal, dst []byte, row [][]byte) ([]byte, error) {
	if row[0] == nil || row[1] == nil {
		return append(dst, null...), nil
	}
	at, err := positionOf(row)
	if err != nil {
		return nil, err
	}
	return appendString(dst, []byte(r.cursors.Checkpoint(at))), nil
}

// positionOf reads the position that a row begins with.
func positionOf(row [][]byte) (events.Position, error) {
	xid, err := integer(row[0])
	if err != nil {
		return events.Position{}, err
	}
	seq, err := integer(row[1])
	return events.Position{XID: uint64(xid), Seq: seq}, err //nolint:gosec // never negative
}

// CursorOf is the cursor of the event that gave a case a revision; nil where there is none, and where the caller may not know of it.
func (r *Reader) CursorOf(ctx context.Context, file uuid.UUID, revision int) (cursor *string, err error) {
	err = authz.Current(ctx, func() error {
		p, err := authz.From(ctx)
		if err != nil {
			return err
		}
		seen, err := (&compiler{r: r, p: p}).predicate(ofLog["CaseEvent"].Type, "e")
		if err != nil {
			return err
		}
		scope := p.Scope()
		question := sql("/*" + scope.Class() + "*/ select e.xid, e.seq from cases k join events e on e.tenant_id = k.tenant_id and e.case_id = k.id").
			then(where(sql("k.id = ? and e.sequence = ?", file, revision), seen))
		batch := &pgx.Batch{}
		batch.Queue("select ozg_enter($1, $2, $3)", int64(scope.Lo), int64(scope.Hi), scope.Owner)
		question.queue(batch)
		answers := r.pool.SendBatch(ctx, batch)
		defer func() { _ = answers.Close() }() // what went wrong has been told
		var version int64
		if err := answers.QueryRow().Scan(&version); err != nil {
			return failed(ctx, fmt.Errorf("entering the scope: %w", err))
		}
		if err := p.Knows(version); err != nil {
			return err
		}
		var at events.Position
		switch err := answers.QueryRow().Scan(&at.XID, &at.Seq); {
		case errors.Is(err, pgx.ErrNoRows):
			return nil
		case err != nil:
			return failed(ctx, err)
		}
		text := r.cursors.Of(at)
		cursor = &text
		return nil
	})
	return cursor, err
}
