package int8

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// DeployedLayer computes a convolution or linear layer as its converted form, Conv or Linear, would,
// on real values and with parameters that are values too: what training runs, so that what it
// sees is what is deployed.
//
// Inputs: x float32, values that integers of X stand for, its scale and zero point; the float32 weight, and its
// scale and zero point, one or one per output channel; then the bias when the layer has one; a residual when it has one,
// with its scale and zero point where Y is set; and the scale and zero point of the output when Y is set.
// Outputs: the layer's output as float32 values of Y's integers, and what it was before it was
// rounded and bounded; without Y, the float32 output alone.
type DeployedLayer struct {
	Layer ops.Op // ops.Conv or ops.Linear
	X, W  Params
	R, Y  *Params // of a residual and of the output that are quantized, nil without
	// FloatBias adds the bias in float32 instead of rounding it to the scale of the accumulators.
	FloatBias bool
}

// Name returns "deployed.conv2d" and the like.
func (op DeployedLayer) Name() string { return "deployed." + op.Layer.Name() }

// DeployedInputs are the indices of the inputs of a DeployedLayer, -1 for those it has not.
type DeployedInputs struct {
	X, W, Bias, R, Y, N int
}

// Inputs returns which input is which. A scale follows its value, and a zero point the scale.
func (op DeployedLayer) Inputs() DeployedInputs {
	l := op.layer()
	i := DeployedInputs{X: 0, W: 3, Bias: -1, R: -1, Y: -1, N: 6}
	if l.HasBias {
		i.Bias = i.N
		i.N++
	}
	if l.HasResidual {
		i.R = i.N
		i.N++
		if op.R != nil {
			i.N += 2
		}
	}
	if op.Y != nil {
		i.Y = i.N
		i.N += 2
	}
	return i
}

// layer returns what the layer knows of itself, nothing where it is none.
func (op DeployedLayer) layer() Layer {
	if l := LayerOf(op.Layer); l != nil {
		return *l
	}
	return Layer{}
}

func (op DeployedLayer) Infer(in []ops.Type) ([]ops.Type, error) {
	at := op.Inputs()
	if len(in) != at.N {
		return nil, ops.Errorf(op, in, "it takes %d inputs", at.N)
	}
	float := []ops.Type{in[at.X], in[at.W]}
	if at.Bias >= 0 {
		float = append(float, in[at.Bias])
	}
	act, residual := op.layer().Act, op.layer().HasResidual
	if (op.R != nil) != (residual && op.Y != nil) {
		return nil, ops.Errorf(op, in, "a residual has parameters where the output has, and else none")
	}
	if residual {
		float = append(float, in[at.R])
	}
	if err := ops.CheckClamp(op, in, act); err != nil {
		return nil, err
	}
	out, err := op.Layer.Infer(float)
	if err != nil {
		return nil, err
	}
	if err := checkParams(op, in, at.X+1, 1, op.X); err != nil {
		return nil, err
	}
	if err := checkParams(op, in, at.W+1, in[at.W].Shape[0], op.W); err != nil {
		return nil, err
	}
	if op.R != nil {
		if err := checkParams(op, in, at.R+1, 1, *op.R); err != nil {
			return nil, err
		}
	}
	if op.Y == nil {
		return out[:1], nil
	}
	if err := checkParams(op, in, at.Y, 1, *op.Y); err != nil {
		return nil, err
	}
	return []ops.Type{out[0], out[0]}, nil
}

// ChannelsLast lays out x, the residual and the outputs as NHWC.
func (op DeployedLayer) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) {
	conv, ok := op.Layer.(ops.Conv)
	if !ok || conv.NHWC {
		return nil, nil, false
	}
	conv.NHWC = true
	op.Layer = conv
	if at := op.Inputs(); at.R >= 0 {
		return op, []int{at.X, at.R}, true
	}
	return op, []int{0}, true
}

// WantsChannelsLast is true of convolutions, whose kernels work on NHWC.
func (op DeployedLayer) WantsChannelsLast() bool { _, ok := op.Layer.(ops.Conv); return ok }

