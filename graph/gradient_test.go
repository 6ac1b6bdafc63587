package graph_test

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// gradientCase is an operator applied to random inputs of the given shapes.
type gradientCase struct {
	name   string
	op     ops.Op
	shapes [][]int
	consts map[int]*tensor.Tensor // inputs by their place among all; those of shapes are the others
	from   float64                // the inputs are normal around it
	fixed  int                    // the last inputs, which have no gradient
	again  int                    // how often the first input stands again behind the others
	apart  float64                // when positive, inputs are multiples of it, none twice: for maxima
	output int                    // the one whose gradient is looked at
}

var gradientCases = []gradientCase{
	{name: "linear", op: ops.Linear{HasBias: true}, shapes: [][]int{{5, 7}, {3, 7}, {3}}},
	{name: "linear 3d relu", op: ops.Linear{HasBias: true, Act: ops.ActReLU}, shapes: [][]int{{2, 5, 7}, {20, 7}, {20}}},
	{name: "lu", op: ops.Decompose{Fn: ops.LU}, shapes: [][]int{{2, 3, 3}}},
	{name: "q", op: ops.Decompose{Fn: ops.QR}, shapes: [][]int{{4, 3}}},
	{name: "r", op: ops.Decompose{Fn: ops.QR}, shapes: [][]int{{4, 3}}, output: 1},
	{name: "u", op: ops.Decompose{Fn: ops.SVD}, shapes: [][]int{{5, 3}}},
	{name: "s", op: ops.Decompose{Fn: ops.SVD}, shapes: [][]int{{2, 3, 4}}, output: 1},
	{name: "vh", op: ops.Decompose{Fn: ops.SVD}, shapes: [][]int{{3, 5}}, output: 2},
	{name: "solve", op: ops.Solve{Transpose: true}, shapes: [][]int{{3, 3}, {3, 2}}},
	{name: "solve lower", op: ops.Solve{Fn: ops.SolveLower, Unit: true}, shapes: [][]int{{2, 3, 3}, {2, 3, 2}}},
	{name: "matrix exp", op: ops.MatrixExp{}, shapes: [][]int{{3, 3}}},
	{name: "linear residual", op: ops.Linear{HasResidual: true}, shapes: [][]int{{5, 7}, {3, 7}, {5, 3}}},
	{name: "matmul", op: ops.MatMul{}, shapes: [][]int{{2, 3, 4}, {2, 4, 5}}},
	{name: "matmul broadcast", op: ops.MatMul{}, shapes: [][]int{{2, 3, 4}, {4, 5}}},
	{name: "matmul transposed", op: ops.MatMul{TransposeB: true}, shapes: [][]int{{2, 3, 4}, {2, 5, 4}}},
	{name: "conv", op: conv2d(1, 1, 1, 1), shapes: [][]int{{2, 4, 6, 5}, {7, 4, 3, 3}}},
	{name: "conv stride", op: conv2d(2, 1, 1, 1), shapes: [][]int{{1, 3, 7, 8}, {18, 3, 3, 3}}},
	{name: "conv stride 3 pad 2 dilation 2", op: conv2d(3, 2, 2, 1), shapes: [][]int{{1, 2, 11, 9}, {3, 2, 3, 3}}},
	{name: "conv 1x1 stride 2", op: conv2d(2, 0, 1, 1), shapes: [][]int{{2, 3, 5, 6}, {4, 3, 1, 1}}},
	{name: "conv groups", op: conv2d(1, 1, 1, 2), shapes: [][]int{{2, 4, 5, 5}, {6, 2, 3, 3}}},
	{name: "conv depthwise", op: conv2d(2, 1, 1, 4), shapes: [][]int{{2, 4, 6, 6}, {4, 1, 3, 3}}},
	{name: "conv bias relu6", op: ops.Conv{Stride: []int{1, 1}, Padding: []int{0, 0}, Dilation: []int{1, 1}, Groups: 1, HasBias: true, Act: ops.ActReLU6}, shapes: [][]int{{1, 2, 4, 4}, {3, 2, 3, 3}, {3}}},
	{name: "conv1d", op: ops.Conv{Stride: []int{2}, Padding: []int{1}, Dilation: []int{1}, Groups: 1}, shapes: [][]int{{2, 3, 9}, {4, 3, 3}}},
	{name: "conv3d", op: ops.Conv{Stride: []int{1, 2, 1}, Padding: []int{1, 0, 1}, Dilation: []int{1, 1, 1}, Groups: 1}, shapes: [][]int{{1, 2, 4, 5, 4}, {3, 2, 3, 2, 3}}},
	{name: "reshape", op: ops.Reshape{Shape: []int{3, -1}}, shapes: [][]int{{2, 3, 4}}},
	{name: "flatten", op: ops.Flatten{Start: 1, End: -1}, shapes: [][]int{{2, 3, 4}}},
	{name: "regroup", op: ops.DynamicReshape{Extents: []ops.Extent{{Of: []ops.Dimension{{Axis: 0}, {Axis: 1}}, Divisor: 3}, {Factor: 3}, {Of: []ops.Dimension{{Axis: 2}}}}}, shapes: [][]int{{2, 3, 4}}},
	{name: "permute", op: ops.Permute{Order: []int{2, 0, 1}}, shapes: [][]int{{2, 3, 4}}},
	{name: "pad", op: ops.Pad{Before: []int{0, 1}, After: []int{2, -1}}, shapes: [][]int{{3, 4}}},
	{name: "slice", op: ops.Slice{Axis: 1, Start: 1, End: 6, Step: 2}, shapes: [][]int{{3, 7}}},
	{name: "concat", op: ops.Concat{Axis: 1}, shapes: [][]int{{2, 3, 4}, {2, 1, 4}}},
	{name: "conv transpose depthwise", op: convTranspose(2, 1, 1, 4), shapes: [][]int{{2, 4, 3, 3}, {4, 1, 3, 3}}},
	{name: "conv transpose", op: convTranspose(2, 1, 1, 1), shapes: [][]int{{1, 3, 3, 4}, {3, 5, 3, 3}}},
	{name: "conv transpose groups", op: convTranspose(1, 0, 0, 2), shapes: [][]int{{1, 4, 3, 4}, {4, 2, 3, 3}}},
	{name: "conv depthwise stride 1", op: conv2d(1, 1, 1, 9), shapes: [][]int{{2, 9, 5, 5}, {9, 1, 3, 3}}},
	{name: "conv depthwise dilation", op: conv2d(1, 2, 2, 8), shapes: [][]int{{1, 8, 6, 5}, {8, 1, 3, 3}}},
	{name: "conv depthwise stride 3", op: conv2d(3, 0, 1, 5), shapes: [][]int{{1, 5, 8, 7}, {5, 1, 2, 2}}},
	{name: "softmax", op: ops.Softmax{Axis: -1}, shapes: [][]int{{3, 5}}},
	{name: "softmax axis 1", op: ops.Softmax{Axis: 1}, shapes: [][]int{{2, 3, 4}}},
	{name: "log softmax", op: ops.Softmax{Axis: 1, Log: true}, shapes: [][]int{{3, 4, 2}}},
	{name: "layer norm", op: ops.LayerNorm{Dims: 1, Eps: 1e-5, HasWeight: true, HasBias: true}, shapes: [][]int{{3, 2, 6}, {6}, {6}}},
	{name: "layer norm two dimensions", op: ops.LayerNorm{Dims: 2, Eps: 1e-5}, shapes: [][]int{{3, 2, 6}}},
	{name: "group norm", op: ops.GroupNorm{Groups: 2, Eps: 1e-5, HasWeight: true, HasBias: true}, shapes: [][]int{{2, 4, 3, 3}, {4}, {4}}},
	{name: "instance norm", op: ops.InstanceNorm{Eps: 1e-5, HasWeight: true, HasBias: true}, shapes: [][]int{{2, 3, 3, 3}, {3}, {3}}},
	{name: "batch norm", op: ops.BatchNorm{Eps: 1e-5}, shapes: [][]int{{3, 4, 2, 2}, {4}, {4}, {4}, {4}}, from: 5, fixed: 2},
	{name: "batch norm train", op: ops.BatchNormTrain{Eps: 1e-5, Momentum: 0.1}, shapes: [][]int{{3, 4, 2, 2}, {4}, {4}, {4}, {4}}, fixed: 2},
	{name: "batch norm train rows", op: ops.BatchNormTrain{Eps: 1e-5, Momentum: 0.1}, shapes: [][]int{{7, 4}, {4}, {4}, {4}, {4}}, fixed: 2},
	{name: "fold batch norm", op: ops.FoldBatchNorm{Eps: 1e-5}, shapes: [][]int{{3, 2, 2}, {3}, {3}, {3}, {3}}, from: 4, fixed: 2},
	{name: "fold batch norm with a bias", op: ops.FoldBatchNorm{Eps: 1e-5, HasBias: true}, shapes: [][]int{{3, 2, 2}, {3}, {3}, {3}, {3}, {3}}, from: 4, fixed: 2},
	{name: "fold batch norm into a bias", op: ops.FoldBatchNorm{Eps: 1e-5, HasBias: true}, shapes: [][]int{{3, 2, 2}, {3}, {3}, {3}, {3}, {3}}, from: 4, fixed: 2, output: 1},
	{name: "max pool", op: ops.MaxPool{Kernel: []int{3, 2}, Stride: []int{2, 1}, Padding: []int{1, 0}, Dilation: []int{1, 2}}, shapes: [][]int{{2, 3, 6, 7}}, apart: 0.1},
	{name: "max pool 1d", op: ops.MaxPool{Kernel: []int{3}, Stride: []int{2}, Padding: []int{1}, Dilation: []int{1}, CeilMode: true}, shapes: [][]int{{2, 70, 8}}, apart: 0.1},
	{name: "avg pool", op: ops.AvgPool{Kernel: []int{3, 3}, Stride: []int{2, 2}, Padding: []int{1, 1}}, shapes: [][]int{{2, 3, 6, 7}}},
	{name: "avg pool padded", op: ops.AvgPool{Kernel: []int{3, 3}, Stride: []int{1, 2}, Padding: []int{1, 1}, CountIncludePad: true}, shapes: [][]int{{2, 3, 6, 7}}},
	{name: "adaptive avg pool", op: ops.AdaptiveAvgPool{Size: []int{3, 2}}, shapes: [][]int{{2, 3, 7, 5}}},
	{name: "global avg pool", op: ops.AdaptiveAvgPool{Size: []int{1, 1}}, shapes: [][]int{{2, 3, 4, 5}}},
	{name: "expand", op: ops.Expand{Shape: []int{2, 3, 4}}, shapes: [][]int{{3, 1}}},
	{name: "flip", op: ops.Flip{Axes: []int{1}}, shapes: [][]int{{3, 4}}},
	{name: "roll", op: ops.Roll{Shifts: []int{1}, Axes: []int{0}}, shapes: [][]int{{3, 4}}},
	{name: "stack", op: ops.Stack{Axis: -1}, shapes: [][]int{{3, 4}, {3, 4}}},
	{name: "cumsum", op: ops.PrefixScan{Axis: 1}, shapes: [][]int{{3, 4}}},
	{name: "add", op: ops.Binary{Fn: ops.Add, Act: ops.ActReLU}, shapes: [][]int{{3, 4}, {4}}},
	{name: "sub", op: ops.Binary{Fn: ops.Sub}, shapes: [][]int{{3, 1}, {3, 4}}},
	{name: "mul", op: ops.Binary{Fn: ops.Mul}, shapes: [][]int{{2, 3, 4}, {3, 1}}},
	{name: "div", op: ops.Binary{Fn: ops.Div}, shapes: [][]int{{3, 4}, {3, 4}}, from: 5},
	{name: "pow", op: ops.Binary{Fn: ops.Pow}, shapes: [][]int{{3, 4}, {4}}, from: 4},
	{name: "maximum", op: ops.Binary{Fn: ops.Max}, shapes: [][]int{{3, 4}, {4}}, apart: 0.1},
	{name: "minimum", op: ops.Binary{Fn: ops.Min}, shapes: [][]int{{3, 4}, {3, 1}}, apart: 0.1},
	{name: "atan2", op: ops.Binary{Fn: ops.Atan2}, shapes: [][]int{{3, 4}, {4}}, from: 2},
	{name: "sum", op: ops.Reduce{Fn: ops.Sum, Axes: []int{1}}, shapes: [][]int{{2, 3, 4}}},
	{name: "mean", op: ops.Reduce{Fn: ops.Mean, Axes: []int{0, 2}, KeepDims: true}, shapes: [][]int{{2, 3, 4}}},
	{name: "mean of all", op: ops.Reduce{Fn: ops.Mean}, shapes: [][]int{{2, 3, 4}}},
	{name: "prod", op: ops.Reduce{Fn: ops.Prod, Axes: []int{-1}}, shapes: [][]int{{3, 4}}, from: 2},
	{name: "amax", op: ops.Reduce{Fn: ops.AMax, Axes: []int{-1}}, shapes: [][]int{{3, 4}}, apart: 0.1},
	{name: "amin", op: ops.Reduce{Fn: ops.AMin, Axes: []int{0}}, shapes: [][]int{{3, 4}}, apart: 0.1},
	{name: "var", op: ops.Reduce{Fn: ops.Var, Axes: []int{-1}, Correction: 1}, shapes: [][]int{{3, 4}}},
	{name: "std", op: ops.Reduce{Fn: ops.Std, Axes: []int{0}}, shapes: [][]int{{5, 4}}},
	{name: "logsumexp", op: ops.Reduce{Fn: ops.LogSumExp, Axes: []int{-1}}, shapes: [][]int{{3, 4}}},
	{name: "norm", op: ops.Reduce{Fn: ops.Norm, P: 2, Axes: []int{-1}}, shapes: [][]int{{3, 4}}},
	{name: "norm 1", op: ops.Reduce{Fn: ops.Norm, P: 1, Axes: []int{-1}}, shapes: [][]int{{3, 4}}, apart: 0.3},
	{name: "norm 3", op: ops.Reduce{Fn: ops.Norm, P: 3, Axes: []int{-1}}, shapes: [][]int{{3, 4}}},
	{name: "cumprod", op: ops.PrefixScan{Axis: 1, Product: true}, shapes: [][]int{{3, 4}}},
	{name: "remainder", op: ops.Binary{Fn: ops.Remainder}, shapes: [][]int{{3, 4}}, consts: map[int]*tensor.Tensor{1: tensor.Scalar(float32(100))}, from: 50},
	{name: "fmod", op: ops.Binary{Fn: ops.Fmod}, shapes: [][]int{{3, 4}}, consts: map[int]*tensor.Tensor{1: tensor.Scalar(float32(100))}, from: 50},
	{name: "embedding", op: ops.Embedding{}, shapes: [][]int{{3, 2}}, consts: map[int]*tensor.Tensor{1: ints(2, 0, 2)}},
	{name: "index select", op: ops.IndexSelect{Axis: 1}, shapes: [][]int{{2, 3}}, consts: map[int]*tensor.Tensor{1: ints(2, 2)}},
	{name: "gather", op: ops.Gather{}, shapes: [][]int{{4}}, consts: map[int]*tensor.Tensor{1: ints(1, 1, 3)}},
	{name: "index", op: ops.Index{Axes: []int{0, 2}}, shapes: [][]int{{3, 2, 4}}, consts: map[int]*tensor.Tensor{1: ints(2, -1, 0), 2: ints(1, 1, 3)}},
	{name: "index put", op: ops.IndexPut{Axes: []int{1}}, shapes: [][]int{{3, 4}, {3, 2}}, consts: map[int]*tensor.Tensor{2: ints(0, 2)}},
	{name: "index put accumulate", op: ops.IndexPut{Axes: []int{1}, Accumulate: true}, shapes: [][]int{{3, 4}, {2}}, consts: map[int]*tensor.Tensor{2: ints(2, 2)}},
	{name: "scatter", op: ops.Scatter{}, shapes: [][]int{{4}, {2}}, consts: map[int]*tensor.Tensor{1: ints(3, 0)}},
	{name: "scatter add", op: ops.Scatter{Fn: ops.ScatterAdd}, shapes: [][]int{{4}, {3}}, consts: map[int]*tensor.Tensor{1: ints(3, 0, 3)}},
	{name: "scatter amax", op: ops.Scatter{Fn: ops.ScatterMax}, shapes: [][]int{{4}, {3}}, consts: map[int]*tensor.Tensor{1: ints(3, 0, 3)}},
	{name: "scatter amin", op: ops.Scatter{Fn: ops.ScatterMin}, shapes: [][]int{{4}, {3}}, consts: map[int]*tensor.Tensor{1: ints(3, 0, 3)}},
	{name: "scatter multiply", op: ops.Scatter{Fn: ops.ScatterMultiply}, shapes: [][]int{{4}, {3}}, consts: map[int]*tensor.Tensor{1: ints(3, 0, 3)}},
	{name: "where", op: ops.Where{}, shapes: [][]int{{3, 4}, {4}}, consts: map[int]*tensor.Tensor{0: bools(true, false, false, true)}},
	{name: "cross entropy", op: ops.CrossEntropy{}, shapes: [][]int{{3, 4}}, consts: map[int]*tensor.Tensor{1: ints(3, 0, 3)}},
	{name: "cast", op: ops.Cast{DType: tensor.Float32}, shapes: [][]int{{3, 4}}},
	{name: "sort", op: ops.Sort{Axis: 1, Descending: true}, shapes: [][]int{{3, 4}}, apart: 0.1},
	{name: "topk", op: ops.TopK{K: 2, Axis: 0}, shapes: [][]int{{4, 3}}, apart: 0.1},
	{name: "reshape to", op: ops.ReshapeTo{}, shapes: [][]int{{3, 4}}, consts: map[int]*tensor.Tensor{1: ints(2, -1)}},
	{name: "slice to", op: ops.SliceTo{Axis: 1, Step: 2}, shapes: [][]int{{3, 4}}, consts: map[int]*tensor.Tensor{1: tensor.Scalar(int64(1)), 2: tensor.Scalar(int64(4))}},
	{name: "max along a dimension", op: ops.ArgMax{Axis: 1, Values: true}, shapes: [][]int{{3, 4}}, apart: 0.1},
	{name: "min along a dimension", op: ops.ArgMax{Axis: 0, Values: true, Min: true, KeepDims: true}, shapes: [][]int{{3, 4}}, apart: 0.1},
	{name: "full", op: ops.Full{Like: true, Value: 2, DType: tensor.Float32}, shapes: [][]int{{3, 4}}},
	{name: "fft", op: ops.FFT{Norm: ops.FFTOrtho}, shapes: [][]int{{2, 6, 2}}},
	{name: "fft inverse", op: ops.FFT{Inverse: true, Norm: ops.FFTByN}, shapes: [][]int{{2, 67, 2}}},
	{name: "rfft", op: ops.RFFT{}, shapes: [][]int{{2, 7}}},
	{name: "stft", op: ops.STFT{Hop: 2, OneSided: true, Normalized: true}, shapes: [][]int{{11}, {4}}},
	{name: "tile", op: ops.Tile{Repeats: []int{2, 1, 3}}, shapes: [][]int{{2, 3}}},
	{name: "tril", op: ops.Trilu{Diagonal: 1}, shapes: [][]int{{3, 4}}},
	{name: "diagonal", op: ops.Diagonal{Offset: 1, Axis1: 2, Axis2: 0}, shapes: [][]int{{4, 2, 3}}},
	{name: "windows", op: ops.SlidingWindow{Axis: 1, Size: 3, Step: 2}, shapes: [][]int{{2, 7}}},
	{name: "unfold", op: ops.Unfold{Kernel: []int{2, 3}, Stride: []int{1, 2}, Padding: []int{1, 1}, Dilation: []int{2, 1}}, shapes: [][]int{{1, 2, 4, 5}}},
	{name: "fold", op: ops.Fold{Size: []int{4, 4}, Kernel: []int{2, 2}, Stride: []int{1, 1}, Padding: []int{0, 0}, Dilation: []int{1, 1}}, shapes: [][]int{{1, 4, 9}}},
	{name: "pixel shuffle", op: ops.PixelShuffle{Factor: 2}, shapes: [][]int{{1, 4, 2, 3}}},
	{name: "channel shuffle", op: ops.ChannelShuffle{Groups: 2}, shapes: [][]int{{1, 4, 2, 3}}},
	{name: "pad reflect", op: ops.PadMode{Fn: ops.Reflect, Before: []int{0, 2}, After: []int{0, 1}}, shapes: [][]int{{2, 4}}},
	{name: "pad replicate", op: ops.PadMode{Fn: ops.Replicate, Before: []int{1, 2}, After: []int{0, -1}}, shapes: [][]int{{2, 4}}},
	{name: "pad circular", op: ops.PadMode{Fn: ops.Circular, Before: []int{0, 2}, After: []int{0, 3}}, shapes: [][]int{{2, 4}}},
	{name: "boxes", op: ops.RoIAlign{Size: []int{2, 3}, Scale: 0.5, Ratio: 2, Aligned: true}, shapes: [][]int{{2, 3, 8, 9}}, consts: map[int]*tensor.Tensor{1: rows(vectorOf([]float32{1, 2, 1, 9, 7.5, 0, -3, 4, 5, 20}), 5)}},
	{name: "nearest", op: ops.Interpolate{Size: []int{5, 3}}, shapes: [][]int{{1, 2, 3, 4}}},
	{name: "nearest exact", op: ops.Interpolate{Mode: ops.NearestExact, Size: []int{5, 3}}, shapes: [][]int{{1, 2, 3, 4}}},
	{name: "bilinear", op: ops.Interpolate{Mode: ops.Linearly, Scales: []float64{2, 1.5}}, shapes: [][]int{{1, 2, 3, 4}}},
	{name: "bicubic", op: ops.Interpolate{Mode: ops.Cubic, Size: []int{5, 2}, AlignCorners: true}, shapes: [][]int{{1, 2, 3, 4}}},
	{name: "grid sample", op: ops.GridSample{Mode: ops.GridCubic, AlignCorners: true}, shapes: [][]int{{2, 2, 3, 4}, {2, 2, 3, 2}}},
	{name: "addmm", op: ops.AddMM{Beta: 2, Alpha: 0.5}, shapes: [][]int{{4}, {2, 3}, {3, 4}}},
	{name: "einsum", op: ops.Einsum{Equation: "bij,kj->ibk"}, shapes: [][]int{{2, 3, 4}, {2, 4}}},
	{name: "matmul vectors", op: ops.MatMul{}, shapes: [][]int{{4}, {2, 4, 3}}},
	{name: "attention", op: ops.Attention{Causal: true}, shapes: [][]int{{2, 3, 4}, {2, 5, 4}, {2, 5, 3}}},
	{name: "attention mask", op: ops.Attention{HasMask: true, HeadsLast: true}, shapes: [][]int{{3, 2, 4}, {5, 2, 4}, {5, 2, 3}, {3, 5}}},
	{name: "attention to itself", op: ops.Attention{}, shapes: [][]int{{2, 3, 4}}, again: 2},
	{name: "einsum with itself", op: ops.Einsum{Equation: "ij,ik->jk"}, shapes: [][]int{{3, 4}}, again: 1},
	{name: "product with itself", op: ops.Binary{Fn: ops.Mul}, shapes: [][]int{{3, 4}}, again: 1},
	{name: "matmul with itself", op: ops.MatMul{TransposeB: true}, shapes: [][]int{{3, 4}}, again: 1},
	{name: "lstm", op: ops.RNN{Cell: ops.LSTMCell, Layers: 1, HasBias: true}, shapes: [][]int{{3, 2, 2}, {1, 2, 3}, {1, 2, 3}, {12, 2}, {12, 3}, {12}, {12}}},
	{name: "gru", op: ops.RNN{Cell: ops.GRUCell, Layers: 1, Bidirectional: true}, shapes: [][]int{{3, 2}, {2, 2}, {6, 2}, {6, 2}, {6, 2}, {6, 2}}},
	{name: "rnn", op: ops.RNN{Cell: ops.TanhCell, Layers: 1}, shapes: [][]int{{3, 2, 2}, {1, 2, 3}, {3, 2}, {3, 3}}},
	{name: "rnn relu", op: ops.RNN{Cell: ops.ReLUCell, Layers: 1}, shapes: [][]int{{2, 1, 2}, {1, 1, 2}, {2, 2}, {2, 2}}, from: 3},
}

