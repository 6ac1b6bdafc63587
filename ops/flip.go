package ops

// Flip reverses the order along dimensions, as torch.flip does.
type Flip struct {
	Axes []int
}

func (Flip) Name() string { return "flip" }

func (op Flip) Infer(in []Type) ([]Type, error) {
	flipped, err := op.axes(in)
	if err != nil {
		return nil, err
	}
	if q := in[0].Q; q != nil && q.Scheme.PerChannel() && flipped[q.Axis] {
		return nil, Errorf(op, in, "cannot flip the quantization axis")
	}
	return fold(op, in, Type{DType: in[0].DType, Shape: in[0].Shape, Q: in[0].Q})
}

func (op Flip) axes(in []Type) ([]bool, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	flipped := make([]bool, max(len(in[0].Shape), 1))
	for _, a := range op.Axes {
		axis, err := lineAxis(op, in, a)
		if err != nil {
			return nil, err
		}
		if flipped[axis] {
			return nil, Errorf(op, in, "dimension %d is flipped twice", axis)
		}
		flipped[axis] = true
	}
	return flipped[:len(in[0].Shape)], nil
}

func (op Flip) Prepare(p *Prepare) (*Kernel, error) {
	flipped, err := op.axes(p.In)
	if err != nil {
		return nil, err
	}
	s := p.In[0].Shape
	strides := s.Strides()
	offset := 0
	for i, f := range flipped {
		if f {
			offset += (s[i] - 1) * strides[i]
			strides[i] = -strides[i]
		}
	}
	return stridedKernel(p.Tier, newStrided(s, strides, s.Strides()), p.In[0].DType.Size(), p.In[0].Numel(), offset, 0), nil
}

// ChannelsLast moves the axes.
func (op Flip) ChannelsLast(in []Type) (Op, []int, bool) {
	rank := len(in[0].Shape)
	flipped, err := op.axes(in)
	if err != nil || rank < 3 {
		return nil, nil, false
	}
	op.Axes = nil
	for i, f := range flipped {
		if f {
			op.Axes = append(op.Axes, ChannelsLastAxis(i, rank))
		}
	}
	return op, []int{0}, true
}
