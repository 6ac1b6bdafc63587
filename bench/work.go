package bench

import (
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
)

// graphWork returns the work of a graph for inputs of the given types.
func graphWork(g *graph.Graph, inputs []ops.Type) (ops.Work, error) {
	var total ops.Work
	err := walk(g, inputs, func(n *graph.Node, in, out []ops.Type) { total.Add(ops.WorkOf(n.Op, in, out)) })
	return total, err
}

// walk infers the types of all values for inputs of the given types and visits the nodes.
func walk(g *graph.Graph, inputs []ops.Type, visit func(n *graph.Node, in, out []ops.Type)) error {
	types := make(map[*graph.Value]ops.Type)
	for i, v := range g.Inputs {
		types[v] = inputs[i]
	}
	for _, n := range g.Nodes {
		in := make([]ops.Type, len(n.Inputs))
		for i, v := range n.Inputs {
			if v.Const != nil {
				in[i] = ops.TypeOf(v.Const)
			} else {
				in[i] = types[v]
			}
		}
		out, err := n.Op.Infer(in)
		if err != nil {
			return &graph.NodeError{Node: n, Err: err}
		}
		for i, v := range n.Outputs {
			types[v] = out[i]
		}
		visit(n, in, out)
	}
	return nil
}

// exampleTypes returns the types of the inputs a graph was built with.
func exampleTypes(g *graph.Graph) []ops.Type {
	types := make([]ops.Type, len(g.Inputs))
	for i, v := range g.Inputs {
		types[i] = v.Type
	}
	return types
}

// Precision says how the convolutions, linear layers and matrix products of a
// graph are computed: "float32", "int8", or "mixed". An open graph is what it was
// last specialized to.
func Precision(g *graph.Graph) string {
	if c, err := g.Concrete(); err == nil {
		g = c
	}
	w, err := graphWork(g, exampleTypes(g))
	switch {
	case err != nil || w.Int8MACs == 0:
		return "float32"
	case w.MACs == 0:
		return "int8"
	}
	return "mixed"
}
