package torchscript

import (
	_ "embed"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// functions is the source of the operators that PyTorch lacks, which the loader knows by their names.
//
//go:embed int8.py
var functions string

const (
	functionsName = "octet_int8"
	quint8        = 13 // of torch.quint8 in code
)

// call adds a call of one of the functions.
func (e *exporter) call(format string, args ...any) string {
	e.calls = true
	return e.emit("__torch__."+functionsName+"."+format, args...)
}

// params formats scale and zero point of an output, which is float32 where there are none.
func params(q *tensor.QParams) string {
	if q == nil {
		return "0., 0"
	}
	return fmt.Sprintf("%s, %d", float(float64(q.Scale[0])), q.ZeroPoint[0])
}

// int8 writes an operator on quantized values and reports whether the node is one.
func (e *exporter) int8(n *graph.Node) (y string, done bool, err error) {
	in := func(i int) string { return e.value(n.Inputs[i]) }
	out := n.Outputs[0].Type.Q
	switch op := n.Op.(type) {
	case int8.Quantize:
		y = e.emit("torch.quantize_per_tensor(%s, %s, %d)", in(0), params(op.Q), quint8)
	case int8.Dequantize:
		y = e.emit("torch.dequantize(%s)", in(0))
	case int8.Table:
		y = e.table(n, op)
	case int8.Conv:
		y, err = e.conv(n, op)
	case int8.Linear:
		y, err = e.linear(n, op)
	case int8.DynamicLinear:
		y, err = e.dynamicLinear(n, op)
	case int8.Add:
		y, err = e.binary(n, 0, op.Act, op.Out)
	case int8.Sub:
		y, err = e.binary(n, 1, op.Act, op.Out)
	case int8.Mul:
		y, err = e.binary(n, 2, op.Act, op.Out)
	case int8.Max:
		y, err = e.binary(n, 3, op.Act, op.Out)
	case int8.Min:
		y, err = e.binary(n, 4, op.Act, op.Out)
	case int8.AvgPool:
		if op.Out.Equal(n.Inputs[0].Type.Q) {
			return e.avgPool(ops.AvgPool(op.AvgPoolAttributes), in(0)), true, nil
		}
		y = e.call("avg_pool(%s, %s, %s, %s, %s, %s, %d, %s)", in(0), ints(op.Kernel), ints(op.Stride), ints(op.Padding),
			boolean(op.CeilMode), boolean(op.CountIncludePad), op.Divisor, params(op.Out))
	case int8.AdaptiveAvgPool:
		if op.Out.Equal(n.Inputs[0].Type.Q) {
			return e.adaptiveAvgPool(n, op.Size), true, nil
		}
		y = e.call("adaptive_avg_pool(%s, %s, %s)", in(0), e.pooledTo(n, op.Size), params(op.Out))
	default:
		return "", false, nil
	}
	if out != nil && err == nil {
		y = e.bound(y, out)
	}
	return y, true, err
}

// bound leaves of the integers those in use. A table has no others.
func (e *exporter) bound(y string, q *tensor.QParams) string {
	if least, most := tensor.QRange(q.DType); q.Min != least || q.Max != most {
		return e.emit("ops.quantized.clamp(%s, %s, %s)", y, float(float64(q.Dequantize(q.Min, 0))), float(float64(q.Dequantize(q.Max, 0))))
	}
	return y
}

// clamp returns the number of a clamp in the functions.
func clamp(op ops.Op, a ops.Activation) (int, error) {
	if !a.IsClamp() {
		return 0, unsupported(op, "%v behind it is not written", a)
	}
	return int(a), nil
}

// relu returns the ending of the name of an operator with a clamp, and what is to do behind it.
func (e *exporter) relu(a ops.Activation, q *tensor.QParams) (suffix string, behind func(y string) string) {
	behind = func(y string) string { return y }
	if a == ops.ActReLU6 && q.Quantize(6, 0) < q.Max {
		behind = func(y string) string { return e.emit("ops.quantized.relu6(%s)", y) }
	}
	if a != ops.NoActivation {
		suffix = "_relu"
	}
	return suffix, behind
}

// bias is that of a layer in the forms that it is written in.
type bias struct {
	float *tensor.Tensor // what PyTorch's layers take, nil for none
	given *tensor.Tensor // as the graph has it
	unit  *tensor.Tensor // float64, what integers are multiples of, else nil
	// same says that the loader makes of float what the graph has: integers of what were integers.
	same bool
}

// biasOf returns the bias of a layer; depthwise ones have an integer bias in the loader.
func (e *exporter) biasOf(n *graph.Node, has, depthwise bool) (bias, error) {
	if !has {
		return bias{same: true}, nil
	}
	t := n.Inputs[2].Const
	if t == nil {
		return bias{}, unsupported(n.Op, "a bias that is computed is not written")
	}
	if err := t.Load(); err != nil {
		return bias{}, err
	}
	b := bias{given: t.WithQParams(nil), same: true}
	scale := float64(n.Inputs[0].Type.Q.Scale[0])
	scales := n.Inputs[1].Type.Q.Scale
	units := make([]float64, t.Numel())
	for i := range units {
		units[i] = scale * float64(scales[i%len(scales)])
	}
	floats := make([]float32, t.Numel())
	zero, whole := true, true
	var err error
	if t.DType() == tensor.Int32 {
		for i, v := range t.Contiguous().Int32s() {
			floats[i] = float32(float64(v) * units[i])
			zero = zero && v == 0
			b.same = b.same && math.RoundToEven(float64(floats[i])/units[i]) == float64(v) && max(v, -v) < 1<<30
		}
		if b.unit, err = tensor.FromSlice(units, len(units)); err != nil || zero { // a layer without a bias is computed as one with integers
			return b, err
		}
	} else {
		floats = t.Contiguous().Float32s()
		for i, v := range floats {
			zero = zero && v == 0
			whole = whole && float32(math.RoundToEven(float64(v)/units[i])*units[i]) == v
		}
		b.same = !depthwise && (zero || !whole)
	}
	b.float, err = tensor.FromSlice(floats, len(floats))
	return b, err
}

// arguments returns the last arguments of a layer's function.
func (e *exporter) arguments(n *graph.Node, b bias, residual bool) string {
	texts := []string{"None", "None", "None"}
	if b.given != nil {
		texts[0] = e.hold(n.Inputs[2].Name, b.given)
	}
	if b.unit != nil {
		texts[1] = e.hold(n.Inputs[2].Name+".unit", b.unit)
	}
	if residual {
		texts[2] = e.value(n.Inputs[len(n.Inputs)-1])
	}
	return strings.Join(texts, ", ")
}

// packed returns the expression of a layer's packed parameters.
func (e *exporter) packed(n *graph.Node, class string, config []int, b *tensor.Tensor) (string, error) {
	w := n.Inputs[1].Const
	if w == nil || w.DType() != tensor.Int8 {
		return "", unsupported(n.Op, "a weight that is computed is not written")
	}
	if len(config) > 0 && config[0] == 1 { // PyTorch has them as two-dimensional ones
		s := w.Shape()
		flat, err := w.Contiguous().Reshape(s[0], s[1], 1, s[2])
		if err != nil {
			return "", err
		}
		w, config = flat, []int{2, 1, config[1], 0, config[2], 1, config[3], 0, 0, config[5], 0}
	}
	name := n.Scope.Path
	if name == "" {
		name = "layer"
	}
	a := attribute{name: e.unique(name + "._packed_params"), packed: &packed{class: class, config: config, weight: w, bias: b}}
	e.attributes = append(e.attributes, a)
	return "self." + a.name, nil
}

func (e *exporter) conv(n *graph.Node, op int8.Conv) (string, error) {
	act, err := clamp(op, op.Act)
	if err != nil {
		return "", err
	}
	d := len(op.Stride)
	b, err := e.biasOf(n, op.HasBias, op.Groups > 1 && n.Inputs[1].Type.Shape[1] == 1)
	if err != nil {
		return "", err
	}
	if op.Out == nil || op.HasResidual || !b.same {
		return e.call("conv(%s, %s, %s, %s, %s, %s, %d, %d, %s)", e.value(n.Inputs[0]), e.value(n.Inputs[1]), e.arguments(n, b, op.HasResidual),
			ints(op.Stride), ints(op.Padding), ints(op.Dilation), op.Groups, act, params(op.Out)), nil
	}
	class := "Conv2dPackedParamsBase"
	if d == 3 {
		class = "Conv3dPackedParamsBase"
	}
	config := slices.Concat([]int{d}, op.Stride, op.Padding, op.Dilation, make([]int, d), []int{op.Groups, 0})
	layer, err := e.packed(n, class, config, b.float)
	if err != nil {
		return "", err
	}
	suffix, behind := e.relu(op.Act, op.Out)
	return behind(e.emit("ops.quantized.conv%dd%s(%s, %s, %s)", d, suffix, e.value(n.Inputs[0]), layer, params(op.Out))), nil
}

func (e *exporter) linear(n *graph.Node, op int8.Linear) (string, error) {
	act, err := clamp(op, op.Act)
	if err != nil {
		return "", err
	}
	b, err := e.biasOf(n, op.HasBias, false)
	if err != nil {
		return "", err
	}
	if op.Out == nil || op.HasResidual || !b.same {
		return e.call("linear(%s, %s, %s, %d, %s)", e.value(n.Inputs[0]), e.value(n.Inputs[1]), e.arguments(n, b, op.HasResidual), act, params(op.Out)), nil
	}
	layer, err := e.packed(n, "LinearPackedParamsBase", nil, b.float)
	if err != nil {
		return "", err
	}
	suffix, behind := e.relu(op.Act, op.Out)
	return behind(e.emit("ops.quantized.linear%s(%s, %s, %s)", suffix, e.value(n.Inputs[0]), layer, params(op.Out))), nil
}

// dynamicLinear writes a layer that quantizes its input: with one range for all of it as PyTorch's.
func (e *exporter) dynamicLinear(n *graph.Node, op int8.DynamicLinear) (string, error) {
	act, err := clamp(op, op.Act)
	if err != nil {
		return "", err
	}
	by := op.Range
	if by.Rule == int8.WholeInput && by.Lo == 0 && (by.Hi == 255 || by.Hi == 127) && !op.HasResidual && op.Act != ops.ActReLU6 {
		var b *tensor.Tensor
		if op.HasBias {
			if b = n.Inputs[2].Const; b == nil {
				return "", unsupported(op, "a bias that is computed is not written")
			}
		}
		layer, err := e.packed(n, "LinearPackedParamsBase", nil, b)
		if err != nil {
			return "", err
		}
		suffix, _ := e.relu(op.Act, nil)
		return e.emit("ops.quantized.linear%s_dynamic(%s, %s, %s)", suffix, e.value(n.Inputs[0]), layer, boolean(by.Hi == 127)), nil
	}
	if by.Rule == int8.EachRow {
		by.Lo, by.Hi = 0, 255
	}
	last := len(n.Inputs) - 1
	return e.call("dynamic_linear(%s, %s, %s, %s, %d, %d, %d, %s, %d)", e.value(n.Inputs[0]), e.value(n.Inputs[1]), e.optional(n, op.HasBias, 2),
		e.optional(n, op.HasResidual, last), by.Rule, by.Lo, by.Hi, float(by.Eps), act), nil
}

// binary writes arithmetic of two values; fn is its number in the functions.
func (e *exporter) binary(n *graph.Node, fn int, a ops.Activation, q *tensor.QParams) (string, error) {
	act, err := clamp(n.Op, a)
	if err != nil {
		return "", err
	}
	x, y := n.Inputs[0], n.Inputs[1]
	name := map[int]string{0: "add", 2: "mul"}[fn]
	if name == "" || !x.Type.Shape.Equal(y.Type.Shape) || a == ops.ActReLU6 && fn == 2 {
		return e.call("binary(%s, %s, %d, %d, %s)", e.value(x), e.value(y), fn, act, params(q)), nil
	}
	suffix, behind := e.relu(a, q)
	return behind(e.emit("ops.quantized.%s%s(%s, %s, %s)", name, suffix, e.value(x), e.value(y), params(q))), nil
}

// tabulated are functions that PyTorch has on quantized values, by the label of a table: with the parameters of its output, without for
// those that keep the input's.
var tabulated = []struct {
	label, format string
	op            ops.Unary
	keeps         bool
}{
	{"relu", "torch.relu(%s)", ops.Unary{Fn: ops.ReLU}, true},
	{"relu6", "ops.quantized.relu6(%s)", ops.Unary{Fn: ops.ReLU6}, true},
	{"sigmoid", "ops.quantized.sigmoid(%s, %s)", ops.Unary{Fn: ops.Sigmoid}, false},
	{"hardswish", "ops.quantized.hardswish(%s, %s)", ops.Unary{Fn: ops.HardSwish}, false},
	{"elu", "ops.quantized.elu(%s, %s, 1., 1., 1.)", ops.Unary{Fn: ops.ELU, Alpha: 1}, false},
	{"leaky_relu", "ops.quantized.leaky_relu(%s, 0.01, False, %s)", ops.Unary{Fn: ops.LeakyReLU, Alpha: 0.01}, false},
	{"leaky_relu", "ops.quantized.leaky_relu(%s, 0.1, False, %s)", ops.Unary{Fn: ops.LeakyReLU, Alpha: 0.1}, false},
	{"leaky_relu", "ops.quantized.leaky_relu(%s, 0.2, False, %s)", ops.Unary{Fn: ops.LeakyReLU, Alpha: 0.2}, false},
	{"tanh", "torch.tanh(%s)", ops.Unary{Fn: ops.Tanh}, true},
}

// table writes a function of integers as PyTorch's, where its own table is the same, else as a look-up.
func (e *exporter) table(n *graph.Node, op int8.Table) string {
	x, in := e.value(n.Inputs[0]), n.Inputs[0].Type.Q
	same := func(t int8.Table) bool {
		return slices.Equal(t.Values[in.Min:in.Max+1], op.Values[in.Min:in.Max+1])
	}
	full := *op.Out
	full.Min, full.Max = tensor.QRange(op.Out.DType)
	if same(int8.NewTable("", in, &full, nil)) {
		return e.emit("torch.quantize_per_tensor(torch.dequantize(%s), %s, %d)", x, params(op.Out), quint8)
	}
	for _, f := range tabulated {
		by := in
		if f.label == "tanh" {
			by = tensor.PerTensor(tensor.Uint8, 2.0/256, 128)
		}
		if f.label != op.Label || f.keeps && !op.Out.Equal(by) {
			continue
		}
		if t, err := int8.TableOf(f.op, in, &full, nil); err != nil || !same(t) {
			continue
		}
		if f.keeps {
			return e.emit(f.format, x)
		}
		return e.emit(f.format, x, params(op.Out))
	}
	values, err := tensor.FromSlice(op.Values[:], len(op.Values))
	if err != nil && e.err == nil {
		e.err = err
	}
	return e.call("table(%s, %s, %s)", x, e.hold(op.Label+".table", values), params(op.Out))
}
