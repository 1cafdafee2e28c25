// SPDX-License-Identifier: EUPL-1.2

package intake_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/casefile"
	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/intake"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/schema"
)

func TestAGoverFormWithAPDFAndTwoAttachmentsBecomesACaseOfKiel(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	got := h.delivers(gover, parking1())
	if got.status != http.StatusCreated {
		t.Errorf("status %d", got.status)
	}
	global, number := told(t, got)
	typ, id, ok := schema.ParseID(global)
	if !ok || typ != catalog.Types["Case"].Number {
		t.Fatalf("%s is no id of a case", global)
	}
	for question, want := range map[string]string{
		`select concat_ws('|', c.id, c.number, t.slug, c.state, c.channel, c.trust_level, c.owner, c.unit_id, c.revision, c.received_at = '2026-03-29 10:00:00.123456Z')
			from cases c join tenants t on t.id = c.tenant_id`: id.String() + "|" + number + "|kiel|NEW|FORM_SERVER|BASIC|user:dev:anna|00000000-0000-7000-8000-000000000021|1|t",
		`select concat_ws('|', case_id, source, connector_id, channel, transaction_id, received_at = '2026-03-29 10:00:00.123456Z') from submissions`:    id.String() + "|user:dev:gover|00000000-0000-7000-8000-000000000041|FORM_SERVER|T-1|t",
		`select form_data #>> '{0,formItems,0,stringValue}' || (form_data #>> '{1,numberValue}') || (form_data #>> '{2,booleanValue}') from submissions`: "Änne1.5false",
		`select form_data ->> 3 from submissions`:                                                                         `{"name": "leer", "label": "Nicht ausgefüllt"}`,
		`select concat_ws('|', kind, name, mailbox_kind, mailbox_address, trust_level) from applicants`:                   "NATURAL_PERSON|Änne Übel|OSI|anna|BASIC",
		`select string_agg(concat_ws('|', purpose, name, media_type, size), ' ' order by id) from attachments`:            fmt.Sprintf("REPRESENTATION|Antrag Bewohnerparken.pdf|application/pdf|%d ENCLOSURE|Führerschein.png|image/png|%d ENCLOSURE|Fahrzeugschein.pdf|application/pdf|%d", len(pdf), len(photo), len(pdf)+1),
		`select concat_ws('|', action, to_state, actor) from history_events`:                                              "CASE_OPENED|NEW|user:dev:gover",
		`select concat_ws('|', type, revision) from events`:                                                               "CASE_OPENED|1",
		`select concat_ws('|', subject, key, result_id, expires_at is null) from idempotency_keys`:                        "user:dev:gover|submission:T-1|" + id.String() + "|t",
		`select count(*)::text from attachments a join submissions s on s.id = a.submission_id and s.case_id = a.case_id`: "3",
	} {
		if got := ask[string](h, question); got != want {
			t.Errorf("%s\n got %s\nwant %s", question, got, want)
		}
	}
	if n := h.blobsKept(); n != 3 {
		t.Errorf("%d blobs", n)
	}
	for p, sees := range map[*authz.Principal]bool{caseworker: true, anna: true, bernd: false, stranger: false, gover: false} {
		found, err := h.client.CaseFile.Query().Where(casefile.ID(id)).Exist(authz.With(t.Context(), p))
		if err != nil || found != sees {
			t.Errorf("%s sees the case: %t, %v", p.Subject, found, err)
		}
	}
}

// atOnce delivers the same many times at the same time, and says what was answered how often.
func atOnce(desk *intake.Desk, sent []byte) map[string]int {
	var (
		all   sync.WaitGroup
		begin = make(chan struct{})
		mu    sync.Mutex
		heard = map[string]int{}
	)
	for range 25 {
		all.Go(func() {
			<-begin
			got, err := post(desk, gover, sent)
			said := got.body
			if err != nil {
				said = err.Error()
			}
			mu.Lock()
			defer mu.Unlock()
			heard[said]++
			if got.status == http.StatusCreated && err == nil {
				heard["created"]++
			}
		})
	}
	close(begin)
	all.Wait()
	return heard
}

func TestAFormDelivered25TimesAtOnceIsOneCaseAndEachGetsTheSameAnswer(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	heard := atOnce(h.desk, body(parking1()))
	if len(heard) != 2 || heard["created"] != 1 {
		t.Errorf("heard %v", heard)
	}
	for table, want := range map[string]int{"cases": 1, "submissions": 1, "applicants": 1, "attachments": 3, "history_events": 1, "events": 1, "idempotency_keys": 1} {
		if n := ask[int](h, "select count(*) from "+table); n != want {
			t.Errorf("%d rows in %s", n, table)
		}
	}
	// Once more, later: the same answer, and the house is as it was.
	before := h.stored()
	h.now = noon.AddDate(1, 0, 0)
	again := h.delivers(gover, parking1())
	if again.status != http.StatusOK || heard[again.body] != 25 {
		t.Errorf("a year later: %v", again)
	}
	if after := h.stored(); after != before {
		t.Errorf("a repetition has stored something:\n%s\n%s", before, after)
	}
}

