// SPDX-License-Identifier: EUPL-1.2

package reading

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/extension"
	"github.com/ozg-cloud/platform/internal/problem"
)

// extended is the field in which a type of the contract shows what is added to it, the input in which its filter asks for that, and the input of an order.
const extended = "extension"

// extensible are the types whose rows are read with what is added to them.
var extensible = func() map[string]bool {
	out := map[string]bool{}
	for _, t := range extension.Targets {
		out[t] = true
	}
	return out
}()

// ExtendedBy says what is added to the standard house for whoever runs the operation in a context; it must be what the operation's schema was made
// of. It comes before the first read; without it nothing is added for anybody.
func (r *Reader) ExtendedBy(chain func(ctx context.Context) extension.Chain) { r.chain = chain }

// compiler makes a compiler for the operation in the context.
func (r *Reader) compiler(ctx context.Context, p *authz.Principal) *compiler {
	c := &compiler{r: r, p: p, oc: graphql.GetOperationContext(ctx)}
	if r.chain != nil {
		c.chain = r.chain(ctx)
	}
	return c
}

// extensionField is a field that is read out of the record of its owner.
type extensionField struct {
	key      []byte
	typename []byte // for __typename, instead of what follows
	field    *extension.Field
	number   string
	record   int              // at the top: which of the records
	fields   []extensionField // of an object
}

// extension compiles the selection on what is added to a row. A record is joined for each owner of whom something is selected.
func (c *compiler) extension(w *op, l *level, t *catalog.Type, alias string, f graphql.CollectedField) error {
	typ := f.Definition.Type.Name()
	if len(f.Selections) == 0 || len(c.chain.Fields(t.Name)) == 0 { // a scalar for this viewer
		w.kind, w.text = constant, null
		return nil
	}
	records := map[int64]int{} // by owner
	var fields []extensionField
	for i, f := range c.collect(f.Selections, typ) {
		e := extensionField{key: keyed(i, f.Alias)}
		if f.Name == "__typename" {
			e.typename = strconv.AppendQuote(nil, typ)
			fields = append(fields, e)
			continue
		}
		owned, ok := c.chain.Field(t.Name, f.Name)
		if !ok {
			return fmt.Errorf("reading: the schema of this viewer has a field that nobody adds to %s", t.Name)
		}
		owner := owned.Definition.Owner.Place
		n, joined := records[owner]
		if !joined {
			a := c.alias()
			l.joins = l.joins.with(" left join extension_records " + a + " on ").then(kept(t, alias, owned.Definition.Owner, a))
			n = len(w.from)
			records[owner] = n
			w.from = append(w.from, l.column(sql(a+".document")))
		}
		e.record = n
		if err := c.extensionFields(&e, owned.Field, f); err != nil {
			return err
		}
		if c.p.Watched() && ofCase(t) {
			document := l.columns[w.from[n]].text
			for _, name := range personalIn(typ, owned.Field, &e) {
				w.traced = append(w.traced, tracedField{name, l.column(sql(document + " -> '" + e.number + "'"))})
			}
		}
		fields = append(fields, e)
	}
	w.kind = derived
	w.value = func(_ *Reader, _ *authz.Principal, dst []byte, row [][]byte) ([]byte, error) {
		return appendExtension(dst, row, fields)
	}
	return nil
}

// kept ties the record that an owner keeps of a row to that row. It lies with the row's tenant, and of the shared catalogue with the owner.
func kept(t *catalog.Type, alias string, owner extension.Owner, a string) fragment {
	of := sql(a+".target_id = "+alias+".id and "+a+".owner = ?", owner.Place)
	if t.Owned {
		return of.with(" and " + a + ".tenant_id = " + alias + ".tenant_id")
	}
	return of.with(" and "+a+".tenant_id = ?", owner.ID)
}

// ofCase tells whether a case decides who may see a row; what is added to anything else lies where its owner wants it to be seen.
func ofCase(t *catalog.Type) bool { return t.OfCase || t.Name == "Case" }

