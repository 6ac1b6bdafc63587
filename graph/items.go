package graph

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Items are numbers that a run gave for the ops.Items of a program.
type Items struct {
	// Values are those that are known, by ops.Item.Number.
	Values map[int]int64
	// Same asks for a graph that was made for these very numbers.
	Same bool
	// Unroll asks for the iterations of loops one by one wherever their number is known.
	Unroll bool
	// Find, where it is set, finds the number of an Item that has no value from what the program made so far: v is what the Item takes.
	// It notes the number.
	Find func(g *Graph, v *Value, item int) (int64, error)
	// Guessed, where it is set, becomes true when a program takes an example for a number that is not known.
	Guessed *bool
}

// ItemError says that a run gives another number than the one that its graph holds for.
type ItemError struct{ Want, Got int64 }

func (e *ItemError) Error() string {
	return fmt.Sprintf("a run gives %d where the graph was made for %d alone: load the model from the file of PyTorch, of which a graph for each is made", e.Got, e.Want)
}

// add notes a number.
func (t *Items) add(number int, v int64) {
	if t.Values == nil {
		t.Values = make(map[int]int64)
	}
	t.Values[number] = v
}

// forgetBehind forgets the numbers of the Items that a program comes to after one of another number: it may come to other Items then.
func (t *Items) forgetBehind(number int) {
	maps.DeleteFunc(t.Values, func(i int, _ int64) bool { return i > number })
}

// key appends the numbers.
func (t *Items) key(buf []byte) []byte {
	for _, i := range slices.Sorted(maps.Keys(t.Values)) {
		buf = binary.AppendVarint(binary.AppendVarint(buf, int64(i)), t.Values[i])
	}
	return buf
}

// agrees reports whether the graph holds for the numbers, as far as they are known.
func (g *Graph) agrees(t Items) bool {
	for _, n := range g.Nodes {
		if op, ok := n.Op.(ops.Item); ok && (op.Exact || t.Same) {
			if v, known := t.Values[op.Number]; known && v != op.Example {
				return false
			}
		}
	}
	return true
}

// exactItems makes the graph hold for the examples of its Items alone.
func (g *Graph) exactItems() {
	for _, n := range g.Nodes {
		if op, ok := n.Op.(ops.Item); ok {
			op.Exact = true
			n.Op = op
		}
	}
}

// itemValue returns the number in a tensor that an Item takes.
func itemValue(t *tensor.Tensor) int64 {
	if t.DType() == tensor.Bool {
		return int64(t.Contiguous().Bytes()[0])
	}
	return t.Contiguous().Int64s()[0]
}

// HasItems reports whether extents of the graph follow from values.
func (g *Graph) HasItems() bool {
	return slices.ContainsFunc(g.Nodes, func(n *Node) bool { return endsStage(n.Op) })
}

// inferOpen infers the types of the outputs for other numbers than the examples, to find the extents that follow from values.
func (g *Graph) inferOpen(inputs []ops.Type) ([]ops.Type, error) {
	return g.inferWith(inputs, func(op ops.Op) ops.Op {
		switch op := op.(type) {
		case ops.Item:
			if !op.Exact {
				op.Example++
			}
			return op
		case If:
			op.Open = other(op.Open)
			return op
		case Loop:
			op.Open = other(op.Open)
			return op
		}
		return op
	})
}

// maxProbes bounds the numbers that are found one by one for a program that cannot do without.
const maxProbes = 1 << 12

// probe makes the graph of a program whose examples of Items do not suit it: each Item is found while the program makes the graph. failed is
// what the program reported.
func (s *Session) probe(ctx context.Context, inputs []*tensor.Tensor, types []ops.Type, form string, items Items, failed error) (*Graph, error) {
	p, ok := s.graph.open.program.(ContextProgram)
	if !ok {
		return nil, failed
	}
	known, f := s.finding(ctx, inputs, items)
	g, err := p.SpecializeContext(ctx, types, form, known)
	if f.err != nil {
		err = f.err
	}
	if err != nil {
		return nil, err
	}
	return g, s.graph.open.add(g, len(inputs))
}

// settleAll finds the numbers of all Items.
func (s *Session) settleAll(ctx context.Context, inputs []*tensor.Tensor, form string, items *Items) error {
	p, ok := s.graph.open.program.(ContextProgram)
	if !ok {
		return nil
	}
	known, f := s.finding(ctx, inputs, *items)
	_, _ = p.SpecializeContext(ctx, openTypes(inputs), form, known) // where it ends early there are no more Items
	items.Values = known.Values
	return f.err
}

// guesses reports whether the graph holds for the number of an Item that is not known.
func (g *Graph) guesses(t *Items) bool {
	return slices.ContainsFunc(g.Nodes, func(n *Node) bool {
		op, ok := n.Op.(ops.Item)
		_, known := t.Values[op.Number]
		return ok && op.Exact && !known
	})
}
