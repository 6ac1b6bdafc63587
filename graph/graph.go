// Package graph holds octet's one representation of a model and the one way to
// run it: a graph of operators in single-assignment form, the passes that
// rewrite it, and the compiled session that executes it.
package graph

import (
	"strings"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Graph is a model: values computed from inputs and constants by nodes in
// topological order. A graph is built by one goroutine; once built it may be
// read, cloned and compiled by many.
type Graph struct {
	Inputs  []*Value
	Outputs []*Value
	Nodes   []*Node
	// State says what of inputs and outputs a model keeps between runs, nil for nothing.
	State *State
	// Info is what the model says of itself, nil for nothing. A graph that an open graph is specialized to has none.
	Info *Info

	next int   // number of the next value
	open *open // of an open graph, else nil
}

// Value is an edge of the graph: an input, a constant, a variable, or an output of a node.
type Value struct {
	// Name is the input's or output's name, or a constant's path: "layer1.0.conv1.weight".
	Name string
	// Type is what was inferred for the example shapes of the inputs.
	Type ops.Type
	// Const is the value of a constant, else nil.
	Const *tensor.Tensor
	// Variable is the memory of a variable, else nil.
	Variable *tensor.Tensor
	// Guard restricts what an input may be; nil means the operators alone decide.
	Guard *Guard
	// Node computes the value; nil for inputs, constants and variables.
	Node *Node

	id int
}

// Node is one operator applied to values.
type Node struct {
	Op      ops.Op
	Inputs  []*Value
	Outputs []*Value
	Scope   Scope

	place    place // while a pass runs
	index    int   // in the graph, while values are chosen to be computed again
	backward bool  // of a gradient
}

// Scope says which module of the model a node belongs to.
type Scope struct {
	Path  string // "layer1.0.conv1"
	Class string // "torch.nn.modules.conv.Conv2d"
}

// New returns an empty graph.
func New() *Graph { return &Graph{} }

func (g *Graph) value(v *Value) *Value {
	v.id = g.next
	g.next++
	return v
}

// Input adds an input. The shape is an example: a session accepts every shape
// of the same rank that the operators accept.
// It is not inlined, for the size of programs: docs/architecture.md.
//
//go:noinline
func (g *Graph) Input(name string, dtype tensor.DType, shape ...int) *Value {
	v := g.value(&Value{Name: name, Type: ops.Type{DType: dtype, Shape: tensor.Shape(shape).Clone()}})
	g.Inputs = append(g.Inputs, v)
	return v
}

// Const adds a constant.
//
//go:noinline
func (g *Graph) Const(name string, t *tensor.Tensor) *Value {
	return g.value(&Value{Name: name, Type: ops.TypeOf(t), Const: t})
}

// Variable adds a value whose memory is the caller's: the contiguous tensor t, which
// every run reads as it is at that time, and which nodes whose operators are Writers change. The
// graph and its sessions never copy it. Of a graph with Writers one session may run at
// a time; of any other, runs may overlap with each other but not with changes of t.
//
//go:noinline
func (g *Graph) Variable(name string, t *tensor.Tensor) *Value {
	return g.value(&Value{Name: name, Type: variableType(t), Variable: t})
}

// variableType is the type of a variable: what its memory holds is not known.
func variableType(t *tensor.Tensor) ops.Type {
	return ops.Type{DType: t.DType(), Shape: t.Shape(), Q: t.QParams()}
}

// Add appends a node and returns its outputs. It fails with a *NodeError when the operator
// does not accept the inputs.
func (g *Graph) Add(scope Scope, op ops.Op, inputs ...*Value) ([]*Value, error) {
	n, err := g.newNode(scope, op, inputs...)
	if err != nil {
		return nil, err
	}
	g.Nodes = append(g.Nodes, n)
	return n.Outputs, nil
}

// Add1 is Add for operators with one output.
func (g *Graph) Add1(scope Scope, op ops.Op, inputs ...*Value) (*Value, error) {
	out, err := g.Add(scope, op, inputs...)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// newNode makes a node of g without inserting it.
func (g *Graph) newNode(scope Scope, op ops.Op, inputs ...*Value) (*Node, error) {
	n := &Node{Op: op, Inputs: inputs, Scope: scope}
	types, err := infer(op, typesOf(inputs))
	if err != nil {
		return nil, &NodeError{Node: n, Err: err}
	}
	for _, t := range types {
		n.Outputs = append(n.Outputs, g.value(&Value{Type: t, Node: n}))
	}
	return n, nil
}

func typesOf(values []*Value) []ops.Type {
	types := make([]ops.Type, len(values))
	for i, v := range values {
		types[i] = v.Type
	}
	return types
}

// SetOutputs makes the values the outputs of the graph.
//
//go:noinline
func (g *Graph) SetOutputs(values ...*Value) {
	g.Outputs = append([]*Value(nil), values...)
}

// Clone returns a copy that shares constants and operators but no values or nodes.
func (g *Graph) Clone() *Graph {
	return g.cloneEach(func(*Value, *Value) {})
}

// CloneMap is Clone and returns, in addition, the copy of each value.
func (g *Graph) CloneMap() (*Graph, map[*Value]*Value) {
	m := make(map[*Value]*Value)
	c := g.cloneEach(func(v, w *Value) { m[v] = w })
	return c, m
}

// cloneEach is Clone and calls copied with each value and its copy.
func (g *Graph) cloneEach(copied func(v, w *Value)) *Graph {
	c := &Graph{Nodes: make([]*Node, 0, len(g.Nodes)), State: g.State, Info: g.Info, next: g.next, open: g.open}
	copies := newValueTable[*Value](g)
	get := func(v *Value) *Value {
		w, ok := copies.get(v)
		if !ok {
			w = new(Value)
			*w = *v
			w.Node = nil
			copies.set(v, w)
			copied(v, w)
		}
		return w
	}
	for _, v := range g.Inputs {
		c.Inputs = append(c.Inputs, get(v))
	}
	for _, n := range g.Nodes {
		d := &Node{Op: n.Op, Inputs: make([]*Value, 0, len(n.Inputs)), Outputs: make([]*Value, 0, len(n.Outputs)), Scope: n.Scope, backward: n.backward}
		for _, v := range n.Inputs {
			d.Inputs = append(d.Inputs, get(v))
		}
		for _, v := range n.Outputs {
			w := get(v)
			w.Node = d
			d.Outputs = append(d.Outputs, w)
		}
		c.Nodes = append(c.Nodes, d)
	}
	for _, v := range g.Outputs {
		c.Outputs = append(c.Outputs, get(v))
	}
	return c
}

// Constants returns the constants that nodes or outputs use, in the order of their first use.
func (g *Graph) Constants() []*Value {
	var out []*Value
	seen := make(map[*Value]bool)
	add := func(v *Value) {
		if v.Const != nil && !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	for _, n := range g.Nodes {
		for _, v := range n.Inputs {
			add(v)
		}
	}
	for _, v := range g.Outputs {
		add(v)
	}
	return out
}

// Variables returns the variables that nodes use, in the order of their first use.
func (g *Graph) Variables() []*Value {
	var out []*Value
	seen := make(map[*Value]bool)
	for _, n := range g.Nodes {
		for _, v := range n.Inputs {
			if v.Variable != nil && !seen[v] {
				seen[v] = true
				out = append(out, v)
			}
		}
	}
	return out
}

// NodeError says at which node of a graph something failed.
type NodeError struct {
	Pass string // the pass that was running, if any
	Node *Node
	Err  error
}

func (e *NodeError) Error() string {
	where := e.Node.Op.Name()
	if e.Node.Scope.Path != "" {
		where = e.Node.Scope.Path + " (" + where + ")"
	}
	if e.Pass != "" {
		where = e.Pass + ": " + where
	}
	return where + ": " + strings.TrimPrefix(e.Err.Error(), e.Node.Op.Name()+": ") // of a *ops.ValueError, which names the operator, too
}

func (e *NodeError) Unwrap() error { return e.Err }
