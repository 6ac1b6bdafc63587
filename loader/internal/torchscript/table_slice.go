package torchscript

import (
	"math"
	"slices"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// parts are the operators that take parts of tensors, or turn and repeat them.
var parts = []operator{
	{"aten::select_scatter", "self:T src:T dim:i index:i", selectScatter},
	{"aten::slice_scatter", "self:T src:T dim:i=0 start:i?=None end:i?=None step:i=1", sliceScatter},
	{"aten::diff", "self:T n:i=1 dim:i=-1 prepend:T?=None append:T?=None", diff},
	{"aten::transpose", "self:T dim0:i dim1:i", transpose},
	{"aten::swapaxes", "self:T axis0:i axis1:i", transpose},
	{"aten::swapdims", "self:T dim0:i dim1:i", transpose},
	{"aten::t", "self:T", matrixTransposed},
	{"aten::numpy_T", "self:T", reversed(0)},
	{"aten::mT", "self:T", reversed(2)},
	{"aten::adjoint", "self:T", reversed(2)},
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
	{"aten::diagonal", "self:T offset:i=0 dim1:i=0 dim2:i=1", diagonal},
	{"aten::unfold", "self:T dimension:i size:i step:i", windows},
}

func (c *call) permuted(t *Tensor, order []int) *Tensor {
	s := make([]int, len(order))
	for i, o := range order {
		if o < len(t.strides) {
			s[i] = t.strides[o]
		}
	}
	if t.complex {
		order = append(slices.Clone(order), len(order))
		s = append(s, 1)
	}
	return c.view(t, permuteView{order}, s)
}

func identityOrder(n int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	return order
}

func transpose(c *call) value {
	t := c.tensor(0)
	a, b := c.axis(1, t.rank()), c.axis(2, t.rank())
	order := identityOrder(t.rank())
	if len(order) == 0 || c.err != nil {
		return alias(t)
	}
	order[a], order[b] = order[b], order[a]
	return c.permuted(t, order)
}

func matrixTransposed(c *call) value {
	if r := c.tensor(0).rank(); r > 2 {
		return c.fail("a tensor of %d dimensions is no matrix", r)
	}
	return reversed(0)(c)
}

func reversed(n int) func(*call) value {
	return func(c *call) value {
		t := c.tensor(0)
		order := identityOrder(t.rank())
		if n > t.rank() {
			return c.fail("a tensor of %d dimensions", t.rank())
		}
		part := order
		if n > 0 {
			part = order[len(order)-n:]
		}
		slices.Reverse(part)
		return c.permuted(t, order)
	}
}

func permute(c *call) value {
	t := c.tensor(0)
	order := c.axes(1, t.rank())
	if sorted := slices.Sorted(slices.Values(order)); !slices.Equal(sorted, identityOrder(t.rank())) {
		return c.fail("%s is not an order of %d dimensions", repr(c.args[1]), t.rank())
	}
	return c.permuted(t, order)
}

func moveDims(c *call) value {
	t := c.tensor(0)
	from, to := c.axes(1, t.rank()), c.axes(2, t.rank())
	if len(from) != len(to) {
		return c.fail("%d dimensions move to %d places", len(from), len(to))
	}
	order := make([]int, t.rank())
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
	if sorted := slices.Sorted(slices.Values(order)); !slices.Equal(sorted, identityOrder(t.rank())) {
		return c.fail("dimensions are moved twice")
	}
	return c.permuted(t, order)
}

func contiguous(c *call) value {
	t := c.tensor(0)
	if t.isContiguous() || c.int(1) != 0 {
		return alias(t)
	}
	return clone(c)
}

func expand(c *call) value {
	t := c.tensor(0)
	to := slices.Clone(c.numbers(1))
	dims := c.dims(t)
	front := len(to) - len(dims)
	for i, n := range to {
		if n.known == int64(-1) && len(n.deps) == 0 && i >= front && front >= 0 {
			to[i] = dims[i-front]
		}
	}
	return c.expanded(t, to)
}

func (c *call) expanded(t *Tensor, to []*number) *Tensor {
	front := len(to) - t.rank()
	if t.complex {
		c.unsupported("on complex numbers")
		return c.anything()
	}
	if front < 0 {
		c.fail("a tensor of shape %v does not expand to %d dimensions", t.typ().Shape, len(to))
		return c.anything()
	}
	s := make([]int, len(to))
	for i, d := range t.typ().Shape {
		if d != 1 || to[i+front].known == int64(1) {
			s[i+front] = t.strides[i]
		}
	}
	return c.view(t, expandView{to}, s)
}

func expandAs(c *call) value { return c.expanded(c.tensor(0), c.dims(c.tensor(1))) }

func broadcastTensors(c *call) value {
	in := c.tensors(0)
	var operands [][]*number
	rank := 0
	for _, t := range in {
		operands = append(operands, c.dims(t))
		rank = max(rank, t.rank())
	}
	to := broadcastDims(operands, rank)
	l := &list{}
	for _, t := range in {
		l.items = append(l.items, c.expanded(t, to))
	}
	return l
}

func slice(c *call) value {
	t := c.tensor(0)
	if t.rank() == 0 {
		return c.fail("a tensor without dimensions cannot be sliced")
	}
	axis := c.axis(1, t.rank())
	start, end := extent(0), extent(math.MaxInt)
	if !c.isNone(2) {
		start = c.number(2)
	}
	if !c.isNone(3) {
		end = c.number(3)
	}
	return c.sliced(t, axis, start, end, c.int(4))
}

func (c *call) sliced(t *Tensor, axis int, start, end *number, step int) *Tensor {
	if c.err != nil {
		return c.anything()
	}
	if step < 1 {
		c.fail("a step of %d", step)
		return c.anything()
	}
	if axis >= t.rank() {
		c.fail("a tensor of %d dimensions has no dimension %d", t.rank(), axis)
		return c.anything()
	}
	dim := c.dims(t)[axis]
	start, end = c.bound(start, dim), c.bound(end, dim)
	if c.err != nil {
		return c.anything()
	}
	if start.plain() == int64(0) && step == 1 && (sameExtent(end, dim) || end.plain() == int64(math.MaxInt)) {
		return alias(t)
	}
	s := slices.Clone(t.strides)
	s[axis] *= step
	return c.view(t, sliceView{axis, start, end, step}, s)
}

func (c *call) bound(n, dim *number) *number {
	if n.known == nil {
		c.failed(errDataDependent)
		return n
	}
	if n.known.(int64) >= 0 {
		if n.term == nil && len(n.deps) > 0 {
			return extent(c.plainInt(n))
		}
		return n
	}
	from := c.plainInt(dim)
	return extent(max(from+c.plainInt(n), 0))
}

func selectIndex(c *call) value {
	t := c.tensor(0)
	axis := c.axis(1, t.rank())
	if t.rank() == 0 || c.err != nil {
		return c.fail("a tensor without dimensions has no elements to select")
	}
	return c.selected(t, axis, c.number(2))
}

func (c *call) selected(t *Tensor, axis int, index *number) *Tensor {
	if index.known == nil {
		if v, ok := c.plain(index); ok {
			index = asNumber(v)
		}
	}
	dims := c.dims(t)
	if axis < 0 || axis >= len(dims) {
		c.fail("a tensor of %d dimensions has no dimension %d", len(dims), axis)
	}
	if c.err != nil {
		return c.anything()
	}
	rest := slices.Delete(slices.Clone(dims), axis, axis+1)
	if index.known == nil {
		at := c.read(ofNumber(index))
		return c.view(t, indexView{axis, at, rest}, nil).withStrides()
	}
	i := c.plainInt(index)
	if i < 0 {
		i += c.extent(t, axis)
	}
	if d := dims[axis].known.(int64); i < 0 || int64(i) >= d {
		c.failed(&RaisedError{"IndexError", "index " + repr(index.known) + " of a dimension of " + repr(d)})
	}
	one := c.sliced(t, axis, extent(i), extent(i+1), 1)
	if c.err != nil {
		return one
	}
	s := slices.Delete(slices.Clone(one.strides), axis, axis+1)
	return c.view(one, reshapeView{c.dims(one), rest}, s)
}

func narrow(c *call) value {
	t := c.tensor(0)
	axis := c.axis(1, t.rank())
	start := c.number(2)
	if start.known != nil && start.known.(int64) < 0 {
		start = extent(c.extent(t, axis) + c.plainInt(start))
	}
	return c.sliced(t, axis, start, asNumber(c.mustArith(ops.Add, start, c.number(3))), 1)
}

func diagonal(c *call) value {
	t := c.tensor(0)
	return c.view(t, opView{ops.Diagonal{Offset: c.int(1), Axis1: c.axis(2, t.rank()), Axis2: c.axis(3, t.rank())}}, nil).withStrides()
}

func windows(c *call) value {
	t := c.tensor(0)
	return c.view(t, opView{ops.Windows{Axis: c.axis(1, t.rank()), Size: c.int(2), Step: c.int(3)}}, nil).withStrides()
}

// selectScatter returns self with one index of a dimension replaced by src.
func selectScatter(c *call) value {
	copied := fresh(c.read(c.tensor(0)))
	part := c.selected(copied, c.axis(2, copied.rank()), c.number(3))
	c.storeLike(part, c.tensor(1))
	return copied
}

// sliceScatter returns self with a slice of a dimension replaced by src.
func sliceScatter(c *call) value {
	copied := fresh(c.read(c.tensor(0)))
	start, end := extent(0), extent(math.MaxInt)
	if !c.isNone(3) {
		start = c.number(3)
	}
	if !c.isNone(4) {
		end = c.number(4)
	}
	c.storeLike(c.sliced(copied, c.axis(2, copied.rank()), start, end, c.int(5)), c.tensor(1))
	return copied
}

// storeLike writes a tensor that must have the shape of what it is written to.
func (c *call) storeLike(into, t *Tensor) {
	if into.rank() != t.rank() {
		c.fail("%v is written to %v", t.typ().Shape, into.typ().Shape)
		return
	}
	have, want := c.dims(t), c.dims(into)
	for i := range have {
		if !sameExtent(have[i], want[i]) && c.plainInt(have[i]) != c.plainInt(want[i]) {
			c.fail("%v is written to %v", t.typ().Shape, into.typ().Shape)
		}
	}
	if c.err == nil {
		c.store(into, c.cast(t, into.dtype()))
	}
}

// diff is the difference of neighbours along a dimension, n times.
func diff(c *call) value {
	x := c.tensor(0)
	axis := c.axis(2, x.rank())
	n := c.int(1)
	if x.rank() == 0 || n < 0 || n > 64 || !c.isNone(3) || !c.isNone(4) {
		return c.unsupported("%d times of %d dimensions, with other values before or behind", n, x.rank())
	}
	for range n {
		if c.extent(x, axis) == 0 || c.err != nil {
			break
		}
		fn := ops.Sub
		if x.dtype() == tensor.Bool {
			fn = ops.LogicalXor
		}
		after := c.sliced(x, axis, extent(1), extent(math.MaxInt), 1)
		before := c.sliced(x, axis, extent(0), extent(-1), 1)
		x = c.arith(fn, after, before)
	}
	return x
}
