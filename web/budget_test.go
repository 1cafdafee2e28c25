// SPDX-License-Identifier: EUPL-1.2

package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ozg-cloud/platform/web"
)

// thrifty is a house with small budgets. A bearer's name before the dot is the tenant.
func thrifty(t *testing.T, caller, tenant int) *house {
	return open(t, func(o *web.Options) {
		o.Limits.CallerPerMinute, o.Limits.TenantPerMinute = caller, tenant
		o.Identify = func(ctx context.Context, token string) (context.Context, error) {
			return context.WithValue(ctx, who{}, token), nil
		}
		o.Caller = func(ctx context.Context) web.Caller {
			subject, _ := ctx.Value(who{}).(string)
			tenant, _, _ := strings.Cut(subject, ".")
			return web.Caller{Subject: subject, Tenant: tenant}
		}
		o.Routes = []web.Route{{Pattern: "POST /deliver", NeedsPrincipal: true, Cost: 50, Handler: func(w http.ResponseWriter, _ *http.Request) error {
			w.WriteHeader(http.StatusCreated)
			return nil
		}}}
	})
}

// pays asks for something that costs so much, at most a hundred.
func pays(h *house, who string, cost int) *httptest.ResponseRecorder {
	return h.ask(http.MethodPost, "/graphql", query(fmt.Sprintf("{ cases(first: %d) { nodes { id } } }", cost-1)),
		"Content-Type", plainJSON, "Accept", responseJSON, "Authorization", "Bearer "+who)
}

func TestWhoHasUsedUpTheirBudgetIsToldWhenThereIsMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := thrifty(t, 100, 1000)
		if w := pays(h, "kiel.a", 60); w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		w := pays(h, "kiel.a", 60)
		if w.Code != http.StatusTooManyRequests || read(t, w).rule() != "quotaExceeded" || read(t, w).Errors[0].Extensions["code"] != "QUOTA_EXCEEDED" {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if got := w.Header(); got.Get("Retry-After") != "12" || got.Get("RateLimit") != `"caller";r=40;t=12` || got.Get("RateLimit-Policy") != `"caller";q=100;w=60, "tenant";q=1000;w=60` {
			t.Errorf("%v", got)
		}
		if w := pays(h, "kiel.b", 60); w.Code != 200 {
			t.Errorf("somebody else pays for it: %d", w.Code)
		}
		<-time.After(12 * time.Second)
		if w := pays(h, "kiel.a", 60); w.Code != 200 {
			t.Errorf("when there should be more: %d", w.Code)
		}
		<-time.After(time.Hour)
		if first, second := pays(h, "kiel.a", 100).Code, pays(h, "kiel.a", 10).Code; first != 200 || second != http.StatusTooManyRequests {
			t.Errorf("budgets are saved up: %d, %d", first, second)
		}
	})
}

func TestATenantHasABudgetToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := thrifty(t, 100, 150)
		pays(h, "kiel.a", 90)
		if w := pays(h, "kiel.b", 90); w.Code != http.StatusTooManyRequests || !strings.HasPrefix(w.Header().Get("RateLimit"), `"tenant";r=60;`) {
			t.Errorf("%d %v", w.Code, w.Header())
		}
		if w := pays(h, "luebeck.a", 90); w.Code != 200 {
			t.Errorf("another tenant: %d", w.Code)
		}
	})
}

func TestRefusedDocumentsAndDeliveriesArePaidFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := thrifty(t, 100, 1000)
		for range 10 {
			if w := h.post(query("{ nothing }")); w.Code != 400 {
				t.Fatalf("%d", w.Code)
			}
		}
		if w := h.post(query("{ hello }")); w.Code != http.StatusTooManyRequests {
			t.Errorf("after ten wrong documents: %d", w.Code)
		}
		codes := make([]int, 3)
		for i := range codes {
			codes[i] = h.ask(http.MethodPost, "/deliver", "x", "Authorization", "Bearer form-server").Code
		}
		if codes[0] != 201 || codes[1] != 201 || codes[2] != http.StatusTooManyRequests {
			t.Errorf("deliveries: %v", codes)
		}
	})
}

func TestBudgetsAreForgottenWhenTheyAreFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := web.NewBudgets(100)
		for i := range 10_000 {
			b.Take(fmt.Sprint("a", i), 1)
		}
		<-time.After(time.Minute)
		for i := range 20_000 {
			b.Take(fmt.Sprint("b", i), 1)
			<-time.After(time.Second)
		}
		if n := b.Size(); n > 3000 {
			t.Errorf("%d are remembered", n)
		}
	})
}
