// SPDX-License-Identifier: EUPL-1.2

package reading

import (
	"bytes"
	"context"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/events"
	"github.com/ozg-cloud/platform/schema"
)

// move is how a case moves in a work list: the view of a change in which it stands.
type move int

const (
	entered move = iota
	changed
	left
)

// moves are the names of moves, as they stand in an answer. The first one is what a view is compiled with.
var moves = [][]byte{entered: []byte(`"ENTERED"`), changed: []byte(`"CHANGED"`), left: []byte(`"LEFT"`)}

// inEachMove makes a view of a change for each move.
func inEachMove(view *object) []*object {
	out := []*object{view}
	for _, m := range moves[1:] {
		other := *view
		other.ops = slices.Clone(view.ops)
		for i := range other.ops {
			if w := &other.ops[i]; w.kind == constant && bytes.Equal(w.text, moves[entered]) {
				w.text = m
			}
		}
		out = append(out, &other)
	}
	return out
}

// listing says of an event whether its case meets the filter of a list, now.
type listing struct {
	file  uuid.UUID
	meets bool
}

// rawListing appends which case it is and whether it meets the filter.
func rawListing(dst []byte, row [][]byte) []byte { return append(append(dst, row[0]...), row[1]...) }

// mostTold bounds for how many cases a stream remembers what it has told last. What it has forgotten it tells as if for the first time.
const mostTold = 1000

// WorkList is the stream of a work list, for one receiver.
type WorkList struct {
	events.Story

	reader *Reader
	inside map[uuid.UUID]bool // whether a case was told to be in the list, or out of it
}

// WorkList is what the current field tells of the cases that meet a filter: those that come, change and go.
// Who no longer meets it is known by what the stream has told, see docs/decisions/0026.
func (r *Reader) WorkList(ctx context.Context, filter any) (*WorkList, error) {
	story, err := r.story(ctx, events.Story{}, ofLog["WorkListChange"], filter)
	return &WorkList{Story: story, reader: r}, err
}

// Frame writes what the log tells, in the words of the current field; false where the receiver has nothing to do.
func (l *WorkList) Frame(ctx context.Context, f events.Frame) (Frame, bool) {
	switch {
	case f.Kind == events.Happened:
		s := f.Shown.(*shown) //nolint:forcetypeassert // out of tell
		m := left
		was, known := l.inside[s.file]
		if s.meets {
			if m = entered; was {
				m = changed
			}
		} else if known && !was {
			return Frame{}, false
		}
		l.remember(s.file, s.meets)
		return s.frame(ctx, int(m)), true
	case f.Kind == events.Revocation && f.Case != uuid.Nil:
		// The event was not for this receiver any more: only that the case has gone.
		l.remember(f.Case, false)
		return l.reader.gone(ctx, f), true
	case f.Kind == events.Gap || f.Kind == events.Revocation:
		l.inside = nil // who reads everything afresh has another list
	}
	return l.reader.Frame(ctx, f), true
}

func (l *WorkList) remember(file uuid.UUID, inside bool) {
	if _, known := l.inside[file]; l.inside == nil || !known && len(l.inside) >= mostTold {
		l.inside = map[uuid.UUID]bool{}
	}
	l.inside[file] = inside
}

// gone writes that a case has left a list because the receiver sees it no more.
func (r *Reader) gone(ctx context.Context, f events.Frame) Frame {
	field := graphql.GetFieldContext(ctx).Field
	c := &compiler{r: r, oc: graphql.GetOperationContext(ctx)}
	cursor := r.cursors.Checkpoint(f.At)
	v, err := c.plain(field.Selections, map[string]any{"cursor": cursor, "move": "LEFT", "caseId": schema.ID(catalog.Types["Case"].Number, f.Case)},
		"WorkListChange", field.Definition.Type.Name())
	return frameOf(field, v, cursor, err)
}
