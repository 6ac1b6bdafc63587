package graph

import (
	"context"
	"encoding/binary"
	"errors"
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
	// Stop asks for the graph in front of the first Item without a value: its one output is that Item.
	Stop bool
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

// maxProbes bounds the runs that find the numbers a program cannot do without.
const maxProbes = 1 << 12

// probe makes the graph of a program whose examples of Items do not suit it: it runs what is in front of the first Item that it has no value
// for, until the program succeeds. failed is what the program reported.
func (s *Session) probe(ctx context.Context, inputs []*tensor.Tensor, types []ops.Type, form string, items Items, failed error) (*Graph, error) {
	o := s.graph.open
	p, ok := o.program.(ContextProgram)
	if !ok {
		return nil, failed
	}
	known := Items{Values: maps.Clone(items.Values)}
	for range maxProbes {
		front := known.front(ctx, p, types, form)
		if front == nil {
			return nil, failed // it does not come to an Item
		}
		if err := s.resolveItem(ctx, front, inputs, &known); err != nil {
			return nil, err
		}
		if o.mu.Lock(); true {
			g, err := o.specializeAnew(ctx, types, form, known)
			o.mu.Unlock()
			if err == nil || ctx.Err() != nil {
				return g, err
			}
			failed = err
		}
	}
	return nil, failed
}

// last reports whether the number of the Item at which a graph ends is known.
func (t *Items) last(front *Graph) bool {
	op, _ := front.Outputs[0].Node.Op.(ops.Item)
	_, known := t.Values[op.Number]
	return known
}

// front returns the graph that ends at the first Item without a value, nil where there is none.
func (t *Items) front(ctx context.Context, p ContextProgram, types []ops.Type, form string) *Graph {
	g, err := p.SpecializeContext(ctx, types, form, Items{Values: t.Values, Stop: true})
	if err != nil || len(g.Outputs) != 1 || g.Outputs[0].Node == nil {
		return nil
	}
	op, ok := g.Outputs[0].Node.Op.(ops.Item)
	if _, known := t.Values[op.Number]; !ok || !op.Exact || known {
		return nil
	}
	return g
}

// settleAll finds the numbers of all Items in turn, each with what is in front of it alone.
func (s *Session) settleAll(ctx context.Context, inputs []*tensor.Tensor, form string, items *Items) error {
	p, ok := s.graph.open.program.(ContextProgram)
	if !ok {
		return nil
	}
	types := openTypes(inputs)
	for range maxProbes {
		front := items.front(ctx, p, types, form)
		if front == nil {
			return nil
		}
		if err := s.resolveItem(ctx, front, inputs, items); err != nil {
			return err
		}
	}
	return nil
}

// guesses reports whether the graph holds for the number of an Item that is not known.
func (g *Graph) guesses(t *Items) bool {
	return slices.ContainsFunc(g.Nodes, func(n *Node) bool {
		op, ok := n.Op.(ops.Item)
		_, known := t.Values[op.Number]
		return ok && op.Exact && !known
	})
}

// resolveItem runs the graph in front of an Item and notes the numbers that it gives.
func (s *Session) resolveItem(ctx context.Context, front *Graph, inputs []*tensor.Tensor, known *Items) error {
	c, err := front.compile(ctx, s.opts, s)
	if err != nil {
		return err
	}
	defer c.abandon()
	_, err = c.stages.run(ctx, c, inputs, 0, known)
	var item *ItemError
	if errors.As(err, &item) {
		return nil // an Item that holds for its example alone ends the run once its number is known
	}
	if err == nil && !known.last(front) {
		err = fmt.Errorf("a program stops at an Item whose number it has")
	}
	return err
}
