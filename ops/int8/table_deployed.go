package int8

import (
	"context"
	"math"
	"sync"
	"unsafe"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// DeployedTable computes what the Table of a function of one element does, on real values. Inputs: x float32, values that
// integers of X stand for, with its scale and zero point, and the scale and zero point of the
// output. Outputs: the function as float32 values of Y's integers, and what it was before it was
// rounded and bounded.
type DeployedTable struct {
	Op       ops.Op           // ops.Unary, or ops.Binary with a constant of one element
	Operands []*tensor.Tensor // the operator's inputs, nil in the place of x
	X, Y     Params
}

// Name returns "deployed." and the name of the operator.
func (op DeployedTable) Name() string { return "deployed." + op.Op.Name() }

func (op DeployedTable) Infer(in []ops.Type) ([]ops.Type, error) {
	if len(in) != 5 {
		return nil, ops.Errorf(op, in, "it takes a value and two scales and zero points")
	}
	for i, p := range []Params{op.X, op.Y} {
		if err := checkParams(op, in, []int{1, 3}[i], 1, p); err != nil {
			return nil, err
		}
	}
	out, err := op.Op.Infer(op.operands(in[0]))
	if err != nil {
		return nil, err
	}
	if !out[0].Shape.Equal(in[0].Shape) {
		return nil, ops.Errorf(op, in, "the operator gives another shape, %v", out[0].Shape)
	}
	return []ops.Type{out[0], out[0]}, nil
}

// operands returns the types of the operator's inputs.
func (op DeployedTable) operands(x ops.Type) []ops.Type {
	types := make([]ops.Type, len(op.Operands))
	for i, t := range op.Operands {
		types[i] = x
		if t != nil {
			types[i] = ops.TypeOf(t)
		}
	}
	return types
}

// ChannelsLast works in any layout.
func (op DeployedTable) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) {
	return op, []int{0}, len(in[0].Shape) >= 3
}

// WantsChannelsLast is false.
func (DeployedTable) WantsChannelsLast() bool { return false }

// tabulation computes the operator on the 256 values of a run, with the plain Go kernels as TableOf does.
type tabulation struct {
	mu     sync.Mutex
	kernel *ops.Kernel
	call   ops.Call
	x, y   []float32
}

func (op DeployedTable) tabulation() (*tabulation, error) {
	x, err := tensor.New(tensor.Float32, 256)
	if err != nil {
		return nil, err
	}
	y, err := tensor.New(tensor.Float32, 256)
	if err != nil {
		return nil, err
	}
	t := &tabulation{x: x.Float32s(), y: y.Float32s()}
	in := op.operands(ops.F32(256))
	if t.kernel, err = op.Op.Prepare(&ops.Prepare{In: in, Out: []ops.Type{ops.F32(256)}, Tier: asm.Generic, Threads: 1}); err != nil {
		return nil, err
	}
	inputs := make([]*tensor.Tensor, len(in))
	for i, o := range op.Operands {
		inputs[i] = x
		if o != nil {
			inputs[i] = o.Contiguous()
		}
	}
	t.call = ops.Call{
		In: inputs, Out: []*tensor.Tensor{y}, Scratch: tensor.AlignedBytes(t.kernel.Scratch), Context: context.Background(),
		Workers: []ops.Worker{{Scratch: tensor.AlignedBytes(t.kernel.WorkerScratch), Pointers: make([]unsafe.Pointer, t.kernel.WorkerPointers)}},
	}
	return t, nil
}

// fill writes the operator of each integer of x: real as it is, and y rounded to the integers of the output.
func (t *tabulation) fill(y, real []float32, x, out steps) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.x {
		t.x[i] = float32(min(max(int32(i), x.lo), x.hi)-x.zero) * x.scale
	}
	if err := t.kernel.Run(&t.call); err != nil {
		return err
	}
	inverse, zero := 1/out.scale, float64(out.zero)
	for i, v := range t.y {
		real[i] = v
		q := zero // of a NaN
		if v == v {
			q = min(max(math.RoundToEven(float64(v*inverse))+zero, float64(out.lo)), float64(out.hi))
		}
		y[i] = float32(int32(q)-out.zero) * out.scale
	}
	return nil
}

func (op DeployedTable) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	t, err := op.tabulation()
	if err != nil {
		return nil, err
	}
	n, name := p.Out[0].Numel(), op.Name()
	tasks := (n + quantizeChunk - 1) / quantizeChunk
	task := func(c *ops.Call, i int, _ *ops.Worker) {
		from, to := i*quantizeChunk, min((i+1)*quantizeChunk, n)
		s := op.X.at(c.In[1].Float32s()[0], c.In[2].Float32s()[0], tensor.Uint8)
		inverse, zero := 1/s.scale, s.zero
		tables := part[float32](c, 0, 512)
		y, real := c.Out[0].Float32s()[from:to], c.Out[1].Float32s()[from:to]
		for j, v := range c.In[0].Float32s()[from:to] {
			q := uint8(int32(integer(v, inverse)) + zero)
			y[j], real[j] = tables[q], tables[256+int(q)]
		}
	}
	return &ops.Kernel{
		Run: func(c *ops.Call) error {
			for _, i := range []int{1, 3} {
				if err := CheckLearned(name, c.In[i], c.In[i+1]); err != nil {
					return err
				}
			}
			x := op.X.at(c.In[1].Float32s()[0], c.In[2].Float32s()[0], tensor.Uint8)
			y := op.Y.at(c.In[3].Float32s()[0], c.In[4].Float32s()[0], tensor.Uint8)
			tables := part[float32](c, 0, 512)
			if err := t.fill(tables[:256], tables[256:], x, y); err != nil {
				return err
			}
			c.Parallel(tasks, task)
			return nil
		},
		Scratch:  4 * 512,
		Choice:   "table",
		Parallel: tasks,
	}, nil
}
