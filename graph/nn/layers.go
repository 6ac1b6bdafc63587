package nn

import (
	"strconv"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
)

// Conv2d is torch.nn.Conv2d with square kernels; Stride, Dilation and Groups of
// 0 mean 1. NoBias leaves the bias out.
type Conv2d struct {
	In, Out, Kernel, Stride, Padding, Dilation, Groups int
	NoBias                                             bool
}

func (Conv2d) Class() string { return "torch.nn.modules.conv.Conv2d" }

func (m Conv2d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	pair := func(v int) []int { return []int{v, v} }
	op := ops.Conv{Stride: pair(max(m.Stride, 1)), Padding: pair(m.Padding), Dilation: pair(max(m.Dilation, 1)), Groups: max(m.Groups, 1)}
	return convolve(c, op, m.In, m.Out, pair(m.Kernel), m.NoBias, x[0])
}

// Conv1d is torch.nn.Conv1d; Stride, Dilation and Groups of 0 mean 1. NoBias
// leaves the bias out.
type Conv1d struct {
	In, Out, Kernel, Stride, Padding, Dilation, Groups int
	NoBias                                             bool
}

func (Conv1d) Class() string { return "torch.nn.modules.conv.Conv1d" }

func (m Conv1d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	one := func(v int) []int { return []int{v} }
	op := ops.Conv{Stride: one(max(m.Stride, 1)), Padding: one(m.Padding), Dilation: one(max(m.Dilation, 1)), Groups: max(m.Groups, 1)}
	return convolve(c, op, m.In, m.Out, one(m.Kernel), m.NoBias, x[0])
}

// Conv3d is torch.nn.Conv3d; extents of Stride and Dilation, and Groups, of 0
// mean 1. NoBias leaves the bias out.
type Conv3d struct {
	In, Out                           int
	Kernel, Stride, Padding, Dilation [3]int
	Groups                            int
	NoBias                            bool
}

func (Conv3d) Class() string { return "torch.nn.modules.conv.Conv3d" }

func (m Conv3d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	atLeast1 := func(v [3]int) []int { return []int{max(v[0], 1), max(v[1], 1), max(v[2], 1)} }
	op := ops.Conv{Stride: atLeast1(m.Stride), Padding: m.Padding[:], Dilation: atLeast1(m.Dilation), Groups: max(m.Groups, 1)}
	return convolve(c, op, m.In, m.Out, m.Kernel[:], m.NoBias, x[0])
}

func convolve(c *Context, op ops.Conv, in, out int, kernel []int, noBias bool, x *graph.Value) *graph.Value {
	op.HasBias = !noBias
	inputs := []*graph.Value{x, c.Parameter("weight", KaimingNormal, append([]int{out, in / op.Groups}, kernel...)...)}
	if !noBias {
		inputs = append(inputs, c.Parameter("bias", Zeros, out))
	}
	return c.Apply(op, inputs...)
}

// Linear is torch.nn.Linear.
type Linear struct {
	In, Out int
	NoBias  bool
}

func (Linear) Class() string { return "torch.nn.modules.linear.Linear" }

func (m Linear) Forward(c *Context, x ...*graph.Value) *graph.Value {
	in := []*graph.Value{x[0], c.Parameter("weight", KaimingNormal, m.Out, m.In)}
	if !m.NoBias {
		in = append(in, c.Parameter("bias", Zeros, m.Out))
	}
	return c.Apply(ops.Linear{HasBias: !m.NoBias}, in...)
}

// BatchNorm2d is torch.nn.BatchNorm2d in evaluation mode; an Eps of 0 means 1e-5.
type BatchNorm2d struct {
	Features int
	Eps      float64
}

func (BatchNorm2d) Class() string { return "torch.nn.modules.batchnorm.BatchNorm2d" }

func (m BatchNorm2d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	eps := m.Eps
	if eps == 0 {
		eps = 1e-5
	}
	n := m.Features
	return c.Apply(ops.BatchNorm{Eps: eps}, x[0], c.Parameter("weight", Ones, n), c.Parameter("bias", Zeros, n),
		c.Parameter("running_mean", RunningMean, n), c.Parameter("running_var", RunningVar, n))
}

// LayerNorm is torch.nn.LayerNorm over the last dimension, with weight and
// bias; an Eps of 0 means 1e-5.
type LayerNorm struct {
	Features int
	Eps      float64
}

func (LayerNorm) Class() string { return "torch.nn.modules.normalization.LayerNorm" }

