package ops

import "slices"

// Samples says how the outputs of an operator depend on the samples whose elements lie one after another in its inputs.
type Samples uint8

// The ways.
const (
	// SamplesMixed: an output may depend on several samples, or its elements lie in another order.
	SamplesMixed Samples = iota
	// SamplesInOrder: all elements of the first input stay in their order.
	SamplesInOrder
	// SamplesByRow: the rows of the outputs along the first dimension are computed from those of the inputs, or from inputs that
	// broadcast there.
	SamplesByRow
	// SamplesByIndex: the rows of the outputs are computed from those of the second input, indices into a constant.
	SamplesByIndex
)

// SamplesOf returns how the outputs of an operator depend on samples. constant says which of its inputs, of the types in, are constants.
func SamplesOf(op Op, in []Type, constant []bool) Samples {
	if len(in) == 0 {
		return SamplesMixed
	}
	switch op.(type) {
	case Reshape, ReshapeTo, Flatten:
		return SamplesInOrder
	case Embedding:
		if constant[0] {
			return SamplesByIndex
		}
		return SamplesMixed
	}
	if rank := len(in[0].Shape); rank > 0 && byRow(op, rank, in, constant) {
		return SamplesByRow
	}
	return SamplesMixed
}

// byRow reports whether the rows of the outputs are computed from those of the inputs. rank is that of the first input.
func byRow(op Op, rank int, in []Type, constant []bool) bool {
	switch op := op.(type) {
	case Unary, Binary, Where, Cast, BatchNorm, GroupNorm, InstanceNorm, PixelShuffle, ChannelShuffle:
		return true
	case AvgPool, AdaptiveAvgPool, MaxPool, Interpolate:
		return rank >= 3 // images of a batch
	case Conv, ConvTranspose:
		return rank == len(in[1].Shape)
	case Linear:
		return rank >= 2 && constant[1]
	case MatMul:
		return rank >= 2 && rank >= len(in[1].Shape) && (rank > 2 || constant[1])
	case Attention:
		return rank >= 3
	case LayerNorm:
		return op.Dims < rank
	case Softmax:
		return isInner(rank, op.Axis)
	case Permute:
		return op.Order[0] == 0
	case Slice:
		return isInner(rank, op.Axis)
	case Concat:
		return isInner(rank, op.Axis)
	case Flip:
		return isInner(rank, op.Axes...)
	case Reduce:
		return len(op.Axes) > 0 && isInner(rank, op.Axes...)
	case Pad:
		return op.Before[0] == 0 && op.After[0] == 0
	}
	return false
}

// isInner reports whether none of the axes is the first.
//
//go:noinline
func isInner(rank int, axes ...int) bool {
	return !slices.ContainsFunc(axes, func(a int) bool { return a == 0 || a == -rank })
}
