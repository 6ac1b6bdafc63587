package onnx

import (
	"fmt"
	"math"
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

func unsupported(op ops.Op, format string, args ...any) error {
	return &ops.UnsupportedError{Op: op.Name(), Reason: "ONNX: " + fmt.Sprintf(format, args...)}
}

// node writes one node; views of quantized values and others that keep their parameters move floats that stand for the integers.
func (e *exporter) node(n *graph.Node) error {
	if !slices.ContainsFunc(n.Outputs, func(v *graph.Value) bool { return v.Type.Known == nil }) {
		return nil // it follows from the extents of the inputs: float writes it for who takes it
	}
	if _, is := n.Op.(ops.Full); is {
		return nil // the initial state of a recurrent network, mostly, which takes none
	}
	name, done, err := e.int8(n)
	if !done && err == nil {
		if done, err = e.several(n); done || err != nil {
			return err
		}
		name, err = e.operator(n)
		if q := n.Outputs[0].Type.Q; q != nil && err == nil && joins(n.Op) {
			name = e.quantizeDequantize(name, q)
		}
	}
	if name != "" {
		e.names[n.Outputs[0]] = name
	}
	return err
}

// several writes an operator of several outputs and reports whether the node is one.
func (e *exporter) several(n *graph.Node) (done bool, err error) {
	switch op := n.Op.(type) {
	case ops.RNN:
		return true, e.rnn(op, n)
	case ops.ArgMax:
		return true, e.argMax(op, n)
	case ops.TopK:
		names := []string{e.unique(n.Outputs[0].Name), e.unique(n.Outputs[1].Name)}
		e.emitTo("TopK", names, []string{e.float(n.Inputs[0]), e.int64s([]int{op.K})}, attribute{"axis", op.Axis}, attribute{"largest", asInt(!op.Least)})
		e.names[n.Outputs[0]], e.names[n.Outputs[1]] = names[0], names[1]
		return true, nil
	}
	if len(n.Outputs) != 1 {
		return true, unsupported(n.Op, "an operator of %d outputs is not written", len(n.Outputs))
	}
	return false, nil
}

// argMax writes the greatest or least elements along a dimension and where they are first.
func (e *exporter) argMax(op ops.ArgMax, n *graph.Node) error {
	kind := "Max"
	if op.Min {
		kind = "Min"
	}
	x, keep, outputs := e.float(n.Inputs[0]), attribute{"keepdims", asInt(op.KeepDims)}, n.Outputs
	kept := func(y string) string { return y }
	if op.Flat { // one dimension of all elements
		x, op.Axis, keep = e.two("Reshape", x, e.int64s([]int{-1})), 0, attribute{"keepdims", 0}
		if ones := slices.Repeat([]int{1}, len(outputs[0].Type.Shape)); op.KeepDims {
			kept = func(y string) string { return e.two("Reshape", y, e.int64s(ones)) }
		}
	}
	if op.Values {
		e.names[outputs[0]] = kept(e.emit("Reduce"+kind, []string{x}, attribute{"axes", []int{op.Axis}}, keep))
		outputs = outputs[1:]
	}
	e.names[outputs[0]] = kept(e.emit("Arg"+kind, []string{x}, attribute{"axis", op.Axis}, keep))
	return nil
}

// joins reports whether what an operator makes of integers needs a pair of its own: they are joined or computed anew, and a layer behind
// it is an int8 one to ONNX Runtime only with the pair in front of it.
func joins(op ops.Op) bool {
	switch op.(type) {
	case ops.Concat, ops.Interpolate, ops.PixelShuffle:
		return true
	}
	return false
}

// operator writes a float operator and returns the name of its output.
func (e *exporter) operator(n *graph.Node) (string, error) {
	in := func(i int) string { return e.float(n.Inputs[i]) }
	out := n.Outputs[0].Type
	switch op := n.Op.(type) {
	case ops.Conv:
		return e.conv(op, n, in(1)), nil
	case ops.ConvTranspose:
		attributes := append(window(op.Stride, op.Padding, op.Dilation), attribute{"kernel_shape", []int(n.Inputs[1].Type.Shape[2:])}, attribute{"group", op.Groups},
			attribute{"output_padding", op.OutputPadding})
		return e.activation(e.emit("ConvTranspose", e.floats(n.Inputs), attributes...), op.Act)
	case ops.Linear:
		return e.linear(op, n, in(0))
	case ops.BatchNorm:
		x := e.floats(n.Inputs)
		return e.emit("BatchNormalization", x, attribute{"epsilon", float32(op.Eps)}), nil
	case ops.MatMul:
		b := in(1)
		if op.TransposeB {
			b = e.transposeLast(b, len(n.Inputs[1].Type.Shape))
		}
		return e.two("MatMul", in(0), b), nil
	case ops.Binary:
		return e.binary(op, n)
	case ops.Unary:
		return e.unary(op, in(0))
	case ops.Softmax:
		kind := map[bool]string{false: "Softmax", true: "LogSoftmax"}[op.Log]
		return e.emit(kind, []string{in(0)}, attribute{"axis", op.Axis}), nil
	case ops.LayerNorm:
		return e.layerNorm(op, n), nil
	case ops.GroupNorm:
		return e.groupNorm(n, op.Groups, op.Eps, op.HasWeight), nil
	case ops.InstanceNorm:
		return e.groupNorm(n, n.Inputs[0].Type.Shape[1], op.Eps, op.HasWeight), nil
	case ops.Attention:
		return e.attention(op, n)
	case ops.Embedding:
		return e.emit("Gather", []string{in(0), in(1)}, attribute{"axis", 0}), nil
	case ops.Cast:
		return e.emit("Cast", []string{in(0)}, attribute{"to", int(elementTypes[op.DType])}), nil
	case ops.MaxPool:
		attributes := append(window(op.Stride, op.Padding, op.Dilation), attribute{"kernel_shape", op.Kernel}, attribute{"ceil_mode", asInt(op.CeilMode)})
		return e.emit("MaxPool", []string{in(0)}, attributes...), nil
	case ops.AvgPool:
		return e.avgPool(op, n, in(0))
	case ops.AdaptiveAvgPool:
		return e.adaptiveAvgPool(op, n, in(0))
	case ops.Interpolate:
		return e.resize(op, n, in(0))
	case ops.PixelShuffle:
		if op.Reverse || len(out.Shape) != 4 {
			return e.lowered(op, n)
		}
		return e.emit("DepthToSpace", []string{in(0)}, attribute{"blocksize", op.Factor}, attribute{"mode", "CRD"}), nil
	case ops.Reduce:
		return e.reduce(op, n, in(0))
	}
	return e.move(n, out, in)
}

// move writes operators that move elements.
func (e *exporter) move(n *graph.Node, out ops.Type, in func(int) string) (string, error) {
	switch op := n.Op.(type) {
	case ops.Flatten:
		return e.two("Reshape", in(0), e.int64s(flattened(n.Inputs[0].Type.Shape, out.Shape, op.Start))), nil
	case ops.Reshape:
		return e.two("Reshape", in(0), e.int64s(op.Shape)), nil
	case ops.ReshapeTo:
		e.fixed = true
		return e.two("Reshape", in(0), e.int64s(out.Shape)), nil
	case ops.Permute:
		return e.emit("Transpose", []string{in(0)}, attribute{"perm", op.Order}), nil
	case ops.PadMode:
		if op.Fn == ops.Circular {
			return e.circular(op, in(0)), nil
		}
		kind := map[ops.PadFn]string{ops.Reflect: "reflect", ops.Replicate: "edge"}[op.Fn]
		return e.emit("Pad", []string{in(0), e.int64s(slices.Concat(op.Before, op.After))}, attribute{"mode", kind}), nil
	case ops.DynamicReshape:
		return e.two("Reshape", in(0), e.extents(n, op.Extents)), nil
	case ops.Concat:
		return e.emit("Concat", e.floats(n.Inputs), attribute{"axis", op.Axis}), nil
	case ops.Expand:
		shape := slices.Clone(out.Shape)
		e.fixed = e.fixed || op.Shape == nil
		if op.Shape != nil {
			for i, d := range op.Shape {
				if shape[i] = d; d < 0 {
					shape[i] = 1
				}
			}
		}
		return e.two("Expand", in(0), e.int64s(shape)), nil
	case ops.Index:
		return e.index(op, n)
	case ops.IndexSelect:
		return e.emit("Gather", []string{in(0), in(1)}, attribute{"axis", op.Axis}), nil
	case ops.Where:
		return e.emit("Where", []string{in(0), e.typed(n.Inputs[1], out.DType), e.typed(n.Inputs[2], out.DType)}), nil
	case ops.Slice:
		return e.slice(in(0), op.Start, op.End, op.Axis, op.Step), nil
	case ops.SliceTo: // its bounds are scalars
		bound := func(i int) string { return e.emit("Reshape", []string{in(i), e.int64s([]int{1})}) }
		return e.emit("Slice", []string{in(0), bound(1), bound(2), e.int64s([]int{op.Axis}), e.int64s([]int{op.Step})}), nil
	case ops.Pad:
		rank := len(n.Inputs[0].Type.Shape)
		before, after := make([]int, rank), make([]int, rank)
		copy(before, op.Before)
		copy(after, op.After)
		return e.emit("Pad", []string{in(0), e.int64s(append(before, after...)), e.scalar(op.Value)}), nil
	}
	return e.place(n, in)
}

// extents writes the vector of extents that are computed of those of inputs.
func (e *exporter) extents(n *graph.Node, list []ops.Extent) string {
	var parts []string
	for _, x := range list {
		part := e.int64s([]int{max(x.Factor, 1)})
		for _, d := range x.Of {
			part = e.two("Mul", part, e.two("Gather", e.one("Shape", e.float(n.Inputs[d.Input])), e.int64s([]int{d.Axis})))
		}
		if x.Divisor > 1 {
			part = e.two("Div", part, e.int64s([]int{x.Divisor}))
		}
		parts = append(parts, part)
	}
	return e.emit("Concat", parts, attribute{"axis", 0})
}

// full writes a value whose elements are all the same.
func (e *exporter) full(op ops.Full, n *graph.Node) string {
	t, err := tensor.FromSlice([]float64{op.Value})
	if err == nil {
		t, err = t.To(op.DType)
	}
	if err != nil {
		e.Fail(err)
		return ""
	}
	var shape string
	switch {
	case op.Like:
		shape = e.one("Shape", e.float(n.Inputs[0]))
	case op.Shape != nil:
		shape = e.int64s(op.Shape)
	default:
		shape = e.typed(n.Inputs[0], tensor.Int64)
	}
	return e.two("Expand", e.constant("c", t), shape)
}

// flattened is the shape of a Flatten, which leaves the extents in front as they are.
func flattened(in, out tensor.Shape, start int) []int {
	if start < 0 {
		start += len(in)
	}
	shape := slices.Clone(out)
	for i := range min(start, len(shape)) {
		shape[i] = 0
	}
	if start < len(shape) {
		shape[start] = -1
	}
	return shape
}

func (e *exporter) floats(list []*graph.Value) []string {
	names := make([]string, len(list))
	for i, v := range list {
		names[i] = e.float(v)
	}
	return names
}

func asInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// window returns the attributes that convolutions and pooling share.
func window(stride, padding, dilation []int) []attribute {
	list := []attribute{{"strides", stride}, {"pads", append(slices.Clone(padding), padding...)}}
	if slices.ContainsFunc(dilation, func(d int) bool { return d != 1 }) {
		list = append(list, attribute{"dilations", dilation})
	}
	return list
}

// conv writes a convolution with what follows it.
func (e *exporter) conv(op ops.Conv, n *graph.Node, weight string) string {
	in := []string{e.float(n.Inputs[0]), weight}
	next := 2
	if op.HasBias {
		in = append(in, e.bias(n))
		next++
	}
	y := e.emit("Conv", in, append(window(op.Stride, op.Padding, op.Dilation), attribute{"kernel_shape", []int(n.Inputs[1].Type.Shape[2:])}, attribute{"group", op.Groups})...)
	if op.HasResidual {
		y = e.two("Add", y, e.float(n.Inputs[next]))
	}
	y, err := e.activation(y, op.Act)
	e.Fail(err)
	return y
}

// linear writes a linear layer of x, which is the input of the node or stands for it.
func (e *exporter) linear(op ops.Linear, n *graph.Node, x string) (string, error) {
	w := e.float(n.Inputs[1])
	next := 2
	var y string
	if len(n.Inputs[0].Type.Shape) == 2 {
		in := []string{x, w}
		if op.HasBias {
			in = append(in, e.bias(n))
			next++
		}
		y = e.emit("Gemm", in, attribute{"transB", 1})
	} else {
		y = e.two("MatMul", x, e.transposeLast(w, 2))
		if op.HasBias {
			y = e.two("Add", y, e.bias(n))
			next++
		}
	}
	if op.HasResidual {
		y = e.two("Add", y, e.float(n.Inputs[next]))
	}
	return e.activation(y, op.Act)
}

// transposeLast swaps the last two of so many dimensions.
func (e *exporter) transposeLast(x string, rank int) string {
	order := make([]int, rank)
	for i := range order {
		order[i] = i
	}
	order[rank-1], order[rank-2] = rank-2, rank-1
	return e.emit("Transpose", []string{x}, attribute{"perm", order})
}

var binaryOps = map[ops.BinaryFn]string{
	ops.Add: "Add", ops.Sub: "Sub", ops.Mul: "Mul", ops.Div: "Div", ops.Pow: "Pow", ops.Max: "Max", ops.Min: "Min",
	ops.Eq: "Equal", ops.Lt: "Less", ops.Le: "LessOrEqual", ops.Gt: "Greater", ops.Ge: "GreaterOrEqual",
	ops.LogicalAnd: "And", ops.LogicalOr: "Or",
}

func (e *exporter) binary(op ops.Binary, n *graph.Node) (string, error) {
	fn := op.Fn
	if same := map[ops.BinaryFn]ops.BinaryFn{ops.BitAnd: ops.LogicalAnd, ops.BitOr: ops.LogicalOr}; n.Outputs[0].Type.DType == tensor.Bool && same[fn] != 0 {
		fn = same[fn] // of truth values
	}
	kind, ok := binaryOps[fn]
	if fn == ops.Ne {
		kind, ok = "Equal", true
	}
	if !ok {
		return "", unsupported(op, "it is not written")
	}
	common := n.Outputs[0].Type.DType
	if common == tensor.Bool { // of comparisons
		common = n.Inputs[0].Type.DType
		if op.ANumber || n.Inputs[1].Type.DType.IsFloat() {
			common = n.Inputs[1].Type.DType
		}
	}
	y := e.two(kind, e.typed(n.Inputs[0], common), e.typed(n.Inputs[1], common))
	if fn == ops.Ne {
		y = e.one("Not", y)
	}
	return e.activation(y, op.Act)
}

func (e *exporter) layerNorm(op ops.LayerNorm, n *graph.Node) string {
	in := e.floats(n.Inputs)
	if !op.HasWeight {
		shape := n.Inputs[0].Type.Shape
		ones := make([]float32, 1)
		for _, d := range shape[len(shape)-op.Dims:] {
			ones = slices.Repeat(ones, d)
		}
		for i := range ones {
			ones[i] = 1
		}
		t, err := tensor.FromSlice(ones, shape[len(shape)-op.Dims:]...)
		if err != nil {
			e.Fail(err)
			return ""
		}
		in = slices.Insert(in, 1, e.constant("ones", t))
	}
	return e.emit("LayerNormalization", in, attribute{"axis", -op.Dims}, attribute{"epsilon", float32(op.Eps)})
}

// groupNorm writes a norm over groups of channels as one over the channels of [batch, groups, elements], and the weight and the bias of each channel behind it.
func (e *exporter) groupNorm(n *graph.Node, groups int, eps float64, hasWeight bool) string {
	x, shape := e.float(n.Inputs[0]), n.Inputs[0].Type.Shape
	list := make([]float32, groups)
	zeros := values(e, "zeros", false, list...)
	for i := range list {
		list[i] = 1
	}
	y := e.two("Reshape", x, e.int64s([]int{0, groups, -1}))
	y = e.emit("InstanceNormalization", []string{y, values(e, "ones", false, list...), zeros}, attribute{"epsilon", float32(eps)})
	y = e.two("Reshape", y, e.one("Shape", x))
	each := []int{-1}
	for range shape[2:] {
		each = append(each, 1)
	}
	for i, v := range n.Inputs[1:] {
		kind := "Mul"
		if i == 1 || !hasWeight {
			kind = "Add"
		}
		y = e.two(kind, y, e.two("Reshape", e.float(v), e.int64s(each)))
	}
	return y
}

// attention writes softmax(q k^T scale + mask) v.
func (e *exporter) attention(op ops.Attention, n *graph.Node) (string, error) {
	if op.HeadsLast || op.Causal || op.ZeroMasked && op.HasMask {
		return "", unsupported(op, "heads behind positions, causal masks and rows without any element are not written")
	}
	q, k, v := e.float(n.Inputs[0]), e.float(n.Inputs[1]), e.float(n.Inputs[2])
	shape := n.Inputs[0].Type.Shape
	scale := op.Scale
	if scale == 0 {
		scale = 1 / math.Sqrt(float64(shape[len(shape)-1]))
	}
	s := e.two("MatMul", q, e.transposeLast(k, len(shape)))
	s = e.two("Mul", s, e.scalar(scale))
	if op.HasMask {
		if mask := n.Inputs[3]; mask.Type.DType == tensor.Bool {
			s = e.emit("Where", []string{e.float(mask), s, e.scalar(math.Inf(-1))})
		} else {
			s = e.two("Add", s, e.float(mask))
		}
	}
	if n.Outputs[0].Type.Q != nil {
		return e.two("MatMul", e.attentionWeights(s), v), nil
	}
	return e.two("MatMul", e.emit("Softmax", []string{s}, attribute{"axis", -1}), v), nil
}

// attentionWeights writes what int8.Attention makes of scores instead of a softmax: integers, divided by their sum. Both products are then
// those of octet.
func (e *exporter) attentionWeights(s string) string {
	last := attribute{"axes", []int{-1}}
	step := math.Log(510) / 255
	d := e.two("Sub", s, e.emit("ReduceMax", []string{s}, last))
	d = e.one("Round", e.two("Mul", d, e.scalar(1/step)))
	w := e.one("Exp", e.two("Mul", e.two("Max", d, e.scalar(-255)), e.scalar(step)))
	w = e.one("Round", e.two("Mul", w, e.scalar(255)))
	w = e.emit("Where", []string{e.two("Greater", d, e.scalar(-255)), w, e.scalar(0)})
	return e.two("Div", w, e.two("ReduceSum", w, values(e, "axes", false, int64(-1))))
}

func (e *exporter) avgPool(op ops.AvgPool, n *graph.Node, x string) (string, error) {
	if op.Divisor != 0 {
		return "", unsupported(n.Op, "a divisor of its own is not written")
	}
	attributes := append(window(op.Stride, op.Padding, nil), attribute{"kernel_shape", op.Kernel},
		attribute{"ceil_mode", asInt(op.CeilMode)}, attribute{"count_include_pad", asInt(op.CountIncludePad)})
	return e.emit("AveragePool", []string{x}, attributes...), nil
}

func (e *exporter) adaptiveAvgPool(op ops.AdaptiveAvgPool, n *graph.Node, x string) (string, error) {
	if !slices.ContainsFunc(op.Size, func(s int) bool { return s != 1 }) {
		return e.one("GlobalAveragePool", x), nil
	}
	var kernel []int
	for i, s := range op.Size {
		have := n.Inputs[0].Type.Shape[2+i]
		if s == 0 {
			s = have
		}
		if s < 1 || have%s != 0 {
			return "", unsupported(n.Op, "windows of several sizes (%d to %d) are not written", have, s)
		}
		kernel = append(kernel, have/s)
	}
	return e.emit("AveragePool", []string{x}, attribute{"kernel_shape", kernel}, attribute{"strides", kernel}), nil
}

func (e *exporter) resize(op ops.Interpolate, n *graph.Node, x string) (string, error) {
	kind := map[ops.InterpolateMode][3]string{
		ops.Nearest: {"nearest", "asymmetric", "floor"}, ops.NearestExact: {"nearest", "half_pixel", "round_prefer_ceil"},
		ops.Linearly: {"linear", "half_pixel", "floor"},
	}[op.Mode]
	if kind[0] == "" {
		return "", unsupported(n.Op, "its mode is not written")
	}
	if op.AlignCorners {
		kind[1] = "align_corners"
	}
	scales := make([]float32, len(n.Outputs[0].Type.Shape))
	for i, d := range n.Outputs[0].Type.Shape {
		if scales[i] = float32(d) / float32(n.Inputs[0].Type.Shape[i]); i >= 2 && op.Scales != nil {
			scales[i] = float32(op.Scales[i-2])
		}
	}
	return e.emit("Resize", []string{x, "", values(e, "scales", false, scales...)}, attribute{"mode", kind[0]},
		attribute{"coordinate_transformation_mode", kind[1]}, attribute{"nearest_mode", kind[2]}), nil
}

// index writes indices of one dimension, or of all the first ones.
func (e *exporter) index(op ops.Index, n *graph.Node) (string, error) {
	x := e.float(n.Inputs[0])
	if len(op.Axes) == 1 {
		return e.emit("Gather", []string{x, e.float(n.Inputs[1])}, attribute{"axis", op.Axes[0]}), nil
	}
	shape := n.Outputs[0].Type.Shape
	rank := len(shape) - (len(n.Inputs[0].Type.Shape) - len(op.Axes)) // of the indices together
	var parts []string
	e.fixed = true
	for i, axis := range op.Axes {
		if axis != i {
			return "", unsupported(op, "indices of dimensions %v, which are not the first, are not written", op.Axes)
		}
		part := e.two("Expand", e.typed(n.Inputs[1+i], tensor.Int64), e.int64s(shape[:rank]))
		parts = append(parts, e.two("Unsqueeze", part, e.int64s([]int{-1})))
	}
	return e.two("GatherND", x, e.emit("Concat", parts, attribute{"axis", -1})), nil
}

func (e *exporter) reduce(op ops.Reduce, n *graph.Node, x string) (string, error) {
	keep := attribute{"keepdims", asInt(op.KeepDims)}
	kind := map[ops.ReduceFn]string{ops.Mean: "ReduceMean", ops.AMax: "ReduceMax", ops.AMin: "ReduceMin", ops.Prod: "ReduceProd", ops.LogSumExp: "ReduceLogSumExp"}[op.Fn]
	switch {
	case kind != "" && len(op.Axes) > 0 && n.Inputs[0].Type.DType == n.Outputs[0].Type.DType && n.Inputs[0].Type.DType != tensor.Bool:
		return e.emit(kind, []string{x}, attribute{"axes", op.Axes}, keep), nil
	case op.Fn == ops.Sum && len(op.Axes) > 0 && n.Inputs[0].Type.DType == tensor.Float32:
		return e.emit("ReduceSum", []string{x, e.int64s(op.Axes)}, keep), nil
	}
	return "", unsupported(n.Op, "it is not written")
}
