package int8

import (
	"unsafe"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// DynamicLinear is ops.Linear with an int8 weight on a float32 input that is
// quantized while it runs: each row to its own range, or all to one as
// torch.ao.nn.quantized.dynamic.Linear does.
//
// Inputs: x float32 [..., K], weight int8 [N, K], symmetric per tensor or per row, then bias
// float32 [N] when HasBias, then a float32 residual when HasResidual. Output:
// float32 [..., N], with (scale, zero) of a row as Range says
//
//	acc = sum over k of (q[k] - zero) * w[n][k]           exact, int32
//	y   = Act(float32(acc) * (scale * sw[n]) + bias[n] + residual)
//
// and every float32 operation rounded on its own.
type DynamicLinear struct {
	ops.LinearAttributes
	Range InputRange `json:",omitzero"`
}

func (DynamicLinear) Name() string { return "int8.dynamic_linear" }

func (op DynamicLinear) Infer(in []ops.Type) ([]ops.Type, error) {
	shape, err := ops.Linear(op.LinearAttributes).OutShape(op, in)
	if err != nil {
		return nil, err
	}
	if reason := op.Range.check(); reason != "" {
		return nil, ops.Errorf(op, in, "%s", reason)
	}
	for i, t := range in {
		if i != 1 && (t.DType != tensor.Float32 || t.Q != nil) {
			return nil, ops.Errorf(op, in, "input %d must be float32", i)
		}
	}
	if err := symmetricWeight(op, in, 1); err != nil {
		return nil, err
	}
	return []ops.Type{ops.F32(shape...)}, nil
}

// symmetricWeight checks input i, the weight [outputs, depth] of products with rows that are quantized while they run.
// It is not inlined, for the size of programs: docs/architecture.md.
//
//go:noinline
func symmetricWeight(op ops.Op, in []ops.Type, i int) error {
	if err := weightsAndBias(op, []ops.Type{in[0], in[i]}, in[i].Shape[0], false); err != nil {
		return err
	}
	for _, z := range in[i].Q.ZeroPoint {
		if z != 0 {
			return ops.Errorf(op, in, "the weight must be symmetric: its zero points must be 0")
		}
	}
	return nil
}

// FuseActivation implements ops.ActivationFuser.
func (op DynamicLinear) FuseActivation(a ops.Activation) (ops.Op, bool) {
	inner, ok := ops.Linear(op.LinearAttributes).FuseActivation(a)
	if ok {
		op.LinearAttributes = ops.LinearAttributes(inner.(ops.Linear))
	}
	return op, ok
}

// FuseResidual implements ops.ResidualFuser.
func (op DynamicLinear) FuseResidual(a ops.Activation) (ops.Op, bool) {
	inner, ok := ops.Linear(op.LinearAttributes).FuseResidual(a)
	if ok {
		op.LinearAttributes = ops.LinearAttributes(inner.(ops.Linear))
	}
	return op, ok
}

// Prepare packs the weight. A call quantizes all rows first, into shared
// scratch memory: integers, then scales, then zero points.
func (op DynamicLinear) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	n, k := p.In[1].Shape[0], p.In[1].Shape[1]
	rows := p.Out[0].Numel() / max(n, 1)
	if n == 0 || rows == 0 {
		return emptyKernel(), nil
	}
	l := &layer{
		op: op, p: p, g: asm.IGemmU8S8For(p.Tier), groups: 1, cols: n, outChannels: n, dynamic: true,
		ks: 1, kc: max(k+3, 4) / 4 * 4, taps: 1, depth: k, hasBias: op.HasBias, act: op.Act, residual: op.HasResidual,
	}
	if err := l.prepare(); err != nil {
		return nil, err
	}
	grid := ops.NewGrid(rows, n, k, l.g.MR, l.g.NR, l.blockCols(1), p.Threads)
	mem := l.scratch(0, 0, 0, 0)
	q := newInputQuantizer(op.Range, p, rows, k, l.kc)
	multiply := func(c *ops.Call, i int, wk *ops.Worker) {
		m0, m1, n0, n1 := grid.Task(i)
		t := call{
			m: m1 - m0, n0: n0, n1: n1, taps: 1, input: unsafe.Pointer(&c.Scratch[l.kc*m0]), stride: l.kc, out: unsafe.Add(base(c.Out[0]), 4*m0*n),
			scale: &q.scales(c)[m0], zero: &q.zeros(c)[m0],
			next: l.packed.weights.Next(c, 0, n1),
		}
		if op.HasResidual {
			t.res = unsafe.Add(base(c.In[len(c.In)-1]), 4*m0*n)
		}
		l.run(wk, &mem, &t)
	}
	return &ops.Kernel{
		Interruptible: true,
		Run: func(c *ops.Call) error {
			q.run(c)
			c.Parallel(grid.Tasks, multiply)
			return nil
		},
		Scratch:       q.scratch(),
		WorkerScratch: mem.total,
		Parallel:      grid.Tasks,
		Weights:       l.packed.weights.Bytes(),
		Choice:        l.choice() + ", " + q.choice(),
	}, nil
}
