package ops

import (
	"math"

	"github.com/octet-ml/octet/ops/asm"
)

// unaryFunctions defines the functions, in the order of UnaryFn. It is filled
// once and never changed.
var unaryFunctions = [numUnaryFns]unaryFunction{
	ReLU:        {name: "relu", float: func(x, _, _ float64) float64 { return atLeast(x, 0) }, int: func(x int64) int64 { return max(x, 0) }},
	ReLU6:       {name: "relu6", float: func(x, _, _ float64) float64 { return atMost(atLeast(x, 0), 6) }, int: func(x int64) int64 { return min(max(x, 0), 6) }},
	Clamp:       {name: "clamp", float: func(x, a, b float64) float64 { return atMost(atLeast(x, a), b) }},
	ClampMin:    {name: "clamp_min", float: func(x, a, _ float64) float64 { return atLeast(x, a) }},
	ClampMax:    {name: "clamp_max", float: func(x, a, _ float64) float64 { return atMost(x, a) }},
	Neg:         {name: "neg", float: func(x, _, _ float64) float64 { return -x }, int: func(x int64) int64 { return -x }},
	Abs:         {name: "abs", float: func(x, _, _ float64) float64 { return math.Abs(x) }, int: func(x int64) int64 { return max(x, -x) }},
	Sign:        {name: "sign", float: func(x, _, _ float64) float64 { return sign(x) }, int: func(x int64) int64 { return min(max(x, -1), 1) }},
	Square:      {name: "square", float: func(x, _, _ float64) float64 { return x * x }, int: func(x int64) int64 { return x * x }},
	Floor:       {name: "floor", float: func(x, _, _ float64) float64 { return math.Floor(x) }},
	Ceil:        {name: "ceil", float: func(x, _, _ float64) float64 { return math.Ceil(x) }},
	Round:       {name: "round", float: func(x, _, _ float64) float64 { return math.RoundToEven(x) }},
	Trunc:       {name: "trunc", float: func(x, _, _ float64) float64 { return math.Trunc(x) }},
	Exp:         {name: "exp", kind: givesFloat, float: func(x, _, _ float64) float64 { return math.Exp(x) }},
	Exp2:        {name: "exp2", kind: givesFloat, float: func(x, _, _ float64) float64 { return math.Exp2(x) }},
	Expm1:       {name: "expm1", kind: givesFloat, float: func(x, _, _ float64) float64 { return math.Expm1(x) }},
	Log:         {name: "log", kind: givesFloat, float: func(x, _, _ float64) float64 { return math.Log(x) }},
	Log2:        {name: "log2", kind: givesFloat, float: func(x, _, _ float64) float64 { return math.Log2(x) }},
	Log10:       {name: "log10", kind: givesFloat, float: func(x, _, _ float64) float64 { return math.Log10(x) }},
	Log1p:       {name: "log1p", kind: givesFloat, float: func(x, _, _ float64) float64 { return math.Log1p(x) }},
	Sqrt:        {name: "sqrt", kind: givesFloat, float: func(x, _, _ float64) float64 { return math.Sqrt(x) }},
	Rsqrt:       {name: "rsqrt", kind: givesFloat, float: func(x, _, _ float64) float64 { return 1 / math.Sqrt(x) }},
	Reciprocal:  {name: "reciprocal", kind: givesFloat, float: func(x, _, _ float64) float64 { return 1 / x }},
	Sin:         {name: "sin", kind: givesFloat, float: func(x, _, _ float64) float64 { return math.Sin(x) }},
	Cos:         {name: "cos", kind: givesFloat, float: func(x, _, _ float64) float64 { return math.Cos(x) }},
	Tan:         {name: "tan", kind: givesFloat, float: func(x, _, _ float64) float64 { return math.Tan(x) }},
	Asin:        {name: "asin", kind: givesFloat, float: func(x, _, _ float64) float64 { return math.Asin(x) }},
	Acos:        {name: "acos", kind: givesFloat, float: func(x, _, _ float64) float64 { return math.Acos(x) }},
	Atan:        {name: "atan", kind: givesFloat, float: func(x, _, _ float64) float64 { return math.Atan(x) }},
	Sinh:        {name: "sinh", kind: givesFloat, float: func(x, _, _ float64) float64 { return math.Sinh(x) }},
	Cosh:        {name: "cosh", kind: givesFloat, float: func(x, _, _ float64) float64 { return math.Cosh(x) }},
	Tanh:        {name: "tanh", kind: givesFloat, float: func(x, _, _ float64) float64 { return math.Tanh(x) }},
	Asinh:       {name: "asinh", kind: givesFloat, float: func(x, _, _ float64) float64 { return math.Asinh(x) }},
	Acosh:       {name: "acosh", kind: givesFloat, float: func(x, _, _ float64) float64 { return math.Acosh(x) }},
	Atanh:       {name: "atanh", kind: givesFloat, float: func(x, _, _ float64) float64 { return math.Atanh(x) }},
	Erf:         {name: "erf", kind: givesFloat, float: func(x, _, _ float64) float64 { return math.Erf(x) }},
	Erfc:        {name: "erfc", kind: givesFloat, float: func(x, _, _ float64) float64 { return math.Erfc(x) }},
	Sigmoid:     {name: "sigmoid", kind: givesFloat, float: func(x, _, _ float64) float64 { return sigmoid(x) }},
	LogSigmoid:  {name: "log_sigmoid", kind: floatsOnly, float: func(x, _, _ float64) float64 { return atMost(x, 0) - math.Log1p(math.Exp(-math.Abs(x))) }},
	GELU:        {name: "gelu", kind: floatsOnly, float: func(x, _, _ float64) float64 { return 0.5 * x * (1 + math.Erf(x*(1/math.Sqrt2))) }},
	GELUTanh:    {name: "gelu_tanh", kind: floatsOnly, float: func(x, _, _ float64) float64 { return geluTanh(x) }},
	SiLU:        {name: "silu", kind: floatsOnly, float: func(x, _, _ float64) float64 { return x / (1 + math.Exp(-x)) }},
	Mish:        {name: "mish", kind: floatsOnly, float: func(x, _, _ float64) float64 { return x * math.Tanh(math.Log1p(math.Exp(x))) }},
	Softplus:    {name: "softplus", kind: floatsOnly, float: softplus},
	Softsign:    {name: "softsign", kind: givesFloat, float: func(x, _, _ float64) float64 { return x / (1 + math.Abs(x)) }},
	HardSwish:   {name: "hardswish", kind: floatsOnly, float: func(x, _, _ float64) float64 { return x * atMost(atLeast(x+3, 0), 6) / 6 }},
	HardSigmoid: {name: "hardsigmoid", kind: floatsOnly, float: func(x, _, _ float64) float64 { return atMost(atLeast(x+3, 0), 6) / 6 }},
	Hardshrink:  {name: "hardshrink", kind: floatsOnly, float: hardshrink},
	Softshrink:  {name: "softshrink", kind: floatsOnly, float: softshrink},
	LeakyReLU:   {name: "leaky_relu", kind: floatsOnly, float: leakyReLU},
	Threshold:   {name: "threshold", float: threshold},
	ELU:         {name: "elu", kind: floatsOnly, float: elu},
	SELU:        {name: "selu", kind: floatsOnly, float: func(x, _, _ float64) float64 { return seluScale * elu(x, seluAlpha, 0) }},
	CELU:        {name: "celu", kind: floatsOnly, float: func(x, a, _ float64) float64 { return elu(x/a, 1, 0) * a }},
	IsNaN:       {name: "isnan", kind: givesBool, test: func(x float64) bool { return x != x }},
	IsInf:       {name: "isinf", kind: givesBool, test: func(x float64) bool { return math.IsInf(x, 0) }},
	IsFinite:    {name: "isfinite", kind: givesBool, test: func(x float64) bool { return x-x == 0 }},
	LogicalNot:  {name: "logical_not", kind: givesBool, test: func(x float64) bool { return x == 0 }},
	SignBit:     {name: "signbit", kind: givesBool, test: math.Signbit},
	LGamma:      {name: "lgamma", kind: givesFloat, float: func(x, _, _ float64) float64 { return lgamma(x) }},
	Digamma:     {name: "digamma", kind: givesFloat, float: func(x, _, _ float64) float64 { return digamma(x) }},
	Polygamma:   {name: "polygamma", kind: givesFloat, float: func(x, a, _ float64) float64 { return polygamma(a, x) }},
	ErfInv:      {name: "erfinv", kind: givesFloat, float: func(x, _, _ float64) float64 { return math.Erfinv(x) }},
	Erfcx:       {name: "special_erfcx", kind: givesFloat, float: func(x, _, _ float64) float64 { return erfcx(x) }},
	Ndtri:       {name: "special_ndtri", kind: givesFloat, float: func(x, _, _ float64) float64 { return ndtri(x) }},
	LogNdtr:     {name: "special_log_ndtr", kind: givesFloat, float: func(x, _, _ float64) float64 { return logNdtr(x) }},
	Entr:        {name: "special_entr", kind: givesFloat, float: func(x, _, _ float64) float64 { return entropy(x) }},
	I0:          {name: "i0", kind: givesFloat, float: func(x, _, _ float64) float64 { return besselI(0, x) * math.Exp(math.Abs(x)) }},
	I0e:         {name: "special_i0e", kind: givesFloat, float: func(x, _, _ float64) float64 { return besselI(0, x) }},
	I1:          {name: "special_i1", kind: givesFloat, float: func(x, _, _ float64) float64 { return besselI(1, x) * math.Exp(math.Abs(x)) }},
	I1e:         {name: "special_i1e", kind: givesFloat, float: func(x, _, _ float64) float64 { return besselI(1, x) }},
	J0:          {name: "special_bessel_j0", kind: givesFloat, float: func(x, _, _ float64) float64 { return math.J0(x) + (x - x) }},
	J1:          {name: "special_bessel_j1", kind: givesFloat, float: func(x, _, _ float64) float64 { return math.J1(x) + (x - x) }},
	Y0:          {name: "special_bessel_y0", kind: givesFloat, float: func(x, _, _ float64) float64 { return math.Y0(x) + (x - x) }},
	Y1:          {name: "special_bessel_y1", kind: givesFloat, float: func(x, _, _ float64) float64 { return math.Y1(x) + (x - x) }},
	SphericalJ0: {name: "special_spherical_bessel_j0", kind: givesFloat, float: func(x, _, _ float64) float64 { return sphericalJ0(x) }},
	BitwiseNot:  {name: "bitwise_not", kind: bitsOnly, int: func(x int64) int64 { return ^x }},
}

