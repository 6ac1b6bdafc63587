package ops

import "github.com/octet-ml/octet/tensor"

// Grad gives the gradient the input's shape.
func (op Reshape) Grad(b GradBuilder, in, _, dout []Ref, _ []bool) []Ref {
	return []Ref{reshaped(b, dout[0], b.Type(in[0]).Shape)}
}

// Grad gives the gradient the input's shape.
func (op Flatten) Grad(b GradBuilder, in, _, dout []Ref, _ []bool) []Ref {
	return []Ref{reshaped(b, dout[0], b.Type(in[0]).Shape)}
}

// Grad gives the gradient the input's shape; the extents have none.
func (op ReshapeTo) Grad(b GradBuilder, in, _, dout []Ref, _ []bool) []Ref {
	return []Ref{reshaped(b, dout[0], b.Type(in[0]).Shape), nil}
}

// Grad permutes back.
func (op Permute) Grad(b GradBuilder, in, _, dout []Ref, _ []bool) []Ref {
	order, _ := resolveOrder(op.Order, len(op.Order))
	back := make([]int, len(order))
	for i, o := range order {
		back[o] = i
	}
	return []Ref{b.Apply(Permute{Order: back}, dout[0])}
}

// Grad takes the part of the gradient that is not padding.
func (op Pad) Grad(b GradBuilder, in, _, dout []Ref, _ []bool) []Ref {
	before, after := make([]int, len(op.Before)), make([]int, len(op.After))
	for i := range before {
		before[i], after[i] = -op.Before[i], -op.After[i]
	}
	return []Ref{b.Apply(Pad{Before: before, After: after}, dout[0])}
}

// Grad puts the gradient where the elements came from.
func (op Slice) Grad(b GradBuilder, in, _, dout []Ref, _ []bool) []Ref {
	return []Ref{b.Apply(SliceGrad{SliceAttributes: SliceAttributes(op), Shape: b.Type(in[0]).Shape}, dout[0])}
}

// Grad puts the gradient where the elements came from; the bounds have none.
func (op SliceTo) Grad(b GradBuilder, in, _, dout []Ref, _ []bool) []Ref {
	grads := make([]Ref, 3)
	s, err := op.slice([]Type{b.Type(in[0]), b.Type(in[1]), b.Type(in[2])})
	if err != nil {
		b.Fail(err)
		return grads
	}
	grads[0] = b.Apply(SliceGrad{SliceAttributes: SliceAttributes(s), Shape: b.Type(in[0]).Shape}, dout[0])
	return grads
}

// SliceGrad is the gradient of Slice: zeros of the given shape with the input
// at the elements that the slice takes.
type SliceGrad struct {
	SliceAttributes
	Shape []int
}

func (SliceGrad) Name() string { return "slice_grad" }

func (op SliceGrad) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	if err := floatInputs(op, in); err != nil {
		return nil, err
	}
	if _, err := tensor.Shape(op.Shape).Numel(); err != nil {
		return nil, Errorf(op, in, "%v", err)
	}
	taken, err := Slice(op.SliceAttributes).Infer([]Type{F32(op.Shape...)})
	if err != nil {
		return nil, err
	}
	if !taken[0].Shape.Equal(in[0].Shape) {
		return nil, Errorf(op, in, "the slice of %v has shape %v", op.Shape, taken[0].Shape)
	}
	return []Type{F32(op.Shape...)}, nil
}

func (op SliceGrad) Prepare(p *Prepare) (*Kernel, error) {
	full := tensor.Shape(op.Shape)
	axis, _ := full.Axis(op.Axis)
	strides := full.Strides()
	first, _ := tensor.SliceBounds(full[axis], op.Start, op.End, op.Step)
	out := append([]int(nil), strides...)
	out[axis] *= op.Step
	in := p.In[0]
	inner := stridedKernel(p.Tier, newStrided(in.Shape, in.Shape.Strides(), out), 4, in.Numel(), 0, first*strides[axis])
	k := *inner
	k.Run = func(c *Call) error {
		clear(c.Out[0].Bytes())
		return inner.Run(c)
	}
	return &k, nil
}

// ChannelsLast moves the axis.
func (op SliceGrad) ChannelsLast(in []Type) (Op, []int, bool) {
	rank := len(op.Shape)
	inner, inputs, ok := Slice(op.SliceAttributes).ChannelsLast(in)
	if !ok {
		return nil, nil, false
	}
	op.SliceAttributes = SliceAttributes(inner.(Slice))
	shape := make([]int, rank)
	for i, d := range op.Shape {
		shape[ChannelsLastAxis(i, rank)] = d
	}
	op.Shape = shape
	return op, inputs, true
}

// Grad takes each input's part of the gradient.
func (op Concat) Grad(b GradBuilder, in, _, dout []Ref, need []bool) []Ref {
	grads := make([]Ref, len(in))
	at := 0
	for i, v := range in {
		axis, _ := b.Type(v).Shape.Axis(op.Axis)
		n := b.Type(v).Shape[axis]
		if need[i] {
			grads[i] = b.Apply(Slice{Axis: axis, Start: at, End: at + n, Step: 1}, dout[0])
		}
		at += n
	}
	return grads
}

// Grad adds up what was repeated.
func (op Expand) Grad(b GradBuilder, in, _, dout []Ref, need []bool) []Ref {
	grads := make([]Ref, len(in))
	grads[0] = sumTo(b, dout[0], b.Type(in[0]).Shape)
	return grads
}

// Grad passes gradients of floats, in the input's element type.
func (op Cast) Grad(b GradBuilder, in, _, dout []Ref, _ []bool) []Ref {
	if d := b.Type(in[0]).DType; d != op.DType {
		return []Ref{b.Apply(Cast{DType: d}, dout[0])}
	}
	return []Ref{dout[0]}
}

// Grad gives each element's gradient to the operand it was taken from.
func (op Where) Grad(b GradBuilder, in, _, dout []Ref, need []bool) []Ref {
	grads := make([]Ref, 3)
	zero := number(b, 0)
	for i := 1; i <= 2; i++ {
		if need[i] {
			args := []Ref{in[0], zero, zero}
			args[i] = dout[0]
			grads[i] = sumTo(b, b.Apply(Where{NHWC: op.NHWC}, args...), b.Type(in[i]).Shape)
		}
	}
	return grads
}

// Grad flips back.
func (op Flip) Grad(b GradBuilder, _, _, dout []Ref, _ []bool) []Ref {
	return []Ref{b.Apply(op, dout[0])}
}

// Grad rolls back.
func (op Roll) Grad(b GradBuilder, _, _, dout []Ref, _ []bool) []Ref {
	back := op
	back.Shifts = make([]int, len(op.Shifts))
	for i, s := range op.Shifts {
		back.Shifts[i] = -s
	}
	return []Ref{b.Apply(back, dout[0])}
}

// Grad takes each input's part of the gradient.
func (op Stack) Grad(b GradBuilder, in, _, dout []Ref, need []bool) []Ref {
	grads := make([]Ref, len(in))
	axis := op.Axis
	if axis < 0 {
		axis += len(b.Type(in[0]).Shape) + 1
	}
	for i, v := range in {
		if need[i] {
			part := b.Apply(Slice{Axis: axis, Start: i, End: i + 1, Step: 1}, dout[0])
			grads[i] = reshaped(b, part, b.Type(v).Shape)
		}
	}
	return grads
}
