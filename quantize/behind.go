package quantize

import (
	"errors"
	"math"
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// function is a function of one element between two activations that are quantized, which it has by name.
type function struct {
	of            func(dst, src []float32) error
	input, result string
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
		fn := &function{of: f.Function, input: p.names[x], result: p.names[n.Outputs[0]]}
		if edges[fn.input] != nil || edges[fn.result] != nil {
			continue
		}
		results[fn.result] = fn
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

// reached narrows the parameters of what a function makes of a quantized value to what it makes of the integers that there are, where that is a fifth less
// and so the step by 2 dB. A function that multiplies by a number above 0 leaves the integers as they are.
func (q *Quantizer) reached(name string, s Spec, p *tensor.QParams) (*tensor.QParams, error) {
	f := q.results[name]
	if f == nil {
		return p, nil
	}
	x, err := q.activation(f.input)
	if err != nil {
		return nil, err
	}
	y := make([]float32, x.Max-x.Min+1)
	for i := range y {
		y[i] = float32(float32(x.Min+int32(i)-x.ZeroPoint[0]) * x.Scale[0])
	}
	most := max(-y[0], y[len(y)-1])
	by := []float32{most, -most, most / 2, -most / 3, most / 100}
	if err := errors.Join(f.of(y, y), f.of(by, by)); err != nil {
		return nil, err
	}
	if scale := x.Scale[0] * (by[0] / most); x.Min == p.Min && x.Max == p.Max && x.DType == p.DType && scale >= s.leastScale() && by[0] < math.MaxFloat32 && by[1] == -by[0] &&
		near(by[2], by[0]/2) && near(by[3], -by[0]/3) && near(by[4], by[0]/100) {
		same := x.Clone()
		same.Scale[0] = scale
		return same, nil
	}
	y = append(slices.DeleteFunc(y, func(v float32) bool { return v != v }), 0)
	lo, hi := float32(float32(p.Min-p.ZeroPoint[0])*p.Scale[0]), float32(float32(p.Max-p.ZeroPoint[0])*p.Scale[0])
	least, greatest := max(lo, slices.Min(y)), min(hi, slices.Max(y))
	if greatest-least > 0.8*(hi-lo) {
		return p, nil
	}
	return s.qparams([]float32{least}, []float32{greatest})
}

// near reports whether two numbers differ by rounding alone.
func near(a, b float32) bool { return math.Abs(float64(a-b)) <= 0x1p-22*math.Abs(float64(b)) }
