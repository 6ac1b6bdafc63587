package ops

import (
	"math"
	"unsafe"

	"github.com/octet-ml/octet/tensor"
)

// GroupNorm normalizes each of Groups groups of channels of each image by its
// own mean and variance, as torch.nn.functional.group_norm does.
//
// Inputs: x [N, C, ...], then weight [C] when HasWeight and bias [C] when
// HasBias. With NHWC x and the output have their channels last.
type GroupNorm struct {
	Groups             int
	Eps                float64
	HasWeight, HasBias bool
	NHWC               bool
}

// GroupNormAttributes are the attributes of GroupNorm without its methods.
type GroupNormAttributes GroupNorm

func (GroupNorm) Name() string { return "group_norm" }

func (op GroupNorm) Infer(in []Type) ([]Type, error) {
	if err := affineInputs(op, in, op.HasWeight, op.HasBias); err != nil {
		return nil, err
	}
	s := in[0].Shape
	if len(s) < 2 {
		return nil, Errorf(op, in, "it needs a batch and channels")
	}
	_, channels, _ := SpatialOf(s, op.NHWC)
	if op.Groups < 1 || channels%op.Groups != 0 {
		return nil, Errorf(op, in, "%d channels are not %d groups", channels, op.Groups)
	}
	return normTypes(op, in, channels)
}

// normTypes checks that weight and bias have one element per channel.
func normTypes(op Op, in []Type, channels int) ([]Type, error) {
	for i, t := range in[1:] {
		if !t.Shape.Equal(tensor.Shape{channels}) {
			return nil, Errorf(op, in, "input %d must have shape [%d]", i+1, channels)
		}
	}
	return []Type{F32(in[0].Shape...)}, nil
}

func (op GroupNorm) Prepare(p *Prepare) (*Kernel, error) {
	return groupNormKernel(p, op.Groups, op.Eps, op.HasWeight, op.HasBias, op.NHWC), nil
}

// ChannelsLast leaves weight and bias as they are.
func (op GroupNorm) ChannelsLast(in []Type) (Op, []int, bool) {
	if op.NHWC || len(in[0].Shape) < 3 {
		return nil, nil, false
	}
	op.NHWC = true
	return op, []int{0}, true
}

// InstanceNorm normalizes each channel of each image by its own mean and
// variance, as torch.nn.functional.instance_norm does with input statistics.
// Inputs and layout are those of GroupNorm.
type InstanceNorm struct {
	Eps                float64
	HasWeight, HasBias bool
	NHWC               bool
}

// InstanceNormAttributes are the attributes of InstanceNorm without its methods.
type InstanceNormAttributes InstanceNorm

func (InstanceNorm) Name() string { return "instance_norm" }

func (op InstanceNorm) Infer(in []Type) ([]Type, error) {
	if err := affineInputs(op, in, op.HasWeight, op.HasBias); err != nil {
		return nil, err
	}
	if len(in[0].Shape) < 3 {
		return nil, Errorf(op, in, "it needs a batch, channels and at least one more dimension")
	}
	_, channels, _ := SpatialOf(in[0].Shape, op.NHWC)
	return normTypes(op, in, channels)
}

func (op InstanceNorm) Prepare(p *Prepare) (*Kernel, error) {
	_, channels, _ := SpatialOf(p.In[0].Shape, op.NHWC)
	return groupNormKernel(p, channels, op.Eps, op.HasWeight, op.HasBias, op.NHWC), nil
}

// ChannelsLast leaves weight and bias as they are.
func (op InstanceNorm) ChannelsLast(in []Type) (Op, []int, bool) {
	if op.NHWC {
		return nil, nil, false
	}
	op.NHWC = true
	return op, []int{0}, true
}

func groupNormKernel(p *Prepare, groups int, eps float64, hasWeight, hasBias, nhwc bool) *Kernel {
	batch, channels, spatial := SpatialOf(p.In[0].Shape, nhwc)
	if p.Out[0].Numel() == 0 {
		return emptyKernel()
	}
	pixels := 1
	for _, d := range spatial {
		pixels *= d
	}
	gc := channels / groups
	// Along runs of elements that lie side by side: the pixels of a channel, or
	// the group's channels of a pixel.
	runs, n, stride := gc, pixels, pixels
	if nhwc {
		runs, n, stride = pixels, gc, channels
	}
	perTask, tasks := split(batch*groups, gc*pixels)
	task := func(c *Call, i int, _ *Worker) {
		weight, bias := affine(c.In, hasWeight, hasBias)
		for g := i * perTask; g < min((i+1)*perTask, batch*groups); g++ {
			first := g % groups * gc
			at := g * gc * pixels
			if nhwc {
				at = g/groups*channels*pixels + first
			}
			src, dst := element[float32](base(c.In[0]), at), element[float32](base(c.Out[0]), at)
			mean, scale := runMoments(src, runs, n, stride, eps)
			for r := range runs {
				x := row[float32](unsafe.Pointer(src), r*stride, n)
				y := row[float32](unsafe.Pointer(dst), r*stride, n)
				if nhwc {
					normalizeChannels(y, x, mean, scale, weight, bias, first)
				} else {
					normalizeChannel(y, x, mean, scale, weight, bias, first+r)
				}
			}
		}
	}
	return &Kernel{
		Interruptible: true,
		Run:           func(c *Call) error { c.Parallel(tasks, task); return nil },
		Choice:        "groups",
		Parallel:      tasks,
	}
}

// runMoments returns the mean, and 1/sqrt(variance + eps), of runs of n values
// that start stride apart.
func runMoments(src *float32, runs, n, stride int, eps float64) (mean, scale float64) {
	var sum, squares float64
	for r := range runs {
		sum += sumFloats(row[float32](unsafe.Pointer(src), r*stride, n))
	}
	mean = sum / float64(runs*n)
	for r := range runs {
		squares += sumSquares(row[float32](unsafe.Pointer(src), r*stride, n), mean)
	}
	return mean, 1 / math.Sqrt(squares/float64(runs*n)+eps)
}

// sumSquares returns the sum of (x-mean)^2 in float64, in four parts.
func sumSquares(x []float32, mean float64) float64 {
	var s0, s1, s2, s3 float64
	for ; len(x) >= 4; x = x[4:] {
		d0, d1, d2, d3 := float64(x[0])-mean, float64(x[1])-mean, float64(x[2])-mean, float64(x[3])-mean
		s0 += float64(d0 * d0)
		s1 += float64(d1 * d1)
		s2 += float64(d2 * d2)
		s3 += float64(d3 * d3)
	}
	for _, v := range x {
		d := float64(v) - mean
		s0 += float64(d * d)
	}
	return (s0 + s1) + (s2 + s3)
}

// normalizeChannel normalizes values of one channel. Differences are float64: a mean may be far above them, and
// they may be larger than any float32.
func normalizeChannel(dst, src []float32, mean, scale float64, weight, bias []float32, channel int) {
	var shift float32
	if weight != nil {
		scale *= float64(weight[channel])
	}
	if bias != nil {
		shift = bias[channel]
	}
	for i, x := range src {
		dst[i] = float32((float64(x)-mean)*scale) + shift
	}
}

// normalizeChannels normalizes one value of each channel from first on.
func normalizeChannels(dst, src []float32, mean, scale float64, weight, bias []float32, first int) {
	for i, x := range src {
		s := scale
		if weight != nil {
			s *= float64(weight[first+i])
		}
		y := float32((float64(x) - mean) * s)
		if bias != nil {
			y += bias[first+i]
		}
		dst[i] = y
	}
}
