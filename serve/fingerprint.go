package serve

import (
	"crypto/sha256"
	"fmt"
	"io"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// fingerprint stands for what the time of a run depends on: the operators of a graph, how they are connected, the types of their
// values, and the shapes of the inputs. Weights and scales may differ.
type fingerprint [sha256.Size]byte

func fingerprintOf(g *graph.Graph, inputs []*tensor.Tensor) (f fingerprint) {
	h := sha256.New()
	for _, t := range inputs {
		fmt.Fprintln(h, t.Shape())
	}
	writeStructure(h, g)
	h.Sum(f[:0])
	return f
}

// writeStructure writes a line for each node. Values are numbered in the order in which they are met.
func writeStructure(w io.Writer, g *graph.Graph) {
	numbers := make(map[*graph.Value]int)
	write := func(list []*graph.Value) {
		for _, v := range list {
			n, known := numbers[v]
			if !known {
				n = len(numbers)
				numbers[v] = n
			}
			fmt.Fprint(w, " ", n, v.Type.DType, v.Type.Shape)
		}
		fmt.Fprintln(w)
	}
	write(g.Inputs)
	for _, n := range g.Nodes {
		fmt.Fprint(w, graph.FormatOp(n.Op))
		if c, ok := n.Op.(interface{ Graphs() []*graph.Graph }); ok {
			for _, inner := range c.Graphs() {
				writeStructure(w, inner)
			}
		}
		write(n.Inputs)
		write(n.Outputs)
	}
	write(g.Outputs)
}
