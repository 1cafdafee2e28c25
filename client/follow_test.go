// SPDX-License-Identifier: EUPL-1.2

package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/client"
	"github.com/ozg-cloud/platform/internal/housetest"
)

const (
	parking = "99108001001000"
	kiel    = "010020000000"
	stream  = `subscription($after: EventCursor) { caseEvents(after: $after, heartbeatSeconds: 1) { __typename
		... on CaseEvent { type caseId revision } ... on StreamCheckpoint { caughtUp } ... on StreamRevocation { caseIds } } }`
)

var transports = map[string]client.Transport{"socket": client.Socket, "event stream": client.EventStream}

// of is a client that comes back soon, with tokens of a caseworker of Kiel that live so long.
func of(h *housetest.House, url string, transport client.Transport, life time.Duration) *client.Client {
	return &client.Client{
		URL: url + "/graphql", Transport: transport, First: 5 * time.Millisecond, Longest: 50 * time.Millisecond, Silence: 5 * time.Second,
		Token: func(context.Context) (string, time.Time, error) {
			until := time.Now().Add(life).Truncate(time.Second) // as a token says it
			return h.Token("kiel-caseworker", map[string]any{"trust_level": "SUBSTANTIAL"}, life), until, nil
		},
	}
}

// book writes down what a receiver is told.
type book struct {
	mu      sync.Mutex
	ids     []string
	cursors map[string]int
	ready   chan struct{} // closed with the first checkpoint
	begun   sync.Once
	changed chan struct{}
	gaps    int
	gone    [][]string
}

func open() *book {
	return &book{cursors: map[string]int{}, ready: make(chan struct{}), changed: make(chan struct{}, 1)}
}

func (b *book) note(do func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	do()
	select {
	case b.changed <- struct{}{}:
	default:
	}
}

func (b *book) receiver() client.Receiver {
	return client.Receiver{
		Event: func(_ context.Context, e client.Event) error {
			var f struct{ CaseID string }
			if err := json.Unmarshal(e.Frame, &f); err != nil {
				return err
			}
			b.note(func() { b.ids, b.cursors[e.Cursor] = append(b.ids, f.CaseID), b.cursors[e.Cursor]+1 })
			return nil
		},
		Gap: func(context.Context, string) error { b.note(func() { b.gaps++ }); return nil },
		Revoked: func(_ context.Context, ids []string) error {
			b.note(func() { b.gone = append(b.gone, ids) })
			return nil
		},
		Checkpoint: func(string, bool) { b.begun.Do(func() { close(b.ready) }) },
	}
}

// until waits until something is so.
func (b *book) until(t *testing.T, so func() bool) {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		b.mu.Lock()
		there := so()
		b.mu.Unlock()
		if there {
			return
		}
		select {
		case <-b.changed:
		case <-late:
			t.Fatalf("that never comes; %d events so far", len(b.ids))
		}
	}
}

func await(t *testing.T, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(20 * time.Second):
		t.Fatal("that never comes")
	}
}

func TestAReceiverMissesNothingBehindAProxyThatCutsConnections(t *testing.T) {
	t.Parallel()
	for name, transport := range transports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := housetest.New(t)
			another := h.Another()
			proxy, twins := housetest.NewProxy(t, h.URL), housetest.NewProxy(t, h.URL)
			b, twin := open(), open()
			ctx, stop := context.WithCancel(t.Context())
			var wait sync.WaitGroup
			wait.Go(func() {
				if _, err := of(h, proxy.URL, transport, time.Hour).Follow(ctx, client.Subscription{Document: stream}, b.receiver()); !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			})
			// The twin comes back as well, but not to where it was.
			there := false
			wait.Go(func() {
				to := twin.receiver()
				begun := to.Checkpoint
				to.Checkpoint = func(at string, kept bool) { begun(at, kept); twin.note(func() { there = true }) }
				for ctx.Err() == nil {
					once, broken := context.WithCancel(ctx)
					to.Broken = func(error, time.Duration) { twin.note(func() { there = false }); broken() }
					_, _ = of(h, twins.URL, transport, time.Hour).Follow(once, client.Subscription{Document: stream}, to)
					broken()
				}
			})
			await(t, b.ready)
			await(t, twin.ready)
			var want []string
			for i := range 30 {
				if i%3 == 0 {
					proxy.Lead([]string{h.URL, another.URL}[i/3%2])
					proxy.Cut()
					twin.until(t, func() bool { return there })
					twins.Lead("http://127.0.0.1:1") // where nobody is, so that the twin is away when something happens
					twins.Cut()
					twin.until(t, func() bool { return !there })
				}
				c := h.As("kiel-applicant").Submit(parking, kiel)
				want = append(want, c.ID)
				if i%3 == 0 {
					twins.Lead(h.URL)
				}
			}
			b.until(t, func() bool { return len(b.ids) >= len(want) })
			stop()
			wait.Wait()
			if !slices.Equal(b.ids, want) || len(b.cursors) != len(want) || b.gaps > 0 {
				t.Errorf("%d events with %d cursors instead of %d", len(b.ids), len(b.cursors), len(want))
			}
			if proxy.Carried() < 3 { // on a busy machine many a cut meets nobody
				t.Errorf("only %d connections: hardly anything was cut", proxy.Carried())
			}
			if len(twin.ids) >= len(want) {
				t.Errorf("who begins anew after a break has %d of %d events: the test is of no use", len(twin.ids), len(want))
			}
		})
	}
}

