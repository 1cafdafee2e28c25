// SPDX-License-Identifier: EUPL-1.2

package extension

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/internal/problem"
)

// Record is what one owner keeps of one row.
type Record struct {
	Owner uuid.UUID
	// Values is a JSON object in one form only: keys are the numbers of the fields in order, values are texts, numbers, booleans, lists and objects
	// of the same kind; a Date is 2006-01-02, a DateTime RFC 3339 in UTC with up to six digits behind the second. It is {} where nothing is left.
	// Values of fields that the definition does not know any more stay in it.
	Values json.RawMessage
	// Entries are all entries of the record in the index.
	Entries []Entry
	// Changed are the numbers of the fields whose values are others than before, in order.
	Changed []int
}

// Entry is an entry in the index: the number of a leaf, and its value as exactly one of the three.
type Entry struct {
	Number int
	Text   *string    // of String and of enums
	Amount *float64   // of Int, Float, and of Boolean as 0 or 1
	Time   *time.Time // of DateTime, and of Date as midnight in UTC
	Counted
}

// Value is the one that the entry has: a string, a float64 or a time.Time.
func (e Entry) Value() any {
	switch {
	case e.Text != nil:
		return *e.Text
	case e.Amount != nil:
		return *e.Amount
	}
	return *e.Time
}

// Apply brings values that were handed in for a target, as GraphQL or JSON has them, to the records that the owners keep of the row, by owner;
// what is not handed in stays, null takes a value away. Only records that change come back. All that does not fit is told, each with its path from the
// field on, and then there is no record: unknownField, wrongType, required, minLength, maxLength, pattern, range, tooFew, tooMany,
// unknownValue, notText, tooLarge.
func (c Chain) Apply(target string, stored map[uuid.UUID]json.RawMessage, given map[string]any) ([]Record, []*problem.Problem) {
	var problems []*problem.Problem
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, ok := c.Field(target, name); !ok {
			problems = append(problems, problem.New(problem.Invalid, "unknownField", name))
		}
	}
	if len(problems) > 0 {
		return nil, problems[:min(len(problems), mostProblems)]
	}
	var out []Record
	for _, d := range c {
		t := d.Targets[target]
		if t == nil || !slices.ContainsFunc(t.Fields, func(f *Field) bool { _, ok := given[f.Name]; return ok }) {
			continue
		}
		r, wrong := d.apply(target, stored[d.Owner.ID], given)
		problems = append(problems, wrong...)
		if r != nil && len(r.Changed) > 0 {
			out = append(out, *r)
		}
	}
	if len(problems) > 0 {
		return nil, problems[:min(len(problems), mostProblems)]
	}
	return out, nil
}

func (d *Definition) apply(target string, stored json.RawMessage, given map[string]any) (*Record, []*problem.Problem) {
	values, err := opened(stored)
	if err != nil {
		panic(err) // nobody else writes records
	}
	r := &Record{Owner: d.Owner.ID}
	var check checker
	for _, f := range d.Targets[target].Fields {
		key := strconv.Itoa(f.Number)
		v, ok := given[f.Name]
		before, had := values[key]
		switch {
		case !ok:
		case v == nil:
			if had {
				delete(values, key)
				r.Changed = append(r.Changed, f.Number)
			}
		default:
			now := check.value(f, v, []string{f.Name})
			if !had || !same(before, now) {
				values[key] = now
				r.Changed = append(r.Changed, f.Number)
			}
		}
		if _, has := values[key]; f.Required && !has {
			check.say("required", []string{f.Name})
		}
	}
	if len(check.problems) > 0 {
		return nil, check.problems
	}
	slices.Sort(r.Changed)
	if r.Values = printed(values); len(r.Values) > mostRecord {
		return nil, []*problem.Problem{problem.New(problem.Invalid, "tooLarge")}
	}
	r.Entries = d.entries(target, values)
	return r, nil
}

