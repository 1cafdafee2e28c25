// SPDX-License-Identifier: EUPL-1.2

package housetest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/internal/demo"
	"github.com/ozg-cloud/platform/internal/housetest"
)

const (
	buildingPermit = "99012008001000" // Baugenehmigung
	inKiel         = "010020000000"
	inLuebeck      = "010030000000"
	inMuenchen     = "091620000000"
)

// adds brings what a Land adds into force over its own desk: tried, handed in, activated, and known to the house.
func adds(h *housetest.House, slug string) {
	h.Helper()
	admin := h.As(slug + "-admin")
	id := admin.Ask(`query($s: String!) { tenant(slug: $s) { id } }`, map[string]any{"s": slug}).Works().Text("tenant.id")
	in := map[string]any{"tenantId": id, "sdl": demo.BalkonOf[slug], "expectedVersion": 0, "dryRun": true}
	tried := admin.Say("defineExtension", in).Works()
	if tried.Rule() != "" || tried.Text("defineExtension.extensionDefinition.id") != "" || !strings.Contains(string(tried.Raw), `{"class":"SAFE","kind":"fieldAdded","coordinate":"Case.flurstueck","lost":false}`) {
		h.Fatalf("a dry run: %s", tried.Raw)
	}
	in["dryRun"] = false
	made := admin.Say("defineExtension", in).Works().Text("defineExtension.extensionDefinition.id")
	if a := admin.Say("activateExtension", map[string]any{"extensionDefinitionId": made}).Works(); a.Text("activateExtension.extensionDefinition.state") != "ACTIVE" {
		h.Fatalf("it is not in force: %s", a.Raw)
	}
	for end := time.Now().Add(20 * time.Second); ; {
		a := admin.Ask(`{ cases(first: 1) { nodes { extension { flurstueck } } } }`, nil)
		if len(a.Errors) == 0 {
			return
		}
		if time.Now().After(end) {
			h.Fatalf("the house does not know of it: %s", a.Raw)
		}
	}
}

// permit hands in an application for a building permit.
func permit(h *housetest.House, region, transaction string, flurstueck string, flur int, bauart string, parts ...string) housetest.Case {
	h.Helper()
	text := func(name, value string) map[string]any {
		return map[string]any{"name": name, "label": name, "stringValue": value}
	}
	items := []any{text("flurstueck", flurstueck), text("bauart", bauart), map[string]any{"name": "flurnummer", "label": "flurnummer", "numberValue": flur},
		map[string]any{"name": "geschossflaeche", "label": "geschossflaeche", "numberValue": 10 * flur}}
	for i, p := range parts {
		items = append(items, map[string]any{"name": "bauteil", "label": "bauteil", "formItems": []any{
			text("bezeichnung", p), map[string]any{"name": "flaeche", "label": "flaeche", "numberValue": 10 * (i + 1)},
		}})
	}
	a := h.As("kiel-applicant").Ask(`mutation($in: SubmitApplicationInput!) { submitApplication(input: $in) { case { id revision } problems { ... on Problem { title } } } }`, map[string]any{"in": map[string]any{
		"serviceKey": buildingPermit, "regionalKey": region, "transactionId": transaction, "applicant": map[string]any{"name": "Erika Beispiel"},
		"formData": []any{map[string]any{"name": "anliegen", "label": "Anliegen", "formItems": items}},
	}}).Works()
	c := housetest.Case{ID: a.Text("submitApplication.case.id"), Revision: a.Number("submitApplication.case.revision")}
	if c.ID == "" {
		h.Fatalf("no permit: %s", a.Raw)
	}
	return c
}

// got is a part of an answer as text.
func got(h *housetest.House, a housetest.Answer, path string) string {
	h.Helper()
	text, err := json.Marshal(a.Works().At(path))
	if err != nil {
		h.Fatal(err)
	}
	return string(text)
}

