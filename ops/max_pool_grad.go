package ops

import "unsafe"

// Grad gives each window's gradient to its maximum, which is found again.
func (op MaxPool) Grad(b GradBuilder, in, _, dout []Ref, _ []bool) []Ref {
	return []Ref{b.Apply(MaxPoolGrad{MaxPoolAttributes(op)}, in[0], dout[0])}
}

// MaxPoolGrad is the gradient of MaxPool: the gradient of each output goes to the
// first maximum of its window, or the last NaN, as in PyTorch. Inputs: x, and the gradient of the
// output.
type MaxPoolGrad struct {
	MaxPoolAttributes
}

// Name returns max_pool2d_grad and the like.
func (op MaxPoolGrad) Name() string { return MaxPool(op.MaxPoolAttributes).Name() + "_grad" }

func (op MaxPoolGrad) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 2, 2); err != nil {
		return nil, err
	}
	return poolGradType(op, MaxPool(op.MaxPoolAttributes), in, in[:1], in[1])
}

// poolGradType checks that dy has the type of what the pooling gives.
func poolGradType(op, pool Op, in []Type, x []Type, dy Type) ([]Type, error) {
	if err := floatInputs(op, in); err != nil {
		return nil, err
	}
	y, err := pool.Infer(x)
	if err != nil {
		return nil, err
	}
	if !y[0].Shape.Equal(dy.Shape) {
		return nil, Errorf(op, in, "the pooling has shape %v", y[0].Shape)
	}
	return []Type{F32(x[0].Shape...)}, nil
}

// ChannelsLast lays out both inputs as NHWC.
func (op MaxPoolGrad) ChannelsLast([]Type) (Op, []int, bool) {
	if op.NHWC {
		return nil, nil, false
	}
	op.NHWC = true
	return op, []int{0, 1}, true
}

// WantsChannelsLast is true: all kernels work on NHWC.
func (MaxPoolGrad) WantsChannelsLast() bool { return true }

// poolGradChannels is how many channels a task of a pooling's gradient takes.
const poolGradChannels = 64

// Prepare works on some channels of one image per task: windows may overlap.
func (op MaxPoolGrad) Prepare(p *Prepare) (*Kernel, error) {
	if !op.NHWC {
		return nil, &UnsupportedError{Op: op.Name(), Reason: "kernels need the channels last; compile the graph, or permute its input"}
	}
	w, err := poolWindow(op, p.In, true, WindowParams{op.Kernel, op.Stride, op.Padding, op.Dilation, op.CeilMode})
	if err != nil {
		return nil, err
	}
	c := p.In[0].Shape[len(p.In[0].Shape)-1]
	if p.Out[0].Numel() == 0 || w.Pixels() == 0 {
		return clearKernel(), nil
	}
	blocks := (c + poolGradChannels - 1) / poolGradChannels
	perImage, inImage := w.Pixels()/w.Batch, p.In[0].Numel()/w.Batch
	task := func(call *Call, i int, wk *Worker) {
		image, c0 := i/blocks, i%blocks*poolGradChannels
		n := min(poolGradChannels, c-c0)
		x, dy, dx := call.In[0].Float32s(), call.In[1].Float32s(), call.Out[0].Float32s()
		for at := image*inImage + c0; at < (image+1)*inImage; at += c {
			clear(dx[at : at+n])
		}
		where := scratchOf[int](wk.Scratch, 0, n)
		best := floatsOf(wk.Scratch[8*poolGradChannels:], 0, n)
		px := w.pixel(image * perImage)
		for o := image * perImage; o < (image+1)*perImage; o++ {
			fill(best, -inf)
			fill(where, -1)
			w.eachTap(px, func(at int) {
				at = at*c + c0
				for j, v := range x[at : at+n] {
					if v > best[j] || v != v || where[j] < 0 {
						best[j], where[j] = v, at+j
					}
				}
			})
			for j, d := range dy[o*c+c0 : o*c+c0+n] {
				if where[j] >= 0 {
					dx[where[j]] += d
				}
			}
			w.advance(&px)
		}
	}
	return &Kernel{
		Interruptible: true,
		Run:           func(call *Call) error { call.Parallel(w.Batch*blocks, task); return nil },
		WorkerScratch: poolGradChannels * (int(unsafe.Sizeof(0)) + 8),
		Choice:        "windows",
		Parallel:      w.Batch * blocks,
	}, nil
}

// eachTap calls f with the index of each input pixel under an output pixel.
func (w *Window) eachTap(p pixel, f func(at int)) {
	for kz := range w.Kernel[0] {
		z := p.z*w.Stride[0] - w.Pad[0] + kz*w.Dilation[0]
		for ky := range w.Kernel[1] {
			y := p.y*w.Stride[1] - w.Pad[1] + ky*w.Dilation[1]
			for kx := range w.Kernel[2] {
				x := p.x*w.Stride[2] - w.Pad[2] + kx*w.Dilation[2]
				if uint(z) < uint(w.In[0]) && uint(y) < uint(w.In[1]) && uint(x) < uint(w.In[2]) {
					f(((p.n*w.In[0]+z)*w.In[1]+y)*w.In[2] + x)
				}
			}
		}
	}
}
