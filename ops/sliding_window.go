package ops

// SlidingWindow adds a last dimension that holds the Size elements from every
// Step-th on of one dimension, as torch.Tensor.unfold does.
type SlidingWindow struct {
	Axis, Size, Step int
}

func (SlidingWindow) Name() string { return "windows" }

func (op SlidingWindow) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	axis, err := lineAxis(op, in, op.Axis)
	if err != nil {
		return nil, err
	}
	_, n, _ := axisSplit(in[0].Shape, axis)
	if op.Step < 1 || op.Size < 0 || op.Size > n {
		return nil, Errorf(op, in, "windows of %d every %d do not fit an extent of %d", op.Size, op.Step, n)
	}
	if q := in[0].Q; q != nil && q.Scheme.PerChannel() && q.Axis == axis {
		return nil, Errorf(op, in, "cannot cut the quantization axis")
	}
	shape := in[0].Shape.Clone()
	if len(shape) > 0 {
		shape[axis] = (n-op.Size)/op.Step + 1
	}
	shape = append(shape, op.Size)
	if _, err := shape.Numel(); err != nil {
		return nil, Errorf(op, in, "%v", err)
	}
	return fold(op, in, Type{DType: in[0].DType, Shape: shape, Q: in[0].Q})
}

func (op SlidingWindow) Prepare(p *Prepare) (*Kernel, error) {
	axis, err := lineAxis(op, p.In, op.Axis)
	if err != nil {
		return nil, err
	}
	strides := p.In[0].Shape.Strides()
	along := 1
	if len(strides) > 0 {
		along = strides[axis]
		strides[axis] *= op.Step
	}
	out := p.Out[0]
	return stridedKernel(p.Tier, newStrided(out.Shape, append(strides, along), out.Shape.Strides()), out.DType.Size(), out.Numel(), 0, 0), nil
}
