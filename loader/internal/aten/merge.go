package aten

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader/internal/build"
)

// merger makes one value of two, of which the run decides which it is: the leaves
// in which they differ, tensors and numbers, become outputs of a node.
type merger struct {
	a, b []Value // leaves; uninitialized where there is no value yet
	set  []func(v *graph.Value)
	walk *Walker
	from *Evaluator
	of   [2]*trial
}

func (g *merger) leaf(a, b Value, set func(v *graph.Value)) {
	g.a, g.b, g.set = append(g.a, a), append(g.b, b), append(g.set, set)
}

// value returns the value that is a or b.
func (g *merger) value(a, b Value) (Value, error) {
	if !g.walk.Enter() {
		return nil, errors.New("a value is too large")
	}
	defer g.walk.Leave()
	if a == b || sameNumber(a, b) {
		return a, nil
	}
	_, noA := a.(Uninitialized)
	_, noB := b.(Uninitialized)
	some, single := a, noA || noB
	if noA {
		some = b
	}
	switch s := some.(type) {
	case *build.Tensor:
		if t, ok := b.(*build.Tensor); single || ok && t.Complex == s.Complex {
			out := &build.Tensor{Store: &build.Storage{}, Complex: s.Complex}
			g.merged(out.Store, [2]Value{a, b})
			g.leaf(a, b, func(v *graph.Value) {
				out.Store.Value, out.Value, out.Strides = v, v, v.Type.Shape.Strides()
			})
			return out, nil
		}
	case bool, int64, float64, *build.Number:
		k, _ := build.KindOf(s)
		if other, ok := build.KindOf(b); single || ok && k == other {
			n := &build.Number{Kind: k, Term: &build.Term{}}
			g.leaf(a, b, func(v *graph.Value) { n.Term.Value = v })
			return n, nil
		}
	case *rows:
		if other, ok := b.(*rows); ok && shapeOf([]Value{s.like}) == shapeOf([]Value{other.like}) {
			out := &rows{like: s.like, leaves: make([]*build.Tensor, len(s.leaves))}
			for i := range out.leaves {
				v, err := g.value(s.leaves[i], other.leaves[i])
				if err != nil {
					return nil, err
				}
				out.leaves[i] = v.(*build.Tensor)
			}
			return out, nil
		}
	case *Tuple, *List:
		x, _ := Items(a)
		y, ok := Items(b)
		if _, list := some.(*List); list && ok && !single {
			items, err := g.list(x, y)
			return &List{Items: items}, err
		}
		if !single && (!ok || len(x) != len(y)) {
			break
		}
		items, err := g.items(x, y, max(len(x), len(y)))
		if t, ok := some.(*Tuple); ok {
			return &Tuple{Items: items, Class: t.Class}, err
		}
		return &List{Items: items}, err
	case *Dict:
		other, ok := b.(*Dict)
		if single || !ok || !slices.EqualFunc(s.Keys, other.Keys, EqualPlain) {
			break
		}
		items, err := g.items(s.Values, other.Values, len(s.Keys))
		d := &Dict{}
		for i, v := range items {
			d.put(s.Keys[i], v)
		}
		return d, err
	}
	if single || EqualPlain(a, b) {
		return some, nil
	}
	return &Missing{What: fmt.Sprintf("a value that is %s or %s, as only the run decides", article(a), article(b))}, nil
}

