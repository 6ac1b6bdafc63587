package int8

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
)

// isDepthwise reports whether the layer is a depthwise convolution whose sums of products float32 holds exactly.
func (d *deployed) isDepthwise() bool {
	return d.channels == 1 && d.groups == d.outs && d.groups > 1 && d.op.Y != nil && d.taps*255*255 < 1<<24
}

// prepareDepthwise runs the float32 kernel on integers.
func (d *deployed) prepareDepthwise(p *ops.Prepare, win *ops.Window) (*ops.Kernel, error) {
	kernel := asm.DWConvF32For(p.Tier)
	c, taps := d.outs, d.taps
	d.cols, d.depth = 1, taps
	rows := ops.NewRowTaps(win, 4*c)
	width := rows.Pixels * c
	columns := c + 64
	at := &d.at
	at.x = 0
	at.weights = alignUp(4*d.quantizer.n) + alignUp(4*columns) // behind a pixel of zeros
	at.bias = at.weights + alignUp(4*taps*columns)
	at.mult = at.bias + alignUp(4*columns)
	at.real = at.mult + alignUp(4*columns)
	at.total = at.real + alignUp(4*columns)
	zeros := alignUp(4 * d.quantizer.n)
	inf := float32(math.Inf(1))
	quantize := func(call *ops.Call, i int, _ *ops.Worker) {
		from, to := i*quantizeChunk, min((i+1)*quantizeChunk, d.quantizer.n)
		inverse := 1 / d.x(call).scale
		dst := part[float32](call, 0, d.quantizer.n)[from:to]
		for j, v := range call.In[d.in.X].Float32s()[from:to] {
			dst[j] = integer(v, inverse)
		}
	}
	pack := func(call *ops.Call) {
		clear(part[float32](call, zeros, columns))
		clear(part[float32](call, at.weights, taps*columns))
		weights, w := part[float32](call, at.weights, taps*c), call.In[d.in.W].Float32s()
		bias, mult, real := part[int32](call, at.bias, columns), part[float32](call, at.mult, columns), part[float32](call, at.real, columns)
		x, y := d.x(call), d.y(call)
		for ch := range c {
			s := d.weight(call, ch)
			inverse, lo, hi := 1/s.scale, float32(s.lo-s.zero), float32(s.hi-s.zero)
			for t, k := range rows.Order {
				weights[t*c+ch] = round(min(max(float32(w[ch*taps+k]*inverse), lo), hi))
			}
			bias[ch], real[ch] = 0, 0
			if d.in.Bias >= 0 {
				b, scale := call.In[d.in.Bias].Float32s()[ch], float32(x.scale*s.scale)
				if d.op.FloatBias {
					real[ch] = b / scale
				} else {
					bias[ch] = int32(math.RoundToEven(float64(b) / float64(scale)))
				}
			}
			mult[ch] = Multiplier(x.scale, s.scale, y.scale)
		}
	}
	d.mem.acc = alignUp(4 * (width + 64))
	tasks := ops.PixelTasks(rows.Rows, width*taps/4, p.Threads)
	task := func(call *ops.Call, i int, w *ops.Worker) {
		sums := unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(w.Scratch))), width)
		acc := unsafe.Slice((*int32)(unsafe.Pointer(&w.Scratch[d.mem.acc])), width)
		bias := part[int32](call, at.bias, c)
		e := d.epilogue(call, 0, c, &acc[0], w)
		args := &w.Args.DWConvF32
		for row := i * rows.Rows / tasks; row < (i+1)*rows.Rows/tasks; row++ {
			rows.Fill(w.Pointers, row, unsafe.Pointer(&call.Scratch[0]), unsafe.Pointer(&call.Scratch[zeros]))
			*args = asm.DWConvF32Args{
				A: unsafe.SliceData(w.Pointers), AStep: rows.Step, P: rows.Pixels, KS: taps, C: c,
				W: &part[float32](call, at.weights, 1)[0], Bias: &part[float32](call, zeros, 1)[0], Lo: -inf, Hi: inf,
				Out: &sums[0], OutStride: 4 * c,
			}
			kernel.Run(args)
			for j, v := range sums {
				acc[j] = int32(v) + bias[j%c]
			}
			e.run(row*rows.Pixels, rows.Pixels)
		}
	}
	return &ops.Kernel{
		Run: func(call *ops.Call) error {
			if err := d.check(call); err != nil {
				return err
			}
			call.Parallel(d.quantizer.tasks, quantize)
			pack(call)
			call.Parallel(tasks, task)
			return nil
		},
		Scratch:        at.total,
		WorkerScratch:  d.mem.acc + alignUp(4*width),
		WorkerPointers: rows.Pointers,
		Choice:         fmt.Sprintf("%s %s on integers", kernel.Op, kernel.Tier),
		Parallel:       tasks,
	}, nil
}
