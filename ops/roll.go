package ops

// Roll moves elements along dimensions, those that leave at one end entering at
// the other, as torch.roll does. Without Axes it rolls all elements in row-major order.
type Roll struct {
	Shifts, Axes []int
}

func (Roll) Name() string { return "roll" }

func (op Roll) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	if len(op.Axes) == 0 && len(op.Shifts) != 1 || len(op.Axes) > 0 && len(op.Shifts) != len(op.Axes) {
		return nil, Errorf(op, in, "%d shifts do not fit %d dimensions", len(op.Shifts), len(op.Axes))
	}
	for _, a := range op.Axes {
		if _, err := in[0].Shape.Axis(a); err != nil || len(in[0].Shape) == 0 {
			return nil, Errorf(op, in, "it has no dimension %d", a)
		}
	}
	if q := in[0].Q; q != nil && q.Scheme.PerChannel() {
		return nil, Errorf(op, in, "cannot roll a value quantized per channel")
	}
	return fold(op, in, Type{DType: in[0].DType, Shape: in[0].Shape, Q: in[0].Q})
}

func (op Roll) Prepare(p *Prepare) (*Kernel, error) {
	in := p.In[0]
	if in.Numel() == 0 {
		return emptyKernel(), nil
	}
	extent := []int{in.Numel()}
	shift := []int{0}
	if len(op.Axes) == 0 {
		shift[0] = op.Shifts[0]
	} else {
		extent, shift = in.Shape, make([]int, len(in.Shape))
		for i, a := range op.Axes {
			axis, err := lineAxis(op, p.In, a)
			if err != nil {
				return nil, err
			}
			shift[axis] += op.Shifts[i] % extent[axis]
		}
	}
	last := 0
	for i := range shift {
		shift[i] = (shift[i]%extent[i] + extent[i]) % extent[i]
		if shift[i] != 0 {
			last = i
		}
	}
	// A row holds the last rolled dimension and what lies behind it; its bytes move in two pieces.
	inner := in.DType.Size()
	for _, d := range extent[last+1:] {
		inner *= d
	}
	row, cut := extent[last]*inner, shift[last]*inner
	outer, shifts := extent[:last], shift[:last]
	count := 1
	for _, d := range outer {
		count *= d
	}
	perTask, tasks := split(count, row/4)
	task := func(c *Call, i int, _ *Worker) {
		src, dst := c.In[0].Bytes(), c.Out[0].Bytes()
		for r := i * perTask; r < min((i+1)*perTask, count); r++ {
			from, step := 0, 1
			for rest, d := r, len(outer)-1; d >= 0; d-- {
				k := rest % outer[d]
				rest /= outer[d]
				from += (k - shifts[d] + outer[d]) % outer[d] * step
				step *= outer[d]
			}
			x, y := src[from*row:][:row], dst[r*row:][:row]
			copy(y[cut:], x)
			copy(y[:cut], x[row-cut:])
		}
	}
	return &Kernel{
		Interruptible: true,
		Run:           func(c *Call) error { c.Parallel(tasks, task); return nil },
		Choice:        "copy",
		Parallel:      tasks,
	}, nil
}

// ChannelsLast moves the axes.
func (op Roll) ChannelsLast(in []Type) (Op, []int, bool) {
	rank := len(in[0].Shape)
	if rank < 3 || len(op.Axes) == 0 {
		return nil, nil, false
	}
	axes := make([]int, len(op.Axes))
	for i, a := range op.Axes {
		axis, err := in[0].Shape.Axis(a)
		if err != nil {
			return nil, nil, false
		}
		axes[i] = ChannelsLastAxis(axis, rank)
	}
	op.Axes = axes
	return op, []int{0}, true
}