func TestATokenIsRenewedBeforeItExpires(t *testing.T) {
	t.Parallel()
	for name, transport := range transports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := housetest.New(t)
			proxy := housetest.NewProxy(t, h.URL)
			b := open()
			ctx, stop := context.WithCancel(t.Context())
			var wait sync.WaitGroup
			var breaks []error
			to := b.receiver()
			to.Broken = func(err error, _ time.Duration) { breaks = append(breaks, err) }
			begun := time.Now()
			wait.Go(func() {
				_, _ = of(h, proxy.URL, transport, 3*time.Second).Follow(ctx, client.Subscription{Document: stream}, to)
			})
			await(t, b.ready)
			sent := 0
			for time.Since(begun) < 4*time.Second {
				<-time.After(100 * time.Millisecond) // of a token's time
				h.As("kiel-applicant").Submit(parking, kiel)
				sent++
				b.until(t, func() bool { return len(b.ids) >= sent })
			}
			stop()
			wait.Wait()
			if len(breaks) > 0 || len(b.ids) != sent {
				t.Errorf("%d of %d events, broken by %v", len(b.ids), sent, breaks)
			}
			if transport == client.Socket && proxy.Carried() != 1 {
				t.Errorf("%d sockets were opened, not one", proxy.Carried())
			}
		})
	}
}

func TestWhatTheHouseRefusesForGoodEndsTheSubscription(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	for name, transport := range transports {
		for what, document := range map[string]string{"no such field": "subscription { nobodysEvents { __typename } }", "a bad cursor": stream} {
			var no *client.Refused
			s := client.Subscription{Document: document}
			if what == "a bad cursor" {
				s.After = "nowhere"
			}
			if _, err := of(h, h.URL, transport, time.Hour).Follow(t.Context(), s, open().receiver()); !errors.As(err, &no) || no.Code != "VALIDATION" {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
		c := of(h, h.URL, transport, time.Hour)
		asked := 0
		c.Token = func(context.Context) (string, time.Time, error) { asked++; return "forged", time.Time{}, nil }
		var no *client.Refused
		if _, err := c.Follow(t.Context(), client.Subscription{Document: stream}, open().receiver()); !errors.As(err, &no) || asked != 3 {
			t.Errorf("%s: asked %d times for a token: %v", name, asked, err)
		}
	}
}

func TestAPositionIsWhereAnotherProcessGoesOn(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	b := open()
	full := errors.New("full")
	to := b.receiver()
	take := to.Event
	to.Event = func(ctx context.Context, e client.Event) error {
		if len(b.ids) == 2 {
			return full
		}
		return take(ctx, e)
	}
	done := make(chan struct{})
	var at string
	go func() {
		defer close(done)
		var err error
		if at, err = of(h, h.URL, client.Socket, time.Hour).Follow(t.Context(), client.Subscription{Document: stream}, to); !errors.Is(err, full) {
			t.Error(err)
		}
	}()
	await(t, b.ready)
	var want []string
	for range 4 {
		c := h.As("kiel-applicant").Submit(parking, kiel)
		want = append(want, c.ID)
	}
	await(t, done)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() {
		_, _ = of(h, h.Another().URL, client.EventStream, time.Hour).Follow(ctx, client.Subscription{Document: stream, After: at}, b.receiver())
	}()
	b.until(t, func() bool { return len(b.ids) >= 4 })
	if !slices.Equal(b.ids, want) {
		t.Errorf("%d events are not those that happened", len(b.ids))
	}
}

func TestLostRightsReachTheReceiver(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	h.Give("wanda", "CASEWORKER", "kiel", "")
	b := open()
	c := of(h, h.URL, client.Socket, time.Hour)
	c.Token = func(context.Context) (string, time.Time, error) {
		return h.Token("wanda", map[string]any{"trust_level": "SUBSTANTIAL"}, time.Hour), time.Time{}, nil
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() { _, _ = c.Follow(ctx, client.Subscription{Document: stream}, b.receiver()) }()
	await(t, b.ready)
	if _, err := h.Database().Exec(t.Context(), "delete from role_assignments where subject = 'user:dev:wanda'"); err != nil {
		t.Fatal(err)
	}
	b.until(t, func() bool { return len(b.gone) == 1 && b.gone[0] == nil })
}
