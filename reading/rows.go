// SPDX-License-Identifier: EUPL-1.2

package reading

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/schema"
)

// rowset is what one statement gave: for each row and view its fragments of JSON, and the keys of the holes between them.
type rowset struct {
	buf     []byte
	ends    []int32         // end of each fragment; a view with n holes has n+1 of them
	keys    []holeKey       // one for each hole
	rows    []row           //
	first   map[rowID]int32 // by parent
	lone    bool            // there are no parents: all rows are of one list
	cursors []byte
	denied  map[denial]bool // nil: nothing

	columns [][]byte // some of the row that is being read
	said    []byte   // what its cursor says
}

// rowsets are where rows are laid out until the answer is made. Each is empty.
var rowsets = sync.Pool{New: func() any { return &rowset{first: map[rowID]int32{}} }}

// largestKept is in bytes of JSON. What is larger comes too seldom to be kept.
const largestKept = 64 << 10

// lay makes room for the rows of a level.
func (w *writer) lay(l *level) *rowset {
	set, ok := rowsets.Get().(*rowset)
	if !ok {
		panic("reading: there is nothing else in the pool")
	}
	set.lone = l.key.text == ""
	w.sets[l.number] = set
	return set
}

// giveBack leaves nothing of one answer for the next.
func (set *rowset) giveBack() {
	if cap(set.buf) > largestKept || len(set.rows) > LongestPage*LongestPage {
		return
	}
	wipe(set.buf)
	wipe(set.cursors)
	wipe(set.said[:cap(set.said)])
	clear(set.columns[:cap(set.columns)])
	clear(set.keys)
	clear(set.first)
	*set = rowset{
		buf: set.buf[:0], ends: set.ends[:0], keys: set.keys[:0], rows: set.rows[:0], first: set.first, cursors: set.cursors[:0], columns: set.columns[:0], said: set.said[:0],
	}
	rowsets.Put(set)
}

// head is the first row of a parent.
func (set *rowset) head(parent rowID) (first int32, found bool) {
	if set.lone {
		return 0, len(set.rows) > 0
	}
	first, found = set.first[parent]
	return first, found
}

type rowID [16]byte

type row struct {
	last                 int32 // of the first row of a parent: the last one so far
	next                 int32 // next row of the same parent, negative at the end
	n                    int32 // of the first row of a parent: how many
	ends                 int32 // where its ends begin
	keys                 int32 // where its keys begin
	from                 int32 // where its bytes begin
	cursorFrom, cursorTo int32
}

type holeKey struct {
	id      rowID
	present bool
}

// writer turns rows into answers under one principal.
type writer struct {
	r    *Reader
	p    *authz.Principal
	sets []*rowset           // by the numbers of their levels
	seen map[rowID]*sighting // personal data that the answer shows, by case

	version int64 // of all rights when the rows were read
}

var errNoRow = errors.New("reading: a thing that must be there is not visible")

