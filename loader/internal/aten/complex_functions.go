package aten

import (
	"math"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
)

// complexUnary applies a function of one element to complex numbers a + bi.
func (c *call) complexUnary(op ops.Unary, t *build.Tensor) *build.Tensor {
	if c.Err() != nil {
		return c.anything()
	}
	switch op.Fn {
	case ops.Neg:
		return asComplex(c.apply(op, pairs(t)))
	case ops.IsNaN, ops.IsInf:
		return c.apply(ops.Reduce{Fn: ops.Any, Axes: []int{-1}}, c.apply(op, pairs(t)))
	case ops.IsFinite:
		return c.apply(ops.Reduce{Fn: ops.All, Axes: []int{-1}}, c.apply(op, pairs(t)))
	case ops.Abs:
		return c.complexAbs(t)
	case ops.Square:
		return c.complexProduct(t, t)
	case ops.Reciprocal:
		return c.complexArith(ops.Div, c.ensureComplex(c.likeOf(c.partOf(t, 0), 1, t.DType())), t)
	case ops.Sign: // sgn: of length 1, and 0 of 0
		size := c.complexAbs(t)
		return c.complexScaled(ops.Div, t, c.arith(ops.Add, size, c.cast(c.arithNumber(ops.Eq, size, int64(0)), size.DType())))
	case ops.Exp:
		return c.polar(c.apply(op, c.partOf(t, 0)), c.partOf(t, 1))
	case ops.Exp2:
		return c.complexFn(ops.Exp, c.complexTimes(t, math.Ln2))
	case ops.Expm1:
		return c.complexPlus(c.complexFn(ops.Exp, t), -1)
	case ops.Log:
		return c.complexFrom(c.fn(ops.Log, c.complexAbs(t)), c.angleOf(t))
	case ops.Log2:
		return c.complexTimes(c.complexFn(ops.Log, t), 1/math.Ln2)
	case ops.Log10:
		return c.complexTimes(c.complexFn(ops.Log, t), 1/math.Ln10)
	case ops.Log1p:
		return c.complexFn(ops.Log, c.complexPlus(t, 1))
	case ops.Sqrt:
		return c.polar(c.fn(ops.Sqrt, c.complexAbs(t)), c.arithNumber(ops.Mul, c.angleOf(t), 0.5))
	case ops.Rsqrt:
		return c.complexFn(ops.Reciprocal, c.complexFn(ops.Sqrt, t))
	case ops.Sigmoid:
		e := c.complexFn(ops.Exp, c.complexFn(ops.Neg, t))
		return c.complexFn(ops.Reciprocal, c.complexPlus(e, 1))
	case ops.SiLU:
		return c.complexProduct(t, c.complexFn(ops.Sigmoid, t))
	}
	return c.complexTrigonometry(op.Fn, t)
}

//go:noinline
func (c *call) complexFn(fn ops.UnaryFn, t *build.Tensor) *build.Tensor {
	return c.complexUnary(ops.Unary{Fn: fn}, t)
}

// complexTrigonometry applies a trigonometric or a hyperbolic function, or the inverse of one.
func (c *call) complexTrigonometry(fn ops.UnaryFn, t *build.Tensor) *build.Tensor {
	a, b := c.partOf(t, 0), c.partOf(t, 1)
	negative := c.complexTimes(t, -1)
	switch fn {
	case ops.Sinh:
		return c.complexFrom(c.arith(ops.Mul, c.fn(ops.Sinh, a), c.fn(ops.Cos, b)), c.arith(ops.Mul, c.fn(ops.Cosh, a), c.fn(ops.Sin, b)))
	case ops.Cosh:
		return c.complexFrom(c.arith(ops.Mul, c.fn(ops.Cosh, a), c.fn(ops.Cos, b)), c.arith(ops.Mul, c.fn(ops.Sinh, a), c.fn(ops.Sin, b)))
	case ops.Tanh: // (sinh 2a + i sin 2b) / (cosh 2a + cos 2b); beyond 20 the real part is 1 whatever a is, and cosh would overflow
		a, b = c.arithNumber(ops.Mul, c.apply(ops.Unary{Fn: ops.Clamp, Alpha: -20, Beta: 20}, a), 2.0), c.arithNumber(ops.Mul, b, 2.0)
		return c.complexScaled(ops.Div, c.complexFrom(c.fn(ops.Sinh, a), c.fn(ops.Sin, b)), c.arith(ops.Add, c.fn(ops.Cosh, a), c.fn(ops.Cos, b)))
	case ops.Asinh:
		return c.complexFn(ops.Log, c.complexArith(ops.Add, t, c.complexFn(ops.Sqrt, c.complexPlus(c.complexProduct(t, t), 1))))
	case ops.Acosh:
		return c.complexFn(ops.Log, c.complexArith(ops.Add, t, c.complexProduct(c.complexFn(ops.Sqrt, c.complexPlus(t, -1)), c.complexFn(ops.Sqrt, c.complexPlus(t, 1)))))
	case ops.Atanh:
		return c.complexTimes(c.complexArith(ops.Sub, c.complexFn(ops.Log, c.complexPlus(t, 1)), c.complexFn(ops.Log, c.complexPlus(negative, 1))), 0.5)
	case ops.Cos:
		return c.complexTrigonometry(ops.Cosh, c.turned(t, 1))
	case ops.Acos: // what asin leaves of pi / 2
		return c.complexPlus(c.complexTrigonometry(ops.Asin, negative), math.Pi/2)
	}
	if h, ok := hyperbolic[fn]; ok { // f(z) = -i h(i z)
		return c.turned(c.complexTrigonometry(h, c.turned(t, 1)), -1)
	}
	c.unsupported("on complex numbers")
	return c.anything()
}

