package ops

import (
	"math"

	"github.com/octet-ml/octet/tensor"
)

// BatchNorm normalises each channel with recorded statistics, as
// torch.nn.functional.batch_norm does in evaluation mode:
// y = (x - mean) / sqrt(var + Eps) * weight + bias.
//
// Inputs: x [N, C, ...], weight, bias, mean, var, each [C]. The last four are
// usually constants.
type BatchNorm struct {
	Eps  float64
	NHWC bool
}

func (BatchNorm) Name() string { return "batch_norm" }

func (op BatchNorm) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 5, 5); err != nil {
		return nil, err
	}
	if err := floatInputs(op, in); err != nil {
		return nil, err
	}
	if len(in[0].Shape) < 2 {
		return nil, Errorf(op, in, "the input must have at least 2 dimensions")
	}
	c := in[0].Shape[op.axis(in[0].Shape)]
	for _, t := range in[1:] {
		if !t.Shape.Equal(tensor.Shape{c}) {
			return nil, Errorf(op, in, "weight, bias, mean and variance must have shape [%d]", c)
		}
	}
	return []Type{F32(in[0].Shape...)}, nil
}

func (op BatchNorm) axis(s tensor.Shape) int {
	if op.NHWC {
		return len(s) - 1
	}
	return 1
}

// ScaleShift returns the per-channel factor and offset the operator comes to:
// y = x*scale[c] + shift[c]. They are computed in float64 and rounded once.
func (op BatchNorm) ScaleShift(weight, bias, mean, variance []float32) (scale, shift []float32) {
	scale, shift = make([]float32, len(weight)), make([]float32, len(weight))
	op.scaleShift(scale, shift, weight, bias, mean, variance)
	return scale, shift
}

//go:noinline
func (op BatchNorm) scaleShift(scale, shift, weight, bias, mean, variance []float32) {
	for i := range weight {
		s := float64(weight[i]) / math.Sqrt(float64(variance[i])+op.Eps)
		scale[i] = float32(s)
		shift[i] = float32(float64(bias[i]) - float64(float64(mean[i])*s))
	}
}

// ChannelsLast normalises the last dimension.
func (op BatchNorm) ChannelsLast(in []Type) (Op, []int, bool) {
	if op.NHWC {
		return nil, nil, false
	}
	if len(in[0].Shape) < 3 {
		return nil, nil, false
	}
	op.NHWC = true
	return op, []int{0}, true
}

func (op BatchNorm) Prepare(p *Prepare) (*Kernel, error) {
	s := p.In[0].Shape
	axis := op.axis(s)
	c := s[axis]
	outer, inner := 1, 1
	for _, d := range s[:axis] {
		outer *= d
	}
	for _, d := range s[axis+1:] {
		inner *= d
	}
	tasks := 1
	if p.In[0].Numel() > 1<<15 {
		tasks = min(outer, 4*p.Threads)
	}
	task := func(call *Call, i int, _ *Worker) {
		scale, shift := floatsOf(call.Scratch, 0, c), floatsOf(call.Scratch, c, c)
		x, y := call.In[0].Float32s(), call.Out[0].Float32s()
		for o := i * outer / tasks; o < (i+1)*outer/tasks; o++ {
			at := o * c * inner
			if inner == 1 {
				for ch, v := range x[at : at+c] {
					y[at+ch] = float32(v*scale[ch]) + shift[ch]
				}
				continue
			}
			for ch := range c {
				a, b := scale[ch], shift[ch]
				for j, v := range x[at : at+inner] {
					y[at+j] = float32(v*a) + b
				}
				at += inner
			}
		}
	}
	return &Kernel{
		Interruptible: true,
		Scratch:       8 * c,
		Run: func(call *Call) error {
			scale, shift := floatsOf(call.Scratch, 0, c), floatsOf(call.Scratch, c, c)
			op.scaleShift(scale, shift, call.In[1].Float32s(), call.In[2].Float32s(), call.In[3].Float32s(), call.In[4].Float32s())
			call.Parallel(tasks, task)
			return nil
		},
		Choice:   "scale and shift",
		Parallel: tasks,
	}, nil
}
