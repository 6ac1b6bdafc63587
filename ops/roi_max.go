package ops

import (
	"math"

	"github.com/octet-ml/octet/tensor"
)

// RoIMax finds the greatest pixel of each bin of boxes that are rounded to pixels, as torchvision.ops.roi_pool.
//
// Inputs: images [N, C, H, W] and boxes [K, 5], the number of the image and x1, y1, x2, y2, float32.
// Output: int64 [K, C, Size[0], Size[1]], where among all elements of the images it is, the first of equal ones; -1 of a bin
// without pixels. A box of no image ends the run with a *ValueError.
type RoIMax struct {
	Size  []int
	Scale float64 // of boxes to pixels
}

func (RoIMax) Name() string { return "roi_max" }

func (op RoIMax) Infer(in []Type) ([]Type, error) {
	out, err := RoIAlign{Size: op.Size}.Infer(in)
	if err != nil {
		return nil, Errorf(op, in, "%v", err)
	}
	out[0].DType = tensor.Int64
	return out, nil
}

func (op RoIMax) Prepare(p *Prepare) (*Kernel, error) {
	shape, boxes := p.In[0].Shape, p.In[1].Shape[0]
	images, channels, h, w := shape[0], shape[1], shape[2], shape[3]
	bins := op.Size[0] * op.Size[1]
	task := func(c *Call, i int, _ *Worker) {
		roi := row[float32](base(c.In[1]), 5*i, 5)
		x, y := roundAway(roi[1]*float32(op.Scale)), roundAway(roi[2]*float32(op.Scale))
		binW := max(roundAway(roi[3]*float32(op.Scale))-x+1, 1) / float32(op.Size[1])
		binH := max(roundAway(roi[4]*float32(op.Scale))-y+1, 1) / float32(op.Size[0])
		out := row[int64](base(c.Out[0]), i*channels*bins, channels*bins)
		for b := range bins {
			y0, y1 := span(b/op.Size[1], y, binH, h)
			x0, x1 := span(b%op.Size[1], x, binW, w)
			for ch := range channels {
				plane := (int(roi[0])*channels + ch) * h * w
				out[ch*bins+b] = greatest(c, plane, y0, y1, x0, x1, w)
			}
		}
	}
	return &Kernel{
		Interruptible: true,
		Run: func(c *Call) error {
			for i := range boxes {
				if err := checkRoI(op, row[float32](base(c.In[1]), 5*i, 5), op.Scale, images); err != nil {
					return err
				}
			}
			c.Parallel(boxes, task)
			return nil
		},
		Choice:   "boxes",
		Parallel: boxes,
	}, nil
}

// greatest returns where the greatest pixel of a part of a plane is, -1 where there is none.
func greatest(c *Call, plane, y0, y1, x0, x1, w int) int64 {
	best, at := float32(-math.MaxFloat32), int64(-1)
	for y := y0; y < y1; y++ {
		for x, v := range row[float32](base(c.In[0]), plane+y*w+x0, max(x1-x0, 0)) {
			if v > best {
				best, at = v, int64(plane+y*w+x0+x)
			}
		}
	}
	return at
}
