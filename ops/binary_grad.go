package ops

import "github.com/octet-ml/octet/tensor"

// isTrue returns a comparison as 1 and 0.
func isTrue(b GradBuilder, fn BinaryFn, x, y Ref) Ref {
	return b.Apply(Cast{DType: tensor.Float32}, b.Apply(Binary{Fn: fn}, x, y))
}

// Grad of arithmetic and of the larger or lesser of two, added up over the
// dimensions that broadcasting stretched.
func (op Binary) Grad(b GradBuilder, in, out, dout []Ref, need []bool) []Ref {
	plain := op
	plain.Act = NoActivation
	d := activationGrad(b, op.Act, plain, in, out[0], dout[0])
	grads := make([]Ref, 2)
	to := func(i int, v Ref) {
		if need[i] {
			grads[i] = sumTo(b, v, b.Type(in[i]).Shape)
		}
	}
	mul := func(x, y Ref) Ref { return b.Apply(Binary{Fn: Mul}, x, y) }
	switch op.Fn {
	case Add:
		to(0, d)
		to(1, d)
	case Sub:
		to(0, d)
		to(1, b.Apply(Unary{Fn: Neg}, d))
	case Mul:
		to(0, mul(d, in[1]))
		to(1, mul(d, in[0]))
	case Div:
		q := b.Apply(Binary{Fn: Div}, d, in[1])
		to(0, q)
		to(1, b.Apply(Unary{Fn: Neg}, mul(q, b.Apply(Binary{Fn: Div}, in[0], in[1]))))
	case Pow:
		x, y := in[0], in[1]
		if need[0] {
			less := b.Apply(Binary{Fn: Sub}, y, number(b, 1))
			to(0, mul(d, mul(y, b.Apply(Binary{Fn: Pow}, x, less))))
		}
		if need[1] {
			to(1, mul(d, mul(out[0], b.Apply(Unary{Fn: Log}, x))))
		}
	case Max, Min:
		// Equal operands share the gradient, as in PyTorch.
		fn := Gt
		if op.Fn == Min {
			fn = Lt
		}
		half := mul(isTrue(b, Eq, in[0], in[1]), number(b, 0.5))
		to(0, mul(d, b.Apply(Binary{Fn: Add}, isTrue(b, fn, in[0], in[1]), half)))
		to(1, mul(d, b.Apply(Binary{Fn: Add}, isTrue(b, fn, in[1], in[0]), half)))
	case Atan2:
		square := func(v Ref) Ref { return b.Apply(Unary{Fn: Square}, v) }
		q := b.Apply(Binary{Fn: Div}, d, b.Apply(Binary{Fn: Add}, square(in[0]), square(in[1])))
		to(0, mul(q, in[1]))
		to(1, b.Apply(Unary{Fn: Neg}, mul(q, in[0])))
	default:
		b.Fail(&UnsupportedError{Op: op.Name(), Reason: "it has no gradient"})
	}
	return grads
}
