// SPDX-License-Identifier: EUPL-1.2

package reading

import (
	"bytes"
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/ozg-cloud/platform/internal/problem"
)

// denial is a field that the caller may not see on a row, and is told so (onDeny: ERROR).
type denial struct {
	row int32
	op  *op
}

// deny notes that a field is denied on the row that is being read, where the column says so.
func (set *rowset) deny(o *op, column []byte) {
	if len(column) != 1 || column[0] == 0 {
		return
	}
	if set.denied == nil {
		set.denied = map[denial]bool{}
	}
	set.denied[denial{int32(len(set.rows)), o}] = true //nolint:gosec // a page has at most a few thousand rows
}

// tell adds an error to the response for every place in the answer at which a field is denied.
// The rows are walked once more for it, and only where there is something to tell.
func (w *writer) tell(ctx context.Context, top *level) {
	some := false
	for _, set := range w.sets {
		some = some || set.denied != nil
	}
	if !some {
		return
	}
	isList := graphql.GetFieldContext(ctx).Field.Definition.Type.Elem != nil
	for view := range top.views {
		places := []int{view}
		if top.places != nil {
			places = top.places[view]
		}
		for _, place := range places {
			path := graphql.GetPath(ctx)
			if isList {
				path = below(path, ast.PathIndex(place))
			}
			w.denials(path, top, 0, view, func(at ast.Path) {
				graphql.AddError(ctx, gqlerror.WrapPath(at, problem.New(problem.Forbidden, "notAllowed")))
			})
		}
	}
}

// denials visits the denied fields of what a row shows in a view, in the order of the answer.
func (w *writer) denials(path ast.Path, l *level, i int32, view int, visit func(ast.Path)) {
	keys := w.sets[l.number].rows[i].keys
	for _, before := range l.views[:view] {
		keys += int32(before.holes) //nolint:gosec // few
	}
	w.denialsIn(path, w.sets[l.number], i, &keys, l.views[view], visit)
}

func (w *writer) denialsIn(path ast.Path, set *rowset, i int32, key *int32, o *object, visit func(ast.Path)) {
	for n := range o.ops {
		op, at := &o.ops[n], path
		if len(op.key) > 0 { // at the top there is none
			at = below(path, ast.PathName(bytes.Trim(op.key, `,":`)))
		}
		switch op.kind {
		case nested:
			w.denialsIn(at, set, i, key, op.object, visit)
		case hole:
			if k := set.keys[*key]; k.present {
				w.denialsBehind(at, op.hole, k.id, visit)
			}
			*key++
		default:
			if set.denied[denial{i, op}] {
				visit(at)
			}
		}
	}
}

func (w *writer) denialsBehind(path ast.Path, g *gap, parent rowID, visit func(ast.Path)) {
	set := w.sets[g.level.number]
	switch g.kind {
	case onlyOne:
		if row, found := set.head(parent); found {
			w.denials(path, g.level, row, g.view, visit)
		}
	case listOf:
		rows, _ := set.listed(g.level, parent)
		for n, row := range rows {
			w.denials(below(path, ast.PathIndex(n)), g.level, row, g.view, visit)
		}
	}
}

func below(path ast.Path, step ast.PathElement) ast.Path {
	return append(path[:len(path):len(path)], step)
}
