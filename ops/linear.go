package ops

import (
	"fmt"
	"unsafe"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// Linear is y = Act(x W^T + b), as torch.nn.functional.linear computes it.
//
// Inputs: x [..., K], weight [N, K], then bias [N] when HasBias, then a
// residual of the output's shape when HasResidual. Output: [..., N].
type Linear struct {
	HasBias, HasResidual bool
	Act                  Activation
}

// LinearAttributes are the attributes of Linear without its methods, for operators that share only those.
type LinearAttributes Linear

func (Linear) Name() string { return "linear" }

// Infer checks the shapes and returns the output's.
func (op Linear) Infer(in []Type) ([]Type, error) {
	shape, err := op.OutShape(op, in)
	if err != nil {
		return nil, err
	}
	if err := floatInputs(op, in); err != nil {
		return nil, err
	}
	return []Type{F32(shape...)}, nil
}

// MACs counts the products of the definition.
func (Linear) MACs(in, out []Type) int64 { return ConvMACs(in[1], out[0]) }

// OutShape checks what does not depend on element types, for self, which is
// this operator or its int8 counterpart, and returns the output's shape.
func (op Linear) OutShape(self Op, in []Type) (tensor.Shape, error) {
	n := 2
	if op.HasBias {
		n++
	}
	if op.HasResidual {
		n++
	}
	if err := arity(self, in, n, n); err != nil {
		return nil, err
	}
	if err := checkActivation(self, in, op.Act); err != nil {
		return nil, err
	}
	x, w := in[0].Shape, in[1].Shape
	if len(x) < 1 || len(w) != 2 || x[len(x)-1] != w[1] {
		return nil, Errorf(self, in, "the weight must be [N, K] with K the input's last extent")
	}
	if op.HasBias && !in[2].Shape.Equal(tensor.Shape{w[0]}) {
		return nil, Errorf(self, in, "the bias must have shape [%d]", w[0])
	}
	out := x.Clone()
	out[len(out)-1] = w[0]
	if op.HasResidual && !in[len(in)-1].Shape.Equal(out) {
		return nil, Errorf(self, in, "the residual's shape is not the output's, %v", out)
	}
	return out, nil
}

// Prepare packs the weight for the matrix kernel.
func (op Linear) Prepare(p *Prepare) (*Kernel, error) {
	g := asm.IGemmF32For(p.Tier)
	n, k := p.In[1].Shape[0], p.In[1].Shape[1]
	rows := p.Out[0].Numel() / max(n, 1)
	if n == 0 || rows == 0 {
		return &Kernel{Run: func(*Call) error { return nil }, Choice: "empty", Parallel: 1}, nil
	}
	layout := PanelLayout{Packing: g.Info, Matrices: 1, Depth: k, N: n}
	weights := &prepack{inputs: weightAndBias(op.HasBias), size: layout.Len() + n + g.NR}
	weights.pack = func(dst, _ []float32, in packInputs, _ int) {
		panels, bias := panelsOf(layout, dst)
		g.PackB(panels.Data, in[0].Float32s(), 1, k, n)
		copyBias(bias, in[1])
	}
	weights.start(p, layout)
	grid := NewGrid(rows, n, k, g.MR, g.NR, g.BlockN(1, max(k, 1)), p.Threads)
	lo, hi := op.Act.Bounds()
	activate := ActivationAfterClamps(op.Act, p.Tier)
	task := func(c *Call, i int, wk *Worker) {
		m0, m1, n0, n1 := grid.Task(i)
		panels, bias := panelsOf(layout, weights.values(c))
		input, output := unsafe.Add(base(c.In[0]), 4*k*m0), unsafe.Add(base(c.Out[0]), 4*(n*m0+n0))
		args := &wk.Args.IGemmF32
		*args = asm.IGemmF32Args{
			KS: 1, KC: k, B: panels.At(0, n0), N: n1 - n0, Bias: &bias[n0], Lo: lo, Hi: hi, CStride: 4 * n,
		}
		if op.HasResidual {
			args.Res = (*float32)(unsafe.Add(base(c.In[len(c.In)-1]), 4*(n*m0+n0)))
			args.ResStride = 4 * n
		}
		args.M = m1 - m0
		if weights.constant {
			g.Ahead(args, panels.Next(c, 0, n1))
		}
		gemmRows(g, args, input, 4*k, output, m1-m0)
		activate.Run(output, m1-m0, n1-n0, 4*n)
	}
	return &Kernel{
		Interruptible: true,
		Run: func(c *Call) error {
			weights.fill(c)
			c.Parallel(grid.Tasks, task)
			return nil
		},
		Scratch:  weights.scratch(),
		Parallel: grid.Tasks,
		Choice:   fmt.Sprintf("%s %s %dx%d", g.Op, g.Tier, g.MR, g.NR),
		Weights:  weights.bytes(layout),
	}, nil
}