func TestWithoutTheRegister25DeliveriesAtOnceDoNotGetTheSameAnswer(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	heard := atOnce(h.desk.WithoutRegister(), body(parking1()))
	if len(heard) == 2 && heard["created"] == 1 {
		t.Error("the check of the test above sees nothing")
	}
}

func TestTheSameTransactionWithOtherContentIsRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.delivers(gover, parking1())
	before := h.stored()
	other := func(change func([]part) []part) []part { return change(parking1()) }
	for name, parts := range map[string][]part{
		"another value":             parking1("Änne", "Anne"),
		"another member of control": parking1(`"f1"`, `"f2"`),
		"another representation":    other(func(p []part) []part { p[1].content += "x"; return p }),
		"another name":              other(func(p []part) []part { p[2].file = "b.png"; return p }),
		"another order":             other(func(p []part) []part { p[2], p[3] = p[3], p[2]; return p }),
		"an attachment less":        other(func(p []part) []part { return p[:3] }),
	} {
		_, err := post(h.desk, gover, body(parts))
		if wants(t, err, problem.Conflict, "transactionReused"); t.Failed() {
			t.Fatal(name)
		}
	}
	if after := h.stored(); after != before {
		t.Errorf("something was stored:\n%s\n%s", before, after)
	}
	// The same written in another way is the same.
	if got := h.delivers(gover, parking1("\n", "\r\n ", `"formId": "f1", "name": "Parken"`, `"name":"Parken","formId":"f\u0031"`)); got.status != http.StatusOK {
		t.Errorf("status %d", got.status)
	}
	// The same id from another source is another transaction.
	if got := h.delivers(goverLuebeck, parking1(kielRegion, luebeckRegion)); got.status != http.StatusCreated {
		t.Errorf("status %d", got.status)
	}
}

