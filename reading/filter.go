// SPDX-License-Identifier: EUPL-1.2

package reading

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/ent/rule"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/schema"
)

const (
	deepestFilter  = 8
	longestList    = 100
	longestText    = 1000
	mostConditions = 200 // in all filters of one field
)

// derivedFilters are the filters that are no column and no edge.
var derivedFilters = map[string]func(c *compiler, alias string, value any, path []string) (fragment, error){
	"Case.overdue": func(_ *compiler, alias string, value any, _ []string) (fragment, error) {
		if value == true {
			return sql(overdueCase(alias)), nil
		}
		return sql("not (" + overdueCase(alias) + ")"), nil
	},
	"Case.assignee": func(c *compiler, alias string, value any, path []string) (fragment, error) {
		a, t := c.alias(), catalog.Types["Assignment"]
		seen, err := c.predicate(t, a)
		if err != nil {
			return fragment{}, err
		}
		current := and(sql(a+".tenant_id = "+alias+".tenant_id"), sql(a+".case_id = "+alias+".id"), sql(a+".ended_at is null"), seen)
		return behind(t.Table+" "+a, current, t.Columns["assignee"], a+".assignee", "", value, path)
	},
	"Case.search": func(c *compiler, alias string, value any, path []string) (fragment, error) {
		text, err := storable(value, path)
		if err != nil {
			return fragment{}, err
		}
		s := c.alias()
		return or(
			sql("position(lower(?) in lower("+alias+".number)) > 0", text),
			sql("position(lower(?) in lower("+alias+".file_reference)) > 0", text),
			sql("exists (select from services "+s+" where "+s+".id = "+alias+".service_id and position(lower(?) in lower("+s+".title)) > 0)", text),
		), nil
	},
	"AccessEntry.case": func(_ *compiler, alias string, value any, path []string) (fragment, error) {
		return operators(catalog.Column{Kind: catalog.UUID}, alias+".case_id", "Case", value, path) // the case itself need not be visible
	},
	"Tenant.under": func(_ *compiler, alias string, value any, path []string) (fragment, error) {
		id, err := idOf(value, "Tenant", path)
		if err != nil {
			return fragment{}, err
		}
		return sql(alias+".place between (select u.place from tenants u where u.id = ?) and (select u.place_end from tenants u where u.id = ?)", id, id), nil
	},
}

// filter turns an input like CaseFilter into a condition on the table alias; empty where nothing is asked for.
func (c *compiler) filter(t *catalog.Type, alias string, input any, path []string) (fragment, error) {
	given, _ := input.(map[string]any)
	if len(path) > deepestFilter*2 {
		return fragment{}, problem.New(problem.Invalid, "tooDeep", path...)
	}
	var all []fragment
	for _, name := range asked(given) {
		if c.conditions++; c.conditions > mostConditions {
			return fragment{}, problem.New(problem.Invalid, "tooMany", path...)
		}
		f, err := c.filterField(t, alias, name, given[name], append(slices.Clone(path), name))
		if err != nil {
			return fragment{}, err
		}
		all = append(all, f)
	}
	return and(all...), nil
}

