// SPDX-License-Identifier: EUPL-1.2

package reading_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/authz"
)

// branch is a field that is asked for.
type branch struct {
	name, args string
	on         string // the type that has the field
	alias      string // in the dressed document
	children   []*branch
}

// grow draws a selection on a type of the viewer's contract, up to a depth.
func grow(t *rapid.T, w *world, v viewer, typ string, deep int) []*branch {
	var out []*branch
	fields := w.fields(v, typ)
	for range rapid.IntRange(1, 4).Draw(t, "fields") {
		b := &branch{name: "__typename", on: typ}
		if i := rapid.IntRange(0, len(fields)).Draw(t, "field"); i > 0 {
			f := fields[i-1]
			b.name = f.Name
			if f.Arguments.ForName("first") != nil {
				b.args = fmt.Sprintf("(%s: %d)", rapid.SampledFrom([]string{"first", "last"}).Draw(t, "end"), rapid.IntRange(0, 3).Draw(t, "size"))
			}
			if of := w.contract.Types[f.Type.Name()]; !of.IsLeafType() {
				if deep == 0 {
					continue
				}
				b.children = grow(t, w, v, of.Name, deep-1)
			}
		}
		if b.name != "url" && !slices.ContainsFunc(out, func(o *branch) bool { return o.name == b.name }) { // a link is another one each time
			out = append(out, b)
		}
	}
	if out == nil {
		return []*branch{{name: "__typename", on: typ}}
	}
	return out
}

func plain(of []*branch) string {
	var b strings.Builder
	for _, f := range of {
		b.WriteString(" " + f.name + f.args)
		if f.children != nil {
			b.WriteString(" {" + plain(f.children) + " }")
		}
	}
	return b.String()
}

// wardrobe dresses a selection: in fragments, under other names, said twice, with fields that are skipped.
type wardrobe struct {
	*rapid.T
	fragments []string
	aliases   int
}

func (w *wardrobe) dress(of []*branch) string {
	var b strings.Builder
	for _, f := range of {
		f.alias = f.name
		label := f.name
		if w.aliases < 40 && rapid.IntRange(0, 2).Draw(w.T, "alias") == 0 {
			w.aliases++
			f.alias = fmt.Sprintf("a%d", w.aliases)
			label = f.alias + ": " + f.name
		}
		text := " " + label + f.args
		if f.children != nil {
			if n := len(f.children); n > 1 && rapid.IntRange(0, 3).Draw(w.T, "twice") == 0 {
				text += " {" + w.dress(f.children[:n/2]) + " }" + text + " {" + w.dress(f.children[n/2:]) + " }"
			} else {
				text += " {" + w.dress(f.children) + " }"
			}
		}
		if rapid.IntRange(0, 8).Draw(w.T, "skipped") == 0 {
			text += rapid.SampledFrom([]string{" never: __typename @skip(if: $yes)", " never: __typename @include(if: $no)", " ... @skip(if: true) { never: __typename }"}).Draw(w.T, "how")
		}
		switch rapid.IntRange(0, 11).Draw(w.T, "dress") {
		case 0:
			text = " ... {" + text + " }"
		case 1:
			text = " ... on " + f.on + " @include(if: $yes) {" + text + " }"
		case 2, 3:
			name := fmt.Sprintf("F%d", len(w.fragments))
			w.fragments = append(w.fragments, "fragment "+name+" on "+f.on+" {"+text+" }")
			text = " ..." + name
			if rapid.Bool().Draw(w.T, "again") {
				text += " ..." + name + " @skip(if: $no)"
			}
		}
		b.WriteString(text)
	}
	return b.String()
}

// undress takes an answer to a dressed selection back to the names of the plain one.
func undress(v any, of []*branch) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = undress(e, of)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for _, f := range of {
			if e, ok := v[f.alias]; ok {
				out[f.name] = undress(e, f.children)
			}
		}
		if len(v) != len(out) {
			out["something else"] = fmt.Sprint(v)
		}
		return out
	}
	return v
}

