package ops

import "math"

// Grad needs only the output.
func (op Softmax) Grad(b GradBuilder, _, out, dout []Ref, _ []bool) []Ref {
	return []Ref{b.Apply(SoftmaxGrad{SoftmaxAttributes(op)}, out[0], dout[0])}
}

// SoftmaxGrad is the gradient of Softmax, along the same dimension. Inputs: the
// output y and its gradient dy.
//
//	softmax:     dx = y * (dy - sum(y*dy))
//	log_softmax: dx = dy - exp(y) * sum(dy)
type SoftmaxGrad struct {
	SoftmaxAttributes
}

// Name returns softmax_grad or log_softmax_grad.
func (op SoftmaxGrad) Name() string { return Softmax(op.SoftmaxAttributes).Name() + "_grad" }

func (op SoftmaxGrad) Infer(in []Type) ([]Type, error) {
	out, err := sameFloats(op, in, 2)
	if err != nil {
		return nil, err
	}
	_, err = lineAxis(op, in, op.Axis)
	return out, err
}

func (op SoftmaxGrad) Prepare(p *Prepare) (*Kernel, error) {
	axis, err := lineAxis(op, p.In, op.Axis)
	if err != nil {
		return nil, err
	}
	outer, n, inner := axisSplit(p.In[0].Shape, axis)
	if outer*n*inner == 0 {
		return emptyKernel(), nil
	}
	perTask, tasks := split(outer*inner, n)
	task := func(c *Call, i int, _ *Worker) {
		y, dy, dx := c.In[0].Float32s(), c.In[1].Float32s(), c.Out[0].Float32s()
		for line := i * perTask; line < min((i+1)*perTask, outer*inner); line++ {
			at := line/inner*n*inner + line%inner
			end := at + n*inner
			var sum float64
			if op.Log {
				for k := at; k < end; k += inner {
					sum += float64(dy[k])
				}
				for k := at; k < end; k += inner {
					dx[k] = float32(float64(dy[k]) - float64(math.Exp(float64(y[k]))*sum))
				}
				continue
			}
			for k := at; k < end; k += inner {
				sum += float64(y[k] * dy[k])
			}
			for k := at; k < end; k += inner {
				dx[k] = y[k] * (dy[k] - float32(sum))
			}
		}
	}
	return &Kernel{Interruptible: true, Run: func(c *Call) error { c.Parallel(tasks, task); return nil }, Choice: "lines", Parallel: tasks}, nil
}

// ChannelsLast moves the axis.
func (op SoftmaxGrad) ChannelsLast(in []Type) (Op, []int, bool) {
	inner, _, ok := Softmax(op.SoftmaxAttributes).ChannelsLast(in)
	if !ok {
		return nil, nil, false
	}
	op.SoftmaxAttributes = SoftmaxAttributes(inner.(Softmax))
	return op, []int{0, 1}, true
}
