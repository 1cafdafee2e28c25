// SPDX-License-Identifier: EUPL-1.2

package graph_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ozg-cloud/platform/internal/housetest"
	"github.com/ozg-cloud/platform/schema"
)

// canary is in every value that is sent on purpose wrongly. Nothing that comes back and nothing that is logged may have it.
const canary = "Kanarienvogel7f3a"

// bad are values to put where a value of a type belongs, as JSON, by name. elsewhere has ids that mean something somewhere else.
func bad(contract *ast.Schema, typ *ast.Type, elsewhere map[string]string) map[string]json.RawMessage {
	out := map[string]json.RawMessage{
		"null": raw(nil), "a yes": raw(true), "a number": raw(7), "a fraction": raw(1.5), "minus one": raw(-1), "naught": raw(0),
		"a number of 20 digits": json.RawMessage("12345678901234567890"), "a number beyond all floats": json.RawMessage("1e400"),
		"below 32 bits": json.RawMessage("-2147483649"), "beyond 32 bits": json.RawMessage("2147483648"), "minus naught": json.RawMessage("-0"),
		"a text": raw(canary), "an empty text": raw(""), "blanks": raw(" \t\u00a0\u2028"), "an empty list": raw([]any{}), "a list": raw([]any{canary}),
		"a list of lists": raw([]any{[]any{[]any{canary}}}), "a list of null": raw([]any{nil}), "an object": raw(map[string]any{canary: canary}), "an empty object": raw(map[string]any{}),
	}
	add := func(name string, v any) { out[name] = raw(v) }
	if def := contract.Types[typ.Name()]; typ.Elem == nil && def.Kind == ast.Scalar && !slices.Contains([]string{"Int", "Float", "Boolean"}, def.Name) {
		maps.Copy(out, map[string]json.RawMessage{
			"200 KB of text": raw(canary + strings.Repeat("ä", 100_000)), "a null character": raw(canary + "\x00"),
			"the first half of a pair": json.RawMessage(`"` + canary + `\ud800"`), "the second half of a pair": json.RawMessage(`"\udc00` + canary + `"`),
			"line breaks": raw(canary + "\r\nSet-Cookie: a=b\r\n"), "an end of a statement": raw(canary + "'; drop table cases; --"),
			"a turn of direction": raw("\u202e" + canary), "a form of format": raw(canary + "%s%!d(%[9]v"),
		})
	}
	if typ.Name() == "String" {
		add("1 MB of text", canary+strings.Repeat("x", 1<<20))
	}
	switch name := typ.Name(); {
	case typ.Elem != nil:
		add("a list without end", slices.Repeat([]any{canary}, 10_000))
		add("one too many", slices.Repeat([]any{never("Message")}, 21))
		add("one twice", slices.Repeat([]any{"01980000-0000-7000-8000-000000000000"}, 2))
		nested := any([]any{map[string]any{"name": "ende", "stringValue": canary}})
		for range 9 {
			nested = []any{map[string]any{"name": canary, "formItems": nested}}
		}
		add("nested too deeply", nested)
		for range 100 {
			nested = []any{map[string]any{"name": canary, "formItems": nested}}
		}
		add("nested without end", nested)
		add("without a value", []any{map[string]any{"name": canary}})
		add("with two values", []any{map[string]any{"name": "a", "stringValue": canary, "numberValue": 1}})
		add("many items", slices.Repeat([]any{map[string]any{"name": "a", "stringValue": "b"}}, 501))
	case name == "ID":
		for what, id := range elsewhere {
			add(what, id)
			add("cut off: "+what, id[:len(id)-1])
			add("with an end: "+what, id+"=")
		}
		add("a UUID", "01980000-0000-7000-8000-000000000000")
		add("a UUID in capitals", "01980000-0000-7000-8000-00000000000A")
		add("a UUID in braces", "{01980000-0000-7000-8000-000000000000}")
	case name == "Date":
		for _, day := range []string{"2026-02-30", "9999-12-31", "10000-01-01", "0000-00-00", "0000-01-01", "0001-01-01", "2026-2-3", "-2026-01-01", "2026-02-03T00:00:00Z", "2026-02-03" + canary} {
			add(day, day)
		}
	case name == "LeikaKey" || name == "RegionalKey":
		for _, key := range []string{"99108001001000\n", "９９１０８００１００１０００", "010020000000\n", "01002000000", "0100200000000", "٠١٠٠٢٠٠٠٠٠٠٠", "00000000000000", "000000000000"} {
			add("key "+key, key)
		}
	case name == "Float":
		for _, n := range []string{"1e308", "-1e308", "1e309", "5e-324"} {
			out[n] = json.RawMessage(n)
		}
		add("no number", "NaN")
	default:
		if def := contract.Types[name]; def != nil && def.Kind == ast.Enum {
			for _, v := range def.EnumValues {
				add("small: "+v.Name, strings.ToLower(v.Name))
				add("blank behind: "+v.Name, v.Name+" ")
			}
		}
	}
	return out
}

