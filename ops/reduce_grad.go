package ops

import (
	"math"

	"github.com/octet-ml/octet/tensor"
)

// Grad of reductions, stretched back over the reduced dimensions.
func (op Reduce) Grad(b GradBuilder, in, out, dout []Ref, _ []bool) []Ref {
	x := b.Type(in[0])
	reduced, err := op.axes([]Type{x})
	if err != nil {
		b.Fail(err)
		return make([]Ref, 1)
	}
	kept, n := x.Shape.Clone(), 1
	for i := range kept {
		if reduced[i] {
			n *= kept[i]
			kept[i] = 1
		}
	}
	r := &reduceGrad{b: b, x: in[0], kept: kept, full: x.Shape, n: n}
	y, d := r.keep(out[0]), r.keep(dout[0])
	switch op.Fn {
	case Sum:
		return []Ref{b.Apply(Expand{Shape: x.Shape}, d)}
	case Mean:
		return []Ref{b.Apply(Expand{Shape: x.Shape}, r.scaled(d, 1/float32(max(n, 1))))}
	case Prod:
		return []Ref{r.prod(op.Axes, d)}
	case AMax, AMin:
		// Equal extremes share the gradient.
		equal := b.Apply(Cast{DType: tensor.Float32}, r.binary(Eq, in[0], y))
		share := r.binary(Div, d, b.Apply(Reduce{Fn: Sum, Axes: op.Axes, KeepDims: true}, equal))
		return []Ref{r.binary(Mul, equal, share)}
	case Var:
		return []Ref{r.binary(Mul, r.centered(op.Axes), r.scaled(d, 2/float32(n-op.Correction)))}
	case Std:
		return []Ref{r.binary(Mul, r.centered(op.Axes), r.scaled(r.quotient(d, y), 1/float32(n-op.Correction)))}
	case LogSumExp:
		return []Ref{r.binary(Mul, applyUnary(b, Exp, r.binary(Sub, in[0], y)), d)}
	case Norm:
		return []Ref{r.norm(op.Axes, float64(op.P), y, d)}
	}
	b.Fail(NoGradient(op, "it has no gradient"))
	return make([]Ref, 1)
}

// reduceGrad writes gradients with the reduced dimensions kept.
type reduceGrad struct {
	b    GradBuilder
	x    Ref
	kept tensor.Shape // of the output with the reduced dimensions
	full tensor.Shape
	n    int // elements that each output reduces
}

func (r *reduceGrad) keep(v Ref) Ref { return reshaped(r.b, v, r.kept) }

//go:noinline
func (r *reduceGrad) binary(fn BinaryFn, x, y Ref) Ref { return applyBinary(r.b, fn, x, y) }

func (r *reduceGrad) scaled(v Ref, factor float32) Ref {
	return r.binary(Mul, v, number(r.b, factor))
}

// quotient is d / y, and 0 where y is 0: the gradient of what has a corner there.
func (r *reduceGrad) quotient(d, y Ref) Ref {
	return zeroWhere(r.b, r.binary(Eq, y, number(r.b, 0)), r.binary(Div, d, y))
}

// prod is d times the product of the other factors. Zeros are counted and left out of
// the product: of one zero only that has a gradient, of several none.
func (r *reduceGrad) prod(axes []int, d Ref) Ref {
	isZero := isTrue(r.b, Eq, r.x, number(r.b, 0))
	zeros := r.b.Apply(Reduce{Fn: Sum, Axes: axes, KeepDims: true}, isZero)
	factors := r.binary(Add, r.x, isZero)
	product := r.b.Apply(Reduce{Fn: Prod, Axes: axes, KeepDims: true}, factors)
	others := r.binary(Div, r.binary(Mul, d, product), factors)
	return r.binary(Mul, others, isTrue(r.b, Eq, zeros, isZero))
}

func (r *reduceGrad) power(v Ref, p float64) Ref {
	return applyBinary(r.b, Pow, v, number(r.b, float32(p)))
}

// norm is the gradient of the norm y of order p, of which PyTorch defines that at 0.
func (r *reduceGrad) norm(axes []int, p float64, y, d Ref) Ref {
	b := r.b
	switch {
	case p == 0:
		return nil // it counts
	case p == 1:
		return r.binary(Mul, applyUnary(b, Sign, r.x), d)
	case p == 2:
		return r.binary(Mul, r.x, r.quotient(d, y))
	case math.IsInf(p, 0):
		// Equal extremes share the gradient.
		equal := isTrue(b, Eq, applyUnary(b, Abs, r.x), y)
		count := b.Apply(Reduce{Fn: Sum, Axes: axes, KeepDims: true}, equal)
		return r.binary(Mul, r.binary(Mul, applyUnary(b, Sign, r.x), equal), r.binary(Div, d, count))
	case p < 1:
		scaled := zeroWhere(b, applyBinary(b, Eq, r.x, number(b, 0)), r.binary(Mul, applyUnary(b, Sign, r.x), r.power(applyUnary(b, Abs, r.x), p-1)))
		return r.binary(Mul, scaled, r.binary(Mul, d, r.power(y, 1-p)))
	case p < 2:
		return r.binary(Mul, r.binary(Mul, applyUnary(b, Sign, r.x), r.power(applyUnary(b, Abs, r.x), p-1)), r.quotient(d, r.power(y, p-1)))
	}
	return r.binary(Mul, r.binary(Mul, r.x, r.power(applyUnary(b, Abs, r.x), p-2)), r.quotient(d, r.power(y, p-1)))
}

// centered returns x less its mean.
func (r *reduceGrad) centered(axes []int) Ref {
	return r.binary(Sub, r.x, r.b.Apply(Reduce{Fn: Mean, Axes: axes, KeepDims: true}, r.x))
}
