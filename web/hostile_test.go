// SPDX-License-Identifier: EUPL-1.2

package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"

	"github.com/ozg-cloud/platform/internal/strictjson/strictjsontest"
	"github.com/ozg-cloud/platform/web"
)

// hostile are bodies that somebody sends who means no good.
func hostile() map[string]string {
	out := map[string]string{
		"a megabyte of brackets":      strings.Repeat("[", 1<<20),
		"brackets within the limit":   strings.Repeat("[", 250<<10),
		"objects within the limit":    strings.Repeat(`{"a":`, 50_000),
		"brackets in variables":       `{"query":"{ hello }","variables":{"a":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}}`,
		"a huge number":               `{"query":"{ hello }","variables":{"a":` + strings.Repeat("9", 100_000) + `}}`,
		"a number of all sizes":       `{"query":"query($n: Int) { cases(first: $n) { totalCount } }","variables":{"n":1e999999999}}`,
		"a huge number in a document": query("{ cases(first: " + strings.Repeat("9", 100_000) + ") { totalCount } }"),
		"a float of a page":           query("{ cases(first: 1e99999999) { totalCount } }"),
		"a huge string":               query(`{ hello(to: "` + strings.Repeat("x", 200_000) + `" `),
		"a huge block string":         query(`{ hello(to: """` + strings.Repeat("\n x", 60_000) + `""" `),
		"a huge name":                 query("{ " + strings.Repeat("x", 200_000) + " }"),
		"a huge operation name":       `{"query":"{ hello }","operationName":"` + strings.Repeat("x", 200_000) + `"}`,
		"half a surrogate":            `{"query":"{ hello(to: \"\ud800\") }"}`,
		"half a surrogate, inside":    `{"query":"{ hello(to: \"\\ud800\") }"}`,
		"UTF-16":                      "\xff\xfe{\x00}\x00",
		"Latin-1":                     "{\"query\":\"{ hello(to: \\\"M\xfcller\\\") }\"}",
		"a NUL":                       "{\"query\":\"{ hello }\x00\"}",
		"an escaped NUL":              `{"query":"{ hello }\u0000"}`,
		"names by the thousand":       `{"query":"{ hello }","extensions":{` + strings.TrimSuffix(numbered(`"a%d":1,`, 15_000), ",") + `}}`,
		"a thousand unknown names":    query("{ " + numbered("x%d ", 900) + "}"),
		"a thousand unknown things":   query("{ hello(" + numbered("x%d: 1 ", 300) + ") }"),
		"unknown directives":          query("{ hello " + numbered("@x%d ", 50) + "}"),
		"a variable a thousand times": query("query(" + numbered("$a%d: Int ", 240) + ") { hello }"),
		"persisted queries":           `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}}`,
		"a batch":                     "[" + strings.TrimSuffix(strings.Repeat(query("{ hello }")+",", 100), ",") + "]",
		"wrong kinds of variables":    `{"query":"query($i: ID!) { case(id: $i) { id } }","variables":{"i":{"a":[1,{"b":null}]}}}`,
	}
	for name, text := range strictjsontest.Broken {
		out["broken: "+name] = text
		out["broken variables: "+name] = `{"query":"{ hello }","variables":{"a":` + text + `}}`
	}
	for name, c := range tooMuch {
		out["document: "+name] = query(c.document)
	}
	return out
}

// misbehaves sends hostile bodies and says what an answer should not have been.
func misbehaves(h http.Handler, bodies map[string]string) (found []string) {
	for name, body := range bodies {
		for _, accept := range []string{responseJSON, plainJSON} {
			r := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(body))
			r.Header.Set("Content-Type", plainJSON)
			r.Header.Set("Accept", accept)
			r.Header.Set("Authorization", "Bearer kiel")
			w := httptest.NewRecorder()
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			begun := time.Now()
			h.ServeHTTP(w, r.WithContext(ctx))
			took := time.Since(begun)
			cancel()
			switch {
			case w.Code >= 500:
				found = append(found, fmt.Sprintf("%s: status %d", name, w.Code))
			case w.Body.Len() >= 64<<10:
				found = append(found, fmt.Sprintf("%s: an answer of %d bytes", name, w.Body.Len()))
			case took > 4*time.Second:
				found = append(found, fmt.Sprintf("%s: took %v", name, took))
			case !json.Valid(w.Body.Bytes()):
				found = append(found, fmt.Sprintf("%s: no JSON", name))
			}
		}
	}
	return found
}

func TestHostileBodiesAreAnsweredBrieflySoonAndWithoutHarm(t *testing.T) {
	for _, production := range []bool{false, true} {
		h := open(t, func(o *web.Options) { o.Production = production })
		for _, found := range misbehaves(h, hostile()) {
			t.Error(found)
		}
		if w := h.post(query("{ hello(to: \"canary\") }")); w.Code != 200 {
			t.Errorf("afterwards: %d", w.Code)
		}
	}
}

func TestTheHostileBodiesFindAHandlerWithoutAGuard(t *testing.T) {
	bare := executor.New(theToy)
	found := misbehaves(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var p graphql.RawParams
		if err := json.Unmarshal(body, &p); err != nil {
			_, _ = w.Write(body)
			return
		}
		_, errs := bare.CreateOperationContext(graphql.StartOperationTrace(r.Context()), &p)
		_ = json.NewEncoder(w).Encode(errs)
	}), map[string]string{
		"an echo":  `{"query":"` + strings.Repeat("x", 100_000),
		"an error": query("{ hello " + numbered("@x%d ", 9000) + "}"),
	})
	if len(found) < 2 {
		t.Errorf("a handler without a guard passes: %q", found)
	}
}