// asked lists what an input gives, null being the same as missing. The order is always the same: one shape of a filter is one text,
// so that its statement is prepared once.
func asked(given map[string]any) []string {
	names := make([]string, 0, len(given))
	for name, value := range given {
		if value != nil {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

// listed reads a list of the contract. A single value stands for a list of one (GraphQL, 3.11), and it arrives in either form, typed or not.
func listed(value any) []any {
	if list, ok := value.([]any); ok {
		return list
	}
	if v := reflect.ValueOf(value); v.Kind() == reflect.Slice {
		list := make([]any, v.Len())
		for i := range list {
			list[i] = v.Index(i).Interface()
		}
		return list
	}
	if value == nil {
		return nil
	}
	return []any{value}
}

func (c *compiler) filterField(t *catalog.Type, alias, name string, value any, path []string) (fragment, error) {
	switch name {
	case "and", "or":
		list := listed(value)
		if len(list) > longestList {
			return fragment{}, problem.New(problem.Invalid, "tooMany", path...)
		}
		parts := make([]fragment, 0, len(list))
		for i, v := range list {
			f, err := c.filter(t, alias, v, append(slices.Clone(path), strconv.Itoa(i)))
			if err != nil {
				return fragment{}, err
			}
			if f.text == "" {
				f = sql("true")
			}
			parts = append(parts, sql("(").then(f).with(")"))
		}
		if name == "and" {
			return and(parts...), nil
		}
		return or(parts...), nil
	case "not":
		f, err := c.filter(t, alias, value, path)
		if err != nil || f.text == "" {
			return sql("false"), err
		}
		// A condition on a missing value is not met, so its opposite is.
		return sql("not coalesce((").then(f).with("), false)"), nil
	}
	if name == extended && extensible[t.Name] {
		return c.extensionFilter(t, alias, value, nil, path)
	}
	if derived, ok := derivedFilters[t.Name+"."+name]; ok {
		return derived(c, alias, value, path)
	}
	if column, ok := t.Columns[name]; ok {
		f, err := operators(column, alias+"."+column.Name, t.Name, value, path)
		if err != nil || f.text == "" {
			return f, err
		}
		return c.told(t, alias, name, f)
	}
	edge, ok := t.Edges[name]
	if !ok {
		return fragment{}, fmt.Errorf("reading: nothing to filter %s.%s by", t.Name, name)
	}
	target := catalog.Types[edge.To]
	given, _ := value.(map[string]any)
	names := asked(given)
	if edge.To == "Tenant" && len(names) == 1 && names[0] == "under" {
		return derivedFilters["Tenant.under"](c, alias, given["under"], append(slices.Clone(path), "under")) // each owned row knows its place
	}
	a := c.alias()
	seen, err := c.predicate(target, a)
	if err != nil {
		return fragment{}, err
	}
	there := and(sql(join(t, alias, edge, target, a)), seen)
	if edge.Column != "" && !slices.ContainsFunc(names, func(n string) bool { return n != "eq" && n != "in" && n != "isNull" }) {
		// By id: asked of the column here, whose index serves it.
		return behind(target.Table+" "+a, there, catalog.Column{Kind: catalog.UUID}, alias+"."+edge.Column, edge.To, value, path)
	}
	inner, err := c.filter(target, a, value, path)
	if err != nil || inner.text == "" {
		return fragment{}, err
	}
	return exists(target.Table+" "+a, there, inner), nil
}

// told narrows a condition on a field to the rows on which the caller may see it: nobody finds out by filtering what is not shown.
func (c *compiler) told(t *catalog.Type, alias, field string, f fragment) (fragment, error) {
	object, ok := c.r.guarded[t.Name+"."+field]
	if !ok {
		return f, nil
	}
	_, shape, err := rule.Of(t.Entity)
	if err != nil {
		return fragment{}, err
	}
	text, args := seenBy(c.p, object, shape, alias)
	return and(f, sql(text, args...)), nil
}

func exists(from string, conditions ...fragment) fragment {
	return sql("exists (select from " + from).then(where(conditions...)).with(")")
}

// behind is a condition on a value that stands in another row, of which there is one or none: there ties the two together and says that
// the caller may see it. Where there is none, and where it is not visible, the value is missing.
func behind(from string, there fragment, column catalog.Column, expression, of string, value any, path []string) (fragment, error) {
	given, _ := value.(map[string]any)
	met := map[string]any{}
	var all []fragment
	for _, name := range asked(given) {
		switch {
		case name == "isNull" && given[name] == true:
			all = append(all, sql("not ").then(exists(from, there)))
		case name == "isNull":
			all = append(all, exists(from, there))
		case name == "ne":
			equal, err := operator(column, expression, of, "eq", given[name], append(slices.Clone(path), name))
			if err != nil {
				return fragment{}, err
			}
			all = append(all, sql("not ").then(exists(from, there, equal)))
		default:
			met[name] = given[name]
		}
	}
	inner, err := operators(column, expression, of, met, path)
	if err != nil {
		return fragment{}, err
	}
	if inner.text != "" {
		all = append(all, exists(from, there, inner))
	}
	return and(all...), nil
}

// operators turns an operator input, or a list of enum values, into a condition on a column.
// of is the type that the column holds ids of.
func operators(column catalog.Column, expression, of string, value any, path []string) (fragment, error) {
	given, ok := value.(map[string]any)
	if !ok {
		return amongEnum(expression, listed(value), path)
	}
	var all []fragment
	for _, name := range asked(given) {
		f, err := operator(column, expression, of, name, given[name], append(slices.Clone(path), name))
		if err != nil {
			return fragment{}, err
		}
		all = append(all, f)
	}
	return and(all...), nil
}

func amongEnum(expression string, list []any, path []string) (fragment, error) {
	texts := make([]string, 0, len(list))
	for _, v := range list {
		s, err := enumValue(v, path)
		if err != nil {
			return fragment{}, err
		}
		texts = append(texts, s)
	}
	slices.Sort(texts)
	if texts = slices.Compact(texts); len(texts) == 1 {
		return sql(expression+" = ?", texts[0]), nil
	}
	return sql(expression+" = any(?)", texts), nil
}

// enumValue reads a value of an enum. In variables it may come in small letters, which validation lets through although it is none.
func enumValue(value any, path []string) (string, error) {
	s, _ := value.(string)
	if s == "" || s != strings.ToUpper(s) {
		return "", problem.New(problem.Invalid, "unknownValue", path...)
	}
	return s, nil
}

var comparisons = map[string]string{"eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}

func operator(column catalog.Column, expression, of, name string, value any, path []string) (fragment, error) {
	switch name {
	case "isNull":
		if value == true {
			return sql(expression + " is null"), nil
		}
		return sql(expression + " is not null"), nil
	case "in":
		list := listed(value)
		if len(list) > longestList {
			return fragment{}, problem.New(problem.Invalid, "tooMany", path...)
		}
		return oneOf(column, expression, of, list, path)
	case "startsWith", "contains":
		text, err := storable(value, path)
		if err != nil {
			return fragment{}, err
		}
		if name == "startsWith" {
			return sql("starts_with("+expression+", ?)", text), nil
		}
		return sql("position(lower(?) in lower("+expression+")) > 0", text), nil
	}
	v, err := argument(column.Kind, of, value, path)
	if err != nil {
		return fragment{}, err
	}
	mark := "?"
	if _, ok := v.(int64); ok {
		mark = "?::bigint" // the column may be narrower than the number
	}
	if name == "ne" {
		return sql(expression+" is distinct from "+mark, v), nil
	}
	op, ok := comparisons[name]
	if !ok {
		return fragment{}, fmt.Errorf("reading: no operator %s", name)
	}
	return sql(expression+" "+op+" "+mark, v), nil
}

func oneOf(column catalog.Column, expression, of string, list []any, path []string) (fragment, error) {
	var (
		ids    []uuid.UUID
		texts  []string
		ints   []int64
		floats []float64
		times  []time.Time
	)
	for i, v := range list {
		a, err := argument(column.Kind, of, v, append(slices.Clone(path), strconv.Itoa(i)))
		if err != nil {
			return fragment{}, err
		}
		switch a := a.(type) {
		case uuid.UUID:
			ids = append(ids, a)
		case string:
			texts = append(texts, a)
		case int64:
			ints = append(ints, a)
		case float64:
			floats = append(floats, a)
		case time.Time:
			times = append(times, a)
		default:
			return fragment{}, fmt.Errorf("reading: no list of %T", a)
		}
	}
	switch column.Kind {
	case catalog.UUID:
		return sql(expression+" = any(?)", ids), nil
	case catalog.Int, catalog.BigInt:
		return sql(expression+" = any(?::bigint[])", ints), nil
	case catalog.Float:
		return sql(expression+" = any(?::double precision[])", floats), nil
	case catalog.Instant:
		return sql(expression+" = any(?::timestamptz[])", times), nil
	case catalog.Date:
		return sql(expression+" = any(?::timestamptz[])", times), nil // of an extension, see kindOf
	}
	return sql(expression+" = any(?)", texts), nil
}

// argument checks a value of a filter and gives what the database is asked with.
func argument(kind catalog.Kind, of string, value any, path []string) (any, error) {
	switch kind {
	case catalog.UUID:
		return idOf(value, of, path)
	case catalog.Instant:
		s, _ := value.(string)
		t, err := time.Parse(time.RFC3339Nano, s)
		if err != nil || t.Year() < 1 || t.Year() > 9999 {
			return nil, problem.New(problem.Invalid, "pattern", path...)
		}
		return t.UTC(), nil
	case catalog.Date:
		s, _ := value.(string)
		t, err := time.Parse(time.DateOnly, s)
		if err != nil || t.Year() < 1 {
			return nil, problem.New(problem.Invalid, "pattern", path...)
		}
		return t, nil
	case catalog.Float:
		switch n := value.(type) {
		case bool: // true is one
			if n {
				return 1.0, nil
			}
			return 0.0, nil
		case float64:
			return n, nil
		case int64:
			return float64(n), nil
		case int:
			return float64(n), nil
		case json.Number:
			if f, err := n.Float64(); err == nil {
				return f, nil
			}
		}
		return nil, problem.New(problem.Invalid, "range", path...)
	case catalog.Int, catalog.BigInt:
		switch n := value.(type) {
		case int64:
			return n, nil
		case int:
			return int64(n), nil
		case json.Number:
			if i, err := n.Int64(); err == nil {
				return i, nil
			}
		}
		return nil, problem.New(problem.Invalid, "range", path...)
	}
	return storable(value, path)
}

// storable is a text that the database can hold.
func storable(value any, path []string) (string, error) {
	s, _ := value.(string)
	switch {
	case len(s) > longestText:
		return "", problem.New(problem.Invalid, "maxLength", path...)
	case !utf8.ValidString(s) || strings.ContainsRune(s, 0):
		return "", problem.New(problem.Invalid, "notText", path...)
	}
	return s, nil
}

// idOf reads the global id of a thing of a type.
func idOf(value any, of string, path []string) (uuid.UUID, error) {
	s, _ := value.(string)
	number, id, ok := schema.ParseID(s)
	if t := catalog.Types[of]; !ok || t == nil || t.Number != number {
		return uuid.UUID{}, problem.New(problem.Invalid, "badId", path...)
	}
	return id, nil
}
