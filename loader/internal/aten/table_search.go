package aten

import (
	"slices"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// searches find places in sorted values, count, and compare tensors as a whole.
var searches = []operator{
	{"aten::bucketize", "self:N boundaries:T | out_int32:b=False right:b=False", bucketize},
	{"aten::searchsorted", "sorted_sequence:T self:N | out_int32:b=False right:b=False side:s?=None sorter:T?=None", searchSorted},
	{"aten::isin", "elements:T test_elements:T | assume_unique:b=False invert:b=False", isIn},
	{"aten::bincount", "self:T weights:T?=None minlength:i=0", binCount},
	{"aten::_unique2", "self:T sorted:b=True return_inverse:b=False return_counts:b=False", unique2},
	{"aten::unique_dim", "self:T dim:i sorted:b=True return_inverse:b=False return_counts:b=False", func(c *call) Value {
		return c.uniqueAlong(c.axis(1, c.tensor(0).Rank()), true)
	}},
	{"aten::unique_consecutive", "self:T return_inverse:b=False return_counts:b=False dim:i?=None", uniqueConsecutive},
	{"aten::equal", "self:T other:T", equalTensors},
	{"aten::allclose", "self:T other:T rtol:f=1e-05 atol:f=1e-08 equal_nan:b=False", allClose},
	{"aten::is_same_size", "self:T other:T", func(c *call) Value { return c.sameShape(c.tensor(0), c.tensor(1)) }},
}

// isIn compares each element with all of a vector.
func isIn(c *call) Value {
	x, set := c.tensor(0), c.tensor(1)
	set = c.shaped(set, c.resolve(set, []*build.Number{build.Extent(-1)}))
	equal := c.arith(ops.Eq, c.reshape(x, append(slices.Clone(c.Dims(x)), build.Extent(1))), set)
	y := c.apply(ops.Reduce{Fn: ops.Any, Axes: []int{-1}}, equal)
	if c.bool(3) {
		y = c.apply(ops.Unary{Fn: ops.LogicalNot}, y)
	}
	return y
}

func bucketize(c *call) Value {
	return c.placesIn(c.tensor(1), c.args[0], c.bool(2), c.bool(3))
}

// searchSorted is bucketize, where rows of values may have rows of boundaries. A sorter says how boundaries are ordered.
func searchSorted(c *call) Value {
	bounds, right := c.tensor(0), c.bool(3)
	switch side := c.string(4); {
	case side == "" && c.isNone(4), side == "left" && !right:
	case side == "right":
		right = true
	default:
		return c.fail("side %q with right=%v", side, right)
	}
	if sorter := c.tensor(5); sorter != nil {
		c.assertDims(c.Dims(bounds), c.Dims(sorter), "boundaries and sorter must have the same shape")
		bounds = c.apply(ops.Gather{Axis: -1}, bounds, sorter)
	}
	return c.placesIn(bounds, c.args[1], c.bool(2), right)
}

// placesIn finds the first boundary that is not below each element, or with right the first above it, by halves as
// PyTorch does: so it passes the same boundaries that are NaN.
func (c *call) placesIn(bounds *build.Tensor, v Value, narrow, right bool) *build.Tensor {
	x, isTensor := v.(*build.Tensor)
	n := bounds.Rank() - 1
	switch {
	case n < 0 || n > 0 && (!isTensor || x.Rank() != n+1):
		c.fail("boundaries of %d dimensions and elements %s", n+1, TypeName(v))
	case n > 0:
		c.assertDims(c.Dims(x)[:n], c.Dims(bounds)[:n], "all but the last dimension of boundaries and elements must be the same")
	}
	if c.Err() != nil {
		return c.anything()
	}
	if d := bounds.DType(); isTensor && x.Rank() == 0 && d.IsFloat() == x.DType().IsFloat() {
		v = c.cast(x, d) // a value without dimensions does not widen the boundaries
	}
	low := c.likeOf(c.lift(v), 0, tensor.Int64)
	size := c.extent(bounds, n)
	high := c.likeOf(c.lift(v), float64(size), tensor.Int64)
	notBelow := ops.Ge
	if right {
		notBelow = ops.Gt
	}
	for left := size; left > 0 && c.Err() == nil; left /= 2 {
		middle := c.arithNumber(ops.FloorDiv, c.arith(ops.Add, low, high), int64(2))
		at := c.arithNumber(ops.Min, middle, int64(size-1))
		var bound *build.Tensor
		if n > 0 {
			bound = c.apply(ops.Gather{Axis: n}, bounds, at)
		} else {
			bound = c.apply(ops.Index{Axes: []int{0}}, bounds, at)
		}
		found := c.binaryValues(notBelow, bound, v)
		open := c.arith(ops.Lt, low, high)
		next := c.arithNumber(ops.Add, middle, int64(1))
		high = c.apply(ops.Where{}, c.arith(ops.LogicalAnd, open, found), middle, high)
		low = c.apply(ops.Where{}, c.arith(ops.LogicalAnd, open, c.fn(ops.LogicalNot, found)), next, low)
	}
	if narrow {
		low = c.cast(low, tensor.Int32)
	}
	return low
}

// binCount counts how often each integer below minlength occurs, or sums its weights. A larger one would make the
// result longer, which only the run knows.
func binCount(c *call) Value {
	x, weights, size := c.tensor(0), c.tensor(1), c.number(2)
	if x.Rank() != 1 || x.DType().IsFloat() || x.DType() == tensor.Bool {
		return c.fail("of %v: a vector of integers is needed", x.Type())
	}
	x = c.cast(x, tensor.Int64)
	c.assertAll(c.arithNumber(ops.Ge, x, int64(0)), "bincount only supports 1-d non-negative integral inputs.")
	// As many elements as the greatest value says, or minlength.
	least := c.reshape(c.arithNumber(ops.Sub, c.lift(size), int64(1)), []*build.Number{build.Extent(1)})
	most := c.apply(ops.Reduce{Fn: ops.AMax}, c.apply(ops.Concat{}, x, least))
	size = c.settledItem(c.arithNumber(ops.Add, most, int64(1)), -1)
	d := tensor.Int64
	one := c.likeOf(x, 1, d)
	if weights != nil {
		if d = weights.DType(); d != tensor.Float32 {
			d = tensor.Float64
		}
		c.assertDims(c.Dims(x), c.Dims(weights), "input and weights should have the same length")
		one = c.cast(weights, d)
	}
	return c.apply(ops.Scatter{Fn: ops.ScatterAdd}, c.fullOf([]*build.Number{size}, 0, d), x, one)
}

// sameShape reports whether two tensors have the same shape, on which the graph then depends.
func (c *call) sameShape(a, b *build.Tensor) bool { return c.shape(a).Equal(c.shape(b)) }

// truth is a bool of a tensor of one.
func (c *call) truth(t *build.Tensor) Value {
	if c.Err() != nil {
		return nil
	}
	v, err := Item(c.Builder, t, build.Bool)
	c.failed(err)
	return v
}

func equalTensors(c *call) Value {
	a, b := c.tensor(0), c.tensor(1)
	if a.DType() != b.DType() || a.Type().Q != nil || b.Type().Q != nil || a.Complex || b.Complex {
		return c.fail("%v and %v: both must have the same type", a.Type(), b.Type())
	}
	if !c.sameShape(a, b) {
		return false
	}
	return c.truth(c.apply(ops.Reduce{Fn: ops.All}, c.arith(ops.Eq, a, b)))
}

func allClose(c *call) Value {
	a, b := c.tensor(0), c.tensor(1)
	if a.DType() != b.DType() {
		return c.fail("%v and %v: both must have the same type", a.Type(), b.Type())
	}
	near, _ := isClose(c).(*build.Tensor)
	if c.Err() != nil {
		return nil
	}
	return c.truth(c.apply(ops.Reduce{Fn: ops.All}, near))
}
