package graph

import "github.com/octet-ml/octet/ops"

// lower puts the operators that some operators are made of in their place, so
// that they are fused and planned like any.
func lower(g *Rewriter, n *Node) (*Patch, error) {
	op, ok := n.Op.(ops.Lowerer)
	if !ok {
		return nil, nil
	}
	steps, err := op.Lower(typesOf(n.Inputs))
	if err != nil {
		return nil, err
	}
	p := &Patch{Old: n.Outputs}
	values := append([]*Value(nil), n.Inputs...)
	for _, s := range steps {
		in := make([]*Value, len(s.In))
		for i, k := range s.In {
			in[i] = values[k]
		}
		m, err := g.newNode(n.Scope, s.Op, in...)
		if err != nil {
			return nil, err
		}
		p.Nodes = append(p.Nodes, m)
		values = append(values, m.Outputs[0])
	}
	p.New = []*Value{values[len(values)-1]}
	return p, nil
}
