package ops

// Grad: with z = x W^T + b + r and dz behind the activation,
// dx = dz W, dW = dz^T x, db = sum of dz over rows, dr = dz.
func (op Linear) Grad(b GradBuilder, in, out, dout []Ref, need []bool) []Ref {
	plain := op
	plain.Act = NoActivation
	dz := activationGrad(b, op.Act, plain, in, out[0], dout[0])
	grads := make([]Ref, len(in))
	n, k := b.Type(in[1]).Shape[0], b.Type(in[1]).Shape[1]
	rows := b.Apply(Reshape{Shape: []int{b.Type(dz).Numel() / max(n, 1), n}}, dz)
	if need[1] {
		x := b.Apply(Reshape{Shape: []int{b.Type(in[0]).Numel() / max(k, 1), k}}, in[0])
		grads[1] = b.Apply(MatMul{}, b.Apply(Permute{Order: []int{1, 0}}, rows), x)
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
	sa, sb := b.Type(in[0]).Shape, b.Type(in[1]).Shape
	if len(sa) < 2 || len(sb) < 2 {
		b.Fail(&UnsupportedError{Op: op.Name(), Reason: "vectors have no gradient; give them two dimensions"})
		return make([]Ref, 2)
	}
	swap := func(v Ref) Ref {
		rank := len(b.Type(v).Shape)
		order := make([]int, rank)
		for i := range order {
			order[i] = i
		}
		order[rank-1], order[rank-2] = rank-2, rank-1
		return b.Apply(Permute{Order: order}, v)
	}
	grads := make([]Ref, 2)
	d := dout[0]
	if need[0] {
		grads[0] = sumTo(b, b.Apply(MatMul{TransposeB: !op.TransposeB}, d, in[1]), sa)
	}
	if need[1] {
		if op.TransposeB {
			grads[1] = sumTo(b, b.Apply(MatMul{}, swap(d), in[0]), sb)
		} else {
			grads[1] = sumTo(b, b.Apply(MatMul{}, swap(in[0]), d), sb)
		}
	}
	return grads
}
