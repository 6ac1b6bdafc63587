package quantize

import (
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/sorting"
)

// hoist moves the nodes of g from index first on to right behind what they need, in their order, so that values
// which they alone still use need not be kept until the end of a run.
func hoist(g *graph.Graph, first int) {
	position := make(map[*graph.Node]int)
	for i, n := range g.Nodes[:first] {
		position[n] = i
	}
	added := g.Nodes[first:]
	for _, n := range added {
		position[n] = -1 // in front of all
		for _, v := range n.Inputs {
			if v.Node != nil {
				position[n] = max(position[n], position[v.Node])
			}
		}
	}
	nodes := slices.Clone(g.Nodes)
	sorting.Func(nodes, func(a, b *graph.Node) int { return position[a] - position[b] })
	g.Nodes = nodes
}