func ints(v ...int64) *tensor.Tensor { return vectorOf(v) }

// rows returns a vector as rows of n elements.
func rows(v *tensor.Tensor, n int) *tensor.Tensor {
	m, err := v.Reshape(-1, n)
	if err != nil {
		panic(err)
	}
	return m
}

func bools(v ...bool) *tensor.Tensor { return vectorOf(v) }

func vectorOf[T tensor.Element](v []T) *tensor.Tensor {
	x, err := tensor.FromSlice(v, len(v))
	if err != nil {
		panic(err)
	}
	return x
}

func convTranspose(stride, pad, outPad, groups int) ops.ConvTranspose {
	pair := func(v int) []int { return []int{v, v} }
	return ops.ConvTranspose{Stride: pair(stride), Padding: pair(pad), OutputPadding: pair(outPad), Dilation: pair(1), Groups: groups}
}

func conv2d(stride, pad, dilation, groups int) ops.Conv {
	pair := func(v int) []int { return []int{v, v} }
	return ops.Conv{Stride: pair(stride), Padding: pair(pad), Dilation: pair(dilation), Groups: groups}
}

// TestGradients compares gradients with central differences of the loss
// sum(op(inputs) * weights), added up in float64.
func TestGradients(t *testing.T) {
	for _, c := range gradientCases {
		t.Run(c.name, func(t *testing.T) { checkGradients(t, c) })
	}
}

