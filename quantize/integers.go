package quantize

import (
	"slices"

	"github.com/octet-ml/octet/graph"
)

// between reports whether the node takes a value from an int8 operator and gives
// one to another, or is the end of what the model computes in int8. One that keeps parameters may as well come first of them,
// unless it leaves less to quantize.
func (p *prepared) between(n *graph.Node) bool {
	f, y := p.form(n), n.Outputs[0]
	takes := slices.ContainsFunc(f.Activations, func(i int) bool {
		from := n.Inputs[i].Node
		return from != nil && p.decision[from].Quantize && !p.isDynamic(from)
	})
	if f.Shares {
		from := n.Inputs[0].Node
		joined := from != nil && p.form(from).Joins && p.decision[from].Quantize && p.givesFloat(from)
		takes = !joined && (takes || y.Type.Numel() >= n.Inputs[0].Type.Numel())
	}
	switch {
	case p.usedQuantized(y, true):
		return takes || f.FloatInputs && !f.FloatResult
	case !slices.Contains(p.graph.Outputs, y) && !(f.Joins && p.isTail(y)):
		return false
	}
	// What a layer gives in float32 is left to the operator behind it, unless that only moves values.
	return slices.ContainsFunc(f.Activations, func(i int) bool {
		v := n.Inputs[i]
		return v.Node != nil && p.givesIntegers(v) && (f.Shares || f.Joins || !p.form(v.Node).FloatResult)
	})
}

// keepExtremes has the values whose extremes matter to what takes them observed by these, where no rule says something of them.
func (p *prepared) keepExtremes(edges map[string]*Edge, c ObserverConfig) {
	c.Kind = MinMax
	for _, n := range p.graph.Nodes {
		if f := p.form(n); f.KeepsExtremes && p.decision[n].Quantize {
			for _, i := range f.Activations {
				if name := p.names[p.source(n.Inputs[i])]; name != "" && edges[name] == nil {
					edges[name] = &Edge{Observer: &c}
				}
			}
		}
	}
}

// isTail reports whether all that becomes of a value is that it is moved to outputs.
func (p *prepared) isTail(v *graph.Value) bool {
	return len(p.users[v]) == 0 || !slices.ContainsFunc(p.users[v], func(user *graph.Node) bool {
		f := p.form(user)
		return !f.Shares && !f.Joins || !p.isTail(user.Outputs[0])
	})
}

// usedQuantized reports whether an int8 operator takes the value quantized, or with either can take it so.
func (p *prepared) usedQuantized(v *graph.Value, either bool) bool {
	return slices.ContainsFunc(p.users[v], func(user *graph.Node) bool {
		if !p.decision[user].Quantize || !either && p.takesFloat(user) || p.isDynamic(user) {
			return false
		}
		for _, i := range p.form(user).Activations {
			if user.Inputs[i] == v && (!p.isResidual(user, i) || !p.givesFloat(user)) {
				return true
			}
		}
		return false
	})
}

// takesFloat reports whether a node takes its activations as they are, float32 among them: a sum that gives float32 to others that take it.
func (p *prepared) takesFloat(n *graph.Node) bool {
	f := p.form(n)
	return f.FloatInputs && (!f.FloatResult || p.givesFloat(n) && p.usedQuantized(n.Outputs[0], true))
}

// usedFloat reports whether the value is used as float32.
func (p *prepared) usedFloat(v *graph.Value) bool {
	return slices.Contains(p.graph.Outputs, v) || slices.ContainsFunc(p.users[v], func(user *graph.Node) bool {
		if !p.decision[user].Quantize || p.takesFloat(user) || p.isDynamic(user) {
			return true
		}
		r := -1
		if l := p.form(user).Layer; l != nil && p.givesFloat(user) {
			r = l.Residual()
		}
		return r >= 0 && user.Inputs[r] == v
	})
}

// isResidual reports whether input i of the node is added to a layer's output.
func (p *prepared) isResidual(n *graph.Node, i int) bool {
	l := p.form(n).Layer
	return l != nil && i == l.Residual()
}

// quantizedInputs lists the inputs that the int8 form of a node takes as
// integers: not the residual of a layer that gives float32.
func (p *prepared) quantizedInputs(n *graph.Node) []int {
	if p.isDynamic(n) {
		return nil
	}
	in := p.form(n).Activations
	switch {
	case isLayer(n.Op) && p.givesFloat(n):
		return in[:1]
	case p.takesFloat(n):
		return slices.DeleteFunc(slices.Clone(in), func(i int) bool { return !p.givesIntegers(n.Inputs[i]) })
	}
	return in
}

// givesIntegers reports whether the value is there as integers alone, whoever uses it.
func (p *prepared) givesIntegers(v *graph.Value) bool {
	return v.Node != nil && p.decision[v.Node].Quantize && !p.givesFloat(v.Node) && p.form(v.Node).BothResults == nil
}

// givesFloat reports whether the int8 form of a node stores float32: nothing that
// uses its output takes it quantized. What is joined at the end of a model keeps its own parameters.
func (p *prepared) givesFloat(n *graph.Node) bool {
	if p.isDynamic(n) {
		return true
	}
	if f := p.form(n); !p.backend.FloatOutput || !f.FloatResult {
		return false
	} else if f.Joins {
		return p.isTail(n.Outputs[0])
	}
	gives, known := p.gives[n]
	if !known {
		gives = !p.usedQuantized(n.Outputs[0], false)
		if p.gives == nil {
			p.gives = make(map[*graph.Node]bool)
		}
		p.gives[n] = gives
	}
	return gives
}
