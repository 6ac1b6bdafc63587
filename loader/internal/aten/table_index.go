package aten

import (
	"math"
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader/internal/build"
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
	{"aten::scatter", "self:T dim:i index:T value:n | reduce:s", scatterNamed},
	{"aten::scatter_add", "self:T dim:i index:T src:T", scatter(ops.ScatterAdd)},
	{"aten::scatter_reduce", "self:T dim:i index:T src:T reduce:s | include_self:b=True", scatterReduce},
	{"aten::index_reduce", "self:T dim:i index:T source:T reduce:s | include_self:b=True", indexReduce},
	{"aten::masked_scatter", "self:T mask:T source:T", maskedScatter},
	{"aten::masked_select", "self:T mask:T", maskedSelect},
	{"aten::nonzero", "self:T", nonzero},
	{"aten::where", "condition:T", nonzeroTuple},
	{"aten::nonzero_numpy", "self:T", nonzeroTuple},
	{"aten::embedding", "weight:T indices:T padding_idx:i=-1 scale_grad_by_freq:b=False sparse:b=False", embedding},
	{"aten::embedding_renorm", "self:T indices:T max_norm:f norm_type:f", embeddingRenorm},
	{"aten::fill_diagonal", "self:T fill_value:n wrap:b=False", fillDiagonal},
	{"aten::embedding_bag", "weight:T indices:T offsets:T scale_grad_by_freq:b=False mode:i=0 sparse:b=False per_sample_weights:T?=None include_last_offset:b=False padding_idx:i?=None", embeddingBag},
}

// indexed resolves the indices of x[i, :, mask]: for each indexed dimension its
// indices. A mask stands for as many dimensions as it has.
func (c *call) indexed(x *build.Tensor, indices []*build.Tensor) (axes []int, at []*build.Tensor) {
	axis := 0
	for _, i := range indices {
		if i == nil {
			axis++
			continue
		}
		if d := i.DType(); d != tensor.Bool && d != tensor.Uint8 {
			if d != tensor.Int64 && d != tensor.Int32 {
				i = c.cast(i, tensor.Int64)
			}
			axes, at = append(axes, axis), append(at, i)
			axis++
			continue
		}
		if dims := c.Dims(x); axis+i.Rank() <= len(dims) {
			c.assertDims(c.Dims(i), dims[axis:axis+i.Rank()], "The shape of the mask does not match the shape of the indexed tensor")
		}
		for _, w := range c.whereTrue(i) {
			axes, at = append(axes, axis), append(at, w)
			axis++
		}
	}
	if axis > x.Rank() {
		c.fail("%d indices of a tensor of %d dimensions", axis, x.Rank())
		return nil, nil
	}
	return axes, at
}

func index(c *call) Value {
	x := c.tensor(0)
	axes, at := c.indexed(x, c.tensors(1))
	if len(axes) == 0 {
		return build.Alias(x)
	}
	return c.atIndices(x, axes, at)
}

// atIndices is x[:, i, j]. Indices that are plain and follow each other are a slice.
func (c *call) atIndices(x *build.Tensor, axes []int, at []*build.Tensor) *build.Tensor {
	if c.Err() != nil {
		return c.anything()
	}
	values := []*graph.Value{c.read(x)}
	for _, t := range at {
		values = append(values, c.read(t))
	}
	y := c.emit(ops.Index{Axes: axes}, values...)[0]
	if c.Err() == nil && y.Value.Const == nil {
		c.SetDims(y.Value, c.indexDims(x, axes, at))
	}
	return y
}

