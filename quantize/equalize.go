package quantize

import (
	"math"
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// equalize returns the model with the weights of layers that follow each other
// balanced: what a channel's weights in front are divided by, those behind are
// multiplied with, so that both have the same largest magnitude and one scale
// fits all channels. It computes the same, since what lies between, at most an
// activation that is linear on each side of 0 and a pooling, lets factors through (Nagel et
// al., "Data-Free Quantization Through Weight Equalization and Bias Correction",
// 2019). A ReLU6 becomes a ReLU and a minimum with 6 over the channel's factor.
func equalize(g *graph.Graph) (*graph.Graph, error) {
	e := &equalizer{graph: g, own: make(map[*graph.Node]layerWeights), relu6: make(map[*graph.Node]*equalizedPair)}
	e.find()
	const rounds = 20
	for range rounds {
		change := 0.0
		for _, p := range e.pairs {
			change = max(change, p.balance())
		}
		if change < 1e-3 {
			break
		}
	}
	return e.write()
}

type equalizer struct {
	graph *graph.Graph
	own   map[*graph.Node]layerWeights
	pairs []*equalizedPair
	relu6 map[*graph.Node]*equalizedPair // by the node that clamps between the two
}

// layerWeights are a layer's own copies of its weight and bias, nil without one.
type layerWeights struct{ weight, bias *tensor.Tensor }

// equalizedPair is two layers with what lies between them.
type equalizedPair struct {
	first  [][]float32   // weights of each output channel of the first layer
	bias   []float32     // of the first layer, nil without one
	second [][][]float32 // weights of each input channel of the second, which lie in pieces
	factor []float64     // what each channel has been divided by
	linear bool          // the channels are the last dimension, not the second
}

// find lists the pairs.
func (e *equalizer) find() {
	users := make(map[*graph.Value][]*graph.Node)
	for _, n := range e.graph.Nodes {
		for _, v := range n.Inputs {
			users[v] = append(users[v], n)
		}
	}
	for _, n := range e.graph.Nodes {
		if !isLayer(n.Op) || int8.LayerOf(n.Op).HasResidual || constantWeight(n) != "" {
			continue
		}
		second, relu6 := e.follow(n, users)
		if second == nil {
			continue
		}
		p := e.bind(n, second)
		if p == nil {
			continue
		}
		e.pairs = append(e.pairs, p)
		if relu6 != nil {
			e.relu6[relu6] = p
		}
	}
}

// follow returns the layer that alone takes what n gives, and the node that
// clamps to 6 on the way; nil where something lies between that no factor passes.
func (e *equalizer) follow(n *graph.Node, users map[*graph.Value][]*graph.Node) (second, relu6 *graph.Node) {
	if isReLU6(n.Op) {
		relu6 = n
	}
	for v := n.Outputs[0]; len(users[v]) == 1 && !slices.Contains(e.graph.Outputs, v); {
		next := users[v][0]
		switch {
		case isLayer(next.Op):
			if next.Inputs[0] != v || constantWeight(next) != "" {
				return nil, nil
			}
			return next, relu6
		case isReLU6(next.Op) && relu6 == nil:
			relu6 = next
		case !formOf(next).Homogeneous:
			return nil, nil
		}
		v = next.Outputs[0]
	}
	return nil, nil
}

// isReLU6 reports whether the operator, or a layer's activation, clamps to 6.
func isReLU6(op ops.Op) bool {
	if l := int8.LayerOf(op); l != nil {
		return l.Act == ops.ActReLU6
	}
	act, _ := ops.AsActivation(op)
	return act == ops.ActReLU6
}

// bind returns the pair of two layers, nil where the channels of the one are
// not those of the other.
func (e *equalizer) bind(first, second *graph.Node) *equalizedPair {
	groups := int8.LayerOf(second.Op).Groups
	channels := first.Inputs[1].Type.Shape[0]
	shape := second.Inputs[1].Type.Shape
	outs, perGroup := shape[0], shape[1] // input channels of a group
	if perGroup*groups != channels || len(first.Inputs[1].Type.Shape) != len(shape) {
		return nil
	}
	a, b := e.weightsOf(first), e.weightsOf(second)
	p := &equalizedPair{factor: slices.Repeat([]float64{1}, channels), linear: int8.LayerOf(first.Op).Conv == nil}
	if a.bias != nil {
		p.bias = a.bias.Float32s()
	}
	w, v := a.weight.Float32s(), b.weight.Float32s()
	size, taps := len(w)/channels, len(v)/(outs*perGroup)
	for c := range channels {
		p.first = append(p.first, w[c*size:(c+1)*size])
		var pieces [][]float32
		for o := c / perGroup * (outs / groups); o < (c/perGroup+1)*(outs/groups); o++ {
			at := (o*perGroup + c%perGroup) * taps
			pieces = append(pieces, v[at:at+taps])
		}
		p.second = append(p.second, pieces)
	}
	return p
}

func (e *equalizer) weightsOf(n *graph.Node) layerWeights {
	if have, ok := e.own[n]; ok {
		return have
	}
	w := layerWeights{weight: n.Inputs[1].Const.Clone()}
	if hasBias(n.Op) {
		w.bias = n.Inputs[2].Const.Clone()
	}
	e.own[n] = w
	return w
}

// balance brings the magnitudes of each channel in both layers to their
// geometric mean. It returns the largest change of a factor, relative to it.
func (p *equalizedPair) balance() float64 {
	change := 0.0
	for c, w := range p.first {
		a, b := largest(w), 0.0
		for _, piece := range p.second[c] {
			b = max(b, largest(piece))
		}
		if a == 0 || b == 0 {
			continue // the channel carries nothing, or nobody listens
		}
		s := float32(math.Sqrt(a / b))
		if !isFinite(s) || !isFinite(1/s) {
			continue
		}
		for i := range w {
			w[i] /= s
		}
		if p.bias != nil {
			p.bias[c] /= s
		}
		for _, piece := range p.second[c] {
			for i := range piece {
				piece[i] *= s
			}
		}
		p.factor[c] *= float64(s)
		change = max(change, math.Abs(float64(s)-1))
	}
	return change
}

func largest(w []float32) float64 {
	m := float32(0)
	for _, v := range w {
		m = max(m, v, -v)
	}
	return float64(m)
}

// write returns the model with the balanced weights.
func (e *equalizer) write() (*graph.Graph, error) {
	g := graph.New()
	g.State = e.graph.State
	values := make(map[*graph.Value]*graph.Value)
	get := func(v *graph.Value) *graph.Value {
		if v.Const != nil && values[v] == nil {
			values[v] = g.Const(v.Name, v.Const)
		}
		return values[v]
	}
	for _, v := range e.graph.Inputs {
		values[v] = g.Input(v.Name, v.Type.DType, v.Type.Shape...)
		values[v].Guard = v.Guard
	}
	for _, n := range e.graph.Nodes {
		inputs := make([]*graph.Value, len(n.Inputs))
		for i, v := range n.Inputs {
			inputs[i] = get(v)
		}
		if own, ok := e.own[n]; ok {
			inputs[1] = g.Const(n.Inputs[1].Name, own.weight)
			if own.bias != nil {
				inputs[2] = g.Const(n.Inputs[2].Name, own.bias)
			}
		}
		op, top := n.Op, (*tensor.Tensor)(nil)
		if p := e.relu6[n]; p != nil {
			var err error
			if op, top, err = p.split(op, len(n.Outputs[0].Type.Shape)); err != nil {
				return nil, err
			}
		}
		outs, err := g.Add(n.Scope, op, inputs...)
		if err != nil {
			return nil, err
		}
		if top != nil {
			if outs, err = g.Add(n.Scope, ops.Binary{Fn: ops.Min}, outs[0], g.Const(n.Scope.Path+".six", top)); err != nil {
				return nil, err
			}
		}
		for i, v := range n.Outputs {
			values[v] = outs[i]
		}
	}
	outputs := make([]*graph.Value, len(e.graph.Outputs))
	for i, v := range e.graph.Outputs {
		outputs[i] = get(v)
		outputs[i].Name = v.Name
	}
	g.SetOutputs(outputs...)
	return g, g.Verify()
}

// split returns the operator with ReLU in the place of ReLU6, and what its
// output, of the given rank, is bounded by from above.
func (p *equalizedPair) split(op ops.Op, rank int) (ops.Op, *tensor.Tensor, error) {
	if l := int8.LayerOf(op); l != nil {
		l.Act = ops.ActReLU
		op = l.Float()
	} else {
		op = ops.Unary{Fn: ops.ReLU}
	}
	shape := slices.Repeat([]int{1}, rank)
	axis := 1
	if p.linear {
		axis = rank - 1
	}
	shape[axis] = len(p.factor)
	top, err := tensor.New(tensor.Float32, shape...)
	if err != nil {
		return nil, nil, err
	}
	for c, f := range p.factor {
		top.Float32s()[c] = float32(6 / f)
	}
	return op, top, nil
}
