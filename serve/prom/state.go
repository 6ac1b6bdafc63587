package prom

import "github.com/prometheus/client_golang/prometheus"

// state collects the state of the server when Prometheus asks for it.
type state struct{ metrics *Metrics }

var (
	inflight   = prometheus.NewDesc("octet_inflight_bytes", "Bytes of the requests that are admitted.", nil, nil)
	queued     = prometheus.NewDesc("octet_queue_length", "Requests that wait for a place to run.", ofModel(), nil)
	ready      = prometheus.NewDesc("octet_model_ready", "Whether the model takes requests.", ofModel(), nil)
	modelBytes = prometheus.NewDesc("octet_model_bytes", "Bytes of a model: of its weights, and of its runs.", ofModel("kind"), nil)
	sequences  = prometheus.NewDesc("octet_sequences", "Sequences of a model that keeps something between requests.", ofModel(), nil)
)

// Describe lists the metrics.
func (state) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{inflight, queued, ready, modelBytes, sequences} {
		to <- d
	}
}

// Collect reads the state.
func (s state) Collect(to chan<- prometheus.Metric) {
	server := s.metrics.server.Load()
	if server == nil {
		return
	}
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	g := server.Gauges()
	gauge(inflight, float64(g.InflightBytes))
	for _, m := range g.Models {
		up := 0.
		if m.Ready {
			up = 1
		}
		gauge(ready, up, m.Model, m.Version)
		gauge(queued, float64(m.Queued), m.Model, m.Version)
		gauge(sequences, float64(m.Sequences), m.Model, m.Version)
		gauge(modelBytes, float64(m.WeightBytes), m.Model, m.Version, "weights")
		gauge(modelBytes, float64(m.RunBytes), m.Model, m.Version, "arena")
	}
}
