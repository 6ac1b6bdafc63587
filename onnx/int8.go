package onnx

import (
	"math"
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// int8 writes an operator on quantized values and reports whether the node is one.
func (e *exporter) int8(n *graph.Node) (y string, done bool, err error) {
	in := func(i int) string { return e.float(n.Inputs[i]) }
	var act ops.Activation
	var out *tensor.QParams
	switch op := n.Op.(type) {
	case int8.Quantize:
		return e.quantizeDequantize(in(0), op.Q), true, nil
	case int8.Dequantize:
		return in(0), true, nil
	case int8.Table:
		return e.table(n, op), true, nil
	case int8.Conv:
		y, out = e.conv(ops.Conv(op.ConvAttributes), n, in(1)), op.Out
	case int8.Linear:
		y, err = e.linear(ops.Linear(op.LinearAttributes), n, in(0))
		out = op.Out
	case int8.DynamicLinear:
		y, err = e.linear(ops.Linear(op.LinearAttributes), n, e.quantizedInput(in(0), op.Range))
	case int8.RNN:
		return "", true, e.rnn(ops.RNN(op.RNNAttributes), n)
	case int8.Embedding:
		y = e.emit("Gather", []string{in(0), in(1)}, attribute{"axis", 0})
	case int8.Add:
		y, act, out = e.two("Add", in(0), in(1)), op.Act, op.Out
	case int8.Mul:
		y, act, out = e.two("Mul", in(0), in(1)), op.Act, op.Out
	case int8.Min:
		y, act, out = e.two("Min", in(0), in(1)), op.Act, op.Out
	case int8.Max:
		y, act, out = e.two("Max", in(0), in(1)), op.Act, op.Out
	case int8.Sub:
		y, act, out = e.two("Sub", in(0), in(1)), op.Act, op.Out
	case int8.AvgPool:
		y, err = e.avgPool(ops.AvgPool(op.AvgPoolAttributes), n, in(0))
		out = op.Out
	case int8.AdaptiveAvgPool:
		y, err = e.adaptiveAvgPool(ops.AdaptiveAvgPool(op.AdaptiveAvgPoolAttributes), n, in(0))
		out = op.Out
	default:
		float := int8.FloatOf(n.Op)
		if float == nil {
			return "", false, nil
		}
		y, err = e.operator(&graph.Node{Op: float, Scope: n.Scope, Inputs: n.Inputs, Outputs: n.Outputs})
		out = n.Outputs[0].Type.Q
		if len(n.Outputs) > 1 {
			e.names[n.Outputs[1]] = y
		}
	}
	if err != nil {
		return "", true, err
	}
	if y, err = e.activation(y, act); err == nil && out != nil {
		y = e.quantizeDequantize(y, out)
	}
	return y, true, err
}

// parameters writes the scale and the zero point of a tensor.
func (e *exporter) parameters(q *tensor.QParams) (scale, zero string) {
	zeros := make([]uint8, 0, 1)
	for _, z := range q.ZeroPoint {
		zeros = append(zeros, uint8(z))
	}
	scalar := !q.Scheme.PerChannel()
	scale = values(e, "scale", scalar, q.Scale...)
	if q.DType == tensor.Uint8 {
		return scale, values(e, "zero_point", scalar, zeros...)
	}
	signed := make([]signedByte, len(zeros))
	for i, z := range zeros {
		signed[i] = signedByte(z)
	}
	return scale, values(e, "zero_point", scalar, signed...)
}

// quantize writes the step to integers, within those in use.
func (e *exporter) quantize(x string, q *tensor.QParams) (y, scale, zero string) {
	least, most := int32(0), int32(math.MaxUint8)
	if q.DType == tensor.Int8 {
		least, most = math.MinInt8, math.MaxInt8
	}
	if q.Min != least || q.Max != most {
		s := float64(q.Scale[0])
		x = e.clip(x, float64(q.Min-q.ZeroPoint[0])*s, float64(q.Max-q.ZeroPoint[0])*s)
	}
	scale, zero = e.parameters(q)
	return e.emit("QuantizeLinear", []string{x, scale, zero}), scale, zero
}

// quantizeDequantize writes the pair that a quantized activation stands between.
func (e *exporter) quantizeDequantize(x string, q *tensor.QParams) string {
	y, scale, zero := e.quantize(x, q)
	return e.emit("DequantizeLinear", []string{y, scale, zero})
}

// quantizedInput writes the step of a float32 value to 8-bit integers and back: each row of it by its own range, as asm.QuantizeRowsF32U8 has it,
// or all by one, as int8.InputRange says.
func (e *exporter) quantizedInput(x string, r int8.InputRange) string {
	of := []attribute{{"axes", []int{-1}}}
	steps, top, eps := float64(math.MaxUint8), float64(math.MaxUint8), 0x1p-126
	switch r.Rule {
	case int8.WholeInput:
		of, steps, top, eps = nil, float64(r.Hi-r.Lo), float64(math.MaxUint8-r.Lo), float64(ops.SmallScale)
	case int8.WholeInputEps:
		of, steps, top, eps = nil, float64(r.Hi-r.Lo), float64(r.Hi-r.Lo), r.Eps
	}
	zero := e.scalar(0)
	least := e.two("Min", e.emit("ReduceMin", []string{x}, of...), zero)
	span := e.two("Sub", e.two("Max", e.emit("ReduceMax", []string{x}, of...), zero), least)
	unit := e.two("Div", span, e.scalar(steps))
	scale := e.two("Max", unit, e.scalar(eps))
	if r.Rule == int8.WholeInput { // its zero point is that of the range, also where the scale is the least
		unit = e.two("Max", unit, e.scalar(0x1p-126))
	} else {
		unit = scale
	}
	low := e.one("Round", e.two("Div", least, unit))
	q := e.one("Round", e.two("Mul", x, e.one("Reciprocal", scale)))
	return e.two("Mul", e.two("Min", e.two("Max", q, low), e.two("Add", low, e.scalar(top))), scale)
}

// dequantizeConstant writes a quantized constant and the step to its floats.
func (e *exporter) dequantizeConstant(name string, t *tensor.Tensor, q *tensor.QParams) string {
	scale, zero := e.parameters(q)
	in := []string{e.constant(name, t), scale, zero}
	if q.Scheme.PerChannel() {
		return e.emit("DequantizeLinear", in, attribute{"axis", q.Axis})
	}
	return e.emit("DequantizeLinear", in)
}

// bias writes the third input of a layer: of integers in units of the scales of input and weight, the step to its floats.
func (e *exporter) bias(n *graph.Node) string {
	b := n.Inputs[2]
	if b.Const == nil || b.Const.DType() != tensor.Int32 {
		return e.float(b)
	}
	x, w := n.Inputs[0].Type.Q, n.Inputs[1].Type.Q
	scales := slices.Clone(w.Scale)
	for i := range scales {
		scales[i] *= x.Scale[0]
	}
	if len(scales) == 1 {
		return e.two("DequantizeLinear", e.constant(b.Name, b.Const), values(e, "scale", true, scales[0]))
	}
	return e.emit("DequantizeLinear", []string{e.constant(b.Name, b.Const), values(e, "scale", false, scales...)}, attribute{"axis", 0})
}

// table writes any function of 8-bit integers as a look-up.
func (e *exporter) table(n *graph.Node, op int8.Table) string {
	q, _, _ := e.quantize(e.float(n.Inputs[0]), n.Inputs[0].Type.Q)
	index := e.emit("Cast", []string{q}, attribute{"to", int(elementTypes[tensor.Int32])})
	entries := values(e, "table", false, op.Values[:]...)
	scale, zero := e.parameters(op.Out)
	return e.emit("DequantizeLinear", []string{e.emit("Gather", []string{entries, index}, attribute{"axis", 0}), scale, zero})
}
