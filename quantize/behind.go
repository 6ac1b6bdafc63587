package quantize

import (
	"math"

	"github.com/octet-ml/octet/tensor"
)

// function is what alone takes a value: a function of one element, whose result has a name.
type function struct {
	of     func(dst, src []float32) error
	result string
}

// functions lists the values, by name, that nothing but a function of one element takes which scales as its input does: a leaky ReLU.
func (p *prepared) functions(edges map[string]*Edge) map[string]*function {
	list := make(map[string]*function)
	for _, n := range p.graph.Nodes {
		f := p.form(n)
		if f.Function == nil || !f.Homogeneous || !p.decision[n].Quantize || len(n.Inputs) != 1 || len(p.users[n.Inputs[0]]) != 1 {
			continue
		}
		v, y := n.Inputs[0], p.names[n.Outputs[0]]
		if v.Node != nil && !p.form(v.Node).Shares && edges[p.names[v]] == nil && edges[y] == nil {
			list[p.names[v]] = &function{f.Function, y}
		}
	}
	return list
}

// leastErrorBehind returns the range whose integers lose least behind a function, with all values in the middles of their bins.
func (g *grid) leastErrorBehind(s Spec, f *function) (lo, hi float32, err error) {
	var x, y []float32
	var counts []float64
	g.bins(func(from, to, count float64) {
		x, counts = append(x, float32((from+to)/2)), append(counts, count)
	})
	y = make([]float32, len(x))
	if err := f.of(y, x); err != nil {
		return 0, 0, err
	}
	lo, hi = g.around(s)
	qmin, qmax := s.Range()
	numbers := make([]float32, qmax-qmin+1)
	lo, hi = candidates(lo, hi, s.Scheme.Symmetric(), func(lo, hi float32) float64 {
		scale, zero, ok := s.scaleAndZero(lo, hi)
		if !ok {
			return math.Inf(1)
		}
		for i := range numbers {
			numbers[i] = float32(qmin+int32(i)-zero) * scale
		}
		if err = f.of(numbers, numbers); err != nil {
			return math.Inf(1)
		}
		sum := 0.0
		for i, v := range x {
			q := min(max(math.RoundToEven(float64(v)/float64(scale))+float64(zero), float64(qmin)), float64(qmax))
			d := float64(numbers[int32(q)-qmin]) - float64(y[i])
			sum += float64(counts[i] * d * d)
		}
		return sum
	})
	return lo, hi, err
}

// behind returns the parameters of a value with the least error behind the function that takes it, nil where they are others.
func (q *Quantizer) behind(name string, o Observer) (*tensor.QParams, error) {
	f := q.functions[name]
	g, counts := o.(*gridObserver)
	if f == nil || !counts || g.config.Kind != MSE {
		return nil, nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.batches == 0 || g.grid.lo == g.grid.hi {
		return nil, nil
	}
	lo, hi, err := g.grid.leastErrorBehind(g.config.Spec, f)
	if err != nil {
		return nil, err
	}
	return g.config.Spec.qparams([]float32{lo}, []float32{hi})
}
