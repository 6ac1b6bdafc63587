package ops

import "github.com/octet-ml/octet/tensor"

// Grad gives the pixels what their samples weigh. Boxes have no gradient, as in torchvision.
func (op RoIAlign) Grad(b GradBuilder, in, _, dout []Ref, need []bool) []Ref {
	grads := make([]Ref, 2)
	if need[0] {
		grads[0] = b.Apply(RoIAlignGrad{op, b.Type(in[0]).Shape}, in[1], dout[0])
	}
	if need[1] {
		grads[1] = zeros(b, b.Type(in[1]).Shape)
	}
	return grads
}

// roiPlanes says where the planes of the channels are that a bin is of.
type roiPlanes struct{ h, w, step int }

func (op RoIAlign) planes(h, w int) roiPlanes {
	if op.PerBin {
		return roiPlanes{h, w, op.Size[0] * op.Size[1]}
	}
	return roiPlanes{h, w, 1}
}

// first returns the plane of the first channel of a bin.
func (p roiPlanes) first(bin int) int { return bin % p.step }

// RoIAlignGrad is the gradient of RoIAlign with respect to the images.
//
// Inputs: boxes [K, 5] and the gradient of the output. Output: [Shape...], the images'.
type RoIAlignGrad struct {
	RoIAlign RoIAlign
	Shape    []int
}

func (RoIAlignGrad) Name() string { return "roi_align_grad" }

func (op RoIAlignGrad) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 2, 2); err != nil {
		return nil, err
	}
	x := F32(op.Shape...)
	if _, err := x.Shape.Numel(); err != nil {
		return nil, Errorf(op, in, "%v", err)
	}
	y, err := op.RoIAlign.Infer([]Type{x, in[0]})
	if err != nil {
		return nil, err
	}
	if in[1].DType != tensor.Float32 || !in[1].Shape.Equal(y[0].Shape) {
		return nil, Errorf(op, in, "the output has shape %v", y[0].Shape)
	}
	return []Type{x}, nil
}

// Prepare gives each task some channels, which it goes through the boxes for in their order: results have the same bits for any number
// of threads.
func (op RoIAlignGrad) Prepare(p *Prepare) (*Kernel, error) {
	roi, boxes, channels := op.RoIAlign, p.In[0].Shape[0], p.In[1].Shape[1]
	images, h, w := op.Shape[0], op.Shape[2], op.Shape[3]
	bins := roi.Size[0] * roi.Size[1]
	if err := roi.checkImages(h, w); err != nil {
		return nil, err
	}
	if channels == 0 {
		return emptyKernel(), nil
	}
	planes, image, plane := roi.planes(h, w), op.Shape[1]*h*w, h*w
	perTask := ceilDiv(channels, min(channels, 4*max(p.Threads, 1)))
	task := func(c *Call, i int, worker *Worker) {
		c0, c1 := i*perTask, min((i+1)*perTask, channels)
		samples := scratchOf[roiSample](worker.Scratch, 0, roiChunk)
		for n := range images {
			clear(row[float32](base(c.Out[0]), n*image+c0*planes.step*plane, (c1-c0)*planes.step*plane))
		}
		for k := range boxes {
			at := row[float32](base(c.In[0]), 5*k, 5)
			box, dx := roi.box(at), row[float32](base(c.Out[0]), int(at[0])*image, image)
			dy := row[float32](base(c.In[1]), k*channels*bins, channels*bins)
			for b := range bins {
				r, col, first := b/roi.Size[1], b%roi.Size[1], planes.first(b)
				count := box.count(r, col, h, w)
				box.bin(r, col, h, w, samples, func(s []roiSample) {
					for ch := c0; ch < c1; ch++ {
						spread(s, dx[(ch*planes.step+first)*plane:][:plane], dy[ch*bins+b]/count)
					}
				})
			}
		}
	}
	return &Kernel{
		Interruptible: true,
		Run: func(c *Call) error {
			if err := roi.checkAll(row[float32](base(c.In[0]), 0, 5*boxes), images); err != nil {
				return err
			}
			c.Parallel(ceilDiv(channels, perTask), task)
			return nil
		},
		WorkerScratch: 32 * roiChunk,
		Choice:        "channels",
		Parallel:      ceilDiv(channels, perTask),
	}, nil
}

// spread adds to the pixels of samples what they weigh of d.
func spread(samples []roiSample, pixels []float32, d float32) {
	for i := range samples {
		s := &samples[i]
		for j, at := range s.at {
			pixels[at] += float32(s.weight[j] * d)
		}
	}
}
