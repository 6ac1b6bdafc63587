package bench

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/sorting"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// LayerProfile is what one step of a compiled model takes.
type LayerProfile struct {
	Name   string        `json:"name"` // module path
	Op     string        `json:"op"`
	Kernel string        `json:"kernel"`
	Time   time.Duration `json:"-"`  // median
	Ms     float64       `json:"ms"` // the same
	Share  float64       `json:"share"`
	// Gops and PercentOfPeak are 0 for operators that are not multiply-accumulates;
	// GBs counts each input, constant and output once.
	Gops          float64 `json:"gops"`
	PercentOfPeak float64 `json:"percent_of_peak"`
	Bytes         int64   `json:"bytes"`
	GBs           float64 `json:"gbs"`
	PackedBytes   int     `json:"packed_bytes"` // of weights in the order of the kernel
	// Float32Ms is, of an int8 layer, what its module takes in float32: 0 where that was not measured.
	Float32Ms float64 `json:"float32_ms,omitempty"`

	least time.Duration
	int8  bool // it multiplies integers
}

// profiler collects the steps of runs: its Trace is an option of Compile.
type profiler struct {
	mu    sync.Mutex
	steps map[int]*steps
}

type steps struct {
	last  graph.StepTrace
	times []time.Duration
}

// newProfiler returns an empty profiler.
func newProfiler() *profiler { return &profiler{steps: make(map[int]*steps)} }

// Trace records a step.
func (p *profiler) Trace(t graph.StepTrace) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.steps[t.Index]
	if s == nil {
		s = &steps{}
		p.steps[t.Index] = s
	}
	s.last = t
	s.times = append(s.times, t.Duration)
}

// Reset forgets what was recorded.
func (p *profiler) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.steps)
}

// Layers returns what was recorded, the slowest first.
func (p *profiler) Layers(limits Limits) []LayerProfile {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []LayerProfile
	var total time.Duration
	for _, s := range p.steps {
		slices.Sort(s.times)
		w := ops.WorkOf(s.last.Node.Op, s.last.In, s.last.Out)
		l := LayerProfile{
			Name: s.last.Node.Scope.Path, Op: s.last.Node.Op.Name(), Kernel: s.last.Choice,
			Time: quantile(s.times, 0.5), Bytes: w.Bytes, PackedBytes: s.last.Packed,
			least: s.times[0], int8: w.Int8MACs > 0,
		}
		l.Ms = milliseconds(l.Time)
		if seconds := l.Time.Seconds(); seconds > 0 {
			l.Gops = w.Ops() / seconds / 1e9
			l.PercentOfPeak = 100 * limits.Ideal(w) / seconds
			l.GBs = float64(w.Bytes) / seconds / 1e9
		}
		total += l.Time
		out = append(out, l)
	}
	for i := range out {
		out[i].Share = float64(out[i].Time) / float64(max(total, 1))
	}
	sorting.Func(out, func(a, b LayerProfile) int {
		return cmp.Or(cmp.Compare(b.Time, a.Time), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Op, b.Op))
	})
	return out
}

// Profile runs the graph on the inputs, runs times once it is warm, and returns
// its steps, the slowest first.
func Profile(ctx context.Context, g *graph.Graph, opts graph.Options, inputs []*tensor.Tensor, runs int, limits Limits) ([]LayerProfile, error) {
	p := newProfiler()
	opts.Trace = p.Trace
	s, err := g.Compile(opts)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	outputs, err := s.Run(ctx, inputs...)
	if err != nil {
		return nil, err
	}
	for i := range warmUpRuns + max(runs, 1) {
		if i == warmUpRuns {
			p.Reset()
		}
		if err := s.RunInto(ctx, outputs, inputs); err != nil {
			return nil, err
		}
	}
	return p.Layers(limits), nil
}
