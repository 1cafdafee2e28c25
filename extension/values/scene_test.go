// SPDX-License-Identifier: EUPL-1.2

package values_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/internal/housetest"
)

const (
	parking = "99108001001000" // Bewohnerparkausweis
	kiel    = "010020000000"

	ofSH = `
extend type Case { "Number plate." kennzeichen: String @filterable @from(path: ["fahrzeug", "kennzeichen"]) }
extend type Applicant { "Number of a customer." kundennummer: String @dataClass(class: PERSONAL) @from(path: ["fahrzeug", "kennzeichen"]) }
extend type Message { "Subject matter." thema: String @filterable @sortable "How urgent." rang: Int @filterable @sortable }
extend type Decision { "Fee in cents." gebuehr: Int }
extend type Service { "Group of products." gruppe: String @filterable @sortable "Steps." schritte: [String!] }
extend type ServiceOffering { "Where to ask." auskunft: String @filterable }`
	ofKiel = `
extend type Service { "Room." kiel_raum: String @filterable }
extend type ServiceOffering { "Counter." kiel_schalter: Int @filterable }`
)

// house is a house in which Schleswig-Holstein and Kiel have added something to every type.
type house struct {
	*housetest.House
	worker, kielAdmin, shAdmin *housetest.Caller
	service, offering          string // of Kiel, by global id
}

func open(t *testing.T) *house {
	t.Helper()
	h := &house{House: housetest.New(t)}
	h.Define("sh", ofSH)
	h.Define("kiel", ofKiel)
	h.worker, h.kielAdmin, h.shAdmin = h.As("kiel-caseworker"), h.As("kiel-admin"), h.As("sh-admin")
	h.knows(h.worker, "ServiceExtension", "kiel_raum")
	h.knows(h.shAdmin, "ServiceExtension", "gruppe")
	h.service = h.worker.Ask(`query($k: LeikaKey!) { service(leikaKey: $k) { id } }`, map[string]any{"k": parking}).Works().Text("service.id")
	h.offering = h.worker.Ask(`query($k: LeikaKey!, $r: RegionalKey!) { responsibleOffering(serviceKey: $k, regionalKey: $r) { id } }`,
		map[string]any{"k": parking, "r": kiel}).Works().Text("responsibleOffering.id")
	return h
}

// knows waits until somebody's schema has a name.
func (h *house) knows(c *housetest.Caller, typ, name string) {
	h.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		a := c.Ask(`query($t: String!) { __type(name: $t) { fields { name } } }`, map[string]any{"t": typ}).Works()
		if strings.Contains(string(a.Raw), `"`+name+`"`) {
			return
		}
	}
	h.Fatalf("%s has no %s", typ, name)
}

func (h *house) asks(c *housetest.Caller, document string, variables map[string]any, want string) {
	h.Helper()
	var got struct{ Data json.RawMessage }
	if err := json.Unmarshal(c.Ask(document, variables).Works().Raw, &got); err != nil || string(got.Data) != want {
		h.Errorf("%s:\ngot  %s\nwant %s", document, got.Data, want)
	}
}

func (h *house) setsService(c *housetest.Caller, values map[string]any) housetest.Answer {
	h.Helper()
	return c.Say("setServiceExtension", map[string]any{"serviceId": h.service, "extension": values})
}

func (h *house) setsOffering(c *housetest.Caller, values map[string]any) housetest.Answer {
	h.Helper()
	return c.Say("setServiceOfferingExtension", map[string]any{"serviceOfferingId": h.offering, "extension": values})
}

