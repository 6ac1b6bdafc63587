package aten

import (
	"math"
	"slices"
	"strings"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// exports are the operators of exported programs that scripts do not call: those that
// torch.export writes for shapes and conditions, and those of its decompositions.
var exports = []operator{
	{"aten::sym_size", "self:T dim:i", size},
	{"aten::sym_size", "self:T", sizes},
	{"aten::sym_stride", "self:T dim:i", stride},
	{"aten::sym_stride", "self:T", strides},
	{"aten::sym_numel", "self:T", numel},
	{"aten::sym_storage_offset", "self:T", storageOffset},
	{"aten::_local_scalar_dense", "self:T", item},
	{"prim::identity", "a:v", func(c *call) Value { return c.args[0] }},
	{"prim::ite", "b:n t:n f:n", ifThenElse},
	{"prim::sum", "args:l", sumOfNumbers},

	{"aten::_assert_tensor_metadata", "a:T size:v?=None stride:v?=None dtype:v?=None | device:v?=None layout:v?=None", constant(nil)},
	{"aten::_assert_scalar", "self:n assert_msg:s", assertNumber},
	{"aten::_assert_async", "self:T assert_msg:s", assertTensor},
	{"aten::sym_constrain_range", "size:n | min:i?=None max:i?=None", constant(nil)},
	{"aten::sym_constrain_range_for_size", "size:n | min:i?=None max:i?=None", constant(nil)},

	{"aten::lift_fresh_copy", "self:T", clone},
	{"aten::detach_", "self:T", detachInPlace},
	{"aten::_to_copy", "self:T | dtype:i?=None layout:i?=None device:v?=None pin_memory:b?=None non_blocking:b=False memory_format:i?=None", toCopy},
	{"aten::empty_permuted", "size:I physical_layout:I" + newTensor, emptyInOrder(1, filled(0))},
	{"aten::empty_strided", "size:I stride:I" + newTensor, emptyInOrder(1, filled(0))},
	{"aten::new_empty_strided", "self:T size:I stride:I" + newTensor, emptyInOrder(2, newFilled(0))},
	{"aten::as_strided", "self:T size:I stride:I storage_offset:i?=None", asStrided},
	{"aten::as_strided_scatter", "self:T src:T size:I stride:I storage_offset:i?=None", asStridedScatter},
	{"aten::_int_mm", "self:T mat2:T", func(c *call) Value {
		return c.matmul(c.cast(c.tensor(0), tensor.Int32), c.cast(c.tensor(1), tensor.Int32))
	}},
	{"aten::sub", "self:n other:T alpha:n=1", scaled(ops.Sub)},
	{"aten::add", "self:n other:n", scalarBinary(ops.Add)},
	{"aten::sub", "self:n other:n", scalarBinary(ops.Sub)},
	{"aten::mul", "self:n other:n", scalarBinary(ops.Mul)},
	{"aten::div", "self:n other:n", scalarBinary(ops.Div)},
	{"aten::scatter", "self:T dim:i index:T value:n", scatter(ops.ScatterSet)},
	{"aten::any", "self:T dim:I?=None keepdim:b=False", reduce(ops.Any, 1, 2, -1)},
	{"aten::all", "self:T dim:I?=None keepdim:b=False", reduce(ops.All, 1, 2, -1)},

	{"aten::_native_batch_norm_legit_no_training", "input:T weight:T? bias:T? running_mean:T running_var:T momentum:f eps:f", nativeBatchNorm(6)},
	{"aten::_native_batch_norm_legit", "input:T weight:T? bias:T? training:b momentum:f eps:f", batchStatisticsOnly(5)},
	{"aten::_native_batch_norm_legit", "input:T weight:T? bias:T? running_mean:T running_var:T training:b momentum:f eps:f", normLegit(true)},
	{"aten::_native_batch_norm_legit_functional", "input:T weight:T? bias:T? running_mean:T running_var:T training:b momentum:f eps:f", normLegit(false)},
	{"aten::native_batch_norm", "input:T weight:T? bias:T? running_mean:T? running_var:T? training:b momentum:f eps:f", normLegit(true)},
	{"aten::native_group_norm", "input:T weight:T? bias:T? N:n C:n HxW:n group:i eps:f", nativeGroupNorm},

	{"aten::var", "self:T dim:I?=None | correction:f?=None keepdim:b=False", spreadBy(variance(ops.Var, 1, -1, 2, 3))},
	{"aten::std", "self:T dim:I?=None | correction:f?=None keepdim:b=False", spreadBy(variance(ops.Std, 1, -1, 2, 3))},
	{"aten::var_mean", "self:T dim:I?=None | correction:f?=None keepdim:b=False", spreadBy(withMean(ops.Var, 1, -1, 2, 3))},
	{"aten::std_mean", "self:T dim:I?=None | correction:f?=None keepdim:b=False", spreadBy(withMean(ops.Std, 1, -1, 2, 3))},

	{"aten::_scaled_dot_product_flash_attention_for_cpu", "query:T key:T value:T dropout_p:f=0 is_causal:b=False | attn_mask:T?=None scale:f?=None", attentionAs(2, 5, 3, 4, 6)},
	{"aten::_scaled_dot_product_flash_attention", "query:T key:T value:T dropout_p:f=0 is_causal:b=False return_debug_mask:b=False | scale:f?=None", attentionAs(9, -1, 3, 4, 6)},
	{"aten::_scaled_dot_product_efficient_attention", "query:T key:T value:T attn_bias:T? compute_log_sumexp:b dropout_p:f=0 is_causal:b=False | scale:f?=None", attentionAs(4, 3, 5, 6, 7)},
	{"aten::_scaled_dot_product_cudnn_attention", "query:T key:T value:T attn_bias:T? compute_log_sumexp:b dropout_p:f=0 is_causal:b=False return_debug_mask:b=False | scale:f?=None", attentionAs(9, 3, 5, 6, 8)},
	{"aten::_scaled_dot_product_fused_attention_overrideable", "query:T key:T value:T attn_bias:T?=None dropout_p:f=0 is_causal:b=False return_debug_mask:b=False | scale:f?=None", attentionAs(9, 3, 4, 5, 7)},
	{"aten::_scaled_dot_product_attention_math", "query:T key:T value:T attn_mask:T?=None dropout_p:f=0 is_causal:b=False dropout_mask:T?=None | scale:f?=None enable_gqa:b=False", attentionMath},

	{"aten::_embedding_bag", bagParams, tableBag},
	{"aten::_embedding_bag_forward_only", bagParams, tableBag},
	{"aten::histc", "self:T bins:i=100 min:n=0 max:n=0", histogram},
	{"aten::_grouped_mm", "self:T mat2:T offs:T?=None bias:T?=None out_dtype:i?=None", func(c *call) Value {
		if !c.isNone(3) {
			return c.unsupported("with a bias")
		}
		product := c.matmul
		if !c.isNone(2) {
			product = func(*build.Tensor, *build.Tensor) *build.Tensor { y, _ := groupedProduct(c).(*build.Tensor); return y }
		}
		y := product(c.tensor(0), c.tensor(1))
		if c.Err() != nil {
			return nil
		}
		return c.cast(y, c.dtypeOr(4, y.DType()))
	}},
	{"transformers::grouped_mm_fallback", "input:T weight:T offs:T", groupedProduct},
}

// bagParams are those of embedding bags as decompositions call them.
const bagParams = "weight:T indices:T offsets:T scale_grad_by_freq:b=False mode:i=0 sparse:b=False per_sample_weights:T?=None include_last_offset:b=False padding_idx:i=-1"

// tableBag is an embedding bag that gives what its gradient needs besides, which programs do not use.
func tableBag(c *call) Value {
	out := embeddingBag(c)
	if items, ok := Items(out); ok && len(items) > 0 {
		out = items[0]
	}
	return c.withMissing(out, "the offsets", "the sizes of the bags", "the largest indices")
}

// maxBins bounds the bins of a histogram and the groups of a product, which are one comparison each.
const maxBins = 1 << 12

// histogram counts the elements in each of some bins of equal width between min and max, both
// of which belong to a bin. Others are not counted.
func histogram(c *call) Value {
	x, bins := c.tensor(0), c.int(1)
	least, most := c.float(2), c.float(3)
	if bins < 1 || bins > maxBins || !(least <= most) {
		return c.unsupported("%d bins from %v to %v", bins, least, most)
	}
	flat := c.reshape(c.cast(x, defaultFloat), []*build.Number{build.Extent(x.Type().Numel()), build.Extent(1)})
	c.shape(x)
	lo, hi, scale := c.lift(least), c.lift(most), c.lift(float64(bins)/(most-least))
	if least == most && x.Type().Numel() > 0 { // the extremes
		lo, hi = c.apply(ops.Reduce{Fn: ops.AMin}, flat), c.apply(ops.Reduce{Fn: ops.AMax}, flat)
		half := c.cast(c.arith(ops.Eq, lo, hi), defaultFloat)
		lo, hi = c.arith(ops.Sub, lo, half), c.arith(ops.Add, hi, half)
		scale = c.binaryValues(ops.Div, float64(bins), c.arith(ops.Sub, hi, lo))
	}
	at := c.apply(ops.Unary{Fn: ops.Floor}, c.arith(ops.Mul, c.arith(ops.Sub, flat, lo), scale))
	last := c.arith(ops.Eq, flat, hi)
	at = c.apply(ops.Where{ANumber: true, KeepB: true}, last, c.lift(float64(bins-1)), at)
	number := c.emit(ops.Arange{End: float64(bins), Step: 1, DType: defaultFloat})[0]
	return c.cast(c.apply(ops.Reduce{Fn: ops.Sum, Axes: []int{0}}, c.cast(c.arith(ops.Eq, at, number), defaultFloat)), x.DType())
}

// groupedProduct multiplies rows [S, K] by one of the matrices [G, K, N] each: those up to
// offs[0] by the first, those from there to offs[1] by the second, and so on. Which row is in
// which group only the run knows, so all are multiplied by all matrices; rows of no group are 0.
func groupedProduct(c *call) Value {
	x, weight, ends := c.tensor(0), c.tensor(1), c.tensor(2)
	if x.Rank() != 2 || weight.Rank() != 3 || ends.Rank() != 1 {
		return c.fail("of %v, %v and %v", x.Type(), weight.Type(), ends.Type())
	}
	groups := c.extent(weight, 0)
	if groups < 1 || groups > maxBins || c.extent(ends, 0) != groups {
		return c.unsupported("%d groups", groups)
	}
	rows := c.reshape(c.apply(ops.PrefixScan{}, c.likeOf(c.selected(x, 1, build.Extent(0)), 1, tensor.Int64)), []*build.Number{c.Dims(x)[0], build.Extent(1)})
	ends = c.cast(ends, tensor.Int64)
	var sum, begin *build.Tensor
	for g := range groups {
		end := c.selected(ends, 0, build.Extent(g))
		out := c.arith(ops.Gt, rows, end)
		if begin != nil {
			out = c.arith(ops.LogicalOr, out, c.arith(ops.Le, rows, begin))
		}
		y := c.matmul(x, c.selected(weight, 0, build.Extent(g)))
		y = c.apply(ops.Where{ANumber: true, KeepB: true}, out, c.lift(0.0), y)
		if sum == nil {
			sum = y
		} else {
			sum = c.arith(ops.Add, sum, y)
		}
		begin = end
	}
	return sum
}

func storageOffset(c *call) Value {
	if c.tensor(0).Path != nil {
		return c.unsupported("of a part of a tensor")
	}
	return int64(0)
}

func ifThenElse(c *call) Value {
	if c.bool(0) {
		return c.args[1]
	}
	return c.args[2]
}

func sumOfNumbers(c *call) Value {
	items, _ := Items(c.args[0])
	sum := Value(int64(0))
	for _, x := range items {
		n := build.AsNumber(x)
		if n == nil {
			return c.fail("the sum of a %s", TypeName(x))
		}
		sum = c.mustArith(ops.Add, build.AsNumber(sum), n)
	}
	return sum
}

// assertNumber raises, at once where the condition is known and else in the run.
func assertNumber(c *call) Value {
	n := c.number(0)
	if n.Known != nil {
		if f, _ := build.ToFloat(n.Known); f == 0 {
			return c.failed(&RaisedError{"RuntimeError", c.string(1)})
		}
		if !n.Computable() {
			c.bool(0) // the graph depends on it
			return nil
		}
		if len(n.Deps) == 0 {
			return nil
		}
	}
	v, err := c.Scalar(build.AsNumber(n.To(build.Bool)))
	c.failed(err)
	if c.Err() == nil {
		c.emit(ops.Assert{Message: "the model raises RuntimeError: " + c.string(1)}, v)
	}
	return nil
}

func assertTensor(c *call) Value {
	t := c.tensor(0)
	if t.Type().Numel() != 1 {
		return c.fail("a condition of shape %v", t.Type().Shape)
	}
	v, err := Item(c.Builder, t, build.Bool)
	c.failed(err)
	if c.Err() != nil {
		return nil
	}
	c.args = []Value{v, c.args[1]}
	return assertNumber(c)
}

// toCopy converts to another type, and always gives a tensor of its own.
func toCopy(c *call) Value {
	return c.convertTo(c.tensor(0), 1, true)
}

// emptyInOrder is a new tensor, whatever the order of its elements that argument i says.
//
//go:noinline
func emptyInOrder(i int, create func(*call) Value) func(*call) Value {
	return func(c *call) Value {
		c.args = append(c.args[:i:i], c.args[i+1:]...)
		return create(c)
	}
}

// asStrided gives a tensor other strides: those that say the same of its memory, where extents of 1 may have any, or any strides
// within the memory of a contiguous tensor that is no view.
func asStrided(c *call) Value {
	t := c.tensor(0)
	size, stride := c.ints(1), c.ints(2)
	have := c.shape(t)
	same := len(size) == len(have) && len(stride) == len(size) && c.intOr(3, 0) == 0 && t.Path == nil
	for i := 0; same && i < len(size); i++ {
		same = size[i] == have[i] && (size[i] == 1 || stride[i] == t.Strides[i])
	}
	if !same {
		return c.strided(t, size, stride, c.intOr(3, 0))
	}
	out := build.Alias(t)
	out.Strides = stride
	return out
}

// strided returns the elements of a tensor's memory that lie at the strides from an offset on.
func (c *call) strided(t *build.Tensor, size, stride []int, offset int) Value {
	n, err := tensor.Shape(size).Numel()
	memory := t.Type().Numel()
	switch {
	case c.Err() != nil:
		return nil
	case t.Path != nil || !t.IsContiguous() || t.Complex:
		return c.unsupported("with other strides, of a view or of a tensor that is not contiguous")
	case err != nil || len(stride) != len(size) || offset < 0 || slices.ContainsFunc(stride, func(s int) bool { return s < 0 }):
		return c.fail("the size %v, the strides %v and the offset %d", size, stride, offset)
	case n > maxComputed:
		return c.unsupported("of %d values: at most %d are taken", n, maxComputed)
	}
	far := offset >= memory
	for i, s := range size {
		far = far || s > 1 && stride[i] >= memory
	}
	if n > 0 && far {
		return c.fail("the size %v, the strides %v and the offset %d reach outside of %d values", size, stride, offset, memory)
	}
	at := []int64{int64(offset)}[:min(n, 1)]
	for i := len(size) - 1; i >= 0 && n > 0; i-- { // from the innermost dimension on
		inner := at
		at = make([]int64, 0, len(inner)*size[i])
		for k := range int64(size[i]) {
			for _, from := range inner {
				if from += k * int64(stride[i]); from >= int64(memory) {
					return c.fail("the size %v, the strides %v and the offset %d reach outside of %d values", size, stride, offset, memory)
				}
				at = append(at, from)
			}
		}
	}
	indices, err := tensor.FromSlice(at, size...)
	if err != nil {
		return c.failed(err)
	}
	return c.view(t, build.StridedView{At: c.Constant("", indices), From: c.Dims(t)}, slices.Clone(stride))
}

// asStridedScatter returns self with the elements at the strides replaced by src.
func asStridedScatter(c *call) Value {
	copied, src := build.NewTensor(c.read(c.tensor(0))), c.tensor(1)
	if part, ok := c.strided(copied, c.ints(2), c.ints(3), c.intOr(4, 0)).(*build.Tensor); ok && c.Err() == nil {
		c.storeLike(part, src)
	}
	return copied
}

// nativeBatchNorm is batch norm that gives statistics besides, which programs do not use.
//
//go:noinline
func nativeBatchNorm(eps int) func(*call) Value {
	return func(c *call) Value {
		y := c.normalize(c.tensor(0), c.tensor(1), c.tensor(2), c.tensor(3), c.tensor(4), c.float(eps))
		none := c.fullOf([]*build.Number{build.Extent(0)}, 0, y.DType())
		out := &Tuple{Items: []Value{y, none, none}}
		if strings.HasSuffix(c.name, "_functional") {
			out.Items = append(out.Items, build.Alias(c.tensor(3)), build.Alias(c.tensor(4)))
		}
		return out
	}
}

// normLegit is batch norm of decompositions, in training mode too.
//
//go:noinline
func normLegit(inPlace bool) func(*call) Value {
	return func(c *call) Value {
		if !c.bool(5) {
			return nativeBatchNorm(7)(c)
		}
		if c.isNone(3) {
			return batchStatisticsOnly(7)(c)
		}
		out := c.trainedNorm(6, inPlace)
		if list, ok := out.(*Tuple); ok { // without what the gradient keeps
			list.Items = append(list.Items[:3:3], list.Items[4:]...)
		}
		return out
	}
}

//go:noinline
func batchStatisticsOnly(eps int) func(*call) Value {
	return func(c *call) Value {
		x := c.tensor(0)
		var axes []int
		for i := range x.Rank() {
			if i != 1 {
				axes = append(axes, i)
			}
		}
		return c.withMoments(c.batchStatistics(x, c.tensor(1), c.tensor(2), c.float(eps)), x, axes, false, c.float(eps))
	}
}

// withMoments returns a result, and the mean and the reciprocal of the standard deviation of x over some dimensions.
func (c *call) withMoments(y Value, x *build.Tensor, axes []int, keep bool, eps float64) *Tuple {
	x = build.NewTensor(c.read(x))
	mean := func(c *call, t *build.Tensor, keep bool) *build.Tensor {
		return c.apply(ops.Reduce{Fn: ops.Mean, Axes: axes, KeepDims: keep}, t)
	}
	return &Tuple{Items: []Value{y, c.later(func(c *call) *build.Tensor { return mean(c, x, keep) }), c.later(func(c *call) *build.Tensor {
		variance := mean(c, c.fn(ops.Square, c.arith(ops.Sub, x, mean(c, x, true))), keep)
		return c.fn(ops.Rsqrt, c.arithNumber(ops.Add, variance, eps))
	})}}
}

// later returns a result that is computed where it is used, if anywhere.
func (c *call) later(f func(c *call) *build.Tensor) *Missing {
	return &Missing{make: func() (Value, error) {
		own := *c
		y := f(&own)
		return y, own.Err()
	}}
}

// withMissing returns a result and others that are not given.
//
//go:noinline
func (c *call) withMissing(y Value, others ...string) Value {
	out := &Tuple{Items: []Value{y}}
	for _, what := range others {
		out.Items = append(out.Items, &Missing{What: c.name + ": " + what})
	}
	return out
}

func nativeGroupNorm(c *call) Value {
	y := c.applyFloat(ops.GroupNorm{Groups: c.int(6), Eps: c.float(7), HasWeight: !c.isNone(1), HasBias: !c.isNone(2)}, c.tensor(0), c.tensor(1), c.tensor(2))
	x, groups := c.tensor(0), c.int(6)
	if c.Err() != nil || x.Rank() < 2 || groups < 1 {
		return c.fail("of %v in %d groups", x.Type(), groups)
	}
	values := c.mustArith(ops.Mul, c.number(5), build.AsNumber(c.mustArith(ops.FloorDiv, c.number(4), build.Extent(groups))))
	parts := c.reshape(x, []*build.Number{c.Dims(x)[0], build.Extent(groups), build.AsNumber(values)})
	return c.withMoments(y, parts, []int{2}, false, c.float(7))
}

// corrected is a variance, or a deviation, over n - correction values, where that is no integer: the one over n times n / (n - correction).
func (c *call) corrected(lower func(*call) Value, correction float64) Value {
	x, n := c.tensor(0), 1
	axes := c.axes(1, x.Rank())
	for i := range x.Rank() {
		if len(axes) == 0 || slices.Contains(axes, i) {
			n *= c.extent(x, i)
		}
	}
	c.args[2] = int64(0)
	factor := float64(n) / max(float64(n)-correction, 0)
	if strings.HasPrefix(c.name, "aten::std") {
		factor = math.Sqrt(factor)
	}
	switch y := lower(c).(type) {
	case *build.Tensor:
		return c.arithNumber(ops.Mul, y, factor)
	case *Tuple:
		y.Items[0] = c.times(y.Items[0], factor)
		return y
	}
	return nil
}

// spreadBy lowers a variance whose correction is written as a float.
//
//go:noinline
func spreadBy(lower func(*call) Value) func(*call) Value {
	return func(c *call) Value {
		if f := 0.0; !c.isNone(2) {
			if f = c.float(2); f != math.Trunc(f) {
				return c.corrected(lower, f)
			}
		}
		return lower(c)
	}
}

// attentionAs is attention with the mask, dropout, causal and scale at their places, -1 for
// none, and results besides, which programs do not use.
//
//go:noinline
func attentionAs(results, mask, dropout, causal, scale int) func(*call) Value {
	return func(c *call) Value {
		at := func(i int, fallback Value) Value {
			if i < 0 {
				return fallback
			}
			return c.args[i]
		}
		c.args = []Value{c.args[0], c.args[1], c.args[2], at(mask, nil), at(dropout, 0.0), at(causal, false), at(scale, nil), false}
		others := make([]string, results-1)
		for i := range others {
			others[i] = "statistics"
		}
		return c.withMissing(attention(c), others...)
	}
}

func attentionMath(c *call) Value {
	if !c.isNone(6) {
		return c.unsupported("with dropout")
	}
	c.args = []Value{c.args[0], c.args[1], c.args[2], c.args[3], c.args[4], c.args[5], c.args[7], c.args[8]}
	return c.withMissing(attention(c), "the weights")
}
