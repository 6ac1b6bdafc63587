package quantize

import (
	"math"
	"sync"
	"unsafe"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// difference accumulates how far a value is from its quantized form over runs.
type difference struct {
	samples bool // the values' elements are those of one sample after another; see samplesFirst

	mu      sync.Mutex
	unlike  bool // a run gave them different shapes: extents follow from values, such as how many boxes a detector keeps
	batches int
	count   int64 // elements
	mse     float64
	sums    sums
}

// total returns the sums so far.
func (d *difference) total() sums {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.sums
}

// elements returns how many elements they are over: none where the two had different shapes, for then no element of one is that of the other.
func (d *difference) elements() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.unlike {
		return 0
	}
	return d.count
}

// sums are over elements y of the float and z of the quantized value.
type sums struct {
	noise, signal, quantized, product float64 // of (y-z)^2, y^2, z^2, y*z
}

func (s *sums) add(o sums) {
	s.noise += o.noise
	s.signal += o.signal
	s.quantized += o.quantized
	s.product += o.product
}

// sqnr returns the ratio of signal to noise in dB.
func (s sums) sqnr() float64 {
	if s.noise == 0 {
		return math.Inf(1)
	}
	return 10 * math.Log10(s.signal/s.noise)
}

// cosine returns the cosine of the angle between the two values, 1 where both
// are zero, 0 where one has a NaN or an infinity that the other has not.
func (s sums) cosine() float64 {
	if math.IsInf(s.noise, 0) {
		return 0
	}
	if s.signal == 0 && s.quantized == 0 {
		return 1
	}
	if s.signal == 0 || s.quantized == 0 {
		return 0
	}
	return s.product / math.Sqrt(s.signal*s.quantized)
}

// sumsOf leaves out what is the same infinity, or NaN, in both: it has no power. One that only one
// of the two has is infinite noise.
func sumsOf(y, z []float32) sums {
	var s sums
	for i, v := range y {
		a, b := float64(v), float64(z[i])
		d := a - b
		if d-d != 0 {
			if a != b && (a == a || b == b) {
				s.noise = math.Inf(1)
			}
			continue
		}
		s.noise += float64(d * d)
		s.signal += float64(a * a)
		s.quantized += float64(b * b)
		s.product += float64(a * b)
	}
	return s
}

// compareOp is the operator that adds the difference between its two inputs,
// a float value and its quantized form, to an account. It has no output.
type compareOp struct {
	to *difference
}

func (compareOp) Name() string { return "compare" }

func (op compareOp) Infer(in []ops.Type) ([]ops.Type, error) {
	if len(in) != 2 || in[0].DType != tensor.Float32 || in[1].DType != tensor.Float32 {
		return nil, ops.Errorf(op, in, "it takes two float32 values")
	}
	return nil, nil
}

func (op compareOp) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	if !p.In[0].Shape.Equal(p.In[1].Shape) {
		return &ops.Kernel{Run: op.refuse, Choice: "compare"}, nil
	}
	n := p.In[0].Numel()
	tasks := (n + chunk - 1) / chunk
	partial := func(c *ops.Call) []sums {
		return unsafe.Slice((*sums)(unsafe.Pointer(unsafe.SliceData(c.Scratch))), tasks)
	}
	task := func(c *ops.Call, i int, _ *ops.Worker) {
		from, to := i*chunk, min((i+1)*chunk, op.compared(c, n))
		if from >= to {
			partial(c)[i] = sums{}
			return
		}
		partial(c)[i] = sumsOf(c.In[0].Float32s()[from:to], c.In[1].Float32s()[from:to])
	}
	return &ops.Kernel{
		Run: func(c *ops.Call) error {
			if n == 0 {
				return nil
			}
			c.Parallel(tasks, task)
			var total sums
			for _, s := range partial(c) {
				total.add(s)
			}
			op.to.mu.Lock()
			defer op.to.mu.Unlock()
			n := op.compared(c, n)
			op.to.batches++
			op.to.count += int64(n)
			op.to.mse += total.noise / float64(n)
			op.to.sums.add(total)
			return nil
		},
		Scratch:  tasks * int(unsafe.Sizeof(sums{})),
		Choice:   "compare",
		Parallel: tasks,
	}, nil
}

func (op compareOp) refuse(*ops.Call) error {
	op.to.mu.Lock()
	defer op.to.mu.Unlock()
	op.to.unlike = true
	return nil
}

// compared returns how many of the n elements are compared: the first ones.
func (op compareOp) compared(c *ops.Call, n int) int {
	if !op.to.samples {
		return n
	}
	return sampled(c, c.In[0].Shape(), n)
}

// HasEffect keeps the node though nothing uses its output.
func (compareOp) HasEffect() bool { return true }

// ChannelsLast compares in whatever layout the values have.
func (op compareOp) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) {
	return op, []int{0, 1}, len(in[0].Shape) >= 3
}
