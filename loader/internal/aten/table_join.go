package aten

import (
	"slices"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

var joins = []operator{
	{"aten::cat", "tensors:L dim:i=0", cat},
	{"aten::concat", "tensors:L dim:i=0", cat},
	{"aten::concatenate", "tensors:L dim:i=0", cat},
	{"aten::stack", "tensors:L dim:i=0", stack},
	{"aten::pad_sequence", "sequences:L batch_first:b=False padding_value:f=0 padding_side:s='right'", padSequence},
	{"aten::hstack", "tensors:L", stackAlong(1)},
	{"aten::vstack", "tensors:L", stackAlong(0)},
	{"aten::dstack", "tensors:L", stackAlong(2)},
	{"aten::column_stack", "tensors:L", columnStack},
	{"aten::hsplit", "self:T sections:i", splitBy(1, tensorSplit)},
	{"aten::hsplit", "self:T indices:I", splitBy(1, tensorSplitAt)},
	{"aten::vsplit", "self:T sections:i", splitBy(0, tensorSplit)},
	{"aten::vsplit", "self:T indices:I", splitBy(0, tensorSplitAt)},
	{"aten::dsplit", "self:T sections:i", splitBy(2, tensorSplit)},
	{"aten::dsplit", "self:T indices:I", splitBy(2, tensorSplitAt)},
	{"aten::split", "self:T split_size:i dim:i=0", splitEvery},
	{"aten::split", "self:T split_size:I dim:i=0", splitSizes},
	{"aten::split", "self:T split_sizes:I dim:i=0", splitSizes},
	{"aten::split_with_sizes", "self:T split_sizes:I dim:i=0", splitSizes},
	{"aten::tensor_split", "self:T sections:i dim:i=0", tensorSplit},
	{"aten::tensor_split", "self:T indices:I dim:i=0", tensorSplitAt},
	{"aten::tensor_split", "self:T tensor_indices_or_sections:T dim:i=0", tensorSplitBy},
	{"aten::chunk", "self:T chunks:i dim:i=0", chunk},
	{"aten::unsafe_chunk", "self:T chunks:i dim:i=0", chunk},
	{"aten::unsafe_split", "self:T split_size:i dim:i=0", splitEvery},
	{"prim::ConstantChunk", "self:T chunks:i dim:i=0", chunk},
	{"aten::unbind", "self:T dim:i=0", unbind},
	{"aten::repeat", "self:T repeats:I", repeat},
	{"aten::tile", "self:T dims:I", tile},
	{"aten::repeat_interleave", "self:T repeats:i dim:i?=None | output_size:i?=None", repeatInterleave},
	{"aten::repeat_interleave", "self:T repeats:T dim:i?=None | output_size:i?=None", repeatByTensor},
	{"aten::repeat_interleave", "repeats:T | output_size:i?=None", repeatedIndices},
	{"aten::flip", "self:T dims:I", func(c *call) Value { return c.apply(ops.Flip{Axes: c.axes(1, c.tensor(0).Rank())}, c.tensor(0)) }},
	{"aten::fliplr", "self:T", func(c *call) Value { return c.apply(ops.Flip{Axes: []int{1}}, c.tensor(0)) }},
	{"aten::flipud", "self:T", func(c *call) Value { return c.apply(ops.Flip{Axes: []int{0}}, c.tensor(0)) }},
	{"aten::roll", "self:T shifts:I dims:I=[]", roll},
	{"aten::rot90", "self:T k:i=1 dims:I=[]", rot90},
	{"aten::meshgrid", "tensors:L", meshgrid},
	{"aten::meshgrid", "tensors:L | indexing:s", meshgrid},
	{"aten::tril", "self:T diagonal:i=0", func(c *call) Value { return c.apply(ops.Trilu{Diagonal: c.int(1)}, c.tensor(0)) }},
	{"aten::triu", "self:T diagonal:i=0", func(c *call) Value { return c.apply(ops.Trilu{Diagonal: c.int(1), Upper: true}, c.tensor(0)) }},
}

// cat joins tensors. Empty vectors, with which programs begin, count for nothing;
// different element types become their common one.
func cat(c *call) Value {
	in := c.tensors(0)
	if slices.ContainsFunc(in, func(t *build.Tensor) bool { return t.Rank() != 1 }) { // beside these an empty vector is nothing
		if all := slices.DeleteFunc(slices.Clone(in), func(t *build.Tensor) bool {
			return t.Rank() == 1 && t.Type().Numel() == 0 && c.extent(t, 0) == 0
		}); len(all) > 0 {
			in = all
		}
	}
	if len(in) == 0 {
		return c.fail("there is nothing to join")
	}
	return c.joinAlong(in, c.axis(1, in[0].Rank()))
}

func (c *call) joinAlong(in []*build.Tensor, axis int) *build.Tensor {
	if q := in[0].Type().Q; q != nil {
		return c.joinQuantized(in, axis, q)
	}
	if len(in) == 1 {
		return build.NewTensor(c.read(in[0]))
	}
	return c.apply(ops.Concat{Axis: axis}, c.common(in)...)
}

// common converts tensors to the element type they have together.
func (c *call) common(in []*build.Tensor) []*build.Tensor {
	d := tensor.Invalid
	for _, t := range in {
		d = ops.Promote(d, t.DType())
	}
	out := make([]*build.Tensor, len(in))
	for i, t := range in {
		out[i] = t
		if t.Type().Q == nil && d != tensor.Invalid {
			out[i] = c.cast(t, d)
		}
	}
	return out
}

func stack(c *call) Value {
	in := c.tensors(0)
	if len(in) == 0 {
		return c.fail("there is nothing to stack")
	}
	return c.apply(ops.Stack{Axis: c.axis(1, in[0].Rank()+1)}, c.common(in)...)
}

// padSequence makes sequences as long as the longest one, with a value behind or in front of them, and stacks them.
func padSequence(c *call) Value {
	in, longest := c.tensors(0), 0
	for _, t := range in {
		longest = max(longest, c.extent(t, 0))
	}
	if len(in) == 0 || in[0].Rank() == 0 {
		return c.fail("there are no sequences")
	}
	padded := make([]*build.Tensor, len(in))
	for i, t := range in {
		before, after := make([]int, t.Rank()), make([]int, t.Rank())
		side := after
		if c.string(3) == "left" {
			side = before
		}
		side[0] = longest - c.extent(t, 0)
		padded[i] = c.apply(ops.Pad{Before: before, After: after, Value: c.float(2)}, t)
	}
	axis := 1
	if c.bool(1) {
		axis = 0
	}
	return c.apply(ops.Stack{Axis: axis}, c.common(padded)...)
}

// stackAlong joins along a dimension, which the tensors get where they lack it.
//
//go:noinline
func stackAlong(axis int) func(*call) Value {
	return func(c *call) Value {
		var in []*build.Tensor
		for _, t := range c.tensors(0) {
			to := slices.Clone(c.Dims(t))
			if len(to) == 0 {
				to = append(to, build.Extent(1))
			}
			if axis != 1 && len(to) == 1 {
				to = slices.Insert(to, 0, build.Extent(1))
			}
			if axis == 2 && len(to) == 2 {
				to = append(to, build.Extent(1))
			}
			in = append(in, c.shaped(t, to))
		}
		if len(in) == 0 {
			return c.fail("there is nothing to join")
		}
		return c.joinAlong(in, min(axis, in[0].Rank()-1))
	}
}

// columnStack joins vectors as columns, and matrices side by side.
func columnStack(c *call) Value {
	var in []*build.Tensor
	for _, t := range c.tensors(0) {
		to := slices.Clone(c.Dims(t))
		for len(to) < 2 {
			to = append(to, build.Extent(1))
		}
		in = append(in, c.shaped(t, to))
	}
	if len(in) == 0 {
		return c.fail("there is nothing to join")
	}
	return c.joinAlong(in, 1)
}

// mayCut counts n pieces before there are any, and reports whether so many may be made.
func (c *call) mayCut(n int) bool {
	c.failed(c.Spend(n))
	return c.Err() == nil
}

// pieces cuts a dimension at the given places.
func (c *call) pieces(t *build.Tensor, axis int, cuts []int) Value {
	l := &List{}
	for i := range len(cuts) - 1 {
		if c.Err() != nil {
			return l
		}
		l.Items = append(l.Items, c.sliced(t, axis, build.Extent(cuts[i]), build.Extent(cuts[i+1]), 1))
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

func splitEvery(c *call) Value {
	t := c.tensor(0)
	axis, n := c.axis(2, t.Rank()), c.int(1)
	d := c.extent(t, axis)
	if n < 0 || n == 0 && d > 0 {
		return c.fail("pieces of %d", n)
	}
	if n = max(n, 1); !c.mayCut(d / n) {
		return nil
	}
	return c.pieces(t, axis, every(n, d))
}

func splitSizes(c *call) Value {
	t := c.tensor(0)
	axis := c.axis(2, t.Rank())
	sizes := c.numbers(1)
	if c.Err() == nil && slices.ContainsFunc(sizes, func(n *build.Number) bool { return c.OnItem(n.Deps) }) {
		return c.openPieces(t, axis, sizes)
	}
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

// openPieces is splitSizes into sizes that only the run knows.
func (c *call) openPieces(t *build.Tensor, axis int, sizes []*build.Number) Value {
	l, at := &List{}, build.Extent(0)
	for _, n := range sizes {
		if v, ok := n.Known.(int64); ok && v < 0 {
			return c.fail("a piece of %d", v)
		}
		if n.Term == nil || n.Term.Input == nil { // it is no extent
			c.assertAll(c.arithNumber(ops.Ge, build.OfNumber(n), int64(0)), "split_sizes are not negative")
		}
		end := build.AsNumber(c.scalarOf(ops.Add, at, n))
		if c.Err() != nil {
			return nil
		}
		l.Items = append(l.Items, c.sliced(t, axis, at, end, 1))
		at = end
	}
	c.assertDims([]*build.Number{at}, c.Dims(t)[axis:axis+1], "split_sizes do not add up to the extent")
	return l
}

func chunk(c *call) Value {
	t := c.tensor(0)
	axis, n := c.axis(2, t.Rank()), c.int(1)
	if n < 1 {
		return c.fail("%d pieces", n)
	}
	d := c.extent(t, axis)
	if d == 0 {
		if !c.mayCut(n) {
			return nil
		}
		return c.pieces(t, axis, make([]int, n+1))
	}
	if !c.mayCut(min(n, d)) {
		return nil
	}
	return c.pieces(t, axis, every(1+(d-1)/n, d))
}

// tensorSplit makes n pieces, of which the first are one longer.
func tensorSplit(c *call) Value {
	t := c.tensor(0)
	axis, n := c.axis(2, t.Rank()), c.int(1)
	d := c.extent(t, axis)
	if n < 1 {
		return c.fail("%d pieces", n)
	}
	if !c.mayCut(n) {
		return nil
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

// splitBy splits a dimension into as many equal parts as are asked for, or at some places. hsplit takes the only
// dimension of a vector.
//
//go:noinline
func splitBy(axis int, lower func(*call) Value) func(*call) Value {
	return func(c *call) Value {
		t := c.tensor(0)
		at := axis
		if axis == 1 && t.Rank() == 1 {
			at = 0
		}
		if t.Rank() <= at || t.Rank() < 2 && axis != 1 {
			return c.fail("a tensor of %d dimensions", t.Rank())
		}
		if n, ok := c.args[1].(int64); ok && (n < 1 || c.extent(t, at)%int(n) != 0) {
			return c.fail("%d parts of an extent of %d", n, c.extent(t, at))
		}
		c.args = append(c.args, int64(at))
		return lower(c)
	}
}

func tensorSplitAt(c *call) Value {
	t := c.tensor(0)
	axis := c.axis(2, t.Rank())
	d := c.extent(t, axis)
	l := &List{}
	start := 0
	for _, end := range append(c.ints(1), d) {
		l.Items = append(l.Items, c.sliced(t, axis, build.Extent(start), build.Extent(end), 1))
		start = end
	}
	return l
}

// tensorSplitBy is tensor_split into as many pieces, or at the places, that a tensor says.
func tensorSplitBy(c *call) Value {
	at := c.tensor(1)
	if at.Rank() == 0 {
		c.args[1] = c.itemOf(at, build.Int)
		return tensorSplit(c)
	}
	n := c.extent(at, 0)
	if c.Err() != nil || !c.mayCut(n) {
		return nil
	}
	places := &List{}
	for i := range n {
		places.Items = append(places.Items, c.itemOf(c.selected(at, 0, build.Extent(i)), build.Int))
	}
	if c.Err() != nil {
		return nil
	}
	c.args[1] = places
	return tensorSplitAt(c)
}

func unbind(c *call) Value {
	t := c.tensor(0)
	axis := c.axis(1, t.Rank())
	n := c.extent(t, axis)
	c.failed(c.Spend(n))
	l := &List{}
	for i := range n {
		if c.Err() != nil {
			break
		}
		l.Items = append(l.Items, c.selected(t, axis, build.Extent(i)))
	}
	return l
}

func repeat(c *call) Value {
	t := c.tensor(0)
	return c.repeated(t, c.numbers(1))
}

// repeated repeats a tensor along dimensions. Where it has an extent of 1 there,
// that is the same as expanding it.
func (c *call) repeated(t *build.Tensor, times []*build.Number) *build.Tensor {
	if t.Complex {
		return asComplex(c.repeated(pairs(t), append(slices.Clip(times), build.Extent(1))))
	}
	front := len(times) - t.Rank()
	if front < 0 {
		c.fail("%d repeats of a tensor of %d dimensions", len(times), t.Rank())
		return c.anything()
	}
	dims := c.Dims(t)
	to := make([]*build.Number, len(times))
	expands := true
	for i, n := range times {
		switch {
		case i < front || build.IsOne(dims[i-front]):
			to[i] = n
		case build.IsOne(n):
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

func tile(c *call) Value {
	t := c.tensor(0)
	times := slices.Clone(c.numbers(1))
	for len(times) < t.Rank() {
		times = slices.Insert(times, 0, build.Extent(1))
	}
	return c.repeated(t, times)
}

// repeatInterleave repeats each element of a dimension.
func repeatInterleave(c *call) Value {
	t, n := c.tensor(0), c.int(1)
	if c.isNone(2) {
		t = c.shaped(t, c.resolve(t, []*build.Number{build.Extent(-1)}))
	}
	axis := 0
	if !c.isNone(2) {
		axis = c.axis(2, t.Rank())
	}
	dims := c.Dims(t)
	if c.Err() != nil || len(dims) == 0 {
		return c.fail("a tensor without dimensions")
	}
	wide := slices.Insert(slices.Clone(dims), axis+1, build.Extent(1))
	to := slices.Clone(wide)
	to[axis+1] = build.Extent(n)
	final := slices.Clone(dims)
	final[axis] = build.AsNumber(c.mustArith(ops.Mul, dims[axis], build.Extent(n)))
	return c.reshape(c.expand(c.reshape(t, wide), to), final)
}

func roll(c *call) Value {
	return c.apply(ops.Roll{Shifts: c.ints(1), Axes: c.axes(2, c.tensor(0).Rank())}, c.tensor(0))
}

// rot90 turns by quarters from the first to the second dimension.
func rot90(c *call) Value {
	t := c.tensor(0)
	axes := []int{0, 1}
	if len(c.numbers(2)) == 2 {
		axes = c.axes(2, t.Rank())
	}
	if t.Rank() < 2 {
		return c.fail("a tensor of %d dimensions", t.Rank())
	}
	order := identityOrder(t.Rank())
	order[axes[0]], order[axes[1]] = order[axes[1]], order[axes[0]]
	swap := func(t *build.Tensor) *build.Tensor { return c.apply(ops.Permute{Order: order}, t) }
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
func meshgrid(c *call) Value {
	in := c.tensors(0)
	swap := len(c.args) > 1 && c.string(1) == "xy" && len(in) > 1 // rows of the second vector
	if swap {
		in = slices.Clone(in)
		in[0], in[1] = in[1], in[0]
	}
	to := make([]*build.Number, len(in))
	for i, t := range in {
		to[i] = build.Extent(1)
		if t.Rank() > 0 {
			to[i] = c.length(t)
		}
	}
	l := &List{}
	for i, t := range in {
		own := make([]*build.Number, len(in))
		for k := range own {
			own[k] = build.Extent(1)
		}
		own[i] = to[i]
		l.Items = append(l.Items, c.expanded(c.shaped(t, own), to))
	}
	if swap {
		l.Items[0], l.Items[1] = l.Items[1], l.Items[0]
	}
	return l
}
