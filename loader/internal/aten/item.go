package aten

import (
	"slices"

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
func unique2(c *call) Value { return c.uniqueElements(true, c.bool(2), c.bool(3)) }

// uniqueConsecutive gives the elements that differ from the one before, or what does along a dimension.
func uniqueConsecutive(c *call) Value {
	if c.isNone(3) {
		return c.uniqueElements(false, c.bool(1), c.bool(2))
	}
	return c.uniqueAlong(c.axis(3, c.tensor(0).Rank()), false)
}

func (c *call) uniqueElements(sorted, inverse, counts bool) Value {
	t := c.tensor(0)
	out := c.unique(c.flat(t), sorted, inverse, counts)
	if inverse && c.Err() == nil {
		out[1] = c.reshape(out[1].(*build.Tensor), c.Dims(t))
	}
	return &Tuple{Items: out}
}

// uniqueAlong is unique of what lies along a dimension, as rows that are compared from their first element on. It gives all results
// whether the program asks for them or not.
func (c *call) uniqueAlong(axis int, sorted bool) Value {
	t := c.tensor(0)
	if c.Err() != nil {
		return nil
	}
	if t.Rank() == 0 || t.Complex {
		return c.unsupported("of %v", t.Type())
	}
	order := identityOrder(t.Rank())
	order[0], order[axis] = axis, 0
	x := c.apply(ops.Permute{Order: order}, t)
	if c.Err() != nil {
		return nil
	}
	dims := c.Dims(x)
	out := c.unique(c.shaped(x, c.resolve(x, []*build.Number{dims[0], build.Extent(-1)})), sorted, true, true)
	if c.Err() != nil {
		return nil
	}
	values, _ := out[0].(*build.Tensor)
	out[0] = c.apply(ops.Permute{Order: order}, c.reshape(values, append([]*build.Number{c.Dims(values)[0]}, dims[1:]...)))
	return &Tuple{Items: out}
}

// maxSortedBy bounds the columns that rows are sorted by, which are a sort each.
const maxSortedBy = 256

// sortedRows returns the indices that put rows in order: from the last column on, each sort keeps the order of equal ones.
func (c *call) sortedRows(x *build.Tensor) *build.Tensor {
	columns := c.extent(x, 1)
	if columns > maxSortedBy {
		c.unsupported("of rows of %d elements: at most %d are compared", columns, maxSortedBy)
	}
	order := c.counting(c.selected(x, 1, build.Extent(0)))
	for k := columns - 1; k >= 0 && c.Err() == nil; k-- {
		by := c.apply(ops.Index{Axes: []int{0}}, c.selected(x, 1, build.Extent(k)), order)
		order = c.apply(ops.Index{Axes: []int{0}}, order, c.applyAll(ops.Sort{}, by)[1])
	}
	return order
}

// unique gives the different elements of a vector or rows of a matrix, which of them each is, and how many are each.
func (c *call) unique(x *build.Tensor, sorted, inverse, counts bool) []Value {
	var order *build.Tensor
	switch {
	case sorted && x.Rank() == 1:
		both := c.applyAll(ops.Sort{}, x)
		x, order = both[0], both[1]
	case sorted:
		order = c.sortedRows(x)
		x = c.apply(ops.IndexSelect{}, x, order)
	}
	other := c.arith(ops.Ne, x, c.apply(ops.Roll{Shifts: []int{1}, Axes: []int{0}}, x))
	if x.Rank() > 1 {
		other = c.apply(ops.Reduce{Fn: ops.Any, Axes: []int{1}}, other)
	}
	first := c.arith(ops.LogicalOr, c.arithNumber(ops.Eq, c.counting(other), int64(0)), other)
	at := c.nonZero(first)
	if c.Err() != nil {
		return make([]Value, 3)
	}
	values := c.apply(ops.Index{Axes: []int{0}}, x, at[0])
	if c.Err() == nil && values.Value.Const == nil {
		c.SetDims(values.Value, append(slices.Clip(c.Dims(at[0])), c.Dims(x)[1:]...))
	}
	out := []Value{values, nil, nil}
	none := func() Value { return c.fullOf([]*build.Number{build.Extent(0)}, 0, tensor.Int64) }
	if inverse {
		group := c.arithNumber(ops.Sub, c.apply(ops.PrefixScan{}, c.cast(first, tensor.Int64)), int64(1))
		if sorted {
			group = c.apply(ops.Scatter{}, c.likeOf(group, 0, tensor.Int64), order, group)
		}
		out[1] = group
	} else {
		out[1] = none()
	}
	if counts {
		end := c.reshape(c.lift(c.Dims(x)[0]), []*build.Number{build.Extent(1)})
		ends := c.apply(ops.Concat{}, c.sliced(at[0], 0, build.Extent(1), build.Extent(1<<31-1), 1), end)
		out[2] = c.arith(ops.Sub, ends, at[0])
	} else {
		out[2] = none()
	}
	return out
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

// itemOf is the number that a tensor of one holds.
func (c *call) itemOf(t *build.Tensor, kind build.Kind) Value {
	if c.Err() != nil {
		return int64(0)
	}
	v, err := Item(c.Builder, t, kind)
	c.failed(err)
	return v
}
