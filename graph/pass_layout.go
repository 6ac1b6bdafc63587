package graph

import (
	"slices"

	"github.com/octet-ml/octet/ops"
)

// channelsLast rewrites the image operators to compute with the channels last
// and permutes values where the two layouts meet. Each value is permuted at
// most once in each direction, so what lies between two image operators and can
// work in either layout follows them, and permutations end up at the borders.
func channelsLast(g *Graph) error {
	l := &layouts{g: g, last: newValueTable[*Value](g), first: newValueTable[*Value](g)}
	nodes := g.Nodes
	g.Nodes = make([]*Node, 0, len(nodes))
	for _, n := range nodes {
		before := len(g.Nodes)
		if err := l.lower(n); err != nil {
			return err
		}
		for _, made := range g.Nodes[before:] {
			made.backward = n.backward
		}
	}
	for i, v := range g.Outputs {
		w, err := l.channelsSecond(v)
		if err != nil {
			return err
		}
		w.Name = v.Name
		g.Outputs[i] = w
	}
	g.RemoveDead()
	return nil
}

// layouts keeps, for values of the graph before the pass, their counterparts
// in the graph that is being written: with channels last, or as they were.
type layouts struct {
	g           *Graph
	last, first *valueTable[*Value]
}

func (l *layouts) lower(n *Node) error {
	if op, inputs, ok := l.choose(n); ok {
		return l.emit(n, op, inputs, true)
	}
	return l.emit(n, n.Op, nil, false)
}

// choose returns the node's operator for channels last when it should be used:
// the operator works no other way, or one of its inputs is there already and
// none would have to be permuted just for it.
func (l *layouts) choose(n *Node) (ops.Op, []int, bool) {
	c, ok := n.Op.(ops.ChannelsLaster)
	if !ok {
		return nil, nil, false
	}
	op, inputs, ok := c.ChannelsLast(typesOf(n.Inputs))
	if !ok {
		return nil, nil, false
	}
	if ops.WantsChannelsLast(c) {
		return op, inputs, true
	}
	there, missing := 0, 0
	for _, i := range inputs {
		switch v := n.Inputs[i]; {
		case l.last.has(v):
			there++
		case v.Const == nil:
			missing++
		}
	}
	return op, inputs, there > 0 && there >= missing
}

func (l *layouts) emit(n *Node, op ops.Op, permuted []int, last bool) error {
	inputs := make([]*Value, len(n.Inputs))
	for i, v := range n.Inputs {
		get := l.channelsSecond
		if last && slices.Contains(permuted, i) {
			get = l.channelsLast
		}
		w, err := get(v)
		if err != nil {
			return err
		}
		inputs[i] = w
	}
	outputs, err := l.g.Add(n.Scope, op, inputs...)
	if err != nil {
		return err
	}
	images := 0
	if _, stay := op.(ops.OutputsStayer); last && !stay {
		images = len(outputs)
		if o, ok := op.(ops.ImageOutputter); ok {
			images = o.ImageOutputs()
		}
	}
	for i, v := range n.Outputs {
		if i < images {
			l.last.set(v, outputs[i])
		} else {
			l.first.set(v, outputs[i])
		}
	}
	return nil
}

// channelsLast returns v with its channels last.
func (l *layouts) channelsLast(v *Value) (*Value, error) {
	if w, ok := l.last.get(v); ok {
		return w, nil
	}
	from, err := l.channelsSecond(v)
	if err != nil {
		return nil, err
	}
	rank := len(v.Type.Shape)
	order := make([]int, rank)
	for i := range rank {
		order[ops.ChannelsLastAxis(i, rank)] = i
	}
	return l.permute(l.last, v, from, order)
}

// channelsSecond returns v in the layout it had before the pass.
func (l *layouts) channelsSecond(v *Value) (*Value, error) {
	if w, ok := l.first.get(v); ok {
		return w, nil
	}
	from, ok := l.last.get(v)
	if v.Node == nil || !ok { // an input or a constant
		return v, nil
	}
	rank := len(v.Type.Shape)
	order := make([]int, rank)
	for i := range rank {
		order[i] = ops.ChannelsLastAxis(i, rank)
	}
	return l.permute(l.first, v, from, order)
}

func (l *layouts) permute(to *valueTable[*Value], v, from *Value, order []int) (*Value, error) {
	var scope Scope
	if v.Node != nil {
		scope = v.Node.Scope
	}
	w, err := l.g.Add1(scope, ops.Permute{Order: order}, from)
	if err != nil {
		return nil, err
	}
	to.set(v, w)
	return w, nil
}
