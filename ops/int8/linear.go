package int8

import (
	"unsafe"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// Linear is ops.Linear on quantized values.
//
// Inputs: x uint8 [..., K] per tensor, weight int8 [N, K] per tensor or per row, then bias
// int32 [N] in units of x's scale times the weight's or float32 [N], then a residual
// in the output's element type, which needs an int32 bias.
// Output: uint8 with qparams Out; float32 when Out is nil.
type Linear struct {
	ops.LinearAttributes
	Out *tensor.QParams
}

func (Linear) Name() string { return "int8.linear" }

func (op Linear) Infer(in []ops.Type) ([]ops.Type, error) {
	shape, err := ops.Linear(op.LinearAttributes).OutShape(op, in)
	if err != nil {
		return nil, err
	}
	if err := activation(op, in, 0); err != nil {
		return nil, err
	}
	if err := weightsAndBias(op, in, in[1].Shape[0], op.HasBias); err != nil {
		return nil, err
	}
	if op.Out != nil {
		if err := ops.CheckClamp(op, in, op.Act); err != nil {
			return nil, err
		}
	}
	if op.HasResidual {
		if err := checkResidual(op, in, op.Out); err != nil {
			return nil, err
		}
	}
	return []ops.Type{outputType(op.Out, shape)}, nil
}

// FuseActivation implements ops.ActivationFuser for a float32 output; activations
// of a quantized one fuse before quantization.
func (op Linear) FuseActivation(a ops.Activation) (ops.Op, bool) {
	if op.Out != nil || op.Act != ops.NoActivation {
		return nil, false
	}
	op.Act = a
	return op, true
}

// Prepare packs the weight; a depth that is no multiple of 4 is copied into
// padded rows.
func (op Linear) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	n, k := p.In[1].Shape[0], p.In[1].Shape[1]
	rows := p.Out[0].Numel() / max(n, 1)
	if n == 0 || rows == 0 {
		return &ops.Kernel{Run: func(*ops.Call) error { return nil }, Choice: "empty", Parallel: 1}, nil
	}
	l := &layer{
		op: op, p: p, g: asm.IGemmU8S8For(p.Tier), groups: 1, cols: n, outChannels: n,
		ks: 1, kc: max(k+3, 4) / 4 * 4, taps: 1, depth: k, hasBias: op.HasBias, act: op.Act, out: op.Out, residual: op.HasResidual,
	}
	if err := l.prepare(); err != nil {
		return nil, err
	}
	gather := l.kc != k
	mr := l.g.MR
	grid := ops.NewGrid(rows, n, k, mr, l.g.NR, l.blockCols(1), p.Threads)
	step, gathered := grid.RowStep, 0
	if gather {
		step, gathered = mr, mr
	}
	mem := l.scratch(gathered, 0, step)
	outSize := p.Out[0].DType.Size()
	task := func(c *ops.Call, i int, wk *ops.Worker) {
		m0, m1, n0, n1 := grid.Task(i)
		t := call{n0: n0, n1: n1, taps: 1, stride: k, next: l.packed.weights.Next(c, 0, n1)}
		for m := m0; m < m1; m += step {
			t.m = min(step, m1-m)
			t.input = unsafe.Add(base(c.In[0]), k*m)
			if gather {
				copied := unsafe.Pointer(&wk.Scratch[mem.rows])
				for r := range t.m {
					copy(unsafe.Slice((*uint8)(unsafe.Add(copied, r*l.kc)), k), unsafe.Slice((*uint8)(unsafe.Add(t.input, r*k)), k))
				}
				t.input, t.stride = copied, l.kc
			}
			t.out = unsafe.Add(base(c.Out[0]), m*n*outSize)
			if op.HasResidual {
				t.res = unsafe.Add(base(c.In[len(c.In)-1]), m*n*outSize)
			}
			l.run(wk, &mem, &t)
		}
	}
	return &ops.Kernel{
		Interruptible: true,
		Run:           func(c *ops.Call) error { c.Parallel(grid.Tasks, task); return nil },
		WorkerScratch: mem.total,
		Parallel:      grid.Tasks,
		Choice:        l.choice(),
		Weights:       l.packed.weights.Bytes(),
	}, nil
}
