package aten

import (
	"slices"

	"fmt"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
)

const (
	quantizedCellParams  = "w_ih:P w_hh:P b_ih:T b_hh:T"
	quantizedLSTMParams  = "w_ih:P w_hh:P bias_ih:T bias_hh:T"
	quantizedNetwork     = " params:l has_biases:b num_layers:i dropout:f train:b bidirectional:b"
	quantizedBagParams   = "weight:P indices:T offsets:T?=None scale_grad_by_freq:b=False mode:i=0 pruned_weights:b=False per_sample_weights:T?=None compressed_indices_mapping:T?=None include_last_offset:b=False"
	embeddingPackedClass = "EmbeddingPackedParamsBase"
)

// quantizedSequences are recurrent networks and tables of embeddings whose weights torch.ao.quantization made integers, or float16.
var quantizedSequences = []operator{
	{"aten::quantized_lstm", "input:T hx:L" + quantizedNetwork + " batch_first:b | dtype:i?=None use_dynamic:b=False", quantizedRecurrent(ops.LSTMCell)},
	{"aten::quantized_lstm", "data:T batch_sizes:T hx:L" + quantizedNetwork + " | dtype:i?=None use_dynamic:b=False", quantizedPacked(ops.LSTMCell)},
	{"aten::quantized_gru", "input:T hx:T" + quantizedNetwork + " batch_first:b", quantizedRecurrent(ops.GRUCell)},
	{"aten::quantized_gru", "data:T batch_sizes:T hx:T" + quantizedNetwork, quantizedPacked(ops.GRUCell)},
	{"quantized::make_quantized_cell_params_dynamic", quantizedLSTMParams + " reduce_range:b=False", makeCellParams},
	{"quantized::make_quantized_cell_params_fp16", "w_ih:P w_hh:P", makeCellParams},
	{"quantized::quantized_lstm_cell_dynamic", "input:T hx:L " + quantizedLSTMParams, quantizedCell(ops.LSTMCell)},
	{"quantized::quantized_gru_cell_dynamic", "input:T hx:T " + quantizedCellParams, quantizedCell(ops.GRUCell)},
	{"quantized::quantized_rnn_tanh_cell_dynamic", "input:T hx:T " + quantizedCellParams, quantizedCell(ops.TanhCell)},
	{"quantized::quantized_rnn_relu_cell_dynamic", "input:T hx:T " + quantizedCellParams, quantizedCell(ops.ReLUCell)},
	{"quantized::embedding_byte", "weight:P indices:T pruned_weights:b=False", quantizedEmbedding},
	{"quantized::embedding_bag_byte", quantizedBagParams, quantizedBag},
}

// CellParams are the packed weights of a layer of a recurrent network in one direction.
type CellParams struct{ ih, hh *Packed }

// unpackCell reads (kind, tensors, floats, ints, [W_ih, W_hh]), of the kinds whose weights are packed.
func unpackCell(class string, items []Value, wrong error) (*CellParams, error) {
	if len(items) != 5 {
		return nil, wrong
	}
	if items[0] != "quantized_dynamic" && items[0] != "quantized_fp16" {
		return nil, fmt.Errorf("a %s of the kind %s is not read", class, Repr(items[0]))
	}
	packed, _ := Items(items[4])
	if len(packed) != 2 {
		return nil, wrong
	}
	ih, ok1 := packed[0].(*Packed)
	hh, ok2 := packed[1].(*Packed)
	if !ok1 || !ok2 || (ih.Bias == nil) != (hh.Bias == nil) {
		return nil, wrong
	}
	return &CellParams{ih: ih, hh: hh}, nil
}

func makeCellParams(c *call) Value { return &CellParams{ih: c.packed(0), hh: c.packed(1)} }

// cellWeights returns the weights of a list of CellParams as a recurrent network has them, in floats: W_ih, W_hh, b_ih, b_hh of each layer and direction.
func (c *call) cellWeights(i int, biased bool) []Value {
	items, _ := Items(c.args[i])
	var out []Value
	for k, x := range items {
		p, ok := x.(*CellParams)
		if !ok || biased && p.ih.Bias == nil {
			c.fail("element %d of its weights is not of a layer with bias %v", k, biased)
			return out
		}
		for _, w := range []*Packed{p.ih, p.hh} {
			t := build.Parameter(join(c.Scope.Path, "weight"), w.Weight)
			if w.Weight.QParams() != nil {
				t = c.dequantize(t)
			}
			out = append(out, t)
		}
		if biased {
			out = append(out, build.Parameter(join(c.Scope.Path, "bias"), p.ih.Bias), build.Parameter(join(c.Scope.Path, "bias"), p.hh.Bias))
		}
	}
	return out
}

