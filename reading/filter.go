// SPDX-License-Identifier: EUPL-1.2

package reading

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/schema"
)

const (
	deepestFilter = 8
	longestList   = 100
	longestText   = 1000
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
		a := c.alias()
		m, _ := value.(map[string]any)
		none := m["isNull"] == true
		if _, ok := m["isNull"]; ok {
			rest := make(map[string]any, len(m))
			for k, v := range m {
				if k != "isNull" {
					rest[k] = v
				}
			}
			m = rest
		}
		inner, err := operators(catalog.Column{Name: "assignee", Kind: catalog.Text}, a+".assignee", "", m, path)
		if err != nil {
			return fragment{}, err
		}
		f := sql("exists (select from assignments " + a).then(where(sql(a+".tenant_id = "+alias+".tenant_id"), sql(a+".case_id = "+alias+".id"), sql(a+".ended_at is null"), inner)).with(")")
		if none {
			f = sql("not ").then(f)
		}
		return f, nil
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
	"Tenant.under": func(_ *compiler, alias string, value any, path []string) (fragment, error) {
		id, err := idOf(value, "Tenant", path)
		if err != nil {
			return fragment{}, err
		}
		return sql(alias+".place between (select u.place from tenants u where u.id = ?) and (select u.place_end from tenants u where u.id = ?)", id, id), nil
	},
}

// filter turns an input like CaseFilter into a condition on the table alias.
func (c *compiler) filter(t *catalog.Type, alias string, input any, path []string) (fragment, error) {
	given, _ := input.(map[string]any)
	if len(path) > deepestFilter*2 {
		return fragment{}, problem.New(problem.Invalid, "tooDeep", path...)
	}
	names := make([]string, 0, len(given))
	for name := range given {
		names = append(names, name)
	}
	sort.Strings(names) // one text for one shape of filter, so that its statement is prepared once
	var all []fragment
	for _, name := range names {
		value, at := given[name], append(slices.Clone(path), name)
		if value == nil {
			continue
		}
		f, err := c.filterField(t, alias, name, value, at)
		if err != nil {
			return fragment{}, err
		}
		all = append(all, f)
	}
	return and(all...), nil
}

func (c *compiler) filterField(t *catalog.Type, alias, name string, value any, path []string) (fragment, error) {
	switch name {
	case "and", "or":
		list, _ := value.([]any)
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
	if derived, ok := derivedFilters[t.Name+"."+name]; ok {
		return derived(c, alias, value, path)
	}
	if column, ok := t.Columns[name]; ok {
		return operators(column, alias+"."+column.Name, t.Name, value, path)
	}
	edge, ok := t.Edges[name]
	if !ok {
		return fragment{}, fmt.Errorf("reading: nothing to filter %s.%s by", t.Name, name)
	}
	target := catalog.Types[edge.To]
	if given, ok := value.(map[string]any); ok && edge.Column != "" && isIDFilter(given) {
		return operators(catalog.Column{Name: edge.Column, Kind: catalog.UUID}, alias+"."+edge.Column, edge.To, value, path)
	}
	if edge.To == "Tenant" {
		if given, _ := value.(map[string]any); len(given) == 1 && given["under"] != nil {
			return derivedFilters["Tenant.under"](c, alias, given["under"], append(slices.Clone(path), "under")) // each owned row knows its place
		}
	}
	a := c.alias()
	inner, err := c.filter(target, a, value, path)
	if err != nil {
		return fragment{}, err
	}
	seen, err := c.predicate(target, a)
	if err != nil {
		return fragment{}, err
	}
	return sql("exists (select from " + target.Table + " " + a).then(where(sql(join(t, alias, edge, target, a)), seen, inner)).with(")"), nil
}

func isIDFilter(given map[string]any) bool {
	for k := range given {
		if k != "eq" && k != "in" && k != "isNull" {
			return false
		}
	}
	return len(given) > 0
}

// operators turns an operator input, or a list of enum values, into a condition on a column.
// of is the type that the column holds ids of.
func operators(column catalog.Column, expression, of string, value any, path []string) (fragment, error) {
	if list, ok := value.([]any); ok { // a list of enum values
		texts := make([]string, 0, len(list))
		for _, v := range list {
			s, _ := v.(string)
			texts = append(texts, s)
		}
		slices.Sort(texts)
		if texts = slices.Compact(texts); len(texts) == 1 {
			return sql(expression+" = ?", texts[0]), nil
		}
		return sql(expression+" = any(?)", texts), nil
	}
	if b, ok := value.(bool); ok {
		return sql(expression+" = ?", b), nil
	}
	given, _ := value.(map[string]any)
	names := make([]string, 0, len(given))
	for name := range given {
		names = append(names, name)
	}
	sort.Strings(names)
	var all []fragment
	for _, name := range names {
		v, at := given[name], append(slices.Clone(path), name)
		if v == nil {
			continue
		}
		f, err := operator(column, expression, of, name, v, at)
		if err != nil {
			return fragment{}, err
		}
		all = append(all, f)
	}
	return and(all...), nil
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
		list, _ := value.([]any)
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
	if name == "ne" {
		return sql(expression+" is distinct from ?", v), nil
	}
	op, ok := comparisons[name]
	if !ok {
		return fragment{}, fmt.Errorf("reading: no operator %s", name)
	}
	return sql(expression+" "+op+" ?", v), nil
}

func oneOf(column catalog.Column, expression, of string, list []any, path []string) (fragment, error) {
	var (
		ids   []uuid.UUID
		texts []string
		ints  []int64
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
		default:
			return fragment{}, fmt.Errorf("reading: no list of %T", a)
		}
	}
	switch column.Kind {
	case catalog.UUID:
		return sql(expression+" = any(?)", ids), nil
	case catalog.Int, catalog.BigInt:
		return sql(expression+" = any(?)", ints), nil
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
		if err != nil {
			return nil, problem.New(problem.Invalid, "pattern", path...)
		}
		return t, nil
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
