package ops

import "slices"

// Stack joins values of one shape along a new dimension, as torch.stack does.
type Stack struct {
	Axis int
}

func (Stack) Name() string { return "stack" }

func (op Stack) Infer(in []Type) ([]Type, error) {
	if len(in) == 0 {
		return nil, Errorf(op, in, "it needs at least one input")
	}
	rank := len(in[0].Shape) + 1
	if op.Axis < -rank || op.Axis >= rank {
		return nil, Errorf(op, in, "the output has no dimension %d", op.Axis)
	}
	for i, t := range in {
		if t.DType != in[0].DType || !t.Shape.Equal(in[0].Shape) {
			return nil, Errorf(op, in, "input %d has another type or shape", i)
		}
		if !t.Q.Equal(in[0].Q) || t.Q != nil && t.Q.Scheme.PerChannel() {
			return nil, Errorf(op, in, "input %d is quantized differently, or per channel", i)
		}
	}
	shape := slices.Insert(in[0].Shape.Clone(), op.axis(in), len(in))
	if _, err := shape.Numel(); err != nil {
		return nil, Errorf(op, in, "%v", err)
	}
	return fold(op, in, Type{DType: in[0].DType, Shape: shape, Q: in[0].Q})
}

func (op Stack) axis(in []Type) int {
	if op.Axis < 0 {
		return op.Axis + len(in[0].Shape) + 1
	}
	return op.Axis
}

func (op Stack) Prepare(p *Prepare) (*Kernel, error) {
	axis := op.axis(p.In)
	joined := *p
	joined.In = slices.Clone(p.In)
	for i := range joined.In {
		joined.In[i].Shape = slices.Insert(p.In[i].Shape.Clone(), axis, 1)
	}
	return Concat{Axis: axis}.Prepare(&joined)
}