// hyperbolic are the functions that others are, but for a turn by a right angle before and back behind.
var hyperbolic = map[ops.UnaryFn]ops.UnaryFn{ops.Sin: ops.Sinh, ops.Tan: ops.Tanh, ops.Asin: ops.Asinh, ops.Atan: ops.Atanh}

// turned multiplies by i, or by -i.
func (c *call) turned(t *build.Tensor, by float64) *build.Tensor {
	return c.complexFrom(c.arithNumber(ops.Mul, c.partOf(t, 1), -by), c.arithNumber(ops.Mul, c.partOf(t, 0), by))
}

// complexPlus adds a real number.
func (c *call) complexPlus(t *build.Tensor, n float64) *build.Tensor {
	return c.complexFrom(c.arithNumber(ops.Add, c.partOf(t, 0), n), c.partOf(t, 1))
}

// complexTimes multiplies by a real number.
func (c *call) complexTimes(t *build.Tensor, n float64) *build.Tensor {
	return asComplex(c.arithNumber(ops.Mul, pairs(t), n))
}

func (c *call) angleOf(t *build.Tensor) *build.Tensor {
	return c.apply(ops.Binary{Fn: ops.Atan2}, c.partOf(t, 1), c.partOf(t, 0))
}

// complexPower is exp(b log a), by absolute value and angle where b is real, and 0 where a is.
func (c *call) complexPower(a, b *build.Tensor) *build.Tensor {
	if !b.Complex {
		return c.polar(c.arith(ops.Pow, c.complexAbs(a), b), c.arith(ops.Mul, c.angleOf(a), b))
	}
	a = c.ensureComplex(a)
	y := c.complexFn(ops.Exp, c.complexProduct(c.complexFn(ops.Log, a), b))
	if c.Err() != nil {
		return c.anything()
	}
	zero := c.op2("unsqueeze", c.arithNumber(ops.Eq, c.complexAbs(a), int64(0)), int64(-1))
	return asComplex(c.apply(ops.Where{ANumber: true, KeepB: true}, zero, c.lift(0.0), pairs(y)))
}

// complexProductAlong multiplies the numbers along a dimension, each half with the other.
func (c *call) complexProductAlong(t *build.Tensor, axis int, keep bool) *build.Tensor {
	n := c.extent(t, axis)
	part := func(start, end int) *build.Tensor {
		return asComplex(c.apply(ops.Slice{Axis: axis, Start: start, End: end, Step: 1}, pairs(t)))
	}
	for n > 1 && c.Err() == nil {
		half := n / 2
		y := c.complexProduct(part(0, half), part(half, 2*half))
		if n%2 == 1 {
			y = asComplex(c.apply(ops.Concat{Axis: axis}, pairs(y), pairs(part(n-1, n))))
		}
		t, n = y, n-half
	}
	switch {
	case c.Err() != nil:
		return c.anything()
	case n == 0:
		return c.ensureComplex(c.likeOf(c.apply(ops.Reduce{Fn: ops.Sum, Axes: []int{axis}, KeepDims: keep}, c.partOf(t, 0)), 1, t.DType()))
	case keep:
		return t
	}
	return c.selected(t, axis, build.Extent(0))
}

// complexScan is the product so far of the numbers along a dimension.
func (c *call) complexScan(t *build.Tensor, axis int) *build.Tensor {
	if t.Rank() == 0 {
		return t
	}
	parts := c.scan([]*build.Tensor{c.partOf(t, 0), c.partOf(t, 1)}, axis, func(left, right []*build.Tensor) []*build.Tensor {
		y := c.complexProduct(c.complexFrom(left[0], left[1]), c.complexFrom(right[0], right[1]))
		return []*build.Tensor{c.partOf(y, 0), c.partOf(y, 1)}
	})
	if c.Err() != nil {
		return c.anything()
	}
	return c.complexFrom(parts[0], parts[1])
}
