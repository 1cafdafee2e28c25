// SPDX-License-Identifier: EUPL-1.2

package web_test

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/web"
)

// database has so many connections, and answers each question in the same time.
type database struct {
	connections chan struct{}
	each        time.Duration
	waited      atomic.Int64
	times       atomic.Int64
}

func (d *database) ask(ctx context.Context) error {
	begun := time.Now()
	select {
	case d.connections <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-d.connections }()
	d.waited.Add(int64(time.Since(begun)))
	d.times.Add(1)
	<-time.After(d.each)
	return nil
}

func (d *database) strain() (time.Duration, int64) {
	return time.Duration(d.waited.Load()), d.times.Load()
}

// busyHouse is a house over a database with so many connections, each of which carries a hundred operations a second. It is asked by an
// authority, a form server and an analyst.
func busyHouse(t *testing.T, change func(*web.Options), connections int) *house {
	db := &database{connections: make(chan struct{}, connections), each: 10 * time.Millisecond}
	fields := maps.Clone(theToy)
	fields["hello"] = func(ctx context.Context, _ map[string]any) (any, error) { return "hello", db.ask(ctx) }
	fields["close"] = func(ctx context.Context, _ map[string]any) (any, error) {
		return map[string]any{"id": "1", "title": "Hundesteuer"}, db.ask(ctx)
	}
	return open(t, func(o *web.Options) {
		engine := web.Engine{Executor: executor.New(fields), Guard: web.NewGuard(theSchema, o.Limits)}
		o.Engine = func(context.Context) web.Engine { return engine }
		o.Identify = func(ctx context.Context, token string) (context.Context, error) {
			return context.WithValue(ctx, who{}, token), nil
		}
		o.Caller = func(ctx context.Context) web.Caller {
			name, _ := ctx.Value(who{}).(string)
			return web.Caller{Subject: name, Tenant: "kiel", Applies: name == "form-server", Counts: name == "analyst"}
		}
		o.Limits.CallerPerMinute, o.Limits.TenantPerMinute = 10_000_000, 10_000_000
		o.Strain = db.strain
		if change != nil {
			change(o)
		}
	})
}

const (
	asks    = "{ hello }"
	changes = `mutation { close(input: {id: "1", reason: "x"}) { id } }`
)

// crowd is somebody who sends operations at an even pace, without waiting for answers.
type crowd struct {
	who, document string
	perSecond     int
}

// outcome is what became of a crowd's operations.
type outcome struct {
	asked, timely, refused int
	late                   int             // answered after more than two seconds
	refusals               []time.Duration // how long each took
}

// overwhelm lets crowds in for some time and tells what became of each.
func overwhelm(h *house, lasts time.Duration, crowds ...crowd) []outcome {
	out := make([]outcome, len(crowds))
	var wait sync.WaitGroup
	var mu sync.Mutex
	for i, c := range crowds {
		wait.Go(func() {
			for end := time.Now().Add(lasts); time.Now().Before(end); <-time.After(time.Second / time.Duration(c.perSecond)) {
				wait.Go(func() {
					begun := time.Now()
					w := h.ask(http.MethodPost, "/graphql", query(c.document), "Content-Type", plainJSON, "Accept", responseJSON, "Authorization", "Bearer "+c.who)
					took := time.Since(begun)
					mu.Lock()
					defer mu.Unlock()
					o := &out[i]
					o.asked++
					switch {
					case w.Code != http.StatusOK:
						o.refused++
						o.refusals = append(o.refusals, took)
					case took > 2*time.Second:
						o.late++
					default:
						o.timely++
					}
				})
			}
		})
	}
	wait.Wait()
	return out
}

// capacity is what the busy house carries in a second.
const capacity = 400

func TestAtTenTimesTheCapacityAsMuchIsAnsweredAsEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := busyHouse(t, nil, 4)
		const lasts = 5 * time.Second
		all := overwhelm(h, lasts,
			crowd{"form-server", changes, 20},
			crowd{"kiel", changes, 100},
			crowd{"kiel", asks, 9*capacity - 120},
			crowd{"analyst", asks, capacity})
		intake, verbs, questions, figures := all[0], all[1], all[2], all[3]
		timely := intake.timely + verbs.timely + questions.timely + figures.timely
		t.Logf("answered in time: intake %d of %d, verbs %d of %d, questions %d of %d, figures %d of %d", intake.timely, intake.asked, verbs.timely, verbs.asked,
			questions.timely, questions.asked, figures.timely, figures.asked)
		if least := int(0.9 * capacity * lasts.Seconds()); timely < least {
			t.Errorf("answered in time: %d, not %d", timely, least)
		}
		if intake.timely < intake.asked || verbs.timely < verbs.asked {
			t.Error("what brings applications in and what is worked on has to wait behind questions")
		}
		if figures.timely*20 > figures.asked {
			t.Error("figures go before work")
		}
		var refusals []time.Duration
		for _, o := range all {
			refusals = append(refusals, o.refusals...)
		}
		slices.Sort(refusals)
		if slow := refusals[len(refusals)*99/100]; slow > 5*time.Millisecond {
			t.Errorf("99 of 100 refusals take up to %v", slow)
		}
		for range 20 { // it was over a moment ago
			begun := time.Now()
			if w := h.ask(http.MethodPost, "/graphql", query(asks), "Content-Type", plainJSON, "Authorization", "Bearer analyst"); w.Code != http.StatusOK || time.Since(begun) > 20*time.Millisecond {
				t.Errorf("afterwards: %d in %v", w.Code, time.Since(begun))
			}
		}
	})
}

