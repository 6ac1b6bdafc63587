package ops

import (
	"slices"

	"github.com/octet-ml/octet/tensor"
)

// tape records the operators that the gradient of an operator made of others computes
// again, and goes back through their gradients. What of the values between them no
// gradient needs is never computed.
type tape struct {
	b     GradBuilder
	nodes []tapeNode
}

// tapeNode is what was computed, and the gradients of its inputs given those of its
// outputs, nil where nothing depends on one.
type tapeNode struct {
	in, out []Ref
	grad    func(dout []Ref, need []bool) []Ref
}

// apply adds an operator with one output.
func (t *tape) apply(op Op, in ...Ref) Ref {
	out := []Ref{t.b.Apply(op, in...)}
	t.nodes = append(t.nodes, tapeNode{in, out, func(dout []Ref, need []bool) []Ref {
		d, ok := op.(Differentiable)
		if !ok {
			t.b.Fail(NoGradient(op, "it has no gradient"))
			return make([]Ref, len(in))
		}
		return d.Grad(t.b, in, out, dout, need)
	}})
	return out[0]
}

//go:noinline
func (t *tape) binary(fn BinaryFn, x, y Ref) Ref { return t.apply(Binary{Fn: fn}, x, y) }

//go:noinline
func (t *tape) unary(fn UnaryFn, x Ref) Ref { return t.apply(Unary{Fn: fn}, x) }

// split cuts a dimension into parts of one extent. Its gradient joins those of the
// parts, where that of a slice would be as large as the whole for each.
//
//go:noinline
func (t *tape) split(v Ref, axis, extent int) []Ref {
	shape := t.b.Type(v).Shape
	out := make([]Ref, shape[axis]/extent)
	for i := range out {
		out[i] = t.b.Apply(Slice{Axis: axis, Start: i * extent, End: (i + 1) * extent, Step: 1}, v)
	}
	t.nodes = append(t.nodes, tapeNode{[]Ref{v}, out, func(dout []Ref, _ []bool) []Ref {
		parts := slices.Clone(dout)
		for i, d := range parts {
			if d == nil {
				part := shape.Clone()
				part[axis] = extent
				parts[i] = zeros(t.b, part)
			}
		}
		return []Ref{t.b.Apply(Concat{Axis: axis}, parts...)}
	}})
	return slices.Clone(out)
}

// gradients goes back from the outputs to the inputs that need a gradient. Of an input
// that stands twice among them the first gets it all.
func (t *tape) gradients(out, dout, in []Ref, need []bool) []Ref {
	needed, sums := make(map[Ref]bool), make(map[Ref]Ref)
	add := func(v, d Ref) {
		if before := sums[v]; before != nil {
			d = applyBinary(t.b, Add, before, d)
		}
		sums[v] = d
	}
	for i, v := range in {
		needed[v] = needed[v] || need[i]
	}
	for _, n := range t.nodes {
		if slices.ContainsFunc(n.in, func(v Ref) bool { return needed[v] }) {
			for _, v := range n.out {
				needed[v] = true
			}
		}
	}
	for i, v := range out {
		if dout[i] != nil {
			add(v, dout[i])
		}
	}
	for _, n := range slices.Backward(t.nodes) {
		d, some := make([]Ref, len(n.out)), false
		for i, v := range n.out {
			d[i] = sums[v]
			some = some || d[i] != nil && needed[v]
		}
		if !some {
			continue
		}
		wanted := make([]bool, len(n.in))
		for i, v := range n.in {
			wanted[i] = needed[v]
		}
		for i, g := range n.grad(d, wanted) {
			if g != nil && wanted[i] {
				add(n.in[i], g)
			}
		}
	}
	grads := make([]Ref, len(in))
	for i, v := range in {
		if need[i] {
			grads[i] = sums[v]
			delete(sums, v)
		}
	}
	return grads
}

// zeros adds a constant of zeros.
func zeros(b GradBuilder, shape tensor.Shape) Ref { return b.Const(filled(shape, 0)) }

// zeroWhere puts 0 where a condition holds.
func zeroWhere(b GradBuilder, condition, v Ref) Ref {
	return b.Apply(Where{}, condition, number(b, 0), v)
}

// reshaped gives a value another shape where it has not got it. Reshape takes an extent
// of 0 for that of its input, so what has no elements is made anew.
func reshaped(b GradBuilder, v Ref, shape tensor.Shape) Ref {
	t := b.Type(v)
	switch {
	case t.Shape.Equal(shape):
		return v
	case t.DType == tensor.Float32 && t.Numel() == 0:
		return zeros(b, shape)
	}
	return b.Apply(Reshape{Shape: shape}, v)
}
