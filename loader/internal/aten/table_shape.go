package aten

import (
	"slices"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

var shapes = []operator{
	{"aten::size", "self:T dim:i", size},
	{"aten::size", "self:T", sizes},
	{"aten::resize_", "self:T size:I | memory_format:i?=None", resize},
	{"aten::dim", "self:T", func(c *call) Value { return int64(c.tensor(0).Rank()) }},
	{"aten::numel", "self:T", numel},
	{"aten::len", "t:T", func(c *call) Value { return c.dimension(c.tensor(0), 0) }},
	{"aten::stride", "self:T", strides},
	{"aten::stride", "self:T dim:i", stride},
	{"aten::is_contiguous", "self:T memory_format:i?=None", func(c *call) Value { return c.tensor(0).IsContiguous() }},
	{"aten::view", "self:T dtype:i", viewDType}, // one size is a list of one
	{"aten::view", "self:T size:I", viewAs},
	{"aten::_unsafe_view", "self:T size:I", viewAs},
	{"aten::reshape", "self:T shape:I", reshape},
	{"aten::view_as", "self:T other:T", reshapeAs},
	{"aten::reshape_as", "self:T other:T", reshapeAs},
	{"aten::flatten", "self:T start_dim:i=0 end_dim:i=-1", flatten},
	{"aten::ravel", "self:T", flatten},
	{"aten::unflatten", "self:T dim:i sizes:I names:v?=None", unflatten},
	{"aten::squeeze", "self:T", squeeze},
	{"aten::squeeze", "self:T dim:I", squeezeDims},
	{"aten::unsqueeze", "self:T dim:i", unsqueeze},
	{"aten::atleast_1d", "self:T", atLeast(1)},
	{"aten::atleast_2d", "self:T", atLeast(2)},
	{"aten::atleast_3d", "self:T", atLeast(3)},
}

// dimension returns an extent as a value of the program.
func (c *call) dimension(t *build.Tensor, axis int) Value {
	dims := c.Dims(t)
	if axis >= len(dims) {
		return c.failed(&RaisedError{"IndexError", "a tensor without dimensions has no extent"})
	}
	return dims[axis].Plain()
}

func size(c *call) Value {
	t := c.tensor(0)
	return c.dimension(t, c.axis(1, t.Rank()))
}

func sizes(c *call) Value {
	l := &List{}
	for _, d := range c.Dims(c.tensor(0)) {
		l.Items = append(l.Items, d.Plain())
	}
	return l
}

func numel(c *call) Value {
	n := build.Extent(1)
	for _, d := range c.Dims(c.tensor(0)) {
		n = build.AsNumber(c.mustArith(ops.Mul, n, d))
	}
	return n.Plain()
}

// mustArith computes with ints that cannot be zero divisors.
func (c *call) mustArith(fn ops.BinaryFn, a, b *build.Number) Value {
	v, err := c.arithmeticOf(fn, a, b)
	if err != nil {
		c.failed(err)
		return int64(0)
	}
	return v
}

func strides(c *call) Value {
	t := c.tensor(0)
	c.shape(t)
	l := &List{}
	for _, s := range t.Strides {
		l.Items = append(l.Items, int64(s))
	}
	return l
}

func stride(c *call) Value {
	t := c.tensor(0)
	c.shape(t)
	axis := c.axis(1, t.Rank())
	if axis >= len(t.Strides) {
		return c.fail("there is no dimension %d", axis)
	}
	return int64(t.Strides[axis])
}

// resolve returns the extents that a shape with one -1 means for a tensor.
func (c *call) resolve(t *build.Tensor, to []*build.Number) []*build.Number {
	at := -1
	for i, n := range to {
		if n.Known != nil && len(n.Deps) == 0 && n.Known == int64(-1) {
			if at >= 0 {
				c.fail("two extents of %s are to be inferred", Repr(c.args[1]))
			}
			at = i
		}
	}
	if at < 0 {
		return to
	}
	have, want := build.Extent(1), build.Extent(1)
	left := append([]*build.Number(nil), c.Dims(t)...)
	for i, n := range to {
		if i == at {
			continue
		}
		if n.Known == int64(0) {
			c.fail("an extent of shape %s could be any", Repr(c.args[1]))
		}
		// What stands on both sides leaves the quotient alone.
		if k := slices.IndexFunc(left, func(d *build.Number) bool {
			return build.SameExtent(d, n) && !(len(d.Deps) == 0 && d.Known == int64(0))
		}); k >= 0 {
			left = slices.Delete(left, k, k+1)
			continue
		}
		want = build.AsNumber(c.mustArith(ops.Mul, want, n))
	}
	for _, d := range left {
		have = build.AsNumber(c.mustArith(ops.Mul, have, d))
	}
	if want.Known == nil || want.Known == int64(0) || have.Known == nil || have.Known.(int64)%want.Known.(int64) != 0 {
		c.fail("shape %s does not divide a tensor of shape %v", Repr(c.args[1]), t.Type().Shape)
		return to
	}
	out := slices.Clone(to)
	out[at] = build.AsNumber(c.mustArith(ops.FloorDiv, have, want))
	return out
}

// shaped returns a view of t under another shape, or a copy where PyTorch copies.
func (c *call) shaped(t *build.Tensor, to []*build.Number) *build.Tensor {
	if c.Err() != nil {
		return c.anything()
	}
	if t.Complex {
		return c.complexShaped(t, to)
	}
	if q := t.Type().Q; q != nil && q.Scheme.PerChannel() {
		c.unsupported("on values quantized per channel")
	}
	dims := c.Dims(t)
	shape := make(tensor.Shape, len(to))
	for i, n := range to {
		d, ok := n.Known.(int64)
		if !ok {
			d = int64(c.plainInt(n))
		}
		shape[i] = int(d)
	}
	if n, err := shape.Numel(); err != nil || n != t.Type().Numel() {
		c.fail("a tensor of shape %v does not have the shape %v", t.Type().Shape, shape)
		return c.anything()
	}
	s, shares := build.ViewStrides(t.Type().Shape, t.Strides, shape)
	if !shares {
		return c.reshape(t, to)
	}
	return c.view(t, build.ReshapeView{From: dims, To: to}, s)
}

func viewAs(c *call) Value {
	t := c.tensor(0)
	return c.shaped(t, c.resolve(t, c.numbers(1)))
}

// viewDType reads the bits of the elements as another type.
func viewDType(c *call) Value {
	t := c.tensor(0)
	d := c.dtypeOr(1, t.DType())
	if d == t.DType() || c.Err() != nil {
		return build.Alias(t)
	}
	if t.Complex || d.Size() != t.DType().Size() && (t.Rank() == 0 || t.Strides[t.Rank()-1] != 1) {
		return c.fail("the bytes of %v cannot be read as %v: the last dimension must lie side by side in memory", t.Type(), d)
	}
	strides := slices.Clone(t.Strides)
	for i := range strides[:max(len(strides)-1, 0)] {
		strides[i] = strides[i] * t.DType().Size() / d.Size()
	}
	if len(strides) > 0 && d.Size() == t.DType().Size() {
		strides = t.Strides
	}
	return c.view(t, build.BitsView{From: t.DType(), To: d}, strides)
}

func reshape(c *call) Value { return viewAs(c) }

func reshapeAs(c *call) Value { return c.shaped(c.tensor(0), c.Dims(c.tensor(1))) }

func flatten(c *call) Value {
	t := c.tensor(0)
	start, end := 0, max(t.Rank()-1, 0)
	if len(c.args) > 1 {
		start, end = c.axis(1, t.Rank()), c.axis(2, t.Rank())
	}
	dims := c.Dims(t)
	switch {
	case c.Err() != nil:
		return nil
	case start > end:
		return c.fail("dimension %d does not come before %d", start, end)
	case len(dims) == 0:
		return c.shaped(t, []*build.Number{build.Extent(1)})
	case start == end || t.Complex:
		return c.shaped(t, c.joined(dims, start, end))
	}
	to := c.joined(dims, start, end)
	shape := make(tensor.Shape, len(to))
	for i, n := range to {
		shape[i] = int(n.Known.(int64))
	}
	s, shares := build.ViewStrides(t.Type().Shape, t.Strides, shape)
	op := ops.Flatten{Start: start, End: end}
	if end == len(dims)-1 {
		op.End = -1
	}
	if !shares {
		return c.apply(op, t)
	}
	return c.view(t, build.FlattenView{Op: op, From: dims}, s)
}

// joined returns dims with those from start to end as one.
func (c *call) joined(dims []*build.Number, start, end int) []*build.Number {
	n := dims[start]
	for _, d := range dims[start+1 : end+1] {
		n = build.AsNumber(c.mustArith(ops.Mul, n, d))
	}
	return slices.Concat(dims[:start], []*build.Number{n}, dims[end+1:])
}

func unflatten(c *call) Value {
	t := c.tensor(0)
	axis := c.axis(1, t.Rank())
	dims := c.Dims(t)
	if c.Err() != nil || axis >= len(dims) {
		return c.fail("there is no dimension %d", axis)
	}
	inner := c.numbers(2)
	for i, n := range inner {
		if n.Known == int64(-1) {
			have, err := c.Builder.Int(dims[axis])
			c.failed(err)
			for k, m := range inner {
				if d := c.plainInt(m); k != i && d > 0 {
					have /= d
				}
			}
			inner[i] = build.Extent(have)
		}
	}
	return c.shaped(t, slices.Concat(dims[:axis], inner, dims[axis+1:]))
}

// squeeze takes away all dimensions of extent 1.
func squeeze(c *call) Value {
	t := c.tensor(0)
	var to []*build.Number
	for i, d := range c.Dims(t) {
		if c.extent(t, i) != 1 {
			to = append(to, d)
		}
	}
	return c.shaped(t, to)
}

func squeezeDims(c *call) Value {
	t := c.tensor(0)
	drop := c.axes(1, t.Rank())
	var to []*build.Number
	for i, d := range c.Dims(t) {
		if slices.Contains(drop, i) && c.extent(t, i) == 1 {
			continue
		}
		to = append(to, d)
	}
	return c.shaped(t, to)
}

func unsqueeze(c *call) Value {
	t := c.tensor(0)
	axis := c.axis(1, t.Rank()+1)
	return c.shaped(t, slices.Insert(slices.Clone(c.Dims(t)), axis, build.Extent(1)))
}

//go:noinline
func atLeast(n int) func(*call) Value {
	return func(c *call) Value {
		to := slices.Clone(c.Dims(c.tensor(0)))
		if n == 3 && len(to) == 2 { // the new dimension of a matrix is the last one
			to = append(to, build.Extent(1))
		}
		for len(to) < n {
			to = slices.Insert(to, 0, build.Extent(1))
		}
		if n == 3 && c.tensor(0).Rank() == 1 {
			to[1], to[2] = to[2], to[1]
		}
		return c.shaped(c.tensor(0), to)
	}
}

// permuted returns a view with the dimensions in another order.
// reversed reverses the order of the last n dimensions, or of all.
// expand takes -1 for an extent that stays.
// slice takes start:end:step, with bounds as Python takes them.
// bound makes a bound of a slice one that is not negative.
// selected takes one index of a dimension. Where only the run knows it, its
// elements are gathered.
// withStrides gives a view that cannot be written through strides of its own.

// resize is what resize_ is where it changes nothing, as in observers that have seen data.
func resize(c *call) Value {
	t := c.tensor(0)
	if !slices.EqualFunc(c.numbers(1), c.Dims(t), c.sameExtent) {
		return c.unsupported("to another shape than %v", t.Type().Shape)
	}
	return build.Alias(t)
}
