package ops

import (
	"fmt"
	"unsafe"

	"github.com/octet-ml/octet/ops/asm"
)

// prepareDepthwise adds up, for each tap, the products of the input pixels
// under it with the gradient of the output: a depthwise convolution of one output pixel with
// the gradient as its weights, over as many taps as there are pixels.
func (op ConvWeightGrad) prepareDepthwise(p *Prepare, w *Window) *Kernel {
	d := asm.DWConvF32For(p.Tier)
	c, taps, pixels := p.Out[0].Shape[0], w.Taps(), w.Pixels()
	pad := alignedFloats(c)
	// Sums over a fixed number of parts do not depend on the number of threads.
	parts := max(min(16, pixels/gradDepth), 1)
	task := func(call *Call, i int, wk *Worker) {
		tap, part := i/parts, i%parts
		dy := call.In[1].Float32s()
		acc := floatsOf(call.Scratch, 2*i*c, 2*c)
		clear(acc)
		sum, next := acc[:c], acc[c:]
		kx := tap % w.Kernel[2] * w.Dilation[2]
		ky := tap / w.Kernel[2] % w.Kernel[1] * w.Dilation[1]
		kz := tap / (w.Kernel[2] * w.Kernel[1]) * w.Dilation[0]
		args := &wk.Args.DWConvF32
		for p0, end := part*pixels/parts, (part+1)*pixels/parts; p0 < end; p0 += gradDepth {
			depth := min(gradDepth, end-p0)
			px := w.pixel(p0)
			for k := range depth {
				if k > 0 {
					w.advance(&px)
				}
				z, y, x := px.z*w.Stride[0]-w.Pad[0]+kz, px.y*w.Stride[1]-w.Pad[1]+ky, px.x*w.Stride[2]-w.Pad[2]+kx
				wk.Pointers[k] = unsafe.Pointer(&pad[0])
				if uint(z) < uint(w.In[0]) && uint(y) < uint(w.In[1]) && uint(x) < uint(w.In[2]) {
					wk.Pointers[k] = unsafe.Add(base(call.In[0]), 4*c*(((px.n*w.In[0]+z)*w.In[1]+y)*w.In[2]+x))
				}
			}
			*args = asm.DWConvF32Args{
				A: &wk.Pointers[0], AStep: depth, P: 1, KS: depth, C: c,
				W: &dy[p0*c], Bias: &sum[0], Lo: -inf, Hi: inf, Out: &next[0], OutStride: 4 * c,
			}
			d.Run(args)
			sum, next = next, sum
		}
		copy(acc, sum)
	}
	return &Kernel{
		Interruptible: true,
		Run: func(call *Call) error {
			call.Parallel(taps*parts, task)
			dw := call.Out[0].Float32s()
			clear(dw)
			for i := range taps * parts {
				for ch, v := range floatsOf(call.Scratch, 2*i*c, c) {
					dw[ch*taps+i/parts] += v
				}
			}
			return nil
		},
		Scratch:        scratchBytes(4*2, c, taps, parts),
		WorkerPointers: gradDepth,
		Choice:         fmt.Sprintf("%s %s over pixels", d.Op, d.Tier),
		Parallel:       taps * parts,
	}
}
