package ops

// lowerGrad is the gradient of an operator that is lowered to others.
func lowerGrad(b GradBuilder, op Lowerer, in, dout []Ref, need []bool) []Ref {
	types := make([]Type, len(in))
	for i, v := range in {
		types[i] = b.Type(v)
	}
	steps, err := op.Lower(types)
	if err != nil {
		b.Fail(err)
		return make([]Ref, len(in))
	}
	t := &tape{b: b}
	values := append([]Ref(nil), in...)
	for _, s := range steps {
		args := make([]Ref, len(s.In))
		for i, k := range s.In {
			args[i] = values[k]
		}
		values = append(values, t.apply(s.Op, args...))
	}
	return t.gradients(values[len(values)-1:], dout, in, need)
}

// Grad is that of the product and the sum.
func (op AddMM) Grad(b GradBuilder, in, _, dout []Ref, need []bool) []Ref {
	return lowerGrad(b, op, in, dout, need)
}

// Grad is that of the contractions.
func (op Einsum) Grad(b GradBuilder, in, _, dout []Ref, need []bool) []Ref {
	return lowerGrad(b, op, in, dout, need)
}

// Grad moves the elements back.
func (op PixelShuffle) Grad(b GradBuilder, in, _, dout []Ref, need []bool) []Ref {
	return lowerGrad(b, op, in, dout, need)
}

// Grad moves the elements back.
func (op ChannelShuffle) Grad(b GradBuilder, in, _, dout []Ref, need []bool) []Ref {
	return lowerGrad(b, op, in, dout, need)
}
