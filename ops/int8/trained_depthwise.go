package int8

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// integerDepthwise is a depthwise convolution in training: the float32 kernel on integers, whose sums it holds exactly.
type integerDepthwise struct {
	*convGemm
	kernel     *asm.DWConvF32
	dequantize *asm.DequantizeU8F32
	rows       *ops.RowTaps
	k          *packing
	weights    []float32 // [taps, channels]
	zeros      []float32 // a pixel
	tasks      int
	at         int // of the accumulators in a worker's memory
	convert    ops.Task
	multiply   ops.Task
}

// isIntegerDepthwise reports whether float32 holds the sums of products of a depthwise convolution exactly.
func isIntegerDepthwise(v *convGemm) bool {
	l := v.l
	return v.kc == 1 && l.cols == 1 && l.groups > 1 && l.out != nil && l.taps*255*255 < 1<<24
}

func newIntegerDepthwise(v *convGemm) *integerDepthwise {
	d := &integerDepthwise{convGemm: v, kernel: asm.DWConvF32For(v.l.p.Tier), dequantize: asm.DequantizeU8F32For(v.l.p.Tier)}
	d.rows = ops.NewRowTaps(v.w, 4*v.l.outChannels)
	d.tasks = ops.PixelTasks(d.rows.Rows, d.width()*v.l.taps/4, v.l.p.Threads)
	d.at = alignUp(4 * (d.width() + 64))
	return d
}

// width is the values of a row of pixels.
func (d *integerDepthwise) width() int { return d.rows.Pixels * d.l.outChannels }

// weightBytes returns the size of the weights.
func (d *integerDepthwise) weightBytes() int { return 4 * d.l.taps * (d.l.outChannels + 64) }

// prepare returns the kernel without Run. Its scratch memory holds the input.
func (d *integerDepthwise) prepare() *ops.Kernel {
	return &ops.Kernel{
		Scratch:        alignUp(4*d.l.p.In[0].Numel() + 64),
		WorkerScratch:  d.at + alignUp(4*d.width()),
		WorkerPointers: d.rows.Pointers,
		Choice:         fmt.Sprintf("%s %s on integers", d.kernel.Op, d.kernel.Tier),
		Parallel:       d.tasks,
	}
}

// forCall implements layerRun.new.
func (d *integerDepthwise) forCall(r *layerRun) trainable {
	own := *d
	own.convGemm = d.withParameters(r, nil)
	own.k = newPacking(own.l, own.l.packed)
	weights := r.memory[r.at.packed:][:r.weights]
	own.weights = unsafe.Slice((*float32)(unsafe.Pointer(&weights[0])), len(weights)/4)
	own.zeros = make([]float32, d.l.outChannels+64)
	own.convert, own.multiply = own.convertInput, own.multiplyRows
	return &own
}

func (d *integerDepthwise) setParameters(w []int8, bias *tensor.Tensor) (int, error) {
	err := d.l.setParameters()
	d.k.start(w, bias)
	d.k.zx = 0 // zero points are subtracted before
	clear(d.weights)
	return 1, err
}

func (d *integerDepthwise) channels(int) (first, count int) { return 0, d.l.outChannels }

func (d *integerDepthwise) pack(int) {
	c, taps, wq := d.l.outChannels, d.l.taps, d.k.wq
	for ch := range c {
		zero := wq.ZeroPoint[ch%len(wq.ZeroPoint)]
		for t, k := range d.rows.Order {
			d.weights[t*c+ch] = float32(int32(d.k.w[ch*taps+k]) - zero)
		}
		if err := d.k.column(ch, 0, 0); err != nil {
			d.k.failed[0] = err
		}
	}
}

func (d *integerDepthwise) run(c *ops.Call) error {
	if err := d.k.finish(); err != nil {
		return err
	}
	c.Parallel((d.l.p.In[0].Numel()+quantizeChunk-1)/quantizeChunk, d.convert)
	c.Parallel(d.tasks, d.multiply)
	return nil
}

// convertInput makes float32 of a part of the integers, less the zero point.
func (d *integerDepthwise) convertInput(c *ops.Call, i int, wk *ops.Worker) {
	x, from := c.In[0].Uint8s(), i*quantizeChunk
	wk.Args.DequantizeU8F32 = asm.DequantizeU8F32Args{
		N: min(quantizeChunk, len(x)-from), Q: &x[from], Y: (*float32)(unsafe.Pointer(&c.Scratch[4*from])), Zero: d.l.p.In[0].Q.ZeroPoint[0], Scale: 1,
	}
	d.dequantize.Run(&wk.Args.DequantizeU8F32)
}

// multiplyRows computes rows of pixels.
func (d *integerDepthwise) multiplyRows(call *ops.Call, i int, wk *ops.Worker) {
	c, rows, width := d.l.outChannels, d.rows, d.width()
	sums := unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(wk.Scratch))), width)
	acc := unsafe.Slice((*int32)(unsafe.Pointer(&wk.Scratch[d.at])), width)
	for row := i * rows.Rows / d.tasks; row < (i+1)*rows.Rows/d.tasks; row++ {
		rows.Fill(wk.Pointers, row, unsafe.Pointer(&call.Scratch[0]), unsafe.Pointer(&d.zeros[0]))
		wk.Args.DWConvF32 = asm.DWConvF32Args{
			A: unsafe.SliceData(wk.Pointers), AStep: rows.Step, P: rows.Pixels, KS: d.l.taps, C: c, W: &d.weights[0], Bias: &d.zeros[0],
			Lo: float32(math.Inf(-1)), Hi: float32(math.Inf(1)), Out: &sums[0], OutStride: 4 * c,
		}
		d.kernel.Run(&wk.Args.DWConvF32)
		for p := 0; p < width; p += c {
			for ch, b := range d.l.packed.bias[:c] {
				acc[p+ch] = int32(sums[p+ch]) + b
			}
		}
		at := 4 * width * row
		residual := unsafe.Pointer(nil)
		if d.l.residual {
			residual = unsafe.Add(base(call.In[len(call.In)-1]), at)
		}
		d.l.requantize(wk, 0, rows.Pixels, c, &acc[0], unsafe.Add(base(call.Out[0]), at), unsafe.Add(base(call.Out[1]), at), residual, 4*c)
	}
}
