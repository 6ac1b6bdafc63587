package quantize

import (
	"errors"
	"fmt"
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
)

// depthwiseInput is what lies between a convolution and depthwise ones that alone take its result, by at most functions that scale as their input does. The
// weights of both have a scale for each channel, so that channels with ranges of their own cost nothing: the weights in front are divided by
// factors, and those behind multiplied with them.
type depthwiseInput struct {
	first     *graph.Node
	values    []*graph.Value // the result of first, then those of the functions
	functions []func(dst, src []float32) error
	layers    []*graph.Node // depthwise
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
		d := &depthwiseInput{first: n}
		if p.follow(q, d, n.Outputs[0], own) {
			p.depthwise = append(p.depthwise, d)
		}
	}
}

// follow takes in a value, and reports whether only depthwise convolutions take it, and what functions make of it.
func (p *prepared) follow(q *Quantizer, d *depthwiseInput, v *graph.Value, own func(*graph.Node) bool) bool {
	name := p.names[v]
	if slices.Contains(p.graph.Outputs, v) || q.edges[name] != nil || q.opts.Fixed[name] != nil || len(p.users[v]) == 0 {
		return false
	}
	d.values = append(d.values, v)
	n := p.users[v][0]
	if f := p.form(n); len(p.users[v]) == 1 && f.Function != nil && f.Homogeneous && len(n.Inputs) == 1 && p.decision[n].Quantize {
		d.functions = append(d.functions, f.Function)
		return p.follow(q, d, n.Outputs[0], own)
	}
	for _, n := range p.users[v] {
		l := p.form(n).Layer
		if l == nil || l.Conv == nil || n.Inputs[0] != v || l.Groups == 1 || l.Groups != v.Type.Shape[1] || n.Inputs[1].Type.Shape[0] != l.Groups || !own(n) {
			return false
		}
		d.layers = append(d.layers, n)
	}
	return true
}

// equalizeDepthwise divides the channels of values by what they were observed to reach.
func (q *Quantizer) equalizeDepthwise(p *prepared) error {
	for _, d := range p.depthwise {
		o := q.channels[p.layers[d.first]]
		if o == nil {
			continue
		}
		seen, ends := o.State(), o.State()
		if seen.Batches == 0 {
			continue
		}
		if len(seen.Min) != d.first.Inputs[1].Type.Shape[0] {
			return &ObserverError{p.layers[d.first], MinMax, fmt.Errorf("%w: it has seen %d channels", ErrMismatch, len(seen.Min))}
		}
		for _, f := range d.functions {
			if err := errors.Join(f(ends.Min, ends.Min), f(ends.Max, ends.Max)); err != nil {
				return err
			}
		}
		factor := ends.Max
		for c, v := range ends.Min {
			factor[c] = float32(largest([]float32{v, factor[c]}))
		}
		most := slices.Max(factor)
		if most == 0 {
			continue
		}
		for c, f := range factor {
			f = max(f/most, leastChannel)
			factor[c] = f
			seen.Min[c] /= f
			seen.Max[c] /= f
		}
		all := []float32{slices.Min(seen.Min), slices.Max(seen.Max)} // the ends of the range of all channels
		for i, v := range d.values {
			if i > 0 {
				if err := d.functions[i-1](all, all); err != nil {
					return err
				}
			}
			both := slices.Clone(all)
			q.smoothed[p.names[v]] = &smoothed{lo: both, hi: both}
		}
		for _, v := range d.first.Inputs[1:] {
			v.Const = scaledAlong(v.Const, 0, factor, true)
		}
		for _, n := range d.layers {
			n.Inputs[1].Const = scaledAlong(n.Inputs[1].Const, 0, factor, false)
			p.inputFactor[n] = factor
		}
	}
	return nil
}
