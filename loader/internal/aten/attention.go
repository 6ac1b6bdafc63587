package aten

import (
	"math"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

var negInf = math.Inf(-1)

func sqrt(x float64) float64 { return math.Sqrt(x) }

// nativeAttention is torch.nn.MultiheadAttention's quick path: one projection
// gives queries, keys and values of a batch [B, T, E].
func nativeAttention(c *call) Value {
	q := c.tensor(0)
	if c.args[0] != c.args[1] && !c.sameTensor(q, c.tensor(1)) || !c.sameTensor(q, c.tensor(2)) {
		return c.unsupported("with keys or values that are not the queries")
	}
	y, weights := c.multiHead(q, c.int(3), c.int(4), c.tensor(5), c.tensor(6), c.tensor(7), c.tensor(8), c.tensor(9), c.bool(10))
	if weights == nil {
		return &Tuple{Items: []Value{y, nil}}
	}
	if c.bool(11) {
		weights = c.apply(ops.Reduce{Fn: ops.Mean, Axes: []int{1}}, weights)
	}
	return &Tuple{Items: []Value{y, weights}}
}

// sameTensor reports whether two references read the same value.
func (c *call) sameTensor(a, b *build.Tensor) bool {
	return a == b || c.read(a) == c.read(b)
}

// multiHead projects x [B, T, E], attends with each head, and projects the
// result. A mask is bool, true where a key is left out: [T, T], or [B, T] of padding.
func (c *call) multiHead(x *build.Tensor, e, heads int, qkvWeight, qkvBias, projWeight, projBias, mask *build.Tensor, need bool) (y, weights *build.Tensor) {
	if x.Rank() != 3 || heads < 1 || e%heads != 0 {
		c.fail("%d heads of a batch of shape %v", heads, x.Type().Shape)
		return c.anything(), nil
	}
	dims := c.Dims(x)
	qkv := c.linear(x, qkvWeight, qkvBias)
	part := func(i int) *build.Tensor {
		p := c.apply(ops.Slice{Axis: 2, Start: i * e, End: (i + 1) * e, Step: 1}, qkv)
		p = c.reshape(p, []*build.Number{dims[0], dims[1], build.Extent(heads), build.Extent(e / heads)})
		return c.apply(ops.Permute{Order: []int{0, 2, 1, 3}}, p)
	}
	q, k, v := part(0), part(1), part(2)
	if mask != nil {
		if mask.DType() != tensor.Bool {
			mask = c.cast(mask, tensor.Bool)
		}
		mask = c.apply(ops.Unary{Fn: ops.LogicalNot}, mask)
		m := c.Dims(mask)
		if len(m) == 2 && !(build.SameExtent(m[0], dims[1]) && build.SameExtent(m[1], dims[1])) {
			mask = c.reshape(mask, []*build.Number{m[0], build.Extent(1), build.Extent(1), m[1]})
		}
	}
	if need {
		weights = c.attentionWeights(q, k, mask, false, 0, false)
		y = c.matmul(weights, v)
	} else {
		y = c.attend(q, k, v, mask, false, 0, false)
	}
	y = c.apply(ops.Permute{Order: []int{0, 2, 1, 3}}, y)
	y = c.reshape(y, []*build.Number{dims[0], dims[1], build.Extent(e)})
	return c.linear(y, projWeight, projBias), weights
}

// encoderLayer is torch.nn.TransformerEncoderLayer's quick path.
func encoderLayer(c *call) Value { return c.encoderLayer(c.tensor(0), c.tensor(18)) }

// encoderLayer is encoderLayer of x [B, T, E].
func (c *call) encoderLayer(x, mask *build.Tensor) *build.Tensor {
	e := c.int(1)
	norm := func(t *build.Tensor, weight, bias int) *build.Tensor {
		return c.applyFloat(ops.LayerNorm{Dims: 1, Eps: c.float(9), HasWeight: true, HasBias: true}, t, c.tensor(weight), c.tensor(bias))
	}
	attend := func(t *build.Tensor) *build.Tensor {
		y, _ := c.multiHead(t, e, c.int(2), c.tensor(3), c.tensor(4), c.tensor(5), c.tensor(6), mask, false)
		return y
	}
	feed := func(t *build.Tensor) *build.Tensor {
		fn := ops.ReLU
		if c.bool(7) {
			fn = ops.GELU
		}
		h := c.unary(ops.Unary{Fn: fn}, c.linear(t, c.tensor(14), c.tensor(15)))
		return c.linear(h, c.tensor(16), c.tensor(17))
	}
	if c.bool(8) {
		x = c.arith(ops.Add, x, attend(norm(x, 10, 11)))
		return c.arith(ops.Add, x, feed(norm(x, 12, 13)))
	}
	x = norm(c.arith(ops.Add, x, attend(x)), 10, 11)
	return norm(c.arith(ops.Add, x, feed(x)), 12, 13)
}
