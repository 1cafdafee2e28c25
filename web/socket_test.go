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
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/web"
)

// soon bounds what a test waits for; nothing takes that long unless it never comes.
const soon = 10 * time.Second

// wire is the client's end of a socket.
type wire struct {
	t *testing.T
	*websocket.Conn
	ctx context.Context
}

// connect opens a socket without a word; headers are given as name and value in turn.
func connect(t *testing.T, url string, protocol string, headers ...string) (*wire, *http.Response, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	t.Cleanup(cancel)
	o := &websocket.DialOptions{HTTPHeader: http.Header{}}
	if protocol != "" {
		o.Subprotocols = []string{protocol}
	}
	for i := 0; i < len(headers); i += 2 {
		o.HTTPHeader.Add(headers[i], headers[i+1])
	}
	c, answer, err := websocket.Dial(ctx, url+"/graphql", o)
	if err != nil {
		return nil, answer, err
	}
	t.Cleanup(func() { _ = c.CloseNow() })
	c.SetReadLimit(1 << 20)
	return &wire{t, c, ctx}, answer, nil
}

// call opens a socket and is let in.
func call(t *testing.T, url string) *wire {
	t.Helper()
	w, _, err := connect(t, url, "graphql-transport-ws")
	if err != nil {
		t.Fatal(err)
	}
	w.say(`{"type":"connection_init","payload":{"authorization":"Bearer kiel"}}`)
	if m := w.hear(); m.Type != "connection_ack" {
		t.Fatalf("not let in: %+v", m)
	}
	return w
}

func (w *wire) say(text string) {
	if err := w.Write(w.ctx, websocket.MessageText, []byte(text)); err != nil {
		w.t.Logf("saying: %v", err) // the other side may have closed already, which is what the test looks for
	}
}

func (w *wire) subscribe(id, document string) {
	text, _ := json.Marshal(map[string]any{"type": "subscribe", "id": id, "payload": map[string]string{"query": document}})
	w.say(string(text))
}

type message struct {
	Type    string          `json:"type"`
	ID      string          `json:"id"`
	Payload json.RawMessage `json:"payload"`
}

func (w *wire) hear() message {
	w.t.Helper()
	_, text, err := w.Read(w.ctx)
	if err != nil {
		w.t.Fatalf("hearing: %v", err)
	}
	var m message
	if err := json.Unmarshal(text, &m); err != nil {
		w.t.Fatal(err)
	}
	return m
}

// closed hears until the connection is closed, or for so long, and gives the code.
func (w *wire) closed(within time.Duration) websocket.StatusCode {
	ctx, cancel := context.WithTimeout(w.ctx, within)
	defer cancel()
	for {
		if _, _, err := w.Read(ctx); err != nil {
			return websocket.CloseStatus(err)
		}
	}
}