func TestTheAnswerIsTheSameHoweverASelectionIsDressed(t *testing.T) {
	w := shared()
	v := w.viewer("kiel-caseworker", authz.Substantial)
	rapid.Check(t, func(t *rapid.T) {
		root := rapid.SampledFrom([]string{"cases(first: 3)", "followUps(last: 2)", "tenants(first: 2)", "offerings(first: 2)"}).Draw(t, "root")
		typ := map[byte]string{'c': "CaseConnection", 'f': "FollowUpConnection", 't': "TenantConnection", 'o': "ServiceOfferingConnection"}[root[0]]
		selection := grow(t, w, v, typ, 5)
		want := v.ask("{ it: "+root+" {"+plain(selection)+" } }", nil)
		if len(want.Errors) > 0 {
			if want.Errors[0].Extensions["rule"] == "tooComplex" || want.Errors[0].Extensions["rule"] == "tooCostly" {
				t.Skip("more than may be asked")
			}
			t.Fatalf("%s\n%s", plain(selection), want.Raw)
		}
		d := &wardrobe{T: t}
		text := d.dress(selection)
		document := "query($yes: Boolean!, $no: Boolean = false) { it: " + root + " {" + text + " __typename @include(if: $yes) @skip(if: $yes) x: __typename @include(if: $no) } }\n" + strings.Join(d.fragments, "\n")
		got := v.ask(document, map[string]any{"yes": true})
		if len(got.Errors) > 0 && got.Errors[0].Extensions["rule"] == "tooComplex" {
			t.Skip("more than may be asked")
		}
		if undressed := undress(got.At("it"), selection); !same(undressed, want.At("it")) {
			t.Errorf("%s\n%s\n%s\n%s", plain(selection), want.Raw, document, got.Raw)
		}
	})
}

