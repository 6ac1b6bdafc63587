package graph

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/octet-ml/octet/internal/recent"
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
	//
	// Of a model that keeps something between runs, before says what it keeps: the
	// State.After of the graph that ran before, "" at first. The last inputs are then
	// its values.
	Specialize(inputs []ops.Type, before string) (*Graph, error)
}

// ContextProgram is a Program that can be stopped while it makes a graph.
type ContextProgram interface {
	Program
	// SpecializeContext is Specialize that fails with the error of ctx once that has ended. The graph holds for the
	// numbers of Items that are known; of others the program takes examples.
	SpecializeContext(ctx context.Context, inputs []ops.Type, before string, items Items) (*Graph, error)
}

// Checker is a program whose file says more of its inputs than guards can: bounds, and
// what several have in common.
type Checker interface {
	// Check refuses inputs that the model does not take, though a graph of it might.
	Check(inputs []ops.Type) error
}

// Exampler is a program that knows inputs that it takes, so that it can be made a graph
// without being given any.
type Exampler interface {
	// Example returns types of inputs, or false where none are known.
	Example() ([]ops.Type, bool)
}

// State says what a specialized graph keeps between runs: its last outputs are
// values that become the last inputs of the next run. Sessions of an open graph
// pass them on; a graph that is compiled by itself takes and gives them like any.
type State struct {
	// Before and After name the form of what is kept, as the program understands
	// it, in front of a run and behind it; "" is that of a model which has not run.
	Before, After string
	// Inputs and Outputs are how many of the last ones are kept values.
	Inputs, Outputs int
}

// form returns what the graph takes a model to have kept.
func (g *Graph) form() string {
	if g.State == nil {
		return ""
	}
	return g.State.Before
}

// maxSpecializations bounds the graphs an open graph remembers.
const maxSpecializations = 16

// open is the state of an open graph, shared by its clones.
type open struct {
	program Program

	mu     sync.Mutex
	graphs recent.List[*Graph]
}

// NewOpen returns an open graph: one whose nodes a program makes when the types
// of the inputs are known. It has inputs, of unknown types, and neither nodes
// nor outputs. It can be compiled, and makes itself concrete as it runs. Guards of
// its inputs tell a caller what the program takes; the program checks it.
func NewOpen(inputs []string, p Program) *Graph {
	g := &Graph{open: &open{program: p}}
	for _, name := range inputs {
		g.Inputs = append(g.Inputs, g.value(&Value{Name: name}))
	}
	return g
}

// errNoGraph says that a graph is nil.
var errNoGraph = errors.New("there is no graph: what should have made it has failed")

// Derive returns what f makes of g, or of an open graph another that is open, of
// which f makes what g is specialized to.
func Derive(g *Graph, f func(*Graph) (*Graph, error)) (*Graph, error) {
	if g == nil {
		return nil, errNoGraph
	}
	if g.open == nil {
		return f(g)
	}
	var names []string
	for _, v := range g.Inputs {
		names = append(names, v.Name)
	}
	d := NewOpen(names, &derived{g.open, f})
	for i, v := range g.Inputs {
		d.Inputs[i].Guard = v.Guard
	}
	return d, nil
}

type derived struct {
	from *open
	f    func(*Graph) (*Graph, error)
}

// Check is that of the program from which this one is derived.
func (d *derived) Check(inputs []ops.Type) error { return d.from.check(inputs, 0) }

// Example is that of the program from which this one is derived.
func (d *derived) Example() ([]ops.Type, bool) {
	if e, ok := d.from.program.(Exampler); ok {
		return e.Example()
	}
	return nil, false
}

// FreeExtents are those of the program from which this one is derived.
func (d *derived) FreeExtents() [][]bool {
	if s, ok := d.from.program.(Shaper); ok {
		return s.FreeExtents()
	}
	return nil
}

// check asks the program whether it takes inputs, of which the last ones are values of its state.
func (o *open) check(inputs []ops.Type, state int) error {
	if c, ok := o.program.(Checker); ok {
		return c.Check(inputs[:len(inputs)-state])
	}
	return nil
}

func (d *derived) Specialize(inputs []ops.Type, before string) (*Graph, error) {
	return d.SpecializeContext(context.Background(), inputs, before, Items{})
}

func (d *derived) SpecializeContext(ctx context.Context, inputs []ops.Type, before string, items Items) (*Graph, error) {
	if p, ok := d.from.program.(ContextProgram); ok && items.Find != nil {
		_, _ = p.SpecializeContext(ctx, inputs, before, items) // what is wrong with it, the next one reports
		items.Find = nil
	}
	items.Same = true // what is derived may depend on more than the graph does
	g, _, err := d.from.specialize(ctx, inputs, before, items)
	if err != nil {
		return nil, err
	}
	made, err := d.f(g)
	var at *NodeError
	if errors.As(err, &at) && !items.Unroll {
		if _, loop := at.Node.Op.(Loop); loop { // such as one without a gradient
			items.Unroll = true
			if g, e := d.from.unrolled(ctx, inputs, before, items); e == nil {
				made, err = d.f(g)
			}
		}
	}
	if items.Guessed != nil && g.HasItems() {
		*items.Guessed = true
	}
	return made, err
}

// unrolled makes a graph whose loops are unrolled wherever that is possible.
func (o *open) unrolled(ctx context.Context, inputs []ops.Type, before string, items Items) (*Graph, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.specializeAnew(ctx, inputs, before, items)
}

// ListProgram is a Program of which one input may be a list, which has all tensors that the other inputs leave.
type ListProgram interface {
	Program
	TakesList() bool
}