// impolite are what a client does and the code that the protocol closes the connection with.
var impolite = map[string]struct {
	code websocket.StatusCode
	let  bool // it is let in first
	do   func(*wire)
}{
	"no JSON":                {4400, true, func(w *wire) { w.say(`{`) }},
	"a name twice":           {4400, true, func(w *wire) { w.say(`{"type":"ping","type":"ping"}`) }},
	"a list":                 {4400, true, func(w *wire) { w.say(`[]`) }},
	"an unknown type":        {4400, true, func(w *wire) { w.say(`{"type":"start"}`) }},
	"no type":                {4400, true, func(w *wire) { w.say(`{}`) }},
	"a type that is no text": {4400, true, func(w *wire) { w.say(`{"type":1}`) }},
	"binary":                 {4400, true, func(w *wire) { _ = w.Write(w.ctx, websocket.MessageBinary, []byte(`{"type":"ping"}`)) }},
	"no id":                  {4400, true, func(w *wire) { w.say(`{"type":"subscribe","payload":{"query":"{ hello }"}}`) }},
	"an empty id":            {4400, true, func(w *wire) { w.say(`{"type":"subscribe","id":"","payload":{"query":"{ hello }"}}`) }},
	"an id of 129 bytes":     {4400, true, func(w *wire) { w.subscribe(strings.Repeat("x", 129), "{ hello }") }},
	"no payload":             {4400, true, func(w *wire) { w.say(`{"type":"subscribe","id":"1"}`) }},
	"a query that is none":   {4400, true, func(w *wire) { w.say(`{"type":"subscribe","id":"1","payload":{"query":1}}`) }},
	"a payload that is text": {4400, false, func(w *wire) { w.say(`{"type":"connection_init","payload":"Bearer kiel"}`) }},
	"complete without an id": {4400, true, func(w *wire) { w.say(`{"type":"complete"}`) }},
	"deep variables": {4400, true, func(w *wire) {
		w.say(`{"type":"subscribe","id":"1","payload":{"query":"{ hello }","variables":{"a":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}}}`)
	}},
	"to subscribe before init": {4401, false, func(w *wire) { w.subscribe("1", "{ hello }") }},
	"a bad token":              {4403, false, func(w *wire) { w.say(`{"type":"connection_init","payload":{"Authorization":"Bearer luebeck"}}`) }},
	"two tokens": {4403, false, func(w *wire) {
		w.say(`{"type":"connection_init","payload":{"Authorization":"Bearer kiel","authorization":"Bearer kiel"}}`)
	}},
	"a token that is none":   {4403, false, func(w *wire) { w.say(`{"type":"connection_init","payload":{"Authorization":7}}`) }},
	"no token":               {4403, false, func(w *wire) { w.say(`{"type":"connection_init"}`) }},
	"never to say who it is": {4408, false, func(*wire) {}},
	"pings only":             {4408, false, func(w *wire) { w.say(`{"type":"ping"}`) }},
	"one id twice":           {4409, true, func(w *wire) { w.subscribe("1", "subscription { endless }"); w.subscribe("1", "{ hello }") }},
	"init twice":             {4429, true, func(w *wire) { w.say(`{"type":"connection_init","payload":{"authorization":"Bearer kiel"}}`) }},
	"too many operations": {4429, true, func(w *wire) {
		for i := range 6 {
			w.subscribe(fmt.Sprint(i), "subscription { endless }")
		}
	}},
	"a flood": {4429, true, func(w *wire) {
		ctx := w.ctx
		go func() {
			for range 1000 {
				if w.Write(ctx, websocket.MessageText, []byte(`{"type":"pong"}`)) != nil {
					return
				}
			}
		}()
	}},
	"a message of 70 KB": {1009, true, func(w *wire) { w.say(`{"type":"ping","payload":{"x":"` + strings.Repeat("x", 70<<10) + `"}}`) }},
}

func brisk(o *web.Options) {
	o.Limits.Init, o.Limits.Running, o.Limits.Write = 200*time.Millisecond, 5, time.Second
}

// unpunished does what is impolite and tells what was not answered with the right code.
func unpunished(t *testing.T, url string) (found []string) {
	for name, c := range impolite {
		w, _, err := connect(t, url, "graphql-transport-ws")
		if err != nil {
			t.Fatal(err)
		}
		if c.let {
			w.say(`{"type":"connection_init","payload":{"authorization":"Bearer kiel"}}`)
		}
		c.do(w)
		if code := w.closed(2 * time.Second); code != c.code {
			found = append(found, fmt.Sprintf("%s: closed with %d, not %d", name, code, c.code))
		}
	}
	return found
}

func TestWhoBreaksTheProtocolIsToldWhichRule(t *testing.T) {
	s := serve(t, 0, brisk)
	for _, found := range unpunished(t, s.url) {
		t.Error(found)
	}
	if m := call(t, s.url); m == nil {
		t.Error("nobody is let in afterwards")
	}
}

func TestTheListOfImpoliteThingsFindsASocketThatPutsUpWithThem(t *testing.T) {
	patient := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"graphql-transport-ws"}})
		if err != nil {
			return
		}
		_, _, _ = c.Read(r.Context())
		_ = c.Close(websocket.StatusNormalClosure, "")
	}))
	defer patient.Close()
	if found := unpunished(t, patient.URL); len(found) != len(impolite) {
		t.Errorf("only %d of %d are found", len(found), len(impolite))
	}
}

func TestASocketCarriesQueriesMutationsAndSubscriptions(t *testing.T) {
	s := serve(t, 0, brisk)
	w := call(t, s.url)
	for document, want := range map[string]string{
		"{ hello }": `next {"data":{"hello":"hello "}} complete`,
		`mutation { close(input: {id: 1, reason: "x"}) { title } }`: `next {"data":{"close":{"title":"Hundesteuer"}}} complete`,
		"subscription { countdown(from: 2) }":                       `next {"data":{"countdown":2}} next {"data":{"countdown":1}} next {"data":{"countdown":0}} complete`,
	} {
		w.subscribe("an id", document)
		var heard []string
		for last := ""; last != "complete"; {
			m := w.hear()
			last = m.Type
			heard = append(heard, strings.TrimSpace(m.Type+" "+string(m.Payload)))
		}
		if got := strings.Join(heard, " "); got != want {
			t.Errorf("%s: %s", document, got)
		}
	}
}

