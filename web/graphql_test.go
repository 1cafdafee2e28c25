// SPDX-License-Identifier: EUPL-1.2

package web_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/ozg-cloud/platform/web"
)

func draft(o *web.Options) { o.Profile = web.Draft202608 }

func TestTheTypeOfTheAnswerIsTheOneThatTheCallerPrefers(t *testing.T) {
	current, coming := open(t, nil), open(t, draft)
	for accept, want := range map[string][2]string{
		"":                               {plainJSON, responseJSON},
		"*/*":                            {plainJSON, responseJSON},
		"application/*;q=0.3, text/html": {plainJSON, responseJSON},
		responseJSON:                     {responseJSON, responseJSON},
		plainJSON:                        {plainJSON, plainJSON},
		plainJSON + ", " + responseJSON:  {responseJSON, responseJSON},
		responseJSON + ";q=0.5, " + plainJSON + ";q=0.9": {plainJSON, plainJSON},
		responseJSON + ";q=0, */*":                       {plainJSON, plainJSON},
		plainJSON + ";q=0, */*":                          {responseJSON, responseJSON},
		responseJSON + ", application/graphql+json, " + plainJSON + ", text/event-stream, multipart/mixed": {responseJSON, responseJSON},
		"Application/JSON; charset=utf-8": {plainJSON, plainJSON},
	} {
		for i, h := range []*house{current, coming} {
			headers := []string{"Content-Type", plainJSON, "Authorization", "Bearer kiel"}
			if accept != "" {
				headers = append(headers, "Accept", accept)
			}
			w := h.ask(http.MethodPost, "/graphql", query("{ __typename }"), headers...)
			if got := w.Header().Get("Content-Type"); w.Code != 200 || got != want[i]+"; charset=utf-8" {
				t.Errorf("profile %d, Accept %q: %d %s", i, accept, w.Code, got)
			}
		}
	}
	for _, accept := range []string{"text/html", "application/json;q=0", "application/json;q=2", "nonsense", "*/*;q=0"} {
		if w := current.ask(http.MethodPost, "/graphql", query("{ __typename }"), "Content-Type", plainJSON, "Accept", accept); w.Code != http.StatusNotAcceptable {
			t.Errorf("Accept %q: %d", accept, w.Code)
		}
	}
}

