package aten

import (
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
)

// projectedLSTM is an LSTM that projects its output to fewer features at every step. It is unrolled over time, as PyTorch decomposes it.
// A layer has the weights w_ih, w_hh, with biases b_ih and b_hh, and w_hr in each direction.
func (c *call) projectedLSTM(op ops.RNN, weights []*build.Tensor) Value {
	x, states := c.tensor(0), c.states()
	directions := 1
	if op.Bidirectional {
		directions = 2
	}
	if len(states) != 2 || x.Rank() < 2 {
		return c.fail("an LSTM needs a sequence and two states")
	}
	turned := op.BatchFirst && x.Rank() == 3
	if turned {
		x = c.permuted(x, []int{1, 0, 2})
	}
	per := len(weights) / (op.Layers * directions)
	var hidden, cells []*build.Tensor
	for layer := range op.Layers {
		var sides []*build.Tensor
		for d := range directions {
			k := layer*directions + d
			y, h, s := c.projectedPass(x, c.row(states[0], k), c.row(states[1], k), weights[k*per:(k+1)*per], d == 1)
			sides, hidden, cells = append(sides, y), append(hidden, h), append(cells, s)
		}
		if x = sides[0]; directions == 2 {
			x = c.joinAlong(sides, x.Rank()-1)
		}
		if c.Err() != nil {
			return nil
		}
	}
	if turned {
		x = c.permuted(x, []int{1, 0, 2})
	}
	return &Tuple{Items: []Value{x, c.apply(ops.Stack{}, hidden...), c.apply(ops.Stack{}, cells...)}}
}

// row returns row i of a tensor, without the dimension.
func (c *call) row(t *build.Tensor, i int) *build.Tensor {
	if t.Rank() == 0 {
		c.fail("a sequence or state without dimensions")
		return c.anything()
	}
	return c.reshape(c.apply(ops.Slice{Start: i, End: i + 1, Step: 1}, t), c.Dims(t)[1:])
}

// projectedPass goes over the sequence x in one direction, from the state h and the cell s. It returns the outputs, and the last state and cell.
func (c *call) projectedPass(x, h, s *build.Tensor, w []*build.Tensor, backward bool) (y, last, cell *build.Tensor) {
	var inBias, stateBias *build.Tensor
	if len(w) == 5 {
		inBias, stateBias = w[2], w[3]
	}
	gates := c.linear(x, w[0], inBias)
	units := c.extent(w[0], 0) / 4
	rows := make([]*build.Tensor, c.extent(x, 0))
	for t := range rows {
		if backward {
			t = len(rows) - 1 - t
		}
		z := c.arith(ops.Add, c.row(gates, t), c.linear(h, w[1], stateBias))
		gate := func(i int, fn ops.UnaryFn) *build.Tensor {
			return c.fn(fn, c.apply(ops.Slice{Axis: z.Rank() - 1, Start: i * units, End: (i + 1) * units, Step: 1}, z))
		}
		s = c.arith(ops.Add, c.arith(ops.Mul, gate(1, ops.Sigmoid), s), c.arith(ops.Mul, gate(0, ops.Sigmoid), gate(2, ops.Tanh)))
		h = c.linear(c.arith(ops.Mul, gate(3, ops.Sigmoid), c.fn(ops.Tanh, s)), w[len(w)-1], nil)
		rows[t] = h
		if c.Err() != nil {
			return x, h, s
		}
	}
	return c.apply(ops.Stack{}, rows...), h, s
}
