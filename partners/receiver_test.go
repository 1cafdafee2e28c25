// SPDX-License-Identifier: EUPL-1.2

package partners_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/cmd"
	"github.com/ozg-cloud/platform/internal/housetest"
	"github.com/ozg-cloud/platform/partners"
)

const (
	parking = "99108001001000"
	kiel    = "010020000000"
	soon    = 20 * time.Second
)

// brisk tries often and gives up early.
var brisk = partners.Patience{Attempts: 3, Soonest: time.Millisecond, Latest: 5 * time.Millisecond, DeadInRow: 1000, Look: 5 * time.Millisecond, Lease: 2 * time.Second}

// near lets webhooks send to this machine.
func near(g *cmd.Ground) {
	g.WebhookNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	g.Patience = brisk
}

// started lets a house work for its partners until the test ends or it is stopped.
func started(t testing.TB, h *housetest.House) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var under sync.WaitGroup
	under.Go(func() { h.Partners.Run(ctx) })
	stop = func() { cancel(); under.Wait() }
	t.Cleanup(stop)
	return stop
}

// letter is what a receiver got.
type letter struct {
	Delivery, Cursor, Attempt string
	Type                      string // of the frame
	Event                     string // type of the event
	Case                      string
	State                     string
	Revision                  int
	Body                      string
}

// receiver is a partner's door on a real socket.
type receiver struct {
	*httptest.Server
	t    testing.TB
	keys map[string]ed25519.PublicKey

	mu     sync.Mutex
	answer func(n int, l letter) int // status for the n-th letter, from 0; 0: the connection breaks, -1: no answer comes
	got    []letter                  // all
	taken  chan letter               // those that were answered with 204
}

func receives(t testing.TB, h *housetest.House) *receiver {
	t.Helper()
	r := &receiver{t: t, keys: keysOf(t, h), taken: make(chan letter, 100_000)}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

// keysOf reads the keys of the house as a partner does.
func keysOf(t testing.TB, h *housetest.House) map[string]ed25519.PublicKey {
	t.Helper()
	a := h.Anonymous().Send(h.Request(http.MethodGet, "/.well-known/jwks.json"))
	var set struct {
		Keys []struct{ Kid, Kty, Crv, Alg, Use, X, D string } `json:"keys"`
	}
	if err := json.Unmarshal(a.Raw, &set); err != nil || a.Status != http.StatusOK {
		t.Fatalf("status %d: %s", a.Status, a.Raw)
	}
	out := map[string]ed25519.PublicKey{}
	for _, k := range set.Keys {
		x, err := base64.RawURLEncoding.DecodeString(k.X)
		if err != nil || k.Kty != "OKP" || k.Crv != "Ed25519" || k.Alg != "EdDSA" || k.Use != "sig" || k.D != "" || k.Kid == "" {
			t.Fatalf("no public key: %s", a.Raw)
		}
		out[k.Kid] = x
	}
	return out
}

// verify holds a signature against what was sent beside it, with nothing but the standard library.
func verify(keys map[string]ed25519.PublicKey, signature string, body []byte, delivery string) error {
	parts := strings.Split(signature, ".")
	if len(parts) != 3 || parts[1] != "" {
		return fmt.Errorf("no detached JWS: %s", signature)
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil {
		return err
	}
	var head struct {
		Alg, Kid, Typ, Jti string
		Iat                int64
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return err
	}
	sum, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return err
	}
	said := parts[0] + "." + base64.RawURLEncoding.EncodeToString(body)
	if age := time.Since(time.Unix(head.Iat, 0)); head.Alg != "EdDSA" || head.Typ != "ozg-webhook+jws" || head.Jti != delivery || age > time.Minute || age < -time.Minute {
		return fmt.Errorf("%+v", head)
	}
	if key := keys[head.Kid]; key == nil || !ed25519.Verify(key, []byte(said), sum) {
		return fmt.Errorf("the signature is not that of the house")
	}
	return nil
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return
	}
	if err := verify(r.keys, q.Header.Get("OZG-Signature"), body, q.Header.Get("OZG-Delivery")); err != nil {
		r.t.Errorf("%v", err)
	}
	var said struct {
		Data map[string]struct {
			Typename string `json:"__typename"`
			Type     string
			CaseID   string
			Revision int
			Case     struct{ State string }
		}
		Extensions struct{ EventCursor string }
	}
	if err := json.Unmarshal(body, &said); err != nil || said.Extensions.EventCursor != q.Header.Get("OZG-Cursor") {
		r.t.Errorf("%v: %s", err, body)
	}
	l := letter{Delivery: q.Header.Get("OZG-Delivery"), Cursor: q.Header.Get("OZG-Cursor"), Attempt: q.Header.Get("OZG-Attempt"), Body: string(body)}
	for _, f := range said.Data {
		l.Type, l.Event, l.Case, l.Revision, l.State = f.Typename, f.Type, f.CaseID, f.Revision, f.Case.State
	}
	r.mu.Lock()
	status := http.StatusNoContent
	if r.answer != nil {
		status = r.answer(len(r.got), l)
	}
	r.got = append(r.got, l)
	r.mu.Unlock()
	switch status {
	case 0:
		panic(http.ErrAbortHandler)
	case -1:
		<-q.Context().Done()
		return
	case http.StatusNoContent:
		r.taken <- l
	case http.StatusFound:
		w.Header().Set("Location", r.URL+"/elsewhere")
	}
	w.WriteHeader(status)
}

// answers changes how letters are answered from now on.
func (r *receiver) answers(answer func(n int, l letter) int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

// next waits for a letter that is taken.
func (r *receiver) next() letter {
	r.t.Helper()
	select {
	case l := <-r.taken:
		return l
	case <-time.After(soon):
		r.t.Fatal("nothing is sent")
		return letter{}
	}
}

// all is everything that came so far.
func (r *receiver) all() []letter {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]letter(nil), r.got...)
}

const document = `subscription Kiel { caseEvents(heartbeatSeconds: 1) { __typename ... on CaseEvent { type caseId revision case { id state } } ... on StreamRevocation { caseIds } } }`

func tenantOf(c *housetest.Caller, slug string) string {
	return c.Ask(`query($s: String!) { tenant(slug: $s) { id } }`, map[string]any{"s": slug}).Works().Text("tenant.id")
}

// hooks makes a webhook of Kiel and gives its id.
func hooks(t testing.TB, c *housetest.Caller, url string, further map[string]any) string {
	t.Helper()
	in := map[string]any{"tenantId": tenantOf(c, "kiel"), "name": "Fachverfahren", "url": url, "document": document}
	maps.Copy(in, further)
	a := c.Ask(`mutation($in: CreateWebhookInput!) { createWebhook(input: $in) { webhook { id state host } problems { ... on Problem { code type } } } }`, map[string]any{"in": in}).Works()
	id := a.Text("createWebhook.webhook.id")
	if id == "" {
		t.Fatalf("%s", a.Raw)
	}
	return id
}

const about = `query($id: ID!) { node(id: $id) { ... on Webhook { state stoppedBecause deadLetters waitingSince caughtUpAt deliveredAt
	deliveries(first: 100) { totalCount nodes { id frame eventCursor state attempts failure status webhook { id } } } } } }`

// until asks until something holds.
func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(soon); !holds(); {
		if time.Now().After(end) {
			t.Fatalf("it never comes to pass that %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}
