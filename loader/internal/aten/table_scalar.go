package aten

import (
	"math"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
)

// scalars are the operators on plain numbers and bools.
var scalars = []operator{
	{"aten::add", "a:n b:n", scalarBinary(ops.Add)},
	{"aten::sub", "a:n b:n", scalarBinary(ops.Sub)},
	{"aten::mul", "a:n b:n", scalarBinary(ops.Mul)},
	{"aten::div", "a:n b:n", scalarBinary(ops.Div)},
	{"aten::floordiv", "a:n b:n", scalarBinary(ops.FloorDiv)},
	{"aten::floor_divide", "a:n b:n", scalarBinary(ops.FloorDiv)},
	{"aten::divmod", "x:n y:n", divmod},
	{"aten::__round_to_zero_floordiv", "a:n b:n", scalarBinary(ops.TruncDiv)},
	{"aten::remainder", "a:n b:n", scalarBinary(ops.Remainder)},
	{"aten::fmod", "a:n b:n", scalarBinary(ops.Fmod)},
	{"aten::pow", "a:n b:n", scalarBinary(ops.Pow)},
	{"aten::atan2", "a:n b:n", scalarBinary(ops.Atan2)},
	{"prim::max", "a:n b:n", scalarBinary(ops.Max)},
	{"prim::min", "a:n b:n", scalarBinary(ops.Min)},
	{"prim::max", "self:l", listExtreme(1)},
	{"prim::min", "self:l", listExtreme(-1)},
	{"aten::eq", "a:n b:n", scalarBinary(ops.Eq)},
	{"aten::ne", "a:n b:n", scalarBinary(ops.Ne)},
	{"aten::lt", "a:n b:n", scalarBinary(ops.Lt)},
	{"aten::le", "a:n b:n", scalarBinary(ops.Le)},
	{"aten::gt", "a:n b:n", scalarBinary(ops.Gt)},
	{"aten::ge", "a:n b:n", scalarBinary(ops.Ge)},
	{"aten::__and__", "a:n b:n", scalarBinary(ops.BitAnd)},
	{"aten::__or__", "a:n b:n", scalarBinary(ops.BitOr)},
	{"aten::__xor__", "a:n b:n", scalarBinary(ops.BitXor)},
	{"aten::__lshift__", "a:i b:i", shift(true)},
	{"aten::__rshift__", "a:i b:i", shift(false)},
	{"aten::__range_length", "lo:i hi:i step:i", rangeLength},
	{"aten::__derive_index", "index:i start:i step:i", deriveIndex},
	{"aten::__not__", "self:n", not},
	{"aten::neg", "self:n", func(c *call) Value {
		return c.scalarOf(ops.Sub, &build.Number{Kind: build.Int, Known: int64(0)}, c.number(0))
	}},
	{"prim::abs", "a:n", absolute},
	{"aten::abs", "a:n", absolute},
	{"aten::Int", "a:n", toScalar(build.Int)},
	{"aten::Float", "a:n", toScalar(build.Float)},
	{"aten::Bool", "a:n", toScalar(build.Bool)},
	{"aten::Int", "a:T", toScalar(build.Int)},
	{"aten::Float", "a:T", toScalar(build.Float)},
	{"aten::Bool", "a:T", toScalar(build.Bool)},
	{"aten::IntImplicit", "a:T", toScalar(build.Int)},
	{"aten::FloatImplicit", "a:T", toScalar(build.Float)},
	{"aten::ScalarImplicit", "a:T", item},
	{"aten::item", "self:T", item},
	{"aten::is_nonzero", "self:T", toScalar(build.Bool)},
	{"prim::NumToTensor", "a:n", numToTensor},
	{"aten::scalar_tensor", "s:N | dtype:i?=None layout:i?=None device:v?=None pin_memory:b?=None", scalarTensorOf},
	{"aten::floor", "a:n", rounded(math.Floor)},
	{"aten::ceil", "a:n", rounded(math.Ceil)},
	{"aten::round", "a:n", scalarFloat(math.RoundToEven)},
	{"aten::trunc", "a:n", rounded(math.Trunc)},
	{"aten::sqrt", "a:n", scalarFloat(math.Sqrt)},
	{"aten::exp", "a:n", scalarFloat(math.Exp)},
	{"aten::expm1", "a:n", scalarFloat(math.Expm1)},
	{"aten::log", "a:n", scalarFloat(math.Log)},
	{"aten::log2", "a:n", scalarFloat(math.Log2)},
	{"aten::log10", "a:n", scalarFloat(math.Log10)},
	{"aten::log1p", "a:n", scalarFloat(math.Log1p)},
	{"aten::sin", "a:n", scalarFloat(math.Sin)},
	{"aten::cos", "a:n", scalarFloat(math.Cos)},
	{"aten::tan", "a:n", scalarFloat(math.Tan)},
	{"aten::asin", "a:n", scalarFloat(math.Asin)},
	{"aten::acos", "a:n", scalarFloat(math.Acos)},
	{"aten::atan", "a:n", scalarFloat(math.Atan)},
	{"aten::sinh", "a:n", scalarFloat(math.Sinh)},
	{"aten::cosh", "a:n", scalarFloat(math.Cosh)},
	{"aten::tanh", "a:n", scalarFloat(math.Tanh)},
	{"aten::gamma", "a:n", scalarFloat(math.Gamma)},
	{"aten::erf", "a:n", scalarFloat(math.Erf)},
	{"aten::degrees", "a:n", scalarFloat(func(x float64) float64 { return x * (180 / math.Pi) })},
	{"aten::radians", "a:n", scalarFloat(func(x float64) float64 { return x * (math.Pi / 180) })},
	{"aten::isnan", "a:n", scalarTest(math.IsNaN)},
	{"aten::isinf", "a:n", scalarTest(func(x float64) bool { return math.IsInf(x, 0) })},
	{"aten::isfinite", "a:n", scalarTest(func(x float64) bool { return x-x == 0 })},
}

