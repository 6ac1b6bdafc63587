package ops

import (
	"fmt"
	"unsafe"

	"github.com/octet-ml/octet/ops/asm"
)

// convGemm is a convolution prepared as an indirect matrix multiplication: groups x (rows x depth) by (depth x n).
type convGemm struct {
	op                Conv
	w                 *Window
	g                 *asm.IGemmF32
	channels, outs    int // of all groups
	groups            int // matrices: the groups, or 1 where one call computes several
	kc, n             int // channels of a group, and columns of a matrix
	ks, depth         int // positions of the kernel call and values at each
	fused             *FusedRows
	gather            bool    // rows are copied, since a position has few values
	shifts            []int32 // where one call computes several groups: see asm.IGemmGroupsF32For
	layout            PanelLayout
	weights           *prepack // panels, then the bias
	ind               *Indirection
	tiles             *Tiles
	grid              Grid
	lo, hi            float32
	activate          ActivationRows
	pad               []float32
	copyAt, copyTasks int // of the padded input, in the scratch memory
}

func (op Conv) prepareGemm(p *Prepare, w *Window) (*Kernel, error) {
	v := &convGemm{
		op: op, w: w, g: asm.IGemmF32For(p.Tier), channels: p.In[0].Shape[len(p.In[0].Shape)-1], outs: p.In[1].Shape[0],
		activate: ActivationAfterClamps(op.Act, p.Tier),
	}
	v.lo, v.hi = op.Act.Bounds()
	v.groups, v.kc, v.n = op.Groups, v.channels/op.Groups, v.outs/op.Groups
	v.ks, v.depth = w.Taps(), v.kc
	view, taps := w, w.Taps() // view: what the kernel sees as positions
	v.joinGroups(p.Tier)
	v.pad = alignedFloats(max(v.channels/v.groups, 1) * w.Kernel[2])
	if v.kc < 16 && op.Groups == 1 {
		v.fused = NewFusedRows(w, 4*v.channels)
	}
	v.gather = v.fused == nil && v.shifts == nil && taps > 1 && v.kc < gatherBelow
	switch {
	case v.fused != nil:
		v.ks, v.depth = v.fused.Window.Taps(), w.Kernel[2]*v.kc
		view, v.pad = &v.fused.Window, alignedFloats(v.fused.RowBytes/4)
	case v.gather:
		v.ks, v.depth = 1, taps*v.kc
	}
	v.pack(p)
	rows := w.Pixels()
	v.tiles, v.ind = GatheredTiles(rows, v.g.MR), NewIndirection(w, v.channels*4)
	if !v.gather {
		work := 0
		if isFinite(p, p.In[1].Known) {
			work = v.depth * v.n
		}
		var err error
		if v.tiles, err = NewTiles(op, p, view, v.g.MR, v.channels*4, work); err != nil {
			return nil, err
		}
		rows = v.tiles.Rows
	}
	v.grid = NewGrid(rows, v.n, taps*v.kc, v.g.MR, v.g.NR, v.blockN(), p.Threads)
	return v.kernel(p.Threads), nil
}

// gatherBelow is the number of channels of a group below which copying rows takes less time than finding the pixels of each position.
const gatherBelow = 4

// joinGroups lets one call compute all groups of as many columns as have channels of their own in it.
func (v *convGemm) joinGroups(tier asm.Tier) {
	k := asm.IGemmGroupsF32For(tier)
	if v.groups == 1 || v.kc == 0 || v.n != asm.GroupColumns || k.Tier == asm.Generic && v.g.Tier != asm.Generic {
		return // plain Go is slower than half a panel
	}
	v.shifts = make([]int32, roundUp(v.outs, k.NR)/asm.GroupColumns)
	for i := range v.outs / asm.GroupColumns {
		v.shifts[i] = int32(4 * v.kc * i)
	}
	v.g, v.groups, v.n = k, 1, v.outs
}

// blockN returns how many columns a task takes at most. Those of small groups are few products, so that their weights have to
// come from the first-level cache.
func (v *convGemm) blockN() int {
	block := v.g.BlockN(v.tiles.Taps(), max(v.depth, 1))
	if v.shifts != nil {
		block = min(block, max((16<<10)/(4*v.tiles.Taps()*v.depth*v.g.NR), 1)*v.g.NR)
	}
	return block
}

