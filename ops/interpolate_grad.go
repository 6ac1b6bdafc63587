package ops

import "unsafe"

// Grad gives each input pixel the gradients of the output pixels it is part of.
func (op Interpolate) Grad(b GradBuilder, in, _, dout []Ref, _ []bool) []Ref {
	types := make([]Type, len(in))
	for i, v := range in {
		types[i] = b.Type(v)
	}
	grads := make([]Ref, len(in))
	size, err := op.size(types)
	if err != nil {
		b.Fail(err)
		return grads
	}
	op.Size = size
	grads[0] = b.Apply(InterpolateGrad{Resize: op, Shape: types[0].Shape}, dout[0])
	return grads
}

// InterpolateGrad is the gradient of a resizing whose Size is set: each output pixel's
// gradient goes, with the weights it had, to the pixels it came from. Input: the gradient
// of the output. Shape is that of the resizing's input.
type InterpolateGrad struct {
	Resize Interpolate
	Shape  []int
}

func (InterpolateGrad) Name() string { return "interpolate_grad" }

func (op InterpolateGrad) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	return poolGradType(op, op.Resize, in, []Type{F32(op.Shape...)}, in[0])
}

// ChannelsLast lays out input and output as NHWC.
func (op InterpolateGrad) ChannelsLast([]Type) (Op, []int, bool) {
	if op.Resize.NHWC {
		return nil, nil, false
	}
	op.Resize.NHWC = true
	op.Shape = channelsLastShape(op.Shape)
	return op, []int{0}, true
}

// Prepare goes row by row: a row of the gradient is spread along the row, and that
// over the rows it came from. A task takes whole planes, or some channels of an image.
func (op InterpolateGrad) Prepare(p *Prepare) (*Kernel, error) {
	if p.Out[0].Numel() == 0 {
		return emptyKernel(), nil
	}
	dims := op.Resize.resizes(op.Shape, op.Resize.Size)
	z, y, x := dims[0], dims[1], dims[2]
	batch, channels, _ := SpatialOf(op.Shape, op.Resize.NHWC)
	planes, unit, block := batch*channels, 1, 1
	if op.Resize.NHWC {
		planes, unit, block = batch, channels, min(channels, poolGradChannels)
	}
	blocks := (unit + block - 1) / block
	inPlane, outPlane := z.in*y.in*x.in*unit, z.out*y.out*x.out*unit
	task := func(c *Call, i int, w *Worker) {
		c0 := i % blocks * block
		n := min(block, unit-c0)
		dy, dx := c.In[0].Float32s()[i/blocks*outPlane:][:outPlane], c.Out[0].Float32s()[i/blocks*inPlane:][:inPlane]
		for at := c0; at < inPlane; at += unit {
			clear(dx[at : at+n])
		}
		line := scratchOf[float32](w.Scratch, 0, x.in*block)[:x.in*n]
		for iz := range z.out {
			for iy := range y.out {
				clear(line)
				x.spread(line, dy[(iz*y.out+iy)*x.out*unit+c0:], n, unit)
				for kz := iz * z.taps; kz < (iz+1)*z.taps; kz++ {
					for ky := iy * y.taps; ky < (iy+1)*y.taps; ky++ {
						to, weight := (z.at[kz]*y.in+y.at[ky])*x.in*unit+c0, z.weight[kz]*y.weight[ky]
						if n == unit {
							addScaled(dx[to:], line, weight)
							continue
						}
						for ix := range x.in {
							addScaled(dx[to+ix*unit:], line[ix*n:(ix+1)*n], weight)
						}
					}
				}
			}
		}
	}
	return &Kernel{
		Interruptible: true,
		Run:           func(c *Call) error { c.Parallel(planes*blocks, task); return nil },
		WorkerScratch: int(unsafe.Sizeof(float32(0))) * x.in * block,
		Choice:        "rows",
		Parallel:      planes * blocks,
	}, nil
}

// spread adds the pixels of a row of the gradient, n values that start unit apart, to those of line they came from.
func (r *resize) spread(line, dy []float32, n, unit int) {
	for i := range r.out {
		for k := i * r.taps; k < (i+1)*r.taps; k++ {
			if n == 1 {
				line[r.at[k]] += float32(dy[i*unit] * r.weight[k])
				continue
			}
			addScaled(line[r.at[k]*n:], dy[i*unit:i*unit+n], r.weight[k])
		}
	}
}

// addScaled adds src times a weight to as many elements of dst.
func addScaled(dst, src []float32, weight float32) {
	dst = dst[:len(src)]
	for i, v := range src {
		dst[i] += float32(v * weight)
	}
}
