package quantize

import (
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// Parameters are all quantization parameters of a model: of activations by the
// name of the value, of weights and biases by the path of their module.
type Parameters struct {
	Activations, Weights, Biases map[string]*tensor.QParams
}

// Parameters returns what the model m would be quantized with. It needs
// calibrated observers.
func (q *Quantizer) Parameters(m *graph.Graph, overrides ...Override) (*Parameters, error) {
	p, err := q.prepare(m, overrides)
	if err != nil {
		return nil, err
	}
	out := &Parameters{make(map[string]*tensor.QParams), make(map[string]*tensor.QParams), make(map[string]*tensor.QParams)}
	for _, v := range p.needed {
		if out.Activations[p.names[v]], err = q.activation(p.names[v]); err != nil {
			return nil, err
		}
	}
	for _, n := range p.graph.Nodes {
		if !isLayer(n.Op) || !p.decision[n].Quantize {
			continue
		}
		path := n.Scope.Path
		if out.Weights[path], err = q.weightQParams(n); err != nil {
			return nil, err
		}
		if hasBias(n.Op) {
			x := out.Activations[p.names[p.source(n.Inputs[0])]]
			if out.Biases[path], err = q.biasQParams(out.Weights[path], x); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}
