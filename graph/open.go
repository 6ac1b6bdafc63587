package graph

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Program makes the graph of a model for inputs of given types. Models whose
// files do not say what shapes they take, as TorchScript's do not, are programs.
type Program interface {
	// Specialize returns a graph for inputs of these types, which may be fewer than
	// the open graph has when the last ones are optional. Inputs without dimensions
	// come with their value as Type.Known. The guards of the graph's inputs say for
	// which other inputs the graph holds as well.
	Specialize(inputs []ops.Type) (*Graph, error)
}

// Guard says what a specialized graph accepts for one of its inputs.
type Guard struct {
	// Shape holds the extents, -1 where any will do.
	Shape []int
	// Value is what the input must be, when the graph depends on it.
	Value *tensor.Tensor
}

// admits reports whether the graph may be used for t.
func (g *Guard) admits(t *tensor.Tensor) bool {
	if g == nil {
		return true
	}
	for i, d := range g.Shape {
		if d >= 0 && d != t.Shape()[i] {
			return false
		}
	}
	return g.Value == nil || bytes.Equal(g.Value.Contiguous().Bytes(), t.Contiguous().Bytes())
}

// maxSpecializations bounds the graphs an open graph remembers.
const maxSpecializations = 16

// open is the state of an open graph, shared by its clones.
type open struct {
	program Program

	mu     sync.Mutex
	graphs []*Graph // most recently used first
}

// NewOpen returns an open graph: one whose nodes a program makes when the types
// of the inputs are known. It has inputs, of unknown types, and neither nodes
// nor outputs. It can be compiled, and makes itself concrete as it runs.
func NewOpen(inputs []string, p Program) *Graph {
	g := &Graph{open: &open{program: p}}
	for _, name := range inputs {
		g.Inputs = append(g.Inputs, g.value(&Value{Name: name}))
	}
	return g
}

// IsOpen reports whether the graph is open.
func (g *Graph) IsOpen() bool { return g.open != nil }

// ErrOpen says that an open graph has not met inputs yet, where its nodes are needed.
var ErrOpen = errors.New("the shapes of the inputs are not known: run the model once, or give the shapes when loading it")

// Concrete returns the graph itself, or of an open graph what it was last
// specialized to; before it was, it fails with ErrOpen.
func (g *Graph) Concrete() (*Graph, error) {
	if g.open == nil {
		return g, nil
	}
	g.open.mu.Lock()
	defer g.open.mu.Unlock()
	if len(g.open.graphs) == 0 {
		return nil, ErrOpen
	}
	return g.open.graphs[0], nil
}

// Specialize returns the graph for inputs of these types: of an open graph what
// its program makes, or made before for types that the same graph serves; any
// other graph is itself the answer.
func (g *Graph) Specialize(inputs ...ops.Type) (*Graph, error) {
	if g.open == nil {
		return g, nil
	}
	o := g.open
	example := make([]*tensor.Tensor, len(inputs))
	for i, t := range inputs {
		if t.Known != nil {
			example[i] = t.Known
			continue
		}
		var err error
		if example[i], err = tensor.Unbound(t.DType, t.Shape...); err != nil {
			return nil, err
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for i, s := range o.graphs {
		if s.accepts(example) {
			copy(o.graphs[1:i+1], o.graphs[:i])
			o.graphs[0] = s
			return s, nil
		}
	}
	s, err := o.program.Specialize(inputs)
	if err != nil {
		return nil, err
	}
	if s.IsOpen() || len(s.Inputs) != len(inputs) {
		return nil, fmt.Errorf("a program made a graph of %d inputs for %d", len(s.Inputs), len(inputs))
	}
	o.graphs = slices.Insert(o.graphs, 0, s)
	o.graphs = o.graphs[:min(len(o.graphs), maxSpecializations)]
	return s, nil
}

// accepts reports whether the graph serves these inputs.
func (g *Graph) accepts(inputs []*tensor.Tensor) bool {
	if len(inputs) != len(g.Inputs) {
		return false
	}
	for i, v := range g.Inputs {
		t := inputs[i]
		if t == nil || t.DType() != v.Type.DType || t.Rank() != len(v.Type.Shape) || !v.Guard.admits(t) {
			return false
		}
	}
	return true
}

// session returns the compiled graph for inputs like these: s itself, or where
// s is of an open graph the session of a specialization, made when there is none.
func (s *Session) session(inputs []*tensor.Tensor) (*Session, error) {
	if s.graph.open == nil {
		return s, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, c := range s.concrete {
		if c.graph.accepts(inputs) {
			copy(s.concrete[1:i+1], s.concrete[:i])
			s.concrete[0] = c
			return c, nil
		}
	}
	types := make([]ops.Type, len(inputs))
	for i, t := range inputs {
		if t == nil {
			return nil, &InputError{i, s.inputName(i), "it is missing"}
		}
		types[i] = ops.Type{DType: t.DType(), Shape: t.Shape().Clone()}
		if t.Rank() == 0 {
			types[i].Known = t.Clone()
		}
	}
	g, err := s.graph.Specialize(types...)
	if err != nil {
		return nil, err
	}
	opts := s.opts
	c, err := g.compile(opts, s.tier, s.pool)
	if err != nil {
		return nil, err
	}
	s.concrete = slices.Insert(s.concrete, 0, c)
	s.concrete = s.concrete[:min(len(s.concrete), s.opts.MaxPlans)]
	return c, nil
}

func (s *Session) inputName(i int) string {
	if i < len(s.graph.Inputs) {
		return s.graph.Inputs[i].Name
	}
	return ""
}

// recent returns the session of the graph that ran last: s itself unless its
// graph is open, nil when nothing ran yet.
func (s *Session) recent() *Session {
	if s.graph.open == nil {
		return s
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.concrete) == 0 {
		return nil
	}
	return s.concrete[0]
}
