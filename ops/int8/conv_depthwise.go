package int8

import (
	"fmt"
	"unsafe"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// isDepthwise reports whether the depthwise kernel computes the convolution: one
// input channel per output channel, symmetric weights, no float32 bias, a
// quantized output, no residual.
func (op Conv) isDepthwise(p *ops.Prepare, w *ops.Window, channels int) bool {
	if op.Groups != channels || p.In[1].Shape[0] != channels || channels == 1 || op.HasResidual || op.Out == nil || w.Pixels() == 0 || hasFloatBias(op.HasBias, p.In) {
		return false
	}
	for _, z := range p.In[1].Q.ZeroPoint {
		if z != 0 {
			return false
		}
	}
	return true
}

// depthwise is the constant side of a depthwise convolution.
type depthwise struct {
	weights []int8
	bias    []int32
	mult    []float32
}

func (op Conv) prepareDepthwise(p *ops.Prepare, w *ops.Window) (*ops.Kernel, error) {
	c, taps := p.In[1].Shape[0], w.Taps()
	rows := ops.NewRowTaps(w, c)
	weight := p.In[1].Known
	var bias *tensor.Tensor
	if op.HasBias {
		bias = p.In[2].Known
	}
	if weight == nil || (op.HasBias && bias == nil) {
		return nil, &ops.UnsupportedError{Op: op.Name(), Reason: "weight and bias must be constants"}
	}
	d := asm.DWConvU8S8For(p.Tier)
	if !convertible(p.In, taps, op.Out, bias, 0) {
		d = asm.DWConvU8S8For(asm.Generic)
	}
	p.Repacked = repacked(op.HasBias)
	packed := ops.Packed(p, matrixKey{weight, bias, d.Info, p.In[0].Q, op.Out, 0, 0, false}, func() *depthwise {
		return op.packDepthwise(p, d, rows.Order, weight.Contiguous().Int8s(), bias)
	})
	if packed == nil {
		return nil, &ops.UnsupportedError{Op: op.Name(), Reason: "its accumulators could overflow"}
	}
	pad := tensor.AlignedBytes(c)
	for i := range pad {
		pad[i] = uint8(p.In[0].Q.ZeroPoint[0])
	}
	lo, hi := Bounds(op.Out, op.Act)
	tasks := ops.PixelTasks(rows.Rows, rows.Pixels*c*taps, p.Threads)
	task := func(call *ops.Call, i int, wk *ops.Worker) {
		args := &wk.Args.DWConvU8S8
		*args = asm.DWConvU8S8Args{
			A: unsafe.SliceData(wk.Pointers), AStep: rows.Step, P: rows.Pixels, KS: taps, C: c,
			W: &packed.weights[0], Bias: &packed.bias[0], Mult: &packed.mult[0],
			Zero: op.Out.ZeroPoint[0], Lo: lo, Hi: hi, OutStride: c,
		}
		in, out := base(call.In[0]), base(call.Out[0])
		for row := i * rows.Rows / tasks; row < (i+1)*rows.Rows/tasks; row++ {
			rows.Fill(wk.Pointers, row, in, unsafe.Pointer(&pad[0]))
			args.Out = (*uint8)(unsafe.Add(out, c*rows.Pixels*row))
			d.Run(args)
		}
	}
	return &ops.Kernel{
		Interruptible:  true,
		Run:            func(call *ops.Call) error { call.Parallel(tasks, task); return nil },
		WorkerPointers: rows.Pointers,
		Parallel:       tasks,
		Choice:         fmt.Sprintf("%s %s", d.Op, d.Tier),
	}, nil
}

// packDepthwise returns nil when an accumulator could overflow.
func (op Conv) packDepthwise(p *ops.Prepare, d *asm.DWConvU8S8, order []int, w []int8, bias *tensor.Tensor) *depthwise {
	c, taps := p.In[1].Shape[0], len(order)
	x, wq := p.In[0].Q, p.In[1].Q
	dst := &depthwise{
		weights: int8s(tensor.AlignedBytes(d.PackedBytes(taps, c))),
		bias:    make([]int32, c+d.NR),
		mult:    make([]float32, c+d.NR),
	}
	ordered := make([]int8, len(w))
	for ch := range c {
		var b, sum, size int64
		if bias != nil {
			b = int64(bias.Int32s()[ch])
		}
		for s, k := range order {
			v := w[ch*taps+k]
			ordered[ch*taps+s] = v
			sum += int64(v)
			size += max(int64(v), -int64(v))
		}
		full := b - int64(x.ZeroPoint[0])*sum
		if 255*size+max(full, -full) > 1<<31-1 {
			return nil
		}
		dst.bias[ch] = int32(full)
		dst.mult[ch] = Multiplier(x.Scale[0], wq.Scale[ch%len(wq.Scale)], op.Out.Scale[0])
	}
	d.PackW(dst.weights, ordered, taps, c)
	return dst
}
