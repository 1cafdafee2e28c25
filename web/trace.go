// SPDX-License-Identifier: EUPL-1.2

package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Spans tell what was done and for how long, never with which values: of a document its hash, of an operation its kind and its name,
// where that is nothing but a name.

// span begins the span of a request, under that of the caller where one is told (W3C Trace Context). Whether it is recorded is decided
// here all the same.
func (d *Door) span(r *http.Request) (context.Context, trace.Span) {
	ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	return d.o.Tracer.Start(ctx, knownMethod(r.Method), trace.WithSpanKind(trace.SpanKindServer))
}

func endSpan(s trace.Span, method, route string, status int) {
	if s.IsRecording() {
		s.SetName(method + " " + route)
		s.SetAttributes(attribute.String("http.request.method", method), attribute.String("http.route", route), attribute.Int("http.response.status_code", status))
		if status >= http.StatusInternalServerError {
			s.SetStatus(codes.Error, "")
		}
	}
	s.End()
}

// operationSpan begins the span of an operation.
func (d *Door) operationSpan(ctx context.Context, op operation) (context.Context, trace.Span) {
	ctx, s := d.o.Tracer.Start(ctx, string(op.Kind))
	if s.IsRecording() {
		name := op.context.Operation.Name
		if isName(name) {
			s.SetName(string(op.Kind) + " " + name)
			s.SetAttributes(attribute.String("graphql.operation.name", name))
		}
		s.SetAttributes(attribute.String("graphql.operation.type", string(op.Kind)), attribute.String("graphql.document.sha256", op.hash()),
			attribute.Int("ozg.cost", op.Cost), attribute.String("ozg.class", classNames[op.class]))
	}
	return ctx, s
}

// hash names the document of an operation to those who have it, and tells nobody else what it says.
func (op operation) hash() string {
	sum := sha256.Sum256([]byte(op.context.RawQuery))
	return hex.EncodeToString(sum[:])
}

// TraceFields makes a span of each field at the root of an operation: a page that is read, a verb that is carried out at a desk.
func TraceFields(e *executor.Executor, tracer trace.Tracer) {
	e.AroundRootFields(func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
		field := graphql.GetRootFieldContext(ctx)
		ctx, s := tracer.Start(ctx, field.Object)
		defer s.End()
		return next(ctx)
	})
}

// logSlow writes down an operation that took longer than it should. Whoever has the document finds it by its hash.
func (d *Door) logSlow(ctx context.Context, op operation, waited, took time.Duration) {
	if d.o.Slow == 0 || took < d.o.Slow {
		return
	}
	name := op.context.Operation.Name
	if !isName(name) {
		name = ""
	}
	d.o.Log.LogAttrs(ctx, slog.LevelWarn, "slow operation", slog.String("document", op.hash()), slog.String("operation", name), slog.String("kind", string(op.Kind)),
		slog.String("class", classNames[op.class]), slog.Int("cost", op.Cost), slog.Duration("waited", waited), slog.Duration("duration", took))
}
