package nn

import (
	"math"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// MultiheadAttention is torch.nn.MultiheadAttention in evaluation mode, without bias_k, bias_v and zeros that are added.
//
// It takes query [L, N, Embed], key [S, N, KeyDim] and value [S, N, ValueDim], or one value for all three; with BatchFirst N is in front,
// and it may be missing. Then come, where they are given, a key_padding_mask [N, S], which may be nil, and an attn_mask [L, S] or
// [N*Heads, L, S]. Masks are bool, true where a key is left out, or float32, which is added to the scores. It gives attn_output, of query's shape.
type MultiheadAttention struct {
	Embed, Heads       int
	KeyDim, ValueDim   int // 0 means Embed
	NoBias, BatchFirst bool
}

func (MultiheadAttention) Class() string { return "torch.nn.modules.activation.MultiheadAttention" }

func (m MultiheadAttention) Forward(c *Context, x ...*graph.Value) *graph.Value {
	if m.Heads < 1 || m.Embed%m.Heads != 0 {
		return c.Fail("%d features do not divide into %d heads", m.Embed, m.Heads)
	}
	if len(x) == 1 {
		x = []*graph.Value{x[0], x[0], x[0]}
	}
	if len(x) < 3 || len(x) > 5 {
		return c.Fail("it takes one value, or query, key and value and up to two masks, not %d values", len(x))
	}
	rank := len(x[0].Type.Shape)
	var first [3]*graph.Value // with the batch in front
	for i := range first {
		first[i] = m.batchFirst(c, rank, x[i])
		if x[i] == x[0] {
			first[i] = first[0]
		}
	}
	in := append(m.project(c, first), m.masks(c, x[3:])...)
	y := c.Apply(ops.Attention{HasMask: len(in) > 3}, in...)
	y = c.Apply(ops.Reshape{Shape: []int{0, 0, m.Embed}}, c.Apply(ops.Permute{Order: []int{0, 2, 1, 3}}, y))
	y = c.Call("out_proj", Linear{In: m.Embed, Out: m.Embed, NoBias: m.NoBias}, y)
	if rank == 2 {
		return c.Apply(ops.Reshape{Shape: []int{-1, m.Embed}}, y)
	}
	return m.batchFirst(c, rank, y)
}

func (m MultiheadAttention) keyDim() int   { return dimOr(m.KeyDim, m.Embed) }
func (m MultiheadAttention) valueDim() int { return dimOr(m.ValueDim, m.Embed) }

// dimOr returns n, or what is meant by 0.
func dimOr(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

// batchFirst brings the batch to the front, and back.
func (m MultiheadAttention) batchFirst(c *Context, rank int, x *graph.Value) *graph.Value {
	switch {
	case rank == 2:
		return c.Apply(ops.Reshape{Shape: []int{1, -1, x.Type.Shape[len(x.Type.Shape)-1]}}, x)
	case m.BatchFirst:
		return x
	}
	return c.Apply(ops.Permute{Order: []int{1, 0, 2}}, x)
}

// project returns queries, keys and values by heads, [N, Heads, L, Embed/Heads].
func (m MultiheadAttention) project(c *Context, x [3]*graph.Value) []*graph.Value {
	e := m.Embed
	part := func(v *graph.Value, axis, i int) *graph.Value {
		return c.Apply(ops.Slice{Axis: axis, Start: i * e, End: (i + 1) * e, Step: 1}, v)
	}
	var weights [3]*graph.Value
	own := m.keyDim() != e || m.valueDim() != e // each has a weight of its own
	if own {
		for i, dim := range []int{e, m.keyDim(), m.valueDim()} {
			weights[i] = c.Parameter([]string{"q", "k", "v"}[i]+"_proj_weight", KaimingNormal, e, dim)
		}
	} else {
		weights[0] = c.Parameter("in_proj_weight", KaimingNormal, 3*e, e)
	}
	var bias []*graph.Value
	if !m.NoBias {
		bias = append(bias, c.Parameter("in_proj_bias", Zeros, 3*e))
	}
	linear := func(x, weight *graph.Value, bias ...*graph.Value) *graph.Value {
		return c.Apply(ops.Linear{HasBias: len(bias) > 0}, append([]*graph.Value{x, weight}, bias...)...)
	}
	var all *graph.Value
	if !own && x[1] == x[0] && x[2] == x[0] {
		all = linear(x[0], weights[0], bias...)
	}
	out := make([]*graph.Value, 3, 4)
	for i := range out {
		v := all
		switch {
		case all != nil:
			v = part(all, 2, i)
		default:
			w, b := weights[i], bias
			if !own {
				w = part(weights[0], 0, i)
			}
			if len(bias) > 0 {
				b = []*graph.Value{part(bias[0], 0, i)}
			}
			v = linear(x[i], w, b...)
		}
		v = c.Apply(ops.Reshape{Shape: []int{0, 0, m.Heads, e / m.Heads}}, v)
		out[i] = c.Apply(ops.Permute{Order: []int{0, 2, 1, 3}}, v)
	}
	return out
}

// masks returns the masks as one that is added to the scores [N, Heads, L, S], none where there is none.
func (m MultiheadAttention) masks(c *Context, masks []*graph.Value) []*graph.Value {
	var all []*graph.Value
	for i, v := range masks {
		if v == nil {
			continue
		}
		switch rank := len(v.Type.Shape); {
		case i == 0 && rank == 2: // of padding
			v = c.Apply(ops.Reshape{Shape: []int{0, 1, 1, -1}}, v)
		case i == 0 && rank == 1:
		case rank == 3:
			v = c.Apply(ops.Reshape{Shape: []int{0, 0, -1, m.Heads}}, c.Apply(ops.Permute{Order: []int{1, 2, 0}}, v))
			v = c.Apply(ops.Permute{Order: []int{2, 3, 0, 1}}, v)
		case rank != 2:
			c.Fail("mask %d has %d dimensions", i, rank)
		}
		if v.Type.DType == tensor.Bool {
			v = c.Apply(ops.Where{}, v, c.Const(tensor.Scalar(float32(math.Inf(-1)))), c.Const(tensor.Scalar(float32(0))))
		}
		if len(all) > 0 {
			v = c.Apply(ops.Binary{Fn: ops.Add}, all[0], v)
		}
		all = []*graph.Value{v}
	}
	return all
}
