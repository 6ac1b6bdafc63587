package int8

import (
	"cmp"
	"fmt"
	"unsafe"

	"github.com/octet-ml/octet/internal/sorting"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// winograd is a convolution prepared for exact F(T x T, 3x3), or F(4, 3) where its window has three taps along one dimension. A task transforms the input of a chunk of tiles, then goes over
// panels of columns: it transforms their weights, multiplies, and transforms the products back. Weights are transformed
// in every run, from those of the direct form: that takes less time than reading transformed ones, eight times as many
// bytes, from memory, and keeps none of them.
type winograd struct {
	l             *layer
	k             *asm.WinogradU8S8
	tiles         *ops.WinogradTiles
	chunk, chunks int  // tiles of a task
	block, blocks int  // depths that are transformed at a time
	step, tasks   int  // columns of a task, and tasks of a chunk
	shared        bool // the transformed input is made for all tasks of a chunk at once
	pad           []byte
	mem           struct{ v, vBlock, u, uStride, m, mStride int } // bytes
}

// newWinograd returns the plan of a layer for tiles of T outputs, nil where there is none.
func newWinograd(l *layer, w *ops.Window, t int) *winograd {
	asIs := l.ks == l.taps && l.ks*l.kc == l.depth // rows are pixels of the image
	dims := ops.WinogradDims(w)
	if dims == 0 || l.groups != 1 || l.join > 0 || l.kc < 16 || !asIs {
		return nil
	}
	for _, zero := range l.p.In[1].Q.ZeroPoint {
		if zero != 0 {
			return nil
		}
	}
	v := &winograd{l: l, k: asm.WinogradU8S8For(t, dims, l.g)}
	if v.k == nil || l.kc < v.k.MinChannels() {
		return nil
	}
	v.tiles = ops.NewWinogradTiles(w, t)
	v.divide()
	return v
}

// exact returns the first of some plans in which no sum of products of the packed weights can leave the range of exact results, nil
// without one.
func exact(plans []*winograd) *winograd {
	for _, v := range plans {
		if v.l.packed.largest < int64(v.k.Limit()) {
			return v
		}
	}
	return nil
}

const (
	winogradTiles = 48  // of a chunk, about
	winogradRows  = 6   // of which a chunk has a multiple: what every kernel multiplies at its full rate
	winogradDepth = 128 // of a block, at most: its transformed weights stay in the second-level cache
	winogradPiece = 8   // tiles whose input a task transforms for all others
)

// divide chooses chunks of tiles, blocks of depths and the columns of a task, and lays out memory.
func (v *winograd) divide() {
	l := v.l
	tiles := v.tiles.Count
	v.chunks = max((tiles+winogradTiles/2)/winogradTiles, 1)
	v.chunk = (tiles + v.chunks - 1) / v.chunks
	if v.chunks > 1 {
		v.chunk = (v.chunk + winogradRows - 1) / winogradRows * winogradRows
	}
	v.chunks = (tiles + v.chunk - 1) / v.chunk
	v.blocks = (l.kc + winogradDepth - 1) / winogradDepth
	v.block = ((l.kc+v.blocks-1)/v.blocks + 15) / 16 * 16
	v.blocks = (l.kc + v.block - 1) / v.block

	nr := v.k.NR
	panels := (l.cols + nr - 1) / nr
	v.tasks = 1
	if threads := l.p.Threads; threads > 1 && v.chunks < 2*threads {
		v.shared = true
		v.tasks = min((2*threads+v.chunks-1)/v.chunks, panels)
	}
	v.step = (panels + v.tasks - 1) / v.tasks * nr
	v.tasks = (l.cols + v.step - 1) / v.step

	// Positions are a cache line more than their size apart, so that they do not share sets of the cache.
	const line = 64
	positions := v.k.Positions()
	v.mem.vBlock = positions * (2*v.block*v.chunk + line)
	v.mem.v = v.blocks * v.mem.vBlock
	v.mem.uStride = 2*v.block*nr + line
	v.mem.u = positions * v.mem.uStride
	v.mem.mStride = 4*nr*v.chunk + line
	v.mem.m = positions * v.mem.mStride
}

// winogradTimes are the nanoseconds that steps of a convolution take on one thread: of 1024 products of the direct form and of
// positions, and of each transformed value of input, weights and products. They are rough on purpose: what counts is their
// ratio, which differs less from core to core.
type winogradTimes struct{ direct, multiply, input, weights, output float64 }

// winogradTimesOf has the times of each tier: with dot products of bytes those of the quickest core known, where the direct form gains
// most, and without them those of cores that multiply as many floats, as ops.Conv.WinogradTime counts on; those of NEON are cycles of the
// model of Cortex-A72, but for the direct form, which takes 41 there and 93 beside the same products on A53.
var winogradTimesOf = map[asm.Tier]winogradTimes{
	asm.Generic:    {direct: 200, multiply: 240, input: 12, weights: 8, output: 11},
	asm.AVX2:       {direct: 12.5, multiply: 12, input: 0.06, weights: 0.025, output: 0.12},
	asm.AVXVNNI:    {direct: 4.5, multiply: 9.8, input: 0.08, weights: 0.025, output: 0.17},
	asm.AVX512:     {direct: 12.5, multiply: 12.5, input: 0.17, weights: 0.045, output: 0.34},
	asm.AVX512VNNI: {direct: 2.28, multiply: 5.4, input: 0.08, weights: 0.02, output: 0.16},
	asm.NEON:       {direct: 50, multiply: 70, input: 0.3, weights: 0.15, output: 0.6},
}

func (l *layer) winogradTimes() winogradTimes { return winogradTimesOf[l.g.Tier] }

// directTime returns the nanoseconds that the direct form of a convolution takes.
func (l *layer) directTime(w *ops.Window) float64 {
	ns := l.winogradTimes().direct * float64(w.Taps()) * l.products() * float64(w.Pixels())
	if w.Dilation != [3]int{1, 1, 1} { // taps in the padding, which may be most of them, are left out
		ns *= w.LiveTaps()
	}
	return ns
}

// products returns the thousands of products of one pixel and one tap.
func (l *layer) products() float64 { return float64(l.kc) * float64(l.cols) / 1024 }

// time returns the nanoseconds that the plan takes.
func (v *winograd) time() float64 {
	l, times, tiles, chunks := v.l, v.l.winogradTimes(), float64(v.tiles.Count), float64(v.chunks)
	// The last rows of a chunk, fewer than the kernel takes at a time, cost more: as one row more, about.
	return float64(v.k.Positions()) * (times.multiply*l.products()*(tiles+chunks) + times.weights*1024*l.products()*chunks +
		tiles*(times.input*float64(l.kc)+times.output*float64(l.cols)))
}

// chooseWinograd returns the plans by which a convolution is quicker than in the direct form, the quickest first. It may look at batch
// and threads, since results do not depend on the form.
func chooseWinograd(l *layer, w *ops.Window) []*winograd {
	const margin = 0.85 // for memory that other layers leave less near than a benchmark does
	var plans []*winograd
	for _, t := range []int{2, 4} {
		if v := newWinograd(l, w, t); v != nil && v.time() < margin*l.directTime(w) {
			plans = append(plans, v)
		}
	}
	sorting.Func(plans, func(a, b *winograd) int { return cmp.Compare(a.time(), b.time()) })
	return plans
}

func (v *winograd) kernel() *ops.Kernel {
	l, positions, outputs := v.l, v.k.Positions(), v.k.Outputs()
	v.pad = tensor.AlignedBytes(l.kc)
	for i := range v.pad {
		v.pad[i] = uint8(l.p.In[0].Q.ZeroPoint[0])
	}
	k := &ops.Kernel{
		Interruptible:  true,
		WorkerScratch:  v.mem.u + v.mem.m,
		WorkerPointers: v.chunk * max(positions, 2*outputs),
		Parallel:       v.chunks * v.tasks,
		Choice:         fmt.Sprintf("%s %s %dx%d, %d tiles at a time", v.k.Op, v.k.Tier, v.k.MR, v.k.NR, v.chunk),
		Weights:        l.packed.weights.Bytes(),
	}
	multiply := v.multiply
	if !v.shared {
		k.WorkerScratch += v.mem.v
		k.Run = func(c *ops.Call) error { c.Parallel(v.chunks*v.tasks, multiply); return nil }
		return k
	}
	k.Scratch = v.chunks * v.mem.v
	pieces := (v.chunk + winogradPiece - 1) / winogradPiece
	transform := func(c *ops.Call, i int, wk *ops.Worker) {
		chunk, first := i/pieces, i%pieces*winogradPiece
		v.transform(c, wk, v.at(c.Scratch, chunk*v.mem.v), chunk*v.chunk, first, min(first+winogradPiece, v.chunk))
	}
	k.Run = func(c *ops.Call) error {
		c.Parallel(v.chunks*pieces, transform)
		c.Parallel(v.chunks*v.tasks, multiply)
		return nil
	}
	return k
}

func (*winograd) at(memory []byte, offset int) unsafe.Pointer { return unsafe.Pointer(&memory[offset]) }

// transform writes the transformed input of the tiles from first to end of the chunk that begins with tile t0.
func (v *winograd) transform(c *ops.Call, wk *ops.Worker, to unsafe.Pointer, t0, first, end int) {
	n := min(end, v.tiles.Count-t0) - first
	if n <= 0 {
		return
	}
	pixels := wk.Pointers[:n*v.k.Positions()]
	v.tiles.Inputs(pixels, t0+first, base(c.In[0]), unsafe.Pointer(&v.pad[0]), v.l.kc)
	args := &wk.Args.WinogradInput
	for b := range v.blocks {
		depth := v.depth(b)
		*args = asm.WinogradInputArgs{
			Tiles: n, C: depth, Pixels: &pixels[0], Offset: b * v.block,
			V: (*int16)(unsafe.Add(to, b*v.mem.vBlock+2*depth*first)), PosStride: v.vStride(depth),
		}
		v.k.Input(args)
	}
}

// depth returns the depths of block b.
func (v *winograd) depth(b int) int { return min(v.block, v.l.kc-b*v.block) }

// vStride returns the bytes between positions of the transformed input of a block of so many depths.
func (v *winograd) vStride(depth int) int { return 2*depth*v.chunk + 64 }

// multiply computes some output channels of the tiles of a chunk.
func (v *winograd) multiply(c *ops.Call, i int, wk *ops.Worker) {
	chunk, n0 := i/v.tasks, i%v.tasks*v.step
	t0 := chunk * v.chunk
	tiles := min(v.chunk, v.tiles.Count-t0)
	input := v.at(wk.Scratch, 0)
	uses := wk.Scratch
	if v.shared {
		input = v.at(c.Scratch, chunk*v.mem.v)
	} else {
		v.transform(c, wk, input, t0, 0, v.chunk)
		uses = wk.Scratch[v.mem.v:]
	}
	outs, residuals := v.pointOutputs(c, wk, t0, tiles)
	products := (*int32)(v.at(uses, v.mem.u))
	for end := min(n0+v.step, v.l.cols); n0 < end; n0 += v.k.NR {
		for b := range v.blocks {
			v.panel(wk, b, n0, tiles, unsafe.Add(input, b*v.mem.vBlock), (*int16)(v.at(uses, 0)), products)
		}
		v.output(wk, n0, tiles, products, outs, residuals)
	}
}

// panel multiplies a block of depths of a panel of columns.
func (v *winograd) panel(wk *ops.Worker, b, n0, tiles int, input unsafe.Pointer, u *int16, products *int32) {
	l, nr, depth := v.l, v.k.NR, v.depth(b)
	weights := &wk.Args.WinogradWeights
	*weights = asm.WinogradWeightsArgs{
		W: v.k.WeightsFrom(l.packed.weights.Panel(0, n0/nr), b*v.block), TapStride: nr * l.kc, K: depth, U: u, PosStride: v.mem.uStride,
	}
	v.k.Weights(weights)
	args := &wk.Args.WinogradMultiply
	*args = asm.WinogradMultiplyArgs{
		Positions: v.k.Positions(), M: tiles, K: depth, V: (*int16)(input), VStride: v.vStride(depth),
		U: u, UStride: v.mem.uStride, C: products, CStride: v.mem.mStride, Add: b > 0,
	}
	v.k.Multiply(args)
}

// output transforms the products of a panel of columns back and stores them.
func (v *winograd) output(wk *ops.Worker, n0, tiles int, products *int32, outs, residuals []unsafe.Pointer) {
	l := v.l
	size := 1
	if l.out == nil {
		size = 4
	}
	args := &wk.Args.WinogradOutput
	*args = asm.WinogradOutputArgs{Tiles: tiles, M: products, PosStride: v.mem.mStride, Pixels: &outs[0], Offset: size * n0, Row: l.columns(n0)}
	args.Row.N = min(v.k.NR, l.cols-n0)
	if residuals != nil {
		args.Residuals = &residuals[0]
	}
	if l.out != nil {
		v.k.Output(args)
		return
	}
	v.k.Dequantize(args)
	if l.act.IsClamp() {
		return
	}
	for _, pixel := range outs {
		if pixel != nil {
			l.activate.Run(unsafe.Add(pixel, args.Offset), 1, args.Row.N, 0)
		}
	}
}

// pointOutputs returns the pointers to the outputs of some tiles from tile t0 on, and to their residuals if there are any; nil where a
// tile reaches over the edge.
func (v *winograd) pointOutputs(c *ops.Call, wk *ops.Worker, t0, tiles int) (outs, residuals []unsafe.Pointer) {
	l := v.l
	outs = wk.Pointers[:tiles*v.k.Outputs()]
	size := l.outChannels
	if l.out == nil {
		size *= 4
	}
	v.tiles.Outputs(outs, t0, base(c.Out[0]), nil, size)
	if !l.residual && l.packed.zeros == nil {
		return outs, nil
	}
	residuals = wk.Pointers[len(outs):][:len(outs)]
	if l.residual {
		v.tiles.Outputs(residuals, t0, base(c.In[len(c.In)-1]), nil, size)
		return outs, residuals
	}
	for i := range residuals {
		residuals[i] = unsafe.Pointer(&l.packed.zeros[0])
	}
	return outs, residuals
}
