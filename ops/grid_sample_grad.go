package ops

import "github.com/octet-ml/octet/tensor"

// Grad gives images and places theirs.
func (op GridSample) Grad(b GradBuilder, in, _, dout []Ref, _ []bool) []Ref {
	return b.ApplyAll(GridSampleGrad(op), in[0], in[1], dout[0])
}

// GridSampleGrad is the gradient of GridSample, whose attributes it has. Inputs: those of GridSample, and the gradient of its output.
// Outputs: the gradients of the images and of the places.
type GridSampleGrad struct {
	Mode         GridMode
	Padding      GridPadding
	AlignCorners bool
	Pixels       bool
	NHWC         bool
}

func (GridSampleGrad) Name() string { return "grid_sample_grad" }

func (op GridSampleGrad) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 3, 3); err != nil {
		return nil, err
	}
	out, err := GridSample(op).Infer(in[:2])
	if err != nil {
		return nil, err
	}
	if in[2].DType != out[0].DType || !in[2].Shape.Equal(out[0].Shape) {
		return nil, Errorf(op, in, "the gradient must be %v", out[0])
	}
	return []Type{{DType: in[0].DType, Shape: in[0].Shape}, {DType: in[1].DType, Shape: in[1].Shape}}, nil
}

func (op GridSampleGrad) Prepare(p *Prepare) (*Kernel, error) {
	if p.Out[0].DType == tensor.Float64 {
		return gridGradKernel[float64](GridSample(op), p), nil
	}
	return gridGradKernel[float32](GridSample(op), p), nil
}

// gridGradKernel goes from place to place; a task has an image, since samples share its pixels.
func gridGradKernel[W float32 | float64](op GridSample, p *Prepare) *Kernel {
	s := newGridSampler(op, p.In[0].Shape, p.In[1].Shape, p.In[0].DType == tensor.Float32)
	pixel, plane, place, places := 1, s.pixels, 1, s.places // the distances of neighbors and of channels in memory
	if op.NHWC {
		pixel, plane, place, places = s.channels, 1, s.channels, 1
	}
	task := func(c *Call, i int, _ *Worker) {
		x, grid := row[W](base(c.In[0]), i*s.channels*s.pixels, s.channels*s.pixels), row[W](base(c.In[1]), i*s.places*s.dims, s.places*s.dims)
		dy := row[W](base(c.In[2]), i*s.channels*s.places, s.channels*s.places)
		dx, dgrid := row[W](base(c.Out[0]), i*len(x), len(x)), row[W](base(c.Out[1]), i*len(grid), len(grid))
		clear(dx)
		var taps [gridTaps]gridTap
		for k := range s.places {
			var sums [3]float64
			for _, t := range s.at(&taps, gridPlace(grid[k*s.dims:], s.dims)) {
				dot := W(0)
				for ch := range s.channels {
					d, at := dy[k*place+ch*places], t.at*pixel+ch*plane
					dx[at] += W(d * W(t.weight))
					dot += W(d * x[at])
				}
				for a := range sums {
					sums[a] += float64(float64(dot) * t.slope[a])
				}
			}
			for a := range s.dims {
				dgrid[k*s.dims+a] = W(sums[a])
			}
		}
	}
	return &Kernel{
		Run:           func(c *Call) error { c.Parallel(s.batch, task); return nil },
		Choice:        "images",
		Parallel:      s.batch,
		Interruptible: true,
	}
}

// ChannelsLast lays out images and their gradients as NHWC.
func (op GridSampleGrad) ChannelsLast([]Type) (Op, []int, bool) {
	if op.NHWC {
		return nil, nil, false
	}
	op.NHWC = true
	return op, []int{0, 2}, true
}

// ImageOutputs leaves the places as they are.
func (GridSampleGrad) ImageOutputs() int { return 1 }
