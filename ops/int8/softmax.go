package int8

import (
	"math"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

func init() {
	registerForm(ops.Softmax{}, func(n Node) *Form {
		op := n.Op.(ops.Softmax)
		if !n.takesActivation() {
			return &Form{}
		}
		f := &Form{
			Activations: []int{0},
			Build: func(b Builder, in []ops.Ref, out *tensor.QParams) ops.Ref {
				return b.Apply(Softmax{SoftmaxAttributes: ops.SoftmaxAttributes(op), Out: out}, in[0])
			},
		}
		if !op.Log {
			f.Bounds = &Interval{0, 1}
		}
		return f
	})
}

// Softmax is ops.Softmax on quantized values. The exponentials of the 256 distances that integers can have from the greatest of a line
// are whole multiples of 2^-30, so that their sum is exact:
//
//	e[d] = round(2^30 * exp(-d*scale))
//	sum  = of e[greatest-x] along the line
//	q    = quantize(e[greatest-x] / sum), of the logarithm quantize(-(greatest-x)*scale - log(sum/2^30))
//
// Input: uint8 per tensor. Output: uint8 with qparams Out.
type Softmax struct {
	ops.SoftmaxAttributes
	Out *tensor.QParams
}

// Name returns "int8.softmax" or "int8.log_softmax".
func (op Softmax) Name() string { return "int8." + ops.Softmax(op.SoftmaxAttributes).Name() }

func (op Softmax) float() ops.Op { return ops.Softmax(op.SoftmaxAttributes) }

// Infer checks the axis and the parameters.
func (op Softmax) Infer(in []ops.Type) ([]ops.Type, error) {
	types, err := quantizedTypes(op, op.float(), in, 1, op.Out)
	if err == nil {
		err = activation(op, in, 0)
	}
	return types, err
}

// softmaxOne stands for 1 among exponentials.
const softmaxOne = 1 << 30

// softmaxTask is about how many elements one task computes.
const softmaxTask = 1 << 14

// Prepare computes lines, whose elements are as far apart as the dimensions behind the axis make them.
func (op Softmax) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	s := p.In[0].Shape
	axis, err := s.Axis(op.Axis)
	if err != nil {
		return nil, err
	}
	if p.Out[0].Numel() == 0 {
		return emptyKernel(), nil
	}
	n, inner := s[axis], 1
	for _, d := range s[axis+1:] {
		inner *= d
	}
	lines, in := p.In[0].Numel()/n, p.In[0].Q
	perTask := max(softmaxTask/n, 1)
	tasks := (lines + perTask - 1) / perTask
	task := func(c *ops.Call, i int, _ *ops.Worker) {
		var e [256]uint32
		for d := range e {
			e[d] = uint32(math.RoundToEven(softmaxOne * math.Exp(-float64(d)*float64(in.Scale[0]))))
		}
		x, y := c.In[0].Uint8s(), c.Out[0].Uint8s()
		for l := i * perTask; l < min((i+1)*perTask, lines); l++ {
			at := l/inner*n*inner + l%inner
			op.line(y[at:], x[at:], n, inner, &e, float64(in.Scale[0]))
		}
	}
	return &ops.Kernel{
		Interruptible: true,
		Run:           func(c *ops.Call) error { c.Parallel(tasks, task); return nil },
		Choice:        "table of exponentials",
		Parallel:      tasks,
	}, nil
}

// line computes n elements that are step apart.
func (op Softmax) line(y, x []uint8, n, step int, e *[256]uint32, scale float64) {
	var top uint8
	for i := range n {
		top = max(top, x[i*step])
	}
	sum := uint64(0)
	for i := range n {
		sum += uint64(e[top-x[i*step]])
	}
	// What each distance becomes is computed when the line has it first.
	var known [256]bool
	var values [256]uint8
	for i := range n {
		d := top - x[i*step]
		if !known[d] {
			v := float64(e[d]) / float64(sum)
			if op.Log {
				v = float64(-float64(d)*scale) - math.Log(float64(sum)/softmaxOne)
			}
			known[d], values[d] = true, uint8(op.Out.Quantize(float32(v), 0))
		}
		y[i*step] = values[d]
	}
}

// ChannelsLast moves the axis.
func (op Softmax) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) {
	inner, images, ok := ops.Softmax(op.SoftmaxAttributes).ChannelsLast(in)
	if ok {
		op.SoftmaxAttributes = ops.SoftmaxAttributes(inner.(ops.Softmax))
	}
	return op, images, ok
}
