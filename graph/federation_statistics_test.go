// SPDX-License-Identifier: EUPL-1.2

package graph_test

import (
	"bytes"
	"testing"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/internal/housetest"
)

func TestAHouseWithoutAFederationSaysSoAndTellsItsCubes(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	analyst := h.As("federation-analyst")
	a := analyst.Ask(`{ federation { statistics(measures: [APPLICATIONS], groupBy: [MONTH], from: "2026-01", to: "2026-01") { meta { complete } } } }`, nil)
	if ruleOf(a) != "noFederation" {
		t.Errorf("it says %s", a.Raw)
	}
	cubes := analyst.Ask(`{ federation { cubes { name measures { measure kind told } tables { axes durations } } } }`, nil).Works()
	if list, _ := cubes.At("federation.cubes").([]any); len(list) != 8 || cubes.At("federation.cubes.0.name") != "received" {
		t.Errorf("it tells %s", cubes.Raw)
	}
	if told, _ := cubes.At("federation.cubes.0.measures.0.told").([]any); len(told) != 0 {
		t.Error("without a consent something is told")
	}
	auditor := h.Give("book-auditor", authz.Role("AUDITOR"), "sh", "")
	empty := auditor.Ask(`{ federation { answered(first: 5) { index } contradictions { memberId } } }`, nil).Works()
	if list, ok := empty.At("federation.answered").([]any); !ok || len(list) != 0 {
		t.Errorf("it was asked %s", empty.Raw)
	}
	for _, bad := range []string{`answered(first: 0)`, `answered(first: 101)`, `answered(first: -1)`, `answered(first: 5, before: -1)`} {
		if a := auditor.Ask(`{ federation { `+bad+` { index } } }`, nil); len(a.Errors) == 0 || a.Status >= 500 {
			t.Errorf("%s: %s", bad, a.Raw)
		}
	}
	// Whoever reads no figures does not know that there are any, nor that there is a book of what was asked.
	for _, hidden := range []string{`cubes { name }`, `answered(first: 1) { index }`, `contradictions { question }`} {
		a := h.As("kiel-caseworker").Ask(`{ federation { `+hidden+` } }`, nil)
		if ruleOf(a) != "invalidDocument" || bytes.Contains(a.Raw, []byte("FORBIDDEN")) {
			t.Errorf("%s: %s", hidden, a.Raw)
		}
	}
}
