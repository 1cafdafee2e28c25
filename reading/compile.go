// SPDX-License-Identifier: EUPL-1.2

package reading

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/ent/rule"
	"github.com/ozg-cloud/platform/extension"
	"github.com/ozg-cloud/platform/internal/problem"
)

// LongestPage is the highest value of first and last.
const LongestPage = 100

// mostLevels is how many statements one field may need.
const mostLevels = 40

// level is one statement: the rows of one list, with the objects joined to each.
type level struct {
	number   int // in what is compiled, see done
	alias    string
	key      fragment // the parent's id, by which rows find their hole; empty at the top
	source   fragment // what follows FROM, joins to single objects left out
	chain    fragment // the same for the statements below, without the row that is only looked at
	joins    fragment
	columns  []fragment
	order    string
	limit    int // rows that are shown of each parent; one more is read to know whether there are more. Negative: one row at most
	backward bool

	views     []*object // what is written of each row
	places    [][]int   // at the top: where in the list each view is shown, where that is not simply its number
	cursor    []int     // columns of the order, where a cursor is asked for
	signature uint32
}

// column finds or adds a column and gives its index.
func (l *level) column(f fragment) int {
	for i, c := range l.columns {
		if c.text == f.text && reflect.DeepEqual(c.args, f.args) {
			return i
		}
	}
	l.columns = append(l.columns, f)
	return len(l.columns) - 1
}

// statement is the SELECT of the level. The comment in front tells classes of scope apart, so that none runs on a plan that
// was made for another one.
func (l *level) statement(class string) fragment {
	f := sql("/*" + class + "*/ select ")
	for i, c := range l.columns {
		if i > 0 {
			f.text += ", "
		}
		f = f.then(c)
	}
	if l.source.text == "" {
		return f
	}
	return f.with(" from ").then(l.source).then(l.joins).with(l.order)
}

// object is what is written of a row: fields in order, in braces.
type object struct {
	ops     []op
	present int // column that is null where there is no object; negative: there always is one
	holes   int // how many holes are in it, nested ones too
	trace   *trace
}

type opKind uint8

const (
	constant opKind = iota
	globalID
	scalar
	document
	derived
	nested
	hole
	cursor
)

// op writes one field.
type op struct {
	key    []byte // the name in the answer with quotes and colon
	kind   opKind
	column int
	scalar catalog.Kind
	number byte // of the type whose id it is
	text   []byte
	fields []documentField
	value  derive
	from   []int
	object *object
	traced []tracedField // of an extension
	must   bool          // the contract says that the object is always there
	hole   *gap
	told   bool // that the field is refused on a row is told as an error, see denied.go
	denied int  // then: column that is true on such rows
}

type gapKind uint8

const (
	listOf gapKind = iota
	onlyOne
	hasMore
	firstCursor
	lastCursor
)

// gap is a place in a row that is filled from the statement below.
type gap struct {
	kind  gapKind
	level *level
	view  int
	key   int // column of the parent's id; negative: the hole has a fixed key
	fixed rowID
}

// compiler turns one selection into levels.
type compiler struct {
	r      *Reader
	p      *authz.Principal
	oc     *graphql.OperationContext
	levels []*level

	aliases    int
	conditions int // in the filters so far
	chain      extension.Chain
	counting   bool // that rows are counted by the filter at hand
	personal   bool // the answer names the viewer
	passing    bool // what was compiled depends on more than the question says: on what others share just now, or on which values a cursor has

	at        bounds // of the page at the top, which has marks in their place, see marked
	order     order  // and how its cursors are read
	signature uint32
}

func (c *compiler) alias() string {
	c.aliases++
	return "t" + strconv.Itoa(c.aliases)
}

// predicate is which rows of a type the caller may see. Every statement asks it here.
func (c *compiler) predicate(t *catalog.Type, alias string) (fragment, error) {
	object, shape, err := rule.Of(t.Entity)
	if err != nil {
		return fragment{}, err
	}
	text, args := seenBy(c.p, object, shape, alias)
	return sql(text, args...), nil
}

