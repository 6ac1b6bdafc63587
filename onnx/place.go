package onnx

import (
	"math"
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
)

// place writes operators that take elements from places, and those that are a few others in a row.
func (e *exporter) place(n *graph.Node, in func(int) string) (string, error) {
	switch op := n.Op.(type) {
	case ops.Gather:
		return e.emit("GatherElements", []string{in(0), in(1)}, attribute{"axis", op.Axis}), nil
	case ops.Tile:
		y := in(0)
		if added := len(op.Repeats) - len(n.Inputs[0].Type.Shape); added > 0 {
			axes := make([]int, added)
			for i := range axes {
				axes[i] = i
			}
			y = e.two("Unsqueeze", y, e.int64s(axes))
		}
		return e.two("Tile", y, e.int64s(op.Repeats)), nil
	case ops.Roll:
		return e.roll(op, in(0), len(n.Inputs[0].Type.Shape)), nil
	case ops.Lowerer:
		return e.lowered(op, n)
	}
	return "", unsupported(n.Op, "it is not written")
}

// roll writes a value of so many dimensions rolled by the remainder of each shift and the extent, which may be free.
func (e *exporter) roll(op ops.Roll, x string, rank int) string {
	y, axes := x, op.Axes
	if len(axes) == 0 { // of all elements in a row
		y, axes = e.two("Reshape", x, e.int64s([]int{-1})), []int{0}
	}
	one := func(v int) string { return e.int64s([]int{v}) }
	for i, axis := range axes {
		if axis < 0 {
			axis += rank
		}
		extent := e.two("Gather", e.one("Shape", y), one(axis))
		from := e.two("Sub", extent, e.two("Mod", one(op.Shifts[i]), e.two("Max", extent, one(1))))
		parts := []string{e.emit("Slice", []string{y, from, one(math.MaxInt), one(axis)}), e.emit("Slice", []string{y, one(0), from, one(axis)})}
		y = e.emit("Concat", parts, attribute{"axis", axis})
	}
	if len(op.Axes) == 0 {
		y = e.two("Reshape", y, e.one("Shape", x))
	}
	return y
}

// lowered writes the operators that one is made of.
func (e *exporter) lowered(op ops.Lowerer, n *graph.Node) (string, error) {
	var types []ops.Type
	for _, v := range n.Inputs {
		types = append(types, v.Type)
	}
	steps, err := op.Lower(types)
	if err != nil {
		return "", err
	}
	values := slices.Clone(n.Inputs)
	for _, s := range steps {
		m := &graph.Node{Op: s.Op, Scope: n.Scope}
		types = nil
		for _, k := range s.In {
			m.Inputs = append(m.Inputs, values[k])
			types = append(types, values[k].Type)
		}
		out, err := s.Op.Infer(types)
		if err != nil {
			return "", err
		}
		m.Outputs = []*graph.Value{{Type: out[0], Node: m}}
		if err := e.node(m); err != nil {
			return "", unsupported(op, "%v", err)
		}
		values = append(values, m.Outputs[0])
	}
	return e.float(values[len(values)-1]), nil
}

// slice writes every step-th element of a dimension from start to end.
func (e *exporter) slice(x string, start, end, axis, step int) string {
	one := func(v int) string { return e.int64s([]int{v}) }
	return e.emit("Slice", []string{x, one(start), one(end), one(axis), one(step)})
}

// circular writes a border of the elements at the other end, which Pad has from version 19 on; a negative one crops.
func (e *exporter) circular(op ops.PadMode, x string) string {
	for axis, before := range op.Before {
		after := op.After[axis]
		if before == 0 && after == 0 {
			continue
		}
		end := math.MaxInt
		if after < 0 {
			end = after
		}
		parts := []string{x}
		if before < 0 || after < 0 {
			parts[0] = e.slice(x, max(-before, 0), end, axis, 1)
		}
		if before > 0 {
			parts = slices.Insert(parts, 0, e.slice(x, -before, math.MaxInt, axis, 1))
		}
		if after > 0 {
			parts = append(parts, e.slice(x, 0, after, axis, 1))
		}
		x = e.emit("Concat", parts, attribute{"axis", axis})
	}
	return x
}