func TestARefusedDocumentIsAnErrorOfItsOperationOnly(t *testing.T) {
	s := serve(t, 0, brisk)
	w := call(t, s.url)
	for document, rule := range map[string]string{
		"{":                 "unreadableDocument",
		"{ no_such_field }": "invalidDocument",
		"{ cases(first: 99999) { nodes { id } } }":    "tooCostly",
		doubling(30, "...F%d ...F%d"):                 "tooComplex",
		"subscription { endless countdown(from: 1) }": "invalidDocument",
	} {
		w.subscribe("1", document)
		m := w.hear()
		var errs []struct{ Extensions map[string]any }
		if err := json.Unmarshal(m.Payload, &errs); m.Type != "error" || m.ID != "1" || err != nil || errs[0].Extensions["rule"] != rule {
			t.Errorf("%s: %s %s", document, m.Type, m.Payload)
		}
	}
	w.subscribe("1", "{ hello }")
	if m := w.hear(); m.Type != "next" {
		t.Errorf("afterwards: %+v", m)
	}
}

func TestNothingIsSentForAnOperationThatTheClientCompleted(t *testing.T) {
	s := serve(t, 0, brisk)
	w := call(t, s.url)
	w.subscribe("1", "subscription { countdown(from: 100000) }")
	w.hear()
	w.say(`{"type":"complete","id":"1"}`)
	w.subscribe("1", "{ hello }") // the same id
	first := true
	for {
		m := w.hear()
		if first && strings.Contains(string(m.Payload), "countdown") {
			continue // was on its way
		}
		first = false
		if m.Type == "complete" {
			break
		}
		if string(m.Payload) != `{"data":{"hello":"hello "}}` {
			t.Fatalf("heard %s of the completed operation", m.Payload)
		}
	}
	w.say(`{"type":"ping"}`)
	if m := w.hear(); m.Type != "pong" {
		t.Errorf("heard %+v", m)
	}
}

func TestATokenInTheHandshakeIsEnough(t *testing.T) {
	s := serve(t, 0, brisk)
	w, _, err := connect(t, s.url, "graphql-transport-ws", "Authorization", "Bearer kiel")
	if err != nil {
		t.Fatal(err)
	}
	w.say(`{"type":"connection_init"}`)
	if m := w.hear(); m.Type != "connection_ack" {
		t.Errorf("%+v", m)
	}
	if _, answer, err := connect(t, s.url, "graphql-transport-ws", "Authorization", "Bearer luebeck"); err == nil || answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("a bad one: %v", err)
	}
}

func TestASocketOfAnUnknownProtocolIsClosed(t *testing.T) {
	s := serve(t, 0, brisk)
	for _, protocol := range []string{"", "graphql-ws"} {
		w, _, err := connect(t, s.url, protocol)
		if err != nil {
			continue // the client itself found that nothing was agreed
		}
		if code := w.closed(soon); code != 4406 {
			t.Errorf("%q: %d", protocol, code)
		}
	}
}

func TestPagesOfOtherOriginsOpenNoSocket(t *testing.T) {
	s := serve(t, 0, func(o *web.Options) { o.AllowedOrigins = []string{"https://portal.example"} })
	for origin, want := range map[string]int{"https://evil.example": 403, "null": 403, "https://portal.example.evil": 403, "https://portal.example": 101, s.url: 101} {
		_, answer, _ := connect(t, s.url, "graphql-transport-ws", "Origin", origin)
		if answer == nil || answer.StatusCode != want {
			t.Errorf("%s: %v", origin, answer)
		}
	}
}

func TestASocketEndsWithTheSignIn(t *testing.T) {
	signedOut := time.Now().Add(300 * time.Millisecond)
	s := serve(t, 0, func(o *web.Options) { o.SignedInUntil = func(context.Context) time.Time { return signedOut } })
	w := call(t, s.url)
	w.subscribe("1", "subscription { endless }")
	if code := w.closed(soon); code != 4403 || time.Now().Before(signedOut) {
		t.Errorf("closed with %d", code)
	}
}

