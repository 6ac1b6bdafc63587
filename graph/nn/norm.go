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

// RMSNorm is torch.nn.RMSNorm over the last dimension, with a weight; an Eps of 0 means 2^-23, the step of float32 at 1.
type RMSNorm struct {
	Features int
	Eps      float64
}

func (RMSNorm) Class() string { return "torch.nn.modules.normalization.RMSNorm" }

func (m RMSNorm) Forward(c *Context, x ...*graph.Value) *graph.Value {
	mean := c.Apply(ops.Reduce{Fn: ops.Mean, Axes: []int{-1}, KeepDims: true}, c.Apply(ops.Unary{Fn: ops.Square}, x[0]))
	scale := c.Apply(ops.Unary{Fn: ops.Rsqrt}, withNumber(c, ops.Add, mean, numberOr(m.Eps, 0x1p-23)))
	return c.Apply(ops.Binary{Fn: ops.Mul}, c.Apply(ops.Binary{Fn: ops.Mul}, x[0], scale), c.Parameter("weight", Ones, m.Features))
}

// SyncBatchNorm is torch.nn.SyncBatchNorm in evaluation mode, a batch norm of any rank; an Eps of 0 means 1e-5.
type SyncBatchNorm struct {
	Features int
	Eps      float64
}

func (SyncBatchNorm) Class() string { return "torch.nn.modules.batchnorm.SyncBatchNorm" }

func (m SyncBatchNorm) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return batchNorm(c, m.Features, m.Eps, x[0])
}

// LocalResponseNorm is torch.nn.LocalResponseNorm of [N, C, ...]: x / (K + Alpha*mean)^Beta, where mean is that of the squares of Size channels around. An Alpha, Beta
// and K of 0 mean 1e-4, 0.75 and 1.
type LocalResponseNorm struct {
	Size           int
	Alpha, Beta, K float64
}

func (LocalResponseNorm) Class() string { return "torch.nn.modules.normalization.LocalResponseNorm" }

func (m LocalResponseNorm) Forward(c *Context, x ...*graph.Value) *graph.Value {
	rank := len(x[0].Type.Shape)
	if rank < 3 || rank > 5 || m.Size < 1 {
		return c.Fail("windows of %d channels of %d dimensions", m.Size, rank)
	}
	last, first := []int{0}, []int{0, rank - 1} // orders that bring the channels to the end, and back
	for i := 2; i < rank; i++ {
		last, first = append(last, i), append(first, i-1)
	}
	before, after, kernel, ones := make([]int, rank), make([]int, rank), make([]int, rank-2), make([]int, rank-2)
	before[rank-1], after[rank-1] = m.Size/2, (m.Size-1)/2
	for i := range kernel {
		kernel[i], ones[i] = 1, 1
	}
	kernel[rank-3] = m.Size
	squares := c.Apply(ops.Permute{Order: append(last, 1)}, c.Apply(ops.Unary{Fn: ops.Square}, x[0]))
	mean := c.Apply(ops.AvgPool{Kernel: kernel, Stride: ones, Padding: make([]int, rank-2)}, c.Apply(ops.Pad{Before: before, After: after}, squares))
	mean = c.Apply(ops.Permute{Order: first}, mean)
	sum := withNumber(c, ops.Add, withNumber(c, ops.Mul, mean, numberOr(m.Alpha, 1e-4)), numberOr(m.K, 1))
	return c.Apply(ops.Binary{Fn: ops.Div}, x[0], withNumber(c, ops.Pow, sum, numberOr(m.Beta, 0.75)))
}
