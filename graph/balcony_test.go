// SPDX-License-Identifier: EUPL-1.2

package graph_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/cmd"
	"github.com/ozg-cloud/platform/internal/housetest"
	"github.com/ozg-cloud/platform/schema"
)

const (
	balconyOfSH = `
		"How something is built (Bauart)."
		enum Bauart { "New." NEUBAU "Added to." ANBAU "Changed." UMBAU }
		"A part of a building (Bauteil)."
		type Bauteil { "What it is." bezeichnung: String "Square metres." flaeche: Float }
		"Somebody who builds (Bauherr)."
		type Bauherr { "Its name." name: String @filterable @sortable @dataClass(class: PERSONAL) }
		extend type Case {
			"Parcel (Flurstück)." flurstueck: String @filterable @sortable
			"How it is built." bauart: Bauart @filterable @sortable
			"Storeys." geschosse: Int @filterable @sortable
			"Who builds." bauherr: Bauherr
			"The parts." bauteile: [Bauteil!]
		}`
	balconyOfBavaria = `extend type Case { "Parcel (Flurstück)." flurstueck: Int @filterable @sortable }`
)

// ofTheBalcony ask for what Schleswig-Holstein has added, wherever a name can stand.
var ofTheBalcony = map[string]question{
	"a field":                          {"bauart", "qqqqqq", `{ cases(first: 1) { nodes { extension { § } } } }`, ""},
	"a field of a node":                {"geschosse", "qqqqqqqqq", `{ node(id: "x") { ... on Case { extension { § } } } }`, ""},
	"a field under an alias":           {"bauart", "qqqqqq", `query($no: Boolean!) { cases(first: 1) { edges { node { e: extension { a: § @skip(if: $no) } } } } }`, `{"no": false}`},
	"an object":                        {"bauherr", "qqqqqqq", `{ cases(first: 1) { nodes { extension { § { name } } } } }`, ""},
	"a field of an object":             {"bauherr", "qqqqqqq", `{ cases(first: 1) { nodes { extension { § { name zzz } } } } }`, ""},
	"a list of objects":                {"bauteile", "qqqqqqqq", `{ cases(first: 1) { nodes { extension { § { flaeche } } } } }`, ""},
	"a field with an argument":         {"bauart", "qqqqqq", `{ cases(first: 1) { nodes { extension { §(first: 1) } } } }`, ""},
	"a field in a fragment":            {"bauart", "qqqqqq", `{ cases(first: 1) { nodes { extension { ...F } } } } fragment F on CaseExtension { § }`, ""},
	"a type in an inline fragment":     {"Bauherr", "Qqqqqqq", `{ node(id: "x") { ... on § { name } } }`, ""},
	"a type in a fragment":             {"Bauteil", "Qqqqqqq", `{ node(id: "x") { ...F } } fragment F on § { flaeche }`, ""},
	"a condition":                      {"bauart", "qqqqqq", `{ cases(first: 1, where: {extension: {§: {eq: NEUBAU}}}) { totalCount } }`, ""},
	"a condition on nothing":           {"geschosse", "qqqqqqqqq", `{ cases(first: 1, where: {extension: {§: {isNull: true}}}) { totalCount } }`, ""},
	"a condition further in":           {"geschosse", "qqqqqqqqq", `{ cases(first: 1, where: {or: [{state: NEW}, {not: {extension: {§: {gt: 1}}}}]}) { totalCount } }`, ""},
	"a condition in a variable":        {"geschosse", "qqqqqqqqq", `query($w: CaseFilter) { cases(first: 1, where: $w) { totalCount } }`, `{"w": {"extension": {"§": {"gt": 1}}}}`},
	"a condition that is a variable":   {"bauherr", "qqqqqqq", `query($w: CaseExtensionFilter) { cases(first: 1, where: {extension: $w}) { totalCount } }`, `{"w": {"§": {"name": {"eq": "x"}}}}`},
	"a condition without a value":      {"geschosse", "qqqqqqqqq", `query($v: IntFilter) { cases(first: 1, where: {extension: {§: $v}}) { totalCount } }`, ""},
	"a condition of events":            {"geschosse", "qqqqqqqqq", `{ caseEvents(first: 1, where: {cases: {extension: {§: {gt: 1}}}}) { newest } }`, ""},
	"an order":                         {"bauart", "qqqqqq", `{ cases(first: 1, orderBy: [{extension: {§: ASC}}]) { totalCount } }`, ""},
	"an order in a variable":           {"geschosse", "qqqqqqqqq", `query($o: [CaseOrder!]) { cases(first: 1, orderBy: $o) { totalCount } }`, `{"o": [{"extension": {"§": "DESC"}}]}`},
	"the type of a variable: a value":  {"Bauart", "Qqqqqq", `query($v: §) { cases(first: 1, where: {extension: {bauart: {eq: $v}}}) { totalCount } }`, `{"v": "NEUBAU"}`},
	"the type of a variable: a filter": {"BauartFilter", "Qqqqqqqqqqqq", `query($v: §) { cases(first: 1, where: {extension: {bauart: $v}}) { totalCount } }`, `{"v": {"eq": "NEUBAU"}}`},
	"the type of a variable: an order": {"BauherrOrder", "Qqqqqqqqqqqq", `query($v: §) { cases(first: 1, orderBy: [{extension: {bauherr: $v}}]) { totalCount } }`, `{"v": {"name": "ASC"}}`},
	"a type in introspection":          {"Bauart", "Qqqqqq", `{ __type(name: "§") { kind name enumValues { name } } }`, ""},
	"an input in introspection":        {"BauherrFilter", "Qqqqqqqqqqqqq", `{ __type(name: "§") { kind name inputFields { name } } }`, ""},
	"a field that is nearly right":     {"bauartt", "qqqqqqq", `{ cases(first: 1) { nodes { extension { § } } } }`, ""},
	"a condition that is nearly right": {"geschoss", "qqqqqqqq", `{ cases(first: 1, where: {extension: {§: {gt: 1}}}) { totalCount } }`, ""},
	"an order that is nearly right":    {"geschoss", "qqqqqqqq", `{ cases(first: 1, orderBy: [{extension: {§: ASC}}]) { totalCount } }`, ""},
	"a type that is nearly right":      {"Bauherrn", "Qqqqqqqq", `{ node(id: "x") { ...F } } fragment F on § { name }`, ""},
}

