package aten

import (
	"math"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

var pointwise = []operator{
	{"aten::abs", "self:T", unary(ops.Abs)},
	{"aten::absolute", "self:T", unary(ops.Abs)},
	{"prim::abs", "x:T", unary(ops.Abs)},
	{"aten::neg", "self:T", unary(ops.Neg)},
	{"aten::negative", "self:T", unary(ops.Neg)},
	{"aten::positive", "self:T", identity},
	{"aten::sign", "self:T", unary(ops.Sign)},
	{"aten::sgn", "self:T", unary(ops.Sign)},
	{"aten::square", "self:T", unary(ops.Square)},
	{"aten::floor", "self:T", unary(ops.Floor)},
	{"aten::ceil", "self:T", unary(ops.Ceil)},
	{"aten::trunc", "self:T", unary(ops.Trunc)},
	{"aten::fix", "self:T", unary(ops.Trunc)},
	{"aten::frac", "self:T", frac},
	{"aten::round", "self:T", unary(ops.Round)},
	{"aten::round", "self:T | decimals:i", roundDecimals},
	{"aten::exp", "self:T", unary(ops.Exp)},
	{"aten::exp2", "self:T", unary(ops.Exp2)},
	{"aten::expm1", "self:T", unary(ops.Expm1)},
	{"aten::log", "self:T", unary(ops.Log)},
	{"aten::log2", "self:T", unary(ops.Log2)},
	{"aten::log10", "self:T", unary(ops.Log10)},
	{"aten::log1p", "self:T", unary(ops.Log1p)},
	{"aten::sqrt", "self:T", unary(ops.Sqrt)},
	{"aten::rsqrt", "self:T", unary(ops.Rsqrt)},
	{"aten::reciprocal", "self:T", unary(ops.Reciprocal)},
	{"aten::sin", "self:T", unary(ops.Sin)},
	{"aten::cos", "self:T", unary(ops.Cos)},
	{"aten::tan", "self:T", unary(ops.Tan)},
	{"aten::asin", "self:T", unary(ops.Asin)},
	{"aten::acos", "self:T", unary(ops.Acos)},
	{"aten::atan", "self:T", unary(ops.Atan)},
	{"aten::sinh", "self:T", unary(ops.Sinh)},
	{"aten::cosh", "self:T", unary(ops.Cosh)},
	{"aten::asinh", "self:T", unary(ops.Asinh)},
	{"aten::acosh", "self:T", unary(ops.Acosh)},
	{"aten::atanh", "self:T", unary(ops.Atanh)},
	{"aten::arcsin", "self:T", unary(ops.Asin)},
	{"aten::arccos", "self:T", unary(ops.Acos)},
	{"aten::arctan", "self:T", unary(ops.Atan)},
	{"aten::erf", "self:T", unary(ops.Erf)},
	{"aten::erfc", "self:T", unary(ops.Erfc)},
	{"aten::sinc", "self:T", sinc},
	{"aten::special_sinc", "self:T", sinc},
	{"aten::signbit", "self:T", unary(ops.SignBit)},
	{"aten::lgamma", "self:T", unary(ops.LGamma)},
	{"aten::digamma", "self:T", unary(ops.Digamma)},
	{"aten::isposinf", "self:T", func(c *call) Value { return c.arithNumber(ops.Eq, c.tensor(0), math.Inf(1)) }},
	{"aten::isneginf", "self:T", func(c *call) Value { return c.arithNumber(ops.Eq, c.tensor(0), negInf) }},
	{"aten::logit", "self:T eps:f?=None", logit},
	{"aten::deg2rad", "self:T", times(math.Pi / 180)},
	{"aten::rad2deg", "self:T", times(180 / math.Pi)},
	{"aten::isnan", "self:T", unary(ops.IsNaN)},
	{"aten::isinf", "self:T", unary(ops.IsInf)},
	{"aten::isfinite", "self:T", unary(ops.IsFinite)},
	{"aten::logical_not", "self:T", unary(ops.LogicalNot)},
	{"aten::bitwise_not", "self:T", unary(ops.BitwiseNot)},
	{"aten::nan_to_num", "self:T nan:f?=None posinf:f?=None neginf:f?=None", nanToNum},
	{"aten::clamp", "self:T min:n?=None max:n?=None", clamp},
	{"aten::clamp", "self:T min:T?=None max:T?=None", clampTensors},
	{"aten::clip", "self:T min:n?=None max:n?=None", clamp},
	{"aten::clip", "self:T min:T?=None max:T?=None", clampTensors},
	{"aten::clamp_min", "self:T min:n", clampOne(ops.ClampMin)},
	{"aten::clamp_min", "self:T min:T", binary(ops.Max)},
	{"aten::clamp_max", "self:T max:n", clampOne(ops.ClampMax)},
	{"aten::clamp_max", "self:T max:T", binary(ops.Min)},
	{"aten::to", "self:T other:T non_blocking:b=False copy:b=False memory_format:i?=None", toOther},
	{"aten::to", "self:T dtype:i non_blocking:b=False copy:b=False memory_format:i?=None", to(1, 3)},
	{"aten::to", "self:T device:v dtype:i non_blocking:b=False copy:b=False memory_format:i?=None", to(2, 4)},
	{"aten::to", "self:T dtype:i layout:i?=None device:v?=None pin_memory:b?=None non_blocking:b=False copy:b=False memory_format:i?=None", to(1, 6)},
	{"aten::to", "self:T device:v?=None dtype:i?=None non_blocking:b=False copy:b=False", to(2, 4)},
	{"aten::to", "self:T non_blocking:b=False copy:b=False", identity},
	{"aten::_autocast_to_full_precision", "self:T cuda_enabled:b cpu_enabled:b", identity},
	{"aten::type_as", "self:T other:T", toOther},
	{"aten::float", "self:T", toType(tensor.Float32)},
	{"aten::double", "self:T", toType(tensor.Float64)},
	{"aten::half", "self:T", toType(tensor.Float16)},
	{"aten::long", "self:T", toType(tensor.Int64)},
	{"aten::int", "self:T", toType(tensor.Int32)},
	{"aten::bool", "self:T", toType(tensor.Bool)},
	{"aten::_cast_Double", "self:T non_blocking:b=False", toType(tensor.Float64)},
	{"aten::_cast_Half", "self:T non_blocking:b=False", toType(tensor.Float16)},
	{"aten::_cast_Float", "self:T non_blocking:b=False", toType(tensor.Float32)},
	{"aten::_cast_Long", "self:T non_blocking:b=False", toType(tensor.Int64)},
	{"aten::_cast_Int", "self:T non_blocking:b=False", toType(tensor.Int32)},
	{"aten::cpu", "self:T", identity},
	{"aten::detach", "self:T", detach},
	{"aten::alias", "self:T", identity},
	{"aten::requires_grad_", "self:T requires_grad:b=True", identity},
	{"prim::data", "a:T", detach},
	{"aten::clone", "self:T | memory_format:i?=None", clone},
}

// identity returns the tensor itself, or another reference to the same memory,
// which is as good.
func identity(c *call) Value { return build.Alias(c.tensor(0)) }

// detach returns another reference to the same memory, through which no gradient passes.
func detach(c *call) Value {
	t := c.tensor(0)
	if typ := t.Type(); !typ.DType.IsFloat() || typ.Q != nil || t.Unwritten() != nil {
		return build.Alias(t)
	}
	return c.view(t, build.DetachedView{}, t.Strides)
}

// detachInPlace is detach of a tensor itself. What the file holds keeps its value, which no run writes.
func detachInPlace(c *call) Value {
	t := c.tensor(0)
	if t.Store.Param == nil && !t.Complex && t.DType().IsFloat() && t.Type().Q == nil && t.Unwritten() == nil {
		c.store(t, c.apply(ops.Detach{}, t))
	}
	return t
}

func clone(c *call) Value {
	t := c.tensor(0)
	if n := t.MadeFrom(); n != nil {
		return build.OfNumber(n)
	}
	copied := build.NewTensor(c.read(t))
	copied.Complex = t.Complex
	return copied
}

func frac(c *call) Value {
	return c.arith(ops.Sub, c.tensor(0), c.apply(ops.Unary{Fn: ops.Trunc}, c.tensor(0)))
}

func roundDecimals(c *call) Value {
	x, d := c.tensor(0), c.int(1)
	if d == 0 || !x.DType().IsFloat() {
		return c.unary(ops.Unary{Fn: ops.Round}, x)
	}
	scale := math.Pow(10, math.Abs(float64(d)))
	before, after := ops.Mul, ops.Div
	if d < 0 {
		before, after = after, before
	}
	y := c.apply(ops.Unary{Fn: ops.Round}, c.arithNumber(before, x, scale))
	return c.arithNumber(after, y, scale)
}

// logit is log(x / (1 - x)), with x first clamped to eps and 1-eps.
func logit(c *call) Value {
	x := c.tensor(0)
	if !x.DType().IsFloat() {
		x = c.cast(x, tensor.Float32) // before it is bounded
	}
	if !c.isNone(1) {
		eps := c.float(1)
		if eps > 0.5 { // the bounds cross: what is below the lower one takes that
			low := c.arithNumber(ops.Lt, x, eps)
			x = c.apply(ops.Unary{Fn: ops.ClampMax, Alpha: 1 - eps}, x)
			x = c.apply(ops.Where{ANumber: true, KeepB: true}, low, c.lift(eps), x)
		} else {
			x = c.apply(ops.Unary{Fn: ops.Clamp, Alpha: eps, Beta: 1 - eps}, x)
		}
	}
	rest := c.binaryValues(ops.Sub, int64(1), x)
	return c.apply(ops.Unary{Fn: ops.Log}, c.arith(ops.Div, x, rest))
}

// times multiplies by a constant.
//
//go:noinline
func times(by float64) func(*call) Value {
	return func(c *call) Value { return c.arithNumber(ops.Mul, c.tensor(0), by) }
}

func nanToNum(c *call) Value {
	x := c.tensor(0)
	d := x.DType()
	if !d.IsFloat() {
		return clone(c)
	}
	largest := map[tensor.DType]float64{tensor.Float16: 65504, tensor.BFloat16: 0x1.FEp127, tensor.Float64: math.MaxFloat64}[d]
	if largest == 0 {
		largest = math.MaxFloat32
	}
	replace := func(i int, fallback float64) float64 {
		if c.isNone(i) {
			return fallback
		}
		return c.float(i)
	}
	nan, high, low := replace(1, 0), replace(2, largest), replace(3, -largest)
	y := x
	for _, r := range []struct{ is, by float64 }{{math.Inf(1), high}, {math.Inf(-1), low}} {
		y = c.apply(ops.Where{ANumber: true, KeepB: true}, c.arithNumber(ops.Eq, x, r.is), c.lift(r.by), y)
	}
	return c.apply(ops.Where{ANumber: true, KeepB: true}, c.apply(ops.Unary{Fn: ops.IsNaN}, x), c.lift(nan), y)
}

// clamp bounds by numbers, of which one may be left out.
func clamp(c *call) Value {
	x := c.tensor(0)
	switch lo, hi := !c.isNone(1), !c.isNone(2); {
	case lo && hi:
		return c.bounded(ops.Unary{Fn: ops.Clamp, Alpha: c.float(1), Beta: c.float(2)}, x, c.args[1], c.args[2])
	case lo:
		return c.bounded(ops.Unary{Fn: ops.ClampMin, Alpha: c.float(1)}, x, c.args[1])
	case hi:
		return c.bounded(ops.Unary{Fn: ops.ClampMax, Alpha: c.float(2)}, x, c.args[2])
	}
	return c.fail("neither min nor max is given")
}

//go:noinline
func clampOne(fn ops.UnaryFn) func(*call) Value {
	return func(c *call) Value { return c.bounded(ops.Unary{Fn: fn, Alpha: c.float(1)}, c.tensor(0), c.args[1]) }
}

// bounded clamps; floats as bounds of integers make them floats. Bounds are of the
// tensor's type, in which negative ones of bytes are large.
func (c *call) bounded(op ops.Unary, x *build.Tensor, bounds ...Value) *build.Tensor {
	for _, b := range bounds {
		if k, ok := build.KindOf(b); ok && k == build.Float && !x.DType().IsFloat() && x.Type().Q == nil {
			x = c.cast(x, tensor.Float32)
		}
	}
	if y := c.boundedWide(op.Fn, x, bounds); y != nil {
		return y
	}
	if x.DType() == tensor.Uint8 && x.Type().Q == nil {
		op.Alpha, op.Beta = float64(uint8(int64(op.Alpha))), float64(uint8(int64(op.Beta)))
	}
	if op.Fn == ops.ClampMin && op.Alpha == 0 && x.DType().IsFloat() {
		op = ops.Unary{Fn: ops.ReLU}
	}
	return c.unary(op, x)
}

// boundedWide clamps int64 by integers that float64, in which an operator holds its
// bounds, cannot tell from their neighbors. It returns nil where none is such.
func (c *call) boundedWide(fn ops.UnaryFn, x *build.Tensor, bounds []Value) *build.Tensor {
	wide := false
	for _, b := range bounds {
		wide = wide || c.isWide(b)
	}
	if !wide || x.DType() != tensor.Int64 {
		return nil
	}
	if fn != ops.ClampMax {
		x = c.arithNumber(ops.Max, x, bounds[0])
	}
	if fn != ops.ClampMin {
		x = c.arithNumber(ops.Min, x, bounds[len(bounds)-1])
	}
	return x
}

// isWide reports whether a value is a plain int that float64 does not hold.
func (c *call) isWide(v Value) bool {
	if n := build.AsNumber(v); n != nil {
		if p, ok := c.Plain(n); ok {
			i, isInt := p.(int64)
			return isInt && (i > 1<<53 || i < -1<<53)
		}
	}
	return false
}

func clampTensors(c *call) Value {
	x := c.tensor(0)
	if lo := c.tensor(1); lo != nil {
		x = c.arith(ops.Max, x, lo)
	}
	if hi := c.tensor(2); hi != nil {
		x = c.arith(ops.Min, x, hi)
	}
	return x
}

// to converts to the element type that argument i is; argument k asks for a copy
// in any case.
//
//go:noinline
func to(i, k int) func(*call) Value {
	return func(c *call) Value {
		return c.convertTo(c.tensor(0), i, k < len(c.args) && c.bool(k))
	}
}

// convertTo converts to the type that argument i names, if any.
func (c *call) convertTo(t *build.Tensor, i int, always bool) *build.Tensor {
	switch {
	case c.isNone(i) && t.Complex:
		return c.convertComplex(t, t.DType())
	case c.isNone(i):
		return c.convert(t, t.DType(), always)
	}
	if part, ok := complexParts[c.int(i)]; ok {
		return c.convertComplex(t, part)
	}
	return c.convert(t, c.dtypeOr(i, t.DType()), always)
}

// convert converts to real numbers of a type; of complex ones it keeps the real part.
func (c *call) convert(t *build.Tensor, d tensor.DType, always bool) *build.Tensor {
	if t.Complex {
		return c.cast(c.partOf(t, 0), d)
	}
	if t.Type().Q != nil {
		if d != t.DType() {
			c.unsupported("from a quantized to another type")
		}
		return build.Alias(t)
	}
	if t.DType() == d {
		if always || t.Store.Short && c.typed && c.narrow == nil {
			return build.NewTensor(c.read(t))
		}
		return build.Alias(t)
	}
	return c.cast(t, d)
}

func toOther(c *call) Value {
	if other := c.tensor(1); other.Complex {
		return c.convertComplex(c.tensor(0), other.DType())
	}
	if c.typed = true; c.tensor(1).Store.Short {
		c.narrow = narrowTypes[shortType]
	}
	return c.convert(c.tensor(0), c.tensor(1).DType(), false)
}

//go:noinline
func toType(d tensor.DType) func(*call) Value {
	return func(c *call) Value {
		c.typed = true
		return c.convert(c.tensor(0), d, false)
	}
}

// sinc is sin(pi x) / (pi x), 1 at 0.
func sinc(c *call) Value {
	x := c.tensor(0)
	if !x.DType().IsFloat() {
		x = c.cast(x, defaultFloat)
	}
	center := c.arithNumber(ops.Eq, x, int64(0))
	oneThere := func(v *build.Tensor) *build.Tensor {
		return c.apply(ops.Where{ANumber: true, KeepB: true}, center, c.lift(1.0), v)
	}
	// The angle is not divided by where it is 0, nor is a gradient.
	angle := oneThere(c.arithNumber(ops.Mul, x, math.Pi))
	return oneThere(c.arith(ops.Div, c.apply(ops.Unary{Fn: ops.Sin}, angle), angle))
}
