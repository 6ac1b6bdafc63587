package train

import (
	"fmt"
	"math"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Kind says what a parameter is to its model, so that groups can tell them apart.
type Kind uint8

// The kinds.
const (
	Weight    Kind = iota // of convolutions, linear layers and embeddings
	Bias                  // of the same
	Norm                  // weight and bias of a normalization
	Scale                 // a learned quantization scale
	ZeroPoint             // a learned quantization zero point
	Buffer                // kept with the model but not trained: running statistics
)

// Parameter is a variable of a model. Its memory is shared by all graphs of the
// model: training changes it in place.
type Parameter struct {
	Name   string
	Kind   Kind
	Value  *tensor.Tensor // contiguous float32
	Frozen bool           // left as it is; Buffers are in any case
	Lo, Hi float32        // each step ends by clamping every element to them
	Levels int            // of a Scale: how many steps of its size the range has, 15 with 4 bits; 0 of others

	from *tensor.Tensor // the constant it was made of
}

// NewParameter returns a parameter without bounds.
func NewParameter(name string, kind Kind, value *tensor.Tensor) *Parameter {
	inf := float32(math.Inf(1))
	return &Parameter{Name: name, Kind: kind, Value: value, Lo: -inf, Hi: inf}
}

// slots lists the inputs of an operator that are a layer's parameters where they
// are constant. Constants of other operators, such as masks, are not trained.
func slots(op ops.Op) map[int]Kind {
	switch op.(type) {
	case ops.Conv, ops.ConvTranspose, ops.Linear:
		return map[int]Kind{1: Weight, 2: Bias}
	case ops.MatMul:
		return map[int]Kind{0: Weight, 1: Weight}
	case ops.AddMM:
		return map[int]Kind{0: Bias, 1: Weight, 2: Weight}
	case ops.Embedding:
		return map[int]Kind{0: Weight}
	case ops.BatchNorm:
		return map[int]Kind{1: Norm, 2: Norm, 3: Buffer, 4: Buffer}
	case ops.LayerNorm, ops.GroupNorm, ops.InstanceNorm:
		return map[int]Kind{1: Norm, 2: Norm}
	}
	return nil
}

// ParametersOf returns a parameter, with memory of its own, for each named float32 constant
// of g that a layer's weight, bias or statistic is or is computed from, in the order of the graph.
func ParametersOf(g *graph.Graph) ([]*Parameter, error) {
	f := finder{kinds: make(map[*graph.Value]Kind), constant: make(map[*graph.Value]bool)}
	for _, n := range g.Nodes {
		constant := true
		for _, v := range n.Inputs {
			constant = constant && (v.Const != nil || f.constant[v])
		}
		for _, v := range n.Outputs {
			f.constant[v] = constant
		}
		kinds := slots(n.Op)
		for i, v := range n.Inputs {
			if kind, ok := kinds[i]; ok {
				f.find(v, kind)
			}
		}
	}
	var list []*Parameter
	named := make(map[string]*Parameter)
	for _, v := range g.Constants() {
		if kind, ok := f.kinds[v]; ok && named[v.Name] == nil {
			named[v.Name] = NewParameter(v.Name, kind, v.Const.Contiguous().Clone())
			named[v.Name].from = v.Const
			list = append(list, named[v.Name])
		}
	}
	for _, v := range g.Constants() {
		if p := named[v.Name]; p != nil && p.from != v.Const {
			return nil, fmt.Errorf("train: two constants are named %q", v.Name)
		}
	}
	return list, nil
}

// finder looks for the constants that values are computed from.
type finder struct {
	kinds    map[*graph.Value]Kind
	constant map[*graph.Value]bool // computed from constants alone
}

func (f *finder) find(v *graph.Value, kind Kind) {
	switch {
	case v.Const != nil:
		if _, ok := f.kinds[v]; !ok && v.Name != "" && v.Type.DType == tensor.Float32 {
			f.kinds[v] = kind
		}
	case f.constant[v]:
		for _, in := range v.Node.Inputs {
			f.find(in, kind)
		}
	}
}

// byName returns the parameters that constants stand for.
type byName map[string]*Parameter

func nameParameters(params []*Parameter) byName {
	m := make(byName)
	for _, p := range params {
		m[p.Name] = p
	}
	return m
}

// of returns the parameter that v is, nil when it is none.
func (m byName) of(v *graph.Value) *Parameter {
	p := m[v.Name]
	if p == nil || v.Const == nil || v.Type.DType != tensor.Float32 || !v.Type.Shape.Equal(p.Value.Shape()) {
		return nil
	}
	return p
}
