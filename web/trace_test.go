// SPDX-License-Identifier: EUPL-1.2

package web_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/99designs/gqlgen/graphql/executor"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/ozg-cloud/platform/web"
)

func TestSlowOperationsAreWrittenDownByTheHashOfTheirDocument(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fields := maps.Clone(theToy)
		fields["hello"] = func(context.Context, map[string]any) (any, error) { <-time.After(time.Second); return "hello", nil }
		h := open(t, func(o *web.Options) {
			o.Slow = 500 * time.Millisecond
			engine := web.Engine{Executor: executor.New(fields), Guard: web.NewGuard(theSchema, o.Limits)}
			o.Engine = func(context.Context) web.Engine { return engine }
		})
		document := `query Slowly { hello(to: "secret_a91") }`
		h.post(query(document))
		h.post(query(`query Quickly { case(id: "1") { id } }`))
		sum := sha256.Sum256([]byte(document))
		got := h.log.String()
		if strings.Count(got, "slow operation") != 1 || !strings.Contains(got, "document="+hex.EncodeToString(sum[:])) || !strings.Contains(got, "operation=Slowly") || strings.Contains(got, "secret_a91") {
			t.Error(got)
		}
	})
}

func TestSpansTellWhatWasDoneAndNotWithWhichValues(t *testing.T) {
	recorder := tracetest.NewSpanRecorder()
	h := open(t, func(o *web.Options) { o.Tracer = sdk.NewTracerProvider(sdk.WithSpanProcessor(recorder)).Tracer("") })
	const caller = "4bf92f3577b34da6a3ce929d0e0e4736"
	h.post(query(`query Greeting { hello(to: "secret_a91") }`), "traceparent", "00-"+caller+"-00f067aa0ba902b7-01")
	var names []string
	for _, s := range recorder.Ended() {
		names = append(names, s.Name())
		if s.SpanContext().TraceID().String() != caller {
			t.Errorf("%s belongs to another trace", s.Name())
		}
		for _, a := range s.Attributes() {
			if strings.Contains(a.Value.String(), "secret_a91") {
				t.Errorf("%s tells %s", s.Name(), a.Key)
			}
		}
	}
	if strings.Join(names, ", ") != "query Greeting, POST /graphql" {
		t.Errorf("%q", names)
	}
}
