package torchscript

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// node writes one node: by a template, as an int8 operator, or as one whose code depends on its attributes.
func (e *exporter) node(n *graph.Node) error {
	if len(n.Outputs) == 0 {
		return unsupported(n.Op, "it is not written")
	}
	template := templates[reflect.TypeOf(n.Op).String()]
	name, err := "", error(nil)
	if template != "" {
		name = e.write(n, template)
	} else if name, err = e.int8(n); name == "" && err == nil {
		if template, given, reason := e.special(n); template != "" {
			name = e.write(n, template, given...)
		} else {
			err = unsupported(n.Op, reason)
		}
	}
	e.names[n.Outputs[0]] = name
	return err
}

// activate writes what a layer ends with.
func (e *exporter) activate(y string, a ops.Activation) string {
	switch a {
	case ops.NoActivation:
		return y
	case ops.ActGELUTanh:
		return e.emit("torch.gelu(" + y + `, approximate="tanh")`)
	}
	return e.emit("torch." + a.String() + "(" + y + ")")
}

// special returns the template of an operator whose code depends on its attributes, and what is given to it; or why there is none.
func (e *exporter) special(n *graph.Node) (template string, given []string, reason string) {
	in, out := n.Inputs, n.Outputs[0].Type
	switch op := n.Op.(type) {
	case ops.Unary:
		return e.unary(n, op)
	case ops.Binary:
		return e.arithmetic(n, op)
	case ops.Reduce:
		return reduce(n, op)
	case ops.MatMul, ops.MatMul64:
		if reflect.ValueOf(op).FieldByName("TransposeB").Bool() {
			return "torch.matmul({0}, torch.transpose({1}, -2, -1))", nil, ""
		}
		return "torch.matmul({0}, {1})", nil, ""
	case ops.LayerNorm:
		s := in[0].Type.Shape
		return "torch.layer_norm({0}, {a}, {?HasWeight:1}, {?HasBias:-1}, {Eps}, False)", []string{ints(s[len(s)-op.Dims:])}, ""
	case ops.Attention:
		return e.attention(n, op)
	case ops.RNN:
		return e.recurrent(n, op)
	case int8.RNN:
		return "", nil, "recurrent networks in int8 are not written: exclude operators of type " + op.Cell.String() + " from quantization"
	case ops.Interpolate:
		return e.interpolate(n, op)
	case ops.AvgPool:
		return avgPool(op)
	case ops.AdaptiveAvgPool:
		return "torch.adaptive_avg_pool{#Size}d({0}, {a})", []string{e.zeros(in[0], op.Size, len(in[0].Type.Shape)-len(op.Size))}, ""
	case ops.Reshape:
		return "torch.reshape({0}, {a})", []string{e.zeros(in[0], op.Shape, 0)}, ""
	case ops.DynamicReshape:
		return "torch.reshape({0}, {a})", []string{e.computedShape(n, op.Extents)}, ""
	case ops.Expand:
		if op.Shape == nil {
			return "torch.expand({0}, {ints:1})", nil, ""
		}
		return "torch.expand({0}, {Shape})", nil, ""
	case ops.Concat:
		if out.Q != nil {
			return "ops.quantized.cat([{*}], {Axis}, None, None)", nil, ""
		}
		return "torch.cat([{*}], {Axis})", nil, ""
	case ops.Pad:
		return "torch.constant_pad_nd({0}, {a}, {b})", []string{padding(op.Before, op.After), literal(op.Value, in[0].Type.DType)}, ""
	case ops.PadMode:
		return padMode(op)
	case ops.Full:
		return full(n, op)
	case ops.Arange:
		if len(in) == 3 {
			return "torch.arange({int:0}, {int:1}, {int:2}, " + options, nil, ""
		}
		return "torch.arange({a}, {b}, {c}, " + options, []string{literal(op.Start, op.DType), literal(op.End, op.DType), literal(op.Step, op.DType)}, ""
	case ops.Index:
		return "torch.index({0}, {a})", []string{e.indices(op.Axes, in[1:])}, ""
	case ops.IndexPut:
		return "torch.index_put({0}, {a}, {1}, {Accumulate})", []string{e.indices(op.Axes, in[2:])}, ""
	case ops.Where:
		condition := e.typed(in[0], tensor.Bool)
		return "torch.where({a}, {b}, {c})", []string{condition, e.typed(in[1], out.DType), e.typed(in[2], out.DType)}, ""
	case ops.Scatter:
		return scatter(op)
	case ops.PrefixScan:
		return "torch.cum{a}({0}, {Axis})", choice(op.Product, "prod", "sum"), ""
	case ops.TopK:
		return "torch.topk({0}, {K}, {Axis}, {a})", []string{boolean(!op.Least)}, ""
	case ops.ArgMax:
		arg := choice(op.Values, "", "arg")[0]
		axis := number(op.Axis)
		if op.Flat {
			axis = "None"
		}
		return "torch.{a}{b}({0}, {c}, {KeepDims})", []string{arg, choice(op.Min, "min", "max")[0], axis}, ""
	}
	return "", nil, "it is not written"
}

