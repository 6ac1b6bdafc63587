package nn

import (
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// GELU is torch.nn.GELU, the exact one.
type GELU struct{}

func (GELU) Class() string { return "torch.nn.modules.activation.GELU" }

func (GELU) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Unary{Fn: ops.GELU}, x[0])
}

// Hardsigmoid is torch.nn.Hardsigmoid.
type Hardsigmoid struct{}

func (Hardsigmoid) Class() string { return "torch.nn.modules.activation.Hardsigmoid" }

func (Hardsigmoid) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Unary{Fn: ops.HardSigmoid}, x[0])
}

// Hardswish is torch.nn.Hardswish.
type Hardswish struct{}

func (Hardswish) Class() string { return "torch.nn.modules.activation.Hardswish" }

func (Hardswish) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Unary{Fn: ops.HardSwish}, x[0])
}

// LogSigmoid is torch.nn.LogSigmoid.
type LogSigmoid struct{}

func (LogSigmoid) Class() string { return "torch.nn.modules.activation.LogSigmoid" }

func (LogSigmoid) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Unary{Fn: ops.LogSigmoid}, x[0])
}

// Mish is torch.nn.Mish.
type Mish struct{}

func (Mish) Class() string { return "torch.nn.modules.activation.Mish" }

func (Mish) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Unary{Fn: ops.Mish}, x[0])
}

// ReLU is torch.nn.ReLU.
type ReLU struct{}

func (ReLU) Class() string { return "torch.nn.modules.activation.ReLU" }

func (ReLU) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Unary{Fn: ops.ReLU}, x[0])
}

// ReLU6 is torch.nn.ReLU6.
type ReLU6 struct{}

func (ReLU6) Class() string { return "torch.nn.modules.activation.ReLU6" }

func (ReLU6) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Unary{Fn: ops.ReLU6}, x[0])
}

// SELU is torch.nn.SELU.
type SELU struct{}

func (SELU) Class() string { return "torch.nn.modules.activation.SELU" }

func (SELU) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Unary{Fn: ops.SELU}, x[0])
}

// Sigmoid is torch.nn.Sigmoid.
type Sigmoid struct{}

func (Sigmoid) Class() string { return "torch.nn.modules.activation.Sigmoid" }

func (Sigmoid) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Unary{Fn: ops.Sigmoid}, x[0])
}

// SiLU is torch.nn.SiLU.
type SiLU struct{}

func (SiLU) Class() string { return "torch.nn.modules.activation.SiLU" }

func (SiLU) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Unary{Fn: ops.SiLU}, x[0])
}

// Softsign is torch.nn.Softsign.
type Softsign struct{}

func (Softsign) Class() string { return "torch.nn.modules.activation.Softsign" }

func (Softsign) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Unary{Fn: ops.Softsign}, x[0])
}

// Tanh is torch.nn.Tanh.
type Tanh struct{}

func (Tanh) Class() string { return "torch.nn.modules.activation.Tanh" }

func (Tanh) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Unary{Fn: ops.Tanh}, x[0])
}

// ELU is torch.nn.ELU; an Alpha of 0 means 1.
type ELU struct {
	Alpha float64
}

func (ELU) Class() string { return "torch.nn.modules.activation.ELU" }

func (m ELU) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Unary{Fn: ops.ELU, Alpha: numberOr(m.Alpha, 1)}, x[0])
}

// Softplus is torch.nn.Softplus; a Beta of 0 means 1, a Threshold of 0 means 20.
type Softplus struct {
	Beta, Threshold float64
}

func (Softplus) Class() string { return "torch.nn.modules.activation.Softplus" }

func (m Softplus) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Unary{Fn: ops.Softplus, Alpha: numberOr(m.Beta, 1), Beta: numberOr(m.Threshold, 20)}, x[0])
}

// LeakyReLU is torch.nn.LeakyReLU; a Slope of 0 means 0.01.
type LeakyReLU struct {
	Slope float64
}

func (LeakyReLU) Class() string { return "torch.nn.modules.activation.LeakyReLU" }

func (m LeakyReLU) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Unary{Fn: ops.LeakyReLU, Alpha: numberOr(m.Slope, 0.01)}, x[0])
}

// PReLU is torch.nn.PReLU: x where it is positive, else x times the parameter weight, one for each channel of [N, Channels, ...] or, with
// Channels of 0 or 1, one for all.
type PReLU struct {
	Channels int
}

func (PReLU) Class() string { return "torch.nn.modules.activation.PReLU" }

func (m PReLU) Forward(c *Context, x ...*graph.Value) *graph.Value {
	slope := c.Parameter("weight", Ones, max(m.Channels, 1))
	if m.Channels <= 1 {
		return c.Apply(ops.Unary{Fn: ops.LeakyReLU, Alpha: float64(slope.Const.Float32s()[0])}, x[0])
	}
	shape := []int{m.Channels}
	for range max(len(x[0].Type.Shape)-2, 0) {
		shape = append(shape, 1)
	}
	below := c.Apply(ops.Binary{Fn: ops.Mul}, x[0], c.Apply(ops.Reshape{Shape: shape}, slope))
	zero := c.Const(tensor.Scalar(float32(0)))
	return c.Apply(ops.Where{}, c.Apply(ops.Binary{Fn: ops.Gt, BNumber: true}, x[0], zero), x[0], below)
}

