// SPDX-License-Identifier: EUPL-1.2

package reading

import (
	"strconv"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/extension"
)

// beside is the column beside a case in which a leaf is looked for, behind what its index begins with; ok is false where there is none. The indexes are an authority's and a
// Land's. See decision 0020.
func (c *compiler) beside(a string, l *extension.Leaf) (f fragment, ok bool) {
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

// tally gives the conditions of a list in the form in which its rows are counted, which have no order: values are looked for beside the cases. The last one is the filter's.
func (c *compiler) tally(t *catalog.Type, a string, filter any, which []fragment) ([]fragment, error) {
	if c.besides == 0 {
		return which, nil
	}
	conditions := c.conditions
	c.tallies = true
	defer func() { c.conditions, c.tallies = conditions, false }() // they have been counted
	wanted, err := c.filter(t, a, filter, []string{"where"})
	return append(which[:len(which)-1:len(which)-1], wanted), err
}

// tallied is a condition on a leaf for whoever counts; ok is false for everybody else, where there is no column, and where more is asked than that the value is one of some.
func (c *compiler) tallied(a string, l *extension.Leaf, key int64, given map[string]any) (f fragment, ok bool, err error) {
	column, ok := c.beside(a, l)
	if !ok {
		return fragment{}, false, nil
	}
	if c.besides++; !c.tallies {
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