const options = "dtype={dtype:DType}, layout=None, device=None, pin_memory=None)"

// choice returns one of two texts.
func choice(b bool, yes, no string) []string {
	if b {
		return []string{yes}
	}
	return []string{no}
}

// recurrent writes an LSTM, whose state is a list, a GRU or a plain recurrent network.
func (e *exporter) recurrent(n *graph.Node, op ops.RNN) (string, []string, string) {
	if op.Rounded {
		return "", nil, "what PyTorch quantized dynamically is not written"
	}
	states := 1
	if op.Cell == ops.LSTMCell {
		states = 2
	}
	names := make([]string, len(n.Inputs))
	for i, v := range n.Inputs {
		names[i] = e.value(v)
	}
	given := []string{op.Cell.String(), strings.Join(names[1:1+states], ", "), strings.Join(names[1+states:], ", ")}
	template := "torch.{a}({0}, {b}, [{c}], {HasBias}, {Layers}, 0., False, {Bidirectional}, {BatchFirst})"
	if states == 2 {
		template = strings.Replace(template, "{b}", "[{b}]", 1)
	}
	return template, given, ""
}

// computedShape writes a list of extents that are computed of those of inputs.
func (e *exporter) computedShape(n *graph.Node, extents []ops.Extent) string {
	list := make([]string, len(extents))
	for i, x := range extents {
		list[i] = strconv.Itoa(max(x.Factor, 1))
		for _, d := range x.Of {
			list[i] = fmt.Sprintf("torch.mul(%s, torch.size(%s, %d))", list[i], e.value(n.Inputs[d.Input]), d.Axis)
		}
		if x.Divisor > 1 {
			list[i] = fmt.Sprintf("torch.floordiv(%s, %d)", list[i], x.Divisor)
		}
	}
	return "[" + strings.Join(list, ", ") + "]"
}

// attention writes softmax(q k^T scale + mask) v, whose operator has other names in PyTorch 1.13.
func (e *exporter) attention(n *graph.Node, op ops.Attention) (string, []string, string) {
	if op.HeadsLast || op.Causal || op.ZeroMasked && op.HasMask {
		return "", nil, "heads behind positions, causal masks and rows without any element are not written"
	}
	scale, shape := op.Scale, n.Inputs[0].Type.Shape
	if scale == 0 {
		scale = 1 / math.Sqrt(float64(shape[len(shape)-1]))
	}
	s := e.emit(e.fill(n, "torch.mul(torch.matmul({0}, torch.transpose({1}, -2, -1)), {a})", []string{float(scale)}))
	if op.HasMask {
		mask := "torch.add({a}, {3})"
		if n.Inputs[3].Type.DType == tensor.Bool {
			mask = "torch.masked_fill({a}, torch.logical_not({3}), -inf)"
		}
		s = e.emit(e.fill(n, mask, []string{s}))
	}
	return "torch.matmul(torch.softmax({a}, -1, None), {2})", []string{s}, ""
}

func avgPool(op ops.AvgPool) (string, []string, string) {
	divisor := ""
	if op.Divisor != 0 {
		if len(op.Kernel) == 1 {
			return "", nil, "a divisor of its own in one dimension is not written"
		}
		divisor = ", " + number(op.Divisor)
	}
	return "torch.avg_pool{#Kernel}d({0}, {Kernel}, {Stride}, {Padding}, {CeilMode}, {CountIncludePad}{a})", []string{divisor}, ""
}

