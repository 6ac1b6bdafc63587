package ops

import (
	"fmt"
	"unsafe"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// isDepthwise reports whether each output channel is made of one input channel.
func (op ConvTranspose) isDepthwise(in, out []Type) bool {
	_, c, _ := SpatialOf(in[0].Shape, op.NHWC)
	_, o, _ := SpatialOf(out[0].Shape, op.NHWC)
	return op.Groups == c && o == c && c > 1
}

// prepareDepthwise runs each row of each phase as a row of a depthwise
// convolution whose outputs lie a stride apart.
func (op ConvTranspose) prepareDepthwise(p *Prepare) *Kernel {
	d, g := asm.DWConvF32For(p.Tier), op.geometry(p.In, p.Out)
	c, pad := g.channels, alignedFloats(g.channels)
	packedLen, pointers := 0, 0
	var firstTask, perTask []int
	tasks := 0
	for i := range g.phases {
		ph := &g.phases[i]
		ph.at = packedLen
		// A phase that no tap reaches is one of a tap of zeros.
		if len(ph.taps) == 0 {
			ph.taps = []phaseTap{{kernel: -1, in: [3]int{-1, -1, -1}}}
		}
		packedLen += len(ph.taps) * c
		pointers = max(pointers, len(ph.taps)*ph.count[2])
		per, n := split(g.batch*ph.count[0]*ph.count[1], ph.count[2]*len(ph.taps)*c/4)
		firstTask, perTask = append(firstTask, tasks), append(perTask, per)
		tasks += n
	}
	pack := func(dst []float32, weight, bias *tensor.Tensor) {
		w := weight.Float32s()
		for i := range g.phases {
			for s, tap := range g.phases[i].taps {
				row := dst[g.phases[i].at+s*c:][:c]
				for ch := range row {
					row[ch] = 0
					if tap.kernel >= 0 {
						row[ch] = w[ch*g.kernelTaps+tap.kernel]
					}
				}
			}
		}
		clear(dst[packedLen:])
		if bias != nil {
			copy(dst[packedLen:], bias.Float32s())
		}
	}
	lo, hi := op.Act.Bounds()
	task := func(call *Call, i int, wk *Worker) {
		at := len(firstTask) - 1
		for firstTask[at] > i {
			at--
		}
		ph := &g.phases[at]
		weights := floatsOf(call.Scratch, 0, packedLen+c)
		args := &wk.Args.DWConvF32
		*args = asm.DWConvF32Args{
			A: unsafe.SliceData(wk.Pointers), AStep: len(ph.taps), P: ph.count[2], KS: len(ph.taps), C: c,
			W: &weights[ph.at], Bias: &weights[packedLen], Lo: lo, Hi: hi, OutStride: 4 * g.stride[2] * c,
		}
		rows := g.batch * ph.count[0] * ph.count[1]
		first := (i - firstTask[at]) * perTask[at]
		for r := first; r < min(first+perTask[at], rows); r++ {
			y, z, n := r%ph.count[1], r/ph.count[1]%ph.count[0], r/(ph.count[1]*ph.count[0])
			for x := range ph.count[2] {
				for s := range ph.taps {
					ptr := unsafe.Pointer(&pad[0])
					if from, ok := g.pixel(&ph.taps[s], n, [3]int{z, y, x}); ok {
						ptr = unsafe.Add(base(call.In[0]), from)
					}
					wk.Pointers[x*len(ph.taps)+s] = ptr
				}
			}
			outZ, outY := ph.first[0]+z*g.stride[0], ph.first[1]+y*g.stride[1]
			args.Out = (*float32)(unsafe.Add(base(call.Out[0]), 4*c*(((n*g.out[0]+outZ)*g.out[1]+outY)*g.out[2]+ph.first[2])))
			d.Run(args)
		}
	}
	return &Kernel{
		Interruptible: true,
		Run: func(call *Call) error {
			var bias *tensor.Tensor
			if op.HasBias {
				bias = call.In[2]
			}
			pack(floatsOf(call.Scratch, 0, packedLen+c), call.In[1], bias)
			call.Parallel(tasks, task)
			return nil
		},
		Scratch:        4 * (packedLen + c),
		WorkerPointers: pointers,
		Choice:         fmt.Sprintf("%s %s in %d phases", d.Op, d.Tier, len(g.phases)),
		Parallel:       tasks,
	}
}