func (c *compiler) extensionFields(e *extensionField, field *extension.Field, f graphql.CollectedField) error {
	e.field, e.number = field, strconv.Itoa(field.Number)
	if !field.Object() {
		return nil
	}
	for i, f := range c.collect(f.Selections, field.Of.Name) {
		inner := extensionField{key: keyed(i, f.Alias)}
		if f.Name == "__typename" {
			inner.typename = strconv.AppendQuote(nil, field.Of.Name)
		} else {
			member := field.Of.Field(f.Name)
			if member == nil {
				return fmt.Errorf("reading: the schema of this viewer has a field that nobody adds to %s", field.Of.Name)
			}
			if err := c.extensionFields(&inner, member, f); err != nil {
				return err
			}
		}
		e.fields = append(e.fields, inner)
	}
	return nil
}

// personalIn lists what is selected of personal data, as type and field of the viewer's schema.
func personalIn(typ string, field *extension.Field, e *extensionField) []string {
	var out []string
	if field.Class == "PERSONAL" || field.Class == "SENSITIVE" {
		out = append(out, typ+"."+field.Name)
	}
	for i := range e.fields {
		if inner := &e.fields[i]; inner.field != nil {
			out = append(out, personalIn(field.Of.Name, inner.field, inner)...)
		}
	}
	return out
}

// appendExtension appends what is selected of the records of a row. A record that is not there holds nothing.
func appendExtension(dst []byte, row [][]byte, fields []extensionField) ([]byte, error) {
	records := make([]map[string]any, len(row))
	for i, raw := range row {
		if raw == nil {
			continue
		}
		in := json.NewDecoder(bytes.NewReader(jsonOf(raw)))
		in.UseNumber()
		if err := in.Decode(&records[i]); err != nil {
			return nil, fmt.Errorf("reading a record of extension fields: %w", err)
		}
	}
	dst = append(dst, '{')
	for i := range fields {
		f := &fields[i]
		dst = append(dst, f.key...)
		if f.typename != nil {
			dst = append(dst, f.typename...)
			continue
		}
		dst = f.append(dst, records[f.record][f.number])
	}
	return append(dst, '}'), nil
}

// append appends what is kept of a field. What does not fit the field as it is now, such as a value that its enum has no more, is null, and
// left out of a list.
func (f *extensionField) append(dst []byte, v any) []byte {
	if !f.field.List {
		if !f.field.Fits(v) {
			return append(dst, null...)
		}
		return f.one(dst, v)
	}
	list, ok := v.([]any)
	if !ok {
		return append(dst, null...)
	}
	dst = append(dst, '[')
	some := false
	for _, e := range list {
		if !f.field.Fits(e) {
			continue
		}
		if some {
			dst = append(dst, ',')
		}
		dst, some = f.one(dst, e), true
	}
	return append(dst, ']')
}

func (f *extensionField) one(dst []byte, v any) []byte {
	switch v := v.(type) {
	case map[string]any:
		dst = append(dst, '{')
		for i := range f.fields {
			inner := &f.fields[i]
			dst = append(dst, inner.key...)
			if inner.typename != nil {
				dst = append(dst, inner.typename...)
			} else {
				dst = inner.append(dst, v[inner.number])
			}
		}
		return append(dst, '}')
	case string:
		return appendString(dst, []byte(v))
	case json.Number:
		return append(dst, v.String()...)
	default:
		return strconv.AppendBool(dst, v == true)
	}
}

// leaf finds what a condition or an order names. Whatever the viewer's chain does not have gives the same problem as a name that never existed;
// only a viewer whose schema knows nothing of the input can bring one.
func (c *compiler) leaf(t *catalog.Type, names, path []string) (*extension.Leaf, int64, error) {
	if l, key, ok := c.chain.Leaf(t.Name, names); ok {
		return l, key, nil
	}
	return nil, 0, problem.New(problem.Invalid, "unknownValue", path...)
}

// kindOf is how a leaf stands in its column of the index, and how a caller's value for it is read.
func kindOf(l *extension.Leaf) (column string, stored, given catalog.Kind) {
	switch l.Scalar {
	case "Int", "Float", "Boolean":
		return "number", catalog.Float, catalog.Float
	case "Date":
		return "time", catalog.Instant, catalog.Date
	case "DateTime":
		return "time", catalog.Instant, catalog.Instant
	}
	return "text", catalog.Text, catalog.Text
}