// place is a field of an input, with the way to it.
type place struct {
	path []string // 0 leads into a list
	typ  *ast.Type
}

// places lists the fields of an input and of the inputs in it.
func places(contract *ast.Schema, def *ast.Definition, path ...string) []place {
	var out []place
	for _, f := range def.Fields {
		at := append(slices.Clone(path), f.Name)
		out = append(out, place{at, f.Type})
		inner := contract.Types[f.Type.Name()]
		if inner.Kind != ast.InputObject || slices.Contains(path, f.Name) {
			continue
		}
		if f.Type.Elem != nil {
			at = append(at, "0")
			out = append(out, place{at, f.Type.Elem})
		}
		out = append(out, places(contract, inner, at...)...)
	}
	return out
}

// put is in with another value at the end of a path; without one the field is missing.
func put(in any, path []string, v json.RawMessage) any {
	if len(path) == 0 {
		return v
	}
	if path[0] == "0" {
		list, _ := in.([]any)
		var first any = map[string]any{"name": "a"}
		if len(list) > 0 {
			first = list[0]
		}
		return []any{put(first, path[1:], v)}
	}
	out := map[string]any{}
	if have, ok := in.(map[string]any); ok {
		maps.Copy(out, have)
	}
	if len(path) == 1 && v == nil {
		delete(out, path[0])
		return out
	}
	if len(path) == 1 && slices.Contains(values, path[0]) {
		for _, other := range values { // an item has exactly one
			delete(out, other)
		}
	}
	out[path[0]] = put(out[path[0]], path[1:], v)
	return out
}

// values are the fields of a form's item of which there is exactly one.
var values = []string{"stringValue", "numberValue", "dateValue", "booleanValue", "formItems"}

var name = regexp.MustCompile(`^[A-Za-z_]\w*$`)

// literal writes JSON as GraphQL writes a value of a type. ok is false where that cannot be.
func literal(contract *ast.Schema, typ *ast.Type, v json.RawMessage) (text string, ok bool) {
	var parsed any
	d := json.NewDecoder(bytes.NewReader(v))
	d.UseNumber()
	if d.Decode(&parsed) != nil {
		return "", false
	}
	var write func(*ast.Type, any) string
	write = func(typ *ast.Type, v any) string {
		var def *ast.Definition
		if typ != nil {
			def = contract.Types[typ.Name()]
		}
		switch v := v.(type) {
		case string:
			if def != nil && def.Kind == ast.Enum && name.MatchString(v) {
				return v
			}
			return string(raw(v))
		case []any:
			var items []string
			for _, i := range v {
				var elem *ast.Type
				if typ != nil {
					elem = typ.Elem
				}
				items = append(items, write(elem, i))
			}
			return "[" + strings.Join(items, ", ") + "]"
		case map[string]any:
			var members []string
			for _, k := range slices.Sorted(maps.Keys(v)) {
				var inner *ast.Type
				if def != nil {
					if f := def.Fields.ForName(k); f != nil {
						inner = f.Type
					}
				}
				members = append(members, k+": "+write(inner, v[k]))
			}
			return "{" + strings.Join(members, ", ") + "}"
		}
		return string(raw(v))
	}
	return write(typ, parsed), true
}

