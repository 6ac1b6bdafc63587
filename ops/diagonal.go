package ops

import (
	"slices"

	"github.com/octet-ml/octet/tensor"
)

// Diagonal takes the elements whose indices in two dimensions differ by Offset
// (the second less the first); they become the last dimension, as
// torch.diagonal gives them.
type Diagonal struct {
	Offset, Axis1, Axis2 int
}

func (Diagonal) Name() string { return "diagonal" }

func (op Diagonal) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	s := in[0].Shape
	a, err1 := s.Axis(op.Axis1)
	b, err2 := s.Axis(op.Axis2)
	if err1 != nil || err2 != nil || a == b || len(s) < 2 {
		return nil, Errorf(op, in, "it has no two dimensions %d and %d", op.Axis1, op.Axis2)
	}
	if q := in[0].Q; q != nil && q.Scheme.PerChannel() {
		return nil, Errorf(op, in, "cannot take the diagonal of a value quantized per channel")
	}
	shape := make(tensor.Shape, 0, len(s)-1)
	for i, d := range s {
		if i != a && i != b {
			shape = append(shape, d)
		}
	}
	n := min(s[a], s[b]-op.Offset)
	if op.Offset < 0 {
		n = min(s[a]+op.Offset, s[b])
	}
	return fold(op, in, Type{DType: in[0].DType, Shape: append(shape, max(n, 0)), Q: in[0].Q})
}

func (op Diagonal) Prepare(p *Prepare) (*Kernel, error) {
	s := p.In[0].Shape
	a, _ := s.Axis(op.Axis1)
	b, _ := s.Axis(op.Axis2)
	strides := s.Strides()
	along, offset := strides[a]+strides[b], op.Offset*strides[b]
	if op.Offset < 0 {
		offset = -op.Offset * strides[a]
	}
	strides = append(slices.Delete(slices.Delete(strides, max(a, b), max(a, b)+1), min(a, b), min(a, b)+1), along)
	out := p.Out[0]
	return stridedKernel(p.Tier, newStrided(out.Shape, strides, out.Shape.Strides()), out.DType.Size(), out.Numel(), offset, 0), nil
}
