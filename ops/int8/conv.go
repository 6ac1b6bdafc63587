package int8

import (
	"fmt"
	"unsafe"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// Conv is ops.Conv on quantized values.
//
// Inputs: x uint8 per tensor, weight int8 [O, C/Groups, kernel...] per tensor or per output
// channel, then bias int32 [O] in units of x's scale times the weight's or float32 [O], then
// a residual in the output's element type, which needs an int32 bias. Output: uint8 with qparams
// Out; float32 when Out is nil.
type Conv struct {
	ops.ConvAttributes
	Out *tensor.QParams
}

// float returns the operator that this one stands for.
func (op Conv) float() ops.Conv { return ops.Conv(op.ConvAttributes) }

// Name returns "int8.conv2d" and the like.
func (op Conv) Name() string { return "int8." + op.float().Name() }

func (op Conv) Infer(in []ops.Type) ([]ops.Type, error) {
	if err := op.float().CheckInputs(op, in); err != nil {
		return nil, err
	}
	if err := activation(op, in, 0); err != nil {
		return nil, err
	}
	if err := weightsAndBias(op, in, in[1].Shape[0], op.HasBias); err != nil {
		return nil, err
	}
	if op.Out != nil {
		if err := ops.CheckClamp(op, in, op.Act); err != nil {
			return nil, err
		}
	}
	w, err := op.float().Window(op, in)
	if err != nil {
		return nil, err
	}
	shape := op.float().OutShape(w, in)
	if op.HasResidual {
		if err := checkResidual(op, in, op.Out); err != nil {
			return nil, err
		}
		if !in[len(in)-1].Shape.Equal(shape) {
			return nil, ops.Errorf(op, in, "the residual's shape is not the output's, %v", shape)
		}
	}
	return []ops.Type{outputType(op.Out, shape)}, nil
}

// ChannelsLast lays out the input, the residual and the output as NHWC.
func (op Conv) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) {
	inner, inputs, ok := op.float().ChannelsLast(in)
	if ok {
		op.ConvAttributes = ops.ConvAttributes(inner.(ops.Conv))
	}
	return op, inputs, ok
}

// WantsChannelsLast is true: all kernels work on NHWC.
func (Conv) WantsChannelsLast() bool { return true }

// FuseActivation implements ops.ActivationFuser for a float32 output; activations
// of a quantized one fuse before quantization.
func (op Conv) FuseActivation(a ops.Activation) (ops.Op, bool) {
	if op.Out != nil || op.Act != ops.NoActivation {
		return nil, false
	}
	op.Act = a
	return op, true
}

// Prepare packs the weight for the indirect kernel; channels that are no
// multiple of 4 are gathered into padded rows.
func (op Conv) Prepare(p *ops.Prepare) (*ops.Kernel, error) { return op.prepare(p, chooseWinograd) }

