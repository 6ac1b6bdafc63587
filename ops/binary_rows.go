package ops

import (
	"math"

	"github.com/x448/float16"

	"github.com/octet-ml/octet/tensor"
)

// arithmeticRow returns the function of rows whose result has the type common
// that its operands are taken in; number says that the second is a Python number.
func arithmeticRow[W compute](fn BinaryFn, common tensor.DType, number bool) binaryRow[W, W] {
	switch fn {
	case Add:
		return addRow[W]
	case Sub:
		return subRow[W]
	case Mul:
		return mulRow[W]
	case Max:
		return rowOf(func(a, b W) W {
			if a > b || a != a {
				return a
			}
			return b
		})
	case Min:
		return rowOf(func(a, b W) W {
			if a < b || a != a {
				return a
			}
			return b
		})
	}
	var w W
	switch any(w).(type) {
	case int64:
		return any(rowOf(intFunction(fn))).(binaryRow[W, W])
	case float32:
		if fn == Div {
			return any(binaryRow[float32, float32](divRow)).(binaryRow[W, W])
		}
	}
	if fn == Pow && number {
		return powNumberRow[W]
	}
	f := floatFunction(fn, common)
	return rowOf(func(a, b W) W { return W(f(float64(a), float64(b))) })
}

func rowOf[W compute, R any](f func(a, b W) R) binaryRow[W, R] {
	return func(dst []R, a, b []W) {
		switch {
		case len(b) != len(dst):
			for i, x := range a[:len(dst)] {
				dst[i] = f(x, b[0])
			}
		case len(a) != len(dst):
			for i, y := range b[:len(dst)] {
				dst[i] = f(a[0], y)
			}
		default:
			for i, x := range a {
				dst[i] = f(x, b[i])
			}
		}
	}
}

func addRow[W compute](dst, a, b []W) {
	if len(a) != len(dst) {
		a, b = b, a
	}
	a = a[:len(dst)]
	if len(b) != len(dst) {
		y := b[0]
		for i, x := range a {
			dst[i] = x + y
		}
		return
	}
	for i, x := range a {
		dst[i] = x + b[i]
	}
}

func mulRow[W compute](dst, a, b []W) {
	if len(a) != len(dst) {
		a, b = b, a
	}
	a = a[:len(dst)]
	if len(b) != len(dst) {
		y := b[0]
		for i, x := range a {
			dst[i] = x * y
		}
		return
	}
	for i, x := range a {
		dst[i] = x * b[i]
	}
}

func subRow[W compute](dst, a, b []W) {
	switch {
	case len(b) != len(dst):
		y := b[0]
		for i, x := range a[:len(dst)] {
			dst[i] = x - y
		}
	case len(a) != len(dst):
		x := a[0]
		for i, y := range b {
			dst[i] = x - y
		}
	default:
		for i, x := range a {
			dst[i] = x - b[i]
		}
	}
}

func divRow(dst, a, b []float32) {
	switch {
	case len(b) != len(dst):
		y := b[0]
		for i, x := range a[:len(dst)] {
			dst[i] = x / y
		}
	case len(a) != len(dst):
		x := a[0]
		for i, y := range b {
			dst[i] = x / y
		}
	default:
		for i, x := range a {
			dst[i] = x / b[i]
		}
	}
}

// powNumberRow raises to a Python number, for which PyTorch takes shorter ways
// to some powers.
func powNumberRow[W compute](dst, a, b []W) {
	if len(b) != 1 {
		rowOf(func(a, b W) W { return W(math.Pow(float64(a), float64(b))) })(dst, a, b)
		return
	}
	var f func(x W) W
	switch e := float64(b[0]); e {
	case 0.5:
		f = func(x W) W { return W(math.Sqrt(float64(x))) }
	case 2:
		f = func(x W) W { return x * x }
	case 3:
		f = func(x W) W { return x * x * x }
	case -0.5:
		f = func(x W) W { return W(1 / math.Sqrt(float64(x))) }
	case -1:
		f = func(x W) W { return 1 / x }
	case -2:
		f = func(x W) W { return 1 / (x * x) }
	default:
		f = func(x W) W { return W(math.Pow(float64(x), e)) }
	}
	for i := range dst {
		dst[i] = f(a[min(i, len(a)-1)])
	}
}

