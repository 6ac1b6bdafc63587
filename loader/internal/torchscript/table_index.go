package torchscript

import (
	"math"
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

var indexing = []operator{
	{"aten::index", "self:T indices:L?", index},
	{"aten::index_put", "self:T indices:L? values:T accumulate:b=False", indexPut},
	{"aten::_index_put_impl", "self:T indices:L? values:T accumulate:b=False unsafe:b=False", indexPut},
	{"aten::index_select", "self:T dim:i index:T", indexSelect},
	{"aten::index_add", "self:T dim:i index:T source:T | alpha:n=1", indexAdd},
	{"aten::index_copy", "self:T dim:i index:T source:T", indexCopy},
	{"aten::index_fill", "self:T dim:i index:T value:N", indexFill},
	{"aten::gather", "self:T dim:i index:T | sparse_grad:b=False", gather},
	{"aten::take_along_dim", "self:T indices:T dim:i?=None", takeAlong},
	{"aten::take", "self:T index:T", take},
	{"aten::scatter", "self:T dim:i index:T src:N", scatter(ops.ScatterSet)},
	{"aten::scatter", "self:T dim:i index:T src:N | reduce:s", scatterNamed},
	{"aten::scatter_add", "self:T dim:i index:T src:T", scatter(ops.ScatterAdd)},
	{"aten::scatter_reduce", "self:T dim:i index:T src:T reduce:s | include_self:b=True", scatterReduce},
	{"aten::masked_scatter", "self:T mask:T source:T", maskedScatter},
	{"aten::masked_select", "self:T mask:T", maskedSelect},
	{"aten::nonzero", "self:T", nonzero},
	{"aten::where", "condition:T", nonzeroTuple},
	{"aten::nonzero_numpy", "self:T", nonzeroTuple},
	{"aten::embedding", "weight:T indices:T padding_idx:i=-1 scale_grad_by_freq:b=False sparse:b=False", embedding},
	{"aten::embedding_bag", "weight:T indices:T offsets:T scale_grad_by_freq:b=False mode:i=0 sparse:b=False per_sample_weights:T?=None include_last_offset:b=False padding_idx:i?=None", embeddingBag},
	{"aten::isin", "elements:T test_elements:T | assume_unique:b=False invert:b=False", isIn},
	{"aten::bucketize", "input:T boundaries:T out_int32:b=False right:b=False", bucketize},
}

// indexed resolves the indices of x[i, :, mask]: for each indexed dimension its
// indices. A mask stands for as many dimensions as it has.
func (c *call) indexed(x *Tensor, indices []*Tensor) (axes []int, at []*Tensor) {
	axis := 0
	for _, i := range indices {
		if i == nil {
			axis++
			continue
		}
		if d := i.dtype(); d != tensor.Bool && d != tensor.Uint8 {
			if d != tensor.Int64 && d != tensor.Int32 {
				i = c.cast(i, tensor.Int64)
			}
			axes, at = append(axes, axis), append(at, i)
			axis++
			continue
		}
		mask := c.known(i)
		if mask == nil {
			c.unsupported("by a mask that only the run knows: the result has as many elements as the mask has true ones")
			return nil, nil
		}
		where, err := ops.NonZero(mask)
		c.failed(err)
		for _, w := range where {
			axes, at = append(axes, axis), append(at, fresh(c.constant("", w)))
			axis++
		}
	}
	if axis > x.rank() {
		c.fail("%d indices of a tensor of %d dimensions", axis, x.rank())
		return nil, nil
	}
	return axes, at
}

func index(c *call) value {
	x := c.tensor(0)
	axes, at := c.indexed(x, c.tensors(1))
	if len(axes) == 0 {
		return alias(x)
	}
	return c.atIndices(x, axes, at)
}

// atIndices is x[:, i, j]. Indices that are plain and follow each other are a slice.
func (c *call) atIndices(x *Tensor, axes []int, at []*Tensor) *Tensor {
	if c.err != nil {
		return c.anything()
	}
	values := []*graph.Value{c.read(x)}
	for _, t := range at {
		values = append(values, c.read(t))
	}
	y := c.emit(ops.Index{Axes: axes}, values...)[0]
	if c.err == nil && y.value.Const == nil {
		c.setDims(y.value, c.indexDims(x, axes, at))
	}
	return y
}

// indexDims returns the extents of x[:, i, j]: those of the indices together in
// place of the indexed dimensions where these lie side by side, else in front.
func (c *call) indexDims(x *Tensor, axes []int, at []*Tensor) []*number {
	var operands [][]*number
	rank := 0
	for _, t := range at {
		operands = append(operands, c.dims(t))
		rank = max(rank, t.rank())
	}
	together := broadcastDims(operands, rank)
	adjacent := axes[len(axes)-1]-axes[0] == len(axes)-1
	var before, after []*number
	for i, d := range c.dims(x) {
		switch {
		case slices.Contains(axes, i):
		case adjacent && i < axes[0]:
			before = append(before, d)
		default:
			after = append(after, d)
		}
	}
	return slices.Concat(before, together, after)
}

func indexPut(c *call) value {
	x, values := c.tensor(0), c.cast(c.tensor(2), c.tensor(0).dtype())
	if y := c.putAtMask(x, c.tensors(1), values, c.bool(3)); y != nil {
		return y
	}
	axes, at := c.indexed(x, c.tensors(1))
	if len(axes) == 0 {
		y := c.expand(values, c.dims(x))
		if c.bool(3) {
			y = c.arith(ops.Add, x, y)
		}
		return y
	}
	return c.apply(ops.IndexPut{Axes: axes, Accumulate: c.bool(3)}, append([]*Tensor{x, values}, at...)...)
}

// putAtMask is x[:, mask] = values, whatever the mask: where the values are the
// same for all its elements it chooses between them and x, else they are taken in
// turn. It returns nil for other indices.
func (c *call) putAtMask(x *Tensor, indices []*Tensor, values *Tensor, accumulate bool) *Tensor {
	before := slices.IndexFunc(indices, func(t *Tensor) bool { return t != nil })
	if before < 0 || before != len(indices)-1 || indices[before].dtype() != tensor.Bool {
		return nil
	}
	mask := indices[before]
	behind := x.rank() - before - mask.rank()
	if behind < 0 || mask.rank() == 0 {
		return nil
	}
	to := slices.Clone(c.dims(mask))
	for range behind {
		to = append(to, extent(1))
	}
	mask = c.reshape(mask, to)
	switch same := values.rank() <= behind || values.typ().Numel() == 1; {
	case same && values.typ().Numel() == 1:
		values = c.reshape(values, nil)
	case !same && before == 0 && !accumulate && values.rank() > behind && c.extent(values, 0) != 1:
		return c.takenInTurn(x, mask, values)
	case !same:
		return nil
	}
	if accumulate {
		values = c.arith(ops.Add, x, values)
	}
	return c.apply(ops.Where{KeepB: true}, mask, values, x)
}

// takenInTurn puts values where a mask is true, one after the other: the number of
// true ones so far says which.
func (c *call) takenInTurn(x, mask, values *Tensor) *Tensor {
	flat := []*number{extent(-1)}
	whole := c.expand(mask, c.dims(x))
	count := c.apply(ops.Cumulative{}, c.cast(c.shaped(whole, c.resolve(whole, flat)), tensor.Int64))
	source := c.shaped(values, c.resolve(values, flat))
	// In front of the first true one any will do.
	place := c.apply(ops.Unary{Fn: ops.ClampMin}, c.arithNumber(ops.Sub, count, int64(1)))
	place = c.arith(ops.Min, place, c.arithNumber(ops.Sub, c.lift(c.dimension(source, 0)), int64(1)))
	taken := c.apply(ops.Index{Axes: []int{0}}, source, place)
	return c.apply(ops.Where{}, whole, c.reshape(taken, c.dims(x)), x)
}

func indexSelect(c *call) value {
	x := c.tensor(0)
	return c.apply(ops.IndexSelect{Axis: c.axis(1, x.rank())}, x, c.tensor(2))
}

// alongAxis puts source where a vector of indices says in one dimension.
func (c *call) alongAxis(x *Tensor, axis int, index, source *Tensor, accumulate bool) value {
	return c.apply(ops.IndexPut{Axes: []int{axis}, Accumulate: accumulate}, x, c.cast(source, x.dtype()), index)
}

func indexAdd(c *call) value {
	x := c.tensor(0)
	source, _ := c.times(c.tensor(3), c.args[4]).(*Tensor)
	return c.alongAxis(x, c.axis(1, x.rank()), c.tensor(2), source, true)
}

func indexCopy(c *call) value {
	x := c.tensor(0)
	return c.alongAxis(x, c.axis(1, x.rank()), c.tensor(2), c.tensor(3), false)
}

func indexFill(c *call) value {
	x := c.tensor(0)
	return c.alongAxis(x, c.axis(1, x.rank()), c.tensor(2), c.tensor(3), false)
}

func gather(c *call) value {
	x := c.tensor(0)
	return c.apply(ops.Gather{Axis: c.axis(1, x.rank())}, x, c.tensor(2))
}

func takeAlong(c *call) value {
	x, index := c.tensor(0), c.tensor(1)
	if c.isNone(2) {
		flat := func(t *Tensor) *Tensor { return c.shaped(t, c.resolve(t, []*number{extent(-1)})) }
		return c.apply(ops.Gather{}, flat(x), flat(index))
	}
	axis := c.axis(2, x.rank())
	to, from := broadcastDims([][]*number{c.dims(x), c.dims(index)}, x.rank()), c.dims(x)
	wantX, wantIndex := slices.Clone(to), slices.Clone(to)
	if axis < len(to) && x.rank() == index.rank() {
		wantX[axis], wantIndex[axis] = from[axis], c.dims(index)[axis]
	}
	return c.apply(ops.Gather{Axis: axis}, c.expand(x, wantX), c.expand(index, wantIndex))
}

func take(c *call) value {
	x := c.shaped(c.tensor(0), c.resolve(c.tensor(0), []*number{extent(-1)}))
	return c.atIndices(x, []int{0}, []*Tensor{c.tensor(1)})
}

func scatter(fn ops.ScatterFn) func(*call) value {
	return func(c *call) value {
		x := c.tensor(0)
		_, isTensor := c.args[3].(*Tensor)
		return c.apply(ops.Scatter{Axis: c.axis(1, x.rank()), Fn: fn, Number: !isTensor}, x, c.tensor(2), c.tensor(3))
	}
}

func scatterNamed(c *call) value {
	fn, ok := map[string]ops.ScatterFn{"add": ops.ScatterAdd, "multiply": ops.ScatterMultiply}[c.string(4)]
	if !ok {
		return c.fail("unknown reduction %q", c.string(4))
	}
	return scatter(fn)(c)
}

// scatterReduce joins elements that meet by a function. Without include_self an
// element that is met does not count itself.
func scatterReduce(c *call) value {
	name, self := c.string(4), c.bool(5)
	fn, ok := map[string]ops.ScatterFn{
		"sum": ops.ScatterAdd, "mean": ops.ScatterAdd, "prod": ops.ScatterMultiply, "amax": ops.ScatterMax, "amin": ops.ScatterMin,
	}[name]
	if !ok {
		return c.fail("unknown reduction %q", name)
	}
	x, index, src := c.tensor(0), c.tensor(2), c.tensor(3)
	axis := c.axis(1, x.rank())
	set := func(x *Tensor, v int64) *Tensor {
		return c.apply(ops.Scatter{Axis: axis, Number: true}, x, index, c.lift(v))
	}
	y := x
	switch {
	case self:
	case name == "amax" || name == "amin": // one of those that meet
		y = c.apply(ops.Scatter{Axis: axis}, x, index, src)
	case name == "prod":
		y = set(x, 1)
	default:
		y = set(x, 0)
	}
	y = c.apply(ops.Scatter{Axis: axis, Fn: fn}, y, index, src)
	if name != "mean" {
		return y
	}
	count := c.likeOf(x, 1, x.dtype())
	if !self {
		count = set(count, 0)
	}
	count = c.apply(ops.Scatter{Axis: axis, Fn: ops.ScatterAdd}, count, index, c.likeOf(src, 1, x.dtype()))
	divide := ops.Div
	if !x.dtype().IsFloat() {
		divide = ops.FloorDiv
	}
	return c.arith(divide, y, count)
}

// maskedScatter takes elements in turn where the mask is true.
func maskedScatter(c *call) value {
	return c.takenInTurn(c.tensor(0), c.tensor(1), c.cast(c.tensor(2), c.tensor(0).dtype()))
}

func maskedSelect(c *call) value {
	x, mask := c.tensor(0), c.tensor(1)
	to := broadcastDims([][]*number{c.dims(x), c.dims(mask)}, max(x.rank(), mask.rank()))
	x, mask = c.expand(x, to), c.expand(mask, to)
	if len(to) == 0 {
		x, mask = c.reshape(x, []*number{extent(1)}), c.reshape(mask, []*number{extent(1)})
	}
	axes, at := c.indexed(x, []*Tensor{mask})
	if c.err != nil {
		return nil
	}
	return c.atIndices(x, axes, at)
}

func (c *call) whereNonzero() []*Tensor {
	t := c.known(c.tensor(0))
	if t == nil {
		c.unsupported("of values that only the run knows: the result has as many elements as are not 0")
		return nil
	}
	nonzero, err := toMask(t)
	c.failed(err)
	if c.err != nil {
		return nil
	}
	where, err := ops.NonZero(nonzero)
	c.failed(err)
	var out []*Tensor
	for _, w := range where {
		out = append(out, fresh(c.constant("", w)))
	}
	return out
}

// toMask returns which elements are not 0.
func toMask(t *tensor.Tensor) (*tensor.Tensor, error) { return t.Contiguous().To(tensor.Bool) }

func nonzero(c *call) value {
	where := c.whereNonzero()
	if len(where) == 0 {
		return c.unsupported("of a tensor without dimensions")
	}
	return c.apply(ops.Stack{Axis: 1}, where...)
}

func nonzeroTuple(c *call) value {
	l := &list{}
	for _, t := range c.whereNonzero() {
		l.items = append(l.items, t)
	}
	return l
}

func embedding(c *call) value {
	return c.apply(ops.Embedding{}, c.tensor(0), c.tensor(1))
}

// embeddingBag sums, averages or takes the greatest of the rows of each bag. An
// element's bag is the last whose offset is not behind it.
func embeddingBag(c *call) value {
	weight, indices, offsets, mode := c.tensor(0), c.tensor(1), c.tensor(2), c.int(4)
	if indices.rank() != 1 || offsets.rank() != 1 || mode < 0 || mode > 2 {
		return c.fail("indices of %d and offsets of %d dimensions, mode %d", indices.rank(), offsets.rank(), mode)
	}
	column := func(t *Tensor) *Tensor { return c.reshape(t, []*number{c.length(t), extent(1)}) }
	place := c.arithNumber(ops.Sub, c.apply(ops.Cumulative{}, c.likeOf(indices, 1, tensor.Int64)), int64(1))
	begun := c.arith(ops.Le, c.cast(offsets, tensor.Int64), column(place))
	bag := column(c.arithNumber(ops.Sub, c.apply(ops.Reduce{Fn: ops.Sum, Axes: []int{1}}, begun), int64(1)))

	rows := c.apply(ops.Embedding{}, weight, indices)
	counted := column(c.likeOf(indices, 1, weight.dtype()))
	if w := c.tensor(6); w != nil {
		rows = c.arith(ops.Mul, rows, column(w))
	}
	none := 0.0
	if mode == 2 {
		none = math.Inf(-1)
	}
	if padding := c.intOr(8, -1); padding >= 0 {
		padded := column(c.arithNumber(ops.Eq, indices, int64(padding)))
		rows = c.apply(ops.Where{ANumber: true, KeepB: true}, padded, c.lift(none), rows)
		counted = c.apply(ops.Where{ANumber: true, KeepB: true}, padded, c.lift(0.0), counted)
	}
	collect := func(rows *Tensor, fn ops.ScatterFn, none float64) *Tensor {
		if c.err != nil {
			return c.anything()
		}
		size := []*number{c.dims(offsets)[0], c.dims(rows)[1]}
		into := c.fullOf(size, none, weight.dtype())
		sums := c.apply(ops.Scatter{Fn: fn}, into, c.expand(bag, c.dims(rows)), rows)
		if c.bool(7) { // the last offset is the end
			return c.sliced(sums, 0, extent(0), asNumber(c.mustArith(ops.Sub, size[0], extent(1))), 1)
		}
		return sums
	}
	fn := ops.ScatterAdd
	if mode == 2 {
		fn = ops.ScatterMax
	}
	y := collect(rows, fn, none)
	if mode > 0 {
		count := collect(counted, ops.ScatterAdd, 0)
		if mode == 1 {
			y = c.arith(ops.Div, y, c.apply(ops.Unary{Fn: ops.ClampMin, Alpha: 1}, count))
		} else {
			y = c.apply(ops.Where{ANumber: true, KeepB: true}, c.arithNumber(ops.Eq, count, int64(0)), c.lift(0.0), y)
		}
	}
	rest := &missing{c.name + ": other outputs than the bags"}
	return &tuple{items: []value{y, rest, rest, rest}}
}

// isIn compares each element with all of a vector.
func isIn(c *call) value {
	x, set := c.tensor(0), c.tensor(1)
	set = c.shaped(set, c.resolve(set, []*number{extent(-1)}))
	equal := c.arith(ops.Eq, c.reshape(x, append(slices.Clone(c.dims(x)), extent(1))), set)
	y := c.apply(ops.Reduce{Fn: ops.Any, Axes: []int{-1}}, equal)
	if c.bool(3) {
		y = c.apply(ops.Unary{Fn: ops.LogicalNot}, y)
	}
	return y
}

// bucketize counts the boundaries below each element, or up to it.
func bucketize(c *call) value {
	x, bounds := c.tensor(0), c.tensor(1)
	fn := ops.Gt
	if c.bool(3) {
		fn = ops.Ge
	}
	above := c.arith(fn, c.reshape(x, append(slices.Clone(c.dims(x)), extent(1))), bounds)
	y := c.apply(ops.Reduce{Fn: ops.Sum, Axes: []int{-1}}, above)
	if c.bool(2) {
		y = c.cast(y, tensor.Int32)
	}
	return y
}