// It is not parallel, because it looks at the open files of the process.
func TestABadDeliveryIsAClearProblemAndNothingIsStored(t *testing.T) {
	h := newHouse(t)
	before := h.stored()
	parts := func(change func([]part) []part) []byte { return body(change(parking1())) }
	add := func(more ...part) []byte { return parts(func(p []part) []part { return append(p, more...) }) }
	with := func(replace ...string) []byte { return body(parking1(replace...)) }
	control := func(path ...string) []string { return append([]string{"formData", "control"}, path...) }
	field := func(path ...string) []string { return append([]string{"formData", "formData"}, path...) }
	big := strings.Repeat("0", 5<<10)

	for name, bad := range map[string]struct {
		by   *authz.Principal
		sent []byte
		kind problem.Kind
		rule string
		path []string
	}{
		"an unknown service":         {gover, with(parking, "99000000000000"), problem.Invalid, "unknownService", control("leikaIds", "0")},
		"a service nobody offers":    {gover, with(parking, marriages), problem.Invalid, "notResponsible", control("zustaendigeStelle")},
		"a region without a Land":    {gover, with(kielRegion, "990000000000"), problem.Invalid, "notResponsible", control("zustaendigeStelle")},
		"an unknown authority":       {gover, with(kielRegion, "bonn"), problem.Invalid, "notResponsible", control("zustaendigeStelle")},
		"a Land is no authority":     {gover, with(kielRegion, "sh"), problem.Invalid, "notResponsible", control("zustaendigeStelle")},
		"an outsider":                {goverLuebeck, with(), problem.Forbidden, "notAllowed", nil},
		"an inactive connector":      {goverOld, with(), problem.Forbidden, "notAllowed", nil},
		"a caseworker":               {caseworker, with(), problem.Forbidden, "notAllowed", nil},
		"an applicant":               {anna, with(), problem.Forbidden, "notAllowed", nil},
		"too weak a sign-in":         {gover, with(parking, housing), problem.Forbidden, "trustLevel", nil},
		"an unknown trust level":     {gover, with("LEVEL-1", "LEVEL-9"), problem.Invalid, "unknownValue", control("serviceKonto", "trustLevel")},
		"a mailbox of no account":    {gover, with(`"type": "OSI", `, ""), problem.Invalid, "required", control("serviceKonto", "type")},
		"an account that is a text":  {gover, with(`"postfachAddress": {"identifier": "anna", "type": "Citizen"}`, `"postfachAddress": "anna"`), problem.Invalid, "malformed", control("serviceKonto", "postfachAddress")},
		"two services":               {gover, with(`"99108001001000"`, `"99108001001000", "99107023017001"`), problem.Invalid, "exactlyOne", control("leikaIds")},
		"no service":                 {gover, with(`["99108001001000"]`, `[]`), problem.Invalid, "exactlyOne", control("leikaIds")},
		"a key that is none":         {gover, with(parking, "parken"), problem.Invalid, "pattern", control("leikaIds", "0")},
		"no transaction":             {gover, with(`"transactionId": "T-1", `, ""), problem.Invalid, "required", control("transactionId")},
		"an empty transaction":       {gover, with("T-1", " "), problem.Invalid, "required", control("transactionId")},
		"a long transaction":         {gover, with("T-1", strings.Repeat("ü", 201)), problem.Invalid, "maxLength", control("transactionId")},
		"a transaction as a number":  {gover, with(`"T-1"`, "1"), problem.Invalid, "malformed", control("transactionId")},
		"no region":                  {gover, with(`"010020000000"`, "null"), problem.Invalid, "required", control("zustaendigeStelle")},
		"no form":                    {gover, body([]part{{"representation", "a.pdf", pdf}}), problem.Invalid, "required", []string{"formData"}},
		"no representation":          {gover, body([]part{{"formData", "", form()}}), problem.Invalid, "required", []string{"representation"}},
		"no parts":                   {gover, []byte("--" + boundary + "--\r\n"), problem.Invalid, "required", []string{"formData"}},
		"words behind the end":       {gover, append(with(), "more"...), problem.Invalid, "malformed", nil},
		"an empty body":              {gover, nil, problem.Invalid, "malformed", nil},
		"an unknown part":            {gover, add(part{"anlage", "a.pdf", pdf}), problem.Invalid, "unknownPart", nil},
		"a part without a name":      {gover, add(part{"", "a.pdf", pdf}), problem.Invalid, "unknownPart", nil},
		"two forms":                  {gover, add(part{"formData", "", form()}), problem.Invalid, "duplicatePart", []string{"formData"}},
		"two representations":        {gover, add(part{"representation", "b.pdf", pdf}), problem.Invalid, "duplicatePart", []string{"representation"}},
		"no PDF":                     {gover, parts(func(p []part) []part { p[1].content = photo; return p }), problem.Invalid, "mediaType", []string{"representation"}},
		"a program":                  {gover, add(part{"attachment", "a.pdf", "\x7fELF\x02\x01\x01\x00"}), problem.Invalid, "mediaType", []string{"attachment", "2"}},
		"an empty attachment":        {gover, add(part{"attachment", "a.pdf", ""}), problem.Invalid, "required", []string{"attachment", "2"}},
		"a large attachment":         {gover, add(part{"attachment", "a.pdf", pdf + big}), problem.Invalid, "tooLarge", []string{"attachment", "2"}},
		"a large representation":     {gover, parts(func(p []part) []part { p[1].content += big; return p }), problem.Invalid, "tooLarge", []string{"representation"}},
		"too many attachments":       {gover, add(slices.Repeat([]part{{"attachment", "a.png", photo}}, 19)...), problem.Invalid, "tooMany", []string{"attachment"}},
		"a large form":               {gover, with("Änne", strings.Repeat("x", 50<<10)), problem.Invalid, "tooLarge", []string{"formData"}},
		"no JSON":                    {gover, with(`"f1"`, `f1`), problem.Invalid, "malformed", []string{"formData"}},
		"two documents":              {gover, body([]part{{"formData", "", form() + "{}"}}), problem.Invalid, "malformed", []string{"formData"}},
		"a list":                     {gover, body([]part{{"formData", "", "[]"}}), problem.Invalid, "malformed", []string{"formData"}},
		"null":                       {gover, body([]part{{"formData", "", "null"}}), problem.Invalid, "required", []string{"formData"}},
		"a byte order mark":          {gover, body([]part{{"formData", "", "\ufeff" + form()}}), problem.Invalid, "malformed", []string{"formData"}},
		"bytes that are no text":     {gover, with("Änne", "\xff"), problem.Invalid, "malformed", []string{"formData"}},
		"a name twice":               {gover, with(`"f1"`, `"f1", "form\u0049d": "f2"`), problem.Invalid, "malformed", []string{"formData"}},
		"brackets without an end":    {gover, body([]part{{"formData", "", strings.Repeat("[", 9000)}}), problem.Invalid, "tooDeep", []string{"formData"}},
		"brackets without a bottom":  {gover, body([]part{{"formData", "", strings.Repeat("[", 9000) + strings.Repeat("]", 9000)}}), problem.Invalid, "tooDeep", []string{"formData"}},
		"no control":                 {gover, body([]part{{"formData", "", `{"formData": []}`}}), problem.Invalid, "required", control()},
		"no items":                   {gover, with(`"formData": [`, `"formData": null, "control": [`), problem.Invalid, "malformed", []string{"formData"}},
		"something beside the form":  {gover, with(`"formData": [`, `"more": 1, "formData": [`), problem.Invalid, "unknownValue", []string{"formData"}},
		"a field of an unknown kind": {gover, with(`"numberValue": 1.5`, `"fileValue": "x"`), problem.Invalid, "unknownValue", field("1")},
		"a field that is a text":     {gover, with(`{"name": "leer", "label": "Nicht ausgefüllt"}`, `"leer"`), problem.Invalid, "malformed", field("3")},
		"a field without a name":     {gover, with(`"name": "vorname", `, ""), problem.Invalid, "required", field("0", "formItems", "0", "name")},
		"a field with a long name":   {gover, with(`"name": "vorname"`, `"name": "`+strings.Repeat("n", 201)+`"`), problem.Invalid, "maxLength", field("0", "formItems", "0", "name")},
		"a long label":               {gover, with("Vorname", strings.Repeat("n", 501)), problem.Invalid, "maxLength", field("0", "formItems", "0", "label")},
		"a long text":                {gover, with("Änne", strings.Repeat("n", 20_001)), problem.Invalid, "maxLength", field("0", "formItems", "0", "stringValue")},
		"a text that ends":           {gover, with("Änne", `\u0000`), problem.Invalid, "notText", field("0", "formItems", "0", "stringValue")},
		"a long date":                {gover, with("1980-02-29", strings.Repeat("1", 101)), problem.Invalid, "maxLength", field("0", "formItems", "2", "dateValue")},
		"two values":                 {gover, with(`"numberValue": 1.5`, `"numberValue": 1.5, "stringValue": ""`), problem.Invalid, "exactlyOne", field("1")},
		"a value beside items":       {gover, with(`"label": "Antragsteller:in"`, `"stringValue": ""`), problem.Invalid, "exactlyOne", field("0")},
		"an endless number":          {gover, with("1.5", "1e999"), problem.Invalid, "range", field("1", "numberValue")},
		"a number as a text":         {gover, with("1.5", `"1.5"`), problem.Invalid, "malformed", field("1", "numberValue")},
		"too many items":             {gover, with(`{"name": "plaetze"`, strings.Repeat(`{"name": "a"},`, 500)+`{"name": "plaetze"`), problem.Invalid, "tooMany", field()},
		"too deep a form":            {gover, with(`{"name": "plaetze", "numberValue": 1.5}`, strings.Repeat(`{"name": "a", "formItems": [`, 8)+`{"name": "b"}`+strings.Repeat(`]}`, 8)), problem.Invalid, "tooDeep", field("1", "formItems", "0", "formItems", "0", "formItems", "0", "formItems", "0", "formItems", "0", "formItems", "0", "formItems", "0", "formItems")},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := post(h.desk, bad.by, bad.sent)
			wants(t, err, bad.kind, bad.rule, bad.path...)
			if got.body != "" {
				t.Error("something was answered")
			}
			if after := h.stored(); after != before {
				t.Errorf("something was stored:\n%s\n%s", before, after)
			}
			nothingIsLeft(t)
		})
	}
}

