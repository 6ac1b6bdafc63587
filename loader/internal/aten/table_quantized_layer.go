package aten

import (
	"slices"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

const (
	prepackParams    = "weight:T bias:T? stride:I padding:I dilation:I groups:i"
	transposePrepack = "weight:T bias:T? stride:I padding:I output_padding:I dilation:I groups:i"
)

// quantizedLayers are the operators of layers with packed weights.
var quantizedLayers = []operator{
	{"quantized::linear_prepack", "W:T B:T?=None", linearPrepack},
	{"quantized::linear_unpack", "W_prepack:P", unpackArgument},
	{"quantized::linear", "X:T W_prepack:P Y_scale_i:f Y_zero_point_i:i", quantizedLinear(ops.NoActivation)},
	{"quantized::linear_relu", "X:T W_prepack:P Y_scale_i:f Y_zero_point_i:i", quantizedLinear(ops.ActReLU)},
	{"quantized::linear_dynamic", "X:T W_prepack:P reduce_range:b=False", dynamicLinear(ops.NoActivation)},
	{"quantized::linear_relu_dynamic", "X:T W_prepack:P reduce_range:b=False", dynamicLinear(ops.ActReLU)},
	{"quantized::linear_prepack_fp16", "W:T B:T?=None", linearPrepackHalf},
	{"quantized::linear_unpack_fp16", "W_prepack:P", unpackArgument},
	{"quantized::linear_dynamic_fp16", "X:T W_prepack:P", halfLinear(ops.NoActivation)},
	{"quantized::linear_relu_dynamic_fp16", "X:T W_prepack:P", halfLinear(ops.ActReLU)},
	{"quantized::conv_prepack", prepackParams, convPrepack},
	{"quantized::conv1d_prepack", prepackParams, convPrepack},
	{"quantized::conv2d_prepack", prepackParams, convPrepack},
	{"quantized::conv3d_prepack", prepackParams, convPrepack},
	{"quantized::conv_unpack", "packed_weights:P", unpackArgument},
	{"quantized::conv1d_unpack", "packed_weights:P", unpackArgument},
	{"quantized::conv2d_unpack", "packed_weights:P", unpackArgument},
	{"quantized::conv3d_unpack", "packed_weights:P", unpackArgument},
	{"quantized::conv1d", "qx:T packed_weight:P" + quantizedOut, quantizedConv(1, ops.NoActivation)},
	{"quantized::conv1d_relu", "qx:T packed_weight:P" + quantizedOut, quantizedConv(1, ops.ActReLU)},
	{"quantized::conv2d", "qx:T packed_weight:P" + quantizedOut, quantizedConv(2, ops.NoActivation)},
	{"quantized::conv2d_relu", "qx:T packed_weight:P" + quantizedOut, quantizedConv(2, ops.ActReLU)},
	{"quantized::conv2d", "qx:T weight:P stride:I padding:I dilation:I groups:i" + quantizedOut, quantizedConvOld(ops.NoActivation)},
	{"quantized::conv2d_relu", "qx:T weight:P stride:I padding:I dilation:I groups:i" + quantizedOut, quantizedConvOld(ops.ActReLU)},
	{"quantized::conv3d", "qx:T packed_weight:P" + quantizedOut, quantizedConv(3, ops.NoActivation)},
	{"quantized::conv3d_relu", "qx:T packed_weight:P" + quantizedOut, quantizedConv(3, ops.ActReLU)},
	{"quantized::conv_transpose1d_prepack", transposePrepack, convTransposePrepack},
	{"quantized::conv_transpose2d_prepack", transposePrepack, convTransposePrepack},
	{"quantized::conv_transpose3d_prepack", transposePrepack, convTransposePrepack},
	{"quantized::conv_transpose1d_unpack", "packed_weights:P", unpackArgument},
	{"quantized::conv_transpose2d_unpack", "packed_weights:P", unpackArgument},
	{"quantized::conv_transpose3d_unpack", "packed_weights:P", unpackArgument},
	{"quantized::conv_transpose1d", "qx:T packed_weight:P" + quantizedOut, quantizedConvTranspose(1)},
	{"quantized::conv_transpose2d", "qx:T packed_weight:P" + quantizedOut, quantizedConvTranspose(2)},
	{"quantized::conv_transpose3d", "qx:T packed_weight:P" + quantizedOut, quantizedConvTranspose(3)},
}

func (c *call) packed(i int) *Packed { return c.args[i].(*Packed) }

func unpackArgument(c *call) Value { return c.packed(0).Unpack() }

func linearPrepack(c *call) Value { return c.pack("LinearPackedParamsBase") }

func (c *call) pack(class string) *Packed {
	p, err := packWeights(class, c.args[0], c.args[1])
	if err != nil {
		c.failed(err)
		return &Packed{}
	}
	return p
}

func convPrepack(c *call) Value {
	p := c.pack("Conv2dPackedParamsBase")
	if c.Err() != nil {
		return p
	}
	n := p.Weight.Rank() - 2
	p.stride, p.padding, p.dilation, p.groups = c.intsFor(2, n), c.intsFor(3, n), c.intsFor(4, n), c.int(5)
	p.outputPadding = make([]int, max(n, 0))
	return p
}

func convTransposePrepack(c *call) Value {
	p := c.pack("Conv2dPackedParamsBase")
	if c.Err() != nil {
		return p
	}
	n := p.Weight.Rank() - 2
	p.stride, p.padding, p.outputPadding = c.intsFor(2, n), c.intsFor(3, n), c.intsFor(4, n)
	p.dilation, p.groups, p.transposed = c.intsFor(5, n), c.int(6), true
	return p
}

//go:noinline
func quantizedLinear(act ops.Activation) func(*call) Value {
	return func(c *call) Value {
		out := c.outParams(2)
		return c.layer(c.tensor(0), c.packed(1), c.packed(1).Weight, false, func(hasBias bool) ops.Op {
			return int8.Linear{LinearAttributes: ops.LinearAttributes{HasBias: hasBias, Act: act}, Out: out}
		})
	}
}

//go:noinline
func dynamicLinear(act ops.Activation) func(*call) Value {
	return func(c *call) Value {
		p := c.packed(1)
		w := build.Parameter(join(c.Scope.Path, "weight"), p.Weight)
		in := []*build.Tensor{c.tensor(0), w}
		if p.Bias != nil {
			in = append(in, build.Parameter(join(c.Scope.Path, "bias"), p.Bias))
		}
		by := int8.InputRange{Rule: int8.WholeInput, Hi: 255}
		if c.bool(2) {
			by.Hi = 127
		}
		return c.apply(int8.DynamicLinear{LinearAttributes: ops.LinearAttributes{HasBias: p.Bias != nil, Act: act}, Range: by}, in...)
	}
}

func linearPrepackHalf(c *call) Value {
	p := c.pack("LinearPackedParamsBase")
	if c.Err() != nil {
		return p
	}
	half, err := p.Weight.To(tensor.Float16)
	if err == nil {
		p.Weight, err = half.To(tensor.Float32)
	}
	c.failed(err)
	return p
}

//go:noinline
func halfLinear(act ops.Activation) func(*call) Value {
	return func(c *call) Value {
		p := c.packed(1)
		var bias *build.Tensor
		if p.Bias != nil {
			bias = build.Parameter(join(c.Scope.Path, "bias"), p.Bias)
		}
		y := c.linear(c.tensor(0), build.Parameter(join(c.Scope.Path, "weight"), p.Weight), bias)
		if act == ops.ActReLU {
			y = c.unary(ops.Unary{Fn: ops.ReLU}, y)
		}
		return y
	}
}

func spatialParams(list []int, n int) []int { return list[max(len(list)-n, 0):] }

//go:noinline
func quantizedConv(n int, act ops.Activation) func(*call) Value {
	return func(c *call) Value { return c.quantizedConv(c.tensor(0), c.packed(1), n, act, c.outParams(2)) }
}

//go:noinline
func quantizedConvOld(act ops.Activation) func(*call) Value {
	return func(c *call) Value { return c.quantizedConv(c.tensor(0), c.packed(1), 2, act, c.outParams(6)) }
}

func (c *call) quantizedConv(x *build.Tensor, p *Packed, n int, act ops.Activation, out *tensor.QParams) *build.Tensor {
	if p.transposed {
		c.fail("its weight is packed for a transposed convolution")
		return c.anything()
	}
	op := ops.Conv{
		Stride: spatialParams(p.stride, n), Padding: spatialParams(p.padding, n), Dilation: spatialParams(p.dilation, n), Groups: p.groups, Act: act,
	}
	weight := c.weightOf(p, n)
	depthwise := c.Err() == nil && p.groups > 1 && weight.Rank() > 1 && weight.Dim(1) == 1
	return c.onBatch(x, n, func(x *build.Tensor) *build.Tensor {
		return c.layer(x, p, weight, depthwise, func(hasBias bool) ops.Op {
			op.HasBias = hasBias
			return int8.Conv{ConvAttributes: ops.ConvAttributes(op), Out: out}
		})
	})
}

func (c *call) weightOf(p *Packed, n int) *tensor.Tensor {
	if p.Weight.Rank() != n+3 || p.Weight.Dim(2) != 1 {
		return p.Weight
	}
	if p.flat == nil {
		flat, err := p.Weight.Contiguous().Reshape(slices.Delete(p.Weight.Shape().Clone(), 2, 3)...)
		if err != nil {
			c.failed(err)
			return p.Weight
		}
		p.flat = flat
	}
	return p.flat
}

//go:noinline
func quantizedConvTranspose(n int) func(*call) Value {
	return func(c *call) Value {
		x, p, out := c.tensor(0), c.packed(1), c.outParams(2)
		w, err := c.weightOf(p, n).Dequantize()
		if err != nil {
			return c.failed(err)
		}
		weight := build.Parameter(join(c.Scope.Path, "weight"), w)
		var bias *build.Tensor
		if p.Bias != nil {
			bias = build.Parameter(join(c.Scope.Path, "bias"), p.Bias)
		}
		op := ops.ConvTranspose{
			Stride: spatialParams(p.stride, n), Padding: spatialParams(p.padding, n), OutputPadding: spatialParams(p.outputPadding, n),
			Dilation: spatialParams(p.dilation, n), Groups: p.groups,
		}
		return c.throughFloatTo(x, out, func(x *build.Tensor) *build.Tensor {
			y, _ := c.convolveTransposed(x, weight, bias, op).(*build.Tensor)
			return y
		})
	}
}