// TestWhatIsSelectedIsWhatIsAnswered has the corners of the language, with the answer as it is written.
func TestWhatIsSelectedIsWhatIsAnswered(t *testing.T) {
	w := shared()
	v := w.viewer("kiel-caseworker", authz.Substantial)
	mine := inOrder(w.seen(v, w.rows["Case"]), natural["Case"])
	// A case with what the documents below ask for.
	at := slices.IndexFunc(mine, func(r *row) bool {
		return len(w.behind(r, "messages")) > 2 && len(w.behind(r, "decisions")) > 0 && len(w.behind(r, "submission")) == 1 && r.values["unit_id"] != nil
	})
	c := mine[at]
	messages := inOrder(w.behind(c, "messages"), natural["Message"])
	decision := inOrder(w.behind(c, "decisions"), natural["Decision"])[0]
	id, m0, m1, mz := c.gid(), messages[0].gid(), messages[1].gid(), messages[len(messages)-1].gid()
	submission := w.behind(c, "submission")[0]
	items, _ := submission.values["form_data"].([]any)
	total := len(mine)
	for name, x := range map[string]struct {
		document  string
		variables map[string]any
		want      string
	}{
		"fields in the order of the selection": {"query($id: ID!) { case(id: $id) { state id number } }", nil, fmt.Sprintf(`{"case":{"state":%q,"id":%q,"number":%q}}`, c.text("state"), id, c.text("number"))},
		"an alias for each field":              {"query($id: ID!) { c: case(id: $id) { a: id b: id __typename t: __typename } }", nil, fmt.Sprintf(`{"c":{"a":%q,"b":%[1]q,"__typename":"Case","t":"Case"}}`, id)},
		"one list twice": {"query($id: ID!) { case(id: $id) { one: messages(first: 1) { nodes { id } } two: messages(first: 2) { totalCount nodes { id } } end: messages(last: 1) { nodes { id } } } }", nil,
			fmt.Sprintf(`{"case":{"one":{"nodes":[{"id":%q}]},"two":{"totalCount":%d,"nodes":[{"id":%[1]q},{"id":%[3]q}]},"end":{"nodes":[{"id":%[4]q}]}}}`, m0, len(messages), m1, mz)},
		"one list with two filters": {`query($id: ID!) { case(id: $id) { to: messages(first: 1, where: { direction: TO_APPLICANT }) { totalCount } from: messages(first: 1, where: { direction: [FROM_APPLICANT] }) { totalCount } } }`, nil,
			fmt.Sprintf(`{"case":{"to":{"totalCount":%d},"from":{"totalCount":%d}}}`, count(messages, "direction", "TO_APPLICANT"), count(messages, "direction", "FROM_APPLICANT"))},
		"the count alone": {"{ cases(first: 5) { totalCount } }", nil, fmt.Sprintf(`{"cases":{"totalCount":%d}}`, total)},
		"the page alone":  {"{ cases(first: 5) { pageInfo { hasNextPage hasPreviousPage } } }", nil, `{"cases":{"pageInfo":{"hasNextPage":true,"hasPreviousPage":false}}}`},
		"an empty page":   {"{ cases(first: 0) { totalCount nodes { id } edges { cursor } pageInfo { hasNextPage startCursor endCursor } } }", nil, fmt.Sprintf(`{"cases":{"totalCount":%d,"nodes":[],"edges":[],"pageInfo":{"hasNextPage":true,"startCursor":null,"endCursor":null}}}`, total)},
		"an empty page from the end": {"{ cases(last: 0) { nodes { messages(first: 1) { nodes { id } } } pageInfo { hasNextPage hasPreviousPage } } }", nil,
			`{"cases":{"nodes":[],"pageInfo":{"hasNextPage":false,"hasPreviousPage":true}}}`},
		"nothing but the type": {"{ cases(first: 1) { __typename nodes { __typename } edges { __typename node { __typename } } pageInfo { __typename } } }", nil,
			`{"cases":{"__typename":"CaseConnection","nodes":[{"__typename":"Case"}],"edges":[{"__typename":"CaseEdge","node":{"__typename":"Case"}}],"pageInfo":{"__typename":"PageInfo"}}}`},
		"everything skipped":                 {"{ cases(first: 2) { nodes { id @skip(if: true) } totalCount @include(if: false) } }", nil, `{"cases":{"nodes":[{},{}]}}`},
		"everything in an object is skipped": {"query($id: ID!) { case(id: $id) { service { title @skip(if: true) } unit { name @include(if: false) } } }", nil, `{"case":{"service":{},"unit":{}}}`},
		"the same field said three ways": {"query($id: ID!) { case(id: $id) { id ...A ... on Node { id } ... on Case { id service { title } } } } fragment A on Case { id service { leikaKey } }", nil,
			fmt.Sprintf(`{"case":{"id":%q,"service":{"leikaKey":%q,"title":%q}}}`, id, w.behind(c, "service")[0].text("leika_key"), w.behind(c, "service")[0].text("title"))},
		"types behind Node": {"query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Case { number } ... on Decision { outcome } ... on Node { again: id } ... on Service { title } } }", map[string]any{"ids": []string{decision.gid(), id, "?", decision.gid()}},
			fmt.Sprintf(`{"nodes":[{"__typename":"Decision","id":%q,"outcome":%q,"again":%[1]q},{"__typename":"Case","id":%[3]q,"number":%[4]q,"again":%[3]q},null,{"__typename":"Decision","id":%[1]q,"outcome":%[2]q,"again":%[1]q}]}`, decision.gid(), decision.text("outcome"), id, c.text("number"))},
		"fragments in fragments": {"query($id: ID!) { node(id: $id) { ...N } } fragment N on Node { ...C } fragment C on Case { messages(first: 1) { ...M } } fragment M on MessageConnection { nodes { ...I case { ...I } } } fragment I on Node { id }", nil,
			fmt.Sprintf(`{"node":{"messages":{"nodes":[{"id":%q,"case":{"id":%q}}]}}}`, m0, id)},
		"to and fro": {"query($id: ID!) { case(id: $id) { messages(first: 1) { nodes { case { messages(last: 1) { nodes { case { decisions(first: 1) { nodes { message { case { id } } } } } } } } } } } }", nil,
			fmt.Sprintf(`{"case":{"messages":{"nodes":[{"case":{"messages":{"nodes":[{"case":{"decisions":{"nodes":[{"message":{"case":{"id":%q}}}]}}}]}}}]}}}`, id)},
		"part of a document": {"query($id: ID!, $no: Boolean!) { case(id: $id) { submission { formData { t: __typename name none: label @include(if: $no) stringValue } } } }", map[string]any{"no": false}, ""},
		"nothing of a document": {"query($id: ID!) { case(id: $id) { submission { formData { name @skip(if: true) } } } }", nil,
			`{"case":{"submission":{"formData":[` + strings.TrimSuffix(strings.Repeat("{},", len(items)), ",") + `]}}}`},
		"a page by variables": {"query($f: Int, $l: Int, $a: Cursor, $w: CaseFilter, $o: [CaseOrder!] = [{ field: NUMBER, direction: DESC }]) { cases(first: $f, last: $l, after: $a, where: $w, orderBy: $o) { totalCount } }",
			map[string]any{"f": 3, "l": nil, "w": map[string]any{"and": []any{map[string]any{"not": nil}}, "number": map[string]any{"eq": nil, "isNull": false}}}, fmt.Sprintf(`{"cases":{"totalCount":%d}}`, total)},
		"parts of a filter by variables": {"query($s: [CaseState!], $n: String, $i: Int = 1) { cases(first: $i, where: { state: $s, number: { eq: $n }, or: [{ number: { eq: $n } }, { state: $s }] }) { totalCount } }",
			map[string]any{"n": c.text("number")}, `{"cases":{"totalCount":1}}`},
		"by slug":          {`{ tenant(slug: "kiel") { slug } none: tenant(slug: "Kiel") { slug } }`, nil, `{"tenant":{"slug":"kiel"},"none":null}`},
		"by a broken slug": {`query($s: String!) { tenant(slug: $s) { slug } }`, map[string]any{"s": "kiel\x00"}, `{"tenant":null}`},
		"by a broken key":  {`query($s: LeikaKey!) { service(leikaKey: $s) { title } }`, map[string]any{"s": "\x00"}, `{"service":null}`},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "part of a document" {
				parts := make([]string, len(items))
				for i, it := range items {
					m, _ := it.(map[string]any)
					value := "null"
					if s, ok := m["stringValue"]; ok {
						value = literal(s)
					}
					parts[i] = fmt.Sprintf(`{"t":"FormField","name":%s,"stringValue":%s}`, literal(m["name"]), value)
				}
				x.want = `{"case":{"submission":{"formData":[` + strings.Join(parts, ",") + `]}}}`
			}
			variables := map[string]any{}
			if strings.Contains(x.document, "$id:") {
				variables["id"] = id
			}
			maps.Copy(variables, x.variables)
			got := v.ask(x.document, variables)
			if string(got.Raw) != `{"data":`+x.want+`}` {
				t.Errorf("%s\n%s\ninstead of %s", x.document, got.Raw, x.want)
			}
		})
	}
}

func count(rows []*row, column, value string) (n int) {
	for _, r := range rows {
		if r.text(column) == value {
			n++
		}
	}
	return n
}

func TestAThingThatTheContractDoesNotKnowIsNoNode(t *testing.T) {
	w := shared()
	v := w.viewer("sh-admin", authz.Substantial)
	for table, number := range map[string]byte{"role_assignments": 17, "connectors": 5} {
		var id [16]byte
		if err := w.db.QueryRow(t.Context(), "select id from "+table+" where place between 10000000000000 and 19999999999999 limit 1").Scan(&id); err != nil {
			t.Fatal(err)
		}
		_, known := w.rows[map[byte]string{17: "RoleAssignment", 5: "Connector"}[number]]
		got := v.ask("query($id: ID!) { node(id: $id) { __typename id } nodes(ids: [$id]) { id } }", map[string]any{"id": globalID(number, id)})
		if !known && string(got.Raw) != `{"data":{"node":null,"nodes":[null]}}` {
			t.Errorf("%s: %s", table, got.Raw)
		}
	}
}
