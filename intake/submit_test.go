// SPDX-License-Identifier: EUPL-1.2

package intake_test

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/casefile"
	"github.com/ozg-cloud/platform/ent/schema"
	"github.com/ozg-cloud/platform/intake"
	"github.com/ozg-cloud/platform/internal/problem"
)

func say(name, value string) schema.FormItem { return schema.FormItem{Name: name, String: &value} }

func application() intake.Application {
	yes, one, day := true, 1.0, "2026-03-29"
	return intake.Application{
		ServiceKey: parking, RegionalKey: kielRegion, TransactionID: "T-1",
		Applicant: intake.Person{Kind: "NATURAL_PERSON", Name: "Änne Übel", PostalAddress: "Am Markt 1"},
		Form: []schema.FormItem{
			{Name: "fahrzeug", Items: []schema.FormItem{say("kennzeichen", "KI-XY 1"), {Name: "plaetze", Number: &one}}},
			{Name: "ab", Date: &day}, {Name: "eigentum", Boolean: &yes},
		},
	}
}

// uploads makes one of a subject, as the desk for uploads would.
func (h *house) uploads(subject string) uuid.UUID {
	h.Helper()
	return ask[uuid.UUID](h, `insert into uploads (id, subject, name, media_type, size, sha256, created_at, expires_at)
		values (gen_random_uuid(), $1, 'a.pdf', 'application/pdf', 1, repeat('0', 64), $2, $3) returning id`, subject, h.now, h.now.Add(time.Hour))
}

func (h *house) submits(p *authz.Principal, a intake.Application) (uuid.UUID, error) {
	return h.desk.Submit(authz.With(h.Context(), p), a)
}

func TestAnApplicationAtThePortalBecomesACaseOfKielThatTheApplicantOwns(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a := application()
	a.Uploads = []uuid.UUID{h.uploads(anna.Subject)}
	id, err := h.submits(anna, a)
	must(t, err)
	for question, want := range map[string]string{
		`select concat_ws('|', c.id, t.slug, c.state, c.channel, c.trust_level, c.owner) from cases c join tenants t on t.id = c.tenant_id`: id.String() + "|kiel|NEW|PORTAL|BASIC|user:dev:anna",
		`select concat_ws('|', source, coalesce(connector_id::text, '-'), channel, transaction_id) from submissions`:                        "user:dev:anna|-|PORTAL|T-1",
		`select concat_ws('|', kind, name, postal_address, coalesce(mailbox_kind, '-')) from applicants`:                                    "NATURAL_PERSON|Änne Übel|Am Markt 1|-",
		`select string_agg(concat_ws('|', purpose, name), ' ') from attachments`:                                                            "ENCLOSURE|a.pdf",
		`select concat((select count(*) from history_events), (select count(*) from events), (select count(*) from uploads))`:               "110",
	} {
		if got := ask[string](h, question); got != want {
			t.Errorf("%s\n got %s\nwant %s", question, got, want)
		}
	}
	for p, sees := range map[*authz.Principal]bool{caseworker: true, anna: true, bernd: false, stranger: false} {
		found, err := h.client.CaseFile.Query().Where(casefile.ID(id)).Exist(authz.With(t.Context(), p))
		if err != nil || found != sees {
			t.Errorf("%s sees the case: %t, %v", p.Subject, found, err)
		}
	}
}

func TestAnApplicationHandedIn25TimesAtOnceIsOneCase(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a := application()
	a.Uploads = []uuid.UUID{h.uploads(anna.Subject)}
	var (
		all   sync.WaitGroup
		mu    sync.Mutex
		heard = map[string]int{}
	)
	for range 25 {
		all.Go(func() {
			id, err := h.submits(anna, a)
			mu.Lock()
			defer mu.Unlock()
			heard[fmt.Sprint(id, err)]++
		})
	}
	all.Wait()
	if n := ask[int](h, "select count(*) from cases"); n != 1 || len(heard) != 1 {
		t.Errorf("%d cases, heard %v", n, heard)
	}
	a.Form[1].Name = "seit"
	_, err := h.submits(anna, a)
	wants(t, err, problem.Conflict, "transactionReused")
	if _, err := h.submits(bernd, application()); err != nil {
		t.Errorf("somebody else's transaction of the same id: %v", err)
	}
}