// visible narrows a field to the rows on which the caller may see it, where the contract gives it a policy of its own.
// denied is true on the other rows, where the contract wants them told; it is empty where there is nothing to tell.
func (c *compiler) visible(t *catalog.Type, alias string, def *ast.FieldDefinition, expression fragment) (shown, denied fragment, err error) {
	d := def.Directives.ForName("policy")
	if d == nil {
		return expression, fragment{}, nil
	}
	_, shape, err := rule.Of(t.Entity)
	if err != nil {
		return fragment{}, fragment{}, err
	}
	text, args := seenBy(c.p, authz.Object(d.Arguments.ForName("object").Value.Raw), shape, alias)
	rows, err := c.predicate(t, alias)
	if err != nil {
		return fragment{}, fragment{}, err
	}
	if text == "" || text == rows.text && reflect.DeepEqual(args, rows.args) {
		return expression, fragment{}, nil
	}
	if mode := d.Arguments.ForName("onDeny"); mode != nil && mode.Value.Raw == "ERROR" {
		denied = sql("("+text+") is not true", args...)
	}
	return sql("case when "+text+" then ", args...).then(expression).with(" end"), denied, nil
}

// add makes a level of its own.
func (c *compiler) add(l *level) (*level, error) {
	if len(c.levels) >= mostLevels {
		return nil, problem.New(problem.Invalid, "tooComplex")
	}
	c.levels = append(c.levels, l)
	return l, nil
}

func (c *compiler) collect(sel ast.SelectionSet, satisfies ...string) []graphql.CollectedField {
	return graphql.CollectFields(c.oc, sel, satisfies)
}

func keyed(i int, alias string) []byte {
	if i > 0 {
		return []byte(`,"` + alias + `":`)
	}
	return []byte(`"` + alias + `":`)
}

// object compiles the selection on a type whose row stands under alias in the level. chain yields that row for the statements below.
func (c *compiler) object(l *level, t *catalog.Type, alias string, chain fragment, sel ast.SelectionSet) (*object, error) {
	o := &object{present: -1}
	for i, f := range c.collect(sel, t.Name, "Node", "_Entity", ofLog[t.Name].frame) {
		w := op{key: keyed(i, f.Alias)}
		if err := c.field(&w, l, t, alias, chain, f); err != nil {
			return nil, err
		}
		if err := c.watch(o, l, t, alias, f, &w); err != nil {
			return nil, err
		}
		c.traceExtension(o, l, t, alias, w.traced)
		o.add(w)
	}
	return o, nil
}

func (o *object) add(w op) {
	switch w.kind {
	case hole:
		o.holes++
	case nested:
		o.holes += w.object.holes
	}
	o.ops = append(o.ops, w)
}

func (c *compiler) field(w *op, l *level, t *catalog.Type, alias string, chain fragment, f graphql.CollectedField) error {
	if f.Name == "__typename" {
		w.kind, w.text = constant, strconv.AppendQuote(nil, t.Name)
		return nil
	}
	if f.Name == byValue && extensible[t.Name] {
		return c.extensionValues(w, l, t, alias, f)
	}
	if f.Name == extended && extensible[t.Name] {
		return c.extension(w, l, t, alias, f)
	}
	_, stored := t.Columns[f.Name]
	d, isDerived := derivations[t.Name+"."+f.Name]
	if f.Definition.Directives.ForName("policy") != nil && (isDerived || !stored) {
		return fmt.Errorf("reading: %s.%s is no column, and its policy would not be kept", t.Name, f.Name)
	}
	if isDerived {
		return c.derivation(w, l, t, alias, chain, f, d)
	}
	if column, ok := t.Columns[f.Name]; ok {
		expression, denied, err := c.visible(t, alias, f.Definition, sql(alias+"."+column.Name))
		if err != nil {
			return err
		}
		w.column = l.column(expression)
		if denied.text != "" {
			w.told, w.denied = true, l.column(denied)
		}
		switch column.Kind {
		case catalog.UUID:
			w.kind, w.number = globalID, t.Number
		case catalog.JSON:
			w.kind = document
			w.fields = c.document(f.Selections, f.Definition.Type.Name())
		default:
			w.kind, w.scalar = scalar, column.Kind
		}
		return nil
	}
	edge, ok := t.Edges[f.Name]
	if !ok {
		return fmt.Errorf("reading: nobody knows where %s.%s is kept", t.Name, f.Name)
	}
	if strings.HasSuffix(f.Definition.Type.Name(), "Connection") {
		return c.connection(w, l, catalog.Types[edge.To], f, chain, alias, func(a string) fragment {
			return sql(join(t, alias, edge, catalog.Types[edge.To], a))
		})
	}
	return c.single(w, l, t, alias, chain, f, edge, "")
}

