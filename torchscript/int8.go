package torchscript

import (
	_ "embed"
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
	computed      = "a weight or a bias that is computed is not written"
)

// call adds a call of one of the functions.
func (e *exporter) call(n *graph.Node, template string, given ...string) string {
	e.calls = true
	return e.emit("__torch__." + functionsName + "." + e.fill(n, template, given))
}

// torch adds a call of an operator of PyTorch.
func (e *exporter) torch(n *graph.Node, template string, given ...string) string {
	return e.emit(e.fill(n, template, given))
}

// params formats scale and zero point of an output, which is float32 where there are none.
func params(q *tensor.QParams) string {
	if q == nil {
		return "0., 0"
	}
	return float(float64(q.Scale[0])) + ", " + number(int(q.ZeroPoint[0]))
}

// int8 writes an operator on quantized values; "" is for others.
func (e *exporter) int8(n *graph.Node) (y string, err error) {
	out := n.Outputs[0].Type.Q
	same := out != nil && len(n.Inputs) > 0 && out.Equal(n.Inputs[0].Type.Q)
	given := params(out)
	switch op := n.Op.(type) {
	case int8.Quantize:
		y = e.torch(n, "torch.quantize_per_tensor({0}, {a}, 13)", given)
	case int8.Table:
		y = e.table(n, op)
	case int8.Conv:
		y, err = e.conv(n, op)
	case int8.Linear:
		y, err = e.linear(n, op)
	case int8.DynamicLinear:
		y, err = e.dynamicLinear(n, op)
	case int8.Embedding:
		y = e.call(n, "embedding({0}, {1})")
	case int8.Softmax:
		y = e.call(n, "softmax({0}, {Axis}, {Log}, {a})", given)
	case int8.MatMul:
		y = e.call(n, "matmul({0}, {1}, {TransposeB}, {a})", given)
	case int8.Attention:
		mask := "None"
		if op.HasMask {
			mask = e.value(n.Inputs[3])
		}
		y = e.call(n, "attention({0}, {1}, {2}, {a}, {Scale}, {Causal}, {HeadsLast}, {ZeroMasked}, {b})", mask, given)
	case int8.Add:
		if op.Out == nil {
			return e.inFloat(n)
		}
		y, err = e.binary(n, "0", op.Act)
	case int8.Sub:
		y, err = e.binary(n, "1", op.Act)
	case int8.Mul:
		y, err = e.binary(n, "2", op.Act)
	case int8.Max:
		y, err = e.binary(n, "3", op.Act)
	case int8.Min:
		y, err = e.binary(n, "4", op.Act)
	case int8.AvgPool:
		if same {
			template, given, reason := avgPool(ops.AvgPool(op.AvgPoolAttributes))
			if reason != "" {
				return "", unsupported(op, reason)
			}
			return e.torch(n, template, given...), nil
		}
		y = e.call(n, "avg_pool({0}, {Kernel}, {Stride}, {Padding}, {CeilMode}, {CountIncludePad}, {Divisor}, {a})", given)
	case int8.AdaptiveAvgPool:
		size := e.zeros(n.Inputs[0], op.Size, len(n.Inputs[0].Type.Shape)-len(op.Size))
		if same {
			return e.torch(n, "torch.adaptive_avg_pool{#Size}d({0}, {a})", size), nil
		}
		y = e.call(n, "adaptive_avg_pool({0}, {a}, {b})", size, given)
	}
	if y == "" && err == nil && int8.FloatOf(n.Op) != nil {
		return e.inFloat(n)
	}
	if y != "" && out != nil {
		y = e.bound(y, out)
	}
	return y, err
}

