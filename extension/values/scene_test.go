// SPDX-License-Identifier: EUPL-1.2

package values_test

import (
	"encoding/json"
	"fmt"
	"slices"
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

func (h *house) counts(question string) (n int) {
	h.Helper()
	if err := h.Database().QueryRow(h.Context(), question).Scan(&n); err != nil {
		h.Fatal(err)
	}
	return n
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
	h.worker.Must("setDecisionExtension", &c, map[string]any{"decisionId": decision, "extension": map[string]any{"gebuehr": 30702611}})
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
		`{"case":{"applicant":{"extension":{"kundennummer":"K 1"}},"decisions":{"nodes":[{"extension":{"__typename":"DecisionExtension","gebuehr":30702611}}]},`+
			`"messages":{"totalCount":2,"nodes":[{"extension":{"rang":1,"thema":"Parken"}},{"extension":{"rang":2,"thema":"Parken"}}]}}}`)
	h.asks(h.worker, `query($id: ID!) { case(id: $id) { messages(first: 2, orderBy: [{extension: {rang: DESC}}]) { nodes { extension { rang } } pageInfo { hasNextPage } } } }`, asked,
		`{"case":{"messages":{"nodes":[{"extension":{"rang":2}},{"extension":{"rang":1}}],"pageInfo":{"hasNextPage":true}}}}`)

	// What is wrong is told by its path, what belongs to another case is missing, and a finished case stays as it is.
	other := h.As("kiel-applicant").Submit(parking, kiel)
	set := func(on *housetest.Case, verb string, in map[string]any) string {
		return fmt.Sprint(h.worker.Do(verb, on, in).Problem()["path"])
	}
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
	if strings.Count(told, "EXTENSION_CHANGED") != 8 || strings.Contains(told, "Parken") || strings.Contains(told, "30702611") || strings.Contains(told, "K 1") {
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

const shares = `
"How something is built." enum Bauart { "New." NEUBAU "Changed." UMBAU }
"A part." type Bauteil { "What." was: String "Area." flaeche: Float "When." am: Date }
extend type Case {
  "Number plate." kennzeichen: String @from(path: ["fahrzeug", "kennzeichen"])
  "How it is built." bauart: Bauart @shared(with: ["by"])
  "The parts." bauteile: [Bauteil!] @shared(with: ["muenchen", "by"])
  "Storeys." geschosse: Int @shared(with: ["muenchen"]) @dataClass(class: PERSONAL)
  "Whether." denkmal: Boolean @shared(with: ["luebeck"])
  "Seen." begehung: DateTime @shared(with: ["federation"])
}`

// everyValue asks for all that is added to a case in one form.
const everyValue = `query($id: ID!) { case(id: $id) { extensionValues { owner name path type text int float boolean date dateTime } } }`

// names are the fields that somebody is told of a case.
func (h *house) names(c *housetest.Caller, id string) string {
	h.Helper()
	a := c.Ask(everyValue, map[string]any{"id": id}).Works()
	list, ok := a.At("case.extensionValues").([]any)
	if !ok {
		h.Errorf("%s sees no list: %s", c.Name, a.Raw)
	}
	var out []string
	for _, v := range list {
		if name := v.(map[string]any)["name"].(string); len(out) == 0 || out[len(out)-1] != name {
			out = append(out, name)
		}
	}
	return strings.Join(out, " ")
}

func TestWhatAnOwnerSharesIsToldValueByValueAndNothingElseIs(t *testing.T) {
	t.Parallel()
	h := open(t)
	across := func(name, other string) *housetest.Caller {
		h.Give(name, "AUDITOR", "kiel", "")
		return h.Give(name, "AUDITOR", other, "")
	}
	c := h.As("kiel-applicant").Submit(parking, kiel)
	bavarian, berliner, luebecker := across("bavarian", "muenchen"), across("elsewhere", "by"), across("luebecker", "luebeck")
	if got := h.names(bavarian, c.ID); got != "" {
		t.Errorf("told before anything is shared: %s", got)
	}
	nothing := bavarian.Ask(everyValue, map[string]any{"id": c.ID}).Raw

	h.Define("sh", shares)
	h.knows(h.worker, "CaseExtension", "begehung")
	h.worker.Must("setCaseExtension", &c, map[string]any{"extension": map[string]any{
		"kennzeichen": "KI 1", "bauart": "UMBAU", "geschosse": 3, "denkmal": false, "begehung": "2026-01-02T03:04:05Z",
		"bauteile": []any{map[string]any{"was": "Dach", "flaeche": 1.5}, map[string]any{"am": "2026-05-06"}},
	}})
	for who, want := range map[*housetest.Caller]string{
		h.worker:               "kennzeichen bauart bauteile geschosse denkmal begehung",
		bavarian:               "bauart bauteile geschosse begehung",
		berliner:               "bauart bauteile begehung",
		luebecker:              "kennzeichen bauart bauteile geschosse denkmal begehung", // at home in Schleswig-Holstein
		h.As("kiel-applicant"): "",
	} {
		got := strings.Fields(h.names(who, c.ID))
		wanted := strings.Fields(want)
		slices.Sort(got)
		slices.Sort(wanted)
		if !slices.Equal(got, wanted) {
			t.Errorf("%s is told %v, not %v", who.Name, got, wanted)
		}
	}
	const of = `{"owner":"sh","name":"%s","path":%s,"type":"%s","text":%s,"int":%s,"float":%s,"boolean":null,"date":%s,"dateTime":%s}`
	told := string(bavarian.Ask(everyValue, map[string]any{"id": c.ID}).Works().Raw)
	for _, want := range []string{
		fmt.Sprintf(of, "bauart", "[]", "Bauart", `"UMBAU"`, "null", "null", "null", "null"),
		fmt.Sprintf(of, "bauteile", `["0","was"]`, "String", `"Dach"`, "null", "null", "null", "null"),
		fmt.Sprintf(of, "bauteile", `["0","flaeche"]`, "Float", "null", "null", "1.5", "null", "null"),
		fmt.Sprintf(of, "bauteile", `["1","am"]`, "Date", "null", "null", "null", `"2026-05-06"`, "null"),
		fmt.Sprintf(of, "geschosse", "[]", "Int", "null", "3", "null", "null", "null"),
		fmt.Sprintf(of, "begehung", "[]", "DateTime", "null", "null", "null", "null", `"2026-01-02T03:04:05Z"`),
	} {
		if !strings.Contains(told, want) {
			t.Errorf("%s is not told: %s", want, told)
		}
	}
	if strings.Contains(told, "KI 1") || strings.Contains(told, "kennzeichen") {
		t.Errorf("what is not shared is told: %s", told)
	}
	// In their own schema it still does not exist.
	a := bavarian.Ask(`{ cases(first: 1) { nodes { extension { bauart } } } }`, nil)
	b := bavarian.Ask(`{ cases(first: 1) { nodes { extension { qqqqqq } } } }`, nil)
	if !a.Unknown() || string(b.Raw) != strings.ReplaceAll(string(a.Raw), "bauart", "qqqqqq") {
		t.Errorf("%s and %s", a.Raw, b.Raw)
	}
	if err := h.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	for reader, want := range map[string]int{bavarian.Name: 1, berliner.Name: 0} {
		var n int
		if err := h.Database().QueryRow(t.Context(), `select count(*) from access_entries where reader like '%' || $1 and fields::text like '%Case.extensionValues%'`, reader).Scan(&n); err != nil || min(n, 1) != want {
			t.Errorf("%s: %d lines of the access log: %v", reader, n, err)
		}
	}

	// What is not shared any more is, byte for byte, what never was.
	h.Define("sh", strings.NewReplacer(`@shared(with: ["by"])`, "", `@shared(with: ["muenchen", "by"])`, "", `@shared(with: ["muenchen"])`, "", `@shared(with: ["federation"])`, "").Replace(shares))
	for end := time.Now().Add(20 * time.Second); string(bavarian.Ask(everyValue, map[string]any{"id": c.ID}).Raw) != string(nothing); {
		if time.Now().After(end) {
			t.Fatalf("told %s, not %s", bavarian.Ask(everyValue, map[string]any{"id": c.ID}).Raw, nothing)
		}
	}
}

func TestSharingIsDefinedWithWhoIsThere(t *testing.T) {
	t.Parallel()
	h := open(t)
	sh := h.shAdmin.Ask(`{ tenant(slug: "sh") { id } }`, nil).Works().Text("tenant.id")
	define := func(sdl string) housetest.Answer {
		return h.shAdmin.Say("defineExtension", map[string]any{"tenantId": sh, "sdl": sdl, "expectedVersion": 1, "dryRun": true})
	}
	for sdl, rule := range map[string]string{
		`extend type Case { "X." x: Int @shared(with: ["nobody"]) }`:                                            "unknownValue",
		`extend type Case { "X." x: Int @shared(with: []) }`:                                                    "required",
		`extend type Case { "X." x: Int @shared(with: ["';--"]) }`:                                              "badName",
		`extend type Service { "X." x: Int @shared(with: ["by"]) }`:                                             "misplacedDirective",
		`"D." type Ding { "X." x: Int @shared(with: ["by"]) } extend type Case { "D." d: Ding }`:                "misplacedDirective",
		`extend type Case { "X." x: Int @shared(with: ["` + strings.Join(make([]string, 51), `a","`) + `a"]) }`: "tooMany",
	} {
		define(sdl).Wants(rule)
	}
	a := define(`extend type Case { "Number plate." kennzeichen: String @filterable @shared(with: ["by"]) }`).Works()
	if !strings.Contains(string(a.Raw), `{"class":"DANGEROUS","kind":"shared","coordinate":"Case.kennzeichen","lost":false}`) {
		t.Errorf("sharing is not told as a change: %s", a.Raw)
	}
}