// TakesList reports whether one input of an open graph is a list of tensors: it is then run on as many
// more inputs as the list is to have.
func (g *Graph) TakesList() bool { return g.open != nil && takesList(g.open.program) }

func takesList(p Program) bool {
	l, ok := p.(ListProgram)
	return ok && l.TakesList()
}

func (d *derived) TakesList() bool { return takesList(d.from.program) }

// IsOpen reports whether the graph is open.
func (g *Graph) IsOpen() bool { return g.open != nil }

// ErrOpen says that an open graph has not met inputs yet, where its nodes are needed.
var ErrOpen = errors.New("the shapes of the inputs are not known: run the model once, or give the shapes when loading it")

// Example returns types of the inputs that the graph takes: those it was built with, and of
// an open graph what its program knows; false where that is nothing.
func (g *Graph) Example() ([]ops.Type, bool) {
	if g.open != nil {
		e, ok := g.open.program.(Exampler)
		if !ok {
			return nil, false
		}
		return e.Example()
	}
	types := make([]ops.Type, len(g.Inputs))
	for i, v := range g.Inputs {
		types[i] = v.Type
	}
	return types, true
}

// Concrete returns the graph itself, or of an open graph what it was last
// specialized to. Before it was, it is specialized for the program's example, and
// fails with ErrOpen where there is none.
func (g *Graph) Concrete() (*Graph, error) {
	if g == nil {
		return nil, errNoGraph
	}
	if g.open == nil {
		return g, nil
	}
	if s := g.open.last(); s != nil {
		return s, nil
	}
	types, ok := g.Example()
	if !ok {
		return nil, ErrOpen
	}
	return g.Specialize(types...)
}

// last returns what the graph was last specialized to, nil before it was.
func (o *open) last() *Graph {
	o.mu.Lock()
	defer o.mu.Unlock()
	g, _ := o.graphs.Latest()
	return g
}

// Specialize returns the graph for inputs of these types: of an open graph what
// its program makes, or made before for types that the same graph serves; any
// other graph is itself the answer.
func (g *Graph) Specialize(inputs ...ops.Type) (*Graph, error) {
	return g.SpecializeContext(context.Background(), inputs...)
}

// SpecializeContext is Specialize that ends with ctx.
func (g *Graph) SpecializeContext(ctx context.Context, inputs ...ops.Type) (*Graph, error) {
	if g.open == nil {
		return g, nil
	}
	s, _, err := g.open.specialize(ctx, inputs, "", Items{})
	return s, err
}

// specialize returns a graph for inputs of these types, and whether it was made
// before, for others perhaps.
func (o *open) specialize(ctx context.Context, inputs []ops.Type, before string, items Items) (g *Graph, known bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	example, err := examples(inputs)
	if err != nil {
		return nil, false, err
	}
	serves := func(s *Graph) bool {
		if err != nil || s.form() != before || !s.accepts(example) || !s.agrees(items) || !s.infers(inputs) {
			return false
		}
		state := 0
		if s.State != nil {
			state = s.State.Inputs
		}
		err = o.check(inputs, state)
		return err == nil
	}
	if s, ok := o.graphs.Use(serves); ok {
		return s, true, nil
	}
	if err != nil {
		return nil, false, err
	}
	g, err = o.specializeAnew(ctx, inputs, before, items)
	return g, false, err
}

// specializeAnew makes a graph for inputs of these types. It runs under o.mu.
func (o *open) specializeAnew(ctx context.Context, inputs []ops.Type, before string, items Items) (s *Graph, err error) {
	if p, ok := o.program.(ContextProgram); ok {
		s, err = p.SpecializeContext(ctx, inputs, before, items)
	} else {
		s, err = o.program.Specialize(inputs, before)
	}
	if err != nil {
		return nil, err
	}
	return s, o.keep(s, len(inputs))
}

// keep remembers a graph that the program made for so many inputs. It runs under o.mu.
func (o *open) keep(s *Graph, inputs int) error {
	if s.IsOpen() || len(s.Inputs) != inputs {
		return fmt.Errorf("a program made a graph of %d inputs for %d", len(s.Inputs), inputs)
	}
	o.graphs.Add(s)
	o.graphs.Keep(maxSpecializations, nil)
	return nil
}

// add is keep that takes the lock.
func (o *open) add(s *Graph, inputs int) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.keep(s, inputs)
}

// examples returns tensors of the given types: their values where known, else
// without memory.
func examples(types []ops.Type) ([]*tensor.Tensor, error) {
	out := make([]*tensor.Tensor, len(types))
	for i, t := range types {
		if t.Known != nil {
			out[i] = t.Known
			continue
		}
		var err error
		if out[i], err = tensor.Unbound(t.DType, t.Shape...); err != nil {
			return nil, err
		}
		out[i] = out[i].WithQParams(t.Q)
	}
	return out, nil
}

// accepts reports whether the graph serves these inputs, as far as its guards say.
func (g *Graph) accepts(inputs []*tensor.Tensor) bool {
	if len(inputs) != len(g.Inputs) {
		return false
	}
	for i, v := range g.Inputs {
		t := inputs[i]
		if t == nil || t.DType() != v.Type.DType || t.Rank() != len(v.Type.Shape) || !t.QParams().Equal(v.Type.Q) || !v.Guard.admits(t) {
			return false
		}
	}
	return g.checkRelations(inputs) == nil
}

// infers reports whether all operators accept what follows from inputs of these types.
func (g *Graph) infers(inputs []ops.Type) bool {
	types := make([]ops.Type, len(inputs))
	for i, t := range inputs {
		types[i] = ops.Type{DType: t.DType, Shape: t.Shape, Q: t.Q}
	}
	_, err := g.infer(types)
	return err == nil
}
