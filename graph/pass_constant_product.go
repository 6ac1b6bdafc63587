package graph

import (
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// ConstantProducts are the passes that make linear layers of products with a constant matrix, such as torch.addmm with a constant
// weight has, and of constant vectors that are added to them: linear layers have an int8 form.
var ConstantProducts = []Pass{
	{Name: "constant product", Rule: constantProduct},
	{Name: "bias of constant product", Rule: constantBias},
}

// constantProduct replaces x w, where w is a constant matrix.
func constantProduct(g *Rewriter, n *Node) (*Patch, error) {
	op, ok := n.Op.(ops.MatMul)
	if !ok || n.Inputs[0].Const != nil || n.Inputs[1].Const == nil || len(n.Inputs[1].Type.Shape) != 2 {
		return nil, nil
	}
	a := &adder{g: g, scope: n.Scope}
	weight := n.Inputs[1]
	if !op.TransposeB {
		weight = a.add(ops.Permute{Order: []int{1, 0}}, weight)
	}
	y := a.add(ops.Linear{}, n.Inputs[0], weight)
	if a.Err() != nil {
		return nil, a.Err()
	}
	return &Patch{Nodes: a.nodes, Old: n.Outputs, New: []*Value{y}}, nil
}

// constantBias makes a constant vector that is added to a linear layer its bias.
func constantBias(g *Rewriter, n *Node) (*Patch, error) {
	add, ok := n.Op.(ops.Binary)
	if !ok || add.Fn != ops.Add || add.Act != ops.NoActivation {
		return nil, nil
	}
	for i, v := range n.Inputs {
		layer, bias := g.Producer(v), n.Inputs[1-i]
		if layer == nil || bias.Const == nil || bias.Type.DType != tensor.Float32 || !n.Outputs[0].Type.Shape.Equal(v.Type.Shape) {
			continue
		}
		op, ok := layer.Op.(ops.Linear)
		s := bias.Type.Shape
		outs := layer.Outputs[0].Type.Shape
		if !ok || op != (ops.Linear{}) || len(s) == 0 || s[len(s)-1] != outs[len(outs)-1] || bias.Type.Numel() != s[len(s)-1] {
			continue
		}
		a := &adder{g: g, scope: layer.Scope}
		if len(s) > 1 {
			bias = a.add(ops.Reshape{Shape: []int{s[len(s)-1]}}, bias)
		}
		y := a.add(ops.Linear{HasBias: true}, layer.Inputs[0], layer.Inputs[1], bias)
		if a.Err() != nil {
			return nil, a.Err()
		}
		return &Patch{Nodes: a.nodes, Old: n.Outputs, New: []*Value{y}}, nil
	}
	return nil, nil
}