// single joins the one object that an edge leads to.
func (c *compiler) single(w *op, l *level, t *catalog.Type, alias string, chain fragment, f graphql.CollectedField, edge catalog.Edge, condition string) error {
	target := catalog.Types[edge.To]
	a := c.alias()
	seen, err := c.predicate(target, a)
	if err != nil {
		return err
	}
	on := and(sql(join(t, alias, edge, target, a)), seen)
	if condition != "" {
		on = on.with(" and " + a + "." + condition)
	}
	l.joins = l.joins.with(" left join " + target.Table + " " + a + " on ").then(on)
	w.kind, w.must = nested, f.Definition.Type.NonNull
	w.object, err = c.object(l, target, a, chain.with(" join "+target.Table+" "+a+" on ").then(on), f.Selections)
	if err != nil {
		return err
	}
	w.object.present = l.column(sql(a + ".id"))
	return nil
}

// join is the condition that ties a type's row to the row that an edge leads to. Things of tenants meet only inside one tenant.
func join(t *catalog.Type, alias string, edge catalog.Edge, target *catalog.Type, a string) string {
	var on string
	if edge.Column != "" {
		on = a + ".id = " + alias + "." + edge.Column
	} else {
		on = a + "." + edge.Back + " = " + alias + ".id"
	}
	if t.Owned && target.Owned {
		on += " and " + a + ".tenant_id = " + alias + ".tenant_id"
	}
	return on
}

func (c *compiler) derivation(w *op, l *level, t *catalog.Type, alias string, chain fragment, f graphql.CollectedField, d derivation) error {
	c.personal = c.personal || d.personal
	switch {
	case d.edge != nil:
		return c.single(w, l, t, alias, chain, f, *d.edge, d.condition)
	case d.text != nil:
		w.kind, w.text = constant, d.text
	case d.expression != nil:
		w.kind, w.scalar, w.column = scalar, d.kind, l.column(sql(d.expression(alias)))
	default:
		w.kind, w.value = derived, d.value
		for _, name := range d.columns {
			w.from = append(w.from, l.column(sql(alias+"."+name)))
		}
	}
	if d.member != nil {
		w.kind, w.object = nested, c.members(w.from, f, d.member)
	}
	return nil
}

// members compiles an object whose fields are derived one by one from the same columns.
func (c *compiler) members(from []int, f graphql.CollectedField, member func(name string) derive) *object {
	o := &object{present: -1}
	typ := f.Definition.Type.Name()
	for i, f := range c.collect(f.Selections, typ) {
		w := op{key: keyed(i, f.Alias), kind: derived, value: member(f.Name), from: from}
		if f.Name == "__typename" {
			w.kind, w.text = constant, strconv.AppendQuote(nil, typ)
		}
		o.add(w)
	}
	return o
}