// Softmax is torch.nn.Softmax over the dimension Dim; negative ones count from the end.
type Softmax struct {
	Dim int
}

func (Softmax) Class() string { return "torch.nn.modules.activation.Softmax" }

func (m Softmax) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Softmax{Axis: m.Dim}, x[0])
}

// LogSoftmax is torch.nn.LogSoftmax over the dimension Dim; negative ones count from the end.
type LogSoftmax struct {
	Dim int
}

func (LogSoftmax) Class() string { return "torch.nn.modules.activation.LogSoftmax" }

func (m LogSoftmax) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Softmax{Axis: m.Dim, Log: true}, x[0])
}

// CELU is torch.nn.CELU; an Alpha of 0 means 1.
type CELU struct {
	Alpha float64
}

func (CELU) Class() string { return "torch.nn.modules.activation.CELU" }

func (m CELU) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Unary{Fn: ops.CELU, Alpha: numberOr(m.Alpha, 1)}, x[0])
}

// Hardshrink is torch.nn.Hardshrink; a Lambda of 0 means 0.5.
type Hardshrink struct {
	Lambda float64
}

func (Hardshrink) Class() string { return "torch.nn.modules.activation.Hardshrink" }

func (m Hardshrink) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Unary{Fn: ops.Hardshrink, Alpha: numberOr(m.Lambda, 0.5)}, x[0])
}

// Softshrink is torch.nn.Softshrink; a Lambda of 0 means 0.5.
type Softshrink struct {
	Lambda float64
}

func (Softshrink) Class() string { return "torch.nn.modules.activation.Softshrink" }

func (m Softshrink) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Unary{Fn: ops.Softshrink, Alpha: numberOr(m.Lambda, 0.5)}, x[0])
}

// Threshold is torch.nn.Threshold: Value where x is not greater than Above.
type Threshold struct {
	Above, Value float64
}

func (Threshold) Class() string { return "torch.nn.modules.activation.Threshold" }

func (m Threshold) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Unary{Fn: ops.Threshold, Alpha: m.Above, Beta: m.Value}, x[0])
}

// Hardtanh is torch.nn.Hardtanh: x between Min and Max; both of 0 mean -1 and 1.
type Hardtanh struct {
	Min, Max float64
}

func (Hardtanh) Class() string { return "torch.nn.modules.activation.Hardtanh" }

func (m Hardtanh) Forward(c *Context, x ...*graph.Value) *graph.Value {
	if m == (Hardtanh{}) {
		m = Hardtanh{-1, 1}
	}
	return c.Apply(ops.Unary{Fn: ops.Clamp, Alpha: m.Min, Beta: m.Max}, x[0])
}

// Tanhshrink is torch.nn.Tanhshrink: x - tanh(x).
type Tanhshrink struct{}

func (Tanhshrink) Class() string { return "torch.nn.modules.activation.Tanhshrink" }

func (Tanhshrink) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Binary{Fn: ops.Sub}, x[0], c.Apply(ops.Unary{Fn: ops.Tanh}, x[0]))
}

// GLU is torch.nn.GLU: the first half along the dimension Dim, times the sigmoid of the second; negative ones count from the end.
type GLU struct {
	Dim int
}

func (GLU) Class() string { return "torch.nn.modules.activation.GLU" }

func (m GLU) Forward(c *Context, x ...*graph.Value) *graph.Value {
	extent := c.Apply(ops.SizeOf{Axis: m.Dim}, x[0])
	half := c.Apply(ops.Binary{Fn: ops.FloorDiv}, extent, c.Const(tensor.Scalar(int64(2))))
	side := func(start, end *graph.Value) *graph.Value {
		return c.Apply(ops.SliceTo{Axis: m.Dim, Step: 1}, x[0], start, end)
	}
	gate := c.Apply(ops.Unary{Fn: ops.Sigmoid}, side(half, extent))
	return c.Apply(ops.Binary{Fn: ops.Mul}, side(c.Const(tensor.Scalar(int64(0))), half), gate)
}

// Softmin is torch.nn.Softmin over the dimension Dim; negative ones count from the end.
type Softmin struct {
	Dim int
}

func (Softmin) Class() string { return "torch.nn.modules.activation.Softmin" }

func (m Softmin) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Softmax{Axis: m.Dim}, c.Apply(ops.Unary{Fn: ops.Neg}, x[0]))
}

// Softmax2d is torch.nn.Softmax2d: over the channels of [N, C, H, W] or [C, H, W].
type Softmax2d struct{}

func (Softmax2d) Class() string { return "torch.nn.modules.activation.Softmax2d" }

func (Softmax2d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Softmax{Axis: -3}, x[0])
}

// RReLU is torch.nn.RReLU in evaluation mode, a LeakyReLU of the slope between Lower and Upper; both of 0 mean 1/8 and 1/3.
type RReLU struct {
	Lower, Upper float64
}

func (RReLU) Class() string { return "torch.nn.modules.activation.RReLU" }

func (m RReLU) Forward(c *Context, x ...*graph.Value) *graph.Value {
	if m == (RReLU{}) {
		m = RReLU{1. / 8, 1. / 3}
	}
	return c.Apply(ops.Unary{Fn: ops.LeakyReLU, Alpha: (m.Lower + m.Upper) / 2}, x[0])
}

// numberOr returns v, or what PyTorch has by itself where that is 0.
func numberOr(v, otherwise float64) float64 {
	if v == 0 {
		return otherwise
	}
	return v
}
