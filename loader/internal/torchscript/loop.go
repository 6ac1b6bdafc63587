package torchscript

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Loop is a loop of a program.
type Loop struct {
	// Cond returns the condition of a while loop.
	Cond func() (value, error)
	// SetIndex gives the number of an iteration, from 0, to the variable of a counted loop.
	SetIndex func(i *number) error
	Body     Block
	// Assigned returns the variables that the body assigns to.
	Assigned func() []string
}

// While executes a loop as long as its condition holds: once for each iteration as long as
// the inputs decide the condition, and as a graph.Loop from where only the run does.
func (m *Evaluator) While(f *Frame, l Loop) (Flow, value, error) {
	before := maps.Clone(f.Vars)
	for {
		c, err := l.Cond()
		if err != nil {
			return Next, nil, err
		}
		if _, ok := c.(unknown); ok {
			return m.Either(f, l.Body)
		}
		yes, err := truth(m.builder, c)
		if errors.Is(err, errDataDependent) {
			return m.loop(&loopBuilder{Evaluator: m, Frame: f, Loop: l, begin: c.(*number), before: before})
		}
		if err != nil || !yes {
			return Next, nil, err
		}
		if err := m.Step(); err != nil {
			return Next, nil, err
		}
		how, v, err := l.Body()
		if err != nil || how == Returns {
			return how, v, err
		}
		if how == Breaks {
			return Next, nil, nil
		}
	}
}

// Repeat executes a loop a number of times that only the run knows, as a graph.Loop.
func (m *Evaluator) Repeat(f *Frame, count *number, l Loop) (Flow, value, error) {
	return m.loop(&loopBuilder{Evaluator: m, Frame: f, Loop: l, count: count, before: f.Vars})
}

// maxRounds bounds how often a body is executed to find what it changes.
const maxRounds = 8

// loop makes a graph.Loop. The body is executed with tensors and numbers that
// stand for what an iteration finds in the places that iterations change: first in
// those that it assigns to, then in those that it was seen to change as well.
func (m *Evaluator) loop(b *loopBuilder) (Flow, value, error) {
	b.names = make(map[string]bool)
	for _, name := range b.Assigned() {
		if _, ok := b.before[name]; ok {
			b.names[name] = true
		}
	}
	for range maxRounds {
		t, err := b.iterate()
		switch {
		case err != nil:
			return Next, nil, err
		case m.poisoned:
			return m.Either(b.Frame, b.Body)
		case t.raised != nil:
			return Next, nil, t.raised
		case t.how != Next:
			return Next, nil, fmt.Errorf("%w: an iteration ends the loop or the function", errDataDependent)
		}
		if !b.grow(t) {
			return Next, nil, b.finish(t)
		}
	}
	return Next, nil, fmt.Errorf("%w: what its iterations change does not settle", errDataDependent)
}

// loopBuilder makes a loop whose number of iterations only the run decides.
type loopBuilder struct {
	*Evaluator
	*Frame
	Loop
	begin  *number          // value of the condition in front of the loop
	count  *number          // of iterations, of a counted loop
	before map[string]value // variables in front of the loop; others are an iteration's own
	names  map[string]bool  // variables that iterations change
	places []place          // others

	// Of the iteration that was executed last:
	inputs    []*graph.Value // for the leaves in turn
	more      *graph.Value   // whether to go on
	iteration *graph.Value
}

// iterate executes the body once.
func (b *loopBuilder) iterate() (*trial, error) {
	r := b.newRegion()
	b.inputs, b.more = nil, nil
	b.iteration = b.own(r, "iteration", ops.Type{DType: tensor.Int64, Shape: tensor.Shape{}}, nil)
	return b.try(b.Frame, r, func(t *trial) error {
		stand := func(v value) (value, error) { return b.stand(r, v) }
		for _, name := range slices.Sorted(maps.Keys(b.names)) {
			v, err := mapLeaves(newWalker(), b.Vars[name], stand)
			if err != nil {
				return err
			}
			b.Vars[name] = v
		}
		for _, p := range b.places {
			b.record(p)
			if err := mapPlace(p, stand); err != nil {
				return err
			}
		}
		if b.SetIndex != nil {
			if err := b.SetIndex(&number{kind: intKind, term: &term{value: b.iteration}}); err != nil {
				return err
			}
		}
		var err error
		if t.how, t.result, err = b.Body(); err != nil || t.how != Next {
			return err
		}
		return b.evalMore()
	})
}

