package torchscript

import (
	"fmt"
	"math"
	"strings"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// torchDTypes are the numbers of PyTorch's element types.
var torchDTypes = map[tensor.DType]int{
	tensor.Uint8: 0, tensor.Int8: 1, tensor.Int32: 3, tensor.Int64: 4, tensor.Float16: 5, tensor.Float32: 6, tensor.Float64: 7, tensor.Bool: 11, tensor.BFloat16: 15,
}

// node writes one node.
func (e *exporter) node(n *graph.Node) error {
	if two, err := e.pair(n); two != nil || err != nil {
		for i, name := range two {
			e.names[n.Outputs[i]] = name
		}
		return err
	}
	if len(n.Outputs) != 1 {
		return unsupported(n.Op, "an operator of %d outputs is not written", len(n.Outputs))
	}
	name, done, err := e.int8(n)
	for _, write := range []func(*graph.Node) (string, error){e.layer, e.image, e.shape, e.indexing, e.elements} {
		if done || err != nil {
			break
		}
		name, err = write(n)
		done = name != ""
	}
	if !done && err == nil {
		err = unsupported(n.Op, "it is not written")
	}
	e.names[n.Outputs[0]] = name
	return err
}

// values returns the names of all inputs.
func (e *exporter) list(values []*graph.Value) string {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = e.value(v)
	}
	return strings.Join(names, ", ")
}

// pair writes operators of two outputs, and others that give them.
func (e *exporter) pair(n *graph.Node) ([]string, error) {
	if len(n.Outputs) != 2 && len(n.Outputs) != 3 {
		return nil, nil
	}
	switch op := n.Op.(type) {
	case ops.ArgMax:
		name := map[bool]string{false: "max", true: "min"}[op.Min]
		return e.emitAll(2, "torch.%s(%s, %d, %s)", name, e.value(n.Inputs[0]), op.Axis, boolean(op.KeepDims)), nil
	case ops.Sort:
		return e.emitAll(2, "torch.sort(%s, stable=True, dim=%d, descending=%s)", e.value(n.Inputs[0]), op.Axis, boolean(op.Descending)), nil
	case ops.TopK:
		return e.emitAll(2, "torch.topk(%s, %d, %d, %s)", e.value(n.Inputs[0]), op.K, op.Axis, boolean(!op.Least)), nil
	case ops.RNN:
		return e.recurrent(n, op), nil
	}
	return nil, nil
}

// recurrent writes an LSTM, a GRU or a plain recurrent network.
func (e *exporter) recurrent(n *graph.Node, op ops.RNN) []string {
	state, weights := e.value(n.Inputs[1]), n.Inputs[2:]
	if op.Cell == ops.LSTMCell {
		state, weights = "["+state+", "+e.value(n.Inputs[2])+"]", n.Inputs[3:]
	}
	return e.emitAll(len(n.Outputs), "torch.%v(%s, %s, [%s], %s, %d, 0., False, %s, %s)", op.Cell, e.value(n.Inputs[0]), state, e.list(weights),
		boolean(op.HasBias), op.Layers, boolean(op.Bidirectional), boolean(op.BatchFirst))
}

// activate writes what a layer ends with.
func (e *exporter) activate(y string, a ops.Activation) string {
	switch a {
	case ops.NoActivation:
		return y
	case ops.ActGELU:
		return e.emit("torch.gelu(%s)", y)
	case ops.ActGELUTanh:
		return e.emit(`torch.gelu(%s, approximate="tanh")`, y)
	}
	return e.emit("torch.%v(%s)", a, y)
}

// after adds the residual of a layer, its last input, and the activation.
func (e *exporter) after(n *graph.Node, y string, residual bool, a ops.Activation) string {
	if residual {
		y = e.emit("torch.add(%s, %s)", y, e.value(n.Inputs[len(n.Inputs)-1]))
	}
	return e.activate(y, a)
}

