package ops

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// ConvWeightGrad is the gradient of a convolution with respect to its weight.
// Inputs: x [N, C, in...] and the gradient of the output [N, O, out...]. Output:
// [O, C/Groups, Kernel...].
type ConvWeightGrad struct {
	ConvAttributes
	Kernel []int
}

// Name returns "conv2d_weight_grad" and the like.
//
//go:noinline
func (op ConvWeightGrad) Name() string { return Conv(op.ConvAttributes).Name() + "_weight_grad" }

// weightType returns the type of the convolution's weight.
func (op ConvWeightGrad) weightType(in []Type) Type {
	_, c, _ := SpatialOf(in[0].Shape, op.NHWC)
	_, o, _ := SpatialOf(in[1].Shape, op.NHWC)
	return F32(append(tensor.Shape{o, c / max(op.Groups, 1)}, op.Kernel...)...)
}

func (op ConvWeightGrad) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 2, 2); err != nil {
		return nil, err
	}
	if err := floatInputs(op, in); err != nil {
		return nil, err
	}
	rank := len(op.Stride) + 2
	if len(in[0].Shape) != rank || len(in[1].Shape) != rank || len(op.Kernel) != rank-2 {
		return nil, Errorf(op, in, "both inputs must have %d dimensions, and the kernel %d", rank, rank-2)
	}
	weight := op.weightType(in)
	if _, err := weight.Shape.Numel(); err != nil {
		return nil, Errorf(op, in, "%v", err)
	}
	conv, types := Conv(op.ConvAttributes), []Type{in[0], weight}
	if err := conv.CheckInputs(op, types); err != nil {
		return nil, err
	}
	w, err := conv.Window(op, types)
	if err != nil {
		return nil, err
	}
	if !in[1].Shape.Equal(conv.OutShape(w, types)) {
		return nil, Errorf(op, in, "the convolution has shape %v", conv.OutShape(w, types))
	}
	return []Type{weight}, nil
}

// MACs counts each element of the output's gradient with each element of the input that its window covers.
func (ConvWeightGrad) MACs(in, out []Type) int64 { return ConvMACs(out[0], in[1]) }

// ChannelsLast lays out both inputs as NHWC.
func (op ConvWeightGrad) ChannelsLast(in []Type) (Op, []int, bool) {
	if op.NHWC {
		return op, nil, false
	}
	op.NHWC = true
	return op, []int{0, 1}, true
}

// WantsChannelsLast is true: all kernels work on NHWC.
func (ConvWeightGrad) WantsChannelsLast() bool { return true }

// OutputsStay says that the output is a weight, which has no layout to change.
func (ConvWeightGrad) OutputsStay() {}

// gradDepth is about how many output pixels one matrix multiplication adds up. It is
// fixed, so that sums do not depend on the number of threads.
const gradDepth = 512

// Prepare multiplies, tap by tap and channel by channel, rows of input pixels with
// the gradient [pixels, O]. For that the input is transposed once, so that a
// channel's pixels under a tap lie side by side along an output row.
func (op ConvWeightGrad) Prepare(p *Prepare) (*Kernel, error) {
	if !op.NHWC {
		return nil, &UnsupportedError{Op: op.Name(), Reason: "kernels need the channels last; compile the graph, or permute its input"}
	}
	w, err := Conv(op.ConvAttributes).Window(op, []Type{p.In[0], op.weightType(p.In)})
	if err != nil {
		return nil, err
	}
	outs, perGroup := p.Out[0].Shape[0], p.Out[0].Shape[1]
	if w.Pixels() == 0 || p.Out[0].Numel() == 0 {
		return clearKernel(), nil
	}
	if perGroup == 1 && outs == op.Groups && op.Groups > 1 {
		return op.prepareDepthwise(p, w), nil
	}
	if w.IsPointwise() { // an image is one row
		w.In, w.Out = [3]int{1, 1, w.Out[0] * w.Out[1] * w.Out[2]}, [3]int{1, 1, w.Out[0] * w.Out[1] * w.Out[2]}
	}
	g, err := newWeightGrad(op, p, w, perGroup, outs/op.Groups)
	if err != nil {
		return nil, err
	}
	transpose, pack, multiply, add := g.transpose, g.pack, g.multiply, g.add
	return &Kernel{
		Interruptible: true,
		Run: func(c *Call) error {
			c.Parallel(g.transposes, transpose)
			if g.packedLen > 0 {
				c.Parallel(g.chunks, pack)
			}
			c.Parallel(g.parts*g.blocks*g.groups, multiply)
			c.Parallel(g.adds, add)
			return nil
		},
		Scratch:       4 * g.total,
		WorkerScratch: 4 * g.offsetLen,
		Choice:        fmt.Sprintf("%s %s %dx%d over transposed rows", g.gemm.Op, g.gemm.Tier, g.gemm.MR, g.gemm.NR),
		Parallel:      g.parts * g.blocks * g.groups,
	}, nil
}

