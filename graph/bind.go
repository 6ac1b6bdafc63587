package graph

import (
	"errors"
	"slices"
)

// Binder is a program that can be made for other inputs than those it lists: without optional ones, or with any number
// of tensors in lists and dicts.
type Binder interface {
	Program
	// Parameters returns the names of the values that the model takes, of which inputs are made.
	Parameters() []string
	// Bind returns the program for inputs of these names: parameters, and what lists, tuples and dicts among them hold,
	// as in name.0 and name.key. What has no input keeps its default or is None. It fails with an *InputError where the
	// model does not take such inputs.
	Bind(names []string) (Program, error)
}

// ErrNotBinder says that the inputs of a model are those that its graph lists.
var ErrNotBinder = errors.New("the inputs of this model cannot be chosen")

// Bind returns an open graph for inputs of the given names, in that order, of an open graph whose program is a Binder: a
// TorchScript model takes lists, tuples and dicts of tensors so, and leaves out optional arguments before others. It
// fails with an *InputError where the model does not take such inputs, and with ErrNotBinder for other graphs.
func (g *Graph) Bind(names ...string) (*Graph, error) {
	b := g.binder()
	if b == nil {
		return nil, ErrNotBinder
	}
	names = slices.Clone(names)
	p, err := b.Bind(names)
	if err != nil {
		return nil, err
	}
	bound := NewOpen(names, p)
	bound.Info = g.Info
	return bound, nil
}

// Parameters returns the names of the values that inputs of Bind make, nil where the inputs cannot be chosen.
func (g *Graph) Parameters() []string {
	if b := g.binder(); b != nil {
		return b.Parameters()
	}
	return nil
}

func (g *Graph) binder() Binder {
	if g.open == nil {
		return nil
	}
	b, _ := g.open.program.(Binder)
	return b
}
