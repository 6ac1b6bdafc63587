package ops

import "github.com/octet-ml/octet/tensor"

// Grad adds up, along one dimension after the other, what the border took from each element.
func (op PadMode) Grad(b GradBuilder, in, _, dout []Ref, _ []bool) []Ref {
	shape, d := b.Type(in[0]).Shape, dout[0]
	for axis, n := range shape {
		if op.Before[axis] == 0 && op.After[axis] == 0 {
			continue
		}
		from := b.Type(d).Shape.Clone()
		index := indexConst(op.source(axis, n, from[axis], 1))
		from[axis] = n
		d = selectGrad(b, from, axis, b.Const(index), d)
	}
	return []Ref{d}
}

// indexConst returns indices as a vector, or in the given shape.
func indexConst(index []int, shape ...int) *tensor.Tensor {
	wide := make([]int64, len(index))
	for i, v := range index {
		wide[i] = int64(v)
	}
	if shape == nil {
		shape = []int{len(index)}
	}
	t, err := tensor.FromSlice(wide, shape...)
	if err != nil {
		return tensor.Scalar(int64(0))
	}
	return t
}
