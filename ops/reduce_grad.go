package ops

import "github.com/octet-ml/octet/tensor"

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
		// As PyTorch where no factor is 0.
		return []Ref{r.binary(Div, r.binary(Mul, d, y), in[0])}
	case AMax, AMin:
		// Equal extremes share the gradient.
		equal := b.Apply(Cast{DType: tensor.Float32}, r.binary(Eq, in[0], y))
		share := r.binary(Div, d, b.Apply(Reduce{Fn: Sum, Axes: op.Axes, KeepDims: true}, equal))
		return []Ref{r.binary(Mul, equal, share)}
	case Var:
		return []Ref{r.binary(Mul, r.centered(op.Axes), r.scaled(d, 2/float32(n-op.Correction)))}
	case Std:
		return []Ref{r.binary(Mul, r.centered(op.Axes), r.scaled(r.binary(Div, d, y), 1/float32(n-op.Correction)))}
	case LogSumExp:
		return []Ref{r.binary(Mul, b.Apply(Unary{Fn: Exp}, r.binary(Sub, in[0], y)), d)}
	case Norm:
		if op.P == 2 {
			return []Ref{r.binary(Mul, in[0], r.binary(Div, d, y))}
		}
		if op.P == 1 {
			return []Ref{r.binary(Mul, b.Apply(Unary{Fn: Sign}, in[0]), d)}
		}
	}
	b.Fail(&UnsupportedError{Op: op.Name(), Reason: "it has no gradient"})
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

func (r *reduceGrad) keep(v Ref) Ref { return r.b.Apply(Reshape{Shape: r.kept}, v) }

func (r *reduceGrad) binary(fn BinaryFn, x, y Ref) Ref { return r.b.Apply(Binary{Fn: fn}, x, y) }

func (r *reduceGrad) scaled(v Ref, factor float32) Ref {
	return r.binary(Mul, v, number(r.b, factor))
}

// centered returns x less its mean.
func (r *reduceGrad) centered(axes []int) Ref {
	return r.binary(Sub, r.x, r.b.Apply(Reduce{Fn: Mean, Axes: axes, KeepDims: true}, r.x))
}
