// Package int8 holds the operators on quantized values. All activations are
// uint8 and all weights int8 in memory: a model's signed activations and
// unsigned weights are shifted by 128 together with their zero points, which
// changes no value. Results are bit-identical on every CPU tier and for every
// number of threads; docs/numerics.md states the arithmetic.
package int8

import (
	"math"
	"slices"
	"unsafe"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// activation checks that input i is a quantized activation.
func activation(op ops.Op, in []ops.Type, i int) error {
	t := in[i]
	if t.DType != tensor.Uint8 || t.Q == nil || t.Q.Scheme.PerChannel() {
		return ops.Errorf(op, in, "input %d must be uint8, quantized per tensor", i)
	}
	return nil
}

// weightsAndBias checks the constant inputs of a layer with the given number of outputs.
func weightsAndBias(op ops.Op, in []ops.Type, outs int, hasBias bool) error {
	w := in[1]
	if w.DType != tensor.Int8 || w.Q == nil || (w.Q.Scheme.PerChannel() && w.Q.Axis != 0) {
		return ops.Errorf(op, in, "the weight must be int8, quantized per tensor or per output channel")
	}
	if n := len(w.Q.Scale); len(w.Q.ZeroPoint) != n || (n != 1 && n != outs) {
		return ops.Errorf(op, in, "%d scales for %d output channels", n, outs)
	}
	if hasBias && in[2].DType != tensor.Int32 && in[2].DType != tensor.Float32 {
		return ops.Errorf(op, in, "the bias must be int32, in units of input scale times weight scale, or float32")
	}
	if hasFloatBias(hasBias, in) && len(in) > 3 {
		return ops.Errorf(op, in, "a residual needs an int32 bias")
	}
	return nil
}

// checkResidual checks that the last input is in the form of an output with qparams
// out, which is float32 without.
func checkResidual(op ops.Op, in []ops.Type, out *tensor.QParams) error {
	last := len(in) - 1
	if out != nil {
		return activation(op, in, last)
	}
	if t := in[last]; t.DType != tensor.Float32 || t.Q != nil {
		return ops.Errorf(op, in, "the residual of a float32 output must be float32")
	}
	return nil
}

// hasFloatBias reports whether the bias is added after the accumulation, not to
// the accumulators.
func hasFloatBias(hasBias bool, in []ops.Type) bool {
	return hasBias && in[2].DType == tensor.Float32
}

// BiasScales returns which input of a layer is an int32 bias, and the scales of the sums that it is added to, one for each output: input
// scale times weight scale. The index is -1 for other operators, and where the types do not fit.
func BiasScales(op ops.Op, in []ops.Type) (int, []float32) {
	has := false
	switch op := op.(type) {
	case Conv:
		has = op.HasBias
	case Linear:
		has = op.HasBias
	}
	if !has || len(in) < 3 || in[2].DType != tensor.Int32 || activation(op, in, 0) != nil || len(in[0].Q.Scale) != 1 || in[1].Q == nil || len(in[1].Q.Scale) == 0 {
		return -1, nil
	}
	scales := make([]float32, in[2].Numel())
	for i := range scales {
		scales[i] = in[0].Q.Scale[0] * in[1].Q.Scale[i%len(in[1].Q.Scale)]
	}
	return 2, scales
}

// outputType is uint8 with qparams q or, without, float32.
//
//go:noinline
func outputType(q *tensor.QParams, shape tensor.Shape) ops.Type {
	if q == nil {
		return ops.F32(shape...)
	}
	return ops.Type{DType: tensor.Uint8, Shape: shape, Q: q}
}

// Bounds returns the interval of integers that an output quantized with q is
// clamped to, an activation included. It is never empty: where the zero point lies above
// all integers in use, an activation leaves the zero point alone.
func Bounds(q *tensor.QParams, act ops.Activation) (lo, hi int32) {
	lo, hi = q.Min, q.Max
	if act != ops.NoActivation {
		lo = max(lo, q.ZeroPoint[0])
	}
	if act == ops.ActReLU6 {
		hi = min(hi, q.Quantize(6, 0))
	}
	return lo, max(hi, lo)
}

// Multiplier returns the factor that takes an accumulator of scale sx*sw to
// scale sy, computed in float64 and rounded once.
func Multiplier(sx, sw, sy float32) float32 {
	return finite(float64(sx) * float64(sw) / float64(sy))
}

// finite rounds a multiplier, bounded so that 0 times it is 0 and that the sum of two products with integers of 9 bits is a number.
func finite(multiplier float64) float32 { return float32(min(multiplier, math.MaxFloat32/1024)) }

// layer is what conv and linear have in common: a matrix multiplication of
// groups x (rows x depth) by (depth x cols).
type layer struct {
	op               ops.Op
	p                *ops.Prepare
	g                *asm.IGemmU8S8
	pairs            *asm.IGemmU8S8 // of panels whose products may be summed by pairs in 16 bits, nil without
	most             int            // largest integer of the input
	onePacking       bool           // all panels are packed for g
	groups           int            // matrices
	cols             int            // output channels of a group
	join, allGroups  int            // groups of one matrix, and all of them, where several are joined: see joinGroups
	ks, kc           int            // positions and bytes of the kernel call, kc a multiple of 4
	taps             int            // the weight is [outs, depth/taps, taps]
	depth            int            // weights of one column, before padding to ks*kc
	rowTail          int            // weights of 0 at the end of each position
	hasBias          bool
	act              ops.Activation
	out              *tensor.QParams // nil: float32 output
	residual         bool
	dynamic          bool                  // rows of a float32 input are quantized to their own ranges
	training         *asm.RequantizeI32F32 // of outputs as training wants them, with parameters that change; nil in serving
	outChannels      int                   // of all groups
	packed           *matrix
	lo, hi           int32
	floatLo, floatHi float32
	activate         ops.ActivationRows
	resZero, zero    int32
	resMult          float32
}

// prepare makes the layer ready to run.
func (l *layer) prepare() error {
	if err := l.setParameters(); err != nil {
		return err
	}
	return l.packWeight()
}

// setParameters sets all but the packed weight, and takes plain Go's kernel where conversions of others could overflow.
func (l *layer) setParameters() error {
	in := l.p.In
	if l.training == nil && (in[1].Known == nil || l.hasBias && in[2].Known == nil) {
		return &ops.UnsupportedError{Op: l.op.Name(), Reason: "weight and bias must be constants"}
	}
	if l.out != nil {
		l.zero = l.out.ZeroPoint[0]
		l.lo, l.hi = Bounds(l.out, l.act)
	}
	l.floatLo, l.floatHi = l.act.Bounds()
	l.activate = ops.ActivationAfterClamps(l.act, l.p.Tier)
	if l.residual && l.out != nil {
		q := in[len(in)-1].Q
		l.resZero = q.ZeroPoint[0]
		l.resMult = float32(float64(q.Scale[0]) / float64(l.out.Scale[0]))
	}
	if l.out != nil && l.training == nil && !convertible(in, l.depth, l.out, l.bias(), l.resMult) {
		l.g = asm.IGemmU8S8For(asm.Generic)
	}
	return nil
}

// bias returns the bias, nil without.
func (l *layer) bias() *tensor.Tensor {
	if !l.hasBias {
		return nil
	}
	return l.p.In[2].Known
}

// packWeight packs the weight and what goes with it.
func (l *layer) packWeight() error {
	l.choosePairs()
	l.p.Repacked = repacked(l.hasBias)
	weight, bias := l.p.In[1].Known, l.bias()
	var err error
	l.packed = ops.Packed(l.p, matrixKey{weight, bias, l.g.Info, l.p.In[0].Q, l.out, l.groups, l.join, l.onePacking}, func() *matrix {
		var m *matrix
		m, err = l.pack(weight.Contiguous().Int8s(), bias)
		return m
	})
	if err == nil && l.packed == nil {
		err = &ops.UnsupportedError{Op: l.op.Name(), Reason: "its accumulators could overflow"}
	}
	return err
}

// repacked lists the inputs of a layer that its kernel keeps in a form of its own.
func repacked(hasBias bool) []int {
	if hasBias {
		return []int{1, 2}
	}
	return []int{1}
}

// convertible reports whether no output of a layer with the given depth is so far
// beyond its range that the conversion to int32, which kernels in assembly make
// before they clamp, could overflow.
func convertible(in []ops.Type, depth int, out *tensor.QParams, bias *tensor.Tensor, resMult float32) bool {
	scale := float64(in[0].Q.Scale[0]) * float64(slices.Max(in[1].Q.Scale)) / float64(out.Scale[0])
	most := float64(float64(depth)*(1<<16)*scale) + float64(256*float64(resMult))
	switch {
	case bias == nil:
	case bias.DType() == tensor.Float32:
		most += magnitude(bias.Contiguous().Float32s()) / float64(out.Scale[0])
	default:
		most += float64(magnitude(bias.Contiguous().Int32s()) * scale)
	}
	return most < 1<<30
}

// magnitude returns the largest absolute value.
func magnitude[T int32 | float32](x []T) float64 {
	most := 0.0
	for _, v := range x {
		most = max(most, math.Abs(float64(v)))
	}
	return most
}

// blockCols returns how many columns a task that reads so many positions takes at most.
func (l *layer) blockCols(positions int) int {
	return max(asm.WeightBlock()/max(positions*l.kc*l.g.NR, 1), 1) * l.g.NR
}

// scratch lays out a worker's memory: that of the kernel, then gathered rows,
// offsets, row sums and accumulators.
type scratch struct {
	rows, offsets, sums, acc, total int
}

func alignUp(n int) int { return (n + tensor.Alignment - 1) / tensor.Alignment * tensor.Alignment }

// scratch makes room for calls of at most the given numbers of rows and columns.
func (l *layer) scratch(gatheredRows, offsets, rows, columns int) scratch {
	up := alignUp
	s := scratch{rows: up(l.g.ScratchBytes(l.ks, l.kc))}
	s.offsets = s.rows + up(gatheredRows*l.kc)
	s.sums = s.offsets + up(offsets)
	s.acc = s.sums
	if l.training != nil || l.packed.wzero != nil {
		s.acc += up(4 * rows)
	}
	s.total = s.acc
	if l.training != nil {
		s.total += up(4 * rows * columns)
	}
	return s
}

// call is one call of the kernel: m rows by the columns [n0, n1) of a group.
type call struct {
	group, m, n0, n1 int
	first, taps      int            // positions that are read
	bias             []int32        // of all columns for these positions, nil for that of all positions
	input            unsafe.Pointer // where the rows begin, the group's first channel of it
	offsets          *int32         // of the rows, or nil and
	stride           int            // the bytes between them
	pad              unsafe.Pointer
	out, res         unsafe.Pointer // output and residual of the first row and the group's first column
	real             unsafe.Pointer // what a quantized output is before it is rounded, in training
	scale            *float32       // of each row that is quantized on its own, else nil
	zero             *int32
	next             []byte // weights that are read later
}

// runWith computes the outputs of a call with a kernel.
func (l *layer) runWith(k *asm.IGemmU8S8, wk *ops.Worker, s *scratch, t *call) {
	c := t.group*l.cols + t.n0
	mem := unsafe.Pointer(unsafe.SliceData(wk.Scratch))
	args := &wk.Args.IGemmU8S8
	*args = l.columns(c)
	args.A, args.Offsets, args.AStride, args.Pad, args.KS, args.KC = t.input, t.offsets, t.stride, t.pad, t.taps, l.kc
	args.B, args.BGap = l.packed.weights.Position(t.group, t.n0, t.first, l.ks), l.packed.weights.Gap(t.taps, l.ks)
	if t.bias != nil {
		args.Bias = &t.bias[c]
	}
	args.M, args.N, args.RowScale, args.Scratch = t.m, t.n1-t.n0, t.scale, mem
	k.Ahead(args, t.next)
	switch {
	case l.packed.wsum != nil:
		args.ASum, args.WZero = t.zero, &l.packed.wsum[c]
	case l.packed.wzero != nil:
		args.WZero = &l.packed.wzero[c]
		args.ASum = (*int32)(unsafe.Add(mem, s.sums))
		l.rowSums(unsafe.Slice(args.ASum, t.m), t)
	}
	if l.packed.post != nil {
		args.PostBias = &l.packed.post[c]
	}
	size := l.outSize()
	args.C = unsafe.Add(t.out, size*t.n0)
	args.CStride = size * l.outChannels
	if t.res != nil {
		args.Res = unsafe.Add(t.res, size*t.n0)
		args.ResStride = args.CStride
	}
	switch {
	case l.out == nil:
		k.Dequantize(args)
		l.activate.Run(args.C, t.m, args.N, args.CStride)
	case l.training != nil:
		l.train(k, wk, c, unsafe.Add(mem, s.acc), unsafe.Add(t.real, size*t.n0))
	default:
		k.Run(args)
	}
}

// outSize returns the bytes of an output.
func (l *layer) outSize() int {
	if l.out == nil || l.training != nil {
		return 4
	}
	return 1
}

// columns returns what kernels are told of the columns from channel c on, and of a residual but where it is.
func (l *layer) columns(c int) asm.IGemmU8S8Args {
	args := asm.IGemmU8S8Args{
		Bias: &l.packed.bias[c], Mult: &l.packed.mult[c], ResZero: l.resZero, ResMult: l.resMult,
		Zero: l.zero, Lo: l.lo, Hi: l.hi, FloatLo: l.floatLo, FloatHi: l.floatHi,
	}
	if l.packed.pre != nil {
		args.PreBias = &l.packed.pre[c]
	}
	if l.packed.zeros != nil {
		// As a residual, the zero point is added before rounding.
		args.Zero = 0
		args.Res, args.ResStride, args.ResZero, args.ResMult = unsafe.Pointer(&l.packed.zeros[0]), 0, 0, 1
	}
	return args
}

// rowSums adds up the activations of each row, which weights with a zero point need.
func (l *layer) rowSums(sums []int32, t *call) {
	kc := l.depth / l.ks // without what fills it up to a multiple of 4
	for r := range sums {
		var sum int32
		for s := range l.ks {
			var p unsafe.Pointer
			if t.offsets == nil {
				p = unsafe.Add(t.input, r*t.stride)
			} else if at := unsafe.Slice(t.offsets, (r/l.g.MR+1)*l.ks*l.g.MR)[(r/l.g.MR*l.ks+s)*l.g.MR+r%l.g.MR]; at >= 0 {
				p = unsafe.Add(t.input, int(at))
			} else {
				p = t.pad
			}
			for _, v := range unsafe.Slice((*uint8)(p), kc) {
				sum += int32(v)
			}
		}
		sums[r] = sum
	}
}

//go:noinline
func base(t *tensor.Tensor) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(t.Bytes())) }
