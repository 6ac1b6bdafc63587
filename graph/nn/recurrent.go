package nn

import (
	"fmt"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// LSTM is torch.nn.LSTM.
//
// It takes x [T, N, Input], or [N, T, Input] with BatchFirst, or [T, Input], and then h0 and c0, each [Layers*D, N, Hidden] with D 2
// where it is Bidirectional, else 1; without them the states begin with zeros. Forward gives y, whose last dimension is D*Hidden, ForwardAll y,
// h and c. With Projection, which is proj_size, y, h0 and h have that in the place of Hidden.
type LSTM struct {
	Input, Hidden, Layers             int // Layers of 0 mean 1
	Projection                        int
	NoBias, Bidirectional, BatchFirst bool
}

func (LSTM) Class() string { return "torch.nn.modules.rnn.LSTM" }

func (m LSTM) Forward(c *Context, x ...*graph.Value) *graph.Value { return m.ForwardAll(c, x...)[0] }

// ForwardAll gives y, h and c.
func (m LSTM) ForwardAll(c *Context, x ...*graph.Value) []*graph.Value {
	if m.Projection != 0 {
		return m.projected(c, x)
	}
	return recurrent{ops.LSTMCell, 4, 2, m.Input, m.Hidden, m.Layers, m.NoBias, m.Bidirectional, m.BatchFirst}.forward(c, x)
}

// GRU is torch.nn.GRU. It takes what LSTM takes, but for c0, and gives y and h.
type GRU struct {
	Input, Hidden, Layers             int // Layers of 0 mean 1
	NoBias, Bidirectional, BatchFirst bool
}

func (GRU) Class() string { return "torch.nn.modules.rnn.GRU" }

func (m GRU) Forward(c *Context, x ...*graph.Value) *graph.Value { return m.ForwardAll(c, x...)[0] }

// ForwardAll gives y and h.
func (m GRU) ForwardAll(c *Context, x ...*graph.Value) []*graph.Value {
	return recurrent{ops.GRUCell, 3, 1, m.Input, m.Hidden, m.Layers, m.NoBias, m.Bidirectional, m.BatchFirst}.forward(c, x)
}

// RNN is torch.nn.RNN with tanh, or with ReLU. It takes and gives what GRU does.
type RNN struct {
	Input, Hidden, Layers             int // Layers of 0 mean 1
	NoBias, Bidirectional, BatchFirst bool
	ReLU                              bool
}

func (RNN) Class() string { return "torch.nn.modules.rnn.RNN" }

func (m RNN) Forward(c *Context, x ...*graph.Value) *graph.Value { return m.ForwardAll(c, x...)[0] }

// ForwardAll gives y and h.
func (m RNN) ForwardAll(c *Context, x ...*graph.Value) []*graph.Value {
	cell := ops.TanhCell
	if m.ReLU {
		cell = ops.ReLUCell
	}
	return recurrent{cell, 1, 1, m.Input, m.Hidden, m.Layers, m.NoBias, m.Bidirectional, m.BatchFirst}.forward(c, x)
}

// recurrent is what the three have in common.
type recurrent struct {
	cell                              ops.CellFn
	gates, states                     int
	input, hidden, layers             int
	noBias, bidirectional, batchFirst bool
}

func (r recurrent) forward(c *Context, x []*graph.Value) []*graph.Value {
	op := ops.RNN{Cell: r.cell, Layers: max(r.layers, 1), Bidirectional: r.bidirectional, BatchFirst: r.batchFirst, HasBias: !r.noBias}
	suffixes := []string{"", "_reverse"}
	if !r.bidirectional {
		suffixes = suffixes[:1]
	}
	switch len(x) {
	case 1 + r.states:
	case 1:
		zero := r.zeroState(c, op.Layers*len(suffixes), x[0])
		for range r.states {
			x = append(x, zero)
		}
	default:
		c.Fail("it takes a sequence and %d initial states or none, not %d values", r.states, len(x))
	}
	in := x[:len(x):len(x)]
	width := r.input
	for layer := range op.Layers {
		for _, suffix := range suffixes {
			in = append(in, r.weights(c, fmt.Sprintf("_l%d%s", layer, suffix), width)...)
		}
		width = r.hidden * len(suffixes)
	}
	return c.ApplyAll(op, 1+r.states, in...)
}

// weights are the parameters of one layer in one direction.
func (r recurrent) weights(c *Context, suffix string, width int) []*graph.Value {
	rows := r.gates * r.hidden
	w := []*graph.Value{c.Parameter("weight_ih"+suffix, KaimingNormal, rows, width), c.Parameter("weight_hh"+suffix, KaimingNormal, rows, r.hidden)}
	if !r.noBias {
		w = append(w, c.Parameter("bias_ih"+suffix, Zeros, rows), c.Parameter("bias_hh"+suffix, Zeros, rows))
	}
	return w
}

// zeroState returns zeros [rows, N, hidden] for the batch that x has, which may be another one in each run.
func (r recurrent) zeroState(c *Context, rows int, x *graph.Value) *graph.Value {
	if len(x.Type.Shape) != 3 {
		return c.Apply(ops.Full{Shape: []int{rows, r.hidden}, DType: tensor.Float32})
	}
	if r.batchFirst {
		x = c.Apply(ops.Permute{Order: []int{1, 0, 2}}, x)
	}
	for _, axis := range []int{0, 2} {
		x = c.Apply(ops.Slice{Axis: axis, End: 1, Step: 1}, x)
	}
	return c.Apply(ops.Expand{Shape: []int{rows, -1, r.hidden}}, c.Apply(ops.Full{Like: true, DType: tensor.Float32}, x))
}
