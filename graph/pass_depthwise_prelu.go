package graph

import (
	"slices"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// DepthwisePReLUs are the passes that make max(x, slope*x) of x where it is positive and else slope*x, with constant slopes of
// the channels up to 1, and a depthwise convolution of one tap of the product: both have an int8 form.
var DepthwisePReLUs = []Pass{
	{Name: "depthwise PReLU", Rule: depthwisePReLU},
	{Name: "fold constants of PReLUs", Rule: foldConstants},
}

// depthwisePReLU replaces what PyTorch's prelu comes to with a slope for each channel.
func depthwisePReLU(g *Rewriter, n *Node) (*Patch, error) {
	if _, ok := n.Op.(ops.Where); !ok {
		return nil, nil
	}
	x, slope := n.Inputs[1], slopeOf(n)
	if slope == nil || !isPositive(n.Inputs[0].Node, x) {
		return nil, nil
	}
	rank, channels := len(x.Type.Shape), slope.Type.Numel()
	conv := ops.Conv{Groups: channels}
	shape := []int{channels, 1}
	for range rank - 2 {
		shape = append(shape, 1)
		conv.Stride, conv.Dilation, conv.Padding = append(conv.Stride, 1), append(conv.Dilation, 1), append(conv.Padding, 0)
	}
	a := &adder{g: g, scope: n.Scope}
	below := a.add(conv, x, a.add(ops.Reshape{Shape: shape}, slope))
	y := a.add(ops.Binary{Fn: ops.Max}, x, below)
	if a.Err() != nil {
		return nil, a.Err()
	}
	return &Patch{Nodes: a.nodes, Old: n.Outputs, New: []*Value{y}}, nil
}

// isPositive reports whether the node says where x is greater than 0.
func isPositive(n *Node, x *Value) bool {
	if n == nil {
		return false
	}
	op, ok := n.Op.(ops.Binary)
	if !ok || op.Fn != ops.Gt || n.Inputs[0] != x || n.Inputs[1].Const == nil || n.Inputs[1].Type.Numel() != 1 || x.Type.DType != tensor.Float32 {
		return false
	}
	zero, err := n.Inputs[1].Const.To(x.Type.DType)
	return err == nil && zero.Contiguous().Float32s()[0] == 0
}

// slopeOf returns the constant slopes of the channels that the third input of a Where multiplies its second by, each at most 1,
// nil where there are none.
func slopeOf(n *Node) *Value {
	x, below := n.Inputs[1], n.Inputs[2].Node
	if below == nil || !n.Outputs[0].Type.Shape.Equal(x.Type.Shape) {
		return nil
	}
	op, ok := below.Op.(ops.Binary)
	i := slices.IndexFunc(below.Inputs, func(v *Value) bool { return v.Const != nil })
	if !ok || op.Fn != ops.Mul || op.Act != ops.NoActivation || i < 0 || below.Inputs[1-i] != x {
		return nil
	}
	slope, rank := below.Inputs[i], len(x.Type.Shape)
	s := slope.Type.Shape
	at := 1 - rank + len(s) // of the channels
	if rank < 3 || rank > 5 || at < 0 || s[at] < 2 || s[at] != x.Type.Shape[1] || slope.Type.Numel() != s[at] || slope.Type.DType != x.Type.DType {
		return nil
	}
	if slices.ContainsFunc(slope.Const.Contiguous().Float32s(), func(v float32) bool { return !(v <= 1) }) {
		return nil
	}
	return slope
}
