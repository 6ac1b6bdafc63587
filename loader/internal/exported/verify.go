package exported

import (
	"fmt"

	"github.com/octet-ml/octet/tensor"
)

// verify checks that the program is whole: specs fit the graph's inputs and outputs, and
// in every graph names are defined once, before they are used, with what is known of them.
func (p *Program) verify(record string) error {
	err := p.check()
	if err == nil {
		return nil
	}
	return &tensor.FileError{Record: record, Reason: err.Error()}
}

func (p *Program) check() error {
	switch {
	case p.Graph == nil:
		return fmt.Errorf("no graph_module.graph in it")
	case len(p.Inputs) != len(p.Graph.Inputs):
		return fmt.Errorf("%d input specs for %d inputs of the graph", len(p.Inputs), len(p.Graph.Inputs))
	case len(p.Outputs) != len(p.Graph.Outputs):
		return fmt.Errorf("%d output specs for %d outputs of the graph", len(p.Outputs), len(p.Graph.Outputs))
	}
	for i, in := range p.Inputs {
		if in.Kind != ConstantInput && !sameName(p.Graph.Inputs[i], in.Arg) {
			return fmt.Errorf("input %d is %q in the graph and %q in its spec", i, nameOf(p.Graph.Inputs[i]), nameOf(in.Arg))
		}
	}
	for i, out := range p.Outputs {
		if out.Kind != TokenOutput && !sameName(p.Graph.Outputs[i], out.Arg) {
			return fmt.Errorf("output %d is %q in the graph and %q in its spec", i, nameOf(p.Graph.Outputs[i]), nameOf(out.Arg))
		}
	}
	if err := p.checkMutations(); err != nil {
		return err
	}
	return p.Graph.check()
}

// checkMutations checks that outputs write to inputs that there are.
func (p *Program) checkMutations() error {
	p.written = make(map[weightName]int)
	user := make(map[string]bool)
	for i, in := range p.Inputs {
		switch in.Kind {
		case Parameter, Buffer, TensorConstant:
			key := weightName{in.Kind == Parameter, in.Target}
			if _, ok := p.written[key]; !ok {
				p.written[key] = i
			}
		case UserInput:
			user[in.Name] = true
		}
	}
	for i, out := range p.Outputs {
		ok := true
		switch out.Kind {
		case BufferMutation, ParameterMutation:
			_, ok = p.written[weightName{out.Kind == ParameterMutation, out.Target}]
		case InputMutation:
			ok = user[out.Target]
		}
		if !ok {
			return fmt.Errorf("output %d is a %v of %q: the program has no such input", i, out.Kind, out.Target)
		}
	}
	return nil
}

// sameName reports whether two arguments refer to the same value, or both to none.
func sameName(a, b Arg) bool {
	_, isTensor := a.(Tensor)
	_, isTensor2 := b.(Tensor)
	return nameOf(a) == nameOf(b) && isTensor == isTensor2
}

// nameOf returns the name that an argument refers to, "" for none.
//
//go:noinline
func nameOf(a Arg) string {
	switch a := a.(type) {
	case Tensor:
		return string(a)
	case Symbol:
		return string(a)
	case CustomObject:
		return a.Name
	case Token:
		return string(a)
	}
	return ""
}

// check checks the names of a graph and of those inside it.
func (g *Graph) check() error {
	defined := make(map[string]bool)
	for _, a := range g.Inputs {
		if err := g.define(defined, a); err != nil {
			return fmt.Errorf("inputs: %w", err)
		}
	}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if n.Target == "" {
			return fmt.Errorf("node %d has no target", i)
		}
		for _, in := range n.Inputs {
			if err := g.use(defined, in.Arg); err != nil {
				return fmt.Errorf("%s: %w", n.label(i), err)
			}
		}
		for _, out := range n.Outputs {
			if err := g.define(defined, out); err != nil {
				return fmt.Errorf("%s: %w", n.label(i), err)
			}
		}
	}
	for _, a := range g.Outputs {
		if err := g.use(defined, a); err != nil {
			return fmt.Errorf("outputs: %w", err)
		}
	}
	return nil
}

// label names a node for errors.
func (n *Node) label(i int) string {
	if n.Name != "" {
		return fmt.Sprintf("node %s (%s)", n.Name, n.Target)
	}
	return fmt.Sprintf("node %d (%s)", i, n.Target)
}

// define notes the names that an input or a result gives.
func (g *Graph) define(defined map[string]bool, a Arg) error {
	switch a := a.(type) {
	case List:
		for _, x := range a {
			if err := g.define(defined, x); err != nil {
				return err
			}
		}
		return nil
	case Tensor:
		if g.Tensors[string(a)] == nil {
			return fmt.Errorf("nothing is said of the tensor %q", a)
		}
	case Symbol:
		if g.Symbols[string(a)] == nil {
			return fmt.Errorf("nothing is said of the number %q", a)
		}
	case CustomObject, Token:
	default:
		return nil // a constant
	}
	name := nameOf(a)
	if defined[name] {
		return fmt.Errorf("%q is defined twice", name)
	}
	defined[name] = true
	return nil
}

// use checks that names are defined.
func (g *Graph) use(defined map[string]bool, a Arg) error {
	switch a := a.(type) {
	case List:
		for _, x := range a {
			if err := g.use(defined, x); err != nil {
				return err
			}
		}
	case Dict:
		return g.use(defined, List(a.Values))
	case Tensor, Symbol, Token:
		if name := nameOf(a); !defined[name] {
			return fmt.Errorf("%q is used before it is defined", name)
		}
	case *Subgraph:
		if err := a.Graph.check(); err != nil {
			return fmt.Errorf("graph %s: %w", a.Name, err)
		}
	}
	return nil
}