// connection compiles a Relay connection of the target type as an object of the level above, whose lists are holes.
// on ties the list to the row above; it is nil at the top.
func (c *compiler) connection(w *op, above *level, t *catalog.Type, f graphql.CollectedField, chain fragment, parent string, on func(a string) fragment) error {
	args := f.ArgumentMap(c.oc.Variables)
	page, err := pageOf(args)
	if err != nil {
		return err
	}
	o, err := c.orderOf(t, args["orderBy"])
	if err != nil {
		return err
	}
	a := c.alias()
	seen, err := c.predicate(t, a)
	if err != nil {
		return err
	}
	wanted, err := c.filter(t, a, args["where"], []string{"where"})
	if err != nil {
		return err
	}
	which := []fragment{seen, wanted}
	var by *lead
	if on != nil {
		which = append([]fragment{on(a)}, which...)
	} else if by, err = c.lead(t, a, o, args["where"], seen); err != nil {
		return err
	}
	signature := o.signature(f.ObjectDefinition.Name + "." + f.Name)
	at, err := c.r.positions(o, signature, page)
	if err != nil {
		return err
	}
	if on == nil {
		at = c.marked(o, signature, at)
	}
	var l *level
	list := func() (*level, error) { // made by the first field that needs rows
		if l != nil {
			return l, nil
		}
		made := &level{alias: a, limit: page.size, backward: page.backward, order: by.run(t, o).clause(a, page.backward), signature: signature}
		rows := func(n int) fragment { return c.rows(t, a, o, at, which, by, on != nil, page.backward, n) }
		if on == nil {
			made.source, made.chain = rows(page.size+1), rows(page.size)
		} else {
			made.key = sql(parent + ".id")
			made.source = chain.with(" cross join lateral ").then(rows(page.size + 1))
			made.chain = chain.with(" cross join lateral ").then(rows(page.size))
			made.columns = append(made.columns, made.key)
		}
		l, err = c.add(made)
		return l, err
	}
	key := -1
	if on != nil {
		key = above.column(sql(parent + ".id"))
	}
	fill := func(kind gapKind, view int) (op, error) {
		l, err := list()
		return op{kind: hole, hole: &gap{kind: kind, level: l, view: view, key: key}}, err
	}
	result := &object{present: -1}
	for i, f := range c.collect(f.Selections, t.Name+"Connection") {
		var w op
		switch f.Name {
		case "__typename":
			w = op{kind: constant, text: strconv.AppendQuote(nil, t.Name+"Connection")}
		case "edges", "nodes":
			if w, err = fill(listOf, 0); err != nil {
				return err
			}
			var view *object
			if f.Name == "nodes" {
				view, err = c.object(l, t, a, l.chain, f.Selections)
			} else {
				view, err = c.edge(l, t, f.Selections, func(w *op, _ graphql.CollectedField) error {
					w.kind = cursor
					l.wantCursor(a, o)
					return nil
				})
			}
			if err != nil {
				return err
			}
			w.hole.view = len(l.views)
			l.views = append(l.views, view)
		case "totalCount":
			var of []fragment
			if of, err = c.forCounting(t, a, args["where"], which); err == nil {
				n := sql("(select count(*) from " + t.Table + " " + a).then(counted(of...)).with(")")
				w = op{kind: scalar, scalar: catalog.Int, column: above.column(n)}
			}
		case "statistics":
			var of []fragment
			if of, err = c.forCounting(t, a, args["where"], which); err == nil {
				err = c.caseCounts(&w, above, t, a, of, f)
			}
		case "pageInfo":
			w = op{kind: nested}
			w.object, err = c.pageInfo(above, t, a, o, page, at, which, fill, f.Selections)
		default:
			err = fmt.Errorf("reading: a connection has no %s", f.Name)
		}
		if err != nil {
			return err
		}
		w.key = keyed(i, f.Alias)
		result.add(w)
	}
	w.kind, w.object = nested, result
	return nil
}

// edge compiles an edge of a list; at writes its cursor.
func (c *compiler) edge(l *level, t *catalog.Type, sel ast.SelectionSet, at func(w *op, f graphql.CollectedField) error) (*object, error) {
	view := &object{present: -1}
	for i, f := range c.collect(sel, t.Name+"Edge") {
		w := op{key: keyed(i, f.Alias)}
		var err error
		switch f.Name {
		case "__typename":
			w.kind, w.text = constant, strconv.AppendQuote(nil, t.Name+"Edge")
		case "cursor":
			err = at(&w, f)
		case "node":
			w.kind = nested
			w.object, err = c.object(l, t, l.alias, l.chain, f.Selections)
		default:
			err = fmt.Errorf("reading: an edge has no %s", f.Name)
		}
		if err != nil {
			return nil, err
		}
		view.add(w)
	}
	return view, nil
}

func (l *level) wantCursor(a string, o order) {
	if l.cursor != nil {
		return
	}
	for _, k := range o {
		l.cursor = append(l.cursor, l.column(sql(a+"."+k.column.Name)))
	}
}

func (c *compiler) pageInfo(above *level, t *catalog.Type, a string, o order, page page, at bounds, which []fragment, fill func(gapKind, int) (op, error), sel ast.SelectionSet) (*object, error) {
	result := &object{present: -1}
	list := o.list(t, a)
	// outside asks whether there is a row at the cursor that bounds the page on one side, or beyond it.
	outside := func(bound position, backward bool) fragment {
		if bound == nil {
			return sql("false")
		}
		further := or(o.beyond(a, bound, backward), sql(a+".id = ?", bound[len(o)-1]))
		return exists(list, append(which[:len(which):len(which)], further)...)
	}
	further := func(forward bool) (op, error) {
		bound := at.after
		if forward {
			bound = at.before
		}
		beyond := outside(bound, !forward)
		if forward == page.backward { // the side from which the page was counted
			return op{kind: scalar, scalar: catalog.Bool, column: above.column(beyond)}, nil
		}
		if bound == nil {
			return fill(hasMore, 0)
		}
		more := sql("exists (select from " + list).then(where(at.within(a, o, which)...)).with(" offset " + strconv.Itoa(page.size) + ")")
		return op{kind: scalar, scalar: catalog.Bool, column: above.column(or(beyond, more))}, nil
	}
	for i, f := range c.collect(sel, "PageInfo") {
		var (
			w   op
			err error
		)
		switch f.Name {
		case "__typename":
			w = op{kind: constant, text: []byte(`"PageInfo"`)}
		case "hasNextPage":
			w, err = further(true)
		case "hasPreviousPage":
			w, err = further(false)
		case "startCursor":
			w, err = fill(firstCursor, 0)
		case "endCursor":
			w, err = fill(lastCursor, 0)
		default:
			err = fmt.Errorf("reading: a page has no %s", f.Name)
		}
		if err != nil {
			return nil, err
		}
		if w.kind == hole && w.hole.kind != hasMore {
			w.hole.level.wantCursor(a, o)
		}
		w.key = keyed(i, f.Alias)
		result.add(w)
	}
	return result, nil
}

