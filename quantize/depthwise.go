package quantize

import (
	"fmt"
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// depthwiseInput is what lies between a convolution and depthwise ones that alone take its result, by at most functions that scale as their input does. The
// weights of both have a scale for each channel, so that channels with ranges of their own cost nothing: the weights in front are divided by
// factors, and those behind multiplied with them.
type depthwiseInput struct {
	first  *graph.Node
	layers []*graph.Node  // depthwise
	values []dividedValue // the result of the convolution first
	factor []float32      // that the channels are divided by, nil where they have not been observed
}

// dividedValue is a value whose channels are divided.
type dividedValue struct {
	value  *graph.Value
	of     func(dst, src []float32) error // the function of the value in front, nil of the first
	lo, hi []float32                      // of the divided channels
}

// leastChannel is the least factor of a channel in proportion to the greatest: what hardly had values in calibration may have some later.
const leastChannel = 1.0 / 64

// findDepthwise lists what can be equalized.
func (p *prepared) findDepthwise(q *Quantizer) {
	if !p.backend.EqualizeDepthwise || q.static || q.learned != nil || !q.observers.Weight.Spec.Scheme.PerChannel() {
		return
	}
	named := make(map[string]int)
	for _, name := range p.layers {
		named[name]++
	}
	own := func(n *graph.Node) bool { // nothing else has its weight
		return p.decision[n].Quantize && named[p.layers[n]] == 1 && len(p.users[n.Inputs[1]]) == 1 && q.weightConfig(n) == q.observers.Weight
	}
	for _, n := range p.graph.Nodes {
		l := p.form(n).Layer
		if l == nil || l.Conv == nil || l.HasResidual || l.Act != ops.NoActivation && l.Act != ops.ActReLU || !own(n) || l.HasBias && len(p.users[n.Inputs[2]]) != 1 {
			continue
		}
		e := &depthwiseInput{first: n}
		if p.follow(q, e, n.Outputs[0], nil, own) {
			p.depthwise = append(p.depthwise, e)
		}
	}
}

// follow takes in a value, and reports whether only depthwise convolutions take it, and what functions make of it.
func (p *prepared) follow(q *Quantizer, e *depthwiseInput, v *graph.Value, of func(dst, src []float32) error, own func(*graph.Node) bool) bool {
	name := p.names[v]
	if slices.Contains(p.graph.Outputs, v) || q.edges[name] != nil || q.opts.Fixed[name] != nil || len(p.users[v]) == 0 {
		return false
	}
	e.values = append(e.values, dividedValue{value: v, of: of})
	if n := p.users[v][0]; len(p.users[v]) == 1 && p.form(n).Function != nil && p.form(n).Homogeneous && len(n.Inputs) == 1 && p.decision[n].Quantize {
		return p.follow(q, e, n.Outputs[0], p.form(n).Function, own)
	}
	for _, n := range p.users[v] {
		l := p.form(n).Layer
		if l == nil || l.Conv == nil || n.Inputs[0] != v || l.Groups == 1 || l.Groups != v.Type.Shape[1] || n.Inputs[1].Type.Shape[0] != l.Groups || !own(n) {
			return false
		}
		e.layers = append(e.layers, n)
	}
	return true
}

// observeDepthwise adds the nodes that observe the channels of what can be equalized.
func (q *Quantizer) observeDepthwise(p *prepared, first map[*graph.Value]bool) error {
	for _, e := range p.depthwise {
		v, name := e.values[0].value, p.layers[e.first]
		if q.channels[name] == nil {
			obs, err := channelConfig(1).New(name)
			if err != nil {
				return err
			}
			q.channels[name] = obs
		}
		if _, err := p.graph.Add(e.first.Scope, observeOp{to: q.channels[name], samples: first[v]}, v); err != nil {
			return err
		}
	}
	return nil
}

// equalizeDepthwise divides the channels of values by what they were observed to reach.
func (q *Quantizer) equalizeDepthwise(p *prepared) error {
	q.divided = make(map[string]*dividedValue)
	for _, e := range p.depthwise {
		o := q.channels[p.layers[e.first]]
		if o == nil {
			continue
		}
		seen := o.State()
		if seen.Batches == 0 {
			continue
		}
		if len(seen.Min) != e.first.Inputs[1].Type.Shape[0] {
			return &ObserverError{p.layers[e.first], MinMax, fmt.Errorf("%w: it has seen %d channels", ErrMismatch, len(seen.Min))}
		}
		if err := e.measure(seen.Min, seen.Max); err != nil {
			return err
		}
		if e.factor == nil {
			continue
		}
		for _, v := range e.first.Inputs[1:] {
			v.Const = scaledAlong(v.Const, 0, e.factor, true)
		}
		for _, n := range e.layers {
			n.Inputs[1].Const = scaledAlong(n.Inputs[1].Const, 0, e.factor, false)
			p.inputFactor[n] = e.factor
		}
		for i := range e.values {
			q.divided[p.names[e.values[i].value]] = &e.values[i]
		}
	}
	return nil
}

// measure finds the factors, and the ranges of the channels divided by them, from those of the first value.
func (e *depthwiseInput) measure(lo, hi []float32) error {
	for i := range e.values {
		v := &e.values[i]
		if v.of != nil {
			lo, hi = slices.Clone(lo), slices.Clone(hi)
			for _, ends := range [][]float32{lo, hi} {
				if err := v.of(ends, ends); err != nil {
					return err
				}
			}
		}
		v.lo, v.hi = slices.Clone(lo), slices.Clone(hi)
	}
	factor, most := make([]float32, len(lo)), float32(0)
	for c := range lo {
		factor[c] = max(-lo[c], hi[c], lo[c], -hi[c])
		most = max(most, factor[c])
	}
	if !(most > 0) {
		return nil
	}
	for c, f := range factor {
		factor[c] = max(f/most, leastChannel)
	}
	for _, v := range e.values {
		for c, f := range factor {
			v.lo[c], v.hi[c] = min(v.lo[c], v.hi[c])/f, max(v.lo[c], v.hi[c])/f
		}
	}
	e.factor = factor
	return nil
}

// qparams returns the parameters of the value.
func (v *dividedValue) qparams(s Spec) (*tensor.QParams, error) {
	return s.qparams([]float32{slices.Min(v.lo)}, []float32{slices.Max(v.hi)})
}
