package graph

import (
	"fmt"
	"slices"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Gradients adds to g the nodes that compute the gradients of the scalar loss
// with respect to the given values, by reverse-mode differentiation, and returns
// them in the same order: nil for a value the loss does not depend on. The graph then computes
// both on one executor; what the backward part needs of the forward part is
// planned like any other value. Shapes that operators compute are those of the example: the
// gradients serve inputs of the example shapes, and those numbers of Items that the graph was made with: of another one a run
// fails with an *ItemError, unless its graph is derived from an open one, which is then made for that. At an operator without gradient it fails with a *NodeError
// that wraps an *ops.UnsupportedError. What gives integers or bool ends a path without one.
func (g *Graph) Gradients(loss *Value, wrt []*Value) ([]*Value, error) {
	if loss.Type.DType != tensor.Float32 || loss.Type.Numel() != 1 {
		return nil, fmt.Errorf("gradients: the loss is %v, not one float32", loss.Type)
	}
	g.exactItems()
	b := &gradBuilder{Builder: Builder{Graph: g}, sum: make(map[*Value]*Value)}
	needed := make(map[*Value]bool)
	for _, v := range wrt {
		needed[v] = true
	}
	var path []*Node // from the wanted values to anything
	for _, n := range g.Nodes {
		if _, ends := n.Op.(ops.Detach); ends {
			continue
		}
		if slices.ContainsFunc(n.Inputs, func(v *Value) bool { return needed[v] }) {
			for _, v := range n.Outputs {
				// Of quantized values there is no gradient, but what is made of them may be float.
				needed[v] = v.Type.DType.IsFloat() || v.Type.Q != nil
			}
			path = append(path, n)
		}
	}
	one, err := tensor.New(tensor.Float32, loss.Type.Shape...)
	if err != nil {
		return nil, err
	}
	one.Float32s()[0] = 1
	b.sum[loss] = g.Const("", one)
	for _, n := range slices.Backward(path) {
		if err := b.node(n, needed); err != nil {
			return nil, &NodeError{Pass: "gradients", Node: n, Err: err}
		}
	}
	out := make([]*Value, len(wrt))
	for i, v := range wrt {
		out[i] = b.sum[v]
	}
	return out, nil
}

// gradBuilder implements ops.GradBuilder and keeps, for each value, the sum of
// the gradients that its users have given so far.
type gradBuilder struct {
	Builder
	sum map[*Value]*Value
}

func (b *gradBuilder) node(n *Node, needed map[*Value]bool) error {
	dout := make([]ops.Ref, len(n.Outputs))
	some := false
	for i, v := range n.Outputs {
		if d := b.sum[v]; d != nil {
			dout[i] = d
			some = true
		}
	}
	if !some {
		return nil
	}
	op, ok := n.Op.(ops.Differentiable)
	if !ok {
		return ops.NoGradient(n.Op, "it has no gradient")
	}
	in, out, need := make([]ops.Ref, len(n.Inputs)), make([]ops.Ref, len(n.Outputs)), make([]bool, len(n.Inputs))
	for i, v := range n.Inputs {
		in[i] = v
		need[i] = needed[v]
	}
	for i, v := range n.Outputs {
		out[i] = v
	}
	b.Scope = n.Scope
	grads := op.Grad(b, in, out, dout, need)
	for i, d := range grads {
		if b.Err() != nil {
			break
		}
		if d == nil || !need[i] {
			continue
		}
		v, dv := n.Inputs[i], d.(*Value)
		if !dv.Type.Shape.Equal(v.Type.Shape) {
			return fmt.Errorf("the gradient of input %d has shape %v where the input has %v", i, dv.Type.Shape, v.Type.Shape)
		}
		if dv.Type.DType != v.Type.DType {
			dv = b.Apply(ops.Cast{DType: v.Type.DType}, dv).(*Value)
		}
		if before := b.sum[v]; before != nil {
			dv = b.Apply(ops.Binary{Fn: ops.Add}, before, dv).(*Value)
		}
		b.sum[v] = dv
	}
	return b.Err()
}

func (b *gradBuilder) Apply(op ops.Op, in ...ops.Ref) ops.Ref {
	if out := b.ApplyAll(op, in...); len(out) > 0 {
		return out[0]
	}
	return b.Nothing()
}

func (b *gradBuilder) ApplyAll(op ops.Op, in ...ops.Ref) []ops.Ref {
	if b.Err() != nil {
		return nil
	}
	values := make([]*Value, len(in))
	for i, r := range in {
		values[i] = r.(*Value)
	}
	out := b.AddAll(op, 0, values...)
	if b.Err() != nil {
		return nil
	}
	b.Graph.Nodes[len(b.Graph.Nodes)-1].backward = true
	refs := make([]ops.Ref, len(out))
	for i, v := range out {
		refs[i] = v
	}
	return refs
}

func (b *gradBuilder) Const(t *tensor.Tensor) ops.Ref { return b.Builder.Const(t) }

func (b *gradBuilder) Type(v ops.Ref) ops.Type { return v.(*Value).Type }

func (b *gradBuilder) Constant(v ops.Ref) *tensor.Tensor { return v.(*Value).Const }
