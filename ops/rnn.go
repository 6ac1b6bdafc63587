package ops

import (
	"fmt"
	"slices"

	"github.com/octet-ml/octet/tensor"
)

// CellFn is the cell of a recurrent network.
type CellFn uint8

// The cells, with PyTorch's names and order of gates: LSTM has input, forget,
// cell and output gates, GRU reset, update and new gates.
const (
	LSTMCell CellFn = iota
	GRUCell
	TanhCell
	ReLUCell
	numCellFns
)

var cells = [numCellFns]struct {
	name  string
	gates int
}{{"lstm", 4}, {"gru", 3}, {"rnn_tanh", 1}, {"rnn_relu", 1}}

// String returns PyTorch's name of the function: "lstm".
//
//go:noinline
func (f CellFn) String() string {
	if f < numCellFns {
		return cells[f].name
	}
	return fmt.Sprintf("CellFn(%d)", uint8(f))
}

// MarshalText returns the name.
func (f CellFn) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText takes a name that String gives.
func (f *CellFn) UnmarshalText(text []byte) error {
	i := slices.IndexFunc(cells[:], func(c struct {
		name  string
		gates int
	}) bool {
		return c.name == string(text)
	})
	if i < 0 {
		return fmt.Errorf("unknown recurrent cell %q", text)
	}
	*f = CellFn(i)
	return nil
}

// RNN is a recurrent network over whole sequences, as torch.lstm, torch.gru,
// torch.rnn_tanh and torch.rnn_relu compute it at inference.
//
// Inputs: x [T, B, I], or [B, T, I] with BatchFirst, or without B [T, I]; h0
// [Layers*D, B, H] with D 2 when Bidirectional, else 1; for an LSTM c0 of the
// same shape; then for every layer and direction the weights [G*H, I] and [G*H, H] and, when
// HasBias, the biases [G*H] of both. G is the number of gates.
// Outputs: y [T, B, D*H] in x's order; h of h0's shape; for an LSTM c.
type RNN struct {
	Cell                               CellFn
	Layers                             int
	Bidirectional, BatchFirst, HasBias bool
	// Rounded rounds what is multiplied to 7 bits as PyTorch's dynamic quantized networks do: the inputs of a layer with one range, and its
	// state in each step with another.
	Rounded bool
}

// RNNAttributes are the attributes of RNN without its methods, for operators that share only those.
type RNNAttributes RNN

func (op RNN) Name() string { return op.Cell.String() }

// states returns how many initial states the inputs hold.
func (op RNN) states() int {
	if op.Cell == LSTMCell {
		return 2
	}
	return 1
}

func (op RNN) directions() int {
	if op.Bidirectional {
		return 2
	}
	return 1
}

// weights returns how many weights a layer has in one direction.
func (op RNN) weights() int {
	if op.HasBias {
		return 4
	}
	return 2
}

// Weights lists the inputs that are matrices of weights, of the features and of the state in turn for each layer and direction.
// It is not inlined, for the size of programs: docs/architecture.md.
//
//go:noinline
func (op RNN) Weights() []int {
	var list []int
	for i := range op.Layers * op.directions() {
		first := 1 + op.states() + i*op.weights()
		list = append(list, first, first+1)
	}
	return list
}

func (op RNN) Infer(in []Type) ([]Type, error) {
	types, err := op.outTypes(op, in)
	if err != nil {
		return nil, err
	}
	if err := floatInputs(op, in); err != nil {
		return nil, err
	}
	return types, nil
}

// outTypes checks what does not depend on element types, for self, which is this operator or its
// float64 counterpart, and returns the outputs' types, which are those of the input.
func (op RNN) outTypes(self Op, in []Type) ([]Type, error) {
	if op.Cell >= numCellFns || op.Layers < 1 || op.Layers > 1<<10 {
		return nil, Errorf(self, in, "no such network")
	}
	n := 1 + op.states() + op.Layers*op.directions()*op.weights()
	if err := arity(self, in, n, n); err != nil {
		return nil, err
	}
	x, h := in[0].Shape, in[1].Shape
	if len(x) != 2 && len(x) != 3 || len(h) != len(x) {
		return nil, Errorf(self, in, "input and state must both have three dimensions, or two without a batch")
	}
	g := op.geometry(in)
	if g.steps == 0 || g.input == 0 || g.hidden == 0 {
		return nil, Errorf(self, in, "it needs at least one step, feature and hidden unit")
	}
	state := tensor.Shape{op.Layers * op.directions(), g.batch, g.hidden}
	if len(x) == 2 {
		state = tensor.Shape{op.Layers * op.directions(), g.hidden}
	}
	for i := range op.states() {
		if !in[1+i].Shape.Equal(state) {
			return nil, Errorf(self, in, "initial state %d must have shape %v", i, state)
		}
	}
	rows := cells[op.Cell].gates * g.hidden
	for i, w := range in[1+op.states():] {
		width := g.width(op, i/op.weights()/op.directions())
		want := []tensor.Shape{{rows, width}, {rows, g.hidden}, {rows}, {rows}}[i%op.weights()]
		if !w.Shape.Equal(want) {
			return nil, Errorf(self, in, "weight %d must have shape %v", i, want)
		}
	}
	out := x.Clone()
	out[len(out)-1] = op.directions() * g.hidden
	types := []Type{{DType: in[0].DType, Shape: out}}
	for range op.states() {
		types = append(types, Type{DType: in[0].DType, Shape: state})
	}
	return types, nil
}

// MACs counts each matrix of weights once for every element of the sequences.
func (op RNN) MACs(in, _ []Type) int64 {
	steps, macs := product(in[0].Shape[:len(in[0].Shape)-1]), int64(0)
	for _, w := range in[1+op.states():] {
		if len(w.Shape) == 2 {
			macs += steps * product(w.Shape)
		}
	}
	return macs
}

// rnnGeometry is the sizes of a network and its input.
type rnnGeometry struct {
	steps, batch, input, hidden int
}

//go:noinline
func (op RNN) geometry(in []Type) rnnGeometry {
	x, h := in[0].Shape, in[1].Shape
	g := rnnGeometry{steps: x[0], batch: 1, input: x[len(x)-1], hidden: h[len(h)-1]}
	if len(x) == 3 {
		g.batch = x[1]
		if op.BatchFirst {
			g.steps, g.batch = x[1], x[0]
		}
	}
	return g
}

// width returns the features a layer reads.
func (g rnnGeometry) width(op RNN, layer int) int {
	if layer == 0 {
		return g.input
	}
	return op.directions() * g.hidden
}
