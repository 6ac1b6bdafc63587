package int8

import (
	"unsafe"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// DeployedAverage computes what AvgPool and AdaptiveAvgPool do, on real values. Inputs: x float32, values that
// integers of X stand for, with its scale and zero point, and the scale and zero point of the
// output. Outputs: as DeployedAdd's.
type DeployedAverage struct {
	Pool ops.ChannelsLaster // ops.AvgPool or ops.AdaptiveAvgPool
	X, Y Params
}

func (op DeployedAverage) Name() string { return "deployed." + op.Pool.Name() }

func (op DeployedAverage) Infer(in []ops.Type) ([]ops.Type, error) {
	if len(in) != 5 {
		return nil, ops.Errorf(op, in, "it takes a value and two scales and zero points")
	}
	for i, p := range []Params{op.X, op.Y} {
		if err := checkParams(op, in, []int{1, 3}[i], 1, p); err != nil {
			return nil, err
		}
	}
	out, err := op.Pool.Infer(in[:1])
	if err != nil {
		return nil, err
	}
	return []ops.Type{out[0], out[0]}, nil
}

func (op DeployedAverage) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) {
	pool, inputs, ok := op.Pool.ChannelsLast(in)
	if ok {
		op.Pool = pool.(ops.ChannelsLaster)
	}
	return op, inputs, ok
}

func (DeployedAverage) WantsChannelsLast() bool { return true }

// Prepare adds up the exact integers of each window in float32, which holds them.
func (op DeployedAverage) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	channels := p.In[0].Shape[len(p.In[0].Shape)-1]
	var fill func(dst []unsafe.Pointer, in, pad unsafe.Pointer, i int) (taps, count int)
	var pixels, most int
	nhwc := false
	switch pool := op.Pool.(type) {
	case ops.AvgPool:
		w, err := pool.Window(op, p.In[:1])
		if err != nil {
			return nil, err
		}
		ind := ops.NewIndirection(w, 4*channels)
		pixels, most, nhwc = w.Pixels(), w.Taps(), pool.NHWC
		fill = func(dst []unsafe.Pointer, in, pad unsafe.Pointer, i int) (int, int) {
			ind.Fill(dst, 1, 1, 1, in, pad, i, 1)
			return most, pool.Count(w, i)
		}
	case ops.AdaptiveAvgPool:
		r, err := pool.Regions(op, p.In[:1])
		if err != nil {
			return nil, err
		}
		pixels, most, nhwc = r.Pixels(), r.MaxTaps(), pool.NHWC
		fill = func(dst []unsafe.Pointer, in, _ unsafe.Pointer, i int) (int, int) {
			n := r.Fill(dst, in, 4*channels, i)
			return n, n
		}
	}
	if !nhwc || fill == nil {
		return nil, &ops.UnsupportedError{Op: op.Name(), Reason: "kernels need the channels last; compile the graph, or permute its input"}
	}
	if 255*most >= 1<<24 {
		return nil, &ops.UnsupportedError{Op: op.Name(), Reason: "its windows are too large for exact sums"}
	}
	if pixels*channels == 0 {
		return &ops.Kernel{Run: func(*ops.Call) error { return nil }, Choice: "empty", Parallel: 1}, nil
	}
	pad, name := make([]float32, channels), op.Name()
	tasks := ops.PixelTasks(pixels, channels*most, p.Threads)
	task := func(c *ops.Call, i int, wk *ops.Worker) {
		x := op.X.at(c.In[1].Float32s()[0], c.In[2].Float32s()[0], tensor.Uint8)
		y := op.Y.at(c.In[3].Float32s()[0], c.In[4].Float32s()[0], tensor.Uint8)
		lo, hi := y.bounds(ops.NoActivation)
		inverse := 1 / x.scale
		sums := unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(wk.Scratch))), channels)
		for px := i * pixels / tasks; px < (i+1)*pixels/tasks; px++ {
			taps, count := fill(wk.Pointers, base(c.In[0]), unsafe.Pointer(&pad[0]), px)
			clear(sums)
			for _, t := range wk.Pointers[:taps] {
				for j, v := range unsafe.Slice((*float32)(t), channels) {
					sums[j] += integer(v, inverse)
				}
			}
			m := float32(float64(x.scale) / (float64(y.scale) * float64(max(count, 1))))
			out, real := c.Out[0].Float32s()[px*channels:][:channels], c.Out[1].Float32s()[px*channels:][:channels]
			for j, v := range sums {
				t := float32(v * m)
				real[j] = t * y.scale
				out[j] = round(min(max(t, lo), hi)) * y.scale
			}
		}
	}
	return &ops.Kernel{
		Run: func(c *ops.Call) error {
			for _, i := range []int{1, 3} {
				if err := CheckLearned(name, c.In[i], c.In[i+1]); err != nil {
					return err
				}
			}
			c.Parallel(tasks, task)
			return nil
		},
		WorkerScratch:  4 * channels,
		WorkerPointers: most,
		Choice:         "loops",
		Parallel:       tasks,
	}, nil
}
