package serve

import (
	"time"

	"github.com/octet-ml/octet/serve/oip"
)

// ModelStatus says how a model was loaded.
type ModelStatus struct {
	Name    string               `json:"name"`
	Version string               `json:"version,omitempty"`
	Ready   bool                 `json:"ready"`
	Reason  string               `json:"reason,omitempty"` // why it is not ready
	Inputs  []oip.TensorMetadata `json:"inputs,omitempty"`
	Outputs []oip.TensorMetadata `json:"outputs,omitempty"`
	// Example has inputs that the model takes: their extents are those of the file, or of the example.
	Example []oip.TensorMetadata `json:"-"`
	// Run is the least time of a run with one sample, measured on one thread.
	Run      time.Duration `json:"run_ns,omitempty"`
	Batching string        `json:"batching,omitempty"`
	Batches  []BatchTiming `json:"batches,omitempty"`
	WarmUp   string        `json:"warm_up,omitempty"` // why it was not warmed up
	Stateful bool          `json:"stateful,omitempty"`
	Pictures bool          `json:"pictures,omitempty"` // encoded ones may be given as input
	// Weights and arena are bytes, the latter of one run.
	WeightBytes int64 `json:"weight_bytes,omitempty"`
	ArenaBytes  int64 `json:"arena_bytes,omitempty"`
}

// BatchTiming is a measurement of joined samples.
type BatchTiming struct {
	Samples   int           `json:"samples"`
	PerSample time.Duration `json:"per_sample_ns"`
}

// ModelStatuses returns the status of each version of each model.
func (s *Server) ModelStatuses() []ModelStatus {
	var list []ModelStatus
	for _, d := range s.deployments() {
		r := ModelStatus{Name: d.name, Version: d.version}
		r.Ready, r.Reason = d.ready()
		if i := d.current.Load(); i != nil {
			r.Inputs, r.Outputs, r.Run, r.Batching, r.WarmUp = i.inputs, i.outputs, i.warm, i.batch.reason, i.warmNote
			r.Pictures = len(i.offered) == 1 && len(i.inputs) == 1 && i.offered[0].Name == i.inputs[0].Name
			r.Stateful, r.WeightBytes, r.ArenaBytes = i.signature.Stateful, i.weights, int64(i.session.ArenaBytes())
			r.Example = i.example()
			for _, row := range i.batch.rows {
				r.Batches = append(r.Batches, BatchTiming{row.Samples, time.Duration(row.PerSample * float64(time.Second))})
			}
		}
		list = append(list, r)
	}
	return list
}

// FormatTensors writes tensors of a model one after the other.
func FormatTensors(list []oip.TensorMetadata) string { return formatTensors(list) }