// scalarBinary lowers a function of two numbers.
//
//go:noinline
func scalarBinary(fn ops.BinaryFn) func(*call) Value {
	return func(c *call) Value { return c.scalarOf(fn, c.number(0), c.number(1)) }
}

// divmod is Python's: the floor of a quotient and the rest, which has the sign of y.
func divmod(c *call) Value {
	x, y := c.number(0), c.number(1)
	return &Tuple{Items: []Value{c.scalarOf(ops.FloorDiv, x, y), c.scalarOf(ops.Remainder, x, y)}}
}

func (c *call) scalarOf(fn ops.BinaryFn, a, b *build.Number) Value {
	v, err := c.arithmeticOf(fn, a, b)
	c.failed(err)
	return v
}

//go:noinline
func shift(left bool) func(*call) Value {
	return func(c *call) Value {
		a, by := int64(c.int(0)), c.int(1)
		if by < 0 || by > 63 {
			return c.fail("a shift by %d", by)
		}
		if left {
			return a << by
		}
		return a >> by
	}
}

// rangeLength is the number of elements of range(lo, hi, step).
func rangeLength(c *call) Value {
	lo, hi, step := c.int(0), c.int(1), c.int(2)
	switch {
	case step == 0:
		return c.failed(ErrRangeStep)
	case step > 0 && lo < hi:
		return int64(1 + (hi-lo-1)/step)
	case step < 0 && lo > hi:
		return int64(1 + (lo-hi-1)/-step)
	}
	return int64(0)
}

// deriveIndex is an element of range(start, ..., step).
func deriveIndex(c *call) Value {
	return c.scalarOf(ops.Add, c.number(1), build.AsNumber(c.scalarOf(ops.Mul, c.number(0), c.number(2))))
}

// not is the opposite of a condition.
func not(c *call) Value {
	n := build.AsNumber(c.number(0).To(build.Bool))
	if n.Known == nil {
		return c.scalarOf(ops.Eq, n, &build.Number{Kind: build.Bool, Known: false})
	}
	return (&build.Number{Kind: build.Bool, Known: !n.Known.(bool), Deps: n.Deps}).Plain()
}

// mapNumber computes a function of a number that the graph cannot compute.
func (c *call) mapNumber(k build.Kind, f func(v Value) Value) Value {
	n := c.number(0)
	if n.Known == nil {
		v, ok := c.Plain(n)
		if !ok {
			return c.failed(build.ErrDataDependent)
		}
		n = build.AsNumber(v)
	}
	return (&build.Number{Kind: k, Known: f(n.Known), Deps: n.Deps}).Plain()
}

func absolute(c *call) Value {
	return c.mapNumber(c.number(0).Kind, func(v Value) Value {
		switch v := v.(type) {
		case int64:
			return max(v, -v)
		case float64:
			return math.Abs(v)
		}
		return v
	})
}

//go:noinline
func toScalar(k build.Kind) func(*call) Value {
	return func(c *call) Value {
		v, err := ToNumber(c.Builder, c.args[0], k)
		c.failed(err)
		return v
	}
}

func item(c *call) Value {
	t := c.tensor(0)
	v, err := Item(c.Builder, t, build.KindOfDType(t.DType()))
	c.failed(err)
	return v
}

func numToTensor(c *call) Value { return build.OfNumber(c.number(0)) }

func scalarTensorOf(c *call) Value {
	if n := c.number(0); n != nil {
		return c.cast(build.OfNumber(n), c.dtypeOr(1, defaultFloat))
	}
	return tensorOf(c)
}

// rounded lowers a rounding, which gives an int.
//
//go:noinline
func rounded(f func(float64) float64) func(*call) Value {
	return func(c *call) Value {
		return c.mapNumber(build.Int, func(v Value) Value {
			x, _ := build.ToFloat(v)
			return build.Convert(f(x), build.Int)
		})
	}
}

//go:noinline
func scalarFloat(f func(float64) float64) func(*call) Value {
	return func(c *call) Value {
		return c.mapNumber(build.Float, func(v Value) Value {
			x, _ := build.ToFloat(v)
			return f(x)
		})
	}
}

//go:noinline
func scalarTest(f func(float64) bool) func(*call) Value {
	return func(c *call) Value {
		return c.mapNumber(build.Bool, func(v Value) Value {
			x, _ := build.ToFloat(v)
			return f(x)
		})
	}
}

// listExtreme gives the greatest or the least element of a list of numbers.
//
//go:noinline
func listExtreme(sign int) func(*call) Value {
	return func(c *call) Value {
		items, _ := Items(c.args[0])
		if len(items) == 0 {
			return c.failed(&RaisedError{"ValueError", "an empty list has no extreme"})
		}
		fn := ops.Max
		if sign < 0 {
			fn = ops.Min
		}
		best := items[0]
		for _, x := range items[1:] {
			best = c.scalarOf(fn, build.AsNumber(best), build.AsNumber(x))
		}
		return best
	}
}
