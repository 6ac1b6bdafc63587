package int8

import (
	"fmt"
	"unsafe"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// LSQ is a learnable fake-quantize (Esser et al., Learned Step Size Quantization, 2020; Bhalgat et al., LSQ+, 2020), whose scale
// and zero point are values: what trains them is torch._fake_quantize_learnable_per_tensor_affine and its per-channel form.
//
// Inputs: x float32, and scale and zero point, float32 vectors of one element or,
// per channel, one per index of the axis. Output: x fake-quantized, with the zero point rounded
// half to even. A negative scale counts the integers from the other end. Scales must be finite and not 0, zero points finite: others end the run with an
// *ops.ValueError.
type LSQ struct {
	Params Params
}

// Name returns "lsq".
func (LSQ) Name() string { return "lsq" }

// Infer checks that the parameters fit the input.
func (op LSQ) Infer(in []ops.Type) ([]ops.Type, error) {
	if len(in) != 3 {
		return nil, ops.Errorf(op, in, "it takes a value, a scale and a zero point")
	}
	if err := checkLSQ(op, op.Params, in); err != nil {
		return nil, err
	}
	return []ops.Type{ops.F32(in[0].Shape...)}, nil
}

// checkLSQ checks that scale and zero point fit the value, for self.
func checkLSQ(self ops.Op, p Params, in []ops.Type) error {
	if err := p.check(self, in); err != nil {
		return err
	}
	for _, t := range in {
		if t.DType != tensor.Float32 {
			return ops.Errorf(self, in, "all inputs must be float32")
		}
	}
	want := 1
	if p.Scheme.PerChannel() {
		if p.Axis < 0 || p.Axis >= len(in[0].Shape) {
			return ops.Errorf(self, in, "there is no dimension %d", p.Axis)
		}
		want = in[0].Shape[p.Axis]
	}
	for _, t := range in[1:3] {
		if !t.Shape.Equal(tensor.Shape{want}) {
			return ops.Errorf(self, in, "scale and zero point must have shape [%d]", want)
		}
	}
	return nil
}

// ChannelsLast works in any layout per tensor.
func (op LSQ) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) {
	return op, []int{0}, len(in[0].Shape) >= 3 && !op.Params.Scheme.PerChannel()
}

// quantizeChunk is the number of elements of a task.
const quantizeChunk = 1 << 14

// runs is how elements share parameters: count runs of n elements, run i with
// those of channel i % channels. Tasks take perTask runs, or a part of the one run.
type runs struct {
	channels, count, n int
	perTask, tasks     int
}

func newRuns(p Params, t ops.Type) runs {
	r := runs{channels: 1, count: 1, n: t.Numel()}
	if p.Scheme.PerChannel() {
		r = runs{channels: t.Shape[p.Axis], count: 1, n: 1}
		for i, d := range t.Shape {
			if i <= p.Axis {
				r.count *= d
			} else {
				r.n *= d
			}
		}
	}
	if r.count == 1 {
		r.perTask, r.tasks = 1, (r.n+quantizeChunk-1)/quantizeChunk
		return r
	}
	r.perTask = max(quantizeChunk/max(r.n, 1), 1)
	r.tasks = (r.count + r.perTask - 1) / r.perTask
	return r
}

// each calls f with the pieces of a task: elements from to, of a channel.
func (r *runs) each(task int, f func(channel, from, to int)) {
	if r.count == 1 {
		f(0, task*quantizeChunk, min((task+1)*quantizeChunk, r.n))
		return
	}
	for i := task * r.perTask; i < min((task+1)*r.perTask, r.count); i++ {
		f(i%r.channels, i*r.n, (i+1)*r.n)
	}
}

// Prepare quantizes and dequantizes pieces that fit a worker's cache.
func (op LSQ) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	r := newRuns(op.Params, p.In[0])
	quantize, dequantize := asm.QuantizeF32U8For(p.Tier), asm.DequantizeU8F32For(p.Tier)
	lo, hi := op.Params.Min, op.Params.Max
	shift := int32(0)
	if op.Params.DType == tensor.Int8 {
		shift = 128
	}
	task := func(c *ops.Call, i int, w *ops.Worker) {
		x, y := c.In[0].Float32s(), c.Out[0].Float32s()
		scales, zeros := c.In[1].Float32s(), c.In[2].Float32s()
		r.each(i, func(ch, from, to int) {
			scale := scales[ch]
			zero := op.Params.RoundZero(zeros[ch]) + shift
			for ; from < to; from += quantizeChunk {
				n := min(quantizeChunk, to-from)
				w.Args.QuantizeF32U8 = asm.QuantizeF32U8Args{
					N: n, X: &x[from], Q: &w.Scratch[0], Inv: 1 / scale, Zero: zero, Lo: lo + shift, Hi: hi + shift,
				}
				quantize.Run(&w.Args.QuantizeF32U8)
				w.Args.DequantizeU8F32 = asm.DequantizeU8F32Args{N: n, Q: &w.Scratch[0], Y: &y[from], Zero: zero, Scale: scale}
				dequantize.Run(&w.Args.DequantizeU8F32)
			}
		})
	}
	return &ops.Kernel{
		Run: func(c *ops.Call) error {
			if err := CheckLearned(op.Name(), c.In[1], c.In[2]); err != nil {
				return err
			}
			c.Parallel(r.tasks, task)
			return nil
		},
		WorkerScratch: quantizeChunk,
		Choice:        fmt.Sprintf("%s %s", quantize.Op, quantize.Tier),
		Parallel:      r.tasks,
	}, nil
}