// read takes in all rows of a level's statement.
func (w *writer) read(l *level, rows pgx.Rows) error {
	set := w.lay(l)
	for rows.Next() {
		if err := w.row(l, set, rows.RawValues()); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (w *writer) row(l *level, set *rowset, values [][]byte) (err error) {
	i := int32(len(set.rows))                                                                                            //nolint:gosec // a page has at most a few thousand rows
	r := row{next: -1, last: i, n: 1, from: int32(len(set.buf)), ends: int32(len(set.ends)), keys: int32(len(set.keys))} //nolint:gosec // as above
	if l.cursor != nil {
		r.cursorFrom = int32(len(set.cursors)) //nolint:gosec // as above
		set.said = appendCursor(set.said[:0], l.signature, set.some(l.cursor, values))
		set.cursors = w.r.seal.Append(set.cursors, set.said)
		r.cursorTo = int32(len(set.cursors)) //nolint:gosec // as above
	}
	var parent rowID
	if l.key.text != "" {
		parent = rowID(values[0])
	}
	shown := l.limit != 0 // but for the one row more
	if f, ok := set.head(parent); ok {
		head := &set.rows[f]
		set.rows[head.last].next = i
		head.last = i
		shown = int(head.n) < l.limit
		head.n++
	} else if !set.lone {
		set.first[parent] = i
	}
	for _, view := range l.views {
		if err = w.object(set, view, values, set.cursors[r.cursorFrom:r.cursorTo], shown); err != nil {
			return err
		}
		set.ends = append(set.ends, int32(len(set.buf))) //nolint:gosec // as above
	}
	set.rows = append(set.rows, r)
	return nil
}

// some are the values of a few columns, until the next ones are asked for.
func (set *rowset) some(columns []int, values [][]byte) [][]byte {
	set.columns = set.columns[:0]
	for _, c := range columns {
		set.columns = append(set.columns, values[c])
	}
	return set.columns
}

// object appends an object's fragments; a hole ends one fragment and begins the next.
func (w *writer) object(set *rowset, o *object, values [][]byte, cursorText []byte, shown bool) (err error) {
	if o.present >= 0 && values[o.present] == nil {
		set.buf = append(set.buf, "null"...)
		for range o.holes {
			set.ends = append(set.ends, int32(len(set.buf))) //nolint:gosec // a page has at most a few megabytes
			set.keys = append(set.keys, holeKey{})
		}
		return nil
	}
	if o.trace != nil && shown {
		if err := w.note(o.trace, values); err != nil {
			return err
		}
	}
	set.buf = append(set.buf, '{')
	for i := range o.ops {
		op := &o.ops[i]
		set.buf = append(set.buf, op.key...)
		if op.told {
			set.deny(op, values[op.denied])
		}
		switch op.kind {
		case constant:
			set.buf = append(set.buf, op.text...)
		case globalID:
			set.buf = appendGlobalID(set.buf, op.number, values[op.column])
		case scalar:
			set.buf, err = appendValue(set.buf, op.scalar, values[op.column])
		case document:
			set.buf, err = appendDocument(set.buf, values[op.column], op.fields)
		case derived:
			set.buf, err = op.value(w.r, w.p, set.buf, set.some(op.from, values))
		case nested:
			if op.must && op.object.present >= 0 && values[op.object.present] == nil {
				return errNoRow
			}
			err = w.object(set, op.object, values, cursorText, shown)
		case cursor:
			set.buf = append(set.buf, '"')
			set.buf = append(set.buf, cursorText...)
			set.buf = append(set.buf, '"')
		case hole:
			set.ends = append(set.ends, int32(len(set.buf))) //nolint:gosec // as above
			key := holeKey{id: op.hole.fixed, present: true}
			if op.hole.key >= 0 {
				key.id = rowID(values[op.hole.key])
			}
			set.keys = append(set.keys, key)
		}
		if err != nil {
			return err
		}
	}
	set.buf = append(set.buf, '}')
	return nil
}

func appendGlobalID(dst []byte, number byte, raw []byte) []byte {
	if raw == nil {
		return append(dst, "null"...)
	}
	dst = append(dst, '"')
	dst = schema.AppendID(dst, number, [16]byte(raw))
	return append(dst, '"')
}

// view appends what a row shows in a view, its holes filled.
func (w *writer) view(dst []byte, l *level, set *rowset, i int32, view int) []byte {
	r := &set.rows[i]
	ends, keys, from := r.ends, r.keys, r.from
	for _, before := range l.views[:view] { // where this view's fragments begin
		ends += int32(before.holes) + 1 //nolint:gosec // few
		keys += int32(before.holes)     //nolint:gosec // few
		from = set.ends[ends-1]
	}
	k := keys
	w.gaps(l.views[view], func(g *gap) {
		dst = append(dst, set.buf[from:set.ends[ends]]...)
		from = set.ends[ends]
		ends++
		if key := set.keys[k]; key.present {
			dst = w.fill(dst, g, key.id)
		}
		k++
	})
	return append(dst, set.buf[from:set.ends[ends]]...)
}

// gaps visits the holes of an object in the order in which they are written.
func (w *writer) gaps(o *object, visit func(*gap)) {
	if o.holes == 0 {
		return
	}
	for i := range o.ops {
		switch op := &o.ops[i]; op.kind {
		case hole:
			visit(op.hole)
		case nested:
			w.gaps(op.object, visit)
		}
	}
}

// listed gives the rows of a parent's list in the order in which they are shown, and whether there are more.
func (set *rowset) listed(l *level, parent rowID) (all []int32, more bool) {
	first, found := set.head(parent)
	if !found {
		return nil, false
	}
	all = make([]int32, 0, set.rows[first].n)
	for i := first; i >= 0 && !more; i = set.rows[i].next {
		if more = len(all) == l.limit; !more {
			all = append(all, i)
		}
	}
	if l.backward {
		slices.Reverse(all)
	}
	return all, more
}

// fill appends what belongs into a hole.
func (w *writer) fill(dst []byte, g *gap, parent rowID) []byte {
	l, set := g.level, w.sets[g.level.number]
	if g.kind == onlyOne {
		first, found := set.head(parent)
		if !found {
			return append(dst, "null"...)
		}
		return w.view(dst, l, set, first, g.view)
	}
	all, more := set.listed(l, parent)
	switch g.kind {
	case hasMore:
		return strconv.AppendBool(dst, more)
	case firstCursor, lastCursor:
		if len(all) == 0 {
			return append(dst, "null"...)
		}
		r := set.rows[all[0]]
		if g.kind == lastCursor {
			r = set.rows[all[len(all)-1]]
		}
		dst = append(dst, '"')
		dst = append(dst, set.cursors[r.cursorFrom:r.cursorTo]...)
		return append(dst, '"')
	}
	dst = append(dst, '[')
	for n, i := range all {
		if n > 0 {
			dst = append(dst, ',')
		}
		dst = w.view(dst, l, set, i, g.view)
	}
	return append(dst, ']')
}

// appendDocument appends the selected part of a JSON column.
func appendDocument(dst, raw []byte, fields []documentField) ([]byte, error) {
	if raw == nil {
		return append(dst, "null"...), nil
	}
	var v any
	if err := json.Unmarshal(jsonOf(raw), &v); err != nil {
		return nil, fmt.Errorf("reading a JSON column: %w", err)
	}
	return appendSelected(dst, v, fields)
}

// jsonOf is the text of a JSON column; in binary format, jsonb has a version byte in front.
func jsonOf(raw []byte) []byte {
	if len(raw) > 0 && raw[0] == 1 {
		return raw[1:]
	}
	return raw
}

func appendSelected(dst []byte, v any, fields []documentField) ([]byte, error) {
	var err error
	switch v := v.(type) {
	case []any:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = appendSelected(dst, e, fields); err != nil {
				return nil, err
			}
		}
		return append(dst, ']'), nil
	case map[string]any:
		dst = append(dst, '{')
		for i := range fields {
			f := &fields[i]
			dst = append(dst, f.key...)
			if f.text != nil {
				dst = append(dst, f.text...)
			} else if dst, err = appendSelected(dst, v[f.name], f.fields); err != nil {
				return nil, err
			}
		}
		return append(dst, '}'), nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("writing a JSON value: %w", err)
	}
	return append(dst, b...), nil
}
