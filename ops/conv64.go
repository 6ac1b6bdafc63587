package ops

import (
	"fmt"

	"github.com/octet-ml/octet/tensor"
)

// Conv64 is Conv of float64 values [N, C, spatial...], in plain Go, without an activation or a residual.
type Conv64 struct {
	Stride, Padding, Dilation []int
	Groups                    int
	HasBias                   bool
}

// Name returns conv1d_64, conv2d_64 or conv3d_64.
func (op Conv64) Name() string { return fmt.Sprintf("conv%dd_64", len(op.Stride)) }

// single returns the float32 operator of the same geometry.
func (op Conv64) single() Conv {
	return Conv{Stride: op.Stride, Padding: op.Padding, Dilation: op.Dilation, Groups: op.Groups, HasBias: op.HasBias}
}

func (op Conv64) Infer(in []Type) ([]Type, error) {
	if err := op.single().CheckInputs(op, in); err != nil {
		return nil, err
	}
	if err := doubleInputs(op, in); err != nil {
		return nil, err
	}
	w, err := op.single().Window(op, in)
	if err != nil {
		return nil, err
	}
	return []Type{{DType: tensor.Float64, Shape: op.single().OutShape(w, in)}}, nil
}

// MACs counts the products of the definition.
func (Conv64) MACs(in, out []Type) int64 { return ConvMACs(in[1], out[0]) }

func (op Conv64) Prepare(p *Prepare) (*Kernel, error) {
	w, err := op.single().Window(op, p.In)
	if err != nil {
		return nil, err
	}
	if p.Out[0].Numel() == 0 {
		return emptyKernel(), nil
	}
	k := planes64{w: w, groups: op.Groups, hasBias: op.HasBias, in: p.In[0].Shape[1] / op.Groups, out: p.In[1].Shape[0] / op.Groups}
	return k.kernel(), nil
}

// ConvTranspose64 is ConvTranspose of float64 values [N, C, spatial...], in plain Go, without an activation.
type ConvTranspose64 struct {
	Stride, Padding, OutputPadding, Dilation []int
	Groups                                   int
	HasBias                                  bool
}

// Name returns conv_transpose1d_64, conv_transpose2d_64 or conv_transpose3d_64.
func (op ConvTranspose64) Name() string { return fmt.Sprintf("conv_transpose%dd_64", len(op.Stride)) }

func (op ConvTranspose64) Infer(in []Type) ([]Type, error) {
	single := ConvTranspose{Stride: op.Stride, Padding: op.Padding, OutputPadding: op.OutputPadding, Dilation: op.Dilation, Groups: op.Groups, HasBias: op.HasBias}
	shape, err := single.outShape(op, in)
	if err != nil {
		return nil, err
	}
	if err := doubleInputs(op, in); err != nil {
		return nil, err
	}
	return []Type{{DType: tensor.Float64, Shape: shape}}, nil
}

// MACs counts the products of the definition.
func (ConvTranspose64) MACs(in, out []Type) int64 { return ConvTranspose{}.MACs(in, out) }

func (op ConvTranspose64) Prepare(p *Prepare) (*Kernel, error) {
	if p.Out[0].Numel() == 0 {
		return emptyKernel(), nil
	}
	x, weight := p.In[0].Shape, p.In[1].Shape
	k := planes64{
		w:      transposedWindow(x, p.Out[0].Shape, WindowParams{Kernel: weight[2:], Stride: op.Stride, Padding: op.Padding, Dilation: op.Dilation}),
		groups: op.Groups, hasBias: op.HasBias, in: x[1] / op.Groups, out: weight[1], transposed: true,
	}
	return k.kernel(), nil
}

// transposedWindow returns the window that takes positions of the output to those of x.
func transposedWindow(x, out tensor.Shape, p WindowParams) *Window {
	w := &Window{Batch: x[0], In: [3]int{1, 1, 1}, Out: [3]int{1, 1, 1}, Kernel: [3]int{1, 1, 1}, Stride: [3]int{1, 1, 1}, Dilation: [3]int{1, 1, 1}}
	n := len(p.Kernel)
	for i := range n {
		d := 3 - n + i
		w.In[d], w.Out[d] = out[i+2], x[i+2]
		w.Kernel[d], w.Stride[d], w.Dilation[d], w.Pad[d] = p.Kernel[i], p.Stride[i], p.Dilation[i], p.Padding[i]
	}
	return w
}

// planes64 convolves planes of one channel of one image. A window's positions Out and In are those of the output
// and the input, or the other way round when transposed. Each element is summed in order of channels and taps.
type planes64 struct {
	w          *Window
	groups     int
	in, out    int // channels of a group
	hasBias    bool
	transposed bool
}

func (k *planes64) kernel() *Kernel {
	from, to := volume(k.w.In), volume(k.w.Out)
	if k.transposed {
		from, to = to, from
	}
	planes, taps := k.w.Batch*k.groups*k.out, k.w.Taps()
	perTask, tasks := split(planes, k.in*taps*volume(k.w.Out))
	task := func(c *Call, i int, _ *Worker) {
		for plane := i * perTask; plane < min((i+1)*perTask, planes); plane++ {
			y := row[float64](base(c.Out[0]), plane*to, to)
			channel, image := plane%(k.groups*k.out), plane/(k.groups*k.out)
			group := channel / k.out
			var bias float64
			if k.hasBias {
				bias = *element[float64](base(c.In[2]), channel)
			}
			fill(y, bias)
			for ch := range k.in {
				x := row[float64](base(c.In[0]), (image*k.groups*k.in+group*k.in+ch)*from, from)
				pair := channel*k.in + ch // of output and input channel
				if k.transposed {
					pair = (group*k.in+ch)*k.out + channel%k.out
				}
				k.add(y, x, row[float64](base(c.In[1]), pair*taps, taps))
			}
		}
	}
	return &Kernel{
		Interruptible: true,
		Run:           func(c *Call) error { c.Parallel(tasks, task); return nil },
		Choice:        "planes in float64",
		Parallel:      tasks,
	}
}

// add adds what one channel x gives a plane y.
func (k *planes64) add(y, x, weight []float64) {
	w := k.w
	for tap, v := range weight {
		at := [3]int{tap / (w.Kernel[1] * w.Kernel[2]), tap / w.Kernel[2] % w.Kernel[1], tap % w.Kernel[2]}
		var shift, first, end [3]int
		for d := range at {
			shift[d] = at[d]*w.Dilation[d] - w.Pad[d]
			first[d], end[d] = inside(w.Out[d], w.In[d], w.Stride[d], shift[d])
		}
		for z := first[0]; z < end[0]; z++ {
			for r := first[1]; r < end[1]; r++ {
				small := (z*w.Out[1]+r)*w.Out[2] + first[2]
				large := ((z*w.Stride[0]+shift[0])*w.In[1]+r*w.Stride[1]+shift[1])*w.In[2] + first[2]*w.Stride[2] + shift[2]
				for range end[2] - first[2] {
					if k.transposed {
						y[large] += float64(v * x[small])
					} else {
						y[small] += float64(v * x[large])
					}
					small, large = small+1, large+w.Stride[2]
				}
			}
		}
	}
}

// inside returns the positions i below n for which i*stride + shift lies below extent and is not negative.
func inside(n, extent, stride, shift int) (first, end int) {
	first = max((-shift+stride-1)/stride, 0)
	return first, min((extent-shift+stride-1)/stride, n)
}

func volume(extents [3]int) int { return extents[0] * extents[1] * extents[2] }