// evalMore evaluates whether to go on.
func (b *loopBuilder) evalMore() error {
	var c value = true
	if b.Cond != nil {
		var err error
		if c, err = b.Cond(); err != nil {
			return err
		}
	}
	if !isNumber(c) {
		return fmt.Errorf("a %s is used as a condition", typeName(c))
	}
	var err error
	b.more, err = b.scalar(asNumber(asNumber(c).to(boolKind)))
	return err
}

// stand returns what stands for a leaf in an iteration.
func (b *loopBuilder) stand(r *region, v value) (value, error) {
	if t, ok := v.(*Tensor); ok {
		in := b.own(r, "", t.typ(), slices.Clone(b.dims(t)))
		b.inputs = append(b.inputs, in)
		out := fresh(in)
		out.complex = t.complex
		return out, nil
	}
	k, _ := kindOf(v)
	in := b.own(r, "", ops.Type{DType: k.dtype(), Shape: tensor.Shape{}}, nil)
	b.inputs = append(b.inputs, in)
	return &number{kind: k, term: &term{value: in}}, nil
}

// grow notes the places that an iteration changed and nothing stood for, and
// reports whether there are any.
func (b *loopBuilder) grow(t *trial) bool {
	grown := false
	for _, p := range t.after.places {
		if !slices.Contains(b.places, p) {
			b.places, grown = append(b.places, p), true
		}
	}
	return grown
}

// finish adds the loop and leaves its results where iterations would.
func (b *loopBuilder) finish(t *trial) error {
	var before, after []value
	b.each(func(v value) { before = append(before, v) }, func(name string) value { return b.Vars[name] }, content)
	b.each(func(v value) { after = append(after, v) }, func(name string) value { return t.locals[name] }, t.after.in)
	starts, err := b.leafList(before)
	if err != nil {
		return err
	}
	ends, err := b.leafList(after)
	if err != nil {
		return err
	}
	if was, is := shapeOf(before), shapeOf(after); was != is || len(starts) != len(b.inputs) {
		return fmt.Errorf("%w: an iteration makes (%s) of (%s)", errDataDependent, is, was)
	}
	outputs, err := b.leafValues(t, ends)
	if err != nil {
		return err
	}
	for i, v := range outputs {
		if w := b.inputs[i]; !sameType(v.Type, w.Type) {
			return fmt.Errorf("%w: an iteration makes %v of %v", errDataDependent, v.Type, w.Type)
		}
	}
	in, err := b.loopInputs(starts)
	if err != nil {
		return err
	}
	outer := slices.Clone(t.region.outer)
	t.region.close(append([]*graph.Value{b.iteration}, b.inputs...), outer, append([]*graph.Value{b.more}, outputs...))
	out, err := b.add(graph.Loop{Body: t.region.g, Carried: len(outputs)}, append(in, outer...)...)
	if err != nil {
		return err
	}
	return b.leave(out)
}

// each visits what stands in all places, in order.
func (b *loopBuilder) each(visit func(v value), local func(name string) value, in func(p place) any) {
	for _, name := range slices.Sorted(maps.Keys(b.names)) {
		visit(local(name))
	}
	for _, p := range b.places {
		visit(placeValue(in(p)))
	}
}

// placeValue returns what stands in a place as a value.
func placeValue(what any) value {
	switch c := what.(type) {
	case storage:
		return whole(&c)
	case []value:
		return &list{items: c}
	case dict:
		return &c
	}
	return what
}

