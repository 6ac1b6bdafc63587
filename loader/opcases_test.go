package loader

import (
	"math"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// operand is an input of an operator under test.
type operand struct {
	dtype tensor.DType
	shape []int
	q     *tensor.QParams
	konst bool
}

type opCase struct {
	op ops.Op
	in []operand
}

// saturated returns n, or the largest int where that has 32 bits.
func saturated(n int64) int { return int(min(n, math.MaxInt)) }

func f32(shape ...int) operand { return operand{dtype: tensor.Float32, shape: shape} }
func f64(shape ...int) operand { return operand{dtype: tensor.Float64, shape: shape} }
func i64(shape ...int) operand { return operand{dtype: tensor.Int64, shape: shape} }
func u8(shape ...int) operand {
	return operand{dtype: tensor.Uint8, shape: shape, q: tensor.PerTensor(tensor.Uint8, 0.1, 3)}
}

func (o operand) constant() operand { o.konst = true; return o }

func perChannel(dtype tensor.DType, shape ...int) operand {
	q := &tensor.QParams{DType: dtype, Scheme: tensor.PerChannelSymmetric, Min: -127, Max: 127}
	for i := range shape[0] {
		q.Scale = append(q.Scale, 0.01*float32(i+1))
		q.ZeroPoint = append(q.ZeroPoint, 0)
	}
	return operand{dtype, shape, q, true}
}

// opCases has an accepted use of every operator, from which hostile ones are
// made by changing attributes and inputs.
func opCases() []opCase {
	out := tensor.PerTensor(tensor.Uint8, 0.2, 5)
	depthwise := threeByThree
	depthwise.Groups = 4
	residual := oneByOne
	residual.HasResidual = true
	square := &[256]uint8{1, 2, 3}
	return []opCase{
		{ops.AdaptiveAvgPool{Size: []int{2, 2}}, []operand{f32(1, 3, 5, 5)}},
		{ops.ArgMax{Axis: 1}, []operand{f32(2, 3)}},
		{ops.AvgPool{Kernel: []int{2, 2}, Stride: []int{2, 2}, Padding: []int{1, 1}}, []operand{f32(1, 3, 5, 5)}},
		{ops.BatchNorm{Eps: 1e-5}, []operand{f32(1, 3, 2, 2), f32(3).constant(), f32(3).constant(), f32(3).constant(), f32(3).constant()}},
		{ops.Binary{Fn: ops.Add}, []operand{f32(2, 3, 1), f32(3, 4)}},
		{ops.Bits{DType: tensor.Int32}, []operand{f32(2, 3)}},
		{ops.Bits{DType: tensor.Float64}, []operand{f32(2, 4)}},
		{ops.Cast{DType: tensor.Int64}, []operand{f32(2, 3)}},
		{ops.Concat{Axis: 1}, []operand{f32(2, 3), f32(2, 1)}},
		{threeByThreeCase(), []operand{f32(1, 3, 5, 5), f32(4, 3, 3, 3).constant(), f32(4).constant()}},
		{depthwise, []operand{f32(1, 4, 5, 5), f32(4, 1, 3, 3).constant(), f32(4)}},
		{residual, []operand{f32(1, 3, 5, 5), f32(4, 3, 1, 1), f32(1, 4, 5, 5)}},
		{ops.PrefixScan{Axis: 1}, []operand{f32(2, 3)}},
		{ops.Embedding{}, []operand{f32(5, 3).constant(), i64(2, 2)}},
		{ops.Flatten{Start: 1, End: -1}, []operand{f32(2, 3, 4)}},
		{ops.GroupNorm{Groups: 2, Eps: 1e-5, HasWeight: true, HasBias: true}, []operand{f32(2, 4, 3), f32(4), f32(4)}},
		{ops.IndexSelect{Axis: 1}, []operand{f32(2, 3), i64(2)}},
		{ops.InstanceNorm{Eps: 1e-5}, []operand{f32(2, 4, 3)}},
		{ops.LayerNorm{Dims: 1, Eps: 1e-5, HasWeight: true, HasBias: true}, []operand{f32(2, 4, 3), f32(3), f32(3)}},
		{ops.Linear{HasBias: true}, []operand{f32(2, 4), f32(3, 4).constant(), f32(3).constant()}},
		{ops.MatMul{}, []operand{f32(2, 3, 4), f32(4, 2)}},
		{ops.MatMul{TransposeB: true}, []operand{f32(2, 3, 4), f32(2, 5, 4)}},
		{ops.MaxPool{Kernel: []int{3, 3}, Stride: []int{2, 2}, Padding: []int{1, 1}, Dilation: []int{1, 1}}, []operand{f32(1, 3, 5, 5)}},
		{ops.MaxPool{Kernel: []int{3}, Stride: []int{2}, Padding: []int{1}, Dilation: []int{1}}, []operand{u8(1, 3, 5)}},
		{ops.Pad{Before: []int{0, 1}, After: []int{2, -1}, Value: 1}, []operand{f32(2, 3)}},
		{ops.Permute{Order: []int{2, 0, 1}}, []operand{f32(2, 3, 4)}},
		{ops.Permute{Order: []int{1, 0}}, []operand{perChannel(tensor.Int8, 3, 2)}},
		{ops.Reduce{Fn: ops.Mean, Axes: []int{1}}, []operand{f32(2, 3, 4)}},
		{ops.Reshape{Shape: []int{0, -1}}, []operand{f32(2, 3, 4)}},
		{ops.Slice{Axis: 1, Start: 1, End: math.MaxInt, Step: 2}, []operand{f32(2, 5)}},
		{ops.Slice{Axis: 0, Start: 0, End: 2, Step: 1}, []operand{i64(5).constant()}},
		{ops.Softmax{Axis: -1}, []operand{f32(2, 5)}},
		{ops.Sort{Axis: 0}, []operand{f32(3, 2)}},
		{ops.TopK{K: 2, Axis: 1}, []operand{f32(3, 4)}},
		{ops.Unary{Fn: ops.Clamp, Alpha: -1, Beta: 1}, []operand{f32(3, 4)}},
		{ops.Arange{End: 7, Step: 2, DType: tensor.Float32}, nil},
		{ops.Arange{DType: tensor.Int64}, []operand{i64().constant(), i64().constant(), i64().constant()}},
		{ops.ClampGrad{Hi: 6}, []operand{f32(2, 3), f32(2, 3)}},
		{ops.ConvTranspose{Stride: []int{2, 2}, Padding: []int{1, 1}, OutputPadding: []int{1, 1}, Dilation: []int{1, 1}, Groups: 1, HasBias: true},
			[]operand{f32(1, 3, 4, 4), f32(3, 2, 3, 3).constant(), f32(2).constant()}},
		{ops.ConvTranspose{Stride: []int{3}, Padding: []int{0}, OutputPadding: []int{0}, Dilation: []int{2}, Groups: 2}, []operand{f32(1, 4, 4), f32(4, 2, 3)}},
		{ops.Conv64{Stride: []int{2, 1}, Padding: []int{1, 1}, Dilation: []int{1, 2}, Groups: 2, HasBias: true}, []operand{f64(2, 4, 5, 6), f64(6, 2, 3, 2).constant(), f64(6)}},
		{ops.ConvTranspose64{Stride: []int{3}, Padding: []int{1}, OutputPadding: []int{1}, Dilation: []int{2}, Groups: 2, HasBias: true}, []operand{f64(1, 4, 4), f64(4, 2, 3), f64(4)}},
		{ops.MatMul64{}, []operand{f64(2, 3, 4), f64(4, 2)}},
		{ops.MatMul64{TransposeB: true}, []operand{f64(2, 1, 3, 4), f64(3, 5, 4).constant()}},
		{ops.RNN64{Cell: ops.LSTMCell, Layers: 2, HasBias: true}, []operand{f64(3, 2, 4), f64(2, 2, 2), f64(2, 2, 2), f64(8, 4), f64(8, 2), f64(8), f64(8), f64(8, 2), f64(8, 2), f64(8), f64(8)}},
		{ops.ConvWeightGrad{ConvAttributes: ops.ConvAttributes{Stride: []int{1, 1}, Padding: []int{1, 1}, Dilation: []int{1, 1}, Groups: 1}, Kernel: []int{3, 3}}, []operand{f32(1, 3, 5, 5), f32(1, 4, 5, 5)}},
		{ops.CrossEntropy{}, []operand{f32(3, 4), i64(3)}},
		{ops.CrossEntropyGrad{}, []operand{f32(3, 4), i64(3), f32()}},
		{ops.CTCLoss{Blank: 2}, []operand{f32(5, 2, 3), i64(2, 2), i64(2), i64(2)}},
		{ops.CTCLossGrad{ZeroInfinity: true}, []operand{f64(5, 2, 3), i64(2, 2), i64(2), i64(2), f64(2)}},
		{ops.Decompose{Fn: ops.LU}, []operand{f32(2, 4, 3)}},
		{ops.Decompose{Fn: ops.Cholesky, Upper: true}, []operand{f64(3, 3)}},
		{ops.Decompose{Fn: ops.QR, Full: true}, []operand{f32(2, 4, 3)}},
		{ops.Decompose{Fn: ops.Eigh}, []operand{f32(2, 3, 3)}},
		{ops.Decompose{Fn: ops.SVD, Full: true}, []operand{f64(3, 5)}},
		{ops.Solve{Fn: ops.SolveUpper, Transpose: true}, []operand{f32(2, 3, 3), f32(2, 3, 4)}},
		{ops.MatrixExp{}, []operand{f32(2, 3, 3)}},
		{ops.RowOrder{M: 3}, []operand{{dtype: tensor.Int32, shape: []int{2, 0}}}},
		{ops.Expand{Shape: []int{2, -1, 4}}, []operand{f32(3, 1)}},
		{ops.Expand{}, []operand{f32(3, 1), i64(2).constant()}},
		{ops.DynamicReshape{Extents: []ops.Extent{{Of: []ops.Dimension{{Axis: 0}, {Axis: 1}}, Divisor: 2}, {Factor: 2}, {Of: []ops.Dimension{{Input: 1}}}}}, []operand{f32(2, 3, 4), f32(4)}},
		{ops.Assert{Message: "no"}, []operand{{dtype: tensor.Bool}}},
		{ops.Flip{Axes: []int{1}}, []operand{f32(2, 3)}},
		{ops.Full{Shape: []int{2, 3}, Value: 1.5, DType: tensor.Float32}, nil},
		{ops.Full{Like: true, DType: tensor.Int64}, []operand{f32(2, 3)}},
		{ops.Full{DType: tensor.Float32}, []operand{i64(2).constant()}},
		{ops.Detach{}, []operand{f32(2, 3)}},
		{ops.Gather{Axis: 1}, []operand{f32(2, 3), i64(2, 2)}},
		{ops.Index{Axes: []int{0, 2}}, []operand{f32(3, 2, 4), i64(2, 1), i64(3)}},
		{ops.IndexPut{Axes: []int{1}, Accumulate: true}, []operand{f32(2, 3), f32(2, 2), i64(2)}},
		{ops.Interpolate{Mode: ops.Linearly, Scales: []float64{2, 1.5}}, []operand{f32(1, 2, 3, 4)}},
		{ops.Interpolate{Mode: ops.Cubic, Size: []int{5, 2}, AlignCorners: true}, []operand{f32(1, 2, 3, 4)}},
		{ops.Item{Number: 1, Example: 3}, []operand{i64()}},
		{ops.Item{Exact: true}, []operand{{dtype: tensor.Bool}}},
		{ops.NMS{Threshold: 0.5}, []operand{f32(5, 4), f32(5)}},
		{ops.NonZero{}, []operand{{dtype: tensor.Bool, shape: []int{1}}, i64().constant()}},
		{ops.NumelOf{}, []operand{f32(2, 3)}},
		{ops.ReshapeTo{}, []operand{f32(2, 3), i64(0).constant()}},
		{ops.ReshapeTo{}, []operand{f32(1), i64(1).constant()}},
		{ops.RNN{Cell: ops.LSTMCell, Layers: 1, HasBias: true}, []operand{f32(3, 2, 4), f32(1, 2, 5), f32(1, 2, 5), f32(20, 4).constant(), f32(20, 5).constant(), f32(20).constant(), f32(20).constant()}},
		{ops.RNN{Cell: ops.LSTMCell, Layers: 1, BatchFirst: true, Rounded: true}, []operand{f32(2, 3, 4), f32(1, 2, 5), f32(1, 2, 5), f32(20, 4).constant(), f32(20, 5).constant()}},
		{ops.RNN{Cell: ops.GRUCell, Layers: 1, Bidirectional: true}, []operand{f32(3, 4), f32(2, 5), f32(15, 4), f32(15, 5), f32(15, 4), f32(15, 5)}},
		{ops.RoIMax{Size: []int{2, 3}, Scale: 0.5}, []operand{f32(2, 2, 4, 4), f32(3, 5)}},
		{ops.RoIAlign{Size: []int{1, 2}, Scale: 0.5, PerBin: true, Whole: true}, []operand{f32(2, 4, 4, 4), f32(3, 5)}},
		{ops.RoIAlignGrad{RoIAlign: ops.RoIAlign{Size: []int{2, 3}, Scale: 0.5, Ratio: 2, PerBin: true}, Shape: []int{2, 12, 4, 4}}, []operand{f32(3, 5), f32(3, 2, 2, 3)}},
		{ops.RoIAlign{Size: []int{2, 3}, Scale: 0.5, Ratio: 2, Aligned: true}, []operand{f32(2, 2, 4, 4), f32(3, 5)}},
		{ops.GridSample{Mode: ops.GridCubic, Padding: ops.GridReflection}, []operand{f32(2, 3, 4, 5), f32(2, 3, 2, 2)}},
		{ops.Random{Fn: ops.Uniform, DType: tensor.Float32, B: 1}, []operand{{dtype: tensor.Int32, shape: []int{628}}, f32(2, 3)}},
		{ops.Random{Fn: ops.Integers, DType: tensor.Int64, High: 9}, []operand{{dtype: tensor.Int32, shape: []int{628}}, i64(4)}},
		{ops.ReadGenerator{}, nil},
		{ops.SeedGenerator{}, []operand{i64()}},
		{ops.WriteGenerator{}, []operand{{dtype: tensor.Int32, shape: []int{628}}}},
		{ops.Roll{Shifts: []int{1, -2}, Axes: []int{0, 1}}, []operand{f32(2, 3)}},
		{ops.Scatter{Axis: 1, Fn: ops.ScatterAdd}, []operand{f32(2, 3), i64(2, 2), f32(2, 2)}},
		{ops.ShapeOf{}, []operand{f32(2, 3)}},
		{ops.SizeOf{Axis: 1}, []operand{f32(2, 3)}},
		{ops.SliceGrad{SliceAttributes: ops.SliceAttributes{Axis: 1, Start: 1, End: 4, Step: 2}, Shape: []int{2, 5}}, []operand{f32(2, 2)}},
		{ops.SliceTo{Axis: 1, Step: 1}, []operand{f32(2, 3), i64().constant(), i64().constant()}},
		{ops.Stack{Axis: 1}, []operand{f32(2, 3), f32(2, 3)}},
		{ops.Tile{Repeats: []int{2, 1, 3}}, []operand{f32(2, 3)}},
		{ops.Trilu{Diagonal: 1}, []operand{f32(3, 4)}},
		{ops.SlidingWindow{Axis: 1, Size: 3, Step: 2}, []operand{f32(2, 7)}},
		{ops.AdaptiveAvgPoolGrad{AdaptiveAvgPoolAttributes: ops.AdaptiveAvgPoolAttributes{Size: []int{2, 2}}, Shape: []int{1, 3, 5, 5}}, []operand{f32(1, 3, 2, 2)}},
		{ops.AddMM{Beta: 1, Alpha: 0.5}, []operand{f32(4), f32(2, 3), f32(3, 4)}},
		{ops.Attention{Causal: true}, []operand{f32(2, 3, 4), f32(2, 5, 4), f32(2, 5, 6)}},
		{ops.Attention{HasMask: true, Scale: 0.5}, []operand{f32(3, 4), f32(5, 4), f32(5, 6), f32(3, 5)}},
		{ops.AvgPoolGrad{AvgPoolAttributes: ops.AvgPoolAttributes{Kernel: []int{2, 2}, Stride: []int{2, 2}, Padding: []int{1, 1}}, Shape: []int{1, 3, 5, 5}}, []operand{f32(1, 3, 3, 3)}},
		{ops.BatchNormGrad{Eps: 1e-5, Batch: true}, []operand{f32(2, 3, 2), f32(2, 3, 2), f32(3), f32(3), f32(3)}},
		{ops.BatchNormTrain{Eps: 1e-5, Momentum: 0.1}, []operand{f32(2, 3, 2), f32(3), f32(3), f32(3), f32(3)}},
		{ops.ChannelShuffle{Groups: 2}, []operand{f32(1, 4, 2, 2)}},
		{ops.Diagonal{Offset: 1, Axis2: 1}, []operand{f32(3, 4, 2)}},
		{ops.Einsum{Equation: "bij,bjk->bik"}, []operand{f32(2, 3, 4), f32(2, 4, 5)}},
		{ops.EmbeddingGrad{Shape: []int{5, 3}}, []operand{i64(2, 2), f32(2, 2, 3)}},
		{ops.Fold{Size: []int{4, 4}, Kernel: []int{2, 2}, Stride: []int{2, 2}, Padding: []int{0, 0}, Dilation: []int{1, 1}}, []operand{f32(1, 8, 4)}},
		{ops.LayerNormGrad{Dims: 1, Eps: 1e-5, HasWeight: true}, []operand{f32(2, 3), f32(2, 3), f32(3)}},
		{ops.MaxPoolGrad{MaxPoolAttributes: ops.MaxPoolAttributes{Kernel: []int{2, 2}, Stride: []int{2, 2}, Padding: []int{0, 0}, Dilation: []int{1, 1}}}, []operand{f32(1, 3, 4, 4), f32(1, 3, 2, 2)}},
		{ops.OneHot{Classes: 4}, []operand{i64(2, 3)}},
		{ops.OneHot{Classes: -1}, []operand{i64(3).constant()}},
		{ops.PadMode{Fn: ops.Reflect, Before: []int{0, 2}, After: []int{0, 1}}, []operand{f32(2, 4)}},
		{ops.PadMode{Fn: ops.Replicate, Before: []int{0, 2}, After: []int{3, -1}}, []operand{f32(2, 4)}},
		{ops.PixelShuffle{Factor: 2}, []operand{f32(1, 4, 2, 3)}},
		{ops.FFT{Inverse: true}, []operand{f32(2, 67, 2)}},
		{ops.RFFT{}, []operand{f32(2, 8)}},
		{ops.STFT{Hop: 3, OneSided: true}, []operand{f32(2, 16), f32(8)}},
		{ops.SoftmaxGrad{SoftmaxAttributes: ops.SoftmaxAttributes{Axis: 1}}, []operand{f32(2, 3), f32(2, 3)}},
		{ops.UnaryGrad{UnaryAttributes: ops.UnaryAttributes{Fn: ops.GELU}}, []operand{f32(2, 3), f32(2, 3)}},
		{ops.Unfold{Kernel: []int{2, 2}, Stride: []int{1, 1}, Padding: []int{1, 1}, Dilation: []int{1, 1}}, []operand{f32(1, 2, 4, 4)}},
		{ops.Where{}, []operand{{dtype: tensor.Bool, shape: []int{2, 1}}, f32(2, 3), f32(3)}},

		{int8.AdaptiveAvgPool{AdaptiveAvgPoolAttributes: ops.AdaptiveAvgPoolAttributes{Size: []int{1, 1}}, Out: out}, []operand{u8(1, 3, 5, 5)}},
		{int8.Add{Act: ops.ActReLU, Out: out}, []operand{u8(2, 3), u8(2, 3)}},
		{int8.Mul{Act: ops.ActReLU, Out: out}, []operand{u8(2, 3), u8(2, 3)}},
		{int8.Mul{Out: out}, []operand{u8(2, 3, 4, 2), u8(2, 3, 1, 1)}},
		{int8.AvgPool{AvgPoolAttributes: ops.AvgPoolAttributes{Kernel: []int{2, 2}, Stride: []int{2, 2}, Padding: []int{0, 0}}, Out: out}, []operand{u8(1, 3, 5, 5)}},
		{int8.Conv{ConvAttributes: ops.ConvAttributes(threeByThree), Out: out}, []operand{u8(1, 3, 5, 5), perChannel(tensor.Int8, 4, 3, 3, 3), perChannel(tensor.Int32, 4)}},
		{int8.Conv{ConvAttributes: ops.ConvAttributes(depthwise), Out: out}, []operand{u8(1, 4, 5, 5), perChannel(tensor.Int8, 4, 1, 3, 3), perChannel(tensor.Int32, 4)}},
		{int8.Conv{ConvAttributes: ops.ConvAttributes(residual), Out: out}, []operand{u8(1, 3, 5, 5), perChannel(tensor.Int8, 4, 3, 1, 1), u8(1, 4, 5, 5)}},
		{int8.Dequantize{}, []operand{u8(3, 4)}},
		{int8.DynamicLinear{LinearAttributes: ops.LinearAttributes{HasBias: true, HasResidual: true, Act: ops.ActGELU}}, []operand{f32(3, 4), perChannel(tensor.Int8, 5, 4), f32(5).constant(), f32(3, 5)}},
		{int8.DynamicLinear{Range: int8.InputRange{Rule: int8.WholeInputEps, Lo: 1, Hi: 255, Eps: 0x1p-23}}, []operand{f32(3, 4), perChannel(tensor.Int8, 5, 4)}},
		{int8.Embedding{}, []operand{perChannel(tensor.Int8, 5, 3), i64(2, 2)}},
		{int8.RNN{RNNAttributes: ops.RNNAttributes{Cell: ops.LSTMCell, Layers: 1, HasBias: true}}, []operand{
			f32(3, 2, 4), f32(1, 2, 5), f32(1, 2, 5), perChannel(tensor.Int8, 20, 4), perChannel(tensor.Int8, 20, 5), f32(20).constant(), f32(20).constant(),
		}},
		{int8.Embedding{}, []operand{{tensor.Int8, []int{5, 3}, tensor.PerTensor(tensor.Int8, 0.1, 3), true}, i64(4)}},
		{int8.Linear{LinearAttributes: ops.LinearAttributes{HasBias: true}, Out: out}, []operand{u8(3, 4), perChannel(tensor.Int8, 5, 4), perChannel(tensor.Int32, 5)}},
		{int8.Linear{}, []operand{u8(3, 4), perChannel(tensor.Int8, 5, 4)}},
		{int8.Add{Act: ops.ActReLU}, []operand{u8(2, 3), f32(1, 3)}},
		{int8.Attention{AttentionAttributes: ops.AttentionAttributes{Causal: true}, Out: out}, []operand{u8(2, 3, 4), u8(2, 5, 4), u8(2, 5, 6)}},
		{int8.Attention{AttentionAttributes: ops.AttentionAttributes{HasMask: true, HeadsLast: true, Scale: 0.5}, Out: out}, []operand{u8(3, 2, 4), u8(5, 2, 4), u8(5, 2, 6), f32(3, 5)}},
		{int8.Concat{Axis: 1}, []operand{u8(2, 3), f32(2, 1)}},
		{int8.GroupNorm{GroupNormAttributes: ops.GroupNormAttributes{Groups: 2, Eps: 1e-5, HasWeight: true, HasBias: true}, Out: out}, []operand{u8(2, 4, 3), f32(4), f32(4)}},
		{int8.InstanceNorm{InstanceNormAttributes: ops.InstanceNormAttributes{Eps: 1e-5}, Out: out, Both: true}, []operand{u8(2, 4, 3)}},
		{int8.LayerNorm{LayerNormAttributes: ops.LayerNormAttributes{Dims: 1, Eps: 1e-5, HasWeight: true, HasBias: true}, Out: out, Both: true}, []operand{f32(2, 4, 3), f32(3), f32(3)}},
		{int8.MatMul{Out: out}, []operand{u8(2, 3, 5), u8(5, 2)}},
		{int8.MatMul{MatMulAttributes: ops.MatMulAttributes{TransposeB: true}, Out: out}, []operand{u8(2, 3, 4), u8(2, 5, 4)}},
		{int8.Softmax{SoftmaxAttributes: ops.SoftmaxAttributes{Axis: 1}, Out: out}, []operand{u8(2, 5, 3)}},
		{int8.Min{Act: ops.ActReLU, Out: out}, []operand{u8(2, 3, 4, 5), u8(1, 3, 1, 1)}},
		{int8.Max{Act: ops.ActReLU, Out: out}, []operand{u8(2, 3, 4, 5), u8(1, 3, 1, 1)}},
		{int8.Sub{Act: ops.ActReLU, Out: out}, []operand{u8(2, 3, 4, 5), u8(1, 3, 1, 1)}},
		{int8.Quantize{Q: out}, []operand{f32(3, 4)}},
		{int8.Table{Label: "square", Values: square, Out: out}, []operand{u8(3, 4)}},
	}
}

func threeByThreeCase() ops.Op { return threeByThree }

// bombs are uses of operators whose sizes overflow or exceed any machine.
func bombs() []opCase {
	const huge = math.MaxInt
	out := tensor.PerTensor(tensor.Uint8, 0.2, 5)
	wide := ops.Conv{Stride: []int{1}, Padding: []int{1 << 29}, Dilation: []int{1}, Groups: 1}
	return []opCase{
		{ops.Pad{Before: []int{huge}, After: []int{huge}}, []operand{f32(5)}},
		{ops.Pad{Before: []int{-huge, 1}, After: []int{-huge, 0}}, []operand{f32(5, 2)}},
		{ops.AvgPoolGrad{AvgPoolAttributes: ops.AvgPoolAttributes{Kernel: []int{2}, Stride: []int{1}, Padding: []int{0}}, Shape: []int{1, 1, saturated(1 << 40)}}, []operand{f32(1, 1, saturated(1<<40-1))}},
		{ops.AvgPoolGrad{AvgPoolAttributes: ops.AvgPoolAttributes{Kernel: []int{2}, Stride: []int{1}, Padding: []int{0}}, Shape: []int{-1, -1, 3}}, []operand{f32(1, 1, 2)}},
		{ops.OneHot{Classes: saturated(1 << 40)}, []operand{i64(4)}},
		{ops.Diagonal{Offset: math.MinInt, Axis2: 1}, []operand{f32(3, 4)}},
		{ops.PadMode{Fn: ops.Replicate, Before: []int{1 << 30}, After: []int{1 << 30}}, []operand{f32(3)}},
		{ops.PadMode{Fn: ops.Replicate, Before: []int{math.MinInt}, After: []int{math.MinInt}}, []operand{f32(3)}},
		{ops.PixelShuffle{Factor: saturated(1 << 32)}, []operand{f32(1, 0, 2, 3)}},
		{ops.PixelShuffle{Factor: huge, Reverse: true}, []operand{f32(1, 0, 2, 3)}},
		{ops.ChannelShuffle{Groups: math.MinInt}, []operand{f32(1, 4, 2, 3)}},
		{ops.Unfold{Kernel: []int{1 << 10, 1 << 10}, Stride: []int{1, 1}, Padding: []int{1 << 9, 1 << 9}, Dilation: []int{1, 1}}, []operand{f32(1, 1, 1<<10, 1<<10)}},
		{ops.Fold{Size: []int{1 << 30, 1 << 30}, Kernel: []int{1, 1}, Stride: []int{1 << 29, 1 << 29}, Padding: []int{0, 0}, Dilation: []int{1, 1}}, []operand{f32(1, 1, 4)}},
		{ops.EmbeddingGrad{Shape: []int{saturated(1 << 40), 1}}, []operand{i64(1), f32(1, 1)}},
		{ops.Einsum{Equation: "a,b,c,d->abcd"}, []operand{f32(1 << 12), f32(1 << 12), f32(1 << 12), f32(1 << 12)}},
		{ops.Einsum{Equation: "a,a->"}, []operand{f32(saturated(1 << 40)), f32(saturated(1 << 40))}},
		{ops.STFT{Hop: 1}, []operand{f32(1 << 30), f32(1 << 16)}},
		{ops.Pad{Before: []int{saturated(1 << 44)}, After: []int{1}}, []operand{f32(5)}},
		{ops.MaxPool{Kernel: []int{1 << 21, 1 << 21, 1 << 21}, Stride: []int{1, 1, 1}, Padding: []int{1 << 20, 1 << 20, 1 << 20}, Dilation: []int{1, 1, 1}}, []operand{f32(1, 1, 1, 1, 1)}},
		{ops.MaxPool{Kernel: []int{1 << 29}, Stride: []int{1}, Padding: []int{1 << 28}, Dilation: []int{1}}, []operand{f32(1, 1, 1)}},
		{ops.AvgPool{Kernel: []int{1 << 29}, Stride: []int{1}, Padding: []int{1 << 28}}, []operand{f32(1, 1, 1)}},
		{wide, []operand{f32(1, 1, 1), f32(1, 1, 1<<30)}},
		{wide, []operand{f32(1, 1, 1), f32(1, 1, 1).constant()}},
		{ops.AdaptiveAvgPool{Size: []int{saturated(1 << 31), saturated(1 << 31)}}, []operand{f32(1, 0, 1, 1)}},
		{ops.AdaptiveAvgPool{Size: []int{huge, 1}}, []operand{f32(1, 1, 2, 2)}},
		{ops.AdaptiveAvgPool{Size: []int{1, 1}}, []operand{f32(1, 1, 1<<20, 1<<20)}},
		{int8.AdaptiveAvgPool{AdaptiveAvgPoolAttributes: ops.AdaptiveAvgPoolAttributes{Size: []int{1 << 22, 2}}, Out: out}, []operand{u8(1, 1, 1, 1)}},
		{ops.Reshape{Shape: []int{saturated(1 << 32), saturated(1 << 32), -1}}, []operand{f32(5)}},
		{ops.Reshape{Shape: []int{huge, 2, -1}}, []operand{f32(2)}},
		{ops.Slice{Start: math.MinInt, End: huge, Step: huge}, []operand{f32(5)}},
		{ops.Binary{Fn: ops.Mul}, []operand{f32(1<<24, 1), f32(1, 1<<24)}},
		{ops.Concat{}, []operand{f32(saturated(1<<43), 1), f32(saturated(1<<43), 1)}},
		{ops.MatMul{}, []operand{f32(1<<24, 1), f32(1, 1<<24)}},
		{ops.MatMul{}, []operand{f32(1<<24, 0), f32(0, 1<<24)}},
		{ops.Linear{}, []operand{f32(1<<24, 0), f32(1<<24, 0)}},
		{ops.IndexSelect{}, []operand{f32(1, 1<<24), i64(1 << 24)}},
		{ops.Embedding{}, []operand{f32(1, 1<<24), i64(1 << 24)}},
		{int8.Embedding{}, []operand{{dtype: tensor.Int8, shape: []int{1, 1 << 24}, q: tensor.PerTensor(tensor.Int8, 0.1, 3)}, i64(1 << 24)}},
		{ops.TopK{K: 1 << 30}, []operand{f32(saturated(1 << 31))}},
		{ops.ConvTranspose{Stride: []int{1 << 16, 1 << 10}, Padding: []int{0, 0}, OutputPadding: []int{1<<16 - 1, 1<<10 - 1}, Dilation: []int{1, 1}, Groups: 1}, []operand{f32(1, 1, 1, 1), f32(1, 1, 1, 1)}},
		{ops.ConvTranspose{Stride: []int{1}, Padding: []int{1 << 19}, OutputPadding: []int{0}, Dilation: []int{1}, Groups: 1}, []operand{f32(1, 0, 3), f32(0, 1, 1<<20)}},
		{ops.ConvWeightGrad{ConvAttributes: ops.ConvAttributes(wide), Kernel: []int{1 << 29}}, []operand{f32(1, 1, 1), f32(1, 1, 1<<29+2)}},
		{ops.Interpolate{Size: []int{saturated(1 << 31), saturated(1 << 31)}}, []operand{f32(1, 1, 1, 1)}},
		{ops.Interpolate{Scales: []float64{1e300}}, []operand{f32(1, 1, 1)}},
		{ops.Tile{Repeats: []int{saturated(1 << 40), saturated(1 << 40)}}, []operand{f32(1, 1)}},
		{ops.Tile{Repeats: []int{1 << 30}}, []operand{f32(1)}},
		{ops.Expand{Shape: []int{1 << 30, 1 << 30}}, []operand{f32(1)}},
		{ops.Full{Shape: []int{saturated(1 << 40)}, DType: tensor.Float64}, nil},
		{ops.Arange{End: 1e300, Step: 1e-300, DType: tensor.Float32}, nil},
		{ops.Arange{End: 1 << 39, Step: 1, DType: tensor.Float32}, nil},
		{ops.Roll{Shifts: []int{math.MinInt, math.MinInt}, Axes: []int{0, 0}}, []operand{f32(3)}},
		{ops.Trilu{Diagonal: huge}, []operand{f32(3, 3)}},
		{ops.SlidingWindow{Size: 1 << 21, Step: 1}, []operand{f32(1 << 22)}},
		{ops.SliceGrad{SliceAttributes: ops.SliceAttributes{Start: 0, End: 2, Step: 1}, Shape: []int{saturated(1 << 40)}}, []operand{f32(2)}},
		{ops.BatchNorm{}, []operand{f32(1, 1<<30), f32(1 << 30), f32(1 << 30), f32(1 << 30), f32(1 << 30)}},
	}
}