// pack packs the weight, a matrix for each group, and the bias.
func (v *convGemm) pack(p *Prepare) {
	v.layout = PanelLayout{Packing: v.g.Info, Matrices: v.groups, Depth: v.ks * v.depth, N: v.n}
	column, tier := v.w.Taps()*v.kc, p.Tier
	v.weights = &prepack{inputs: weightAndBias(v.op.HasBias), size: v.layout.Len() + v.outs + v.g.NR, order: v.g.NR * column}
	v.weights.pack = func(dst, order []float32, in packInputs, _ int) {
		panels, bias := panelsOf(v.layout, dst)
		for i := range v.groups * v.layout.Panels() {
			group, n0 := i/v.layout.Panels(), i%v.layout.Panels()*v.g.NR
			columns := min(v.g.NR, v.n-n0)
			src := channelsLastWeight(tier, order, in[0].Float32s()[(group*v.n+n0)*column:], columns, v.kc, v.w.Taps())
			v.g.PackB(panels.Panel(group, i%v.layout.Panels()), src, v.ks, v.depth, columns)
		}
		copyBias(bias, in[1])
	}
	v.weights.start(p, v.layout)
}

func (v *convGemm) kernel(threads int) *Kernel {
	tasks := v.tiles.Images * v.groups * v.grid.Tasks
	k := &Kernel{
		Interruptible: true,
		WorkerScratch: v.tiles.Buffer,
		Parallel:      tasks,
		Choice:        fmt.Sprintf("%s %s %dx%d", v.g.Op, v.g.Tier, v.g.MR, v.g.NR),
		Scratch:       v.weights.scratch(),
		Weights:       v.weights.bytes(v.layout),
	}
	if v.gather {
		k.WorkerScratch = scratchBytes(4, v.g.MR, v.depth)
		k.Choice += " over gathered rows"
	}
	multiply, copyRows := v.multiply, v.copyRows
	if v.fused != nil {
		v.copyAt = k.Scratch
		k.Scratch += v.fused.Bytes
		k.Choice += " over fused kernel rows"
		v.copyTasks = PixelTasks(v.fused.Rows, v.fused.RowBytes/4, threads)
	}
	k.Run = func(c *Call) error {
		v.weights.fill(c)
		if v.fused != nil {
			c.Parallel(v.copyTasks, copyRows)
		}
		c.Parallel(tasks, multiply)
		return nil
	}
	return k
}

// copyRows copies some rows of the input, padded, so that the taps of a kernel row lie side by side.
func (v *convGemm) copyRows(c *Call, i int, _ *Worker) {
	for r := i * v.fused.Rows / v.copyTasks; r < (i+1)*v.fused.Rows/v.copyTasks; r++ {
		v.fused.Copy(unsafe.Pointer(&c.Scratch[v.copyAt]), base(c.In[0]), unsafe.Pointer(&v.pad[0]), r)
	}
}

// multiply computes one task of the output.
func (v *convGemm) multiply(c *Call, i int, wk *Worker) {
	image, group := i/v.grid.Tasks/v.groups, i/v.grid.Tasks%v.groups
	m0, m1, n0, n1 := v.grid.Task(i % v.grid.Tasks)
	panels, bias := panelsOf(v.layout, v.weights.values(c))
	input := unsafe.Add(base(c.In[0]), group*v.kc*4)
	if v.fused != nil {
		input = unsafe.Pointer(&c.Scratch[v.copyAt])
	}
	rowBytes := 4 * v.outs
	args := &wk.Args.IGemmF32
	*args = asm.IGemmF32Args{
		Pad: unsafe.Pointer(&v.pad[0]), KC: v.depth, N: n1 - n0,
		Bias: &bias[group*v.n+n0], Lo: v.lo, Hi: v.hi, CStride: rowBytes,
	}
	if v.shifts != nil {
		args.Groups = &v.shifts[n0/asm.GroupColumns]
	}
	for m := m0; m < m1; {
		s := v.tiles.Span(m, m1)
		args.M, args.KS = s.M1-m, s.Taps
		args.B, args.BGap = panels.Position(group, n0, s.First, v.ks), panels.Gap(s.Taps, v.ks)
		if v.weights.constant && v.shifts == nil {
			v.g.Ahead(args, s.Ahead(panels.Next(c, group, n1), m0, m1))
		}
		if v.gather {
			args.A, args.AStride = unsafe.Pointer(&wk.Scratch[0]), 4*v.depth
			v.ind.Gather(args.A, args.M, v.kc*4, v.depth*4, input, args.Pad, m)
		} else {
			args.A, args.AStride = v.tiles.Start(input, image, m), v.tiles.Stride
			args.Offsets = v.tiles.Offsets(wk.Scratch, &s)
		}
		at := (image*v.tiles.Rows+m)*rowBytes + 4*(group*v.n+n0)
		args.C = (*float32)(unsafe.Add(base(c.Out[0]), at))
		if v.op.HasResidual {
			args.Res, args.ResStride = (*float32)(unsafe.Add(base(c.In[len(c.In)-1]), at)), rowBytes
		}
		v.g.Run(args)
		v.activate.Run(unsafe.Pointer(args.C), args.M, args.N, args.CStride)
		m = s.M1
	}
}
