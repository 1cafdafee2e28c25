// SPDX-License-Identifier: EUPL-1.2

package reading_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/schema"
)

func globalID(number byte, id [16]byte) string { return schema.ID(number, uuid.UUID(id)) }

// cursor asks for a cursor of a list of cases.
func cursor(t testing.TB, v viewer, list string) string {
	t.Helper()
	a := v.ask("{ "+list+" { edges { cursor } } }", nil)
	s := a.Text(list[:strings.IndexByte(list, '(')] + ".edges.0.cursor")
	if s == "" {
		t.Fatalf("%s: %s", list, a.Raw)
	}
	return s
}

// refusesCursor tells whether a cursor is a problem of the caller's, and nothing worse.
func refusesCursor(v viewer, list string, text any) (string, bool) {
	a := v.ask("query($c: Cursor) { "+list+" { totalCount nodes { __typename } } }", map[string]any{"c": text})
	return string(a.Raw), a.Status == 200 && len(a.Errors) == 1 && a.Errors[0].Extensions["rule"] == "badCursor"
}

func TestACursorHoldsForItsListAndOrderOnly(t *testing.T) {
	w := shared()
	v := w.viewer("sh-admin", authz.Substantial)
	id := inOrder(w.seen(v, w.rows["Message"]), nil)[0]
	parent, _ := id.ref("case_id")
	within := fmt.Sprintf("case(id: %q) { messages(first: 1, after: $c)", w.byID[parent].gid())
	own := map[string]string{
		"cases(first: 1)": "cases(first: 1, after: $c)",
		"cases(first: 1, orderBy: { field: NUMBER })":                      "cases(last: 1, before: $c, orderBy: { field: NUMBER })",
		"cases(first: 1, orderBy: { field: NUMBER, direction: DESC })":     "cases(first: 1, after: $c, orderBy: { field: NUMBER, direction: DESC })",
		"cases(first: 1, orderBy: [{ field: DUE_AT }, { field: NUMBER }])": "cases(first: 1, after: $c, orderBy: [{ field: DUE_AT }, { field: NUMBER }])",
		"tenants(first: 1)":                       "tenants(first: 1, after: $c)",
		"services(first: 1)":                      "services(first: 1, after: $c)",
		"offerings(first: 1)":                     "offerings(first: 1, after: $c)",
		"followUps(first: 1)":                     "followUps(first: 1, after: $c)",
		"tenants(last: 1, where: { kind: LAND })": "tenants(last: 1, before: $c, where: { kind: DISTRICT })",
	}
	for from, list := range own {
		c := cursor(t, v, from)
		for other, to := range own {
			answer, refused := refusesCursor(v, to, c)
			// Filters may change while one walks.
			related := other == from || strings.HasPrefix(from, "tenants") && strings.HasPrefix(other, "tenants")
			if refused == related {
				t.Errorf("a cursor of %s in %s: %s", from, to, answer)
			}
		}
		a := v.ask("query($c: Cursor) { "+within+" { totalCount } } }", map[string]any{"c": c})
		if len(a.Errors) != 1 || a.Errors[0].Extensions["rule"] != "badCursor" {
			t.Errorf("a cursor of %s in the messages of a case: %s", list, a.Raw)
		}
	}
}

func TestACursorThatWasTamperedWithIsRefused(t *testing.T) {
	v := shared().viewer("kiel-caseworker", authz.Substantial)
	const list, to = "cases(first: 1, orderBy: { field: DUE_AT })", "cases(first: 1, after: $c, orderBy: { field: DUE_AT })"
	text := cursor(t, v, list)
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	tampered := []any{"", " ", text + "A", text + "=", " " + text, strings.Repeat(text, 60), 5, true, "😀", "\x00"}
	for i := range raw {
		for bit := range 8 {
			b := append([]byte(nil), raw...)
			b[i] ^= 1 << bit
			tampered = append(tampered, base64.RawURLEncoding.EncodeToString(b))
		}
		tampered = append(tampered, base64.RawURLEncoding.EncodeToString(raw[:i]), base64.RawURLEncoding.EncodeToString(raw[i:][min(i, 1):]))
	}
	for i := range text { // among them texts that would decode to the same bytes
		tampered = append(tampered, text[:i], text[:i]+string(text[i]^1)+text[i+1:])
	}
	for _, c := range tampered {
		if c == text {
			continue
		}
		if answer, refused := refusesCursor(v, to, c); !refused {
			t.Errorf("%v: %s", c, answer)
		}
	}
	if answer, refused := refusesCursor(v, to, text); refused {
		t.Errorf("the cursor itself: %s", answer)
	}
}

func TestThePageIsAskedForByExactlyOneLength(t *testing.T) {
	v := shared().viewer("kiel-caseworker", authz.Substantial)
	for _, args := range []string{"", "(first: 1, last: 1)", "(first: -1)", "(last: 101)", "(first: null)", "(first: null, last: null)", "(first: 2147483647)"} {
		a := v.ask("{ cases"+args+" { totalCount } }", nil)
		if a.Status != 200 || len(a.Errors) == 0 || a.Errors[0].Extensions["code"] != "VALIDATION" || a.Data["cases"] != nil {
			t.Errorf("%s: %s", args, a.Raw)
		}
		b := v.ask("{ tenant(slug: \"kiel\") { units"+args+" { totalCount } } }", nil)
		if b.Status != 200 || len(b.Errors) == 0 || b.Errors[0].Extensions["code"] != "VALIDATION" {
			t.Errorf("units%s: %s", args, b.Raw)
		}
	}
}

func FuzzNoTextIsAnIDOrACursorByAccident(f *testing.F) {
	w := shared()
	v := w.viewer("kiel-caseworker", authz.Substantial)
	f.Add(w.rows["Case"][0].gid())
	f.Add(cursor(f, v, "cases(first: 1)"))
	f.Add("")
	f.Add(strings.Repeat("A", 23))
	given := map[string]bool{}
	for _, r := range w.byID {
		given[r.gid()] = true
	}
	f.Fuzz(func(t *testing.T, text string) {
		a := v.ask("query($id: ID!) { node(id: $id) { id } case(id: $id) { id } nodes(ids: [$id]) { id } }", map[string]any{"id": text})
		if len(a.Errors) > 0 || a.At("node.id") != nil && !given[text] {
			t.Errorf("%q: %s", text, a.Raw)
		}
		a = v.ask("query($c: Cursor) { cases(first: 1, before: $c) { totalCount } }", map[string]any{"c": text})
		if len(a.Errors) == 1 && a.Errors[0].Extensions["rule"] != "badCursor" || a.Status != 200 {
			t.Errorf("%q: %s", text, a.Raw)
		}
	})
}
