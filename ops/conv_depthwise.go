package ops

import (
	"fmt"
	"unsafe"

	"github.com/octet-ml/octet/ops/asm"
)

// prepareDepthwise prepares a convolution with one input channel per output
// channel, row by row.
func (op Conv) prepareDepthwise(p *Prepare, w *Window) (*Kernel, error) {
	d := asm.DWConvF32For(p.Tier)
	c, taps := p.In[1].Shape[0], w.Taps()
	rows := NewRowTaps(w, 4*c)
	weights := &prepack{inputs: weightAndBias(op.HasBias), size: taps*c + c}
	weights.pack = func(dst, _ []float32, in packInputs, _ int) {
		src := in[0].Float32s()
		for s, k := range rows.Order {
			for ch := range c {
				dst[s*c+ch] = src[ch*taps+k]
			}
		}
		copyBias(dst[taps*c:], in[1])
	}
	weights.start(p, d.Info)
	pad := alignedFloats(c)
	lo, hi := op.Act.Bounds()
	activate := ActivationAfterClamps(op.Act, p.Tier)
	tasks := PixelTasks(rows.Rows, rows.Pixels*c*taps, p.Threads)
	task := func(call *Call, i int, wk *Worker) {
		packed := weights.values(call)
		args := &wk.Args.DWConvF32
		*args = asm.DWConvF32Args{
			A: unsafe.SliceData(wk.Pointers), AStep: rows.Step, P: rows.Pixels, KS: taps, C: c,
			W: &packed[0], Bias: &packed[taps*c], Lo: lo, Hi: hi, OutStride: 4 * c,
		}
		in, out := base(call.In[0]), base(call.Out[0])
		for row := i * rows.Rows / tasks; row < (i+1)*rows.Rows/tasks; row++ {
			rows.Fill(wk.Pointers, row, in, unsafe.Pointer(&pad[0]))
			args.Out = (*float32)(unsafe.Add(out, 4*c*rows.Pixels*row))
			d.Run(args)
			activate.Run(unsafe.Pointer(args.Out), 1, c*rows.Pixels, 0)
		}
	}
	return &Kernel{
		Interruptible: true,
		Run: func(call *Call) error {
			weights.fill(call)
			call.Parallel(tasks, task)
			return nil
		},
		Scratch:        weights.scratch(),
		WorkerPointers: rows.Pointers,
		Parallel:       tasks,
		Choice:         fmt.Sprintf("%s %s", d.Op, d.Tier),
	}, nil
}