func TestABadApplicationIsAClearProblemAndNothingIsStored(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	mine, others := h.uploads(anna.Subject), h.uploads(bernd.Subject)
	before := h.stored()
	input := func(path ...string) []string { return append([]string{"input"}, path...) }
	empty, nan, never := "", math.NaN(), "2026-02-29"
	for name, bad := range map[string]struct {
		by   *authz.Principal
		do   func(*intake.Application)
		kind problem.Kind
		rule string
		path []string
	}{
		"a caseworker":             {caseworker, func(*intake.Application) {}, problem.Forbidden, "notAllowed", nil},
		"a form server":            {gover, func(*intake.Application) {}, problem.Forbidden, "notAllowed", nil},
		"too weak a sign-in":       {anna, func(a *intake.Application) { a.ServiceKey = housing }, problem.Forbidden, "trustLevel", nil},
		"a key that is none":       {anna, func(a *intake.Application) { a.ServiceKey = "99" }, problem.Invalid, "pattern", input("serviceKey")},
		"an unknown service":       {anna, func(a *intake.Application) { a.ServiceKey = "99000000000000" }, problem.Invalid, "unknownService", input("serviceKey")},
		"a slug for a region":      {anna, func(a *intake.Application) { a.RegionalKey = "kiel" }, problem.Invalid, "pattern", input("regionalKey")},
		"a region without anybody": {anna, func(a *intake.Application) { a.RegionalKey = "160000000000" }, problem.Invalid, "notResponsible", input("regionalKey")},
		"no transaction":           {anna, func(a *intake.Application) { a.TransactionID = "" }, problem.Invalid, "required", input("transactionId")},
		"a transaction that ends":  {anna, func(a *intake.Application) { a.TransactionID = "a\x00" }, problem.Invalid, "notText", input("transactionId")},
		"no kind":                  {anna, func(a *intake.Application) { a.Applicant.Kind = "" }, problem.Invalid, "unknownValue", input("applicant", "kind")},
		"no name":                  {anna, func(a *intake.Application) { a.Applicant.Name = " " }, problem.Invalid, "required", input("applicant", "name")},
		"a long name":              {anna, func(a *intake.Application) { a.Applicant.Name = strings.Repeat("ü", 201) }, problem.Invalid, "maxLength", input("applicant", "name")},
		"a name that is no text":   {anna, func(a *intake.Application) { a.Applicant.Name = "\xff" }, problem.Invalid, "notText", input("applicant", "name")},
		"a long address":           {anna, func(a *intake.Application) { a.Applicant.PostalAddress = strings.Repeat("ü", 501) }, problem.Invalid, "maxLength", input("applicant", "postalAddress")},
		"an empty item":            {anna, func(a *intake.Application) { a.Form[0].Items[1].Number = nil }, problem.Invalid, "exactlyOne", input("formData", "0", "formItems", "1")},
		"an empty group":           {anna, func(a *intake.Application) { a.Form[0].Items = []schema.FormItem{} }, problem.Invalid, "exactlyOne", input("formData", "0")},
		"two values":               {anna, func(a *intake.Application) { a.Form[1].String = &empty }, problem.Invalid, "exactlyOne", input("formData", "1")},
		"no number":                {anna, func(a *intake.Application) { a.Form[0].Items[1].Number = &nan }, problem.Invalid, "range", input("formData", "0", "formItems", "1", "numberValue")},
		"a day that never was":     {anna, func(a *intake.Application) { a.Form[1].Date = &never }, problem.Invalid, "pattern", input("formData", "1", "dateValue")},
		"no name of an item":       {anna, func(a *intake.Application) { a.Form[2].Name = "" }, problem.Invalid, "required", input("formData", "2", "name")},
		"too many items":           {anna, func(a *intake.Application) { a.Form = slices.Repeat([]schema.FormItem{say("a", "")}, 501) }, problem.Invalid, "tooMany", input("formData")},
		"somebody else's upload":   {anna, func(a *intake.Application) { a.Uploads = []uuid.UUID{mine, others} }, problem.Missing, "notFound", input("uploadIds")},
		"an upload twice":          {anna, func(a *intake.Application) { a.Uploads = []uuid.UUID{mine, mine} }, problem.Missing, "notFound", input("uploadIds")},
		"too many uploads":         {anna, func(a *intake.Application) { a.Uploads = slices.Repeat([]uuid.UUID{mine}, 21) }, problem.Invalid, "tooMany", input("uploadIds")},
	} {
		a := application()
		bad.do(&a)
		_, err := h.submits(bad.by, a)
		wants(t, err, bad.kind, bad.rule, bad.path...)
		if after := h.stored(); after != before {
			t.Errorf("%s was stored:\n%s\n%s", name, before, after)
		}
		if t.Failed() {
			t.Fatal(name)
		}
	}
	_, err := h.desk.Submit(t.Context(), application())
	wants(t, err, problem.Unauthenticated, "noPrincipal")
}

