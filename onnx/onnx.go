// Package onnx writes models as ONNX: float32 as it is, int8 with explicit quantization (QDQ), in which each quantized value stands
// between a QuantizeLinear and a DequantizeLinear, weights are int8 per channel and activations uint8. Field numbers and operators are
// those of onnx.proto, IR version 8, and of operator set 17.
package onnx

import (
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/atomicfile"
	"github.com/octet-ml/octet/internal/sticky"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

const (
	irVersion = 8
	opset     = 17
	// maxBytes is the most that protocol buffers can be read with.
	maxBytes = 1<<31 - 1
)

// elementTypes are the numbers of TensorProto.DataType.
var elementTypes = map[tensor.DType]int64{
	tensor.Float32: 1, tensor.Uint8: 2, tensor.Int8: 3, tensor.Int32: 6, tensor.Int64: 7, tensor.Bool: 9,
	tensor.Float16: 10, tensor.Float64: 11, tensor.BFloat16: 16,
}

// Export writes a concrete model, or the one that an open model was last specialized to, to the file at path, which appears complete
// or not at all. An operator that is not written gives a *graph.NodeError with an *ops.UnsupportedError, state between runs the latter.
func Export(path string, g *graph.Graph, producer string) error {
	g, err := g.Concrete()
	if err != nil {
		return err
	}
	model, err := encode(g, producer)
	if err != nil {
		return err
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		_, err := w.Write(model)
		return err
	})
}

// exporter writes the nodes of one graph.
type exporter struct {
	sticky.Error
	nodes, initializers message
	names               map[*graph.Value]string
	taken               map[string]bool
	size                int
	fixed               bool // something was computed of the extents of the example
}

func encode(g *graph.Graph, producer string) ([]byte, error) {
	if g.State != nil {
		return nil, &ops.UnsupportedError{Op: "export to ONNX", Reason: "a model that keeps state between runs: ONNX has none"}
	}
	e := &exporter{names: make(map[*graph.Value]string), taken: make(map[string]bool)}
	var body message
	signature, err := g.Signature()
	if err != nil {
		return nil, err
	}
	for _, v := range g.Inputs {
		e.names[v] = e.unique(v.Name)
	}
	outputs := g.OutputNames()
	for _, name := range outputs {
		e.taken[name] = true
	}
	for _, n := range g.Nodes {
		if err := e.node(n); err != nil {
			return nil, &graph.NodeError{Pass: "export to ONNX", Node: n, Err: err}
		}
		if err := e.Err(); err != nil {
			return nil, &graph.NodeError{Pass: "export to ONNX", Node: n, Err: err}
		}
	}
	extents := func(p graph.Port) []int64 {
		if e.fixed {
			p.Free = make([]bool, len(p.Free))
		}
		return p.Extents()
	}
	for i, v := range g.Inputs {
		body.bytes(11, valueInfo(e.names[v], v.Type, extents(signature.Inputs[i])))
	}
	for i, v := range g.Outputs {
		e.emitTo("Identity", []string{outputs[i]}, []string{e.float(v)})
		t := v.Type
		if t.Q != nil {
			t = ops.Type{DType: tensor.Float32, Shape: t.Shape}
		}
		body.bytes(12, valueInfo(outputs[i], t, extents(signature.Outputs[i])))
	}
	body.string(2, "octet")
	var model message
	model.int(1, irVersion)
	model.string(2, "octet")
	model.string(3, producer)
	var graphOf message
	graphOf = append(append(append(graphOf, e.nodes...), e.initializers...), body...)
	model.bytes(7, graphOf)
	var set message
	set.string(1, "")
	set.int(2, opset)
	model.bytes(8, set)
	if err := e.Err(); err != nil {
		return nil, err
	}
	if len(model) > maxBytes {
		return nil, fmt.Errorf("onnx: a model of %d bytes, at most %d can be read", len(model), maxBytes)
	}
	return model, nil
}

// valueInfo is a ValueInfoProto; an extent of -1 is named.
func valueInfo(name string, t ops.Type, extents []int64) []byte {
	var shape message
	for i, n := range extents {
		var dim message
		if n < 0 {
			dim.string(2, fmt.Sprintf("%s_%d", name, i))
		} else {
			dim.int(1, n)
		}
		shape.bytes(1, dim)
	}
	var tensorType, typ, info message
	tensorType.int(1, elementTypes[t.DType])
	tensorType.bytes(2, shape)
	typ.bytes(1, tensorType)
	info.string(1, name)
	info.bytes(2, typ)
	return info
}

