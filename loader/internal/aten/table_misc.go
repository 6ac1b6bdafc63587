package aten

import (
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/tensor"
)

// families are all operators.
var families = [][]operator{
	convolutions, normalizations, activations, poolings, arithmetic, pointwise, products, shapes, parts, joins, creations, reductions,
	indexing, images, packs, nestings, recurrences, quantizations, quantizedLayers, preparedForQAT, prepackedLayers, quantizedSequences, complexNumbers, linearAlgebra, transforms, fourier, losses, classLosses, scans, searches, detectors, grids, randoms, scalars, containers, texts, queries, exports, decompositions, partDecompositions, trainedNorms, octetOperators, specials, composed,
}

// queries ask for properties, and others are of no consequence for inference.
var queries = []operator{
	{"prim::dtype", "a:T", func(c *call) Value {
		if c.tensor(0).Store.Short {
			return int64(shortType)
		}
		return torchDType(c.tensor(0).Type())
	}},
	{"prim::device", "a:T", func(*call) Value { return Device("cpu") }},
	{"prim::layout", "a:T", func(*call) Value { return int64(0) }},
	{"prim::is_cuda", "a:T", constant(false)},
	{"prim::is_quantized", "a:T", func(c *call) Value { return c.tensor(0).Type().Q != nil }},
	{"prim::is_sparse", "a:T", constant(false)},
	{"prim::is_mkldnn", "a:T", constant(false)},
	{"prim::is_nested", "a:T", constant(false)},
	{"prim::is_mps", "a:T", constant(false)},
	{"prim::is_meta", "a:T", constant(false)},
	{"prim::is_xpu", "a:T", constant(false)},
	{"prim::is_ort", "a:T", constant(false)},
	{"prim::is_ipu", "a:T", constant(false)},
	{"prim::is_vulkan", "a:T", constant(false)},
	{"prim::name", "a:T", constant(nil)},
	{"aten::is_scripting", "", constant(true)},
	{"aten::has_torch_function", "self:v", constant(false)},
	{"aten::_get_tracing_state", "", constant(false)},
	{"aten::is_conj", "self:T", constant(false)},
	{"aten::is_neg", "self:T", constant(false)},
	{"aten::is_inference", "self:T", constant(true)},
	{"aten::is_pinned", "self:T device:v?=None", constant(false)},
	{"aten::pin_memory", "self:T device:v?=None", identity},
	{"aten::element_size", "self:T", func(c *call) Value { return int64(c.tensor(0).DType().Size()) }},
	{"prim::is_cpu", "a:T", constant(true)},
	{"prim::requires_grad", "a:T", constant(false)},
	{"prim::is_leaf", "a:T", constant(true)},
	{"prim::grad", "a:T", constant(nil)},
	{"prim::shape", "self:T", sizes},
	{"prim::type", "self:v", func(c *call) Value { return Format(c.args[0]) }},
	{"prim::index", "self:v", constant(nil)},
	{"aten::device", "a:s", func(c *call) Value { return Device(c.string(0)) }},
	{"aten::device", "type:s index:i", func(c *call) Value { return Device(c.string(0)) }},
	{"aten::is_floating_point", "self:T", func(c *call) Value { return c.tensor(0).DType().IsFloat() }},
	{"aten::is_signed", "self:T", func(c *call) Value { d := c.tensor(0).DType(); return d != tensor.Uint8 && d != tensor.Bool }},
	{"aten::result_type", "tensor:T other:N", func(c *call) Value { return torchDType(c.binaryValues(0, c.args[0], c.args[1]).Type()) }},
	{"aten::get_device", "self:T", constant(int64(-1))},
	{"aten::is_grad_enabled", "", constant(false)},
	{"aten::set_grad_enabled", "val:b", func(c *call) Value { c.NoGrad = !c.bool(0); return nil }},
	{"aten::is_autocast_enabled", "", constant(false)},
	{"aten::is_autocast_cpu_enabled", "", constant(false)},
	{"aten::_assert_async", "self:T", constant(nil)},
	{"aten::get_default_dtype", "", constant(int64(6))},
	{"aten::broadcast_shapes", "shapes:*", broadcastShapes},
	{"aten::infer_size", "a:I b:I", broadcastShapes},
	{"aten::_infer_size", "a:I b:I", broadcastShapes},
	{"prim::TupleIndex", "tup:v i:i", getItem},
	{"prim::TupleUnpack", "tup:v", func(c *call) Value { return c.args[0] }},
}

// constant lowers to a value.
//
//go:noinline
func constant(v Value) func(*call) Value { return func(*call) Value { return v } }

// broadcastShapes is the shape that some have together.
func broadcastShapes(c *call) Value {
	lists := c.args
	if len(lists) == 1 {
		lists, _ = Items(c.args[0])
	}
	var operands [][]*build.Number
	rank := 0
	for _, v := range lists {
		items, _ := Items(v)
		dims := make([]*build.Number, len(items))
		for i, x := range items {
			if dims[i] = build.AsNumber(x); dims[i] == nil || dims[i].Known == nil {
				return c.fail("a %s in a shape", TypeName(x))
			}
		}
		operands = append(operands, dims)
		rank = max(rank, len(dims))
	}
	l := &List{}
	for _, d := range build.BroadcastDims(operands, rank) {
		l.Items = append(l.Items, d.Plain())
	}
	return l
}
