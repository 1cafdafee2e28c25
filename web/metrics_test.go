// SPDX-License-Identifier: EUPL-1.2

package web_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ozg-cloud/platform/web"
)

// gathered are the counters and gauges of a registry, and the counts of its histograms, each under its name with the values of its labels.
func gathered(t *testing.T, r *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			out[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return out
}

func TestWhatCallersMakeUpIsNoLabel(t *testing.T) {
	registry := prometheus.NewRegistry()
	h := open(t, func(o *web.Options) { o.Metrics = web.NewMetrics(registry) })
	known := func() []string {
		var names []string
		for name := range gathered(t, registry) {
			names = append(names, name)
		}
		return names
	}
	h.post(query("query Known { hello }"))
	h.ask("GET", "/nowhere", "")
	h.ask("PUT", "/livez", "")
	h.post("{")
	before := known()
	h.post(query("query Made_up_a91 { hello }"))
	h.ask("GET", "/made-up-a91", "")
	h.ask("BREW", "/livez", "")
	h.post("{", "X-Made-Up", "a91")
	for _, name := range known() {
		if !slices.Contains(before, name) || strings.Contains(name, "a91") {
			t.Errorf("a new label: %s", name)
		}
	}
	if got := gathered(t, registry); got["ozg_requests_total query /graphql 2xx"] != 2 || got["ozg_requests_total none none 4xx"] < 2 || got["ozg_requests_in_flight"] != 0 {
		t.Errorf("%v", got)
	}
}

func TestLongDocumentsAreNotRemembered(t *testing.T) {
	registry := prometheus.NewRegistry()
	kept := web.NewValid(1<<20, web.NewMetrics(registry)).Of("whole")
	for text, want := range map[string]bool{"{ hello }": true, "{ hello }" + strings.Repeat("#", 8<<10): false} {
		kept.Add(context.Background(), text, &ast.QueryDocument{})
		if _, found := kept.Get(context.Background(), text); found != want {
			t.Errorf("a document of %d bytes is found: %v", len(text), found)
		}
	}
	if got := gathered(t, registry); got["ozg_documents_total yes"] != 1 || got["ozg_documents_total no"] != 1 {
		t.Errorf("%v", got)
	}
}
