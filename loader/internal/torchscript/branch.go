package torchscript

import (
	"errors"
	"fmt"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader/internal/script"
	"github.com/octet-ml/octet/ops"
)

// conditional executes the branch that the condition chooses.
func (m *machine) conditional(f *frame, s *script.If) (flow, value, error) {
	c, err := m.eval(f, s.Cond)
	if err != nil {
		return next, nil, err
	}
	if _, ok := c.(unknown); ok {
		return m.either(f, s.Then, s.Else)
	}
	yes, err := m.truth(c)
	if errors.Is(err, errDataDependent) {
		return m.dataBranch(f, s, c.(*number))
	}
	if err != nil {
		return next, nil, err
	}
	if yes {
		return m.block(f, s.Then)
	}
	return m.block(f, s.Else)
}

// either executes blocks of which one would be taken if an unsupported operator
// were known, to find what else is not supported. What they assign is unknown after.
func (m *machine) either(f *frame, blocks ...[]script.Stmt) (flow, value, error) {
	before := make(map[string]value, len(f.locals))
	for name, v := range f.locals {
		before[name] = v
	}
	for _, b := range blocks {
		if _, _, err := m.block(f, b); err != nil {
			var raised *RaisedError
			if !errors.As(err, &raised) {
				return next, nil, err
			}
		}
	}
	for name, v := range f.locals {
		if old, ok := before[name]; !ok || old != v {
			f.locals[name] = unknown{}
		}
	}
	return next, nil, nil
}

// dataBranch executes both branches of a condition that only the run decides, each
// into a graph of its own, and makes what they change the outputs of a graph.If.
func (m *machine) dataBranch(f *frame, s *script.If, cond *number) (flow, value, error) {
	c, err := m.scalar(asNumber(m.castNumber(cond, boolKind)))
	if err != nil {
		return next, nil, err
	}
	var tries [2]*trial
	for i, body := range [][]script.Stmt{s.Then, s.Else} {
		if tries[i], err = m.tryBlock(f, body); err != nil {
			return next, nil, err
		}
	}
	then, otherwise := tries[0], tries[1]
	switch {
	case m.poisoned:
		return m.either(f, s.Then, s.Else)
	case then.raised != nil && otherwise.raised != nil:
		return next, nil, then.raised
	case then.raised != nil:
		if c, err = m.add1(ops.Unary{Fn: ops.LogicalNot}, c); err != nil {
			return next, nil, err
		}
		return m.unless(f, c, then.raised, s.Else)
	case otherwise.raised != nil:
		return m.unless(f, c, otherwise.raised, s.Then)
	case then.how != otherwise.how:
		return next, nil, fmt.Errorf("%w: a branch ends the function or the loop, and the other does not", errDataDependent)
	}
	v, err := m.merge(f, c, then, otherwise)
	return then.how, v, err
}

// unless executes the branch that is taken unless the model raises.
func (m *machine) unless(f *frame, ok *graph.Value, raised *RaisedError, body []script.Stmt) (flow, value, error) {
	if _, err := m.add(ops.Assert{Message: raised.Error()}, ok); err != nil {
		return next, nil, err
	}
	return m.block(f, body)
}
