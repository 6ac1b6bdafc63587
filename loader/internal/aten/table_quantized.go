package aten

import (
	"math"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// How PyTorch calls the parameters of a result differs between operators.
const (
	quantizedOut = " output_scale:f output_zero_point:i"
	sumOut       = " scale:f zero_point:i"
)

var quantizations = []operator{
	{"aten::quantize_per_tensor", "self:T scale:f zero_point:i dtype:i", quantizePerTensor},
	{"aten::quantize_per_tensor", "self:T scale:T zero_point:T dtype:i", quantizePerTensor},
	{"aten::quantize_per_channel", "self:T scales:T zero_points:T axis:i dtype:i", quantizePerChannel},
	{"aten::dequantize", "self:T", func(c *call) Value { return c.dequantize(c.tensor(0)) }},
	{"aten::dequantize", "qtensor:T", func(c *call) Value { return c.dequantize(c.tensor(0)) }},
	{"aten::dequantize", "tensors:L", dequantizeAll},
	{"aten::dequantize", "qtensors:L", dequantizeAll},
	{"aten::int_repr", "self:T", intRepr},
	{"aten::q_scale", "self:T", func(c *call) Value { return float64(c.params(c.tensor(0)).Scale[0]) }},
	{"aten::q_zero_point", "self:T", func(c *call) Value { return int64(c.params(c.tensor(0)).ZeroPoint[0]) }},
	{"aten::fake_quantize_per_tensor_affine", "self:T scale:f zero_point:i quant_min:i quant_max:i", fakeQuantize},
	{"aten::fake_quantize_per_tensor_affine", "self:T scale:T zero_point:T quant_min:i quant_max:i", fakeQuantizeTensors},
	{"aten::fake_quantize_per_channel_affine", "self:T scale:T zero_point:T axis:i quant_min:i quant_max:i", fakeQuantizeChannels},

	{"quantized::add", "qa:T qb:T" + sumOut, quantizedSum(ops.NoActivation)},
	{"quantized::add_relu", "qa:T qb:T" + sumOut, quantizedSum(ops.ActReLU)},
	{"quantized::mul", "qa:T qb:T" + sumOut, quantizedProduct(ops.NoActivation)},
	{"quantized::mul_relu", "qa:T qb:T" + sumOut, quantizedProduct(ops.ActReLU)},
	{"quantized::matmul", "qa:T qb:T" + sumOut, quantizedMatmul},
	{"quantized::add", "qa:T b:n", addScalar(false)},
	{"quantized::add", "b:n qa:T", swapped(addScalar(false))},
	{"quantized::add_relu", "qa:T b:n", addScalar(true)},
	{"quantized::add_relu", "b:n qa:T", swapped(addScalar(true))},
	{"quantized::add_scalar", "qa:T b:n", addScalar(false)},
	{"quantized::add_scalar_relu", "qa:T b:n", addScalar(true)},
	{"quantized::mul", "qa:T b:n", mulScalar(false)},
	{"quantized::mul", "b:n qa:T", swapped(mulScalar(false))},
	{"quantized::mul_relu", "qa:T b:n", mulScalar(true)},
	{"quantized::mul_relu", "b:n qa:T", swapped(mulScalar(true))},
	{"quantized::mul_scalar", "qa:T b:n", mulScalar(false)},
	{"quantized::mul_scalar_relu", "qa:T b:n", mulScalar(true)},
	{"quantized::cat", "qx:L dim:i scale:f? zero_point:i?", quantizedCat(false)},
	{"quantized::cat_relu", "qx:L dim:i scale:f? zero_point:i?", quantizedCat(true)},
	{"quantized::relu6", "qx:T inplace:b=False", unary(ops.ReLU6)},
	{"quantized::clamp", "qx:T min:n?=None max:n?=None", clamp},
	{"quantized::threshold", "qx:T threshold:n value:n", unaryWith(ops.Threshold)},
	{"quantized::sigmoid", "qx:T" + quantizedOut, quantizedFunction(ops.Sigmoid, 1)},
	{"quantized::hardswish", "input:T" + quantizedOut, quantizedFunction(ops.HardSwish, 1)},
	{"quantized::leaky_relu", "qx:T negative_slope:n inplace:b" + quantizedOut, quantizedLeaky},
	{"quantized::elu", "self:T" + quantizedOut + " alpha:n=1 scale:n=1 input_scale:n=1", quantizedELU(ops.ELU)},
	{"quantized::celu", "self:T" + quantizedOut + " alpha:n=1", quantizedELU(ops.CELU)},
	{"quantized::softmax", "qx:T dim:i" + quantizedOut, quantizedSoftmax},
	{"quantized::dropout", "self:T" + quantizedOut + " p:n=0.5 training:b=False", func(c *call) Value { return build.Alias(c.tensor(0)) }},
	{"quantized::batch_norm", batchNormParams, quantizedBatchNorm(false)},
	{"quantized::batch_norm1d", batchNormParams, quantizedBatchNorm(false)},
	{"quantized::batch_norm2d", batchNormParams, quantizedBatchNorm(false)},
	{"quantized::batch_norm3d", batchNormParams, quantizedBatchNorm(false)},
	{"quantized::batch_norm_relu", batchNormParams, quantizedBatchNorm(true)},
	{"quantized::batch_norm1d_relu", batchNormParams, quantizedBatchNorm(true)},
	{"quantized::batch_norm2d_relu", batchNormParams, quantizedBatchNorm(true)},
	{"quantized::batch_norm3d_relu", batchNormParams, quantizedBatchNorm(true)},
	{"quantized::layer_norm", "input:T normalized_shape:I weight:T? bias:T? eps:f" + quantizedOut, quantizedLayerNorm},
	{"quantized::group_norm", "input:T num_groups:i weight:T? bias:T? eps:f" + quantizedOut, quantizedGroupNorm},
	{"quantized::instance_norm", "input:T weight:T? bias:T? eps:f" + quantizedOut, quantizedInstanceNorm},
}

const batchNormParams = "qx:T weight:T? bias:T? mean:T var:T eps:f" + quantizedOut

// params returns the quantization parameters of a tensor.
func (c *call) params(t *build.Tensor) *tensor.QParams {
	q := t.Type().Q
	if q == nil {
		c.fail("the tensor is not quantized")
		return tensor.PerTensor(tensor.Uint8, 1, 0)
	}
	return q
}

// scaleAndZero returns two arguments, numbers or known tensors, as numbers.
func (c *call) scaleAndZero(i int) (float64, int) {
	get := func(i int) Value {
		t, ok := c.args[i].(*build.Tensor)
		if !ok {
			return c.plainArg(i)
		}
		known := c.known(t)
		if known == nil {
			c.unsupported("with parameters that only the run knows")
			return int64(1)
		}
		v, ok := build.PlainElement(known)
		if !ok {
			c.fail("parameters of shape %v", known.Shape())
			return int64(1)
		}
		return v
	}
	scale, _ := build.ToFloat(get(i))
	zero, _ := build.Convert(get(i+1), build.Int).(int64)
	return scale, int(zero)
}

func quantizePerTensor(c *call) Value {
	scale, zero := c.scaleAndZero(1)
	q := tensor.PerTensor(torchDTypes[c.int(3)], float32(scale), int32(zero))
	if err := q.Validate(nil); err != nil {
		return c.failed(err)
	}
	switch q.DType {
	case tensor.Uint8:
		return c.requantize(c.cast(c.tensor(0), tensor.Float32), q)
	case tensor.Int8: // of weights
		if x := c.known(c.tensor(0)); x != nil {
			return c.weight(x, q)
		}
	}
	return c.unsupported("to %v: only quint8 activations are computed with", q.DType)
}

// weight quantizes a weight.
func (c *call) weight(x *tensor.Tensor, q *tensor.QParams) Value {
	w, err := quantizeWeight(x, q)
	if err != nil {
		return c.failed(err)
	}
	return build.Parameter("", w)
}

// quantizePerChannel is for weights, which are known.
func quantizePerChannel(c *call) Value {
	x, scales, zeros := c.known(c.tensor(0)), c.known(c.tensor(1)), c.known(c.tensor(2))
	if x == nil || scales == nil || zeros == nil || torchDTypes[c.int(4)] != tensor.Int8 {
		return c.unsupported("of values that are no weights")
	}
	q := &tensor.QParams{DType: tensor.Int8, Scheme: tensor.PerChannelAffine, Axis: c.axis(3, x.Rank()), Min: -128, Max: 127}
	s, err := scales.Contiguous().To(tensor.Float32)
	if err != nil {
		return c.failed(err)
	}
	z, err := zeros.Contiguous().To(tensor.Int32)
	if err != nil {
		return c.failed(err)
	}
	q.Scale, q.ZeroPoint = s.Contiguous().Float32s(), z.Contiguous().Int32s()
	if err := q.Validate(x.Shape()); err != nil {
		return c.failed(err)
	}
	return c.weight(x, q)
}

// quantizeWeight returns the integers of a weight.
func quantizeWeight(x *tensor.Tensor, q *tensor.QParams) (*tensor.Tensor, error) {
	f, err := x.Contiguous().To(tensor.Float32)
	if err != nil {
		return nil, err
	}
	all := *q
	all.DType, all.Min, all.Max = tensor.Int8, -128, 127
	out, err := f.Quantize(&all)
	if err != nil {
		return nil, err
	}
	return out.WithQParams(q), nil
}

// intRepr returns the integers of a quantized tensor.
func intRepr(c *call) Value {
	x := c.tensor(0)
	q := c.params(x)
	n := c.arithNumber(ops.Div, c.dequantize(x), float64(q.Scale[0]))
	n = c.apply(ops.Unary{Fn: ops.Round}, n)
	return c.cast(c.arithNumber(ops.Add, n, float64(q.ZeroPoint[0])), q.DType)
}

func dequantizeAll(c *call) Value {
	l := &List{}
	for _, t := range c.tensors(0) {
		l.Items = append(l.Items, c.dequantize(t))
	}
	return l
}

// fakeQuantize rounds to the values that integers from quant_min to quant_max have.
func fakeQuantize(c *call) Value {
	return c.fake(c.tensor(0), c.float(1), float64(c.int(2)), c.float(3), c.float(4))
}

func fakeQuantizeTensors(c *call) Value {
	scale, zero := c.scaleAndZero(1)
	return c.fake(c.tensor(0), scale, float64(zero), c.float(3), c.float(4))
}

// straightRound rounds, and passes the gradient as if it did not.
var straightRound = ops.Unary{Fn: ops.Round, Alpha: 1}

func (c *call) fake(x *build.Tensor, scale, zero, lo, hi float64) *build.Tensor {
	q := c.arithNumber(ops.Mul, x, float64(1/float32(scale)))
	q = c.apply(straightRound, q)
	q = c.apply(ops.Unary{Fn: ops.Clamp, Alpha: lo - zero, Beta: hi - zero}, q)
	return c.arithNumber(ops.Mul, q, float64(float32(scale)))
}

func fakeQuantizeChannels(c *call) Value {
	x := c.tensor(0)
	return c.fakeChannels(x, c.axis(3, x.Rank()), c.tensor(1), c.tensor(2), c.float(4), c.float(5))
}

// fakeChannels is fakeWith a scale and a zero point for each index of an axis.
func (c *call) fakeChannels(x *build.Tensor, axis int, scale, zero *build.Tensor, lo, hi float64) *build.Tensor {
	along := func(t *build.Tensor) *build.Tensor {
		to := make([]*build.Number, x.Rank())
		for i := range to {
			to[i] = build.Extent(1)
		}
		if axis < len(to) {
			to[axis] = c.length(t)
		}
		return c.reshape(c.cast(t, tensor.Float32), to)
	}
	return c.fakeWith(x, along(scale), along(zero), lo, hi)
}

// fakeWith rounds x to the values that integers of lo to hi stand for, with float32 scales and zero points that broadcast.
func (c *call) fakeWith(x, scale, zero *build.Tensor, lo, hi float64) *build.Tensor {
	q := c.arith(ops.Mul, x, c.apply(ops.Unary{Fn: ops.Reciprocal}, scale))
	q = c.arith(ops.Add, c.apply(straightRound, q), zero)
	q = c.apply(ops.Unary{Fn: ops.Clamp, Alpha: lo, Beta: hi}, q)
	return c.arith(ops.Mul, c.arith(ops.Sub, q, zero), scale)
}

// dynamicLinear quantizes its input while it runs: each row to its own range,
// where PyTorch has one range for all rows.
// linearPrepackHalf rounds a weight to float16, in which it is kept.
// spatialParams returns the last n parameters of a packed convolution, which may
// have been packed with one dimension more.
// weightOf returns a packed weight of n spatial dimensions, without the one that
// PyTorch adds where there is only one.
// quantizedConvTranspose computes with the real values: there is no int8 kernel.
//
//go:noinline
func quantizedSum(act ops.Activation) func(*call) Value {
	return func(c *call) Value {
		a, b, out := c.tensor(0), c.tensor(1), c.outParams(2)
		if c.sameDims(a, b) {
			return c.apply(int8.Add{Act: act, Out: out}, a, b)
		}
		return c.requantize(c.activate(act, c.arith(ops.Add, c.dequantize(a), c.dequantize(b))), out)
	}
}

func (c *call) sameDims(a, b *build.Tensor) bool { return a.Type().Shape.Equal(b.Type().Shape) }

func (c *call) activate(act ops.Activation, x *build.Tensor) *build.Tensor {
	if act == ops.ActReLU {
		return c.unary(ops.Unary{Fn: ops.ReLU}, x)
	}
	return x
}

//go:noinline
func quantizedProduct(act ops.Activation) func(*call) Value {
	return func(c *call) Value {
		a, b, out := c.tensor(0), c.tensor(1), c.outParams(2)
		for _, pair := range [][2]*build.Tensor{{a, b}, {b, a}} {
			op := int8.Mul{Act: act, Out: out}
			if _, err := op.Infer([]ops.Type{pair[0].Type(), pair[1].Type()}); err == nil {
				return c.apply(op, pair[0], pair[1])
			}
		}
		return c.requantize(c.activate(act, c.arith(ops.Mul, c.dequantize(a), c.dequantize(b))), out)
	}
}

func quantizedMatmul(c *call) Value {
	return c.requantize(c.matmul(c.dequantize(c.tensor(0)), c.dequantize(c.tensor(1))), c.outParams(2))
}

// scalarTable is a function of each element with parameters that fit it.
func (c *call) scalarTable(label string, x *build.Tensor, out *tensor.QParams, relu bool, f func(float32) float32) *build.Tensor {
	return c.apply(int8.NewTable(label, c.params(x), out, func(v float32) float32 {
		if v = f(v); relu {
			v = max(v, 0)
		}
		return v
	}), x)
}

// swapped lowers a number and a tensor as the tensor and the number.
//
//go:noinline
func swapped(lower func(*call) Value) func(*call) Value {
	return func(c *call) Value {
		c.args[0], c.args[1] = c.args[1], c.args[0]
		return lower(c)
	}
}

// addScalar moves the zero point as long as that stays within the integers, and
// else the scale, as PyTorch does.
//
//go:noinline
func addScalar(relu bool) func(*call) Value {
	return func(c *call) Value {
		x := c.tensor(0)
		q := c.params(x)
		b := c.float(1)
		scale, zero := float64(q.Scale[0]), float64(q.ZeroPoint[0])
		steps := math.RoundToEven(b / scale)
		b = steps * scale // only whole steps are added
		z := zero - steps
		switch {
		case z < 0:
			scale, z = (255-z)/255*scale, 0
		case z > 255:
			scale, z = z/255*scale, 255
		}
		out := tensor.PerTensor(tensor.Uint8, float32(scale), int32(z))
		return c.scalarTable("add", x, out, relu, func(v float32) float32 { return v + float32(b) })
	}
}

// mulScalar scales the scale.
//
//go:noinline
func mulScalar(relu bool) func(*call) Value {
	return func(c *call) Value {
		x := c.tensor(0)
		q := c.params(x)
		b := c.float(1)
		out := tensor.PerTensor(tensor.Uint8, float32(float64(q.Scale[0])*math.Abs(b)), q.ZeroPoint[0])
		switch {
		case b == 0:
			out = tensor.PerTensor(tensor.Uint8, 1, 0)
		case b < 0:
			out.ZeroPoint[0] = 255 - q.ZeroPoint[0]
		}
		return c.scalarTable("mul", x, out, relu, func(v float32) float32 { return v * float32(b) })
	}
}

//go:noinline
func quantizedCat(relu bool) func(*call) Value {
	return func(c *call) Value {
		in := c.tensors(0)
		if len(in) == 0 {
			return c.fail("there is nothing to join")
		}
		q := c.params(in[0])
		if !c.isNone(2) && !c.isNone(3) {
			q = c.outParams(2)
		}
		y := c.joinQuantized(in, c.axis(1, in[0].Rank()), q)
		if relu {
			y = c.unary(ops.Unary{Fn: ops.ReLU}, y)
		}
		return y
	}
}

//go:noinline
func quantizedFunction(fn ops.UnaryFn, out int) func(*call) Value {
	return func(c *call) Value { return c.tableOf(ops.Unary{Fn: fn}, c.tensor(0), c.outParams(out)) }
}

func quantizedLeaky(c *call) Value {
	return c.tableOf(ops.Unary{Fn: ops.LeakyReLU, Alpha: c.float(1)}, c.tensor(0), c.outParams(3))
}

//go:noinline
func quantizedELU(fn ops.UnaryFn) func(*call) Value {
	return func(c *call) Value {
		if len(c.args) > 4 && (c.float(4) != 1 || c.float(5) != 1) {
			return c.unsupported("with a scale")
		}
		return c.tableOf(ops.Unary{Fn: fn, Alpha: c.float(3)}, c.tensor(0), c.outParams(1))
	}
}

func quantizedSoftmax(c *call) Value {
	x := c.tensor(0)
	return c.throughFloatTo(x, c.outParams(2), func(x *build.Tensor) *build.Tensor { return c.apply(ops.Softmax{Axis: c.axis(1, x.Rank())}, x) })
}

//go:noinline
func quantizedBatchNorm(relu bool) func(*call) Value {
	return func(c *call) Value {
		return c.throughFloatTo(c.tensor(0), c.outParams(6), func(x *build.Tensor) *build.Tensor {
			y := c.normalize(x, c.tensor(1), c.tensor(2), c.tensor(3), c.tensor(4), c.float(5))
			if relu {
				y = c.unary(ops.Unary{Fn: ops.ReLU}, y)
			}
			return y
		})
	}
}

func quantizedLayerNorm(c *call) Value {
	op := ops.LayerNorm{Dims: len(c.numbers(1)), Eps: c.float(4), HasWeight: !c.isNone(2), HasBias: !c.isNone(3)}
	return c.throughFloatTo(c.tensor(0), c.outParams(5), func(x *build.Tensor) *build.Tensor { return c.applyFloat(op, x, c.tensor(2), c.tensor(3)) })
}

func quantizedGroupNorm(c *call) Value {
	op := ops.GroupNorm{Groups: c.int(1), Eps: c.float(4), HasWeight: !c.isNone(2), HasBias: !c.isNone(3)}
	return c.throughFloatTo(c.tensor(0), c.outParams(5), func(x *build.Tensor) *build.Tensor { return c.applyFloat(op, x, c.tensor(2), c.tensor(3)) })
}

func quantizedInstanceNorm(c *call) Value {
	op := ops.InstanceNorm{Eps: c.float(3), HasWeight: !c.isNone(1), HasBias: !c.isNone(2)}
	return c.throughFloatTo(c.tensor(0), c.outParams(4), func(x *build.Tensor) *build.Tensor { return c.applyFloat(op, x, c.tensor(1), c.tensor(2)) })
}