func TestTheLongestTerritoryIsResponsibleAndADayBeginsInBerlin(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	// The offering of Lübeck for the whole Land ends with 29 March 2026; in Berlin it is summer by then.
	last, after := time.Date(2026, 3, 29, 21, 59, 59, 0, time.UTC), time.Date(2026, 3, 29, 22, 0, 0, 0, time.UTC)
	const inKiel, inTheLand = "00000000-0000-7000-8000-000000000031", "00000000-0000-7000-8000-000000000032"
	for _, scene := range []struct {
		at              time.Time
		service, region string
		want            string
	}{
		{last, parking, kielRegion, inKiel},
		{last, parking, luebeckRegion, inTheLand},
		{after, parking, luebeckRegion, ""},
		{after, parking, kielRegion, inKiel},
		{time.Date(2019, 12, 31, 22, 59, 59, 0, time.UTC), parking, kielRegion, ""},
		{time.Date(2019, 12, 31, 23, 0, 0, 0, time.UTC), parking, kielRegion, inKiel},
		{last, parking, "160000000000", ""},
		{last, marriages, kielRegion, ""},
		{last, "99000000000000", kielRegion, ""},
	} {
		h.now = scene.at
		id, found, err := h.desk.Responsible(authz.With(t.Context(), anna), scene.service, scene.region)
		if err != nil || found != (scene.want != "") || found && id.String() != scene.want {
			t.Errorf("%v %s in %s: %s, %t, %v", scene.at, scene.service, scene.region, id, found, err)
		}
	}
	_, _, err := h.desk.Responsible(authz.With(t.Context(), anna), "1", kielRegion)
	wants(t, err, problem.Invalid, "pattern", "serviceKey")
	_, _, err = h.desk.Responsible(authz.With(t.Context(), anna), parking, kielRegion+"0")
	wants(t, err, problem.Invalid, "pattern", "regionalKey")
	_, _, err = h.desk.Responsible(t.Context(), parking, kielRegion)
	wants(t, err, problem.Unauthenticated, "noPrincipal")
}

func TestAFormIsJudgedByCountAndDepthAlike(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	rapid.Check(t, func(t *rapid.T) {
		count, deepest := 0, 0
		var grow func(depth int) []schema.FormItem
		grow = func(depth int) []schema.FormItem {
			var items []schema.FormItem
			for i := range rapid.IntRange(1, 3).Draw(t, "items") {
				count++
				deepest = max(deepest, depth)
				item := say(strconv.Itoa(i), "x")
				if depth < 10 && rapid.IntRange(0, 2).Draw(t, "group") > 0 {
					item = schema.FormItem{Name: "group", Items: grow(depth + 1)}
				}
				items = append(items, item)
			}
			return items
		}
		a := application()
		a.Form = grow(1)
		a.TransactionID = rapid.StringMatching(`[a-z]{30}`).Draw(t, "transaction")
		a.RegionalKey = "160000000000" // where nobody is responsible: a form without fault is not stored, either
		_, err := h.submits(anna, a)
		p, ok := problem.Of(err)
		if !ok {
			t.Fatal(err)
		}
		fine := count <= 500 && deepest <= 8
		if fine != (p.Rule == "notResponsible") || !fine && p.Rule != "tooDeep" && p.Rule != "tooMany" {
			t.Fatalf("%d items, %d deep: %v", count, deepest, p)
		}
	})
}
