package ops

import "github.com/octet-ml/octet/tensor"

// isTrue returns a comparison as 1 and 0.
func isTrue(b GradBuilder, fn BinaryFn, x, y Ref) Ref {
	return b.Apply(Cast{DType: tensor.Float32}, applyBinary(b, fn, x, y))
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
	x, y := floatOperand(b, in[0]), floatOperand(b, in[1])
	switch op.Fn {
	case Add:
		to(0, d)
		to(1, d)
	case Sub:
		to(0, d)
		to(1, applyUnary(b, Neg, d))
	case Mul:
		to(0, applyBinary(b, Mul, d, y))
		to(1, applyBinary(b, Mul, d, x))
	case Div:
		q := applyBinary(b, Div, d, y)
		to(0, q)
		to(1, applyUnary(b, Neg, applyBinary(b, Mul, q, applyBinary(b, Div, x, y))))
	case FloorDiv, TruncDiv:
		// Constant but for steps.
	case Remainder, Fmod:
		quotient := Floor
		if op.Fn == Fmod {
			quotient = Trunc
		}
		to(0, d)
		if need[1] {
			to(1, applyUnary(b, Neg, applyBinary(b, Mul, d, applyUnary(b, quotient, applyBinary(b, Div, x, y)))))
		}
	case Pow:
		if need[0] {
			to(0, powBaseGrad(b, d, x, y))
		}
		if need[1] {
			// A power of 0 stays 0 where the exponent is positive.
			flat := applyBinary(b, LogicalAnd, applyBinary(b, Eq, x, number(b, 0)), applyBinary(b, Ge, y, number(b, 0)))
			to(1, zeroWhere(b, flat, applyBinary(b, Mul, d, applyBinary(b, Mul, out[0], applyUnary(b, Log, x)))))
		}
	case Max, Min:
		// Equal operands share the gradient, as in PyTorch; both have it where one is NaN.
		loses := Lt
		if op.Fn == Min {
			loses = Gt
		}
		shared := applyBinary(b, Sub, number(b, 1), applyBinary(b, Mul, isTrue(b, Eq, x, y), number(b, 0.5)))
		to(0, applyBinary(b, Mul, d, applyBinary(b, Sub, shared, isTrue(b, loses, x, y))))
		to(1, applyBinary(b, Mul, d, applyBinary(b, Sub, shared, isTrue(b, loses, y, x))))
	case Atan2:
		q := applyBinary(b, Div, d, applyBinary(b, Add, applyUnary(b, Square, x), applyUnary(b, Square, y)))
		to(0, applyBinary(b, Mul, q, y))
		to(1, applyUnary(b, Neg, applyBinary(b, Mul, q, x)))
	case IGamma, IGammaC, Zeta:
		if need[0] {
			b.Fail(NoGradient(op, "it has none for its first input, as in PyTorch"))
			break
		}
		var slope Ref
		switch op.Fn {
		case Zeta:
			slope = applyUnary(b, Neg, applyBinary(b, Mul, x, applyBinary(b, Zeta, applyBinary(b, Add, x, number(b, 1)), y)))
		default: // x^(a-1) exp(-x) / gamma(a)
			exponent := applyBinary(b, Sub, applyBinary(b, Mul, applyBinary(b, Sub, x, number(b, 1)), applyUnary(b, Log, y)), y)
			slope = applyUnary(b, Exp, applyBinary(b, Sub, exponent, applyUnary(b, LGamma, x)))
			if op.Fn == IGammaC {
				slope = applyUnary(b, Neg, slope)
			}
		}
		to(1, applyBinary(b, Mul, d, slope))
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
//
//go:noinline
func powBaseGrad(b GradBuilder, dy, x, y Ref) Ref {
	if exponent := b.Constant(y); exponent != nil && exponent.Numel() == 1 && exponent.Contiguous().Float32s()[0] == 2 {
		return applyBinary(b, Mul, dy, applyBinary(b, Mul, y, x))
	}
	less := applyBinary(b, Sub, y, number(b, 1))
	return zeroWhere(b, applyBinary(b, Eq, y, number(b, 0)), applyBinary(b, Mul, dy, applyBinary(b, Mul, y, applyBinary(b, Pow, x, less))))
}
