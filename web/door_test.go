// SPDX-License-Identifier: EUPL-1.2

package web_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/web"
)

func panicsAlways(context.Context) web.Engine { panic("at the disco") }

// rooms are endpoints as other rooms have them.
func rooms(o *web.Options) {
	fails := func(err error) func(http.ResponseWriter, *http.Request) error {
		return func(http.ResponseWriter, *http.Request) error { return err }
	}
	o.Routes = []web.Route{
		{Pattern: "POST /uploads", NeedsPrincipal: true, Handler: func(w http.ResponseWriter, r *http.Request) error {
			_, err := fmt.Fprint(w, "for ", r.Context().Value(who{}))
			return err
		}},
		{Pattern: "GET /attachments/{token}", Handler: func(w http.ResponseWriter, r *http.Request) error {
			_, err := io.WriteString(w, r.PathValue("token"))
			return err
		}},
		{Pattern: "GET /invalid", Handler: fails(fmt.Errorf("intake: reading: %w", problem.New(problem.Invalid, "maxLength", "formData", "name")))},
		{Pattern: "GET /large", Handler: fails(problem.New(problem.Invalid, "tooLarge"))},
		{Pattern: "GET /forbidden", Handler: fails(problem.New(problem.Forbidden, "notAllowed"))},
		{Pattern: "GET /missing", Handler: fails(problem.New(problem.Missing, "notFound"))},
		{Pattern: "GET /conflict", Handler: fails(problem.New(problem.Conflict, "transactionReused"))},
		{Pattern: "GET /busy", Handler: fails(&problem.Problem{Kind: problem.Busy, Rule: "overloaded", RetryAfterSeconds: 7})},
		{Pattern: "GET /quota", Handler: fails(problem.New(problem.Busy, "quotaExceeded"))},
		{Pattern: "GET /broken", Handler: fails(errors.New("pq: no such column secret_a91"))},
		{Pattern: "GET /panics", Handler: func(http.ResponseWriter, *http.Request) error { panic("secret_a91") }},
		{Pattern: "GET /half", Handler: func(w http.ResponseWriter, _ *http.Request) error {
			_, _ = io.WriteString(w, "half")
			return errors.New("the other half is lost")
		}},
		{Pattern: "POST /reads", Handler: func(w http.ResponseWriter, r *http.Request) error {
			_, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 3))
			return fmt.Errorf("intake: reading: %w", err)
		}},
	}
}

func TestEveryFailureLeavesAsProblemDetails(t *testing.T) {
	h := open(t, rooms)
	for target, want := range map[string]struct {
		status     int
		code, rule string
	}{
		"GET /invalid":   {400, "VALIDATION", "maxLength"},
		"GET /large":     {413, "VALIDATION", "tooLarge"},
		"POST /reads":    {413, "VALIDATION", "tooLarge"},
		"POST /uploads":  {401, "UNAUTHENTICATED", "noPrincipal"},
		"GET /forbidden": {403, "FORBIDDEN", "notAllowed"},
		"GET /missing":   {404, "NOT_FOUND", "notFound"},
		"GET /nowhere":   {404, "NOT_FOUND", "notFound"},
		"GET /uploads":   {405, "VALIDATION", "method"},
		"GET /conflict":  {409, "IDEMPOTENCY_CONFLICT", "transactionReused"},
		"GET /busy":      {503, "UNAVAILABLE", "overloaded"},
		"GET /quota":     {429, "QUOTA_EXCEEDED", "quotaExceeded"},
		"GET /broken":    {500, "INTERNAL", "internal"},
		"GET /panics":    {500, "INTERNAL", "internal"},
	} {
		method, path, _ := strings.Cut(target, " ")
		w := h.ask(method, path, "four", "Accept-Language", "de")
		var told map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &told); err != nil {
			t.Errorf("%s: %v", target, err)
			continue
		}
		p := problem.New("", want.rule)
		if w.Code != want.status || told["status"] != float64(want.status) || told["code"] != want.code || told["rule"] != want.rule || told["title"] != p.Title("de") ||
			told["type"] != p.TypeURI() || w.Header().Get("Content-Type") != "application/problem+json" || w.Header().Get("Content-Language") != "de" {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
		if want.status == 500 && (strings.Contains(w.Body.String(), "secret_a91") || !strings.Contains(h.log.String(), told["reference"].(string))) {
			t.Errorf("%s: %s", target, w.Body)
		}
	}
	if got := h.ask("GET", "/busy", "").Header().Get("Retry-After"); got != "7" {
		t.Errorf("busy for %s", got)
	}
	if got := h.ask("GET", "/uploads", "").Header().Get("Allow"); got != "POST" {
		t.Errorf("allowed is %q", got)
	}
}