// extensionFilter turns a condition on what is added to a row into one on the index. names lead to the input from the target on.
func (c *compiler) extensionFilter(t *catalog.Type, alias string, input any, names, path []string) (fragment, error) {
	if len(c.chain.Fields(t.Name)) == 0 {
		return fragment{}, problem.New(problem.Invalid, "unknownValue", path...)
	}
	given, ok := input.(map[string]any)
	if !ok || len(path) > deepestFilter*2 {
		return fragment{}, problem.New(problem.Invalid, "unknownValue", path...)
	}
	var all []fragment
	for _, name := range asked(given) {
		if c.conditions++; c.conditions > mostConditions {
			return fragment{}, problem.New(problem.Invalid, "tooMany", path...)
		}
		way := append(names[:len(names):len(names)], name)
		l, key, err := c.leaf(t, way, path)
		var f fragment
		switch {
		case err == nil && !l.Filterable:
			err = problem.New(problem.Invalid, "unknownValue", path...)
		case err == nil:
			f, err = c.entry(t, l, key, alias, given[name], append(slices.Clone(path), name))
		case c.within(t, way): // an object: only names of the chain are ever said back
			f, err = c.extensionFilter(t, alias, given[name], way, append(slices.Clone(path), name))
		}
		if err != nil {
			return fragment{}, err
		}
		all = append(all, f)
	}
	return and(all...), nil
}

// within tells whether names lead to an object that has leaves.
func (c *compiler) within(t *catalog.Type, names []string) bool {
	for _, d := range c.chain {
		for _, l := range d.Leaves(t.Name) {
			if len(l.Path) > len(names) && slices.Equal(l.Path[:len(names)], names) {
				return true
			}
		}
	}
	return false
}

// entry is a condition on one leaf. The row is looked up by its id alone, see decision 0020.
func (c *compiler) entry(t *catalog.Type, l *extension.Leaf, key int64, alias string, value any, path []string) (fragment, error) {
	given, _ := value.(map[string]any)
	if l.Of != nil {
		for _, name := range asked(given) {
			if name == "isNull" {
				continue
			}
			for _, v := range listed(given[name]) {
				if s, ok := v.(string); !ok || !l.Of.Value(s) { // in variables it may come in small letters
					return fragment{}, problem.New(problem.Invalid, "unknownValue", append(slices.Clone(path), name)...)
				}
			}
		}
	}
	if c.counting {
		if f, ok, err := c.inColumn(alias, l, key, given); ok || err != nil {
			return f, err
		}
	}
	a := c.alias()
	there := and(append([]fragment{sql(a + ".target_id = " + alias + ".id")}, c.entries(t, a, key)...)...)
	column, _, kind := kindOf(l)
	return behind("extension_entries "+a, there, catalog.Column{Kind: kind}, a+"."+column, "", value, path)
}

// extensionOrder reads an order by what is added to a row: an input with one name in each object, and a direction at the end.
func (c *compiler) extensionOrder(t *catalog.Type, input any, path []string) (key, error) {
	var names []string
	for {
		given, _ := input.(map[string]any)
		said := asked(given)
		if len(c.chain.Fields(t.Name)) == 0 || len(names) > deepestFilter {
			return key{}, problem.New(problem.Invalid, "unknownValue", path...)
		}
		if len(said) != 1 {
			return key{}, problem.New(problem.Invalid, "exactlyOne", path...)
		}
		names, input = append(names, said[0]), given[said[0]]
		l, entry, err := c.leaf(t, names, path)
		if err != nil && c.within(t, names) {
			path = append(slices.Clone(path), said[0])
			continue
		}
		if err != nil || !l.Sortable {
			return key{}, problem.New(problem.Invalid, "unknownValue", path...)
		}
		direction, err := enumValue(input, append(slices.Clone(path), said[0]))
		if err != nil {
			return key{}, err
		}
		column, kind, _ := kindOf(l)
		return key{
			column: catalog.Column{Name: "extension_" + strconv.FormatInt(entry, 10), Kind: kind, Nullable: true},
			desc:   direction == "DESC", entry: entry, indexed: column,
		}, nil
	}
}

