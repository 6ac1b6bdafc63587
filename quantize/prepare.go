package quantize

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// prepared is a float model with the fusions that the backend quantizes as one,
// and the decision what to quantize.
type prepared struct {
	graph     *graph.Graph
	backend   *Backend
	names     map[*graph.Value]string
	layers    map[*graph.Node]string // names of the layers with constant weights
	forms     map[*graph.Node]*int8.Form
	users     map[*graph.Value][]*graph.Node
	decision  map[*graph.Node]verdict
	allowed   map[*graph.Node]bool // to be int8, by the filter and its form
	weights   map[*graph.Node]bool // of which the weight alone is int8
	dynamic   map[*graph.Node]bool // layers that quantize rows while they run, beside those of a backend in which all do
	gives     map[*graph.Node]bool // whether givesFloat, as the decisions are
	needed    []*graph.Value       // values that need quantization parameters
	observed  []*graph.Value       // those, and what needs them when modules fall back
	origins   origins
	smoothed  []*smoothed
	depthwise []*depthwiseInput
	// inputFactor are what the channels of the inputs of depthwise convolutions are divided by.
	inputFactor map[*graph.Node][]float32
	digest      string // of the model
}

// prepare fuses a copy of the model and decides what to quantize. It fails where only a shard was calibrated.
func (q *Quantizer) prepare(m *graph.Graph, overrides []Override) (*prepared, error) {
	if err := q.whole(); err != nil {
		return nil, err
	}
	q.outliers = false
	p, err := q.prepareModel(m, overrides, (*Quantizer).smooth)
	if err == nil && len(p.dynamic) > 0 && p.backend.SmoothOutliers && q.opts.Smooth == NoSmoothing && len(q.channels) > 0 {
		q.outliers = true
		p, err = q.prepareModel(m, nil, (*Quantizer).smooth)
	}
	if err != nil {
		return nil, err
	}
	if q.smoothed, err = p.smoothedRanges(); err != nil {
		return nil, err
	}
	return p, q.equalizeDepthwise(p)
}

// prepareModel is prepare with what smooths the model, which for calibration only finds what can be.
func (q *Quantizer) prepareModel(m *graph.Graph, overrides []Override, smooth func(*Quantizer, *graph.Graph) ([]*smoothed, error)) (*prepared, error) {
	if err := q.configure(overrides); err != nil {
		return nil, err
	}
	m, err := m.Concrete()
	if err != nil {
		return nil, err
	}
	if err := checkFloat(m); err != nil {
		return nil, err
	}
	if err := q.belongs(m); err != nil {
		return nil, err
	}
	wide, err := widened(m)
	if err != nil {
		return nil, err
	}
	g := q.trained(wide)
	smoothed, err := smooth(q, g)
	if err != nil {
		return nil, err
	}
	p := &prepared{
		graph: g, backend: q.opts.backend(), forms: make(map[*graph.Node]*int8.Form),
		users: make(map[*graph.Value][]*graph.Node), decision: make(map[*graph.Node]verdict), allowed: make(map[*graph.Node]bool), weights: make(map[*graph.Node]bool),
		origins: make(origins), inputFactor: make(map[*graph.Node][]float32), smoothed: smoothed, digest: q.digestOf(m),
	}
	if err := g.Verify(); err != nil {
		return nil, err
	}
	scopes := scopesOf(g)
	if err := g.Rewrite(p.origins.record(p.backend.Passes), 0); err != nil {
		return nil, err
	}
	if q.opts.Equalize {
		if g, err = equalize(g); err != nil {
			return nil, err
		}
		p.graph = g
	}
	p.names, p.layers = valueNames(g), p.layerNames()
	for _, n := range g.Nodes {
		p.forms[n] = formOf(n)
		for _, v := range n.Inputs {
			p.users[v] = append(p.users[v], n)
		}
	}
	if err := p.decide(q, scopes); err != nil {
		return nil, err
	}
	if q.edges, err = p.edgesOf(p.backend); err != nil {
		return nil, err
	}
	p.keepExtremes(q.edges, q.observers.Activation)
	q.joins, q.pooled, q.functions, q.results = p.joins(q.edges), p.pooled(), nil, nil
	if p.backend.BehindFunctions {
		q.functions, q.results = p.functions(q.edges)
	}
	p.observe(q.edges)
	p.findDepthwise(q)
	return p, p.checkFixed(q.opts.Fixed)
}

// checkFixed returns an error for each name that is no value's.
func (p *prepared) checkFixed(fixed map[string]*tensor.QParams) error {
	names := slices.Sorted(maps.Values(p.names))
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(fixed)) {
		if _, ok := slices.BinarySearch(names, name); !ok {
			errs = append(errs, &UnknownNameError{Field: "Fixed", Name: name, Near: nearest(name, names)})
		}
	}
	return errors.Join(errs...)
}

// scopesOf lists the modules whose operators the graph has.
func scopesOf(g *graph.Graph) []graph.Scope {
	var scopes []graph.Scope
	for _, n := range g.Nodes {
		if !slices.Contains(scopes, n.Scope) {
			scopes = append(scopes, n.Scope)
		}
	}
	return scopes
}

