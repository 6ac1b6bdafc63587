package quantize

import (
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/sorting"
)

// stretch is a part of a quantized model whose nodes int8 values connect: the layers of some modules, what else they compute in
// int8, and what quantizes into them and dequantizes from them.
type stretch struct {
	modules     []string // whose layers it has
	int8, float float64  // what it costs as it is, and with its modules in float
}

// stretches finds the stretches of a model whose nodes cost so much. modules are those that can be left in float, and float says
// what all modules of the float model cost.
func stretches(nodes map[*graph.Node]float64, modules []string, float map[string]float64) []*stretch {
	group := make(map[*graph.Node]*graph.Node) // a node of the same stretch, itself for one of each
	var find func(n *graph.Node) *graph.Node
	find = func(n *graph.Node) *graph.Node {
		if group[n] != n {
			group[n] = find(group[n])
		}
		return group[n]
	}
	for n := range nodes {
		group[n] = n
	}
	for n := range nodes {
		for _, v := range n.Inputs {
			if v.Type.Q != nil && v.Node != nil && group[v.Node] != nil {
				group[find(n)] = find(v.Node)
			}
		}
	}
	of := make(map[*graph.Node]map[string]float64) // of each stretch, by module
	for n, cost := range nodes {
		to := find(n)
		if of[to] == nil {
			of[to] = make(map[string]float64)
		}
		of[to][n.Scope.Path] += cost
	}
	all := byModule(nodes)
	var out []*stretch
	for _, paths := range of {
		s := &stretch{}
		for path, cost := range paths {
			s.int8 += cost
			// What a module computes outside of the stretch stays as it is.
			s.float += max(float[path]-(all[path]-cost), 0)
		}
		if s.modules = slices.DeleteFunc(slices.Clone(modules), func(name string) bool { _, has := paths[name]; return !has }); len(s.modules) > 0 {
			out = append(out, s)
		}
	}
	sorting.Func(out, func(a, b *stretch) int {
		return slices.Index(modules, a.modules[0]) - slices.Index(modules, b.modules[0])
	})
	return out
}

// quickenStretches leaves stretches in float that cost more in int8, the worst first. What falls back divides stretches, so that each
// is looked at as it is then.
func (t *tuner) quickenStretches(p TuningPoint) (TuningPoint, error) {
	for {
		slow, err := t.slowStretches(p.Fallback)
		if err != nil {
			return p, err
		}
		i := 0
		for ; i < len(slow); i++ {
			next, err := t.try(slices.Concat(p.Fallback, slow[i].modules))
			if err != nil {
				return p, err
			}
			if next.Met && next.Cost < p.Cost {
				p = next
				break
			}
		}
		if i == len(slow) {
			return p, nil
		}
	}
}

// slowStretches lists the stretches that cost more in int8, the worst first, where some modules are in float.
func (t *tuner) slowStretches(fallback []string) ([]*stretch, error) {
	t.say("latency of stretches")
	trial := *t.q
	trial.Exclude(fallback...)
	modules, err := trial.layerModules(t.model)
	if err != nil || len(modules) == 0 {
		return nil, err
	}
	m, err := trial.QuantizeContext(t.ctx, t.model)
	if err != nil {
		return nil, err
	}
	nodes, _, err := t.cost.measure(t.ctx, m, t.cost.opts, t.cost.input)
	if err != nil {
		return nil, err
	}
	float := make(map[string]float64)
	for path, c := range t.cost.modules {
		float[path] = c.float
	}
	slow := slices.DeleteFunc(stretches(nodes, modules, float), func(s *stretch) bool { return s.int8 <= s.float*longer })
	sorting.Func(slow, func(a, b *stretch) int { return compareDescending(a.int8-a.float, b.int8-b.float) })
	return slow, nil
}