// list merges the elements of lists, which are rows where there is another number of them.
func (g *merger) list(x, y []Value) ([]Value, error) {
	both := [2][]Value{x, y}
	of := [2]*rows{rowsIn(x), rowsIn(y)}
	if of[0] == nil && of[1] == nil && len(x) == len(y) {
		return g.items(x, y, len(x))
	}
	for _, side := range []int{0, 1, 0} { // an empty one gets rows like those of the other
		if of[side] != nil || len(both[side]) == 0 && of[1-side] == nil {
			continue
		}
		err := g.from.again(g.of[side], func() (err error) {
			of[side], err = g.from.rowsOf(both[side], of[1-side])
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	v, err := g.value(of[0], of[1])
	return []Value{v}, err
}

// items merges elements; without those of one side, that has no values.
func (g *merger) items(x, y []Value, n int) ([]Value, error) {
	out := make([]Value, n)
	for i := range out {
		var a, b Value = Uninitialized{}, Uninitialized{}
		if i < len(x) {
			a = x[i]
		}
		if i < len(y) {
			b = y[i]
		}
		var err error
		if out[i], err = g.value(a, b); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func sameNumber(a, b Value) bool {
	x, ok1 := a.(*build.Number)
	y, ok2 := b.(*build.Number)
	return ok1 && ok2 && x.Kind == y.Kind && build.SameNumber(x, y)
}

func article(v Value) string {
	if v == nil {
		return "None"
	}
	return "a " + TypeName(v)
}

// merge makes what two trials changed, and what they return, outputs of a
// graph.If.
func (m *Evaluator) merge(f *Frame, cond *graph.Value, then, otherwise *trial) (Value, error) {
	g := &merger{walk: NewWalker(), from: m, of: [2]*trial{then, otherwise}}
	var puts []func()
	for _, name := range slices.Sorted(maps.Keys(then.locals)) {
		b, ok := otherwise.locals[name]
		if !ok {
			continue
		}
		v, err := g.value(then.locals[name], b)
		if err != nil {
			return nil, err
		}
		puts = append(puts, func() { f.Vars[name] = v })
	}
	places := slices.Clone(then.after.places)
	for _, p := range otherwise.after.places {
		if _, ok := then.after.of[p]; !ok {
			places = append(places, p)
		}
	}
	for _, p := range places {
		m.record(p)
		put, err := g.place(p, then.after.in(p), otherwise.after.in(p))
		if err != nil {
			return nil, err
		}
		puts = append(puts, put)
	}
	result, err := g.value(then.result, otherwise.result)
	if err != nil {
		return nil, err
	}
	if err := m.choose(cond, g, then, otherwise); err != nil {
		return nil, err
	}
	for _, put := range puts {
		put()
	}
	return result, nil
}

// place merges what two trials left in a place, and returns what puts it there.
func (g *merger) place(p place, a, b any) (func(), error) {
	switch p := p.(type) {
	case attrPlace:
		v, err := g.value(a, b)
		return func() { p.object.Set(p.name, v) }, err
	case *build.Storage:
		x, y := a.(build.Storage), b.(build.Storage)
		version := max(x.Version, y.Version) + 1
		g.leaf(build.OfStorage(&x), build.OfStorage(&y), func(v *graph.Value) { p.Value, p.Version = v, version })
		return func() {}, nil
	case *List:
		x, y := a.([]Value), b.([]Value)
		items, err := g.list(x, y)
		return func() { p.Items = items }, err
	case *Dict:
		x, y := a.(Dict), b.(Dict)
		if !slices.EqualFunc(x.Keys, y.Keys, EqualPlain) {
			return nil, fmt.Errorf("%w: a dict has other keys", build.ErrDataDependent)
		}
		items, err := g.items(x.Values, y.Values, len(x.Keys))
		return func() { copy(p.Values, items) }, err
	}
	return nil, fmt.Errorf("%w: a tensor gets another shape in place", build.ErrDataDependent)
}

// choose adds the graph.If for the leaves.
func (m *Evaluator) choose(cond *graph.Value, g *merger, then, otherwise *trial) error {
	var values [2][]*graph.Value
	var err error
	if values[0], err = m.leafValues(then, g.a); err != nil {
		return err
	}
	if values[1], err = m.leafValues(otherwise, g.b); err != nil {
		return err
	}
	var open []graph.Extent
	for i := range g.set {
		for k, t := range []*trial{then, otherwise} {
			if values[k][i] == nil {
				other := values[1-k][i]
				if values[k][i], err = m.anyOf(t.region, other.Type); err != nil {
					return err
				}
				for _, d := range m.ValueDims(other) {
					if !m.OnItem(d.Deps) { // those are open
						m.Depend(d.Deps)
					}
				}
			}
		}
		if open, err = m.openBetween(open, i, values[0][i], values[1][i]); err != nil {
			return err
		}
	}
	outer := slices.Clone(then.region.Outer)
	for _, v := range otherwise.region.Outer {
		if !slices.Contains(outer, v) {
			outer = append(outer, v)
		}
	}
	then.region.Close(nil, outer, values[0])
	otherwise.region.Close(nil, outer, values[1])
	if len(g.set) == 0 && len(then.region.Graph.Nodes)+len(otherwise.region.Graph.Nodes) == 0 {
		return nil
	}
	out, err := m.Add(graph.If{Then: then.region.Graph, Else: otherwise.region.Graph, Open: open}, append([]*graph.Value{cond}, outer...)...)
	if err != nil {
		return err
	}
	for i, set := range g.set {
		a, b := m.ValueDims(values[0][i]), m.ValueDims(values[1][i])
		dims := m.ValueDims(out[i])
		for k := range dims {
			if build.SameExtent(a[k], b[k]) {
				dims[k] = a[k]
			}
		}
		set(out[i])
	}
	return m.openExtents(out, open)
}

// openBetween appends the extents of output i that only the run knows, since they are those of one value or of another.
func (m *Evaluator) openBetween(open []graph.Extent, i int, a, b *graph.Value) ([]graph.Extent, error) {
	x, y := a.Type.Shape, b.Type.Shape
	if a.Type.DType != b.Type.DType || !a.Type.Q.Equal(b.Type.Q) || len(x) != len(y) {
		return nil, fmt.Errorf("%w: it is %v or %v", build.ErrDataDependent, a.Type, b.Type)
	}
	dimsA, dimsB := m.ValueDims(a), m.ValueDims(b)
	for axis := range x {
		follows := !build.SameExtent(dimsA[axis], dimsB[axis]) && (m.OnItem(dimsA[axis].Deps) || m.OnItem(dimsB[axis].Deps))
		if x[axis] != y[axis] || follows {
			open = append(open, graph.Extent{Output: i, Axis: axis, Example: m.OpenExample(len(open), x[axis])})
		}
	}
	return open, nil
}

// openExtents makes extents of a node's outputs ones that only the run knows.
func (m *Evaluator) openExtents(out []*graph.Value, open []graph.Extent) error {
	for _, e := range open {
		if err := m.OpenExtent(out[e.Output], e.Axis); err != nil {
			return err
		}
	}
	return nil
}
