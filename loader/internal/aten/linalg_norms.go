package aten

import (
	"math"
	"slices"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
)

// linalgNorm is the norm of matrices where the arguments mean those, else of vectors.
func linalgNorm(c *call) Value {
	x, dims := c.tensor(0), []int{-2, -1}
	if !c.isNone(2) && len(c.numbers(2)) > 0 {
		dims = c.ints(2)
	} else if x.Rank() != 2 && c.name == "aten::linalg_norm" {
		dims = nil
	}
	if _, named := c.args[1].(string); c.isNone(1) || len(dims) != 2 && !named {
		return norm(1, 2, 3, 4)(c)
	}
	return c.matrixNorm(c.cast(x, c.dtypeOr(4, x.DType())), c.plainArg(1), dims, c.bool(3))
}

// matrixNorm is that of the matrices in two dimensions: "fro", "nuc", 1, 2, inf and their opposites.
func (c *call) matrixNorm(x *build.Tensor, order Value, dims []int, keep bool) *build.Tensor {
	rank := x.Rank()
	if len(dims) != 2 || rank < 2 {
		c.fail("a norm of matrices in %d dimensions of %d", len(dims), rank)
	}
	if c.Err() != nil {
		return c.anything()
	}
	row, column := c.plainAxis(dims[0], rank), c.plainAxis(dims[1], rank)
	if row == column {
		c.fail("dimension %d twice", row)
		return c.anything()
	}
	over := func(fn ops.ReduceFn, t *build.Tensor, axes ...int) *build.Tensor {
		return c.apply(ops.Reduce{Fn: fn, P: 2, Axes: axes, KeepDims: keep}, t)
	}
	p, number := build.ToFloat(order)
	switch {
	case order == "fro":
		return over(ops.Norm, x, row, column)
	case number && (math.Abs(p) == 1 || math.IsInf(p, 0)):
		first, second := row, column // sums of columns
		if math.IsInf(p, 0) {
			first, second = column, row
		}
		fn := ops.AMax
		if p < 0 {
			fn = ops.AMin
		}
		if !keep && first < second {
			second--
		}
		return over(fn, over(ops.Sum, c.fn(ops.Abs, x), first), second)
	case order != "nuc" && !(number && math.Abs(p) == 2):
		c.fail("the norm %s of a matrix", Repr(order))
		return c.anything()
	}
	rest := slices.DeleteFunc(identityOrder(rank), func(d int) bool { return d == row || d == column })
	dimsX := slices.Clone(c.Dims(x))
	s := c.singularValues(c.permuted(x, append(rest, row, column)))
	fn := ops.Sum
	if number {
		if fn = ops.AMax; p < 0 {
			fn = ops.AMin
		}
	}
	if fn == ops.AMax && c.extent(s, s.Rank()-1) == 0 {
		fn = ops.Sum // the norm of no elements is 0
	}
	y := c.apply(ops.Reduce{Fn: fn, Axes: []int{-1}}, s)
	if keep && c.Err() == nil {
		dimsX[row], dimsX[column] = build.Extent(1), build.Extent(1)
		y = c.reshape(y, dimsX)
	}
	return y
}

// condition is the product of the norms of a matrix and of its inverse, of the norm 2 the quotient of its singular values.
func condition(c *call) Value {
	a, order := c.tensor(0), Value(2.0)
	if !c.isNone(1) {
		order = c.args[1]
		if _, named := order.(string); !named {
			order = c.plainArg(1)
		}
	}
	last := []int{-2, -1}
	if p, ok := build.ToFloat(order); ok && math.Abs(p) == 2 {
		return c.arith(ops.Div, c.matrixNorm(a, p, last, false), c.matrixNorm(a, -p, last, false))
	}
	out := c.applyAll(ops.Solve{}, a, c.identity(a))
	y := c.arith(ops.Mul, c.matrixNorm(a, order, last, false), c.matrixNorm(out[0], order, last, false))
	return c.apply(ops.Where{ANumber: true}, c.arithNumber(ops.Ne, out[1], int64(0)), c.lift(math.Inf(1)), y)
}
