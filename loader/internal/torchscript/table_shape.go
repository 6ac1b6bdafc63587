package torchscript

import (
	"slices"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

var shapes = []operator{
	{"aten::size", "self:T dim:i", size},
	{"aten::size", "self:T", sizes},
	{"aten::dim", "self:T", func(c *call) value { return int64(c.tensor(0).rank()) }},
	{"aten::numel", "self:T", numel},
	{"aten::len", "self:T", func(c *call) value { return c.dimension(c.tensor(0), 0) }},
	{"aten::stride", "self:T", strides},
	{"aten::stride", "self:T dim:i", stride},
	{"aten::is_contiguous", "self:T memory_format:i?=None", func(c *call) value { return c.tensor(0).isContiguous() }},
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
}

// dimension returns an extent as a value of the program.
func (c *call) dimension(t *Tensor, axis int) value {
	dims := c.dims(t)
	if axis >= len(dims) {
		return c.failed(&RaisedError{"IndexError", "a tensor without dimensions has no extent"})
	}
	return dims[axis].plain()
}

func size(c *call) value {
	t := c.tensor(0)
	return c.dimension(t, c.axis(1, t.rank()))
}

func sizes(c *call) value {
	l := &list{}
	for _, d := range c.dims(c.tensor(0)) {
		l.items = append(l.items, d.plain())
	}
	return l
}

func numel(c *call) value {
	n := extent(1)
	for _, d := range c.dims(c.tensor(0)) {
		n = asNumber(c.mustArith(ops.Mul, n, d))
	}
	return n.plain()
}

// mustArith computes with ints that cannot be zero divisors.
func (c *call) mustArith(fn ops.BinaryFn, a, b *number) value {
	v, err := c.arithmeticOf(fn, a, b)
	if err != nil {
		c.failed(err)
		return int64(0)
	}
	return v
}

func strides(c *call) value {
	t := c.tensor(0)
	c.shape(t)
	l := &list{}
	for _, s := range t.strides {
		l.items = append(l.items, int64(s))
	}
	return l
}

func stride(c *call) value {
	t := c.tensor(0)
	c.shape(t)
	axis := c.axis(1, t.rank())
	if axis >= len(t.strides) {
		return c.fail("there is no dimension %d", axis)
	}
	return int64(t.strides[axis])
}

// resolve returns the extents that a shape with one -1 means for a tensor.
func (c *call) resolve(t *Tensor, to []*number) []*number {
	at := -1
	for i, n := range to {
		if n.known != nil && len(n.deps) == 0 && n.known == int64(-1) {
			if at >= 0 {
				c.fail("two extents of %s are to be inferred", repr(c.args[1]))
			}
			at = i
		}
	}
	if at < 0 {
		return to
	}
	have, want := extent(1), extent(1)
	left := append([]*number(nil), c.dims(t)...)
	for i, n := range to {
		if i == at {
			continue
		}
		if n.known == int64(0) {
			c.fail("an extent of shape %s could be any", repr(c.args[1]))
		}
		// What stands on both sides leaves the quotient alone.
		if k := slices.IndexFunc(left, func(d *number) bool { return sameExtent(d, n) && !(len(d.deps) == 0 && d.known == int64(0)) }); k >= 0 {
			left = slices.Delete(left, k, k+1)
			continue
		}
		want = asNumber(c.mustArith(ops.Mul, want, n))
	}
	for _, d := range left {
		have = asNumber(c.mustArith(ops.Mul, have, d))
	}
	if want.known == nil || want.known == int64(0) || have.known == nil || have.known.(int64)%want.known.(int64) != 0 {
		c.fail("shape %s does not divide a tensor of shape %v", repr(c.args[1]), t.typ().Shape)
		return to
	}
	out := slices.Clone(to)
	out[at] = asNumber(c.mustArith(ops.FloorDiv, have, want))
	return out
}

// shaped returns a view of t under another shape, or a copy where PyTorch copies.
func (c *call) shaped(t *Tensor, to []*number) *Tensor {
	if c.err != nil {
		return c.anything()
	}
	if t.complex {
		return c.complexShaped(t, to)
	}
	if q := t.typ().Q; q != nil && q.Scheme.PerChannel() {
		c.unsupported("on values quantized per channel")
	}
	dims := c.dims(t)
	shape := make(tensor.Shape, len(to))
	for i, n := range to {
		d, ok := n.known.(int64)
		if !ok {
			d = int64(c.plainInt(n))
		}
		shape[i] = int(d)
	}
	if n, err := shape.Numel(); err != nil || n != t.typ().Numel() {
		c.fail("a tensor of shape %v does not have the shape %v", t.typ().Shape, shape)
		return c.anything()
	}
	s, shares := viewStrides(t.typ().Shape, t.strides, shape)
	if !shares {
		return c.reshape(t, to)
	}
	return c.view(t, reshapeView{dims, to}, s)
}

func viewAs(c *call) value {
	t := c.tensor(0)
	return c.shaped(t, c.resolve(t, c.numbers(1)))
}

func reshape(c *call) value { return viewAs(c) }

func reshapeAs(c *call) value { return c.shaped(c.tensor(0), c.dims(c.tensor(1))) }

func flatten(c *call) value {
	t := c.tensor(0)
	start, end := 0, max(t.rank()-1, 0)
	if len(c.args) > 1 {
		start, end = c.axis(1, t.rank()), c.axis(2, t.rank())
	}
	dims := c.dims(t)
	switch {
	case c.err != nil:
		return nil
	case start > end:
		return c.fail("dimension %d does not come before %d", start, end)
	case len(dims) == 0:
		return c.shaped(t, []*number{extent(1)})
	case start == end || t.complex:
		return c.shaped(t, c.joined(dims, start, end))
	}
	to := c.joined(dims, start, end)
	shape := make(tensor.Shape, len(to))
	for i, n := range to {
		shape[i] = int(n.known.(int64))
	}
	s, shares := viewStrides(t.typ().Shape, t.strides, shape)
	op := ops.Flatten{Start: start, End: end}
	if end == len(dims)-1 {
		op.End = -1
	}
	if !shares {
		return c.apply(op, t)
	}
	return c.view(t, flattenView{op, dims}, s)
}

// joined returns dims with those from start to end as one.
func (c *call) joined(dims []*number, start, end int) []*number {
	n := dims[start]
	for _, d := range dims[start+1 : end+1] {
		n = asNumber(c.mustArith(ops.Mul, n, d))
	}
	return slices.Concat(dims[:start], []*number{n}, dims[end+1:])
}

func unflatten(c *call) value {
	t := c.tensor(0)
	axis := c.axis(1, t.rank())
	dims := c.dims(t)
	if c.err != nil || axis >= len(dims) {
		return c.fail("there is no dimension %d", axis)
	}
	inner := c.numbers(2)
	for i, n := range inner {
		if n.known == int64(-1) {
			have, err := c.builder.int(dims[axis])
			c.failed(err)
			for k, m := range inner {
				if d := c.plainInt(m); k != i && d > 0 {
					have /= d
				}
			}
			inner[i] = extent(have)
		}
	}
	return c.shaped(t, slices.Concat(dims[:axis], inner, dims[axis+1:]))
}

// squeeze takes away all dimensions of extent 1.
func squeeze(c *call) value {
	t := c.tensor(0)
	var to []*number
	for i, d := range c.dims(t) {
		if c.extent(t, i) != 1 {
			to = append(to, d)
		}
	}
	return c.shaped(t, to)
}

func squeezeDims(c *call) value {
	t := c.tensor(0)
	drop := c.axes(1, t.rank())
	var to []*number
	for i, d := range c.dims(t) {
		if slices.Contains(drop, i) && c.extent(t, i) == 1 {
			continue
		}
		to = append(to, d)
	}
	return c.shaped(t, to)
}

func unsqueeze(c *call) value {
	t := c.tensor(0)
	axis := c.axis(1, t.rank()+1)
	return c.shaped(t, slices.Insert(slices.Clone(c.dims(t)), axis, extent(1)))
}

func atLeast(n int) func(*call) value {
	return func(c *call) value {
		to := slices.Clone(c.dims(c.tensor(0)))
		for len(to) < n {
			to = slices.Insert(to, 0, extent(1))
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
