package quantize

import (
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
)

// origin is how constants were computed when a model was prepared.
type origin struct {
	scope graph.Scope
	op    ops.Op
	in    []*graph.Value
}

// made is a constant as an output of its origin.
type made struct {
	by  *origin
	out int
}

// origins are those of the constants that folding has made, so that training can compute
// them from the parameters instead.
type origins map[*graph.Value]made

// record returns passes that do what the given ones do and note where new constants come from.
func (o origins) record(passes []graph.Pass) []graph.Pass {
	recording := slices.Clone(passes)
	for i, p := range passes {
		if p.Rule == nil {
			continue
		}
		recording[i].Rule = func(g *graph.Rewriter, n *graph.Node) (*graph.Patch, error) {
			// What the rule looks at, as it is before the patch takes it apart.
			inputs := slices.Clone(n.Inputs)
			layer := n.Inputs
			if len(n.Inputs) > 0 && n.Inputs[0].Node != nil {
				layer = slices.Clone(n.Inputs[0].Node.Inputs)
			}
			patch, err := p.Rule(g, n)
			if patch != nil {
				o.note(n, inputs, layer, patch)
			}
			return patch, err
		}
	}
	return recording
}

// note takes in one patch: constants in the place of a node's outputs, or a layer that has taken in
// the batch norm behind it.
func (o origins) note(n *graph.Node, inputs, layer []*graph.Value, p *graph.Patch) {
	by := &origin{n.Scope, n.Op, inputs}
	for i, v := range p.New {
		if k := slices.Index(n.Outputs, p.Old[i]); v.Const != nil && k >= 0 {
			o[v] = made{by, k}
		}
	}
	bn, ok := n.Op.(ops.BatchNorm)
	if !ok || len(p.Nodes) != 1 || !isLayer(p.Nodes[0].Op) {
		return
	}
	by = &origin{n.Scope, ops.FoldBatchNorm{Eps: bn.Eps, HasBias: len(layer) == 3}, slices.Concat(layer[1:], inputs[1:])}
	for i, v := range p.Nodes[0].Inputs[1:3] {
		o[v] = made{by, i}
	}
}
