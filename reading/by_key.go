// SPDX-License-Identifier: EUPL-1.2

package reading

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/schema"
)

// Sought is a thing of a type that is looked for in a field which answers a list: by the value of a field that is unique, and where in the list it is shown.
type Sought struct {
	Key string
	At  []int
}

// Found is a thing that was found, with the value of the field by which it was looked for as it stands in the row.
type Found struct {
	Key   string
	Value Value
}

// digits is a number of 14 digits at most, such as a LeiKa key, as PostgreSQL makes an id of it: so that rows are told by it as others are by their ids.
const digits = 14

// ByKey gives things for places in the list that the current field answers, in the order in which they are sought. What there is not, what the caller may not see
// and what could be no key of the type is left out. Keys are global ids, and LeiKa keys of services.
func (r *Reader) ByKey(ctx context.Context, typ, field string, sought []Sought) ([]Found, error) {
	t, err := typeNamed(typ)
	if err != nil {
		return nil, err
	}
	column, ok := t.Columns[field]
	if !ok || column.Kind != catalog.UUID && field != "leikaKey" {
		return nil, fmt.Errorf("reading: nothing is found by %s.%s", typ, field)
	}
	var (
		wanted []rowID
		places [][]int
	)
	for _, s := range sought {
		if id, ok := keyed16(t, column, s.Key); ok {
			wanted, places = append(wanted, id), append(places, s.At)
		}
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	values, err := r.answer(ctx, thing{}, func(c *compiler, top *level, f graphql.CollectedField) ([]*object, error) {
		l, err := c.found(t, column, wanted)
		if err != nil {
			return nil, err
		}
		key := op{kind: scalar, scalar: column.Kind, column: l.column(sql(l.alias + "." + column.Name))}
		if column.Kind == catalog.UUID {
			key.kind, key.number = globalID, t.Number
		}
		things, err := c.object(l, t, l.alias, l.chain, f.Selections)
		if err != nil {
			return nil, err
		}
		l.views = append(l.views, things, &object{present: -1, ops: []op{key}})
		top.places = append(places[:len(places):len(places)], make([][]int, len(places))...) // what a key is belongs nowhere
		list := make([]*object, 0, 2*len(wanted))
		for view := range l.views {
			for _, id := range wanted {
				o := &object{present: -1}
				o.add(op{kind: hole, hole: &gap{kind: onlyOne, level: l, view: view, key: -1, fixed: id}})
				list = append(list, o)
			}
		}
		return list, nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]Found, 0, len(wanted))
	for i := range wanted {
		if key := values[len(wanted)+i]; !bytes.Equal(key, null) {
			f := Found{Value: values[i]}
			if err := json.Unmarshal(key[1:len(key)-1], &f.Key); err != nil { // a key alone, in the braces of its row
				return nil, fmt.Errorf("reading the key of a row: %w", err)
			}
			out = append(out, f)
		}
	}
	return out, nil
}

// found makes the level of things that are looked for by a column, whose rows are told by it.
func (c *compiler) found(t *catalog.Type, column catalog.Column, wanted []rowID) (*level, error) {
	if column.Kind == catalog.UUID {
		ids := make([]uuid.UUID, len(wanted))
		for i, id := range wanted {
			ids[i] = uuid.UUID(id)
		}
		l, err := c.top(t, column.Name+" = any(?)", ids, len(ids))
		if err != nil {
			return nil, err
		}
		l.key = sql(l.alias + "." + column.Name)
		l.columns = []fragment{l.key}
		return l, nil
	}
	texts := make([]string, len(wanted))
	for i, id := range wanted {
		texts[i] = fmt.Sprintf("%x", id)[32-digits:]
	}
	l, err := c.top(t, column.Name+" = any(?)", texts, len(texts))
	if err != nil {
		return nil, err
	}
	l.key = sql("lpad(" + l.alias + "." + column.Name + ", 32, '0')::uuid")
	l.columns = []fragment{l.key}
	return l, nil
}

// keyed16 reads a key: the id in a global id of the type, or a LeiKa key.
func keyed16(t *catalog.Type, column catalog.Column, key string) (rowID, bool) {
	if column.Kind == catalog.UUID {
		number, id, ok := schema.ParseID(key)
		return rowID(id), ok && number == t.Number
	}
	if len(key) != digits {
		return rowID{}, false
	}
	if _, err := strconv.ParseUint(key, 10, 64); err != nil {
		return rowID{}, false
	}
	id, err := uuid.Parse(strings.Repeat("0", 32-digits) + key)
	return rowID(id), err == nil
}
