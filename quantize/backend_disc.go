package quantize

import "github.com/octet-ml/octet/graph"

// DISC gives the parameters of the backend of this name of BladeDISC's torch_quant toolkit, which fuses nothing: MinMax, int8
// symmetric activations and int8 symmetric weights, per channel on x86 and per tensor on aarch64.
var DISC = &Backend{
	Name:           "disc",
	Passes:         graph.Foldings,
	Activation:     ObserverConfig{Kind: MinMax, Spec: symmetricS8},
	Weight:         ObserverConfig{Kind: MinMax, Spec: channelSymmetricS8},
	WeightOn:       map[Device]ObserverConfig{AArch64: {Kind: MinMax, Spec: symmetricS8}},
	Rules:          []Rule{{Layers: true, Precision: Int8}},
	Forward:        FakeQuantized,
	NegativeScales: true,
}
