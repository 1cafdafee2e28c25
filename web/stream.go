// SPDX-License-Identifier: EUPL-1.2

package web

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/internal/rounds"
)

// stream answers with one operation as an event stream (graphql-sse, distinct connections mode). A document that was refused is told
// as an event, since a browser shows its page nothing else; the error that is returned is one before the stream begins.
func (d *Door) stream(ctx context.Context, w http.ResponseWriter, r *http.Request, op operation, refused error) error {
	if p, ok := problem.Of(refused); refused != nil && (!ok || !ofDocument(p)) {
		return refused
	}
	e, ctx, err := d.openStream(ctx, w)
	if err != nil {
		return err
	}
	defer e.end()
	err = refused
	if err == nil {
		err = d.play(ctx, op, d.costOf(r, op), func(answer []byte, cursor string) error { return e.tell("next", cursor, answer) })
	}
	if ctx.Err() != nil || errors.Is(err, errUnwanted) {
		return nil // it is not complete, and whoever still listens sees by its end that it goes on elsewhere
	}
	if err != nil {
		response, _ := d.refusedOperation(ctx, languageOf(r), err)
		body, err := encode(nil, response, d.costOf(r, op))
		if err != nil {
			return err
		}
		_ = e.tell("next", "", body) // who has gone cannot be told
	}
	_ = e.tell("complete", "", nil)
	return nil
}

// events is an open event stream (HTML Standard, section 9.2).
type events struct {
	w          http.ResponseWriter
	connection *http.ResponseController
	within     time.Duration
	end        func()
	still      func() // sends no more signs of life

	mu   sync.Mutex
	over bool // nothing may be written any more
}

// finish sees to it that nobody writes any more: the connection is another request's.
func (e *events) finish() {
	e.still()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.over = true
}

// openStream begins to answer with an event stream. It lasts until its context ends: with the request, the sign-in or the house.
func (d *Door) openStream(ctx context.Context, w http.ResponseWriter) (*events, context.Context, error) {
	if err := d.enter(); err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	release := d.untilSignedOut(ctx, cancel)
	e := &events{w: w, connection: http.NewResponseController(w), within: d.o.Limits.Write}
	stop := context.AfterFunc(d.streams.ending, cancel)
	e.end = func() {
		release()
		stop()
		cancel()
		e.finish()
		d.o.Metrics.streams.Dec()
		d.streams.leave()
	}
	lineOf(ctx).lasted = true
	d.o.Metrics.streams.Inc()
	h := w.Header()
	h.Set("Content-Type", eventStream+"; charset=utf-8")
	h.Set("X-Accel-Buffering", "no") // nginx would keep events until there are some kilobytes of them
	_ = e.connection.SetReadDeadline(time.Time{})
	w.WriteHeader(http.StatusOK)
	if err := e.write([]byte(":\n\n")); err != nil {
		cancel()
	}
	e.still = rounds.Every(d.o.Limits.Ping, func() bool {
		if e.write([]byte(":\n\n")) != nil {
			cancel()
			return false
		}
		return true
	})
	return e, ctx, nil
}

// lines are what a JSON text may hold of line breaks: outside of strings, where they mean nothing.
var lines = strings.NewReplacer("\n", " ", "\r", " ")

// tell sends an event. The data are JSON on one line.
func (e *events) tell(kind, cursor string, data []byte) error {
	return laid(func(out []byte) ([]byte, error) {
		if cursor != "" && !strings.ContainsAny(cursor, "\x00\r\n") {
			out = append(append(append(out, "id: "...), cursor...), '\n')
		}
		out = append(append(append(out, "event: "...), kind...), "\ndata: "...)
		if bytes.IndexByte(data, '\n') >= 0 || bytes.IndexByte(data, '\r') >= 0 {
			data = []byte(lines.Replace(string(data)))
		}
		return append(append(out, data...), "\n\n"...), nil
	}, e.write)
}

// write sends bytes in their time.
func (e *events) write(b []byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.over {
		return errUnwanted
	}
	_ = e.connection.SetWriteDeadline(time.Now().Add(e.within)) // where the connection knows none, there is none
	_, err := e.w.Write(b)
	if err == nil {
		err = e.connection.Flush()
	}
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return errUnwanted
	}
	return nil
}

// streamToken is the header with the token of a reservation (graphql-sse, single connection mode). In the URL it is not looked for:
// there it would stand in the logs of others.
const streamToken = "X-GraphQL-Event-Stream-Token" //nolint:gosec // its name, no token

// reservations are event streams that carry any number of operations, from when they are asked for until they end.
type reservations struct {
	most int
	mu   sync.Mutex
	of   map[string]*reservation // by token
}

type reservation struct {
	operations *operations     // nil until the stream is open
	open       context.Context // lasts as long as the stream
	forget     *time.Timer
}