// until asks again and again until an answer is as wanted: a house knows of a definition within a second.
func until(h *housetest.House, ask func() housetest.Answer, wanted func(housetest.Answer) bool) {
	h.Helper()
	for end := time.Now().Add(20 * time.Second); ; {
		a := ask()
		if wanted(a) {
			return
		}
		if time.Now().After(end) {
			h.Fatalf("it does not come: %s", a.Raw)
		}
	}
}

// knows waits until somebody's contract has a type.
func knows(h *housetest.House, who *housetest.Caller, typ string) {
	h.Helper()
	until(h, func() housetest.Answer { return who.Ask(`{ __type(name: "`+typ+`") { name } }`, nil) },
		func(a housetest.Answer) bool { return a.At("__type") != nil })
}

// balconies is a house in which Schleswig-Holstein and Bavaria have added something.
func balconies(t *testing.T, changes ...func(*cmd.Ground)) *housetest.House {
	t.Helper()
	h := housetest.New(t, changes...)
	h.Define("sh", balconyOfSH)
	h.Define("by", balconyOfBavaria)
	knows(h, h.As("kiel-caseworker"), "Bauart")
	until(h, func() housetest.Answer {
		return h.As("muenchen-caseworker").Ask(`{ cases(first: 1) { nodes { extension { flurstueck } } } }`, nil)
	},
		func(a housetest.Answer) bool { return len(a.Errors) == 0 })
	return h
}

func TestWhatALandAddsIsForAllOthersWhatNeverWas(t *testing.T) {
	t.Parallel()
	for mode, h := range map[string]*housetest.House{
		"in development": balconies(t),
		"in production":  balconies(t, func(g *cmd.Ground) { g.Development = false }),
	} {
		several := h.Give("of-both", "CASEWORKER", "kiel", "")
		h.Give("of-both", "CASEWORKER", "muenchen", "")
		for _, who := range []*housetest.Caller{h.As("somebody-who-applies"), h.As("kiel-applicant"), h.As("muenchen-caseworker"), several, h.Anonymous()} {
			for name, q := range ofTheBalcony {
				if hidden, never := q.twice(t, who); hidden != never {
					t.Errorf("%s, %s, by %s:\n%s\n%s", mode, name, who.Name, hidden, never)
				}
			}
		}
	}
}

