// SPDX-License-Identifier: EUPL-1.2

package extension

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ozg-cloud/platform/internal/problem"
)

// Item is an item of a form: a value, or further items. Value is a string, float64 or bool, or nil.
type Item struct {
	Name  string
	Value any
	Items []Item
}

// FromForm takes the values for a target out of a form, by the paths that the fields name (@from). What does not fit is left out and told with
// its path from the field on; it keeps nothing else from being filled. Several items at the same path are the entries of a list; for a single value the
// first one counts. A required field that the form does not fill is told too, and the rest of its owner's record is kept all the same.
func (c Chain) FromForm(target string, form []Item) ([]Record, []*problem.Problem) {
	var out []Record
	var problems []*problem.Problem
	for _, d := range c {
		t := d.Targets[target]
		if t == nil {
			continue
		}
		r := Record{Owner: d.Owner.ID}
		values := map[string]any{}
		for _, f := range t.Fields {
			if len(f.From) == 0 {
				continue
			}
			var check checker
			v := check.from(f, form, []string{f.Name})
			if v == nil && f.Required {
				check.say("required", []string{f.Name})
			}
			problems = append(problems, check.problems...)
			if v != nil && len(check.problems) == 0 {
				values[strconv.Itoa(f.Number)] = v
				r.Changed = append(r.Changed, f.Number)
			}
		}
		if len(values) == 0 {
			continue
		}
		slices.Sort(r.Changed)
		if r.Values = printed(values); len(r.Values) > mostRecord {
			problems = append(problems, problem.New(problem.Invalid, "tooLarge"))
			continue
		}
		r.Entries = d.entries(target, values)
		out = append(out, r)
	}
	return out, problems[:min(len(problems), mostProblems)]
}

// from takes a value out of a form; nil where there is none.
func (c *checker) from(f *Field, form []Item, path []string) any {
	if v := c.given(f, form, path); v != nil {
		return c.value(f, v, path)
	}
	return nil
}

// given is what the items at the path of a field say, unchecked: the list of it or the first one; nil where there is nothing.
func (c *checker) given(f *Field, form []Item, path []string) any {
	var list []any
	for _, item := range along(form, f.From) {
		v := item.Value
		if f.Object() {
			v = c.group(f.Of, item.Items, path)
		}
		if v = f.read(v); v != nil && v != "" {
			list = append(list, v)
		}
		if len(list) > mostItems {
			break // it is too many already
		}
	}
	switch {
	case len(list) == 0:
		return nil
	case f.List:
		return list
	}
	return list[0]
}

// group takes an object out of the items of a group. Names stand for numbers only after it was checked.
func (c *checker) group(t *Type, items []Item, path []string) any {
	given := map[string]any{}
	for _, f := range t.Fields {
		if len(f.From) == 0 {
			continue
		}
		if v := c.given(f, items, append(path[:len(path):len(path)], f.Name)); v != nil {
			given[f.Name] = v
		}
	}
	if len(given) == 0 {
		return nil
	}
	return given
}

// along are the items at the end of a path, in the order of the form.
func along(items []Item, path []string) []Item {
	var out []Item
	for _, i := range items {
		if i.Name != path[0] {
			continue
		}
		if len(path) == 1 {
			out = append(out, i)
			continue
		}
		out = append(out, along(i.Items, path[1:])...)
	}
	return out
}

// read takes what a form says for what the field means, where there can be no doubt: numbers and dates as they are written in German, a yes or no in
// words, a value of an enum by its name in any case (Neubau, NEUBAU), and a number where a text is wanted. Everything else stays as it is.
func (f *Field) read(v any) any {
	if n, ok := v.(float64); ok && f.Scalar == "String" {
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	text, ok := v.(string)
	if !ok {
		return v
	}
	text = strings.TrimSpace(text)
	switch {
	case f.Scalar == "Int" || f.Scalar == "Float":
		point := text
		if strings.Contains(text, ",") {
			point = strings.Replace(strings.ReplaceAll(text, ".", ""), ",", ".", 1)
		}
		if _, err := strconv.ParseFloat(point, 64); err == nil {
			return json.Number(point)
		}
	case f.Scalar == "Boolean":
		switch strings.ToLower(text) {
		case "true", "ja", "yes":
			return true
		case "false", "nein", "no":
			return false
		}
	case f.Scalar == "Date":
		if day, err := time.Parse("2.1.2006", text); err == nil {
			return day.Format(time.DateOnly)
		}
	case f.Of != nil && f.Of.Enum():
		if name := constant.Replace(strings.ToUpper(text)); f.Of.Value(name) {
			return name
		}
	}
	return text
}

// constant makes the name of a value out of a word in capitals.
var constant = strings.NewReplacer("Ä", "AE", "Ö", "OE", "Ü", "UE", "ß", "SS", " ", "_", "-", "_")
