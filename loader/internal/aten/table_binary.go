package aten

import (
	"math"
	"slices"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

var arithmetic = []operator{
	{"aten::add", "self:T other:N alpha:N=1", literal(scaled(ops.Add))},
	{"aten::add", "self:n other:T alpha:n=1", scaled(ops.Add)},
	{"aten::sub", "self:T other:N alpha:N=1", literal(scaled(ops.Sub))},
	{"aten::subtract", "self:T other:N alpha:N=1", literal(scaled(ops.Sub))},
	{"aten::rsub", "self:T other:N alpha:N=1", rsub},
	{"aten::mul", "self:T other:N", literal(binary(ops.Mul))},
	{"aten::mul", "self:n other:T", binary(ops.Mul)},
	{"aten::multiply", "self:T other:N", literal(binary(ops.Mul))},
	{"aten::div", "self:T other:N | rounding_mode:s?=None", divide},
	{"aten::div", "self:n other:T | rounding_mode:s?=None", divide},
	{"aten::divide", "self:T other:N | rounding_mode:s?=None", divide},
	{"aten::true_divide", "self:T other:N", literal(binary(ops.Div))},
	{"aten::floor_divide", "self:T other:N", binary(ops.FloorDiv)},
	{"aten::floor_divide", "self:n other:T", binary(ops.FloorDiv)},
	{"aten::floordiv", "self:T other:N", binary(ops.FloorDiv)},
	{"aten::remainder", "self:T other:N", binary(ops.Remainder)},
	{"aten::remainder", "self:n other:T", binary(ops.Remainder)},
	{"aten::fmod", "self:T other:N", binary(ops.Fmod)},
	{"aten::pow", "self:T exponent:N", power},
	{"aten::pow", "self:n exponent:T", binary(ops.Pow)},
	{"aten::float_power", "self:T exponent:N", floatPower},
	{"aten::maximum", "self:T other:T", binary(ops.Max)},
	{"aten::minimum", "self:T other:T", binary(ops.Min)},
	{"aten::fmax", "self:T other:T", ignoreNaN(ops.Max)},
	{"aten::fmin", "self:T other:T", ignoreNaN(ops.Min)},
	{"aten::atan2", "self:T other:T", binary(ops.Atan2)},
	{"aten::igamma", "self:T other:T", binary(ops.IGamma)},
	{"aten::igammac", "self:T other:T", binary(ops.IGammaC)},
	{"aten::special_zeta", "self:T other:N", binary(ops.Zeta)},
	{"aten::special_zeta", "self:n other:T", binary(ops.Zeta)},
	{"aten::eq", "self:T other:N", binary(ops.Eq)},
	{"aten::ne", "self:T other:N", binary(ops.Ne)},
	{"aten::lt", "self:T other:N", binary(ops.Lt)},
	{"aten::le", "self:T other:N", binary(ops.Le)},
	{"aten::gt", "self:T other:N", binary(ops.Gt)},
	{"aten::ge", "self:T other:N", binary(ops.Ge)},
	{"aten::bitwise_and", "self:T other:N", binary(ops.BitAnd)},
	{"aten::bitwise_or", "self:T other:N", binary(ops.BitOr)},
	{"aten::bitwise_xor", "self:T other:N", binary(ops.BitXor)},
	{"aten::__and__", "self:T other:N", binary(ops.BitAnd)},
	{"aten::__or__", "self:T other:N", binary(ops.BitOr)},
	{"aten::__xor__", "self:T other:N", binary(ops.BitXor)},
	{"aten::__lshift__", "self:T other:N", shiftLeft},
	{"aten::__rshift__", "self:T other:N", shiftRight},
	{"aten::bitwise_left_shift", "self:T other:N", shiftLeft},
	{"aten::bitwise_right_shift", "self:T other:N", shiftRight},
	{"aten::logical_and", "self:T other:T", binary(ops.LogicalAnd)},
	{"aten::logical_or", "self:T other:T", binary(ops.LogicalOr)},
	{"aten::logical_xor", "self:T other:T", binary(ops.LogicalXor)},
	{"aten::where", "condition:T self:N other:N", where},
	{"aten::masked_fill", "self:T mask:T value:N", maskedFill},
	{"aten::lerp", "self:T end:T weight:N", lerp},
	{"aten::addcmul", "self:T tensor1:T tensor2:T | value:n=1", addProduct(ops.Mul)},
	{"aten::addcdiv", "self:T tensor1:T tensor2:T | value:n=1", addProduct(ops.Div)},
	{"aten::copy", "self:T src:N non_blocking:b=False", copyTensor},
	{"aten::isclose", "self:T other:T rtol:f=1e-05 atol:f=1e-08 equal_nan:b=False", isClose},
	{"aten::hypot", "self:T other:T", hypot},
	{"aten::logaddexp", "self:T other:T", func(c *call) Value { return c.logAddExp(c.tensor(0), c.tensor(1)) }},
	{"aten::xlogy", "self:T other:N", xLogY(ops.Log)},
	{"aten::xlogy", "self:n other:T", xLogY(ops.Log)},
	{"aten::special_xlog1py", "self:T other:N", xLogY(ops.Log1p)},
	{"aten::special_xlog1py", "self:n other:T", xLogY(ops.Log1p)},
}

// binary lowers a function of two elements.
//
//go:noinline
func binary(fn ops.BinaryFn) func(*call) Value {
	return func(c *call) Value { return c.binaryValues(fn, c.args[0], c.args[1]) }
}

// literal lowers a function whose second operand PyTorch's executor takes for a
// number where it is a constant without dimensions: a traced program has its numbers
// so. As a tensor a float64 constant would make float64 of integers.
//
//go:noinline
func literal(lower func(*call) Value) func(*call) Value {
	return func(c *call) Value {
		c.args[1] = literalNumber(c.args[1])
		return lower(c)
	}
}

// literalNumber returns the number that a constant of the program's code holds, and
// any other value as it is. Bools are none: of a tensor and a bool PyTorch has no such functions.
func literalNumber(v Value) Value {
	t, ok := v.(*build.Tensor)
	if !ok || !t.Literal || t.Rank() != 0 || t.DType() == tensor.Bool {
		return v
	}
	if held := t.Held(); held != nil {
		if t.Complex {
			if wide, err := held.To(tensor.Float64); err == nil {
				parts := tensor.Data[float64](wide)
				return complex(parts[0], parts[1])
			}
		}
		if n, ok := build.PlainElement(held); ok {
			return n
		}
	}
	return v
}

// binaryValues applies a function to tensors and numbers, at least one of which
// is a tensor.
func (c *call) binaryValues(fn ops.BinaryFn, a, b Value) *build.Tensor {
	if n := c.numberResult(fn, a, b); n != nil {
		return build.OfNumber(n)
	}
	a, b = c.besides(a, b), c.besides(b, a)
	x, y := c.lift(a), c.lift(b)
	_, aTensor := a.(*build.Tensor)
	_, bTensor := b.(*build.Tensor)
	if x.Type().Q != nil || y.Type().Q != nil {
		return c.quantizedBinary(fn, x, y)
	}
	if x.Complex || y.Complex {
		return c.complexArith(fn, x, y)
	}
	if short := aTensor && bTensor && mixedBytes(x, y); short {
		out := c.arith(fn, c.cast(x, tensor.Int32), c.cast(y, tensor.Int32))
		out.Store.Short = out.DType() == tensor.Int32
		return out
	}
	return c.apply(ops.Binary{Fn: fn, ANumber: !aTensor, BNumber: !bTensor}, x, y)
}

// numberResult computes with tensors that were made from numbers as with the
// numbers: sizes, which traced programs put into tensors. It returns nil for other
// tensors, and where the result is of another type.
func (c *call) numberResult(fn ops.BinaryFn, a, b Value) *build.Number {
	x, y := numberIn(a), numberIn(b)
	if x == nil || y == nil || x.Kind != build.Int || y.Kind != build.Int {
		return nil
	}
	switch fn {
	case ops.Add, ops.Sub, ops.Mul, ops.FloorDiv, ops.Remainder, ops.Max, ops.Min:
	default:
		return nil
	}
	v, err := c.arithmeticOf(fn, x, y)
	if err != nil {
		return nil
	}
	return build.AsNumber(v)
}

// numberIn returns the number that a tensor was made from, or that a value is.
func numberIn(v Value) *build.Number {
	t, ok := v.(*build.Tensor)
	if !ok {
		return build.AsNumber(v)
	}
	if n := t.MadeFrom(); n != nil {
		return n
	}
	p := t.Held()
	if p == nil && t.Value != nil && t.Version == t.Store.Version {
		p = t.Value.Const
	}
	if p == nil || p.Rank() != 0 || p.DType() != tensor.Int64 {
		return nil
	}
	x, _ := build.PlainElement(p)
	return build.AsNumber(x)
}

// arith applies a function to two tensors.
//
//go:noinline
func (c *call) arith(fn ops.BinaryFn, x, y *build.Tensor) *build.Tensor {
	return c.apply(ops.Binary{Fn: fn}, x, y)
}

// arithNumber applies a function to a tensor and a plain number.
func (c *call) arithNumber(fn ops.BinaryFn, x *build.Tensor, v Value) *build.Tensor {
	return c.apply(ops.Binary{Fn: fn, BNumber: true}, x, c.lift(v))
}

// scaled lowers self + alpha * other.
//
//go:noinline
func scaled(fn ops.BinaryFn) func(*call) Value {
	return func(c *call) Value {
		if k, _ := build.KindOf(c.args[2]); k == build.Float && c.allIntegers(c.args[:2]) {
			return c.fail("alpha is a float where the tensors hold integers")
		}
		if _, ok := c.args[2].(complex128); ok && !slices.ContainsFunc(c.args[:2], holdsComplex) {
			return c.fail("alpha is a complex number where the tensors are real")
		}
		return c.binaryValues(fn, c.args[0], c.scaledFor(fn, c.args[0], c.args[1], c.args[2]))
	}
}

// scaledFor returns by*v, of which fn and a value make another: it is computed in the type of the result, which holds
// what v's own type does not.
func (c *call) scaledFor(fn ops.BinaryFn, other, v, by Value) Value {
	if f, ok := build.ToFloat(by); ok && f == 1 {
		return v
	}
	if z, ok := by.(complex128); ok {
		return c.binaryValues(ops.Mul, v, z)
	}
	if z, ok := v.(complex128); ok {
		f, _ := build.ToFloat(by)
		return z * complex(f, 0)
	}
	return c.times(c.widened(v, c.resultType(fn, other, v)), by)
}

// resultType returns the type of fn of two values, tensor.Invalid where there is none.
func (c *call) resultType(fn ops.BinaryFn, a, b Value) tensor.DType {
	x, y := c.lift(a), c.lift(b)
	if c.Err() != nil {
		return tensor.Invalid
	}
	_, aTensor := a.(*build.Tensor)
	_, bTensor := b.(*build.Tensor)
	out, err := ops.Binary{Fn: fn, ANumber: !aTensor, BNumber: !bTensor}.Infer([]ops.Type{x.Type(), y.Type()})
	if err != nil {
		return tensor.Invalid
	}
	return out[0].DType
}

// widened returns a tensor in a wider type. Products of int64 are as wide as any, and may be sizes, which stay numbers.
func (c *call) widened(v Value, d tensor.DType) Value {
	t, ok := v.(*build.Tensor)
	if !ok || d == tensor.Invalid || t.DType() == d || t.DType() == tensor.Int64 || t.Type().Q != nil {
		return v
	}
	return c.cast(t, d)
}

// times multiplies by a number, unless that is 1.
func (c *call) times(v, by Value) Value {
	if f, ok := build.ToFloat(by); ok && f == 1 {
		return v
	}
	if t, ok := v.(*build.Tensor); ok {
		return c.binaryValues(ops.Mul, t, by)
	}
	p, err := c.arithmeticOf(ops.Mul, build.AsNumber(v), build.AsNumber(by))
	c.failed(err)
	return p
}

// rsub is other - alpha * self.
func rsub(c *call) Value {
	return c.binaryValues(ops.Sub, c.args[1], c.scaledFor(ops.Sub, c.args[1], c.args[0], c.args[2]))
}

// divide divides with a rounding mode. Before version 4 integers were divided as
// integers.
func divide(c *call) Value {
	fn := ops.Div
	mode := ""
	if len(c.args) > 2 && !c.isNone(2) {
		mode = c.string(2)
	} else if c.version() < 4 && c.allIntegers(c.args[:2]) {
		mode = "trunc"
	}
	switch mode {
	case "":
		c.args[1] = literalNumber(c.args[1])
	case "floor":
		fn = ops.FloorDiv
	case "trunc":
		fn = ops.TruncDiv
	default:
		return c.fail("unknown rounding mode %q", mode)
	}
	return c.binaryValues(fn, c.args[0], c.args[1])
}

func (c *call) allIntegers(args []Value) bool {
	for _, a := range args {
		if t, ok := a.(*build.Tensor); ok {
			if t.DType().IsFloat() {
				return false
			}
		} else if k, ok := build.KindOf(a); ok && k == build.Float {
			return false
		}
	}
	return true
}

// shiftLeft multiplies integers by a power of two, which wraps around as the type does: to 0 from the type's width on.
func shiftLeft(c *call) Value {
	if !c.allIntegers(c.args) {
		return c.unsupported("on floats")
	}
	power := c.binaryValues(ops.Pow, int64(2), c.lift(c.args[1]))
	if _, ok := c.args[1].(*build.Tensor); !ok {
		return c.apply(ops.Binary{Fn: ops.Mul, BNumber: true}, c.tensor(0), power)
	}
	return c.arith(ops.Mul, c.tensor(0), power)
}

// shiftRight divides int64 by powers of two and rounds down, in two steps, for 2^63 is no int64. The sign remains where all
// else is shifted out; a negative shift counts as one that large, as in PyTorch.
func shiftRight(c *call) Value {
	if !c.allIntegers(c.args) {
		return c.unsupported("on floats")
	}
	const most = 62
	d := c.resultType(ops.Add, c.args[0], c.args[1])
	by := c.cast(c.lift(c.args[1]), tensor.Int64)
	by = c.apply(ops.Where{ANumber: true, KeepB: true}, c.arithNumber(ops.Lt, by, int64(0)), c.lift(int64(most+1)), by)
	first := c.arithNumber(ops.Min, by, int64(most))
	rest := c.arithNumber(ops.Min, c.arith(ops.Sub, by, first), int64(1))
	y := c.cast(c.tensor(0), tensor.Int64)
	for _, n := range []*build.Tensor{first, rest} {
		y = c.arith(ops.FloorDiv, y, c.binaryValues(ops.Pow, int64(2), n))
	}
	if d == tensor.Invalid {
		return y
	}
	return c.cast(y, d)
}

// power uses the quicker functions for common exponents.
func power(c *call) Value {
	x := c.tensor(0)
	if e, ok := build.ToFloat(c.args[1]); ok && x.DType().IsFloat() && x.Type().Q == nil {
		switch e {
		case 2:
			return c.unary(ops.Unary{Fn: ops.Square}, x)
		case 0.5:
			return c.unary(ops.Unary{Fn: ops.Sqrt}, x)
		}
	}
	return c.binaryValues(ops.Pow, c.args[0], c.args[1])
}

func floatPower(c *call) Value {
	x := c.cast(c.tensor(0), tensor.Float64)
	if t, ok := c.args[1].(*build.Tensor); ok {
		return c.arith(ops.Pow, x, c.cast(t, tensor.Float64))
	}
	return c.binaryValues(ops.Pow, x, c.args[1])
}

// ignoreNaN is fmax or fmin: of a number and a NaN they give the number.
//
//go:noinline
func ignoreNaN(fn ops.BinaryFn) func(*call) Value {
	return func(c *call) Value {
		a, b := c.tensor(0), c.tensor(1)
		y := c.arith(fn, a, b)
		y = c.apply(ops.Where{}, c.apply(ops.Unary{Fn: ops.IsNaN}, a), b, y)
		return c.apply(ops.Where{}, c.apply(ops.Unary{Fn: ops.IsNaN}, b), a, y)
	}
}

func where(c *call) Value {
	_, aTensor := c.args[1].(*build.Tensor)
	_, bTensor := c.args[2].(*build.Tensor)
	return c.apply(ops.Where{ANumber: !aTensor, BNumber: !bTensor}, c.tensor(0), c.tensor(1), c.tensor(2))
}

func maskedFill(c *call) Value {
	_, isTensor := c.args[2].(*build.Tensor)
	return c.apply(ops.Where{ANumber: !isTensor, KeepB: true}, c.maskOf(c.tensor(1)), c.tensor(2), c.tensor(0))
}

// lerp is self + weight * (end - self).
func lerp(c *call) Value {
	d := c.binaryValues(ops.Sub, c.args[1], c.args[0])
	return c.binaryValues(ops.Add, c.args[0], c.binaryValues(ops.Mul, d, c.args[2]))
}

// addProduct is self + value * (tensor1 fn tensor2).
//
//go:noinline
func addProduct(fn ops.BinaryFn) func(*call) Value {
	return func(c *call) Value {
		d := c.resultType(ops.Add, c.args[0], c.args[1])
		if e := c.resultType(ops.Add, c.args[0], c.args[2]); d != tensor.Invalid && e != tensor.Invalid {
			d = ops.Promote(d, e)
		}
		// The number comes first, as in PyTorch: what it scales down need not overflow.
		y := c.binaryValues(fn, c.times(c.widened(c.args[1], d), c.args[3]), c.widened(c.args[2], d))
		return c.binaryValues(ops.Add, c.args[0], y)
	}
}

// copyTensor returns src as it is written to self.
func copyTensor(c *call) Value {
	x := c.tensor(1)
	if q := c.tensor(0).Type().Q; q != nil || x.Type().Q != nil {
		return c.requantize(x, q)
	}
	return c.expand(c.cast(x, c.tensor(0).DType()), c.Dims(c.tensor(0)))
}

// isClose is |self - other| <= atol + rtol*|other|, or both equal.
func isClose(c *call) Value {
	a, b := c.tensor(0), c.tensor(1)
	equal := c.arith(ops.Eq, a, b)
	if c.bool(4) {
		both := c.arith(ops.LogicalAnd, c.apply(ops.Unary{Fn: ops.IsNaN}, a), c.apply(ops.Unary{Fn: ops.IsNaN}, b))
		equal = c.arith(ops.LogicalOr, equal, both)
	}
	limit := c.arithNumber(ops.Add, c.arithNumber(ops.Mul, c.apply(ops.Unary{Fn: ops.Abs}, b), c.float(2)), c.float(3))
	diff := c.apply(ops.Unary{Fn: ops.Abs}, c.arith(ops.Sub, a, b))
	near := c.arith(ops.LogicalAnd, c.apply(ops.Unary{Fn: ops.IsFinite}, diff), c.arith(ops.Le, diff, limit))
	return c.arith(ops.LogicalOr, equal, near)
}

// hypot is sqrt(a*a + b*b), in parts of the greater one, whose square may be too large. Beside an infinity NaN does not count.
func hypot(c *call) Value {
	a, b := c.apply(ops.Unary{Fn: ops.Abs}, c.tensor(0)), c.apply(ops.Unary{Fn: ops.Abs}, c.tensor(1))
	top := c.arith(ops.Max, a, b)
	unit := c.apply(ops.Where{ANumber: true, KeepB: true}, c.arithNumber(ops.Eq, top, int64(0)), c.lift(1.0), top)
	part := func(t *build.Tensor) *build.Tensor {
		return c.apply(ops.Unary{Fn: ops.Square}, c.arith(ops.Div, t, unit))
	}
	y := c.arith(ops.Mul, unit, c.apply(ops.Unary{Fn: ops.Sqrt}, c.arith(ops.Add, part(a), part(b))))
	infinite := c.arith(ops.LogicalOr, c.arithNumber(ops.Eq, a, math.Inf(1)), c.arithNumber(ops.Eq, b, math.Inf(1)))
	return c.apply(ops.Where{ANumber: true, KeepB: true}, infinite, c.lift(math.Inf(1)), y)
}

// logAddExp is log(exp(a) + exp(b)), from the greater one on.
func (c *call) logAddExp(a, b *build.Tensor) *build.Tensor {
	d := c.apply(ops.Unary{Fn: ops.Neg}, c.apply(ops.Unary{Fn: ops.Abs}, c.arith(ops.Sub, a, b)))
	top := c.arith(ops.Max, a, b)
	y := c.arith(ops.Add, top, c.apply(ops.Unary{Fn: ops.Log1p}, c.apply(ops.Unary{Fn: ops.Exp}, d)))
	// The difference of equal infinities is NaN, and adds nothing to an infinity.
	infinite := c.arith(ops.LogicalAnd, c.arith(ops.Eq, a, b), c.arithNumber(ops.Eq, c.apply(ops.Unary{Fn: ops.Abs}, a), math.Inf(1)))
	return c.apply(ops.Where{}, infinite, top, y)
}

//go:noinline
func xLogY(fn ops.UnaryFn) func(*call) Value {
	return func(c *call) Value { return c.timesLog(c.tensor(0), c.tensor(1), fn) }
}

// timesLog is a * log(b), and 0 where a is; log is Log or Log1p.
func (c *call) timesLog(a, b *build.Tensor, log ops.UnaryFn) *build.Tensor {
	y := c.arith(ops.Mul, a, c.apply(ops.Unary{Fn: log}, b))
	y = c.apply(ops.Where{ANumber: true}, c.arithNumber(ops.Eq, a, int64(0)), c.lift(0.0), y)
	nan := c.apply(ops.Unary{Fn: ops.IsNaN}, b)
	return c.apply(ops.Where{}, nan, c.arith(ops.Mul, a, b), y)
}