// deployed is a prepared DeployedLayer. Everything that depends on values lies in the scratch memory of a call.
type deployed struct {
	op         DeployedLayer
	name       string
	in         DeployedInputs
	act        ops.Activation
	gemm       *asm.IGemmU8S8
	requantize *asm.RequantizeI32F32
	quantizer  quantizer

	groups, cols, outs    int // columns of a group, and of all
	taps, channels, depth int // of a column
	ks, kc                int // positions and bytes of the kernel call
	gather                bool
	window                *ops.Indirection // nil of linear layers
	tiles                 *ops.Tiles
	step                  int // rows of a kernel call
	grid                  ops.Grid
	layout                ops.PanelLayout // of the weights, a matrix for each group
	at                    struct{ x, pad, weights, bias, mult, real, zero, flag, total int }
	mem                   struct{ rows, offsets, acc, sums, total int } // of a worker
}

// deployedRows is how many rows a kernel call computes, so that their accumulators are still in the first-level
// cache when they are requantized.
const deployedRows = 96

// maxDeployedDepth is the number of weights of a column below which no accumulator can overflow, whatever
// the values: products of 255*128, twice for the zero point of x, twice those of a weight's, and a bias of 2^29.
const maxDeployedDepth = (math.MaxInt32 - biasLimit) / (4 * 255 * 128)

// Deployable reports whether the deployed forward computes a layer of so many weights an output.
func Deployable(depth int) bool { return depth <= maxDeployedDepth }

func (op DeployedLayer) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	d := &deployed{
		op: op, name: op.Name(), in: op.Inputs(), gemm: asm.IGemmU8S8For(p.Tier),
		requantize: asm.RequantizeI32F32For(p.Tier), quantizer: newQuantizer(p.Tier, p.In[0].Numel()), groups: 1, taps: 1,
	}
	d.act = op.layer().Act
	w := p.In[d.in.W].Shape
	d.outs = w[0]
	rows := p.Out[0].Numel() / max(d.outs, 1)
	if rows*d.outs == 0 {
		return &ops.Kernel{Run: func(*ops.Call) error { return nil }, Choice: "empty", Parallel: 1}, nil
	}
	win := &ops.Window{
		Batch: 1, In: [3]int{1, 1, rows}, Out: [3]int{1, 1, rows}, Kernel: [3]int{1, 1, 1}, Stride: [3]int{1, 1, 1}, Dilation: [3]int{1, 1, 1},
	}
	d.channels = w[1]
	if layer, ok := op.Layer.(ops.Conv); ok {
		if !layer.NHWC {
			return nil, &ops.UnsupportedError{Op: op.Name(), Reason: "kernels need the channels last; compile the graph, or permute its input"}
		}
		var err error
		if win, err = layer.Window(op, []ops.Type{p.In[d.in.X], p.In[d.in.W]}); err != nil {
			return nil, err
		}
		d.groups, d.taps = layer.Groups, win.Taps()
		if d.isDepthwise() {
			return d.prepareDepthwise(p, win)
		}
	}
	d.window = ops.NewIndirection(win, d.channels*d.groups)
	d.cols, d.depth = d.outs/d.groups, d.taps*d.channels
	if !Deployable(d.depth) {
		return nil, &ops.UnsupportedError{Op: op.Name(), Reason: fmt.Sprintf("accumulators of %d weights could overflow; train it fake-quantized", d.depth)}
	}
	mr := d.gemm.MR
	d.ks, d.kc = d.taps, d.channels
	d.step = (deployedRows + mr - 1) / mr * mr
	d.gather = d.channels%4 != 0 || d.channels == 0 || d.taps > 1 && d.channels < 16
	if d.gather {
		d.ks, d.kc = 1, max(d.depth+3, 4)/4*4
		d.tiles = ops.GatheredTiles(rows, d.step)
	} else {
		var err error
		if d.tiles, err = ops.NewTiles(op, p, win, mr, d.channels*d.groups, 0); err != nil {
			return nil, err
		}
		d.step = min(d.step, d.tiles.Step)
	}
	d.grid = ops.NewGrid(d.tiles.Rows, d.cols, d.depth, mr, d.gemm.NR, max(asm.WeightBlock()/(d.ks*d.kc*d.gemm.NR), 1)*d.gemm.NR, p.Threads)
	d.layOut()
	tasks := d.tiles.Images * d.groups * d.grid.Tasks
	quantize, pack, multiply := d.quantize, d.pack, d.multiply
	return &ops.Kernel{
		Run: func(c *ops.Call) error {
			if err := d.check(c); err != nil {
				return err
			}
			d.prepareRun(c)
			c.Parallel(d.quantizer.tasks, quantize)
			c.Parallel(d.layout.Panels()*d.groups, pack)
			c.Parallel(tasks, multiply)
			return nil
		},
		Scratch:       d.at.total,
		WorkerScratch: d.mem.total,
		Choice:        fmt.Sprintf("%s %s %dx%d, quantizing", d.gemm.Op, d.gemm.Tier, d.gemm.MR, d.gemm.NR),
		Parallel:      tasks,
	}, nil
}