// post sends the body of a GraphQL request as it is.
func (s *stage) post(who *housetest.Caller, body []byte) housetest.Answer {
	s.Helper()
	r := s.Request(http.MethodPost, "/graphql")
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	r.Header.Set("Content-Type", "application/json")
	return who.Send(r)
}

// harmed says what is wrong with the answer to a bad value: a fault of the house, an echo, or something stored although a problem says
// that it was refused. What no verb has seen stores nothing, which the next one shows. A value that is taken is none.
func (s *stage) harmed(a housetest.Answer, before map[string]string) (wrong error) {
	s.Helper()
	if a.Status >= 500 {
		wrong = errors.Join(wrong, fmt.Errorf("status %d", a.Status))
	}
	for _, e := range a.Errors {
		if e.Extensions["code"] == "INTERNAL" {
			wrong = errors.Join(wrong, errors.New("an internal error"))
		}
	}
	if bytes.Contains(a.Raw, []byte(canary)) {
		wrong = errors.Join(wrong, errors.New("the answer repeats what was sent"))
	}
	if a.Problem() == nil {
		return wrong
	}
	for table, after := range s.Stored(s.changing...) {
		if before[table] != after {
			wrong = errors.Join(wrong, fmt.Errorf("refused, and has stored something in %s", table))
		}
	}
	return wrong
}

// taken tells whether the verb worked.
func taken(a housetest.Answer) bool {
	return a.Status == http.StatusOK && len(a.Errors) == 0 && a.Problem() == nil
}

// foreign are ids that name something, but not what is asked for.
func (s *stage) foreign() map[string]string {
	s.Helper()
	there := s.applicant.Submit(parking, luebeck)
	worker := s.As("luebeck-caseworker")
	message := worker.Must("sendMessage", &there, beside["sendMessage"]).Text("sendMessage.message.id")
	followUp := worker.Must("addFollowUp", &there, beside["addFollowUp"]).Text("addFollowUp.followUp.id")
	worker.Must("acceptCase", &there, beside["acceptCase"])
	worker.Must("startCase", &there, nil)
	decision := worker.Must("decideCase", &there, beside["decideCase"]).Text("decideCase.decision.id")
	var unit, tenant uuid.UUID
	err := s.Database().QueryRow(s.Context(), "select u.id, t.id from organisational_units u join tenants t on t.id = u.tenant_id where slug = 'luebeck' limit 1").Scan(&unit, &tenant)
	if err != nil {
		s.Fatal(err)
	}
	return map[string]string{
		"a case of Lübeck": there.ID, "a message of Lübeck": message, "a decision of Lübeck": decision, "a follow-up of Lübeck": followUp, "a unit of Lübeck": idOf("OrganisationalUnit", unit),
		"Lübeck": idOf("Tenant", tenant), "a case that never was": never("Case"), "a message that never was": never("Message"), "a follow-up that never was": never("FollowUp"),
		"somebody else's upload": s.As("another-applicant").Upload("a.txt", []byte("a")),
	}
}

// quoted tells whether a value is the same in a document as in a variable: a text, where the value of an enum would be a bare name.
func quoted(contract *ast.Schema, typ *ast.Type, v json.RawMessage) bool {
	return len(v) > 0 && v[0] == '"' && contract.Types[typ.Name()].Kind != ast.Enum
}

// again are the verbs that work once more on the same case.
var again = map[string]bool{"commentOnCase": true, "addFollowUp": true, "assignCase": true, "sendMessage": true, "decideCase": true}