// inFloat writes an operator as the float32 one on what its inputs stand for, and the quantization of the result.
func (e *exporter) inFloat(n *graph.Node) (string, error) {
	for _, v := range n.Inputs {
		if v.Type.Q != nil {
			name := e.value(v)
			defer func() { e.names[v] = name }()
			e.names[v] = e.emit("torch.dequantize(" + name + ")")
		}
	}
	if err := e.node(&graph.Node{Op: int8.FloatOf(n.Op), Scope: n.Scope, Inputs: n.Inputs, Outputs: n.Outputs[:1]}); err != nil {
		return "", err
	}
	y := e.names[n.Outputs[0]]
	if len(n.Outputs) > 1 {
		e.names[n.Outputs[1]] = y
	}
	if q := n.Outputs[0].Type.Q; q != nil {
		y = e.bound(e.emit("torch.quantize_per_tensor("+y+", "+params(q)+", 13)"), q)
	}
	return y, nil
}

// bound leaves of the integers those in use.
func (e *exporter) bound(y string, q *tensor.QParams) string {
	if least, most := tensor.QRange(q.DType); q.Min != least || q.Max != most {
		return e.emit("ops.quantized.clamp(" + y + ", " + float(float64(q.Dequantize(q.Min, 0))) + ", " + float(float64(q.Dequantize(q.Max, 0))) + ")")
	}
	return y
}

// clamp returns the number of a clamp in the functions.
func clamp(op ops.Op, a ops.Activation) (string, error) {
	if !a.IsClamp() {
		return "", unsupported(op, a.String()+" behind it is not written")
	}
	return number(int(a)), nil
}

// behind adds what a clamp at 6 needs behind an operator that ends with a ReLU.
func (e *exporter) behind(y string, a ops.Activation, q *tensor.QParams) string {
	if a == ops.ActReLU6 && q.Quantize(6, 0) < q.Max {
		return e.emit("ops.quantized.relu6(" + y + ")")
	}
	return y
}

// suffix is the ending of the name of an operator with a clamp.
func suffix(a ops.Activation) string { return choice(a != ops.NoActivation, "_relu", "")[0] }

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
		return bias{}, unsupported(n.Op, computed)
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

// arguments returns the bias, what integers of it are multiples of, and the residual, as a layer's function takes them.
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
		return "", unsupported(n.Op, computed)
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
	b, err := e.biasOf(n, op.HasBias, op.Groups > 1 && n.Inputs[1].Type.Shape[1] == 1)
	if err != nil {
		return "", err
	}
	if op.Out == nil || op.HasResidual || !b.same {
		given := []string{e.arguments(n, b, op.HasResidual), act, params(op.Out)}
		return e.call(n, "conv({0}, {1}, {a}, {Stride}, {Padding}, {Dilation}, {Groups}, {b}, {c})", given...), nil
	}
	d := len(op.Stride)
	class := choice(d == 3, "Conv3dPackedParamsBase", "Conv2dPackedParamsBase")[0]
	config := slices.Concat([]int{d}, op.Stride, op.Padding, op.Dilation, make([]int, d), []int{op.Groups, 0})
	layer, err := e.packed(n, class, config, b.float)
	if err != nil {
		return "", err
	}
	y := e.torch(n, "ops.quantized.conv{#Stride}d{a}({0}, {b}, {c})", suffix(op.Act), layer, params(op.Out))
	return e.behind(y, op.Act, op.Out), nil
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
		return e.call(n, "linear({0}, {1}, {a}, {b}, {c})", e.arguments(n, b, op.HasResidual), act, params(op.Out)), nil
	}
	layer, err := e.packed(n, "LinearPackedParamsBase", nil, b.float)
	if err != nil {
		return "", err
	}
	y := e.torch(n, "ops.quantized.linear{a}({0}, {b}, {c})", suffix(op.Act), layer, params(op.Out))
	return e.behind(y, op.Act, op.Out), nil
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
				return "", unsupported(op, computed)
			}
		}
		layer, err := e.packed(n, "LinearPackedParamsBase", nil, b)
		if err != nil {
			return "", err
		}
		return e.torch(n, "ops.quantized.linear{a}_dynamic({0}, {b}, {c})", suffix(op.Act), layer, boolean(by.Hi == 127)), nil
	}
	if by.Rule == int8.EachRow {
		by.Lo, by.Hi = 0, 255
	}
	bounds := ints([]int{int(by.Rule), int(by.Lo), int(by.Hi)})
	return e.call(n, "dynamic_linear({0}, {1}, {?HasBias:2}, {?HasResidual:-1}, {a}, {b}, {c})", strings.Trim(bounds, "[]"), float(by.Eps), act), nil
}

