// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// pools are the pools of connections to the database, by what they are for.
type pools map[string]func() *pgxpool.Stat

// strain is how long everybody together has waited for a connection since the beginning, and how often one was taken.
func (p pools) strain() (waited time.Duration, times int64) {
	for _, stat := range p {
		s := stat()
		waited += s.EmptyAcquireWaitTime()
		times += s.AcquireCount()
	}
	return waited, times
}

var (
	poolConnections = prometheus.NewDesc("ozg_database_connections", "Connections to the database, by pool and what they do.", []string{"pool", "state"}, nil)
	poolMost        = prometheus.NewDesc("ozg_database_connections_most", "How many there may be.", []string{"pool"}, nil)
	poolTaken       = prometheus.NewDesc("ozg_database_acquires_total", "How often a connection was taken.", []string{"pool"}, nil)
	poolWaited      = prometheus.NewDesc("ozg_database_wait_seconds_total", "How long connections were waited for.", []string{"pool"}, nil)
)

// Describe tells which metrics there are.
func (p pools) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{poolConnections, poolMost, poolTaken, poolWaited} {
		to <- d
	}
}

// Collect tells how the pools are.
func (p pools) Collect(to chan<- prometheus.Metric) {
	tell := func(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, kind, v, labels...)
	}
	for name, stat := range p {
		s := stat()
		tell(poolConnections, prometheus.GaugeValue, float64(s.AcquiredConns()), name, "used")
		tell(poolConnections, prometheus.GaugeValue, float64(s.IdleConns()), name, "idle")
		tell(poolConnections, prometheus.GaugeValue, float64(s.ConstructingConns()), name, "opening")
		tell(poolMost, prometheus.GaugeValue, float64(s.MaxConns()), name)
		tell(poolTaken, prometheus.CounterValue, float64(s.AcquireCount()), name)
		tell(poolWaited, prometheus.CounterValue, s.EmptyAcquireWaitTime().Seconds(), name)
	}
}

// measure registers what the house counts beside its door, and gives what answers a scrape.
func measure(to *prometheus.Registry, p pools, a *alarm) http.Handler {
	to.MustRegister(p, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "ozg_second_wall_total", Help: "What the second wall has caught that the first let through. It should be zero for ever.",
	}, func() float64 { return float64(a.caught.Load()) }))
	return promhttp.HandlerFor(to, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

// tellMetrics answers scrapes at an address of their own until silence is called: a house that drains is still looked at. An empty address is
// none.
func tellMetrics(ctx context.Context, address string, h http.Handler) (silence func(), err error) {
	if address == "" {
		return func() {}, nil
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listening for scrapes of metrics (OZG_METRICS_LISTEN): %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", h)
	s := &http.Server{Handler: mux, ReadTimeout: 5 * time.Second, WriteTimeout: 15 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 8 << 10}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Serve(l) // ends with Close, or when nobody is there any more who could do something about it
	}()
	return func() { _ = s.Close(); <-ended }, nil
}
