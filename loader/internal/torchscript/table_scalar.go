package torchscript

import (
	"math"

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
	{"aten::neg", "self:n", func(c *call) value { return c.scalarOf(ops.Sub, &number{kind: intKind, known: int64(0)}, c.number(0)) }},
	{"prim::abs", "a:n", absolute},
	{"aten::abs", "a:n", absolute},
	{"aten::Int", "a:n", toScalar(intKind)},
	{"aten::Float", "a:n", toScalar(floatKind)},
	{"aten::Bool", "a:n", toScalar(boolKind)},
	{"aten::Int", "a:T", toScalar(intKind)},
	{"aten::Float", "a:T", toScalar(floatKind)},
	{"aten::Bool", "a:T", toScalar(boolKind)},
	{"aten::IntImplicit", "a:T", toScalar(intKind)},
	{"aten::FloatImplicit", "a:T", toScalar(floatKind)},
	{"aten::ScalarImplicit", "a:T", item},
	{"aten::item", "self:T", item},
	{"aten::is_nonzero", "self:T", toScalar(boolKind)},
	{"prim::NumToTensor", "a:n", numToTensor},
	{"aten::scalar_tensor", "s:n | dtype:i?=None layout:i?=None device:v?=None pin_memory:b?=None", scalarTensorOf},
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
func scalarBinary(fn ops.BinaryFn) func(*call) value {
	return func(c *call) value { return c.scalarOf(fn, c.number(0), c.number(1)) }
}

func (c *call) scalarOf(fn ops.BinaryFn, a, b *number) value {
	v, err := c.arithmeticOf(fn, a, b)
	c.failed(err)
	return v
}

func shift(left bool) func(*call) value {
	return func(c *call) value {
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
func rangeLength(c *call) value {
	lo, hi, step := c.int(0), c.int(1), c.int(2)
	switch {
	case step == 0:
		return c.failed(errRangeStep)
	case step > 0 && lo < hi:
		return int64(1 + (hi-lo-1)/step)
	case step < 0 && lo > hi:
		return int64(1 + (lo-hi-1)/-step)
	}
	return int64(0)
}

// deriveIndex is an element of range(start, ..., step).
func deriveIndex(c *call) value {
	return c.scalarOf(ops.Add, c.number(1), asNumber(c.scalarOf(ops.Mul, c.number(0), c.number(2))))
}

// not is the opposite of a condition.
func not(c *call) value {
	n := asNumber(c.number(0).to(boolKind))
	if n.known == nil {
		return c.scalarOf(ops.Eq, n, &number{kind: boolKind, known: false})
	}
	return (&number{kind: boolKind, known: !n.known.(bool), deps: n.deps}).plain()
}

// mapNumber computes a function of a number that the graph cannot compute.
func (c *call) mapNumber(k kind, f func(v value) value) value {
	n := c.number(0)
	if n.known == nil {
		v, ok := c.plain(n)
		if !ok {
			return c.failed(errDataDependent)
		}
		n = asNumber(v)
	}
	return (&number{kind: k, known: f(n.known), deps: n.deps}).plain()
}

func absolute(c *call) value {
	return c.mapNumber(c.number(0).kind, func(v value) value {
		switch v := v.(type) {
		case int64:
			return max(v, -v)
		case float64:
			return math.Abs(v)
		}
		return v
	})
}

func toScalar(k kind) func(*call) value {
	return func(c *call) value {
		v, err := toNumber(c.builder, c.args[0], k)
		c.failed(err)
		return v
	}
}

func item(c *call) value {
	t := c.tensor(0)
	v, err := itemOf(c.builder, t, kindOfDType(t.dtype()))
	c.failed(err)
	return v
}

func numToTensor(c *call) value { return ofNumber(c.number(0)) }

func scalarTensorOf(c *call) value {
	return c.cast(ofNumber(c.number(0)), c.dtypeOr(1, defaultFloat))
}

// rounded lowers a rounding, which gives an int.
func rounded(f func(float64) float64) func(*call) value {
	return func(c *call) value {
		return c.mapNumber(intKind, func(v value) value {
			x, _ := plainFloat(v)
			return convert(f(x), intKind)
		})
	}
}

func scalarFloat(f func(float64) float64) func(*call) value {
	return func(c *call) value {
		return c.mapNumber(floatKind, func(v value) value {
			x, _ := plainFloat(v)
			return f(x)
		})
	}
}

func scalarTest(f func(float64) bool) func(*call) value {
	return func(c *call) value {
		return c.mapNumber(boolKind, func(v value) value {
			x, _ := plainFloat(v)
			return f(x)
		})
	}
}

// listExtreme gives the greatest or the least element of a list of numbers.
func listExtreme(sign int) func(*call) value {
	return func(c *call) value {
		items, _ := itemsOf(c.args[0])
		if len(items) == 0 {
			return c.failed(&RaisedError{"ValueError", "an empty list has no extreme"})
		}
		fn := ops.Max
		if sign < 0 {
			fn = ops.Min
		}
		best := items[0]
		for _, x := range items[1:] {
			best = c.scalarOf(fn, asNumber(best), asNumber(x))
		}
		return best
	}
}
