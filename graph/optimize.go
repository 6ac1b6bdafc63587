package graph

import (
	"slices"

	"github.com/octet-ml/octet/ops"
)

// Expansions are the passes that put the operators some operators are made of in their place.
var Expansions = []Pass{{Name: "lower", Rule: lower}}

// Foldings are the passes that compute what is constant. Their result has the
// layers of the model as they were written.
var Foldings = []Pass{
	{Name: "fold constants", Rule: foldConstants},
	{Name: "fold batch norm", Rule: foldBatchNorm},
}

// Fusions are the passes that make one operator of several. They keep the
// layout, so that quantization can start from their result.
var Fusions = slices.Concat(Foldings, []Pass{
	{Name: "fuse residual", Rule: fuseResidual},
	{Name: "fuse clamp", Rule: fuseClamp},
})

// Attentions are the passes that make attention one operator.
var Attentions = []Pass{{Name: "fuse attention", Rule: fuseAttention}}

// lowering are the passes that bring a graph into the form that kernels take.
var lowering = slices.Concat(
	[]Pass{{Name: "fuse function", Rule: fuseFunction}},
	Attentions,
	[]Pass{
		{Name: "attention heads", Rule: attentionHeads},
		{Name: "channels last", Whole: channelsLast},
		{Name: "fold permuted constants", Rule: foldConstants},
	},
)

// Optimizations are the passes Compile runs, in order.
var Optimizations = slices.Concat(Expansions, []Pass{{Name: "drop detach", Rule: dropDetach}}, Fusions, lowering)

// dropDetach leaves out what only stops gradients: a graph that is compiled has those it needs.
func dropDetach(_ *Rewriter, n *Node) (*Patch, error) {
	if _, ok := n.Op.(ops.Detach); !ok {
		return nil, nil
	}
	return &Patch{Old: n.Outputs, New: n.Inputs}, nil
}