func TestHalfAnAnswerIsNotTakenForAWholeOne(t *testing.T) {
	s := serve(t, 0, rooms)
	answer, err := http.Get(s.url + "/half")
	if err == nil {
		_, err = io.ReadAll(answer.Body)
		_ = answer.Body.Close()
	}
	if err == nil {
		t.Error("the answer looks whole")
	}
}

func TestARouteIsOpenToThoseWhomItIsMeantFor(t *testing.T) {
	h := open(t, rooms)
	if w := h.ask("POST", "/uploads", "", "Authorization", "Bearer kiel"); w.Body.String() != "for kiel" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := h.ask("POST", "/uploads", "", "Authorization", "Bearer luebeck"); w.Code != 401 {
		t.Errorf("a bad token: %d", w.Code)
	}
	if w := h.ask("GET", "/attachments/a.b", "", "Authorization", "Bearer luebeck"); w.Body.String() != "a.b" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestEveryAnswerHasTheHeadersThatProtectBrowsers(t *testing.T) {
	h := open(t, rooms)
	for _, path := range []string{"/graphql", "/livez", "/nowhere", "/panics", "/attachments/a"} {
		got := h.ask("GET", path, "").Header()
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
		} {
			if got.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, got.Get(name))
			}
		}
	}
}

func TestPagesOfOtherOriginsMayCallOnlyWhenListed(t *testing.T) {
	closed, listed := open(t, nil), open(t, func(o *web.Options) { o.AllowedOrigins = []string{"https://portal.example/"} })
	for origin, want := range map[string]string{"https://portal.example": "https://portal.example", "https://portal.example.evil": "", "http://portal.example": "", "null": ""} {
		preflight := []string{"Origin", origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization"}
		w := listed.ask("OPTIONS", "/graphql", "", preflight...)
		if h := w.Header(); w.Code != 204 || h.Get("Access-Control-Allow-Origin") != want || (h.Get("Access-Control-Allow-Headers") != "") != (want != "") || h.Get("Vary") != "Origin" {
			t.Errorf("%s: %d %v", origin, w.Code, h)
		}
		if got := listed.post(query("{ __typename }"), "Origin", origin).Header().Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("%s: %q", origin, got)
		}
		if got := closed.ask("OPTIONS", "/graphql", "", preflight...).Header().Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("a closed door lets %s in", origin)
		}
	}
}

func TestTheLogTellsWhatWasAskedButNothingOfWhom(t *testing.T) {
	h := open(t, rooms)
	h.post(`{"query":"query PageOfCases { hello(to: \"Meier\") }","operationName":"PageOfCases"}`)
	h.ask("GET", "/attachments/secret_a91?name=Meier", "", "Authorization", "Bearer secret_a91")
	h.ask("BREW", "/Meier", "")
	h.ask("GET", "/graphql?query=query+"+strings.Repeat("x", 62)+"+{__typename}", "")
	log := h.log.String()
	for _, want := range []string{"method=POST route=/graphql status=200", "operation=PageOfCases", `route="GET /attachments/{token}"`, "method=other"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log does not tell %q:\n%s", want, log)
		}
	}
	for _, secret := range []string{"Meier", "secret_a91", "kiel", "192.0.2.1", "BREW", "xxxxxx"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log tells %q:\n%s", secret, log)
		}
	}
}