// Entries gives the index of a record that was kept earlier, for a definition that has come to filter or order by more than before.
func (d *Definition) Entries(target string, stored json.RawMessage) ([]Entry, error) {
	values, err := opened(stored)
	if err != nil {
		return nil, err
	}
	return d.entries(target, values), nil
}

func opened(stored json.RawMessage) (map[string]any, error) {
	values := map[string]any{}
	if len(stored) == 0 {
		return values, nil
	}
	in := json.NewDecoder(bytes.NewReader(stored))
	in.UseNumber()
	if err := in.Decode(&values); err != nil {
		return nil, fmt.Errorf("extension: reading a record: %w", err)
	}
	return values, nil
}

// checker brings values into the form in which they are kept.
type checker struct{ problems []*problem.Problem }

func (c *checker) say(rule string, path []string) any {
	if len(c.problems) < mostProblems {
		c.problems = append(c.problems, problem.New(problem.Invalid, rule, slices.Clone(path)...))
	}
	return nil
}

func (c *checker) value(f *Field, v any, path []string) any {
	if !f.List {
		return c.one(f, v, path)
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v} // a single value stands for a list of it (GraphQL, 3.11)
	}
	if len(list) < f.MinItems {
		return c.say("tooFew", path)
	}
	if len(list) > f.MaxItems {
		return c.say("tooMany", path)
	}
	out := make([]any, len(list))
	for i, e := range list {
		out[i] = c.one(f, e, append(path, strconv.Itoa(i)))
	}
	return out
}

func (c *checker) one(f *Field, v any, path []string) any {
	switch {
	case v == nil:
		return c.say("required", path)
	case f.Object():
		return c.object(f.Of, v, path)
	case f.Of != nil:
		name, ok := v.(string)
		if !ok {
			return c.say("wrongType", path)
		}
		if !f.Of.Value(name) {
			return c.say("unknownValue", path)
		}
		return name
	case f.Scalar == "Boolean":
		if _, ok := v.(bool); !ok {
			return c.say("wrongType", path)
		}
		return v
	case f.Scalar == "Int" || f.Scalar == "Float":
		return c.number(f, v, path)
	}
	text, ok := v.(string)
	if at, is := v.(time.Time); is {
		text, ok = at.Format(time.RFC3339Nano), true
	}
	if !ok {
		return c.say("wrongType", path)
	}
	switch f.Scalar {
	case "Date":
		day, err := time.Parse(time.DateOnly, text)
		if err != nil {
			return c.say("wrongType", path)
		}
		if day.Year() < 1 {
			return c.say("range", path)
		}
		return text
	case "DateTime":
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return c.say("wrongType", path)
		}
		if at = at.UTC(); at.Year() < 1 || at.Year() > 9999 {
			return c.say("range", path)
		}
		return at.Truncate(time.Microsecond).Format(time.RFC3339Nano)
	}
	return c.text(f, text, path)
}

func (c *checker) text(f *Field, text string, path []string) any {
	length := utf8.RuneCountInString(text)
	switch {
	case length > f.MaxLength:
		return c.say("maxLength", path)
	case length < f.MinLength:
		return c.say("minLength", path)
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return c.say("notText", path)
	case f.Pattern != nil && !f.Pattern.MatchString(text):
		return c.say("pattern", path)
	}
	return text
}

func (c *checker) number(f *Field, v any, path []string) any {
	var text string
	switch n := v.(type) {
	case json.Number:
		text = n.String()
	case int, int32, int64:
		text = fmt.Sprint(n)
	case float64:
		text = strconv.FormatFloat(n, 'g', -1, 64)
	default:
		return c.say("wrongType", path)
	}
	n, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil && math.IsInf(n, 0), math.IsInf(n, 0):
		return c.say("range", path)
	case err != nil, math.IsNaN(n):
		return c.say("wrongType", path)
	case f.Scalar == "Int" && n != math.Trunc(n):
		return c.say("wrongType", path)
	case f.Scalar == "Int" && (n < math.MinInt32 || n > math.MaxInt32), f.Min != nil && n < *f.Min, f.Max != nil && n > *f.Max:
		return c.say("range", path)
	}
	return json.Number(decimal(n))
}

