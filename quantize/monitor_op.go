package quantize

import (
	"sync"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// monitor accumulates how well the range of an activation fits it.
type monitor struct {
	q       *tensor.QParams
	samples bool // the value's elements are those of one sample after another; see samplesFirst

	mu                  sync.Mutex
	grid                grid
	values, clipped     int64 // of the float model
	integers, saturated int64 // of the quantized one
}

// watched returns how many of the n elements of a value count: the first ones.
func (w *monitor) real(c *ops.Call, n int) int {
	if !w.samples {
		return n
	}
	return sampled(c, c.In[0].Shape(), n)
}

// report fills in what was seen.
func (w *monitor) report(v *Value) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.values == 0 {
		return
	}
	v.Least, v.Greatest = w.grid.lo, w.grid.hi
	v.Clipped = float64(w.clipped) / float64(w.values)
	v.Saturated = float64(w.saturated) / float64(max(w.integers, 1))
	v.Histogram = w.grid.reduced(histogramShown)
}

// histogramShown is how many bins of a value's histogram are reported at most.
const histogramShown = 128

// reduced returns the counts in at most n bins.
func (g *grid) reduced(n int) *ValueBins {
	used := int(gridIndex(g.hi, g.exponent)-g.first) + 1
	join := (used + n - 1) / n
	width := gridWidth(g.exponent)
	b := &ValueBins{First: float64(g.first) * width, Width: width * float64(join), Counts: make([]int64, (used+join-1)/join)}
	for i, c := range g.counts[:used] {
		b.Counts[i/join] += c
	}
	return b
}

// monitorOp is the operator that shows a value of the float model to a monitor.
type monitorOp struct{ to *monitor }

func (monitorOp) Name() string { return "monitor" }

func (op monitorOp) Infer(in []ops.Type) ([]ops.Type, error) {
	return inferCounting(op, in, tensor.Float32)
}

func (op monitorOp) Prepare(*ops.Prepare) (*ops.Kernel, error) {
	w := op.to
	// What rounds to an integer outside the range is clipped.
	low := (float32(w.q.Min-w.q.ZeroPoint[0]) - 0.5) * w.q.Scale[0]
	high := (float32(w.q.Max-w.q.ZeroPoint[0]) + 0.5) * w.q.Scale[0]
	return &ops.Kernel{Choice: "monitor", Parallel: 1, Run: func(c *ops.Call) error {
		x := c.In[0].Float32s()
		x = x[:w.real(c, len(x))]
		if len(x) == 0 {
			return nil
		}
		lo, hi, finite := minMax(x)
		if !finite {
			return ErrNotFinite
		}
		clipped := int64(0)
		if lo < low || hi > high {
			for _, v := range x {
				if v < low || v > high {
					clipped++
				}
			}
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.grid.widen(lo, hi)
		w.grid.add(countAll(x))
		w.values += int64(len(x))
		w.clipped += clipped
		return nil
	}}, nil
}

// HasEffect keeps the node though nothing uses its output.
func (monitorOp) HasEffect() bool { return true }

// ChannelsLast watches in whatever layout the value has.
func (op monitorOp) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) {
	return op, []int{0}, len(in[0].Shape) >= 3
}

// saturationOp is the operator that counts integers at the ends of the range.
type saturationOp struct{ to *monitor }

func (saturationOp) Name() string { return "saturation" }

func (op saturationOp) Infer(in []ops.Type) ([]ops.Type, error) {
	return inferCounting(op, in, tensor.Uint8)
}

func (op saturationOp) Prepare(*ops.Prepare) (*ops.Kernel, error) {
	w := op.to
	return &ops.Kernel{Choice: "saturation", Parallel: 1, Run: func(c *ops.Call) error {
		var counts [256]int64
		x := c.In[0].Uint8s()
		x = x[:w.real(c, len(x))]
		for _, v := range x {
			counts[v]++
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.integers += int64(len(x))
		for _, end := range []int32{w.q.Min, w.q.Max} {
			if end != w.q.ZeroPoint[0] {
				w.saturated += counts[end]
			}
		}
		return nil
	}}, nil
}

// HasEffect keeps the node though nothing uses its output.
func (saturationOp) HasEffect() bool { return true }

// ChannelsLast counts in whatever layout the value has.
func (op saturationOp) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) {
	return op, []int{0}, len(in[0].Shape) >= 3
}
