package ops

import "slices"

// Grad adds up the columns where they come from.
func (op Unfold) Grad(b GradBuilder, in, _, dout []Ref, _ []bool) []Ref {
	return []Ref{b.Apply(Fold{b.Type(in[0]).Shape[2:], op.Kernel, op.Stride, op.Padding, op.Dilation}, dout[0])}
}

// Grad lays out the gradient as columns.
func (op Fold) Grad(b GradBuilder, _, _, dout []Ref, _ []bool) []Ref {
	return []Ref{b.Apply(Unfold{op.Kernel, op.Stride, op.Padding, op.Dilation}, dout[0])}
}

// Grad adds up the gradients of the windows that hold an element.
func (op SlidingWindow) Grad(b GradBuilder, in, _, dout []Ref, _ []bool) []Ref {
	shape := b.Type(in[0]).Shape
	if len(shape) == 0 {
		return []Ref{b.Apply(Reduce{Fn: Sum}, dout[0])}
	}
	axis, err := shape.Axis(op.Axis)
	if err != nil {
		b.Fail(err)
		return make([]Ref, 1)
	}
	count := b.Type(dout[0]).Shape[axis]
	index := make([]int, 0, count*op.Size)
	for i := range count {
		for j := range op.Size {
			index = append(index, i*op.Step+j)
		}
	}
	d := b.Apply(Permute{Order: frontOrder(len(shape)+1, axis, len(shape))}, dout[0])
	rows, back := frontShape(shape, axis)
	return []Ref{b.Apply(Permute{Order: back}, b.Apply(EmbeddingGrad{Shape: rows}, b.Const(indexConst(index, count, op.Size)), d))}
}

// Grad puts the gradient on the diagonal of zeros.
func (op Diagonal) Grad(b GradBuilder, in, _, dout []Ref, _ []bool) []Ref {
	s := b.Type(in[0]).Shape
	first, err1 := s.Axis(op.Axis1)
	second, err2 := s.Axis(op.Axis2)
	if err1 != nil || err2 != nil {
		b.Fail(Errorf(op, []Type{b.Type(in[0])}, "it has no two dimensions %d and %d", op.Axis1, op.Axis2))
		return make([]Ref, 1)
	}
	d := b.Type(dout[0]).Shape
	index := make([]int, d[len(d)-1])
	for i := range index {
		index[i] = (i+max(-op.Offset, 0))*s[second] + i + max(op.Offset, 0)
	}
	// The two dimensions in front, as one, then the others.
	order := frontOrder(len(s), first, second)
	rows := []int{s[first] * s[second]}
	whole, back := make([]int, len(s)), make([]int, len(s))
	for i, o := range order {
		whole[i], back[o] = s[o], i
		if i >= 2 {
			rows = append(rows, s[o])
		}
	}
	g := b.Apply(Permute{Order: frontOrder(len(d), len(d)-1)}, dout[0])
	g = b.Apply(EmbeddingGrad{Shape: rows}, b.Const(indexConst(index)), g)
	return []Ref{b.Apply(Permute{Order: back}, reshaped(b, g, whole))}
}

// Grad is the triangle of the gradient.
func (op Trilu) Grad(b GradBuilder, _, _, dout []Ref, _ []bool) []Ref {
	return []Ref{b.Apply(op, dout[0])}
}

// Grad adds up the repetitions.
func (op Tile) Grad(b GradBuilder, in, _, dout []Ref, _ []bool) []Ref {
	shape := b.Type(in[0]).Shape
	var split, repeated []int
	for i, n := range op.Repeats {
		extent := 1
		if k := i - len(op.Repeats) + len(shape); k >= 0 {
			extent = shape[k]
		}
		repeated = append(repeated, len(split))
		split = append(split, n, extent)
	}
	if len(split) == 0 {
		return []Ref{dout[0]}
	}
	d := b.Apply(Reduce{Fn: Sum, Axes: repeated}, reshaped(b, dout[0], split))
	return []Ref{reshaped(b, d, shape)}
}

// frontOrder is the order of dimensions with some in front.
//
//go:noinline
func frontOrder(rank int, front ...int) []int {
	order := slices.Clone(front)
	for i := range rank {
		if !slices.Contains(front, i) {
			order = append(order, i)
		}
	}
	return order
}

// frontShape is a shape with one dimension in front, and the order that puts it back.
func frontShape(shape []int, axis int) (rows, back []int) {
	rows, back = make([]int, len(shape)), make([]int, len(shape))
	for i, o := range frontOrder(len(shape), axis) {
		rows[i], back[o] = shape[o], i
	}
	return rows, back
}