// prepare is Prepare with the choice of Winograd's algorithm, which returns nil where it is not to be used.
func (op Conv) prepare(p *ops.Prepare, choose func(*layer, *ops.Window) *winograd) (*ops.Kernel, error) {
	if !op.NHWC {
		return nil, &ops.UnsupportedError{Op: op.Name(), Reason: "kernels need the channels last; compile the graph, or permute its input"}
	}
	w, err := op.float().Window(op, p.In)
	if err != nil {
		return nil, err
	}
	channels := p.In[0].Shape[len(p.In[0].Shape)-1]
	if op.isDepthwise(p, w, channels) {
		return op.prepareDepthwise(p, w)
	}
	outs := p.In[1].Shape[0]
	kc, taps := channels/op.Groups, w.Taps()
	var fused *ops.FusedRows
	if kc < 16 && op.Groups == 1 {
		fused = ops.NewFusedRows(w, channels)
	}
	gather := fused == nil && (kc%4 != 0 || (taps > 1 && kc < 16))
	l := &layer{
		op: op, p: p, g: asm.IGemmU8S8For(p.Tier), groups: op.Groups, cols: outs / op.Groups, outChannels: outs,
		ks: taps, kc: kc, taps: taps, depth: taps * kc, hasBias: op.HasBias, act: op.Act, out: op.Out, residual: op.HasResidual,
	}
	view := w // what the kernel sees as positions
	padBytes := max(kc, 1) * w.Kernel[2]
	switch {
	case fused != nil:
		// Each kernel row is filled up to a multiple of 4 with weights of 0.
		row := w.Kernel[2] * kc
		l.ks, l.kc = fused.Window.Taps(), (row+3)/4*4
		l.rowTail = l.kc - row
		view = &fused.Window
		padBytes = max(fused.RowBytes, l.kc)
	case gather:
		l.ks, l.kc = 1, (taps*kc+3)/4*4
	}
	if err := l.prepare(); err != nil {
		return nil, err
	}
	if v := choose(l, w); v != nil {
		return v.kernel(), nil
	}
	pad := tensor.AlignedBytes(padBytes)
	for i := range pad {
		pad[i] = uint8(p.In[0].Q.ZeroPoint[0])
	}
	mr := l.g.MR
	var tiles *ops.Tiles
	gathered, rows := 0, w.Pixels()
	ind := ops.NewIndirection(w, channels)
	if gather {
		tiles, gathered = &ops.Tiles{Images: 1, Rows: rows, Step: mr}, mr
	} else {
		if tiles, err = ops.NewTiles(op, p, view, mr, channels); err != nil {
			return nil, err
		}
		rows = tiles.Rows
	}
	grid := ops.NewGrid(rows, l.cols, l.depth, mr, l.g.NR, l.blockCols(), p.Threads)
	mem := l.scratch(gathered, tiles.Buffer, min(tiles.Step, grid.RowStep))
	outSize := p.Out[0].DType.Size()
	task := func(c *ops.Call, i int, wk *ops.Worker) {
		image, group := i/grid.Tasks/op.Groups, i/grid.Tasks%op.Groups
		m0, m1, n0, n1 := grid.Task(i % grid.Tasks)
		input := unsafe.Add(base(c.In[0]), group*kc)
		if fused != nil {
			input = unsafe.Pointer(unsafe.SliceData(c.Scratch))
		}
		t := call{group: group, n0: n0, n1: n1, pad: unsafe.Pointer(&pad[0]), next: l.columnsAfter(c, group, n1)}
		for m := m0; m < m1; m += tiles.Step {
			t.m = min(tiles.Step, m1-m)
			if gather {
				t.input, t.stride = unsafe.Pointer(&wk.Scratch[mem.rows]), l.kc
				ind.Gather(t.input, t.m, kc, l.kc, input, t.pad, m)
			} else {
				t.input, t.stride = tiles.Start(input, image, m), tiles.Stride
				t.offsets = tiles.Offsets(wk.Scratch[mem.offsets:], m, m+t.m)
			}
			at := ((image*tiles.Rows+m)*outs + group*l.cols)
			t.out = unsafe.Add(base(c.Out[0]), at*outSize)
			if op.HasResidual {
				t.res = unsafe.Add(base(c.In[len(c.In)-1]), at*outSize)
			}
			l.run(wk, &mem, &t)
		}
	}
	tasks := tiles.Images * op.Groups * grid.Tasks
	copies := 1
	if fused != nil {
		copies = ops.PixelTasks(fused.Rows, fused.RowBytes/4, p.Threads)
	}
	copyRows := func(c *ops.Call, i int, _ *ops.Worker) {
		for r := i * fused.Rows / copies; r < (i+1)*fused.Rows/copies; r++ {
			fused.Copy(unsafe.Pointer(unsafe.SliceData(c.Scratch)), base(c.In[0]), unsafe.Pointer(unsafe.SliceData(pad)), r)
		}
	}
	k := &ops.Kernel{
		Interruptible: true,
		Run: func(c *ops.Call) error {
			if fused != nil {
				c.Parallel(copies, copyRows)
			}
			c.Parallel(tasks, task)
			return nil
		},
		WorkerScratch: mem.total,
		Parallel:      tasks,
		Choice:        fmt.Sprintf("%s %s %dx%d", l.g.Op, l.g.Tier, l.g.MR, l.g.NR),
		Weights:       bytesOf(l.packed.weights),
	}
	if gather {
		k.Choice += " over gathered rows"
	}
	if fused != nil {
		k.Scratch = fused.Bytes
		k.Choice += " over fused kernel rows"
	}
	return k, nil
}
