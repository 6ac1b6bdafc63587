package aten

import (
	"math"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

var reductions = []operator{
	{"aten::sum", "self:T | dtype:i?=None", reduce(ops.Sum, -1, -1, 1)},
	{"aten::sum", "self:T dim:I? keepdim:b=False | dtype:i?=None", reduce(ops.Sum, 1, 2, 3)},
	{"aten::mean", "self:T | dtype:i?=None", reduce(ops.Mean, -1, -1, 1)},
	{"aten::mean", "self:T dim:I? keepdim:b=False | dtype:i?=None", reduce(ops.Mean, 1, 2, 3)},
	{"aten::prod", "self:T dim:i keepdim:b=False | dtype:i?=None", reduce(ops.Prod, 1, 2, 3)},
	{"aten::prod", "self:T | dtype:i?=None", reduce(ops.Prod, -1, -1, 1)},
	{"aten::amax", "self:T dim:I=[] keepdim:b=False", reduce(ops.AMax, 1, 2, -1)},
	{"aten::amin", "self:T dim:I=[] keepdim:b=False", reduce(ops.AMin, 1, 2, -1)},
	{"aten::any", "self:T", reduce(ops.Any, -1, -1, -1)},
	{"aten::any", "self:T dim:i keepdim:b=False", reduce(ops.Any, 1, 2, -1)},
	{"aten::all", "self:T", reduce(ops.All, -1, -1, -1)},
	{"aten::all", "self:T dim:i keepdim:b=False", reduce(ops.All, 1, 2, -1)},
	{"aten::logsumexp", "self:T dim:I keepdim:b=False", reduce(ops.LogSumExp, 1, 2, -1)},
	{"aten::nansum", "self:T dim:I?=None keepdim:b=False | dtype:i?=None", nanSum},
	{"aten::nanmean", "self:T dim:I?=None keepdim:b=False | dtype:i?=None", nanMean},
	{"aten::nanmedian", "self:T", nanMedian},
	{"aten::nanmedian", "self:T dim:i keepdim:b=False", nanMedianAlong},
	{"aten::quantile", quantileParams, quantile},
	{"aten::nanquantile", quantileParams, nanQuantile},
	{"aten::vander", "x:T N:i?=None increasing:b=False", vander(func(c *call) bool { return c.bool(2) })},
	{"aten::linalg_vander", "x:T N:i?=None", vander(func(*call) bool { return true })},
	{"aten::norm", "self:T p:n=2", norm(1, -1, -1, -1)},
	{"aten::norm", "self:T p:n? | dtype:i", norm(1, -1, -1, 2)},
	{"aten::norm", "self:T p:n? dim:I keepdim:b=False", norm(1, 2, 3, -1)},
	{"aten::norm", "self:T p:n? dim:I keepdim:b | dtype:i", norm(1, 2, 3, 4)},
	{"aten::frobenius_norm", "self:T dim:I keepdim:b=False", norm(-1, 1, 2, -1)},
	{"aten::linalg_vector_norm", "self:T ord:n=2 dim:I?=None keepdim:b=False | dtype:i?=None", norm(1, 2, 3, 4)},
	{"aten::var", "self:T unbiased:b=True", variance(ops.Var, -1, 1, -1, -1)},
	{"aten::var", "self:T dim:I? unbiased:b=True keepdim:b=False", variance(ops.Var, 1, 2, -1, 3)},
	{"aten::std", "self:T unbiased:b=True", variance(ops.Std, -1, 1, -1, -1)},
	{"aten::std", "self:T dim:I? unbiased:b=True keepdim:b=False", variance(ops.Std, 1, 2, -1, 3)},
	{"aten::sum_to_size", "self:T size:I", sumToSize},
	{"aten::var_mean", "self:T unbiased:b=True", withMean(ops.Var, -1, 1, -1, -1)},
	{"aten::var_mean", "self:T dim:I? unbiased:b=True keepdim:b=False", withMean(ops.Var, 1, 2, -1, 3)},
	{"aten::std_mean", "self:T unbiased:b=True", withMean(ops.Std, -1, 1, -1, -1)},
	{"aten::std_mean", "self:T dim:I? unbiased:b=True keepdim:b=False", withMean(ops.Std, 1, 2, -1, 3)},
	{"aten::max", "self:T", reduce(ops.AMax, -1, -1, -1)},
	{"aten::max", "self:T other:T", binary(ops.Max)},
	{"aten::max", "self:T dim:i keepdim:b=False", extremeAlong(false)},
	{"aten::min", "self:T", reduce(ops.AMin, -1, -1, -1)},
	{"aten::min", "self:T other:T", binary(ops.Min)},
	{"aten::min", "self:T dim:i keepdim:b=False", extremeAlong(true)},
	{"aten::aminmax", "self:T | dim:i?=None keepdim:b=False", aMinMax},
	{"aten::argmax", "self:T dim:i?=None keepdim:b=False", argExtreme(false)},
	{"aten::argmin", "self:T dim:i?=None keepdim:b=False", argExtreme(true)},
	{"aten::count_nonzero", "self:T dim:I?=None", countNonzero},
	{"aten::cumsum", "self:T dim:i | dtype:i?=None", cumulative(false)},
	{"aten::cumprod", "self:T dim:i | dtype:i?=None", cumulative(true)},
	{"aten::sort", "self:T dim:i=-1 descending:b=False", sortTensor(1, 2)},
	{"aten::sort", "self:T | stable:b? dim:i=-1 descending:b=False", sortTensor(2, 3)},
	{"aten::msort", "self:T", func(c *call) Value {
		return c.applyAll(ops.Sort{}, c.tensor(0))[0]
	}},
	{"aten::argsort", "self:T dim:i=-1 descending:b=False", argSort(1, 2)},
	{"aten::argsort", "self:T | stable:b dim:i=-1 descending:b=False", argSort(2, 3)},
	{"aten::topk", "self:T k:i dim:i=-1 largest:b=True sorted:b=True", topK},
	{"aten::kthvalue", "self:T k:i dim:i=-1 keepdim:b=False", kthValue},
	{"aten::median", "self:T", median},
	{"aten::median", "self:T dim:i keepdim:b=False", medianAlong},
	{"aten::dist", "self:T other:T p:n=2", dist},
	{"aten::diag", "self:T diagonal:i=0", diag},
	{"aten::diag_embed", "self:T offset:i=0 dim1:i=-2 dim2:i=-1", diagEmbed},
	{"aten::trace", "self:T", trace},
}

// reduced applies a reduction over axes, over all without any.
func (c *call) reduced(op ops.Reduce, x *build.Tensor) *build.Tensor {
	if x.Complex && (op.Fn == ops.Sum || op.Fn == ops.Mean) && c.Err() == nil {
		return c.complexFrom(c.reduced(op, c.partOf(x, 0)), c.reduced(op, c.partOf(x, 1)))
	}
	if x.Complex && op.Fn == ops.Prod && c.Err() == nil {
		if len(op.Axes) == 0 {
			return c.complexProductAlong(c.flat(x), 0, false)
		}
		return c.complexProductAlong(x, op.Axes[0], op.KeepDims)
	}
	if op.Fn == ops.Mean && len(op.Axes) > 0 {
		if y, ok := c.spatialMean(x, op.Axes, op.KeepDims); ok {
			return y
		}
	}
	if x.Type().Q != nil {
		return c.throughFloat(x, func(x *build.Tensor) *build.Tensor { return c.apply(op, x) })
	}
	return c.apply(op, x)
}

// reduce lowers a reduction; the places of the arguments that name dimensions,
// keep them, and give the element type are given, -1 for none.
//
//go:noinline
func reduce(fn ops.ReduceFn, dims, keep, dtype int) func(*call) Value {
	return func(c *call) Value {
		x := c.tensor(0)
		op := ops.Reduce{Fn: fn}
		if dims > 0 {
			op.Axes = c.axes(dims, x.Rank())
		}
		op.KeepDims = keep > 0 && c.bool(keep)
		if dtype > 0 && !c.isNone(dtype) {
			// Integers are summed in 64 bits, which wrap to any type.
			d := c.dtypeOr(dtype, x.DType())
			return c.cast(c.reduced(op, c.cast(x, d)), d)
		}
		return c.reduced(op, x)
	}
}

func nanSum(c *call) Value {
	x := c.tensor(0)
	if x.DType().IsFloat() {
		x = c.apply(ops.Where{ANumber: true, KeepB: true}, c.apply(ops.Unary{Fn: ops.IsNaN}, x), c.lift(0.0), x)
	}
	c.args[0] = x
	return reduce(ops.Sum, 1, 2, 3)(c)
}

// norm lowers a vector norm.
//
//go:noinline
func norm(p, dims, keep, dtype int) func(*call) Value {
	return func(c *call) Value {
		x := c.tensor(0)
		op := ops.Reduce{Fn: ops.Norm, P: 2}
		if p > 0 && !c.isNone(p) {
			op.P = ops.NormOrder(c.float(p))
		}
		if dims > 0 {
			op.Axes = c.axes(dims, x.Rank())
		}
		op.KeepDims = keep > 0 && c.bool(keep)
		if x.Complex && c.Err() == nil {
			x = c.complexAbs(x)
		}
		if dtype > 0 {
			x = c.cast(x, c.dtypeOr(dtype, x.DType()))
		}
		return c.apply(op, x)
	}
}

// spread returns the operator of var and std, for the places of the arguments.
func (c *call) spread(fn ops.ReduceFn, dims, unbiased, correction, keep int) ops.Reduce {
	op := ops.Reduce{Fn: fn, Correction: 1}
	if dims > 0 {
		op.Axes = c.axes(dims, c.tensor(0).Rank())
	}
	if unbiased > 0 && !c.bool(unbiased) {
		op.Correction = 0
	}
	if correction > 0 && !c.isNone(correction) {
		op.Correction = c.int(correction)
	}
	op.KeepDims = keep > 0 && c.bool(keep)
	return op
}

//go:noinline
func variance(fn ops.ReduceFn, dims, unbiased, correction, keep int) func(*call) Value {
	return func(c *call) Value { return c.spreadOf(c.spread(fn, dims, unbiased, correction, keep), c.tensor(0)) }
}

// spreadOf is a variance or a deviation. That of complex numbers is the sum of those of their parts.
func (c *call) spreadOf(op ops.Reduce, x *build.Tensor) *build.Tensor {
	if !x.Complex || c.Err() != nil {
		return c.apply(op, x)
	}
	part := op
	part.Fn = ops.Var
	y := c.arith(ops.Add, c.apply(part, c.partOf(x, 0)), c.apply(part, c.partOf(x, 1)))
	if op.Fn == ops.Std {
		y = c.fn(ops.Sqrt, y)
	}
	return y
}

// sumToSize adds up the dimensions that broadcasting a tensor of the size would have made.
func sumToSize(c *call) Value {
	x, to := c.tensor(0), c.numbers(1)
	dims := c.Dims(x)
	front := len(dims) - len(to)
	axes, wrong := &List{}, front < 0
	for i, d := range dims {
		if i >= front {
			n := to[i-front]
			if build.SameExtent(d, n) || c.plainInt(d) == c.plainInt(n) {
				continue
			}
			wrong = wrong || c.plainInt(n) != 1
		}
		axes.Items = append(axes.Items, int64(i))
	}
	if wrong {
		return c.fail("broadcasting does not lead from the size to the tensor")
	}
	if len(axes.Items) == 0 {
		return build.Alias(x)
	}
	return c.shaped(c.op3("sum", x, axes, true), to)
}

//go:noinline
func withMean(fn ops.ReduceFn, dims, unbiased, correction, keep int) func(*call) Value {
	return func(c *call) Value {
		op := c.spread(fn, dims, unbiased, correction, keep)
		mean := op
		mean.Fn, mean.Correction = ops.Mean, 0
		return &Tuple{Items: []Value{c.spreadOf(op, c.tensor(0)), c.reduced(mean, c.tensor(0))}}
	}
}

//go:noinline
func extremeAlong(least bool) func(*call) Value {
	return func(c *call) Value {
		x := c.tensor(0)
		out := c.applyAll(ops.ArgMax{Axis: c.axis(1, x.Rank()), KeepDims: c.bool(2), Min: least, Values: true}, x)
		return &Tuple{Items: []Value{out[0], out[1]}}
	}
}

func aMinMax(c *call) Value {
	x := c.tensor(0)
	op := ops.Reduce{Fn: ops.AMin, KeepDims: c.bool(2)}
	if !c.isNone(1) {
		op.Axes = []int{c.axis(1, x.Rank())}
	}
	most := op
	most.Fn = ops.AMax
	lo, hi := c.apply(op, x), c.apply(most, x)
	if x.Rank() == 0 && op.KeepDims && !c.isNone(1) { // as before PyTorch 2
		lo, hi = c.reshape(lo, []*build.Number{build.Extent(1)}), c.reshape(hi, []*build.Number{build.Extent(1)})
	}
	return &Tuple{Items: []Value{lo, hi}}
}

//go:noinline
func argExtreme(least bool) func(*call) Value {
	return func(c *call) Value {
		x := c.tensor(0)
		op := ops.ArgMax{Flat: c.isNone(1), KeepDims: c.bool(2), Min: least}
		if !op.Flat {
			op.Axis = c.axis(1, x.Rank())
		}
		return c.apply(op, x)
	}
}

func countNonzero(c *call) Value {
	x := c.tensor(0)
	return c.apply(ops.Reduce{Fn: ops.Sum, Axes: c.axes(1, x.Rank())}, c.arithNumber(ops.Ne, x, int64(0)))
}

//go:noinline
func cumulative(product bool) func(*call) Value {
	return func(c *call) Value {
		x := c.tensor(0)
		axis := c.axis(1, x.Rank())
		if x.Complex && c.Err() == nil {
			return c.complexScan(x, axis)
		}
		if !c.isNone(2) {
			x = c.cast(x, c.dtypeOr(2, x.DType()))
		}
		y := c.apply(ops.PrefixScan{Axis: axis, Product: product}, x)
		if !c.isNone(2) {
			y = c.cast(y, c.dtypeOr(2, y.DType()))
		}
		return y
	}
}

//go:noinline
func sortTensor(dim, descending int) func(*call) Value {
	return func(c *call) Value {
		x := c.tensor(0)
		out := c.applyAll(ops.Sort{Axis: c.axis(dim, x.Rank()), Descending: c.bool(descending)}, x)
		return &Tuple{Items: []Value{out[0], out[1]}}
	}
}

//go:noinline
func argSort(dim, descending int) func(*call) Value {
	return func(c *call) Value { return sortTensor(dim, descending)(c).(*Tuple).Items[1] }
}

func topK(c *call) Value {
	x, k := c.tensor(0), c.numbers(1)[0]
	axis, least := c.axis(2, x.Rank()), !c.bool(3)
	if c.Err() == nil && c.OnItem(k.Deps) && x.Rank() > 0 && x.DType() != tensor.Bool {
		return c.openTopK(x, k, axis, least)
	}
	out := c.applyAll(ops.TopK{K: c.int(1), Axis: axis, Least: least}, x)
	return &Tuple{Items: []Value{out[0], out[1]}}
}

// openTopK is topK of as many elements as only the run knows, of which there may be none.
func (c *call) openTopK(x *build.Tensor, k *build.Number, axis int, least bool) Value {
	within := c.arith(ops.LogicalAnd, c.arith(ops.Ge, build.OfNumber(k), build.OfNumber(build.Extent(0))), c.arith(ops.Le, build.OfNumber(k), build.OfNumber(c.Dims(x)[axis])))
	c.assertAll(within, "selected index k out of range")
	sorted := c.applyAll(ops.Sort{Axis: axis, Descending: !least}, x)
	if c.Err() != nil {
		return nil
	}
	return &Tuple{Items: []Value{c.sliced(sorted[0], axis, build.Extent(0), k, 1), c.sliced(sorted[1], axis, build.Extent(0), k, 1)}}
}

// kth returns the k-th least element along a dimension, counted from 0, and its index.
func (c *call) kth(x *build.Tensor, k, axis int, keep bool) Value {
	sorted := c.applyAll(ops.Sort{Axis: axis}, x)
	pick := func(t *build.Tensor) Value {
		if x.Rank() == 0 {
			return t
		}
		if keep {
			return c.sliced(t, axis, build.Extent(k), build.Extent(k+1), 1)
		}
		return c.selected(t, axis, build.Extent(k))
	}
	return &Tuple{Items: []Value{pick(sorted[0]), pick(sorted[1])}}
}

func kthValue(c *call) Value {
	x := c.tensor(0)
	axis := c.axis(2, x.Rank())
	if k := c.int(1); k < 1 || k > c.extent(x, axis) {
		return c.fail("element %d of %d", k, c.extent(x, axis))
	}
	return c.kth(x, c.int(1)-1, axis, c.bool(3))
}

func medianAlong(c *call) Value {
	x := c.tensor(0)
	axis := c.axis(1, x.Rank())
	return c.middle(x, axis, c.bool(2))
}

// middle returns the median along a dimension and its index: the first NaN where
// there is one.
func (c *call) middle(x *build.Tensor, axis int, keep bool) *Tuple {
	out := c.kth(x, (max(c.extent(x, axis), 1)-1)/2, axis, keep).(*Tuple)
	if !x.DType().IsFloat() || x.Rank() == 0 {
		return out
	}
	most := c.applyAll(ops.ArgMax{Axis: axis, KeepDims: keep, Values: true}, x)
	isNaN := c.apply(ops.Unary{Fn: ops.IsNaN}, most[0])
	for i, v := range out.Items {
		out.Items[i] = c.apply(ops.Where{}, isNaN, most[i], v.(*build.Tensor))
	}
	return out
}

func median(c *call) Value {
	x := c.shaped(c.tensor(0), c.resolve(c.tensor(0), []*build.Number{build.Extent(-1)}))
	if c.extent(x, 0) == 0 && x.DType().IsFloat() {
		return c.cast(c.lift(math.NaN()), x.DType())
	}
	return c.middle(x, 0, false).Items[0]
}

func dist(c *call) Value {
	return c.apply(ops.Reduce{Fn: ops.Norm, P: ops.NormOrder(c.float(2))}, c.arith(ops.Sub, c.tensor(0), c.tensor(1)))
}

func diag(c *call) Value {
	x, offset := c.tensor(0), c.int(1)
	if x.Rank() == 1 {
		return c.embedDiagonal(x, offset)
	}
	return c.apply(ops.Diagonal{Offset: offset, Axis1: 0, Axis2: 1}, x)
}

// embedDiagonal puts the last dimension on the diagonal of two new ones.
func (c *call) embedDiagonal(x *build.Tensor, offset int) *build.Tensor {
	n := c.extent(x, x.Rank()-1)
	const most = 1 << 12
	if n > most || offset > most || offset < -most {
		c.fail("a diagonal of %d elements, %d from the middle one", n, offset)
		return c.anything()
	}
	size := n + max(offset, -offset)
	// Places in a row of the matrix, or where nothing stands.
	at := make([]int64, size*size)
	on := make([]float64, size*size)
	for i := range n {
		r, k := i+max(-offset, 0), i+max(offset, 0)
		at[r*size+k], on[r*size+k] = int64(i), 1
	}
	y := c.apply(ops.Index{Axes: []int{x.Rank() - 1}}, x, c.intsOf(at, size, size))
	mask := c.cast(c.constOf(on, tensor.Float32, size, size), tensor.Bool)
	return c.apply(ops.Where{BNumber: true}, mask, y, c.lift(int64(0)))
}

func diagEmbed(c *call) Value {
	x := c.tensor(0)
	rank := x.Rank() + 1
	a, b := c.axis(2, rank), c.axis(3, rank)
	if x.Rank() == 0 || a == b {
		return c.fail("dimensions %d and %d", a, b)
	}
	y := c.embedDiagonal(x, c.int(1))
	order := make([]int, 0, rank)
	rest := 0
	for i := range rank {
		switch i {
		case a:
			order = append(order, rank-2)
		case b:
			order = append(order, rank-1)
		default:
			order = append(order, rest)
			rest++
		}
	}
	return c.permuted(y, order)
}

func trace(c *call) Value {
	return c.apply(ops.Reduce{Fn: ops.Sum}, c.apply(ops.Diagonal{Axis1: 0, Axis2: 1}, c.tensor(0)))
}