func TestWhatHangsOnACaseIsExtendedAsTheCaseIs(t *testing.T) {
	t.Parallel()
	h := open(t)
	c := h.As("kiel-applicant").Submit(parking, kiel)
	h.asks(h.worker, `query($id: ID!) { case(id: $id) { extension { kennzeichen } applicant { extension { kundennummer } } } }`, map[string]any{"id": c.ID},
		`{"case":{"extension":{"kennzeichen":"KI-XX 123"},"applicant":{"extension":{"kundennummer":"KI-XX 123"}}}}`)
	h.worker.Must("acceptCase", &c, map[string]any{"documentsComplete": true, "fileReference": "1"})
	h.worker.Must("startCase", &c, nil)
	ids := make([]string, 3)
	for i := range ids {
		ids[i] = h.worker.Must("sendMessage", &c, map[string]any{"subject": "Mitteilung", "body": "Text", "replyPolicy": "FORBIDDEN"}).Text("sendMessage.message.id")
	}
	for i, rang := range []int{2, 1} {
		h.worker.Must("setMessageExtension", &c, map[string]any{"messageId": ids[i], "extension": map[string]any{"thema": "Parken", "rang": rang}})
	}
	decision := h.worker.Must("decideCase", &c, map[string]any{"outcome": "GRANTED"}).Text("decideCase.decision.id")
	h.worker.Must("setDecisionExtension", &c, map[string]any{"decisionId": decision, "extension": map[string]any{"gebuehr": 3070}})
	before := c.Revision
	h.worker.Must("setApplicantExtension", &c, map[string]any{"extension": map[string]any{"kundennummer": "K 1"}})
	if c.Revision != before+1 {
		t.Errorf("from revision %d to %d", before, c.Revision)
	}
	h.worker.Must("setApplicantExtension", &c, map[string]any{"extension": map[string]any{"kundennummer": "K 1"}})
	if c.Revision != before+1 {
		t.Error("writing the same again is a change")
	}
	asked := map[string]any{"id": c.ID}
	h.asks(h.worker, `query($id: ID!) { case(id: $id) { applicant { extension { kundennummer } } decisions(first: 2) { nodes { extension { __typename gebuehr } } }
		messages(first: 9, where: {extension: {thema: {eq: "Parken"}}}, orderBy: [{extension: {rang: ASC}}]) { totalCount nodes { extension { rang thema } } } } }`, asked,
		`{"case":{"applicant":{"extension":{"kundennummer":"K 1"}},"decisions":{"nodes":[{"extension":{"__typename":"DecisionExtension","gebuehr":3070}}]},`+
			`"messages":{"totalCount":2,"nodes":[{"extension":{"rang":1,"thema":"Parken"}},{"extension":{"rang":2,"thema":"Parken"}}]}}}`)
	h.asks(h.worker, `query($id: ID!) { case(id: $id) { messages(first: 2, orderBy: [{extension: {rang: DESC}}]) { nodes { extension { rang } } pageInfo { hasNextPage } } } }`, asked,
		`{"case":{"messages":{"nodes":[{"extension":{"rang":2}},{"extension":{"rang":1}}],"pageInfo":{"hasNextPage":true}}}}`)

	// What is wrong is told by its path, what belongs to another case is missing, and a finished case stays as it is.
	other := h.As("kiel-applicant").Submit(parking, kiel)
	set := func(on *housetest.Case, verb string, in map[string]any) string { return fmt.Sprint(h.worker.Do(verb, on, in).Problem()["path"]) }
	if got := set(&other, "setMessageExtension", map[string]any{"messageId": ids[0], "extension": map[string]any{"rang": 1}}); got != "[input messageId]" {
		t.Errorf("a message of another case: %s", got)
	}
	if a := h.worker.Do("setDecisionExtension", &c, map[string]any{"decisionId": decision, "extension": map[string]any{"gebuehr": 1.5}}); len(a.Errors) != 1 || a.Errors[0].Extensions["rule"] != "invalidDocument" {
		t.Errorf("a fee that is no whole number: %s", a.Raw)
	}
	h.worker.Must("closeCase", &c, nil)
	h.worker.Do("setApplicantExtension", &c, map[string]any{"extension": map[string]any{"kundennummer": "K 2"}}).Wants("caseClosed")

	// Whoever reads personal data of an applicant is written down; history, events and audit log hold no value.
	if err := h.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	var access, told string
	if err := h.Database().QueryRow(t.Context(), `select (select coalesce(string_agg(fields::text, ''), '') from access_entries),
		(select string_agg(to_jsonb(h)::text, '') from history_events h) || (select string_agg(to_jsonb(e)::text, '') from events e)`).Scan(&access, &told); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(access, "ApplicantExtension.kundennummer") {
		t.Errorf("the access log: %s", access)
	}
	if strings.Count(told, "EXTENSION_CHANGED") != 8 || strings.Contains(told, "Parken") || strings.Contains(told, "3070") || strings.Contains(told, "K 1") {
		t.Errorf("history and events: %s", told)
	}
}

