package build

import (
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// items are the numbers of a program that only the run knows and that its shapes depend on.
type items struct {
	known   graph.Items
	asked   int                      // how many there are so far that do not follow from others
	derived int                      // how many that do are behind the last one
	numbers map[*graph.Value]*Number // by the value that the Item takes
	facts   Deps                     // those of Items
	inner   Deps                     // those that only hold inside of a branch or loop: no graph can be made for one of their values
	decided bool                     // a condition is settled, so that the graph holds for what it gives alone
	guesses int                      // conditions taken for true that the run may find false
}

// number returns that of an Item that is asked for after some others.
func (t *items) number(after int) int { return (t.asked + after + 1) * ops.ItemStride }

// DecideConditions makes the graph hold for what conditions, keys and indices of the program are in one run, of which each is settled.
func (b *Builder) DecideConditions() { b.items.decided, b.items.asked = true, 1<<18 }

// Decided reports whether the graph holds for what conditions give in one run.
func (b *Builder) Decided() bool { return b.items.decided }

// maxGuesses bounds the conditions that are taken for true: a loop would not end.
const maxGuesses = 8

// decide returns what only the run knows as something that the graph may depend on, where the program is to be executed so.
func (b *Builder) decide(n *Number) (*Number, error) {
	if !b.items.decided || b.region.parent != nil {
		return nil, ErrDataDependent
	}
	if v, err := b.Scalar(n); err != nil {
		return nil, err
	} else if m := b.items.numbers[v]; m != nil { // settled before
		return m, nil
	}
	if _, known := b.items.known.Values[b.items.number(0)]; !known && b.items.known.Find == nil {
		if b.items.guesses++; b.items.guesses > maxGuesses {
			return nil, ErrDataDependent
		}
	}
	return b.Settle(n, -1)
}

// Settled gives numbers that are known. The others are examples.
func (b *Builder) Settled(known graph.Items) { b.items.known = known }

// Unrolls reports whether a loop is to be unrolled although it could be one of the graph.
func (b *Builder) Unrolls() bool { return b.items.known.Unroll }

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
	if n.Term == nil || n.Kind == Float {
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
	op := ops.Item{Number: b.items.number(0), Example: example}
	if guessed {
		b.items.asked, b.items.derived = b.items.asked+1, 0
	} else if b.items.derived++; b.items.derived < ops.ItemStride {
		op.Number = b.items.number(-1) + b.items.derived
	} else {
		return nil, ErrDataDependent
	}
	inside := b.region.parent != nil
	if guessed && inside && n.Kind == Int {
		if t := b.sample(v); t != nil && t.Numel() == 1 {
			op.Example = t.Contiguous().Int64s()[0]
		}
	}
	known, ok := b.items.known.Values[op.Number]
	ok = ok && guessed
	if find := b.items.known.Find; find != nil && guessed && !ok && !inside {
		if known, err = find(b.region.Graph, v, op.Number); err != nil {
			return nil, err
		}
		ok = true
	}
	if ok {
		op.Example = known
	} else if asked := b.items.known.Guessed; asked != nil && guessed {
		*asked = true
	}
	w, err := b.AddOne(op, v)
	if err != nil {
		return nil, err
	}
	m := &Number{Kind: n.Kind, Known: Convert(op.Example, n.Kind), Deps: b.fact(w, -1), Term: &Term{Value: w}}
	b.items.facts = b.items.facts.Union(m.Deps)
	if inside {
		b.items.inner = b.items.inner.Union(m.Deps)
	}
	b.info[w].content = m.Deps
	if b.items.numbers == nil {
		b.items.numbers = make(map[*graph.Value]*Number)
	}
	b.items.numbers[v], b.items.numbers[w] = m, m
	return m, nil
}

// OpenExample returns what stands for the extent that OpenExtent is asked for after some others.
func (b *Builder) OpenExample(after, example int) int {
	if known, ok := b.items.known.Values[b.items.number(after)]; ok && b.region.parent == nil {
		return int(known)
	}
	return example
}

// OpenExtent makes an extent of a value one that only the run knows: of what a branch or loop gives, or of what an iteration finds.
func (b *Builder) OpenExtent(v *graph.Value, axis int) error {
	n := &Number{Kind: Int, Term: &Term{Input: v, Axis: axis}}
	dims := append([]*Number(nil), b.info[v].dims...)
	if b.info[v].region.parent != nil {
		n.Known, n.Deps = int64(v.Type.Shape[axis]), b.fact(v, axis)
		b.items.facts, b.items.inner = b.items.facts.Union(n.Deps), b.items.inner.Union(n.Deps)
	} else {
		var err error
		if n, err = b.item(n, int64(v.Type.Shape[axis]), true); err != nil {
			return err
		}
		if is := int(n.Known.(int64)); is != v.Type.Shape[axis] {
			setOpen(v, axis, is)
		}
	}
	dims[axis] = n
	b.info[v].dims = dims
	return nil
}

// setOpen makes the extent of what a branch or loop gives the one that was found.
func setOpen(v *graph.Value, axis, extent int) {
	set := func(open []graph.Extent) []graph.Extent {
		open = slices.Clone(open)
		for i, e := range open {
			if v.Node.Outputs[e.Output] == v && e.Axis == axis {
				open[i].Example = extent
			}
		}
		return open
	}
	switch op := v.Node.Op.(type) {
	case graph.If:
		op.Open = set(op.Open)
		v.Node.Op = op
	case graph.Loop:
		op.Open = set(op.Open)
		v.Node.Op = op
	}
	v.Type.Shape = v.Type.Shape.Clone()
	v.Type.Shape[axis] = extent
}

// Here returns a number that a graph can compute in the region that nodes go to. One that follows from values of another region is a plain one, on
// which the graph then depends.
func (b *Builder) Here(n *Number) *Number {
	if len(n.Deps) == 0 || n.Term != nil && b.seesTerm(n.Term) {
		return n
	}
	b.Depend(n.Deps)
	return &Number{Kind: n.Kind, Known: n.Known}
}

// seesTerm reports whether all values of a term may be used in the region that nodes go to.
func (b *Builder) seesTerm(t *Term) bool {
	for _, v := range []*graph.Value{t.Value, t.Input} {
		if v != nil && !b.visible(v) {
			return false
		}
	}
	for _, n := range []*Number{t.A, t.B, t.Cast} {
		if n != nil && n.Term != nil && !b.seesTerm(n.Term) {
			return false
		}
	}
	return true
}

// inside reports whether something follows from what is known inside of a branch or loop only.
func (b *Builder) inside(d Deps) bool { return d.meets(b.items.inner) }

// UsesInside reports whether the graph would hold for one value of a number that each iteration, or each run of a branch, has another of. It
// forgets that it does.
func (b *Builder) UsesInside() bool {
	if !b.inside(b.used) {
		return false
	}
	b.used = append(Deps(nil), b.used...)
	for i := range b.used {
		if i < len(b.items.inner) {
			b.used[i] &^= b.items.inner[i]
		}
	}
	return true
}

// OnItem reports whether something follows from the number of an Item.
func (b *Builder) OnItem(d Deps) bool { return d.meets(b.items.facts) }

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
