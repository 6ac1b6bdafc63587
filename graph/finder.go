package graph

import (
	"context"
	"errors"
	"slices"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// finder computes the numbers of Items while a program makes the graph that they belong to. What it computed for one it keeps for those
// behind, so that a loop of n iterations that asks for a number in each takes the work of n iterations.
type finder struct {
	ctx    context.Context
	home   *Session // packed constants are of all parts
	packed packs
	inputs []*tensor.Tensor
	known  Items
	found  int
	err    error // what ended it

	// Of the graph that is being made:
	graph  *Graph
	values map[*Value]*tensor.Tensor // computed so far
	order  []*Value                  // of those that may be computed again, the oldest first
	bytes  int64                     // of order
	nodes  int                       // how many of the graph's nodes were there at the last Item
}

// finding returns the numbers that are known with what finds the others.
func (s *Session) finding(ctx context.Context, inputs []*tensor.Tensor, items Items) (Items, *finder) {
	f := &finder{ctx: ctx, inputs: inputs}
	f.home = &Session{tier: s.tier, pool: s.pool, threads: s.threads, opts: s.opts, life: s.life, memory: s.memory, pack: f.packed.get}
	f.known = Items{Values: make(map[int]int64)}
	for i, v := range items.Values {
		f.known.Values[i] = v
	}
	f.known.Find = f.find
	return f.known, f
}

var errManyItems = errors.New("more than 4096 numbers that only the run knows, of which each asks for a graph of its own")

func (f *finder) find(g *Graph, v *Value, item int) (int64, error) {
	if f.err != nil {
		return 0, f.err
	}
	if f.found++; f.found > maxProbes {
		f.err = errManyItems
		return 0, f.err
	}
	if f.graph != g {
		f.graph, f.values, f.order, f.bytes, f.nodes = g, make(map[*Value]*tensor.Tensor), nil, 0, 0
		for i, x := range f.inputs {
			f.values[g.Inputs[i]] = x
		}
	}
	n, err := f.compute(v)
	if err != nil {
		f.err = err
		return 0, err
	}
	f.known.add(item, n)
	return n, nil
}

// compute runs what is in front of a number and was not run before.
func (f *finder) compute(v *Value) (int64, error) {
	p := &partBuilder{finder: f, part: New(), copies: make(map[*Value]*Value)}
	for _, n := range f.graph.Nodes[min(f.nodes, len(f.graph.Nodes)):] {
		if _, ok := n.Op.(ops.Assert); ok {
			if err := p.add(n); err != nil {
				return 0, err
			}
		}
	}
	f.nodes = len(f.graph.Nodes)
	last, err := p.copy(v)
	if err != nil {
		return 0, err
	}
	if last.Const != nil {
		return itemValue(last.Const), nil
	}
	p.part.SetOutputs(append([]*Value{last}, p.keep()...)...)
	s, err := f.home.part(f.ctx, p.part, f.home.opts)
	if err != nil {
		return 0, err
	}
	defer s.abandon()
	out, err := s.compute(f.ctx, p.in, 0)
	if err != nil {
		return 0, err
	}
	for i, x := range p.kept {
		f.values[x] = out[1+i]
		f.order, f.bytes = append(f.order, x), f.bytes+bytesOf(out[1+i])
	}
	for most := f.most(); f.bytes > most; f.order = f.order[1:] {
		f.bytes -= bytesOf(f.values[f.order[0]])
		delete(f.values, f.order[0])
	}
	return itemValue(out[0]), nil
}

// most bounds the bytes that are kept for the Items that follow.
func (f *finder) most() int64 { return min(f.home.opts.MaxPlanMemory, f.home.opts.MaxMemory/4) }

func bytesOf(t *tensor.Tensor) int64 {
	return int64(ops.Type{DType: t.DType(), Shape: t.Shape()}.Bytes())
}

// partBuilder makes the graph of one part.
type partBuilder struct {
	*finder
	part   *Graph
	copies map[*Value]*Value
	in     []*tensor.Tensor
	nodes  []*Node  // copied
	kept   []*Value // whose copies are outputs
}

// copy returns what a value is in the part.
func (p *partBuilder) copy(v *Value) (*Value, error) {
	if w := p.copies[v]; w != nil {
		return w, nil
	}
	var w *Value
	switch t := p.values[v]; {
	case v.isGiven():
		w = p.part.value(&Value{Name: v.Name, Type: v.Type, Const: v.Const, Variable: v.Variable})
	case isItem(v): // whose number was found, or follows from such
		w = p.part.Const("", v.Type.Known)
	case t != nil && t.Rank() == 0:
		w = p.part.Const("", t)
	case t != nil:
		w = p.part.value(&Value{Name: v.Name, Type: ops.Type{DType: t.DType(), Shape: t.Shape(), Q: t.QParams()}})
		p.part.Inputs, p.in = append(p.part.Inputs, w), append(p.in, t)
	default:
		if err := p.add(v.Node); err != nil {
			return nil, err
		}
		return p.copies[v], nil
	}
	p.copies[v] = w
	return w, nil
}

func isItem(v *Value) bool {
	if v.Node == nil {
		return false
	}
	_, item := v.Node.Op.(ops.Item)
	return item
}

// add copies a node, with what is in front of it.
func (p *partBuilder) add(n *Node) error {
	in := make([]*Value, len(n.Inputs))
	for i, v := range n.Inputs {
		var err error
		if in[i], err = p.copy(v); err != nil {
			return err
		}
	}
	out, err := p.part.Add(n.Scope, n.Op, in...)
	if err != nil {
		return err
	}
	for i, v := range n.Outputs {
		p.copies[v] = out[i]
	}
	p.nodes = append(p.nodes, n)
	return nil
}

// keep returns the copies of what later Items may follow from, the last computed first: as many as there is memory for.
func (p *partBuilder) keep() (copies []*Value) {
	left := p.most()
	for _, n := range slices.Backward(p.nodes) {
		for _, v := range n.Outputs {
			w := p.copies[v]
			if left -= int64(w.Type.Bytes()); left < 0 {
				return copies
			}
			p.kept, copies = append(p.kept, v), append(copies, w)
		}
	}
	return copies
}
