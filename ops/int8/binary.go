package int8

import (
	"fmt"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// binaryLoops walk the elements of a result of two operands, of which either
// repeats where it has extent 1: outer loops around rows of cols elements, along
// which a kernel call goes. Distances are in elements of the operand.
type binaryLoops struct {
	outer      []int // extents
	step       [2][]int
	rows, cols int
	rowStep    [2]int
}

func newBinaryLoops(out tensor.Shape, in [2]tensor.Shape) binaryLoops {
	// Neighbouring dimensions along which both operands go on evenly become one.
	extent := []int{1}
	step := [2][]int{{0}, {0}}
	for d := range out {
		if out[d] == 1 {
			continue
		}
		last := len(extent) - 1
		var next [2]int
		merge := true
		for k, s := range in {
			if s[d] != 1 {
				next[k] = s.Strides()[d]
			}
			merge = merge && (step[k][last] == out[d]*next[k] || extent[last] == 1)
		}
		if !merge {
			extent = append(extent, 1)
			step[0], step[1] = append(step[0], 0), append(step[1], 0)
			last++
		}
		extent[last] *= out[d]
		step[0][last], step[1][last] = next[0], next[1]
	}
	last := len(extent) - 1
	l := binaryLoops{rows: 1, cols: extent[last]}
	if along := [2]int{step[0][last], step[1][last]}; l.cols > 1 && along != [2]int{1, 1} {
		// Kernels go along contiguous elements: here each row has one.
		l.rows, l.cols, l.rowStep = l.cols, 1, along
	} else if last > 0 {
		last--
		l.rows, l.rowStep = extent[last], [2]int{step[0][last], step[1][last]}
	}
	l.outer, l.step = extent[:last], [2][]int{step[0][:last], step[1][:last]}
	return l
}

// inferBinary checks the operands of op, which gives qparams q.
func inferBinary(op ops.Op, in []ops.Type, q *tensor.QParams, act ops.Activation) ([]ops.Type, error) {
	if len(in) != 2 {
		return nil, ops.Errorf(op, in, "it takes two values")
	}
	for i := range in {
		if err := activation(op, in, i); err != nil {
			return nil, err
		}
	}
	if err := ops.CheckClamp(op, in, act); err != nil {
		return nil, err
	}
	if q == nil {
		return nil, ops.Errorf(op, in, "its output must be quantized")
	}
	if len(in[0].Shape) != len(in[1].Shape) {
		return nil, ops.Errorf(op, in, "the operands must have one rank")
	}
	shape, err := tensor.Broadcast(in[0].Shape, in[1].Shape)
	if err != nil {
		return nil, ops.Errorf(op, in, "%v", err)
	}
	return []ops.Type{outputType(q, shape)}, nil
}

// scaledOperands returns the arguments of a kernel that brings operands with parameters a and b to
// the scale of the output y.
func scaledOperands(a, b, y *tensor.QParams, act ops.Activation) asm.BinaryU8Args {
	lo, hi := Bounds(y, act)
	return asm.BinaryU8Args{
		AZero: a.ZeroPoint[0], BZero: b.ZeroPoint[0],
		AMult: finite(float64(a.Scale[0]) / float64(y.Scale[0])),
		BMult: finite(float64(b.Scale[0]) / float64(y.Scale[0])),
		Zero:  y.ZeroPoint[0], Lo: lo, Hi: hi,
	}
}

// binaryTaskLen is about how many elements one task computes.
const binaryTaskLen = 1 << 14

// prepareBinary prepares kernel k with the arguments that parameters says for operands and output y.
func prepareBinary(p *ops.Prepare, k *asm.BinaryU8, y *tensor.QParams, act ops.Activation, parameters func(a, b, y *tensor.QParams, act ops.Activation) asm.BinaryU8Args) *ops.Kernel {
	a, b := p.In[0].Q, p.In[1].Q
	l := newBinaryLoops(p.Out[0].Shape, [2]tensor.Shape{p.In[0].Shape, p.In[1].Shape})
	if l.rows == 1 && l.cols > binaryTaskLen {
		// One long row is as well many shorter ones, of which the last may be cut.
		l.rows, l.cols = (l.cols+binaryTaskLen-1)/binaryTaskLen, binaryTaskLen
		l.rowStep = [2]int{l.cols, l.cols}
	}
	total := p.Out[0].Numel()
	perTask := max(binaryTaskLen/max(l.cols, 1), 1)
	parts := (l.rows + perTask - 1) / perTask
	task := func(c *ops.Call, i int, wk *ops.Worker) {
		outer, row := i/parts, i%parts*perTask
		to := (outer*l.rows + row) * l.cols
		from := [2]int{row * l.rowStep[0], row * l.rowStep[1]}
		for d := len(l.outer) - 1; d >= 0; d-- {
			index := outer % l.outer[d]
			outer /= l.outer[d]
			from[0] += index * l.step[0][d]
			from[1] += index * l.step[1][d]
		}
		w := &wk.Args.BinaryU8
		*w = parameters(a, b, y, act)
		w.AStride, w.BStride, w.CStride = l.rowStep[0], l.rowStep[1], l.cols
		w.M, w.N = min(perTask, l.rows-row), min(l.cols, total-to)
		w.A, w.B, w.C = &c.In[0].Uint8s()[from[0]], &c.In[1].Uint8s()[from[1]], &c.Out[0].Uint8s()[to]
		k.Run(w)
	}
	tasks := parts
	for _, d := range l.outer {
		tasks *= d
	}
	if total == 0 {
		tasks = 0
	}
	return &ops.Kernel{
		Interruptible: true,
		Run:           func(c *ops.Call) error { c.Parallel(tasks, task); return nil },
		Choice:        fmt.Sprintf("%s %s", k.Op, k.Tier),
		Parallel:      tasks,
	}
}

// binaryChannelsLast says that an operator of two operands works in any layout.
//
//go:noinline
func binaryChannelsLast(op ops.Op, in []ops.Type) (ops.Op, []int, bool) {
	return op, []int{0, 1}, len(in[0].Shape) >= 3
}
