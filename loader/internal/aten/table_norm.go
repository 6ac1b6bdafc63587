package aten

import (
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

var normalizations = []operator{
	{"aten::batch_norm", "input:T weight:T? bias:T? running_mean:T? running_var:T? training:b momentum:f eps:f cudnn_enabled:b", batchNorm},
	{"aten::layer_norm", "input:T normalized_shape:I weight:T?=None bias:T?=None eps:f=1e-05 cudnn_enable:b=True", layerNorm},
	{"aten::group_norm", "input:T num_groups:i weight:T?=None bias:T?=None eps:f=1e-05 cudnn_enabled:b=True", groupNorm},
	{"aten::instance_norm", "input:T weight:T? bias:T? running_mean:T? running_var:T? use_input_stats:b momentum:f eps:f cudnn_enabled:b", instanceNorm},
	{"aten::native_layer_norm", "input:T normalized_shape:I weight:T? bias:T? eps:f", nativeLayerNorm},
	{"aten::rms_norm", "input:T normalized_shape:I weight:T?=None eps:f?=None", rmsNorm},
	{"aten::_weight_norm", "v:T g:T dim:i=0", weightNorm},
	{"aten::norm_except_dim", "v:T pow:i=2 dim:i=0", normExceptDim},
}

func batchNorm(c *call) Value {
	x, weight, bias, mean, variance := c.tensor(0), c.tensor(1), c.tensor(2), c.tensor(3), c.tensor(4)
	if c.bool(5) {
		if mean == nil {
			return c.batchStatistics(x, weight, bias, c.float(7))
		}
		out, _ := Items(c.trainedNorm(6, true))
		if len(out) == 0 {
			return nil
		}
		return out[0]
	}
	return c.normalize(x, weight, bias, mean, variance, c.float(7))
}

// normalize is batch norm with given statistics.
func (c *call) normalize(x, weight, bias, mean, variance *build.Tensor, eps float64) *build.Tensor {
	if mean == nil || variance == nil {
		c.fail("neither running statistics nor those of the batch")
		return c.anything()
	}
	if x.Rank() == 1 && c.extent(x, 0) == 0 { // PyTorch takes no other vector
		return x
	}
	if weight == nil {
		weight = c.fullLike(mean, 1)
	}
	if bias == nil {
		bias = c.fullLike(mean, 0)
	}
	if mean.DType() == tensor.Float32 && (x.DType() == tensor.Float16 || x.DType() == tensor.BFloat16) { // which keep their statistics in float32
		y := c.apply(ops.BatchNorm{Eps: eps}, c.cast(x, tensor.Float32), c.cast(weight, tensor.Float32), c.cast(bias, tensor.Float32),
			c.cast(mean, tensor.Float32), c.cast(variance, tensor.Float32))
		return c.cast(y, x.DType())
	}
	return c.applyFloat(ops.BatchNorm{Eps: eps}, x, weight, bias, mean, variance)
}

// fullLike returns a tensor like t with all elements the same.
func (c *call) fullLike(t *build.Tensor, v float64) *build.Tensor {
	return c.apply(ops.Full{Like: true, Value: v, DType: t.DType()}, t)
}

// batchStatistics normalizes by the mean and variance of the batch at hand, of float16 and bfloat16 in float32.
func (c *call) batchStatistics(x, weight, bias *build.Tensor, eps float64) Value {
	if x.Rank() < 2 {
		return c.fail("a batch of %d dimensions", x.Rank())
	}
	axes := []int{0}
	for i := 2; i < x.Rank(); i++ {
		axes = append(axes, i)
	}
	params := []*build.Tensor{}
	for _, t := range []*build.Tensor{weight, bias} {
		if t != nil {
			params = append(params, t)
		}
	}
	wide := x
	if x.DType() == tensor.Float16 || x.DType() == tensor.BFloat16 {
		wide = c.cast(x, tensor.Float32)
		for i, t := range params {
			params[i] = c.cast(t, tensor.Float32)
		}
	}
	return c.cast(c.affine(c.standardized(wide, axes, eps), c.overChannels(x, params), weight != nil, bias != nil), x.DType())
}

func layerNorm(c *call) Value {
	x, dims := c.tensor(0), len(c.numbers(1))
	op := ops.LayerNorm{Dims: dims, Eps: c.float(4), HasWeight: !c.isNone(2), HasBias: !c.isNone(3)}
	for i, want := range c.numbers(1) {
		if k := x.Rank() - dims + i; k < 0 || c.Dims(x)[k].Known != want.Known {
			return c.fail("the input's last dimensions are not %s", Repr(c.args[1]))
		}
	}
	return c.applyFloat(op, x, c.tensor(2), c.tensor(3))
}

func groupNorm(c *call) Value {
	return c.applyFloat(ops.GroupNorm{Groups: c.int(1), Eps: c.float(4), HasWeight: !c.isNone(2), HasBias: !c.isNone(3)}, c.tensor(0), c.tensor(2), c.tensor(3))
}

func instanceNorm(c *call) Value {
	x, weight, bias := c.tensor(0), c.tensor(1), c.tensor(2)
	if !c.bool(5) {
		return c.normalize(x, weight, bias, c.tensor(3), c.tensor(4), c.float(7))
	}
	for k, of := range []ops.Reduce{{Fn: ops.Mean}, {Fn: ops.Var, Correction: 1}} {
		if running := c.tensor(3 + k); running != nil && x.Rank() > 2 {
			of.Axes = lastAxes(x.Rank(), x.Rank()-2)
			now := c.apply(ops.Reduce{Fn: ops.Mean, Axes: []int{0}}, c.apply(of, c.cast(x, running.DType())))
			c.store(running, c.moved(running, now, 6))
		}
	}
	return c.applyFloat(ops.InstanceNorm{Eps: c.float(7), HasWeight: weight != nil, HasBias: bias != nil}, x, weight, bias)
}

// weightNorm is v * g / norm(v), with the norm over all dimensions but one.
func weightNorm(c *call) Value {
	v, g := c.tensor(0), c.tensor(1)
	norm := c.normOthers(v, 2, c.int(2))
	return c.arith(ops.Mul, v, c.arith(ops.Div, g, norm))
}

func normExceptDim(c *call) Value { return c.normOthers(c.tensor(0), c.int(1), c.int(2)) }

// normOthers returns the norm over all dimensions but one, which keeps its place;
// over all of them for the dimension -1.
func (c *call) normOthers(v *build.Tensor, p, dim int) *build.Tensor {
	op := ops.Reduce{Fn: ops.Norm, P: ops.NormOrder(p)}
	if dim >= 0 {
		op.KeepDims = true
		for i := range v.Rank() {
			if i != dim {
				op.Axes = append(op.Axes, i)
			}
		}
	}
	return c.applyFloat(op, v)
}

// nativeLayerNorm is layer norm with the statistics, of which programs use none.
func nativeLayerNorm(c *call) Value {
	x := c.tensor(0)
	return c.withMoments(layerNorm(c), x, lastAxes(x.Rank(), len(c.numbers(1))), true, c.float(4))
}

// rmsNorm is x / sqrt(mean(x*x) + eps) * weight over the last dimensions; without
// eps it is that of the type it is computed in: float32 for float16 and bfloat16 too, as since PyTorch 2.8.
func rmsNorm(c *call) Value {
	x := c.tensor(0)
	dims := len(c.numbers(1))
	if dims < 1 || dims > x.Rank() || !x.DType().IsFloat() {
		return c.fail("the last %d dimensions of %v", dims, x.Type())
	}
	eps := 0x1p-23
	if x.DType() == tensor.Float64 {
		eps = 0x1p-52
	}
	if !c.isNone(3) {
		eps = c.float(3)
	}
	var axes []int
	for i := x.Rank() - dims; i < x.Rank(); i++ {
		axes = append(axes, i)
	}
	wide := x
	if x.DType() != tensor.Float64 {
		wide = c.cast(x, tensor.Float32)
	}
	mean := c.apply(ops.Reduce{Fn: ops.Mean, Axes: axes, KeepDims: true}, c.apply(ops.Unary{Fn: ops.Square}, wide))
	y := c.cast(c.arith(ops.Mul, wide, c.apply(ops.Unary{Fn: ops.Rsqrt}, c.arithNumber(ops.Add, mean, eps))), x.DType())
	if w := c.tensor(2); w != nil {
		y = c.arith(ops.Mul, y, w)
	}
	return y
}
