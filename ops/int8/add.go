package int8

import (
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// Add is the sum of two quantized values of the same shape, requantized:
// with t = float32(a-za)*(sa/sy) + float32(b-zb)*(sb/sy), both products rounded,
// q = clamp(roundToEven(t) + zero point).
type Add struct {
	Act ops.Activation
	Out *tensor.QParams
}

func (Add) Name() string { return "int8.add" }

func (op Add) Infer(in []ops.Type) ([]ops.Type, error) {
	if len(in) != 2 {
		return nil, ops.Errorf(op, in, "it takes two values")
	}
	for i := range in {
		if err := activation(op, in, i); err != nil {
			return nil, err
		}
	}
	if !in[0].Shape.Equal(in[1].Shape) {
		return nil, ops.Errorf(op, in, "the shapes differ")
	}
	if err := ops.CheckClamp(op, in, op.Act); err != nil {
		return nil, err
	}
	return []ops.Type{outputType(op.Out, in[0].Shape)}, nil
}

func (op Add) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	a, b, y := p.In[0].Q, p.In[1].Q, op.Out
	if y == nil {
		return nil, &ops.UnsupportedError{Op: op.Name(), Reason: "its output must be quantized"}
	}
	ma := float32(float64(a.Scale[0]) / float64(y.Scale[0]))
	mb := float32(float64(b.Scale[0]) / float64(y.Scale[0]))
	lo, hi := Bounds(y, op.Act)
	k := asm.AddU8For(p.Tier)
	return chunked(p, p.Out[0].Numel(), k.Info, func(c *ops.Call, wk *ops.Worker, from, to int) {
		args := &wk.Args.BinaryU8
		*args = asm.BinaryU8Args{
			M: 1, N: to - from, A: &c.In[0].Uint8s()[from], B: &c.In[1].Uint8s()[from], C: &c.Out[0].Uint8s()[from],
			AZero: a.ZeroPoint[0], BZero: b.ZeroPoint[0], AMult: ma, BMult: mb,
			Zero: y.ZeroPoint[0], Lo: lo, Hi: hi,
		}
		k.Run(args)
	}), nil
}

func (op Add) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) {
	return op, []int{0, 1}, len(in[0].Shape) >= 3
}

func (Add) WantsChannelsLast() bool { return false }
