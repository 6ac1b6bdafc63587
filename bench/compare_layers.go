package bench

import (
	"context"
	"math"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// LayerDifference compares what one layer of two models gives for the same inputs of the models.
type LayerDifference struct {
	OutputDifference
	Op string `json:"op"` // in the first model
	// Departs says that the layer loses far more than those in front of it: below 60 dB where both models have the same
	// precision, else 10 dB less than the worst of them, of which none counts for more than 35 dB.
	Departs bool `json:"departs,omitempty"`
}

// What is usual between two models that are the same, in dB.
const (
	samePrecision = 60
	bestInt8      = 35
	usualLoss     = 10
)

// moduleCall is the last value that a module computes in one call.
type moduleCall struct {
	path string
	call int // of the module
	node *graph.Node
}

type layerKey struct {
	path string
	call int
}

// layersOf lists the layers of a graph in their order.
func layersOf(g *graph.Graph) []moduleCall {
	var layers []moduleCall
	calls := make(map[string]int)
	for _, n := range g.Nodes {
		switch op := n.Op.(type) {
		case ops.Viewer:
			if op.IsView(typesOf(n.Inputs), typesOf(n.Outputs)) {
				continue
			}
		case int8.Quantize, int8.Dequantize:
			continue
		}
		if t := n.Outputs[0].Type; !t.DType.IsFloat() && t.Q == nil {
			continue
		}
		if last := len(layers) - 1; last >= 0 && layers[last].path == n.Scope.Path && n.Scope.Path != "" {
			layers[last].node = n
			continue
		}
		layers = append(layers, moduleCall{n.Scope.Path, calls[n.Scope.Path], n})
		calls[n.Scope.Path]++
	}
	return layers
}

func typesOf(values []*graph.Value) []ops.Type {
	types := make([]ops.Type, len(values))
	for i, v := range values {
		types[i] = v.Type
	}
	return types
}

// CompareLayers runs two concrete models on inputs, which each takes in its own order, and compares what the modules give that both have, in the
// order of the first. Activations and additions that belong to a layer count as part of it in both.
func CompareLayers(ctx context.Context, a, b *graph.Graph, opts graph.Options, inA, inB []*tensor.Tensor) ([]LayerDifference, error) {
	a, b = a.Clone(), b.Clone()
	for _, g := range []*graph.Graph{a, b} {
		if err := g.Rewrite(graph.Fusions, 0); err != nil {
			return nil, err
		}
	}
	nodes := make(map[layerKey]*graph.Node)
	for _, l := range layersOf(b) {
		nodes[layerKey{l.path, l.call}] = l.node
	}
	var both []moduleCall
	var valuesA, valuesB []*graph.Value
	for _, l := range layersOf(a) {
		if n := nodes[layerKey{l.path, l.call}]; n != nil && n.Outputs[0].Type.Shape.Equal(l.node.Outputs[0].Type.Shape) {
			both = append(both, l)
			valuesA, valuesB = append(valuesA, l.node.Outputs[0]), append(valuesB, n.Outputs[0])
		}
	}
	same := Precision(a) == Precision(b)
	outA, err := runValues(ctx, a, valuesA, opts, inA)
	if err != nil {
		return nil, err
	}
	outB, err := runValues(ctx, b, valuesB, opts, inB)
	if err != nil {
		return nil, err
	}
	list := make([]LayerDifference, len(both))
	for i, l := range both {
		d := &list[i]
		d.Name, d.Op, d.Type, d.N = l.path, l.node.Op.Name(), outB[i].String(), outB[i].Numel()
		if d.Name == "" {
			d.Name = d.Op
		}
		if err := d.compare(outB[i], outA[i]); err != nil {
			return nil, err
		}
	}
	findDepartures(a, both, list, same)
	return list, nil
}

// runValues returns values of one run of a graph, quantized ones as floats.
func runValues(ctx context.Context, g *graph.Graph, values []*graph.Value, opts graph.Options, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
	if len(values) == 0 {
		return nil, nil
	}
	g.SetOutputs(values...)
	g.State = nil
	s, err := g.Compile(opts)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	out, err := s.Run(ctx, in...)
	if err != nil {
		return nil, err
	}
	for i, t := range out {
		if t.QParams() != nil {
			if out[i], err = t.Dequantize(); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// findDepartures marks the layers that lose more than those in front of them.
func findDepartures(g *graph.Graph, layers []moduleCall, list []LayerDifference, same bool) {
	index := make(map[*graph.Node]int, len(layers))
	for i, l := range layers {
		index[l.node] = i
	}
	worst := make(map[*graph.Value]float64) // of the layers in front of a value
	for _, n := range g.Nodes {
		before := math.Inf(1)
		for _, v := range n.Inputs {
			if w, ok := worst[v]; ok {
				before = min(before, w)
			}
		}
		if i, ok := index[n]; ok {
			d := &list[i]
			if same {
				d.Departs = !(d.SQNR >= samePrecision)
			} else {
				d.Departs = !(d.SQNR >= min(before, bestInt8)-usualLoss)
			}
			before = d.SQNR
		}
		for _, v := range n.Outputs {
			worst[v] = before
		}
	}
}
