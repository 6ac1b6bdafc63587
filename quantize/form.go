package quantize

import (
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// form is how an operator computes on quantized values.
type form uint8

const (
	noForm    form = iota
	layerForm      // a convolution or linear layer: an int8 weight
	keepForm       // on the integers as they are: the output has the parameters of input 0
	poolForm       // an average over windows
	sumForm
	productForm
	minForm
	tableForm // a function of one element: a table of 256 integers
	joinForm  // a concatenation of values with the parameters of the output
)

// formOf returns the form of an operator, noForm where it has none.
func formOf(n *graph.Node) form {
	if len(n.Inputs) == 0 || len(n.Outputs) != 1 || n.Outputs[0].Type.DType != tensor.Float32 {
		return noForm
	}
	switch op := n.Op.(type) {
	case ops.Conv, ops.Linear:
		return layerForm
	case ops.MaxPool, ops.Slice, ops.SliceTo, ops.Pad, ops.PadMode, ops.Reshape, ops.ReshapeTo, ops.Flatten, ops.Permute,
		ops.Expand, ops.Tile, ops.Flip, ops.Roll, ops.Interpolate:
		if keepsParameters(n) {
			return keepForm
		}
	case ops.AvgPool, ops.AdaptiveAvgPool:
		return poolForm
	case ops.Reduce:
		if spatialMean(op, n.Inputs[0].Type) {
			return poolForm
		}
	case ops.Unary:
		if n.Inputs[0].Const == nil && n.Inputs[0].Type.DType == tensor.Float32 {
			return tableForm
		}
	case ops.Binary:
		return binaryForm(n, op)
	case ops.Concat:
		return joinForm
	}
	return noForm
}

// keepsParameters reports whether the operator takes quantized values as it is.
func keepsParameters(n *graph.Node) bool {
	if n.Inputs[0].Const != nil || n.Inputs[0].Type.DType != tensor.Float32 {
		return false
	}
	types := make([]ops.Type, len(n.Inputs))
	for i, v := range n.Inputs {
		types[i] = v.Type
	}
	q := tensor.PerTensor(tensor.Uint8, 1, 0)
	types[0] = ops.Type{DType: tensor.Uint8, Shape: types[0].Shape, Q: q}
	out, err := n.Op.Infer(types)
	return err == nil && out[0].DType == tensor.Uint8 && out[0].Q.Equal(q)
}

// spatialMean reports whether the reduction is the mean over the height and
// width of images.
func spatialMean(op ops.Reduce, in ops.Type) bool {
	if op.Fn != ops.Mean || len(in.Shape) != 4 || len(op.Axes) != 2 {
		return false
	}
	var axes [4]bool
	for _, a := range op.Axes {
		if a < 0 {
			a += 4
		}
		if a < 0 || a > 3 {
			return false
		}
		axes[a] = true
	}
	return axes == [4]bool{false, false, true, true}
}

// binaryForm returns the form of a function of two values. With a single number
// any function is one of one element.
func binaryForm(n *graph.Node, op ops.Binary) form {
	numbers, constants := 0, 0
	for _, v := range n.Inputs {
		switch {
		case v.Type.DType != tensor.Float32:
			return noForm
		case v.Const == nil:
			continue
		case len(v.Type.Shape) == 0 || v.Const.Numel() == 1 && len(v.Type.Shape) <= len(n.Outputs[0].Type.Shape):
			numbers++
		default:
			if _, _, finite := minMax(v.Const.Contiguous().Float32s()); !finite {
				return noForm
			}
		}
		constants++
	}
	// Operands of lower rank would have to get the dimensions they lack.
	oneRank := len(n.Inputs[0].Type.Shape) == len(n.Inputs[1].Type.Shape)
	switch {
	case constants == 2:
		return noForm
	case numbers == 1:
		return tableForm
	case op.Fn == ops.Add && oneRank:
		return sumForm
	case op.Fn == ops.Mul && oneRank:
		return productForm
	case op.Fn == ops.Min && oneRank:
		return minForm
	}
	return noForm
}

// isLayer reports whether the operator has weights.
func isLayer(op ops.Op) bool {
	switch op.(type) {
	case ops.Conv, ops.Linear:
		return true
	}
	return false
}

func isLinear(op ops.Op) bool {
	_, ok := op.(ops.Linear)
	return ok
}

func hasBias(op ops.Op) bool {
	switch op := op.(type) {
	case ops.Conv:
		return op.HasBias
	case ops.Linear:
		return op.HasBias
	}
	return false
}

// withBias returns the layer with or without a bias.
func withBias(op ops.Op, has bool) ops.Op {
	switch layer := op.(type) {
	case ops.Conv:
		layer.HasBias = has
		return layer
	case ops.Linear:
		layer.HasBias = has
		return layer
	}
	return op
}

func hasResidual(op ops.Op) bool {
	switch op := op.(type) {
	case ops.Conv:
		return op.HasResidual
	case ops.Linear:
		return op.HasResidual
	}
	return false
}

// isResidual reports whether input i of the node is added to a layer's output.
func isResidual(n *graph.Node, i int) bool {
	return hasResidual(n.Op) && i == len(n.Inputs)-1
}

// isDepthwise reports whether each output channel comes from one input channel.
func isDepthwise(n *graph.Node) bool {
	op, ok := n.Op.(ops.Conv)
	return ok && op.Groups > 1 && op.Groups == n.Inputs[0].Type.Shape[1]
}

// dataInputs lists the inputs of a node with an int8 form that are activations.
func dataInputs(n *graph.Node) []int {
	switch formOf(n) {
	case layerForm:
		if hasResidual(n.Op) {
			return []int{0, len(n.Inputs) - 1}
		}
		return []int{0}
	case keepForm:
		return []int{0}
	case tableForm:
		for i, v := range n.Inputs {
			if v.Const == nil {
				return []int{i}
			}
		}
	}
	all := make([]int, len(n.Inputs))
	for i := range all {
		all[i] = i
	}
	return all
}