func TestWhatAnOwnerSaysOfTheCatalogueHoldsAtItAndBelowAndNowhereElse(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.setsService(h.shAdmin, map[string]any{"gruppe": "Verkehr", "schritte": []any{"a", "b"}}).Works()
	h.setsService(h.kielAdmin, map[string]any{"kiel_raum": "R 1"}).Works()
	h.setsOffering(h.kielAdmin, map[string]any{"auskunft": "Rathaus", "kiel_schalter": 4}).Works()
	for who, rule := range map[*housetest.Caller]string{h.kielAdmin: "notAllowed", h.shAdmin: ""} {
		if got := h.setsService(who, map[string]any{"gruppe": "Verkehr"}).Rule(); got != rule {
			t.Errorf("%s writes what the Land says: %q, not %q", who.Name, got, rule)
		}
	}
	h.As("luebeck-caseworker")
	luebeck := h.Give("luebeck-admin", "TENANT_ADMIN", "luebeck", "")
	if got := h.setsOffering(luebeck, map[string]any{"auskunft": "Anderswo"}).Rule(); got != "notAllowed" {
		t.Errorf("Lübeck writes of an offering of Kiel: %q", got)
	}
	if a := h.worker.Ask(`mutation($id: ID!) { setServiceExtension(input: {serviceId: $id, extension: {kiel_raum: "x"}}) { problems { __typename } } }`, map[string]any{"id": h.service}); !a.Unknown() {
		t.Errorf("a caseworker knows the verb: %s", a.Raw)
	}

	const service = `query($k: LeikaKey!) { service(leikaKey: $k) { extension { gruppe schritte } } }`
	const offering = `query($k: LeikaKey!, $r: RegionalKey!) { responsibleOffering(serviceKey: $k, regionalKey: $r) { extension { auskunft } } }`
	asked := map[string]any{"k": parking, "r": kiel}
	for _, who := range []*housetest.Caller{h.worker, h.kielAdmin, h.shAdmin, h.As("luebeck-caseworker")} {
		h.asks(who, service, map[string]any{"k": parking}, `{"service":{"extension":{"gruppe":"Verkehr","schritte":["a","b"]}}}`)
		h.asks(who, offering, asked, `{"responsibleOffering":{"extension":{"auskunft":"Rathaus"}}}`)
		h.asks(who, `{ services(first: 5, where: {extension: {gruppe: {startsWith: "Verk"}}}, orderBy: [{extension: {gruppe: DESC}}]) { totalCount nodes { leikaKey } } }`, nil,
			`{"services":{"totalCount":1,"nodes":[{"leikaKey":"`+parking+`"}]}}`)
		h.asks(who, `{ offerings(first: 5, where: {extension: {auskunft: {eq: "Rathaus"}}}) { totalCount } }`, nil, `{"offerings":{"totalCount":1}}`)
	}
	h.asks(h.worker, `query($k: LeikaKey!) { service(leikaKey: $k) { extension { kiel_raum gruppe } } cases(first: 1, where: {service: {extension: {kiel_raum: {eq: "R 1"}}}}) { totalCount } }`,
		map[string]any{"k": parking}, `{"service":{"extension":{"kiel_raum":"R 1","gruppe":"Verkehr"}},"cases":{"totalCount":0}}`)
	h.asks(h.worker, `{ services(first: 2, orderBy: [{extension: {gruppe: ASC}}, {field: TITLE}]) { nodes { extension { gruppe } } } }`, nil,
		`{"services":{"nodes":[{"extension":{"gruppe":"Verkehr"}},{"extension":{"gruppe":null}}]}}`)

	// For everybody else the same as a name that never was.
	for _, name := range []string{"muenchen-caseworker", "kiel-applicant"} {
		who := h.As(name)
		for _, form := range []string{
			`{ services(first: 1) { nodes { extension { § } } } }`, `{ services(first: 1, where: {extension: {§: {eq: "Verkehr"}}}) { totalCount } }`,
			`{ services(first: 1, orderBy: [{extension: {§: ASC}}]) { totalCount } }`,
		} {
			a, b := who.Ask(strings.ReplaceAll(form, "§", "gruppe"), nil), who.Ask(strings.ReplaceAll(form, "§", "qqqqqq"), nil)
			if string(b.Raw) != strings.ReplaceAll(string(a.Raw), "gruppe", "qqqqqq") {
				t.Errorf("%s: %s and %s", form, a.Raw, b.Raw)
			}
		}
		h.asks(who, `query($k: LeikaKey!) { service(leikaKey: $k) { extension } }`, map[string]any{"k": parking}, `{"service":{"extension":null}}`)
	}
	var lines string
	if err := h.Database().QueryRow(t.Context(), `select string_agg(to_jsonb(a)::text, '') from audit_entries a where action = 'EXTENSION_WRITTEN'`).Scan(&lines); err != nil {
		t.Fatal(err)
	}
	if strings.Count(lines, "EXTENSION_WRITTEN") != 3 || !strings.Contains(lines, h.service) || strings.Contains(lines, "Verkehr") {
		t.Errorf("the audit log: %s", lines)
	}
}

func TestPersonalDataHaveNoPlaceInTheCatalogue(t *testing.T) {
	t.Parallel()
	h := open(t)
	sh := h.shAdmin.Ask(`{ tenant(slug: "sh") { id } }`, nil).Works().Text("tenant.id")
	for _, sdl := range []string{
		`extend type Service { "Who." wer: String @dataClass(class: PERSONAL) }`,
		`"Somebody." type Jemand { "Who." wer: String @dataClass(class: SENSITIVE) } extend type ServiceOffering { "Who." wer: [Jemand!] }`,
	} {
		h.shAdmin.Say("defineExtension", map[string]any{"tenantId": sh, "sdl": sdl, "expectedVersion": 1, "dryRun": true}).Wants("misplacedDirective")
	}
}
