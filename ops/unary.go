package ops

import (
	"fmt"

	"github.com/octet-ml/octet/tensor"
)

// UnaryFn is a function of one element.
type UnaryFn uint8

// The functions, named as PyTorch's are. Those with parameters take them from
// Unary's Alpha and Beta, here called a and b.
const (
	ReLU UnaryFn = iota
	ReLU6
	Clamp    // between a and b
	ClampMin // a or more
	ClampMax // a or less
	Neg
	Abs
	Sign
	Square
	Floor
	Ceil
	Round // half to even; its gradient is a: 1 passes it straight through, as of fake quantization
	Trunc
	Exp
	Exp2
	Expm1
	Log
	Log2
	Log10
	Log1p
	Sqrt
	Rsqrt
	Reciprocal
	Sin
	Cos
	Tan
	Asin
	Acos
	Atan
	Sinh
	Cosh
	Tanh
	Asinh
	Acosh
	Atanh
	Erf
	Erfc
	Sigmoid
	LogSigmoid
	GELU
	GELUTanh // the approximation with tanh
	SiLU
	Mish
	Softplus // ln(1+exp(a*x))/a, x itself where a*x > b
	Softsign
	HardSwish
	HardSigmoid
	Hardshrink // 0 between -a and a
	Softshrink // toward 0 by a
	LeakyReLU  // a*x below 0
	Threshold  // b unless above a
	ELU        // a*(exp(x)-1) below 0
	SELU
	CELU // a*(exp(x/a)-1) below 0
	IsNaN
	IsInf
	IsFinite
	LogicalNot
	BitwiseNot
	SignBit   // of negative numbers, -0 and NaN with the sign
	LGamma    // ln|gamma(x)|
	Digamma   // the derivative of LGamma
	Polygamma // derivative a of Digamma
	ErfInv
	Erfcx   // exp(x^2) erfc(x)
	Ndtri   // the inverse of the normal distribution
	LogNdtr // the logarithm of the normal distribution
	Entr    // -x ln x
	I0      // the modified Bessel functions of the first kind of order 0 and 1, and times exp(-|x|)
	I0e
	I1
	I1e
	J0 // the Bessel functions of the first and second kind, NaN at infinity
	J1
	Y0
	Y1
	SphericalJ0 // sin(x) / x
	numUnaryFns
)

// unaryKind says which element types a function takes and gives.
type unaryKind uint8

const (
	keepsType  unaryKind = iota // numbers, and gives their type
	givesFloat                  // integers and bool as float32
	floatsOnly
	givesBool
	bitsOnly // integers and bool
)

// unaryFunction describes a function: its definition on floats with the
// parameters a and b, and on integers where it keeps their type. A function
// without an integer definition leaves integers as they are.
type unaryFunction struct {
	name  string
	kind  unaryKind
	float func(x, a, b float64) float64
	int   func(x int64) int64
	test  func(x float64) bool
}

// String returns PyTorch's name of the function: "relu".
//
//go:noinline
func (f UnaryFn) String() string {
	if f < numUnaryFns {
		return unaryFunctions[f].name
	}
	return fmt.Sprintf("UnaryFn(%d)", uint8(f))
}

// MarshalText returns the name.
func (f UnaryFn) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText takes a name that String gives.
func (f *UnaryFn) UnmarshalText(text []byte) error {
	for i := range unaryFunctions {
		if unaryFunctions[i].name == string(text) {
			*f = UnaryFn(i)
			return nil
		}
	}
	return fmt.Errorf("unknown function %q of one element", text)
}

// Unary computes a function of every element, in any layout. Functions that
// PyTorch defines on floats give float32 for integers and bool.
type Unary struct {
	Fn          UnaryFn
	Alpha, Beta float64
}

// UnaryAttributes are the attributes of Unary without its methods, for operators that share only those.
type UnaryAttributes Unary

func (op Unary) Name() string { return op.Fn.String() }

// String shows the parameters in dumps.
func (op Unary) String() string {
	switch op.Fn {
	case Clamp, Softplus, Threshold:
		return fmt.Sprintf("%v(%g, %g)", op.Fn, op.Alpha, op.Beta)
	case Polygamma:
		return fmt.Sprintf("%v(%g)", op.Fn, op.Alpha)
	case Round:
		if op.Alpha == 0 {
			return op.Fn.String()
		}
		fallthrough
	case ClampMin, ClampMax, Hardshrink, Softshrink, LeakyReLU, ELU, CELU:
		return fmt.Sprintf("%v(%g)", op.Fn, op.Alpha)
	}
	return op.Fn.String()
}

