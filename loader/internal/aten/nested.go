package aten

import (
	"slices"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Nested is a nested tensor, a batch of sequences of different lengths, as torch.nn.TransformerEncoder makes it of a padded batch and the mask of the padding.
// It is kept padded: what stands behind the end of a sequence has no meaning.
type Nested struct {
	padded  *build.Tensor // [B, T, E]
	lengths *build.Tensor // int64 [B]
}

// nestings are the operators on nested tensors.
var nestings = []operator{
	{"aten::_nested_tensor_from_mask", "t:T mask:T mask_check:b=True", nestedFromMask},
	{"aten::_nested_tensor_from_mask_left_aligned", "t:T mask:T", leftAligned},
	{"aten::to_padded_tensor", "self:J padding:f output_size:I?=None", padNested},
	{"aten::nested_to_padded_tensor", "self:J padding:f output_size:I?=None", padNested},
	{"aten::_transformer_encoder_layer_fwd", "src:J" + encoderLayerParams, nestedEncoderLayer},
	{"aten::dim", "self:J", func(c *call) Value { return int64(c.args[0].(*Nested).padded.Rank()) }},
	{"prim::dtype", "a:J", func(c *call) Value { return torchDType(c.args[0].(*Nested).padded.Type()) }},
	{"prim::device", "a:J", constant(Device("cpu"))},
	{"prim::is_nested", "a:J", constant(true)},
	{"prim::requires_grad", "a:J", constant(false)},
}

// nestedFromMask takes the sequences of a batch, each as long as its mask [B, T] is true; of one that is not left-aligned as many elements from the first on.
func nestedFromMask(c *call) Value {
	x, mask := c.tensor(0), c.tensor(1)
	if x.Rank() != 3 || mask.Rank() != 2 || mask.DType() != tensor.Bool || !x.Type().Shape[:2].Equal(mask.Type().Shape) {
		return c.fail("%v with the mask %v: it is to be bool, and one for each element of a sequence", x.Type(), mask.Type())
	}
	if c.bool(2) {
		c.assertAll(c.aligned(mask), "Mask must be left-aligned without gaps")
	}
	return &Nested{padded: x, lengths: c.apply(ops.Reduce{Fn: ops.Sum, Axes: []int{1}}, c.cast(mask, tensor.Int64))}
}

func leftAligned(c *call) Value {
	aligned := c.aligned(c.tensor(1))
	if c.Err() != nil {
		return nil
	}
	return c.truth(c.apply(ops.Reduce{Fn: ops.All}, aligned))
}

// aligned says of each element of a mask [B, T] but the last whether it is true where the next one is.
func (c *call) aligned(mask *build.Tensor) *build.Tensor {
	zero, one := build.Extent(0), build.Extent(1)
	return c.arith(ops.Ge, c.sliced(mask, 1, zero, build.Extent(-1), 1), c.sliced(mask, 1, one, build.Extent(1<<31-1), 1))
}

// keep returns the mask of what belongs to sequences in the first steps elements, [B, steps].
func (n *Nested) keep(c *call, steps *build.Number) *build.Tensor {
	one := build.Extent(1)
	step := c.reshape(c.rangeOf(build.Extent(0), steps, one, tensor.Int64), []*build.Number{one, steps})
	return c.arith(ops.Lt, step, c.reshape(n.lengths, []*build.Number{c.Dims(n.padded)[0], one}))
}

// padNested gives all sequences one length, that of the longest one unless it is given.
func padNested(c *call) Value {
	n := c.args[0].(*Nested)
	dims := c.Dims(n.padded)
	one, steps := build.Extent(1), dims[1]
	x := n.padded
	if c.isNone(2) {
		longest, _ := steps.Known.(int64)
		steps = c.settledItem(c.apply(ops.Reduce{Fn: ops.AMax}, n.lengths), int(longest))
		x = c.sliced(x, 1, build.Extent(0), steps, 1)
	} else if size := c.numbers(2); !slices.EqualFunc(size, dims, c.sameExtent) {
		return c.unsupported("to another size than that of what the nested tensor was made of")
	}
	if c.Err() != nil {
		return nil
	}
	keep := c.reshape(n.keep(c, steps), []*build.Number{dims[0], steps, one})
	return c.apply(ops.Where{}, keep, x, c.constOf([]float64{c.float(1)}, x.DType()))
}

// sameExtent reports whether two extents are equal, on which the graph then depends unless they always are.
func (c *call) sameExtent(a, b *build.Number) bool {
	if build.SameExtent(a, b) {
		return true
	}
	x, err := c.PlainValue(a)
	c.failed(err)
	y, err := c.PlainValue(b)
	c.failed(err)
	return x == y
}

// nestedEncoderLayer attends to no element behind the end of a sequence.
func nestedEncoderLayer(c *call) Value {
	n := c.args[0].(*Nested)
	if !c.isNone(18) {
		return c.unsupported("with a mask for a nested tensor")
	}
	left := c.unary(ops.Unary{Fn: ops.LogicalNot}, n.keep(c, c.Dims(n.padded)[1]))
	return &Nested{padded: c.encoderLayer(n.padded, left), lengths: n.lengths}
}
