package ops

import (
	"fmt"
	"unsafe"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// prepareDepthwise prepares a convolution with one input channel per output
// channel, row by row.
func (op Conv) prepareDepthwise(p *Prepare, w *Window) (*Kernel, error) {
	d := asm.DWConvF32For(p.Tier)
	c, taps := p.In[1].Shape[0], w.Taps()
	rows := NewRowTaps(w, 4*c)
	pack := func(dst *packedConv, weight, bias *tensor.Tensor) {
		src := weight.Float32s()
		for s, k := range rows.Order {
			for ch := range c {
				dst.weights[s*c+ch] = src[ch*taps+k]
			}
		}
		clear(dst.bias)
		if bias != nil {
			copy(dst.bias, bias.Float32s())
		}
	}
	packedLen, biasLen := taps*c, c
	var packed *packedConv
	weight, bias := p.In[1].Known, known(p.In, 2, op.HasBias)
	if weight != nil && (!op.HasBias || bias != nil) {
		packed = Packed(p, packedConvKey{weight, bias, d.Info}, func() *packedConv {
			dst := &packedConv{alignedFloats(packedLen), alignedFloats(biasLen)}
			pack(dst, weight.Contiguous(), bias)
			return dst
		})
	}
	pad := alignedFloats(c)
	lo, hi := op.Act.Bounds()
	activate := ActivationAfterClamps(op.Act, p.Tier)
	tasks := PixelTasks(rows.Rows, rows.Pixels*c*taps, p.Threads)
	task := func(call *Call, i int, wk *Worker) {
		var pk packedConv
		if packed != nil {
			pk = *packed
		} else {
			pk.weights, pk.bias = floatsOf(call.Scratch, 0, packedLen), floatsOf(call.Scratch, packedLen, biasLen)
		}
		args := &wk.Args.DWConvF32
		*args = asm.DWConvF32Args{
			A: unsafe.SliceData(wk.Pointers), AStep: rows.Step, P: rows.Pixels, KS: taps, C: c,
			W: &pk.weights[0], Bias: &pk.bias[0], Lo: lo, Hi: hi, OutStride: 4 * c,
		}
		in, out := base(call.In[0]), base(call.Out[0])
		for row := i * rows.Rows / tasks; row < (i+1)*rows.Rows/tasks; row++ {
			rows.Fill(wk.Pointers, row, in, unsafe.Pointer(&pad[0]))
			args.Out = (*float32)(unsafe.Add(out, 4*c*rows.Pixels*row))
			d.Run(args)
			activate.Run(unsafe.Pointer(args.Out), 1, c*rows.Pixels, 0)
		}
	}
	k := &Kernel{
		Interruptible:  true,
		Run:            func(call *Call) error { call.Parallel(tasks, task); return nil },
		WorkerPointers: rows.Pointers,
		Parallel:       tasks,
		Choice:         fmt.Sprintf("%s %s", d.Op, d.Tier),
	}
	if packed == nil {
		k.Scratch = 4 * (packedLen + biasLen)
		k.Run = func(call *Call) error {
			dst := packedConv{floatsOf(call.Scratch, 0, packedLen), floatsOf(call.Scratch, packedLen, biasLen)}
			var b *tensor.Tensor
			if op.HasBias {
				b = call.In[2]
			}
			pack(&dst, call.In[1], b)
			call.Parallel(tasks, task)
			return nil
		}
	}
	return k, nil
}