func alignUp(n int) int { return (n + tensor.Alignment - 1) / tensor.Alignment * tensor.Alignment }

// layOut divides the scratch memory of a call and of a worker.
func (d *deployed) layOut() {
	d.layout = ops.PanelLayout{Packing: d.gemm.Info, Matrices: d.groups, Depth: d.gemm.PanelBytes(d.ks, d.kc) / d.gemm.NR, N: d.cols}
	columns := alignUp(4 * (d.outs + d.gemm.NR))
	at, next := &d.at, 0
	for _, part := range []struct {
		at   *int
		size int
	}{
		{&at.x, d.quantizer.n + 64}, {&at.pad, max(d.kc, d.channels*d.taps) + 64}, {&at.weights, d.layout.Len()},
		{&at.bias, columns}, {&at.mult, columns}, {&at.real, columns}, {&at.zero, columns}, {&at.flag, tensor.Alignment},
	} {
		*part.at = next
		next += alignUp(part.size)
	}
	at.total = next
	m := &d.mem
	m.rows = alignUp(max(d.gemm.ScratchBytes(d.ks, d.kc), d.gemm.NR*d.ks*d.kc))
	m.offsets = m.rows
	if d.gather {
		m.offsets += alignUp(d.step * d.kc)
	}
	m.acc = m.offsets + alignUp(d.tiles.Buffer)
	m.sums = m.acc + alignUp(4*d.step*d.grid.ColStep)
	m.total = m.sums + alignUp(4*d.step)
}

// check refuses parameters that mean nothing.
func (d *deployed) check(c *ops.Call) error {
	residual := -1
	if d.op.R != nil {
		residual = d.in.R + 1
	}
	for _, i := range []int{d.in.X + 1, d.in.W + 1, residual, d.in.Y} {
		if i > 0 {
			if err := CheckLearned(d.name, c.In[i], c.In[i+1]); err != nil {
				return err
			}
		}
	}
	return nil
}

// x, y and residual return the parameters of a run.
func (d *deployed) x(c *ops.Call) steps {
	return d.op.X.at(c.In[d.in.X+1].Float32s()[0], c.In[d.in.X+2].Float32s()[0], tensor.Uint8)
}

func (d *deployed) y(c *ops.Call) steps {
	if d.op.Y == nil {
		return steps{scale: 1}
	}
	return d.op.Y.at(c.In[d.in.Y].Float32s()[0], c.In[d.in.Y+1].Float32s()[0], tensor.Uint8)
}

// weight returns the parameters of an output channel's weights. As in conversion, scales that are so small that
// a bias would not fit the accumulator are raised.
func (d *deployed) weight(c *ops.Call, channel int) steps {
	scales := c.In[d.in.W+1].Float32s()
	k := channel % len(scales)
	s := d.op.W.at(scales[k], c.In[d.in.W+2].Float32s()[k], tensor.Int8)
	if d.in.Bias < 0 || d.op.FloatBias {
		return s
	}
	bias, sx := c.In[d.in.Bias].Float32s(), d.x(c).scale
	for i := k; i < len(bias); i += len(scales) {
		s.scale = max(s.scale, LeastWeightScale(bias[i], sx))
	}
	return s
}

// LeastWeightScale returns the smallest scale of weights with which a bias fits the
// accumulators of a layer whose input has scale sx.
func LeastWeightScale(bias, sx float32) float32 {
	return float32(math.Abs(float64(bias)) / (float64(sx) * biasLimit))
}

// biasLimit is the largest integer that a bias becomes.
const biasLimit = 1 << 29

// part returns n elements of the scratch memory.
func part[T any](c *ops.Call, at, n int) []T {
	return unsafe.Slice((*T)(unsafe.Pointer(&c.Scratch[at])), n)
}

// prepareRun fills what padding points at, and notes whether weights have zero points.
func (d *deployed) prepareRun(c *ops.Call) {
	x := d.x(c)
	pad := part[uint8](c, d.at.pad, max(d.kc, d.channels*d.taps))
	for i := range pad {
		pad[i] = uint8(x.zero)
	}
	flag := part[int32](c, d.at.flag, 1)
	flag[0] = 0
	for ch := range len(c.In[d.in.W+1].Float32s()) {
		if d.weight(c, ch).zero != 0 {
			flag[0] = 1
		}
	}
}

