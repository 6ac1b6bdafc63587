package int8

import (
	"fmt"
	"math"
	"slices"
	"unsafe"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// trainingRows is how many rows a kernel call computes, so that their accumulators are still in the first-level
// cache when they are requantized.
const trainingRows = 96

// Prepare prepares the operator that serves. Each run sets its parameters, quantizes input and weights, and packs these: no form of
// weights is made that takes long, and none that counts on what weights are.
func (op TrainedLayer) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	if p.Out[0].Numel() == 0 {
		return emptyKernel(), nil
	}
	r := &layerRun{op: op, name: op.Name(), in: op.Inputs(), types: p.In, threads: p.Threads, kernel: asm.QuantizeF32U8For(p.Tier)}
	v, err := r.gemm(p)
	if err != nil {
		return nil, err
	}
	var k *ops.Kernel
	if isIntegerDepthwise(v) {
		d := newIntegerDepthwise(v)
		k, r.weights, r.new = d.prepare(), d.weightBytes(), d.forCall
	} else {
		if err := v.divide(); err != nil {
			return nil, err
		}
		k, r.weights, r.new = v.kernel(), v.l.layout().Len(), v.forCall
	}
	k.Scratch = r.layOut(k.Scratch)
	k.Choice += ", quantizing"
	k.Run = func(c *ops.Call) error {
		own, _ := c.Kept.(*layerRun)
		if own == nil || &own.memory[0] != &c.Scratch[0] {
			own = r.forCall(c)
			c.Kept = own
		}
		return own.run(c)
	}
	k.Interruptible = false
	return k, nil
}

// gemm returns the layer as the operator that serves has it, with parameters that are set when it runs.
func (r *layerRun) gemm(p *ops.Prepare) (*convGemm, error) {
	op := r.op
	x, w := p.In[r.in.X], p.In[r.in.W]
	window, channels, layer := rowsWindow(p.Out[0].Numel()/w.Shape[0]), w.Shape[1], op.layer()
	if layer.Conv != nil {
		if !layer.Conv.NHWC {
			return nil, &ops.UnsupportedError{Op: op.Name(), Reason: "kernels need the channels last; compile the graph, or permute its input"}
		}
		var err error
		if window, err = layer.Conv.Window(op, []ops.Type{x, w}); err != nil {
			return nil, err
		}
		channels = x.Shape[len(x.Shape)-1]
	}
	if depth := window.Taps() * w.Shape[1]; !Trainable(depth) {
		return nil, &ops.UnsupportedError{Op: op.Name(), Reason: fmt.Sprintf("accumulators of %d weights could overflow; train it fake-quantized", depth)}
	}
	r.newParams()
	in := &ops.Prepare{In: r.inner(), Out: p.Out, Tier: p.Tier, Threads: p.Threads, Share: p.Share}
	v := newConvGemm(op, layer, r.y, in, window, channels, asm.RequantizeI32F32For(p.Tier))
	v.l.packed = v.l.newMatrix(nil)
	return v, v.l.setParameters()
}

// layerRun is a layer in training, with parameters that each run sets. What it has of a call is that of one call at a time.
type layerRun struct {
	op      TrainedLayer
	name    string
	in      TrainedInputs
	types   []ops.Type // of the inputs
	threads int
	kernel  *asm.QuantizeF32U8
	new     func(r *layerRun) trainable              // returns the operator that serves with the parameters and the memory of r
	weights int                                      // bytes of packed weights
	at      struct{ x, ints, packed, rest, end int } // in the scratch memory

	x, w, residual, y *tensor.QParams // residual and y are nil without
	serving           trainable
	memory            []byte    // of the call
	call              *ops.Call // of the operator that serves
	ints              []int8    // the weight
	bias              *tensor.Tensor
	quantize, pack    ops.Task
}

// trainable is an operator that serves, with parameters that are set before it runs.
type trainable interface {
	// setParameters takes the parameters, the weight and the bias of a run, and returns into how many parts packing is divided.
	setParameters(w []int8, bias *tensor.Tensor) (parts int, err error)
	// channels returns the output channels whose weights a part packs.
	channels(part int) (first, count int)
	pack(part int)
	run(c *ops.Call) error
}

// newParams makes the parameters that runs set.
func (r *layerRun) newParams() {
	n := r.types[r.in.W].Shape[0]
	r.x, r.y = tensor.PerTensor(tensor.Uint8, 1, 0), nil
	r.w = &tensor.QParams{DType: tensor.Int8, Scheme: r.op.W.Scheme, Scale: make([]float32, n), ZeroPoint: make([]int32, n)}
	if !r.op.W.Scheme.PerChannel() {
		r.w.Scale, r.w.ZeroPoint = r.w.Scale[:1], r.w.ZeroPoint[:1]
	}
	if r.op.R != nil {
		r.residual = tensor.PerTensor(tensor.Uint8, 1, 0)
	}
	if r.op.Y != nil {
		r.y = tensor.PerTensor(tensor.Uint8, 1, 0)
	}
}

