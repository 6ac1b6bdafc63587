// Package prom shows what a serve.Server does to Prometheus.
//
//	metrics := prom.New(prom.Build{})
//	srv, err := serve.New(serve.Options{Observer: metrics, Metrics: metrics.Handler()}) // at GET /metrics
//	metrics.Watch(srv)
//
// All times are histograms in seconds, with labels for model and version. docs/serving.md lists the metrics.
package prom

import (
	"net/http"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/octet-ml/octet/serve"
)

// Build describes the program, for octet_build_info.
type Build struct {
	Version string
	Tier    string // of the kernels
}

// Metrics is a serve.Observer that counts.
type Metrics struct {
	registry *prometheus.Registry
	server   atomic.Pointer[serve.Server]

	requests, rejected, cancelled, samples, runs, loads *prometheus.CounterVec
	request, queue, run, decode, encode, batch, load    *prometheus.HistogramVec
}

// New returns metrics of a server that is not known yet: Watch names it.
func New(build Build) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.requests = m.counter("octet_requests_total", "Requests for inference that have ended.", "protocol", "code")
	m.rejected = m.counter("octet_rejected_total", "Requests that were not admitted.", "reason")
	m.cancelled = m.counter("octet_cancelled_total", "Requests that their client or deadline ended.", "where")
	m.samples = m.counter("octet_samples_total", "Samples that models ran on.")
	m.runs = m.counter("octet_runs_total", "Runs of models, which may serve several requests.")
	m.loads = m.counter("octet_model_loads_total", "Attempts to load a model.", "result")
	m.request = m.seconds("octet_request_duration_seconds", "Time of requests from their headers to the end of their answers.")
	m.queue = m.seconds("octet_queue_duration_seconds", "Time that answered requests waited for a place to run.")
	m.run = m.seconds("octet_run_duration_seconds", "Time of runs.")
	m.decode = m.seconds("octet_decode_duration_seconds", "Time of answered requests from admission to tensors.")
	m.encode = m.seconds("octet_encode_duration_seconds", "Time of answered requests from tensors to the last byte.")
	m.load = m.histogram("octet_model_load_duration_seconds", "Time of loads that succeeded.", prometheus.ExponentialBuckets(0.01, 2, 14))
	m.batch = m.histogram("octet_batch_samples", "Samples of runs.", prometheus.ExponentialBuckets(1, 2, 8))
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "octet_build_info", Help: "The program; always 1.",
		ConstLabels: prometheus.Labels{"version": build.Version, "tier": build.Tier, "goversion": runtime.Version()},
	})
	info.Set(1)
	m.registry.MustRegister(info, state{m}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Watch shows the state of a server beside what it does.
func (m *Metrics) Watch(s *serve.Server) { m.server.Store(s) }

// Handler answers requests of Prometheus.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 8})
}

// ofModel are the labels that all metrics have.
func ofModel(labels ...string) []string { return append([]string{"model", "version"}, labels...) }

func (m *Metrics) counter(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, ofModel(labels...))
	m.registry.MustRegister(c)
	return c
}

// seconds is a histogram of times from 0.1 ms to some 13 s.
func (m *Metrics) seconds(name, help string) *prometheus.HistogramVec {
	return m.histogram(name, help, prometheus.ExponentialBuckets(1e-4, 2, 18))
}

func (m *Metrics) histogram(name, help string, buckets []float64) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, ofModel())
	m.registry.MustRegister(h)
	return h
}

// Request counts a request.
func (m *Metrics) Request(e serve.RequestEvent) {
	m.requests.WithLabelValues(e.Model, e.Version, e.Protocol, e.Code.String()).Inc()
	observe(m.request, e.Model, e.Version, e.Total)
	if e.Rejected != "" {
		m.rejected.WithLabelValues(e.Model, e.Version, e.Rejected).Inc()
	}
	if e.Cancelled != "" {
		m.cancelled.WithLabelValues(e.Model, e.Version, e.Cancelled).Inc()
	}
	if e.Code != serve.OK {
		return
	}
	observe(m.queue, e.Model, e.Version, e.Queue)
	observe(m.decode, e.Model, e.Version, e.Decode)
	observe(m.encode, e.Model, e.Version, e.Encode)
}

// Run counts a run.
func (m *Metrics) Run(e serve.RunEvent) {
	m.runs.WithLabelValues(e.Model, e.Version).Inc()
	observe(m.run, e.Model, e.Version, e.Duration)
	m.batch.WithLabelValues(e.Model, e.Version).Observe(float64(e.Samples))
	if e.Err == nil {
		m.samples.WithLabelValues(e.Model, e.Version).Add(float64(e.Samples))
	}
}

// Load counts a load.
func (m *Metrics) Load(e serve.LoadEvent) {
	if e.Err != nil {
		m.loads.WithLabelValues(e.Model, e.Version, "failure").Inc()
		return
	}
	m.loads.WithLabelValues(e.Model, e.Version, "success").Inc()
	observe(m.load, e.Model, e.Version, e.Duration)
}

func observe(h *prometheus.HistogramVec, model, version string, took time.Duration) {
	h.WithLabelValues(model, version).Observe(took.Seconds())
}
