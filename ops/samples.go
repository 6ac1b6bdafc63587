package ops

import (
	"reflect"
	"slices"
)

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
	rule := samples[reflect.TypeOf(op)]
	if rule == nil || len(in) == 0 {
		return SamplesMixed
	}
	return rule(op, in, constant)
}

var samples = make(map[reflect.Type]func(op Op, in []Type, constant []bool) Samples)

// by adds a row to the table: an operator of type T has the given way where ok, which nil leaves out, accepts it. rank is
// that of the first input.
func by[T Op](way Samples, ok func(op T, rank int, in []Type, constant []bool) bool) {
	samples[reflect.TypeFor[T]()] = func(op Op, in []Type, constant []bool) Samples {
		rank := len(in[0].Shape)
		if way == SamplesByRow && rank == 0 || ok != nil && !ok(op.(T), rank, in, constant) {
			return SamplesMixed
		}
		return way
	}
}

// isInner reports whether none of the axes is the first.
func isInner(rank int, axes ...int) bool {
	return !slices.ContainsFunc(axes, func(a int) bool { return a == 0 || a == -rank })
}

func init() {
	by[Reshape](SamplesInOrder, nil)
	by[ReshapeTo](SamplesInOrder, nil)
	by[Flatten](SamplesInOrder, nil)
	by(SamplesByIndex, func(_ Embedding, _ int, _ []Type, constant []bool) bool { return constant[0] })
	byRow[Unary]()
	byRow[Binary]()
	byRow[Where]()
	byRow[Cast]()
	byRow[BatchNorm]()
	byRow[GroupNorm]()
	byRow[InstanceNorm]()
	byRow[PixelShuffle]()
	byRow[ChannelShuffle]()
	byImage[AvgPool]()
	byImage[AdaptiveAvgPool]()
	byImage[MaxPool]()
	byImage[Interpolate]()
	byConv[Conv]()
	byConv[ConvTranspose]()
	by(SamplesByRow, func(_ Linear, rank int, _ []Type, constant []bool) bool { return rank >= 2 && constant[1] })
	by(SamplesByRow, func(_ MatMul, rank int, in []Type, constant []bool) bool {
		return rank >= 2 && rank >= len(in[1].Shape) && (rank > 2 || constant[1])
	})
	by(SamplesByRow, func(_ Attention, rank int, _ []Type, _ []bool) bool { return rank >= 3 })
	by(SamplesByRow, func(op LayerNorm, rank int, _ []Type, _ []bool) bool { return op.Dims < rank })
	by(SamplesByRow, func(op Softmax, rank int, _ []Type, _ []bool) bool { return isInner(rank, op.Axis) })
	by(SamplesByRow, func(op Permute, _ int, _ []Type, _ []bool) bool { return op.Order[0] == 0 })
	by(SamplesByRow, func(op Slice, rank int, _ []Type, _ []bool) bool { return isInner(rank, op.Axis) })
	by(SamplesByRow, func(op Concat, rank int, _ []Type, _ []bool) bool { return isInner(rank, op.Axis) })
	by(SamplesByRow, func(op Flip, rank int, _ []Type, _ []bool) bool { return isInner(rank, op.Axes...) })
	by(SamplesByRow, func(op Reduce, rank int, _ []Type, _ []bool) bool {
		return len(op.Axes) > 0 && isInner(rank, op.Axes...)
	})
	by(SamplesByRow, func(op Pad, _ int, _ []Type, _ []bool) bool { return op.Before[0] == 0 && op.After[0] == 0 })
}

// byRow is of operators that work row by row whatever their inputs are.
func byRow[T Op]() { by[T](SamplesByRow, nil) }

// byImage is of operators on images of a batch.
func byImage[T Op]() {
	by(SamplesByRow, func(_ T, rank int, _ []Type, _ []bool) bool { return rank >= 3 })
}

// byConv is of convolutions of a batch.
func byConv[T Op]() {
	by(SamplesByRow, func(_ T, rank int, in []Type, _ []bool) bool { return rank == len(in[1].Shape) })
}
