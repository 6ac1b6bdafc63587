package ops

import "github.com/octet-ml/octet/tensor"

// Slice takes the elements Start, Start+Step, ... below End of one dimension,
// as indexing with start:end:step does in PyTorch. Step is at least 1.
type Slice struct {
	Axis, Start, End, Step int
}

// SliceAttributes are the attributes of Slice without its methods, for operators that share only those.
type SliceAttributes Slice

func (Slice) Name() string { return "slice" }

func (op Slice) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	s := in[0].Shape
	axis, err := s.Axis(op.Axis)
	if err != nil || len(s) == 0 {
		return nil, Errorf(op, in, "it has no dimension %d", op.Axis)
	}
	if op.Step < 1 {
		return nil, Errorf(op, in, "step %d is below 1", op.Step)
	}
	if q := in[0].Q; q != nil && q.Scheme.PerChannel() && q.Axis == axis {
		return nil, Errorf(op, in, "cannot slice the quantization axis")
	}
	out := Type{DType: in[0].DType, Shape: s.Clone(), Q: in[0].Q}
	_, out.Shape[axis] = tensor.SliceBounds(s[axis], op.Start, op.End, op.Step)
	if in[0].Known != nil && out.Numel() <= foldLimit {
		if t, err := in[0].Known.Slice(axis, op.Start, op.End, op.Step); err == nil {
			out.Known = t.Clone()
		}
	}
	return []Type{out}, nil
}

// IsView holds when everything is taken.
func (op Slice) IsView(in, out []Type) bool { return in[0].Shape.Equal(out[0].Shape) }

func (op Slice) Prepare(p *Prepare) (*Kernel, error) {
	s := p.In[0].Shape
	axis, _ := s.Axis(op.Axis)
	strides := s.Strides()
	first, _ := tensor.SliceBounds(s[axis], op.Start, op.End, op.Step)
	in := append([]int(nil), strides...)
	in[axis] *= op.Step
	o := p.Out[0]
	return stridedKernel(p.Tier, newStrided(o.Shape, in, o.Shape.Strides()), o.DType.Size(), o.Numel(), first*strides[axis], 0), nil
}

// ChannelsLast moves the axis.
func (op Slice) ChannelsLast(in []Type) (Op, []int, bool) {
	axis, err := in[0].Shape.Axis(op.Axis)
	if err != nil || len(in[0].Shape) < 3 {
		return nil, nil, false
	}
	op.Axis = ChannelsLastAxis(axis, len(in[0].Shape))
	return op, []int{0}, true
}

// ChannelsLastAxis returns where dimension axis of an NCHW value of the given
// rank is once the channels are last.
func ChannelsLastAxis(axis, rank int) int {
	switch {
	case axis == 0:
		return 0
	case axis == 1:
		return rank - 1
	}
	return axis - 1
}
