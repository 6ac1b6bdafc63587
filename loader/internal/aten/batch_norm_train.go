package aten

import (
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// trainedNorms are the forms of batch norm in training mode in exported programs: they normalize
// by the statistics of the batch, and move the running ones towards these.
var trainedNorms = []operator{
	{"aten::_batch_norm_with_update", "input:T weight:T? bias:T? running_mean:T running_var:T momentum:f eps:f", func(c *call) Value {
		return c.trainedNorm(5, true)
	}},
	{"aten::_batch_norm_with_update_functional", "input:T weight:T? bias:T? running_mean:T running_var:T momentum:f eps:f", func(c *call) Value {
		return c.trainedNorm(5, false)
	}},
}

// trainedNorm is batch norm whose momentum is argument momentum, with eps behind it. The running
// statistics are written in place, or returned as last two results.
func (c *call) trainedNorm(momentum int, inPlace bool) Value {
	x, mean, variance := c.tensor(0), c.tensor(3), c.tensor(4)
	if x.Rank() < 2 {
		return c.fail("a batch of %d dimensions", x.Rank())
	}
	if mean == nil || variance == nil {
		return c.fail("one of two running statistics")
	}
	axes, values := []int{0}, c.extent(x, 0)
	for i := 2; i < x.Rank(); i++ {
		axes = append(axes, i)
		values *= c.extent(x, i)
	}
	if values < 2 {
		return c.fail("a batch of %d values per channel has no variance", values)
	}
	out := c.batchStatistics(x, c.tensor(1), c.tensor(2), c.float(momentum+1))
	f := c.cast(x, mean.DType())
	moved := func(running *build.Tensor, op ops.Reduce) *build.Tensor {
		op.Axes = axes
		return c.moved(running, c.apply(op, f), momentum)
	}
	newMean, newVariance := moved(mean, ops.Reduce{Fn: ops.Mean}), moved(variance, ops.Reduce{Fn: ops.Var, Correction: 1})
	result, ok := out.(*build.Tensor)
	if c.Err() != nil || !ok {
		return out
	}
	list := c.withMoments(result, x, axes, false, c.float(momentum+1))
	list.Items = append(list.Items, c.fullOf([]*build.Number{build.Extent(0)}, 0, tensor.Uint8)) // what the gradient keeps, nothing on a CPU
	if !inPlace {
		list.Items = append(list.Items, newMean, newVariance)
		return list
	}
	c.store(mean, newMean)
	c.store(variance, newVariance)
	return list
}

// moved is a running statistic that takes the share of the present one that argument momentum says, which may follow from how many batches there were.
// No gradient passes through it.
func (c *call) moved(running, now *build.Tensor, momentum int) *build.Tensor {
	share := c.args[momentum]
	kept := c.mustArith(ops.Sub, build.AsNumber(1.0), build.AsNumber(share))
	return c.apply(ops.Detach{}, c.arith(ops.Add, c.binaryValues(ops.Mul, running, kept), c.binaryValues(ops.Mul, now, share)))
}
