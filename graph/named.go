package graph

import (
	"context"
	"fmt"
	"strings"

	"github.com/octet-ml/octet/tensor"
)

// RunNamed is Run with inputs by the names of the graph's Inputs, in any order, and outputs by those that OutputNames says. Inputs that
// a program takes at its end without need may be missing. It also fails with an *InputError for a name that is none of the model's, or is given twice.
func (s *Session) RunNamed(ctx context.Context, inputs ...tensor.Named) (tensor.Arrays, error) {
	ordered, err := s.inOrder(inputs)
	if err != nil {
		return nil, err
	}
	out, err := s.Run(ctx, ordered...)
	if err != nil {
		return nil, err
	}
	names := s.Graph().OutputNames()
	named := make(tensor.Arrays, len(out))
	for i, t := range out {
		named[i].Tensor = t
		if i < len(names) {
			named[i].Name = names[i]
		}
	}
	return named, nil
}

// inOrder returns inputs in the order of the graph.
func (s *Session) inOrder(inputs []tensor.Named) ([]*tensor.Tensor, error) {
	g := s.graph
	var names []string
	n := len(g.Inputs)
	if g.State != nil {
		n -= g.State.Inputs
	}
	ordered := make([]*tensor.Tensor, n)
	given := 0 // inputs up to the last that is given
	for i := range n {
		names = append(names, s.inputName(i))
	}
	for _, in := range inputs {
		i := 0
		for i < n && names[i] != in.Name {
			i++
		}
		switch {
		case i == n:
			return nil, &InputError{Index: -1, Name: in.Name, Reason: fmt.Sprintf("there is none of the name %q: the model takes %s", in.Name, strings.Join(names, ", "))}
		case ordered[i] != nil:
			return nil, &InputError{Index: i, Name: in.Name, Reason: "it is given twice"}
		}
		ordered[i], given = in.Tensor, max(given, i+1)
	}
	if g.open == nil {
		given = n // what is missing has its error by its name
	}
	for i, t := range ordered[:given] {
		if t == nil {
			return nil, &InputError{Index: i, Name: names[i], Reason: "it is missing"}
		}
	}
	return ordered[:given], nil
}
