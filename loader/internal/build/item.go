package build

import (
	"errors"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// items are the numbers of a program that only the run knows and that its shapes depend on.
type items struct {
	known   graph.Items
	asked   int                      // how many there are so far
	numbers map[*graph.Value]*Number // by the value that the Item takes
	facts   Deps                     // those of Items
	front   *graph.Graph             // that ends at the first one that is not known, where this was asked for
}

// errFront stops a program at an Item.
var errFront = errors.New("the program stops at a number that only the run knows")

// Settled gives numbers that are known. The others are examples.
func (b *Builder) Settled(known graph.Items) { b.items.known = known }

// Front returns the graph in front of the Item at which the program stopped, nil if it did not.
func (b *Builder) Front() *graph.Graph { return b.items.front }

// exampleNumber stands for numbers that shapes have no bound of: neither 0 nor 1, which operators treat in a way of their own.
const exampleNumber = 2

// Settle returns an int or bool that only the run knows as one that graphs may depend on: the run finds it out before what follows is
// planned. example is what is taken for it while the graph is made, where the shapes give a bound that; less than 0 stands for none.
func (b *Builder) Settle(n *Number, example int) (*Number, error) {
	if n.Known != nil {
		return n, nil
	}
	if v, ok := b.Plain(n); ok {
		return AsNumber(v), nil
	}
	if n.Term == nil || n.Kind == Float || b.region.parent != nil {
		return nil, ErrDataDependent
	}
	if example < 0 {
		example = exampleNumber
	}
	if n.Kind == Bool {
		example = 1
	}
	return b.item(n, int64(example), true)
}

// item adds an Item of a number. guessed says that the example is not what follows from others.
func (b *Builder) item(n *Number, example int64, guessed bool) (*Number, error) {
	v, err := b.Scalar(n)
	if err != nil {
		return nil, err
	}
	if m := b.items.numbers[v]; m != nil {
		return m, nil
	}
	op := ops.Item{Number: b.items.asked, Example: example}
	b.items.asked++
	known, ok := b.items.known.Values[op.Number]
	stop := guessed && !ok && b.items.known.Stop
	if ok {
		op.Example = known
	} else if asked := b.items.known.Guessed; asked != nil && guessed {
		*asked = true
	}
	op.Exact = stop
	w, err := b.AddOne(op, v)
	if err != nil {
		return nil, err
	}
	if stop {
		g := b.region.Graph
		g.SetOutputs(w)
		b.items.front = g
		return nil, errFront
	}
	m := &Number{Kind: n.Kind, Known: Convert(op.Example, n.Kind), Deps: b.fact(w, -1), Term: &Term{Value: w}}
	b.items.facts = b.items.facts.Union(m.Deps)
	b.info[w].content = m.Deps
	if b.items.numbers == nil {
		b.items.numbers = make(map[*graph.Value]*Number)
	}
	b.items.numbers[v], b.items.numbers[w] = m, m
	return m, nil
}

// OnItem reports whether something follows from the number of an Item.
func (b *Builder) OnItem(d Deps) bool {
	for i, w := range b.items.facts {
		if i < len(d) && d[i]&w != 0 {
			return true
		}
	}
	return false
}

// narrow returns a number that follows from Items as an Item of its own, so that a graph that depends on it holds whatever
// they are: of a comparison with 0, say, there are two graphs and not one for each number.
func (b *Builder) narrow(n *Number) *Number {
	if !b.OnItem(n.Deps) || n.Term == nil || n.Kind == Float || b.region.parent != nil {
		return n
	}
	example, _ := Convert(n.Known, Int).(int64)
	if m, err := b.item(n, example, false); err == nil && m.Known == n.Known {
		return m
	}
	return n
}

// Open returns a number that planning needs. One that follows from the values of inputs, of which plans know nothing, is an Item: the graph
// holds whatever it is.
func (b *Builder) Open(n *Number) *Number {
	if !b.onValue(n.Deps) {
		return n
	}
	if v, ok := n.Known.(int64); ok && n.Term != nil && b.region.parent == nil {
		if m, err := b.item(n, v, false); err == nil && m.Known == n.Known {
			return m
		}
	}
	b.Depend(n.Deps)
	return &Number{Kind: n.Kind, Known: n.Known}
}

// isItem reports whether a fact is about the number of an Item.
func (f Fact) isItem() bool { return f.input.Node != nil }

// guardItem makes a graph hold for the number of an Item alone.
func (f Fact) guardItem() {
	op := f.input.Node.Op.(ops.Item)
	op.Exact = true
	f.input.Node.Op = op
}

// settled returns extents each of which a graph can compute: those that follow from Items and have no term are read from v.
func (b *Builder) settled(v *graph.Value, dims []*Number) []*Number {
	if len(b.items.facts) == 0 {
		return dims
	}
	out := dims
	for axis, d := range dims {
		if d.Term != nil || !b.OnItem(d.Deps) {
			continue
		}
		if &out[0] == &dims[0] {
			out = append([]*Number(nil), dims...)
		}
		out[axis] = &Number{Kind: Int, Known: d.Known, Deps: d.Deps, Term: &Term{Input: v, Axis: axis}}
	}
	return out
}

// Fixed returns a value's elements where they are known whatever the numbers of Items are.
func (b *Builder) Fixed(v *graph.Value) *tensor.Tensor {
	if v.Const == nil && b.OnItem(b.info[v].content) {
		return nil
	}
	return b.Known(v)
}
