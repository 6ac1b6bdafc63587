package aten

import (
	"slices"
	"strings"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

const encoderLayerParams = " embed_dim:i num_heads:i qkv_weight:T qkv_bias:T proj_weight:T proj_bias:T use_gelu:b norm_first:b eps:f norm_weight_1:T norm_bias_1:T norm_weight_2:T norm_bias_2:T ffn_weight_1:T ffn_bias_1:T ffn_weight_2:T ffn_bias_2:T mask:T?=None mask_type:i?=None"

var products = []operator{
	{"aten::linear", "input:T weight:T bias:T?=None", linear},
	{"aten::matmul", "self:T other:T", matmul},
	{"aten::linalg_matmul", "self:T other:T", matmul},
	{"aten::mm", "self:T mat2:T", ofRanks(2, 2, matmul)},
	{"aten::bmm", "self:T mat2:T", ofRanks(3, 3, matmul)},
	{"aten::mv", "self:T vec:T", ofRanks(2, 1, matmul)},
	{"aten::dot", "self:T tensor:T", dot},
	{"aten::vdot", "self:T other:T", func(c *call) Value {
		if c.tensor(0).Complex {
			c.args[0] = conj(c)
		}
		return dot(c)
	}},
	{"aten::inner", "self:T other:T", inner},
	{"aten::outer", "self:T vec2:T", outer},
	{"aten::ger", "self:T vec2:T", outer},
	{"aten::addmm", "self:T mat1:T mat2:T | beta:n=1 alpha:n=1", addMM},
	{"aten::addmv", "self:T mat:T vec:T | beta:n=1 alpha:n=1", addMM},
	{"aten::baddbmm", "self:T batch1:T batch2:T | beta:n=1 alpha:n=1", addMM},
	{"aten::addbmm", "self:T batch1:T batch2:T | beta:n=1 alpha:n=1", addSumMM},
	{"aten::einsum", "equation:s tensors:L | path:v=None", einsum},
	{"aten::tensordot", "self:T other:T dims_self:I dims_other:I", tensorDot},
	{"aten::bilinear", "input1:T input2:T weight:T bias:T?=None", bilinear},
	{"aten::cosine_similarity", "x1:T x2:T dim:i=1 eps:f=1e-08", cosineSimilarity},
	{"aten::pairwise_distance", "x1:T x2:T p:f=2 eps:f=1e-06 keepdim:b=False", pairwiseDistance},
	{"aten::_cdist_forward", "x1:T x2:T p:f compute_mode:i?", cDist},
	{"aten::cdist", "x1:T x2:T p:f=2 compute_mode:i?=None", cDist},
	{"aten::cross", "self:T other:T dim:i?=None", cross},
	{"aten::linalg_cross", "self:T other:T | dim:i=-1", cross},
	{"aten::_scaled_dot_product_attention", "query:T key:T value:T attn_mask:T?=None dropout_p:f=0 need_attn_weights:b=False is_causal:b=False", attentionTuple},
	{"aten::scaled_dot_product_attention", "query:T key:T value:T attn_mask:T?=None dropout_p:f=0 is_causal:b=False scale:f?=None enable_gqa:b=False", attention},
	{"aten::_native_multi_head_attention", "query:T key:T value:T embed_dim:i num_head:i qkv_weight:T qkv_bias:T proj_weight:T proj_bias:T mask:T?=None need_weights:b=True average_attn_weights:b=True mask_type:i?=None", nativeAttention},
	{"aten::_transformer_encoder_layer_fwd", "src:T" + encoderLayerParams, encoderLayer},
}

func linear(c *call) Value { return c.linear(c.tensor(0), c.tensor(1), c.tensor(2)) }

func (c *call) linear(x, weight, bias *build.Tensor) *build.Tensor {
	if x.Rank() < 1 || weight.Rank() < 1 {
		c.fail("tensors of %d and %d dimensions", x.Rank(), weight.Rank())
	}
	if c.Err() != nil {
		return c.anything()
	}
	if weight.Rank() == 1 { // one output, without a dimension
		one := c.reshape(weight, []*build.Number{build.Extent(1), c.Dims(weight)[0]})
		if bias != nil {
			bias = c.reshape(bias, []*build.Number{build.Extent(1)})
		}
		y := c.linear(x, one, bias)
		return c.reshape(y, c.Dims(x)[:x.Rank()-1])
	}
	if (x.Complex || weight.Complex || !x.DType().IsFloat() && x.Type().Q == nil) && weight.Rank() == 2 {
		y := c.matmul(x, c.permuted(weight, []int{1, 0}))
		if bias != nil {
			y = c.arith(ops.Add, y, bias)
		}
		return y
	}
	if bias != nil && bias.Rank() != 1 {
		return c.arith(ops.Add, c.linear(x, weight, nil), bias)
	}
	return c.applyFloat(ops.Linear{HasBias: bias != nil}, x, weight, bias)
}

// ofRanks checks how many dimensions the two arguments have.
//
//go:noinline
func ofRanks(a, b int, lower func(*call) Value) func(*call) Value {
	return func(c *call) Value {
		if x, y := c.tensor(0).Rank(), c.tensor(1).Rank(); x != a || y != b {
			return c.fail("tensors of %d and %d dimensions where %d and %d are needed", x, y, a, b)
		}
		return lower(c)
	}
}

func matmul(c *call) Value { return c.matmul(c.tensor(0), c.tensor(1)) }

// matmul multiplies matrices. One that was transposed just for this is taken as
// it was, since the kernels read either form.
func (c *call) matmul(a, b *build.Tensor) *build.Tensor {
	if a.Complex || b.Complex {
		return c.overParts(a, b, c.matmul)
	}
	if a.Type().Q != nil || b.Type().Q != nil {
		c.unsupported("on quantized values")
	}
	if c.Err() != nil {
		return c.anything()
	}
	if !a.DType().IsFloat() {
		return c.integerProduct(a, b)
	}
	if plain := c.untransposed(b); plain != nil && a.Rank() > 0 {
		return c.applyFloat(ops.MatMul{TransposeB: true}, a, plain)
	}
	return c.applyFloat(ops.MatMul{}, a, b)
}

// untransposed returns what a tensor is the transposition of, nil where it is none.
func (c *call) untransposed(t *build.Tensor) *build.Tensor {
	if t.Complex || t.Version != t.Store.Version {
		return nil
	}
	w, ok := t.Path.Last().(build.PermuteView)
	if !ok || !swapsLast(w.Order) || t.Value == nil {
		return nil
	}
	if t.Value.Node == nil { // of a constant, transposed at once
		memory, err := c.Memory(t)
		if t.Path.Len() > 1 || err != nil {
			return nil
		}
		return build.NewTensor(memory)
	}
	p, ok := t.Value.Node.Op.(ops.Permute)
	if !ok || !slices.Equal(p.Order, w.Order) {
		return nil
	}
	return build.NewTensor(t.Value.Node.Inputs[0])
}

// swapsLast reports whether an order exchanges just the last two dimensions.
func swapsLast(order []int) bool {
	n := len(order)
	for i, o := range order {
		want := i
		switch i {
		case n - 1:
			want = n - 2
		case n - 2:
			want = n - 1
		}
		if o != want {
			return false
		}
	}
	return n >= 2
}

// integerProduct multiplies matrices of integers, element by element: the
// kernels of matrices compute in floats. Sums wrap around as the type does.
func (c *call) integerProduct(a, b *build.Tensor) *build.Tensor {
	if a.Rank() < 1 || b.Rank() < 1 || a.DType() != b.DType() {
		c.fail("%v and %v", a.Type(), b.Type())
		return c.anything()
	}
	// [..., M, 1, K] * [..., 1, N, K], summed over K.
	left := c.Dims(a)
	x, y := a, b
	if b.Rank() > 1 {
		order := identityOrder(b.Rank())
		n := len(order)
		order[n-2], order[n-1] = n-1, n-2
		y = c.apply(ops.Permute{Order: order}, b)
		right := c.Dims(y)
		if a.Rank() > 1 {
			x = c.reshape(a, slices.Insert(slices.Clone(left), len(left)-1, build.Extent(1)))
			y = c.reshape(y, slices.Insert(slices.Clone(right), len(right)-2, build.Extent(1)))
		}
	}
	return c.cast(c.apply(ops.Reduce{Fn: ops.Sum, Axes: []int{-1}}, c.arith(ops.Mul, x, y)), a.DType())
}

func dot(c *call) Value {
	if c.tensor(0).Complex || c.tensor(1).Complex {
		return c.matmul(c.tensor(0), c.tensor(1))
	}
	if !c.tensor(0).DType().IsFloat() {
		return c.integerProduct(c.tensor(0), c.tensor(1))
	}
	return c.applyFloat(ops.MatMul{}, c.tensor(0), c.tensor(1))
}

func inner(c *call) Value {
	a, b := c.tensor(0), c.tensor(1)
	switch {
	case a.Rank() == 0 || b.Rank() == 0:
		return c.arith(ops.Mul, a, b)
	case b.Rank() == 1:
		return c.matmul(a, b)
	}
	return c.contract(a, b, []int{a.Rank() - 1}, []int{b.Rank() - 1})
}

func outer(c *call) Value {
	a, b := c.tensor(0), c.tensor(1)
	if a.Rank() != 1 || b.Rank() != 1 {
		return c.fail("tensors of %d and %d dimensions", a.Rank(), b.Rank())
	}
	return c.binaryValues(ops.Mul, c.reshape(a, []*build.Number{c.length(a), build.Extent(1)}), b)
}

func addMM(c *call) Value {
	x, a, b, beta, alpha := c.tensor(0), c.tensor(1), c.tensor(2), c.factor(3), c.factor(4)
	if x.DType() != a.DType() {
		return c.fail("%v, %v and %v: all must have the same type", x.Type(), a.Type(), b.Type())
	}
	// self + a b with a weight on the right is what linear layers were before.
	if one(beta) && one(alpha) && a.Rank() == 2 && x.Rank() == 1 && a.DType().IsFloat() {
		if weight := c.untransposed(b); weight != nil && weight.Rank() == 2 {
			return c.linear(a, weight, x)
		}
	}
	product := c.times(c.matmul(a, b), alpha)
	if f, ok := build.ToFloat(beta); ok && f == 0 {
		return product
	}
	return c.binaryValues(ops.Add, c.times(x, beta), product)
}

// factor returns argument i, a factor of the product and sum of matrices, as a number of their kind.
func (c *call) factor(i int) Value {
	if c.tensor(0).DType().IsFloat() {
		return c.args[i]
	}
	return int64(c.int(i))
}

func one(v Value) bool {
	f, ok := build.ToFloat(v)
	return ok && f == 1
}

func addSumMM(c *call) Value {
	if x, a := c.tensor(0), c.tensor(1); x.DType() != a.DType() {
		return c.fail("%v and %v: all must have the same type", x.Type(), a.Type())
	}
	sum := c.apply(ops.Reduce{Fn: ops.Sum, Axes: []int{0}}, c.matmul(c.tensor(1), c.tensor(2)))
	if f, ok := build.ToFloat(c.args[3]); ok && f == 0 { // what is NaN in self does not count
		return c.times(sum, c.factor(4))
	}
	return c.binaryValues(ops.Add, c.times(c.args[0], c.factor(3)), c.times(sum, c.factor(4)))
}

func einsum(c *call) Value {
	// How operands are contracted follows from which extents are 1.
	for _, t := range c.tensors(1) {
		for _, d := range c.Dims(t) {
			if d.Known == int64(1) {
				c.Depend(d.Deps)
			}
		}
	}
	op, in := ops.Einsum{Equation: strings.ReplaceAll(c.string(0), " ", "")}, c.tensors(1)
	if len(in) == 2 && (in[0].Complex || in[1].Complex) {
		return c.overParts(in[0], in[1], func(a, b *build.Tensor) *build.Tensor { return c.applyFloat(op, a, b) })
	}
	return c.applyFloat(op, in...)
}

func tensorDot(c *call) Value {
	a, b := c.tensor(0), c.tensor(1)
	return c.contract(a, b, c.axes(2, a.Rank()), c.axes(3, b.Rank()))
}

// contract sums products over pairs of dimensions; the others of a come first.
func (c *call) contract(a, b *build.Tensor, axesA, axesB []int) *build.Tensor {
	if len(axesA) != len(axesB) || a.Rank()+b.Rank() > 52 {
		c.fail("%d and %d dimensions are summed", len(axesA), len(axesB))
		return c.anything()
	}
	if a.Rank() == 0 && len(axesA) > 0 || b.Rank() == 0 && len(axesB) > 0 {
		c.fail("tensors of %d and %d dimensions", a.Rank(), b.Rank())
		return c.anything()
	}
	letter := func(i int) byte { return "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"[i] }
	left, right := make([]byte, a.Rank()), make([]byte, b.Rank())
	for i := range left {
		left[i] = letter(i)
	}
	var out []byte
	for i := range left {
		if !slices.Contains(axesA, i) {
			out = append(out, left[i])
		}
	}
	for i := range right {
		if k := slices.Index(axesB, i); k >= 0 {
			right[i] = left[axesA[k]]
			continue
		}
		right[i] = letter(a.Rank() + i)
		out = append(out, right[i])
	}
	return c.applyFloat(ops.Einsum{Equation: string(left) + "," + string(right) + "->" + string(out)}, a, b)
}

// bilinear is x1 W_k x2 for each k.
func bilinear(c *call) Value {
	y := c.applyFloat(ops.Einsum{Equation: "...i,kij,...j->...k"}, c.tensor(0), c.tensor(2), c.tensor(1))
	if b := c.tensor(3); b != nil {
		y = c.arith(ops.Add, y, b)
	}
	return y
}

// cosineSimilarity is the product of two vectors by that of their norms, of
// which none counts as less than eps.
func cosineSimilarity(c *call) Value {
	a, b := c.tensor(0), c.tensor(1)
	rank := max(a.Rank(), b.Rank())
	axis := c.axis(2, rank)
	eps := c.float(3)
	axis -= rank
	to := build.BroadcastDims([][]*build.Number{c.Dims(a), c.Dims(b)}, rank)
	a, b = c.expand(a, to), c.expand(b, to)
	unit := func(t *build.Tensor) *build.Tensor {
		n := c.apply(ops.Reduce{Fn: ops.Norm, P: 2, Axes: []int{axis}, KeepDims: true}, t)
		return c.arith(ops.Div, t, c.apply(ops.Unary{Fn: ops.ClampMin, Alpha: eps}, n))
	}
	return c.apply(ops.Reduce{Fn: ops.Sum, Axes: []int{axis}}, c.arith(ops.Mul, unit(a), unit(b)))
}

func pairwiseDistance(c *call) Value {
	return c.distance(c.tensor(0), c.tensor(1), c.float(2), c.float(3), c.bool(4))
}

// distance is the norm of a - b + eps along the last dimension.
func (c *call) distance(a, b *build.Tensor, p, eps float64, keep bool) *build.Tensor {
	d := c.arithNumber(ops.Add, c.arith(ops.Sub, a, b), eps)
	return c.apply(ops.Reduce{Fn: ops.Norm, P: ops.NormOrder(p), Axes: []int{-1}, KeepDims: keep}, d)
}

// cDist is the distance of each row of the one to each of the other.
func cDist(c *call) Value {
	a, b := c.tensor(0), c.tensor(1)
	if a.Rank() < 2 || b.Rank() < 2 {
		return c.fail("tensors of %d and %d dimensions", a.Rank(), b.Rank())
	}
	x := c.reshape(a, slices.Insert(slices.Clone(c.Dims(a)), a.Rank()-1, build.Extent(1)))
	y := c.reshape(b, slices.Insert(slices.Clone(c.Dims(b)), b.Rank()-2, build.Extent(1)))
	return c.apply(ops.Reduce{Fn: ops.Norm, P: ops.NormOrder(c.float(2)), Axes: []int{-1}}, c.arith(ops.Sub, x, y))
}

// cross is the cross product along a dimension of 3, by default the first one.
func cross(c *call) Value {
	a, b := c.tensor(0), c.tensor(1)
	rank := max(a.Rank(), b.Rank())
	axis := -1
	if c.isNone(2) {
		for i := range a.Rank() {
			if axis < 0 && c.extent(a, i) == 3 {
				axis = i
			}
		}
	} else {
		axis = c.axis(2, rank)
	}
	if axis < 0 {
		return c.fail("no dimension has an extent of 3")
	}
	turn := func(t *build.Tensor, by int) *build.Tensor {
		return c.apply(ops.Roll{Shifts: []int{by}, Axes: []int{axis}}, t)
	}
	return c.arith(ops.Sub, c.arith(ops.Mul, turn(a, -1), turn(b, -2)), c.arith(ops.Mul, turn(a, -2), turn(b, -1)))
}

func attention(c *call) Value {
	if c.float(4) > 0 {
		return c.unsupported("with dropout")
	}
	scale := 0.0
	if !c.isNone(6) {
		scale = c.float(6)
	}
	q, k, v := c.tensor(0), c.tensor(1), c.tensor(2)
	if c.bool(7) {
		k, v = c.sharedHeads(k, q), c.sharedHeads(v, q)
	}
	q, k, v = c.sameBatch(q, k, v)
	return c.attend(q, k, v, c.tensor(3), c.bool(5), scale, true)
}

// sameBatch expands the batches of queries, keys and values to what they broadcast to.
func (c *call) sameBatch(q, k, v *build.Tensor) (_, _, _ *build.Tensor) {
	same := func(a, b *build.Tensor) bool {
		x, y := c.Dims(a), c.Dims(b)
		return len(x) == len(y) && slices.EqualFunc(x[:max(len(x)-2, 0)], y[:max(len(y)-2, 0)], func(x, y *build.Number) bool {
			return x.Known == y.Known && build.IsOne(x) == build.IsOne(y)
		})
	}
	if c.Err() == nil && same(k, v) && same(q, k) {
		return q, k, v
	}
	q, k = c.batched(q, k)
	q, v = c.batched(q, v)
	k, v = c.batched(k, v)
	return q, k, v
}

// sharedHeads repeats each head of keys or values [..., H', S, E] for the queries'
// heads that share it.
func (c *call) sharedHeads(t, q *build.Tensor) *build.Tensor {
	axis := t.Rank() - 3
	if axis < 0 || q.Rank() < 3 {
		c.fail("queries of %d dimensions, and keys or values of %d", q.Rank(), t.Rank())
		return c.anything()
	}
	have, want := c.extent(t, axis), c.extent(q, q.Rank()-3)
	if have < 1 || want%have != 0 {
		c.fail("%d heads share %d", want, have)
		return c.anything()
	}
	dims := slices.Insert(slices.Clone(c.Dims(t)), axis+1, build.Extent(1))
	y := c.reshape(t, dims)
	dims = slices.Clone(dims)
	dims[axis+1] = build.Extent(want / have)
	y = c.expand(y, dims)
	dims = slices.Delete(slices.Clone(dims), axis, axis+2)
	return c.reshape(y, slices.Insert(dims, axis, build.Extent(want)))
}

func attentionTuple(c *call) Value {
	if c.float(4) > 0 {
		return c.unsupported("with dropout")
	}
	q, k, v, mask := c.tensor(0), c.tensor(1), c.tensor(2), c.tensor(3)
	if !c.bool(5) {
		y := c.attend(q, k, v, mask, c.bool(6), 0, true)
		return &Tuple{Items: []Value{y, &Missing{What: c.name + ": the weights of the attention"}}}
	}
	weights := c.attentionWeights(q, k, mask, c.bool(6), 0, false)
	return &Tuple{Items: []Value{c.matmul(weights, v), weights}}
}

// attend is softmax(q k^T * scale + mask) v. With zeroMasked a row whose keys are all masked is
// zero, else NaN.
func (c *call) attend(q, k, v, mask *build.Tensor, causal bool, scale float64, zeroMasked bool) *build.Tensor {
	op := ops.Attention{Scale: scale, Causal: causal, HasMask: mask != nil, ZeroMasked: zeroMasked}
	if q.DType() == tensor.Float64 && c.Err() == nil {
		return c.matmul(c.attentionWeights(q, k, mask, causal, scale, zeroMasked), v)
	}
	if mask != nil && mask.DType() != tensor.Bool {
		mask = c.cast(mask, tensor.Float32)
	}
	if d := q.DType(); d != tensor.Float32 && c.Err() == nil {
		f := func(t *build.Tensor) *build.Tensor { return c.cast(t, tensor.Float32) }
		return c.cast(c.attend(f(q), f(k), f(v), mask, causal, scale, zeroMasked), d)
	}
	in := []*build.Tensor{q, k, v}
	if mask != nil {
		in = append(in, mask)
	}
	return c.apply(op, in...)
}

// attentionWeights is softmax(q k^T * scale + mask), with a scale of 1/sqrt(E) for 0. With zeroMasked
// a row whose scores are all -inf is zero, else NaN.
func (c *call) attentionWeights(q, k, mask *build.Tensor, causal bool, scale float64, zeroMasked bool) *build.Tensor {
	if scale == 0 {
		scale = 1 / sqrt(float64(c.extent(q, q.Rank()-1)))
	}
	scores := c.arithNumber(ops.Mul, c.applyFloat(ops.MatMul{TransposeB: true}, q, k), scale)
	if causal {
		l, s := c.extent(q, q.Rank()-2), c.extent(k, k.Rank()-2)
		ones := c.emit(ops.Full{Shape: []int{l, s}, Value: 1, DType: tensor.Bool})[0]
		mask = c.apply(ops.Trilu{}, ones)
	}
	switch {
	case mask == nil:
	case mask.DType() == tensor.Bool:
		scores = c.apply(ops.Where{BNumber: true}, mask, scores, c.lift(negInf))
	default:
		scores = c.arith(ops.Add, scores, mask)
	}
	y := c.apply(ops.Softmax{Axis: -1}, scores)
	if zeroMasked && (mask != nil || causal) {
		top := c.apply(ops.Reduce{Fn: ops.AMax, Axes: []int{-1}, KeepDims: true}, scores)
		y = c.apply(ops.Where{ANumber: true, KeepB: true}, c.arithNumber(ops.Eq, top, negInf), c.lift(0.0), y)
	}
	return y
}
