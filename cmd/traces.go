// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// lastSpans is how long the last spans may take to be delivered.
const lastSpans = 5 * time.Second

// tracing sends spans to an OTLP endpoint over HTTP, such as http://127.0.0.1:4318/v1/traces. So many traces of a hundred are recorded, whatever
// the caller asks for: the decision is made from the number of the trace, the same on every replica. stop delivers the last.
func tracing(ctx context.Context, endpoint string, percent int, log *slog.Logger) (t trace.Tracer, stop func(), err error) {
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(endpoint))
	if err != nil {
		return nil, nil, fmt.Errorf("opening the way for traces: %w", err)
	}
	share := sdk.TraceIDRatioBased(float64(percent) / 100)
	provider := sdk.NewTracerProvider(
		sdk.WithBatcher(exporter),
		sdk.WithSampler(sdk.ParentBased(share, sdk.WithRemoteParentSampled(share), sdk.WithRemoteParentNotSampled(share))),
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "ozg"))))
	// The exporter knows no other way to say that it cannot deliver.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("traces are not delivered", "error", err) }))
	return provider.Tracer("github.com/ozg-cloud/platform"), func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastSpans)
		defer cancel()
		_ = provider.Shutdown(end) // what is lost has been told to the error handler
	}, nil
}

// statements makes spans of what is sent to the database: each statement of a pipeline with its text, which holds no values.
type statements struct{ tracer trace.Tracer }

var (
	_ pgx.QueryTracer = statements{}
	_ pgx.BatchTracer = statements{}
)

// TraceQueryStart begins the span of a statement.
func (s statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	ctx, span := s.tracer.Start(ctx, "statement", trace.WithSpanKind(trace.SpanKindClient))
	if span.IsRecording() {
		span.SetAttributes(attribute.String("db.system.name", "postgresql"), attribute.String("db.query.text", q.SQL))
	}
	return ctx
}

// TraceQueryEnd ends it.
func (s statements) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryEndData) {
	endStatement(ctx, q.Err)
}

// TraceBatchStart begins the span of a pipeline.
func (s statements) TraceBatchStart(ctx context.Context, _ *pgx.Conn, b pgx.TraceBatchStartData) context.Context {
	ctx, span := s.tracer.Start(ctx, "pipeline", trace.WithSpanKind(trace.SpanKindClient))
	if span.IsRecording() {
		span.SetAttributes(attribute.String("db.system.name", "postgresql"), attribute.Int("db.operation.batch.size", b.Batch.Len()))
	}
	return ctx
}

// TraceBatchQuery tells of a statement of the pipeline when its answer has come.
func (s statements) TraceBatchQuery(ctx context.Context, _ *pgx.Conn, q pgx.TraceBatchQueryData) {
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		span.AddEvent("statement", trace.WithAttributes(attribute.String("db.query.text", q.SQL), attribute.Int64("db.response.returned_rows", q.CommandTag.RowsAffected())))
	}
}

// TraceBatchEnd ends the span of a pipeline.
func (s statements) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, b pgx.TraceBatchEndData) {
	endStatement(ctx, b.Err)
}

func endStatement(ctx context.Context, err error) {
	span := trace.SpanFromContext(ctx)
	if err != nil {
		span.SetStatus(codes.Error, "") // the words of the database may hold values
	}
	span.End()
}
