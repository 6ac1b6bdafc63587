package quantize

import (
	"math"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// function is a function of one element between two activations that are quantized.
type function struct {
	of    func(dst, src []float32) error
	input string // the name of what it takes
	// params are those of the input with the least error behind the function, of so many batches.
	params  *tensor.QParams // nil where the input has its own
	batches int64
}

// functions lists the functions of one element by the values that nothing else takes, and by their results.
func (p *prepared) functions(edges map[string]*Edge) (behind, results map[string]*function) {
	behind, results = make(map[string]*function), make(map[string]*function)
	for _, n := range p.graph.Nodes {
		f := p.form(n)
		if f.Function == nil || f.Shares || !p.decision[n].Quantize || len(f.Activations) != 1 {
			continue
		}
		v := n.Inputs[f.Activations[0]]
		x := p.source(v)
		fn, y := &function{of: f.Function, input: p.names[x]}, p.names[n.Outputs[0]]
		if edges[fn.input] != nil || edges[y] != nil {
			continue
		}
		results[y] = fn
		if v == x && v.Node != nil && len(p.users[v]) == 1 {
			behind[fn.input] = fn
		}
	}
	return behind, results
}

// leastErrorBehind returns the range whose integers lose least behind a function, with all values in the middles of their bins. ok is false where the function
// both falls and rises on them: what is clipped then becomes another part of the result.
func (g *grid) leastErrorBehind(s Spec, f *function) (lo, hi float32, ok bool, err error) {
	var x, y []float32
	var counts []float64
	g.bins(func(from, to, count float64) {
		x, counts = append(x, float32((from+to)/2)), append(counts, count)
	})
	y = make([]float32, len(x))
	if err := f.of(y, x); err != nil || !monotone(y) {
		return 0, 0, false, err
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
	return lo, hi, true, err
}

// monotone reports whether numbers only rise, or only fall.
func monotone(y []float32) bool {
	rises, falls := true, true
	for i := 1; i < len(y); i++ {
		rises, falls = rises && y[i] >= y[i-1], falls && y[i] <= y[i-1]
	}
	return rises || falls
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
	if f.batches != g.batches {
		f.params = nil
		lo, hi, ok, err := g.grid.leastErrorBehind(g.config.Spec, f)
		if err == nil && ok {
			f.params, err = g.config.Spec.qparams([]float32{lo}, []float32{hi})
		}
		if err != nil {
			return nil, err
		}
		f.batches = g.batches
	}
	return f.params.Clone(), nil
}

// behindFunction adds what the function that alone takes v makes of x to a graph, where v has the range with the least error behind it: in front of the function that range says
// nothing. Elsewhere it returns x. at gives the values of the graph.
func (q *Quantizer) behindFunction(g *graph.Graph, p *prepared, v, x *graph.Value, at func(*graph.Value) *graph.Value) (*graph.Value, error) {
	if f := q.functions[p.names[v]]; f == nil || f.params == nil {
		return x, nil
	}
	n := p.users[v][0]
	inputs := make([]*graph.Value, len(n.Inputs))
	for i, in := range n.Inputs {
		if inputs[i] = x; in != v {
			inputs[i] = at(in)
		}
	}
	return g.Add1(n.Scope, n.Op, inputs...)
}

// multiplied returns the parameters of a value that a function makes of another one whose integers it multiplies by one number above 0: they stay as they are, so
// that nothing is rounded again. Those of any other value are p.
func (q *Quantizer) multiplied(name string, p *tensor.QParams) (*tensor.QParams, error) {
	f := q.results[name]
	if f == nil || q.smoothed[name] != nil {
		return p, nil
	}
	x, err := q.activation(f.input)
	if err != nil {
		return nil, err
	}
	from := make([]float32, x.Max-x.Min+1)
	for i := range from {
		from[i] = float32(x.Min+int32(i)-x.ZeroPoint[0]) * x.Scale[0]
	}
	to := make([]float32, len(from))
	if err := f.of(to, from); err != nil {
		return nil, err
	}
	most := 0 // where the greatest magnitude is
	if -from[0] < from[len(from)-1] {
		most = len(from) - 1
	}
	by := to[most] / from[most]
	same := x.Clone()
	same.Scale[0] *= by
	ok := by > 0 && same.Scale[0] >= q.opts.backend().Activation.Spec.leastScale() && x.DType == p.DType && x.Min == p.Min && x.Max == p.Max
	for i, v := range from {
		ok = ok && math.Abs(float64(to[i])-float64(by*v)) <= 0x1p-22*math.Abs(float64(to[i]))
	}
	if !ok {
		return p, nil
	}
	return same, nil
}
