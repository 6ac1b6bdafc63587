package aten

import (
	"slices"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

const (
	convParams          = "input:T weight:T bias:T?=None stride:I=1 padding:I=0 dilation:I=1 groups:i=1"
	convNamedPadding    = "input:T weight:T bias:T?=None stride:I=1 padding:s='valid' dilation:I=1 groups:i=1"
	convTransposeParams = "input:T weight:T bias:T?=None stride:I=1 padding:I=0 output_padding:I=0 groups:i=1 dilation:I=1"
	convolutionParams   = "input:T weight:T bias:T? stride:I padding:I dilation:I transposed:b output_padding:I groups:i"
)

var convolutions = []operator{
	{"aten::conv1d", convParams, conv},
	{"aten::conv1d", convNamedPadding, convPadded},
	{"aten::conv2d", convParams, conv},
	{"aten::conv2d", convNamedPadding, convPadded},
	{"aten::conv3d", convParams, conv},
	{"aten::conv3d", convNamedPadding, convPadded},
	{"aten::conv_transpose1d", convTransposeParams, convTranspose},
	{"aten::conv_transpose2d", convTransposeParams, convTranspose},
	{"aten::conv_transpose3d", convTransposeParams, convTranspose},
	{"aten::convolution", convolutionParams, convolution},
	{"aten::_convolution", convolutionParams + " benchmark:b deterministic:b cudnn_enabled:b allow_tf32:b=True", convolution},
	{"aten::_convolution_mode", "input:T weight:T bias:T? stride:I padding:s dilation:I groups:i", convPadded},
}

func conv(c *call) Value {
	n := c.spatial(c.tensor(1))
	return c.convolve(c.tensor(0), c.tensor(1), c.tensor(2), ops.Conv{
		Stride: c.intsFor(3, n), Padding: c.intsFor(4, n), Dilation: c.intsFor(5, n), Groups: c.int(6),
	})
}

// convPadded is a convolution with the padding "valid" or "same". The latter
// adds as much as keeps the extents, the odd element at the end.
func convPadded(c *call) Value {
	x, weight := c.tensor(0), c.tensor(1)
	n := c.spatial(weight)
	if x.Rank() < n {
		return c.fail("an image of %d dimensions", x.Rank())
	}
	op := ops.Conv{Stride: c.intsFor(3, n), Padding: make([]int, n), Dilation: c.intsFor(5, n), Groups: c.int(6)}
	switch c.string(4) {
	case "valid":
	case "same":
		before, after := make([]int, x.Rank()), make([]int, x.Rank())
		even := true
		for i := range n {
			total := op.Dilation[i] * (c.extent(weight, i+2) - 1)
			k := x.Rank() - n + i
			before[k], after[k] = total/2, total-total/2
			op.Padding[i] = total / 2
			even = even && total%2 == 0
			if op.Stride[i] != 1 {
				return c.fail("padding \"same\" needs a stride of 1")
			}
		}
		if !even {
			op.Padding = make([]int, n)
			x = c.apply(ops.Pad{Before: before, After: after}, x)
		}
	default:
		return c.fail("unknown padding %q", c.string(4))
	}
	return c.convolve(x, weight, c.tensor(2), op)
}

func convTranspose(c *call) Value {
	n := c.spatial(c.tensor(1))
	return c.convolveTransposed(c.tensor(0), c.tensor(1), c.tensor(2), ops.ConvTranspose{
		Stride: c.intsFor(3, n), Padding: c.intsFor(4, n), OutputPadding: c.intsFor(5, n), Groups: c.int(6), Dilation: c.intsFor(7, n),
	})
}

func convolution(c *call) Value {
	n := c.spatial(c.tensor(1))
	stride, padding, dilation, groups := c.intsFor(3, n), c.intsFor(4, n), c.intsFor(5, n), c.int(8)
	if c.bool(6) {
		return c.convolveTransposed(c.tensor(0), c.tensor(1), c.tensor(2), ops.ConvTranspose{
			Stride: stride, Padding: padding, Dilation: dilation, OutputPadding: c.intsFor(7, n), Groups: groups,
		})
	}
	return c.convolve(c.tensor(0), c.tensor(1), c.tensor(2), ops.Conv{Stride: stride, Padding: padding, Dilation: dilation, Groups: groups})
}

func (c *call) convolve(x, weight, bias *build.Tensor, op ops.Conv) Value {
	op.HasBias = bias != nil
	return c.onBatch(x, len(op.Stride), func(x *build.Tensor) *build.Tensor { return c.applyFloat(op, x, weight, bias) })
}

func (c *call) convolveTransposed(x, weight, bias *build.Tensor, op ops.ConvTranspose) Value {
	op.HasBias = bias != nil
	return c.onBatch(x, len(op.Stride), func(x *build.Tensor) *build.Tensor { return c.applyFloat(op, x, weight, bias) })
}

// onBatch calls f with images that have a batch: where x has none, one is added
// and taken away again.
func (c *call) onBatch(x *build.Tensor, spatial int, f func(x *build.Tensor) *build.Tensor) *build.Tensor {
	if c.Err() != nil || x.Rank() != spatial+1 {
		return f(x)
	}
	batched := c.reshape(x, append([]*build.Number{build.Extent(1)}, c.Dims(x)...))
	y := f(batched)
	if c.Err() != nil {
		return y
	}
	return c.reshape(y, c.Dims(y)[1:])
}

// applyFloat adds an operator that computes in float32. What is float64 is computed in float64, around
// values of the other float types are conversions. Inputs that are nil are left out.
//
//go:noinline
func (c *call) applyFloat(op ops.Op, inputs ...*build.Tensor) *build.Tensor {
	return c.applyFloatAll(op, inputs...)[0]
}

func (c *call) applyFloatAll(op ops.Op, inputs ...*build.Tensor) []*build.Tensor {
	if len(inputs) == 0 {
		c.fail("there are no tensors")
		return []*build.Tensor{c.anything()}
	}
	own := inputs[0].DType()
	in := slices.DeleteFunc(slices.Clone(inputs), func(t *build.Tensor) bool { return t == nil })
	for _, t := range in {
		if t.DType() != own {
			c.fail("inputs of %v and %v", own, t.DType())
		}
	}
	switch {
	case own == tensor.Float64:
		return c.applyDouble(op, in)
	case !own.IsFloat() && own.Size() > 1 && in[0].Type().Q == nil && imageOperator(op): // exact up to 2^53
		for i, t := range in {
			in[i] = c.cast(t, tensor.Float64)
		}
		return []*build.Tensor{c.cast(c.applyDouble(op, in)[0], own)}
	case !own.IsFloat() || own == tensor.Float32:
		return c.applyAll(op, in...)
	}
	for i, t := range in {
		in[i] = c.cast(t, tensor.Float32)
	}
	out := c.applyAll(op, in...)
	for i, t := range out {
		if t.DType() == tensor.Float32 {
			out[i] = c.cast(t, own)
		}
	}
	return out
}

// imageOperator reports whether an operator computes with integers as with floats, in PyTorch.
func imageOperator(op ops.Op) bool {
	switch op.(type) {
	case ops.Conv, ops.ConvTranspose, ops.AvgPool, ops.MaxPool:
		return true
	}
	return false
}
