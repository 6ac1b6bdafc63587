package graph

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Port describes an input or an output of a model.
type Port struct {
	Name string
	// Type has the extents of an example.
	Type ops.Type
	// Free says by axis whether other extents are possible. Which ones may depend on other
	// extents: a run decides.
	Free []bool
}

// Extents returns the extents, -1 where they are free.
func (p Port) Extents() []int64 {
	extents := make([]int64, len(p.Type.Shape))
	for axis, n := range p.Type.Shape {
		extents[axis] = int64(n)
		if p.Free[axis] {
			extents[axis] = -1
		}
	}
	return extents
}

// Signature says what a model takes and gives.
type Signature struct {
	Inputs, Outputs []Port
	// Batch says that the first axis of all inputs and outputs is the number of samples, and that no extent follows from the values of them.
	Batch bool
	// Info is what the model says of itself, nil for nothing.
	Info *Info
	// Stateful says that the model keeps something between runs: each client needs a SessionState.
	Stateful bool
}

// Shaper is a program whose file says which extents of its inputs are free.
type Shaper interface {
	// FreeExtents returns, by input and axis, whether the extent is free, nil where that is not known.
	FreeExtents() [][]bool
}

// OutputNames returns the names of the outputs: those that the file of the model gives them, else output0, output1
// and so on, by index. Each occurs once.
func (g *Graph) OutputNames() []string {
	names := make([]string, len(g.Outputs))
	for i, v := range g.Outputs {
		if v.Node != nil && v.Name != "" && !slices.Contains(names[:i], v.Name) {
			names[i] = v.Name
		}
	}
	for i := range names {
		if names[i] != "" {
			continue
		}
		name := "output" + strconv.Itoa(i)
		for slices.Contains(names, name) {
			name += "_"
		}
		names[i] = name
	}
	return names
}

// OutputTypes returns the types of the outputs for inputs of the given types, of an open graph after making it for them.
// It fails with an *InputError where the model does not take them.
func (g *Graph) OutputTypes(inputs ...ops.Type) ([]ops.Type, error) {
	like, err := examples(inputs)
	if err != nil {
		return nil, err
	}
	s := g
	if g.open != nil {
		if s, err = g.Specialize(inputs...); err != nil {
			return nil, g.unfit(inputs, err)
		}
	}
	if err := s.checkInputs(like); err != nil {
		return nil, err
	}
	types, err := s.infer(inputs)
	if err != nil {
		return nil, s.unfit(inputs, err)
	}
	return types[:len(types)-s.kept()], nil
}

// kept returns how many of the last outputs are values that the model keeps.
func (g *Graph) kept() int {
	if g.State == nil {
		return 0
	}
	return g.State.Outputs
}

// Signature returns what the model takes and gives. Of an open graph whose file says no types it needs those of an example
// of the inputs, and fails with ErrOpen without them. Extents are free that the file says are, or that
// all operators accept another value of.
func (g *Graph) Signature(example ...ops.Type) (*Signature, error) {
	s, err := g.exemplify(example)
	if err != nil {
		return nil, err
	}
	p := &prober{graph: s, open: g.open, work: maxProbeWork}
	if s.State != nil {
		p.state = s.State.Inputs
	}
	signature, err := p.signature()
	if err != nil {
		return nil, err
	}
	signature.Info = g.Info
	return signature, nil
}

// exemplify returns the graph for an example of the inputs.
func (g *Graph) exemplify(example []ops.Type) (*Graph, error) {
	if g.open == nil {
		return g, nil
	}
	if len(example) == 0 {
		var ok bool
		if example, ok = g.Example(); !ok {
			return nil, ErrOpen
		}
	}
	s, err := g.Specialize(example...)
	if err != nil {
		return nil, g.unfit(example, err)
	}
	return s, nil
}

// maxProbeWork bounds the nodes whose types are inferred to find the free extents of a model.
const maxProbeWork = 1 << 21

// prober finds which extents of a model's inputs are free, by trying others.
type prober struct {
	graph   *Graph
	open    *open
	state   int // last inputs that are values of the state
	work    int // left
	example []ops.Type
	outputs []ops.Type
	changed [][]bool // by output and axis: it differed in some try
}

// axisOf is an axis of an input.
type axisOf struct{ input, axis int }