func (op Unary) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	if op.Fn >= numUnaryFns {
		return nil, Errorf(op, in, "no such function")
	}
	t := in[0]
	if t.Q != nil {
		return nil, Errorf(op, in, "quantized values have no float arithmetic: dequantize first")
	}
	out := Type{DType: t.DType, Shape: t.Shape}
	switch kind := unaryFunctions[op.Fn].kind; {
	case kind == givesBool:
		out.DType = tensor.Bool
	case kind == bitsOnly && t.DType.IsFloat():
		return nil, Errorf(op, in, "bits of floats are not inverted")
	case kind == floatsOnly && !t.DType.IsFloat():
		return nil, Errorf(op, in, "it is defined on floats only")
	case t.DType == tensor.Bool && op.Fn == Square:
		out.DType = tensor.Int64
	case t.DType == tensor.Bool && (kind == keepsType && op.Fn != Sign || op.Fn == Softsign):
		return nil, Errorf(op, in, "it is not defined on bool")
	case kind == givesFloat && !t.DType.IsFloat():
		out.DType = tensor.Float32
	}
	if op.Fn == Softshrink && !(op.Alpha >= 0) {
		return nil, Errorf(op, in, "it needs a width of 0 or more, not %v", op.Alpha)
	}
	return fold(op, in, out)
}

func (op Unary) Prepare(p *Prepare) (*Kernel, error) {
	in, out := p.In[0].DType, p.Out[0].DType
	if unaryFunctions[op.Fn].kind == givesBool {
		switch computeType(in) {
		case tensor.Float32:
			return prepareTest[float32](op, p), nil
		case tensor.Float64:
			return prepareTest[float64](op, p), nil
		}
		return prepareTest[int64](op, p), nil
	}
	switch computeType(out) {
	case tensor.Float32:
		return prepareUnary(p, floatRow[float32](op, p.Tier)), nil
	case tensor.Float64:
		return prepareUnary(p, floatRow[float64](op, p.Tier)), nil
	}
	return prepareUnary(p, intRow(op, in == tensor.Bool)), nil
}

func prepareUnary[W compute](p *Prepare, compute func(dst, src []W)) *Kernel {
	out := p.Out[0]
	r := newRows(out.Shape, out.Shape.Strides())
	src, dst := newSource[W](p.In[0].DType, computeTypeOf[W](), 1), newSink[W](out.DType)
	part := bufferLen
	if src.direct && dst.direct {
		part = max(r.chunk, 1)
	}
	task := func(c *Call, i int, w *Worker) {
		buf := buffers[W](w, 2)
		from, to := base(c.In[0]), base(c.Out[0])
		r.each(i, func(o int, in [maxOperands]int, n int) {
			for k := 0; k < n; k += part {
				m := min(part, n-k)
				d := dst.room(to, o+k, m, buf[bufferLen:])
				compute(d, src.take(from, in[0], k, m, buf[:bufferLen]))
				dst.put(to, o+k, d)
			}
		})
	}
	k := r.kernel("rows", task)
	k.WorkerScratch = bufferBytes[W](2)
	return k
}

// prepareTest prepares a function that gives bool.
func prepareTest[W compute](op Unary, p *Prepare) *Kernel {
	r := newRows(p.Out[0].Shape, p.Out[0].Shape.Strides())
	src := newSource[W](p.In[0].DType, computeTypeOf[W](), 1)
	test := unaryFunctions[op.Fn].test
	task := func(c *Call, i int, w *Worker) {
		buf := buffers[W](w, 1)
		from, to := base(c.In[0]), base(c.Out[0])
		r.each(i, func(o int, in [maxOperands]int, n int) {
			for k := 0; k < n; k += bufferLen {
				m := min(bufferLen, n-k)
				dst := row[bool](to, o+k, m)
				for j, x := range src.take(from, in[0], k, m, buf) {
					dst[j] = test(float64(x))
				}
			}
		})
	}
	k := r.kernel("rows", task)
	k.WorkerScratch = bufferBytes[W](1)
	return k
}

// ChannelsLast is the same operator.
func (op Unary) ChannelsLast(in []Type) (Op, []int, bool) {
	return op, []int{0}, len(in[0].Shape) >= 3
}
