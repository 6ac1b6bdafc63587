package ops

import (
	"fmt"

	"github.com/octet-ml/octet/tensor"
)

// BinaryFn is a function of two elements.
type BinaryFn uint8

// The functions, named as PyTorch's are: torch.add, torch.eq, torch.logical_and.
const (
	Add BinaryFn = iota
	Sub
	Mul
	Div       // true division: integers give float32
	FloorDiv  // rounds toward minus infinity
	TruncDiv  // rounds toward zero
	Remainder // has the sign of the divisor
	Fmod      // has the sign of the dividend
	Pow
	Max // a NaN wins
	Min // a NaN wins
	Atan2
	IGamma // the lower regularized incomplete gamma function P(a, x), and the upper one
	IGammaC
	Zeta // Hurwitz's zeta function
	Eq
	Ne
	Lt
	Le
	Gt
	Ge
	BitAnd
	BitOr
	BitXor
	GCD // the greatest common divisor of integers, not negative
	LogicalAnd
	LogicalOr
	LogicalXor
	numBinaryFns
)

var binaryNames = [numBinaryFns]string{
	"add", "sub", "mul", "div", "floor_divide", "trunc_divide", "remainder", "fmod", "pow", "maximum", "minimum", "atan2", "igamma", "igammac", "special_zeta",
	"eq", "ne", "lt", "le", "gt", "ge", "bitwise_and", "bitwise_or", "bitwise_xor", "gcd", "logical_and", "logical_or", "logical_xor",
}

// String returns PyTorch's name of the function: "add".
//
//go:noinline
func (f BinaryFn) String() string {
	if f < numBinaryFns {
		return binaryNames[f]
	}
	return fmt.Sprintf("BinaryFn(%d)", uint8(f))
}

// MarshalText returns the name.
func (f BinaryFn) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText takes a name that String gives.
func (f *BinaryFn) UnmarshalText(text []byte) error {
	for i, name := range binaryNames {
		if name == string(text) {
			*f = BinaryFn(i)
			return nil
		}
	}
	return fmt.Errorf("unknown function %q of two elements", text)
}

func (f BinaryFn) compares() bool { return f >= Eq && f <= Ge }
func (f BinaryFn) logical() bool  { return f >= LogicalAnd && f <= LogicalXor }
func (f BinaryFn) bitwise() bool  { return f >= BitAnd && f <= GCD }

// givesFloat reports whether the function makes float32 of integers.
func (f BinaryFn) givesFloat() bool { return f == Div || f >= Atan2 && f <= Zeta }

// divides reports whether integers may not be divided by zero.
func (f BinaryFn) divides() bool { return f >= FloorDiv && f <= Fmod }

// Binary computes a function of two values element by element, with PyTorch's
// broadcasting and type promotion: tensors with dimensions decide the element
// type before 0-d tensors, and those before Python numbers, unless the weaker
// operand's category (bool, integer, float) is higher. Comparisons and logical functions
// give bool.
type Binary struct {
	Fn  BinaryFn
	Act Activation // of a float result
	// ANumber and BNumber say that an input is a Python number, not a 0-d tensor.
	ANumber, BNumber bool
	// NHWC says that dimensions of the output are ordered NHWC. An input of lower
	// rank than the output still aligns with its dimensions in the order NCHW.
	NHWC bool
}

//go:noinline
func (op Binary) Name() string { return op.Fn.String() }

func (op Binary) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 2, 2); err != nil {
		return nil, err
	}
	if op.Fn >= numBinaryFns {
		return nil, Errorf(op, in, "no such function")
	}
	shape, err := broadcastShape(in, op.NHWC)
	if err != nil {
		return nil, Errorf(op, in, "%v", err)
	}
	common, err := op.common(in)
	if err != nil {
		return nil, err
	}
	out := Type{DType: common, Shape: shape}
	if op.Fn.compares() || op.Fn.logical() {
		out.DType = tensor.Bool
	}
	if err := CheckClamp(op, in, op.Act); err != nil {
		return nil, err
	}
	if op.Act != NoActivation && !out.DType.IsFloat() {
		return nil, Errorf(op, in, "%v follows float results only", op.Act)
	}
	return fold(op, in, out)
}

// common returns the element type the function is computed in.
func (op Binary) common(in []Type) (tensor.DType, error) {
	fail := func(reason string) (tensor.DType, error) { return tensor.Invalid, Errorf(op, in, "%s", reason) }
	for i, t := range in {
		if t.Q != nil {
			return fail("quantized values have no float arithmetic: dequantize first")
		}
		if number := [...]bool{op.ANumber, op.BNumber}[i]; number && len(t.Shape) != 0 {
			return fail("a Python number has no dimensions")
		}
	}
	a, b := in[0].DType, in[1].DType
	d := resultType([]operand{{a, len(in[0].Shape), op.ANumber}, {b, len(in[1].Shape), op.BNumber}})
	switch {
	case d == tensor.Invalid:
		return fail("these element types have no common one")
	case op.Fn == Sub && (a == tensor.Bool || b == tensor.Bool):
		return fail("bool values are not subtracted")
	case op.Fn.bitwise() && d.IsFloat():
		return fail("bits of floats are not combined")
	case d == tensor.Bool && (op.Fn.divides() || op.Fn == Pow):
		return fail("bool has no such function")
	case op.Fn == Pow && op.BNumber && !d.IsFloat():
		if e, ok := knownInts(in[1]); ok && e[0] < 0 {
			return fail("integers have no negative powers")
		}
	case op.Fn.givesFloat() && !d.IsFloat():
		d = tensor.Float32
	}
	return d, nil
}

