package bench

import (
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// Work is what a node, or a whole graph, has to do.
type Work struct {
	MACs     int64 // multiply-accumulates of convolutions, linear and recurrent layers and matrix products in float32
	Int8MACs int64 // those in int8
	Bytes    int64 // read and written, each input, constant and output once
}

// Add adds another's work.
func (w *Work) Add(o Work) {
	w.MACs += o.MACs
	w.Int8MACs += o.Int8MACs
	w.Bytes += o.Bytes
}

// Ops returns the operations, a multiply-accumulate being two.
func (w Work) Ops() float64 { return 2 * float64(w.MACs+w.Int8MACs) }

// NodeWork returns the work of one operator on inputs and outputs of the given types.
func NodeWork(op ops.Op, in, out []ops.Type) Work {
	var w Work
	for _, t := range in {
		w.Bytes += int64(t.Bytes())
	}
	for _, t := range out {
		w.Bytes += int64(t.Bytes())
	}
	if len(in) < 2 || len(out) == 0 {
		return w
	}
	macs := int64(out[0].Numel())
	switch op := op.(type) {
	case ops.Conv, int8.Conv:
		for _, d := range in[1].Shape[1:] {
			macs *= int64(d)
		}
	case ops.ConvTranspose:
		macs = int64(in[0].Numel())
		for _, d := range in[1].Shape[1:] {
			macs *= int64(d)
		}
	case ops.Linear, int8.Linear, int8.DynamicLinear:
		macs *= int64(in[1].Shape[1])
	case ops.MatMul:
		macs *= int64(in[0].Shape[len(in[0].Shape)-1])
	case ops.Attention:
		macs = attentionMACs(op, in)
	case ops.RNN:
		macs = recurrentMACs(op, in)
	default:
		return w
	}
	if in[1].DType == tensor.Float32 {
		w.MACs = macs
	} else {
		w.Int8MACs = macs
	}
	return w
}

// attentionMACs returns the multiply-accumulates of both products: each query with
// each key, and each of those with a value.
func attentionMACs(op ops.Attention, in []ops.Type) int64 {
	q, k, v := in[0].Shape, in[1].Shape, in[2].Shape
	rank := len(q)
	keys := k[rank-2]
	if op.HeadsLast {
		keys = k[rank-3]
	}
	return int64(in[0].Numel()/max(q[rank-1], 1)) * int64(keys) * int64(q[rank-1]+v[rank-1])
}

// recurrentMACs returns the multiply-accumulates of a recurrent network: each
// weight matrix once for every element of the sequences.
func recurrentMACs(op ops.RNN, in []ops.Type) int64 {
	x := in[0].Shape
	steps := int64(1)
	for _, d := range x[:len(x)-1] {
		steps *= int64(d)
	}
	first := 2
	if op.Cell == ops.LSTMCell {
		first = 3
	}
	var macs int64
	for _, t := range in[first:] {
		if len(t.Shape) == 2 {
			macs += steps * int64(t.Numel())
		}
	}
	return macs
}

// GraphWork returns the work of a graph for inputs of the given types.
func GraphWork(g *graph.Graph, inputs []ops.Type) (Work, error) {
	var total Work
	err := walk(g, inputs, func(n *graph.Node, in, out []ops.Type) { total.Add(NodeWork(n.Op, in, out)) })
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

// ExampleTypes returns the types of the inputs a graph was built with.
func ExampleTypes(g *graph.Graph) []ops.Type {
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
	w, err := GraphWork(g, ExampleTypes(g))
	switch {
	case err != nil || w.Int8MACs == 0:
		return "float32"
	case w.MACs == 0:
		return "int8"
	}
	return "mixed"
}
