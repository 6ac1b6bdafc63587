package aten

import (
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

var activations = []operator{
	{"aten::relu", "self:T", unary(ops.ReLU)},
	{"aten::relu6", "self:T", unary(ops.ReLU6)},
	{"aten::sigmoid", "self:T", unary(ops.Sigmoid)},
	{"aten::tanh", "self:T", unary(ops.Tanh)},
	{"aten::silu", "self:T", unary(ops.SiLU)},
	{"aten::mish", "self:T", unary(ops.Mish)},
	{"aten::selu", "self:T", unary(ops.SELU)},
	{"aten::hardswish", "self:T", unary(ops.HardSwish)},
	{"aten::hardsigmoid", "self:T", unary(ops.HardSigmoid)},
	{"aten::log_sigmoid", "self:T", unary(ops.LogSigmoid)},
	{"aten::gelu", "self:T | approximate:s='none'", gelu},
	{"aten::hardtanh", "self:T min_val:n=-1 max_val:n=1", unaryWith(ops.Clamp)},
	{"aten::leaky_relu", "self:T negative_slope:n=0.01", unaryWith(ops.LeakyReLU)},
	{"aten::elu", "self:T alpha:n=1 scale:n=1 input_scale:n=1", elu},
	{"aten::celu", "self:T alpha:n=1", unaryWith(ops.CELU)},
	{"aten::softplus", "self:T beta:n=1 threshold:n=20", unaryWith(ops.Softplus)},
	{"aten::hardshrink", "self:T lambd:n=0.5", unaryWith(ops.Hardshrink)},
	{"aten::softshrink", "self:T lambd:n=0.5", unaryWith(ops.Softshrink)},
	{"aten::threshold", "self:T threshold:n value:n", unaryWith(ops.Threshold)},
	{"aten::prelu", "self:T weight:T", prelu},
	{"aten::rrelu", "self:T lower:n=0.125 upper:n=0.3333333333333333 training:b=False generator:v?=None", rrelu},
	{"aten::glu", "self:T dim:i=-1", glu},
	{"aten::softmax", "self:T dim:i dtype:i?=None", softmax(false)},
	{"aten::log_softmax", "self:T dim:i dtype:i?=None", softmax(true)},
	{"aten::_softmax", "self:T dim:i half_to_float:b", plainSoftmax(false)},
	{"aten::_log_softmax", "self:T dim:i half_to_float:b", plainSoftmax(true)},
}

// unary lowers a function of one element without parameters.
//
//go:noinline
func unary(fn ops.UnaryFn) func(*call) Value {
	return func(c *call) Value { return c.unary(ops.Unary{Fn: fn}, c.tensor(0)) }
}

// unaryWith lowers a function of one element whose parameters are the arguments
// behind the tensor.
//
//go:noinline
func unaryWith(fn ops.UnaryFn) func(*call) Value {
	return func(c *call) Value {
		op := ops.Unary{Fn: fn, Alpha: c.float(1)}
		if len(c.args) > 2 {
			op.Beta = c.float(2)
		}
		return c.unary(op, c.tensor(0))
	}
}

// unary applies a function of one element.
func (c *call) unary(op ops.Unary, x *build.Tensor) *build.Tensor {
	switch {
	case x.Type().Q != nil:
		return c.quantizedUnary(op, x)
	case x.Complex:
		return c.complexUnary(op, x)
	}
	if op.Fn == ops.Clamp && op.Alpha == 0 && op.Beta == 6 {
		op = ops.Unary{Fn: ops.ReLU6}
	}
	return c.apply(op, x)
}

func gelu(c *call) Value {
	switch c.string(1) {
	case "none":
		return c.unary(ops.Unary{Fn: ops.GELU}, c.tensor(0))
	case "tanh":
		return c.unary(ops.Unary{Fn: ops.GELUTanh}, c.tensor(0))
	}
	return c.fail("unknown approximation %q", c.string(1))
}

// elu is scale * (x where positive, else alpha * (exp(x * input_scale) - 1)).
func elu(c *call) Value {
	x, alpha, scale, inputScale := c.tensor(0), c.float(1), c.float(2), c.float(3)
	if scale == 1 && inputScale == 1 {
		return c.unary(ops.Unary{Fn: ops.ELU, Alpha: alpha}, x)
	}
	positive := c.arithNumber(ops.Gt, x, int64(0))
	below := c.apply(ops.Unary{Fn: ops.Expm1}, c.arithNumber(ops.Mul, x, inputScale))
	y := c.apply(ops.Where{}, positive, x, c.arithNumber(ops.Mul, below, alpha))
	return c.arithNumber(ops.Mul, y, scale)
}

// prelu is x where positive, else weight times x, with one weight for each channel or for all.
func prelu(c *call) Value {
	x, weight := c.tensor(0), c.tensor(1)
	if n := weight.Type().Numel(); n == 1 && c.Err() == nil {
		if w := c.known(weight); w != nil {
			slope, _ := build.PlainElement(w)
			f, _ := build.ToFloat(slope)
			return c.unary(ops.Unary{Fn: ops.LeakyReLU, Alpha: f}, x)
		}
	}
	if x.Type().Q != nil {
		return c.unsupported("per channel on quantized values")
	}
	to := make([]*build.Number, max(x.Rank(), 1))
	for i := range to {
		to[i] = build.Extent(1)
	}
	if len(to) > 1 {
		to[1] = c.length(weight)
	}
	scaled := c.arith(ops.Mul, x, c.reshape(weight, to))
	return c.apply(ops.Where{}, c.arithNumber(ops.Gt, x, int64(0)), x, scaled)
}

func rrelu(c *call) Value {
	if c.bool(3) {
		x := c.tensor(0)
		noise := c.drawLike(ops.Random{Fn: ops.Uniform, A: c.float(1), B: c.float(2), Each: true}, build.NewTensor(c.read(x))) // in the order of dimensions
		return c.arith(ops.Mul, x, noise)
	}
	return c.unary(ops.Unary{Fn: ops.LeakyReLU, Alpha: (c.float(1) + c.float(2)) / 2}, c.tensor(0))
}

// glu is the first half of a dimension times the sigmoid of the second.
func glu(c *call) Value {
	x := c.tensor(0)
	axis := c.axis(1, x.Rank())
	n := c.extent(x, axis)
	if n%2 != 0 {
		return c.fail("dimension %d has an odd extent, %d", axis, n)
	}
	a := c.apply(ops.Slice{Axis: axis, End: n / 2, Step: 1}, x)
	b := c.apply(ops.Slice{Axis: axis, Start: n / 2, End: n, Step: 1}, x)
	return c.arith(ops.Mul, a, c.apply(ops.Unary{Fn: ops.Sigmoid}, b))
}

//go:noinline
func softmax(log bool) func(*call) Value {
	return func(c *call) Value {
		x := c.tensor(0)
		if x.Type().Q != nil {
			return c.unsupported("on quantized values")
		}
		d := c.dtypeOr(2, x.DType())
		return c.apply(ops.Softmax{Axis: c.axis(1, x.Rank()), Log: log}, c.cast(x, d))
	}
}

//go:noinline
func plainSoftmax(log bool) func(*call) Value {
	return func(c *call) Value {
		x := c.tensor(0)
		y := c.apply(ops.Softmax{Axis: c.axis(1, x.Rank()), Log: log}, x)
		if c.bool(2) {
			y = c.cast(y, tensor.Float32)
		}
		return y
	}
}
