package torchscript

import (
	"slices"

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
	{"quantized::linear", "X:T W_prepack:P" + quantizedOut, quantizedLinear(ops.NoActivation)},
	{"quantized::linear_relu", "X:T W_prepack:P" + quantizedOut, quantizedLinear(ops.ReLU)},
	{"quantized::linear_dynamic", "X:T W_prepack:P reduce_range:b=False", dynamicLinear(ops.NoActivation)},
	{"quantized::linear_relu_dynamic", "X:T W_prepack:P reduce_range:b=False", dynamicLinear(ops.ReLU)},
	{"quantized::linear_prepack_fp16", "W:T B:T?=None", linearPrepackHalf},
	{"quantized::linear_unpack_fp16", "W_prepack:P", unpackArgument},
	{"quantized::linear_dynamic_fp16", "X:T W_prepack:P", halfLinear(ops.NoActivation)},
	{"quantized::linear_relu_dynamic_fp16", "X:T W_prepack:P", halfLinear(ops.ReLU)},
	{"quantized::conv_prepack", prepackParams, convPrepack},
	{"quantized::conv1d_prepack", prepackParams, convPrepack},
	{"quantized::conv2d_prepack", prepackParams, convPrepack},
	{"quantized::conv3d_prepack", prepackParams, convPrepack},
	{"quantized::conv_unpack", "packed_weights:P", unpackArgument},
	{"quantized::conv1d_unpack", "packed_weights:P", unpackArgument},
	{"quantized::conv2d_unpack", "packed_weights:P", unpackArgument},
	{"quantized::conv3d_unpack", "packed_weights:P", unpackArgument},
	{"quantized::conv1d", "qx:T packed_weight:P" + quantizedOut, quantizedConv(1, ops.NoActivation)},
	{"quantized::conv1d_relu", "qx:T packed_weight:P" + quantizedOut, quantizedConv(1, ops.ReLU)},
	{"quantized::conv2d", "qx:T packed_weight:P" + quantizedOut, quantizedConv(2, ops.NoActivation)},
	{"quantized::conv2d_relu", "qx:T packed_weight:P" + quantizedOut, quantizedConv(2, ops.ReLU)},
	{"quantized::conv2d", "qx:T packed_weight:P stride:I padding:I dilation:I groups:i" + quantizedOut, quantizedConvOld(ops.NoActivation)},
	{"quantized::conv2d_relu", "qx:T packed_weight:P stride:I padding:I dilation:I groups:i" + quantizedOut, quantizedConvOld(ops.ReLU)},
	{"quantized::conv3d", "qx:T packed_weight:P" + quantizedOut, quantizedConv(3, ops.NoActivation)},
	{"quantized::conv3d_relu", "qx:T packed_weight:P" + quantizedOut, quantizedConv(3, ops.ReLU)},
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

func (c *call) packed(i int) *packed { return c.args[i].(*packed) }

func unpackArgument(c *call) value { return c.packed(0).unpack() }

func linearPrepack(c *call) value { return c.pack("LinearPackedParamsBase") }

func (c *call) pack(class string) *packed {
	p, err := packWeights(class, c.args[0], c.args[1])
	if err != nil {
		c.failed(err)
		return &packed{}
	}
	return p
}

func convPrepack(c *call) value {
	p := c.pack("Conv2dPackedParamsBase")
	if c.err != nil {
		return p
	}
	n := p.weight.Rank() - 2
	p.stride, p.padding, p.dilation, p.groups = c.intsFor(2, n), c.intsFor(3, n), c.intsFor(4, n), c.int(5)
	p.outputPadding = make([]int, max(n, 0))
	return p
}

func convTransposePrepack(c *call) value {
	p := c.pack("Conv2dPackedParamsBase")
	if c.err != nil {
		return p
	}
	n := p.weight.Rank() - 2
	p.stride, p.padding, p.outputPadding = c.intsFor(2, n), c.intsFor(3, n), c.intsFor(4, n)
	p.dilation, p.groups, p.transposed = c.intsFor(5, n), c.int(6), true
	return p
}

func quantizedLinear(act ops.Activation) func(*call) value {
	return func(c *call) value {
		out := c.outParams(2)
		return c.layer(c.tensor(0), c.packed(1), c.packed(1).weight, false, func(hasBias bool) ops.Op {
			return int8.Linear{Linear: ops.Linear{HasBias: hasBias, Act: act}, Out: out}
		})
	}
}

func dynamicLinear(act ops.Activation) func(*call) value {
	return func(c *call) value {
		p := c.packed(1)
		w := parameter(join(c.scope.Path, "weight"), p.weight)
		in := []*Tensor{c.tensor(0), w}
		if p.bias != nil {
			in = append(in, parameter(join(c.scope.Path, "bias"), p.bias))
		}
		return c.apply(int8.DynamicLinear{Linear: ops.Linear{HasBias: p.bias != nil, Act: act}}, in...)
	}
}

func linearPrepackHalf(c *call) value {
	p := c.pack("LinearPackedParamsBase")
	if c.err != nil {
		return p
	}
	half, err := p.weight.To(tensor.Float16)
	if err == nil {
		p.weight, err = half.To(tensor.Float32)
	}
	c.failed(err)
	return p
}

func halfLinear(act ops.Activation) func(*call) value {
	return func(c *call) value {
		p := c.packed(1)
		var bias *Tensor
		if p.bias != nil {
			bias = parameter(join(c.scope.Path, "bias"), p.bias)
		}
		y := c.linear(c.tensor(0), parameter(join(c.scope.Path, "weight"), p.weight), bias)
		if act == ops.ReLU {
			y = c.unary(ops.Unary{Fn: ops.Relu}, y)
		}
		return y
	}
}

func spatialParams(list []int, n int) []int { return list[max(len(list)-n, 0):] }

func quantizedConv(n int, act ops.Activation) func(*call) value {
	return func(c *call) value { return c.quantizedConv(c.tensor(0), c.packed(1), n, act, c.outParams(2)) }
}

func quantizedConvOld(act ops.Activation) func(*call) value {
	return func(c *call) value { return c.quantizedConv(c.tensor(0), c.packed(1), 2, act, c.outParams(6)) }
}

func (c *call) quantizedConv(x *Tensor, p *packed, n int, act ops.Activation, out *tensor.QParams) *Tensor {
	if p.transposed {
		c.fail("its weight is packed for a transposed convolution")
		return c.anything()
	}
	op := ops.Conv{
		Stride: spatialParams(p.stride, n), Padding: spatialParams(p.padding, n), Dilation: spatialParams(p.dilation, n), Groups: p.groups, Act: act,
	}
	weight := c.weightOf(p, n)
	depthwise := c.err == nil && p.groups > 1 && weight.Rank() > 1 && weight.Dim(1) == 1
	return c.onBatch(x, n, func(x *Tensor) *Tensor {
		return c.layer(x, p, weight, depthwise, func(hasBias bool) ops.Op {
			op.HasBias = hasBias
			return int8.Conv{Conv: op, Out: out}
		})
	})
}

func (c *call) weightOf(p *packed, n int) *tensor.Tensor {
	if p.weight.Rank() != n+3 || p.weight.Dim(2) != 1 {
		return p.weight
	}
	if p.flat == nil {
		flat, err := p.weight.Contiguous().Reshape(slices.Delete(p.weight.Shape().Clone(), 2, 3)...)
		if err != nil {
			c.failed(err)
			return p.weight
		}
		p.flat = flat
	}
	return p.flat
}

func quantizedConvTranspose(n int) func(*call) value {
	return func(c *call) value {
		x, p, out := c.tensor(0), c.packed(1), c.outParams(2)
		w, err := realValues(c.weightOf(p, n))
		if err != nil {
			return c.failed(err)
		}
		weight := parameter(join(c.scope.Path, "weight"), w)
		var bias *Tensor
		if p.bias != nil {
			bias = parameter(join(c.scope.Path, "bias"), p.bias)
		}
		op := ops.ConvTranspose{
			Stride: spatialParams(p.stride, n), Padding: spatialParams(p.padding, n), OutputPadding: spatialParams(p.outputPadding, n),
			Dilation: spatialParams(p.dilation, n), Groups: p.groups,
		}
		return c.throughFloatTo(x, out, func(x *Tensor) *Tensor {
			y, _ := c.convolveTransposed(x, weight, bias, op).(*Tensor)
			return y
		})
	}
}
