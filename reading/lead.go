// SPDX-License-Identifier: EUPL-1.2

package reading

import (
	"maps"
	"slices"
	"strconv"

	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/extension"
)

// ranked are the columns of which the entries of a type carry a copy (ranked_at), so that a list can be read off them in its natural order.
var ranked = map[string]string{"Case": "received_at"}

// lead is the condition of a filter by whose entries a page is read: as the composite index of a column of the standard house is walked from
// the newest row on, so are the entries of a field. See decision 0020.
type lead struct {
	key    int64
	alias  string     // of the entries
	there  []fragment // of which field they are
	met    fragment   // what holds of the value
	each   []fragment // the same as one of these, each of which leaves one value; none where there are too many, or it is no list
	which  []fragment // what else holds of the rows
	column bool       // that each holds of a column beside the case, and no entry is looked at
}

// few is how many values of a list are read apart, and put together in their order.
const few = 10

// fewest is how many entries of a field are looked at, newest first, before those are looked up that meet a condition which is not an equation.
// PostgreSQL does not know how many of a field's values lie in a range, as the fields share a column: left to choose, it read all that meet a
// condition that half of them meet, or walked through all for one that none meets.
var fewest = 1000 // never changes: a variable so that tests need not lay as many cases

// led is a condition that could lead, with the way to its operators in the filter.
type led struct {
	trail []string
	rank  int
	leaf  *extension.Leaf
	key   int64

	values []any // one of which it asks for; none where it asks otherwise
}

// lead finds the condition that leads in a filter that has been read without fault; nil where none does, and where the list runs in an order in
// which no entries lie. which is what holds of the rows apart from the filter.
func (c *compiler) lead(t *catalog.Type, a string, o order, filter any, which ...fragment) (*lead, error) {
	given, _ := filter.(map[string]any)
	if given == nil || c.p.Scope().Owner != "" || !o.byRank(t) && !o.byEntry(t) {
		return nil, nil
	}
	var best *led
	for _, l := range c.leading(t, given, nil) {
		switch {
		case o[0].entry != 0 && l.key != o[0].entry: // whatever orders the list leads
		case best == nil || l.rank > best.rank:
			best = &l
		}
	}
	if best == nil {
		return nil, nil
	}
	conditions := c.conditions
	defer func() { c.conditions = conditions }() // they have been counted
	without, met := parted(given, best.trail)
	rest, err := c.filter(t, a, without, []string{"where"})
	if err != nil {
		return nil, err
	}
	e := c.alias()
	column, _, kind := kindOf(best.leaf)
	inner, err := operators(catalog.Column{Kind: kind}, e+"."+column, "", met, append([]string{"where"}, best.trail...))
	if err != nil {
		return nil, err
	}
	l := &lead{key: best.key, alias: e, there: c.entries(t, e, best.key), met: inner, which: append(which[:len(which):len(which)], rest)}
	if !o.byRank(t) {
		return l, nil
	}
	switch {
	case best.rank == byColumn:
		l.column = true
		found, _ := c.column(a, best.leaf)
		for _, v := range best.values {
			l.each = append(l.each, found.with(" = ?", extension.Found(best.key, v)))
		}
	case len(best.values) > few:
	case best.rank == byEquation:
		l.each = []fragment{inner}
	default:
		for _, v := range best.values {
			l.each = append(l.each, sql(e+"."+column+" = ?", v))
		}
	}
	return l, nil
}

// entries are the conditions under which the entries of a field are looked at. The second is said so that an index serves it, and no other one does.
func (c *compiler) entries(t *catalog.Type, e string, key int64) []fragment {
	of := sql(e + ".field = " + strconv.FormatInt(key, 10))
	switch s := c.p.Scope(); {
	case !ofCase(t):
		return []fragment{of, sql(e + ".reach is not null")}
	case s.Lo == s.Hi: // the second wall's own bound
		return []fragment{of, sql(e+".place = ?", int64(s.Lo))}
	}
	return []fragment{of, sql(e + ".reach is null")}
}

// leading lists the conditions that every row of a filter has to meet with a value that is there.
func (c *compiler) leading(t *catalog.Type, given map[string]any, trail []string) []led {
	var out []led
	for i, v := range listed(given["and"]) {
		if inner, ok := v.(map[string]any); ok {
			out = append(out, c.leading(t, inner, append(trail[:len(trail):len(trail)], "and", strconv.Itoa(i)))...)
		}
	}
	if added, ok := given[extended].(map[string]any); ok {
		out = append(out, c.leadingAdded(t, added, nil, append(trail[:len(trail):len(trail)], extended))...)
	}
	return out
}

func (c *compiler) leadingAdded(t *catalog.Type, given map[string]any, names, trail []string) []led {
	var out []led
	for _, name := range asked(given) {
		inner, ok := given[name].(map[string]any)
		if !ok {
			continue
		}
		way, at := append(names[:len(names):len(names)], name), append(trail[:len(trail):len(trail)], name)
		l, key, found := c.chain.Leaf(t.Name, way)
		if !found {
			out = append(out, c.leadingAdded(t, inner, way, at)...)
			continue
		}
		rank := ledBy(inner)
		if rank == 0 {
			continue
		}
		_, _, kind := kindOf(l)
		_, met := parted(inner, nil)
		values, _ := apart(kind, met) // the filter has been read without fault
		if _, ok := c.column("", l); ok && len(values) > 0 && len(values) <= few {
			rank = byColumn
		}
		out = append(out, led{at, rank, l, key, values})
	}
	return out
}

const (
	byEquation = 3
	byColumn   = 4 // one value of few, which stands beside the cases
)

