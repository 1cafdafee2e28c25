// SPDX-License-Identifier: EUPL-1.2

package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/ozg-cloud/platform/internal/problem"
)

// Options are what a door needs to know of the house behind it. Engine, Identify, Ready, Contract, Limits and Log have no default.
type Options struct {
	// Engine gives what carries out the operations of the principal in the context, together with the guard of its contract.
	Engine func(ctx context.Context) Engine
	// Identify verifies a bearer token and puts the principal into the context.
	// Whatever is wrong with the token, the error is a problem of the kind Unauthenticated.
	Identify func(ctx context.Context, token string) (context.Context, error)
	// SignedInUntil says when the sign-in of the principal in the context ends: sockets and streams end then. Where it is nil, or says
	// the zero time, they last.
	SignedInUntil func(ctx context.Context) time.Time
	// Renew lets the principal in the context go on with another token of the same person. Where it is nil, a socket ends with the sign-in that it
	// began with.
	Renew func(ctx context.Context, token string) error
	// Caller tells what fairness has to know of the principal in the context. Where it is nil, nobody has a budget.
	Caller func(ctx context.Context) Caller
	// Strain tells how long all operations have waited for connections to the database since the beginning, and how often they took one.
	// It is asked again and again, at most every tenth of a second. Where it is nil, as many operations are carried out at once as Limits allow.
	Strain func() (waited time.Duration, times int64)
	// Ready says what keeps the house from answering; nil when nothing does. It is asked for /readyz.
	Ready func(ctx context.Context) error
	// Documents gives the document with a hash (SHA-256 in hex, also behind "sha256:") that was loaded and is there for the principal in the context; nil:
	// there are none.
	Documents func(ctx context.Context, hash string) (text string, known bool)
	// TrustedOnly refuses every document but those.
	TrustedOnly bool
	// Contract is the contract as SDL, for /schema.graphql.
	Contract string
	// ContractOf is the contract of the principal in the context, where that is another one (ok). Where it is nil, all have the same.
	ContractOf func(ctx context.Context) (sdl string, ok bool)
	// Routes are the endpoints of other rooms.
	Routes []Route
	// AllowedOrigins are the origins whose pages may call (scheme://host[:port]), compared letter by letter. None: no page of another
	// origin may.
	AllowedOrigins []string
	// Production keeps what parser and validator say from callers, and the contract from callers without a principal.
	Production bool
	// Profile is the edition of GraphQL over HTTP.
	Profile Profile
	// Limits bound what a request may ask.
	Limits Limits
	// Metrics count what happens. Where they are nil, nobody sees them.
	Metrics *Metrics
	// Tracer makes the spans of requests and operations. Where it is nil, there are none.
	Tracer trace.Tracer
	// Slow is how long an operation takes that gets a line of its own in the log. Zero: none does.
	Slow time.Duration
	// Log takes one line for each request and one for each internal error.
	Log *slog.Logger
}

// Engine carries out the operations of one contract.
type Engine struct {
	Executor graphql.GraphExecutor
	Guard    *Guard
	// Written gives what waits for the answers of a stream that has begun, each as it goes out, with the cursor that stands in it: the same bytes for all
	// who are told the same. Without an answer the executor is asked for the next one. It gives nil for other operations, and may be nil itself.
	Written func(*graphql.OperationContext) (next func() (answer []byte, cursor string))
}

// Route is an endpoint of another room.
type Route struct {
	// Pattern is one of http.ServeMux: "POST /uploads", "GET /attachments/{token}".
	Pattern string
	// NeedsPrincipal closes the endpoint to requests without a valid token. Where it is false, no header of the request is looked at:
	// the handler itself knows whom it answers.
	NeedsPrincipal bool
	// Cost is paid from the principal's budgets. Routes with a cost bring applications in: when the house is busy, they are refused last.
	Cost int
	// Counts: figures are asked for. When the house is busy, they are refused first; until the handler begins to answer they take up the place of an
	// operation and have its time.
	Counts bool
	// Handler answers. An error that it returns leaves through the exit of this room; it has not begun to answer then.
	// A handler that takes more than five minutes sets deadlines of its own (http.ResponseController).
	Handler func(w http.ResponseWriter, r *http.Request) error
}

// Door answers every request that reaches the house.
type Door struct {
	o        Options
	mux      *http.ServeMux
	origins  map[string]bool
	etag     string
	draining atomic.Bool
	streams  *streams
	reserved *reservations
	gate     *gate
	faces    *faces
	lately   *lately

	perCaller, perTenant *budgets
}