// asked are questions for what Schleswig-Holstein adds, § standing for the name, or for one as long that never was.
var asked = map[string]struct{ name, never, document, variables string }{
	"selected":              {"bauart", "qqqqqq", `{ cases(first: 1) { nodes { extension { § } } } }`, ""},
	"selected in an object": {"bauteile", "qqqqqqqq", `{ cases(first: 1) { nodes { extension { § { flaeche } } } } }`, ""},
	"nearly":                {"bauartt", "qqqqqqq", `{ cases(first: 1) { nodes { extension { § } } } }`, ""},
	"a fragment":            {"bauart", "qqqqqq", `{ cases(first: 1) { nodes { extension { ...F } } } } fragment F on CaseExtension { § }`, ""},
	"a fragment on a type":  {"Bauteil", "Qqqqqqq", `{ node(id: "x") { ...F } } fragment F on § { flaeche }`, ""},
	"a filter":              {"bauart", "qqqqqq", `{ cases(first: 1, where: {extension: {§: {eq: NEUBAU}}}) { totalCount } }`, ""},
	"a filter in variables": {"bauart", "qqqqqq", `query($w: CaseFilter) { cases(first: 1, where: $w) { totalCount } }`, `{"w": {"extension": {"§": {"eq": "NEUBAU"}}}}`},
	"an order":              {"bauart", "qqqqqq", `{ cases(first: 1, orderBy: [{extension: {§: ASC}}]) { totalCount } }`, ""},
	"an order in variables": {"bauart", "qqqqqq", `query($o: [CaseOrder!]) { cases(first: 1, orderBy: $o) { totalCount } }`, `{"o": [{"extension": {"§": "DESC"}}]}`},
	"a variable":            {"Bauart", "Qqqqqq", `query($v: §) { cases(first: 1, where: {extension: {bauart: {eq: $v}}}) { totalCount } }`, `{"v": "NEUBAU"}`},
	"a type":                {"Bauart", "Qqqqqq", `{ __type(name: "§") { kind name enumValues { name } } }`, ""},
	"events":                {"bauart", "qqqqqq", `{ caseEvents(first: 1, where: {cases: {extension: {§: {eq: NEUBAU}}}}) { newest } }`, ""},
	"a group":               {"EXTENSION_BAUART", "EXTENSION_QQQQQQ", `{ caseStatistics(scope: "by", product: EXACT, measures: [OPEN], groupBy: [§]) { rows { at } } }`, ""},
	"a group in variables": {"EXTENSION_BAUART", "EXTENSION_QQQQQQ", `query($by: [StatisticsAxis!]) { caseStatistics(scope: "by", product: EXACT, measures: [OPEN], groupBy: $by) { rows { at } } }`,
		`{"by": ["STATE", "§"]}`},
	"figures of some": {"EXTENSION_BAUART", "EXTENSION_QQQQQQ", `{ caseStatistics(scope: "by", product: EXACT, measures: [OPEN], where: [{axis: §, values: ["NEUBAU"]}]) { rows { at } } }`, ""},
	"a sum":           {"EXTENSION_GESCHOSSFLAECHE", "EXTENSION_QQQQQQQQQQQQQQQ", `{ caseStatistics(scope: "by", product: EXACT, measures: [OPEN], sums: [§]) { rows { at } } }`, ""},
	"figures watched": {"EXTENSION_BAUART", "EXTENSION_QQQQQQ", `subscription { caseStatistics(scope: "by", measures: [OPEN], groupBy: [§]) { rows { at } } }`, ""},
	"a verb":          {"bauart", "qqqqqq", `mutation { setCaseExtension(input: {caseId: "x", expectedRevision: 1, extension: {§: NEUBAU}}) { case { id } } }`, ""},
}

// tellable asks everything twice, for what Schleswig-Holstein adds and for a name that never was, and gives the questions whose answers differ.
func tellable(h *housetest.House, who *housetest.Caller) []string {
	h.Helper()
	var out []string
	for what, q := range asked {
		var answers [2]string
		for i, name := range []string{q.name, q.never} {
			var variables map[string]any
			if q.variables != "" {
				if err := json.Unmarshal([]byte(strings.ReplaceAll(q.variables, "§", name)), &variables); err != nil {
					h.Fatal(err)
				}
			}
			a := who.Ask(strings.ReplaceAll(q.document, "§", name), variables)
			answers[i] = fmt.Sprint(a.Status, strings.ReplaceAll(string(a.Raw), name, "§"))
		}
		if answers[0] != answers[1] {
			out = append(out, what)
		}
	}
	slices.Sort(out)
	return out
}

