// SPDX-License-Identifier: EUPL-1.2

package reading_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/internal/housetest"
	"github.com/ozg-cloud/platform/schema"
)

const (
	parkingService = "99108001001000"
	kielRegion     = "010020000000"
)

// observed is a line of the access log.
type observed struct {
	caseID, reader, purpose, fields string
}

// observations are the lines of the access log, once all have been written.
func observations(t testing.TB, h *housetest.House, db *pgx.Conn) []observed {
	t.Helper()
	if err := h.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	rows, err := db.Query(t.Context(), `select case_id, reader, coalesce(purpose, ''), (select string_agg(f, ' ') from jsonb_array_elements_text(fields) f) from access_entries order by id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []observed
	for rows.Next() {
		var (
			o  observed
			id uuid.UUID
		)
		if err := rows.Scan(&id, &o.reader, &o.purpose, &o.fields); err != nil {
			t.Fatal(err)
		}
		o.caseID = schema.ID(catalog.Types["Case"].Number, id)
		out = append(out, o)
	}
	return out
}

// asks is Ask with a purpose.
func asks(t testing.TB, h *housetest.House, c *housetest.Caller, purpose, document string) housetest.Answer {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": document})
	if err != nil {
		t.Fatal(err)
	}
	r := h.Request(http.MethodPost, "/graphql")
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Purpose", purpose)
	return c.Send(r).Works()
}

func TestWhoIsShownPersonalDataIsWrittenDown(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	db := h.Database()
	c := h.As("kiel-applicant").Submit(parkingService, kielRegion)
	clerk := h.As("kiel-caseworker")

	asks(t, h, clerk, "Prüfung 4711", `{ a: cases(first: 5) { nodes { number applicant { kind name } } } b: cases(last: 5) { edges { node { submission { formData { name } } } } } }`)
	got := observations(t, h, db)
	if len(got) != 1 || got[0] != (observed{c.ID, "user:dev:kiel-caseworker", "Prüfung 4711", "Applicant.name Submission.formData"}) {
		t.Fatalf("written: %v", got)
	}

	// What a verb shows is shown as well.
	clerk.Ask(`mutation($in: AcceptCaseInput!) { acceptCase(input: $in) { case { applicant { name } } } }`,
		map[string]any{"in": map[string]any{"caseId": c.ID, "expectedRevision": c.Revision}}).Works()
	if got = observations(t, h, db); len(got) != 2 || got[1] != (observed{c.ID, "user:dev:kiel-caseworker", "", "Applicant.name"}) {
		t.Fatalf("written: %v", got)
	}
}

func TestWhoIsShownNothingPersonalIsNotWrittenDown(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	db := h.Database()
	h.As("kiel-applicant").Submit(parkingService, kielRegion)
	all := `{ cases(first: 5) { totalCount nodes { id number state applicant { name postalAddress } submission { formData { name } } messages(first: 5) { nodes { subject body } } } } }`
	for name, document := range map[string]string{
		"kiel-caseworker":    `{ cases(first: 5, where: {search: "park"}) { totalCount nodes { number service { title } state applicant { kind trustLevel } submission { receivedAt } } } }`,
		"kiel-applicant":     all, // their own
		"luebeck-caseworker": all, // not theirs to see
		"kiel-admin":         `{ cases(first: 5) { nodes { id messages(first: 5) { nodes { sentAt subject body } } submission { formData { name } } } } }`,
	} {
		h.As(name).Ask(document, nil).Works()
		if got := observations(t, h, db); len(got) != 0 {
			t.Errorf("%s: written: %v", name, got)
		}
	}

	// A row that was only looked at, to find out whether there is more, was not shown.
	second := h.As("kiel-applicant").Submit(parkingService, kielRegion)
	h.As("kiel-caseworker").Ask(`{ cases(first: 1) { pageInfo { hasNextPage } nodes { applicant { name } } } }`, nil).Works()
	h.As("kiel-caseworker").Ask(`{ cases(first: 0) { pageInfo { hasNextPage } nodes { applicant { name } } } }`, nil).Works()
	if got := observations(t, h, db); len(got) != 1 || got[0].caseID != second.ID {
		t.Errorf("written: %v, and not %s alone", got, second.ID)
	}
}

// shows collects out of an answer which personal fields it shows of which case. Every thing in it has an alias that says what it is.
func shows(v any, file string, out map[string]map[string]bool) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			shows(e, file, out)
		}
	case map[string]any:
		if id, ok := v["caseID"].(string); ok {
			file = id
		}
		if c, ok := v["ofCase"].(map[string]any); ok {
			file, _ = c["caseID"].(string)
		}
		for name, e := range v {
			if typ, field, ok := strings.Cut(name, "_"); ok && e != nil {
				if out[file] == nil {
					out[file] = map[string]bool{}
				}
				out[file][typ+"."+field] = true
				continue
			}
			shows(e, file, out)
		}
	}
}

// personal are selections on a case; each personal field has an alias that names it.
var personal = []string{
	`applicant { Applicant_name: name Applicant_postalAddress: postalAddress }`,
	`submission { Submission_formData: formData { name stringValue } }`,
	`submission { channel attachments(first: 2) { nodes { Attachment_name: name } } }`,
	`messages(first: 1) { pageInfo { hasNextPage } nodes { Message_subject: subject } }`,
	`messages(last: 2) { edges { node { Message_body: body attachments(first: 1) { nodes { Attachment_name: name } } } } }`,
	`decisions(first: 1) { nodes { Decision_reason: reason message { Message_subject: subject } } }`,
	`attachments(first: 1) { totalCount }`,
	`comments(first: 3) { nodes { body } }`,
	`number`,
}

func TestEveryPersonalFieldThatIsShownHasItsLineAndNoLineSaysMore(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	h.Seed(150, 3)
	db := h.Database()
	h.Give("officer", "AUDITOR", "sh", "")
	h.Give("two-roles", "CASEWORKER", "kiel", "32")
	h.Give("two-roles", "AUDITOR", "luebeck", "")
	done := len(observations(t, h, db))
	rapid.Check(t, func(r *rapid.T) {
		name := rapid.SampledFrom([]string{"kiel-caseworker", "kiel-mailroom", "kiel-admin", "sh-admin", "officer", "two-roles", "partner", "luebeck-caseworker", "muenchen-caseworker"}).Draw(r, "who")
		seen := rapid.SliceOfNDistinct(rapid.SampledFrom(personal), 1, 4, rapid.ID).Draw(r, "what")
		// The same field must not be asked for twice with different arguments.
		chosen, used := []string{}, map[string]bool{}
		for _, s := range seen {
			root, _, _ := strings.Cut(s, "(")
			if root == s || !used[root] {
				chosen, used[root] = append(chosen, s), true
			}
		}
		if name == "sh-admin" || name == "kiel-admin" || name == "officer" || name == "partner" {
			chosen = slices.DeleteFunc(chosen, func(s string) bool { return strings.HasPrefix(s, "comments") }) // which do not exist for all of them
		}
		document := fmt.Sprintf(`{ p: cases(first: %d) { nodes { caseID: id %s } } q: cases(last: %d, orderBy: [{field: NUMBER}]) { edges { cursor node { caseID: id %[2]s } } } }`,
			rapid.IntRange(0, 8).Draw(r, "first"), strings.Join(append(chosen, "state"), " "), rapid.IntRange(0, 8).Draw(r, "last"))
		a := h.As(name).Ask(document, nil).Works()
		want := map[string]map[string]bool{}
		shows(a.Data, "", want)
		got := map[string]map[string]bool{}
		lines := observations(t, h, db)
		for _, l := range lines[done:] {
			if l.reader != "user:dev:"+name || got[l.caseID] != nil {
				r.Fatalf("a line that is not due: %+v", l)
			}
			got[l.caseID] = map[string]bool{}
			for f := range strings.FieldsSeq(l.fields) {
				got[l.caseID][f] = true
			}
		}
		done = len(lines)
		if !maps.EqualFunc(got, want, maps.Equal) {
			r.Fatalf("%s asks %s: written %v, shown %v", name, document, got, want)
		}
	})
	if done < 50 {
		t.Errorf("only %d lines were written, which proves little", done)
	}
}

const log = `{ accessEntries(first: 10) { totalCount nodes { caseId case { id } at reader purpose fields tenant { slug } } } }`

func TestAnApplicantLearnsWhenAndWhyButNotWhoRead(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	db := h.Database()
	mine := h.As("kiel-applicant").Submit(parkingService, kielRegion)
	h.As("somebody-else").Submit(parkingService, kielRegion)
	asks(t, h, h.As("kiel-caseworker"), "Prüfung", `{ cases(first: 10) { nodes { applicant { name } } } }`)
	if n := len(observations(t, h, db)); n != 2 {
		t.Fatalf("%d lines", n)
	}
	a := h.As("kiel-applicant").Ask(log, nil).Works()
	nodes, _ := a.At("accessEntries.nodes").([]any)
	if len(nodes) != 1 || a.Number("accessEntries.totalCount") != 1 || a.Text("accessEntries.nodes.0.caseId") != mine.ID || a.Text("accessEntries.nodes.0.case.id") != mine.ID ||
		a.Text("accessEntries.nodes.0.purpose") != "Prüfung" || a.At("accessEntries.nodes.0.reader") != nil || a.Text("accessEntries.nodes.0.fields.0") != "Applicant.name" {
		t.Errorf("the applicant is told %s", a.Raw)
	}
	if strings.Contains(string(a.Raw), "caseworker") {
		t.Errorf("the reader shows: %s", a.Raw)
	}
	// Nor is it found out by filtering.
	for _, filter := range []string{`eq: "user:dev:kiel-caseworker"`, `startsWith: "user:"`, `contains: "kiel"`, `isNull: false`, `isNull: true`, `ne: "user:dev:kiel-caseworker"`, `in: ["user:dev:kiel-caseworker"]`} {
		a := h.As("kiel-applicant").Ask(`{ accessEntries(first: 1, where: {reader: {`+filter+`}}) { totalCount } }`, nil)
		if a.Number("accessEntries.totalCount") != 0 {
			t.Errorf("%s finds %s", filter, a.Raw)
		}
	}
	of := h.As("kiel-applicant").Ask(`query { case(id: "`+mine.ID+`") { accessEntries(first: 5) { totalCount nodes { reader } } } }`, nil).Works()
	if of.Number("case.accessEntries.totalCount") != 1 || of.At("case.accessEntries.nodes.0.reader") != nil {
		t.Errorf("of the case the applicant is told %s", of.Raw)
	}
	// Those who watch over reading are told, of their own tenants.
	officer := h.Give("officer", "DATA_PROTECTION_OFFICER", "kiel", "")
	a = officer.Ask(`{ accessEntries(first: 10, where: {reader: {eq: "user:dev:kiel-caseworker"}, case: {eq: "`+mine.ID+`"}}) { totalCount nodes { reader case { id } caseId } } }`, nil).Works()
	if a.Number("accessEntries.totalCount") != 1 || a.Text("accessEntries.nodes.0.reader") != "user:dev:kiel-caseworker" || a.At("accessEntries.nodes.0.case") != nil || a.Text("accessEntries.nodes.0.caseId") != mine.ID {
		t.Errorf("the officer is told %s", a.Raw)
	}
	if a := h.Give("luebeck-officer", "DATA_PROTECTION_OFFICER", "luebeck", "").Ask(log, nil).Works(); a.Number("accessEntries.totalCount") != 0 {
		t.Errorf("Lübeck is told %s", a.Raw)
	}
	for _, name := range []string{"kiel-caseworker", "kiel-admin", "partner"} {
		if a := h.As(name).Ask(log, nil); a.Number("accessEntries.totalCount") != 0 {
			t.Errorf("%s is told %s", name, a.Raw)
		}
	}
}

func TestWhoDownloadsAnAttachmentIsWrittenDown(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	db := h.Database()
	form := []byte(`{"control":{"transactionId":"t-1","zustaendigeStelle":"` + kielRegion + `","leikaIds":["` + parkingService + `"],"formId":"f","name":"n","serviceKonto":{"type":"OSI","trustLevel":"STORK-QAA-LEVEL-3","postfachAddress":{"identifier":"kiel-applicant","type":"Citizen"}}},"formData":[{"name":"x","label":"x","stringValue":"y"}]}`)
	c := h.As("gover").Deliver(form)
	get := func(who, method string) {
		t.Helper()
		url := h.As(who).Ask(`{ case(id: "`+c.ID+`") { attachments(first: 1) { nodes { url } } } }`, nil).Works().Text("case.attachments.nodes.0.url")
		r := h.Request(method, url)
		r.Header.Set("X-Purpose", "Akteneinsicht")
		if a := h.Anonymous().Send(r); a.Status != http.StatusOK {
			t.Fatalf("%s: status %d: %s", who, a.Status, a.Raw)
		}
	}
	get("kiel-applicant", http.MethodGet)
	if got := observations(t, h, db); len(got) != 0 {
		t.Errorf("the applicant is written down: %v", got)
	}
	get("kiel-mailroom", http.MethodGet)
	get("kiel-mailroom", http.MethodHead)
	want := []observed{{c.ID, "user:dev:kiel-mailroom", "Akteneinsicht", "Attachment.content"}, {c.ID, "user:dev:kiel-mailroom", "Akteneinsicht", "Attachment.name"}}
	if got := observations(t, h, db); !slices.Equal(got, want) {
		t.Errorf("written: %v", got)
	}
}

func TestWhatIsReadWhileTheLogCannotBeWrittenIsWrittenLater(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	db := h.Database()
	c := h.As("kiel-applicant").Submit(parkingService, kielRegion)
	if _, err := db.Exec(t.Context(), "revoke insert on access_entries from ozg_serving"); err != nil {
		t.Fatal(err)
	}
	h.As("kiel-caseworker").Ask(`{ cases(first: 1) { nodes { applicant { name } } } }`, nil).Works()
	short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := h.Settle(short); err == nil {
		t.Fatal("it is said to be written, and cannot be")
	}
	if _, err := db.Exec(t.Context(), "grant insert on access_entries to ozg_serving"); err != nil {
		t.Fatal(err)
	}
	if got := observations(t, h, db); len(got) != 1 || got[0].caseID != c.ID {
		t.Errorf("written: %v", got)
	}
}

func TestAHouseThatClosesHasWrittenEverythingDown(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	db := h.Database()
	h.As("kiel-applicant").Submit(parkingService, kielRegion)
	other := h.Another()
	other.As("kiel-caseworker").Ask(`{ cases(first: 1) { nodes { applicant { name } } } }`, nil).Works()
	other.House.Close()
	if got := observations(t, h, db); len(got) != 1 {
		t.Errorf("written: %v", got)
	}
}

func TestEveryPersonalFieldOfTheContractHangsOnACase(t *testing.T) {
	t.Parallel()
	contract, err := schema.Load()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for name, stored := range catalog.Types {
		def := contract.Types[name]
		if def == nil {
			continue
		}
		for _, f := range def.Fields {
			d := f.Directives.ForName("dataClass")
			if d == nil {
				continue
			}
			if class := d.Arguments.ForName("class").Value.Raw; class != "PERSONAL" && class != "SENSITIVE" {
				continue
			}
			n++
			if _, column := stored.Columns[f.Name]; !column || !stored.OfCase && name != "Case" {
				t.Errorf("nobody could write down that %s.%s was read", name, f.Name)
			}
		}
	}
	if n < 8 {
		t.Errorf("only %d fields are personal", n)
	}
}

func TestWhoIsWatched(t *testing.T) {
	t.Parallel()
	policy, err := authz.NewPolicy()
	if err != nil {
		t.Fatal(err)
	}
	kiel := authz.TenantRef{Kind: authz.Authority, Slug: "kiel", Place: 10020000000001}
	for role, want := range map[authz.Role]bool{"CASEWORKER": true, "PARTNER": true, "AUDITOR": true, authz.Applicant: false} {
		p := policy.Principal("user:dev:anna", authz.High, []authz.Assignment{{Role: role, Tenant: kiel, Services: []uuid.UUID{{1}}}})
		if p.Watched() != want {
			t.Errorf("%s: %t", role, p.Watched())
		}
	}
	if authz.System(authz.Relay).Watched() {
		t.Error("a task of the house is watched, and shows nobody anything")
	}
}