// list is what rows of a type are listed from: the table, with a column for each extension field that the order names.
func (o order) list(t *catalog.Type, a string) string {
	var columns []string
	for _, k := range o {
		if k.entry != 0 {
			columns = append(columns, "(select x."+k.indexed+" from extension_entries x where x.target_id = r.id and x.field = "+strconv.FormatInt(k.entry, 10)+") as "+k.column.Name)
		}
	}
	if columns == nil {
		return t.Table + " " + a
	}
	return "(select r.*, " + strings.Join(columns, ", ") + " from " + t.Table + " r) " + a
}

// rows is the page of a list. Where a condition on an extension field leads, it is read off the entries that meet it. An order that begins with an
// extension field is read off the index of its entries, and behind them, where the page is not full yet, the rows that have none: PostgreSQL reads the
// parts of UNION ALL one after the other and stops at the limit. It reckons with all of them, though, finds that dear and plans anew for each page, which takes longer than the
// page: hence fixed. A list below another row is short, and sorted.
func (c *compiler) rows(t *catalog.Type, a string, o order, at bounds, which []fragment, by *lead, below, backward bool, n int) fragment {
	limit := " limit " + strconv.Itoa(n)
	switch {
	case by != nil && o[0].entry == 0:
		return by.page(t, a, o, at, backward, n)
	case below || !o.byEntry(t):
		return sql("(select * from " + o.list(t, a)).then(where(at.within(a, o, which)...)).with(o.clause(a, backward) + limit + ") " + a)
	}
	k, run := o[0], o.ofEntries(t)
	e := c.alias()
	has := append(c.entries(t, e, k.entry), sql(e+"."+k.indexed+" is not null"))
	if by != nil {
		e, has, which = by.alias, append(by.there[:len(by.there):len(by.there)], by.met), by.which
	}
	valued := sql("(select r.*, " + e + "." + k.indexed + " as " + k.column.Name + " from extension_entries " + e + " cross join lateral (select * from " + t.Table + " " + a).
		then(where(append([]fragment{sql(a + ".id = " + e + ".target_id")}, which...)...)).with(" offset 0) r").
		then(where(at.within(e, run, has)...)).with(run.clause(e, backward) + limit + ")")
	valued.fixed = true
	if by != nil { // and what has no value does not meet it
		return valued.with(" " + a)
	}

	rest, x := o[1:], c.alias()
	lacking := append(which[:len(which):len(which)], sql("not exists (select from extension_entries "+x+" where "+x+".target_id = "+a+".id and "+x+".field = "+strconv.FormatInt(k.entry, 10)+")"))
	if at.after != nil && at.after[0] == nil { // what comes after a value goes for all of them
		lacking = append(lacking, rest.beyond(a, at.after[1:], false))
	}
	if at.before != nil {
		if at.before[0] == nil {
			lacking = append(lacking, rest.beyond(a, at.before[1:], true))
		} else {
			lacking = append(lacking, sql("false"))
		}
	}
	without := sql("(select " + a + ".*, null::" + map[catalog.Kind]string{catalog.Text: "text", catalog.Float: "double precision", catalog.Instant: "timestamptz"}[k.column.Kind] + " as " + k.column.Name + " from " + t.Table + " " + a).
		then(where(lacking...)).with(rest.clause(a, backward) + limit + ")")
	first, second := valued, without
	if backward {
		first, second = without, valued
	}
	return sql("(select * from (").then(first).with(" union all ").then(second).with(limit + ") " + a + o.clause(a, backward) + ") " + a)
}

// traceExtension makes the object leave a trace of personal fields in what is added to it.
func (c *compiler) traceExtension(o *object, l *level, t *catalog.Type, alias string, fields []tracedField) {
	if len(fields) == 0 {
		return
	}
	c.traced(o, l, t, alias)
	o.trace.fields = append(o.trace.fields, fields...)
}
