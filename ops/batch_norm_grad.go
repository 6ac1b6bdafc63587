package ops

import "math"

// Grad is that of a scale and shift per channel.
func (op BatchNorm) Grad(b GradBuilder, in, _, dout []Ref, _ []bool) []Ref {
	out := b.ApplyAll(BatchNormGrad{Eps: op.Eps, NHWC: op.NHWC}, in[0], dout[0], in[1], in[3], in[4])
	grads := make([]Ref, len(in))
	copy(grads, out)
	return grads
}

// Grad takes into account that mean and variance depend on the batch. The
// running statistics have no gradient.
func (op BatchNormTrain) Grad(b GradBuilder, in, out, dout []Ref, _ []bool) []Ref {
	grads := make([]Ref, len(in))
	for _, d := range dout[1:] {
		if d != nil {
			b.Fail(NoGradient(op, "the statistics have no gradient"))
			return grads
		}
	}
	copy(grads, b.ApplyAll(BatchNormGrad{Eps: op.Eps, Batch: true, NHWC: op.NHWC}, in[0], dout[0], in[1], out[1], out[2]))
	return grads
}

// BatchNormGrad is the gradient of batch normalization. Inputs: x, the gradient
// dy of the output, weight, mean and variance. Outputs: the gradients of x, weight
// and bias. With h = (x - mean) / sqrt(variance + Eps), dweight = sum(dy*h), dbias = sum(dy), and
//
//	dx = weight * dy / sqrt(variance + Eps)                                    with recorded statistics
//	dx = weight * (dy - mean(dy) - h*mean(dy*h)) / sqrt(variance + Eps)        with Batch, those of x
type BatchNormGrad struct {
	Eps   float64
	Batch bool
	NHWC  bool
}

func (BatchNormGrad) Name() string { return "batch_norm_grad" }

func (op BatchNormGrad) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 5, 5); err != nil {
		return nil, err
	}
	out, err := sameFloats(op, in[:2], 2)
	if err != nil {
		return nil, err
	}
	if _, err := (BatchNorm{NHWC: op.NHWC}).Infer([]Type{in[0], in[2], in[2], in[3], in[4]}); err != nil {
		return nil, err
	}
	c := F32(in[2].Shape...)
	return []Type{out[0], c, c}, nil
}

// ChannelsLast lays out both images as NHWC.
func (op BatchNormGrad) ChannelsLast(in []Type) (Op, []int, bool) {
	if op.NHWC || len(in[0].Shape) < 3 {
		return nil, nil, false
	}
	op.NHWC = true
	return op, []int{0, 1}, true
}

// ImageOutputs says that only the first output is an image.
func (BatchNormGrad) ImageOutputs() int { return 1 }

// InPlace lets the gradient of x lie where dy or x did: their sums are complete before anything is written.
func (BatchNormGrad) InPlace([]Type) []int { return []int{1, 0} }

func (op BatchNormGrad) Prepare(p *Prepare) (*Kernel, error) {
	m := newChannelMatrix(p.In[0].Shape, op.NHWC)
	c := m.channels
	if p.Out[0].Numel() == 0 {
		return clearKernel(), nil
	}
	count := float64(m.rows()) * float64(m.inner)
	sums := func(call *Call, i int, _ *Worker) {
		part := scratchOf[float64](call.Scratch, 16*i*c, 2*c)
		clear(part)
		m.productsOf(part, call.In[0].Float32s(), call.In[1].Float32s(), call.In[3].Float32s(), i)
	}
	apply := func(call *Call, i int, _ *Worker) {
		a, k := m.coefficients(call.Scratch)
		m.combine(call.Out[0].Float32s(), call.In[0].Float32s(), call.In[1].Float32s(), a, k, m.third(call.Scratch), i)
	}
	return &Kernel{
		Scratch: m.scratch(),
		Run: func(call *Call) error {
			call.Parallel(m.tasks, sums)
			total := m.total(call.Scratch)
			weight, mean, variance := call.In[2].Float32s(), call.In[3].Float32s(), call.In[4].Float32s()
			// dx = dy*a[c] + x*k[c] + shift[c]
			a, k := m.coefficients(call.Scratch)
			shift := m.third(call.Scratch)
			for ch := range c {
				inverse := 1 / math.Sqrt(float64(variance[ch])+op.Eps)
				dWeight, dBias := total[c+ch]*inverse, total[ch]
				call.Out[1].Float32s()[ch], call.Out[2].Float32s()[ch] = float32(dWeight), float32(dBias)
				scale := float64(weight[ch]) * inverse
				a[ch], k[ch], shift[ch] = float32(scale), 0, 0
				if op.Batch {
					slope := -scale * inverse * dWeight / count
					k[ch] = float32(slope)
					shift[ch] = float32(-scale*dBias/count - float64(slope*float64(mean[ch])))
				}
			}
			call.Parallel(m.tasks, apply)
			return nil
		},
		Choice:   "channels",
		Parallel: m.tasks,
	}, nil
}

// productsOf adds the sums of dy and dy*(x-mean) per channel to part.
func (m *channelMatrix) productsOf(part []float64, x, dy, mean []float32, task int) {
	from, to := m.bounds(task)
	c := m.channels
	sum, products := part[:c], part[c:2*c]
	for o := from; o < to; o++ {
		if m.inner == 1 {
			xs, ds := x[o*c:][:c], dy[o*c:][:c]
			for ch, d := range ds {
				sum[ch] += float64(d)
				products[ch] += float64(d * (xs[ch] - mean[ch]))
			}
			continue
		}
		for ch := range c {
			at := (o*c + ch) * m.inner
			xs, mu := x[at:][:m.inner], mean[ch]
			var s, q float64
			for j, d := range dy[at:][:m.inner] {
				s += float64(d)
				q += float64(d * (xs[j] - mu))
			}
			sum[ch] += s
			products[ch] += q
		}
	}
}

// combine writes dy*a[c] + x*k[c] + shift[c].
func (m *channelMatrix) combine(dx, x, dy, a, k, shift []float32, task int) {
	from, to := m.bounds(task)
	c := m.channels
	for o := from; o < to; o++ {
		if m.inner == 1 {
			dst, xs := dx[o*c:][:c], x[o*c:][:c]
			for ch, d := range dy[o*c:][:c] {
				dst[ch] = float32(d*a[ch]) + float32(xs[ch]*k[ch]) + shift[ch]
			}
			continue
		}
		for ch := range c {
			at := (o*c + ch) * m.inner
			dst, xs := dx[at:][:m.inner], x[at:][:m.inner]
			for j, d := range dy[at:][:m.inner] {
				dst[j] = float32(d*a[ch]) + float32(xs[j]*k[ch]) + shift[ch]
			}
		}
	}
}