// decimal is the one form of a number, so that 1, 1.0 and 1e0 are the same.
func decimal(n float64) string {
	if n == 0 {
		return "0" // not -0
	}
	if n == math.Trunc(n) && math.Abs(n) < 1e15 {
		return strconv.FormatInt(int64(n), 10)
	}
	return strconv.FormatFloat(n, 'g', -1, 64)
}

func (c *checker) object(t *Type, v any, path []string) any {
	given, ok := v.(map[string]any)
	if !ok {
		return c.say("wrongType", path)
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if t.Field(name) == nil {
			return c.say("unknownField", append(path, name))
		}
	}
	out := map[string]any{}
	for _, f := range t.Fields {
		way := append(path[:len(path):len(path)], f.Name)
		switch v := given[f.Name]; {
		case v != nil:
			out[strconv.Itoa(f.Number)] = c.value(f, v, way)
		case f.Required:
			c.say("required", way)
		}
	}
	return out
}

func same(a, b any) bool { return bytes.Equal(printed(a), printed(b)) }

// printed is the one form of a value, and of a record.
func printed(v any) []byte {
	var b bytes.Buffer
	put(&b, v)
	return b.Bytes()
}

func put(b *bytes.Buffer, v any) {
	switch v := v.(type) {
	case map[string]any:
		b.WriteByte('{')
		keys := slices.SortedFunc(maps.Keys(v), func(a, b string) int { // numbers by their size
			if len(a) != len(b) {
				return len(a) - len(b)
			}
			return strings.Compare(a, b)
		})
		for i, k := range keys {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(strconv.Quote(k) + ":")
			put(b, v[k])
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, e := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			put(b, e)
		}
		b.WriteByte(']')
	case json.Number: // a database may have written it in another way
		n, err := v.Float64()
		if err != nil {
			panic(err) // it was a number when it was kept
		}
		b.WriteString(decimal(n))
	default:
		out := json.NewEncoder(b)
		out.SetEscapeHTML(false)
		if err := out.Encode(v); err != nil {
			panic(err) // texts, numbers and booleans
		}
		b.Truncate(b.Len() - 1) // the line end
	}
}

// entries are those of the index, in the order of their numbers.
func (d *Definition) entries(target string, values map[string]any) []Entry {
	var out []Entry
	for _, l := range d.leaves[target] {
		at, v := d.Targets[target], any(values)
		for _, name := range l.Path {
			f := at.Field(name)
			object, _ := v.(map[string]any)
			v, at = object[strconv.Itoa(f.Number)], f.Of
		}
		e := Entry{Number: l.Number, Counted: l.Counted()}
		switch v := v.(type) {
		case nil:
			continue
		case bool:
			n := 0.0
			if v {
				n = 1
			}
			e.Amount = &n
		case json.Number:
			n, err := v.Float64()
			if err != nil {
				continue
			}
			e.Amount = &n
		case string:
			layout := map[string]string{"Date": time.DateOnly, "DateTime": time.RFC3339Nano}[l.Scalar]
			if layout == "" {
				if v = shortened(v); l.Of != nil && !l.Of.Value(v) {
					continue
				}
				e.Text = &v
				break
			}
			t, err := time.Parse(layout, v)
			if err != nil {
				continue
			}
			e.Time = &t
		}
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b Entry) int { return a.Number - b.Number })
	return out
}

// shortened keeps a text that was written before rows were filtered by it from being too long for an index.
func shortened(text string) string {
	if utf8.RuneCountInString(text) <= mostIndexed {
		return text
	}
	return string([]rune(text)[:mostIndexed])
}