func (m LayerNorm) Forward(c *Context, x ...*graph.Value) *graph.Value {
	eps := m.Eps
	if eps == 0 {
		eps = 1e-5
	}
	return c.Apply(ops.LayerNorm{Dims: 1, Eps: eps, HasWeight: true, HasBias: true}, x[0],
		c.Parameter("weight", Ones, m.Features), c.Parameter("bias", Zeros, m.Features))
}

// Embedding is torch.nn.Embedding: rows of a table of Num by Dim.
type Embedding struct {
	Num, Dim int
}

func (Embedding) Class() string { return "torch.nn.modules.sparse.Embedding" }

func (m Embedding) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Embedding{}, c.Parameter("weight", SmallNormal, m.Num, m.Dim), x[0])
}

// GELU is torch.nn.GELU, the exact one.
type GELU struct{}

func (GELU) Class() string { return "torch.nn.modules.activation.GELU" }

func (GELU) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Unary{Fn: ops.GELU}, x[0])
}

// Tanh is torch.nn.Tanh.
type Tanh struct{}

func (Tanh) Class() string { return "torch.nn.modules.activation.Tanh" }

func (Tanh) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Unary{Fn: ops.Tanh}, x[0])
}

// ReLU is torch.nn.ReLU.
type ReLU struct{}

func (ReLU) Class() string { return "torch.nn.modules.activation.ReLU" }

func (ReLU) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Unary{Fn: ops.Relu}, x[0])
}

// ReLU6 is torch.nn.ReLU6.
type ReLU6 struct{}

func (ReLU6) Class() string { return "torch.nn.modules.activation.ReLU6" }

func (ReLU6) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Unary{Fn: ops.Relu6}, x[0])
}

// MaxPool2d is torch.nn.MaxPool2d with square windows; a Stride of 0 means Kernel.
type MaxPool2d struct {
	Kernel, Stride, Padding int
	CeilMode                bool
}

func (MaxPool2d) Class() string { return "torch.nn.modules.pooling.MaxPool2d" }

func (m MaxPool2d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	stride := m.Stride
	if stride == 0 {
		stride = m.Kernel
	}
	pair := func(v int) []int { return []int{v, v} }
	return c.Apply(ops.MaxPool{Kernel: pair(m.Kernel), Stride: pair(stride), Padding: pair(m.Padding), Dilation: pair(1), CeilMode: m.CeilMode}, x[0])
}

// AvgPool2d is torch.nn.AvgPool2d with square windows; a Stride of 0 means Kernel.
type AvgPool2d struct {
	Kernel, Stride, Padding int
}

func (AvgPool2d) Class() string { return "torch.nn.modules.pooling.AvgPool2d" }

func (m AvgPool2d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	stride := m.Stride
	if stride == 0 {
		stride = m.Kernel
	}
	pair := func(v int) []int { return []int{v, v} }
	return c.Apply(ops.AvgPool{Kernel: pair(m.Kernel), Stride: pair(stride), Padding: pair(m.Padding), CountIncludePad: true}, x[0])
}

// AdaptiveAvgPool2d is torch.nn.AdaptiveAvgPool2d with a square output.
type AdaptiveAvgPool2d struct {
	Size int
}

func (AdaptiveAvgPool2d) Class() string { return "torch.nn.modules.pooling.AdaptiveAvgPool2d" }

func (m AdaptiveAvgPool2d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.AdaptiveAvgPool{Size: []int{m.Size, m.Size}}, x[0])
}

// Flatten is torch.flatten(x, 1).
type Flatten struct{}

func (Flatten) Class() string { return "torch.nn.modules.flatten.Flatten" }

func (Flatten) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Flatten{Start: 1, End: -1}, x[0])
}

// Dropout is torch.nn.Dropout in evaluation mode: the identity.
type Dropout struct{}

func (Dropout) Class() string { return "torch.nn.modules.dropout.Dropout" }

func (Dropout) Forward(_ *Context, x ...*graph.Value) *graph.Value { return x[0] }

// Sequential is torch.nn.Sequential: its modules in order, named "0", "1", ...
type Sequential []Module

func (Sequential) Class() string { return "torch.nn.modules.container.Sequential" }

func (m Sequential) Forward(c *Context, x ...*graph.Value) *graph.Value {
	v := x[0]
	for i, child := range m {
		v = c.Call(strconv.Itoa(i), child, v)
	}
	return v
}
