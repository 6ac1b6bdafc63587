package quantize

// Reference gives the parameters of the backend of this name of BladeDISC's torch_quant toolkit: MinMax, uint8 per-tensor affine for
// activations and weights, of convolutions and linear layers.
var Reference = &Backend{
	Name:           "reference",
	Passes:         toolkitFusions,
	Activation:     ObserverConfig{Kind: MinMax, Spec: affineU8},
	Weight:         ObserverConfig{Kind: MinMax, Spec: affineU8},
	Rules:          []Rule{{Layers: true, Precision: Int8}},
	FloatBias:      true,
	Forward:        FakeQuantized,
	NegativeScales: true,
}