// TestTheQuestionsFindTheBalcony is the twin: asked by somebody who may know, each tells the name from one that never was.
func TestTheQuestionsFindTheBalcony(t *testing.T) {
	t.Parallel()
	h := balconies(t)
	for _, name := range []string{"kiel-caseworker", "luebeck-caseworker", "sh-admin"} {
		for what, q := range ofTheBalcony {
			if hidden, never := q.twice(t, h.As(name)); hidden == never {
				t.Errorf("%s, by %s: it cannot be told: %s", what, name, hidden)
			}
		}
	}
}

func TestEachTenantIsServedItsOwnContract(t *testing.T) {
	t.Parallel()
	h := balconies(t)
	get := func(who *housetest.Caller, match string) (string, http.Header, int) {
		r := h.Request(http.MethodGet, "/schema.graphql")
		if match != "" {
			r.Header.Set("If-None-Match", match)
		}
		a := who.Send(r)
		return string(a.Raw), a.Header, a.Status
	}
	own, head, _ := get(h.As("kiel-caseworker"), "")
	inherited, _, _ := get(h.As("luebeck-caseworker"), "")
	other, _, _ := get(h.As("muenchen-caseworker"), "")
	standard, plain, _ := get(h.Anonymous(), "")
	if !strings.Contains(own, "type Bauteil {") || inherited != own {
		t.Error("Kiel and Lübeck have not what Schleswig-Holstein adds")
	}
	if strings.Contains(other, "Bauteil") || !strings.Contains(other, "flurstueck: Int") {
		t.Error("Bavaria has not its own")
	}
	if standard != schema.SDL() || strings.Contains(standard, "type Bauteil {") || strings.Contains(standard, "flurstueck:") {
		t.Error("nobody is served the standard house")
	}
	if head.Get("ETag") == plain.Get("ETag") {
		t.Error("two contracts have one hash")
	}
	if _, _, status := get(h.As("luebeck-caseworker"), head.Get("ETag")); status != http.StatusNotModified {
		t.Errorf("it is not recognised: %d", status)
	}
	if _, _, status := get(h.As("muenchen-caseworker"), head.Get("ETag")); status != http.StatusOK {
		t.Errorf("the contract of others is recognised: %d", status)
	}
}

func TestAQueryIsAnsweredWhereItIsValidAlsoWhenTwoTenantsSendItAtTheSameTime(t *testing.T) {
	t.Parallel()
	h := balconies(t)
	const query = `{ cases(first: 1, where: {extension: {flurstueck: {startsWith: "12"}}}) { totalCount } }`
	var group sync.WaitGroup
	for range 8 {
		for name, valid := range map[string]bool{"kiel-caseworker": true, "luebeck-caseworker": true, "muenchen-caseworker": false, "somebody-who-applies": false} {
			group.Go(func() { // over the same kept-alive connections
				if a := h.As(name).Ask(query, nil); (len(a.Errors) == 0) != valid {
					t.Errorf("%s: %s", name, a.Raw)
				}
			})
		}
	}
	group.Wait()
}

func TestAChangeOfDefinitionsIsKnownOnEveryReplicaAndAStreamKeepsWhatItBeganWith(t *testing.T) {
	t.Parallel()
	h := balconies(t)
	other := h.Another()
	who := h.As("kiel-caseworker")
	s := who.Follow(`subscription { caseEvents { __typename ... on CaseEvent { case { extension { geschosse } } } } }`, nil)
	if first := s.Next(); first.Type == "" {
		t.Fatal(first.Raw)
	}
	h.Define("sh", strings.Replace(balconyOfSH, `"Storeys." geschosse: Int @filterable @sortable`, `"Height." hoehe: Float @filterable`, 1))
	const after = `{ cases(first: 1) { nodes { extension { hoehe } } } }`
	for _, replica := range []*housetest.House{h, other} {
		until(replica, func() housetest.Answer { return replica.As("kiel-caseworker").Ask(after, nil) }, func(a housetest.Answer) bool { return len(a.Errors) == 0 })
		if a := replica.As("kiel-caseworker").Ask(`{ cases(first: 1) { nodes { extension { geschosse } } } }`, nil); len(a.Errors) == 0 {
			t.Errorf("what has gone is there: %s", a.Raw)
		}
	}
	h.As("kiel-applicant").Submit("99108001001000", "010020000000")
	told := s.Next()
	for told.Type == "StreamCheckpoint" {
		told = s.Next()
	}
	if got, err := json.Marshal(told.Frame["case"]); err != nil || string(got) != `{"extension":{"geschosse":null}}` {
		t.Errorf("the stream has lost what it began with: %s", told.Raw)
	}
}
