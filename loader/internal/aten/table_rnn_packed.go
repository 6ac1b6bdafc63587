package aten

import (
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

const packedParams = " params:L has_biases:b num_layers:i dropout:f train:b bidirectional:b"

// packs are the operators on packed sequences: the elements of all of them, those of the first step in front, and how many sequences have
// an element in each step.
var packs = []operator{
	{"aten::_pack_padded_sequence", "input:T lengths:T batch_first:b", packPadded},
	{"aten::_pad_packed_sequence", "data:T batch_sizes:T batch_first:b padding_value:n total_length:i", padPacked},
	{"aten::lstm", "data:T batch_sizes:T hx:L" + packedParams, packedRecurrent(ops.LSTMCell)},
	{"aten::gru", "data:T batch_sizes:T hx:T" + packedParams, packedRecurrent(ops.GRUCell)},
	{"aten::rnn_tanh", "data:T batch_sizes:T hx:T" + packedParams, packedRecurrent(ops.TanhCell)},
	{"aten::rnn_relu", "data:T batch_sizes:T hx:T" + packedParams, packedRecurrent(ops.ReLUCell)},
}

// packing says where the elements of a packed sequence stand in a padded one [T, B, ...].
type packing struct {
	steps, batch *build.Number
	lengths      *build.Tensor // [B]
	at           [2]*build.Tensor
}

// packPadded packs sequences, the longest one first.
func packPadded(c *call) Value {
	x, lengths := c.tensor(0), c.cast(c.tensor(1), tensor.Int64)
	if x.Rank() < 2 || lengths.Rank() != 1 {
		return c.fail("sequences %v of lengths %v", x.Type(), lengths.Type())
	}
	x = c.stepsFirst(x, c.bool(2))
	dims := c.Dims(x)
	one := build.Extent(1)
	c.assertAll(c.arithNumber(ops.Gt, lengths, int64(0)), "Length of all samples has to be greater than 0")
	next := c.sliced(lengths, 0, one, build.Extent(1<<31-1), 1)
	c.assertAll(c.arith(ops.Ge, c.sliced(lengths, 0, build.Extent(0), build.Extent(-1), 1), next), "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True")
	longest, _ := dims[0].Known.(int64)
	p := &packing{batch: dims[1], lengths: lengths, steps: c.settledItem(c.apply(ops.Reduce{Fn: ops.AMax}, lengths), int(longest))}
	if c.Err() != nil {
		return nil
	}
	step := c.reshape(c.rangeOf(build.Extent(0), p.steps, one, tensor.Int64), []*build.Number{p.steps, one})
	mask := c.arith(ops.Lt, step, c.reshape(lengths, []*build.Number{one, p.batch}))
	sizes := c.apply(ops.Reduce{Fn: ops.Sum, Axes: []int{1}}, c.cast(mask, tensor.Int64))
	at := c.nonZero(mask)
	if c.Err() != nil {
		return nil
	}
	p.at = [2]*build.Tensor(at)
	data := c.packedOf(x, p)
	if c.Err() != nil {
		return nil
	}
	c.packings()[sizes.Value] = p
	return &Tuple{Items: []Value{data, sizes}}
}

// stepsFirst returns sequences with the steps as the first dimension, or what had it with the batch first.
func (c *call) stepsFirst(x *build.Tensor, swap bool) *build.Tensor {
	if !swap {
		return x
	}
	order := []int{1, 0}
	for i := 2; i < x.Rank(); i++ {
		order = append(order, i)
	}
	return c.apply(ops.Permute{Order: order}, x)
}

// packedOf takes the elements of sequences [T, B, ...].
func (c *call) packedOf(x *build.Tensor, p *packing) *build.Tensor {
	data := c.apply(ops.Index{Axes: []int{0, 1}}, x, p.at[0], p.at[1])
	if c.Err() == nil && data.Value.Const == nil {
		c.SetDims(data.Value, append(c.Dims(p.at[0])[:1:1], c.Dims(x)[2:]...))
	}
	return data
}

// paddedOf puts elements where they stand in sequences of steps elements, between others of a value.
func (c *call) paddedOf(data *build.Tensor, p *packing, steps *build.Number, value float64) *build.Tensor {
	size := append([]*build.Number{steps, p.batch}, c.Dims(data)[1:]...)
	return c.apply(ops.IndexPut{Axes: []int{0, 1}}, c.fullOf(size, value, data.DType()), data, p.at[0], p.at[1])
}

// packing returns what is known of the packed sequence of which argument i is the number of sequences in each step.
func (c *call) packing(i int) *packing {
	p := c.packings()[c.tensor(i).Value]
	if p == nil {
		c.unsupported("of sequences that pack_padded_sequence has not packed")
	}
	return p
}

func padPacked(c *call) Value {
	data, p := c.tensor(0), c.packing(1)
	if c.Err() != nil {
		return nil
	}
	steps := p.steps
	if n := c.number(4); n.Known == nil || n.Known.(int64) > 0 {
		steps = c.settle(n, -1)
	}
	value, _ := build.ToFloat(c.plainArg(3))
	out := c.stepsFirst(c.paddedOf(data, p, steps, value), c.bool(2))
	return &Tuple{Items: []Value{out, p.lengths}}
}

// packedRecurrent lowers a recurrent network over packed sequences: over padded ones, of which the last state of each is that at its end.
//
//go:noinline
func packedRecurrent(fn ops.CellFn) func(*call) Value {
	return func(c *call) Value {
		data, p := c.tensor(0), c.packing(1)
		if c.Err() != nil {
			return nil
		}
		states := c.tensors(2)
		if fn != ops.LSTMCell {
			states = []*build.Tensor{c.tensor(2)}
		}
		n := network{fn: fn, weights: c.tensors(3), biased: c.bool(4), layers: c.int(5), both: c.bool(8), states: states, packing: p}
		if c.bool(7) && c.float(6) > 0 && n.layers > 1 {
			return c.unsupported("in training mode: call eval() before saving the model")
		}
		y, last := c.layers(&n, c.paddedOf(data, p, p.steps, 0))
		if c.Err() != nil {
			return nil
		}
		out := &Tuple{Items: []Value{c.packedOf(y, p)}}
		for _, s := range last {
			out.Items = append(out.Items, s)
		}
		return out
	}
}

// network is a recurrent network that is lowered layer by layer.
type network struct {
	fn                      ops.CellFn
	weights, states         []*build.Tensor
	layers                  int
	biased, both, projected bool
	packing                 *packing // nil where all sequences have the same length
}

// layers computes all layers of a network of x [T, B, I], and returns y [T, B, D*H] and the last states [L*D, B, H].
func (c *call) layers(n *network, x *build.Tensor) (y *build.Tensor, last []*build.Tensor) {
	directions, per := 1, 2
	if n.both {
		directions = 2
	}
	if n.biased {
		per = 4
	}
	if len(n.weights) == n.layers*directions*(per+1) {
		n.projected = true
	}
	if n.projected {
		per++
	}
	if n.layers < 1 || len(n.weights) != n.layers*directions*per || slices.Contains(n.weights, nil) || x.Rank() != 3 {
		c.fail("%d weights of %d layers for %v", len(n.weights), n.layers, x.Type())
		return x, n.states
	}
	ends := make([][]*build.Tensor, len(n.states))
	for l := range n.layers {
		var sides []*build.Tensor
		for d := range directions {
			k := l*directions + d
			in := x
			if d == 1 {
				in = c.reversed(x, n.packing)
			}
			states := make([]*build.Tensor, len(n.states))
			for i, s := range n.states {
				states[i] = c.sliced(s, 0, build.Extent(k), build.Extent(k+1), 1)
			}
			y, end := c.oneLayer(n, in, states, n.weights[k*per:(k+1)*per])
			if d == 1 {
				y = c.reversed(y, n.packing)
			}
			sides = append(sides, y)
			for i := range ends {
				ends[i] = append(ends[i], end[i])
			}
		}
		x = c.concat(2, sides...)
		if c.Err() != nil {
			return x, n.states
		}
	}
	for _, e := range ends {
		last = append(last, c.concat(0, e...))
	}
	return x, last
}

func (c *call) concat(axis int, in ...*build.Tensor) *build.Tensor {
	if len(in) == 1 {
		return in[0]
	}
	return c.apply(ops.Concat{Axis: axis}, in...)
}

// oneLayer computes one layer in one direction, and the states at the end of each sequence, [1, B, H].
func (c *call) oneLayer(n *network, x *build.Tensor, states, w []*build.Tensor) (y *build.Tensor, end []*build.Tensor) {
	w = slices.Clone(w)
	var out *build.Tensor // W_hr
	if n.projected {
		out = w[len(w)-1]
		w = w[:len(w)-1]
		x, states, w = c.withProjection(x, states, w, out)
	}
	if n.packing != nil && n.fn == ops.LSTMCell {
		x, w[0] = c.keepingCell(x, w[0], n.packing)
	}
	op := ops.RNN{Cell: n.fn, Layers: 1, HasBias: n.biased}
	all := c.applyFloatAll(op, append(append([]*build.Tensor{x}, states...), w...)...)
	if c.Err() != nil {
		return x, states
	}
	y, end = all[0], all[1:1+len(states)]
	if n.packing != nil {
		end[0] = c.lastOf(y, n.packing)
	}
	if out != nil {
		y, end[0] = c.linear(y, out, nil), c.linear(end[0], out, nil)
	}
	return y, end
}

// withProjection returns an LSTM's input, states and weights such that its hidden state is that in front of the projection: W_hh W_hr stands for
// W_hh, and the first state, of which there is none in front of the projection, comes with the first input.
func (c *call) withProjection(x *build.Tensor, states, w []*build.Tensor, out *build.Tensor) (*build.Tensor, []*build.Tensor, []*build.Tensor) {
	first := c.concat(0, states[0], c.behindFirst(x, states[0]))
	x = c.apply(ops.Concat{Axis: 2}, x, first)
	w[0], w[1] = c.apply(ops.Concat{Axis: 1}, w[0], w[1]), c.matmul(w[1], out)
	return x, []*build.Tensor{c.likeOf(states[1], 0, states[1].DType()), states[1]}, w
}

// behindFirst returns zeros [T-1, B, H] for a state [1, B, H].
func (c *call) behindFirst(x, state *build.Tensor) *build.Tensor {
	steps := c.apply(ops.Slice{Axis: 2, End: 1, Step: 1}, x)
	steps = c.apply(ops.Slice{Start: 1, End: 1<<31 - 1, Step: 1}, steps) // [T-1, B, 1]
	zeros := c.likeOf(steps, 0, x.DType())
	return c.arith(ops.Mul, zeros, c.likeOf(state, 0, state.DType()))
}

// saturated is where a gate is 0 or 1 in float32, whatever else adds to it.
const saturated = 1e6

// keepingCell returns an LSTM's input and weight with a further feature, 1 behind the end of a sequence: the cell then stays as it is.
func (c *call) keepingCell(x, w *build.Tensor, p *packing) (in, weight *build.Tensor) {
	one := build.Extent(1)
	step := c.reshape(c.rangeOf(build.Extent(0), p.steps, one, tensor.Int64), []*build.Number{p.steps, one, one})
	behind := c.cast(c.arith(ops.Ge, step, c.reshape(p.lengths, []*build.Number{one, p.batch, one})), x.DType())
	gates := w.Type().Shape[0]
	column := make([]float64, gates)
	for i := range gates / 2 { // the input gate, then the forget gate
		column[i] = -saturated
		if i >= gates/4 {
			column[i] = saturated
		}
	}
	return c.apply(ops.Concat{Axis: 2}, x, behind), c.apply(ops.Concat{Axis: 1}, w, c.constOf(column, w.DType(), gates, 1))
}

// lastOf returns what stands at the end of each sequence of y [T, B, H], as [1, B, H].
func (c *call) lastOf(y *build.Tensor, p *packing) *build.Tensor {
	batch := c.rangeOf(build.Extent(0), p.batch, build.Extent(1), tensor.Int64)
	last := c.apply(ops.Index{Axes: []int{0, 1}}, y, c.arithNumber(ops.Sub, p.lengths, int64(1)), batch)
	return c.reshape(last, append([]*build.Number{build.Extent(1), p.batch}, c.Dims(y)[2:]...))
}

// reversed turns the steps of each sequence of x [T, B, ...] around.
func (c *call) reversed(x *build.Tensor, p *packing) *build.Tensor {
	if p == nil {
		return c.apply(ops.Flip{Axes: []int{0}}, x)
	}
	one := build.Extent(1)
	step := c.reshape(c.rangeOf(build.Extent(0), p.steps, one, tensor.Int64), []*build.Number{p.steps, one})
	end := c.reshape(c.arithNumber(ops.Sub, p.lengths, int64(1)), []*build.Number{one, p.batch})
	back := c.arith(ops.Sub, end, step)
	back = c.apply(ops.Where{}, c.arithNumber(ops.Ge, back, int64(0)), back, step)
	batch := c.rangeOf(build.Extent(0), p.batch, one, tensor.Int64)
	out := c.apply(ops.Index{Axes: []int{0, 1}}, x, back, batch)
	if c.Err() == nil && out.Value.Const == nil {
		c.SetDims(out.Value, c.Dims(x))
	}
	return out
}

// packedSize returns the number of sequences in the first step of a packed one: all.
func (c *call) packedSize(t *build.Tensor, index *build.Number) *build.Tensor {
	if p := c.packings()[t.Value]; p != nil && index.Plain() == int64(0) {
		return build.OfNumber(p.batch)
	}
	return nil
}

func (m *Evaluator) packings() map[*graph.Value]*packing { return m.packed }