// unaryCases go over every function that has a gradient, on inputs around a point
// where it is smooth.
func unaryCases(t *testing.T) []gradientCase {
	t.Helper()
	around := map[ops.UnaryFn]float64{
		ops.Log: 5, ops.Log2: 5, ops.Log10: 5, ops.Log1p: 5, ops.Sqrt: 5, ops.Rsqrt: 5, ops.Reciprocal: 5, ops.Acosh: 6, ops.LGamma: 5, ops.Digamma: 5, ops.Polygamma: 5, ops.Entr: 5, ops.Ndtri: 0.5,
	}
	scaled := map[ops.UnaryFn]bool{ops.Asin: true, ops.Acos: true, ops.Atanh: true, ops.Tan: true, ops.ErfInv: true, ops.Ndtri: true}
	var cases []gradientCase
	for fn := ops.ReLU; ; fn++ {
		op := ops.Unary{Fn: fn, Alpha: 0.5, Beta: 2}
		if strings.HasPrefix(op.Name(), "UnaryFn(") {
			return cases // behind the last
		}
		if !hasGradient(t, variant{op, fn, f32s([]int{3})}) {
			continue
		}
		c := gradientCase{name: op.Name(), op: op, shapes: [][]int{{3, 4, 5}}, from: around[fn]}
		if around[fn] == 0 {
			// Odd multiples of 0.075 keep clear of every kink by the step of the quotient.
			c.apart = 0.15
		}
		if fn == ops.Round {
			c.op = ops.Unary{Fn: fn} // with 1 in place of 0.5 it would pass the gradient
		}
		if fn == ops.Polygamma {
			c.op = ops.Unary{Fn: fn, Alpha: 1}
		}
		if scaled[fn] {
			c.apart = 0.03
		}
		cases = append(cases, c)
	}
}