// layer writes operators with parameters; "" is for others.
func (e *exporter) layer(n *graph.Node) (string, error) {
	in := func(i int) string { return e.value(n.Inputs[i]) }
	switch op := n.Op.(type) {
	case ops.Conv:
		return e.convFloat(n, op), nil
	case ops.Conv64:
		return e.convFloat(n, ops.Conv{Stride: op.Stride, Padding: op.Padding, Dilation: op.Dilation, Groups: op.Groups, HasBias: op.HasBias}), nil
	case ops.ConvTranspose:
		return e.convTranspose(n, op), nil
	case ops.ConvTranspose64:
		return e.convTranspose(n, ops.ConvTranspose{
			Stride: op.Stride, Padding: op.Padding, OutputPadding: op.OutputPadding, Dilation: op.Dilation, Groups: op.Groups, HasBias: op.HasBias,
		}), nil
	case ops.Linear:
		y := e.emit("torch.linear(%s, %s, %s)", in(0), in(1), e.optional(n, op.HasBias, 2))
		return e.after(n, y, op.HasResidual, op.Act), nil
	case ops.MatMul:
		return e.matmul(n, op.TransposeB), nil
	case ops.MatMul64:
		return e.matmul(n, op.TransposeB), nil
	case ops.AddMM:
		return e.emit("torch.addmm(%s, beta=%s, alpha=%s)", e.list(n.Inputs), float(op.Beta), float(op.Alpha)), nil
	case ops.Einsum:
		return e.emit("torch.einsum(%q, [%s])", op.Equation, e.list(n.Inputs)), nil
	case ops.BatchNorm:
		return e.emit("torch.batch_norm(%s, False, 0., %s, False)", e.list(n.Inputs), float(op.Eps)), nil
	case ops.LayerNorm:
		shape := n.Inputs[0].Type.Shape
		return e.emit("torch.layer_norm(%s, %s, %s, %s, %s, False)", in(0), ints(shape[len(shape)-op.Dims:]),
			e.optional(n, op.HasWeight, 1), e.optional(n, op.HasBias, len(n.Inputs)-1), float(op.Eps)), nil
	case ops.GroupNorm:
		return e.emit("torch.group_norm(%s, %d, %s, %s, %s, False)", in(0), op.Groups,
			e.optional(n, op.HasWeight, 1), e.optional(n, op.HasBias, len(n.Inputs)-1), float(op.Eps)), nil
	case ops.InstanceNorm:
		return e.emit("torch.instance_norm(%s, %s, %s, None, None, True, 0., %s, False)", in(0),
			e.optional(n, op.HasWeight, 1), e.optional(n, op.HasBias, len(n.Inputs)-1), float(op.Eps)), nil
	case ops.Embedding:
		return e.emit("torch.embedding(%s, %s)", in(0), in(1)), nil
	case ops.Attention:
		return e.attention(n, op)
	}
	return "", nil
}

func (e *exporter) convFloat(n *graph.Node, op ops.Conv) string {
	y := e.emit("torch.conv%dd(%s, %s, %s, %s, %s, %s, %d)", len(op.Stride), e.value(n.Inputs[0]), e.value(n.Inputs[1]), e.optional(n, op.HasBias, 2),
		ints(op.Stride), ints(op.Padding), ints(op.Dilation), op.Groups)
	return e.after(n, y, op.HasResidual, op.Act)
}

func (e *exporter) convTranspose(n *graph.Node, op ops.ConvTranspose) string {
	y := e.emit("torch.conv_transpose%dd(%s, %s, %s, %s, %s, %s, %d, %s)", len(op.Stride), e.value(n.Inputs[0]), e.value(n.Inputs[1]), e.optional(n, op.HasBias, 2),
		ints(op.Stride), ints(op.Padding), ints(op.OutputPadding), op.Groups, ints(op.Dilation))
	return e.activate(y, op.Act)
}

func (e *exporter) matmul(n *graph.Node, transpose bool) string {
	b := e.value(n.Inputs[1])
	if transpose {
		b = e.emit("torch.transpose(%s, -2, -1)", b)
	}
	return e.emit("torch.matmul(%s, %s)", e.value(n.Inputs[0]), b)
}

// attention writes softmax(q k^T scale + mask) v, whose operator has other names in PyTorch 1.13.
func (e *exporter) attention(n *graph.Node, op ops.Attention) (string, error) {
	if op.HeadsLast || op.Causal || op.ZeroMasked && op.HasMask {
		return "", unsupported(op, "heads behind positions, causal masks and rows without any element are not written")
	}
	scale, shape := op.Scale, n.Inputs[0].Type.Shape
	if scale == 0 {
		scale = 1 / math.Sqrt(float64(shape[len(shape)-1]))
	}
	s := e.emit("torch.matmul(%s, torch.transpose(%s, -2, -1))", e.value(n.Inputs[0]), e.value(n.Inputs[1]))
	s = e.emit("torch.mul(%s, %s)", s, float(scale))
	if op.HasMask {
		if mask := e.value(n.Inputs[3]); n.Inputs[3].Type.DType == tensor.Bool {
			s = e.emit("torch.masked_fill(%s, torch.logical_not(%s), -inf)", s, mask)
		} else {
			s = e.emit("torch.add(%s, %s)", s, mask)
		}
	}
	return e.emit("torch.matmul(torch.softmax(%s, -1, None), %s)", s, e.value(n.Inputs[2])), nil
}

