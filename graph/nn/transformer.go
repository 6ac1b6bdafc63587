package nn

import (
	"strconv"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
)

// TransformerEncoderLayer is torch.nn.TransformerEncoderLayer in evaluation mode. It takes src [L, N, Model], with BatchFirst
// [N, L, Model], and then, where they are given, the key_padding_mask, which may be nil, and the attn_mask of MultiheadAttention.
type TransformerEncoderLayer struct {
	Model, Heads, Feedforward   int // Feedforward of 0 means 2048
	NormFirst, BatchFirst, GELU bool
	Eps                         float64 // 0 means 1e-5
}

func (TransformerEncoderLayer) Class() string {
	return "torch.nn.modules.transformer.TransformerEncoderLayer"
}

func (m TransformerEncoderLayer) Forward(c *Context, x ...*graph.Value) *graph.Value {
	attend := func(v *graph.Value) *graph.Value { return m.attend(c, "self_attn", v, v, x[1:]) }
	v := m.residual(c, "norm1", x[0], attend)
	return m.residual(c, "norm2", v, func(v *graph.Value) *graph.Value { return m.feed(c, v) })
}

// residual adds what part makes of a value to it, with a norm in front of the part or behind the sum.
func (m TransformerEncoderLayer) residual(c *Context, norm string, x *graph.Value, part func(*graph.Value) *graph.Value) *graph.Value {
	layer, add := LayerNorm{Features: m.Model, Eps: m.Eps}, ops.Binary{Fn: ops.Add}
	if m.NormFirst {
		return c.Apply(add, x, part(c.Call(norm, layer, x)))
	}
	return c.Call(norm, layer, c.Apply(add, x, part(x)))
}

// attend is the attention of queries to keys, which are values too.
func (m TransformerEncoderLayer) attend(c *Context, name string, query, key *graph.Value, masks []*graph.Value) *graph.Value {
	in := append([]*graph.Value{query, key, key}, masks...)
	return c.Call(name, MultiheadAttention{Embed: m.Model, Heads: m.Heads, BatchFirst: m.BatchFirst}, in...)
}

// feed is the part of two linear layers.
func (m TransformerEncoderLayer) feed(c *Context, x *graph.Value) *graph.Value {
	inner, fn := dimOr(m.Feedforward, 2048), ops.ReLU
	if m.GELU {
		fn = ops.GELU
	}
	x = c.Apply(ops.Unary{Fn: fn}, c.Call("linear1", Linear{In: m.Model, Out: inner}, x))
	return c.Call("linear2", Linear{In: inner, Out: m.Model}, x)
}

// TransformerEncoder is torch.nn.TransformerEncoder: Num layers, each with what the layer takes, and with Norm a LayerNorm of the layer's Eps at the end.
type TransformerEncoder struct {
	Layer TransformerEncoderLayer
	Num   int
	Norm  bool
}

func (TransformerEncoder) Class() string { return "torch.nn.modules.transformer.TransformerEncoder" }

func (m TransformerEncoder) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return stacked(c, m.Layer, m.Layer, m.Num, m.Norm, x)
}

// stacked calls n layers one after the other, each with what they take beside the first value, and with norm a LayerNorm at the end, as common says.
func stacked(c *Context, layer Module, common TransformerEncoderLayer, n int, norm bool, x []*graph.Value) *graph.Value {
	v := x[0]
	for i := range n {
		v = c.Call("layers."+strconv.Itoa(i), layer, append([]*graph.Value{v}, x[1:]...)...)
	}
	if norm {
		v = c.Call("norm", LayerNorm{Features: common.Model, Eps: common.Eps}, v)
	}
	return v
}

// TransformerDecoderLayer is torch.nn.TransformerDecoderLayer in evaluation mode. It takes tgt [L, N, Model] and memory [S, N, Model], with BatchFirst N in
// front, and then, where they are given, the key_padding_mask and the attn_mask of tgt's attention to itself, and those of its attention to memory; each may
// be nil.
type TransformerDecoderLayer struct {
	Model, Heads, Feedforward   int // Feedforward of 0 means 2048
	NormFirst, BatchFirst, GELU bool
	Eps                         float64 // 0 means 1e-5
}

func (TransformerDecoderLayer) Class() string {
	return "torch.nn.modules.transformer.TransformerDecoderLayer"
}

func (m TransformerDecoderLayer) Forward(c *Context, x ...*graph.Value) *graph.Value {
	if len(x) < 2 || len(x) > 6 {
		return c.Fail("it takes tgt, memory and up to four masks, not %d values", len(x))
	}
	masks := make([]*graph.Value, 4)
	copy(masks, x[2:])
	l := TransformerEncoderLayer(m)
	v := l.residual(c, "norm1", x[0], func(v *graph.Value) *graph.Value { return l.attend(c, "self_attn", v, v, masks[:2]) })
	v = l.residual(c, "norm2", v, func(v *graph.Value) *graph.Value { return l.attend(c, "multihead_attn", v, x[1], masks[2:]) })
	return l.residual(c, "norm3", v, func(v *graph.Value) *graph.Value { return l.feed(c, v) })
}

// TransformerDecoder is torch.nn.TransformerDecoder: Num layers, each with what the layer takes, and with Norm a LayerNorm of the layer's Eps at the end.
type TransformerDecoder struct {
	Layer TransformerDecoderLayer
	Num   int
	Norm  bool
}

func (TransformerDecoder) Class() string { return "torch.nn.modules.transformer.TransformerDecoder" }

func (m TransformerDecoder) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return stacked(c, m.Layer, TransformerEncoderLayer(m.Layer), m.Num, m.Norm, x)
}

// Transformer is torch.nn.Transformer in evaluation mode. It takes src [S, N, Model] and tgt [L, N, Model], with BatchFirst N in front, and then, where they
// are given, key_padding_mask and attn_mask of src, of tgt, and of tgt's attention to what the encoder gives; each may be nil. It gives tgt's shape.
type Transformer struct {
	Layer              TransformerEncoderLayer // what the layers of both have in common
	Encoders, Decoders int                     // layers; 0 means 6
}

func (Transformer) Class() string { return "torch.nn.modules.transformer.Transformer" }

func (m Transformer) Forward(c *Context, x ...*graph.Value) *graph.Value {
	if len(x) < 2 || len(x) > 8 {
		return c.Fail("it takes src, tgt and up to six masks, not %d values", len(x))
	}
	masks := make([]*graph.Value, 6)
	copy(masks, x[2:])
	memory := c.Call("encoder", TransformerEncoder{Layer: m.Layer, Num: dimOr(m.Encoders, 6), Norm: true}, append([]*graph.Value{x[0]}, masks[:2]...)...)
	decoder := TransformerDecoder{Layer: TransformerDecoderLayer(m.Layer), Num: dimOr(m.Decoders, 6), Norm: true}
	return c.Call("decoder", decoder, append([]*graph.Value{x[1], memory}, masks[2:]...)...)
}