// unique returns a name that no value has yet.
func (e *exporter) unique(name string) string {
	if name == "" {
		name = "v"
	}
	free := name
	for i := 1; e.taken[free]; i++ {
		free = fmt.Sprintf("%s_%d", name, i)
	}
	e.taken[free] = true
	return free
}

// attribute is an AttributeProto.
type attribute struct {
	name  string
	value any // int, float32, string, []int or []string
}

func (a attribute) encode() []byte {
	var m message
	m.string(1, a.name)
	switch v := a.value.(type) {
	case int:
		m.int(3, int64(v))
		m.int(20, 2)
	case float32:
		m.float(2, v)
		m.int(20, 1)
	case string:
		m.string(4, v)
		m.int(20, 3)
	case []int:
		m.ints(8, v)
		m.int(20, 7)
	case []string:
		for _, s := range v {
			m.string(9, s)
		}
		m.int(20, 8)
	}
	return m
}

// emit adds a node with one output and returns its name.
func (e *exporter) emit(op string, inputs []string, attributes ...attribute) string {
	out := e.unique(op)
	e.emitTo(op, []string{out}, inputs, attributes...)
	return out
}

func (e *exporter) emitTo(op string, outputs, inputs []string, attributes ...attribute) {
	var n message
	for _, name := range inputs {
		n.string(1, name)
	}
	for _, name := range outputs {
		n.string(2, name)
	}
	n.string(4, op)
	for _, a := range attributes {
		n.bytes(5, a.encode())
	}
	e.nodes.bytes(1, n)
}

// constant adds an initializer and returns its name.
func (e *exporter) constant(name string, t *tensor.Tensor) string {
	e.Fail(t.Load())
	if e.size += t.Numel() * t.DType().Size(); e.size > maxBytes {
		e.Fail(fmt.Errorf("onnx: constants of more than %d bytes, which cannot be read", maxBytes))
		return name
	}
	name = e.unique(name)
	var m message
	m.ints(1, t.Shape())
	m.int(2, elementTypes[t.DType()])
	m.string(8, name)
	m.bytes(9, t.Contiguous().Bytes())
	e.initializers.bytes(5, m)
	return name
}

// values adds an initializer of a slice, without dimensions where it is scalar.
func values[T tensor.Element](e *exporter, name string, scalar bool, list ...T) string {
	shape := []int{len(list)}
	if scalar {
		shape = nil
	}
	t, err := tensor.FromSlice(list, shape...)
	if err != nil {
		e.Fail(err)
		return name
	}
	return e.constant(name, t)
}

func (e *exporter) scalar(v float64) string { return values(e, "c", true, float32(v)) }

// int64s adds an initializer of extents.
func (e *exporter) int64s(list []int) string {
	wide := make([]int64, len(list))
	for i, v := range list {
		wide[i] = int64(v)
	}
	return values(e, "shape", false, wide...)
}

// float returns the name of a value, of a quantized one that of its floats. What follows from constants or the extents of inputs, or is all the same, is written
// when something takes it.
func (e *exporter) float(v *graph.Value) string {
	if name, ok := e.names[v]; ok {
		return name
	}
	t := v.Const
	if t == nil && v.Node != nil {
		if op, is := v.Node.Op.(ops.Full); is && v.Type.Known == nil {
			e.names[v] = e.full(op, v.Node)
			return e.names[v]
		}
		t = v.Type.Known
		e.fixed = e.fixed || slices.ContainsFunc(v.Node.Inputs, func(in *graph.Value) bool { return in.Const == nil })
	}
	if t == nil {
		e.Fail(fmt.Errorf("onnx: value %q has no node", v.Name))
		return ""
	}
	if q := t.QParams(); q != nil {
		e.names[v] = e.dequantizeConstant(v.Name, t, q)
	} else {
		e.names[v] = e.constant(v.Name, t)
	}
	return e.names[v]
}

// typed is float of a value as another element type, converted here where it is a constant.
func (e *exporter) typed(v *graph.Value, to tensor.DType) string {
	have := v.Type.DType
	if v.Type.Q != nil || have == to {
		return e.float(v)
	}
	if v.Const != nil {
		t, err := v.Const.To(to)
		if err != nil {
			e.Fail(err)
			return ""
		}
		return e.constant(v.Name, t)
	}
	return e.emit("Cast", []string{e.float(v)}, attribute{"to", int(elementTypes[to])})
}

// clip writes a clamp; an infinite bound is none.
func (e *exporter) clip(x string, least, most float64) string {
	in := []string{x, "", ""}
	if !math.IsInf(least, -1) {
		in[1] = e.scalar(least)
	}
	if !math.IsInf(most, 1) {
		in[2] = e.scalar(most)
	}
	return e.emit("Clip", in)
}
