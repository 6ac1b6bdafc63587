package torchscript

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
)

// merger makes one value of two, of which the run decides which it is: the leaves
// in which they differ, tensors and numbers, become outputs of a node.
type merger struct {
	a, b []value // leaves; uninitialized where there is no value yet
	set  []func(v *graph.Value)
	walk *walker
}

func (g *merger) leaf(a, b value, set func(v *graph.Value)) {
	g.a, g.b, g.set = append(g.a, a), append(g.b, b), append(g.set, set)
}

// value returns the value that is a or b.
func (g *merger) value(a, b value) (value, error) {
	if !g.walk.enter() {
		return nil, errors.New("a value is too large")
	}
	defer g.walk.leave()
	if a == b || sameNumber(a, b) {
		return a, nil
	}
	_, noA := a.(uninitialized)
	_, noB := b.(uninitialized)
	some, single := a, noA || noB
	if noA {
		some = b
	}
	switch s := some.(type) {
	case *Tensor:
		if t, ok := b.(*Tensor); single || ok && t.complex == s.complex {
			out := &Tensor{store: &storage{}, complex: s.complex}
			g.leaf(a, b, func(v *graph.Value) {
				out.store.value, out.value, out.strides = v, v, v.Type.Shape.Strides()
			})
			return out, nil
		}
	case bool, int64, float64, *number:
		k, _ := kindOf(s)
		if other, ok := kindOf(b); single || ok && k == other {
			n := &number{kind: k, term: &term{}}
			g.leaf(a, b, func(v *graph.Value) { n.term.value = v })
			return n, nil
		}
	case *tuple, *list:
		x, _ := itemsOf(a)
		y, ok := itemsOf(b)
		if !single && (!ok || len(x) != len(y)) {
			break
		}
		items, err := g.items(x, y, max(len(x), len(y)))
		if t, ok := some.(*tuple); ok {
			return &tuple{items: items, class: t.class}, err
		}
		return &list{items: items}, err
	case *dict:
		other, ok := b.(*dict)
		if single || !ok || !slices.EqualFunc(s.keys, other.keys, equalPlain) {
			break
		}
		items, err := g.items(s.values, other.values, len(s.keys))
		d := &dict{}
		for i, v := range items {
			d.put(s.keys[i], v)
		}
		return d, err
	}
	if single || equalPlain(a, b) {
		return some, nil
	}
	return &missing{fmt.Sprintf("a value that is %s or %s, as only the run decides", article(a), article(b))}, nil
}

// items merges elements; without those of one side, that has no values.
func (g *merger) items(x, y []value, n int) ([]value, error) {
	out := make([]value, n)
	for i := range out {
		var a, b value = uninitialized{}, uninitialized{}
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

func sameNumber(a, b value) bool {
	x, ok1 := a.(*number)
	y, ok2 := b.(*number)
	return ok1 && ok2 && x.kind == y.kind && sameExtent(x, y)
}

func article(v value) string {
	if v == nil {
		return "None"
	}
	return "a " + typeName(v)
}

// merge makes what two trials changed, and what they return, outputs of a
// graph.If.
func (m *Evaluator) merge(f *Frame, cond *graph.Value, then, otherwise *trial) (value, error) {
	g := &merger{walk: newWalker()}
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
		return func() { p.object.set(p.name, v) }, err
	case *storage:
		x, y := a.(storage), b.(storage)
		version := max(x.version, y.version) + 1
		g.leaf(whole(&x), whole(&y), func(v *graph.Value) { p.value, p.version = v, version })
		return func() {}, nil
	case *list:
		x, y := a.([]value), b.([]value)
		if len(x) != len(y) {
			return nil, fmt.Errorf("%w: a list has %d or %d elements", errDataDependent, len(x), len(y))
		}
		items, err := g.items(x, y, len(x))
		return func() { p.items = items }, err
	case *dict:
		x, y := a.(dict), b.(dict)
		if !slices.EqualFunc(x.keys, y.keys, equalPlain) {
			return nil, fmt.Errorf("%w: a dict has other keys", errDataDependent)
		}
		items, err := g.items(x.values, y.values, len(x.keys))
		return func() { copy(p.values, items) }, err
	}
	return nil, fmt.Errorf("%w: a tensor gets another shape in place", errDataDependent)
}

func sameType(a, b ops.Type) bool {
	return a.DType == b.DType && a.Shape.Equal(b.Shape) && a.Q.Equal(b.Q)
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
	for i := range g.set {
		for k, t := range []*trial{then, otherwise} {
			if values[k][i] == nil {
				if values[k][i], err = m.anyOf(t.region, values[1-k][i].Type); err != nil {
					return err
				}
			}
		}
		if a, b := values[0][i].Type, values[1][i].Type; !sameType(a, b) {
			return fmt.Errorf("%w: one branch gives %v and the other %v", errDataDependent, a, b)
		}
	}
	outer := slices.Clone(then.region.outer)
	for _, v := range otherwise.region.outer {
		if !slices.Contains(outer, v) {
			outer = append(outer, v)
		}
	}
	then.region.close(nil, outer, values[0])
	otherwise.region.close(nil, outer, values[1])
	if len(g.set) == 0 && len(then.region.g.Nodes)+len(otherwise.region.g.Nodes) == 0 {
		return nil
	}
	out, err := m.add(graph.If{Then: then.region.g, Else: otherwise.region.g}, append([]*graph.Value{cond}, outer...)...)
	if err != nil {
		return err
	}
	for i, set := range g.set {
		a, b := m.valueDims(values[0][i]), m.valueDims(values[1][i])
		dims := m.valueDims(out[i])
		for k := range dims {
			if sameExtent(a[k], b[k]) {
				dims[k] = a[k]
			}
		}
		set(out[i])
	}
	return nil
}
