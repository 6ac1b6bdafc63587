package ops

// Grad spreads each output's gradient over its window.
func (op AvgPool) Grad(b GradBuilder, in, _, dout []Ref, _ []bool) []Ref {
	return []Ref{b.Apply(AvgPoolGrad{AvgPoolAttributes(op), b.Type(in[0]).Shape}, dout[0])}
}

// Grad spreads each output's gradient over its window.
func (op AdaptiveAvgPool) Grad(b GradBuilder, in, _, dout []Ref, _ []bool) []Ref {
	return []Ref{b.Apply(AdaptiveAvgPoolGrad{AdaptiveAvgPoolAttributes(op), b.Type(in[0]).Shape}, dout[0])}
}

// AvgPoolGrad is the gradient of AvgPool: each element of a window gets the
// output's gradient over the divisor. Input: the gradient of the output. Shape is that of
// the pooling's input.
type AvgPoolGrad struct {
	AvgPoolAttributes
	Shape []int
}

// Name returns avg_pool2d_grad and the like.
func (op AvgPoolGrad) Name() string { return AvgPool(op.AvgPoolAttributes).Name() + "_grad" }

func (op AvgPoolGrad) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	return poolGradType(op, AvgPool(op.AvgPoolAttributes), in, []Type{F32(op.Shape...)}, in[0])
}

// ChannelsLast lays out input and output as NHWC.
func (op AvgPoolGrad) ChannelsLast([]Type) (Op, []int, bool) {
	if op.NHWC {
		return nil, nil, false
	}
	op.NHWC = true
	op.Shape = channelsLastShape(op.Shape)
	return op, []int{0}, true
}

// WantsChannelsLast is true: all kernels work on NHWC.
func (AvgPoolGrad) WantsChannelsLast() bool { return true }

// channelsLastShape moves the channels to the end.
//
//go:noinline
func channelsLastShape(shape []int) []int {
	out := make([]int, len(shape))
	for i, d := range shape {
		out[ChannelsLastAxis(i, len(shape))] = d
	}
	return out
}

func (op AvgPoolGrad) Prepare(p *Prepare) (*Kernel, error) {
	if !op.NHWC {
		return nil, &UnsupportedError{Op: op.Name(), Reason: "kernels need the channels last; compile the graph, or permute its input"}
	}
	pool := AvgPool(op.AvgPoolAttributes)
	w, err := pool.Window(op, []Type{F32(op.Shape...)})
	if err != nil {
		return nil, err
	}
	inverse := make([]float32, w.Pixels())
	for i := range inverse {
		inverse[i] = 1 / float32(pool.Count(w, i))
	}
	return spreadKernel(p, inverse, w.Taps(), func(dst []int, i int) []int {
		w.eachTap(w.pixel(i), func(at int) { dst = append(dst, at) })
		return dst
	}), nil
}

// spreadKernel adds, to the input pixels that taps appends for each output pixel,
// the gradient of that times its factor. Tasks are some channels of one image.
func spreadKernel(p *Prepare, factors []float32, maxTaps int, taps func(dst []int, i int) []int) *Kernel {
	shape, pixels := p.Out[0].Shape, len(factors)
	batch, c := shape[0], shape[len(shape)-1]
	if p.Out[0].Numel() == 0 || pixels == 0 {
		return clearKernel()
	}
	blocks := (c + poolGradChannels - 1) / poolGradChannels
	perImage, inImage := pixels/batch, p.Out[0].Numel()/batch
	task := func(call *Call, i int, wk *Worker) {
		image, c0 := i/blocks, i%blocks*poolGradChannels
		n := min(poolGradChannels, c-c0)
		dy, dx := call.In[0].Float32s(), call.Out[0].Float32s()
		for at := image*inImage + c0; at < (image+1)*inImage; at += c {
			clear(dx[at : at+n])
		}
		for o := image * perImage; o < (image+1)*perImage; o++ {
			a := factors[o]
			src := dy[o*c+c0 : o*c+c0+n]
			for _, at := range taps(scratchOf[int](wk.Scratch, 0, maxTaps)[:0], o) {
				dst := dx[at*c+c0:][:n]
				for j, d := range src {
					dst[j] += float32(d * a)
				}
			}
		}
	}
	return &Kernel{
		Interruptible: true,
		Run:           func(call *Call) error { call.Parallel(batch*blocks, task); return nil },
		WorkerScratch: 8 * maxTaps,
		Choice:        "windows",
		Parallel:      batch * blocks,
	}
}

// AdaptiveAvgPoolGrad is the gradient of AdaptiveAvgPool. Input: the gradient of
// the output. Shape is that of the pooling's input.
type AdaptiveAvgPoolGrad struct {
	AdaptiveAvgPoolAttributes
	Shape []int
}

// Name returns adaptive_avg_pool2d_grad and the like.
func (op AdaptiveAvgPoolGrad) Name() string {
	return AdaptiveAvgPool(op.AdaptiveAvgPoolAttributes).Name() + "_grad"
}

func (op AdaptiveAvgPoolGrad) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	return poolGradType(op, AdaptiveAvgPool(op.AdaptiveAvgPoolAttributes), in, []Type{F32(op.Shape...)}, in[0])
}

// ChannelsLast lays out input and output as NHWC.
func (op AdaptiveAvgPoolGrad) ChannelsLast([]Type) (Op, []int, bool) {
	if op.NHWC {
		return nil, nil, false
	}
	op.NHWC = true
	op.Shape = channelsLastShape(op.Shape)
	return op, []int{0}, true
}

// WantsChannelsLast is true: all kernels work on NHWC.
func (AdaptiveAvgPoolGrad) WantsChannelsLast() bool { return true }

func (op AdaptiveAvgPoolGrad) Prepare(p *Prepare) (*Kernel, error) {
	if !op.NHWC {
		return nil, &UnsupportedError{Op: op.Name(), Reason: "kernels need the channels last; compile the graph, or permute its input"}
	}
	r, err := AdaptiveAvgPool(op.AdaptiveAvgPoolAttributes).Regions(op, []Type{F32(op.Shape...)})
	if err != nil {
		return nil, err
	}
	counts := make([]float32, r.Pixels())
	for i := range counts {
		n := 0
		r.eachTap(i, func(int) { n++ })
		counts[i] = 1 / float32(n)
	}
	return spreadKernel(p, counts, r.MaxTaps(), func(dst []int, i int) []int {
		r.eachTap(i, func(at int) { dst = append(dst, at) })
		return dst
	}), nil
}

// eachTap calls f with the index of each input pixel under output pixel i.
func (r *Regions) eachTap(i int, f func(at int)) {
	at := [3]int{}
	for d := 2; d >= 0; d-- {
		at[d] = i % r.Out[d]
		i /= r.Out[d]
	}
	var from, to [3]int
	for d := range at {
		from[d], to[d] = at[d]*r.In[d]/r.Out[d], ((at[d]+1)*r.In[d]+r.Out[d]-1)/r.Out[d]
	}
	for z := from[0]; z < to[0]; z++ {
		for y := from[1]; y < to[1]; y++ {
			for x := from[2]; x < to[2]; x++ {
				f(((i*r.In[0]+z)*r.In[1]+y)*r.In[2] + x)
			}
		}
	}
}
