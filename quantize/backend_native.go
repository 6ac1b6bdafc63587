package quantize

import (
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// Native is octet's own backend: uint8 affine activations whose range has the least mean square error, int8 per-channel symmetric
// weights, and every operator with an int8 form between others that are int8.
var Native = &Backend{
	Name:              "native",
	Passes:            slices.Concat(graph.Slices, nativeFusions, graph.Attentions, graph.SubPixelConvolutions, graph.DepthwiseNorms, graph.DepthwisePReLUs),
	Activation:        ObserverConfig{Kind: MSE, Spec: nativeU8},
	Weight:            ObserverConfig{Kind: MinMax, Spec: nativeS8},
	Rules:             []Rule{{Precision: Int8}},
	FloatOutput:       true,
	PooledExtremes:    true,
	BehindFunctions:   true,
	EqualizeDepthwise: true,
	RowsBelow:         33,
	SmoothOutliers:    true,
	WeightOnly:        true,
	Forward:           IntegerArithmetic,
	DynamicForm:       nativeDynamic,
}

// nativeDynamic is Native without calibration.
var nativeDynamic = &Backend{
	Name:        "native",
	Passes:      slices.Concat(graph.Slices, nativeFusions),
	Activation:  ObserverConfig{Kind: MSE, Spec: nativeU8},
	Weight:      ObserverConfig{Kind: MinMax, Spec: nativeS8},
	Rules:       []Rule{{Layers: true, Precision: Int8}, {Operators: []string{"embedding", "lstm", "gru", "rnn_tanh", "rnn_relu"}, Precision: Int8}},
	FloatOutput: true,
	WeightOnly:  true,
	Forward:     IntegerArithmetic,
	Dynamic:     true,
}

// nativeFusions make linear layers of what are some, before what is behind them becomes part of them.
var nativeFusions = slices.Concat(graph.Foldings, graph.ConstantProducts, graph.Fusions)

// The specs of values and weights of any size.
var (
	nativeU8 = Spec{DType: tensor.Uint8, Scheme: tensor.PerTensorAffine, MinScale: 0x1p-60}
	// Between -127 and 127 the greatest weight of a channel is exact, whatever its sign. With -128 a positive one loses half a step, which is all there is
	// where a channel has a single weight, and adds up over layers.
	nativeS8 = Spec{DType: tensor.Int8, Scheme: tensor.PerChannelSymmetric, Min: -127, Max: 127, MinScale: 0x1p-60}
)
