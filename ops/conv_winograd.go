package ops

import (
	"fmt"
	"unsafe"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// The rates by which a way to compute a 3x3 convolution is chosen, on one
// thread: multiply-accumulates and bytes of packed weights that kernels read per
// microsecond, and nanoseconds for each transformed value. They are rough on
// purpose; what is close is computed directly.
const (
	macRateAVX512 = 85_000
	macRateAVX2   = 45_000
	macRateNEON   = 15_000 // to the other two as on the models of Cortex-A72 and Neoverse N1, whatever their clocks
	macRatePlain  = 1_000
	weightRate    = 10_000
	transformTime = 0.4
)

// winogradTile returns the T of F(T x T, 3x3) by which the convolution is
// quicker, 0 where it is computed directly. T = 4 multiplies four times less, with
// errors of about 1e-5 of the largest output, and reads four times as many
// weights; T = 2 multiplies 2.25 times less and reads 1.8 times as many. What Prepare.MaxPacked forbids is left out. It looks at
// one image and one thread, so that batch and threads do not change the result.
func (op Conv) winogradTile(p *Prepare, w *Window) int {
	tile, _ := op.winogradCost(p, w)
	return tile
}

// WinogradTime estimates the microseconds that one image takes on one thread in float32 where Winograd's algorithm computes
// the convolution, and returns 0 where it is computed directly.
func (op Conv) WinogradTime(p *Prepare, w *Window) float64 {
	if tile, us := op.winogradCost(p, w); tile > 0 {
		return us
	}
	return 0
}

// winogradCost returns the tile and what it takes.
func (op Conv) winogradCost(p *Prepare, w *Window) (tile int, us float64) {
	in := p.In
	if WinogradDims(w) != 2 || op.Groups != 1 || in[1].Known == nil || (op.HasBias && in[2].Known == nil) {
		return 0, 0
	}
	outs, c := in[1].Shape[0], in[1].Shape[1]
	if min(c, outs) < 32 {
		return 0, 0
	}
	rate := float64(macRatePlain)
	switch {
	case p.Tier.Includes(asm.AVX512):
		rate = macRateAVX512
	case p.Tier.Includes(asm.AVX2):
		rate = macRateAVX2
	case p.Tier.Includes(asm.NEON):
		rate = macRateNEON
	}
	// cost returns the microseconds of products of rows x c x outs, where the weights of all are read passes times.
	cost := func(products, rows, passes int) float64 {
		weights := float64(products) * float64(c) * float64(outs)
		return max(weights*float64(rows)/rate, float64(passes)*4*weights/weightRate)
	}
	us = 0.85 * cost(9, w.Out[0]*w.Out[1]*w.Out[2], 1)
	if w.Dilation != [3]int{1, 1, 1} { // the direct form leaves out taps in the padding, which may be most of them
		us *= w.LiveTaps()
	}
	image := *w
	image.Batch = 1
	for _, t := range []int{2, 4} {
		tiles := NewWinogradTiles(&image, t).Count
		positions := (t + 2) * (t + 2)
		if p.MaxPacked > 0 && float64(positions)/9 > p.MaxPacked {
			continue
		}
		transforms := transformTime / 1000 * float64(tiles) * float64(positions) * float64(c+outs)
		if time := cost(positions, tiles, (tiles+winogradChunk-1)/winogradChunk) + transforms; time < us {
			us, tile = time, t
		}
	}
	return tile, us
}

// winogradChunk is how many tiles are transformed at a time: enough to use each
// packed weight often, few enough for the transformed tiles to stay in cache.
const winogradChunk = 56

type packedWinogradKey struct {
	weight, bias *tensor.Tensor
	kernel       asm.Info
}

// packedWinograd are the transformed weights, a matrix for each position, and the bias.
type packedWinograd struct {
	weights Panels[float32]
	bias    []float32
}

// winograd is a convolution prepared for F(T x T, 3x3).
type winograd struct {
	op             Conv
	g              *asm.IGemmF32
	k              *asm.WinogradF32
	c, outs        int
	packed         *packedWinograd
	tiles          *WinogradTiles
	chunk          int // tiles of one task
	colStep        int // output channels of one task
	colTasks       int
	zeros          []float32 // padding, and a bias of nothing
	lo, hi         float32
	activate       ActivationRows
	matrix, result int // floats of worker scratch
}

func (op Conv) prepareWinograd(p *Prepare, w *Window, t int) (*Kernel, error) {
	v := &winograd{
		op: op, g: asm.IGemmF32For(p.Tier), k: asm.WinogradF32For(t, p.Tier),
		outs: p.In[1].Shape[0], c: p.In[1].Shape[1], tiles: NewWinogradTiles(w, t),
	}
	v.lo, v.hi = op.Act.Bounds()
	v.activate = ActivationAfterClamps(op.Act, p.Tier)
	weight, bias := p.In[1].Known, (*tensor.Tensor)(nil)
	if op.HasBias {
		bias = p.In[2].Known
	}
	p.Repacked = weightAndBias(op.HasBias)
	v.packed = Packed(p, packedWinogradKey{weight, bias, v.k.Info}, func() *packedWinograd { return v.pack(weight, bias) })
	v.zeros = alignedFloats(max(v.c, v.outs) + v.g.NR)

	count := v.tiles.Count
	chunks := (count + winogradChunk - 1) / winogradChunk
	v.colStep, v.colTasks = v.outs, 1
	if p.Threads > 1 && chunks < 2*p.Threads {
		// Few tiles: divide the output channels too, and transform the input for each part.
		v.colTasks = min((2*p.Threads+chunks-1)/chunks, max(v.outs/64, 1))
		v.colStep = ((v.outs+v.colTasks-1)/v.colTasks + v.g.NR - 1) / v.g.NR * v.g.NR
		v.colTasks = (v.outs + v.colStep - 1) / v.colStep
	}
	v.chunk = (count + chunks - 1) / chunks
	positions := v.k.Positions()
	v.matrix, v.result = positions*v.chunk*v.c, positions*v.chunk*v.colStep
	task := v.run
	return &Kernel{
		Interruptible:  true,
		Run:            func(c *Call) error { c.Parallel(chunks*v.colTasks, task); return nil },
		WorkerScratch:  4 * (v.matrix + v.result + v.outs),
		WorkerPointers: v.chunk * (positions + 2*t*t),
		Parallel:       chunks * v.colTasks,
		Choice:         fmt.Sprintf("%s %s, %d tiles at a time", v.k.Op, v.k.Tier, v.chunk),
		Weights:        v.packed.weights.Bytes(),
	}, nil
}

func (v *winograd) pack(weight, bias *tensor.Tensor) *packedWinograd {
	layout := PanelLayout{Packing: v.g.Info, Matrices: v.k.Positions(), Depth: v.c, N: v.outs}
	dst := &packedWinograd{Panels[float32]{layout, alignedFloats(layout.Len())}, alignedFloats(v.outs + v.g.NR)}
	w := weight.Contiguous().Float32s()
	src := channelsLastWeight(v.k.Tier, make([]float32, len(w)), w, v.outs, v.c, 9)
	u := make([]float32, layout.Matrices*v.outs*v.c)
	v.k.Weights(u, src, v.c, v.outs)
	for i := range layout.Matrices {
		v.g.PackB(dst.weights.Data[layout.Index(i, 0):], u[i*v.outs*v.c:], 1, v.c, v.outs)
	}
	if bias != nil {
		copy(dst.bias, bias.Contiguous().Float32s())
	}
	return dst
}

// run computes some output channels of some tiles.
func (v *winograd) run(call *Call, i int, wk *Worker) {
	t0, n0 := i/v.colTasks*v.chunk, i%v.colTasks*v.colStep
	tiles, n := min(v.chunk, v.tiles.Count-t0), min(v.colStep, v.outs-n0)
	if tiles <= 0 {
		return
	}
	positions := v.k.Positions()
	outputs := v.k.T * v.k.T
	matrix, result := floatsOf(wk.Scratch, 0, v.matrix), floatsOf(wk.Scratch, v.matrix, v.result)
	inputs := wk.Pointers[:tiles*positions]
	outs := wk.Pointers[v.chunk*positions:][:tiles*outputs]
	residuals := wk.Pointers[v.chunk*(positions+outputs):][:tiles*outputs]

	dump := unsafe.Pointer(&floatsOf(wk.Scratch, v.matrix+v.result, v.outs)[0]) // for outputs outside the image
	v.point(call, t0, n0, inputs, outs, residuals, dump)
	args := &wk.Args.WinogradF32
	*args = asm.WinogradF32Args{Tiles: tiles, C: v.c, Pixels: &inputs[0], Matrix: &matrix[0], PosStride: 4 * v.c * tiles}
	v.k.Input(args)

	gemm := &wk.Args.IGemmF32
	for pos := range positions {
		*gemm = asm.IGemmF32Args{
			A: unsafe.Pointer(&matrix[pos*tiles*v.c]), AStride: 4 * v.c, KS: 1, KC: v.c,
			B: v.packed.weights.At(pos, n0), M: tiles, N: n,
			Bias: &v.zeros[0], Lo: -inf, Hi: inf, C: &result[pos*tiles*n], CStride: 4 * n,
		}
		v.g.Ahead(gemm, v.packed.weights.Next(call, pos+1, n0))
		v.g.Run(gemm)
	}
	*args = asm.WinogradF32Args{
		Tiles: tiles, C: n, Pixels: &outs[0], Matrix: &result[0], PosStride: 4 * n * tiles,
		Bias: &v.packed.bias[n0], Lo: v.lo, Hi: v.hi,
	}
	if v.op.HasResidual {
		args.Res = &residuals[0]
	}
	v.k.Output(args)
	if v.op.Act.IsClamp() {
		return
	}
	for _, pixel := range outs {
		if pixel != dump {
			v.activate.Run(pixel, 1, n, 0)
		}
	}
}

// point sets the pointers to the pixels of the tiles from t0 on, those of outputs and residuals to columns from n0 on.
func (v *winograd) point(call *Call, t0, n0 int, inputs, outs, residuals []unsafe.Pointer, dump unsafe.Pointer) {
	v.tiles.Inputs(inputs, t0, base(call.In[0]), unsafe.Pointer(&v.zeros[0]), 4*v.c)
	v.tiles.Outputs(outs, t0, unsafe.Add(base(call.Out[0]), 4*n0), dump, 4*v.outs)
	if v.op.HasResidual {
		v.tiles.Outputs(residuals, t0, unsafe.Add(base(call.In[len(call.In)-1]), 4*n0), dump, 4*v.outs)
	}
}
