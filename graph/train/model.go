package train

import (
	"fmt"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
)

// Mode says what a graph of a model is for.
type Mode struct {
	// Train is set for the graph whose gradients are taken.
	Train bool
	// BatchStatistics lets batch norm normalize with the statistics of the batch and update
	// the running ones; otherwise it uses the running ones as they are.
	BatchStatistics bool
}

// Model is what a Trainer trains.
type Model interface {
	// Inputs is the number of inputs.
	Inputs() int
	// Parameters lists the parameters and buffers, always the same, in an order that does not change.
	Parameters() []*Parameter
	// Graph returns the forward graph for inputs of the given types, with the parameters as
	// variables, named and lying in memory as Parameters has them. Buffers may be written by ops.Assign.
	Graph(mode Mode, inputs []ops.Type) (*graph.Graph, error)
}

// Float is a float model whose parameters are trained as they are.
type Float struct {
	g      *graph.Graph
	params []*Parameter
}

// FromGraph returns the trainable form of a float model. The parameters begin
// with the model's values; the model itself is not changed.
func FromGraph(g *graph.Graph) (*Float, error) {
	g, err := g.Concrete()
	if err != nil {
		return nil, err
	}
	if err := g.Verify(); err != nil {
		return nil, err
	}
	params, err := ParametersOf(g)
	if err != nil {
		return nil, err
	}
	return &Float{g.Clone(), params}, nil
}

// Inputs returns the number of the model's inputs.
func (m *Float) Inputs() int { return len(m.g.Inputs) }

// Parameters lists the model's parameters.
func (m *Float) Parameters() []*Parameter { return m.params }

// Graph implements Model.
func (m *Float) Graph(mode Mode, inputs []ops.Type) (*graph.Graph, error) {
	b, err := NewBuilder(m.g, m.params, inputs)
	if err != nil {
		return nil, err
	}
	for _, n := range m.g.Nodes {
		if err := b.Add(n, b.Values(n.Inputs), mode); err != nil {
			return nil, err
		}
	}
	b.Graph.SetOutputs(b.Values(m.g.Outputs)...)
	return b.Graph, nil
}

// Snapshot returns a float model with the present values of the parameters as constants.
func (m *Float) Snapshot() *graph.Graph { return Snapshot(m.g, m.params) }

// Snapshot returns g with the present values of the parameters in place of the
// constants of their names.
func Snapshot(g *graph.Graph, params []*Parameter) *graph.Graph {
	named := nameParameters(params)
	c := g.Clone()
	for _, v := range c.Constants() {
		if p := named.of(v); p != nil {
			v.Const = p.Value.Clone()
			v.Type = ops.TypeOf(v.Const)
		}
	}
	return c
}

// Builder writes a graph with variables in the place of a float graph's parameters.
type Builder struct {
	Graph *graph.Graph

	params byName
	values map[*graph.Value]*graph.Value // of the float graph, to those of Graph
	vars   map[*Parameter]*graph.Value
}

// NewBuilder begins a graph with the inputs of g, which are given the types.
func NewBuilder(g *graph.Graph, params []*Parameter, inputs []ops.Type) (*Builder, error) {
	b := &Builder{
		Graph: graph.New(), params: nameParameters(params),
		values: make(map[*graph.Value]*graph.Value), vars: make(map[*Parameter]*graph.Value),
	}
	if len(inputs) != len(g.Inputs) {
		return nil, fmt.Errorf("train: %d inputs for a model with %d", len(inputs), len(g.Inputs))
	}
	for i, v := range g.Inputs {
		if inputs[i].DType != v.Type.DType {
			return nil, &graph.InputError{Index: i, Name: v.Name, Reason: fmt.Sprintf("it is %v where the model takes %v", inputs[i].DType, v.Type.DType)}
		}
		b.Set(v, b.Graph.Input(v.Name, inputs[i].DType, inputs[i].Shape...))
	}
	return b, nil
}

// Set says which value of the new graph stands for one of the float graph.
func (b *Builder) Set(v, w *graph.Value) {
	if w.Name == "" {
		w.Name = v.Name
	}
	b.values[v] = w
}

// Value returns what stands for v: what was set for it, the variable of a
// parameter, or a constant as it is.
func (b *Builder) Value(v *graph.Value) *graph.Value {
	w := b.values[v]
	if w == nil && v.Const != nil {
		if p := b.params.of(v); p != nil {
			w = b.Variable(p)
		} else {
			w = b.Graph.Const(v.Name, v.Const)
		}
		b.values[v] = w
	}
	return w
}

// Values is Value of each.
func (b *Builder) Values(v []*graph.Value) []*graph.Value {
	w := make([]*graph.Value, len(v))
	for i := range v {
		w[i] = b.Value(v[i])
	}
	return w
}

// Variable returns the variable of a parameter.
// It is not inlined, for the size of programs: docs/architecture.md.
//
//go:noinline
func (b *Builder) Variable(p *Parameter) *graph.Value {
	v := b.vars[p]
	if v == nil {
		v = b.Graph.Variable(p.Name, p.Value)
		b.vars[p] = v
	}
	return v
}

// Add adds a node of the float graph, with inputs of the new one.
func (b *Builder) Add(n *graph.Node, in []*graph.Value, mode Mode) error {
	if bn, ok := n.Op.(ops.BatchNorm); ok && mode.BatchStatistics {
		y, err := b.BatchNorm(n.Scope, bn, in)
		if err != nil {
			return err
		}
		b.Set(n.Outputs[0], y)
		return nil
	}
	out, err := b.Graph.Add(n.Scope, n.Op, in...)
	if err != nil {
		return err
	}
	for i, v := range n.Outputs {
		b.Set(v, out[i])
	}
	return nil
}

// Momentum is the weight of a batch in the running statistics of batch norm, PyTorch's default.
const Momentum = 0.1

// BatchNorm adds a batch norm that uses the statistics of the batch and
// updates the running ones, where they are variables.
func (b *Builder) BatchNorm(scope graph.Scope, op ops.BatchNorm, in []*graph.Value) (*graph.Value, error) {
	out, err := b.Graph.Add(scope, ops.BatchNormTrain{Eps: op.Eps, Momentum: Momentum, NHWC: op.NHWC}, in...)
	if err != nil {
		return nil, err
	}
	for i, v := range in[3:5] {
		if v.Variable == nil {
			continue
		}
		if _, err := b.Graph.Add(scope, ops.Assign{}, v, out[3+i]); err != nil {
			return nil, err
		}
	}
	return out[0], nil
}
