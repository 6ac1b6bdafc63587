package aten

import (
	"slices"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
)

const rnnParams = " params:L has_biases:b num_layers:i dropout:f train:b bidirectional:b batch_first:b"

var recurrences = []operator{
	{"aten::lstm", "input:T hx:L" + rnnParams, recurrent(ops.LSTMCell)},
	{"aten::gru", "input:T hx:T" + rnnParams, recurrent(ops.GRUCell)},
	{"aten::rnn_tanh", "input:T hx:T" + rnnParams, recurrent(ops.TanhCell)},
	{"aten::rnn_relu", "input:T hx:T" + rnnParams, recurrent(ops.ReLUCell)},
	{"aten::lstm_cell", "input:T hx:L w_ih:T w_hh:T b_ih:T?=None b_hh:T?=None", cell(ops.LSTMCell)},
	{"aten::gru_cell", "input:T hx:T w_ih:T w_hh:T b_ih:T?=None b_hh:T?=None", cell(ops.GRUCell)},
	{"aten::rnn_tanh_cell", "input:T hx:T w_ih:T w_hh:T b_ih:T?=None b_hh:T?=None", cell(ops.TanhCell)},
	{"aten::rnn_relu_cell", "input:T hx:T w_ih:T w_hh:T b_ih:T?=None b_hh:T?=None", cell(ops.ReLUCell)},
}

// states returns argument 1 as the initial states.
func (c *call) states() []*build.Tensor {
	if t, ok := c.args[1].(*build.Tensor); ok {
		return []*build.Tensor{t}
	}
	return c.tensors(1)
}

//go:noinline
func recurrent(fn ops.CellFn) func(*call) Value {
	return func(c *call) Value { return c.recurrent(fn, false) }
}

// recurrent is a network whose layers round what they multiply, or not.
func (c *call) recurrent(fn ops.CellFn, rounded bool) Value {
	if c.bool(6) && c.float(5) > 0 && c.int(4) > 1 {
		return c.unsupported("in training mode: call eval() before saving the model")
	}
	weights := c.tensors(2)
	op := ops.RNN{Cell: fn, HasBias: c.bool(3), Layers: c.int(4), Bidirectional: c.bool(7), BatchFirst: c.bool(8), Rounded: rounded}
	per := 2
	if op.HasBias {
		per = 4
	}
	directions := op.Layers
	if op.Bidirectional {
		directions *= 2
	}
	if fn == ops.LSTMCell && op.Layers > 0 && len(weights) == directions*(per+1) {
		return c.projectedLSTM(op, weights)
	}
	in := append([]*build.Tensor{c.tensor(0)}, c.states()...)
	out := c.applyFloatAll(op, append(in, weights...)...)
	t := &Tuple{}
	n := 2
	if fn == ops.LSTMCell {
		n = 3
	}
	for _, o := range out[:n] {
		t.Items = append(t.Items, o)
	}
	return t
}

// cell is one step of a recurrent network: a sequence of one.
//
//go:noinline
func cell(fn ops.CellFn) func(*call) Value {
	return func(c *call) Value {
		x, states := c.tensor(0), c.states()
		op := ops.RNN{Cell: fn, Layers: 1, HasBias: !c.isNone(4)}
		first := func(t *build.Tensor) *build.Tensor {
			return c.reshape(t, slices.Insert(slices.Clone(c.Dims(t)), 0, build.Extent(1)))
		}
		in := []*build.Tensor{first(x)}
		for _, s := range states {
			in = append(in, first(s))
		}
		for i := 2; i < 6; i++ {
			if t := c.tensor(i); t != nil {
				in = append(in, t)
			}
		}
		out := c.applyFloatAll(op, in...)
		last := func(t *build.Tensor) *build.Tensor { return c.reshape(t, c.Dims(t)[1:]) }
		if c.Err() != nil {
			return nil
		}
		if fn != ops.LSTMCell {
			return last(out[1])
		}
		return &Tuple{Items: []Value{last(out[1]), last(out[2])}}
	}
}
