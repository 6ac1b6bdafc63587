package nn

import (
	"fmt"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
)

// projected is an LSTM whose hidden states are projected to fewer features. It is computed with the states in front of the projection W_hr:
// the layer's weight for these is W_hh W_hr, and what the first state, which has no such form, adds to the gates comes with the first input.
func (m LSTM) projected(c *Context, x []*graph.Value) []*graph.Value {
	if len(x) != 1 && len(x) != 3 {
		c.Fail("it takes a sequence and 2 initial states or none, not %d values", len(x))
		return x
	}
	suffixes := []string{"", "_reverse"}
	if !m.Bidirectional {
		suffixes = suffixes[:1]
	}
	seq, states := x[0], x[1:]
	batched := len(seq.Type.Shape) == 3
	if !batched { // [T, Input], and states without N
		seq = c.Apply(ops.Reshape{Shape: []int{0, 1, m.Input}}, seq)
		states = nil
		for i, v := range x[1:] {
			states = append(states, c.Apply(ops.Reshape{Shape: []int{0, 1, []int{m.Projection, m.Hidden}[i]}}, v))
		}
	} else if m.BatchFirst {
		seq = c.Apply(ops.Permute{Order: []int{1, 0, 2}}, seq)
	}
	var hidden, cells []*graph.Value
	width := m.Input
	for layer := range max(m.Layers, 1) {
		var sides, first []*graph.Value
		for _, suffix := range suffixes {
			first = first[:0]
			for _, v := range states { // row len(hidden) of each
				first = append(first, c.Apply(ops.Slice{Start: len(hidden), End: len(hidden) + 1, Step: 1}, v))
			}
			y, h, cell := m.projectedPass(c, seq, first, fmt.Sprintf("_l%d%s", layer, suffix), width)
			sides, hidden, cells = append(sides, y), append(hidden, h), append(cells, cell)
		}
		seq = c.Apply(ops.Concat{Axis: 2}, sides...)
		width = m.Projection * len(suffixes)
	}
	out := []*graph.Value{seq, c.Apply(ops.Concat{}, hidden...), c.Apply(ops.Concat{}, cells...)}
	if !batched {
		for i, width := range []int{width, m.Projection, m.Hidden} {
			out[i] = c.Apply(ops.Reshape{Shape: []int{-1, width}}, out[i])
		}
	} else if m.BatchFirst {
		out[0] = c.Apply(ops.Permute{Order: []int{1, 0, 2}}, seq)
	}
	return out
}

// projectedPass goes over x [T, N, width] in one direction, from states [1, N, Projection] and [1, N, Hidden] or none. It gives y
// [T, N, Projection] and the last states.
func (m LSTM) projectedPass(c *Context, x *graph.Value, states []*graph.Value, suffix string, width int) (y, h, cell *graph.Value) {
	r := recurrent{cell: ops.LSTMCell, gates: 4, states: 2, input: width, hidden: m.Hidden}
	rows := r.gates * m.Hidden
	in := c.Parameter("weight_ih"+suffix, KaimingNormal, rows, width)
	back := c.Parameter("weight_hh"+suffix, KaimingNormal, rows, m.Projection)
	projection := c.Parameter("weight_hr"+suffix, KaimingNormal, m.Projection, m.Hidden)
	weights := []*graph.Value{in, c.Apply(ops.MatMul{}, back, projection)}
	if !m.NoBias {
		weights = append(weights, c.Parameter("bias_ih"+suffix, Zeros, rows), c.Parameter("bias_hh"+suffix, Zeros, rows))
	}
	backward := suffix[len(suffix)-1] == 'e'
	if backward {
		x = c.Apply(ops.Flip{Axes: []int{0}}, x)
	}
	zero := r.zeroState(c, 1, x)
	start := zero
	if len(states) > 0 {
		start = states[1]
		x = c.Apply(ops.Concat{Axis: 2}, x, c.Apply(ops.Concat{}, states[0], behindFirst(c, x, states[0])))
		weights[0] = c.Apply(ops.Concat{Axis: 1}, in, back)
	}
	out := c.ApplyAll(ops.RNN{Cell: ops.LSTMCell, Layers: 1, HasBias: !m.NoBias}, 3, append([]*graph.Value{x, zero, start}, weights...)...)
	y, h = c.Apply(ops.Linear{}, out[0], projection), c.Apply(ops.Linear{}, out[1], projection)
	if backward {
		y = c.Apply(ops.Flip{Axes: []int{0}}, y)
	}
	return y, h, out[2]
}

// behindFirst returns zeros [T-1, N, P] for x [T, N, I] and a state [1, N, P].
func behindFirst(c *Context, x, state *graph.Value) *graph.Value {
	steps := c.Apply(ops.Slice{Axis: 2, End: 1, Step: 1}, x)
	steps = c.Apply(ops.Slice{Start: 1, End: 1<<31 - 1, Step: 1}, steps)
	zeros := func(v *graph.Value) *graph.Value { return c.Apply(ops.Full{Like: true, DType: v.Type.DType}, v) }
	return c.Apply(ops.Binary{Fn: ops.Mul}, zeros(steps), zeros(state))
}