// decide applies the filter to the operators that have an int8 form. Scopes are
// the modules in front of the fusions, which may leave a module around others
// without an operator that has its class: an addition becomes part of a convolution.
func (p *prepared) decide(q *Quantizer, scopes []graph.Scope) error {
	modules := make([]candidate, len(p.graph.Nodes))
	for i, n := range p.graph.Nodes {
		modules[i] = candidate{Path: n.Scope.Path, Class: n.Scope.Class, OpName: n.Op.Name()}
	}
	for _, s := range scopes {
		if slices.ContainsFunc(p.graph.Nodes, func(n *graph.Node) bool { return n.Scope.Path != s.Path && inside(n.Scope.Path, s.Path) }) {
			modules = append(modules, candidate{Path: s.Path, Class: s.Class})
		}
	}
	decisions, err := q.opts.Filter.decide(modules)
	if err != nil {
		return err
	}
	decisions = decisions[:len(p.graph.Nodes)]
	for i, n := range p.graph.Nodes {
		p.weights[n] = decisions[i].Quantize && p.weightOnly(q, n)
		if reason := p.staysFloat(q, n); reason != "" {
			decisions[i] = verdict{Reason: reason}
		}
		p.decision[n], p.allowed[n] = decisions[i], decisions[i].Quantize
	}
	p.quantizeRows(q)
	p.revertUseless()
	return nil
}

// weightOnly reports whether the weight of a node is int8 where the filter takes it. A weight that was trained stays float, as it was
// in training.
func (p *prepared) weightOnly(q *Quantizer, n *graph.Node) bool {
	return p.backend.WeightOnly && p.form(n).WeightOnly != nil && p.backend.precision(n) == Int8 && q.learned == nil
}

// staysFloat says why a node cannot be int8 whatever the filter, "" when it can.
func (p *prepared) staysFloat(q *Quantizer, n *graph.Node) string {
	switch {
	case len(n.Outputs) == 0 || n.Outputs[0].Type.DType != tensor.Float32:
		return "it does not compute float32"
	case p.backend.Dynamic && (p.form(n).Layer == nil || !p.form(n).Layer.IsDynamic()):
		return "only linear layers are quantized while running"
	case p.backend.precision(n) != Int8:
		return "the backend keeps it in float"
	case len(p.form(n).Activations) == 0:
		return "no int8 form"
	case p.holdsInfinity(n.Outputs[0]):
		return "it fills in infinity"
	case slices.ContainsFunc(p.form(n).Activations, func(i int) bool { return p.holdsInfinity(n.Inputs[i]) }):
		return "its input is masked with infinity"
	}
	if reason := constantWeight(n); reason != "" || !isLayer(n.Op) {
		return reason
	}
	if q.overflows(p, n) {
		return fmt.Sprintf("sums of %d products could overflow 32 bits", rowSize(n))
	}
	return ""
}

// holdsInfinity reports whether the value, or what an operator has moved there, is filled with an infinity,
// at an edge or where a mask says so: no range holds that. Inputs and computed values are known to when they are observed.
func (p *prepared) holdsInfinity(v *graph.Value) bool {
	if v.Node == nil {
		return false
	}
	infinite := p.form(v.Node).Infinite
	return infinite != nil && infinite(func(i int) bool { return p.holdsInfinity(v.Node.Inputs[i]) })
}

// revertUseless takes back to float what would be int8 for nothing. An operator
// without weights gains between others that are int8; elsewhere its values would be
// quantized for it alone, or dequantized right behind it.
func (p *prepared) revertUseless() {
	for changed := true; changed; {
		changed = false
		for _, n := range p.graph.Nodes {
			if !p.decision[n].Quantize || isLayer(n.Op) || p.between(n) {
				continue
			}
			p.decision[n] = verdict{Reason: "it is not between int8 operators"}
			p.gives = nil
			changed = true
		}
	}
}

// observe lists the values that need parameters, and those that would if some of the
// modules fell back to float. What never meets an int8 operator is in neither, and may be infinite.
func (p *prepared) observe(edges map[string]*Edge) {
	var needed valueSet
	for _, n := range p.graph.Nodes {
		if !p.decision[n].Quantize || p.backend.Dynamic {
			continue
		}
		for _, i := range p.quantizedInputs(n) {
			needed.add(p.source(n.Inputs[i]))
		}
		if !p.form(n).Shares && !p.givesFloat(n) {
			needed.add(n.Outputs[0])
		}
	}
	p.sources(&needed, edges)
	p.needed = needed.list
	for _, n := range p.graph.Nodes {
		for _, v := range n.Inputs {
			if !p.backend.Dynamic && p.mayBeQuantized(v) {
				needed.add(v)
			}
		}
	}
	p.sources(&needed, edges)
	p.observed = needed.list
}

// mayBeQuantized reports whether an int8 operator could take the value quantized if operators in front
// of it or behind it were float. Fallbacks make no other operator int8.
func (p *prepared) mayBeQuantized(v *graph.Value) bool {
	return slices.ContainsFunc(p.users[v], func(user *graph.Node) bool {
		if !p.decision[user].Quantize || !slices.ContainsFunc(p.form(user).Activations, func(i int) bool { return user.Inputs[i] == v }) {
			return false
		}
		return !p.form(user).Shares || p.mayBeQuantized(user.Outputs[0])
	})
}

// valueSet is a list of float32 activations without repetitions.
type valueSet struct {
	list []*graph.Value
	seen map[*graph.Value]bool
}

func (s *valueSet) add(v *graph.Value) {
	if s.seen[v] || v.Type.DType != tensor.Float32 || v.Const != nil {
		return
	}
	if s.seen == nil {
		s.seen = make(map[*graph.Value]bool)
	}
	s.seen[v] = true
	s.list = append(s.list, v)
}

// source returns the value whose parameters v has: v itself, or what the
// operators that keep parameters made it from.
func (p *prepared) source(v *graph.Value) *graph.Value {
	for v.Node != nil && p.form(v.Node).Shares && p.decision[v.Node].Quantize {
		v = v.Node.Inputs[0]
	}
	return v
}