// Grad is LSQGrad.
func (op LSQ) Grad(b ops.GradBuilder, in, _, dout []ops.Ref, _ []bool) []ops.Ref {
	grads := make([]ops.Ref, 3)
	copy(grads, b.ApplyAll(LSQGrad{Params: op.Params}, in[0], in[1], in[2], dout[0]))
	return grads
}

// LSQGrad is the gradient of LSQ and of an activation in front of it. With dy the gradient of the output,
//
//	inside the range:   dx = dy   dScale = dy * (fake(x) - x) / scale      dZero = 0
//	below or above it:  dx = 0    dScale = dy * (Min or Max - zero point)  dZero = -dy * scale
//
// and the sums of dScale and dZero times Params.GradientFactor. Inputs: x, scale, zero point and the gradient of the output.
// Outputs: the gradients of x, scale and zero point.
type LSQGrad struct {
	Params Params
	Act    ops.Activation
}

// Name returns "lsq_grad".
func (LSQGrad) Name() string { return "lsq_grad" }

// Infer checks that the parameters fit the input.
func (op LSQGrad) Infer(in []ops.Type) ([]ops.Type, error) {
	if len(in) != 4 || !in[3].Shape.Equal(in[0].Shape) {
		return nil, ops.Errorf(op, in, "it takes a value, a scale, a zero point and a gradient of the value's shape")
	}
	if err := checkLSQ(op, op.Params, in); err != nil {
		return nil, err
	}
	return []ops.Type{ops.F32(in[0].Shape...), in[1], in[2]}, nil
}

// ChannelsLast works in any layout per tensor.
func (op LSQGrad) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) {
	return op, []int{0, 3}, len(in[0].Shape) >= 3 && !op.Params.Scheme.PerChannel()
}

// ImageOutputs says that only the first output is an image.
func (LSQGrad) ImageOutputs() int { return 1 }

// InPlace lets the gradient of x lie where that of the output did.
func (LSQGrad) InPlace([]ops.Type) []int { return []int{3} }

// Prepare adds up the gradients of scale and zero point in float64: each task
// those of its pieces, which do not depend on the number of threads, then all tasks.
func (op LSQGrad) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	r := newRuns(op.Params, p.In[0])
	kernel := asm.LSQGradF32For(p.Tier)
	lo, hi := op.Params.Min, op.Params.Max
	actLo, actHi := op.Act.Bounds()
	n := p.In[0].Numel()
	factor := float64(op.Params.GradientFactor(n))
	parts := r.tasks // of sums: one for each piece
	if r.count > 1 {
		parts = r.count
	}
	task := func(c *ops.Call, i int, w *ops.Worker) {
		x, dy, dx := c.In[0].Float32s(), c.In[3].Float32s(), c.Out[0].Float32s()
		sums := doubles(c.Scratch, 2*parts)
		part := i
		if r.count > 1 {
			part = i * r.perTask
		}
		r.each(i, func(ch, from, to int) {
			zero := op.Params.GradientZero(c.In[2].Float32s()[ch])
			w.Args.LSQGradF32 = asm.LSQGradF32Args{
				N: to - from, X: &x[from], DY: &dy[from], DX: &dx[from], Scale: c.In[1].Float32s()[ch], Zero: zero,
				Lo: float32(lo), Hi: float32(hi), ActLo: actLo, ActHi: actHi,
			}
			sums[2*part], sums[2*part+1] = kernel.Run(&w.Args.LSQGradF32)
			part++
		})
	}
	return &ops.Kernel{
		Run: func(c *ops.Call) error {
			if err := CheckLearned(op.Name(), c.In[1], c.In[2]); err != nil {
				return err
			}
			if n > 0 {
				c.Parallel(r.tasks, task)
			}
			sums := doubles(c.Scratch, 2*parts)
			for ch := range r.channels {
				var scale, zero float64
				for i := ch; i < parts && n > 0; i += r.channels {
					scale += sums[2*i]
					zero += sums[2*i+1]
				}
				c.Out[1].Float32s()[ch] = float32(scale * factor)
				c.Out[2].Float32s()[ch] = float32(zero * factor)
			}
			return nil
		},
		Scratch:  16 * parts,
		Choice:   fmt.Sprintf("%s %s", kernel.Op, kernel.Tier),
		Parallel: r.tasks,
	}, nil
}

// doubles returns scratch memory as float64.
func doubles(scratch []byte, n int) []float64 {
	return unsafe.Slice((*float64)(unsafe.Pointer(unsafe.SliceData(scratch))), n)
}