func TestASocketGoesOnWhereTheTokenIsRenewed(t *testing.T) {
	begun := time.Now()
	var until atomic.Pointer[time.Time]
	for name, c := range map[string]struct {
		ping string
		code websocket.StatusCode
	}{
		"no token":              {`{"type":"ping"}`, 4403},
		"a token":               {`{"type":"ping","payload":{"authorization":"Bearer kiel"}}`, -1},
		"a token that is none":  {`{"type":"ping","payload":{"Authorization":"Bearer forged"}}`, 4403},
		"two tokens":            {`{"type":"ping","payload":{"Authorization":"Bearer kiel","authorization":"Bearer kiel"}}`, 4403},
		"something else":        {`{"type":"ping","payload":{"Authorization":7}}`, 4403},
		"a token of no account": {`{"type":"ping","payload":{"note":"Bearer kiel"}}`, 4403},
	} {
		t.Run(name, func(t *testing.T) {
			first, later := time.Now().Add(300*time.Millisecond), begun.Add(time.Hour)
			until.Store(&first)
			s := serve(t, 0, func(o *web.Options) {
				o.SignedInUntil = func(context.Context) time.Time { return *until.Load() }
				o.Renew = func(_ context.Context, token string) error {
					if token != "kiel" {
						return problem.New(problem.Unauthenticated, "badToken")
					}
					until.Store(&later)
					return nil
				}
			})
			w := call(t, s.url)
			w.say(c.ping)
			if code := w.closed(time.Second); code != c.code {
				t.Errorf("closed with %d", code)
			}
		})
	}
}

func TestAPanicEndsItsOperationOnly(t *testing.T) {
	s := serve(t, 0, func(o *web.Options) {
		engine := o.Engine
		var asked atomic.Int64
		o.Engine = func(ctx context.Context) web.Engine {
			if asked.Add(1) == 1 {
				panic("at the disco")
			}
			return engine(ctx)
		}
	})
	w := call(t, s.url)
	w.subscribe("1", "{ hello }")
	if m := w.hear(); m.Type != "error" || !strings.Contains(string(m.Payload), "INTERNAL") {
		t.Errorf("%s %s", m.Type, m.Payload)
	}
	w.subscribe("1", "{ hello }")
	if m := w.hear(); m.Type != "next" {
		t.Errorf("%s %s", m.Type, m.Payload)
	}
}

func TestAClientThatDoesNotReadIsCutOff(t *testing.T) {
	released := make(chan struct{})
	s := serve(t, 0, func(o *web.Options) {
		o.Limits.Write = 200 * time.Millisecond
		o.Engine = toyWith(o, func(ctx context.Context) {
			<-ctx.Done()
			close(released)
		})
	})
	w := call(t, s.url)
	w.subscribe("1", "subscription { countdown(from: 100000000) }") // more than the buffers of both ends hold
	select {
	case <-released:
	case <-time.After(soon):
		t.Error("still waits for a client that does not read")
	}
}

func TestAClientThatIsGoneIsNoticed(t *testing.T) {
	s := serve(t, 0, func(o *web.Options) {
		o.Limits.Ping, o.Limits.Write, o.Limits.Streams = 20*time.Millisecond, 20*time.Millisecond, 1
	})
	call(t, s.url) // does not read any more, and so does not answer pings
	for deadline := time.Now().Add(soon); ; {
		if _, _, err := connect(t, s.url, "graphql-transport-ws"); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatal("its place stays taken")
		}
	}
}

func TestTheHouseTellsItsSocketsAndStreamsThatItCloses(t *testing.T) {
	s := serve(t, 100*time.Millisecond, nil)
	w := call(t, s.url)
	w.subscribe("1", "subscription { endless }")
	stream := s.listen(t, "subscription { endless }")
	s.stop()
	if code := w.closed(soon); code != websocket.StatusGoingAway {
		t.Errorf("closed with %d", code)
	}
	if rest, err := io.ReadAll(stream.Body); err != nil || strings.Contains(string(rest), "complete") {
		t.Errorf("the stream ended with %q, %v", rest, err)
	}
	if err := <-s.end; err != nil {
		t.Error(err)
	}
}

func TestADrainingHouseOpensNoSocket(t *testing.T) {
	s := serve(t, 2*time.Second, nil)
	s.stop()
	for status := 200; status == 200; {
		status, _ = get(t, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, s.url+"/readyz")
	}
	if _, answer, err := connect(t, s.url, "graphql-transport-ws"); err == nil || answer == nil || answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("%v %v", answer, err)
	}
}

func TestThereAreAsManyStreamsAsTheHouseHoldsAndNoMore(t *testing.T) {
	s := serve(t, 0, func(o *web.Options) { o.Limits.Streams = 2 })
	first := call(t, s.url)
	call(t, s.url)
	if _, answer, err := connect(t, s.url, "graphql-transport-ws"); err == nil || answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" {
		t.Errorf("a third: %v", err)
	}
	_ = first.Close(websocket.StatusNormalClosure, "")
	for deadline := time.Now().Add(soon); ; { // the server learns of the close in its own time
		if _, _, err := connect(t, s.url, "graphql-transport-ws"); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatal("the place of the first stays taken")
		}
	}
}