func TestNoValueOfAnInputDoesHarm(t *testing.T) {
	t.Parallel()
	contract, err := schema.Load()
	if err != nil {
		t.Fatal(err)
	}
	s := build(t)
	elsewhere := s.foreign()
	sent, worked, furniture := 0, 0, s.Stored()
	for _, verb := range mutations(t) {
		typ := contract.Mutation.Fields.ForName(verb).Arguments.ForName("input").Type
		who, in := s.works(verb)
		before := s.Stored(s.changing...)
		try := func(what string, body []byte) {
			sent++
			a := s.post(who, body)
			if err := s.harmed(a, before); err != nil {
				t.Errorf("%s with %s: %v\n%.500s", verb, what, err, a.Raw)
			}
			if taken(a) {
				worked++
				if again[verb] {
					in["expectedRevision"] = a.Number(verb + ".case.revision")
				} else {
					who, in = s.works(verb)
				}
				before = s.Stored(s.changing...)
			}
		}
		written := map[string]bool{} // types of which values were written into the document, too
		everywhere := append([]place{{nil, typ}}, places(contract, contract.Types[typ.Name()])...)
		for _, p := range everywhere {
			candidates := bad(contract, p.typ, elsewhere)
			candidates["missing"] = nil
			for _, what := range slices.Sorted(maps.Keys(candidates)) {
				at := fmt.Sprintf("%s at %v", what, p.path)
				if len(p.path) == 0 && candidates[what] == nil {
					try(at, raw(map[string]any{"query": housetest.Mutation(verb)}))
					continue
				}
				wrong := raw(put(in, p.path, candidates[what]))
				try(at, raw(map[string]any{"query": housetest.Mutation(verb), "variables": map[string]any{"in": wrong}}))
				wrong = raw(put(in, p.path, candidates[what])) // afresh, where the first was taken
				if text, ok := literal(contract, typ, wrong); ok && !written[p.typ.String()] && !quoted(contract, p.typ, candidates[what]) {
					document := strings.Replace(housetest.Mutation(verb), "($in: "+typ.Name()+"!)", "", 1)
					try(at+", in the document", raw(map[string]any{"query": strings.Replace(document, "$in", text, 1)}))
				}
			}
			written[p.typ.String()] = true
		}
		try("a member that is not known", raw(map[string]any{"query": housetest.Mutation(verb), "variables": map[string]any{"in": put(in, []string{canary}, raw(canary))}}))
		try("a variable that is not known", raw(map[string]any{"query": housetest.Mutation(verb), "variables": map[string]any{"in": in, canary: canary}}))
	}
	for table, after := range s.Stored() {
		// Roles that are given and taken in between leave lines in the audit log, and raise its version; so do definitions of extension fields.
		if !slices.Contains(append(s.changing, "audit_entries", "rights_version", "extension_version"), table) && furniture[table] != after {
			t.Errorf("%s had %s, and has %s", table, furniture[table], after)
		}
	}
	if log := s.Log.String(); strings.Contains(log, canary) {
		t.Errorf("the log repeats what was sent: %.1000s", log[strings.Index(log, canary)-200:])
	}
	if strings.Contains(s.Log.String(), "internal error") {
		t.Error("the log has an internal error")
	}
	t.Logf("%d requests, %d taken", sent, worked)
}

func TestTheWatchForHarmFindsIt(t *testing.T) {
	t.Parallel()
	s := build(t)
	c := s.applicant.Submit(parking, kiel)
	// A database that takes nothing any more is a fault of the house.
	if _, err := s.Database().Exec(t.Context(), "alter table comments add constraint seeded check (body = '')"); err != nil {
		t.Fatal(err)
	}
	before := s.Stored(s.changing...)
	fault := s.caseworker.Do("commentOnCase", &c, beside["commentOnCase"])
	if s.harmed(fault, before) == nil {
		t.Error("an internal error is not noticed")
	}
	conflict := s.caseworker.Do("commentOnCase", &housetest.Case{ID: c.ID}, beside["commentOnCase"])
	if err := s.harmed(conflict, before); err != nil {
		t.Errorf("a conflict is taken for harm: %v", err)
	}
	s.caseworker.Must("acceptCase", &c, beside["acceptCase"])
	if s.harmed(conflict, before) == nil {
		t.Error("what was stored is not noticed")
	}
	conflict.Raw = append(conflict.Raw, canary...)
	if s.harmed(conflict, s.Stored(s.changing...)) == nil {
		t.Error("an echo is not noticed")
	}
}
