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
	x, rois := c.tensor(0), c.tensor(1)
	if x.DType() == tensor.Float16 || x.DType() == tensor.BFloat16 {
		return c.unsupported("of %v", x.Type())
	}
	y := c.apply(ops.RoIAlign{Size: []int{c.int(3), c.int(4)}, Scale: c.float(2), Ratio: c.int(5), Aligned: c.bool(6)}, x, rois)
	if c.Err() == nil {
		bins := c.Dims(y)[2:]
		c.SetDims(y.Value, append([]*build.Number{c.Dims(rois)[0], c.Dims(x)[1]}, bins...))
	}
	return y
}
