package int8

import (
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// DeployedBinary computes what Add and Mul do, on real values. Inputs: a and b float32 of one rank, values that
// integers of A and B stand for, each followed by its scale and zero point, and the scale and zero point of
// the output. Outputs: the sum or product as float32 values of Y's integers, and what it was before it
// was rounded and bounded.
type DeployedBinary struct {
	Fn      ops.BinaryFn // ops.Add or ops.Mul
	A, B, Y Params
	Act     ops.Activation
}

// Name returns "deployed.add" or "deployed.mul".
func (op DeployedBinary) Name() string { return "deployed." + op.Fn.String() }

func (op DeployedBinary) Infer(in []ops.Type) ([]ops.Type, error) {
	if len(in) != 8 || in[0].DType != tensor.Float32 || in[3].DType != tensor.Float32 || len(in[0].Shape) != len(in[3].Shape) {
		return nil, ops.Errorf(op, in, "it takes two float32 values of one rank, and three scales and zero points")
	}
	if op.Fn != ops.Add && op.Fn != ops.Mul {
		return nil, ops.Errorf(op, in, "the function has no int8 form")
	}
	if err := ops.CheckClamp(op, in, op.Act); err != nil {
		return nil, err
	}
	for i, p := range []Params{op.A, op.B, op.Y} {
		if err := checkParams(op, in, []int{1, 4, 6}[i], 1, p); err != nil {
			return nil, err
		}
	}
	shape, err := tensor.Broadcast(in[0].Shape, in[3].Shape)
	if err != nil {
		return nil, ops.Errorf(op, in, "%v", err)
	}
	return []ops.Type{ops.F32(shape...), ops.F32(shape...)}, nil
}

// binaryRun is the parameters of one run.
type binaryRun struct {
	mul                  bool
	inverseA, inverseB   float32
	multA, multB, lo, hi float32
	scale                float32
}

func (op DeployedBinary) parameters(c *ops.Call) binaryRun {
	at := func(p Params, i int) steps {
		return p.at(c.In[i].Float32s()[0], c.In[i+1].Float32s()[0], tensor.Uint8)
	}
	a, b, y := at(op.A, 1), at(op.B, 4), at(op.Y, 6)
	r := binaryRun{
		mul: op.Fn == ops.Mul, inverseA: 1 / a.scale, inverseB: 1 / b.scale, scale: y.scale,
		multA: float32(float64(a.scale) / float64(y.scale)), multB: float32(float64(b.scale) / float64(y.scale)),
	}
	if r.mul {
		r.multA = Multiplier(a.scale, b.scale, y.scale)
	}
	r.lo, r.hi = y.bounds(op.Act)
	return r
}

// run computes a row; b is one element, or one for each of a.
func (r *binaryRun) run(y, real, a, b []float32) {
	for j, v := range a {
		ka, kb := integer(v, r.inverseA), integer(b[min(j, len(b)-1)], r.inverseB)
		var t float32
		if r.mul {
			t = float32(float32(ka*kb) * r.multA)
		} else {
			t = float32(ka*r.multA) + float32(kb*r.multB)
		}
		real[j] = t * r.scale
		y[j] = round(min(max(t, r.lo), r.hi)) * r.scale
	}
}

func (op DeployedBinary) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	l := newBinaryLoops(p.Out[0].Shape, [2]tensor.Shape{p.In[0].Shape, p.In[3].Shape})
	total := p.Out[0].Numel()
	if l.rows == 1 {
		// One long row is as well many shorter ones, of which the last may be cut.
		l.rows, l.cols = (l.cols+binaryTaskLen-1)/binaryTaskLen, min(l.cols, binaryTaskLen)
		l.rowStep = [2]int{l.cols, l.cols}
	}
	perTask := max(binaryTaskLen/max(l.cols, 1), 1)
	parts := (l.rows + perTask - 1) / perTask
	tasks := parts
	for _, d := range l.outer {
		tasks *= d
	}
	if total == 0 {
		tasks = 0
	}
	task := func(c *ops.Call, i int, _ *ops.Worker) {
		r := op.parameters(c)
		outer, first := i/parts, i%parts*perTask
		var from [2]int
		to := outer * l.rows * l.cols
		for d := len(l.outer) - 1; d >= 0; d-- {
			index := outer % l.outer[d]
			outer /= l.outer[d]
			from[0] += index * l.step[0][d]
			from[1] += index * l.step[1][d]
		}
		a, b, y, real := c.In[0].Float32s(), c.In[3].Float32s(), c.Out[0].Float32s(), c.Out[1].Float32s()
		for row := first; row < min(first+perTask, l.rows); row++ {
			at := to + row*l.cols
			n := min(l.cols, total-at)
			ia, ib := from[0]+row*l.rowStep[0], from[1]+row*l.rowStep[1]
			r.run(y[at:at+n], real[at:at+n], a[ia:ia+n], b[ib:ib+n])
		}
	}
	name := op.Name()
	return &ops.Kernel{
		Run: func(c *ops.Call) error {
			for _, i := range [...]int{1, 4, 6} {
				if err := CheckLearned(name, c.In[i], c.In[i+1]); err != nil {
					return err
				}
			}
			c.Parallel(tasks, task)
			return nil
		},
		Choice:   "loops",
		Parallel: tasks,
	}, nil
}

// ChannelsLast works in any layout.
func (op DeployedBinary) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) {
	return op, []int{0, 3}, len(in[0].Shape) >= 3
}

// WantsChannelsLast is false.
func (DeployedBinary) WantsChannelsLast() bool { return false }