func TestTheStatusTellsWhatWasWrong(t *testing.T) {
	current, coming := open(t, nil), open(t, draft)
	for name, c := range map[string]struct {
		body               string
		json, current, new int // for callers who know application/json only; the watershed's edition; the draft
		rule               string
	}{
		"all is well":          {query("{ hello }"), 200, 200, 200, ""},
		"no JSON":              {`{"query":`, 400, 400, 400, "malformed"},
		"nothing":              {``, 400, 400, 400, "malformed"},
		"two texts":            {`{"query":"{hello}"}{}`, 400, 400, 400, "malformed"},
		"a list":               {`[{"query":"{ hello }"}]`, 400, 400, 422, "requestShape"},
		"no query":             {`{"qeury":"{ hello }"}`, 400, 400, 422, "requestShape"},
		"another case":         {`{"Query":"{ hello }"}`, 400, 400, 422, "requestShape"},
		"a query that is null": {`{"query":null}`, 400, 400, 422, "requestShape"},
		"variables as a list":  {`{"query":"{ hello }","variables":[]}`, 400, 400, 422, "requestShape"},
		"a name that is none":  {`{"query":"{ hello }","operationName":{}}`, 400, 400, 422, "requestShape"},
		"extensions as text":   {`{"query":"{ hello }","extensions":"x"}`, 400, 400, 422, "requestShape"},
		"nulls":                {`{"query":"{ hello }","operationName":null,"variables":null,"extensions":null,"more":1}`, 200, 200, 200, ""},
		"no document":          {query("{"), 200, 400, 400, "unreadableDocument"},
		"an unknown field":     {query("{ no_such_field }"), 200, 400, 422, "invalidDocument"},
		"an unknown operation": {`{"query":"query A { hello }","operationName":"B"}`, 200, 400, 422, "invalidDocument"},
		"a missing variable":   {query("query($n: ID!) { case(id: $n) { id } }"), 200, 400, 422, "invalidDocument"},
		"too much":             {query(doubling(30, "...F%d ...F%d")), 200, 400, 422, "tooComplex"},
		"too costly":           {query("{ cases(first: 10001) { nodes { id } } }"), 200, 400, 422, "tooCostly"},
		"a subscription":       {query("subscription { endless }"), 406, 406, 406, "streamOnly"},
		"a problem of a field": {query("{ hello refused }"), 200, 200, 294, ""},
	} {
		ask := func(h *house, accept string) *httptest.ResponseRecorder {
			return h.ask(http.MethodPost, "/graphql", c.body, "Content-Type", plainJSON, "Authorization", "Bearer kiel", "Accept", accept)
		}
		for profile, asked := range map[string]struct {
			answer *httptest.ResponseRecorder
			status int
		}{
			"json":           {ask(current, plainJSON), c.json},
			"current":        {ask(current, responseJSON), c.current},
			"draft":          {ask(coming, responseJSON), c.new},
			"draft for json": {ask(coming, plainJSON), c.new},
		} {
			w := asked.answer
			if w.Code != asked.status {
				t.Errorf("%s, %s: %d, not %d", name, profile, w.Code, asked.status)
			}
			answer := read(t, w)
			if answer.rule() != c.rule && w.Code != 294 && answer.Data == nil {
				t.Errorf("%s, %s: rule %q, not %q", name, profile, answer.rule(), c.rule)
			}
			if c.rule != "" && answer.Data != nil {
				t.Errorf("%s, %s: a refused request has data: %s", name, profile, w.Body)
			}
			if profile == "draft for json" && w.Code >= 400 && !strings.HasPrefix(w.Header().Get("Content-Type"), responseJSON) {
				t.Errorf("%s, %s: refused as %s", name, profile, w.Header().Get("Content-Type"))
			}
		}
	}
}

func TestAVariableThatDoesNotFitIsToldByItsPlaceAndNotByItsValue(t *testing.T) {
	for production, h := range map[bool]*house{false: open(t, func(o *web.Options) { o.Production = false }), true: open(t, func(o *web.Options) { o.Production = true })} {
		for variables, want := range map[string]string{
			`{"input": {"id": "1"}}`:                              `["input","reason"]`,
			`{"input": {"id": "1", "reason": null}}`:              `["input","reason"]`,
			`{"input": {"id": "1", "reason": {"secret": 1}}}`:     `["input","reason"]`,
			`{"input": {"id": "1", "reason": "r", "secret": 1}}`:  map[bool]string{false: `["input","secret"]`, true: `["input"]`}[production],
			`{"input": {"id": "1", "reason": "r", "se cret": 1}}`: `["input"]`,
			`{}`: `["input"]`,
		} {
			w := h.post(`{"query":"mutation($input: CloseInput!) { close(input: $input) { id } }","variables":` + variables + `}`)
			var got struct {
				Errors []struct {
					Extensions struct{ Variable json.RawMessage }
				}
			}
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got.Errors) != 1 || string(got.Errors[0].Extensions.Variable) != want {
				t.Errorf("production %t, %s: %s, not %s: %v", production, variables, w.Body, want, err)
			}
			if production && strings.Contains(w.Body.String(), "cret") {
				t.Errorf("%s is repeated: %s", variables, w.Body)
			}
		}
	}
}

func TestOnlyJSONInUTF8IsReadAsJSON(t *testing.T) {
	h := open(t, nil)
	for _, contentType := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json; charset=iso-8859-1", "application/jsonx", "json"} {
		w := h.ask(http.MethodPost, "/graphql", query("{ __typename }"), "Content-Type", contentType, "Authorization", "Bearer kiel")
		if w.Code != http.StatusUnsupportedMediaType {
			t.Errorf("%q: %d", contentType, w.Code)
		}
	}
	if w := h.post(query("{ __typename }"), "Content-Encoding", "gzip"); w.Code != http.StatusUnsupportedMediaType {
		t.Errorf("compressed: %d", w.Code)
	}
	if w := h.ask(http.MethodPost, "/graphql", query("{ __typename }"), "Content-Type", "application/json; charset=UTF-8"); w.Code != 200 {
		t.Errorf("with its charset: %d", w.Code)
	}
}

