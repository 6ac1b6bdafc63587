package nn

import (
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
)

// LSTMCell is torch.nn.LSTMCell: one step of an LSTM of one layer.
//
// It takes x [N, Input], or [Input], and then h and c, each [N, Hidden] or [Hidden]; without them they are zeros. Forward gives the next h, ForwardAll
// h and c.
type LSTMCell struct {
	Input, Hidden int
	NoBias        bool
}

func (LSTMCell) Class() string { return "torch.nn.modules.rnn.LSTMCell" }

func (m LSTMCell) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return m.ForwardAll(c, x...)[0]
}

// ForwardAll gives h and c.
func (m LSTMCell) ForwardAll(c *Context, x ...*graph.Value) []*graph.Value {
	return recurrent{cell: ops.LSTMCell, gates: 4, states: 2, input: m.Input, hidden: m.Hidden, noBias: m.NoBias}.step(c, x)
}

// GRUCell is torch.nn.GRUCell. It takes what LSTMCell takes, but for c, and gives h.
type GRUCell struct {
	Input, Hidden int
	NoBias        bool
}

func (GRUCell) Class() string { return "torch.nn.modules.rnn.GRUCell" }

func (m GRUCell) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return recurrent{cell: ops.GRUCell, gates: 3, states: 1, input: m.Input, hidden: m.Hidden, noBias: m.NoBias}.step(c, x)[0]
}

// RNNCell is torch.nn.RNNCell with tanh, or with ReLU. It takes and gives what GRUCell does.
type RNNCell struct {
	Input, Hidden int
	NoBias, ReLU  bool
}

func (RNNCell) Class() string { return "torch.nn.modules.rnn.RNNCell" }

func (m RNNCell) Forward(c *Context, x ...*graph.Value) *graph.Value {
	cell := ops.TanhCell
	if m.ReLU {
		cell = ops.ReLUCell
	}
	return recurrent{cell: cell, gates: 1, states: 1, input: m.Input, hidden: m.Hidden, noBias: m.NoBias}.step(c, x)[0]
}

// step goes over a sequence of one element, and returns the states behind it.
func (r recurrent) step(c *Context, x []*graph.Value) []*graph.Value {
	shape := []int{-1, r.hidden}
	if len(x[0].Type.Shape) == 1 {
		shape = shape[1:]
	}
	in := []*graph.Value{c.Apply(ops.Reshape{Shape: []int{1, -1, r.input}}, x[0])}
	for _, v := range x[1:] {
		in = append(in, c.Apply(ops.Reshape{Shape: []int{1, -1, r.hidden}}, v))
	}
	switch len(in) {
	case 1 + r.states:
	case 1:
		zero := r.zeroState(c, 1, in[0])
		for range r.states {
			in = append(in, zero)
		}
	default:
		c.Fail("it takes a value and %d states or none, not %d values", r.states, len(x))
	}
	out := c.ApplyAll(ops.RNN{Cell: r.cell, Layers: 1, HasBias: !r.noBias}, 1+r.states, append(in, r.weights(c, "", r.input)...)...)
	states := make([]*graph.Value, r.states)
	for i := range states {
		states[i] = c.Apply(ops.Reshape{Shape: shape}, out[1+i])
	}
	return states
}
