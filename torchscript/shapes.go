package torchscript

import (
	"fmt"
	"slices"
	"strings"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// shape writes operators that move elements, make some, or read extents; "" is for others.
func (e *exporter) shape(n *graph.Node) (string, error) {
	in := func(i int) string { return e.value(n.Inputs[i]) }
	switch op := n.Op.(type) {
	case ops.Flatten:
		return e.emit("torch.flatten(%s, %d, %d)", in(0), op.Start, op.End), nil
	case ops.Reshape:
		return e.emit("torch.reshape(%s, %s)", in(0), reshaped(in(0), op.Shape)), nil
	case ops.ReshapeTo:
		return e.emit("torch.reshape(%s, %s)", in(0), e.extents(n.Inputs[1])), nil
	case ops.DynamicReshape:
		return e.regroup(n, op), nil
	case ops.Permute:
		return e.emit("torch.permute(%s, %s)", in(0), ints(op.Order)), nil
	case ops.Concat:
		if n.Outputs[0].Type.Q != nil {
			return e.emit("ops.quantized.cat([%s], %d, None, None)", e.list(n.Inputs), op.Axis), nil
		}
		return e.emit("torch.cat([%s], %d)", e.list(n.Inputs), op.Axis), nil
	case ops.Stack:
		return e.emit("torch.stack([%s], %d)", e.list(n.Inputs), op.Axis), nil
	case ops.Expand:
		if op.Shape == nil {
			return e.emit("torch.expand(%s, %s)", in(0), e.extents(n.Inputs[1])), nil
		}
		return e.emit("torch.expand(%s, %s)", in(0), ints(op.Shape)), nil
	case ops.Tile:
		return e.emit("torch.tile(%s, %s)", in(0), ints(op.Repeats)), nil
	case ops.Slice:
		return e.emit("torch.slice(%s, %d, %d, %d, %d)", in(0), op.Axis, op.Start, op.End, op.Step), nil
	case ops.SliceTo:
		return e.emit("torch.slice(%s, %d, %s, %s, %d)", in(0), op.Axis, e.scalar(n.Inputs[1]), e.scalar(n.Inputs[2]), op.Step), nil
	case ops.Flip:
		return e.emit("torch.flip(%s, %s)", in(0), ints(op.Axes)), nil
	case ops.Roll:
		return e.emit("torch.roll(%s, %s, %s)", in(0), ints(op.Shifts), ints(op.Axes)), nil
	case ops.SlidingWindow:
		return e.emit("torch.unfold(%s, %d, %d, %d)", in(0), op.Axis, op.Size, op.Step), nil
	case ops.Diagonal:
		return e.emit("torch.diagonal(%s, %d, %d, %d)", in(0), op.Offset, op.Axis1, op.Axis2), nil
	case ops.Trilu:
		return e.emit("torch.%s(%s, %d)", op.Name(), in(0), op.Diagonal), nil
	case ops.SizeOf:
		return e.emit("torch.tensor(torch.size(%s, %d))", in(0), op.Axis), nil
	case ops.ShapeOf:
		return e.emit("torch._shape_as_tensor(%s)", in(0)), nil
	case ops.NumelOf:
		return e.emit("torch.tensor(torch.numel(%s))", in(0)), nil
	case ops.Full:
		return e.full(n, op), nil
	case ops.Arange:
		bounds := []string{literal(op.Start, op.DType), literal(op.End, op.DType), literal(op.Step, op.DType)}
		for i, v := range n.Inputs {
			bounds[i] = e.scalar(v)
		}
		return e.emit("torch.arange(%s, dtype=%d, layout=None, device=None, pin_memory=None)", strings.Join(bounds, ", "), torchDTypes[op.DType]), nil
	}
	return "", nil
}

// full writes a value whose elements are the same.
func (e *exporter) full(n *graph.Node, op ops.Full) string {
	value := literal(op.Value, op.DType)
	options := fmt.Sprintf("dtype=%d, layout=None, device=None, pin_memory=None", torchDTypes[op.DType])
	if op.Like {
		return e.emit("torch.full_like(%s, %s, %s, memory_format=None)", e.value(n.Inputs[0]), value, options)
	}
	shape := "annotate(List[int], [])"
	switch {
	case op.Shape == nil && len(n.Inputs) > 0:
		shape = e.extents(n.Inputs[0])
	case len(op.Shape) > 0:
		shape = ints(op.Shape)
	}
	return e.emit("torch.full(%s, %s, %s)", shape, value, options)
}

// regroup writes a reshape to products of the inputs' extents.
func (e *exporter) regroup(n *graph.Node, op ops.DynamicReshape) string {
	extents := make([]string, len(op.Extents))
	for i, x := range op.Extents {
		text := number(max(x.Factor, 1))
		for _, d := range x.Of {
			text = fmt.Sprintf("torch.mul(%s, torch.size(%s, %d))", text, e.value(n.Inputs[d.Input]), d.Axis)
		}
		if x.Divisor > 1 {
			text = fmt.Sprintf("torch.floordiv(%s, %d)", text, x.Divisor)
		}
		extents[i] = text
	}
	return e.emit("torch.reshape(%s, [%s])", e.value(n.Inputs[0]), strings.Join(extents, ", "))
}

// indexing writes operators that take or put elements by indices.
func (e *exporter) indexing(n *graph.Node) (string, error) {
	in := func(i int) string { return e.value(n.Inputs[i]) }
	switch op := n.Op.(type) {
	case ops.Index:
		return e.emit("torch.index(%s, %s)", in(0), e.indices(op.Axes, n.Inputs[1:])), nil
	case ops.IndexPut:
		return e.emit("torch.index_put(%s, %s, %s, %s)", in(0), e.indices(op.Axes, n.Inputs[2:]), in(1), boolean(op.Accumulate)), nil
	case ops.IndexSelect:
		return e.emit("torch.index_select(%s, %d, %s)", in(0), op.Axis, in(1)), nil
	case ops.Gather:
		return e.emit("torch.gather(%s, %d, %s)", in(0), op.Axis, in(1)), nil
	case ops.Scatter:
		name := map[ops.ScatterFn]string{ops.ScatterSet: "scatter", ops.ScatterAdd: "scatter_add"}[op.Fn]
		if name == "" || op.Number && op.Fn != ops.ScatterSet {
			return "", unsupported(op, "of what it makes of several elements, only the last and the sum are written")
		}
		source := in(2)
		if op.Number {
			source = e.scalar(n.Inputs[2])
		}
		return e.emit("torch.%s(%s, %d, %s, %s)", name, in(0), op.Axis, in(1), source), nil
	case ops.OneHot:
		return e.emit("torch.one_hot(%s, %d)", in(0), op.Classes), nil
	case ops.Where:
		return e.where(n), nil
	}
	return "", nil
}

// indices formats a list of indices with None for the dimensions between them.
func (e *exporter) indices(axes []int, values []*graph.Value) string {
	list := slices.Repeat([]string{"None"}, slices.Max(axes)+1)
	for i, axis := range axes {
		list[axis] = e.value(values[i])
	}
	return "annotate(List[Optional[Tensor]], [" + strings.Join(list, ", ") + "])"
}

// where writes a choice between values of one element type.
func (e *exporter) where(n *graph.Node) string {
	condition, d := e.value(n.Inputs[0]), n.Outputs[0].Type.DType
	if n.Inputs[0].Type.DType != tensor.Bool {
		condition = e.emit("torch.to(%s, 11)", condition)
	}
	return e.emit("torch.where(%s, %s, %s)", condition, e.typed(n.Inputs[1], d), e.typed(n.Inputs[2], d))
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
		e.err = err
	}
	return e.emit("torch.to(%s, %d)", e.value(v), torchDTypes[d])
}
