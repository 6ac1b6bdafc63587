package onnx

import (
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// rnnKinds are the operators of recurrent networks, with ONNX's gates by their places among PyTorch's.
var rnnKinds = map[ops.CellFn]struct {
	op    string
	gates []int
}{
	ops.LSTMCell: {"LSTM", []int{0, 3, 1, 2}}, // input, output, forget and cell gate
	ops.GRUCell:  {"GRU", []int{1, 0, 2}},     // update, reset and new gate
	ops.TanhCell: {"RNN", []int{0}},
	ops.ReLUCell: {"RNN", []int{0}},
}

// rnn writes a recurrent network, an operator for each layer. Int8 weights are written as such, and multiplied in float32: ONNX quantizes no rows of a
// network while it runs.
func (e *exporter) rnn(op ops.RNN, n *graph.Node) error {
	if op.Rounded || len(n.Inputs[0].Type.Shape) != 3 {
		return unsupported(n.Op, "sequences without a batch, and products of 7 bits as PyTorch's dynamic quantization has them, are not written")
	}
	kind := rnnKinds[op.Cell]
	hidden := n.Inputs[1].Type.Shape[2]
	directions, states, each := 1, 1, 2
	if op.Bidirectional {
		directions = 2
	}
	if op.Cell == ops.LSTMCell {
		states = 2
	}
	if op.HasBias {
		each = 4
	}
	attributes := []attribute{{"hidden_size", hidden}}
	if op.Bidirectional {
		attributes = append(attributes, attribute{"direction", "bidirectional"})
	}
	if op.Cell == ops.GRUCell {
		attributes = append(attributes, attribute{"linear_before_reset", 1})
	}
	if op.Cell == ops.ReLUCell {
		attributes = append(attributes, attribute{"activations", slices.Repeat([]string{"Relu"}, directions)})
	}
	var rows []int // of weights, in ONNX's order of gates
	for _, gate := range kind.gates {
		for i := range hidden {
			rows = append(rows, gate*hidden+i)
		}
	}
	order, front := e.int64s(rows), e.int64s([]int{0})
	first := attribute{"axis", 0}
	x := e.float(n.Inputs[0])
	if op.BatchFirst {
		x = e.emit("Transpose", []string{x}, attribute{"perm", []int{1, 0, 2}})
	}
	last := make([][]string, states)
	for layer := range op.Layers {
		// weights joins those of both directions from a place on, of one or of two biases.
		weights := func(place, count int) string {
			var both []string
			for d := range directions {
				var parts []string
				for i := range count {
					parts = append(parts, e.two("Gather", e.float(n.Inputs[1+states+(layer*directions+d)*each+place+i]), order))
				}
				both = append(both, e.two("Unsqueeze", e.emit("Concat", parts, first), front))
			}
			return e.emit("Concat", both, first)
		}
		in := []string{x, weights(0, 1), weights(1, 1), "", ""}
		if op.HasBias {
			in[3] = weights(2, 2)
		}
		outputs := []string{e.unique(kind.op)}
		for s := range states {
			state := "" // zeros
			if !zeros(n.Inputs[1+s]) {
				state = e.emit("Slice", []string{e.float(n.Inputs[1+s]), e.int64s([]int{layer * directions}), e.int64s([]int{(layer + 1) * directions}), front})
			}
			in = append(in, state)
			outputs = append(outputs, e.unique(kind.op))
			last[s] = append(last[s], outputs[1+s])
		}
		e.emitTo(kind.op, outputs, in, attributes...)
		// [steps, directions, batch, hidden] to [steps, batch, directions * hidden]
		x = e.emit("Transpose", []string{outputs[0]}, attribute{"perm", []int{0, 2, 1, 3}})
		x = e.two("Reshape", x, e.int64s([]int{0, 0, -1}))
	}
	if op.BatchFirst {
		x = e.emit("Transpose", []string{x}, attribute{"perm", []int{1, 0, 2}})
	}
	e.names[n.Outputs[0]] = x
	for s := range states {
		e.names[n.Outputs[1+s]] = e.emit("Concat", last[s], first)
	}
	return nil
}

// zeros reports whether a value is known to have no other elements, as the initial states of most networks: for any batch, then.
func zeros(v *graph.Value) bool {
	if v.Node != nil {
		if op, is := v.Node.Op.(ops.Full); is {
			return op.Value == 0
		}
	}
	t := v.Type.Known
	return t != nil && t.DType() == tensor.Float32 && !slices.ContainsFunc(t.Contiguous().Float32s(), func(x float32) bool { return x != 0 })
}
