package quantize

import (
	"context"
	"math"
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/sorting"
)

// ModuleSensitivity is what int8 in one module alone costs and saves.
type ModuleSensitivity struct {
	Name string `json:"name"`
	// Noise is the power of what it adds to the model's outputs over the power of
	// the outputs, the largest of all outputs.
	Noise float64 `json:"noise"`
	// Int8 and Float are its cost in each precision.
	Int8  float64 `json:"int8_cost"`
	Float float64 `json:"float_cost"`
}

// Sensitivities returns how much noise each quantizable module puts into the
// model's outputs when it alone is quantized, the noisiest first. Unlike AMP's,
// which is measured at the module's own output, it counts as much as the rest of
// the model lets through.
func (q *Quantizer) Sensitivities(ctx context.Context, m *graph.Graph, data Batches) ([]ModuleSensitivity, error) {
	p, err := q.prepare(m, nil)
	if err != nil {
		return nil, err
	}
	reference, err := collect(ctx, m, data, q.opts.Session)
	if err != nil {
		return nil, err
	}
	all := p.decision
	var out []ModuleSensitivity
	for _, name := range layerModules(p.graph, all) {
		p.decision, p.gives = make(map[*graph.Node]verdict), nil
		for _, k := range p.graph.Nodes {
			p.decision[k] = verdict{Quantize: isLayer(k.Op) && all[k].Quantize && k.Scope.Path == name}
		}
		c, err := q.convert(ctx, p)
		if err != nil {
			return nil, err
		}
		diff, err := reference.compare(ctx, c.g, data, q.opts.Session)
		if err != nil {
			return nil, err
		}
		s := ModuleSensitivity{Name: name}
		for _, d := range diff {
			if d.noise > 0 {
				s.Noise = max(s.Noise, min(d.noise/max(d.signal, math.SmallestNonzeroFloat64), math.MaxFloat64))
			}
		}
		out = append(out, s)
	}
	sorting.Func(out, func(a, b ModuleSensitivity) int { return compareDescending(a.Noise, b.Noise) })
	return out, nil
}

// layerModules lists the modules whose layers the quantizer would quantize, in the order of the graph.
func (q *Quantizer) layerModules(m *graph.Graph) ([]string, error) {
	p, err := q.prepare(m, nil)
	if err != nil {
		return nil, err
	}
	return layerModules(p.graph, p.decision), nil
}

func layerModules(g *graph.Graph, decision map[*graph.Node]verdict) []string {
	var names []string
	for _, n := range g.Nodes {
		if name := n.Scope.Path; isLayer(n.Op) && decision[n].Quantize && name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func compareDescending(a, b float64) int {
	switch {
	case a > b:
		return -1
	case a < b:
		return 1
	}
	return 0
}

// rank orders the modules by the noise that each unit of cost buys off.
func (t *tuner) rank() ([]ModuleSensitivity, error) {
	t.say("sensitivity")
	modules, err := t.q.Sensitivities(t.ctx, t.model, t.target.Data)
	if err != nil {
		return nil, err
	}
	least := 0.0
	for i, m := range modules {
		modules[i].Int8, modules[i].Float = t.cost.module(m.Name)
		least = max(least, modules[i].Float-modules[i].Int8)
	}
	// What costs next to nothing, or is even quicker in float, is not infinitely
	// better than the rest: latencies are measured only so well.
	least = max(least/100, math.SmallestNonzeroFloat64)
	sorting.Func(modules, func(a, b ModuleSensitivity) int {
		return compareDescending(a.Noise/max(a.Float-a.Int8, least), b.Noise/max(b.Float-b.Int8, least))
	})
	return modules, nil
}