// onReserved answers in single connection mode: PUT reserves, GET opens, POST starts an operation, DELETE ends one.
// The principal is always that of the request at hand, never one that was there before.
func (d *Door) onReserved(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	token := r.Header.Get(streamToken)
	switch r.Method {
	case http.MethodPut:
		return d.reserve(w)
	case http.MethodGet:
		return d.openReserved(ctx, w, r, token)
	case http.MethodPost:
		params, err := d.params(w, r)
		if err != nil {
			return err
		}
		return d.startReserved(ctx, w, token, params)
	case http.MethodDelete:
		v, err := d.reserved.find(token)
		if err != nil {
			return err
		}
		v.operations.stop(r.URL.Query().Get("operationId"))
		w.WriteHeader(http.StatusOK)
		return nil
	}
	w.Header().Set("Allow", "GET, POST, PUT, DELETE")
	return problem.New(problem.Invalid, "method")
}

func (d *Door) reserve(w http.ResponseWriter) error {
	token, all := rand.Text(), d.reserved
	all.mu.Lock()
	defer all.mu.Unlock()
	if len(all.of) >= all.most {
		return problem.New(problem.Busy, "overloaded")
	}
	all.of[token] = &reservation{forget: time.AfterFunc(d.o.Limits.Init, func() { all.forget(token) })}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusCreated)
	if _, err := io.WriteString(w, token); err != nil {
		return fmt.Errorf("web: answering: %w", err)
	}
	return nil
}

func (all *reservations) forget(token string) {
	all.mu.Lock()
	defer all.mu.Unlock()
	delete(all.of, token)
}

// find gives the open stream of a token, as it stands now.
func (all *reservations) find(token string) (reservation, error) {
	all.mu.Lock()
	defer all.mu.Unlock()
	v := all.of[token]
	if v == nil || v.operations == nil {
		return reservation{}, problem.New(problem.Missing, "notFound")
	}
	return *v, nil
}

// take gives the reservation of a token to the one stream that it is for.
func (all *reservations) take(token string, open func(*reservation)) error {
	all.mu.Lock()
	defer all.mu.Unlock()
	v := all.of[token]
	switch {
	case v == nil:
		return problem.New(problem.Missing, "notFound")
	case v.operations != nil:
		return problem.New(problem.Conflict, "alreadyDone")
	case !v.forget.Stop():
		return problem.New(problem.Missing, "notFound") // it is just being forgotten
	}
	open(v)
	return nil
}

func (d *Door) openReserved(ctx context.Context, w http.ResponseWriter, r *http.Request, token string) error {
	var e *events
	o := d.newOperations(languageOf(r), func(f frame) error {
		if e == nil {
			return errUnwanted // it did not open
		}
		return e.frame(f)
	})
	lasts, cancel := context.WithCancel(ctx)
	defer cancel()
	o.mu.Lock() // nothing is sent, nor lost, before the stream is open
	if err := d.reserved.take(token, func(v *reservation) { v.operations, v.open = o, lasts }); err != nil {
		o.mu.Unlock()
		return err
	}
	defer d.reserved.forget(token)
	opened, ended, err := d.openStream(lasts, w)
	e = opened
	o.mu.Unlock()
	if err != nil {
		return err
	}
	defer e.end()
	<-ended.Done()
	cancel()
	o.finish()
	return nil
}

func (d *Door) startReserved(ctx context.Context, w http.ResponseWriter, token string, params *request) error {
	v, err := d.reserved.find(token)
	if err != nil {
		return err
	}
	id, _ := params.Extensions["operationId"].(string)
	if id == "" || len(id) > d.o.Limits.ID {
		return problem.New(problem.Invalid, "requestShape")
	}
	op, err := d.prepare(ctx, params, true)
	if err != nil {
		return err
	}
	if err := v.operations.start(lasting{v.open, ctx}, id, func(context.Context) (operation, error) { return op, nil }); err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// lasting is the context of an operation that outlives its request: it ends with the stream and knows what the request knew.
type lasting struct {
	context.Context
	request context.Context
}

// Value asks the request.
func (l lasting) Value(key any) any { return l.request.Value(key) }

// frame sends what one of many operations tells.
func (e *events) frame(f frame) error {
	switch f.kind {
	case "next":
		return e.tell("next", f.cursor, f.append(make([]byte, 0, len(f.id)+len(f.payload)+32), ""))
	case "error": // this protocol knows no other word for it
		answer := frame{id: f.id, payload: append(append([]byte(`{"errors":`), f.payload...), '}')}
		if err := e.tell("next", "", answer.append(nil, "")); err != nil {
			return err
		}
	}
	return e.tell("complete", "", frame{id: f.id}.append(nil, ""))
}
