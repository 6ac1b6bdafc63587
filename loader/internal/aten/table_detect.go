package aten

import (
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// detectors are the operators of torchvision, and what its detectors are traced to.
var detectors = []operator{
	{"aten::_shape_as_tensor", "self:T", func(c *call) Value { return c.apply(ops.ShapeOf{}, c.tensor(0)) }},
	{"torchvision::nms", "dets:T scores:T iou_threshold:f", nms},
	{"torchvision::roi_align", "input:T rois:T spatial_scale:f pooled_height:i pooled_width:i sampling_ratio:i aligned:b", roiAlign},
	{"torchvision::ps_roi_align", "input:T rois:T spatial_scale:f pooled_height:i pooled_width:i sampling_ratio:i", psRoIAlign},
	{"torchvision::ps_roi_pool", "input:T rois:T spatial_scale:f pooled_height:i pooled_width:i", psRoIPool},
	{"torchvision::roi_pool", "input:T rois:T spatial_scale:f pooled_height:i pooled_width:i", roiPool},
	{"torchvision::deform_conv2d", "input:T weight:T offset:T mask:T bias:T stride_h:i stride_w:i pad_h:i pad_w:i dilation_h:i dilation_w:i groups:i offset_groups:i use_mask:b", deformConv},
}

// nms gives the indices of the boxes that are kept: as many as the run finds.
func nms(c *call) Value {
	out := c.applyAll(ops.NMS{Threshold: c.float(2)}, c.tensor(0), c.tensor(1))
	if c.Err() != nil {
		return nil
	}
	boxes := c.Dims(c.tensor(1))[0]
	c.SetDims(out[0].Value, []*build.Number{boxes})
	example, _ := boxes.Known.(int64)
	return c.sliced(out[0], 0, build.Extent(0), c.settledItem(out[1], int(example)), 1)
}

func roiAlign(c *call) Value {
	return c.roiAlign(ops.RoIAlign{Ratio: c.int(5), Aligned: c.bool(6)})
}

// psRoIAlign gives the channels of the images that each bin is of, too.
func psRoIAlign(c *call) Value {
	y := c.roiAlign(ops.RoIAlign{Ratio: c.int(5), Aligned: true, PerBin: true})
	return &Tuple{Items: []Value{y, c.channelsOfBins(y)}}
}

func psRoIPool(c *call) Value {
	y := c.roiAlign(ops.RoIAlign{PerBin: true, Whole: true})
	return &Tuple{Items: []Value{y, c.channelsOfBins(y)}}
}

// roiAlign applies the operator with the size and scale of arguments 2 to 4.
func (c *call) roiAlign(op ops.RoIAlign) *build.Tensor {
	op.Size, op.Scale = []int{c.int(3), c.int(4)}, c.float(2)
	return c.ofBoxes(op)
}

// ofBoxes applies an operator that gives bins of boxes.
func (c *call) ofBoxes(op ops.Op) *build.Tensor {
	x, rois := c.tensor(0), c.tensor(1)
	if x.DType() == tensor.Float16 || x.DType() == tensor.BFloat16 {
		c.unsupported("of %v", x.Type())
		return c.anything()
	}
	y := c.apply(op, x, rois)
	if c.Err() == nil {
		rest := c.Dims(y)[1:]
		if y.Type().Shape[1] == x.Type().Shape[1] {
			rest = append([]*build.Number{c.Dims(x)[1]}, rest[1:]...)
		}
		c.SetDims(y.Value, append([]*build.Number{c.Dims(rois)[0]}, rest...))
	}
	return y
}

// channelsOfBins numbers the channels of an output [K, C, H, W] and their bins.
func (c *call) channelsOfBins(y *build.Tensor) *build.Tensor {
	if c.Err() != nil {
		return c.anything()
	}
	n := 1
	for i := range 3 {
		n *= c.extent(y, i+1)
	}
	row := c.rangeOf(build.Extent(0), build.Extent(n), build.Extent(1), tensor.Int32)
	dims := c.Dims(y)
	return c.expand(c.reshape(row, append([]*build.Number{build.Extent(1)}, dims[1:]...)), dims)
}

// roiPool gives the greatest pixel of each bin, 0 of one without pixels, and its place in the image, -1 there.
func roiPool(c *call) Value {
	x := c.tensor(0)
	at := c.ofBoxes(ops.RoIMax{Size: []int{c.int(3), c.int(4)}, Scale: c.float(2)})
	if c.Err() != nil {
		return nil
	}
	some, dims := c.arithNumber(ops.Ge, at, int64(0)), c.Dims(at)
	index := c.flat(c.apply(ops.Unary{Fn: ops.Clamp, Beta: float64(1 << 52)}, at))
	y := c.reshape(c.apply(ops.IndexSelect{}, c.flat(x), index), dims)
	place := c.arithNumber(ops.Remainder, at, int64(c.extent(x, 2)*c.extent(x, 3)))
	return &Tuple{Items: []Value{
		c.apply(ops.Where{BNumber: true}, some, y, c.lift(0.0)),
		c.cast(c.apply(ops.Where{BNumber: true}, some, place, c.lift(int64(-1))), tensor.Int32),
	}}
}

// deformConv is torchvision.ops.deform_conv2d: the images are sampled where the offsets say, each group of channels where its own do, and what is
// sampled for a place is multiplied with the weights.
func deformConv(c *call) Value {
	x, weight, offset, bias := c.tensor(0), c.tensor(1), c.tensor(2), c.tensor(4)
	groups, offsetGroups := c.int(11), c.int(12)
	if x.Rank() != 4 || weight.Rank() != 4 || offset.Rank() != 4 || !singleOrDouble(x) || offset.DType() != x.DType() {
		return c.unsupported("of %v with offsets %v", x.Type(), offset.Type())
	}
	channels, out, kh, kw := c.extent(x, 1), c.extent(weight, 0), c.extent(weight, 2), c.extent(weight, 3)
	h, w := c.extent(offset, 2), c.extent(offset, 3)
	if c.Err() != nil || groups < 1 || offsetGroups < 1 || channels%groups != 0 || out%groups != 0 || channels%offsetGroups != 0 || c.extent(weight, 1) != channels/groups {
		return c.fail("%v with weights %v in %d groups, offsets in %d", x.Type(), weight.Type(), groups, offsetGroups)
	}
	for i, n := range []int{h, w} {
		if extent := c.extent(x, 2+i) + 2*c.int(7+i) - c.int(9+i)*(c.extent(weight, 2+i)-1) - 1; c.int(5+i) < 1 || n != extent/c.int(5+i)+1 {
			return c.fail("offsets of %v do not belong to %v and weights %v", offset.Type(), x.Type(), weight.Type())
		}
	}
	batch, n := c.Dims(x)[0], kh*kw*h*w
	images := build.AsNumber(c.mustArith(ops.Mul, batch, build.Extent(offsetGroups)))
	if n > maxComputed {
		return c.fail("%d places", n)
	}
	// at gives the places in pixels in one direction.
	offset = c.reshape(offset, []*build.Number{images, build.Extent(kh * kw), build.Extent(2), build.Extent(h * w)})
	at := func(axis int) *build.Tensor {
		start := make([]float64, 0, n)
		for tap := range kh * kw {
			for place := range h * w {
				k, p := []int{tap / kw, tap % kw}, []int{place / w, place % w}
				start = append(start, float64(p[axis]*c.int(5+axis)-c.int(7+axis)+k[axis]*c.int(9+axis)))
			}
		}
		return c.arith(ops.Add, c.selected(offset, 2, build.Extent(axis)), c.constOf(start, x.DType(), kh*kw, h*w))
	}
	pixels := c.reshape(x, []*build.Number{images, build.Extent(channels / offsetGroups), c.Dims(x)[2], c.Dims(x)[3]})
	y := c.apply(ops.GridSample{Pixels: true}, pixels, c.apply(ops.Stack{Axis: -1}, at(1), at(0)))
	if c.bool(13) {
		y = c.arith(ops.Mul, y, c.reshape(c.tensor(3), []*build.Number{images, build.Extent(1), build.Extent(kh * kw), build.Extent(h * w)}))
	}
	y = c.reshape(y, []*build.Number{batch, build.Extent(groups), build.Extent(channels / groups * kh * kw), build.Extent(h * w)})
	weight = c.reshape(weight, []*build.Number{build.Extent(groups), build.Extent(out / groups), build.Extent(channels / groups * kh * kw)})
	y = c.reshape(c.matmul(weight, y), []*build.Number{batch, build.Extent(out), build.Extent(h), build.Extent(w)})
	return c.arith(ops.Add, y, c.reshape(bias, []*build.Number{build.Extent(out), build.Extent(1), build.Extent(1)}))
}
