// SPDX-License-Identifier: EUPL-1.2

package reading

import (
	"slices"
	"strconv"
	"time"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/extension"
)

// column is where a leaf stands beside a case, behind what the index of the column begins with; ok is false where it stands nowhere, or where no index serves the scope: they are an
// authority's and a Land's. See decision 0020.
func (c *compiler) column(a string, l *extension.Leaf) (f fragment, ok bool) {
	s, column := c.p.Scope(), a+".extension_"+strconv.Itoa(l.Column)
	switch level := (authz.Interval{Lo: s.Lo, Hi: s.Hi}).Level(); {
	case l.Column == 0 || s.Owner != "":
	case level == authz.Authority:
		return sql(a+".place = ? and "+column, int64(s.Lo)), true
	case level == authz.Land: // where only its own are known
		return sql(a+".land = ? and "+column, s.Lo.Land()), true
	}
	return fragment{}, false
}

// apart are the values one of which operators ask for, and nothing else, each once; none where they ask otherwise.
func apart(kind catalog.Kind, given map[string]any) ([]any, error) {
	names := asked(given)
	if len(names) != 1 || names[0] != "eq" && names[0] != "in" {
		return nil, nil
	}
	var out []any
	for _, v := range listed(given[names[0]]) {
		v, err := argument(kind, "", v, nil)
		if err != nil {
			return nil, err
		}
		if at, ok := v.(time.Time); ok {
			v = at.Truncate(time.Microsecond) // as the database has it
		}
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out, nil
}

// forCounting gives the conditions of a list, of which the last one is the filter's, as its rows are counted by them: a count has no order, and looks for values in the columns beside the cases.
func (c *compiler) forCounting(t *catalog.Type, a string, filter any, which []fragment) ([]fragment, error) {
	if len(c.chain.Fields(t.Name)) == 0 {
		return which, nil
	}
	conditions := c.conditions
	c.counting = true
	defer func() { c.conditions, c.counting = conditions, false }() // they have been counted
	wanted, err := c.filter(t, a, filter, []string{"where"})
	return append(which[:len(which)-1:len(which)-1], wanted), err
}

// inColumn is a condition on a leaf in its column beside a case; ok is false where it stands in none, and where more is asked than that the value is one of some.
func (c *compiler) inColumn(a string, l *extension.Leaf, key int64, given map[string]any) (f fragment, ok bool, err error) {
	column, ok := c.column(a, l)
	if !ok {
		return fragment{}, false, nil
	}
	_, _, kind := kindOf(l)
	values, err := apart(kind, given)
	if err != nil || len(values) == 0 {
		return fragment{}, false, err
	}
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = extension.Found(key, v)
	}
	return column.with(" = any(?)", texts), true, nil
}