func (p *prober) signature() (*Signature, error) {
	g := p.graph
	p.example = typesOf(g.Inputs)
	var err error
	if p.outputs, err = g.infer(p.example); err != nil {
		return nil, fmt.Errorf("the types of its own example: %w", err)
	}
	p.outputs = p.outputs[:len(p.outputs)-g.kept()]
	other := p.outputs
	if g.HasItems() {
		other, _ = g.inferOpen(p.example) // nil where the operators do not accept the other numbers
	}
	for i, t := range p.outputs {
		changed := make([]bool, len(t.Shape))
		for axis, n := range t.Shape {
			changed[axis] = i >= len(other) || len(other[i].Shape) != len(t.Shape) || other[i].Shape[axis] != n
		}
		p.changed = append(p.changed, changed)
	}
	s := &Signature{Stateful: g.State != nil}
	var said [][]bool
	if p.open != nil {
		if shaper, ok := p.open.program.(Shaper); ok {
			said = shaper.FreeExtents()
		}
	}
	free, sure := p.free(said)
	for i, v := range g.Inputs[:len(g.Inputs)-p.state] {
		if said != nil {
			sure = sure && !differ(said[i], free[i])
			free[i] = said[i]
		}
		s.Inputs = append(s.Inputs, Port{v.Name, ops.Type{DType: v.Type.DType, Shape: v.Type.Shape.Clone(), Q: v.Type.Q}, free[i]})
	}
	s.Batch = !s.Stateful && !g.isRandom() && !g.HasItems() && p.isBatch()
	names := g.OutputNames()
	for i, t := range p.outputs {
		if !sure {
			p.changed[i] = slices.Repeat([]bool{true}, len(t.Shape))
		}
		s.Outputs = append(s.Outputs, Port{names[i], ops.Type{DType: t.DType, Shape: t.Shape.Clone(), Q: t.Q}, p.changed[i]})
	}
	return s, nil
}

// differ reports whether an extent is free that was not found to be.
func differ(said, found []bool) bool {
	for axis := range said {
		if said[axis] && !found[axis] {
			return true
		}
	}
	return false
}

// free tries other extents, each alone and then with all that are equal to it, but for those that the file says are fixed. It
// reports false where that took too much, or another graph: what was not tried then counts as free.
func (p *prober) free(said [][]bool) (free [][]bool, sure bool) {
	sure = true
	groups := make(map[int][]axisOf)
	for i, t := range p.example {
		free = append(free, make([]bool, len(t.Shape)))
		for axis, n := range t.Shape {
			guard := p.graph.Inputs[i].Guard
			switch {
			case i >= len(p.example)-p.state || said != nil && !said[i][axis]:
			case guard == nil || axis >= len(guard.Shape) || guard.Shape[axis] < 0:
				groups[n] = append(groups[n], axisOf{i, axis})
			case p.open != nil: // its program would make another graph
				free[i][axis], sure = true, false
			}
		}
	}
	for _, n := range slices.Sorted(maps.Keys(groups)) {
		group := groups[n]
		for _, a := range group {
			switch {
			case free[a.input][a.axis]:
			case p.work <= 0:
				free[a.input][a.axis], sure = true, false
			case p.tryOthers(n, []axisOf{a}):
				free[a.input][a.axis] = true
			case len(group) > 1 && p.tryOthers(n, group):
				for _, b := range group {
					free[b.input][b.axis] = true
				}
			}
		}
	}
	return free, sure
}

// tryOthers reports whether the model takes other extents than n on the axes.
func (p *prober) tryOthers(n int, axes []axisOf) bool {
	accepted := false
	for _, other := range []int{n + 1, 2 * n, 3 * n, n - 1, n / 2} {
		if other != n && other > 0 {
			_, ok := p.try(axes, other)
			accepted = accepted || ok
		}
	}
	return accepted
}

// try infers the outputs for another extent on some axes.
func (p *prober) try(axes []axisOf, n int) ([]ops.Type, bool) {
	p.work -= len(p.graph.Nodes) + 1
	types := slices.Clone(p.example)
	for _, a := range axes {
		shape := types[a.input].Shape.Clone()
		shape[a.axis] = n
		if _, err := shape.Numel(); err != nil {
			return nil, false
		}
		types[a.input].Shape = shape
	}
	if p.open != nil && p.open.check(types, p.state) != nil {
		return nil, false
	}
	outputs, err := p.graph.infer(types)
	if err != nil {
		return nil, false
	}
	outputs = outputs[:len(p.outputs)]
	for i, t := range outputs {
		if len(t.Shape) != len(p.outputs[i].Shape) {
			continue
		}
		for axis, n := range t.Shape {
			p.changed[i][axis] = p.changed[i][axis] || n != p.outputs[i].Shape[axis]
		}
	}
	return outputs, true
}

// isBatch reports whether the first axis of all inputs and outputs is the number of samples.
func (p *prober) isBatch() bool {
	var axes []axisOf
	for i, t := range p.example {
		guard := p.graph.Inputs[i].Guard
		if len(t.Shape) == 0 || guard != nil && len(guard.Shape) > 0 && guard.Shape[0] >= 0 {
			return false
		}
		axes = append(axes, axisOf{i, 0})
	}
	for _, n := range []int{1, 2, 3} {
		outputs, ok := p.try(axes, n)
		if len(axes) == 0 || !ok {
			return false
		}
		for i, t := range outputs {
			want := p.outputs[i].Shape.Clone()
			if len(want) == 0 {
				return false
			}
			want[0] = n
			if !t.Shape.Equal(tensor.Shape(want)) {
				return false
			}
		}
	}
	return true
}
