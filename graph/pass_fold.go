package graph

import (
	"slices"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// foldConstants computes nodes whose inputs are all constant.
func foldConstants(g *Rewriter, n *Node) (*Patch, error) {
	if hasEffect(n) || len(n.Inputs) == 0 {
		return nil, nil
	}
	in := make([]*tensor.Tensor, len(n.Inputs))
	for i, v := range n.Inputs {
		if v.Const == nil {
			return nil, nil
		}
		in[i] = v.Const
	}
	if _, ok := n.Op.(ops.Lowerer); ok || !g.mayFold(n.Outputs) { // operators of several are folded one by one
		return nil, nil
	}
	out, err := evalConstants(n.Op, in...)
	if err != nil {
		return nil, nil // the node stays and reports at run time, with its shapes
	}
	p := &Patch{}
	for i, v := range n.Outputs {
		p.Old = append(p.Old, v)
		p.New = append(p.New, g.Const("", out[i]))
	}
	return p, nil
}

// mayFold reports whether constants may take the memory of these values as
// well. Folding what a model computes from its weights takes about as much as
// the weights; a graph made to grow without end is computed while it runs, within
// Options.MaxMemory.
func (r *Rewriter) mayFold(values []*Value) bool {
	if r.foldBudget == 0 {
		r.foldBudget = 16 << 20
		for _, v := range r.Constants() {
			r.foldBudget += 4 * v.Type.Bytes()
		}
	}
	need := 0
	for _, v := range values {
		n := v.Type.Bytes()
		if n >= r.foldBudget-need {
			return false
		}
		need += n
	}
	r.foldBudget -= need
	return true
}

// foldBatchNorm makes a batch norm part of the convolution in front of it: its
// factor goes into the weight and its offset into the bias, as ops.FoldBatchNorm computes them.
func foldBatchNorm(g *Rewriter, n *Node) (*Patch, error) {
	bn, ok := n.Op.(ops.BatchNorm)
	if !ok {
		return nil, nil
	}
	conv := g.Producer(n.Inputs[0])
	if conv == nil {
		return nil, nil
	}
	op, ok := conv.Op.(ops.Conv)
	if !ok || op.Act != ops.NoActivation || op.HasResidual || op.NHWC || bn.NHWC {
		return nil, nil
	}
	var in []*tensor.Tensor
	for _, v := range slices.Concat(conv.Inputs[1:], n.Inputs[1:]) {
		if v.Const == nil {
			return nil, nil
		}
		in = append(in, v.Const)
	}
	folded, err := evalConstants(ops.FoldBatchNorm{Eps: bn.Eps, HasBias: op.HasBias}, in...)
	if err != nil {
		return nil, err
	}
	op.HasBias = true
	scope := conv.Scope
	fused, err := g.newNode(scope, op, conv.Inputs[0], g.Const(conv.Inputs[1].Name, folded[0]), g.Const(scope.Path+".bias", folded[1]))
	if err != nil {
		return nil, err
	}
	return &Patch{Nodes: []*Node{fused}, Old: n.Outputs, New: fused.Outputs}, nil
}
