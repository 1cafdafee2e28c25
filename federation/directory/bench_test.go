// SPDX-License-Identifier: EUPL-1.2

package directory_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/ozg-cloud/platform/federation/charter"
	"github.com/ozg-cloud/platform/federation/directory"
	"github.com/ozg-cloud/platform/internal/housetest"
)

// BenchmarkAvailability looks up who is responsible for a service in a region, and a page of all who offer it, among 1.1 million offers: 16 houses, 100 services,
// 10,789 municipalities. The figure of issue 8 is a 95th percentile of 10 ms.
func BenchmarkAvailability(b *testing.B) {
	h := housetest.New(b)
	db := h.Database()
	for _, statement := range []string{
		`insert into directory_heads select 'https://land-' || lpad(i::text, 2, '0') || '.example/ozg', 'x', 'sha256:' || repeat('0', 64), now(), 1 from generate_series(1, 16) i`,
		`insert into directory_parts select instance, '99' || lpad(s::text, 12, '0'), 'sha256:' || repeat('0', 64) from directory_heads, generate_series(1, 100) s`,
		`insert into directory_entries select 'https://land-' || lpad((1 + m % 16)::text, 2, '0') || '.example/ozg', '99' || lpad(s::text, 12, '0'),
			lpad((1 + m % 16)::text, 2, '0') || lpad((m / 16)::text, 10, '0'), 'gemeinde-' || m, 'Gemeinde Nummer ' || m, '2024-01-01', null, 3
			from generate_series(1, 10789) m, generate_series(1, 100) s`,
		`vacuum analyze directory_entries`,
	} {
		if _, err := db.Exec(b.Context(), statement); err != nil {
			b.Fatal(err)
		}
	}
	config := h.Serving().Config()
	pool, err := pgxpool.New(b.Context(), config.ConnString())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	shelf := directory.NewShelf(pool, nil, make([]byte, 32), time.Now)
	var all []charter.InstanceID
	for i := range 16 {
		all = append(all, charter.InstanceID(fmt.Sprintf("https://land-%02d.example/ozg", i+1)))
	}
	for name, ask := range map[string]func() directory.Question{
		"region": func() directory.Question {
			m := rand.IntN(10789) + 1
			return directory.Question{Service: fmt.Sprintf("99%012d", 1+rand.IntN(100)), Region: fmt.Sprintf("%02d%010d", 1+m%16, m/16), First: 50}
		},
		"page": func() directory.Question {
			return directory.Question{Service: fmt.Sprintf("99%012d", 1+rand.IntN(100)), First: 100}
		},
		"page and count": func() directory.Question {
			return directory.Question{Service: fmt.Sprintf("99%012d", 1+rand.IntN(100)), First: 100, Count: true}
		},
	} {
		b.Run(name, func(b *testing.B) {
			var times []time.Duration
			for b.Loop() {
				begun := time.Now()
				found, err := shelf.Look(b.Context(), ask(), all)
				if err != nil || len(found.Offers) == 0 {
					b.Fatal(found, err)
				}
				times = append(times, time.Since(begun))
			}
			slices.Sort(times)
			b.ReportMetric(float64(times[len(times)*95/100].Microseconds())/1000, "p95-ms")
		})
	}
}
