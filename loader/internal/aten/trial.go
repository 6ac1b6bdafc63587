package aten

import (
	"errors"
	"fmt"
	"maps"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// trial is what a part of the program did that was executed into a graph of its
// own, and then undone.
type trial struct {
	region *build.Region
	how    Flow
	result Value
	raised *RaisedError
	before map[string]Value // variables in front of it
	random *build.Tensor    // the generator in front of it, nil where there is none
	locals map[string]Value
	all    contents       // of the places it changed, those of what it made itself too
	after  contents       // of those that are seen from outside
	outer  map[place]bool // what is seen from before, once it was asked for
}

// inside calls f with nodes going to a region, undoes what it changes, and
// returns what it left in the places.
func (m *Evaluator) inside(r *build.Region, f func() error) (contents, error) {
	m.journal = &journal{outer: m.journal}
	err := m.In(r, f)
	after := m.journal.now()
	m.journal.put()
	m.journal = m.journal.outer
	if m.UsesInside() && err == nil {
		err = fmt.Errorf("%w: a branch or loop holds for one value of it alone", build.ErrDataDependent)
	}
	return after, err
}

// try executes a part of the program in a region.
func (m *Evaluator) try(f *Frame, r *build.Region, part func(t *trial) error) (*trial, error) {
	before := f.Vars
	t := &trial{region: r, before: before, random: m.random}
	f.Vars = maps.Clone(before)
	var err error
	t.all, err = m.inside(r, func() error { return part(t) })
	t.locals, f.Vars = f.Vars, before
	if len(t.all.places) > 0 {
		t.after = reachable(t.seen(), t.all)
	}
	if errors.As(err, &t.raised) {
		return t, nil
	}
	return t, err
}

// seen returns what is seen from the variables in front of the trial.
func (t *trial) seen() map[place]bool {
	if t.outer == nil {
		r := &reacher{seen: make(map[place]bool)}
		for _, v := range t.before {
			r.value(v)
		}
		if t.random != nil {
			r.value(t.random)
		}
		t.outer = r.seen
	}
	return t.outer
}

// tryBlock executes a block in a region of its own.
func (m *Evaluator) tryBlock(f *Frame, block Block) (*trial, error) {
	return m.try(f, m.NewRegion(), func(t *trial) error {
		var err error
		t.how, t.result, err = block()
		return err
	})
}

// again calls f with what the trial left in place.
func (m *Evaluator) again(t *trial, f func() error) error {
	_, err := m.inside(t.region, func() error {
		for _, p := range t.all.places {
			m.record(p)
		}
		t.all.put()
		return f()
	})
	return err
}

// LeafValue returns a tensor or number as a value of the region that nodes go
// to, nil for what has no value yet.
func (m *Evaluator) LeafValue(v Value) (*graph.Value, error) {
	switch v := v.(type) {
	case *build.Tensor:
		return m.Read(v)
	case Uninitialized:
		return nil, nil
	}
	return m.Scalar(build.AsNumber(v))
}

// leafValues returns several, of a trial.
func (m *Evaluator) leafValues(t *trial, leaves []Value) ([]*graph.Value, error) {
	out := make([]*graph.Value, len(leaves))
	return out, m.again(t, func() error {
		for i, v := range leaves {
			var err error
			if out[i], err = m.LeafValue(v); err != nil {
				return err
			}
		}
		return nil
	})
}

// anyOf returns a value of a type, for one that nobody uses.
func (m *Evaluator) anyOf(r *build.Region, t ops.Type) (v *graph.Value, err error) {
	_, err = m.inside(r, func() error {
		if t.Q == nil {
			v, err = m.AddOne(ops.Full{Shape: t.Shape, DType: t.DType})
			return err
		}
		x, err := tensor.New(t.DType, t.Shape...)
		if err == nil {
			v = m.Constant("", x.WithQParams(t.Q))
		}
		return err
	})
	return v, err
}
