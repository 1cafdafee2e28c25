// SPDX-License-Identifier: EUPL-1.2

package housetest_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/cmd"
	"github.com/ozg-cloud/platform/internal/housetest"
)

func TestMetricsTellHowTheHouseIsAndNothingOfAnybody(t *testing.T) {
	h := housetest.New(t)
	c := h.As("kiel-applicant").Submit("99108001001000", "010020000000")
	h.As("kiel-caseworker").Ask(`query A91($id: ID!) { case(id: $id) { number } }`, map[string]any{"id": c.ID}).Works()
	w := httptest.NewRecorder()
	h.Metrics.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	got := w.Body.String()
	for _, want := range []string{
		`ozg_requests_total{kind="query",route="/graphql",status="2xx"}`, `ozg_requests_total{kind="mutation",route="/graphql",status="2xx"} 1`, `ozg_gate_limit `,
		`ozg_gate_waiting{class="intake"} 0`, `ozg_database_connections{pool="reading",state="idle"}`, `ozg_database_wait_seconds_total{pool="writing"}`,
		`ozg_second_wall_total 0`, `ozg_documents_total{found="no"}`, `go_goroutines `,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not told", want)
		}
	}
	for _, secret := range []string{"kiel", "A91", c.ID} {
		if strings.Contains(got, secret) {
			t.Errorf("%s is told", secret)
		}
	}
}

// collector keeps what is sent to it.
type collector struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (c *collector) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = io.Copy(&c.text, r.Body)
}

func TestTracesLeadFromTheOperationToTheStatements(t *testing.T) {
	var spans collector
	s := httptest.NewServer(&spans)
	defer s.Close()
	h := housetest.New(t, func(g *cmd.Ground) { g.TracesURL, g.TracePercent, g.Slow = s.URL+"/v1/traces", 100, time.Nanosecond })
	c := h.As("kiel-applicant").Submit("99108001001000", "010020000000")
	h.As("kiel-mailroom").Ask(`query Look($id: ID!) { case(id: $id) { number applicant { name } } cases(first: 1, where: {number: {eq: "secret-a91"}}) { totalCount } }`, map[string]any{"id": c.ID}).Works()
	h.Close() // delivers the last
	got := spans.text.String()
	for _, want := range []string{"query Look", "POST /graphql", "submitApplication", "pipeline", "select ozg_enter", "graphql.document.sha256"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not told", want)
		}
	}
	for _, secret := range []string{"secret-a91", "kiel", c.ID} {
		if strings.Contains(got, secret) || secret != "kiel" && strings.Contains(h.Log.String(), secret) {
			t.Errorf("%s is told", secret)
		}
	}
	if !strings.Contains(h.Log.String(), "slow operation") {
		t.Error("a slow operation has no line")
	}
}