// New makes a door. What is missing in the options is an error, a pattern that contradicts another a panic.
func New(o Options) (*Door, error) {
	if o.Engine == nil || o.Identify == nil || o.Ready == nil || o.Contract == "" || o.Log == nil {
		return nil, errors.New("web: a door needs an engine, somebody who identifies, readiness, a contract and a log")
	}
	if err := o.Limits.check(); err != nil {
		return nil, err
	}
	if o.Tracer == nil {
		o.Tracer = noop.NewTracerProvider().Tracer("")
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics(prometheus.NewRegistry())
	}
	d := &Door{o: o, mux: http.NewServeMux(), origins: map[string]bool{}, etag: etagOf(o.Contract)}
	d.streams = newStreams(o.Limits.Streams)
	d.reserved = &reservations{most: o.Limits.Streams, of: map[string]*reservation{}}
	d.faces = newFaces()
	d.gate = newGate(o.Limits.AtOnce, o.Strain)
	o.Metrics.watch(d.gate)
	d.perCaller, d.perTenant = newBudgets(o.Limits.CallerPerMinute), newBudgets(o.Limits.TenantPerMinute)
	d.lately = &lately{ask: o.Ready}
	for _, origin := range o.AllowedOrigins {
		d.origins[strings.TrimSuffix(strings.TrimSpace(origin), "/")] = true
	}
	d.mux.HandleFunc("/graphql", d.graphql)
	for _, r := range append(d.health(), o.Routes...) {
		d.mux.HandleFunc(r.Pattern, d.route(r))
	}
	return d, nil
}

func etagOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

// route leads to an endpoint of another room and takes its errors.
func (d *Door) route(to Route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		out := w
		if to.NeedsPrincipal {
			ctx, known, err := d.identified(r)
			if err == nil && !known {
				err = problem.New(problem.Unauthenticated, "noPrincipal")
			}
			class := applying
			if to.Counts {
				class = statistical
			}
			if err == nil && to.Cost > 0 {
				if err = d.gate.ask(class); err == nil {
					err = d.pay(ctx, to.Cost)
				}
				d.mark(ctx, class, err)
			}
			if err == nil && to.Counts {
				var leave, cancel func()
				ctx, cancel = context.WithTimeout(ctx, d.o.Limits.Operation)
				defer cancel()
				if leave, err = d.gate.enter(ctx, class); err == nil {
					leave = sync.OnceFunc(leave)
					defer leave()
					out = leaving{w, leave}
				}
				d.mark(ctx, class, err)
			}
			if err != nil {
				d.refuse(w, r, err)
				return
			}
			r = r.WithContext(ctx)
		}
		if err := to.Handler(out, r); err != nil {
			d.refuse(w, r, err)
		}
	}
}

// leaving makes room for others when an answer begins: who receives it slowly keeps nobody out.
type leaving struct {
	http.ResponseWriter
	leave func()
}

func (l leaving) WriteHeader(status int) {
	l.leave()
	l.ResponseWriter.WriteHeader(status)
}

func (l leaving) Write(b []byte) (int, error) {
	l.leave()
	return l.ResponseWriter.Write(b)
}

// Unwrap leads http.ResponseController to what stands behind.
func (l leaving) Unwrap() http.ResponseWriter { return l.ResponseWriter }

// identified asks who bears the token of a request; known is false where there is none.
func (d *Door) identified(r *http.Request) (ctx context.Context, known bool, err error) {
	headers := r.Header.Values("Authorization")
	if len(headers) == 0 {
		return r.Context(), false, nil
	}
	token, err := bearerOf(headers)
	if err != nil {
		return nil, false, err
	}
	ctx, err = d.o.Identify(r.Context(), token)
	return ctx, err == nil, err
}

// bearerOf is the token in the one header that may bring one.
func bearerOf(headers []string) (string, error) {
	scheme, token, _ := strings.Cut(headers[0], " ")
	if len(headers) > 1 || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", problem.New(problem.Unauthenticated, "badToken")
	}
	return token, nil
}

