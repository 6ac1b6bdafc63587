package quantize

import (
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// FBGEMM gives the parameters of the backend of this name of BladeDISC's torch_quant toolkit: Histogram, uint8 affine activations over
// the full range (no reduce_range), int8 per-channel symmetric weights.
var FBGEMM = &Backend{
	Name:           "fbgemm",
	Passes:         toolkitFusions,
	Activation:     ObserverConfig{Kind: Histogram, Spec: affineU8},
	Weight:         ObserverConfig{Kind: MinMax, Spec: channelSymmetricS8},
	Rules:          []Rule{{Layers: true, Precision: Int8}},
	FloatBias:      true,
	BiasQParams:    histogramBias,
	Forward:        FakeQuantized,
	NegativeScales: true,
}

// histogramBias is BiasQParams as the toolkit has it, whose Histogram observer leaves the scale that its bias observers read at 1.
func histogramBias(weight, activation *tensor.QParams, observed Kind) (*tensor.QParams, error) {
	if observed == Histogram {
		activation = tensor.PerTensor(activation.DType, 1, 0)
	}
	return biasQParams(weight, activation)
}

// toolkitFusions fuse modules, not functions.
var toolkitFusions = slices.Concat(graph.Foldings, []graph.Pass{
	{Name: "fuse ReLU modules", Rule: graph.FuseClampWhere(fusesInToolkit)},
})

// fusesInToolkit reports whether the toolkit makes one module of the two:
// Conv2d+ReLU and Linear+ReLU.
func fusesInToolkit(layer, activation *graph.Node) bool {
	if act, _ := ops.AsActivation(activation.Op); act != ops.ActReLU || activation.Scope.Class != "torch.nn.modules.activation.ReLU" {
		return false
	}
	l := int8.LayerOf(layer.Op)
	return l != nil && (l.Conv == nil || len(l.Conv.Stride) == 2)
}