// weightGrad is a prepared ConvWeightGrad: a product of [taps x channels, pixels] with
// [pixels, outputs] for each group. The pixels are divided into chunks: some
// output rows or, where those are long, a segment of one.
type weightGrad struct {
	w                       *Window
	gemm                    *asm.IGemmF32
	tr                      *asm.TransposeF32
	groups, perGroup, outs  int // outs of a group
	rows                    int // taps x channels of a group: rows of the product
	rowsPerChunk            int
	segment, segments       int // pixels of a chunk's part of a row, and parts
	chunks                  int
	parts, chunksPerPart    int // sums over a fixed number of parts do not depend on the number of threads
	blocks, rowsPerBlock    int // of rows of the product
	transposes, rowsPerTask int // tasks
	adds, channelsPerAdd    int

	// The transposed input holds, for each image row, remainder by the stride along it and channel, left
	// zeros, the pixels, and zeros up to width.
	left, width int

	// Where the rows of the product are for a chunk depends on the image row it begins with: offsets from the
	// start of that image, in the table for each such row that occurs, unless they would be too many.
	imageBytes, apart int // apart: image rows of the output between those that occur
	offsetLen         int // of one
	table             []int32

	packedLen                 int // of the gradient, packed; 0 where it lies as the kernel reads it
	zeros, packed, acc, total int // in the scratch memory
}

type weightGradKey struct {
	window           Window
	groups, perGroup int
	mr, rowsPerChunk int
}

