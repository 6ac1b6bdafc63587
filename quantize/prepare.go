package quantize

import (
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// prepared is a float model with the fusions that the backend quantizes as one,
// and the decision what to quantize.
type prepared struct {
	graph    *graph.Graph
	policy   policy
	names    map[*graph.Value]string
	decision map[*graph.Node]Decision
	observed []*graph.Value // values that need quantization parameters
	seen     map[*graph.Value]bool
}

// prepare fuses a copy of the model and decides what to quantize.
func (q *Quantizer) prepare(m *graph.Graph, overrides []Override) (*prepared, error) {
	if err := q.configure(overrides); err != nil {
		return nil, err
	}
	m, err := m.Concrete()
	if err != nil {
		return nil, err
	}
	g := m.Clone()
	p := &prepared{graph: g, policy: q.opts.policy(), decision: make(map[*graph.Node]Decision), seen: make(map[*graph.Value]bool)}
	if err := g.Verify(); err != nil {
		return nil, err
	}
	if err := g.Rewrite(p.policy.passes, 0); err != nil {
		return nil, err
	}
	p.names = valueNames(g)
	if err := p.decide(q.opts.Filter); err != nil {
		return nil, err
	}
	for _, n := range g.Nodes {
		if p.decision[n].Quantize && !passesThrough(n) && !p.policy.dynamic {
			for _, i := range dataInputs(n) {
				p.observe(p.source(n.Inputs[i]))
			}
			if !p.givesFloat(n) {
				p.observe(n.Outputs[0])
			}
		}
	}
	return p, nil
}

func (p *prepared) observe(v *graph.Value) {
	if !p.seen[v] && v.Type.DType == tensor.Float32 && v.Const == nil {
		p.seen[v] = true
		p.observed = append(p.observed, v)
	}
}

// source returns the value whose parameters v has: v itself, or what the
// operators that keep parameters made it from.
func (p *prepared) source(v *graph.Value) *graph.Value {
	for p.policy.everything && v.Node != nil && passesThrough(v.Node) && p.decision[v.Node].Quantize {
		v = v.Node.Inputs[0]
	}
	return v
}

// decide applies the filter to the operators that have an int8 form.
func (p *prepared) decide(f Filter) error {
	modules := make([]Module, len(p.graph.Nodes))
	for i, n := range p.graph.Nodes {
		modules[i] = Module{Path: n.Scope.Path, Class: n.Scope.Class, OpName: n.Op.Name()}
	}
	decisions, err := f.Select(modules)
	if err != nil {
		return err
	}
	for i, n := range p.graph.Nodes {
		if reason := p.staysFloat(n); reason != "" {
			decisions[i] = Decision{Reason: reason}
		}
		p.decision[n] = decisions[i]
	}
	return nil
}

// staysFloat says why a node cannot be int8 whatever the filter, "" when it can.
func (p *prepared) staysFloat(n *graph.Node) string {
	switch {
	case n.Outputs[0].Type.DType != tensor.Float32:
		return "it does not compute float32"
	case p.policy.dynamic && !isLinear(n.Op):
		return "only linear layers are quantized while running"
	case !p.policy.everything && !isLayer(n.Op):
		return "the backend keeps it in float"
	case !lowerable(n):
		return "no int8 form"
	}
	return constantWeight(n)
}

// isLayer reports whether the operator has weights.
func isLayer(op ops.Op) bool {
	switch op.(type) {
	case ops.Conv, ops.Linear:
		return true
	}
	return false
}

func isLinear(op ops.Op) bool {
	_, ok := op.(ops.Linear)
	return ok
}

// constantWeight says why a layer's weight cannot be quantized, if so.
func constantWeight(n *graph.Node) string {
	if isLayer(n.Op) {
		for _, i := range []int{1, 2} {
			if i < len(n.Inputs) && i < len(n.Inputs)-residuals(n.Op) && n.Inputs[i].Const == nil {
				return "its weight is not constant"
			}
		}
	}
	return ""
}

func residuals(op ops.Op) int {
	switch op := op.(type) {
	case ops.Conv:
		if op.HasResidual {
			return 1
		}
	case ops.Linear:
		if op.HasResidual {
			return 1
		}
	}
	return 0
}

// dataInputs lists the inputs of a node that are activations.
func dataInputs(n *graph.Node) []int {
	if isLayer(n.Op) {
		if residuals(n.Op) == 1 {
			return []int{0, len(n.Inputs) - 1}
		}
		return []int{0}
	}
	all := make([]int, len(n.Inputs))
	for i := range all {
		all[i] = i
	}
	return all
}

// givesFloat reports whether the layer's int8 form stores float32: nothing that
// uses its output is int8.
func (p *prepared) givesFloat(n *graph.Node) bool {
	if p.policy.dynamic {
		return true
	}
	if !p.policy.floatOutput || !isLayer(n.Op) || residuals(n.Op) > 0 {
		return false
	}
	for _, user := range p.graph.Nodes {
		for _, v := range user.Inputs {
			if v == n.Outputs[0] && p.decision[user].Quantize {
				return false
			}
		}
	}
	return true
}
