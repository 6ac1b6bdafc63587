package aten

import (
	"math"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

const quantileParams = "self:T q:N dim:i?=None keepdim:b=False | interpolation:s='linear'"

// nanMean is the mean of what is no NaN.
func nanMean(c *call) Value {
	x := c.tensor(0)
	if !x.DType().IsFloat() {
		return c.fail("of %v", x.Type())
	}
	if !c.isNone(3) {
		x = c.cast(x, c.dtypeOr(3, x.DType()))
	}
	number := c.fn(ops.LogicalNot, c.fn(ops.IsNaN, x))
	sum := func(t *build.Tensor) *build.Tensor {
		return c.apply(ops.Reduce{Fn: ops.Sum, Axes: c.axes(1, x.Rank()), KeepDims: c.bool(2)}, t)
	}
	return c.arith(ops.Div, sum(c.zeroUnless(number, x)), sum(number))
}

func nanMedian(c *call) Value {
	x := c.shaped(c.tensor(0), c.resolve(c.tensor(0), []*build.Number{build.Extent(-1)}))
	if c.extent(x, 0) == 0 && x.DType().IsFloat() {
		return c.cast(c.lift(math.NaN()), x.DType())
	}
	return c.middleNumber(x, 0, false).Items[0]
}

func nanMedianAlong(c *call) Value {
	return c.middleNumber(c.tensor(0), c.axis(1, c.tensor(0).Rank()), c.bool(2))
}

// middleNumber is the median of what is no NaN and its index; of NaN alone it is NaN.
func (c *call) middleNumber(x *build.Tensor, axis int, keep bool) *Tuple {
	if !x.DType().IsFloat() || x.Rank() == 0 {
		return c.middle(x, axis, keep)
	}
	sorted := c.applyAll(ops.Sort{Axis: axis}, x) // NaN comes last
	count := c.apply(ops.Reduce{Fn: ops.Sum, Axes: []int{axis}, KeepDims: true}, c.fn(ops.LogicalNot, c.fn(ops.IsNaN, x)))
	at := c.arithNumber(ops.FloorDiv, c.arithNumber(ops.Sub, c.arithNumber(ops.Max, count, int64(1)), int64(1)), int64(2))
	out := make([]Value, 2)
	for i := range out {
		y := c.apply(ops.Gather{Axis: axis}, sorted[i], at)
		if !keep {
			y = c.selected(y, axis, build.Extent(0))
		}
		out[i] = y
	}
	return &Tuple{Items: out}
}

// quantile is what a share q of the values along a dimension, or of all, is below. Several shares give a first dimension.
func quantile(c *call) Value {
	x, axis, keep := c.tensor(0), 0, c.bool(3)
	shares, isTensor := c.args[1].(*build.Tensor)
	if !isTensor {
		shares = c.cast(c.lift(c.args[1]), x.DType())
	}
	if d := x.DType(); d != tensor.Float32 && d != tensor.Float64 || shares.DType() != d || shares.Rank() > 1 || c.isNone(2) && keep {
		return c.unsupported("of %v for %v", x.Type(), shares.Type())
	}
	if c.isNone(2) {
		x = c.shaped(x, c.resolve(x, []*build.Number{build.Extent(-1)}))
	} else if axis = c.axis(2, x.Rank()); x.Rank() == 0 {
		x, keep = c.atLeastVector(x), false
	}
	n := c.extent(x, axis)
	if n == 0 {
		return c.fail("quantile() input tensor must be non-empty")
	}
	c.assertAll(c.arith(ops.LogicalAnd, c.arithNumber(ops.Ge, shares, int64(0)), c.arithNumber(ops.Le, shares, int64(1))), "quantile() q values must be in the range [0, 1]")
	rank := c.arithNumber(ops.Mul, c.shaped(shares, c.resolve(shares, []*build.Number{build.Extent(-1)})), int64(n-1))
	y := c.between(c.applyAll(ops.Sort{Axis: axis}, x)[0], rank, axis, c.string(4))
	isNaN := c.apply(ops.Reduce{Fn: ops.Any, Axes: []int{axis}, KeepDims: true}, c.fn(ops.IsNaN, x))
	y = c.apply(ops.Where{ANumber: true, KeepB: true}, isNaN, c.lift(math.NaN()), y)
	if shares.Rank() == 0 {
		if keep {
			return y
		}
		return c.selected(y, axis, build.Extent(0))
	}
	order := []int{axis}
	for i := range y.Rank() {
		if i != axis {
			order = append(order, i)
		}
	}
	y = c.permuted(y, order)
	if !keep {
		return y
	}
	dims := c.Dims(y)
	to := append([]*build.Number{dims[0]}, dims[1:axis+1]...)
	to = append(append(to, build.Extent(1)), dims[axis+1:]...)
	return c.shaped(y, to)
}

// nanQuantile is quantile of what is no NaN, which is another number of values in each line; of NaN alone it is NaN.
func nanQuantile(c *call) Value {
	x, axis, keep := c.tensor(0), 0, c.bool(3)
	shares, isTensor := c.args[1].(*build.Tensor)
	if !isTensor {
		shares = c.cast(c.lift(c.args[1]), x.DType())
	}
	if d := x.DType(); d != tensor.Float32 && d != tensor.Float64 || shares.DType() != d || shares.Rank() > 1 || c.isNone(2) && keep {
		return c.unsupported("of %v for %v", x.Type(), shares.Type())
	}
	if c.isNone(2) {
		x = c.shaped(x, c.resolve(x, []*build.Number{build.Extent(-1)}))
	} else if axis = c.axis(2, x.Rank()); x.Rank() == 0 {
		x, keep = c.atLeastVector(x), false
	}
	if shares.Rank() == 1 {
		var all []*build.Tensor
		for i := range c.extent(shares, 0) {
			c.args[1] = c.selected(shares, 0, build.Extent(i))
			if y, ok := nanQuantile(c).(*build.Tensor); ok && c.mayCut(1) {
				all = append(all, y)
			}
		}
		return c.apply(ops.Stack{}, all...)
	}
	if c.extent(x, axis) == 0 {
		return c.fail("nanquantile() input tensor must be non-empty")
	}
	c.assertAll(c.arith(ops.LogicalAnd, c.arithNumber(ops.Ge, shares, int64(0)), c.arithNumber(ops.Le, shares, int64(1))), "nanquantile() q values must be in the range [0, 1]")
	count := c.apply(ops.Reduce{Fn: ops.Sum, Axes: []int{axis}, KeepDims: true}, c.fn(ops.LogicalNot, c.fn(ops.IsNaN, x)))
	last := c.arithNumber(ops.Sub, c.arithNumber(ops.Max, count, int64(1)), int64(1))
	sorted := c.applyAll(ops.Sort{Axis: axis}, x)[0] // NaN comes last
	rank := c.arith(ops.Mul, c.cast(last, x.DType()), shares)
	take := func(at *build.Tensor) *build.Tensor {
		return c.apply(ops.Gather{Axis: axis}, sorted, c.cast(at, tensor.Int64))
	}
	same := func(share *build.Tensor) *build.Tensor { return share }
	y := c.interpolated(rank, c.string(4), take, same)
	if keep {
		return y
	}
	return c.selected(y, axis, build.Extent(0))
}

// between returns what stands at places in sorted values that lie between two of them.
func (c *call) between(sorted, rank *build.Tensor, axis int, interpolation string) *build.Tensor {
	take := func(at *build.Tensor) *build.Tensor {
		return c.apply(ops.IndexSelect{Axis: axis}, sorted, c.cast(at, tensor.Int64))
	}
	along := func(share *build.Tensor) *build.Tensor {
		to := make([]*build.Number, sorted.Rank())
		for i := range to {
			to[i] = build.Extent(1)
		}
		to[axis] = c.length(share)
		return c.reshape(share, to)
	}
	return c.interpolated(rank, interpolation, take, along)
}

// interpolated returns what stands at ranks between two values that take finds; shaped gives shares of their distance
// the dimensions of values.
func (c *call) interpolated(rank *build.Tensor, interpolation string, take, shaped func(*build.Tensor) *build.Tensor) *build.Tensor {
	switch interpolation {
	case "linear":
	case "midpoint":
	case "lower":
		rank = c.fn(ops.Floor, rank)
	case "higher":
		rank = c.fn(ops.Ceil, rank)
	case "nearest":
		rank = c.fn(ops.Round, rank)
	default:
		c.fail("unknown interpolation %q", interpolation)
	}
	floor := c.fn(ops.Floor, rank)
	low := take(floor)
	if interpolation != "linear" && interpolation != "midpoint" {
		return low
	}
	high, share := take(c.fn(ops.Ceil, rank)), c.arith(ops.Sub, rank, floor)
	if interpolation == "midpoint" {
		share = c.fullLike(share, 0.5)
	}
	share = shaped(share)
	step := c.arith(ops.Sub, high, low)
	near := c.arith(ops.Add, low, c.arith(ops.Mul, share, step))
	far := c.arith(ops.Sub, high, c.arith(ops.Mul, step, c.fromOne(share)))
	return c.apply(ops.Where{}, c.arithNumber(ops.Lt, share, 0.5), near, far)
}

// vander is the Vandermonde matrix of vectors: their powers from 0 on along a new last dimension.
//
//go:noinline
func vander(increasing func(c *call) bool) func(*call) Value {
	return func(c *call) Value {
		x := c.tensor(0)
		if x.Rank() == 0 && c.isNone(1) || x.Complex {
			return c.unsupported("of %v", x.Type())
		}
		n := 0
		if c.isNone(1) {
			n = c.extent(x, x.Rank()-1)
		} else {
			n = c.int(1)
		}
		if n < 1 || n > maxComputed {
			return c.unsupported("of %d powers", n)
		}
		if d := x.DType(); !d.IsFloat() {
			x = c.cast(x, tensor.Int64)
		}
		if x.Rank() == 0 {
			x = c.reshape(x, []*build.Number{build.Extent(1)})
		}
		column := c.reshape(x, append(c.Dims(x)[:x.Rank():x.Rank()], build.Extent(1)))
		y := c.fullLike(column, 1)
		if n > 1 && c.Err() == nil {
			to := append(c.Dims(x)[:x.Rank():x.Rank()], build.Extent(n-1))
			powers := c.apply(ops.PrefixScan{Axis: x.Rank(), Product: true}, c.expand(column, to))
			y = c.apply(ops.Concat{Axis: x.Rank()}, y, powers)
		}
		if !increasing(c) {
			y = c.apply(ops.Flip{Axes: []int{x.Rank()}}, y)
		}
		return y
	}
}