func newWeightGrad(op ConvWeightGrad, p *Prepare, w *Window, perGroup, outs int) (*weightGrad, error) {
	g := &weightGrad{w: w, gemm: asm.IGemmF32For(p.Tier), tr: asm.TransposeF32For(p.Tier), groups: op.Groups, perGroup: perGroup, outs: outs}
	g.rows = w.Taps() * perGroup
	outRows := w.Batch * w.Out[0] * w.Out[1]
	g.segment, g.segments, g.rowsPerChunk = w.Out[2], 1, max(gradDepth/w.Out[2], 1)
	if w.Out[2] > 2*gradDepth {
		g.segments = (w.Out[2] + gradDepth - 1) / gradDepth
		g.segment = (w.Out[2] + g.segments - 1) / g.segments
	}
	g.rowsPerChunk = min(g.rowsPerChunk, outRows)
	g.chunks = (outRows + g.rowsPerChunk - 1) / g.rowsPerChunk * g.segments
	const most = 4
	g.chunksPerPart = (g.chunks + most - 1) / most
	g.parts = (g.chunks + g.chunksPerPart - 1) / g.chunksPerPart
	mr := g.gemm.MR
	tiles := (g.rows + mr - 1) / mr
	blocks := min(max((4*p.Threads+g.parts*g.groups-1)/(g.parts*g.groups), 1), tiles)
	g.rowsPerBlock = (tiles + blocks - 1) / blocks * mr
	g.blocks = (g.rows + g.rowsPerBlock - 1) / g.rowsPerBlock

	// Tap k reads from k*dilation-pad on: at offset first of the pixels with its remainder.
	last := 0
	for k := range w.Kernel[2] {
		first, _ := g.tap(k)
		g.left = max(g.left, -first)
		last = max(last, first)
	}
	g.width = g.left + max(last+w.Out[2], (w.In[2]+w.Stride[2]-1)/w.Stride[2])
	imageRows := w.Batch * w.In[0] * w.In[1]
	channels := g.groups * perGroup
	g.rowsPerTask, g.transposes = split(imageRows, w.In[2]*channels)
	g.imageBytes = 4 * w.In[0] * w.In[1] * w.Stride[2] * channels * g.width
	g.offsetLen = tiles * mr * g.rowsPerChunk
	if reach := int64(g.imageBytes) * int64(g.rowsPerChunk/(w.Out[0]*w.Out[1])+2); reach > math.MaxInt32 {
		return nil, &UnsupportedError{Op: op.Name(), Reason: fmt.Sprintf("%d bytes of images are above the 2 GiB that offsets reach", reach)}
	}
	g.apart = gcd(w.Out[0]*w.Out[1], g.rowsPerChunk)
	if n := w.Out[0] * w.Out[1] / g.apart * g.offsetLen; 4*n <= maxTable {
		g.table = shared(p, weightGradKey{*w, g.groups, perGroup, mr, g.rowsPerChunk}, func() []int32 {
			table := make([]int32, n)
			for row := 0; row < w.Out[0]*w.Out[1]; row += g.apart {
				g.fillOffsets(table[row/g.apart*g.offsetLen:][:g.offsetLen], row, g.rowsPerChunk, 0, g.rows)
			}
			return table
		})
	}
	if g.groups > 1 || outs != g.gemm.NR {
		g.packedLen = g.layout(w.Pixels()).Len()
	}
	align := func(n int) int { return alignBytes(4*n) / 4 }
	g.zeros = align(imageRows * w.Stride[2] * channels * g.width)
	g.packed = g.zeros + align(max(g.segment, outs+g.gemm.NR))
	g.acc = g.packed + align(g.packedLen)
	g.total = g.acc + g.parts*g.groups*g.rows*outs
	g.channelsPerAdd, g.adds = split(channels, w.Taps()*outs*g.parts)
	return g, nil
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// tap returns where tap k of a row reads for its first output pixel, in
// pixels of its remainder by the stride.
func (g *weightGrad) tap(k int) (first, remainder int) {
	at := k*g.w.Dilation[2] - g.w.Pad[2]
	remainder = at % g.w.Stride[2]
	if remainder < 0 {
		remainder += g.w.Stride[2]
	}
	return (at - remainder) / g.w.Stride[2], remainder
}

// transpose lays out some rows of the input, and what lies outside of it.
func (g *weightGrad) transpose(c *Call, i int, _ *Worker) {
	w, channels := g.w, g.groups*g.perGroup
	imageRows := w.Batch * w.In[0] * w.In[1]
	x, t := c.In[0].Float32s(), floatsOf(c.Scratch, 0, g.zeros)
	if i == 0 {
		clear(floatsOf(c.Scratch, g.zeros, g.packed-g.zeros))
	}
	for r := i * g.rowsPerTask; r < min((i+1)*g.rowsPerTask, imageRows); r++ {
		for remainder := range w.Stride[2] {
			to := t[(r*w.Stride[2]+remainder)*channels*g.width:][:channels*g.width]
			n := (w.In[2] - remainder + w.Stride[2] - 1) / w.Stride[2]
			for ch := range channels {
				clear(to[ch*g.width:][:g.left])
				clear(to[ch*g.width+g.left+n : (ch+1)*g.width])
			}
			if n > 0 {
				g.tr.Run(to[g.left:], x[(r*w.In[2]+remainder)*channels:], n, channels, g.width, w.Stride[2]*channels)
			}
		}
	}
}

// chunk returns the output pixels of a chunk: its first one, rows, and pixels of each.
func (g *weightGrad) chunk(i int) (first, rows, pixels int) {
	row, from := i/g.segments*g.rowsPerChunk, i%g.segments*g.segment
	rows = min(g.rowsPerChunk, g.w.Batch*g.w.Out[0]*g.w.Out[1]-row)
	return row*g.w.Out[2] + from, rows, min(g.segment, g.w.Out[2]-from)
}

// layout is that of some pixels of the gradient, a matrix for each group.
func (g *weightGrad) layout(pixels int) PanelLayout {
	return PanelLayout{Packing: g.gemm.Info, Matrices: g.groups, Depth: pixels, N: g.outs}
}

// panels are those of so many pixels of a chunk, from its first one on.
func (g *weightGrad) panels(c *Call, first, pixels int) Panels[float32] {
	l := g.layout(pixels)
	return Panels[float32]{l, floatsOf(c.Scratch, g.packed+g.layout(first).Len(), l.Len())}
}

// pack packs a chunk of the gradient.
func (g *weightGrad) pack(c *Call, i int, _ *Worker) {
	first, rows, pixels := g.chunk(i)
	dy, depth := c.In[1].Float32s(), rows*pixels
	all := g.groups * g.outs
	panels := g.panels(c, first, depth)
	for group := range g.groups {
		g.gemm.PackBKN(panels.Data[panels.Index(group, 0):], dy[first*all+group*g.outs:], depth, g.outs, all)
	}
}

// fillOffsets writes where rows m0 to m1 of the product are for a chunk of some output rows, of which the first is the
// given row of its image: tap m/perGroup of channel m%perGroup.
func (g *weightGrad) fillOffsets(dst []int32, row, rows, m0, m1 int) {
	w, mr := g.w, g.gemm.MR
	pixel := 4 * g.width // bytes from one channel of an image row to the next
	line := pixel * g.groups * g.perGroup * w.Stride[2]
	for m := m0; m < (m1+mr-1)/mr*mr; m++ {
		at := min(m, m1-1)
		tap := at / g.perGroup
		kx, ky, kz := tap%w.Kernel[2], tap/w.Kernel[2]%w.Kernel[1], tap/(w.Kernel[2]*w.Kernel[1])
		from, remainder := g.tap(kx)
		start := 4*(g.left+from) + line/w.Stride[2]*remainder + at%g.perGroup*pixel
		px := w.pixel(row * w.Out[2])
		to := dst[(m-m0)/mr*rows*mr+(m-m0)%mr:]
		for s := range rows {
			z, y := px.z*w.Stride[0]-w.Pad[0]+kz*w.Dilation[0], px.y*w.Stride[1]-w.Pad[1]+ky*w.Dilation[1]
			to[s*mr] = -1
			if uint(z) < uint(w.In[0]) && uint(y) < uint(w.In[1]) {
				to[s*mr] = int32(start + px.n*g.imageBytes + line*(z*w.In[1]+y))
			}
			px.x = w.Out[2] - 1
			w.advance(&px)
		}
	}
}

// multiply adds up one part of the pixels for a block of rows of the product, with a
// kernel call for each chunk.
func (g *weightGrad) multiply(c *Call, i int, wk *Worker) {
	block, rest := i%g.blocks, i/g.blocks
	part, group := rest%g.parts, rest/g.parts
	m0 := block * g.rowsPerBlock
	m1 := min(m0+g.rowsPerBlock, g.rows)
	acc := floatsOf(c.Scratch, g.acc+(part*g.groups+group)*g.rows*g.outs, g.rows*g.outs)
	zeros := floatsOf(c.Scratch, g.zeros, g.packed-g.zeros)
	x := unsafe.Add(unsafe.Pointer(unsafe.SliceData(c.Scratch)), 4*g.width*group*g.perGroup)
	args := &wk.Args.IGemmF32
	*args = asm.IGemmF32Args{
		Pad: unsafe.Pointer(&zeros[0]), M: m1 - m0, N: g.outs, Bias: &zeros[0], Lo: -inf, Hi: inf,
		C: &acc[m0*g.outs], CStride: 4 * g.outs, ResStride: 4 * g.outs,
	}
	for k := part * g.chunksPerPart; k < min((part+1)*g.chunksPerPart, g.chunks); k++ {
		first, rows, pixels := g.chunk(k)
		image := g.w.Out[0] * g.w.Out[1]
		row := first / g.w.Out[2]
		args.KS, args.KC = rows, pixels
		args.A = unsafe.Add(x, row/image*g.imageBytes+4*(first%g.w.Out[2]))
		if g.table != nil && rows == g.rowsPerChunk {
			args.Offsets = &g.table[row%image/g.apart*g.offsetLen+m0*rows]
		} else {
			offsets := scratchOf[int32](wk.Scratch, 0, g.offsetLen)
			g.fillOffsets(offsets, row%image, rows, m0, m1)
			args.Offsets = &offsets[0]
		}
		if g.packedLen > 0 {
			panels := g.panels(c, first, rows*pixels)
			args.B = panels.At(group, 0)
		} else {
			args.B = &c.In[1].Float32s()[first*g.outs]
		}
		g.gemm.Run(args)
		args.Res = args.C
	}
}

// add adds the parts up, in their order, and puts them where the weight has them.
func (g *weightGrad) add(c *Call, i int, _ *Worker) {
	dw, taps := c.Out[0].Float32s(), g.w.Taps()
	for at := i * g.channelsPerAdd; at < min((i+1)*g.channelsPerAdd, g.groups*g.perGroup); at++ {
		group, ch := at/g.perGroup, at%g.perGroup
		for part := range g.parts {
			acc := floatsOf(c.Scratch, g.acc+(part*g.groups+group)*g.rows*g.outs, g.rows*g.outs)
			for tap := range taps {
				to := dw[(group*g.outs*g.perGroup+ch)*taps+tap:]
				row := acc[(tap*g.perGroup+ch)*g.outs:][:g.outs]
				if part == 0 {
					for o, v := range row {
						to[o*g.perGroup*taps] = v
					}
					continue
				}
				for o, v := range row {
					to[o*g.perGroup*taps] += v
				}
			}
		}
	}
}