// leafList returns the tensors and numbers in values.
func (b *loopBuilder) leafList(values []value) ([]value, error) {
	var out []value
	for _, v := range values {
		if _, err := mapLeaves(newWalker(), v, func(leaf value) (value, error) {
			out = append(out, leaf)
			return leaf, nil
		}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// loopInputs returns the number of iterations, the condition and the values in
// front of the loop.
func (b *loopBuilder) loopInputs(starts []value) ([]*graph.Value, error) {
	count, begin := b.count, b.begin
	if count == nil {
		count = asNumber(int64(math.MaxInt64))
	}
	if begin == nil {
		begin = asNumber(true)
	}
	in := make([]*graph.Value, 0, 2+len(starts))
	for _, n := range []value{count, begin.to(boolKind)} {
		v, err := b.scalar(asNumber(n))
		if err != nil {
			return nil, err
		}
		in = append(in, v)
	}
	for _, s := range starts {
		v, err := b.leafValue(s)
		if err != nil {
			return nil, err
		}
		in = append(in, v)
	}
	return in, nil
}

// leave leaves the outputs of the loop in the places.
func (b *loopBuilder) leave(out []*graph.Value) error {
	result := func(leaf value) (value, error) {
		v := out[0]
		out = out[1:]
		if t, ok := leaf.(*Tensor); ok {
			r := fresh(v)
			r.complex = t.complex
			return r, nil
		}
		k, _ := kindOf(leaf)
		return &number{kind: k, term: &term{value: v}}, nil
	}
	for _, name := range slices.Sorted(maps.Keys(b.names)) {
		v, err := mapLeaves(newWalker(), b.Vars[name], result)
		if err != nil {
			return err
		}
		b.Vars[name] = v
	}
	for _, p := range b.places {
		b.record(p)
		if err := mapPlace(p, result); err != nil {
			return err
		}
	}
	return nil
}

// mapLeaves returns a value with what f makes of its tensors and numbers.
func mapLeaves(w *walker, v value, f func(leaf value) (value, error)) (value, error) {
	if !w.enter() {
		return nil, errors.New("a value is too large")
	}
	defer w.leave()
	items := func(in []value) ([]value, error) {
		out := make([]value, len(in))
		for i, x := range in {
			var err error
			if out[i], err = mapLeaves(w, x, f); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	switch v := v.(type) {
	case *Tensor, bool, int64, float64, *number:
		return f(v)
	case *tuple:
		out, err := items(v.items)
		return &tuple{items: out, class: v.class}, err
	case *list:
		out, err := items(v.items)
		return &list{items: out}, err
	case *dict:
		values, err := items(v.values)
		d := &dict{}
		for i, x := range values {
			d.put(v.keys[i], x)
		}
		return d, err
	}
	return v, nil
}

// mapPlace is mapLeaves of what stands in a place.
func mapPlace(p place, f func(leaf value) (value, error)) error {
	if _, ok := p.(*Tensor); ok {
		return fmt.Errorf("%w: a tensor gets another shape in place", errDataDependent)
	}
	v, err := mapLeaves(newWalker(), placeValue(content(p)), f)
	if err != nil {
		return err
	}
	switch p := p.(type) {
	case *storage:
		p.value = v.(*Tensor).value
		p.version++
	case *list:
		p.items = v.(*list).items
	case *dict:
		copy(p.values, v.(*dict).values)
	case attrPlace:
		p.object.set(p.name, v)
	}
	return nil
}

// shapeOf describes values without their tensors and numbers.
func shapeOf(values []value) string {
	var b strings.Builder
	var describe func(w *walker, v value)
	describe = func(w *walker, v value) {
		if !w.enter() {
			return
		}
		defer w.leave()
		switch v := v.(type) {
		case *Tensor, *number, bool, int64, float64:
			b.WriteString(typeName(v))
		case *tuple, *list:
			items, _ := itemsOf(v)
			b.WriteByte('[')
			for _, x := range items {
				describe(w, x)
				b.WriteByte(' ')
			}
			b.WriteByte(']')
		case *dict:
			b.WriteByte('{')
			for i, x := range v.values {
				b.WriteString(repr(v.keys[i]) + ": ")
				describe(w, x)
			}
			b.WriteByte('}')
		case *object:
			fmt.Fprintf(&b, "%s at %p", v.class.PublicName(), v)
		default:
			b.WriteString(repr(v))
		}
	}
	for i, v := range values {
		if i > 0 {
			b.WriteString(", ")
		}
		describe(newWalker(), v)
	}
	return b.String()
}
