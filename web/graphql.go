// SPDX-License-Identifier: EUPL-1.2

package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/internal/strictjson"
)

// bodyWithin is how long the body of a GraphQL request may take to arrive.
const bodyWithin = 10 * time.Second

// graphql answers GraphQL over HTTP: queries by GET and POST, mutations by POST; over WebSocket and as event streams, all of them.
func (d *Door) graphql(w http.ResponseWriter, r *http.Request) {
	form := d.o.Profile.form(r, eventStream)
	response, op, err := d.answered(w, r, form)
	if err == nil && response == nil {
		return
	}
	status := http.StatusOK
	if err != nil {
		var p *problem.Problem
		response, p = d.refusedOperation(r.Context(), languageOf(r), err)
		if begun(w) {
			cutOff(w)
			return
		}
		status = d.o.Profile.operationStatus(p, form)
		d.prompt(w.Header(), p, err)
	} else if d.o.Profile == Draft202608 && len(response.Errors) > 0 {
		status = 294
	}
	if form != plainJSON || d.o.Profile == Draft202608 && status >= 400 {
		form = graphqlJSON
	}
	err = laid(func(out []byte) ([]byte, error) { return encode(out, response, d.costOf(r, op)) }, func(body []byte) error {
		w.Header().Set("Content-Type", form+"; charset=utf-8")
		send(w, r, status, body)
		return nil
	})
	if err != nil {
		d.refuse(w, r, err)
	}
}

// answered carries out what a request asks for. Without a response and without an error, it has answered as a stream.
func (d *Door) answered(w http.ResponseWriter, r *http.Request, form string) (response *graphql.Response, op operation, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
	}()
	if upgrades(r) {
		return nil, op, d.socket(w, r)
	}
	if err := d.early(r); err != nil {
		return nil, op, err
	}
	ctx, known, err := d.identified(r)
	if err != nil {
		return nil, op, err
	}
	if r.Method == http.MethodPut || r.Header.Get(streamToken) != "" {
		if !known {
			return nil, op, problem.New(problem.Unauthenticated, "noPrincipal")
		}
		return nil, op, d.onReserved(ctx, w, r)
	}
	if form == "" {
		return nil, op, problem.New(problem.Invalid, "notAcceptable")
	}
	if known {
		who := d.caller(ctx)
		d.faces.remember(r, who)
		if err := d.room(ctx, who, r); err != nil {
			return nil, op, err
		}
	}
	params, err := d.params(w, r)
	if err != nil {
		return nil, op, err
	}
	op, err = d.prepare(ctx, params, known)
	if err == nil && op.Kind == ast.Mutation && r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return nil, op, problem.New(problem.Invalid, "method")
	}
	if form == eventStream || err == nil && op.Kind == ast.Subscription && acceptsStream(r) {
		return nil, op, d.stream(ctx, w, r, op, err)
	}
	if err == nil && op.Kind == ast.Subscription {
		err = problem.New(problem.Invalid, "streamOnly")
	}
	if err == nil {
		response, err = d.execute(ctx, op)
	}
	return response, op, err
}

func languageOf(r *http.Request) string { return problem.Language(r.Header.Get("Accept-Language")) }

// params reads the request (GraphQL over HTTP, section Request Parameters).
func (d *Door) params(w http.ResponseWriter, r *http.Request) (*request, error) {
	var given map[string]any
	var err error
	switch r.Method {
	case http.MethodGet:
		given, err = d.fromURL(r.URL.RawQuery)
	case http.MethodPost:
		given, err = d.fromBody(w, r)
	default:
		w.Header().Set("Allow", "GET, POST")
		return nil, problem.New(problem.Invalid, "method")
	}
	if err != nil {
		return nil, err
	}
	return paramsOf(given, r)
}

// ofOperations are the headers that operations may look at.
func ofOperations(h http.Header) http.Header {
	out := http.Header{}
	for _, name := range []string{"Accept-Language", "X-Purpose", "Last-Event-Id", "Idempotency-Key"} {
		if v := h.Values(name); len(v) > 0 {
			out[name] = v
		}
	}
	return out
}

// paramsOf checks the shape of a request. Members that it does not know are ignored, null is the same as nothing.
// Of the headers, only the language, the purpose, the key of a verb that may be said again, and the last event that was received go on: nothing behind
// the door sees the token.
func paramsOf(given map[string]any, r *http.Request) (*request, error) {
	p := &request{RawParams: graphql.RawParams{Headers: ofOperations(r.Header)}}
	query, name, variables, extensions := given["query"], given["operationName"], given["variables"], given["extensions"]
	ok := [4]bool{true, name == nil, variables == nil, extensions == nil}
	p.Query, ok[0] = query.(string)
	if name != nil {
		p.OperationName, ok[1] = name.(string)
	}
	if variables != nil {
		p.Variables, ok[2] = variables.(map[string]any)
	}
	if extensions != nil {
		p.Extensions, ok[3] = extensions.(map[string]any)
	}
	if query == nil {
		p.hash = hashIn(given, p.Extensions)
		ok[0] = p.hash != ""
	}
	if ok != [4]bool{true, true, true, true} {
		return nil, problem.New(problem.Invalid, "requestShape")
	}
	return p, nil
}

