package quantize

import (
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
)

// oneSample returns the graph with the types of a single sample, where its inputs are those of a batch and nothing
// depends on how large that is: a file then does not say how calibration was fed. Otherwise it returns g.
func oneSample(g *graph.Graph) *graph.Graph {
	batch := 0
	for _, v := range g.Inputs {
		fixed := v.Guard != nil && (v.Guard.Value != nil || len(v.Guard.Shape) > 0 && v.Guard.Shape[0] >= 0)
		fixed = fixed || v.Guard != nil && len(v.Guard.Bounds) > 0 && v.Guard.Bounds[0].Min > 1
		if len(v.Type.Shape) == 0 || fixed || batch > 0 && v.Type.Shape[0] != batch {
			return g
		}
		batch = v.Type.Shape[0]
	}
	if batch <= 1 || g.State != nil {
		return g
	}
	one := graph.New()
	values := make(map[*graph.Value]*graph.Value)
	for _, v := range g.Inputs {
		w := one.Input(v.Name, v.Type.DType, append([]int{1}, v.Type.Shape[1:]...)...)
		w.Guard, w.Type.Q = v.Guard, v.Type.Q
		values[v] = w
	}
	for _, v := range g.Constants() {
		values[v] = one.Const(v.Name, v.Const)
	}
	for _, n := range g.Nodes {
		inputs := make([]*graph.Value, len(n.Inputs))
		for i, v := range n.Inputs {
			inputs[i] = values[v]
		}
		out, err := one.Add(n.Scope, n.Op, inputs...)
		if err != nil {
			return g
		}
		for i, v := range n.Outputs {
			out[i].Name = v.Name
			values[v] = out[i]
		}
	}
	outputs := make([]*graph.Value, len(g.Outputs))
	for i, v := range g.Outputs {
		if outputs[i] = values[v]; !scaled(v.Type, outputs[i].Type, batch) {
			return g
		}
	}
	one.SetOutputs(outputs...)
	if one.Verify() != nil {
		return g
	}
	return one
}

// scaled reports whether a type for one sample is that of a batch but for its first extent.
func scaled(batch, one ops.Type, n int) bool {
	b, o := batch.Shape, one.Shape
	return len(b) > 0 && len(o) == len(b) && b[0] == n*o[0] && slices.Equal(b[1:], o[1:])
}
