package aten

import (
	"math"
	"slices"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// parts are the operators that take parts of tensors, or turn and repeat them.
var parts = []operator{
	{"aten::select_scatter", "self:T src:T dim:i index:i", selectScatter},
	{"aten::diagonal_scatter", "self:T src:T offset:i=0 dim1:i=0 dim2:i=1", diagonalScatter},
	{"aten::slice_scatter", "self:T src:T dim:i=0 start:i?=None end:i?=None step:i=1", sliceScatter},
	{"aten::diff", "self:T n:i=1 dim:i=-1 prepend:T?=None append:T?=None", diff},
	{"aten::transpose", "self:T dim0:i dim1:i", transpose},
	{"aten::swapaxes", "self:T axis0:i axis1:i", transpose},
	{"aten::swapdims", "self:T dim0:i dim1:i", transpose},
	{"aten::t", "self:T", matrixTransposed},
	{"aten::numpy_T", "self:T", reversed(0)},
	{"aten::mT", "self:T", reversed(2)},
	{"aten::adjoint", "self:T", adjoint},
	{"aten::matrix_H", "self:T", matrixH},
	{"aten::permute", "self:T dims:I", permute},
	{"aten::movedim", "self:T source:I destination:I", moveDims},
	{"aten::moveaxis", "self:T source:I destination:I", moveDims},
	{"aten::contiguous", "self:T | memory_format:i=0", contiguous},
	{"aten::expand", "self:T size:I | implicit:b=False", expand},
	{"aten::expand_as", "self:T other:T", expandAs},
	{"aten::broadcast_to", "self:T size:I", expand},
	{"aten::broadcast_tensors", "tensors:L", broadcastTensors},
	{"aten::slice", "self:T dim:i=0 start:i?=None end:i?=None step:i=1", slice},
	{"aten::select", "self:T dim:i index:i", selectIndex},
	{"aten::narrow", "self:T dim:i start:i length:i", narrow},
	{"aten::narrow", "self:T dim:i start:T length:i", narrow},
	{"aten::diagonal", "self:T offset:i=0 dim1:i=0 dim2:i=1", diagonal},
	{"aten::unfold", "self:T dimension:i size:i step:i", windows},
}

func (c *call) permuted(t *build.Tensor, order []int) *build.Tensor {
	s := make([]int, len(order))
	for i, o := range order {
		if o < len(t.Strides) {
			s[i] = t.Strides[o]
		}
	}
	if t.Complex {
		order = append(slices.Clone(order), len(order))
		s = append(s, 1)
	}
	return c.view(t, build.PermuteView{Order: order}, s)
}

func identityOrder(n int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	return order
}

func transpose(c *call) Value {
	t := c.tensor(0)
	a, b := c.axis(1, t.Rank()), c.axis(2, t.Rank())
	order := identityOrder(t.Rank())
	if len(order) == 0 || c.Err() != nil {
		return build.Alias(t)
	}
	order[a], order[b] = order[b], order[a]
	return c.permuted(t, order)
}

func matrixTransposed(c *call) Value {
	if r := c.tensor(0).Rank(); r > 2 {
		return c.fail("a tensor of %d dimensions is no matrix", r)
	}
	return reversed(0)(c)
}

//go:noinline
func reversed(n int) func(*call) Value {
	return func(c *call) Value {
		t := c.tensor(0)
		order := identityOrder(t.Rank())
		if n > t.Rank() {
			return c.fail("a tensor of %d dimensions", t.Rank())
		}
		part := order
		if n > 0 {
			part = order[len(order)-n:]
		}
		slices.Reverse(part)
		return c.permuted(t, order)
	}
}

// adjoint is the conjugate transpose.
func adjoint(c *call) Value {
	t := c.swapped(c.tensor(0))
	if t.Complex && c.Err() == nil {
		return c.conj(t)
	}
	return t
}

func matrixH(c *call) Value {
	switch c.tensor(0).Rank() {
	case 0:
		return conj(c)
	case 2:
		return adjoint(c)
	}
	return c.fail("a tensor of %d dimensions where a matrix is needed", c.tensor(0).Rank())
}

func permute(c *call) Value {
	t := c.tensor(0)
	order := c.axes(1, t.Rank())
	if sorted := slices.Sorted(slices.Values(order)); !slices.Equal(sorted, identityOrder(t.Rank())) {
		return c.fail("%s is not an order of %d dimensions", Repr(c.args[1]), t.Rank())
	}
	return c.permuted(t, order)
}

func moveDims(c *call) Value {
	t := c.tensor(0)
	from, to := c.axes(1, t.Rank()), c.axes(2, t.Rank())
	if len(from) != len(to) {
		return c.fail("%d dimensions move to %d places", len(from), len(to))
	}
	order := make([]int, t.Rank())
	for i := range order {
		order[i] = -1
	}
	for i, k := range to {
		order[k] = from[i]
	}
	rest := 0
	for i := range order {
		if order[i] >= 0 {
			continue
		}
		for slices.Contains(from, rest) {
			rest++
		}
		order[i] = rest
		rest++
	}
	if sorted := slices.Sorted(slices.Values(order)); !slices.Equal(sorted, identityOrder(t.Rank())) {
		return c.fail("dimensions are moved twice")
	}
	return c.permuted(t, order)
}

func contiguous(c *call) Value {
	t := c.tensor(0)
	if t.IsContiguous() || c.int(1) != 0 {
		return build.Alias(t)
	}
	return clone(c)
}

func expand(c *call) Value {
	t := c.tensor(0)
	to := slices.Clone(c.numbers(1))
	dims := c.Dims(t)
	front := len(to) - len(dims)
	for i, n := range to {
		if n.Known == int64(-1) && len(n.Deps) == 0 && i >= front && front >= 0 {
			to[i] = dims[i-front]
		}
	}
	return c.expanded(t, to)
}

func (c *call) expanded(t *build.Tensor, to []*build.Number) *build.Tensor {
	if t.Complex {
		return asComplex(c.expanded(pairs(t), append(slices.Clip(to), build.Extent(2))))
	}
	front := len(to) - t.Rank()
	if front < 0 {
		c.fail("a tensor of shape %v does not expand to %d dimensions", t.Type().Shape, len(to))
		return c.anything()
	}
	s := make([]int, len(to))
	for i, d := range t.Type().Shape {
		if d != 1 || to[i+front].Known == int64(1) {
			s[i+front] = t.Strides[i]
		}
	}
	return c.view(t, build.ExpandView{To: to}, s)
}

func expandAs(c *call) Value { return c.expanded(c.tensor(0), c.Dims(c.tensor(1))) }

func broadcastTensors(c *call) Value {
	in := c.tensors(0)
	var operands [][]*build.Number
	rank := 0
	for _, t := range in {
		operands = append(operands, c.Dims(t))
		rank = max(rank, t.Rank())
	}
	to := build.BroadcastDims(operands, rank)
	l := &List{}
	for _, t := range in {
		l.Items = append(l.Items, c.expanded(t, to))
	}
	return l
}

func slice(c *call) Value {
	t := c.tensor(0)
	if t.Rank() == 0 {
		return c.fail("a tensor without dimensions cannot be sliced")
	}
	axis := c.axis(1, t.Rank())
	start, end := build.Extent(0), build.Extent(math.MaxInt)
	if !c.isNone(2) {
		start = c.number(2)
	}
	if !c.isNone(3) {
		end = c.number(3)
	}
	return c.sliced(t, axis, start, end, c.int(4))
}

func (c *call) sliced(t *build.Tensor, axis int, start, end *build.Number, step int) *build.Tensor {
	if c.Err() != nil {
		return c.anything()
	}
	if step < 1 {
		c.fail("a step of %d", step)
		return c.anything()
	}
	if axis >= t.Rank() {
		c.fail("a tensor of %d dimensions has no dimension %d", t.Rank(), axis)
		return c.anything()
	}
	dim := c.Dims(t)[axis]
	start, end = c.bound(start, dim), c.bound(end, dim)
	if c.Err() != nil {
		return c.anything()
	}
	to, plain := end.Plain().(int64)
	whole := build.SameNumber(end, dim) || plain && to >= math.MaxInt // more than an int holds is beyond every extent
	if start.Plain() == int64(0) && step == 1 && whole {
		return build.Alias(t)
	}
	s := slices.Clone(t.Strides)
	s[axis] *= step
	return c.view(t, build.SliceView{Axis: axis, Start: start, End: end, Step: step}, s)
}

func (c *call) bound(n, dim *build.Number) *build.Number {
	example := -1
	if d, ok := dim.Known.(int64); ok {
		example = int(d)
	}
	if n = c.Open(c.settle(n, example)); c.Err() != nil {
		return n
	}
	if n.Known.(int64) >= 0 || n.Term != nil && c.OnItem(n.Deps) {
		if n.Term == nil && len(n.Deps) > 0 {
			return build.Extent(c.plainInt(n))
		}
		return n
	}
	if n.Term == nil && len(n.Deps) == 0 && c.OnItem(dim.Deps) {
		return n // which the run counts from the end
	}
	from := c.plainInt(dim)
	return build.Extent(max(from+c.plainInt(n), 0))
}

func selectIndex(c *call) Value {
	t := c.tensor(0)
	axis := c.axis(1, t.Rank())
	if t.Rank() == 0 || c.Err() != nil {
		return c.fail("a tensor without dimensions has no elements to select")
	}
	if size := c.packedSize(t, c.number(2)); size != nil {
		return size
	}
	return c.selected(t, axis, c.number(2))
}

func (c *call) selected(t *build.Tensor, axis int, index *build.Number) *build.Tensor {
	if index.Known == nil {
		if v, ok := c.Plain(index); ok {
			index = build.AsNumber(v)
		}
	}
	dims := c.Dims(t)
	if axis < 0 || axis >= len(dims) {
		c.fail("a tensor of %d dimensions has no dimension %d", len(dims), axis)
	}
	if c.Err() != nil {
		return c.anything()
	}
	if t.Complex {
		return asComplex(c.selected(pairs(t), axis, index))
	}
	rest := slices.Delete(slices.Clone(dims), axis, axis+1)
	if k, ok := index.Known.(int64); ok && c.OnItem(dims[axis].Deps) && (k < 0 || k >= dims[axis].Known.(int64)) {
		if k < 0 {
			index = build.AsNumber(c.mustArith(ops.Add, dims[axis], index))
		}
		at := c.read(build.OfNumber(index))
		if c.Err() != nil {
			return c.anything()
		}
		return c.view(t, build.IndexView{Axis: axis, At: at, To: rest}, nil).WithStrides()
	}
	if index.Known == nil {
		at := c.read(build.OfNumber(index))
		return c.view(t, build.IndexView{Axis: axis, At: at, To: rest}, nil).WithStrides()
	}
	i := c.plainInt(index)
	if i < 0 {
		i += c.extent(t, axis)
	}
	if d := dims[axis].Known.(int64); i < 0 || int64(i) >= d {
		c.failed(&RaisedError{"IndexError", "index " + Repr(index.Known) + " of a dimension of " + Repr(d)})
	}
	one := c.sliced(t, axis, build.Extent(i), build.Extent(i+1), 1)
	if c.Err() != nil {
		return one
	}
	s := slices.Delete(slices.Clone(one.Strides), axis, axis+1)
	return c.view(one, build.ReshapeView{From: c.Dims(one), To: rest}, s)
}

func narrow(c *call) Value {
	t := c.tensor(0)
	axis := c.axis(1, t.Rank())
	start := c.number(2)
	if at, ok := c.args[2].(*build.Tensor); ok {
		start = c.settledItem(at, 0)
	}
	if start.Known != nil && start.Known.(int64) < 0 {
		start = build.Extent(c.extent(t, axis) + c.plainInt(start))
	}
	return c.sliced(t, axis, start, build.AsNumber(c.mustArith(ops.Add, start, c.number(3))), 1)
}

func diagonal(c *call) Value { return c.diagonal(c.tensor(0), 1) }

// diagonal returns the diagonal of a tensor that the arguments from i on name.
func (c *call) diagonal(t *build.Tensor, i int) *build.Tensor {
	op := ops.Diagonal{Offset: c.int(i), Axis1: c.axis(i+1, t.Rank()), Axis2: c.axis(i+2, t.Rank())}
	d := c.view(pairs(t), build.OpView{Op: op}, nil).WithStrides()
	if t.Complex { // whose parts the diagonal is behind
		return asComplex(c.swapped(d))
	}
	return d
}

// diagonalScatter returns self with a diagonal replaced by src.
func diagonalScatter(c *call) Value {
	copied := build.NewTensor(c.read(c.tensor(0)))
	c.storeLike(c.diagonal(copied, 2), c.tensor(1))
	return copied
}

func windows(c *call) Value {
	t := c.tensor(0)
	if t.Complex {
		return c.unsupported("on complex numbers")
	}
	return c.view(t, build.OpView{Op: ops.SlidingWindow{Axis: c.axis(1, t.Rank()), Size: c.int(2), Step: c.int(3)}}, nil).WithStrides()
}

// selectScatter returns self with one index of a dimension replaced by src.
func selectScatter(c *call) Value {
	copied := build.NewTensor(c.read(c.tensor(0)))
	part := c.selected(copied, c.axis(2, copied.Rank()), c.number(3))
	c.storeLike(part, c.tensor(1))
	return copied
}

// sliceScatter returns self with a slice of a dimension replaced by src.
func sliceScatter(c *call) Value {
	copied := build.NewTensor(c.read(c.tensor(0)))
	start, end := build.Extent(0), build.Extent(math.MaxInt)
	if !c.isNone(3) {
		start = c.number(3)
	}
	if !c.isNone(4) {
		end = c.number(4)
	}
	c.storeLike(c.sliced(copied, c.axis(2, copied.Rank()), start, end, c.int(5)), c.tensor(1))
	return copied
}

// storeLike writes a tensor that must have the shape of what it is written to.
func (c *call) storeLike(into, t *build.Tensor) {
	if into.Rank() != t.Rank() {
		c.fail("%v is written to %v", t.Type().Shape, into.Type().Shape)
		return
	}
	have, want := c.Dims(t), c.Dims(into)
	for i := range have {
		if !build.SameExtent(have[i], want[i]) && c.plainInt(have[i]) != c.plainInt(want[i]) {
			c.fail("%v is written to %v", t.Type().Shape, into.Type().Shape)
		}
	}
	if c.Err() == nil {
		c.store(into, c.cast(t, into.DType()))
	}
}

// diff is the difference of neighbours along a dimension, n times.
func diff(c *call) Value {
	x := c.tensor(0)
	axis := c.axis(2, x.Rank())
	n := c.int(1)
	if x.Rank() == 0 || n < 0 || n > 64 {
		return c.unsupported("%d times of %d dimensions", n, x.Rank())
	}
	if before := c.tensor(3); before != nil && n > 0 {
		x = c.apply(ops.Concat{Axis: axis}, before, x)
	}
	if after := c.tensor(4); after != nil && n > 0 {
		x = c.apply(ops.Concat{Axis: axis}, x, after)
	}
	for range n {
		if c.extent(x, axis) == 0 || c.Err() != nil {
			break
		}
		fn := ops.Sub
		if x.DType() == tensor.Bool {
			fn = ops.LogicalXor
		}
		after := c.sliced(x, axis, build.Extent(1), build.Extent(math.MaxInt), 1)
		before := c.sliced(x, axis, build.Extent(0), build.Extent(-1), 1)
		x = c.arith(fn, after, before)
	}
	return x
}