// quantizedRecurrent lowers a recurrent network with quantized weights to one with what they stand for, which rounds what it multiplies where
// the weights are integers.
//
//go:noinline
func quantizedRecurrent(fn ops.CellFn) func(*call) Value {
	return func(c *call) Value {
		params, _ := Items(c.args[2])
		rounded := !slices.ContainsFunc(params, func(v Value) bool {
			p, ok := v.(*CellParams)
			return !ok || p.ih.Weight.QParams() == nil || p.hh.Weight.QParams() == nil
		})
		c.args[2] = &List{Items: c.cellWeights(2, c.bool(3))}
		if c.Err() != nil {
			return nil
		}
		return c.recurrent(fn, rounded)
	}
}

//go:noinline
func quantizedPacked(fn ops.CellFn) func(*call) Value {
	return func(c *call) Value {
		c.args[3] = &List{Items: c.cellWeights(3, c.bool(4))}
		if c.Err() != nil {
			return nil
		}
		return packedRecurrent(fn)(c)
	}
}

// quantizedCell is one step, of which input and hidden state are rounded as PyTorch does it.
//
//go:noinline
func quantizedCell(fn ops.CellFn) func(*call) Value {
	return func(c *call) Value {
		states := c.states()
		count, hidden := map[ops.CellFn]int{ops.LSTMCell: 2}[fn], c.packed(3).Weight
		if len(states) != max(count, 1) || hidden.Rank() != 2 {
			return c.fail("%d states for a weight %v", len(states), hidden)
		}
		gates := func(x *build.Tensor, p *Packed) *build.Tensor {
			in := []*build.Tensor{x, build.Parameter(join(c.Scope.Path, "weight"), p.Weight)}
			if p.Bias != nil {
				in = append(in, build.Parameter(join(c.Scope.Path, "bias"), p.Bias))
			}
			attributes := ops.LinearAttributes{HasBias: p.Bias != nil}
			return c.apply(int8.DynamicLinear{LinearAttributes: attributes, Range: int8.InputRange{Rule: int8.WholeInput, Hi: 127}}, in...)
		}
		x, h := gates(c.tensor(0), c.packed(2)), gates(states[0], c.packed(3))
		if c.Err() != nil {
			return nil
		}
		n := hidden.Dim(1)
		part := func(t *build.Tensor, i int) *build.Tensor {
			return c.apply(ops.Slice{Axis: t.Rank() - 1, Start: i * n, End: (i + 1) * n, Step: 1}, t)
		}
		of := func(fn ops.UnaryFn, t *build.Tensor) *build.Tensor { return c.unary(ops.Unary{Fn: fn}, t) }
		add := func(a, b *build.Tensor) *build.Tensor { return c.arith(ops.Add, a, b) }
		mul := func(a, b *build.Tensor) *build.Tensor { return c.arith(ops.Mul, a, b) }
		switch fn {
		case ops.LSTMCell:
			all := add(x, h)
			cell := add(mul(of(ops.Sigmoid, part(all, 1)), states[1]), mul(of(ops.Sigmoid, part(all, 0)), of(ops.Tanh, part(all, 2))))
			return &Tuple{Items: []Value{mul(of(ops.Sigmoid, part(all, 3)), of(ops.Tanh, cell)), cell}}
		case ops.GRUCell:
			reset, update := of(ops.Sigmoid, add(part(x, 0), part(h, 0))), of(ops.Sigmoid, add(part(x, 1), part(h, 1)))
			next := of(ops.Tanh, add(part(x, 2), mul(reset, part(h, 2))))
			return add(mul(c.arith(ops.Sub, states[0], next), update), next)
		case ops.ReLUCell:
			return of(ops.ReLU, add(x, h))
		}
		return of(ops.Tanh, add(x, h))
	}
}

func quantizedEmbedding(c *call) Value {
	if c.bool(2) {
		return c.unsupported("of a table that is pruned")
	}
	return c.apply(ops.Embedding{}, build.Parameter(join(c.Scope.Path, "weight"), c.packed(0).Weight), c.tensor(1))
}

// quantizedBag sums rows, whatever its mode says, as PyTorch's kernel does; indices of two dimensions are bags of one length.
func quantizedBag(c *call) Value {
	if c.bool(5) || !c.isNone(7) {
		return c.unsupported("of a table that is pruned")
	}
	weight, indices := build.Parameter(join(c.Scope.Path, "weight"), c.packed(0).Weight), c.tensor(1)
	if indices.Rank() == 2 {
		rows := c.apply(ops.Embedding{}, weight, indices)
		if w := c.tensor(6); w != nil {
			rows = c.arith(ops.Mul, rows, c.reshape(w, append(c.Dims(indices)[:2:2], build.Extent(1))))
		}
		return c.apply(ops.Reduce{Fn: ops.Sum, Axes: []int{1}}, rows)
	}
	if c.isNone(2) {
		return c.fail("its offsets are missing")
	}
	c.args = []Value{weight, indices, c.args[2], false, int64(0), false, c.args[6], c.args[8], nil}
	t, ok := embeddingBag(c).(*Tuple)
	if !ok {
		return nil
	}
	return t.Items[0]
}
