// SPDX-License-Identifier: EUPL-1.2

package reading_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"
	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/schema"
)

// condition is an input of the contract and what it means: which rows meet it. A condition on a missing value is not met, so its
// opposite is.
type condition struct {
	input any
	meets func(*row) bool
}

// enum is a value of an enum, which a literal writes without quotes.
type enum string

// conditions draws inputs of filters for a viewer by walking the contract.
type conditions struct {
	*world
	v viewer
	*rapid.T
}

// filter draws an input like CaseFilter, up to three levels deep.
func (c conditions) filter(typ string, deep int) condition {
	def := c.contract.Types[typ+"Filter"]
	fields := slices.DeleteFunc(slices.Clone(def.Fields), func(f *ast.FieldDefinition) bool {
		return lacks(c.v, f.Directives) || c.contract.Types[f.Type.Name()].Kind == ast.Scalar && f.Name == "extension" // see extend_test.go
	})
	input, all := map[string]any{}, []func(*row) bool{}
	for range rapid.IntRange(0, 2).Draw(c.T, "fields") {
		f := rapid.SampledFrom(fields).Draw(c.T, "field")
		if input[f.Name] != nil {
			continue
		}
		if rapid.IntRange(0, 9).Draw(c.T, "null") == 0 {
			input[f.Name] = nil // the same as missing
			continue
		}
		one := c.field(typ, f, deep)
		input[f.Name], all = one.input, append(all, one.meets)
	}
	return condition{input, func(r *row) bool { return every(all, r) }}
}

func every(all []func(*row) bool, r *row) bool {
	for _, meets := range all {
		if !meets(r) {
			return false
		}
	}
	return true
}

func (c conditions) field(typ string, f *ast.FieldDefinition, deep int) condition {
	switch f.Name {
	case "and", "or":
		var inputs []any
		var each []func(*row) bool
		for range rapid.IntRange(0, 3).Draw(c.T, f.Name) {
			if deep == 0 {
				break
			}
			one := c.filter(typ, deep-1)
			inputs, each = append(inputs, one.input), append(each, one.meets)
		}
		if f.Name == "and" {
			return condition{c.list(inputs), func(r *row) bool { return every(each, r) }}
		}
		return condition{c.list(inputs), func(r *row) bool {
			return slices.ContainsFunc(each, func(meets func(*row) bool) bool { return meets(r) })
		}}
	case "not":
		one := condition{map[string]any{}, func(*row) bool { return true }}
		if deep > 0 {
			one = c.filter(typ, deep-1)
		}
		return condition{one.input, func(r *row) bool { return !one.meets(r) }}
	}
	switch typ + "." + f.Name {
	case "Case.overdue":
		want := rapid.Bool().Draw(c.T, "overdue")
		return condition{want, func(r *row) bool { return overdue(r) == want }}
	case "Case.assignee":
		return c.operators(f, "Assignment", func(r *row) any { return c.through(r, "currentAssignment", "assignee") })
	case "Case.search":
		text := c.some("Case", "number", "file_reference")
		if rapid.Bool().Draw(c.T, "title") {
			text = c.some("Service", "title")
		}
		text = c.part(text)
		return condition{text, func(r *row) bool {
			for _, s := range []string{r.text("number"), r.text("file_reference"), c.byID[must(r.ref("service_id"))].text("title")} {
				if contains(s, text) {
					return true
				}
			}
			return false
		}}
	case "Tenant.under":
		top := rapid.SampledFrom(c.rows["Tenant"]).Draw(c.T, "under")
		return condition{top.gid(), func(r *row) bool {
			for r != top {
				above, ok := r.ref("parent_id")
				if !ok {
					return false
				}
				r = c.byID[above]
			}
			return true
		}}
	}
	t := catalog.Types[typ]
	if column, ok := t.Columns[f.Name]; ok {
		if f.Type.Elem != nil {
			return c.among(f, column.Name)
		}
		return c.operators(f, typ, func(r *row) any { return r.values[column.Name] }, column.Name)
	}
	edge := t.Edges[f.Name]
	if f.Type.Name() == "IDFilter" {
		return c.operators(f, edge.To, func(r *row) any { return c.through(r, f.Name, "id") })
	}
	inner := c.filter(edge.To, max(0, deep-1))
	return condition{inner.input, func(r *row) bool {
		return slices.ContainsFunc(c.seen(c.v, c.behind(r, f.Name)), inner.meets)
	}}
}