func TestALandHasFieldsOfItsOwnAndNobodyElseEverHearsOfThem(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	adds(h, "sh")
	adds(h, "by")
	first := permit(h, inKiel, "p-1", "12/3", 12, "NEUBAU", "Erdgeschoss", "Dach")
	permit(h, inKiel, "p-2", "7/1", 7, "UMBAU")
	third := permit(h, inKiel, "p-3", "40/2", 40, "NEUBAU", "Garage")
	luebeck := permit(h, inLuebeck, "p-4", "99/9", 99, "ANBAU", "Keller")
	muenchen := permit(h, inMuenchen, "p-5", "812/1", 812, "NEUBAU")
	kiel := h.As("kiel-caseworker")

	// Kiel sees, filters, sorts.
	a := kiel.Ask(`query($no: Boolean!) { cases(first: 10, where: {extension: {flurstueck: {eq: "12/3"}}}) { nodes { id extension { ...mine art: bauart bauteile @skip(if: $no) { bezeichnung } } } } }
		fragment mine on CaseExtension { flurstueck bauteile { __typename bezeichnung flaeche } }`, map[string]any{"no": true})
	if text := got(h, a, "cases.nodes"); text != `[{"extension":{"art":"NEUBAU","bauteile":[{"__typename":"Bauteil","bezeichnung":"Erdgeschoss","flaeche":10},{"__typename":"Bauteil","bezeichnung":"Dach","flaeche":20}],"flurstueck":"12/3"},"id":"`+first.ID+`"}]` {
		t.Errorf("Kiel sees %s", text)
	}
	for want, question := range map[string]string{
		`[{"id":"` + third.ID + `"},{"id":"` + first.ID + `"}]`: `{ cases(first: 10, where: {extension: {bauart: {in: [NEUBAU, ANBAU]}}}) { nodes { id } } }`,
		`[{"extension":{"flurstueck":"12/3"}},{"extension":{"flurstueck":"40/2"}},{"extension":{"flurstueck":"7/1"}}]`: `{ cases(first: 10, where: {extension: {flurstueck: {isNull: false}}},
			orderBy: [{extension: {flurstueck: ASC}}]) { nodes { extension { flurstueck } } } }`,
	} {
		if text := got(h, kiel.Ask(question, nil), "cases.nodes"); text != want {
			t.Errorf("%s: %s", question, text)
		}
	}

	// Kiel receives them: the events of the cases that meet a condition, and a list as it moves.
	stream := kiel.Follow(`subscription { caseEvents(where: {types: [EXTENSION_CHANGED], cases: {extension: {bauart: {eq: UMBAU}}}}) { __typename ... on CaseEvent { case { id extension { bauart bauteile { flaeche } } } } } }`, nil)
	list := kiel.Follow(`subscription($w: CaseFilter) { workList(where: $w) { __typename ... on WorkListChange { move caseId case { extension { flurstueck } } } } }`,
		map[string]any{"w": map[string]any{"extension": map[string]any{"flurstueck": map[string]any{"startsWith": "12/"}, "bauart": map[string]any{"ne": "NEUBAU"}}}})
	for _, s := range []*housetest.Stream{stream, list} {
		if told := s.Next(); told.Type != "StreamCheckpoint" {
			t.Fatalf("a stream begins with %s", told.Raw)
		}
	}
	h.As("kiel-mailroom").Must("acceptCase", &first, map[string]any{"documentsComplete": true, "fileReference": "1"})
	h.As("kiel-mailroom").Must("acceptCase", &third, map[string]any{"documentsComplete": true, "fileReference": "3"})
	kiel.Must("setCaseExtension", &third, map[string]any{"extension": map[string]any{"flurstueck": "40/3"}}) // goes on being NEUBAU: nobody is told
	kiel.Must("setCaseExtension", &first, map[string]any{"extension": map[string]any{"bauart": "UMBAU"}})
	if told := happens(stream); fmt.Sprint(told.Frame["case"]) != fmt.Sprint(map[string]any{"id": first.ID, "extension": map[string]any{"bauart": "UMBAU", "bauteile": []any{map[string]any{"flaeche": 10}, map[string]any{"flaeche": 20}}}}) {
		t.Errorf("told: %s", told.Raw)
	}
	moves(list, first, "ENTERED")
	kiel.Must("setCaseExtension", &first, map[string]any{"extension": map[string]any{"flurstueck": "13/1"}})
	moves(list, first, "LEFT")
	stream.Close()
	list.Close()

	// Lübeck inherits; Bavaria has a number of the same name, and nothing else.
	if text := got(h, h.As("luebeck-caseworker").Ask(`{ cases(first: 10, where: {extension: {bauart: {eq: ANBAU}}}) { nodes { id extension { flurstueck bauteile { bezeichnung } } } } }`, nil), "cases.nodes"); text !=
		`[{"extension":{"bauteile":[{"bezeichnung":"Keller"}],"flurstueck":"99/9"},"id":"`+luebeck.ID+`"}]` {
		t.Errorf("Lübeck sees %s", text)
	}
	bavarian := h.As("muenchen-caseworker")
	if text := got(h, bavarian.Ask(`{ cases(first: 10, where: {extension: {flurstueck: {gte: 800}}}, orderBy: [{extension: {flurstueck: DESC}}]) { nodes { id extension { flurstueck } } } }`, nil), "cases.nodes"); text !=
		`[{"extension":{"flurstueck":812},"id":"`+muenchen.ID+`"}]` {
		t.Errorf("München sees %s", text)
	}
	if a := bavarian.Ask(`{ cases(first: 10, where: {extension: {flurstueck: {startsWith: "8"}}}) { totalCount } }`, nil); !a.Unknown() {
		t.Errorf("Bavaria's field has Schleswig-Holstein's type: %s", a.Raw)
	}

	// Kiel groups and sums, and so does the Land: exactly, as of now.
	for more := true; more; {
		var err error
		if more, err = h.Tally.Fold(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	const grouped = `query($scope: String!, $by: [StatisticsAxis!], $where: [StatisticsWhere!], $sums: [StatisticsSum!]) {
		caseStatistics(scope: $scope, product: EXACT, measures: [OPEN], groupBy: $by, where: $where, sums: $sums) { axes rows { at figures { count sums { field cases sum mean } } } } }`
	counting := h.Give("kiel-counting", "TENANT_ADMIN", "kiel", "")
	for _, row := range []struct {
		who       *housetest.Caller
		variables map[string]any
		want      string
	}{
		{counting, map[string]any{"scope": "kiel", "by": []string{"EXTENSION_BAUART"}}, `[["NEUBAU"] 1] [["UMBAU"] 2]`},
		{h.As("sh-analyst"), map[string]any{"scope": "sh", "by": []string{"AUTHORITY", "EXTENSION_BAUART"}}, `[["kiel","NEUBAU"] 1] [["kiel","UMBAU"] 2] [["luebeck","ANBAU"] 1]`},
		{h.As("sh-analyst"), map[string]any{"scope": "sh", "by": []string{"STATE"}, "where": []any{map[string]any{"axis": "EXTENSION_BAUART", "values": []string{"UMBAU", "ANBAU"}}}},
			`[["ACCEPTED"] 1] [["NEW"] 2]`},
		{h.As("sh-analyst"), map[string]any{"scope": "sh", "by": []string{"AUTHORITY"}, "sums": []string{"EXTENSION_GESCHOSSFLAECHE"}},
			`[["kiel"] 3 {"cases":3,"field":"EXTENSION_GESCHOSSFLAECHE","mean":196.66666666666666,"sum":590}] [["luebeck"] 1 {"cases":1,"field":"EXTENSION_GESCHOSSFLAECHE","mean":990,"sum":990}]`},
	} {
		if said := figures(t, row.who.Ask(grouped, row.variables)); said != row.want {
			t.Errorf("%s asks for %v: %s", row.who.Name, row.variables, said)
		}
	}

	inFile := func(who *housetest.Caller, scope, axis string) string {
		r := h.Request(http.MethodPost, "/statistics.csv")
		r.Body = io.NopCloser(strings.NewReader(`{"scope": "` + scope + `", "product": "EXACT", "measures": ["OPEN"], "groupBy": ["` + axis + `"]}`))
		r.Header.Set("Content-Type", "application/json")
		a := who.Send(r)
		return fmt.Sprint(a.Status, " ", string(a.Raw))
	}
	if said := inFile(h.As("sh-analyst"), "sh", "EXTENSION_BAUART"); !strings.HasPrefix(said, "200 EXTENSION_BAUART,open,") || !strings.Contains(said, "\nUMBAU,2,") {
		t.Errorf("in a file: %s", said)
	}
	if said, never := inFile(h.As("by-admin"), "by", "EXTENSION_BAUART"), inFile(h.As("by-admin"), "by", "EXTENSION_QQQQQQ"); said != never || !strings.HasPrefix(said, "400 ") {
		t.Errorf("in a file of Bavaria's: %s, and of what never was: %s", said, never)
	}

	// For everybody else there is nothing.
	for _, who := range []*housetest.Caller{h.Anonymous(), h.As("kiel-applicant"), h.As("somebody"), bavarian, h.As("by-admin"), h.As("federation-analyst")} {
		if found := tellable(h, who); len(found) > 0 {
			t.Errorf("%q can tell what Schleswig-Holstein adds from nothing: %v", who.Name, found)
		}
	}
}

// figures are the rows of figures, each with its numbers.
func figures(t *testing.T, a housetest.Answer) string {
	t.Helper()
	var read struct {
		Rows []struct {
			At      json.RawMessage
			Figures []struct {
				Count int
				Sums  []json.RawMessage
			}
		}
	}
	text, _ := json.Marshal(a.Works().At("caseStatistics"))
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range read.Rows {
		said := fmt.Sprint(string(r.At), " ", r.Figures[0].Count)
		for _, s := range r.Figures[0].Sums {
			said += " " + string(s)
		}
		out = append(out, "["+said+"]")
	}
	return strings.Join(out, " ")
}

// moves waits until a list tells that a case moves, and tells of no other but that it left.
func moves(s *housetest.Stream, c housetest.Case, move string) {
	for {
		told := happens(s)
		switch {
		case told.Text("caseId") == c.ID && told.Text("move") == move:
			return
		case told.Text("caseId") != c.ID && told.Text("move") != "LEFT": // that the case itself has changed may be told beside it, as events are read late
			panic("a case that is not in the list") // a test that goes on would wait for ever
		}
	}
}

// happens waits for what is no checkpoint.
func happens(s *housetest.Stream) housetest.Told {
	for {
		if told := s.Next(); told.Type != "StreamCheckpoint" {
			return told
		}
	}
}

// TestALeakOfFieldsIsNoticedByEachQuestion is the twin: what Schleswig-Holstein adds leaks to Bavaria.
func TestALeakOfFieldsIsNoticedByEachQuestion(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	adds(h, "sh")
	h.Define("by", demo.BalkonOf["sh"])
	who := h.As("muenchen-caseworker")
	for end := time.Now().Add(20 * time.Second); who.Ask(`{ __type(name: "Bauteil") { name } }`, nil).Works().At("__type") == nil; {
		if time.Now().After(end) {
			t.Fatal("nothing leaks")
		}
	}
	found, all := append(tellable(h, who), tellable(h, h.As("by-admin"))...), slices.Sorted(maps.Keys(asked)) // who works on cases, and who reads figures
	slices.Sort(found)
	if found = slices.Compact(found); !slices.Equal(found, all) {
		t.Errorf("only %v of %v notice", found, all)
	}
}
