package aten

import (
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// settle returns a number that graphs may depend on, whoever knows it. example is what stands for it while the graph is made, less
// than 0 where no shape gives a bound.
func (c *call) settle(n *build.Number, example int) *build.Number {
	m, err := c.Settle(n, example)
	if err != nil {
		c.failed(err)
		return build.Extent(1)
	}
	return m
}

// settledItem is the only element of a tensor as a number that graphs may depend on.
func (c *call) settledItem(t *build.Tensor, example int) *build.Number {
	if c.Err() != nil {
		return build.Extent(1)
	}
	v, err := Item(c.Builder, t, build.Int)
	if err != nil {
		c.failed(err)
		return build.Extent(1)
	}
	return c.settle(build.AsNumber(v), example)
}

// nonZero returns the indices of the elements of a tensor with dimensions that are not 0, a vector for each dimension.
func (c *call) nonZero(t *build.Tensor) []*build.Tensor {
	t = c.cast(t, tensor.Bool)
	count := c.settledItem(c.apply(ops.Reduce{Fn: ops.Sum}, t), t.Type().Numel())
	out := c.applyAll(ops.NonZero{}, t, build.OfNumber(count))
	if c.Err() != nil {
		return nil
	}
	for _, x := range out {
		if x.Value.Const == nil {
			c.SetDims(x.Value, []*build.Number{count})
		}
	}
	return out
}

// whereTrue is nonZero, of a mask that is known whatever the run gives as constants.
func (c *call) whereTrue(t *build.Tensor) []*build.Tensor {
	v := c.read(t)
	if c.Err() != nil {
		return nil
	}
	known := c.Fixed(v)
	if known == nil {
		return c.nonZero(t)
	}
	mask, err := known.Contiguous().To(tensor.Bool)
	c.failed(err)
	if c.Err() != nil {
		return nil
	}
	n := int64(0)
	for _, b := range mask.Contiguous().Bytes() {
		n += int64(b)
	}
	const plainGo = 0 // the tier of kernels
	where, err := ops.Eval(ops.NonZero{}, plainGo, nil, mask, tensor.Scalar(n))
	c.failed(err)
	var out []*build.Tensor
	for _, w := range where {
		out = append(out, build.NewTensor(c.Constant("", w)))
	}
	return out
}

// flat returns a tensor as a vector.
func (c *call) flat(t *build.Tensor) *build.Tensor {
	return c.shaped(t, c.resolve(t, []*build.Number{build.Extent(-1)}))
}

// counting returns 0, 1, ... of as many elements as a vector has.
func (c *call) counting(t *build.Tensor) *build.Tensor {
	return c.arithNumber(ops.Sub, c.apply(ops.PrefixScan{}, c.likeOf(t, 1, tensor.Int64)), int64(1))
}

// repeatByTensor repeats each element of a dimension as often as a vector says: where a repetition begins, a running sum of ones
// goes up by one, more than one where elements between are repeated 0 times.
func repeatByTensor(c *call) Value {
	x, repeats := c.tensor(0), c.cast(c.tensor(1), tensor.Int64)
	axis := 0
	if c.isNone(2) {
		x = c.flat(x)
	} else {
		axis = c.axis(2, x.Rank())
	}
	if x.Rank() == 0 {
		x = c.flat(x)
	}
	if repeats.Rank() > 1 || c.Err() != nil {
		return c.fail("repeats of %d dimensions", repeats.Rank())
	}
	extent := c.Dims(x)[axis]
	repeats = c.arith(ops.Add, repeats, c.fullOf([]*build.Number{extent}, 0, tensor.Int64)) // one stands for all
	return c.apply(ops.IndexSelect{Axis: axis}, x, c.repeatedIndex(repeats, c.args[3]))
}

// repeatedIndices is repeat_interleave of repeats alone: the indices 0, 1, ... repeated.
func repeatedIndices(c *call) Value {
	repeats := c.tensor(0)
	if repeats.Rank() != 1 {
		return c.fail("repeats of %d dimensions", repeats.Rank())
	}
	return c.cast(c.repeatedIndex(c.cast(repeats, tensor.Int64), c.args[1]), repeats.DType())
}

// repeatedIndex returns the index of each of a vector's elements as often as it says. size is their sum, where that is given.
func (c *call) repeatedIndex(repeats *build.Tensor, size Value) *build.Tensor {
	c.assertAll(c.arithNumber(ops.Ge, repeats, int64(0)), "repeats can not be negative")
	total := c.settledItem(c.apply(ops.Reduce{Fn: ops.Sum}, repeats), -1)
	if size != nil {
		c.assertDims([]*build.Number{total}, []*build.Number{build.AsNumber(size)}, "output_size is not the sum of repeats")
	}
	if c.Err() != nil {
		return c.anything()
	}
	starts := c.arith(ops.Sub, c.apply(ops.PrefixScan{}, repeats), repeats)
	behind, _ := c.scalarOf(ops.Add, total, build.Extent(1)).(*build.Number)
	if behind == nil {
		behind = build.Extent(int(total.Known.(int64)) + 1)
	}
	marks := c.apply(ops.Scatter{Fn: ops.ScatterAdd}, c.fullOf([]*build.Number{behind}, 0, tensor.Int64), starts, c.likeOf(starts, 1, tensor.Int64))
	index := c.arithNumber(ops.Sub, c.apply(ops.PrefixScan{}, marks), int64(1))
	return c.sliced(index, 0, build.Extent(0), total, 1)
}

// unique2 gives the different elements in order, and on demand where each element went and how often each occurs.
func unique2(c *call) Value { return c.unique(c.tensor(0), true, c.bool(2), c.bool(3)) }

// uniqueConsecutive gives the elements that differ from the one before.
func uniqueConsecutive(c *call) Value {
	if !c.isNone(3) {
		return c.unsupported("along one dimension")
	}
	return c.unique(c.tensor(0), false, c.bool(1), c.bool(2))
}

func (c *call) unique(t *build.Tensor, sorted, inverse, counts bool) Value {
	x := c.flat(t)
	var order *build.Tensor
	if sorted {
		both := c.applyAll(ops.Sort{}, x)
		x, order = both[0], both[1]
	}
	place := c.counting(x)
	first := c.arith(ops.LogicalOr, c.arithNumber(ops.Eq, place, int64(0)), c.arith(ops.Ne, x, c.apply(ops.Roll{Shifts: []int{1}, Axes: []int{0}}, x)))
	at := c.nonZero(first)
	if c.Err() != nil {
		return nil
	}
	values := c.apply(ops.Index{Axes: []int{0}}, x, at[0])
	if c.Err() == nil && values.Value.Const == nil {
		c.SetDims(values.Value, c.Dims(at[0]))
	}
	out := []Value{values, nil, nil}
	none := func() Value { return c.fullOf([]*build.Number{build.Extent(0)}, 0, tensor.Int64) }
	if inverse {
		group := c.arithNumber(ops.Sub, c.apply(ops.PrefixScan{}, c.cast(first, tensor.Int64)), int64(1))
		if sorted {
			group = c.apply(ops.Scatter{}, c.likeOf(group, 0, tensor.Int64), order, group)
		}
		out[1] = c.reshape(group, c.Dims(t))
	} else {
		out[1] = none()
	}
	if counts {
		end := c.reshape(c.lift(c.length(x)), []*build.Number{build.Extent(1)})
		ends := c.apply(ops.Concat{}, c.sliced(at[0], 0, build.Extent(1), build.Extent(1<<31-1), 1), end)
		out[2] = c.arith(ops.Sub, ends, at[0])
	} else {
		out[2] = none()
	}
	return &Tuple{Items: out}
}

// oneHotOpen is one_hot with as many classes as the greatest index says.
func (c *call) oneHotOpen(t *build.Tensor) Value {
	if t.DType() != tensor.Int64 {
		return c.fail("of %v: int64 is needed", t.Type())
	}
	c.assertAll(c.arithNumber(ops.Ge, t, int64(0)), "Class values must be non-negative.")
	greatest := c.apply(ops.Reduce{Fn: ops.AMax}, t)
	classes := c.settledItem(c.arithNumber(ops.Add, greatest, int64(1)), -1)
	if c.Err() != nil {
		return nil
	}
	to := append(c.Dims(t)[:t.Rank():t.Rank()], build.Extent(1))
	row := c.rangeOf(build.Extent(0), classes, build.Extent(1), tensor.Int64)
	return c.cast(c.arith(ops.Eq, c.reshape(t, to), row), tensor.Int64)
}