// ledBy weighs operators: an equal value lies in the order of the list, and everything else has to be looked at. Zero: none asks for a value.
func ledBy(given map[string]any) int {
	rank := 0
	for _, name := range asked(given) {
		switch {
		case name == "eq":
			return byEquation
		case asksForValue(name, given[name]) && name != "isNull":
			rank = 2
		case asksForValue(name, given[name]):
			rank = max(rank, 1)
		}
	}
	return rank
}

func asksForValue(operator string, value any) bool {
	return operator != "ne" && (operator != "isNull" || value == false)
}

// parted parts a filter into what the operators at the end of a trail say of a value that is there, and everything else.
func parted(given map[string]any, trail []string) (rest, met map[string]any) {
	rest = maps.Clone(given)
	if len(trail) == 0 {
		met = map[string]any{}
		for name, value := range given {
			if value != nil && asksForValue(name, value) {
				delete(rest, name)
				if name != "isNull" {
					met[name] = value
				}
			}
		}
		return rest, met
	}
	switch inner := given[trail[0]]; trail[0] {
	case "and":
		all := slices.Clone(listed(inner))
		i, _ := strconv.Atoi(trail[1]) // out of leading
		part, _ := all[i].(map[string]any)
		all[i], met = parted(part, trail[2:])
		rest[trail[0]] = all
	default:
		part, _ := inner.(map[string]any)
		rest[trail[0]], met = parted(part, trail[1:])
	}
	return rest, met
}

// page is the page of a list in its natural order, read off the entries that meet the condition.
func (l *lead) page(t *catalog.Type, a string, o order, at bounds, backward bool, n int) fragment {
	run := o.ofEntries(t)
	limit := run.clause(l.alias, backward) + " limit " + strconv.Itoa(n)
	equal := func(met fragment) fragment {
		if l.column {
			return sql("(select " + a + ".* from " + t.Table + " " + a).then(where(at.within(a, o, append([]fragment{met}, l.which...))...)).
				with(o.clause(a, backward) + " limit " + strconv.Itoa(n) + ")")
		}
		return sql("(select " + a + ".*, " + l.alias + ".ranked_at, " + l.alias + ".target_id from extension_entries " + l.alias + " join " + t.Table + " " + a + " on " + a + ".id = " + l.alias + ".target_id").
			then(where(at.within(l.alias, run, append(append(l.there[:len(l.there):len(l.there)], met), l.which...))...)).with(limit + ")")
	}
	if len(l.each) > 0 {
		all := equal(l.each[0])
		if len(l.each) == 1 {
			all.fixed = l.column && l.which[len(l.which)-1].text == "" // no index leaves less to read
			return all.with(" " + a)
		}
		for _, met := range l.each[1:] {
			all = all.with(" union all ").then(equal(met))
		}
		merged := sql("(select * from (").then(all).with(") " + a + l.run(t, o).clause(a, backward) + " limit " + strconv.Itoa(n) + ") " + a)
		merged.fixed = true // the lists run side by side until the page is full, whatever the values are; planned anew it would take twice as long
		return merged
	}
	walked := at.within(l.alias, run, l.there)
	begin := func(from fragment) fragment {
		return sql("(select r.* from ").then(from).with(" cross join lateral (select * from " + t.Table + " " + a).
			then(where(append([]fragment{sql(a + ".id = " + l.alias + ".target_id")}, l.which...)...)).with(" offset 0) r")
	}
	ordered := run.clause(l.alias, backward)
	newest := begin(sql("(select * from extension_entries " + l.alias).then(where(walked...)).with(ordered + " limit " + strconv.Itoa(fewest) + ") " + l.alias)).
		then(where(l.met)).with(limit + ")")
	last := sql("(select " + l.alias + ".ranked_at, " + l.alias + ".target_id from extension_entries " + l.alias).then(where(walked...)).
		with(ordered + " offset " + strconv.Itoa(fewest-1) + " limit 1)")
	beyond := sql("(" + l.alias + ".ranked_at, " + l.alias + ".target_id) " + comparison(run[0].desc != backward) + " ").then(last)
	rest := begin(sql("extension_entries " + l.alias)).then(where(append(walked[:len(walked):len(walked)], l.met, beyond)...)).with(limit + ")")
	return sql("(select * from (").then(newest).with(" union all ").then(rest).with(" limit " + strconv.Itoa(n) + ") " + a + ") " + a)
}

// run is the order in which the rows of a page are to be asked for, so that it need not be sorted: PostgreSQL cannot know that a case has been received when its entry says so.
func (l *lead) run(t *catalog.Type, o order) order {
	if l != nil && len(l.each) > 0 && !l.column && o[0].entry == 0 {
		return o.ofEntries(t)
	}
	return o
}

// byRank tells whether an order is the natural one, or its opposite.
func (o order) byRank(t *catalog.Type) bool {
	return len(o) == 2 && ranked[t.Name] != "" && o[0].column.Name == ranked[t.Name] && o[0].desc == o[1].desc
}

// byEntry tells whether an order is that of the entries of a field, or its opposite: equal values run as the list does of itself.
func (o order) byEntry(t *catalog.Type) bool {
	return o[0].entry != 0 && (o[1:].byRank(t) && o[0].desc == o[1].desc || len(o) == 2 && ranked[t.Name] == "")
}

// ofEntries is the order as the entries have it.
func (o order) ofEntries(t *catalog.Type) order {
	out := slices.Clone(o)
	for i, k := range out {
		switch {
		case k.entry != 0:
			out[i].column = catalog.Column{Name: k.indexed, Kind: k.column.Kind}
		case k.column.Name == "id":
			out[i].column.Name = "target_id"
		case k.column.Name == ranked[t.Name]:
			out[i].column.Name = "ranked_at"
		}
	}
	return out
}
