package ops

import (
	"slices"

	"github.com/octet-ml/octet/tensor"
)

// Grad adds up the gradients of the elements taken.
func (op Index) Grad(b GradBuilder, in, _, dout []Ref, need []bool) []Ref {
	grads := make([]Ref, len(in))
	if need[0] {
		args := append([]Ref{zeros(b, b.Type(in[0]).Shape), dout[0]}, in[1:]...)
		grads[0] = b.Apply(IndexPut{Axes: op.Axes, Accumulate: true}, args...)
	}
	return grads
}

// Grad of x is that of what was not replaced; that of the values is taken from where they went.
func (op IndexPut) Grad(b GradBuilder, in, _, dout []Ref, need []bool) []Ref {
	grads := make([]Ref, len(in))
	index := in[2:]
	if need[0] {
		grads[0] = dout[0]
		if !op.Accumulate {
			grads[0] = b.Apply(IndexPut{Axes: op.Axes}, append([]Ref{dout[0], number(b, 0)}, index...)...)
		}
	}
	if need[1] {
		taken := b.Apply(Index{Axes: op.Axes}, append([]Ref{dout[0]}, index...)...)
		grads[1] = sumTo(b, taken, b.Type(in[1]).Shape)
	}
	return grads
}

// Grad of the elements is taken from where they went. Where the greatest or least
// counts, all that equal it share the gradient, as in PyTorch.
func (op Scatter) Grad(b GradBuilder, in, out, dout []Ref, need []bool) []Ref {
	grads := make([]Ref, len(in))
	x, index, src := in[0], in[1], in[2]
	along := func(v Ref) Ref { return b.Apply(Gather{Axis: op.Axis}, v, index) }
	switch op.Fn {
	case ScatterSet, ScatterAdd:
		if need[0] {
			grads[0] = dout[0]
			if op.Fn == ScatterSet {
				grads[0] = b.Apply(Scatter{Axis: op.Axis}, dout[0], index, zeros(b, b.Type(index).Shape))
			}
		}
		if need[2] {
			grads[2] = op.elementGrad(b, along(dout[0]), b.Type(src).Shape)
		}
	default:
		if !b.Type(src).Shape.Equal(b.Type(index).Shape) {
			b.Fail(&UnsupportedError{Op: op.Name(), Reason: "it has a gradient only with as many elements as indices; slice the elements first"})
			return grads
		}
		if op.Fn == ScatterMultiply {
			return op.productGrad(b, in, dout[0], along, need)
		}
		own, given := isTrue(b, Eq, x, out[0]), isTrue(b, Eq, src, along(out[0]))
		count := b.Apply(Scatter{Axis: op.Axis, Fn: ScatterAdd}, own, index, given)
		share := applyBinary(b, Div, dout[0], count)
		if need[0] {
			grads[0] = applyBinary(b, Mul, own, share)
		}
		if need[2] {
			grads[2] = applyBinary(b, Mul, given, along(share))
		}
	}
	return grads
}

// productGrad is the gradient times the product of the other factors that meet. Zeros are counted and left out of the
// product: where one alone meets the others, that has a gradient, where several do, none.
func (op Scatter) productGrad(b GradBuilder, in []Ref, d Ref, along func(Ref) Ref, need []bool) []Ref {
	grads := make([]Ref, len(in))
	zero := func(v Ref) Ref { return isTrue(b, Eq, v, number(b, 0)) }
	own, given := zero(in[0]), zero(in[2])
	x, src := applyBinary(b, Add, in[0], own), applyBinary(b, Add, in[2], given)
	product := applyBinary(b, Mul, d, b.Apply(op, x, in[1], src))
	zeros := b.Apply(Scatter{Axis: op.Axis, Fn: ScatterAdd}, own, in[1], given)
	if need[0] {
		grads[0] = applyBinary(b, Mul, applyBinary(b, Div, product, x), isTrue(b, Eq, zeros, own))
	}
	if need[2] {
		grads[2] = applyBinary(b, Mul, applyBinary(b, Div, along(product), src), isTrue(b, Eq, along(zeros), given))
	}
	return grads
}

// elementGrad gives a gradient of the indices' shape the shape of the elements, of which those that no index takes have none.
func (op Scatter) elementGrad(b GradBuilder, d Ref, shape []int) Ref {
	have := b.Type(d).Shape
	if have.Equal(shape) || len(have) != len(shape) {
		return reshaped(b, d, shape)
	}
	after := slices.Clone(shape)
	for i := range after {
		after[i] -= have[i]
	}
	return b.Apply(Pad{Before: make([]int, len(shape)), After: after}, d)
}

// Grad puts the gradients back where the elements were.
func (op Sort) Grad(b GradBuilder, in, out, dout []Ref, _ []bool) []Ref {
	return []Ref{unsorted(b, op.Axis, in[0], out[1], dout[0])}
}

// Grad puts the gradients where the elements were, and 0 elsewhere.
func (op TopK) Grad(b GradBuilder, in, out, dout []Ref, _ []bool) []Ref {
	return []Ref{unsorted(b, op.Axis, in[0], out[1], dout[0])}
}

func unsorted(b GradBuilder, axis int, x, index, d Ref) Ref {
	if d == nil {
		return nil
	}
	return b.Apply(Scatter{Axis: axis}, zeros(b, b.Type(x).Shape), index, d)
}

// Grad of the greatest or least elements goes to where they are; the indices have none.
func (op ArgMax) Grad(b GradBuilder, in, out, dout []Ref, _ []bool) []Ref {
	if !op.Values {
		return make([]Ref, 1)
	}
	shape := b.Type(in[0]).Shape
	lines, axis := shape.Clone(), 0 // x with one element of each line
	switch {
	case op.Flat:
		lines = tensor.Shape{b.Type(in[0]).Numel()}
	case len(shape) > 0:
		var err error
		if axis, err = shape.Axis(op.Axis); err != nil {
			b.Fail(err)
			return make([]Ref, 1)
		}
	}
	one := lines.Clone()
	if len(one) > 0 {
		one[axis] = 1
	}
	if b.Type(dout[0]).Numel() == 0 {
		return []Ref{zeros(b, shape)}
	}
	d := b.Apply(Scatter{Axis: axis}, zeros(b, lines), reshaped(b, out[1], one), reshaped(b, dout[0], one))
	return []Ref{reshaped(b, d, shape)}
}
