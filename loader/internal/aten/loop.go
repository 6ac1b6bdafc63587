package aten

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Loop is a loop of a program.
type Loop struct {
	// Cond returns the condition of a while loop.
	Cond func() (Value, error)
	// SetIndex gives the number of an iteration, from 0, to the variable of a counted loop.
	SetIndex func(i *build.Number) error
	Body     Block
	// Assigned returns the variables that the body assigns to.
	Assigned func() []string
}

// While executes a loop as long as its condition holds: once for each iteration as long as
// the inputs decide the condition, and as a graph.Loop from where only the run does.
func (m *Evaluator) While(f *Frame, l Loop) (Flow, Value, error) {
	before := maps.Clone(f.Vars)
	for {
		c, err := l.Cond()
		if err != nil {
			return Next, nil, err
		}
		if _, ok := c.(Unknown); ok {
			return m.Either(f, l.Body)
		}
		yes, err := Truth(m.Builder, c)
		if errors.Is(err, build.ErrDataDependent) {
			m.undecided = true
			return m.loop(&loopBuilder{Evaluator: m, Frame: f, Loop: l, begin: c.(*build.Number), before: before})
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
func (m *Evaluator) Repeat(f *Frame, count *build.Number, l Loop) (Flow, Value, error) {
	m.undecided = true
	return m.loop(&loopBuilder{Evaluator: m, Frame: f, Loop: l, count: count, before: f.Vars})
}

// RepeatOrUnroll makes a graph.Loop of a loop whose number of iterations follows from an Item, so that one graph holds whatever it is, and reports false
// where that is not possible: what was tried is undone then.
func (m *Evaluator) RepeatOrUnroll(f *Frame, count *build.Number, l Loop) bool {
	if count.Known == nil || count.Term == nil || !m.OnItem(count.Deps) || m.poisoned || m.Unrolls() {
		return false
	}
	undecided := m.undecided
	m.journal = &journal{outer: m.journal}
	done := m.Attempt(func() error {
		_, _, err := m.Repeat(f, count, l)
		return err
	}) == nil && !m.poisoned
	if !done {
		m.journal.put()
		m.undecided, m.uses, m.poisoned = undecided, uses{}, false
	}
	m.journal = m.journal.outer
	return done
}

// maxRounds bounds how often a body is executed to find what it changes.
const maxRounds = 8

// loop makes a graph.Loop. The body is executed with tensors and numbers that
// stand for what an iteration finds in the places that iterations change: first in
// those that it assigns to, then in those that it was seen to change as well.
func (m *Evaluator) loop(b *loopBuilder) (Flow, Value, error) {
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
			return Next, nil, fmt.Errorf("%w: an iteration ends the loop or the function", build.ErrDataDependent)
		}
		if grown := b.grow(t); grown || b.inPlace {
			b.open = nil
			continue
		}
		if again, err := b.finish(t); err != nil || !again {
			return Next, nil, err
		}
	}
	return Next, nil, fmt.Errorf("%w: what its iterations change does not settle", build.ErrDataDependent)
}

// loopBuilder makes a loop whose number of iterations only the run decides.
type loopBuilder struct {
	*Evaluator
	*Frame
	Loop
	begin  *build.Number    // value of the condition in front of the loop
	count  *build.Number    // of iterations, of a counted loop
	before map[string]Value // variables in front of the loop; others are an iteration's own
	names  map[string]bool  // variables that iterations change
	places []place          // others
	open   []graph.Extent   // of the leaves, those that iterations change

	// Of the iteration that was executed last:
	inputs    []*graph.Value   // for the leaves in turn
	stands    []*build.Storage // memory of the tensors that stand for them, nil for numbers
	named     []string         // the variable that each is of, "" for other places
	inPlace   bool             // a variable is written to and not replaced, which nothing is to stand for
	more      *graph.Value     // whether to go on
	iteration *graph.Value
}

// iterate executes the body once.
func (b *loopBuilder) iterate() (*trial, error) {
	r := b.NewRegion()
	b.inputs, b.stands, b.named, b.more, b.inPlace = nil, nil, nil, nil, false
	b.iteration = b.OwnInput(r, "iteration", ops.Type{DType: tensor.Int64, Shape: tensor.Shape{}}, nil)
	return b.try(b.Frame, r, func(t *trial) error {
		stand := func(v Value) (Value, error) { return b.stand(r, v) }
		for _, name := range slices.Sorted(maps.Keys(b.names)) {
			v, err := mapLeaves(NewWalker(), b.Vars[name], stand)
			if err != nil {
				return err
			}
			b.Vars[name] = v
			for len(b.named) < len(b.inputs) {
				b.named = append(b.named, name)
			}
		}
		for _, p := range b.places {
			b.record(p)
			if err := mapPlace(p, stand); err != nil {
				return err
			}
			if s, ok := p.(*build.Storage); ok {
				b.changing[s]++
				defer func() { b.changing[s]-- }()
			}
		}
		b.named = append(b.named, make([]string, len(b.inputs)-len(b.named))...)
		if b.SetIndex != nil {
			if err := b.SetIndex(&build.Number{Kind: build.Int, Term: &build.Term{Value: b.iteration}}); err != nil {
				return err
			}
		}
		var err error
		if t.how, t.result, err = b.Body(); err != nil || t.how != Next {
			return err
		}
		if err := b.evalMore(); err != nil {
			return err
		}
		b.inPlace, err = b.writes()
		return err
	})
}

// evalMore evaluates whether to go on.
func (b *loopBuilder) evalMore() error {
	var c Value = true
	if b.Cond != nil {
		var err error
		if c, err = b.Cond(); err != nil {
			return err
		}
	}
	if !build.IsNumber(c) {
		return fmt.Errorf("a %s is used as a condition", TypeName(c))
	}
	var err error
	b.more, err = b.Scalar(build.AsNumber(build.AsNumber(c).To(build.Bool)))
	return err
}

// stand returns what stands for a leaf in an iteration.
func (b *loopBuilder) stand(r *build.Region, v Value) (Value, error) {
	if t, ok := v.(*build.Tensor); ok {
		if slices.Contains(b.places, place(t.Store)) {
			return nil, errShared("a tensor that iterations replace, by another name")
		}
		typ := t.Type()
		typ.Shape = typ.Shape.Clone()
		for _, e := range b.open {
			if e.Output == len(b.inputs) {
				typ.Shape[e.Axis] = e.Example
			}
		}
		in := b.OwnInput(r, "", typ, slices.Clone(b.Dims(t)))
		for _, e := range b.open {
			if e.Output == len(b.inputs) {
				if err := b.OpenExtent(in, e.Axis); err != nil {
					return nil, err
				}
			}
		}
		b.inputs = append(b.inputs, in)
		out := build.NewTensor(in)
		out.Complex = t.Complex
		b.stands = append(b.stands, out.Store)
		return out, nil
	}
	k, _ := build.KindOf(v)
	in := b.OwnInput(r, "", ops.Type{DType: k.DType(), Shape: tensor.Shape{}}, nil)
	b.inputs, b.stands = append(b.inputs, in), append(b.stands, nil)
	return &build.Number{Kind: k, Term: &build.Term{Value: in}}, nil
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

// finish adds the loop and leaves its results where iterations would. It reports whether an iteration has to be executed again,
// since it changes extents that were taken for fixed.
func (b *loopBuilder) finish(t *trial) (again bool, err error) {
	var before, after []Value
	b.each(func(v Value) { before = append(before, v) }, func(name string) Value { return b.Vars[name] }, content)
	b.each(func(v Value) { after = append(after, v) }, func(name string) Value { return t.locals[name] }, t.after.in)
	if again, err := b.openLists(t, before, after); again || err != nil {
		return again, err
	}
	starts, err := leafList(before)
	if err != nil {
		return false, err
	}
	ends, err := leafList(after)
	if err != nil {
		return false, err
	}
	if was, is := shapeOf(before), shapeOf(after); was != is || len(starts) != len(b.inputs) {
		return false, fmt.Errorf("%w: an iteration makes (%s) of (%s)", build.ErrDataDependent, is, was)
	}
	outputs, err := b.leafValues(t, ends)
	if err != nil {
		return false, err
	}
	if again, err := b.openChanged(outputs); again || err != nil {
		return again, err
	}
	in, err := b.loopInputs(starts)
	if err != nil {
		return false, err
	}
	outer := slices.Clone(t.region.Outer)
	t.region.Close(append([]*graph.Value{b.iteration}, b.inputs...), outer, append([]*graph.Value{b.more}, outputs...))
	open := slices.Clone(b.open)
	for i := range open {
		open[i].Example = b.OpenExample(i, open[i].Example)
	}
	out, err := b.Add(graph.Loop{Body: t.region.Graph, Carried: len(outputs), Open: open}, append(in, outer...)...)
	if err != nil {
		return false, err
	}
	if err := b.openExtents(out, open); err != nil {
		return false, err
	}
	return false, b.leave(t, out, starts, ends)
}

// openChanged notes the extents that an iteration changes, and reports whether there are new ones.
func (b *loopBuilder) openChanged(outputs []*graph.Value) (changed bool, err error) {
	for i, v := range outputs {
		found, err := b.openBetween(nil, i, b.inputs[i], v)
		if err != nil {
			return false, err
		}
		for _, e := range found {
			if !slices.ContainsFunc(b.open, func(o graph.Extent) bool { return o.Output == i && o.Axis == e.Axis }) {
				e.Example = max(v.Type.Shape[e.Axis], 2) // neither 0 nor 1, which operators treat in a way of their own
				b.open, changed = append(b.open, e), true
			}
		}
	}
	return changed, nil
}

// openLists makes rows of the lists whose length iterations change, and reports whether there are any.
func (b *loopBuilder) openLists(t *trial, before, after []Value) (changed bool, err error) {
	for i, v := range before {
		l, ok := v.(*List)
		other, isList := after[i].(*List)
		if !ok || !isList || rowsIn(l.Items) != nil || rowsIn(other.Items) == nil && len(l.Items) == len(other.Items) {
			continue
		}
		like := rowsIn(other.Items)
		if like == nil && len(l.Items) == 0 {
			if err := b.again(t, func() (err error) {
				like, err = b.rowsOf(other.Items, nil)
				return err
			}); err != nil {
				return false, err
			}
		}
		r, err := b.rowsOf(l.Items, like)
		if err != nil {
			return false, err
		}
		b.replace(i, []Value{r})
		changed = true
	}
	return changed, nil
}

// replace gives the list that stands in place i, in the order of each, other items.
func (b *loopBuilder) replace(i int, items []Value) {
	if i < len(b.names) {
		l := b.Vars[slices.Sorted(maps.Keys(b.names))[i]].(*List)
		b.record(l)
		l.Items = items
		return
	}
	switch p := b.places[i-len(b.names)].(type) {
	case *List:
		b.record(p)
		p.Items = items
	case attrPlace:
		l := content(p).(*List)
		b.record(l)
		l.Items = items
	}
}

// each visits what stands in all places, in order.
func (b *loopBuilder) each(visit func(v Value), local func(name string) Value, in func(p place) any) {
	for _, name := range slices.Sorted(maps.Keys(b.names)) {
		visit(local(name))
	}
	for _, p := range b.places {
		visit(placeValue(in(p)))
	}
}

// placeValue returns what stands in a place as a value.
func placeValue(what any) Value {
	switch c := what.(type) {
	case build.Storage:
		return build.OfStorage(&c)
	case []Value:
		return &List{Items: c}
	case Dict:
		return &c
	}
	return what
}

// leafList returns the tensors and numbers in values.
func leafList(values []Value) ([]Value, error) {
	var out []Value
	for _, v := range values {
		if _, err := mapLeaves(NewWalker(), v, func(leaf Value) (Value, error) {
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
func (b *loopBuilder) loopInputs(starts []Value) ([]*graph.Value, error) {
	count, begin := b.count, b.begin
	if count == nil {
		count = build.AsNumber(int64(math.MaxInt64))
	}
	if begin == nil {
		begin = build.AsNumber(true)
	}
	in := make([]*graph.Value, 0, 2+len(starts))
	for _, n := range []Value{count, begin.To(build.Bool)} {
		v, err := b.Scalar(build.AsNumber(n))
		if err != nil {
			return nil, err
		}
		in = append(in, v)
	}
	for _, s := range starts {
		v, err := b.LeafValue(s)
		if err != nil {
			return nil, err
		}
		in = append(in, v)
	}
	return in, nil
}

// leave leaves the outputs of the loop in the places.
func (b *loopBuilder) leave(t *trial, out []*graph.Value, starts, ends []Value) error {
	var results []*build.Storage
	result := func(leaf Value) (Value, error) {
		v := out[len(results)]
		if t, ok := leaf.(*build.Tensor); ok {
			r := build.NewTensor(v)
			r.Complex = t.Complex
			results = append(results, r.Store)
			return r, nil
		}
		results = append(results, nil)
		k, _ := build.KindOf(leaf)
		return &build.Number{Kind: k, Term: &build.Term{Value: v}}, nil
	}
	for _, name := range slices.Sorted(maps.Keys(b.names)) {
		v, err := mapLeaves(NewWalker(), b.Vars[name], result)
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
	b.left(t, starts, ends, results)
	return nil
}

// mapLeaves returns a value with what f makes of its tensors and numbers.
func mapLeaves(w *Walker, v Value, f func(leaf Value) (Value, error)) (Value, error) {
	if !w.Enter() {
		return nil, errors.New("a value is too large")
	}
	defer w.Leave()
	items := func(in []Value) ([]Value, error) {
		out := make([]Value, len(in))
		for i, x := range in {
			var err error
			if out[i], err = mapLeaves(w, x, f); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	switch v := v.(type) {
	case *build.Tensor, bool, int64, float64, *build.Number:
		return f(v)
	case *rows:
		out := &rows{like: v.like, leaves: make([]*build.Tensor, len(v.leaves))}
		for i, t := range v.leaves {
			leaf, err := f(t)
			if err != nil {
				return nil, err
			}
			out.leaves[i] = leaf.(*build.Tensor)
		}
		return out, nil
	case *Tuple:
		out, err := items(v.Items)
		return &Tuple{Items: out, Class: v.Class}, err
	case *List:
		out, err := items(v.Items)
		return &List{Items: out}, err
	case *Dict:
		values, err := items(v.Values)
		d := &Dict{}
		for i, x := range values {
			d.put(v.Keys[i], x)
		}
		return d, err
	}
	return v, nil
}

// mapPlace is mapLeaves of what stands in a place.
func mapPlace(p place, f func(leaf Value) (Value, error)) error {
	if _, ok := p.(*build.Tensor); ok {
		return fmt.Errorf("%w: a tensor gets another shape in place", build.ErrDataDependent)
	}
	v, err := mapLeaves(NewWalker(), placeValue(content(p)), f)
	if err != nil {
		return err
	}
	switch p := p.(type) {
	case *build.Storage:
		p.Value = v.(*build.Tensor).Value
		p.Version++
	case *List:
		p.Items = v.(*List).Items
	case *Dict:
		copy(p.Values, v.(*Dict).Values)
	case attrPlace:
		p.object.Set(p.name, v)
	}
	return nil
}

// shapeOf describes values without their tensors and numbers.
func shapeOf(values []Value) string {
	var b strings.Builder
	var describe func(w *Walker, v Value)
	describe = func(w *Walker, v Value) {
		if !w.Enter() {
			return
		}
		defer w.Leave()
		switch v := v.(type) {
		case *build.Tensor, *build.Number, bool, int64, float64:
			b.WriteString(TypeName(v))
		case *rows:
			b.WriteString("rows of ")
			describe(w, v.like)
		case *Tuple, *List:
			items, _ := Items(v)
			b.WriteByte('[')
			for _, x := range items {
				describe(w, x)
				b.WriteByte(' ')
			}
			b.WriteByte(']')
		case *Dict:
			b.WriteByte('{')
			for i, x := range v.Values {
				b.WriteString(Repr(v.Keys[i]) + ": ")
				describe(w, x)
			}
			b.WriteByte('}')
		case *Object:
			fmt.Fprintf(&b, "%s at %p", v.Class.PublicName(), v)
		default:
			b.WriteString(Repr(v))
		}
	}
	for i, v := range values {
		if i > 0 {
			b.WriteString(", ")
		}
		describe(NewWalker(), v)
	}
	return b.String()
}
