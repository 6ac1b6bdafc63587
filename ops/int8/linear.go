package int8

import (
	"github.com/octet-ml/octet/ops"
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
		return emptyKernel(), nil
	}
	v := newConvGemm(op, *linearLayer(ops.Linear(op.LinearAttributes)), op.Out, p, rowsWindow(rows), k, nil)
	if err := v.l.prepare(); err != nil {
		return nil, err
	}
	if err := v.divide(); err != nil {
		return nil, err
	}
	return v.kernel(), nil
}

// rowsWindow is that of a linear layer: each row is a pixel.
func rowsWindow(rows int) *ops.Window {
	one := [3]int{1, 1, 1}
	return &ops.Window{Batch: 1, In: [3]int{1, 1, rows}, Out: [3]int{1, 1, rows}, Kernel: one, Stride: one, Dilation: one}
}

//go:noinline
func emptyKernel() *ops.Kernel {
	return &ops.Kernel{Run: func(*ops.Call) error { return nil }, Choice: "empty", Parallel: 1}
}
