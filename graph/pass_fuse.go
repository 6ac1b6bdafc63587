package graph

import "github.com/octet-ml/octet/ops"

// fuseResidual makes the addition behind a convolution or linear layer part of it.
func fuseResidual(g *Rewriter, n *Node) (*Patch, error) {
	add, ok := n.Op.(ops.Binary)
	if !ok || add.Fn != ops.Add || len(n.Inputs) != 2 || n.Inputs[0] == n.Inputs[1] {
		return nil, nil
	}
	// Of two candidates the later one is taken: the other is then computed before it.
	// A constant of the same shape would keep the graph from taking other batches.
	for _, i := range []int{candidate(n), 1 - candidate(n)} {
		layer, other := g.Producer(n.Inputs[i]), n.Inputs[1-i]
		if layer == nil || other.Const != nil || !other.Type.Shape.Equal(n.Inputs[i].Type.Shape) || other.Type.DType != n.Inputs[i].Type.DType {
			continue
		}
		op, ok := layer.Op.(ops.ResidualFuser)
		if !ok {
			continue
		}
		fused, ok := op.FuseResidual(add.Act)
		if !ok {
			continue
		}
		inputs := append(append([]*Value(nil), layer.Inputs...), other)
		node, err := g.newNode(layer.Scope, fused, inputs...)
		if err != nil {
			return nil, err
		}
		return &Patch{Nodes: []*Node{node}, Old: n.Outputs, New: node.Outputs}, nil
	}
	return nil, nil
}

// candidate returns the input of an addition that was computed last.
func candidate(n *Node) int {
	a, b := n.Inputs[0].Node, n.Inputs[1].Node
	if b != nil && (a == nil || later(b, a)) {
		return 1
	}
	return 0
}

// fuseClamp makes a ReLU or ReLU6 part of the operator in front of it.
func fuseClamp(g *Rewriter, n *Node) (*Patch, error) { return fuseActivation(g, n, isClamp) }

// fuseFunction makes any other activation part of the operator in front of it.
func fuseFunction(g *Rewriter, n *Node) (*Patch, error) { return fuseActivation(g, n, nil) }

// FuseClampWhere is a rule that fuses a ReLU or ReLU6 into the operator in
// front of it where ok accepts the two.
func FuseClampWhere(ok func(layer, activation *Node) bool) Rule {
	return func(g *Rewriter, n *Node) (*Patch, error) {
		return fuseActivation(g, n, func(layer, activation *Node) bool { return isClamp(layer, activation) && ok(layer, activation) })
	}
}

func isClamp(_, activation *Node) bool {
	act, ok := ops.AsActivation(activation.Op)
	return ok && act.IsClamp()
}

func fuseActivation(g *Rewriter, n *Node, accept func(layer, activation *Node) bool) (*Patch, error) {
	act, ok := ops.AsActivation(n.Op)
	if !ok {
		return nil, nil
	}
	before := g.Producer(n.Inputs[0])
	if before == nil || len(before.Outputs) != 1 || (accept != nil && !accept(before, n)) {
		return nil, nil
	}
	op, ok := before.Op.(ops.ActivationFuser)
	if !ok {
		return nil, nil
	}
	fused, ok := op.FuseActivation(act)
	if !ok {
		return nil, nil
	}
	node, err := g.newNode(before.Scope, fused, before.Inputs...)
	if err != nil {
		return nil, err
	}
	return &Patch{Nodes: []*Node{node}, Old: n.Outputs, New: node.Outputs}, nil
}