func TestQueriesComeByGetToo(t *testing.T) {
	h := open(t, nil)
	get := func(pairs ...string) *httptest.ResponseRecorder {
		v := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			v.Add(pairs[i], pairs[i+1])
		}
		return h.ask(http.MethodGet, "/graphql?"+v.Encode(), "", "Authorization", "Bearer kiel", "Accept", responseJSON)
	}
	if w := get("query", "query H($to: String) { hello(to: $to) }", "variables", `{"to":"Kiel"}`, "operationName", "H", "extensions", ""); w.Code != 200 || !strings.Contains(w.Body.String(), "hello Kiel") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for name, w := range map[string]*httptest.ResponseRecorder{
		"no query":         get("variables", "{}"),
		"broken variables": get("query", "{ hello }", "variables", "{"),
		"two queries":      get("query", "{ hello }", "query", "{ hello }"),
		"a broken escape":  h.ask(http.MethodGet, "/graphql?query=%7", "", "Accept", responseJSON),
	} {
		if w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if w := get("query", `mutation { close(input: {id: 1, reason: "x"}) { id } }`); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "POST" || read(t, w).Data != nil {
		t.Errorf("a mutation by GET: %d %s", w.Code, w.Body)
	}
	if w := h.ask(http.MethodPatch, "/graphql", query("{ __typename }"), "Content-Type", plainJSON); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, POST" {
		t.Errorf("PATCH: %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
}

func TestABodyBeyondTheLimitIsRefusedWhetherItSaysSoOrNot(t *testing.T) {
	h := open(t, nil)
	large := query("{ __typename } #" + strings.Repeat("x", 300<<10))
	if w := h.post(large); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("with its length: %d", w.Code)
	}
	r := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(large))
	r.ContentLength = -1
	r.Header.Set("Content-Type", plainJSON)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("in pieces: %d", w.Code)
	}
}

func TestWithoutATokenNothingIsToldButWhatStandsAtTheRoot(t *testing.T) {
	development, production := open(t, nil), open(t, func(o *web.Options) { o.Production = true })
	for document, want := range map[string][2]int{ // status in development and in production
		"{ __typename }":                       {200, 200},
		"{ hello }":                            {401, 401},
		"{ __typename hello }":                 {401, 401},
		"{ no_such_field }":                    {401, 401}, // the contract does not leak through validation
		"{ __schema { description } }":         {200, 401},
		"subscription { endless }":             {401, 401},
		`mutation { close(input: {}) { id } }`: {401, 401},
	} {
		for i, h := range []*house{development, production} {
			w := h.ask(http.MethodPost, "/graphql", query(document), "Content-Type", plainJSON, "Accept", responseJSON)
			if document == "{ __schema { description } }" && want[i] == 200 && w.Code == 400 {
				continue // the prelude of the parser has no description; it got as far as validation
			}
			if w.Code != want[i] {
				t.Errorf("%s: %d, not %d: %s", document, w.Code, want[i], w.Body)
			}
			if w.Code == 401 && (w.Header().Get("WWW-Authenticate") != "Bearer" || read(t, w).Errors[0].Extensions["code"] != "UNAUTHENTICATED") {
				t.Errorf("%s: %v %s", document, w.Header(), w.Body)
			}
		}
	}
}

