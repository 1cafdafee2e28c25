// SPDX-License-Identifier: EUPL-1.2

package partners_test

import (
	"testing"

	"github.com/ozg-cloud/platform/internal/housetest"
)

// BenchmarkWebhook is one frame of a backlog, from the log to a receiver on this machine that answers at once.
func BenchmarkWebhook(b *testing.B) {
	h := housetest.New(b, near)
	c := h.As("kiel-applicant").Submit(parking, kiel)
	clerk := h.As("kiel-caseworker")
	begin := clerk.Ask(`{ caseEvents(first: 0) { newest } }`, nil).Works().Text("caseEvents.newest")
	for range b.N {
		clerk.Must("commentOnCase", &c, map[string]any{"body": "Notiz"})
	}
	r := receives(b, h)
	hooks(b, h.As("kiel-admin"), r.URL, map[string]any{"after": begin})
	b.ResetTimer()
	started(b, h)
	for range b.N {
		r.next()
	}
}

// BenchmarkExport is one line of an export, of cases with two fields.
func BenchmarkExport(b *testing.B) {
	h := housetest.New(b, near)
	h.Seed(5000, 4)
	admin := h.As("sh-admin")
	total := admin.Ask(`{ cases(first: 0) { totalCount } }`, nil).Works().Number("cases.totalCount")
	started(b, h)
	b.ResetTimer()
	for range b.N {
		ends(b, admin, exports(b, admin, `{ cases { nodes { id revision } } }`), "COMPLETED")
	}
	b.ReportMetric(float64(total), "lines/op")
}