// through is a value of what an edge leads to, as the viewer sees it.
func (c conditions) through(r *row, field, column string) any {
	for _, there := range c.seen(c.v, c.behind(r, field)) {
		return there.values[column]
	}
	return nil
}

// among draws a list of values of an enum.
func (c conditions) among(f *ast.FieldDefinition, column string) condition {
	var inputs []any
	var values []string
	for range rapid.IntRange(0, 3).Draw(c.T, "values") {
		v := rapid.SampledFrom(c.contract.Types[f.Type.Name()].EnumValues).Draw(c.T, "value").Name
		inputs, values = append(inputs, enum(v)), append(values, v)
	}
	return condition{c.list(inputs), func(r *row) bool { return slices.Contains(values, r.text(column)) }}
}

// list is a list; one of a single value may be written without brackets.
func (c conditions) list(of []any) any {
	if len(of) == 1 && rapid.Bool().Draw(c.T, "single") {
		return of[0]
	}
	if of == nil {
		return []any{}
	}
	return of
}

// operators draws an operator input on a value of the rows. The values that it asks for are drawn from columns of a type.
func (c conditions) operators(f *ast.FieldDefinition, typ string, of func(*row) any, columns ...string) condition {
	if columns == nil {
		columns = []string{map[string]string{"StringFilter": "assignee", "IDFilter": "id"}[f.Type.Name()]}
	}
	input, all := map[string]any{}, []func(*row) bool{}
	for range rapid.IntRange(0, 2).Draw(c.T, "operators") {
		o := rapid.SampledFrom(c.contract.Types[f.Type.Name()].Fields).Draw(c.T, "operator")
		if input[o.Name] != nil {
			continue
		}
		one := c.operator(f.Type.Name(), o.Name, typ, columns[0])
		input[o.Name] = one.input
		all = append(all, func(r *row) bool { return one.meets(of(r)) })
	}
	return condition{input, func(r *row) bool { return every(all, r) }}
}

// comparison is an operand and which values meet the operator with it.
type comparison struct {
	input any
	meets func(value any) bool
}

func (c conditions) operator(filter, name, typ, column string) comparison {
	switch name {
	case "isNull":
		want := rapid.Bool().Draw(c.T, "isNull")
		return comparison{want, func(v any) bool { return (v == nil) == want }}
	case "startsWith", "contains":
		text := c.part(c.some(typ, column))
		if name == "contains" {
			return comparison{text, func(v any) bool { s, ok := v.(string); return ok && contains(s, text) }}
		}
		return comparison{text, func(v any) bool { s, ok := v.(string); return ok && strings.HasPrefix(s, text) }}
	case "in":
		var inputs, operands []any
		for range rapid.IntRange(0, 4).Draw(c.T, "in") {
			input, operand := c.operand(filter, typ, column)
			inputs, operands = append(inputs, input), append(operands, operand)
		}
		return comparison{c.list(inputs), func(v any) bool {
			return v != nil && slices.ContainsFunc(operands, func(o any) bool { return order(v, o) == 0 })
		}}
	}
	input, operand := c.operand(filter, typ, column)
	return comparison{input, func(v any) bool {
		if v == nil {
			return name == "ne"
		}
		o := order(v, operand)
		return map[string]bool{"eq": o == 0, "ne": o != 0, "gt": o > 0, "gte": o >= 0, "lt": o < 0, "lte": o <= 0}[name]
	}}
}

// operand draws a value to compare with: one that is there, one close to it, or one that never was.
func (c conditions) operand(filter, typ, column string) (input, operand any) {
	r := rapid.SampledFrom(c.rows[typ]).Draw(c.T, "like")
	off := rapid.SampledFrom([]int{0, 0, 0, -1, 1}).Draw(c.T, "off")
	switch filter {
	case "IDFilter":
		if off != 0 {
			r = &row{typ: typ, id: uuid.New()}
		}
		return r.gid(), [16]byte(r.id)
	case "DateTimeFilter":
		t, ok := r.when(column)
		if !ok {
			t = time.Now().UTC().Truncate(time.Microsecond)
		}
		t = t.Add(time.Duration(off) * time.Microsecond).In(time.FixedZone("", rapid.IntRange(-14, 14).Draw(c.T, "zone")*3600))
		return t.Format(time.RFC3339Nano), t
	case "DateFilter":
		t, ok := r.when(column)
		if !ok {
			t = time.Date(2030, 6, 1, 0, 0, 0, 0, time.UTC)
		}
		t = t.AddDate(0, 0, off)
		return t.Format(time.DateOnly), t
	case "IntFilter":
		n := rapid.SampledFrom([]int64{0, 1, 2, 3, 4, 5, 6, 7, -1, 40_000, 2_147_483_647, -2_147_483_648}).Draw(c.T, "number")
		return json.Number(fmt.Sprint(n)), n
	}
	text := c.some(typ, column)
	if off != 0 {
		text += "x"
	}
	return text, text
}

