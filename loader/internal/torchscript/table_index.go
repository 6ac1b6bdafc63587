package torchscript

import (
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
	{"aten::index_add", "self:T dim:i index:T source:T alpha:n=1", indexAdd},
	{"aten::index_copy", "self:T dim:i index:T source:T", indexCopy},
	{"aten::index_fill", "self:T dim:i index:T value:N", indexFill},
	{"aten::gather", "self:T dim:i index:T sparse_grad:b=False", gather},
	{"aten::take_along_dim", "self:T indices:T dim:i?=None", takeAlong},
	{"aten::take", "self:T index:T", take},
	{"aten::scatter", "self:T dim:i index:T src:N", scatter(ops.ScatterSet)},
	{"aten::scatter", "self:T dim:i index:T src:N reduce:s", scatterNamed},
	{"aten::scatter_add", "self:T dim:i index:T src:T", scatter(ops.ScatterAdd)},
	{"aten::scatter_reduce", "self:T dim:i index:T src:T reduce:s include_self:b=True", scatterReduce},
	{"aten::masked_scatter", "self:T mask:T source:T", maskedScatter},
	{"aten::masked_select", "self:T mask:T", maskedSelect},
	{"aten::nonzero", "self:T", nonzero},
	{"aten::where", "condition:T", nonzeroTuple},
	{"aten::nonzero_numpy", "self:T", nonzeroTuple},
	{"aten::embedding", "weight:T indices:T padding_idx:i=-1 scale_grad_by_freq:b=False sparse:b=False", embedding},
	{"aten::embedding_bag", "weight:T indices:T offsets:T scale_grad_by_freq:b=False mode:i=0 sparse:b=False per_sample_weights:T?=None include_last_offset:b=False padding_idx:i?=None", embeddingBag},
	{"aten::isin", "elements:T test_elements:T assume_unique:b=False invert:b=False", isIn},
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
		c.info[y.value].dims = c.indexDims(x, axes, at)
	}
	return y
}

// indexDims returns the extents of x[:, i, j]: those of the indices together in
// place of the indexed dimensions where these lie side by side, else in front.
func (c *call) indexDims(x *Tensor, axes []int, at []*Tensor) []*number {
	var infos []*info
	rank := 0
	for _, t := range at {
		infos = append(infos, &info{dims: c.dims(t)})
		rank = max(rank, t.rank())
	}
	together := broadcastDims(infos, rank)
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
	x, values := c.tensor(0), c.tensor(2)
	// A mask with one value for all is a choice, whatever the mask.
	if in := c.tensors(1); len(in) == 1 && in[0] != nil && in[0].dtype() == tensor.Bool && values.typ().Numel() == 1 && !c.bool(3) {
		mask := in[0]
		to := slices.Clone(c.dims(mask))
		for len(to) < x.rank() {
			to = append(to, extent(1))
		}
		return c.apply(ops.Where{KeepB: true}, c.reshape(mask, to), c.reshape(values, nil), x)
	}
	axes, at := c.indexed(x, c.tensors(1))
	if len(axes) == 0 {
		y := c.expand(c.cast(values, x.dtype()), c.dims(x))
		if c.bool(3) {
			y = c.arith(ops.Add, x, y)
		}
		return y
	}
	return c.apply(ops.IndexPut{Axes: axes, Accumulate: c.bool(3)}, append([]*Tensor{x, c.cast(values, x.dtype())}, at...)...)
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
	to, from := broadcastDims([]*info{{dims: c.dims(x)}, {dims: c.dims(index)}}, x.rank()), c.dims(x)
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

func scatterReduce(c *call) value {
	fn, ok := map[string]ops.ScatterFn{
		"sum": ops.ScatterAdd, "prod": ops.ScatterMultiply, "amax": ops.ScatterMax, "amin": ops.ScatterMin,
	}[c.string(4)]
	if !ok || !c.bool(5) {
		return c.unsupported("%q with include_self %v", c.string(4), c.bool(5))
	}
	return scatter(fn)(c)
}

// maskedScatter takes elements in turn, where a known mask is true.
func maskedScatter(c *call) value {
	x := c.tensor(0)
	mask := c.expand(c.tensor(1), c.dims(x))
	axes, at := c.indexed(x, []*Tensor{mask})
	if len(axes) == 0 || c.err != nil {
		return clone(c)
	}
	n := at[0].typ().Numel()
	source := c.shaped(c.tensor(2), c.resolve(c.tensor(2), []*number{extent(-1)}))
	return c.apply(ops.IndexPut{Axes: axes}, append([]*Tensor{x, c.cast(c.sliced(source, 0, extent(0), extent(n), 1), x.dtype())}, at...)...)
}

func maskedSelect(c *call) value {
	x, mask := c.tensor(0), c.tensor(1)
	to := broadcastDims([]*info{{dims: c.dims(x)}, {dims: c.dims(mask)}}, max(x.rank(), mask.rank()))
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

// embeddingBag sums, averages or takes the greatest of the rows of each bag. The
// bags, which offsets delimit, must be known.
func embeddingBag(c *call) value {
	weight, indices, offsets, mode := c.tensor(0), c.tensor(1), c.tensor(2), c.int(4)
	if indices.rank() != 1 || !c.isNone(8) || mode < 0 || mode > 2 {
		return c.unsupported("with padding or several dimensions")
	}
	at := c.known(offsets)
	if at == nil {
		return c.unsupported("with bags that only the run knows")
	}
	wide, err := at.Contiguous().To(tensor.Int64)
	if err != nil {
		return c.failed(err)
	}
	starts := append(slices.Clone(wide.Contiguous().Int64s()), int64(c.extent(indices, 0)))
	if c.bool(7) && len(starts) > 1 {
		starts = starts[:len(starts)-1]
	}
	rows := c.apply(ops.Embedding{}, weight, indices)
	if w := c.tensor(6); w != nil {
		rows = c.arith(ops.Mul, rows, c.reshape(w, append(slices.Clone(c.dims(w)), extent(1))))
	}
	fn := [...]ops.ReduceFn{ops.Sum, ops.Mean, ops.AMax}[mode]
	var bags []*Tensor
	for i := range len(starts) - 1 {
		if starts[i] >= starts[i+1] && fn != ops.Sum {
			zero := c.emit(ops.Full{Shape: []int{c.extent(weight, 1)}, DType: weight.dtype()})[0]
			bags = append(bags, zero)
			continue
		}
		part := c.sliced(rows, 0, extent(int(starts[i])), extent(int(starts[i+1])), 1)
		bags = append(bags, c.apply(ops.Reduce{Fn: fn, Axes: []int{0}}, part))
	}
	if len(bags) == 0 {
		return c.unsupported("without bags")
	}
	rest := &missing{c.name + ": other outputs than the bags"}
	return &tuple{items: []value{c.apply(ops.Stack{}, bags...), rest, rest, rest}}
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