// inner returns the types of the inputs of the operator that serves. A residual is what integers stand for.
func (r *layerRun) inner() []ops.Type {
	in := []ops.Type{
		{DType: tensor.Uint8, Shape: r.types[r.in.X].Shape, Q: r.x}, {DType: tensor.Int8, Shape: r.types[r.in.W].Shape, Q: r.w},
	}
	if r.in.Bias >= 0 {
		t := r.types[r.in.Bias]
		if !r.op.FloatBias {
			t.DType = tensor.Int32
		}
		in = append(in, t)
	}
	if r.in.R >= 0 {
		in = append(in, ops.Type{DType: tensor.Float32, Shape: r.types[r.in.R].Shape, Q: r.residual})
	}
	return in
}

// layOut divides the scratch memory, whose last part of so many bytes is that of the operator that serves, and returns its size.
func (r *layerRun) layOut(rest int) int {
	r.at.ints = alignUp(r.types[r.in.X].Numel() + 64)
	r.at.packed = r.at.ints + alignUp(r.types[r.in.W].Numel())
	r.at.rest = r.at.packed + alignUp(r.weights)
	r.at.end = r.at.rest + rest
	return r.at.end
}

// forCall returns the layer for a call's memory.
func (r *layerRun) forCall(c *ops.Call) *layerRun {
	own := *r
	own.newParams()
	own.memory = c.Scratch
	own.ints = int8s(c.Scratch[r.at.ints:][:r.types[r.in.W].Numel()])
	if r.in.Bias >= 0 && !r.op.FloatBias {
		own.bias, _ = tensor.FromSlice(make([]int32, r.types[r.in.Bias].Numel()), r.types[r.in.Bias].Numel())
	}
	own.serving = r.new(&own)
	n := r.types[r.in.X].Numel()
	x, _ := tensor.FromBytes(tensor.Uint8, c.Scratch[:n:n], n)
	own.call = &ops.Call{In: make([]*tensor.Tensor, len(own.inner())), Out: c.Out, Scratch: c.Scratch[r.at.rest:r.at.end], Workers: c.Workers, Pool: c.Pool}
	own.call.In[0] = x
	own.quantize, own.pack = own.quantizeInput, own.packPart
	return &own
}

// run computes the outputs of a call.
func (r *layerRun) run(c *ops.Call) error {
	if err := r.set(c); err != nil {
		return err
	}
	bias := r.bias
	if r.op.FloatBias && r.in.Bias >= 0 {
		bias = c.In[r.in.Bias]
	}
	parts, err := r.serving.setParameters(r.ints, bias)
	if err != nil {
		return err
	}
	if r.in.R >= 0 {
		r.call.In[len(r.call.In)-1] = c.In[r.in.R]
	}
	r.call.Out, r.call.Context, r.call.Done = c.Out, c.Context, c.Done
	c.Parallel((r.types[r.in.X].Numel()+quantizeChunk-1)/quantizeChunk, r.quantize)
	c.Parallel(parts, r.pack)
	return r.serving.run(r.call)
}

// set sets the parameters from the inputs of a call, and refuses those that mean nothing.
func (r *layerRun) set(c *ops.Call) error {
	residual := -1
	if r.residual != nil {
		residual = r.in.R + 1
	}
	for _, i := range []int{r.in.X + 1, r.in.W + 1, residual, r.in.Y} {
		if i >= 0 {
			if err := CheckLearned(r.name, c.In[i], c.In[i+1]); err != nil {
				return err
			}
		}
	}
	r.op.X.set(r.x, 0, c.In[r.in.X+1:])
	for i := range r.w.Scale {
		r.op.W.set(r.w, i, c.In[r.in.W+1:])
	}
	if r.residual != nil {
		r.op.R.set(r.residual, 0, c.In[residual:])
	}
	if r.y != nil {
		r.op.Y.set(r.y, 0, c.In[r.in.Y:])
	}
	if r.bias != nil {
		r.roundBias(c.In[r.in.Bias].Float32s())
	}
	return nil
}

// roundBias rounds the bias as conversion does: weight scales that are so small that it would not fit the accumulators are raised.
func (r *layerRun) roundBias(bias []float32) {
	sx, n := r.x.Scale[0], len(r.w.Scale)
	for i, b := range bias {
		r.w.Scale[i%n] = max(r.w.Scale[i%n], LeastWeightScale(b, sx))
	}
	for i, b := range bias {
		r.bias.Int32s()[i] = int32(math.RoundToEven(float64(b) / float64(float32(sx*r.w.Scale[i%n]))))
	}
}

