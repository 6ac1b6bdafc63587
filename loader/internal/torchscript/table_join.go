package torchscript

import (
	"slices"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

var joins = []operator{
	{"aten::cat", "tensors:L dim:i=0", cat},
	{"aten::concat", "tensors:L dim:i=0", cat},
	{"aten::concatenate", "tensors:L dim:i=0", cat},
	{"aten::stack", "tensors:L dim:i=0", stack},
	{"aten::hstack", "tensors:L", stackAlong(1)},
	{"aten::vstack", "tensors:L", stackAlong(0)},
	{"aten::split", "self:T split_size:i dim:i=0", splitEvery},
	{"aten::split", "self:T split_size:I dim:i=0", splitSizes},
	{"aten::split_with_sizes", "self:T split_sizes:I dim:i=0", splitSizes},
	{"aten::tensor_split", "self:T sections:i dim:i=0", tensorSplit},
	{"aten::tensor_split", "self:T indices:I dim:i=0", tensorSplitAt},
	{"aten::chunk", "self:T chunks:i dim:i=0", chunk},
	{"aten::unsafe_chunk", "self:T chunks:i dim:i=0", chunk},
	{"aten::unsafe_split", "self:T split_size:i dim:i=0", splitEvery},
	{"prim::ConstantChunk", "self:T chunks:i dim:i=0", chunk},
	{"aten::unbind", "self:T dim:i=0", unbind},
	{"aten::repeat", "self:T repeats:I", repeat},
	{"aten::tile", "self:T dims:I", tile},
	{"aten::repeat_interleave", "self:T repeats:i dim:i?=None | output_size:i?=None", repeatInterleave},
	{"aten::flip", "self:T dims:I", func(c *call) value { return c.apply(ops.Flip{Axes: c.axes(1, c.tensor(0).rank())}, c.tensor(0)) }},
	{"aten::fliplr", "self:T", func(c *call) value { return c.apply(ops.Flip{Axes: []int{1}}, c.tensor(0)) }},
	{"aten::flipud", "self:T", func(c *call) value { return c.apply(ops.Flip{Axes: []int{0}}, c.tensor(0)) }},
	{"aten::roll", "self:T shifts:I dims:I=[]", roll},
	{"aten::rot90", "self:T k:i=1 dims:I=[]", rot90},
	{"aten::meshgrid", "tensors:L", meshgrid},
	{"aten::meshgrid", "tensors:L | indexing:s", meshgrid},
	{"aten::tril", "self:T diagonal:i=0", func(c *call) value { return c.apply(ops.Triangle{Diagonal: c.int(1)}, c.tensor(0)) }},
	{"aten::triu", "self:T diagonal:i=0", func(c *call) value { return c.apply(ops.Triangle{Diagonal: c.int(1), Upper: true}, c.tensor(0)) }},
}

// cat joins tensors. Empty vectors, with which programs begin, count for nothing;
// different element types become their common one.
func cat(c *call) value {
	in := c.tensors(0)
	if all := slices.DeleteFunc(slices.Clone(in), func(t *Tensor) bool {
		s := t.typ().Shape
		return len(s) == 1 && s[0] == 0
	}); len(all) > 0 {
		in = all
	}
	if len(in) == 0 {
		return c.fail("there is nothing to join")
	}
	if in[0].complex {
		return c.unsupported("of complex numbers")
	}
	return c.joinAlong(in, c.axis(1, in[0].rank()))
}

func (c *call) joinAlong(in []*Tensor, axis int) *Tensor {
	if q := in[0].typ().Q; q != nil {
		return c.joinQuantized(in, axis, q)
	}
	if len(in) == 1 {
		return fresh(c.read(in[0]))
	}
	return c.apply(ops.Concat{Axis: axis}, c.common(in)...)
}

// common converts tensors to the element type they have together.
func (c *call) common(in []*Tensor) []*Tensor {
	d := tensor.Invalid
	for _, t := range in {
		d = ops.Promote(d, t.dtype())
	}
	out := make([]*Tensor, len(in))
	for i, t := range in {
		out[i] = t
		if t.typ().Q == nil && d != tensor.Invalid {
			out[i] = c.cast(t, d)
		}
	}
	return out
}

func stack(c *call) value {
	in := c.tensors(0)
	if len(in) == 0 {
		return c.fail("there is nothing to stack")
	}
	return c.apply(ops.Stack{Axis: c.axis(1, in[0].rank()+1)}, c.common(in)...)
}

// stackAlong joins along a dimension, which the tensors get where they lack it.
func stackAlong(axis int) func(*call) value {
	return func(c *call) value {
		var in []*Tensor
		for _, t := range c.tensors(0) {
			to := slices.Clone(c.dims(t))
			if len(to) == 0 {
				to = append(to, extent(1))
			}
			if axis == 0 && len(to) == 1 {
				to = slices.Insert(to, 0, extent(1))
			}
			in = append(in, c.shaped(t, to))
		}
		if len(in) == 0 {
			return c.fail("there is nothing to join")
		}
		return c.joinAlong(in, min(axis, in[0].rank()-1))
	}
}

// pieces cuts a dimension at the given places.
func (c *call) pieces(t *Tensor, axis int, cuts []int) value {
	l := &list{}
	c.failed(c.spend(len(cuts)))
	for i := range len(cuts) - 1 {
		if c.err != nil {
			return l
		}
		l.items = append(l.items, c.sliced(t, axis, extent(cuts[i]), extent(cuts[i+1]), 1))
	}
	return l
}

// every returns cuts after each n of an extent.
func every(n, extent int) []int {
	cuts := []int{0}
	for at := 0; at < extent; {
		at = min(at+n, extent)
		cuts = append(cuts, at)
	}
	if len(cuts) == 1 {
		cuts = append(cuts, 0)
	}
	return cuts
}

func splitEvery(c *call) value {
	t := c.tensor(0)
	axis, n := c.axis(2, t.rank()), c.int(1)
	d := c.extent(t, axis)
	if n < 0 || n == 0 && d > 0 {
		return c.fail("pieces of %d", n)
	}
	return c.pieces(t, axis, every(max(n, 1), d))
}

func splitSizes(c *call) value {
	t := c.tensor(0)
	axis := c.axis(2, t.rank())
	cuts := []int{0}
	for _, n := range c.ints(1) {
		if n < 0 {
			return c.fail("a piece of %d", n)
		}
		if n > c.extent(t, axis) { // sums cannot overflow
			return c.fail("a piece of %d elements of an extent of %d", n, c.extent(t, axis))
		}
		cuts = append(cuts, cuts[len(cuts)-1]+n)
	}
	if d := c.extent(t, axis); cuts[len(cuts)-1] != d {
		return c.fail("pieces of %d elements of an extent of %d", cuts[len(cuts)-1], d)
	}
	return c.pieces(t, axis, cuts)
}

func chunk(c *call) value {
	t := c.tensor(0)
	axis, n := c.axis(2, t.rank()), c.int(1)
	if n < 1 {
		return c.fail("%d pieces", n)
	}
	d := c.extent(t, axis)
	if d == 0 {
		return c.pieces(t, axis, make([]int, min(n, maxItems)+1))
	}
	return c.pieces(t, axis, every(1+(d-1)/n, d))
}

// tensorSplit makes n pieces, of which the first are one longer.
func tensorSplit(c *call) value {
	t := c.tensor(0)
	axis, n := c.axis(2, t.rank()), c.int(1)
	d := c.extent(t, axis)
	if n < 1 || n > maxItems {
		return c.fail("%d pieces", n)
	}
	cuts := []int{0}
	for i := range n {
		k := d / n
		if i < d%n {
			k++
		}
		cuts = append(cuts, cuts[i]+k)
	}
	return c.pieces(t, axis, cuts)
}

func tensorSplitAt(c *call) value {
	t := c.tensor(0)
	axis := c.axis(2, t.rank())
	d := c.extent(t, axis)
	l := &list{}
	start := 0
	for _, end := range append(c.ints(1), d) {
		l.items = append(l.items, c.sliced(t, axis, extent(start), extent(end), 1))
		start = end
	}
	return l
}

func unbind(c *call) value {
	t := c.tensor(0)
	axis := c.axis(1, t.rank())
	n := c.extent(t, axis)
	c.failed(c.spend(n))
	l := &list{}
	for i := range n {
		if c.err != nil {
			break
		}
		l.items = append(l.items, c.selected(t, axis, extent(i)))
	}
	return l
}

func repeat(c *call) value {
	t := c.tensor(0)
	return c.repeated(t, c.numbers(1))
}

// repeated repeats a tensor along dimensions. Where it has an extent of 1 there,
// that is the same as expanding it.
func (c *call) repeated(t *Tensor, times []*number) *Tensor {
	front := len(times) - t.rank()
	if front < 0 || t.complex {
		c.fail("%d repeats of a tensor of %d dimensions", len(times), t.rank())
		return c.anything()
	}
	dims := c.dims(t)
	to := make([]*number, len(times))
	expands := true
	for i, n := range times {
		switch {
		case i < front || isOne(dims[i-front]):
			to[i] = n
		case isOne(n):
			to[i] = dims[i-front]
		default:
			expands = false
		}
	}
	if expands {
		return c.expand(t, to)
	}
	plain := make([]int, len(times))
	for i, n := range times {
		plain[i] = c.plainInt(n)
	}
	return c.apply(ops.Tile{Repeats: plain}, t)
}

func tile(c *call) value {
	t := c.tensor(0)
	times := slices.Clone(c.numbers(1))
	for len(times) < t.rank() {
		times = slices.Insert(times, 0, extent(1))
	}
	return c.repeated(t, times)
}

// repeatInterleave repeats each element of a dimension.
func repeatInterleave(c *call) value {
	t, n := c.tensor(0), c.int(1)
	if c.isNone(2) {
		t = c.shaped(t, c.resolve(t, []*number{extent(-1)}))
	}
	axis := 0
	if !c.isNone(2) {
		axis = c.axis(2, t.rank())
	}
	dims := c.dims(t)
	if c.err != nil || len(dims) == 0 {
		return c.fail("a tensor without dimensions")
	}
	wide := slices.Insert(slices.Clone(dims), axis+1, extent(1))
	to := slices.Clone(wide)
	to[axis+1] = extent(n)
	final := slices.Clone(dims)
	final[axis] = asNumber(c.mustArith(ops.Mul, dims[axis], extent(n)))
	return c.reshape(c.expand(c.reshape(t, wide), to), final)
}

func roll(c *call) value {
	return c.apply(ops.Roll{Shifts: c.ints(1), Axes: c.axes(2, c.tensor(0).rank())}, c.tensor(0))
}

// rot90 turns by quarters from the first to the second dimension.
func rot90(c *call) value {
	t := c.tensor(0)
	axes := []int{0, 1}
	if len(c.numbers(2)) == 2 {
		axes = c.axes(2, t.rank())
	}
	if t.rank() < 2 {
		return c.fail("a tensor of %d dimensions", t.rank())
	}
	order := identityOrder(t.rank())
	order[axes[0]], order[axes[1]] = order[axes[1]], order[axes[0]]
	swap := func(t *Tensor) *Tensor { return c.apply(ops.Permute{Order: order}, t) }
	switch k := ((c.int(1) % 4) + 4) % 4; k {
	case 1:
		return swap(c.apply(ops.Flip{Axes: axes[1:]}, t))
	case 2:
		return c.apply(ops.Flip{Axes: axes}, t)
	case 3:
		return c.apply(ops.Flip{Axes: axes[1:]}, swap(t))
	}
	return clone(c)
}

// meshgrid repeats vectors along the dimensions of each other.
func meshgrid(c *call) value {
	in := c.tensors(0)
	swap := len(c.args) > 1 && c.string(1) == "xy" && len(in) > 1 // rows of the second vector
	if swap {
		in = slices.Clone(in)
		in[0], in[1] = in[1], in[0]
	}
	to := make([]*number, len(in))
	for i, t := range in {
		to[i] = extent(1)
		if t.rank() > 0 {
			to[i] = c.length(t)
		}
	}
	l := &list{}
	for i, t := range in {
		own := make([]*number, len(in))
		for k := range own {
			own[k] = extent(1)
		}
		own[i] = to[i]
		l.items = append(l.items, c.expanded(c.shaped(t, own), to))
	}
	if swap {
		l.items[0], l.items[1] = l.items[1], l.items[0]
	}
	return l
}