// nothingIsLeft looks for temporary files, with a name or without one.
func nothingIsLeft(t *testing.T) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(os.TempDir(), "ozg-content-*"))
	must(t, err)
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return // no Linux
	}
	for _, fd := range open {
		if to, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && strings.Contains(to, "ozg-content-") {
			names = append(names, to)
		}
	}
	if len(names) > 0 {
		t.Errorf("left behind: %v", names)
	}
}

func TestADeliveryIsRefusedAsAWholeWhenItIsTooLarge(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	before := h.stored()
	parts := parking1()
	for range 12 { // each small enough
		parts = append(parts, part{"attachment", "a.pdf", pdf + strings.Repeat("x", 3900)})
	}
	_, err := post(h.desk, gover, body(parts))
	if p, ok := problem.Of(err); !ok || p.Rule != "tooLarge" {
		t.Errorf("got %v", err)
	}
	if after := h.stored(); after != before {
		t.Errorf("something was stored:\n%s\n%s", before, after)
	}
}

func TestADeliveryCutOffAnywhereIsAProblemAndNothingIsStored(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	whole := body(parking1())
	end := len(whole) - len("\r\n") // from here on it is whole
	before := h.stored()
	for at := range end {
		_, err := post(h.desk, gover, whole[:at])
		if p, ok := problem.Of(err); !ok || p.Kind != problem.Invalid {
			t.Fatalf("cut off at %d of %d: %v", at, len(whole), err)
		}
	}
	if after := h.stored(); after != before {
		t.Errorf("something was stored:\n%s\n%s", before, after)
	}
	if got, err := post(h.desk, gover, whole[:end]); err != nil || got.status != http.StatusCreated {
		t.Errorf("the twin, not cut off: %v, %v", got, err)
	}
}

