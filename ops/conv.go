package ops

import (
	"fmt"
	"unsafe"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// Conv is a convolution over one, two or three spatial dimensions, as
// torch.nn.functional.conv1d, conv2d and conv3d compute it.
//
// Inputs: x [N, C, spatial...], weight [O, C/Groups, kernel...], then bias [O]
// when HasBias, then a residual of the output's shape when HasResidual.
// Output: Act(conv(x, weight) + bias + residual), [N, O, spatial...]. With NHWC, x, the residual
// and the output have their channels last; the weight stays as it is.
type Conv struct {
	Stride, Padding, Dilation []int
	Groups                    int
	HasBias, HasResidual      bool
	Act                       Activation
	NHWC                      bool
}

// ConvAttributes are the attributes of Conv without its methods, for operators that share only those.
type ConvAttributes Conv

// Name returns conv1d, conv2d or conv3d.
func (op Conv) Name() string { return fmt.Sprintf("conv%dd", len(op.Stride)) }

// Infer checks the shapes and returns the output's.
func (op Conv) Infer(in []Type) ([]Type, error) {
	if err := op.CheckInputs(op, in); err != nil {
		return nil, err
	}
	if err := floatInputs(op, in); err != nil {
		return nil, err
	}
	w, err := op.Window(op, in)
	if err != nil {
		return nil, err
	}
	out := F32(op.OutShape(w, in)...)
	if op.HasResidual && !in[len(in)-1].Shape.Equal(out.Shape) {
		return nil, Errorf(op, in, "the residual's shape is not the output's, %v", out.Shape)
	}
	return []Type{out}, nil
}

func (Conv) macs(in, out []Type) int64 { return ConvMACs(in[1], out[0]) }

// CheckInputs checks what does not depend on element types, for op, which is
// this operator or its int8 counterpart.
func (op Conv) CheckInputs(self Op, in []Type) error {
	n := 2
	if op.HasBias {
		n++
	}
	if op.HasResidual {
		n++
	}
	if err := arity(self, in, n, n); err != nil {
		return err
	}
	if err := checkActivation(self, in, op.Act); err != nil {
		return err
	}
	x, w := in[0].Shape, in[1].Shape
	rank := len(op.Stride) + 2
	if len(x) != rank || len(w) != rank {
		return Errorf(self, in, "input and weight must have %d dimensions", rank)
	}
	_, c, _ := SpatialOf(x, op.NHWC)
	if op.Groups < 1 || c%op.Groups != 0 || w[0]%op.Groups != 0 || w[1] != c/op.Groups {
		return Errorf(self, in, "%d input channels in %d groups need a weight with %d", c, op.Groups, c/max(op.Groups, 1))
	}
	if op.HasBias && !in[2].Shape.Equal(tensor.Shape{w[0]}) {
		return Errorf(self, in, "the bias must have shape [%d]", w[0])
	}
	return nil
}

// Window returns the geometry for inputs that CheckInputs accepted.
func (op Conv) Window(self Op, in []Type) (*Window, error) {
	batch, _, spatial := SpatialOf(in[0].Shape, op.NHWC)
	w, reason := NewWindow(batch, spatial, WindowParams{Kernel: in[1].Shape[2:], Stride: op.Stride, Padding: op.Padding, Dilation: op.Dilation})
	if w == nil {
		return nil, Errorf(self, in, "%s", reason)
	}
	return w, nil
}

// OutShape returns the shape of the output.
func (op Conv) OutShape(w *Window, in []Type) tensor.Shape {
	return ImageShape(w.Batch, in[1].Shape[0], w.OutSpatial(len(op.Stride)), op.NHWC)
}

// ChannelsLast lays out the input, the residual and the output as NHWC.
func (op Conv) ChannelsLast(in []Type) (Op, []int, bool) {
	if op.NHWC {
		return nil, nil, false
	}
	op.NHWC = true
	if op.HasResidual {
		return op, []int{0, len(in) - 1}, true
	}
	return op, []int{0}, true
}

// WantsChannelsLast is true: all kernels work on NHWC.
func (Conv) WantsChannelsLast() bool { return true }

// Prepare packs the weight and chooses between the depthwise kernel, the
// indirect matrix multiplication, and the one over gathered rows.
func (op Conv) Prepare(p *Prepare) (*Kernel, error) {
	if !op.NHWC {
		return nil, &UnsupportedError{Op: op.Name(), Reason: "kernels need the channels last; compile the graph, or permute its input"}
	}
	w, err := op.Window(op, p.In)
	if err != nil {
		return nil, err
	}
	if c := p.In[0].Shape[len(p.In[0].Shape)-1]; op.Groups == c && p.In[1].Shape[0] == c && c > 1 && !op.HasResidual && w.Pixels() > 0 {
		return op.prepareDepthwise(p, w)
	}
	if w.Pixels() > 0 {
		if t := op.winogradTile(p, w); t > 0 {
			return op.prepareWinograd(p, w, t)
		}
	}
	return op.prepareGemm(p, w)
}

// packedConv is a weight in a kernel's order, with its bias.
type packedConv struct {
	weights []float32
	bias    []float32
}

type packedConvKey struct {
	weight, bias *tensor.Tensor
	kernel       asm.Info
}

// known returns the value of a constant input, nil without one.
func known(in []Type, i int, has bool) *tensor.Tensor {
	if !has {
		return nil
	}
	return in[i].Known
}

func (op Conv) prepareGemm(p *Prepare, w *Window) (*Kernel, error) {
	g := asm.IGemmF32For(p.Tier)
	channels := p.In[0].Shape[len(p.In[0].Shape)-1]
	outChannels := p.In[1].Shape[0]
	kc, n, taps := channels/op.Groups, outChannels/op.Groups, w.Taps()
	ks, depth := taps, kc
	var fused *FusedRows
	if kc < 16 && op.Groups == 1 {
		fused = NewFusedRows(w, 4*channels)
	}
	gather := fused == nil && taps > 1 && kc < 16
	switch {
	case fused != nil:
		ks, depth = fused.Window.Taps(), w.Kernel[2]*kc
	case gather:
		ks, depth = 1, taps*kc
	}
	groupLen := g.PackedLen(ks, depth, n)
	// pack fills dst; order has room for the weight.
	pack := func(dst *packedConv, order []float32, weight, bias *tensor.Tensor) {
		src := channelsLastWeight(p.Tier, order, weight.Float32s(), outChannels, kc, taps)
		for i := range op.Groups {
			g.PackB(dst.weights[i*groupLen:(i+1)*groupLen], src[i*n*taps*kc:], ks, depth, n)
		}
		clear(dst.bias)
		if bias != nil {
			copy(dst.bias, bias.Float32s())
		}
	}
	packedLen, biasLen, orderLen := groupLen*op.Groups, outChannels+g.NR, p.In[1].Numel()
	var packed *packedConv
	weight, bias := p.In[1].Known, known(p.In, 2, op.HasBias)
	if weight != nil && (!op.HasBias || bias != nil) {
		packed = Packed(p, packedConvKey{weight, bias, g.Info}, func() *packedConv {
			dst := &packedConv{alignedFloats(packedLen), make([]float32, biasLen)}
			pack(dst, make([]float32, orderLen), weight.Contiguous(), bias)
			return dst
		})
	}

	pad := alignedFloats(max(kc, 1) * w.Kernel[2])
	view := w // what the kernel sees as positions
	if fused != nil {
		view = &fused.Window
		pad = alignedFloats(fused.RowBytes / 4)
	}
	tiles, rows := &Tiles{Images: 1, Rows: w.Pixels(), Step: g.MR}, w.Pixels()
	ind := NewIndirection(w, channels*4)
	if !gather {
		var err error
		if tiles, err = NewTiles(op, p, view, g.MR, channels*4); err != nil {
			return nil, err
		}
		rows = tiles.Rows
	}
	grid := NewGrid(rows, n, taps*kc, g.MR, g.NR, g.BlockN(ks, max(depth, 1)), p.Threads)
	tasks := tiles.Images * op.Groups * grid.Tasks
	lo, hi := op.Act.Bounds()
	activate := ActivationAfterClamps(op.Act, p.Tier)
	rowBytes := outChannels * 4
	k := &Kernel{
		Interruptible: true,
		WorkerScratch: tiles.Buffer,
		Parallel:      tasks,
		Choice:        fmt.Sprintf("%s %s %dx%d", g.Op, g.Tier, g.MR, g.NR),
	}
	if gather {
		k.WorkerScratch = g.MR * depth * 4
		k.Choice += " over gathered rows"
	}
	if packed != nil {
		k.Weights = bytesOf(packed.weights)
	}
	copyAt := 0 // of the padded input in the scratch memory
	if packed == nil {
		copyAt = alignBytes(4 * (packedLen + biasLen + orderLen))
	}
	k.Scratch = copyAt
	copies := 1
	if fused != nil {
		k.Scratch += fused.Bytes
		k.Choice += " over fused kernel rows"
		copies = PixelTasks(fused.Rows, fused.RowBytes/4, p.Threads)
	}
	copyRows := func(c *Call, i int, _ *Worker) {
		for r := i * fused.Rows / copies; r < (i+1)*fused.Rows/copies; r++ {
			fused.Copy(unsafe.Pointer(&c.Scratch[copyAt]), base(c.In[0]), unsafe.Pointer(&pad[0]), r)
		}
	}
	task := func(c *Call, i int, wk *Worker) {
		image, group := i/grid.Tasks/op.Groups, i/grid.Tasks%op.Groups
		m0, m1, n0, n1 := grid.Task(i % grid.Tasks)
		var pk packedConv
		if packed != nil {
			pk = *packed
		} else {
			pk.weights, pk.bias = floatsOf(c.Scratch, 0, packedLen), floatsOf(c.Scratch, packedLen, biasLen)
		}
		input := unsafe.Add(base(c.In[0]), group*kc*4)
		if fused != nil {
			input = unsafe.Pointer(&c.Scratch[copyAt])
		}
		args := &wk.Args.IGemmF32
		*args = asm.IGemmF32Args{
			Pad: unsafe.Pointer(&pad[0]), KS: ks, KC: depth, B: &pk.weights[group*groupLen+n0*ks*depth], N: n1 - n0,
			Bias: &pk.bias[group*n+n0], Lo: lo, Hi: hi, CStride: rowBytes,
		}
		next := group*groupLen + n1*ks*depth
		if n1 >= n {
			next = (group + 1) * groupLen
		}
		for m := m0; m < m1; m += tiles.Step {
			args.M = min(tiles.Step, m1-m)
			if packed != nil {
				g.Ahead(args, columnsAfter(c, pk.weights, next))
			}
			if gather {
				args.A, args.AStride = unsafe.Pointer(&wk.Scratch[0]), 4*depth
				ind.Gather(args.A, args.M, kc*4, depth*4, input, args.Pad, m)
			} else {
				args.A, args.AStride = tiles.Start(input, image, m), tiles.Stride
				args.Offsets = tiles.Offsets(wk.Scratch, m, m+args.M)
			}
			at := (image*tiles.Rows+m)*rowBytes + 4*(group*n+n0)
			args.C = (*float32)(unsafe.Add(base(c.Out[0]), at))
			if op.HasResidual {
				args.Res, args.ResStride = (*float32)(unsafe.Add(base(c.In[len(c.In)-1]), at)), rowBytes
			}
			g.Run(args)
			activate.Run(unsafe.Pointer(args.C), args.M, args.N, args.CStride)
		}
	}
	k.Run = func(c *Call) error {
		if packed == nil {
			dst := packedConv{floatsOf(c.Scratch, 0, packedLen), floatsOf(c.Scratch, packedLen, biasLen)}
			var b *tensor.Tensor
			if op.HasBias {
				b = c.In[2]
			}
			pack(&dst, floatsOf(c.Scratch, packedLen+biasLen, orderLen), c.In[1], b)
		}
		if fused != nil {
			c.Parallel(copies, copyRows)
		}
		c.Parallel(tasks, task)
		return nil
	}
	return k, nil
}

// channelsLastWeight reorders a weight [outs, channels, taps] to [outs, taps, channels] in
// dst, or returns w where both orders are one.
func channelsLastWeight(tier asm.Tier, dst, w []float32, outs, channels, taps int) []float32 {
	if taps == 1 || channels == 1 {
		return w
	}
	t, size := asm.TransposeF32For(tier), channels*taps
	for o := range outs {
		t.Run(dst[o*size:][:size], w[o*size:][:size], channels, taps, channels, taps)
	}
	return dst
}

func alignedFloats(n int) []float32 {
	if n == 0 {
		return nil
	}
	raw := tensor.AlignedBytes(n * 4)
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(raw))), n)
}

// columnsAfter returns the weights that are read after those before index at: the next ones
// of the layer, or those of the layer behind it.
func columnsAfter(c *Call, weights []float32, at int) []byte {
	if at < len(weights) {
		return bytesOf(weights[at:])
	}
	return c.Next[:min(len(c.Next), asm.WeightBlock())]
}

func bytesOf(x []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
}

// floatsOf returns n float32 values of a scratch buffer from index i on.
func floatsOf(scratch []byte, i, n int) []float32 {
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&scratch[4*i])), n)[:n:n]
}