// quantize makes integers of a part of x.
func (d *deployed) quantize(c *ops.Call, i int, w *ops.Worker) {
	d.quantizer.run(w, part[byte](c, d.at.x, d.quantizer.n), c.In[d.in.X].Float32s(), d.x(c), i)
}

// weights are the packed weights of a call.
func (d *deployed) weights(c *ops.Call) ops.Panels[int8] {
	return ops.Panels[int8]{PanelLayout: d.layout, Data: part[int8](c, d.at.weights, d.layout.Len())}
}

// pack quantizes and packs one panel of weights and computes its columns' constants, as pack of a layer does.
func (d *deployed) pack(c *ops.Call, i int, w *ops.Worker) {
	group, panel := i/d.layout.Panels(), i%d.layout.Panels()
	n0 := panel * d.gemm.NR
	n := min(d.gemm.NR, d.cols-n0)
	x, y := d.x(c), d.y(c)
	weights := c.In[d.in.W].Float32s()
	rows := unsafe.Slice((*int8)(unsafe.Pointer(unsafe.SliceData(w.Scratch))), n*d.ks*d.kc)
	if d.gather {
		clear(rows)
	}
	columns := d.outs + d.gemm.NR
	bias, mult := part[int32](c, d.at.bias, columns), part[float32](c, d.at.mult, columns)
	real, zero := part[float32](c, d.at.real, columns), part[int32](c, d.at.zero, columns)
	for j := range n {
		ch := group*d.cols + n0 + j
		s := d.weight(c, ch)
		sum := quantizeColumn(rows[j*d.ks*d.kc:], weights[ch*d.depth:(ch+1)*d.depth], d.channels, d.taps, s)
		zx, zw := int64(x.zero), int64(s.zero)
		full := -zx*sum + int64(d.depth)*zx*zw
		real[ch] = 0
		if d.in.Bias >= 0 {
			b := c.In[d.in.Bias].Float32s()[ch]
			if d.op.FloatBias {
				real[ch] = b / float32(x.scale*s.scale)
			} else {
				full += int64(int32(math.RoundToEven(float64(b) / float64(float32(x.scale*s.scale)))))
			}
		}
		bias[ch], zero[ch] = int32(full), s.zero
		mult[ch] = Multiplier(x.scale, s.scale, y.scale)
	}
	packed := d.weights(c)
	d.gemm.PackB(packed.Panel(group, panel), rows, d.ks, d.kc, n)
}

// quantizeColumn writes the integers of one output channel's weights [channels, taps] as [taps, channels], and returns their sum.
func quantizeColumn(dst []int8, w []float32, channels, taps int, s steps) int64 {
	inverse := 1 / s.scale
	lo, hi, zero := float32(s.lo-s.zero), float32(s.hi-s.zero), float32(s.zero)
	sum := int64(0)
	for ch := range channels {
		for t, v := range w[ch*taps : (ch+1)*taps] {
			q := int8(round(min(max(float32(v*inverse), lo), hi)) + zero)
			dst[t*channels+ch] = q
			sum += int64(q)
		}
	}
	return sum
}