// binary writes arithmetic of two values; fn is its number in the functions.
func (e *exporter) binary(n *graph.Node, fn string, a ops.Activation) (string, error) {
	act, err := clamp(n.Op, a)
	if err != nil {
		return "", err
	}
	q := n.Outputs[0].Type.Q
	if fn != "0" && fn != "2" || !n.Inputs[0].Type.Shape.Equal(n.Inputs[1].Type.Shape) {
		return e.call(n, "binary({0}, {1}, {a}, {b}, {c})", fn, act, params(q)), nil
	}
	y := e.torch(n, "ops.quantized.{a}{b}({0}, {1}, {c})", choice(fn == "0", "add", "mul")[0], suffix(a), params(q))
	return e.behind(y, a, q), nil
}

// tabulated are functions that PyTorch has on quantized values, by the label of a table. Those that are not given parameters keep their
// input's, tanh has its own.
var tabulated = []struct {
	label, template string
	fn              ops.UnaryFn
	alpha           float64
}{
	{"relu", "torch.relu({0})", ops.ReLU, 0},
	{"relu6", "ops.quantized.relu6({0})", ops.ReLU6, 0},
	{"sigmoid", "ops.quantized.sigmoid({0}, {a})", ops.Sigmoid, 0},
	{"hardswish", "ops.quantized.hardswish({0}, {a})", ops.HardSwish, 0},
	{"elu", "ops.quantized.elu({0}, {a}, 1., 1., 1.)", ops.ELU, 1},
	{"leaky_relu", "ops.quantized.leaky_relu({0}, 0.01, False, {a})", ops.LeakyReLU, 0.01},
	{"leaky_relu", "ops.quantized.leaky_relu({0}, 0.1, False, {a})", ops.LeakyReLU, 0.1},
	{"leaky_relu", "ops.quantized.leaky_relu({0}, 0.2, False, {a})", ops.LeakyReLU, 0.2},
	{"tanh", "torch.tanh({0})", ops.Tanh, 0},
}

// table writes a function of integers as PyTorch's, where its own table is the same, else as a look-up.
func (e *exporter) table(n *graph.Node, op int8.Table) string {
	in := n.Inputs[0].Type.Q
	same := func(t int8.Table) bool {
		return slices.Equal(t.Values[in.Min:in.Max+1], op.Values[in.Min:in.Max+1])
	}
	full := *op.Out
	full.Min, full.Max = tensor.QRange(op.Out.DType)
	if same(int8.NewTable("", in, &full, nil)) {
		return e.torch(n, "torch.quantize_per_tensor(torch.dequantize({0}), {a}, 13)", params(op.Out))
	}
	for _, f := range tabulated {
		by := in
		if f.fn == ops.Tanh {
			by = tensor.PerTensor(tensor.Uint8, 2.0/256, 128)
		}
		if f.label != op.Label || !strings.Contains(f.template, "{a}") && !op.Out.Equal(by) {
			continue
		}
		if t, err := int8.TableOf(ops.Unary{Fn: f.fn, Alpha: f.alpha}, in, &full, nil); err == nil && same(t) {
			return e.torch(n, f.template, params(op.Out))
		}
	}
	values, err := tensor.FromSlice(op.Values[:], len(op.Values))
	e.Fail(err)
	return e.call(n, "table({0}, {a}, {b})", e.hold(op.Label+".table", values), params(op.Out))
}
