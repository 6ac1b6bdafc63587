package graph

import (
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// DepthwiseNorms are the passes that make a depthwise convolution of one tap of a batch norm that no convolution could
// take in, which has an int8 form. One that sees the model's inputs stays as it is: it prepares what is quantized.
var DepthwiseNorms = []Pass{
	{Name: "depthwise batch norm", Rule: depthwiseNorm},
	{Name: "fold constants of batch norms", Rule: foldConstants},
	{Name: "fuse clamp behind batch norms", Rule: fuseClamp},
}

// depthwiseNorm replaces a batch norm with constant parameters. The factor and offset of each channel are those of
// ops.FoldBatchNorm for a weight of 1.
func depthwiseNorm(g *Rewriter, n *Node) (*Patch, error) {
	op, ok := n.Op.(ops.BatchNorm)
	if !ok {
		return nil, nil
	}
	x := n.Inputs[0]
	rank := len(x.Type.Shape)
	if op.NHWC || x.Node == nil || rank < 3 || rank > 5 || x.Type.Shape[1] < 2 {
		return nil, nil
	}
	for _, v := range n.Inputs[1:] {
		if v.Const == nil {
			return nil, nil
		}
	}
	channels := x.Type.Shape[1]
	shape := tensor.Shape{channels, 1}
	conv := ops.Conv{Groups: channels, HasBias: true}
	for range rank - 2 {
		shape = append(shape, 1)
		conv.Stride, conv.Dilation, conv.Padding = append(conv.Stride, 1), append(conv.Dilation, 1), append(conv.Padding, 0)
	}
	ones, err := tensor.New(tensor.Float32, shape...)
	if err != nil {
		return nil, err
	}
	for i := range ones.Float32s() {
		ones.Float32s()[i] = 1
	}
	fold, err := g.newNode(n.Scope, ops.FoldBatchNorm{Eps: op.Eps}, append([]*Value{g.Const("", ones)}, n.Inputs[1:]...)...)
	if err != nil {
		return nil, err
	}
	layer, err := g.newNode(n.Scope, conv, x, fold.Outputs[0], fold.Outputs[1])
	if err != nil {
		return nil, err
	}
	return &Patch{Nodes: []*Node{fold, layer}, Old: n.Outputs, New: layer.Outputs}, nil
}
