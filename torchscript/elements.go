package torchscript

import (
	"strings"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// elements writes functions of elements and reductions; "" is for others.
func (e *exporter) elements(n *graph.Node) (string, error) {
	if len(n.Inputs) == 0 {
		return "", nil
	}
	x := e.value(n.Inputs[0])
	switch op := n.Op.(type) {
	case ops.Unary:
		return e.unary(n, op)
	case ops.Binary:
		return e.arithmetic(n, op)
	case ops.Cast:
		return e.emit("torch.to(%s, %d)", x, torchDTypes[op.DType]), nil
	case ops.Softmax:
		return e.emit("torch.%s(%s, %d, None)", op.Name(), x, op.Axis), nil
	case ops.Reduce:
		return e.reduce(n, op)
	case ops.PrefixScan:
		name := map[bool]string{false: "cumsum", true: "cumprod"}[op.Product]
		return e.emit("torch.%s(%s, %d)", name, x, op.Axis), nil
	case ops.ArgMax:
		name := map[bool]string{false: "argmax", true: "argmin"}[op.Min]
		if op.Flat {
			return e.emit("torch.%s(%s, None, %s)", name, x, boolean(op.KeepDims)), nil
		}
		return e.emit("torch.%s(%s, %d, %s)", name, x, op.Axis, boolean(op.KeepDims)), nil
	}
	return "", nil
}

// unary writes a function of one element.
func (e *exporter) unary(n *graph.Node, op ops.Unary) (string, error) {
	x, d := e.value(n.Inputs[0]), n.Inputs[0].Type.DType
	a, b := literal(op.Alpha, d), literal(op.Beta, d)
	switch op.Fn {
	case ops.Clamp, ops.Threshold, ops.Softplus:
		return e.emit("torch.%v(%s, %s, %s)", op.Fn, x, a, b), nil
	case ops.ClampMin, ops.ClampMax, ops.Hardshrink, ops.Softshrink, ops.LeakyReLU, ops.ELU, ops.CELU:
		return e.emit("torch.%v(%s, %s)", op.Fn, x, a), nil
	case ops.GELUTanh:
		return e.activate(x, ops.ActGELUTanh), nil
	case ops.Softsign:
		return "", unsupported(op, "it is not written")
	}
	return e.emit("torch.%v(%s)", op.Fn, x), nil
}

// swapped are the functions with their operands exchanged.
var swapped = map[ops.BinaryFn]ops.BinaryFn{
	ops.Add: ops.Add, ops.Mul: ops.Mul, ops.Eq: ops.Eq, ops.Ne: ops.Ne, ops.Lt: ops.Gt, ops.Le: ops.Ge, ops.Gt: ops.Lt, ops.Ge: ops.Le,
	ops.BitAnd: ops.BitAnd, ops.BitOr: ops.BitOr, ops.BitXor: ops.BitXor,
}

// tensorsOnly reports whether PyTorch has the function on tensors only.
func tensorsOnly(fn ops.BinaryFn) bool {
	return fn == ops.Max || fn == ops.Min || fn == ops.Atan2 || fn >= ops.LogicalAnd
}

// arithmetic writes a function of two elements.
func (e *exporter) arithmetic(n *graph.Node, op ops.Binary) (string, error) {
	x, y, fn := n.Inputs[0], n.Inputs[1], op.Fn
	number := op.BNumber
	if op.ANumber && !op.BNumber {
		if other, ok := swapped[fn]; ok {
			x, y, fn, number = y, x, other, true
		}
	}
	name := fn.String()
	if fn == ops.TruncDiv {
		name = "div"
	}
	a, b := e.operand(x, y), ""
	switch {
	case number && !tensorsOnly(fn):
		b = e.scalar(y)
	case number:
		b = e.operand(y, x)
	default:
		b = e.value(y)
	}
	if !op.ANumber || number && x != n.Inputs[0] {
		a = e.value(x)
	}
	rounding := ""
	if fn == ops.TruncDiv {
		rounding = `, rounding_mode="trunc"`
	}
	return e.activate(e.emit("torch.%s(%s, %s%s)", name, a, b, rounding), op.Act), nil
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

// reduce writes a function over dimensions.
func (e *exporter) reduce(n *graph.Node, op ops.Reduce) (string, error) {
	x, axes := e.value(n.Inputs[0]), op.Axes
	all := len(axes) == 0
	if all {
		for i := range n.Inputs[0].Type.Shape {
			axes = append(axes, i)
		}
	}
	name, list, keep := op.Fn.String(), ints(axes), boolean(op.KeepDims)
	switch op.Fn {
	case ops.Norm:
		return e.emit("torch.norm(%s, %s, %s, %s)", x, float(float64(op.P)), list, keep), nil
	case ops.Var, ops.Std:
		return e.emit("torch.%s(%s, %s, correction=%d, keepdim=%s)", name, x, list, op.Correction, keep), nil
	case ops.Prod, ops.Any, ops.All: // PyTorch 1.13 has these over one dimension, or all
		switch {
		case len(axes) == 1 && !all:
			return e.emit("torch.%s(%s, %s, %s)", name, x, strings.Trim(list, "[]"), keep), nil
		case all && !op.KeepDims:
			return e.emit("torch.%s(%s)", name, x), nil
		}
		return "", unsupported(op, "over several dimensions it is not written")
	}
	if all && !op.KeepDims && (op.Fn == ops.Sum || op.Fn == ops.Mean) {
		return e.emit("torch.%s(%s)", name, x), nil
	}
	return e.emit("torch.%s(%s, %s, %s)", name, x, list, keep), nil
}