func TestABodyOfAnotherKindIsNotRead(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, kind := range []string{"", "application/json", "multipart/mixed; boundary=" + boundary, "multipart/form-data", "multipart/form-data; boundary"} {
		r, err := http.NewRequestWithContext(authz.With(t.Context(), gover), http.MethodPost, "/intake/gover", strings.NewReader(string(body(parking1()))))
		must(t, err)
		r.Header.Set("Content-Type", kind)
		wants(t, h.desk.Gover(nil, r), problem.Invalid, "malformed")
	}
}

func TestAFormServerWithoutAPrincipalStandsBeforeAClosedDoor(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/intake/gover", strings.NewReader(""))
	must(t, err)
	wants(t, h.desk.Gover(nil, r), problem.Unauthenticated, "noPrincipal")
}

func TestTheSlugOfAnAuthorityStandsForItsRegion(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.delivers(gover, parking1(kielRegion, "kiel"))
	if got := ask[string](h, "select t.slug from cases c join tenants t on t.id = c.tenant_id"); got != "kiel" {
		t.Errorf("a case of %s", got)
	}
}

func TestTheTrustLevelOfTheAccountIsTheOneOfTheCase(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for level, want := range map[string]string{"LEVEL-1": "BASIC", "LEVEL-2": "BASIC", "LEVEL-3": "SUBSTANTIAL", "LEVEL-4": "HIGH"} {
		h.delivers(gover, parking1("T-1", level, "LEVEL-1", level))
		if got := ask[string](h, "select trust_level from cases c join submissions s on s.case_id = c.id where transaction_id = $1", level); got != want {
			t.Errorf("%s is %s", level, got)
		}
	}
	h.delivers(gover, parking1("LEVEL-1", "LEVEL-3", parking, housing))
}

func TestWhoHasNoAccountHasNoMailboxAndOwnsNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.delivers(gover, parking1(`"serviceKonto": {"type": "OSI", "trustLevel": "STORK-QAA-LEVEL-1", "postfachAddress": {"identifier": "anna", "type": "Citizen"}}`, `"serviceKonto": null`))
	h.delivers(gover, parking1("T-1", "T-2", `"OSI"`, `"BAYERN_ID"`))
	rows, err := h.owner.Query(context.Background(), `select concat_ws('|', coalesce(a.mailbox_kind, '-'), coalesce(a.mailbox_address, '-'), coalesce(c.owner, '-'), c.trust_level)
		from cases c join applicants a on a.case_id = c.id order by c.id`)
	must(t, err)
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	if fmt.Sprint(got) != "[-|-|-|BASIC BAYERN_ID|anna|-|BASIC]" {
		t.Errorf("got %v", got)
	}
}

// clash makes the database refuse the numbers of the first so many cases.
const clash = `
create sequence refusals;
grant usage on sequence refusals to public;
create function refuse() returns trigger language plpgsql as $$
begin
	if nextval('public.refusals') <= %d then
		raise unique_violation using constraint = 'cases_tenant_id_number_key';
	end if;
	return new;
end $$;
grant execute on function refuse() to public;
create trigger refuse before insert on cases for each row execute function refuse()`

func TestANumberThatIsTakenIsReplacedByAnother(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.tell(fmt.Sprintf(clash, 3))
	if got := h.delivers(gover, parking1()); got.status != http.StatusCreated {
		t.Errorf("status %d", got.status)
	}
	if n := ask[int](h, "select count(*) from cases"); n != 1 {
		t.Errorf("%d cases", n)
	}
}

func TestNumbersThatAreAlwaysTakenAreAFaultOfTheHouse(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.tell(fmt.Sprintf(clash, 1000))
	_, err := post(h.desk, gover, body(parking1()))
	if _, ok := problem.Of(err); err == nil || ok {
		t.Errorf("got %v", err)
	}
	if n := ask[int](h, "select last_value from refusals"); n != 4 {
		t.Errorf("%d attempts", n)
	}
}
