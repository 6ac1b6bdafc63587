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
	kc, n             int // those of a group
	ks, depth         int // positions of the kernel call and values at each
	fused             *FusedRows
	gather            bool // rows are copied, since a position has few values
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
	v.kc, v.n = v.channels/op.Groups, v.outs/op.Groups
	v.ks, v.depth = w.Taps(), v.kc
	view, taps := w, w.Taps() // view: what the kernel sees as positions
	v.pad = alignedFloats(max(v.kc, 1) * w.Kernel[2])
	if v.kc < 16 && op.Groups == 1 {
		v.fused = NewFusedRows(w, 4*v.channels)
	}
	v.gather = v.fused == nil && taps > 1 && v.kc < 16
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
	v.grid = NewGrid(rows, v.n, taps*v.kc, v.g.MR, v.g.NR, v.g.BlockN(v.tiles.Taps(), max(v.depth, 1)), p.Threads)
	return v.kernel(p.Threads), nil
}

// pack packs the weight, a matrix for each group, and the bias.
func (v *convGemm) pack(p *Prepare) {
	v.layout = PanelLayout{Packing: v.g.Info, Matrices: v.op.Groups, Depth: v.ks * v.depth, N: v.n}
	taps, group, tier := v.w.Taps(), v.n*v.w.Taps()*v.kc, p.Tier
	v.weights = &prepack{inputs: weightAndBias(v.op.HasBias), size: v.layout.Len() + v.outs + v.g.NR, order: p.In[1].Numel()}
	v.weights.pack = func(dst, order []float32, in packInputs, _ int) {
		panels, bias := panelsOf(v.layout, dst)
		src := channelsLastWeight(tier, order, in[0].Float32s(), v.outs, v.kc, taps)
		for i := range v.op.Groups {
			v.g.PackB(panels.Data[panels.Index(i, 0):], src[i*group:], v.ks, v.depth, v.n)
		}
		copyBias(bias, in[1])
	}
	v.weights.start(p, v.layout)
}

func (v *convGemm) kernel(threads int) *Kernel {
	tasks := v.tiles.Images * v.op.Groups * v.grid.Tasks
	k := &Kernel{
		Interruptible: true,
		WorkerScratch: v.tiles.Buffer,
		Parallel:      tasks,
		Choice:        fmt.Sprintf("%s %s %dx%d", v.g.Op, v.g.Tier, v.g.MR, v.g.NR),
		Scratch:       v.weights.scratch(),
		Weights:       v.weights.bytes(v.layout),
	}
	if v.gather {
		k.WorkerScratch = v.g.MR * v.depth * 4
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
	image, group := i/v.grid.Tasks/v.op.Groups, i/v.grid.Tasks%v.op.Groups
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
	for m := m0; m < m1; {
		s := v.tiles.Span(m, m1)
		args.M, args.KS = s.M1-m, s.Taps
		args.B, args.BGap = panels.Position(group, n0, s.First, v.ks), panels.Gap(s.Taps, v.ks)
		if v.weights.constant {
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