// zeros formats extents, of which 0 is that of x in a dimension, counted from first on.
func (e *exporter) zeros(x *graph.Value, shape []int, first int) string {
	texts := make([]string, len(shape))
	for i, d := range shape {
		if texts[i] = number(d); d == 0 {
			texts[i] = "torch.size(" + e.value(x) + ", " + number(first+i) + ")"
		}
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

// padding formats what is added to each dimension, the last ones first.
func padding(before, after []int) string {
	var list []int
	for i := len(before) - 1; i >= 0; i-- {
		list = append(list, before[i], after[i])
	}
	return ints(list)
}

func padMode(op ops.PadMode) (string, []string, string) {
	before, after, front := op.Before, op.After, 0
	for len(before) > 2 && before[0] == 0 && after[0] == 0 { // PyTorch pads the last dimensions
		before, after, front = before[1:], after[1:], front+1
	}
	if front == 0 || front < len(op.Before)-3 {
		return "", nil, "padding of the first dimension is not written"
	}
	return "torch.pad({0}, {a}, {b}, None)", []string{padding(before, after), strconv.Quote(op.Fn.String())}, ""
}

// interpolations are PyTorch's names by mode, without "_upsample_" and the dimensions.
var interpolations = [...]string{
	ops.Nearest: "upsample_nearest1d upsample_nearest2d upsample_nearest3d", ops.Linearly: "upsample_linear1d upsample_bilinear2d upsample_trilinear3d",
	ops.NearestExact: "_upsample_nearest_exact1d _upsample_nearest_exact2d _upsample_nearest_exact3d", ops.Cubic: "- upsample_bicubic2d -",
}

func (e *exporter) interpolate(n *graph.Node, op ops.Interpolate) (string, []string, string) {
	d := len(n.Inputs[0].Type.Shape) - 2
	name := ""
	if int(op.Mode) < len(interpolations) {
		name = append(strings.Fields(interpolations[op.Mode]), "", "", "")[d-1]
	}
	if len(name) < 2 {
		return "", nil, op.Mode.String() + " is not written"
	}
	align := ""
	if op.Mode == ops.Linearly || op.Mode == ops.Cubic {
		align = ", " + boolean(op.AlignCorners)
	}
	scales := make([]string, len(op.Scales))
	for i, s := range op.Scales {
		scales[i] = float(s)
	}
	by := strings.Join(scales, ", ")
	given := []string{name, align, by}
	switch {
	case op.Size != nil && by != "": // the extents, and the scales that coordinates follow
		return "torch.{a}({0}, {Size}{b}, {c})", given, ""
	case by != "":
		return "torch.{a}({0}, None{b}, [{c}])", given, ""
	case op.Size != nil:
		return "torch.{a}({0}, {Size}{b}, None)", given, ""
	}
	return "torch.{a}({0}, {ints:1}{b}, None)", given, ""
}

// full writes a value whose elements are the same.
func full(n *graph.Node, op ops.Full) (string, []string, string) {
	given := []string{literal(op.Value, op.DType)}
	switch {
	case op.Like:
		return "torch.full_like({0}, {a}, " + strings.TrimSuffix(options, ")") + ", memory_format=None)", given, ""
	case op.Shape == nil && len(n.Inputs) > 0:
		return "torch.full({ints:0}, {a}, " + options, given, ""
	case len(op.Shape) == 0:
		return "torch.full(annotate(List[int], []), {a}, " + options, given, ""
	}
	return "torch.full({Shape}, {a}, " + options, given, ""
}

// indices formats a list of indices with None for the dimensions between them.
func (e *exporter) indices(axes []int, values []*graph.Value) string {
	list := slices.Repeat([]string{"None"}, slices.Max(axes)+1)
	for i, axis := range axes {
		list[axis] = e.value(values[i])
	}
	return "annotate(List[Optional[Tensor]], [" + strings.Join(list, ", ") + "])"
}

func scatter(op ops.Scatter) (string, []string, string) {
	switch {
	case op.Fn == ops.ScatterSet && op.Number:
		return "torch.scatter({0}, {Axis}, {1}, {int:2})", nil, ""
	case op.Fn == ops.ScatterSet:
		return "torch.scatter({0}, {Axis}, {1}, {2})", nil, ""
	case op.Fn == ops.ScatterAdd && !op.Number:
		return "torch.scatter_add({0}, {Axis}, {1}, {2})", nil, ""
	}
	return "", nil, "of what it makes of several elements, only the last and the sum are written"
}

// typed returns a value as another element type, converted here where it is a constant.
func (e *exporter) typed(v *graph.Value, d tensor.DType) string {
	if v.Type.DType == d {
		return e.value(v)
	}
	if v.Const != nil && v.Const.QParams() == nil {
		t, err := v.Const.To(d)
		if err == nil {
			return e.hold(v.Name, t)
		}
		e.Fail(err)
	}
	return e.emit("torch.to(" + e.value(v) + ", " + number(scalarType(d)) + ")")
}

// unary writes a function of one element.
func (e *exporter) unary(n *graph.Node, op ops.Unary) (string, []string, string) {
	d := n.Inputs[0].Type.DType
	given := []string{literal(op.Alpha, d), literal(op.Beta, d)}
	switch op.Fn {
	case ops.Clamp, ops.Threshold, ops.Softplus:
		return "torch.{name}({0}, {a}, {b})", given, ""
	case ops.ClampMin, ops.ClampMax, ops.Hardshrink, ops.Softshrink, ops.LeakyReLU, ops.ELU, ops.CELU:
		return "torch.{name}({0}, {a})", given, ""
	case ops.Polygamma:
		return "torch.{name}({a}, {0})", []string{strconv.Itoa(int(op.Alpha))}, ""
	case ops.GELUTanh:
		return `torch.gelu({0}, approximate="tanh")`, nil, ""
	case ops.Softsign:
		return "", nil, "it is not written"
	}
	return "torch.{name}({0})", nil, ""
}

// swapped are the functions with their operands exchanged, and others themselves with a change of sign.
func swapped(fn ops.BinaryFn) (ops.BinaryFn, bool) {
	switch fn {
	case ops.Lt, ops.Le:
		return fn + ops.Gt - ops.Lt, true
	case ops.Gt, ops.Ge:
		return fn + ops.Lt - ops.Gt, true
	case ops.Add, ops.Mul, ops.Eq, ops.Ne, ops.BitAnd, ops.BitOr, ops.BitXor:
		return fn, true
	}
	return fn, false
}

// arithmetic writes a function of two elements. A number is the second operand, or a tensor without dimensions where PyTorch has no
// other form.
func (e *exporter) arithmetic(n *graph.Node, op ops.Binary) (string, []string, string) {
	x, y, fn := n.Inputs[0], n.Inputs[1], op.Fn
	xNumber, yNumber := op.ANumber, op.BNumber
	if other, ok := swapped(fn); ok && xNumber && !yNumber {
		x, y, fn, xNumber, yNumber = y, x, other, false, true
	}
	a, b := "", ""
	switch tensorsOnly := fn == ops.Max || fn == ops.Min || fn >= ops.Atan2 && fn <= ops.Zeta || fn >= ops.LogicalAnd; {
	case yNumber && !tensorsOnly:
		b = e.scalar(y)
	case yNumber:
		b = e.operand(y, x)
	default:
		b = e.value(y)
	}
	if xNumber {
		a = e.operand(x, y)
	} else {
		a = e.value(x)
	}
	if fn == ops.TruncDiv {
		return `torch.div({a}, {b}, rounding_mode="trunc")`, []string{a, b}, ""
	}
	return "torch.{c}({a}, {b})", []string{a, b, fn.String()}, ""
}

// operand returns a number as a tensor without dimensions of the element type that it gets beside another value.
func (e *exporter) operand(v, beside *graph.Value) string {
	d := beside.Type.DType
	if v.Type.DType.IsFloat() && !d.IsFloat() {
		d = tensor.Float32
	} else if d == tensor.Bool {
		d = v.Type.DType
	}
	return e.typed(v, d)
}

// reduce writes a function over dimensions, of which PyTorch 1.13 has some over one dimension, or all.
func reduce(n *graph.Node, op ops.Reduce) (string, []string, string) {
	axes, whole := op.Axes, len(op.Axes) == 0 && !op.KeepDims
	if len(axes) == 0 {
		for i := range n.Inputs[0].Type.Shape {
			axes = append(axes, i)
		}
	}
	given := []string{ints(axes)}
	switch op.Fn {
	case ops.Norm:
		return "torch.norm({0}, {P}, {a}, {KeepDims})", given, ""
	case ops.Var, ops.Std:
		return "torch.{name}({0}, {a}, correction={Correction}, keepdim={KeepDims})", given, ""
	case ops.Prod, ops.Any, ops.All:
		if !whole {
			if len(op.Axes) != 1 {
				return "", nil, "over several dimensions it is not written"
			}
			return "torch.{name}({0}, {a}, {KeepDims})", []string{number(op.Axes[0])}, ""
		}
		return "torch.{name}({0})", nil, ""
	case ops.Sum, ops.Mean:
		if whole {
			return "torch.{name}({0})", nil, ""
		}
	}
	return "torch.{name}({0}, {a}, {KeepDims})", given, ""
}
