package quantize

import (
	"fmt"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// fakeQuantizeOp is fakeQuantize as an operator: float32 to float32, the values
// that Q can represent.
type fakeQuantizeOp struct {
	Q *tensor.QParams
}

// Name returns "fake_quantize".
func (fakeQuantizeOp) Name() string { return "fake_quantize" }

// Infer checks that the parameters fit the input.
func (op fakeQuantizeOp) Infer(in []ops.Type) ([]ops.Type, error) {
	if len(in) != 1 || in[0].DType != tensor.Float32 {
		return nil, ops.Errorf(op, in, "it takes one float32 value")
	}
	if op.Q == nil {
		return nil, ops.Errorf(op, in, "it needs quantization parameters")
	}
	if err := op.Q.Validate(in[0].Shape); err != nil {
		return nil, ops.Errorf(op, in, "%v", err)
	}
	return []ops.Type{ops.F32(in[0].Shape...)}, nil
}

// chunk is the number of elements that one task of an elementwise kernel works
// on; it does not depend on the number of threads, so that sums over tasks do not.
const chunk = 1 << 14

// Prepare uses the kernels that quantize and dequantize, of which fake
// quantization is made, where they exist: for 8 bits per tensor.
func (op fakeQuantizeOp) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	q, shape, n := op.Q, p.In[0].Shape, p.In[0].Numel()
	if q.Scheme.PerChannel() || q.DType == tensor.Int32 {
		return &ops.Kernel{
			Run:      func(c *ops.Call) error { return fakeQuantize(c.Out[0].Float32s(), c.In[0].Float32s(), shape, q) },
			Choice:   "fake_quantize",
			Parallel: 1,
		}, nil
	}
	s := stored(q, tensor.Uint8)
	quantize, dequantize := asm.QuantizeF32U8For(p.Tier), asm.DequantizeU8F32For(p.Tier)
	tasks := (n + chunk - 1) / chunk
	task := func(c *ops.Call, i int, w *ops.Worker) {
		from, to := i*chunk, min((i+1)*chunk, n)
		w.Args.QuantizeF32U8 = asm.QuantizeF32U8Args{
			N: to - from, X: &c.In[0].Float32s()[from], Q: &w.Scratch[0],
			Inv: 1 / s.Scale[0], Zero: s.ZeroPoint[0], Lo: s.Min, Hi: s.Max,
		}
		quantize.Run(&w.Args.QuantizeF32U8)
		w.Args.DequantizeU8F32 = asm.DequantizeU8F32Args{
			N: to - from, Q: &w.Scratch[0], Y: &c.Out[0].Float32s()[from], Zero: s.ZeroPoint[0], Scale: s.Scale[0],
		}
		dequantize.Run(&w.Args.DequantizeU8F32)
	}
	return &ops.Kernel{
		Run:           func(c *ops.Call) error { c.Parallel(tasks, task); return nil },
		WorkerScratch: chunk,
		Choice:        fmt.Sprintf("%s %s", quantize.Op, quantize.Tier),
		Parallel:      tasks,
	}, nil
}

// ChannelsLast works in any layout per tensor.
func (op fakeQuantizeOp) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) {
	return op, []int{0}, len(in[0].Shape) >= 3 && !op.Q.Scheme.PerChannel()
}
