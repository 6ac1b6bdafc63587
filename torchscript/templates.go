package torchscript

import (
	"reflect"
	"strconv"
	"strings"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// templates are the code of operators, by their types. In braces stands
//
//	0, -1     the value of that input, counted from the end where it is negative
//	*         all inputs
//	int:1     a number that the input holds, ints:1 a list of them
//	Field     an attribute of the operator, #Field the length of a list, dtype:Field PyTorch's number of an element type
//	?Field:2  that input where the attribute is true, else None
//	name      the operator's name
//	a b c d   what the caller gives
//
// A residual and an activation that an operator has are added behind it.
var templates = map[string]string{
	"ops.AddMM":           "torch.addmm({*}, beta={Beta}, alpha={Alpha})",
	"ops.BatchNorm":       "torch.batch_norm({*}, False, 0., {Eps}, False)",
	"ops.Cast":            "torch.to({0}, {dtype:DType})",
	"ops.ChannelShuffle":  "torch.channel_shuffle({0}, {Groups})",
	"ops.Conv":            "torch.conv{#Stride}d({0}, {1}, {?HasBias:2}, {Stride}, {Padding}, {Dilation}, {Groups})",
	"ops.Conv64":          "torch.conv{#Stride}d({0}, {1}, {?HasBias:2}, {Stride}, {Padding}, {Dilation}, {Groups})",
	"ops.ConvTranspose":   "torch.conv_transpose{#Stride}d({0}, {1}, {?HasBias:2}, {Stride}, {Padding}, {OutputPadding}, {Groups}, {Dilation})",
	"ops.ConvTranspose64": "torch.conv_transpose{#Stride}d({0}, {1}, {?HasBias:2}, {Stride}, {Padding}, {OutputPadding}, {Groups}, {Dilation})",
	"ops.Diagonal":        "torch.diagonal({0}, {Offset}, {Axis1}, {Axis2})",
	"ops.Einsum":          "torch.einsum({Equation}, [{*}])",
	"ops.Embedding":       "torch.embedding({0}, {1})",
	"ops.Flatten":         "torch.flatten({0}, {Start}, {End})",
	"ops.Flip":            "torch.flip({0}, {Axes})",
	"ops.Fold":            "torch.col2im({0}, {Size}, {Kernel}, {Dilation}, {Padding}, {Stride})",
	"ops.Gather":          "torch.gather({0}, {Axis}, {1})",
	"ops.GroupNorm":       "torch.group_norm({0}, {Groups}, {?HasWeight:1}, {?HasBias:-1}, {Eps}, False)",
	"ops.IndexSelect":     "torch.index_select({0}, {Axis}, {1})",
	"ops.InstanceNorm":    "torch.instance_norm({0}, {?HasWeight:1}, {?HasBias:-1}, None, None, True, 0., {Eps}, False)",
	"ops.Linear":          "torch.linear({0}, {1}, {?HasBias:2})",
	"ops.MaxPool":         "torch.max_pool{#Kernel}d({0}, {Kernel}, {Stride}, {Padding}, {Dilation}, {CeilMode})",
	"ops.NumelOf":         "torch.tensor(torch.numel({0}))",
	"ops.OneHot":          "torch.one_hot({0}, {Classes})",
	"ops.Permute":         "torch.permute({0}, {Order})",
	"ops.PixelShuffle":    "torch.{name}({0}, {Factor})",
	"ops.ReshapeTo":       "torch.reshape({0}, {ints:1})",
	"ops.Roll":            "torch.roll({0}, {Shifts}, {Axes})",
	"ops.ShapeOf":         "torch._shape_as_tensor({0})",
	"ops.SizeOf":          "torch.tensor(torch.size({0}, {Axis}))",
	"ops.Slice":           "torch.slice({0}, {Axis}, {Start}, {End}, {Step})",
	"ops.SliceTo":         "torch.slice({0}, {Axis}, {int:1}, {int:2}, {Step})",
	"ops.Softmax":         "torch.{name}({0}, {Axis}, None)",
	"ops.Sort":            "torch.sort({0}, stable=True, dim={Axis}, descending={Descending})",
	"ops.Stack":           "torch.stack([{*}], {Axis})",
	"ops.Tile":            "torch.tile({0}, {Repeats})",
	"ops.Triangle":        "torch.{name}({0}, {Diagonal})",
	"ops.Unfold":          "torch.im2col({0}, {Kernel}, {Dilation}, {Padding}, {Stride})",
	"ops.Windows":         "torch.unfold({0}, {Axis}, {Size}, {Step})",
	"int8.Dequantize":     "torch.dequantize({0})",
}

// write adds the statement of a node's template and returns the name of its first value. Nodes of several outputs are named here.
func (e *exporter) write(n *graph.Node, template string, given ...string) string {
	names := e.emitAll(len(n.Outputs), e.fill(n, template, given))
	for i, name := range names {
		e.names[n.Outputs[i]] = name
	}
	op := reflect.ValueOf(n.Op)
	y := names[0]
	if f := op.FieldByName("HasResidual"); f.IsValid() && f.Bool() {
		y = e.emit("torch.add(" + y + ", " + e.value(n.Inputs[len(n.Inputs)-1]) + ")")
	}
	if f := op.FieldByName("Act"); f.IsValid() {
		y = e.activate(y, ops.Activation(f.Uint()))
	}
	return y
}

// fill returns a template with what stands in its braces.
func (e *exporter) fill(n *graph.Node, template string, given []string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(template, "{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		var key string
		key, template, _ = strings.Cut(rest, "}")
		b.WriteString(e.part(n, key, given))
	}
}

// part returns what stands for a key in braces.
func (e *exporter) part(n *graph.Node, key string, given []string) string {
	kind, rest, _ := strings.Cut(key, ":")
	input := func(text string) *graph.Value {
		i, _ := strconv.Atoi(text)
		if i < 0 {
			i += len(n.Inputs)
		}
		return n.Inputs[i]
	}
	op := reflect.ValueOf(n.Op)
	switch c := key[0]; {
	case key == "*":
		names := make([]string, len(n.Inputs))
		for i, v := range n.Inputs {
			names[i] = e.value(v)
		}
		return strings.Join(names, ", ")
	case c == '-' || c >= '0' && c <= '9':
		return e.value(input(key))
	case c == '#':
		return number(op.FieldByName(key[1:]).Len())
	case c == '?':
		if op.FieldByName(kind[1:]).Bool() {
			return e.value(input(rest))
		}
		return "None"
	case kind == "int":
		return e.scalar(input(rest))
	case kind == "ints":
		return e.extents(input(rest))
	case kind == "dtype":
		return number(scalarType(tensor.DType(op.FieldByName(rest).Uint())))
	case key == "name":
		return n.Op.Name()
	case len(key) == 1 && c >= 'a':
		return given[c-'a']
	}
	return attributeText(op.FieldByName(key))
}

// attributeText formats an attribute of an operator.
func attributeText(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Bool:
		return boolean(v.Bool())
	case reflect.Float64:
		return float(v.Float())
	case reflect.String:
		return strconv.Quote(v.String())
	case reflect.Slice:
		return ints(v.Interface().([]int))
	}
	return strconv.FormatInt(v.Int(), 10)
}
