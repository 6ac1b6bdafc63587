package nn

import (
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
)

// BatchNorm1d is torch.nn.BatchNorm1d in evaluation mode, of [N, Features] or [N, Features, L]; an Eps of 0 means 1e-5.
type BatchNorm1d struct {
	Features int
	Eps      float64
}

func (BatchNorm1d) Class() string { return "torch.nn.modules.batchnorm.BatchNorm1d" }

func (m BatchNorm1d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return batchNorm(c, m.Features, m.Eps, x[0])
}

// BatchNorm2d is torch.nn.BatchNorm2d in evaluation mode; an Eps of 0 means 1e-5.
type BatchNorm2d struct {
	Features int
	Eps      float64
}

func (BatchNorm2d) Class() string { return "torch.nn.modules.batchnorm.BatchNorm2d" }

func (m BatchNorm2d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return batchNorm(c, m.Features, m.Eps, x[0])
}

// BatchNorm3d is torch.nn.BatchNorm3d in evaluation mode; an Eps of 0 means 1e-5.
type BatchNorm3d struct {
	Features int
	Eps      float64
}

func (BatchNorm3d) Class() string { return "torch.nn.modules.batchnorm.BatchNorm3d" }

func (m BatchNorm3d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return batchNorm(c, m.Features, m.Eps, x[0])
}

func batchNorm(c *Context, n int, eps float64, x *graph.Value) *graph.Value {
	return c.Apply(ops.BatchNorm{Eps: numberOr(eps, 1e-5)}, x, c.Parameter("weight", Ones, n), c.Parameter("bias", Zeros, n),
		c.Parameter("running_mean", RunningMean, n), c.Parameter("running_var", RunningVar, n))
}

// GroupNorm is torch.nn.GroupNorm with weight and bias; an Eps of 0 means 1e-5.
type GroupNorm struct {
	Groups, Channels int
	Eps              float64
}

func (GroupNorm) Class() string { return "torch.nn.modules.normalization.GroupNorm" }

func (m GroupNorm) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.GroupNorm{Groups: m.Groups, Eps: numberOr(m.Eps, 1e-5), HasWeight: true, HasBias: true}, x[0],
		c.Parameter("weight", Ones, m.Channels), c.Parameter("bias", Zeros, m.Channels))
}

// InstanceNorm1d is torch.nn.InstanceNorm1d, of [N, Features, L], without running statistics; Affine gives it weight and bias. An Eps of 0 means 1e-5.
type InstanceNorm1d struct {
	Features int
	Eps      float64
	Affine   bool
}

func (InstanceNorm1d) Class() string { return "torch.nn.modules.instancenorm.InstanceNorm1d" }

func (m InstanceNorm1d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return instanceNorm(c, m.Features, m.Eps, m.Affine, x[0])
}

// InstanceNorm2d is InstanceNorm1d of [N, Features, H, W].
type InstanceNorm2d struct {
	Features int
	Eps      float64
	Affine   bool
}

func (InstanceNorm2d) Class() string { return "torch.nn.modules.instancenorm.InstanceNorm2d" }

func (m InstanceNorm2d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return instanceNorm(c, m.Features, m.Eps, m.Affine, x[0])
}

// InstanceNorm3d is InstanceNorm1d of [N, Features, D, H, W].
type InstanceNorm3d struct {
	Features int
	Eps      float64
	Affine   bool
}

func (InstanceNorm3d) Class() string { return "torch.nn.modules.instancenorm.InstanceNorm3d" }

func (m InstanceNorm3d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return instanceNorm(c, m.Features, m.Eps, m.Affine, x[0])
}

func instanceNorm(c *Context, n int, eps float64, affine bool, x *graph.Value) *graph.Value {
	in := []*graph.Value{x}
	if affine {
		in = append(in, c.Parameter("weight", Ones, n), c.Parameter("bias", Zeros, n))
	}
	return c.Apply(ops.InstanceNorm{Eps: numberOr(eps, 1e-5), HasWeight: affine, HasBias: affine}, in...)
}

// LayerNorm is torch.nn.LayerNorm over the last dimension, with weight and
// bias; an Eps of 0 means 1e-5.
type LayerNorm struct {
	Features int
	Eps      float64
}

func (LayerNorm) Class() string { return "torch.nn.modules.normalization.LayerNorm" }

func (m LayerNorm) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.LayerNorm{Dims: 1, Eps: numberOr(m.Eps, 1e-5), HasWeight: true, HasBias: true}, x[0],
		c.Parameter("weight", Ones, m.Features), c.Parameter("bias", Zeros, m.Features))
}
