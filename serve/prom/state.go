package prom

import (
	"runtime"
	"runtime/metrics"

	"github.com/octet-ml/octet/serve"
)

// gauge is a family of one time.
func gauge(name, help string, labels ...string) *family {
	return &family{name: name, help: help, kind: "gauge", labels: labels}
}

// state returns the state of a server, nil for one that is not known yet.
func state(s *serve.Server) []*family {
	inflight := gauge("octet_inflight_bytes", "Bytes of the requests that are admitted.")
	queued := gauge("octet_queue_length", "Requests that wait for a place to run.", "model", "version")
	ready := gauge("octet_model_ready", "Whether the model takes requests.", "model", "version")
	bytes := gauge("octet_model_bytes", "Bytes of a model: of its weights, and of its runs.", "model", "version", "kind")
	sequences := gauge("octet_sequences", "Sequences of a model that keeps something between requests.", "model", "version")
	if s == nil {
		return nil
	}
	g := s.Gauges()
	inflight.add(float64(g.InflightBytes))
	for _, m := range g.Models {
		up := 0.
		if m.Ready {
			up = 1
		}
		ready.add(up, m.Model, m.Version)
		queued.add(float64(m.Queued), m.Model, m.Version)
		sequences.add(float64(m.Sequences), m.Model, m.Version)
		bytes.add(float64(m.WeightBytes), m.Model, m.Version, "weights")
		bytes.add(float64(m.RunBytes), m.Model, m.Version, "arena")
	}
	return []*family{inflight, queued, ready, bytes, sequences}
}

// process returns what the Go runtime knows of the process, under the names of Prometheus's own client where that has them.
func process() []*family {
	samples := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/total:bytes"}, {Name: "/gc/cycles/total:gc-cycles"}, {Name: "/cpu/classes/user:cpu-seconds"}}
	metrics.Read(samples)
	list := []*family{
		gauge("go_goroutines", "Goroutines that exist."),
		gauge("go_memstats_heap_alloc_bytes", "Bytes of the heap that are in use."),
		gauge("go_memory_total_bytes", "Bytes that the Go runtime has from the system."),
		{name: "go_gc_cycles_total", help: "Garbage collections.", kind: "counter"},
		{name: "go_cpu_user_seconds_total", help: "Estimated time of the CPU in Go code.", kind: "counter"},
	}
	list[0].add(float64(runtime.NumGoroutine()))
	for i, s := range samples {
		switch s.Value.Kind() {
		case metrics.KindUint64:
			list[i+1].add(float64(s.Value.Uint64()))
		case metrics.KindFloat64:
			list[i+1].add(s.Value.Float64())
		}
	}
	return list
}
