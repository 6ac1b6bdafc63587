package aten

import (
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// OctetFunctions is where the archives that octet's package torchscript writes have the int8 operators that PyTorch lacks, as functions.
// A call of one is not executed: it is the operator octet:: of that name. Its body is what it is in PyTorch.
const OctetFunctions = "__torch__.octet_int8."

// octetOperators are the functions of OctetFunctions. A scale of 0 stands for a float32 output; unit says what an integer bias is a
// multiple of, and is not read: it follows from the scales.
var octetOperators = []operator{
	{"octet::conv", "x:T weight:T bias:T? unit:T? residual:T? stride:I padding:I dilation:I groups:i act:i scale:f zero:i", octetConv},
	{"octet::linear", "x:T weight:T bias:T? unit:T? residual:T? act:i scale:f zero:i", octetLinear},
	{"octet::dynamic_linear", "x:T weight:T bias:T? residual:T? rule:i lo:i hi:i eps:f act:i", octetDynamicLinear},
	{"octet::embedding", "table:T indices:T", func(c *call) Value { return c.apply(int8.Embedding{}, c.tensor(0), c.tensor(1)) }},
	{"octet::table", "x:T values:T scale:f zero:i", octetTable},
	{"octet::binary", "x:T y:T fn:i act:i scale:f zero:i", octetBinary},
	{"octet::softmax", "x:T axis:i log:b scale:f zero:i", func(c *call) Value {
		return c.apply(int8.Softmax{SoftmaxAttributes: ops.SoftmaxAttributes{Axis: c.int(1), Log: c.bool(2)}, Out: c.outParams(3)}, c.tensor(0))
	}},
	{"octet::matmul", "x:T y:T turn:b scale:f zero:i", func(c *call) Value {
		return c.apply(int8.MatMul{MatMulAttributes: ops.MatMulAttributes{TransposeB: c.bool(2)}, Out: c.outParams(3)}, c.tensor(0), c.tensor(1))
	}},
	{"octet::attention", "q:T k:T v:T mask:T? by:f causal:b heads_last:b zero_masked:b scale:f zero:i", func(c *call) Value {
		return c.apply(int8.Attention{AttentionAttributes: ops.AttentionAttributes{
			Scale: c.float(4), Causal: c.bool(5), HasMask: !c.isNone(3), HeadsLast: c.bool(6), ZeroMasked: c.bool(7),
		}, Out: c.outParams(8)}, c.octetInputs(0, 1, 2, 3)...)
	}},
	{"octet::avg_pool", "x:T kernel:I stride:I padding:I ceil:b include:b divisor:i scale:f zero:i", octetAvgPool},
	{"octet::adaptive_avg_pool", "x:T size:I scale:f zero:i", octetAdaptiveAvgPool},
}

// octetOut is outParams, nil where the scale is 0.
func (c *call) octetOut(i int) *tensor.QParams {
	if c.float(i) == 0 {
		return nil
	}
	return c.outParams(i)
}

// octetAct returns argument i, a clamp.
func (c *call) octetAct(i int) ops.Activation {
	if v := c.int(i); v > 0 && v <= int(ops.ActReLU6) {
		return ops.Activation(v)
	} else if v != 0 {
		c.fail("there is no activation %d", v)
	}
	return ops.NoActivation
}

// octetInputs returns those of the tensors in arguments that are not None.
func (c *call) octetInputs(arguments ...int) []*build.Tensor {
	var in []*build.Tensor
	for _, i := range arguments {
		if !c.isNone(i) {
			in = append(in, c.tensor(i))
		}
	}
	return in
}

func octetConv(c *call) Value {
	n := len(c.numbers(5))
	return c.apply(int8.Conv{ConvAttributes: ops.ConvAttributes{
		Stride: c.intsFor(5, n), Padding: c.intsFor(6, n), Dilation: c.intsFor(7, n), Groups: c.int(8),
		HasBias: !c.isNone(2), HasResidual: !c.isNone(4), Act: c.octetAct(9),
	}, Out: c.octetOut(10)}, c.octetInputs(0, 1, 2, 4)...)
}

func octetLinear(c *call) Value {
	attributes := ops.LinearAttributes{HasBias: !c.isNone(2), HasResidual: !c.isNone(4), Act: c.octetAct(5)}
	return c.apply(int8.Linear{LinearAttributes: attributes, Out: c.octetOut(6)}, c.octetInputs(0, 1, 2, 4)...)
}

func octetDynamicLinear(c *call) Value {
	by := int8.InputRange{Rule: int8.RangeRule(c.int(4)), Lo: int32(c.int(5)), Hi: int32(c.int(6)), Eps: c.float(7)}
	if by.Rule == int8.EachRow {
		by = int8.InputRange{}
	}
	attributes := ops.LinearAttributes{HasBias: !c.isNone(2), HasResidual: !c.isNone(3), Act: c.octetAct(8)}
	return c.apply(int8.DynamicLinear{LinearAttributes: attributes, Range: by}, c.octetInputs(0, 1, 2, 3)...)
}

func octetTable(c *call) Value {
	values := c.known(c.tensor(1))
	if values == nil || values.DType() != tensor.Uint8 || values.Numel() != 256 || values.QParams() != nil {
		return c.fail("a table of other than 256 constant bytes")
	}
	t := int8.Table{Label: "table", Values: new([256]uint8), Out: c.outParams(2)}
	copy(t.Values[:], values.Contiguous().Uint8s())
	return c.apply(t, c.tensor(0))
}

func octetBinary(c *call) Value {
	act, out := c.octetAct(3), c.outParams(4)
	var op ops.Op
	switch c.int(2) {
	case 0:
		op = int8.Add{Act: act, Out: out}
	case 1:
		op = int8.Sub{Act: act, Out: out}
	case 2:
		op = int8.Mul{Act: act, Out: out}
	case 3:
		op = int8.Max{Act: act, Out: out}
	case 4:
		op = int8.Min{Act: act, Out: out}
	default:
		return c.fail("there is no function %d", c.int(2))
	}
	return c.apply(op, c.tensor(0), c.tensor(1))
}

func octetAvgPool(c *call) Value {
	n := len(c.numbers(1))
	return c.apply(int8.AvgPool{AvgPoolAttributes: ops.AvgPoolAttributes{
		Kernel: c.intsFor(1, n), Stride: c.intsFor(2, n), Padding: c.intsFor(3, n), CeilMode: c.bool(4), CountIncludePad: c.bool(5), Divisor: c.int(6),
	}, Out: c.outParams(7)}, c.tensor(0))
}

func octetAdaptiveAvgPool(c *call) Value {
	size := c.intsFor(1, len(c.numbers(1)))
	return c.apply(int8.AdaptiveAvgPool{AdaptiveAvgPoolAttributes: ops.AdaptiveAvgPoolAttributes{Size: size}, Out: c.outParams(2)}, c.tensor(0))
}
