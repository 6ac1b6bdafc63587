package graph

import (
	"errors"
	"fmt"
	"slices"

	"github.com/octet-ml/octet/ops"
)

// Verify checks the form of the graph: every value is an input, a constant, a variable or
// the output of one earlier node, every type is what the operator infers, and only variables are written.
func (g *Graph) Verify() error {
	if g.IsOpen() {
		return ErrOpen
	}
	defined := newValueTable[bool](g)
	for i, v := range g.Inputs {
		if v == nil || v.Node != nil || v.isGiven() || defined.has(v) {
			return fmt.Errorf("input %d is missing, computed, given or listed twice", i)
		}
		if err := checkType(v.Type); err != nil {
			return fmt.Errorf("input %q: %w", v.Name, err)
		}
		if v.Guard != nil && max(len(v.Guard.Shape), len(v.Guard.Bounds)) > len(v.Type.Shape) {
			return fmt.Errorf("input %q has a guard of %d dimensions and type %v", v.Name, len(v.Guard.Shape), v.Type)
		}
		if v.Guard != nil && slices.ContainsFunc(v.Guard.Relations, func(r Relation) bool { return !r.Valid(g.Inputs) }) {
			return fmt.Errorf("input %q has a guard on dimensions that inputs do not have", v.Name)
		}
		defined.set(v, true)
	}
	for _, n := range g.Nodes {
		for _, v := range n.Inputs {
			if v == nil || !v.isGiven() || defined.has(v) {
				continue
			}
			if err := verifyGiven(v); err != nil {
				return &NodeError{Node: n, Err: err}
			}
			defined.set(v, true)
		}
		if err := verifyNode(n, defined.has); err != nil {
			return &NodeError{Node: n, Err: err}
		}
		for i, v := range n.Outputs {
			if defined.has(v) {
				return &NodeError{Node: n, Err: fmt.Errorf("output %d belongs to another node", i)}
			}
			defined.set(v, true)
		}
	}
	if len(g.Outputs) == 0 && !g.HasItems() { // a program may give as many as a run finds
		return errors.New("the graph has no outputs")
	}
	if s := g.State; s != nil && (s.Inputs < 0 || s.Outputs < 0 || s.Inputs > len(g.Inputs) || s.Outputs > len(g.Outputs)) {
		return fmt.Errorf("a state of %d inputs and %d outputs in a graph of %d and %d", s.Inputs, s.Outputs, len(g.Inputs), len(g.Outputs))
	}
	for i, v := range g.Outputs {
		if v == nil || (!v.isGiven() && !defined.has(v)) {
			return fmt.Errorf("output %d is not defined", i)
		}
		if v.isGiven() {
			if err := verifyGiven(v); err != nil {
				return fmt.Errorf("output %d: %w", i, err)
			}
		}
	}
	return nil
}

// verifyNode checks one node, given which values are defined before it.
func verifyNode(n *Node, isDefined func(*Value) bool) error {
	for i, v := range n.Inputs {
		if v == nil || (!v.isGiven() && !isDefined(v)) {
			return fmt.Errorf("input %d is not defined before the node", i)
		}
	}
	if w, ok := n.Op.(Writer); ok {
		for _, i := range w.Writes() {
			if i >= len(n.Inputs) || n.Inputs[i].Variable == nil {
				return fmt.Errorf("it writes input %d, which is no variable", i)
			}
		}
	}
	types, err := infer(n.Op, typesOf(n.Inputs))
	if err != nil {
		return err
	}
	if len(types) != len(n.Outputs) {
		return fmt.Errorf("it has %d outputs where the operator gives %d", len(n.Outputs), len(types))
	}
	for i, v := range n.Outputs {
		if v.Node != n {
			return fmt.Errorf("output %d belongs to another node", i)
		}
		if t := types[i]; t.DType != v.Type.DType || !t.Shape.Equal(v.Type.Shape) || !t.Q.Equal(v.Type.Q) {
			return fmt.Errorf("output %d has type %v where the operator gives %v", i, v.Type, t)
		}
	}
	return nil
}

// isGiven reports whether the value is there before anything runs, without being an input.
func (v *Value) isGiven() bool { return v.Const != nil || v.Variable != nil }

// verifyGiven checks a constant or variable.
func verifyGiven(v *Value) error {
	if t := v.Variable; t != nil {
		if v.Const != nil || v.Node != nil || v.Type.DType != t.DType() || !v.Type.Shape.Equal(t.Shape()) || !v.Type.Q.Equal(t.QParams()) || !t.IsContiguous() {
			return fmt.Errorf("variable %q has type %v and memory %v", v.Name, v.Type, t)
		}
		return checkType(v.Type)
	}
	if v.Node != nil || v.Type.DType != v.Const.DType() || !v.Type.Shape.Equal(v.Const.Shape()) || !v.Type.Q.Equal(v.Const.QParams()) {
		return fmt.Errorf("constant %q has type %v and value %v", v.Name, v.Type, v.Const)
	}
	if err := checkType(v.Type); err != nil {
		return fmt.Errorf("constant %q: %w", v.Name, err)
	}
	return nil
}

// infer returns the types of op's outputs, checked so that kernels and plans can
// rely on them whatever the attributes of op are.
func infer(op ops.Op, in []ops.Type) ([]ops.Type, error) {
	types, err := op.Infer(in)
	if err != nil {
		return nil, err
	}
	for i, t := range types {
		if err := checkType(t); err != nil {
			return nil, fmt.Errorf("output %d: %w", i, err)
		}
	}
	return types, nil
}

// maxRank is PyTorch's own limit of dimensions.
const maxRank = 64

// checkType checks what holds for every value: an element type, a shape whose
// extents can be multiplied in any order without overflow, and quantization
// parameters that fit both.
func checkType(t ops.Type) error {
	if t.DType.Size() == 0 {
		return fmt.Errorf("%v is not an element type", t.DType)
	}
	if len(t.Shape) > maxRank {
		return fmt.Errorf("%d dimensions, at most %d are possible", len(t.Shape), maxRank)
	}
	if _, err := t.Shape.Numel(); err != nil {
		return err
	}
	if t.Q == nil {
		return nil
	}
	if t.Q.DType != t.DType {
		return fmt.Errorf("quantization parameters of %v for a value of %v", t.Q.DType, t.DType)
	}
	return t.Q.Validate(t.Shape)
}
