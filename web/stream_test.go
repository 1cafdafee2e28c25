// SPDX-License-Identifier: EUPL-1.2

package web_test

import (
	"bufio"
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"

	"github.com/ozg-cloud/platform/web"
)

// toyWith is the engine of a toy whose subscriptions hand their context to watch.
func toyWith(o *web.Options, watch func(context.Context)) func(context.Context) web.Engine {
	watched := maps.Clone(theToy)
	watched["countdown"] = func(ctx context.Context, args map[string]any) (any, error) {
		go watch(ctx)
		return theToy["countdown"](ctx, args)
	}
	engine := web.Engine{Executor: executor.New(watched), Guard: web.NewGuard(theSchema, o.Limits)}
	return func(context.Context) web.Engine { return engine }
}

// send sends a request to /graphql with a valid token; headers are given as name and value in turn.
func (s *served) send(t *testing.T, method, query, body string, headers ...string) *http.Response {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, method, s.url+"/graphql"+query, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", plainJSON)
	r.Header.Set("Authorization", "Bearer kiel")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = answer.Body.Close() })
	return answer
}

// listen asks for an event stream.
func (s *served) listen(t *testing.T, document string) *http.Response {
	t.Helper()
	return s.send(t, http.MethodPost, "", query(document), "Accept", "text/event-stream")
}

func text(t *testing.T, answer *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAnEventStreamTellsEveryAnswerAndItsEnd(t *testing.T) {
	s := serve(t, 0, nil)
	const next = "event: next\ndata: "
	for document, want := range map[string]string{
		"subscription { countdown(from: 1) }": ":\n\n" + next + `{"data":{"countdown":1}}` + "\n\n" + next + `{"data":{"countdown":0}}` + "\n\nevent: complete\ndata: \n\n",
		"{ hello }":                           ":\n\n" + next + `{"data":{"hello":"hello "}}` + "\n\nevent: complete\ndata: \n\n",
	} {
		answer := s.listen(t, document)
		if got := text(t, answer); answer.StatusCode != http.StatusOK || got != want || answer.Header.Get("Content-Type") != "text/event-stream; charset=utf-8" || answer.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v\n%s", document, answer.StatusCode, answer.Header, got)
		}
	}
	if got := text(t, s.send(t, http.MethodGet, "?"+url.Values{"query": {"subscription { countdown(from: 0) }"}}.Encode(), "", "Accept", "text/event-stream")); !strings.Contains(got, `{"countdown":0}`) {
		t.Errorf("by GET: %s", got)
	}
	if got := text(t, s.send(t, http.MethodPost, "", query("subscription { countdown(from: 0) }"), "Accept", responseJSON+", text/event-stream;q=0.1")); !strings.Contains(got, "event: complete") {
		t.Errorf("as the least wish: %s", got)
	}
}

func TestAStreamTellsARefusedDocumentAndRefusesARefusedRequest(t *testing.T) {
	s := serve(t, 0, nil)
	for document, rule := range map[string]string{"{": "unreadableDocument", "subscription { no_such_field }": "invalidDocument", "{ cases(first: 99999) { nodes { id } } }": "tooCostly"} {
		answer := s.listen(t, document)
		if got := text(t, answer); answer.StatusCode != http.StatusOK || !strings.Contains(got, `"rule":"`+rule+`"`) || !strings.HasSuffix(got, "event: complete\ndata: \n\n") {
			t.Errorf("%s: %d %s", document, answer.StatusCode, got)
		}
	}
	for name, c := range map[string]struct {
		answer *http.Response
		status int
	}{
		"no JSON":            {s.send(t, http.MethodPost, "", "{", "Accept", "text/event-stream"), 400},
		"a bad token":        {s.send(t, http.MethodPost, "", query("{ hello }"), "Accept", "text/event-stream", "Authorization", "Bearer luebeck"), 401},
		"a mutation by GET":  {s.send(t, http.MethodGet, "?query=mutation+{close(input:{id:1,reason:\"x\"}){id}}", "", "Accept", "text/event-stream"), 405},
		"another media type": {s.send(t, http.MethodPost, "", query("{ hello }"), "Accept", "text/event-stream", "Content-Type", "text/plain"), 415},
	} {
		if got := text(t, c.answer); c.answer.StatusCode != c.status || !strings.HasPrefix(c.answer.Header.Get("Content-Type"), responseJSON) {
			t.Errorf("%s: %d %s", name, c.answer.StatusCode, got)
		}
	}
}

func TestAStreamEndsWhenItsReaderGoes(t *testing.T) {
	released := make(chan struct{})
	s := serve(t, 0, func(o *web.Options) {
		o.Engine = toyWith(o, func(ctx context.Context) {
			<-ctx.Done()
			close(released)
		})
	})
	answer := s.listen(t, "subscription { countdown(from: 100000000) }")
	if _, err := bufio.NewReader(answer.Body).ReadString('}'); err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	select {
	case <-released:
	case <-time.After(soon):
		t.Error("the subscription goes on")
	}
}

func TestASilentStreamShowsThatItLives(t *testing.T) {
	s := serve(t, 0, func(o *web.Options) { o.Limits.Ping = 20 * time.Millisecond })
	want := strings.Repeat(":\n\n", 4)
	got := make([]byte, len(want))
	if _, err := io.ReadFull(s.listen(t, "subscription { endless }").Body, got); err != nil || string(got) != want {
		t.Errorf("%q, %v", got, err)
	}
}