// image writes operators on images.
func (e *exporter) image(n *graph.Node) (string, error) {
	if len(n.Inputs) == 0 {
		return "", nil
	}
	x := e.value(n.Inputs[0])
	switch op := n.Op.(type) {
	case ops.MaxPool:
		return e.emit("torch.max_pool%dd(%s, %s, %s, %s, %s, %s)", len(op.Kernel), x, ints(op.Kernel), ints(op.Stride), ints(op.Padding), ints(op.Dilation),
			boolean(op.CeilMode)), nil
	case ops.AvgPool:
		if op.Divisor != 0 && len(op.Kernel) == 1 {
			return "", unsupported(op, "a divisor of its own in one dimension is not written")
		}
		return e.avgPool(op, x), nil
	case ops.AdaptiveAvgPool:
		return e.adaptiveAvgPool(n, op.Size), nil
	case ops.Interpolate:
		return e.interpolate(n, op)
	case ops.Pad:
		return e.emit("torch.constant_pad_nd(%s, %s, %s)", x, padding(op.Before, op.After), literal(op.Value, n.Inputs[0].Type.DType)), nil
	case ops.PadMode:
		before, after := op.Before, op.After
		for len(before) > 2 && before[0] == 0 && after[0] == 0 { // PyTorch pads the last dimensions
			before, after = before[1:], after[1:]
		}
		if front := len(op.Before) - len(before); front == 0 || front < len(op.Before)-3 {
			return "", unsupported(op, "padding of the first dimension is not written")
		}
		return e.emit("torch.pad(%s, %s, %q, None)", x, padding(before, after), op.Fn.String()), nil
	case ops.PixelShuffle:
		return e.emit("torch.%s(%s, %d)", op.Name(), x, op.Factor), nil
	case ops.ChannelShuffle:
		return e.emit("torch.channel_shuffle(%s, %d)", x, op.Groups), nil
	case ops.Unfold:
		return e.emit("torch.im2col(%s, %s, %s, %s, %s)", x, ints(op.Kernel), ints(op.Dilation), ints(op.Padding), ints(op.Stride)), nil
	case ops.Fold:
		return e.emit("torch.col2im(%s, %s, %s, %s, %s, %s)", x, ints(op.Size), ints(op.Kernel), ints(op.Dilation), ints(op.Padding), ints(op.Stride)), nil
	}
	return "", nil
}

// padding formats what is added to each dimension, the last ones first.
func padding(before, after []int) string {
	var list []int
	for i := len(before) - 1; i >= 0; i-- {
		list = append(list, before[i], after[i])
	}
	return ints(list)
}

func (e *exporter) avgPool(op ops.AvgPool, x string) string {
	divisor := ""
	if op.Divisor != 0 {
		divisor = ", " + number(op.Divisor)
	}
	return e.emit("torch.avg_pool%dd(%s, %s, %s, %s, %s, %s%s)", len(op.Kernel), x, ints(op.Kernel), ints(op.Stride), ints(op.Padding),
		boolean(op.CeilMode), boolean(op.CountIncludePad), divisor)
}

func (e *exporter) adaptiveAvgPool(n *graph.Node, size []int) string {
	return e.emit("torch.adaptive_avg_pool%dd(%s, %s)", len(size), e.value(n.Inputs[0]), e.pooledTo(n, size))
}

// pooledTo formats the extents of adaptive pooling, of which 0 is the input's.
func (e *exporter) pooledTo(n *graph.Node, size []int) string {
	texts := make([]string, len(size))
	for i, s := range size {
		if texts[i] = number(s); s == 0 {
			texts[i] = fmt.Sprintf("torch.size(%s, %d)", e.value(n.Inputs[0]), i-len(size))
		}
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

func (e *exporter) interpolate(n *graph.Node, op ops.Interpolate) (string, error) {
	d := len(n.Inputs[0].Type.Shape) - 2
	kind := map[ops.InterpolateMode][]string{
		ops.Nearest:      {"upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d"},
		ops.NearestExact: {"_upsample_nearest_exact1d", "_upsample_nearest_exact2d", "_upsample_nearest_exact3d"},
		ops.Linearly:     {"upsample_linear1d", "upsample_bilinear2d", "upsample_trilinear3d"},
		ops.Cubic:        {"", "upsample_bicubic2d", ""},
	}[op.Mode]
	if kind == nil || d > 3 || kind[d-1] == "" {
		return "", unsupported(op, "%v is not written", op.Mode)
	}
	args := ""
	if op.Mode == ops.Linearly || op.Mode == ops.Cubic {
		args = ", " + boolean(op.AlignCorners)
	}
	scales := make([]string, len(op.Scales))
	for i, s := range op.Scales {
		scales[i] = float(s)
	}
	by := "[" + strings.Join(scales, ", ") + "]"
	switch {
	case op.Size != nil && op.Scales != nil: // the extents, and the scales that coordinates follow
		return e.emit("torch.%s(%s, %s%s, %s)", kind[d-1], e.value(n.Inputs[0]), ints(op.Size), args, strings.Trim(by, "[]")), nil
	case op.Scales != nil:
		return e.emit("torch.%s(%s, None%s, %s)", kind[d-1], e.value(n.Inputs[0]), args, by), nil
	case op.Size != nil:
		return e.emit("torch.%s(%s, %s%s, None)", kind[d-1], e.value(n.Inputs[0]), ints(op.Size), args), nil
	}
	return e.emit("torch.%s(%s, %s%s, None)", kind[d-1], e.value(n.Inputs[0]), e.extents(n.Inputs[1]), args), nil
}

// reshaped formats the extents of a Reshape, of which 0 is the input's.
func reshaped(x string, shape []int) string {
	texts := make([]string, len(shape))
	for i, d := range shape {
		if texts[i] = number(d); d == 0 {
			texts[i] = fmt.Sprintf("torch.size(%s, %d)", x, i)
		}
	}
	return "[" + strings.Join(texts, ", ") + "]"
}
