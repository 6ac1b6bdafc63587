// Package prom shows what a serve.Server does to Prometheus, in its text format.
//
//	metrics := prom.New(prom.Build{})
//	srv, err := serve.New(serve.Options{Observer: metrics, Metrics: metrics.Handler()}) // at GET /metrics
//	metrics.Watch(srv)
//
// All times are histograms in seconds, with labels for model and version. docs/serving.md lists the metrics. The package has no
// dependency: Prometheus's own client would make the program larger by 0.7 MB.
package prom

import (
	"net/http"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/octet-ml/octet/serve"
)

// Build describes the program, for octet_build_info.
type Build struct {
	Version string
	Tier    string // of the kernels
}

// Metrics is a serve.Observer that counts.
type Metrics struct {
	families []*family
	server   atomic.Pointer[serve.Server]

	requests, rejected, cancelled, samples, runs, loads *family
	request, queue, run, decode, encode, batch, load    *family
}

// New returns metrics of a server that is not known yet: Watch names it.
func New(build Build) *Metrics {
	m := &Metrics{}
	m.requests = m.counter("octet_requests_total", "Requests for inference that have ended.", "protocol", "code")
	m.rejected = m.counter("octet_rejected_total", "Requests that were not admitted.", "reason")
	m.cancelled = m.counter("octet_cancelled_total", "Requests that their client or deadline ended.", "where")
	m.samples = m.counter("octet_samples_total", "Samples that models ran on.")
	m.runs = m.counter("octet_runs_total", "Runs of models, which may serve several requests.")
	m.loads = m.counter("octet_model_loads_total", "Attempts to load a model.", "result")
	m.request = m.histogram("octet_request_duration_seconds", "Time of requests from their headers to the end of their answers.", seconds)
	m.queue = m.histogram("octet_queue_duration_seconds", "Time that answered requests waited for a place to run.", seconds)
	m.run = m.histogram("octet_run_duration_seconds", "Time of runs.", seconds)
	m.decode = m.histogram("octet_decode_duration_seconds", "Time of answered requests from admission to tensors.", seconds)
	m.encode = m.histogram("octet_encode_duration_seconds", "Time of answered requests from tensors to the last byte.", seconds)
	m.load = m.histogram("octet_model_load_duration_seconds", "Time of loads that succeeded.", powers(0.01, 14))
	m.batch = m.histogram("octet_batch_samples", "Samples of runs that succeeded.", powers(1, 8))
	info := gauge("octet_build_info", "The program; always 1.", "version", "tier", "goversion")
	info.add(1, build.Version, build.Tier, runtime.Version())
	m.families = append(m.families, info)
	return m
}

// seconds are bounds from 0.1 ms to some 13 s.
var seconds = powers(1e-4, 18)

//go:noinline
func (m *Metrics) counter(name, help string, labels ...string) *family {
	f := &family{name: name, help: help, kind: "counter", labels: append([]string{"model", "version"}, labels...)}
	m.families = append(m.families, f)
	return f
}

//go:noinline
func (m *Metrics) histogram(name, help string, bounds []float64) *family {
	f := &family{name: name, help: help, kind: "histogram", labels: []string{"model", "version"}, bounds: bounds}
	m.families = append(m.families, f)
	return f
}

// Watch shows the state of a server beside what it does.
func (m *Metrics) Watch(s *serve.Server) { m.server.Store(s) }

// Handler answers requests of Prometheus.
func (m *Metrics) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		var text []byte
		for _, f := range slices.Concat(m.families, state(m.server.Load()), process()) {
			text = f.append(text)
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = w.Write(text) // there is nobody to tell
	})
}

// Request counts a request.
func (m *Metrics) Request(e serve.RequestEvent) {
	m.requests.add(1, e.Model, e.Version, e.Protocol, e.Code.String())
	observe(m.request, e.Model, e.Version, e.Total)
	if e.Rejected != "" {
		m.rejected.add(1, e.Model, e.Version, e.Rejected)
	}
	if e.Cancelled != "" {
		m.cancelled.add(1, e.Model, e.Version, e.Cancelled)
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
	m.runs.add(1, e.Model, e.Version)
	observe(m.run, e.Model, e.Version, e.Duration)
	if e.Err == nil {
		m.batch.add(float64(e.Samples), e.Model, e.Version)
		m.samples.add(float64(e.Samples), e.Model, e.Version)
	}
}

// Load counts a load.
func (m *Metrics) Load(e serve.LoadEvent) {
	if e.Err != nil {
		m.loads.add(1, e.Model, e.Version, "failure")
		return
	}
	if e.Unchanged {
		m.loads.add(1, e.Model, e.Version, "unchanged")
		return
	}
	m.loads.add(1, e.Model, e.Version, "success")
	observe(m.load, e.Model, e.Version, e.Duration)
}

func observe(f *family, model, version string, took time.Duration) {
	f.add(took.Seconds(), model, version)
}
