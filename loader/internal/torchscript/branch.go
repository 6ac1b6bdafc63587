package torchscript

import (
	"errors"

	"github.com/octet-ml/octet/loader/internal/script"
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

// dataBranch executes both branches of a condition that only the run decides.
func (m *machine) dataBranch(f *frame, s *script.If, cond *number) (flow, value, error) {
	return next, nil, errDataDependent
}

// dataLoop makes a loop whose number of iterations only the run decides.
func (m *machine) dataLoop(f *frame, s script.Stmt, cond script.Expr, target script.Expr, count *number, body []script.Stmt) (flow, value, error) {
	return next, nil, errDataDependent
}