// indexDims returns the extents of x[:, i, j]: those of the indices together in
// place of the indexed dimensions where these lie side by side, else in front.
func (c *call) indexDims(x *build.Tensor, axes []int, at []*build.Tensor) []*build.Number {
	var operands [][]*build.Number
	rank := 0
	for _, t := range at {
		operands = append(operands, c.Dims(t))
		rank = max(rank, t.Rank())
	}
	together := build.BroadcastDims(operands, rank)
	adjacent := axes[len(axes)-1]-axes[0] == len(axes)-1
	var before, after []*build.Number
	for i, d := range c.Dims(x) {
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

func indexPut(c *call) Value {
	x, values := c.tensor(0), c.cast(c.tensor(2), c.tensor(0).DType())
	if y := c.putAtMask(x, c.tensors(1), values, c.bool(3)); y != nil {
		return y
	}
	axes, at := c.indexed(x, c.tensors(1))
	if len(axes) == 0 {
		y := c.expand(values, c.Dims(x))
		if c.bool(3) {
			y = c.arith(ops.Add, x, y)
		}
		return y
	}
	return c.apply(ops.IndexPut{Axes: axes, Accumulate: c.bool(3)}, append([]*build.Tensor{x, values}, at...)...)
}

// putAtMask is x[:, mask] = values, whatever the mask: where the values are the
// same for all its elements it chooses between them and x, else they are taken in
// turn. It returns nil for other indices.
func (c *call) putAtMask(x *build.Tensor, indices []*build.Tensor, values *build.Tensor, accumulate bool) *build.Tensor {
	before := slices.IndexFunc(indices, func(t *build.Tensor) bool { return t != nil })
	if before < 0 || before != len(indices)-1 || indices[before].DType() != tensor.Bool {
		return nil
	}
	mask := indices[before]
	behind := x.Rank() - before - mask.Rank()
	if behind < 0 || mask.Rank() == 0 {
		return nil
	}
	to := slices.Clone(c.Dims(mask))
	for range behind {
		to = append(to, build.Extent(1))
	}
	mask = c.reshape(mask, to)
	open := values.Rank() > behind && c.OnItem(c.Dims(values)[0].Deps) // as many as the mask has true ones, with all likelihood
	switch same := !open && (values.Rank() <= behind || values.Type().Numel() == 1); {
	case same && values.Type().Numel() == 1:
		values = c.reshape(values, nil)
	case !same && before == 0 && !accumulate && values.Rank() > behind && (open || c.extent(values, 0) != 1):
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
func (c *call) takenInTurn(x, mask, values *build.Tensor) *build.Tensor {
	flat := []*build.Number{build.Extent(-1)}
	whole := c.expand(mask, c.Dims(x))
	count := c.apply(ops.PrefixScan{}, c.cast(c.shaped(whole, c.resolve(whole, flat)), tensor.Int64))
	source := c.shaped(values, c.resolve(values, flat))
	last := c.arithNumber(ops.Sub, c.lift(c.dimension(source, 0)), int64(1))
	if c.Err() != nil {
		return c.anything()
	}
	if n := c.Dims(source)[0]; c.OnItem(n.Deps) || n.Known == int64(0) { // there may be none to take
		source = c.apply(ops.Concat{}, source, c.fullOf([]*build.Number{build.Extent(1)}, 0, source.DType()))
	}
	// In front of the first true one any will do.
	place := c.arith(ops.Min, c.arithNumber(ops.Sub, count, int64(1)), last)
	place = c.apply(ops.Unary{Fn: ops.ClampMin}, place)
	taken := c.apply(ops.Index{Axes: []int{0}}, source, place)
	return c.apply(ops.Where{}, whole, c.reshape(taken, c.Dims(x)), x)
}

func indexSelect(c *call) Value {
	x := c.tensor(0)
	return c.apply(ops.IndexSelect{Axis: c.axis(1, x.Rank())}, x, c.tensor(2))
}

// alongAxis puts source where a vector of indices says in one dimension.
func (c *call) alongAxis(x *build.Tensor, axis int, index, source *build.Tensor, accumulate bool) Value {
	x, source = c.atLeastVector(x), c.atLeastVector(source)
	y := c.apply(ops.IndexPut{Axes: []int{axis}, Accumulate: accumulate}, x, c.cast(source, x.DType()), index)
	return c.reshape(y, c.Dims(c.tensor(0)))
}

// atLeastVector returns a tensor without dimensions as a vector of one.
func (c *call) atLeastVector(t *build.Tensor) *build.Tensor {
	if t.Rank() > 0 {
		return t
	}
	return c.reshape(t, []*build.Number{build.Extent(1)})
}

func indexAdd(c *call) Value {
	x := c.tensor(0)
	source, _ := c.times(c.tensor(3), c.args[4]).(*build.Tensor)
	return c.alongAxis(x, c.axis(1, x.Rank()), c.tensor(2), source, true)
}

func indexCopy(c *call) Value {
	x := c.tensor(0)
	return c.alongAxis(x, c.axis(1, x.Rank()), c.tensor(2), c.tensor(3), false)
}

func indexFill(c *call) Value {
	x := c.tensor(0)
	return c.alongAxis(x, c.axis(1, x.Rank()), c.tensor(2), c.tensor(3), false)
}

func gather(c *call) Value {
	x := c.tensor(0)
	return c.apply(ops.Gather{Axis: c.axis(1, x.Rank())}, x, c.places(2))
}

// places returns argument i, indices of any integers.
func (c *call) places(i int) *build.Tensor {
	t := c.tensor(i)
	if t.DType() == tensor.Int32 || t.Type().Numel() == 0 {
		return c.cast(t, tensor.Int64)
	}
	return t
}

func takeAlong(c *call) Value {
	x, index := c.tensor(0), c.places(1)
	if c.isNone(2) {
		flat := func(t *build.Tensor) *build.Tensor {
			return c.shaped(t, c.resolve(t, []*build.Number{build.Extent(-1)}))
		}
		return c.apply(ops.Gather{}, flat(x), flat(index))
	}
	axis := c.axis(2, x.Rank())
	to, from := build.BroadcastDims([][]*build.Number{c.Dims(x), c.Dims(index)}, x.Rank()), c.Dims(x)
	wantX, wantIndex := slices.Clone(to), slices.Clone(to)
	if axis < len(to) && x.Rank() == index.Rank() {
		wantX[axis], wantIndex[axis] = from[axis], c.Dims(index)[axis]
	}
	end := c.arith(ops.Add, index, c.lift(c.dimension(x, axis)))
	index = c.apply(ops.Where{}, c.arithNumber(ops.Lt, index, int64(0)), end, index)
	return c.apply(ops.Gather{Axis: axis}, c.expand(x, wantX), c.expand(index, wantIndex))
}

func take(c *call) Value {
	x := c.shaped(c.tensor(0), c.resolve(c.tensor(0), []*build.Number{build.Extent(-1)}))
	return c.atIndices(x, []int{0}, []*build.Tensor{c.tensor(1)})
}

//go:noinline
func scatter(fn ops.ScatterFn) func(*call) Value {
	return func(c *call) Value {
		x := c.tensor(0)
		_, isTensor := c.args[3].(*build.Tensor)
		return c.apply(ops.Scatter{Axis: c.axis(1, x.Rank()), Fn: fn, Number: !isTensor}, x, c.places(2), c.tensor(3))
	}
}

func scatterNamed(c *call) Value {
	fn, ok := map[string]ops.ScatterFn{"add": ops.ScatterAdd, "multiply": ops.ScatterMultiply}[c.string(4)]
	if !ok {
		return c.fail("unknown reduction %q", c.string(4))
	}
	return scatter(fn)(c)
}

// scatterReduce joins elements that meet by a function. Without include_self an
// element that is met does not count itself.
func scatterReduce(c *call) Value {
	name, self := c.string(4), c.bool(5)
	fn, ok := map[string]ops.ScatterFn{
		"sum": ops.ScatterAdd, "mean": ops.ScatterAdd, "prod": ops.ScatterMultiply, "amax": ops.ScatterMax, "amin": ops.ScatterMin,
	}[name]
	if !ok {
		return c.fail("unknown reduction %q", name)
	}
	x, index, src := c.tensor(0), c.tensor(2), c.tensor(3)
	axis := c.axis(1, x.Rank())
	set := func(x *build.Tensor, v int64) *build.Tensor {
		return c.apply(ops.Scatter{Axis: axis, Number: true}, x, index, c.lift(v))
	}
	y := x
	switch {
	case self:
	case name == "amax" && x.DType().IsFloat():
		y = c.apply(ops.Scatter{Axis: axis, Number: true}, x, index, c.lift(math.Inf(-1)))
	case name == "amin" && x.DType().IsFloat():
		y = c.apply(ops.Scatter{Axis: axis, Number: true}, x, index, c.lift(math.Inf(1)))
	case name == "amax" || name == "amin": // one of those that meet, for integers have no infinity
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
	count := c.likeOf(x, 1, x.DType())
	if !self {
		count = set(count, 0)
	}
	count = c.apply(ops.Scatter{Axis: axis, Fn: ops.ScatterAdd}, count, index, c.likeOf(src, 1, x.DType()))
	divide := ops.Div
	if !x.DType().IsFloat() {
		divide = ops.FloorDiv
	}
	return c.arith(divide, y, count)
}

// indexReduce is scatterReduce with one index for all of a slice of the source.
func indexReduce(c *call) Value {
	index, source := c.tensor(2), c.atLeastVector(c.tensor(3))
	if c.string(4) == "sum" || source.Rank() < 1 || index.Rank() != 1 {
		return c.unsupported("%q of %v at %v", c.string(4), source.Type(), index.Type())
	}
	axis := c.axis(1, source.Rank())
	c.assertDims([]*build.Number{c.length(index)}, c.Dims(source)[axis:axis+1], "as many indices as slices of the source are needed")
	to := make([]*build.Number, source.Rank())
	for i := range to {
		to[i] = build.Extent(1)
	}
	to[axis] = c.length(index)
	x := c.tensor(0)
	c.args[0], c.args[3] = c.atLeastVector(x), source
	c.args[2] = c.expand(c.reshape(c.cast(index, tensor.Int64), to), c.Dims(source))
	y, _ := scatterReduce(c).(*build.Tensor)
	if c.Err() != nil || x.Rank() > 0 {
		return y
	}
	return c.reshape(y, nil)
}

// maskedScatter takes elements in turn where the mask is true.
func maskedScatter(c *call) Value {
	x, mask := c.tensor(0), c.maskOf(c.tensor(1))
	to := build.BroadcastDims([][]*build.Number{c.Dims(x), c.Dims(mask)}, max(x.Rank(), mask.Rank()))
	return c.takenInTurn(c.expand(x, to), mask, c.cast(c.tensor(2), x.DType()))
}

func maskedSelect(c *call) Value {
	x, mask := c.tensor(0), c.tensor(1)
	to := build.BroadcastDims([][]*build.Number{c.Dims(x), c.Dims(mask)}, max(x.Rank(), mask.Rank()))
	x, mask = c.expand(x, to), c.expand(mask, to)
	if len(to) == 0 {
		x, mask = c.reshape(x, []*build.Number{build.Extent(1)}), c.reshape(mask, []*build.Number{build.Extent(1)})
	}
	axes, at := c.indexed(x, []*build.Tensor{mask})
	if c.Err() != nil {
		return nil
	}
	return c.atIndices(x, axes, at)
}

func (c *call) whereNonzero() []*build.Tensor {
	t := c.tensor(0)
	if t.Rank() == 0 {
		t = c.flat(t) // as PyTorch takes it
	}
	return c.whereTrue(t)
}

func nonzero(c *call) Value {
	if x := c.tensor(0); x.Rank() == 0 { // a row for what is not 0, without columns
		count := c.settledItem(c.cast(c.arithNumber(ops.Ne, x, int64(0)), tensor.Int64), 1)
		return c.fullOf([]*build.Number{count, build.Extent(0)}, 0, tensor.Int64)
	}
	where := c.whereNonzero()
	if c.Err() != nil {
		return nil
	}
	return c.apply(ops.Stack{Axis: 1}, where...)
}

func nonzeroTuple(c *call) Value {
	l := &List{}
	for _, t := range c.whereNonzero() {
		l.Items = append(l.Items, t)
	}
	return l
}

func embedding(c *call) Value {
	if t, ok := c.decomposed().tables[c.read(c.tensor(0))]; ok {
		return c.takeRows(t, c.tensor(1), "dequantize, embedding")
	}
	return c.apply(ops.Embedding{}, c.tensor(0), c.tensor(1))
}

// embeddingRenorm shortens the rows that are looked up and whose norm is above max_norm.
func embeddingRenorm(c *call) Value {
	weight, indices := c.tensor(0), c.tensor(1)
	if weight.Rank() != 2 || !weight.DType().IsFloat() {
		return c.fail("of %v", weight.Type())
	}
	norm := c.apply(ops.Reduce{Fn: ops.Norm, P: ops.NormOrder(c.float(3)), Axes: []int{1}, KeepDims: true}, weight)
	flat := c.shaped(indices, c.resolve(indices, []*build.Number{build.Extent(-1)}))
	column := c.reshape(c.cast(flat, tensor.Int64), []*build.Number{c.length(flat), build.Extent(1)})
	used := c.apply(ops.Scatter{Number: true}, c.likeOf(norm, 0, tensor.Int64), column, c.lift(int64(1)))
	long := c.arith(ops.LogicalAnd, used, c.arithNumber(ops.Gt, norm, c.float(2)))
	scale := c.binaryValues(ops.Div, c.float(2), c.arithNumber(ops.Add, norm, 1e-7))
	return c.apply(ops.Where{}, long, c.arith(ops.Mul, weight, scale), weight)
}

// fillDiagonal sets the diagonal of a matrix.
func fillDiagonal(c *call) Value {
	x := c.tensor(0)
	if x.Rank() < 2 {
		return c.fail("of %v: two dimensions are needed", x.Type())
	}
	if x.Rank() > 2 || c.bool(2) {
		return c.unsupported("of %d dimensions, wrap %v", x.Rank(), c.bool(2))
	}
	ones := c.likeOf(x, 1, tensor.Bool)
	on := c.arith(ops.LogicalXor, c.apply(ops.Trilu{}, ones), c.apply(ops.Trilu{Diagonal: -1}, ones))
	return c.apply(ops.Where{ANumber: true, KeepB: true}, on, c.tensor(1), x)
}

// embeddingBag sums, averages or takes the greatest of the rows of each bag. An
// element's bag is the last whose offset is not behind it.
func embeddingBag(c *call) Value {
	weight, indices, offsets, mode := c.tensor(0), c.tensor(1), c.tensor(2), c.int(4)
	if indices.Rank() != 1 || offsets.Rank() != 1 || mode < 0 || mode > 2 {
		return c.fail("indices of %d and offsets of %d dimensions, mode %d", indices.Rank(), offsets.Rank(), mode)
	}
	column := func(t *build.Tensor) *build.Tensor {
		return c.reshape(t, []*build.Number{c.length(t), build.Extent(1)})
	}
	place := c.arithNumber(ops.Sub, c.apply(ops.PrefixScan{}, c.likeOf(indices, 1, tensor.Int64)), int64(1))
	begun := c.arith(ops.Le, c.cast(offsets, tensor.Int64), column(place))
	bag := column(c.arithNumber(ops.Sub, c.apply(ops.Reduce{Fn: ops.Sum, Axes: []int{1}}, begun), int64(1)))

	rows := c.apply(ops.Embedding{}, weight, indices)
	if c.Err() != nil {
		return c.anything()
	}
	width := c.Dims(weight)[1]
	counted := column(c.likeOf(indices, 1, weight.DType()))
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
	collect := func(rows *build.Tensor, width *build.Number, fn ops.ScatterFn, none float64) *build.Tensor {
		if c.Err() != nil {
			return c.anything()
		}
		// One row for each offset, however many there are, and one element of a bag for each index.
		into := c.arith(ops.Add, c.likeOf(column(offsets), none, weight.DType()), c.fullOf([]*build.Number{build.Extent(1), width}, 0, weight.DType()))
		sums := c.apply(ops.Scatter{Fn: fn}, into, c.expand(bag, []*build.Number{c.length(indices), width}), rows)
		if c.bool(7) { // the last offset is the end
			return c.apply(ops.Slice{End: -1, Step: 1}, sums)
		}
		return sums
	}
	fn := ops.ScatterAdd
	if mode == 2 {
		fn = ops.ScatterMax
	}
	y := collect(rows, width, fn, none)
	if mode > 0 {
		count := collect(counted, build.Extent(1), ops.ScatterAdd, 0)
		if mode == 1 {
			y = c.arith(ops.Div, y, c.apply(ops.Unary{Fn: ops.ClampMin, Alpha: 1}, count))
		} else {
			y = c.apply(ops.Where{ANumber: true, KeepB: true}, c.arithNumber(ops.Eq, count, int64(0)), c.lift(0.0), y)
		}
	}
	rest := &Missing{What: c.name + ": other outputs than the bags"}
	return &Tuple{Items: []Value{y, rest, rest, rest}}
}
