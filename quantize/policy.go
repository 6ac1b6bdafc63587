package quantize

import (
	"slices"
	"strings"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
)

// policy is how a backend divides the work between int8 and float.
type policy struct {
	passes []graph.Pass
	// everything quantizes each operator that has an int8 form and lets values
	// stay int8 between them; otherwise only convolutions and linear layers are.
	everything bool
	// floatOutput lets a layer whose output only float operators and the caller
	// use give float32 directly.
	floatOutput bool
	// dynamic quantizes linear layers only, and their inputs while they run.
	dynamic bool
	// floatBias adds biases in float32 instead of rounding them to the
	// accumulators' scale.
	floatBias bool
}

// policy returns that of the options. The toolkit fuses only modules, not
// functions, and for DISC nothing.
func (o Options) policy() policy {
	if o.Dynamic {
		return policy{passes: graph.Fusions, floatOutput: true, dynamic: true}
	}
	switch o.Backend {
	case Native:
		return policy{passes: graph.Fusions, everything: true, floatOutput: true}
	case DISC:
		return policy{passes: graph.Foldings}
	}
	return policy{floatBias: true, passes: slices.Concat(graph.Foldings, []graph.Pass{
		{Name: "fuse ReLU modules", Rule: graph.FuseClampWhere(fusesInToolkit)},
	})}
}

// fusesInToolkit reports whether the toolkit makes one module of the two:
// Conv2d+ReLU and Linear+ReLU.
func fusesInToolkit(layer, activation *graph.Node) bool {
	if act, _ := ops.AsActivation(activation.Op); act != ops.ReLU || activation.Scope.Class != "torch.nn.modules.activation.ReLU" {
		return false
	}
	l := int8.LayerOf(layer.Op)
	return l != nil && (l.Conv == nil || len(l.Conv.Stride) == 2)
}

// isLeaf reports whether modules of the class are operators, not compositions.
func isLeaf(class string) bool {
	return strings.HasPrefix(class, "torch.nn.") && !strings.HasPrefix(class, "torch.nn.modules.container.")
}
