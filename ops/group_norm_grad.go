package ops

import "github.com/octet-ml/octet/tensor"

// Grad takes each group of each image as a row of a layer normalization.
func (op GroupNorm) Grad(b GradBuilder, in, _, dout []Ref, need []bool) []Ref {
	if op.NHWC {
		b.Fail(&UnsupportedError{Op: op.Name(), Reason: "it has no gradient with the channels last; differentiate before the layout changes"})
		return make([]Ref, len(in))
	}
	return groupNormGrad(b, op.Groups, op.Eps, op.HasWeight, op.HasBias, in, dout[0], need)
}

// Grad takes each channel of each image as a row of a layer normalization.
func (op InstanceNorm) Grad(b GradBuilder, in, _, dout []Ref, need []bool) []Ref {
	if op.NHWC {
		b.Fail(&UnsupportedError{Op: op.Name(), Reason: "it has no gradient with the channels last; differentiate before the layout changes"})
		return make([]Ref, len(in))
	}
	return groupNormGrad(b, b.Type(in[0]).Shape[1], op.Eps, op.HasWeight, op.HasBias, in, dout[0], need)
}

func groupNormGrad(b GradBuilder, groups int, eps float64, hasWeight, hasBias bool, in []Ref, dy Ref, need []bool) []Ref {
	shape := b.Type(in[0]).Shape
	n := b.Type(in[0]).Numel()
	rows := tensor.Shape{shape[0] * groups, n / max(shape[0]*groups, 1)}
	channels := make(tensor.Shape, len(shape)-1)
	fill(channels, 1)
	channels[0] = shape[1]
	grads := make([]Ref, len(in))
	x := reshaped(b, in[0], rows)
	if need[0] {
		g := dy
		if hasWeight {
			g = applyBinary(b, Mul, dy, reshaped(b, in[1], channels))
		}
		dx := b.ApplyAll(LayerNormGrad{Dims: 1, Eps: eps}, x, reshaped(b, g, rows))
		if len(dx) == 3 {
			grads[0] = reshaped(b, dx[0], shape)
		}
	}
	if hasWeight && need[1] {
		h := reshaped(b, b.Apply(LayerNorm{Dims: 1, Eps: eps}, x), shape)
		grads[1] = b.Apply(Reduce{Fn: Sum, Axes: allBut(len(shape), 1)}, applyBinary(b, Mul, dy, h))
	}
	if hasBias && need[len(in)-1] {
		grads[len(in)-1] = b.Apply(Reduce{Fn: Sum, Axes: allBut(len(shape), 1)}, dy)
	}
	return grads
}

// allBut returns the dimensions of a rank but one.
func allBut(rank, axis int) []int {
	var axes []int
	for i := range rank {
		if i != axis {
			axes = append(axes, i)
		}
	}
	return axes
}
