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
	neg := func(x Ref) Ref { return b.Apply(Unary{Fn: Neg}, x) }
	x, y := floatOperand(b, in[0]), floatOperand(b, in[1])
	switch op.Fn {
	case Add:
		to(0, d)
		to(1, d)
	case Sub:
		to(0, d)
		to(1, neg(d))
	case Mul:
		to(0, mul(d, y))
		to(1, mul(d, x))
	case Div:
		q := b.Apply(Binary{Fn: Div}, d, y)
		to(0, q)
		to(1, neg(mul(q, b.Apply(Binary{Fn: Div}, x, y))))
	case FloorDiv, TruncDiv:
		// Constant but for steps.
	case Remainder, Fmod:
		quotient := Floor
		if op.Fn == Fmod {
			quotient = Trunc
		}
		to(0, d)
		if need[1] {
			to(1, neg(mul(d, b.Apply(Unary{Fn: quotient}, b.Apply(Binary{Fn: Div}, x, y)))))
		}
	case Pow:
		if need[0] {
			to(0, powBaseGrad(b, d, x, y))
		}
		if need[1] {
			// A power of 0 stays 0 where the exponent is positive.
			flat := b.Apply(Binary{Fn: LogicalAnd}, b.Apply(Binary{Fn: Eq}, x, number(b, 0)), b.Apply(Binary{Fn: Ge}, y, number(b, 0)))
			to(1, zeroWhere(b, flat, mul(d, mul(out[0], b.Apply(Unary{Fn: Log}, x)))))
		}
	case Max, Min:
		// Equal operands share the gradient, as in PyTorch; both have it where one is NaN.
		loses := Lt
		if op.Fn == Min {
			loses = Gt
		}
		shared := b.Apply(Binary{Fn: Sub}, number(b, 1), mul(isTrue(b, Eq, x, y), number(b, 0.5)))
		to(0, mul(d, b.Apply(Binary{Fn: Sub}, shared, isTrue(b, loses, x, y))))
		to(1, mul(d, b.Apply(Binary{Fn: Sub}, shared, isTrue(b, loses, y, x))))
	case Atan2:
		square := func(v Ref) Ref { return b.Apply(Unary{Fn: Square}, v) }
		q := b.Apply(Binary{Fn: Div}, d, b.Apply(Binary{Fn: Add}, square(x), square(y)))
		to(0, mul(q, y))
		to(1, neg(mul(q, x)))
	case IGamma, IGammaC, Zeta:
		if need[0] {
			b.Fail(NoGradient(op, "it has none for its first input, as in PyTorch"))
			break
		}
		sub := func(x, y Ref) Ref { return b.Apply(Binary{Fn: Sub}, x, y) }
		var slope Ref
		switch op.Fn {
		case Zeta:
			slope = neg(mul(x, b.Apply(Binary{Fn: Zeta}, b.Apply(Binary{Fn: Add}, x, number(b, 1)), y)))
		default: // x^(a-1) exp(-x) / gamma(a)
			slope = b.Apply(Unary{Fn: Exp}, sub(sub(mul(sub(x, number(b, 1)), b.Apply(Unary{Fn: Log}, y)), y), b.Apply(Unary{Fn: LGamma}, x)))
			if op.Fn == IGammaC {
				slope = neg(slope)
			}
		}
		to(1, mul(d, slope))
	default:
		b.Fail(NoGradient(op, "it has no gradient"))
	}
	return grads
}

// floatOperand makes float32 of an operand of another type, such as a Python number, so
// that it does not decide the type of the gradient.
func floatOperand(b GradBuilder, v Ref) Ref {
	if b.Type(v).DType == tensor.Float32 {
		return v
	}
	return b.Apply(Cast{DType: tensor.Float32}, v)
}

// powBaseGrad is the gradient of a power with respect to its base: dy * y * x^(y-1), and
// 0 where the exponent is 0.
func powBaseGrad(b GradBuilder, dy, x, y Ref) Ref {
	mul := func(x, y Ref) Ref { return b.Apply(Binary{Fn: Mul}, x, y) }
	if exponent := b.Constant(y); exponent != nil && exponent.Numel() == 1 && exponent.Contiguous().Float32s()[0] == 2 {
		return mul(dy, mul(y, x))
	}
	less := b.Apply(Binary{Fn: Sub}, y, number(b, 1))
	return zeroWhere(b, b.Apply(Binary{Fn: Eq}, y, number(b, 0)), mul(dy, mul(y, b.Apply(Binary{Fn: Pow}, x, less))))
}
