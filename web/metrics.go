// SPDX-License-Identifier: EUPL-1.2

package web

import (
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are what the door counts. Labels have only values that are listed in the program: routes, kinds of operations, classes,
// rules. Names that callers make up (operations, paths, methods) are none.
type Metrics struct {
	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec
	refused   *prometheus.CounterVec
	refusing  prometheus.Histogram
	documents *prometheus.CounterVec
	sockets   prometheus.Gauge
	streams   prometheus.Gauge
	under     atomic.Int64
	to        prometheus.Registerer
}

// NewMetrics registers what a door counts. One registry has room for the metrics of one door.
func NewMetrics(to prometheus.Registerer) *Metrics {
	m := &Metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ozg_requests_total", Help: "Requests that were answered, by route, class of status and kind of operation.",
		}, []string{"route", "status", "kind"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "ozg_request_duration_seconds", Help: "How long answers took. Sockets and event streams are not among them.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route", "kind"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ozg_refused_total", Help: "Requests and operations that were refused because the house is busy or a budget is used up, by class and rule.",
		}, []string{"class", "rule"}),
		refusing: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "ozg_refusal_duration_seconds", Help: "How long such a refusal of a request took.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .05, .25, 1, 5},
		}),
		documents: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ozg_documents_total", Help: "Documents that were looked up among those that are known to be valid, by whether they were there.",
		}, []string{"found"}),
		sockets: prometheus.NewGauge(prometheus.GaugeOpts{Name: "ozg_sockets", Help: "Sockets that are open."}),
		streams: prometheus.NewGauge(prometheus.GaugeOpts{Name: "ozg_streams", Help: "Event streams that are open."}),
		to:      to,
	}
	to.MustRegister(m.requests, m.durations, m.refused, m.refusing, m.documents, m.sockets, m.streams, prometheus.NewGaugeFunc(
		prometheus.GaugeOpts{Name: "ozg_requests_in_flight", Help: "Requests under way, sockets and event streams included."},
		func() float64 { return float64(m.under.Load()) }))
	return m
}

// watch registers what a gate tells of itself.
func (m *Metrics) watch(g *gate) { m.to.MustRegister(gateMetrics{g}) }

type gateMetrics struct{ *gate }

var (
	gateLimit   = prometheus.NewDesc("ozg_gate_limit", "How many operations may be carried out at once, as found out so far.", nil, nil)
	gateInside  = prometheus.NewDesc("ozg_gate_inside", "Operations that are carried out.", nil, nil)
	gateWaiting = prometheus.NewDesc("ozg_gate_waiting", "Operations that wait for their turn, by class.", []string{"class"}, nil)
)

func (g gateMetrics) Describe(to chan<- *prometheus.Desc) {
	to <- gateLimit
	to <- gateInside
	to <- gateWaiting
}

func (g gateMetrics) Collect(to chan<- prometheus.Metric) {
	limit, inside, waiting := g.state()
	to <- prometheus.MustNewConstMetric(gateLimit, prometheus.GaugeValue, float64(limit))
	to <- prometheus.MustNewConstMetric(gateInside, prometheus.GaugeValue, float64(inside))
	for c, n := range waiting {
		to <- prometheus.MustNewConstMetric(gateWaiting, prometheus.GaugeValue, float64(n), classNames[c])
	}
}

// answered counts a request.
func (m *Metrics) answered(l *line, route string, status int, took time.Duration) {
	if route == "" {
		route = "none"
	}
	kind := l.kind
	if kind == "" {
		kind = "none"
	}
	m.requests.WithLabelValues(route, strconv.Itoa(status/100)+"xx", kind).Inc()
	if !l.lasted && status != http.StatusSwitchingProtocols {
		m.durations.WithLabelValues(route, kind).Observe(took.Seconds())
	}
	if l.refused {
		m.refusing.Observe(took.Seconds())
	}
}
