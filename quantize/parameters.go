package quantize

import (
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// Parameters are all quantization parameters of a model: of activations by the
// name of the value, of weights and biases by the path of their module; where a module
// has several, the others are numbered.
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
	paths := p.layerPaths()
	for _, n := range p.graph.Nodes {
		if !isLayer(n.Op) || !p.decision[n].Quantize {
			continue
		}
		path := paths[p.layers[n]]
		if out.Weights[path], err = q.weightQParams(p, n); err != nil {
			return nil, err
		}
		if hasBias(n.Op) && !p.isDynamic(n) {
			x := out.Activations[p.names[p.source(n.Inputs[0])]]
			if out.Biases[path], err = q.biasQParams(out.Weights[path], x); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// layerPaths returns the path of the module that each layer name belongs to, numbered where several do.
func (p *prepared) layerPaths() map[string]string {
	var layers, wanted []string
	seen := make(map[string]bool)
	for _, n := range p.graph.Nodes {
		if name := p.layers[n]; name != "" && !seen[name] {
			seen[name] = true
			layers, wanted = append(layers, name), append(wanted, n.Scope.Path)
		}
	}
	paths := make(map[string]string)
	for i, path := range distinct(wanted) {
		paths[layers[i]] = path
	}
	return paths
}