func TestABadTokenIsRefusedWhateverIsAsked(t *testing.T) {
	h := open(t, nil)
	for _, headers := range [][]string{
		{"Authorization", "Bearer luebeck"}, {"Authorization", "Bearer"}, {"Authorization", "kiel"}, {"Authorization", "Basic kiel"}, {"Authorization", ""},
		{"Authorization", "Bearer kiel", "Authorization", "Bearer kiel"},
	} {
		w := h.ask(http.MethodPost, "/graphql", query("{ __typename }"), append(headers, "Content-Type", plainJSON)...)
		if w.Code != 401 || !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Bearer") || read(t, w).rule() != "badToken" {
			t.Errorf("%q: %d %s", headers, w.Code, w.Body)
		}
	}
	if w := h.ask(http.MethodPost, "/graphql", query("{ hello }"), "Content-Type", plainJSON, "Authorization", "bearer kiel"); w.Code != 200 {
		t.Errorf("the scheme in small letters: %d", w.Code)
	}
}

func TestProductionSaysWhereADocumentIsWrongButNotInItsWords(t *testing.T) {
	development, production := open(t, nil), open(t, func(o *web.Options) { o.Production = true })
	for _, document := range []string{"{ secret_a91 }", "{ hello } secret_a91", "{ hello(secret_a91: 1) }"} {
		if w := development.post(query(document)); !strings.Contains(w.Body.String(), "secret_a91") {
			t.Errorf("development does not help with %s: %s", document, w.Body)
		}
		w := production.post(query(document), "Accept-Language", "de-DE")
		answer := read(t, w)
		if strings.Contains(w.Body.String(), "secret_a91") || len(answer.Errors) == 0 || len(answer.Errors[0].Locations) == 0 || answer.Errors[0].Extensions["code"] != "VALIDATION" || !strings.HasPrefix(answer.Errors[0].Message, "Diese Abfrage") {
			t.Errorf("production on %s: %s", document, w.Body)
		}
	}
}

func TestAnAnswerTellsAtMostFiveErrors(t *testing.T) {
	h := open(t, nil)
	if answer := read(t, h.post(query("{ "+numbered("x%d ", 20)+"}"))); len(answer.Errors) != 5 {
		t.Errorf("%d errors of validation", len(answer.Errors))
	}
	if answer := read(t, h.post(query("{ many }"))); len(answer.Errors) != 5 || answer.Extensions["errorsLeftOut"] != 15.0 {
		t.Errorf("%d errors of execution, %v", len(answer.Errors), answer.Extensions)
	}
}

func TestTheCostIsToldToThoseWhoAsk(t *testing.T) {
	h := open(t, nil)
	document := query("{ cases(first: 3) { nodes { id } } }")
	if answer := read(t, h.post(document)); answer.Extensions != nil {
		t.Errorf("told unasked: %v", answer.Extensions)
	}
	want, _ := json.Marshal(map[string]any{"cost": map[string]int{"requested": 4, "limit": 10_000}})
	if got, _ := json.Marshal(read(t, h.post(document, "GraphQL-Cost", "1")).Extensions); string(got) != string(want) {
		t.Errorf("%s, not %s", got, want)
	}
	if answer := read(t, h.post(query("{ cases(first: 99999) { nodes { id } } }"), "GraphQL-Cost", "1")); answer.rule() != "tooCostly" || answer.Extensions["cost"].(map[string]any)["requested"] != 100_000.0 {
		t.Errorf("%+v", answer)
	}
}

func TestAnOperationEndsWhenItsTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, nil)
		w := h.post(query("{ hello slow }"))
		if answer := read(t, w); w.Code != http.StatusServiceUnavailable || answer.rule() != "timeout" || answer.Data != nil || w.Header().Get("Retry-After") == "" {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}

func TestAPanicOnTheWayIsAnAnswerWithAReference(t *testing.T) {
	h := open(t, func(o *web.Options) { o.Engine = panicsAlways })
	w := h.post(query("{ hello }"))
	answer := read(t, w)
	reference, _ := answer.Errors[0].Extensions["reference"].(string)
	if w.Code != 500 || reference == "" || !strings.Contains(h.log.String(), reference) || strings.Contains(w.Body.String(), "disco") {
		t.Errorf("%d %s\n%s", w.Code, w.Body, h.log)
	}
}
