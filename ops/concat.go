package ops

// Concat joins values along one dimension, as torch.cat does. Quantized values
// must have the same qparams.
type Concat struct {
	Axis int
}

func (Concat) Name() string { return "concat" }

func (op Concat) Infer(in []Type) ([]Type, error) {
	if len(in) == 0 {
		return nil, Errorf(op, in, "it needs at least one input")
	}
	axis, err := in[0].Shape.Axis(op.Axis)
	if err != nil || len(in[0].Shape) == 0 {
		return nil, Errorf(op, in, "it has no dimension %d", op.Axis)
	}
	out := Type{DType: in[0].DType, Shape: in[0].Shape.Clone(), Q: in[0].Q}
	out.Shape[axis] = 0
	for i, t := range in {
		if t.DType != out.DType || len(t.Shape) != len(out.Shape) {
			return nil, Errorf(op, in, "input %d has another type or rank", i)
		}
		if !t.Q.Equal(out.Q) {
			return nil, Errorf(op, in, "input %d is quantized differently", i)
		}
		for d := range t.Shape {
			if d != axis && t.Shape[d] != out.Shape[d] {
				return nil, Errorf(op, in, "input %d differs outside dimension %d", i, axis)
			}
		}
		out.Shape[axis] += t.Shape[axis]
	}
	return fold(op, in, out)
}

func (op Concat) Prepare(p *Prepare) (*Kernel, error) {
	axis, _ := p.Out[0].Shape.Axis(op.Axis)
	size := p.Out[0].DType.Size()
	outer := 1
	for _, d := range p.Out[0].Shape[:axis] {
		outer *= d
	}
	rowBytes := make([]int, len(p.In))
	total := 0
	for i, t := range p.In {
		n := size
		for _, d := range t.Shape[axis:] {
			n *= d
		}
		rowBytes[i] = n
		total += n
	}
	tasks := 1
	if outer*total > 1<<16 {
		tasks = min(outer, 4*p.Threads)
	}
	task := func(c *Call, i int, _ *Worker) {
		out := c.Out[0].Bytes()
		for r := i * outer / tasks; r < (i+1)*outer/tasks; r++ {
			dst := out[r*total:]
			for k, n := range rowBytes {
				copy(dst[:n], c.In[k].Bytes()[r*n:])
				dst = dst[n:]
			}
		}
	}
	return &Kernel{Interruptible: true, Run: func(c *Call) error { c.Parallel(tasks, task); return nil }, Choice: "copy", Parallel: tasks}, nil
}

// ChannelsLast moves the axis.
func (op Concat) ChannelsLast(in []Type) (Op, []int, bool) {
	axis, err := in[0].Shape.Axis(op.Axis)
	if err != nil || len(in[0].Shape) < 3 {
		return nil, nil, false
	}
	op.Axis = ChannelsLastAxis(axis, len(in[0].Shape))
	inputs := make([]int, len(in))
	for i := range inputs {
		inputs[i] = i
	}
	return op, inputs, true
}