// multiply computes one task of the output.
func (d *deployed) multiply(c *ops.Call, i int, w *ops.Worker) {
	image, group := i/d.grid.Tasks/d.groups, i/d.grid.Tasks%d.groups
	m0, m1, n0, n1 := d.grid.Task(i % d.grid.Tasks)
	ch, n := group*d.cols+n0, n1-n0
	input := unsafe.Pointer(&c.Scratch[d.at.x+group*d.channels])
	packed := d.weights(c)
	args := &w.Args.IGemmU8S8
	*args = asm.IGemmU8S8Args{
		KS: d.ks, KC: d.kc, N: n, Pad: unsafe.Pointer(&c.Scratch[d.at.pad]),
		B:    packed.At(group, n0),
		Bias: &part[int32](c, d.at.bias, d.outs)[ch], Mult: &part[float32](c, d.at.mult, d.outs)[ch],
		C: unsafe.Pointer(&w.Scratch[d.mem.acc]), CStride: 4 * n, Scratch: unsafe.Pointer(unsafe.SliceData(w.Scratch)),
	}
	args.FloatLo, args.FloatHi = d.act.Bounds()
	if d.op.FloatBias && d.in.Bias >= 0 {
		args.PreBias = &part[float32](c, d.at.real, d.outs)[ch]
	}
	sums := unsafe.Slice((*int32)(unsafe.Pointer(&w.Scratch[d.mem.sums])), d.step)
	if part[int32](c, d.at.flag, 1)[0] != 0 {
		args.ASum, args.WZero = &sums[0], &part[int32](c, d.at.zero, d.outs)[ch]
	}
	e := d.epilogue(c, ch, n, (*int32)(args.C), w)
	for m := m0; m < m1; m += d.step {
		args.M = min(d.step, m1-m)
		if d.gather {
			args.A, args.AStride = unsafe.Pointer(&w.Scratch[d.mem.rows]), d.kc
			d.window.Gather(args.A, args.M, d.channels, d.kc, input, args.Pad, m)
		} else {
			args.A, args.AStride = d.tiles.Start(input, image, m), d.tiles.Stride
			s := d.tiles.Span(m, m+args.M)
			args.Offsets = d.tiles.Offsets(w.Scratch[d.mem.offsets:], &s)
		}
		if args.ASum != nil {
			d.rowSums(sums[:args.M], args)
		}
		row := image*d.tiles.Rows + m
		if d.op.Y == nil {
			args.C, args.CStride = unsafe.Add(base(c.Out[0]), 4*(row*d.outs+ch)), 4*d.outs
			if d.in.R >= 0 {
				args.Res, args.ResStride = unsafe.Add(base(c.In[d.in.R]), 4*(row*d.outs+ch)), args.CStride
			}
			d.gemm.Dequantize(args)
			continue
		}
		d.gemm.Accumulate(args)
		e.run(row, args.M)
	}
}

// rowSums adds up the integers of x in each row, which weights with a zero point need.
func (d *deployed) rowSums(sums []int32, args *asm.IGemmU8S8Args) {
	mr, n := d.gemm.MR, d.depth/d.ks
	for r := range sums {
		sum := int32(0)
		for s := range d.ks {
			p := unsafe.Add(args.A, r*args.AStride)
			if args.Offsets != nil {
				at := unsafe.Slice(args.Offsets, (r/mr+1)*d.ks*mr)[(r/mr*d.ks+s)*mr+r%mr]
				if p = unsafe.Add(args.A, int(at)); at < 0 {
					p = args.Pad
				}
			}
			for _, v := range unsafe.Slice((*uint8)(p), n) {
				sum += int32(v)
			}
		}
		sums[r] = sum
	}
}

// epilogue turns accumulators of n columns from channel ch on into outputs.
type epilogue struct {
	d       *deployed
	args    *asm.RequantizeI32F32Args
	y, real unsafe.Pointer // row 0
	res     unsafe.Pointer
}

func (d *deployed) epilogue(c *ops.Call, ch, n int, acc *int32, w *ops.Worker) epilogue {
	if d.op.Y == nil {
		return epilogue{}
	}
	y := d.y(c)
	e := epilogue{d: d, args: &w.Args.RequantizeI32F32, y: unsafe.Add(base(c.Out[0]), 4*ch), real: unsafe.Add(base(c.Out[1]), 4*ch)}
	*e.args = asm.RequantizeI32F32Args{
		N: n, Acc: acc, AccStride: 4 * n, Mult: &part[float32](c, d.at.mult, d.outs)[ch], Scale: y.scale, YStride: 4 * d.outs,
	}
	e.args.Lo, e.args.Hi = y.bounds(d.act)
	if d.op.FloatBias && d.in.Bias >= 0 {
		e.args.Bias = &part[float32](c, d.at.real, d.outs)[ch]
	}
	if d.op.R != nil {
		r := d.op.R.at(c.In[d.in.R+1].Float32s()[0], c.In[d.in.R+2].Float32s()[0], tensor.Uint8)
		e.res = unsafe.Add(base(c.In[d.in.R]), 4*ch)
		e.args.ResStride, e.args.ResInv = 4*d.outs, 1/r.scale
		e.args.ResMult = float32(float64(r.scale) / float64(y.scale))
	}
	return e
}

// run writes rows m to m+count.
func (e *epilogue) run(m, count int) {
	at := 4 * e.d.outs * m
	e.args.M, e.args.Y, e.args.Real = count, (*float32)(unsafe.Add(e.y, at)), (*float32)(unsafe.Add(e.real, at))
	if e.res != nil {
		e.args.Res = (*float32)(unsafe.Add(e.res, at))
	}
	e.d.requantize.Run(e.args)
}