func TestADoorThatLacksSomethingIsNotBuilt(t *testing.T) {
	for name, change := range map[string]func(*web.Options){
		"engine":   func(o *web.Options) { o.Engine = nil },
		"identify": func(o *web.Options) { o.Identify = nil },
		"ready":    func(o *web.Options) { o.Ready = nil },
		"contract": func(o *web.Options) { o.Contract = "" },
		"log":      func(o *web.Options) { o.Log = nil },
		"a limit":  func(o *web.Options) { o.Limits.Tokens = 0 },
	} {
		o := options(io.Discard)
		change(&o)
		if _, err := web.New(o); err == nil {
			t.Errorf("a door without %s", name)
		}
	}
}

func TestTheHouseTellsHowItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down error
		asked := 0
		h := open(t, func(o *web.Options) { o.Ready = func(context.Context) error { asked++; return down } })
		for range 100 {
			if w := h.ask("GET", "/readyz", ""); w.Code != 200 {
				t.Errorf("ready: %d", w.Code)
			}
		}
		if asked != 1 {
			t.Errorf("whoever asks for readiness asks the database: %d times", asked)
		}
		down = errors.New("no database at secret_a91")
		<-time.After(time.Second)
		if w := h.ask("GET", "/readyz", ""); w.Code != 503 || strings.Contains(w.Body.String(), "secret_a91") || w.Header().Get("Retry-After") == "" {
			t.Errorf("not ready: %d %s", w.Code, w.Body)
		}
		if w := h.ask("GET", "/livez", ""); w.Code != 200 {
			t.Errorf("alive: %d", w.Code)
		}
	})
}

func TestTheContractIsServedOnceAndThenRecognised(t *testing.T) {
	h := open(t, nil)
	w := h.ask("GET", "/schema.graphql", "")
	sum := sha256.Sum256([]byte(contract))
	etag := w.Header().Get("ETag")
	if w.Body.String() != contract || etag != `W/"`+hex.EncodeToString(sum[:])+`"` || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	for match, want := range map[string]int{etag: 304, strings.TrimPrefix(etag, "W/"): 304, `"other", ` + etag: 304, "*": 304, `"other"`: 200} {
		if w := h.ask("GET", "/schema.graphql", "", "If-None-Match", match); w.Code != want {
			t.Errorf("If-None-Match %s: %d", match, w.Code)
		}
	}
}

func TestWhoHasAnotherContractIsServedThatOneAndNobodyElseIs(t *testing.T) {
	const own = "type Query { flurstueck: String }"
	h := open(t, func(o *web.Options) {
		o.ContractOf = func(ctx context.Context) (string, bool) {
			if ctx.Value(who{}) == nil {
				t.Error("somebody is asked for without a principal")
			}
			return own, true
		}
	})
	mine, all := h.ask("GET", "/schema.graphql", "", "Authorization", "Bearer kiel"), h.ask("GET", "/schema.graphql", "")
	if mine.Body.String() != own || all.Body.String() != contract {
		t.Errorf("%q and %q", mine.Body, all.Body)
	}
	sum := sha256.Sum256([]byte(own))
	if etag := mine.Header().Get("ETag"); etag != `W/"`+hex.EncodeToString(sum[:])+`"` || etag == all.Header().Get("ETag") {
		t.Errorf("ETag %s", etag)
	}
	if mine.Header().Get("Cache-Control") != "private, no-cache" || !slices.Contains(mine.Header()["Vary"], "Authorization") || !slices.Contains(all.Header()["Vary"], "Authorization") {
		t.Errorf("a cache between might give it to others: %v, %v", mine.Header(), all.Header())
	}
	if w := h.ask("GET", "/schema.graphql", "", "Authorization", "Bearer kiel", "If-None-Match", all.Header().Get("ETag")); w.Code != 200 {
		t.Errorf("the standard contract is taken for the own one: %d", w.Code)
	}
	if w := h.ask("GET", "/schema.graphql", "", "Authorization", "Bearer kiel", "If-None-Match", mine.Header().Get("ETag")); w.Code != 304 || w.Body.Len() > 0 {
		t.Errorf("the own one is not recognised: %d", w.Code)
	}
	if w := h.ask("GET", "/schema.graphql", "", "Authorization", "Bearer somebody"); w.Code != 401 {
		t.Errorf("who is nobody gets %d", w.Code)
	}
}