// order compares a value of a row with an operand.
func order(v, operand any) int {
	switch o := operand.(type) {
	case time.Time:
		t, _ := v.(time.Time)
		return t.Compare(o)
	case int64:
		n, _ := v.(int16)
		return int(max(-1, min(1, int64(n)-o)))
	case [16]byte:
		id, _ := v.([16]byte)
		return slices.Compare(id[:], o[:])
	}
	return strings.Compare(v.(string), operand.(string)) // texts are left
}

// some is a text that stands in one of the columns, or none that stands anywhere.
func (c conditions) some(typ string, columns ...string) string {
	r := rapid.SampledFrom(c.rows[typ]).Draw(c.T, "like")
	if s := r.text(rapid.SampledFrom(columns).Draw(c.T, "column")); s != "" {
		return s
	}
	return rapid.SampledFrom([]string{"", "?", "$1", "'", `"\`, "%", "Ü", "ß", "\u00a0", strings.Repeat("x", 999)}).Draw(c.T, "odd")
}

// part is a part of a text, perhaps in other letters.
func (c conditions) part(text string) string {
	runes := []rune(text)
	from := rapid.SampledFrom([]int{0, 0, 1, 3}).Draw(c.T, "from")
	to := rapid.IntRange(1, 6).Draw(c.T, "to") + from
	text = string(runes[min(from, len(runes)):min(to, len(runes))])
	if rapid.Bool().Draw(c.T, "upper") {
		return strings.ToUpper(text)
	}
	return text
}

func contains(s, part string) bool {
	return s != "" && strings.Contains(strings.ToLower(s), strings.ToLower(part))
}

// literal writes an input as the document has it.
func literal(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case enum:
		return string(v)
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = literal(e)
		}
		return "[" + strings.Join(parts, " ") + "]"
	case map[string]any:
		var parts []string
		for k, e := range v {
			parts = append(parts, k+": "+literal(e))
		}
		slices.Sort(parts)
		return "{ " + strings.Join(parts, " ") + " }"
	}
	b, _ := json.Marshal(v) //nolint:errchkjson // texts, numbers and truth values
	return string(b)
}

// list is a list of the contract: how to get there, and which rows are in it before anything is filtered.
type list struct {
	typ, field, orders string
	around             string // the type that it hangs on; empty for one of Query
}

var lists = []list{
	{typ: "Case", field: "cases", orders: "CaseOrder"},
	{typ: "Case", field: "cases", orders: "CaseOrder"},
	{typ: "Tenant", field: "tenants", orders: "TenantOrder"},
	{typ: "Service", field: "services", orders: "ServiceOrder"},
	{typ: "ServiceOffering", field: "offerings"},
	{typ: "FollowUp", field: "followUps", orders: "FollowUpOrder"},
	{typ: "Message", field: "messages", orders: "MessageOrder", around: "Case"},
	{typ: "FollowUp", field: "followUps", around: "Case"},
	{typ: "Tenant", field: "children", orders: "TenantOrder", around: "Tenant"},
	{typ: "ServiceOffering", field: "offerings", around: "Tenant"},
}

// asked is a list with everything that was asked of it.
type asked struct {
	list
	parent *row
	meets  func(*row) bool
	order  []by
	args   map[string]string // as literals, or as variables
	vars   map[string]any
	types  map[string]string // of the variables
}

// draw asks for a list with a random filter and order.
func (c conditions) draw() asked {
	known := slices.DeleteFunc(slices.Clone(lists), func(l list) bool {
		on := c.contract.Query
		if l.around != "" {
			on = c.contract.Types[l.around]
		}
		return c.hidden(c.v, on.Fields.ForName(l.field))
	})
	a := asked{list: rapid.SampledFrom(known).Draw(c.T, "list"), args: map[string]string{}, vars: map[string]any{}, types: map[string]string{}}
	if a.around != "" {
		seen := c.seen(c.v, c.rows[a.around])
		if len(seen) == 0 {
			a.list = lists[0]
		} else {
			a.parent = rapid.SampledFrom(seen).Draw(c.T, "parent")
		}
	}
	where := c.filter(a.typ, 3)
	a.meets = where.meets
	c.give(&a, "where", a.typ+"Filter", where.input)
	a.order = natural[a.typ]
	if a.orders != "" && rapid.Bool().Draw(c.T, "ordered") {
		var inputs []any
		var o []by
		for range rapid.IntRange(0, 3).Draw(c.T, "keys") {
			field := rapid.SampledFrom(c.contract.Types[a.orders+"Field"].EnumValues).Draw(c.T, "key").Name
			k := by{strings.ToLower(field), rapid.Bool().Draw(c.T, "descending")}
			input := map[string]any{"field": enum(field)}
			if k.desc {
				input["direction"] = enum("DESC")
			} else if rapid.Bool().Draw(c.T, "said") {
				input["direction"] = enum("ASC")
			}
			inputs = append(inputs, input)
			if !slices.ContainsFunc(o, func(h by) bool { return h.column == k.column }) {
				o = append(o, k)
			}
		}
		if o != nil {
			a.order = o
		}
		c.give(&a, "orderBy", "["+a.orders+"!]", c.list(inputs))
	}
	return a
}

// give passes an argument as a literal or as a variable.
func (c conditions) give(a *asked, name, typ string, input any) {
	if rapid.Bool().Draw(c.T, "literal") {
		a.args[name] = literal(input)
		return
	}
	a.args[name], a.vars[name], a.types[name] = "$"+name, input, typ
}

// rows are what the list has for the viewer, in order; met are those of them that meet the filter.
func (a asked) rows(c conditions) (all, met []*row) {
	all = c.world.rows[a.typ]
	if a.parent != nil {
		all = c.world.behind(a.parent, a.field)
	}
	all = inOrder(c.seen(c.v, all), a.order)
	for _, r := range all {
		if a.meets(r) {
			met = append(met, r)
		}
	}
	return all, met
}

// ask gets a page of the list.
func (a asked) ask(c conditions, more map[string]string, selection string) (map[string]any, string) {
	var args, vars []string
	for k, v := range a.args {
		args = append(args, k+": "+v)
	}
	for k, v := range more {
		args = append(args, k+": "+v)
	}
	for k, v := range a.types {
		vars = append(vars, "$"+k+": "+v)
	}
	document := fmt.Sprintf("%s(%s) { %s }", a.field, strings.Join(args, ", "), selection)
	path := a.field
	if a.parent != nil {
		document = fmt.Sprintf("node(id: %q) { ... on %s { %s } }", a.parent.gid(), a.around, document)
		path = "node." + path
	}
	document = "{ " + document + " }"
	if len(vars) > 0 {
		document = "query(" + strings.Join(vars, ", ") + ") " + document
	}
	got := c.v.ask(document, a.vars)
	m, _ := got.At(path).(map[string]any)
	variables, _ := json.Marshal(a.vars) //nolint:errchkjson // made of JSON
	return m, fmt.Sprintf("%s %s\n%.500s", document, variables, got.Raw)
}

// readers are who asks: with all rows, with those of an authority, with some services, with one's own, and with none.
var readers = []string{"kiel-caseworker", "everybody", "kiel-mailroom", "sh-admin", "partner", "kiel-applicant", "kiel-auditor", "by-analyst"}

func (w *world) reader(t *rapid.T) viewer {
	for _, r := range []struct{ name, role, tenant string }{{"everybody", "TENANT_ADMIN", "federation"}, {"kiel-auditor", "AUDITOR", "kiel"}} {
		if _, err := w.db.Exec(w.Context(), `insert into role_assignments (id, tenant_id, place, subject, role, assigned_by, assigned_at)
			select gen_random_uuid(), id, place, 'user:dev:' || $1, $2, 'test', now() from tenants where slug = $3 on conflict do nothing`, r.name, r.role, r.tenant); err != nil {
			t.Fatal(err)
		}
	}
	return w.viewer(rapid.SampledFrom(readers).Draw(t, "reader"), authz.Substantial)
}

func TestAPageHoldsWhatTheFilterTheOrderAndTheCursorsSay(t *testing.T) {
	w := shared()
	rapid.Check(t, func(t *rapid.T) {
		c := conditions{w, w.reader(t), t}
		a := c.draw()
		all, met := a.rows(c)

		// Cursors may stand at any row of the list, whether or not it meets the filter.
		size, backward := rapid.SampledFrom([]int{0, 1, 2, 5, 20, 100}).Draw(t, "size"), rapid.Bool().Draw(t, "backward")
		more := map[string]string{"first": fmt.Sprint(size)}
		if backward {
			more = map[string]string{"last": fmt.Sprint(size)}
		}
		var after, before *row
		if len(all) > 0 && rapid.IntRange(0, 2).Draw(t, "after") == 0 {
			after = rapid.SampledFrom(all).Draw(t, "after")
			more["after"] = fmt.Sprintf("%q", a.cursorOf(c, all, after))
		}
		if len(all) > 0 && rapid.IntRange(0, 2).Draw(t, "before") == 0 {
			before = rapid.SampledFrom(all).Draw(t, "before")
			more["before"] = fmt.Sprintf("%q", a.cursorOf(c, all, before))
		}
		got, sent := a.ask(c, more, "totalCount nodes { id } edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }")

		where := compare(a.order)
		var between []*row
		outsideBefore, outsideAfter := false, false
		for _, r := range met {
			tooEarly, tooLate := after != nil && where(r, after) <= 0, before != nil && where(r, before) >= 0
			outsideBefore, outsideAfter = outsideBefore || tooEarly, outsideAfter || tooLate
			if !tooEarly && !tooLate {
				between = append(between, r)
			}
		}
		page := between[:min(size, len(between))]
		next, previous := len(between) > size || outsideAfter, outsideBefore
		if backward {
			page = between[len(between)-min(size, len(between)):]
			next, previous = outsideAfter, len(between) > size || outsideBefore
		}
		if len(got) == 0 {
			t.Fatal(sent)
		}
		if d := difference(got["nodes"], any(idNodes(page))); !same(got["nodes"], idNodes(page)) {
			t.Errorf("nodes: %s\n%s", d, sent)
		}
		if got["totalCount"] != float64(len(met)) {
			t.Errorf("totalCount %v instead of %d\n%s", got["totalCount"], len(met), sent)
		}
		info, _ := got["pageInfo"].(map[string]any)
		if info["hasNextPage"] != next || info["hasPreviousPage"] != previous {
			t.Errorf("next %t, previous %t\n%s", next, previous, sent)
		}
		edges, _ := got["edges"].([]any)
		var first, last any
		for i, e := range edges {
			m, _ := e.(map[string]any)
			if i == 0 {
				first = m["cursor"]
			}
			last = m["cursor"]
			if !same(m["node"], map[string]any{"id": page[i].gid()}) {
				t.Errorf("edge %d is another one than node %[1]d\n%s", i, sent)
			}
		}
		if len(edges) != len(page) || info["startCursor"] != first || info["endCursor"] != last {
			t.Errorf("the page and its edges do not agree\n%s", sent)
		}
	})
}

// cursorOf asks for the cursor of a row, which is the same whatever the filter.
func (a asked) cursorOf(c conditions, all []*row, of *row) string {
	unfiltered := a
	unfiltered.args, unfiltered.vars, unfiltered.types = map[string]string{}, map[string]any{}, map[string]string{}
	for k, v := range a.args {
		if k == "orderBy" {
			unfiltered.args[k] = v
		}
	}
	if v, ok := a.vars["orderBy"]; ok {
		unfiltered.vars["orderBy"], unfiltered.types["orderBy"] = v, a.types["orderBy"]
	}
	at, more := slices.Index(all, of), map[string]string{"first": "100"}
	for ; at >= 100; at -= 100 {
		got, sent := unfiltered.ask(c, more, "pageInfo { endCursor }")
		info, _ := got["pageInfo"].(map[string]any)
		end, ok := info["endCursor"].(string)
		if !ok {
			c.Fatal(sent)
		}
		more["after"] = fmt.Sprintf("%q", end)
	}
	got, sent := unfiltered.ask(c, more, "edges { cursor node { id } }")
	edges, _ := got["edges"].([]any)
	if at >= len(edges) {
		c.Fatalf("%d of %d rows\n%s", at, len(edges), sent)
	}
	edge, _ := edges[at].(map[string]any)
	if !same(edge["node"], map[string]any{"id": of.gid()}) {
		c.Fatalf("another row stands at %d\n%s", at, sent)
	}
	cursor, _ := edge["cursor"].(string)
	return cursor
}

func same(got, want any) bool {
	a, err1 := json.Marshal(got)
	b, err2 := json.Marshal(want)
	return err1 == nil && err2 == nil && string(a) == string(b)
}

func TestWalkingAListByItsCursorsGivesEachEntryOnceAndInOrder(t *testing.T) {
	w := shared()
	rapid.Check(t, func(t *rapid.T) {
		c := conditions{w, w.reader(t), t}
		a := c.draw()
		_, met := a.rows(c)
		backward := rapid.Bool().Draw(t, "backward")
		size, from, further, has := "first", "after", "endCursor", "hasNextPage"
		if backward {
			size, from, further, has = "last", "before", "startCursor", "hasPreviousPage"
		}
		n := min(100, max(len(met)/rapid.IntRange(1, 7).Draw(t, "pages"), 1+len(met)/20))
		more := map[string]string{size: fmt.Sprint(n)}
		var walked []any
		for range 30 {
			got, sent := a.ask(c, more, "nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }")
			nodes, ok := got["nodes"].([]any)
			if !ok {
				t.Fatal(sent)
			}
			if backward {
				walked = append(slices.Clone(nodes), walked...)
			} else {
				walked = append(walked, nodes...)
			}
			info, _ := got["pageInfo"].(map[string]any)
			if info[has] != true {
				break
			}
			more[from] = fmt.Sprintf("%q", info[further])
		}
		if walked == nil {
			walked = []any{}
		}
		if !same(walked, idNodes(met)) {
			t.Errorf("walked: %s", difference(walked, any(idNodes(met))))
		}
	})
}

func TestAnIDOfAnotherTypeIsNoneToFilterBy(t *testing.T) {
	w := shared()
	v := w.viewer("kiel-caseworker", authz.Substantial)
	for where, path := range map[string]string{
		`{ id: { eq: "` + w.rows["Message"][0].gid() + `" } }`:               "where id eq",
		`{ id: { in: ["` + w.rows["Case"][0].gid() + `", "x"] } }`:           "where id in 1",
		`{ not: { unit: { eq: "` + w.rows["Case"][0].gid() + `" } } }`:       "where not unit eq",
		`{ or: [{}, { tenant: { under: "` + uuid.New().String() + `" } }] }`: "where or 1 tenant under",
		`{ id: { eq: "` + schema.ID(200, uuid.New()) + `" } }`:               "where id eq",
	} {
		a := v.ask("{ cases(first: 1, where: "+where+") { totalCount } }", nil)
		if len(a.Errors) != 1 || a.Errors[0].Extensions["rule"] != "badId" || strings.Trim(fmt.Sprint(a.Errors[0].Extensions["argument"]), "[]") != path {
			t.Errorf("%s: %s", where, a.Raw)
		}
	}
}

func TestAFilterThatIsTooMuchIsRefused(t *testing.T) {
	v := shared().viewer("kiel-caseworker", authz.Substantial)
	deep := map[string]any{}
	for range 9 {
		deep = map[string]any{"and": []any{deep}}
	}
	wide := []any{}
	for range 101 {
		wide = append(wide, map[string]any{})
	}
	many := map[string]any{"or": []any{}}
	for range 60 {
		many["or"] = append(many["or"].([]any), map[string]any{"number": map[string]any{"eq": "1"}, "search": "2", "fileReference": map[string]any{"eq": "3"}, "overdue": true})
	}
	texts := []any{}
	for range 101 {
		texts = append(texts, "x")
	}
	for rule, where := range map[string]any{
		"tooDeep":      deep,
		"tooMany":      many,
		"maxLength":    map[string]any{"search": strings.Repeat("x", 1001)},
		"notText":      map[string]any{"number": map[string]any{"contains": "a\x00b"}},
		"pattern":      map[string]any{"receivedAt": map[string]any{"gt": "2026-02-30T00:00:00Z"}},
		"unknownValue": map[string]any{"state": []any{"new"}},
	} {
		refuse(t, v, rule, "CaseFilter", where)
	}
	refuse(t, v, "tooMany", "CaseFilter", map[string]any{"or": wide})
	refuse(t, v, "tooMany", "CaseFilter", map[string]any{"number": map[string]any{"in": texts}})
	refuse(t, v, "pattern", "CaseFilter", map[string]any{"receivedAt": map[string]any{"gt": map[string]any{"a": 1}}})
	refuse(t, v, "pattern", "CaseFilter", map[string]any{"dueAt": map[string]any{"gt": "0000-01-01T00:00:00Z"}})
}

func refuse(t *testing.T, v viewer, rule, typ string, where any) {
	t.Helper()
	a := v.ask("query($w: "+typ+") { cases(first: 1, where: $w) { totalCount } }", map[string]any{"w": where})
	if len(a.Errors) != 1 || a.Errors[0].Extensions["rule"] != rule || a.Errors[0].Extensions["code"] != "VALIDATION" {
		t.Errorf("%s: %.300s", rule, a.Raw)
	}
}

func TestAnOrderInSmallLettersIsNone(t *testing.T) {
	v := shared().viewer("kiel-caseworker", authz.Substantial)
	for _, o := range []map[string]any{{"field": "number"}, {"field": "NUMBER", "direction": "desc"}} {
		a := v.ask("query($o: [CaseOrder!]) { cases(first: 1, orderBy: $o) { totalCount } }", map[string]any{"o": []any{o}})
		if len(a.Errors) != 1 || a.Errors[0].Extensions["rule"] != "unknownValue" {
			t.Errorf("%v: %s", o, a.Raw)
		}
	}
}

// samples are inputs of a type of the contract, each with one field of it.
func samples(s *ast.Schema, t *ast.Type, deep int) []any {
	if t.Elem != nil {
		var out []any
		for _, one := range samples(s, t.Elem, deep) {
			out = append(out, []any{one})
		}
		return out
	}
	switch def := s.Types[t.NamedType]; def.Kind {
	case ast.Enum:
		var out []any
		for _, v := range def.EnumValues {
			out = append(out, v.Name)
		}
		return out
	case ast.InputObject:
		var out []any
		for _, f := range def.Fields {
			if deep == 0 {
				break
			}
			for _, one := range samples(s, f.Type, deep-1) {
				in := map[string]any{f.Name: one}
				for _, other := range def.Fields {
					if other.Type.NonNull && other.Name != f.Name && other.DefaultValue == nil {
						in[other.Name] = samples(s, other.Type, deep-1)[0]
					}
				}
				out = append(out, in)
			}
		}
		return out
	}
	return []any{map[string]any{
		"Int": 1, "Boolean": true, "DateTime": "2026-03-29T02:30:00+01:00", "Date": "2028-02-29", "ID": schema.ID(7, uuid.Nil),
	}[t.NamedType], map[string]any{"Int": -2_147_483_648, "Boolean": false, "DateTime": "9999-12-31T23:59:59.999999Z", "Date": "0001-01-01", "ID": "?"}[t.NamedType], "x"}
}

func TestEveryFieldOfEveryFilterAndOrderIsAnswered(t *testing.T) {
	w := shared()
	people := []viewer{w.viewer("sh-admin", authz.Substantial), w.viewer("kiel-applicant", authz.Substantial)}
	asked := 0
	for _, f := range w.contract.Query.Fields {
		for _, a := range f.Arguments {
			if a.Name != "where" && a.Name != "orderBy" {
				continue
			}
			for _, one := range samples(w.contract, a.Type, 3) {
				for _, v := range people {
					if w.hidden(v, f) {
						continue
					}
					asked++
					got := v.ask(fmt.Sprintf("query($x: %s) { %s(first: 1, %s: $x) { totalCount nodes { __typename } } }", a.Type, f.Name, a.Name), map[string]any{"x": one})
					if got.Status != 200 || len(got.Errors) > 0 && got.Errors[0].Extensions["code"] != "VALIDATION" {
						t.Errorf("%s(%s: %v): %s", f.Name, a.Name, one, got.Raw)
					}
				}
			}
		}
	}
	if asked < 300 {
		t.Errorf("only %d questions were asked", asked)
	}
}