// quantizeInput makes integers of a part of x.
func (r *layerRun) quantizeInput(c *ops.Call, i int, wk *ops.Worker) {
	x := c.In[r.in.X].Float32s()
	from := i * quantizeChunk
	wk.Args.QuantizeF32U8 = asm.QuantizeF32U8Args{
		N: min(quantizeChunk, len(x)-from), X: &x[from], Q: &c.Scratch[from], Inv: 1 / r.x.Scale[0], Zero: r.x.ZeroPoint[0], Lo: r.x.Min, Hi: r.x.Max,
	}
	r.kernel.Run(&wk.Args.QuantizeF32U8)
}

// packPart quantizes and packs a part of the weights.
func (r *layerRun) packPart(c *ops.Call, part int, wk *ops.Worker) {
	first, count := r.serving.channels(part)
	if count <= 0 {
		return
	}
	w, depth := c.In[r.in.W].Float32s(), len(r.ints)/r.types[r.in.W].Shape[0]
	for ch := first; ch < first+count; ch++ {
		k := ch % len(r.w.Scale)
		wk.Args.QuantizeF32U8 = asm.QuantizeF32U8Args{
			N: depth, X: &w[ch*depth], Q: (*uint8)(unsafe.Pointer(&r.ints[ch*depth])), Inv: 1 / r.w.Scale[k],
			Zero: r.w.ZeroPoint[k] + 128, Lo: r.w.Min + 128, Hi: r.w.Max + 128,
		}
		r.kernel.Run(&wk.Args.QuantizeF32U8)
	}
	turnSigns(bytesOf(r.ints[first*depth:][:count*depth]))
	r.serving.pack(part)
}

// turnSigns takes bytes of uint8 to those of int8 that are 128 less.
func turnSigns(b []byte) {
	n := len(b) / 8
	for i := range unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(b))), n) {
		p := (*uint64)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), 8*i))
		*p ^= 0x8080808080808080
	}
	for i := 8 * n; i < len(b); i++ {
		b[i] ^= 0x80
	}
}

// trainedGemm is a matrix multiplication with parameters that change.
type trainedGemm struct {
	*convGemm
	k      *packing
	kernel *ops.Kernel
}

// withParameters returns a copy with the parameters of r, whose weights will be packed in data.
func (v *convGemm) withParameters(r *layerRun, data []int8) *convGemm {
	own, l, p := *v, *v.l, *v.l.p
	p.In = r.inner()
	l.p, l.out = &p, r.y
	l.packed = l.newMatrix(data)
	own.l, own.pad = &l, slices.Clone(v.pad)
	return &own
}

// forCall implements layerRun.new.
func (v *convGemm) forCall(r *layerRun) trainable {
	own := v.withParameters(r, int8s(r.memory[r.at.packed:][:r.weights:r.weights]))
	return &trainedGemm{own, newPacking(own.l, own.l.packed), own.kernel()}
}

func (t *trainedGemm) setParameters(w []int8, bias *tensor.Tensor) (int, error) {
	err := t.l.setParameters()
	t.fillPad()
	t.k.start(w, bias)
	return len(t.k.failed), err
}

func (t *trainedGemm) channels(part int) (first, count int) { return t.k.columns(part) }

func (t *trainedGemm) pack(part int) { t.k.panel(part) }

func (t *trainedGemm) run(c *ops.Call) error {
	if err := t.k.finish(); err != nil {
		return err
	}
	return t.kernel.Run(c)
}

// train stores accumulators of a kernel call as training wants them: the results, and at real what they were before they were rounded.
func (l *layer) train(k *asm.IGemmU8S8, wk *ops.Worker, channel int, acc, real unsafe.Pointer) {
	args := &wk.Args.IGemmU8S8
	y, stride, residual := args.C, args.CStride, args.Res
	args.C, args.CStride, args.Res = acc, 4*args.N, nil
	k.Accumulate(args)
	l.requantize(wk, channel, args.M, args.N, (*int32)(acc), y, real, residual, stride)
}

// requantize stores rows of n accumulators from an output channel on.
func (l *layer) requantize(wk *ops.Worker, channel, rows, n int, acc *int32, y, real, residual unsafe.Pointer, stride int) {
	args := &wk.Args.RequantizeI32F32
	*args = asm.RequantizeI32F32Args{
		M: rows, N: n, Acc: acc, AccStride: 4 * n, Mult: &l.packed.mult[channel], Scale: l.out.Scale[0],
		Lo: float32(l.lo - l.zero), Hi: float32(l.hi - l.zero), Y: (*float32)(y), Real: (*float32)(real), YStride: stride,
	}
	if l.packed.pre != nil {
		args.Bias = &l.packed.pre[channel]
	}
	if residual != nil {
		args.Res, args.ResStride, args.ResMult = (*float32)(residual), stride, l.resMult
		args.ResInv = 1 / l.p.In[len(l.p.In)-1].Q.Scale[0]
	}
	l.training.Run(args)
}
