package aten

import (
	"errors"
	"fmt"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
)

// Flow is how a part of a program ends.
type Flow uint8

// The ways to go on after a statement.
const (
	Next Flow = iota
	Breaks
	Continues
	Returns
)

// Block is a part of a program that can be executed, more than once: statements, or
// the graph of a branch. The value is what it returns.
type Block func() (Flow, Value, error)

// Frame holds the variables of a call in progress. Blocks find them here each time
// they are executed, since others stand in a trial. What a block writes to a tensor,
// list, dict or object outlives a trial where a variable leads to it; anything else is the
// block's own.
type Frame struct{ Vars map[string]Value }

// Branch executes the block that a condition, a bool or number, chooses. Where only the
// run knows the condition both become part of the graph, and what they change in
// variables, lists, dicts, attributes and memory, or return, is merged: tensors of one type, numbers of
// one kind, and tuples, lists and dicts of them.
func (m *Evaluator) Branch(f *Frame, cond Value, then, otherwise Block) (Flow, Value, error) {
	if _, ok := cond.(Unknown); ok {
		return m.Either(f, then, otherwise)
	}
	yes, err := Truth(m.Builder, cond)
	if errors.Is(err, build.ErrDataDependent) {
		m.undecided = true
		return m.dataBranch(f, cond.(*build.Number), [2]Block{then, otherwise})
	}
	return m.take(yes, err, then, otherwise)
}

func (m *Evaluator) take(yes bool, err error, then, otherwise Block) (Flow, Value, error) {
	if err != nil {
		return Next, nil, err
	}
	if yes {
		return then()
	}
	return otherwise()
}

// Undecided reports whether the program has a branch or loop that only the run decides.
func (m *Evaluator) Undecided() bool { return m.undecided }

// Either executes blocks of which one would be taken if an unsupported operator
// were known, to find what else is not supported. What they assign and return is
// Unknown after.
func (m *Evaluator) Either(f *Frame, blocks ...Block) (Flow, Value, error) {
	before := make(map[string]Value, len(f.Vars))
	for name, v := range f.Vars {
		before[name] = v
	}
	for _, block := range blocks {
		if _, _, err := block(); err != nil {
			var raised *RaisedError
			if !errors.As(err, &raised) {
				return Next, nil, err
			}
		}
	}
	for name, v := range f.Vars {
		if old, ok := before[name]; !ok || old != v {
			f.Vars[name] = Unknown{}
		}
	}
	return Next, Unknown{}, nil
}

// dataBranch executes both branches of a condition that only the run decides, each
// into a graph of its own, and makes what they change the outputs of a graph.If.
func (m *Evaluator) dataBranch(f *Frame, cond *build.Number, blocks [2]Block) (Flow, Value, error) {
	c, err := m.Scalar(build.AsNumber(cond.To(build.Bool)))
	if err != nil {
		return Next, nil, err
	}
	var tries [2]*trial
	for i, block := range blocks {
		if tries[i], err = m.tryBlock(f, block); err != nil {
			return Next, nil, err
		}
	}
	then, otherwise := tries[0], tries[1]
	switch {
	case m.poisoned:
		return m.Either(f, blocks[:]...)
	case then.raised != nil && otherwise.raised != nil:
		return Next, nil, then.raised
	case then.raised != nil:
		if c, err = m.AddOne(ops.Unary{Fn: ops.LogicalNot}, c); err != nil {
			return Next, nil, err
		}
		return m.unless(c, then.raised, blocks[1])
	case otherwise.raised != nil:
		return m.unless(c, otherwise.raised, blocks[0])
	case then.how != otherwise.how:
		return Next, nil, fmt.Errorf("%w: a branch ends the function or the loop, and the other does not", build.ErrDataDependent)
	}
	v, err := m.merge(f, c, then, otherwise)
	return then.how, v, err
}

// unless executes the branch that is taken unless the model raises.
func (m *Evaluator) unless(ok *graph.Value, raised *RaisedError, block Block) (Flow, Value, error) {
	if _, err := m.Add(ops.Assert{Message: raised.Error()}, ok); err != nil {
		return Next, nil, err
	}
	return block()
}