func TestAStreamEndsWithTheSignIn(t *testing.T) {
	signedOut := time.Now().Add(300 * time.Millisecond)
	s := serve(t, 0, func(o *web.Options) { o.SignedInUntil = func(context.Context) time.Time { return signedOut } })
	if got := text(t, s.listen(t, "subscription { endless }")); strings.Contains(got, "complete") || time.Now().Before(signedOut) {
		t.Errorf("%q", got)
	}
}

func TestAnEventCarriesItsPlaceInTheStream(t *testing.T) {
	s := serve(t, 0, func(o *web.Options) {
		e := executor.New(theToy)
		engine := web.Engine{Executor: placed{e}, Guard: web.NewGuard(theSchema, o.Limits)}
		o.Engine = func(context.Context) web.Engine { return engine }
	})
	if got := text(t, s.listen(t, "subscription { countdown(from: 0) }")); !strings.Contains(got, "\n\nid: 17.4\nevent: next\n") {
		t.Errorf("%s", got)
	}
}

// placed is an executor whose answers say where they stand in the stream of events.
type placed struct{ graphql.GraphExecutor }

func (p placed) DispatchOperation(ctx context.Context, op *graphql.OperationContext) (graphql.ResponseHandler, context.Context) {
	next, within := p.GraphExecutor.DispatchOperation(ctx, op)
	return func(ctx context.Context) *graphql.Response {
		r := next(ctx)
		if r != nil {
			r.Extensions = map[string]any{"eventCursor": "17.4"}
		}
		return r
	}, within
}

const streamToken = "X-GraphQL-Event-Stream-Token"

func TestOneStreamCarriesManyOperations(t *testing.T) {
	s := serve(t, 0, nil)
	reserved := s.send(t, http.MethodPut, "", "")
	token := text(t, reserved)
	if reserved.StatusCode != http.StatusCreated || len(token) < 20 {
		t.Fatalf("%d %s", reserved.StatusCode, token)
	}
	stream := s.send(t, http.MethodGet, "", "", streamToken, token, "Accept", "text/event-stream")
	begin := func(id, document string) *http.Response {
		return s.send(t, http.MethodPost, "", `{"query":"`+document+`","extensions":{"operationId":"`+id+`"}}`, streamToken, token, "Accept", responseJSON)
	}
	for name, c := range map[string]struct {
		answer *http.Response
		status int
	}{
		"a second stream":     {s.send(t, http.MethodGet, "", "", streamToken, token, "Accept", "text/event-stream"), 409},
		"another's stream":    {s.send(t, http.MethodGet, "", "", streamToken, "guessed", "Accept", "text/event-stream"), 404},
		"another's operation": {s.send(t, http.MethodPost, "", `{"query":"{ hello }","extensions":{"operationId":"1"}}`, streamToken, "guessed"), 404},
		"no id":               {begin("", "{ hello }"), 400},
		"a long id":           {begin(strings.Repeat("x", 129), "{ hello }"), 400},
		"a refused document":  {begin("1", "{ no_such_field }"), 400},
		"nobody":              {s.send(t, http.MethodPut, "", "", "Authorization", "Bearer luebeck"), 401},
		"an operation":        {begin("endless", "subscription { endless }"), 202},
		"another method":      {s.send(t, http.MethodPatch, "", "", streamToken, token), 405},
	} {
		if c.answer.StatusCode != c.status {
			t.Errorf("%s: %d, not %d: %s", name, c.answer.StatusCode, c.status, text(t, c.answer))
		}
	}
	if answer := begin("endless", "{ hello }"); answer.StatusCode != http.StatusConflict {
		t.Errorf("the same id: %d", answer.StatusCode)
	}
	if answer := s.send(t, http.MethodDelete, "?operationId=endless", "", streamToken, token); answer.StatusCode != http.StatusOK {
		t.Errorf("ending one: %d", answer.StatusCode)
	}
	if answer := begin("endless", "subscription { countdown(from: 1) }"); answer.StatusCode != http.StatusAccepted {
		t.Errorf("the same id afterwards: %d", answer.StatusCode)
	}
	want := ":\n\n" +
		"event: next\ndata: {\"id\":\"endless\",\"payload\":{\"data\":{\"countdown\":1}}}\n\n" +
		"event: next\ndata: {\"id\":\"endless\",\"payload\":{\"data\":{\"countdown\":0}}}\n\n" +
		"event: complete\ndata: {\"id\":\"endless\"}\n\n"
	got := make([]byte, len(want))
	if _, err := io.ReadFull(stream.Body, got); err != nil || string(got) != want {
		t.Errorf("%q, %v", got, err)
	}
	_ = stream.Body.Close()
	for deadline := time.Now().Add(soon); begin("1", "{ hello }").StatusCode != http.StatusNotFound; { // the server learns of it in its own time
		if time.Now().After(deadline) {
			t.Fatal("the stream lives on without a reader")
		}
	}
}

func TestAReservationIsForgottenWhenNobodyComes(t *testing.T) {
	s := serve(t, 0, func(o *web.Options) { o.Limits.Init, o.Limits.Streams = 100*time.Millisecond, 1 })
	if answer := s.send(t, http.MethodPut, "", ""); answer.StatusCode != http.StatusCreated {
		t.Fatalf("%d", answer.StatusCode)
	}
	if answer := s.send(t, http.MethodPut, "", ""); answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("one too many: %d", answer.StatusCode)
	}
	for deadline := time.Now().Add(soon); s.send(t, http.MethodPut, "", "").StatusCode != http.StatusCreated; {
		if time.Now().After(deadline) {
			t.Fatal("never forgotten")
		}
	}
}