// bodies are where the bodies of requests are laid out until they have been read.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// longestKeptBody is in bytes. What is longer comes too seldom to be kept.
const longestKeptBody = 64 << 10

// giveBack leaves nothing of a body for the next one.
func giveBack(body *bytes.Buffer) {
	if body.Cap() <= longestKeptBody {
		clear(body.Bytes())
		body.Reset()
		bodies.Put(body)
	}
}

func (d *Door) fromBody(w http.ResponseWriter, r *http.Request) (map[string]any, error) {
	if err := readsJSON(r); err != nil {
		return nil, err
	}
	if r.ContentLength > d.o.Limits.Body {
		return nil, problem.New(problem.Invalid, "tooLarge")
	}
	// Where the connection knows no deadlines (in a test), there are none. One that passes later would end the request.
	connection := http.NewResponseController(w)
	_ = connection.SetReadDeadline(time.Now().Add(bodyWithin))
	body, ok := bodies.Get().(*bytes.Buffer)
	if !ok {
		panic("web: there is nothing else in the pool")
	}
	defer giveBack(body)
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, d.o.Limits.Body))
	_ = connection.SetReadDeadline(time.Time{})
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, err
	}
	if err != nil { // who sends half a body and goes, or sends it too slowly
		return nil, problem.New(problem.Invalid, "malformed")
	}
	v, err := strictjson.Read(body.Bytes(), d.o.Limits.Nesting)
	if err != nil {
		return nil, err
	}
	given, ok := v.(map[string]any)
	if !ok {
		return nil, problem.New(problem.Invalid, "requestShape")
	}
	return given, nil
}

func (d *Door) fromURL(rawQuery string) (map[string]any, error) {
	values, err := url.ParseQuery(rawQuery)
	if err != nil {
		return nil, problem.New(problem.Invalid, "malformed")
	}
	given := map[string]any{}
	for name, all := range values {
		if len(all) > 1 {
			return nil, problem.New(problem.Invalid, "malformed")
		}
		switch text := strings.TrimSpace(all[0]); {
		case text == "": // the same as nothing
		case name == "variables" || name == "extensions":
			if given[name], err = strictjson.Read([]byte(text), d.o.Limits.Nesting); err != nil {
				return nil, err
			}
		default:
			given[name] = all[0]
		}
	}
	return given, nil
}

// operation is one that may be carried out.
type operation struct {
	Measure
	class   class
	engine  Engine
	context *graphql.OperationContext
}

// prepare measures, validates and admits an operation. Without a principal nothing is answered but what kind of thing stands at the
// root, and in development the contract.
func (d *Door) prepare(ctx context.Context, q *request, known bool) (operation, error) {
	op := operation{engine: d.o.Engine(ctx)}
	err := d.find(ctx, q)
	if err == nil {
		op.Measure, err = op.engine.Guard.Measure(&q.RawParams)
	}
	if err != nil {
		_ = d.pay(ctx, priceOfRefusal) // the document is refused either way
		return op, err
	}
	if !known && !op.Bare && (d.o.Production || !op.Introspection) {
		return op, problem.New(problem.Unauthenticated, "noPrincipal")
	}
	op.class = d.caller(ctx).class(op.Kind)
	if err := d.admitted(ctx, op); err != nil {
		return op, err
	}
	var found gqlerror.List
	op.context, found = op.engine.Executor.CreateOperationContext(graphql.StartOperationTrace(ctx), &q.RawParams)
	if len(found) > 0 {
		_ = d.pay(ctx, priceOfRefusal)
		if p, ok := problem.Of(found); ok {
			return op, p
		}
		return op, &documentError{problem.New(problem.Invalid, "invalidDocument"), found}
	}
	op.context.DisableIntrospection = false // who may ask was decided above
	line := lineOf(ctx)
	line.kind = string(op.Kind)
	if name := op.context.Operation.Name; isName(name) {
		line.operation = name
	}
	return op, nil
}

// admitted refuses an operation for which there is no room or no budget, before it costs more than it has so far.
func (d *Door) admitted(ctx context.Context, op operation) error {
	err := d.gate.ask(op.class)
	if err == nil {
		err = d.pay(ctx, op.Cost)
	}
	d.mark(ctx, op.class, err)
	return err
}

