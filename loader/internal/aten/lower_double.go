package aten

import (
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// applyDouble computes in float64 what an operator computes in float32: by the float64 operator
// that stands beside it, or by several that take any float.
func (c *call) applyDouble(op ops.Op, in []*build.Tensor) []*build.Tensor {
	if !c.takesSingle(op, in) {
		return []*build.Tensor{c.anything(), c.anything(), c.anything()}
	}
	one := func(t *build.Tensor) []*build.Tensor { return []*build.Tensor{t} }
	switch op := op.(type) {
	case ops.Einsum, ops.Unfold, ops.Fold, ops.Reduce:
		return c.applyAll(op, in...)
	case ops.MatMul:
		return c.applyAll(ops.MatMul64(op), in...)
	case ops.RNN:
		return c.applyAll(ops.RNN64(op), in...)
	case ops.Conv:
		return c.applyAll(ops.Conv64{Stride: op.Stride, Padding: op.Padding, Dilation: op.Dilation, Groups: op.Groups, HasBias: op.HasBias}, in...)
	case ops.ConvTranspose:
		return c.applyAll(ops.ConvTranspose64{
			Stride: op.Stride, Padding: op.Padding, OutputPadding: op.OutputPadding, Dilation: op.Dilation, Groups: op.Groups, HasBias: op.HasBias,
		}, in...)
	case ops.Linear:
		y := c.apply(ops.MatMul64{TransposeB: true}, in[0], in[1])
		if op.HasBias {
			y = c.arith(ops.Add, y, in[2])
		}
		return one(y)
	case ops.BatchNorm:
		return one(c.batchNormDouble(in, op.Eps))
	case ops.LayerNorm:
		y := c.standardized(in[0], lastAxes(in[0].Rank(), op.Dims), op.Eps)
		return one(c.affine(y, in[1:], op.HasWeight, op.HasBias))
	case ops.GroupNorm:
		return one(c.groupNormDouble(op, in))
	case ops.InstanceNorm:
		y := c.standardized(in[0], lastAxes(in[0].Rank(), in[0].Rank()-2), op.Eps)
		return one(c.affine(y, c.overChannels(in[0], in[1:]), op.HasWeight, op.HasBias))
	case ops.MaxPool:
		return one(c.maxPoolDouble(op, in[0]))
	case ops.AvgPool:
		return one(c.avgPoolDouble(op, in[0]))
	case ops.AdaptiveAvgPool:
		return one(c.adaptiveAverageDouble(in[0], op.Size))
	}
	c.unsupported("of float64 values")
	return one(c.anything())
}

// takesSingle reports whether an operator takes inputs, as if they were float32.
func (c *call) takesSingle(op ops.Op, in []*build.Tensor) bool {
	if c.Err() != nil {
		return false
	}
	types := make([]ops.Type, len(in))
	for i, t := range in {
		types[i] = ops.F32(t.Type().Shape...)
	}
	_, err := op.Infer(types)
	c.failed(err)
	return c.Err() == nil
}

// lastAxes returns the last n dimensions of rank.
func lastAxes(rank, n int) []int {
	var axes []int
	for i := rank - n; i < rank; i++ {
		axes = append(axes, i)
	}
	return axes
}

// standardized is (x - mean) / sqrt(variance + eps) over some dimensions. What rounding left of the mean in the differences
// is taken out of them, for it can be far more than their own rounding error.
func (c *call) standardized(x *build.Tensor, axes []int, eps float64) *build.Tensor {
	if c.Err() != nil || len(axes) == 0 {
		return x
	}
	mean := ops.Reduce{Fn: ops.Mean, Axes: axes, KeepDims: true}
	d := c.arith(ops.Sub, x, c.apply(mean, x))
	d = c.arith(ops.Sub, d, c.apply(mean, d))
	variance := c.apply(mean, c.apply(ops.Unary{Fn: ops.Square}, d))
	return c.arith(ops.Mul, d, c.apply(ops.Unary{Fn: ops.Rsqrt}, c.arithNumber(ops.Add, variance, eps)))
}

// affine is x * weight + bias, of which either may be left out.
func (c *call) affine(x *build.Tensor, params []*build.Tensor, hasWeight, hasBias bool) *build.Tensor {
	if hasWeight {
		x, params = c.arith(ops.Mul, x, params[0]), params[1:]
	}
	if hasBias {
		x = c.arith(ops.Add, x, params[0])
	}
	return x
}

// overChannels gives vectors a shape in which they broadcast over the channels of x.
func (c *call) overChannels(x *build.Tensor, vectors []*build.Tensor) []*build.Tensor {
	out := make([]*build.Tensor, len(vectors))
	for i, t := range vectors {
		to := make([]*build.Number, x.Rank())
		for k := range to {
			to[k] = build.Extent(1)
		}
		to[1] = c.length(t)
		out[i] = c.reshape(t, to)
	}
	return out
}

// batchNormDouble takes x, weight, bias, mean and variance.
func (c *call) batchNormDouble(in []*build.Tensor, eps float64) *build.Tensor {
	p := c.overChannels(in[0], in[1:])
	scale := c.arith(ops.Mul, p[0], c.apply(ops.Unary{Fn: ops.Rsqrt}, c.arithNumber(ops.Add, p[3], eps)))
	return c.arith(ops.Add, c.arith(ops.Mul, c.arith(ops.Sub, in[0], p[2]), scale), p[1])
}

func (c *call) groupNormDouble(op ops.GroupNorm, in []*build.Tensor) *build.Tensor {
	x := in[0]
	dims := c.Dims(x)
	to := append([]*build.Number{dims[0], build.Extent(op.Groups), build.Extent(c.extent(x, 1) / op.Groups)}, dims[2:]...)
	y := c.standardized(c.reshape(x, to), lastAxes(len(to), len(to)-2), op.Eps)
	return c.affine(c.reshape(y, dims), c.overChannels(x, in[1:]), op.HasWeight, op.HasBias)
}

// windowsAlong adds a last dimension with the elements that each position of a pooling sees along one axis.
// Those outside are fill.
func (c *call) windowsAlong(x *build.Tensor, axis int, p ops.WindowParams, fill float64) *build.Tensor {
	in, span := c.extent(x, axis), p.Dilation[0]*(p.Kernel[0]-1)+1
	w, reason := ops.NewWindow(1, []int{in}, p)
	if w == nil {
		c.fail("%s", reason)
		return c.anything()
	}
	before, after := make([]int, x.Rank()), make([]int, x.Rank())
	before[axis], after[axis] = p.Padding[0], (w.Out[2]-1)*p.Stride[0]+span-in-p.Padding[0]
	x = c.apply(ops.Pad{Before: before, After: after, Value: fill}, x)
	x = c.apply(ops.SlidingWindow{Axis: axis, Size: span, Step: p.Stride[0]}, x)
	if p.Dilation[0] == 1 {
		return x
	}
	return c.apply(ops.Slice{Axis: x.Rank() - 1, End: span, Step: p.Dilation[0]}, x)
}

func (c *call) maxPoolDouble(op ops.MaxPool, x *build.Tensor) *build.Tensor {
	for i := range op.Kernel {
		p := ops.WindowParams{
			Kernel: op.Kernel[i : i+1], Stride: op.Stride[i : i+1], Padding: op.Padding[i : i+1], Dilation: op.Dilation[i : i+1], CeilMode: op.CeilMode,
		}
		x = c.apply(ops.Reduce{Fn: ops.AMax, Axes: []int{-1}}, c.windowsAlong(x, i+2, p, negInf))
	}
	return x
}

func (c *call) avgPoolDouble(op ops.AvgPool, x *build.Tensor) *build.Tensor {
	one := []int{1}
	for i := range op.Kernel {
		in := c.extent(x, i+2)
		p := ops.WindowParams{Kernel: op.Kernel[i : i+1], Stride: op.Stride[i : i+1], Padding: op.Padding[i : i+1], Dilation: one, CeilMode: op.CeilMode}
		x = c.apply(ops.Reduce{Fn: ops.Sum, Axes: []int{-1}}, c.windowsAlong(x, i+2, p, 0))
		if op.Divisor != 0 || c.Err() != nil {
			continue
		}
		counts := make([]float64, c.extent(x, i+2))
		for k := range counts {
			start := k*op.Stride[i] - op.Padding[i]
			end := min(start+op.Kernel[i], in+op.Padding[i])
			if !op.CountIncludePad {
				start, end = max(start, 0), min(end, in)
			}
			counts[k] = float64(end - start)
		}
		x = c.arith(ops.Div, x, c.vectorAlong(c.constOf(counts, tensor.Float64, len(counts)), x.Rank(), i+2))
	}
	if op.Divisor != 0 {
		return c.arithNumber(ops.Div, x, float64(op.Divisor))
	}
	return x
}

// vectorAlong gives a vector a shape in which it broadcasts along one of rank dimensions.
func (c *call) vectorAlong(v *build.Tensor, rank, axis int) *build.Tensor {
	to := make([]*build.Number, rank)
	for k := range to {
		to[k] = build.Extent(1)
	}
	to[axis] = c.length(v)
	return c.reshape(v, to)
}

// adaptiveAverageDouble keeps the extents of which the size is 0.
func (c *call) adaptiveAverageDouble(x *build.Tensor, size []int) *build.Tensor {
	for i, n := range size {
		if n != 0 {
			x = c.overWindows(x, i+2, n, ops.Reduce{Fn: ops.Mean, Axes: []int{i + 2}, KeepDims: true})
		}
	}
	return x
}
