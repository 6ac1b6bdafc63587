package aten

import (
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

var images = []operator{
	{"aten::pad", "self:T pad:I mode:s='constant' value:n?=None", pad},
	{"aten::constant_pad_nd", "self:T pad:I value:n=0", constantPad},
	{"aten::reflection_pad1d", "self:T padding:I", padMode(ops.Reflect)},
	{"aten::reflection_pad2d", "self:T padding:I", padMode(ops.Reflect)},
	{"aten::reflection_pad3d", "self:T padding:I", padMode(ops.Reflect)},
	{"aten::replication_pad1d", "self:T padding:I", padMode(ops.Replicate)},
	{"aten::replication_pad2d", "self:T padding:I", padMode(ops.Replicate)},
	{"aten::replication_pad3d", "self:T padding:I", padMode(ops.Replicate)},
	{"aten::_pad_circular", "self:T pad:I", padMode(ops.Circular)},
	{"aten::pixel_shuffle", "self:T upscale_factor:i", func(c *call) Value { return c.apply(ops.PixelShuffle{Factor: c.int(1)}, c.tensor(0)) }},
	{"aten::pixel_unshuffle", "self:T downscale_factor:i", pixelUnshuffle},
	{"aten::channel_shuffle", "self:T groups:i", func(c *call) Value { return c.apply(ops.ChannelShuffle{Groups: c.int(1)}, c.tensor(0)) }},
	{"aten::im2col", "self:T kernel_size:I dilation:I padding:I stride:I", im2col},
	{"aten::col2im", "self:T output_size:I kernel_size:I dilation:I padding:I stride:I", col2im},

	{"aten::upsample_nearest1d", "self:T output_size:I scales:f?=None", upsample(ops.Nearest, 1, -1, 2, (*call).resize)},
	{"aten::upsample_nearest1d", "input:T output_size:I? scale_factors:F?", upsample(ops.Nearest, 1, -1, 2, (*call).resize)},
	{"aten::upsample_nearest2d", "self:T output_size:I scales_h:f?=None scales_w:f?=None", upsample(ops.Nearest, 1, -1, 2, (*call).resize)},
	{"aten::upsample_nearest2d", "input:T output_size:I? scale_factors:F?", upsample(ops.Nearest, 1, -1, 2, (*call).resize)},
	{"aten::upsample_nearest3d", "self:T output_size:I scales_d:f?=None scales_h:f?=None scales_w:f?=None", upsample(ops.Nearest, 1, -1, 2, (*call).resize)},
	{"aten::upsample_nearest3d", "input:T output_size:I? scale_factors:F?", upsample(ops.Nearest, 1, -1, 2, (*call).resize)},
	{"aten::_upsample_nearest_exact1d", "self:T output_size:I scales:f?=None", upsample(ops.NearestExact, 1, -1, 2, (*call).resize)},
	{"aten::_upsample_nearest_exact1d", "input:T output_size:I? scale_factors:F?", upsample(ops.NearestExact, 1, -1, 2, (*call).resize)},
	{"aten::_upsample_nearest_exact2d", "self:T output_size:I scales_h:f?=None scales_w:f?=None", upsample(ops.NearestExact, 1, -1, 2, (*call).resize)},
	{"aten::_upsample_nearest_exact2d", "input:T output_size:I? scale_factors:F?", upsample(ops.NearestExact, 1, -1, 2, (*call).resize)},
	{"aten::_upsample_nearest_exact3d", "self:T output_size:I scales_d:f?=None scales_h:f?=None scales_w:f?=None", upsample(ops.NearestExact, 1, -1, 2, (*call).resize)},
	{"aten::_upsample_nearest_exact3d", "input:T output_size:I? scale_factors:F?", upsample(ops.NearestExact, 1, -1, 2, (*call).resize)},
	{"aten::upsample_linear1d", "self:T output_size:I align_corners:b scales:f?=None", upsample(ops.Linearly, 1, 2, 3, (*call).resize)},
	{"aten::upsample_linear1d", "input:T output_size:I? align_corners:b scale_factors:F?", upsample(ops.Linearly, 1, 2, 3, (*call).resize)},
	{"aten::upsample_bilinear2d", "self:T output_size:I align_corners:b scales_h:f?=None scales_w:f?=None", upsample(ops.Linearly, 1, 2, 3, (*call).resize)},
	{"aten::upsample_bilinear2d", "input:T output_size:I? align_corners:b scale_factors:F?", upsample(ops.Linearly, 1, 2, 3, (*call).resize)},
	{"aten::upsample_trilinear3d", "self:T output_size:I align_corners:b scales_d:f?=None scales_h:f?=None scales_w:f?=None", upsample(ops.Linearly, 1, 2, 3, (*call).resize)},
	{"aten::upsample_trilinear3d", "input:T output_size:I? align_corners:b scale_factors:F?", upsample(ops.Linearly, 1, 2, 3, (*call).resize)},
	{"aten::upsample_bicubic2d", "self:T output_size:I align_corners:b scales_h:f?=None scales_w:f?=None", upsample(ops.Cubic, 1, 2, 3, (*call).resize)},
	{"aten::upsample_bicubic2d", "input:T output_size:I? align_corners:b scale_factors:F?", upsample(ops.Cubic, 1, 2, 3, (*call).resize)},
	{"aten::_upsample_bilinear2d_aa", "self:T output_size:I align_corners:b scales_h:f?=None scales_w:f?=None", upsample(ops.Linearly, 1, 2, 3, (*call).resizeSmooth)},
	{"aten::_upsample_bilinear2d_aa", "input:T output_size:I? align_corners:b scale_factors:F?", upsample(ops.Linearly, 1, 2, 3, (*call).resizeSmooth)},
	{"aten::_upsample_bicubic2d_aa", "self:T output_size:I align_corners:b scales_h:f?=None scales_w:f?=None", upsample(ops.Cubic, 1, 2, 3, (*call).resizeSmooth)},
	{"aten::_upsample_bicubic2d_aa", "input:T output_size:I? align_corners:b scale_factors:F?", upsample(ops.Cubic, 1, 2, 3, (*call).resizeSmooth)},
	{"aten::__interpolate", "input:T size:I?=None scale_factor:F?=None mode:s='nearest' align_corners:b?=None recompute_scale_factor:b?=None antialias:b=False", interpolate},
}

// pixelUnshuffle moves pixels into channels. PyTorch leaves the shape of a tensor without elements as it is.
func pixelUnshuffle(c *call) Value {
	x, op := c.tensor(0), ops.PixelShuffle{Factor: c.int(1), Reverse: true}
	if x.Type().Numel() > 0 { // whatever other shapes come: a graph that asked would hold for one
		return c.apply(op, x)
	}
	c.shape(x)
	if _, err := op.Infer([]ops.Type{x.Type()}); err != nil {
		return c.failed(err)
	}
	return c.op1("clone", x)
}

// borders returns what to add before and after each dimension. PyTorch lists
// pairs from the last dimension on.
func (c *call) borders(x *build.Tensor, pairs []int) (before, after []int) {
	before, after = make([]int, x.Rank()), make([]int, x.Rank())
	if len(pairs)%2 != 0 || len(pairs) > 2*x.Rank() {
		c.fail("padding %v of a tensor of %d dimensions", pairs, x.Rank())
		return before, after
	}
	for i := 0; i < len(pairs); i += 2 {
		k := x.Rank() - 1 - i/2
		before[k], after[k] = pairs[i], pairs[i+1]
	}
	return before, after
}

func pad(c *call) Value {
	switch c.string(2) {
	case "constant":
		v := 0.0
		if !c.isNone(3) {
			v = c.float(3)
		}
		return c.padded(c.tensor(0), c.ints(1), v)
	case "reflect":
		return padMode(ops.Reflect)(c)
	case "replicate":
		return padMode(ops.Replicate)(c)
	case "circular":
		return padMode(ops.Circular)(c)
	}
	return c.fail("unknown padding %q", c.string(2))
}

func constantPad(c *call) Value { return c.padded(c.tensor(0), c.ints(1), c.float(2)) }

func (c *call) padded(x *build.Tensor, pairs []int, v float64) *build.Tensor {
	before, after := c.borders(x, pairs)
	if !slices.ContainsFunc(append(slices.Clone(before), after...), func(n int) bool { return n != 0 }) {
		return build.NewTensor(c.read(x))
	}
	return c.apply(ops.Pad{Before: before, After: after, Value: v}, x)
}

//go:noinline
func padMode(fn ops.PadFn) func(*call) Value {
	return func(c *call) Value {
		before, after := c.borders(c.tensor(0), c.ints(1))
		return c.apply(ops.PadMode{Fn: fn, Before: before, After: after}, c.tensor(0))
	}
}

func im2col(c *call) Value {
	op := ops.Unfold{Kernel: c.intsFor(1, 2), Dilation: c.intsFor(2, 2), Padding: c.intsFor(3, 2), Stride: c.intsFor(4, 2)}
	return c.onBatch(c.tensor(0), 2, func(x *build.Tensor) *build.Tensor { return c.applyFloat(op, x) })
}

func col2im(c *call) Value {
	op := ops.Fold{
		Size: c.intsFor(1, 2), Kernel: c.intsFor(2, 2), Dilation: c.intsFor(3, 2), Padding: c.intsFor(4, 2), Stride: c.intsFor(5, 2),
	}
	return c.onBatch(c.tensor(0), 1, func(x *build.Tensor) *build.Tensor { return c.applyFloat(op, x) })
}

// upsample lowers resizing to given extents, or by scales, which are one list or the last arguments. Scales, where all
// are given, decide which pixels are taken. The places of arguments are given, -1 for none.
//
//go:noinline
func upsample(mode ops.InterpolateMode, size, align, scales int, resize func(*call, ops.Interpolate, *build.Tensor, []*build.Number) *build.Tensor) func(*call) Value {
	return func(c *call) Value {
		op := ops.Interpolate{Mode: mode, AlignCorners: align > 0 && c.bool(align)}
		if _, list := Items(c.args[scales]); list {
			op.Scales = c.floats(scales)
		} else if !slices.Contains(c.args[scales:], nil) {
			for i := scales; i < len(c.args); i++ {
				op.Scales = append(op.Scales, c.float(i))
			}
		}
		if c.isNone(size) {
			return resize(c, op, c.tensor(0), nil)
		}
		return resize(c, op, c.tensor(0), c.numbers(size))
	}
}

// interpolate is the operator of old archives, with one extent or scale for all
// dimensions.
func interpolate(c *call) Value {
	x := c.tensor(0)
	modes := map[string]ops.InterpolateMode{
		"nearest": ops.Nearest, "nearest-exact": ops.NearestExact, "linear": ops.Linearly, "bilinear": ops.Linearly, "trilinear": ops.Linearly, "bicubic": ops.Cubic,
	}
	mode, ok := modes[c.string(3)]
	if !ok {
		return c.unsupported("mode %q", c.string(3))
	}
	resize := c.resize
	if c.bool(6) {
		resize = c.resizeSmooth
	}
	op := ops.Interpolate{Mode: mode, AlignCorners: !c.isNone(4) && c.bool(4)}
	n := x.Rank() - 2
	if n < 1 {
		return c.fail("an image of %d dimensions", x.Rank())
	}
	if !c.isNone(2) {
		op.Scales = c.floats(2)
		for len(op.Scales) == 1 && n > 1 && len(op.Scales) < n {
			op.Scales = slices.Repeat(op.Scales, n)
		}
	}
	if c.isNone(1) {
		if !c.isNone(5) && c.bool(5) { // the scale only gives the extents
			if len(op.Scales) != n {
				return c.fail("%d scales for %d dimensions", len(op.Scales), n)
			}
			sized := make([]*build.Number, n)
			for i := range sized {
				sized[i] = build.Extent(int(float64(c.extent(x, i+2)) * op.Scales[i]))
			}
			op.Scales = nil
			return resize(op, x, sized)
		}
		return resize(op, x, nil)
	}
	size := c.numbers(1)
	if len(size) == 1 && n > 1 {
		size = slices.Repeat(size, n)
	}
	return resize(op, x, size)
}

// resize resizes images to extents, or by the operator's scales without any.
func (c *call) resize(op ops.Interpolate, x *build.Tensor, size []*build.Number) *build.Tensor {
	if q := x.Type().Q; q != nil && (op.Mode == ops.Cubic || x.DType() != tensor.Uint8 || q.Scheme.PerChannel()) {
		return c.throughFloatTo(x, q, func(x *build.Tensor) *build.Tensor { return c.resize(op, x, size) })
	}
	if d := x.DType(); d != tensor.Float32 && x.Type().Q == nil && (op.Mode > ops.NearestExact || d != tensor.Uint8 && !d.IsFloat()) {
		if d == tensor.Float64 || !d.IsFloat() {
			return c.resample(op, false, x, size)
		}
		return c.cast(c.resize(op, c.cast(x, tensor.Float32), size), d)
	}
	if size == nil {
		return c.apply(op, x)
	}
	open := slices.ContainsFunc(size, func(n *build.Number) bool { return len(n.Deps) > 0 && n.Term != nil })
	if !open {
		op.Size = make([]int, len(size))
		for i, n := range size {
			op.Size[i] = c.plainInt(n)
		}
		return c.apply(op, x)
	}
	return c.resizeOpen(op, x, size)
}

// resizeOpen resizes to extents that the inputs decide, as segmentation models
// do that give a mask of the image's size.
func (c *call) resizeOpen(op ops.Interpolate, x *build.Tensor, size []*build.Number) *build.Tensor {
	in := c.read(x)
	if c.Err() != nil {
		return c.anything()
	}
	var extents *graph.Value
	extents, err := c.Vector(size)
	if err != nil {
		c.failed(err)
		return c.anything()
	}
	y := c.emit(op, in, extents)[0]
	if c.Err() == nil {
		dims := append(slices.Clone(c.ValueDims(in)[:2]), size...)
		if len(dims) == y.Rank() {
			c.SetDims(y.Value, dims)
		}
	}
	return y
}