// page is what first, last, after and before ask for.
type page struct {
	size          int
	backward      bool
	after, before any // cursors as they came; nil: none
}

type bounds struct{ after, before position }

// within narrows conditions to what lies between the cursors.
func (b bounds) within(alias string, o order, which []fragment) []fragment {
	which = which[:len(which):len(which)]
	if b.after != nil {
		which = append(which, o.beyond(alias, b.after, false))
	}
	if b.before != nil {
		which = append(which, o.beyond(alias, b.before, true))
	}
	return which
}

func pageOf(args map[string]any) (page, error) {
	first, hasFirst, ok1 := whole(args["first"])
	last, hasLast, ok2 := whole(args["last"])
	if hasFirst == hasLast || !ok1 || !ok2 || first > LongestPage || last > LongestPage || first < 0 || last < 0 {
		name := "first"
		if hasLast && !hasFirst {
			name = "last"
		}
		return page{}, problem.New(problem.Invalid, "firstOrLast", name)
	}
	p := page{size: first, after: args["after"], before: args["before"]}
	if hasLast {
		p.size, p.backward = last, true
	}
	return p, nil
}

// marked puts marks in the place of the values that a page at the top begins or ends at. The text of a statement tells nothing of them, but where they are
// missing.
func (c *compiler) marked(o order, signature uint32, at bounds) bounds {
	c.at, c.order, c.signature = at, o, signature
	c.passing = c.passing || !at.complete() || slices.ContainsFunc(o, func(k key) bool { return k.column.Nullable || k.entry != 0 })
	marks := func(of position, before bool) position {
		if of == nil {
			return nil
		}
		out := make(position, len(of))
		for i, v := range of {
			if v != nil {
				out[i] = bound{before, i}
			}
		}
		return out
	}
	return bounds{marks(at.after, false), marks(at.before, true)}
}

// complete tells whether no value is missing.
func (b bounds) complete() bool {
	return !slices.Contains(b.after, nil) && !slices.Contains(b.before, nil)
}

func (r *Reader) positions(o order, signature uint32, p page) (bounds, error) {
	var b bounds
	read := func(name string, given any, into *position) error {
		if given == nil {
			return nil
		}
		text, _ := given.(string)
		said, ok := r.seal.Open(text)
		if ok {
			*into, ok = o.positionOf(signature, said)
		}
		if !ok {
			return problem.New(problem.Invalid, "badCursor", name)
		}
		return nil
	}
	if err := read("after", p.after, &b.after); err != nil {
		return bounds{}, err
	}
	return b, read("before", p.before, &b.before)
}

// whole reads an Int of the contract as gqlparser hands it over; missing and null are the same.
func whole(v any) (n int, given, ok bool) {
	switch v := v.(type) {
	case nil:
		return 0, false, true
	case int:
		return v, true, true
	case int64:
		return int(v), true, true
	case float64:
		return int(v), true, v == float64(int(v))
	case json.Number:
		i, err := v.Int64()
		return int(i), true, err == nil
	}
	return 0, true, false
}

// documentField is a field that is read out of a JSON column.
type documentField struct {
	key    []byte
	name   string
	text   []byte // for __typename
	fields []documentField
}

// document compiles the selection on what a JSON column holds.
func (c *compiler) document(sel ast.SelectionSet, typ string) []documentField {
	var out []documentField
	for i, f := range c.collect(sel, typ) {
		d := documentField{key: keyed(i, f.Alias), name: f.Name}
		if f.Name == "__typename" {
			d.text = strconv.AppendQuote(nil, typ)
		} else {
			d.fields = c.document(f.Selections, f.Definition.Type.Name())
		}
		out = append(out, d)
	}
	return out
}
