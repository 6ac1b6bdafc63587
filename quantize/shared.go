package quantize

import (
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// joined is where an activation goes that int8 operators concatenate.
type joined struct {
	into string // the result, by name
	only bool   // nothing else takes the activation
}

// joins lists the activations that are concatenated in int8, and of which no rule says anything, by name.
func (p *prepared) joins(edges map[string]*Edge) map[string]joined {
	joins := make(map[string]joined)
	for _, n := range p.graph.Nodes {
		f := p.form(n)
		if !f.Joins || !p.decision[n].Quantize || p.givesFloat(n) || edges[p.names[n.Outputs[0]]] != nil {
			continue
		}
		for _, i := range f.Activations {
			v, source := n.Inputs[i], p.source(n.Inputs[i])
			name := p.names[source]
			if _, taken := joins[name]; taken || source.Const != nil || edges[name] != nil {
				continue
			}
			only := len(p.users[v]) == 1
			for ; v != source; v = v.Node.Inputs[0] {
				only = only && len(p.users[v.Node.Inputs[0]]) == 1
			}
			joins[name] = joined{p.names[n.Outputs[0]], only}
		}
	}
	return joins
}

// sharedWith returns the name of the value whose parameters a value has, "" where they are its own. What is concatenated has those of the
// result, since it would be rounded to them anyway, and time and again where results are concatenated further: with errors of one sign in channels
// that hardly vary. What other operators take too has its own where the step of the result is more than three times as large.
func (q *Quantizer) sharedWith(name string) (string, error) {
	if q.opts.Fixed[name] != nil {
		return "", nil
	}
	if e := q.edges[name]; e != nil {
		return e.Shared, nil
	}
	j, is := q.joins[name]
	if !is || j.only {
		return j.into, nil
	}
	own, err := q.observedParameters(name)
	if err != nil {
		return "", err
	}
	of, err := q.activation(j.into)
	if err != nil || of.Scale[0] > 3*own.Scale[0] {
		return "", err
	}
	return j.into, nil
}

// pooled lists the values, by name, that have one element for each channel of a sample, and are computed from values that have more, and those whose
// greatest values a pool spreads over windows, with what a function of one element made them of.
func (p *prepared) pooled() map[string]bool {
	without := make(map[string]bool)
	below := make(map[*graph.Value]bool) // those with positions, and what is computed from them
	for _, v := range p.graph.Inputs {
		below[v] = positions(v) > 1
	}
	for _, n := range p.graph.Nodes {
		is := false
		for _, v := range n.Inputs {
			is = is || below[v]
		}
		for _, v := range n.Outputs {
			below[v] = is || positions(v) > 1
			if is && positions(v) == 1 && v.Type.DType == tensor.Float32 {
				without[p.names[v]] = true
			}
		}
		if p.form(n).Greatest {
			v := p.source(n.Inputs[0])
			without[p.names[v]] = true
			if v.Node != nil && p.form(v.Node).Function != nil && len(v.Node.Inputs) == 1 {
				without[p.names[p.source(v.Node.Inputs[0])]] = true
			}
		}
	}
	return without
}

// positions returns how many elements there are of each channel of a sample, where channels are dimension 1.
func positions(v *graph.Value) int {
	n := 1
	for i, d := range v.Type.Shape {
		if i > 1 {
			n *= d
		}
	}
	return n
}
