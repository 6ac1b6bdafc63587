package int8

import (
	"fmt"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// Quantize turns float32 into uint8:
// q = clamp(roundToEven(x * (1/scale)) + zero point). NaN becomes the zero point, infinities
// saturate.
type Quantize struct {
	Q *tensor.QParams
}

func (Quantize) Name() string { return "quantize" }

func (op Quantize) Infer(in []ops.Type) ([]ops.Type, error) {
	if len(in) != 1 || in[0].DType != tensor.Float32 {
		return nil, ops.Errorf(op, in, "it takes one float32 value")
	}
	if op.Q == nil || op.Q.DType != tensor.Uint8 || op.Q.Scheme.PerChannel() {
		return nil, ops.Errorf(op, in, "it needs per-tensor uint8 parameters, not %v", op.Q)
	}
	if err := op.Q.Validate(in[0].Shape); err != nil {
		return nil, ops.Errorf(op, in, "%v", err)
	}
	return []ops.Type{{DType: tensor.Uint8, Shape: in[0].Shape, Q: op.Q}}, nil
}

func (op Quantize) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	k := asm.QuantizeF32U8For(p.Tier)
	return chunked(p, p.Out[0].Numel(), k.Info, func(c *ops.Call, wk *ops.Worker, from, to int) {
		args := &wk.Args.QuantizeF32U8
		*args = asm.QuantizeF32U8Args{
			N: to - from, X: &c.In[0].Float32s()[from], Q: &c.Out[0].Uint8s()[from],
			Inv: 1 / op.Q.Scale[0], Zero: op.Q.ZeroPoint[0], Lo: op.Q.Min, Hi: op.Q.Max,
		}
		k.Run(args)
	}), nil
}

func (op Quantize) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) {
	return op, []int{0}, len(in[0].Shape) >= 3
}

// Dequantize turns uint8 into float32: x = float32(q - zero point) * scale.
type Dequantize struct{}

func (Dequantize) Name() string { return "dequantize" }

func (op Dequantize) Infer(in []ops.Type) ([]ops.Type, error) {
	if len(in) != 1 {
		return nil, ops.Errorf(op, in, "it takes one value")
	}
	if err := activation(op, in, 0); err != nil {
		return nil, err
	}
	return []ops.Type{ops.F32(in[0].Shape...)}, nil
}

func (op Dequantize) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	k, q := asm.DequantizeU8F32For(p.Tier), p.In[0].Q
	return chunked(p, p.Out[0].Numel(), k.Info, func(c *ops.Call, wk *ops.Worker, from, to int) {
		args := &wk.Args.DequantizeU8F32
		*args = asm.DequantizeU8F32Args{
			N: to - from, Q: &c.In[0].Uint8s()[from], Y: &c.Out[0].Float32s()[from],
			Zero: q.ZeroPoint[0], Scale: q.Scale[0],
		}
		k.Run(args)
	}), nil
}

func (op Dequantize) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) {
	return op, []int{0}, len(in[0].Shape) >= 3
}

// chunked prepares a kernel that works on disjoint, non-empty ranges of n elements.
func chunked(p *ops.Prepare, n int, info asm.Info, run func(c *ops.Call, wk *ops.Worker, from, to int)) *ops.Kernel {
	const chunk = 1 << 14
	tasks := (n + chunk - 1) / chunk
	if p.Threads == 1 && n > 0 {
		tasks = 1
	}
	task := func(c *ops.Call, i int, wk *ops.Worker) { run(c, wk, i*n/tasks, (i+1)*n/tasks) }
	return &ops.Kernel{
		Interruptible: true,
		Run:           func(c *ops.Call) error { c.Parallel(tasks, task); return nil },
		Choice:        fmt.Sprintf("%s %s", info.Op, info.Tier),
		Parallel:      tasks,
	}
}