// ServeHTTP answers. It is the outermost layer: headers, origins, the line in the log, and whatever panicked.
func (d *Door) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	begun := time.Now()
	line := &line{}
	w := &answer{ResponseWriter: rw}
	ctx, span := d.span(r)
	r = r.WithContext(context.WithValue(ctx, lineKey{}, line))
	d.headers(w.Header())
	d.o.Metrics.under.Add(1)
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			w.cut = true
		default:
			d.refuse(w, r, panicked(p))
		}
		took := time.Since(begun)
		d.o.Metrics.under.Add(-1)
		d.o.Metrics.answered(line, r.Pattern, w.status, took)
		endSpan(span, knownMethod(r.Method), r.Pattern, w.status)
		if !line.refused { // under too great a load, writing that down would be a load, too; it is counted
			d.logRequest(r, w.status, took, line.operation)
		}
		if w.cut {
			panic(http.ErrAbortHandler) // the connection breaks off, which is how the caller learns of it
		}
	}()
	if r.ContentLength == 0 {
		// A deadline of reading that passes while the handler writes would end the request, although nothing is left to be read.
		_ = http.NewResponseController(rw).SetReadDeadline(time.Time{})
	}
	if d.crossOrigin(w, r) {
		return
	}
	if _, pattern := d.mux.Handler(r); pattern == "" {
		d.nowhere(w, r)
		return
	}
	d.mux.ServeHTTP(w, r)
}

// logRequest writes the line of a request. It leaves out which line of the program wrote it: nobody asks, and to find out takes longer than the rest.
func (d *Door) logRequest(r *http.Request, status int, took time.Duration, operation string) {
	to := d.o.Log.Handler()
	if !to.Enabled(r.Context(), slog.LevelInfo) {
		return
	}
	said := slog.NewRecord(time.Now(), slog.LevelInfo, "request", 0)
	said.AddAttrs(slog.String("method", knownMethod(r.Method)), slog.String("route", r.Pattern),
		slog.Int("status", status), slog.Duration("duration", took), slog.String("operation", operation))
	_ = to.Handle(r.Context(), said) // as a log does
}

// headers hold for every answer; a handler of pages replaces the content policy by its own.
func (d *Door) headers(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	if d.draining.Load() {
		h.Set("Connection", "close")
	}
}

// nowhere answers where no endpoint fits: the mux knows whether it was the path or the method, but says it in a form of its own.
func (d *Door) nowhere(w http.ResponseWriter, r *http.Request) {
	v := verdict{header: http.Header{}}
	d.mux.ServeHTTP(&v, r)
	if v.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", v.header.Get("Allow"))
		d.refuse(w, r, problem.New(problem.Invalid, "method"))
		return
	}
	d.refuse(w, r, problem.New(problem.Missing, "notFound"))
}

// verdict keeps the status of an answer and throws the rest away.
type verdict struct {
	header http.Header
	status int
}

func (v *verdict) Header() http.Header         { return v.header }
func (v *verdict) WriteHeader(status int)      { v.status = status }
func (v *verdict) Write(b []byte) (int, error) { return len(b), nil }

// answer remembers what became of an answer.
type answer struct {
	http.ResponseWriter
	status int  // 0 until the answer begins
	cut    bool // it cannot be finished
}

func (a *answer) WriteHeader(status int) {
	if a.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.ResponseWriter.Write(b)
}

// begun tells whether it is too late to answer otherwise.
func begun(w http.ResponseWriter) bool {
	a, ok := w.(*answer)
	return ok && a.status != 0
}

// cutOff marks an answer that cannot be finished.
func cutOff(w http.ResponseWriter) {
	if a, ok := w.(*answer); ok {
		a.cut = true
	}
}

// Unwrap leads http.ResponseController to what stands behind.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// line is what a handler adds to the line of its request in the log, and to what is counted.
type line struct {
	operation string
	kind      string // of the operation
	lasted    bool   // it was an event stream
	refused   bool   // for being too much
}

type lineKey struct{}

// lineOf is the line of the request in ctx. Operations on sockets and reserved streams have none: what they put there is lost.
func lineOf(ctx context.Context) *line {
	if l, ok := ctx.Value(lineKey{}).(*line); ok && l != nil {
		return l
	}
	return &line{}
}

// mark counts a refusal that comes of too much being asked.
func (d *Door) mark(ctx context.Context, c class, err error) {
	if p, ok := problem.Of(err); ok && p.Kind == problem.Busy {
		lineOf(ctx).refused = true
		d.o.Metrics.refused.WithLabelValues(classNames[c], p.Rule).Inc()
	}
}

func isName(s string) bool {
	for i, c := range []byte(s) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != "" && len(s) <= 61
}

// knownMethod keeps made-up methods out of the log.
func knownMethod(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}
