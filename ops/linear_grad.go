package ops

import "slices"

// Grad: with z = x W^T + b + r and dz behind the activation,
// dx = dz W, dW = dz^T x, db = sum of dz over rows, dr = dz.
func (op Linear) Grad(b GradBuilder, in, out, dout []Ref, need []bool) []Ref {
	plain := op
	plain.Act = NoActivation
	dz := activationGrad(b, op.Act, plain, in, out[0], dout[0])
	grads := make([]Ref, len(in))
	rows := matrixOf(b, dz)
	if need[1] {
		grads[1] = b.Apply(MatMul{}, transposed(b, rows), matrixOf(b, in[0]))
	}
	if op.HasBias && need[2] {
		grads[2] = b.Apply(ChannelSum{NHWC: true}, rows)
	}
	if need[0] {
		grads[0] = b.Apply(MatMul{}, dz, in[1])
	}
	if op.HasResidual {
		grads[len(in)-1] = dz
	}
	return grads
}

// Grad: dA = dC B^T and dB = A^T dC, summed over the batches that were broadcast.
func (op MatMul) Grad(b GradBuilder, in, out, dout []Ref, need []bool) []Ref {
	grads := make([]Ref, 2)
	sa, sb := b.Type(in[0]).Shape, b.Type(in[1]).Shape
	// A vector is a matrix of one row on the left, of one column on the right.
	x, y, shape := in[0], in[1], b.Type(dout[0]).Shape.Clone()
	if len(sb) == 1 {
		y = reshaped(b, y, []int{sb[0], 1})
		shape = append(shape, 1)
	}
	if len(sa) == 1 {
		x = reshaped(b, x, []int{1, sa[0]})
		shape = slices.Insert(shape, len(shape)-1, 1)
	}
	d := reshaped(b, dout[0], shape)
	if len(b.Type(y).Shape) == 2 && len(shape) > 2 {
		// One matrix on the right: everything on the left is rows of one matrix.
		x, d = matrixOf(b, x), matrixOf(b, d)
	}
	if need[0] {
		dx := sumTo(b, b.Apply(MatMul{TransposeB: !op.TransposeB}, d, y), b.Type(x).Shape)
		grads[0] = reshaped(b, dx, sa)
	}
	if need[1] {
		left, right := x, d
		if op.TransposeB {
			left, right = d, x
		}
		dy := sumTo(b, b.Apply(MatMul{}, transposed(b, left), right), b.Type(y).Shape)
		grads[1] = reshaped(b, dy, sb)
	}
	return grads
}

// matrixOf views a value as rows of its last dimension.
func matrixOf(b GradBuilder, v Ref) Ref {
	t := b.Type(v)
	n := t.Shape[len(t.Shape)-1]
	return reshaped(b, v, []int{t.Numel() / max(n, 1), n})
}

// transposed exchanges the last two dimensions.
func transposed(b GradBuilder, v Ref) Ref {
	rank := len(b.Type(v).Shape)
	order := identityOrder(rank)
	order[rank-1], order[rank-2] = rank-2, rank-1
	return b.Apply(Permute{Order: order}, v)
}
