package int8

import (
	"unsafe"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// convGemm is a convolution prepared as an indirect matrix multiplication. A linear layer is one of a window that covers one pixel.
type convGemm struct {
	l         *layer
	w         *ops.Window
	view      *ops.Window // what the kernel sees as positions
	channels  int         // of all groups
	kc        int         // channels of a group
	fused     *ops.FusedRows
	gather    bool // rows are copied, since a position has few values
	ind       *ops.Indirection
	tiles     *ops.Tiles
	biases    []spanBias // of tiles
	grid      ops.Grid
	step      int // rows of a kernel call at most
	mem       scratch
	pad       []byte
	copyTasks int
}

// newConvGemm chooses how the kernel sees the rows of a layer whose inputs have channels, and makes the layer, which is not packed
// yet. training is nil when serving.
func newConvGemm(op ops.Op, of Layer, out *tensor.QParams, p *ops.Prepare, w *ops.Window, channels int, training *asm.RequantizeI32F32) *convGemm {
	outs, kc, taps := p.In[1].Shape[0], channels/of.Groups, w.Taps()
	v := &convGemm{w: w, view: w, channels: channels, kc: kc}
	if kc < 16 && of.Groups == 1 {
		v.fused = ops.NewFusedRows(w, channels)
	}
	v.l = &layer{
		op: op, p: p, g: asm.IGemmU8S8For(p.Tier), groups: of.Groups, cols: outs / of.Groups, outChannels: outs, training: training,
		ks: taps, kc: kc, taps: taps, depth: taps * kc, hasBias: of.HasBias, act: of.Act, out: out, residual: of.HasResidual,
	}
	v.l.joinGroups()
	v.gather = v.fused == nil && (v.l.kc%4 != 0 || v.l.kc == 0)
	padBytes := max(v.l.kc, 1) * w.Kernel[2]
	switch {
	case v.fused != nil:
		// Each kernel row is filled up to a multiple of 4 with weights of 0.
		row := w.Kernel[2] * kc
		v.l.ks, v.l.kc = v.fused.Window.Taps(), (row+3)/4*4
		v.l.rowTail = v.l.kc - row
		v.view = &v.fused.Window
		padBytes = max(v.fused.RowBytes, v.l.kc)
	case v.gather:
		v.l.ks, v.l.kc = 1, max(taps*kc+3, 4)/4*4
	}
	v.pad = tensor.AlignedBytes(padBytes)
	v.fillPad()
	return v
}

// fillPad fills what stands for pixels outside of the image with the zero point.
func (v *convGemm) fillPad() {
	zero := uint8(v.l.p.In[0].Q.ZeroPoint[0])
	for i := range v.pad {
		v.pad[i] = zero
	}
}

// divide divides the output into tasks, and their memory.
func (v *convGemm) divide() error {
	l := v.l
	mr, gathered, rows := l.g.MR, 0, v.w.Pixels()
	v.ind = ops.NewIndirection(v.w, v.channels)
	if v.gather {
		v.tiles, gathered = ops.GatheredTiles(rows, mr), mr
	} else {
		work := 0
		if l.mayLeaveOut() {
			work = l.kc * l.cols
		}
		var err error
		if v.tiles, err = ops.NewTiles(l.op, l.p, v.view, mr, v.channels, work); err != nil {
			return err
		}
		rows, v.biases = v.tiles.Rows, l.spanBiases(v.tiles)
	}
	v.grid = ops.NewGrid(rows, l.cols, l.depth, mr, l.g.NR, l.blockCols(v.tiles.Taps()), l.p.Threads)
	if v.step = min(v.tiles.Step, v.grid.RowStep); l.training != nil {
		v.step = min(v.step, (trainingRows+mr-1)/mr*mr)
	}
	v.mem = l.scratch(gathered, v.tiles.Buffer, v.step, v.grid.ColStep)
	return nil
}

func (v *convGemm) kernel() *ops.Kernel {
	l, tasks := v.l, v.tiles.Images*v.l.groups*v.grid.Tasks
	k := &ops.Kernel{
		Interruptible: true,
		WorkerScratch: v.mem.total,
		Parallel:      tasks,
		Choice:        l.choice(),
		Weights:       l.packed.weights.Bytes(),
	}
	if v.gather {
		k.Choice += " over gathered rows"
	}
	multiply, copyRows := v.multiply, v.copyRows
	k.Run = func(c *ops.Call) error { c.Parallel(tasks, multiply); return nil }
	if v.fused != nil {
		k.Scratch = v.fused.Bytes
		k.Choice += " over fused kernel rows"
		v.copyTasks = ops.PixelTasks(v.fused.Rows, v.fused.RowBytes/4, l.p.Threads)
		k.Run = func(c *ops.Call) error {
			c.Parallel(v.copyTasks, copyRows)
			c.Parallel(tasks, multiply)
			return nil
		}
	}
	return k
}

// copyRows copies some rows of the input, padded, so that the taps of a kernel row lie side by side.
func (v *convGemm) copyRows(c *ops.Call, i int, _ *ops.Worker) {
	to, pad := unsafe.Pointer(unsafe.SliceData(c.Scratch)), unsafe.Pointer(unsafe.SliceData(v.pad))
	for r := i * v.fused.Rows / v.copyTasks; r < (i+1)*v.fused.Rows/v.copyTasks; r++ {
		v.fused.Copy(to, base(c.In[0]), pad, r)
	}
}

// multiply computes one task of the output.
func (v *convGemm) multiply(c *ops.Call, i int, wk *ops.Worker) {
	l, tiles, groups := v.l, v.tiles, v.l.groups
	image, group := i/v.grid.Tasks/groups, i/v.grid.Tasks%groups
	m0, m1, n0, n1 := v.grid.Task(i % v.grid.Tasks)
	n1 = min(n1, l.columnsOf(group))
	if n0 >= n1 {
		return
	}
	input := unsafe.Add(base(c.In[0]), l.firstChannel(group))
	if v.fused != nil {
		input = unsafe.Pointer(unsafe.SliceData(c.Scratch))
	}
	t := call{group: group, n0: n0, n1: n1, pad: unsafe.Pointer(&v.pad[0])}
	next := l.packed.weights.Next(c, group, n1)
	for m := m0; m < m1; {
		s := tiles.Span(m, min(m+v.step, m1))
		t.m, t.first, t.taps, t.bias, t.next = s.M1-m, s.First, s.Taps, biasOf(v.biases, &s), s.Ahead(next, m0, m1)
		if v.gather {
			t.input, t.stride = unsafe.Pointer(&wk.Scratch[v.mem.rows]), l.kc
			v.ind.Gather(t.input, t.m, v.kc, l.kc, input, t.pad, m)
		} else {
			t.input, t.stride = tiles.Start(input, image, m), tiles.Stride
			t.offsets = tiles.Offsets(wk.Scratch[v.mem.offsets:], &s)
		}
		at := (image*tiles.Rows+m)*l.outChannels + group*l.cols
		at *= l.outSize()
		t.out = unsafe.Add(base(c.Out[0]), at)
		if len(c.Out) > 1 {
			t.real = unsafe.Add(base(c.Out[1]), at)
		}
		if l.residual {
			t.res = unsafe.Add(base(c.In[len(c.In)-1]), at)
		}
		l.run(wk, &v.mem, &t)
		m = s.M1
	}
}