// execute carries out a query or mutation within its time. What the executor answers is answered, but for errors that are too many.
func (d *Door) execute(ctx context.Context, op operation) (*graphql.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, d.o.Limits.Operation)
	defer cancel()
	ctx, span := d.operationSpan(ctx, op)
	defer span.End()
	begun := time.Now()
	if !op.light() {
		leave, err := d.gate.enter(ctx, op.class)
		if err != nil {
			d.mark(ctx, op.class, err)
			return nil, err
		}
		defer leave()
	}
	waited := time.Since(begun)
	defer func() { d.logSlow(ctx, op, waited, time.Since(begun)) }()
	next, within := op.engine.Executor.DispatchOperation(ctx, op.context)
	response := next(within)
	if err := ctx.Err(); err != nil && (response == nil || len(response.Errors) > 0) {
		return nil, err // the errors in the answer are those of the time that ran out
	}
	if response == nil {
		return nil, errors.New("web: the executor gave no answer")
	}
	capped(response)
	return response, nil
}

// light tells whether an operation needs nothing of the database, so that nobody waits behind it.
func (op operation) light() bool { return op.Introspection || op.Bare }

// play carries out an operation of any kind and hands over each of its answers as it goes out, with its cursor, until there are no more or one is not
// taken. An answer may be somebody else's too and is never changed. What it costs is told to those who ask for it.
func (d *Door) play(ctx context.Context, op operation, c *cost, each func(answer []byte, cursor string) error) error {
	if op.Kind != ast.Subscription {
		response, err := d.execute(ctx, op)
		if err != nil {
			return err
		}
		return encoded(response, c, each)
	}
	next, within := op.engine.Executor.DispatchOperation(ctx, op.context)
	var written func() ([]byte, string)
	if op.engine.Written != nil && c == nil { // the cost would be one more thing in the answer
		written = op.engine.Written(op.context)
	}
	for {
		if written != nil {
			answer, cursor := written()
			if ctx.Err() != nil {
				return nil
			}
			if answer != nil {
				if err := each(answer, cursor); err != nil {
					return err
				}
				continue
			}
		}
		response := next(within)
		if response == nil || ctx.Err() != nil {
			return nil
		}
		capped(response)
		if err := encoded(response, c, each); err != nil {
			return err
		}
	}
}

// encoded hands over an answer of the executor.
func encoded(r *graphql.Response, c *cost, each func(answer []byte, cursor string) error) error {
	cursor, _ := r.Extensions["eventCursor"].(string) // where in the stream of events it stands, if it does
	answer, err := encode(nil, r, c)
	if err != nil {
		return err
	}
	return each(answer, cursor)
}

// capped leaves out the errors that are too many, and says how many those are.
func capped(r *graphql.Response) {
	if left := len(r.Errors) - mostErrors; left > 0 {
		r.Errors = r.Errors[:mostErrors]
		if r.Extensions == nil {
			r.Extensions = map[string]any{}
		}
		r.Extensions["errorsLeftOut"] = left
	}
}

// cost is what extensions.cost tells.
type cost struct {
	Requested int `json:"requested"`
	Limit     int `json:"limit"`
}

// costOf tells the cost of an operation to those who ask for it with the header GraphQL-Cost: 1.
func (d *Door) costOf(r *http.Request, op operation) *cost {
	if r.Header.Get("GraphQL-Cost") != "1" || op.Kind == "" {
		return nil
	}
	return &cost{op.Cost, op.engine.Guard.limits.Cost}
}

// encode appends an answer. The data are not looked at again: reading them a second time costs more than sending them.
func encode(out []byte, r *graphql.Response, c *cost) ([]byte, error) {
	out = append(slices.Grow(out, len(r.Data)+256), '{')
	add := func(name string, value []byte) {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(append(out, '"'), name...), `":`...), value...)
	}
	if len(r.Errors) > 0 {
		errors, err := json.Marshal(r.Errors)
		if err != nil {
			return nil, fmt.Errorf("web: writing errors: %w", err)
		}
		add("errors", errors)
	}
	if r.Data != nil {
		add("data", r.Data)
	}
	if c != nil {
		if r.Extensions == nil {
			r.Extensions = map[string]any{}
		}
		r.Extensions["cost"] = c
	}
	if len(r.Extensions) > 0 {
		extensions, err := json.Marshal(r.Extensions)
		if err != nil {
			return nil, fmt.Errorf("web: writing extensions: %w", err)
		}
		add("extensions", extensions)
	}
	return append(out, '}'), nil
}
