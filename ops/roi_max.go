package ops

import (
	"math"

	"github.com/octet-ml/octet/tensor"
)

// RoIMax finds the greatest pixel of each bin of boxes that are rounded to pixels, as torchvision.ops.roi_pool.
//
// Inputs: images [N, C, H, W] and boxes [K, 5], the number of the image and x1, y1, x2, y2, float32.
// Output: int64 [K, C, Size[0], Size[1]], where among all elements of the images it is, the first of equal ones; -1 of a bin
// without pixels. With NHWC images and output have their channels last; elements are still counted as in NCHW. A box of no image ends
// the run with a *ValueError.
type RoIMax struct {
	Size  []int
	Scale float64 // of boxes to pixels
	NHWC  bool
}

func (RoIMax) Name() string { return "roi_max" }

func (op RoIMax) Infer(in []Type) ([]Type, error) {
	out, err := RoIAlign{Size: op.Size, NHWC: op.NHWC}.Infer(in)
	if err != nil {
		return nil, Errorf(op, in, "%v", err)
	}
	out[0].DType = tensor.Int64
	return out, nil
}

// ChannelsLast lays out images and output as NHWC.
func (op RoIMax) ChannelsLast([]Type) (Op, []int, bool) {
	if op.NHWC {
		return nil, nil, false
	}
	op.NHWC = true
	return op, []int{0}, true
}

// WantsChannelsLast is true: a pixel is compared for a row of channels.
func (RoIMax) WantsChannelsLast() bool { return true }

func (op RoIMax) Prepare(p *Prepare) (*Kernel, error) {
	if !op.NHWC {
		return nil, &UnsupportedError{Op: op.Name(), Reason: "kernels need the channels last; compile the graph, or permute its input"}
	}
	shape, boxes := p.In[0].Shape, p.In[1].Shape[0]
	images, h, w, channels := shape[0], shape[1], shape[2], shape[3]
	if channels == 0 {
		return emptyKernel(), nil
	}
	bins := op.Size[0] * op.Size[1]
	task := func(c *Call, i int, worker *Worker) {
		roi, best := row[float32](base(c.In[1]), 5*i, 5), scratchOf[float32](worker.Scratch, 0, channels)
		x, y := roundAway(roi[1]*float32(op.Scale)), roundAway(roi[2]*float32(op.Scale))
		binW := max(roundAway(roi[3]*float32(op.Scale))-x+1, 1) / float32(op.Size[1])
		binH := max(roundAway(roi[4]*float32(op.Scale))-y+1, 1) / float32(op.Size[0])
		for b := range bins {
			at := row[int64](base(c.Out[0]), (i*bins+b)*channels, channels)
			for ch := range at {
				best[ch], at[ch] = -math.MaxFloat32, -1
			}
			y0, y1 := span(b/op.Size[1], y, binH, h)
			x0, x1 := span(b%op.Size[1], x, binW, w)
			for y := y0; y < y1; y++ {
				for x := x0; x < x1; x++ {
					pixel := y*w + x
					first := int(roi[0])*channels*h*w + pixel // where it is in the first channel
					values := row[float32](base(c.In[0]), (int(roi[0])*h*w+pixel)*channels, channels)
					for ch, v := range values {
						if v > best[ch] {
							best[ch], at[ch] = v, int64(first+ch*h*w)
						}
					}
				}
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
		WorkerScratch: 4 * channels,
		Choice:        "rows of boxes",
		Parallel:      boxes,
	}, nil
}