// floatFunction returns a function of floats of the given type, computed in
// float64.
func floatFunction(fn BinaryFn, d tensor.DType) func(a, b float64) float64 {
	round := func(x float64) float64 { return x }
	switch d {
	case tensor.Float32:
		round = func(x float64) float64 { return float64(float32(x)) }
	case tensor.Float16:
		round = func(x float64) float64 { return float64(float16.Fromfloat32(float32(x)).Float32()) }
	case tensor.BFloat16:
		round = func(x float64) float64 { return float64(math.Float32frombits(uint32(bfloat16Bits(float32(x))) << 16)) }
	}
	switch fn {
	case Div:
		return func(a, b float64) float64 { return a / b }
	case TruncDiv:
		return func(a, b float64) float64 { return math.Trunc(round(a / b)) }
	case Fmod:
		return math.Mod
	case Remainder:
		return func(a, b float64) float64 {
			m := math.Mod(a, b)
			if m != 0 && (b < 0) != (m < 0) {
				m += b
			}
			return m
		}
	case FloorDiv:
		return func(a, b float64) float64 {
			if b == 0 {
				return a / b
			}
			m := math.Mod(a, b)
			q := round(round(a-m) / b)
			if m != 0 && (b < 0) != (m < 0) {
				q = round(q - 1)
			}
			if q == 0 {
				return math.Copysign(0, a/b)
			}
			f := math.Floor(q)
			if q-f > 0.5 {
				f++
			}
			return f
		}
	case Atan2:
		return math.Atan2
	case IGamma, IGammaC:
		return func(a, x float64) float64 { return incompleteGamma(a, x, fn == IGammaC) }
	case Zeta:
		return hurwitz
	}
	return math.Pow
}

// intFunction returns a function of integers. A divisor is never 0.
func intFunction(fn BinaryFn) func(a, b int64) int64 {
	switch fn {
	case TruncDiv:
		return func(a, b int64) int64 { return a / b }
	case Fmod:
		return func(a, b int64) int64 { return a % b }
	case FloorDiv:
		return func(a, b int64) int64 {
			q := a / b
			if a%b != 0 && (a < 0) != (b < 0) {
				q--
			}
			return q
		}
	case Remainder:
		return func(a, b int64) int64 {
			m := a % b
			if m != 0 && (m < 0) != (b < 0) {
				m += b
			}
			return m
		}
	case BitAnd:
		return func(a, b int64) int64 { return a & b }
	case BitOr:
		return func(a, b int64) int64 { return a | b }
	case BitXor:
		return func(a, b int64) int64 { return a ^ b }
	case GCD:
		return func(a, b int64) int64 {
			for b != 0 {
				a, b = b, a%b
			}
			return max(a, -a)
		}
	}
	return powInt
}

// powInt wraps; of negative powers only those of 1 and -1 are not 0.
func powInt(a, b int64) int64 {
	if b < 0 {
		switch {
		case a == 1:
			return 1
		case a == -1:
			return 1 - 2*(b&1)
		}
		return 0
	}
	p := int64(1)
	for ; b > 0; b >>= 1 {
		if b&1 == 1 {
			p *= a
		}
		a *= a
	}
	return p
}

// compareRow returns the function of rows whose result is bool.
func compareRow[W compute](fn BinaryFn) binaryRow[W, bool] {
	switch fn {
	case Eq:
		return rowOf(func(a, b W) bool { return a == b })
	case Ne:
		return rowOf(func(a, b W) bool { return a != b })
	case Lt:
		return rowOf(func(a, b W) bool { return a < b })
	case Le:
		return rowOf(func(a, b W) bool { return a <= b })
	case Gt:
		return rowOf(func(a, b W) bool { return a > b })
	case Ge:
		return rowOf(func(a, b W) bool { return a >= b })
	case LogicalAnd:
		return rowOf(func(a, b W) bool { return a != 0 && b != 0 })
	case LogicalOr:
		return rowOf(func(a, b W) bool { return a != 0 || b != 0 })
	}
	return rowOf(func(a, b W) bool { return (a != 0) != (b != 0) })
}