func (op Binary) Prepare(p *Prepare) (*Kernel, error) {
	common, err := op.common(p.In)
	if err != nil {
		return nil, err
	}
	if op.Fn.logical() {
		// Each input is compared with zero in its own type.
		common = Promote(computeType(p.In[0].DType), computeType(p.In[1].DType))
	}
	switch computeType(common) {
	case tensor.Float32:
		if k := op.prepareFloat32(p); k != nil {
			return k, nil
		}
		return prepareBinary[float32](op, p, common), nil
	case tensor.Float64:
		return prepareBinary[float64](op, p, common), nil
	}
	return prepareBinary[int64](op, p, common), nil
}

// binaryRow computes a row; a or b has one element where it is the same for
// the whole row.
type binaryRow[W compute, R any] func(dst []R, a, b []W)

func prepareBinary[W compute](op Binary, p *Prepare, common tensor.DType) *Kernel {
	out := p.Out[0]
	_, as := align(p.In[0].Shape, len(out.Shape), op.NHWC)
	_, bs := align(p.In[1].Shape, len(out.Shape), op.NHWC)
	r := newRows(out.Shape, as, bs)
	a, b := newSource[W](p.In[0].DType, common, r.step[0]), newSource[W](p.In[1].DType, common, r.step[1])
	dst := newSink[W](out.DType)
	part := r.chunk
	if !a.direct || !b.direct || !dst.direct || op.Act != NoActivation {
		part = min(part, bufferLen)
	}
	part = max(part, 1)
	var task Task
	if out.DType == tensor.Bool && (op.Fn.compares() || op.Fn.logical()) {
		compute := compareRow[W](op.Fn)
		task = func(c *Call, i int, w *Worker) {
			buf := buffers[W](w, 2)
			pa, pb, po := base(c.In[0]), base(c.In[1]), base(c.Out[0])
			r.each(i, func(o int, in [maxOperands]int, n int) {
				for k := 0; k < n; k += part {
					m := min(part, n-k)
					compute(row[bool](po, o+k, m), a.take(pa, in[0], k, m, buf[:bufferLen]), b.take(pb, in[1], k, m, buf[bufferLen:]))
				}
			})
		}
	} else {
		compute := arithmeticRow[W](op.Fn, common, op.BNumber)
		activate := activationRow[W](op.Act)
		task = func(c *Call, i int, w *Worker) {
			buf := buffers[W](w, 3)
			pa, pb, po := base(c.In[0]), base(c.In[1]), base(c.Out[0])
			r.each(i, func(o int, in [maxOperands]int, n int) {
				for k := 0; k < n; k += part {
					m := min(part, n-k)
					d := dst.room(po, o+k, m, buf[2*bufferLen:])
					compute(d, a.take(pa, in[0], k, m, buf[:bufferLen]), b.take(pb, in[1], k, m, buf[bufferLen:2*bufferLen]))
					if activate != nil {
						activate(d)
					}
					dst.put(po, o+k, d)
				}
			})
		}
	}
	k := r.kernel("rows of "+common.String(), task)
	k.WorkerScratch = bufferBytes[W](3)
	if op.Fn.divides() && !common.IsFloat() {
		run := k.Run
		k.Run = func(c *Call) error {
			if r.tasks > 0 && hasZero(c.In[1]) {
				return &ValueError{Op: op.Name(), Reason: "integer division by zero"}
			}
			return run(c)
		}
	}
	return k
}

// activationRow returns the function that applies an activation in place, or nil.
func activationRow[W compute](act Activation) func([]W) {
	switch act {
	case ActReLU:
		return func(x []W) {
			for i, v := range x {
				if v < 0 {
					x[i] = 0
				}
			}
		}
	case ActReLU6:
		return func(x []W) {
			for i, v := range x {
				if v < 0 {
					x[i] = 0
				} else if v > 6 {
					x[i] = 6
				}
			}
		}
	}
	return nil
}

// hasZero reports whether an integer tensor has an element 0.
func hasZero(t *tensor.Tensor) bool {
	raw, size := t.Bytes(), t.DType().Size()
	for ; len(raw) > 0; raw = raw[size:] {
		zero := true
		for _, b := range raw[:size] {
			zero = zero && b == 0
		}
		if zero {
			return true
		}
	}
	return false
}

// ChannelsLast keeps inputs of lower rank as they are.
func (op Binary) ChannelsLast(in []Type) (Op, []int, bool) {
	inputs, ok := channelsLastInputs(in)
	if op.NHWC {
		return nil, nil, false
	}
	op.NHWC = true
	return op, inputs, ok
}
