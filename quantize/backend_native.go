package quantize

import "github.com/octet-ml/octet/graph"

// Native is octet's own backend: uint8 affine activations whose range has the least mean square error, int8 per-channel symmetric
// weights, and every operator with an int8 form between others that are int8.
var Native = &Backend{
	Name:        "native",
	Passes:      graph.Fusions,
	Activation:  ObserverConfig{Kind: MSE, Spec: affineU8},
	Weight:      ObserverConfig{Kind: MinMax, Spec: channelSymmetricS8},
	Rules:       []Rule{{Precision: Int8}},
	FloatOutput: true,
	Forward:     Deployed,
	DynamicForm: nativeDynamic,
}

// nativeDynamic is Native without calibration.
var nativeDynamic = &Backend{
	Name:        "native",
	Passes:      graph.Fusions,
	Activation:  ObserverConfig{Kind: MSE, Spec: affineU8},
	Weight:      ObserverConfig{Kind: MinMax, Spec: channelSymmetricS8},
	Rules:       []Rule{{Layers: true, Precision: Int8}},
	FloatOutput: true,
	Forward:     Deployed,
	Dynamic:     true,
}