func TestTheOverloadFindsAHouseWithoutAGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := busyHouse(t, func(o *web.Options) { o.Strain, o.Limits.AtOnce = nil, 1_000_000 }, 4)
		const lasts = 5 * time.Second
		all := overwhelm(h, lasts, crowd{"form-server", changes, 20}, crowd{"kiel", asks, 5 * capacity})
		if all[0].timely == all[0].asked {
			t.Error("without a gate intake does not suffer")
		}
		if timely := all[0].timely + all[1].timely; timely > int(0.6*capacity*lasts.Seconds()) {
			t.Errorf("without a gate %d are answered in time", timely)
		}
	})
}

func TestHealthIsToldInAnOverload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := busyHouse(t, nil, 4)
		var wait sync.WaitGroup
		wait.Go(func() { overwhelm(h, time.Second, crowd{"kiel", asks, 10 * capacity}) })
		<-time.After(800 * time.Millisecond)
		for _, path := range []string{"/livez", "/readyz"} {
			begun := time.Now()
			if w := h.ask("GET", path, ""); w.Code != 200 || time.Since(begun) > 5*time.Millisecond {
				t.Errorf("%s: %d after %v", path, w.Code, time.Since(begun))
			}
		}
		wait.Wait()
	})
}

func TestARefusalForOverloadComesBeforeTheBodyIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := busyHouse(t, func(o *web.Options) { o.Limits.AtOnce = 4 }, 4)
		var wait sync.WaitGroup
		wait.Go(func() {
			overwhelm(h, time.Second, crowd{"kiel", asks, 10 * capacity}, crowd{"kiel", changes, 10 * capacity})
		})
		<-time.After(900 * time.Millisecond)
		unread := &neverRead{}
		r := httptest.NewRequest(http.MethodPost, "/graphql", unread)
		r.Header.Set("Content-Type", plainJSON)
		r.Header.Set("Authorization", "Bearer analyst")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || unread.read {
			t.Errorf("%d, body read: %v", w.Code, unread.read)
		}
		wait.Wait()
	})
}

type neverRead struct{ read bool }

func (n *neverRead) Read([]byte) (int, error) {
	n.read = true
	return 0, problem.New(problem.Invalid, "malformed")
}

func TestTheGateFindsOutHowMuchTheDatabaseCarries(t *testing.T) {
	for _, connections := range []int{2, 30} {
		synctest.Test(t, func(t *testing.T) {
			registry := prometheus.NewRegistry()
			h := busyHouse(t, func(o *web.Options) { o.Metrics = web.NewMetrics(registry) }, connections)
			overwhelm(h, 5*time.Second, crowd{"kiel", asks, 120 * connections})
			if got := int(gathered(t, registry)["ozg_gate_limit"]); got < connections || got > 2*connections+4 {
				t.Errorf("with %d connections, %d are let in at once", connections, got)
			}
		})
	}
}

func TestWhoIsGivenAFileOfFiguresSlowlyKeepsNobodyOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		counting, sent, sending := make(chan struct{}), make(chan struct{}), make(chan struct{})
		h := open(t, func(o *web.Options) {
			o.Limits.AtOnce = 1
			o.Routes = []web.Route{{Pattern: "POST /figures", NeedsPrincipal: true, Cost: 1, Counts: true, Handler: func(w http.ResponseWriter, r *http.Request) error {
				<-counting
				_, _ = io.WriteString(w, "1")
				close(sending)
				<-sent
				return nil
			}}}
		})
		var wait sync.WaitGroup
		wait.Go(func() { h.ask(http.MethodPost, "/figures", "", "Authorization", "Bearer kiel") })
		synctest.Wait()
		// While it is counted, others wait, and those who only count do not wait for long.
		if w := h.ask(http.MethodPost, "/figures", "", "Authorization", "Bearer kiel"); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		close(counting)
		<-sending
		if w := h.post(query(`{ hello }`)); w.Code != http.StatusOK {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		close(sent)
		wait.Wait()
	})
}
