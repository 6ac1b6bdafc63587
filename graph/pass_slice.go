package graph

import (
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Slices are the passes that take slices of the last dimension where they come from: of one value that is concatenated, and of what a slice is taken
// of. PyTorch traces a recurrent cell, which changes parts of its gates in place, as a chain of slices and concatenations, whose values would all
// have the parameters of one range.
var Slices = []Pass{{Name: "slice of parts", Rule: sliceOfParts}}

// lastSlice returns the bounds of a slice of consecutive elements of the last dimension, and the node that gives what it is taken of, nil for an input.
func lastSlice(n *Node) (from *Node, start, end int, ok bool) {
	op, is := n.Op.(ops.Slice)
	if !is || op.Step != 1 {
		return nil, 0, 0, false
	}
	s := n.Inputs[0].Type.Shape
	if axis, err := s.Axis(op.Axis); err != nil || axis == 0 || axis != len(s)-1 {
		return nil, 0, 0, false
	}
	start, count := tensor.SliceBounds(s[len(s)-1], op.Start, op.End, 1)
	return n.Inputs[0].Node, start, start + count, count > 0
}

func sliceOfParts(g *Rewriter, n *Node) (*Patch, error) {
	from, start, end, ok := lastSlice(n)
	if !ok || from == nil {
		return nil, nil
	}
	if _, first, _, ok := lastSlice(from); ok {
		return sliced(g, n, from.Inputs[0], first+start, first+end)
	}
	op, is := from.Op.(ops.Concat)
	last := len(n.Inputs[0].Type.Shape) - 1
	if axis, err := n.Inputs[0].Type.Shape.Axis(op.Axis); !is || err != nil || axis != last {
		return nil, nil
	}
	for _, v := range from.Inputs {
		d := v.Type.Shape[last]
		switch {
		case start == 0 && end == d:
			return &Patch{Old: n.Outputs, New: []*Value{v}}, nil
		case start < d:
			if end > d {
				return nil, nil
			}
			return sliced(g, n, v, start, end)
		}
		start, end = start-d, end-d
	}
	return nil, nil
}

// sliced puts a slice of the last dimension of v in the place of a node.
func sliced(g *Rewriter, n *Node, v *Value, start, end int) (*Patch, error) {
	node, err := g.newNode(n.Scope, ops.Slice{Axis: len(v.Type.Shape) - 1, Start: start, End: end, Step: 1}, v)
	if err != nil {
		return nil, err
	}
	return &Patch{Nodes: []*Node{node}, Old: n.Outputs, New: node.Outputs}, nil
}