// The constants of self-normalizing networks (Klambauer et al. 2017).
const (
	seluAlpha = 1.6732632423543772848170429916717
	seluScale = 1.0507009873554804934193349852946
)

// atLeast and atMost clamp; a NaN on either side wins.

func atLeast(x, lo float64) float64 {
	if x < lo || lo != lo {
		return lo
	}
	return x
}

func atMost(x, hi float64) float64 {
	if x > hi || hi != hi {
		return hi
	}
	return x
}

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

// lgamma is ln|gamma(x)|, infinite at both infinities.
func lgamma(x float64) float64 {
	if math.IsInf(x, 0) {
		return math.Inf(1)
	}
	y, _ := math.Lgamma(x)
	return y
}

// digamma is the derivative of lgamma: by reflection below 0, by recurrence up to 10, and by its asymptotic series from
// there (Abramowitz and Stegun 6.3.7, 6.3.5, 6.3.18).
func digamma(x float64) float64 {
	switch {
	case x == 0:
		return math.Copysign(math.Inf(1), -x)
	case x < 0 && x == math.Trunc(x):
		return math.NaN()
	case x < 0:
		return digamma(1-x) - math.Pi/math.Tan(math.Pi*(x-math.Trunc(x)))
	case math.IsInf(x, 1):
		return x
	}
	y := 0.0
	for ; x < 10; x++ {
		y -= 1 / x
	}
	z := 1 / (x * x)
	series := z * (1.0/12 - z*(1.0/120-z*(1.0/252-z*(1.0/240-z*(1.0/132-z*(691.0/32760-z/12))))))
	return y + math.Log(x) - 0.5/x - series
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func geluTanh(x float64) float64 {
	const beta = math.Sqrt2 * (2 / math.SqrtPi) / 2
	return 0.5 * x * (1 + math.Tanh(beta*(x+0.044715*x*x*x)))
}

func softplus(x, beta, limit float64) float64 {
	if x*beta > limit {
		return x
	}
	return math.Log1p(math.Exp(x*beta)) / beta
}

func hardshrink(x, a, _ float64) float64 {
	if x >= -a && x <= a {
		return 0
	}
	return x
}

func softshrink(x, a, _ float64) float64 {
	switch {
	case x > a:
		return x - a
	case x < -a:
		return x + a
	case x != x:
		return x
	}
	return 0
}

func leakyReLU(x, slope, _ float64) float64 {
	if x > 0 {
		return x
	}
	return x * slope
}

func threshold(x, at, value float64) float64 {
	if x <= at {
		return value
	}
	return x
}

func elu(x, alpha, _ float64) float64 {
	if x <= 0 {
		return math.Expm1(x) * alpha
	}
	return x
}

// floatRow returns the function of rows of floats.
func floatRow[W float32 | float64](op Unary, tier asm.Tier) func(dst, src []W) {
	if f, ok := any(float32Row(op, tier)).(func(dst, src []W)); ok && f != nil {
		return f
	}
	f, a, b := unaryFunctions[op.Fn].float, op.Alpha, op.Beta
	return func(dst, src []W) {
		for i, x := range src {
			dst[i] = W(f(float64(x), a, b))
		}
	}
}

// float32Row returns the functions that have a kernel, or are short, as loops of
// their own, else nil.
func float32Row(op Unary, tier asm.Tier) func(dst, src []float32) {
	if fn, p, q, ok := unaryKernel(op); ok {
		k := asm.UnaryF32For(fn, tier)
		return func(dst, src []float32) { k.Run(dst, src, p, q) }
	}
	switch op.Fn {
	case Square:
		return func(dst, src []float32) {
			for i, x := range src {
				dst[i] = x * x
			}
		}
	case Threshold:
		at, value := op.Alpha, float32(op.Beta)
		return func(dst, src []float32) {
			for i, x := range src {
				if float64(x) <= at {
					x = value
				}
				dst[i] = x
			}
		}
	}
	return composedRow(op, tier)
}

// unaryKernel returns the kernel of a function with its parameters, if there is one.
func unaryKernel(op Unary) (fn asm.UnaryOp, p, q float32, ok bool) {
	a, b := float32(op.Alpha), float32(op.Beta)
	switch op.Fn {
	case ReLU:
		return asm.UnaryClamp, 0, inf, true
	case ReLU6:
		return asm.UnaryClamp, 0, 6, true
	case Clamp:
		return asm.UnaryClamp, a, b, a == a && b == b
	case ClampMin:
		return asm.UnaryClamp, a, inf, a == a
	case ClampMax:
		return asm.UnaryClamp, -inf, a, a == a
	case LeakyReLU:
		return asm.UnaryLeakyReLU, a, 0, true
	case HardSwish:
		return asm.UnaryHardSwish, 0, 0, true
	case HardSigmoid:
		return asm.UnaryHardSigmoid, 0, 0, true
	case Exp:
		return asm.UnaryExp, 0, 0, true
	case Log:
		return asm.UnaryLog, 0, 0, true
	case Sigmoid:
		return asm.UnarySigmoid, 0, 0, true
	case SiLU:
		return asm.UnarySiLU, 0, 0, true
	case Tanh:
		return asm.UnaryTanh, 0, 0, true
	case Erf:
		return asm.UnaryErf, 0, 0, true
	case GELU:
		return asm.UnaryGELU, 0, 0, true
	case GELUTanh:
		return asm.UnaryGELUTanh, 0, 0, true
	case Softplus:
		// From 17 on ln(1+exp(x)) rounds to x, as the limit has it; float32 exponentials of PyTorch overflow above 88.
		return asm.UnarySoftplus, 0, 0, a == 1 && b >= 17 && b <= 88
	}
	return 0, 0, 0, false
}

// intRow returns the function of rows of integers.
func intRow(op Unary, isBool bool) func(dst, src []int64) {
	f := unaryFunctions[op.Fn].int
	switch {
	case op.Fn == BitwiseNot && isBool:
		f = func(x int64) int64 { return 1 - x }
	case op.Fn == ClampMin:
		lo := truncBound(op.Alpha)
		f = func(x int64) int64 { return max(x, lo) }
	case op.Fn == ClampMax:
		hi := truncBound(op.Alpha)
		f = func(x int64) int64 { return min(x, hi) }
	case op.Fn == Clamp:
		lo, hi := truncBound(op.Alpha), truncBound(op.Beta)
		f = func(x int64) int64 { return min(max(x, lo), hi) }
	case op.Fn == Threshold:
		at, value := truncBound(op.Alpha), truncBound(op.Beta)
		f = func(x int64) int64 {
			if x <= at {
				return value
			}
			return x
		}
	case f == nil:
		return func(dst, src []int64) { copy(dst, src) }
	}
	return func(dst, src []int64) {
		for i, x := range src {
			dst[i] = f(x)
		}
	}
}

// truncBound turns a bound into an integer; infinities become the last ones.
func truncBound(v float64) int64 {
	if v >= 1<<63 {
		return math.MaxInt64
	}
	return truncInt64(v)
}