func TestUnaryGradients(t *testing.T) {
	for _, c := range unaryCases(t) {
		t.Run(c.name, func(t *testing.T) { checkGradients(t, c) })
	}
}

// activationCases go over every activation that a layer takes.
func activationCases() []gradientCase {
	var cases []gradientCase
	for act := ops.NoActivation; act <= ops.ActHardSigmoid; act++ {
		cases = append(cases,
			gradientCase{name: "linear " + act.String(), op: ops.Linear{HasBias: true, Act: act}, shapes: [][]int{{5, 7}, {3, 7}, {3}}},
			gradientCase{name: "conv " + act.String(), op: ops.Conv{Stride: []int{1}, Padding: []int{1}, Dilation: []int{1}, Groups: 1, Act: act}, shapes: [][]int{{1, 2, 6}, {3, 2, 3}}})
	}
	return cases
}

func TestActivationGradients(t *testing.T) {
	for _, c := range activationCases() {
		t.Run(c.name, func(t *testing.T) { checkGradients(t, c) })
	}
}

func checkGradients(t *testing.T, c gradientCase) {
	rng := rand.New(rand.NewPCG(1, 2))
	random := func(shape []int) *tensor.Tensor {
		x, err := tensor.New(tensor.Float32, shape...)
		if err != nil {
			t.Fatal(err)
		}
		for i := range x.Float32s() {
			x.Float32s()[i] = float32(c.from + rng.NormFloat64())
		}
		if c.apart > 0 {
			for i, k := range rng.Perm(x.Numel()) {
				x.Float32s()[i] = float32(c.apart * (float64(k-x.Numel()/2) + 0.5))
			}
		}
		return x
	}
	g := graph.New()
	var in, all []*graph.Value
	var values []*tensor.Tensor
	for _, s := range c.shapes {
		in = append(in, g.Input("x", tensor.Float32, s...))
		values = append(values, random(s))
	}
	for free := in; len(all) < len(c.shapes)+len(c.consts); {
		if x := c.consts[len(all)]; x != nil {
			all = append(all, g.Const("", x))
			continue
		}
		all, free = append(all, free[0]), free[1:]
	}
	for range c.again {
		all = append(all, in[0])
	}
	add := func(op ops.Op, v ...*graph.Value) *graph.Value {
		out, err := g.Add1(graph.Scope{}, op, v...)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	outs, err := g.Add(graph.Scope{}, c.op, all...)
	if err != nil {
		t.Fatal(err)
	}
	y := outs[c.output]
	weights := random(y.Type.Shape)
	loss := add(ops.Reduce{Fn: ops.Sum}, add(ops.Binary{Fn: ops.Mul}, y, g.Const("", weights)))
	in, fixed := in[:len(in)-c.fixed], in[len(in)-c.fixed:]
	grads, err := g.Gradients(loss, slices.Concat(in, fixed))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range grads[len(in):] {
		if d != nil {
			t.Error("a gradient where there is none")
		}
	}
	for i, d := range grads[:len(in)] {
		if d == nil { // zero throughout
			x, err := tensor.New(tensor.Float32, c.shapes[i]...)
			if err != nil {
				t.Fatal(err)
			}
			grads[i] = g.Const("", x)
		}
	}
	g.SetOutputs(append([]*graph.Value{y}, grads[:len(in)]...)...)
	s, err := g.Compile(graph.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	run := func() []*tensor.Tensor {
		out, err := s.Run(context.Background(), values...)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	lossOf := func() float64 {
		sum := 0.0
		for i, v := range run()[0].Float32s() {
			sum += float64(v) * float64(weights.Float32s()[i])
		}
		return sum
	}
	got := run()[1:]
	const eps = 1e-2
	for i, x := range values[:len(in)] {
		for j := range x.Float32s() {
			was := x.Float32s()[j]
			x.Float32s()[j] = was + eps
			up := lossOf()
			x.Float32s()[j] = was - eps
			down := lossOf()
			x.Float32s()[j] = was
			want := (up - down) / (2 * eps)
			if d := float64(got[i].Float32s()[j]); math.Abs(d-want) > 2e-2*(1+math.Abs(want)) {
				t.Errorf("input %d, element %d: gradient %g, difference quotient %g", i, j, d, want)
				return
			}
		}
	}
}
