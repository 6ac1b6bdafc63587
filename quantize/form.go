package quantize

import (
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// formOf returns how the operator of a node computes on quantized values.
func formOf(n *graph.Node) *int8.Form { return int8.FormOf(nodeOf(n)) }

// nodeOf returns the operator of a node as forms take it.
func nodeOf(n *graph.Node) int8.Node {
	node := int8.Node{Op: n.Op, In: typesOf(n.Inputs), Out: typesOf(n.Outputs), Const: make([]*tensor.Tensor, len(n.Inputs))}
	for i, v := range n.Inputs {
		node.Const[i] = v.Const
	}
	return node
}

// isLayer reports whether the operator has weights.
func isLayer(op ops.Op) bool { return int8.LayerOf(op) != nil }

// form returns how a node of the prepared graph computes on quantized values.
// It is not inlined, for the size of programs: docs/architecture.md.
//
//go:noinline
func (p *prepared) form(n *graph.Node) *int8.Form {
	if f := p.forms[n]; f != nil {
		return f
	}
	return &int8.Form{}
}

// hasBias reports whether the operator is a layer with a bias.
func hasBias(op ops.Op) bool {
	l := int8.LayerOf(op)
	return l != nil && l.HasBias
}

// biasName returns the name of a layer's bias, which a correction may add.
func biasName(n *graph.Node) string {
	if hasBias(n.Op) {
		return n.Inputs[2].Name
	}
	return n.Scope.Path + ".bias"
}

// constantWeight says why a layer's weight cannot be quantized, if so.
func constantWeight(n *graph.Node) string {
	l := int8.LayerOf(n.Op)
	if l == nil {
		return ""
	}
	for i, v := range n.Inputs {
		if i > 0 && i != l.Residual() && v.Const == nil {
			return "its weight is not constant"
		}
	}
	return ""
}

// formBuilder adds what a form is made of to a graph.
type formBuilder struct{ graph.Builder }

// Apply implements int8.Builder.
func (b *formBuilder) Apply(op ops.Op, in ...ops.Ref) ops.Ref {
	values := make([]*graph.Value, len(in))
	for i, v := range in {
		values[i] = v.(*graph.Value)
	}
	return b.Add(op, values...)
}

// Type implements int8.Builder.
func (b *formBuilder) Type(v ops.Ref) ops.Type { return v.(*graph.Value).Type }

// Update implements int8.Builder: parameters are known, and stay.
func (b *formBuilder) Update(f func() error) {
	if err := f(); err != nil {
		b.Fail(err)
	}
}

// addForm runs f, which adds a form, and returns the result.
func addForm(g *graph.Graph, scope graph.Scope, f func(b int8.Builder) ops.Ref) (*graph.Value, error) {
	b := &formBuilder{graph.Builder{Graph: g, Scope: scope}}
	out := f(b)
	if err := b.Err(); err != nil {
		return nil, err
	}
	return out.(*graph.Value), nil
}
