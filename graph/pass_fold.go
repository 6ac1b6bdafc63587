package graph

import (
	"math"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
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
	out, err := ops.Eval(n.Op, asm.Generic, nil, in...)
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

// foldBatchNorm multiplies the factor of a batch norm into the weight of the
// convolution in front of it, and its offset into the bias: step by step in
// float32 as torch.nn.utils.fusion.fuse_conv_bn_weights does, because the
// largest weight of a channel, halfway between two integers, is quantized by its
// last bit.
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
	for _, v := range append(append([]*Value(nil), conv.Inputs[1:]...), n.Inputs[1:]...) {
		if v.Const == nil {
			return nil, nil
		}
	}
	values := func(v *Value) []float32 { return v.Const.Contiguous().Float32s() }
	gamma, beta, mean, variance := values(n.Inputs[1]), values(n.Inputs[2]), values(n.Inputs[3]), values(n.Inputs[4])
	weight := conv.Inputs[1].Const.Clone()
	w := weight.Float32s()
	per := len(w) / max(len(gamma), 1)
	shift := make([]float32, len(gamma))
	if op.HasBias {
		copy(shift, values(conv.Inputs[2]))
	}
	for c := range gamma {
		root := 1 / float32(math.Sqrt(float64(variance[c]+float32(bn.Eps))))
		factor := gamma[c] * root
		for i := c * per; i < (c+1)*per; i++ {
			w[i] *= factor
		}
		shift[c] = float32(float32((shift[c]-mean[c])*root)*gamma[c]) + beta[c]
	}
	bias, err := tensor.FromSlice(shift, len(shift))
	if err != nil {
		return nil, err
	}
	op.HasBias = true
	scope := conv.Scope
	fused, err := g.newNode(scope, op, conv.Inputs[0], g.Const(conv.Inputs[1].Name, weight), g.Const(scope.Path+".bias", bias))
	if err != nil {
		return nil, err
	}
	return &Patch{Nodes: []*Node{fused}, Old: n.Outputs, New: fused.Outputs}, nil
}
