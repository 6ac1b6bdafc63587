package aten

import (
	"fmt"
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// Pattern is an int8 operator that stands for several nodes of a program.
type Pattern struct {
	Scope graph.Scope
	Op    string // its name: int8.conv2d
	Nodes string // what it stands for: "dequantize, conv2d, relu, quantize"
}

// LowerQuantized returns a graph in which operators between dequantized inputs and
// a quantized output, or with dequantized weights, are int8 operators with the
// parameters of the file. What has no int8 operator computes in float32, as it was.
func (m *Evaluator) LowerQuantized(g *graph.Graph) (*graph.Graph, []Pattern, error) {
	if !m.pt2e.used(g) {
		return g, nil, nil
	}
	return m.pt2e.lower(g)
}

// lower is LowerQuantized of a graph, or of one that an operator of it takes.
func (d *decomposed) lower(g *graph.Graph) (*graph.Graph, []Pattern, error) {
	l := &lowering{
		decomposed: d, g: graph.New(), real: make(map[*graph.Value]*graph.Value), ints: make(map[*graph.Value]*graph.Value),
		uses: make(map[*graph.Value]int), nodes: make(map[*graph.Node]string), inner: make(map[*graph.Node][]Pattern),
	}
	for _, v := range g.Inputs {
		w := l.g.Input(v.Name, v.Type.DType, v.Type.Shape...)
		w.Guard = v.Guard
		l.real[v] = w
	}
	for _, n := range g.Nodes {
		for _, v := range n.Inputs {
			l.uses[v]++
		}
	}
	for _, v := range g.Outputs {
		l.uses[v]++
	}
	for _, n := range g.Nodes {
		if err := l.node(n); err != nil {
			return nil, nil, &graph.NodeError{Pass: "int8 patterns", Node: n, Err: err}
		}
	}
	outputs := make([]*graph.Value, len(g.Outputs))
	for i, v := range g.Outputs {
		w, err := l.value(v)
		if err != nil {
			return nil, nil, err
		}
		if v.Const == nil {
			w.Name = v.Name
		}
		outputs[i] = w
	}
	l.g.SetOutputs(outputs...)
	l.g.State = g.State
	l.g.RemoveDead()
	return l.g, l.patterns(), l.g.Verify()
}

// used reports whether anything in a graph comes of decomposed operators.
func (d *decomposed) used(g *graph.Graph) bool {
	if len(d.weights) > 0 || len(d.dynamic) > 0 || len(d.taken) > 0 {
		return true
	}
	for _, n := range g.Nodes {
		if _, ok := n.Op.(int8.Quantize); ok {
			return true
		}
		if inner, ok := n.Op.(interface{ Graphs() []*graph.Graph }); ok && slices.ContainsFunc(inner.Graphs(), d.used) {
			return true
		}
	}
	return false
}

// lowering writes the int8 graph. A value has its real values, its integers, or both:
// whichever its users ask for.
type lowering struct {
	*decomposed
	g          *graph.Graph
	real, ints map[*graph.Value]*graph.Value
	uses       map[*graph.Value]int
	nodes      map[*graph.Node]string    // what a node of g stands for
	inner      map[*graph.Node][]Pattern // of the graphs that a node of g takes
}

// patterns lists the int8 operators of the graph.
func (l *lowering) patterns() []Pattern {
	var list []Pattern
	for _, n := range l.g.Nodes {
		if text := l.nodes[n]; text != "" {
			list = append(list, Pattern{n.Scope, n.Op.Name(), text})
		}
		list = append(list, l.inner[n]...)
	}
	return list
}

// value returns v in the form that it had.
func (l *lowering) value(v *graph.Value) (*graph.Value, error) {
	if v.Type.Q != nil && v.Const == nil {
		return l.ints[v], nil
	}
	if w := l.real[v]; w != nil {
		return w, nil
	}
	var err error
	if v.Const != nil {
		l.real[v] = l.g.Const(v.Name, v.Const)
	} else {
		l.real[v], err = l.g.Add1(v.Node.Scope, int8.Dequantize{}, l.ints[v])
	}
	return l.real[v], err
}

func (l *lowering) values(list []*graph.Value) ([]*graph.Value, error) {
	out := make([]*graph.Value, len(list))
	for i, v := range list {
		var err error
		if out[i], err = l.value(v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// try adds an operator that takes these inputs, nil where it does not.
func (l *lowering) try(n *graph.Node, nodes string, op ops.Op, inputs ...*graph.Value) *graph.Value {
	types := make([]ops.Type, len(inputs))
	for i, v := range inputs {
		if v == nil {
			return nil
		}
		types[i] = v.Type
	}
	if _, err := op.Infer(types); err != nil {
		return nil
	}
	w, err := l.g.Add1(n.Scope, op, inputs...)
	if err != nil {
		return nil
	}
	l.nodes[w.Node] = nodes
	return w
}

func (l *lowering) node(n *graph.Node) error {
	switch op := n.Op.(type) {
	case int8.Dequantize:
		l.ints[n.Outputs[0]] = l.ints[n.Inputs[0]]
		if l.ints[n.Inputs[0]] != nil {
			return nil
		}
	case int8.Quantize:
		w, err := l.quantized(n.Inputs[0], op.Q)
		if w == nil && err == nil {
			var x *graph.Value
			if x, err = l.value(n.Inputs[0]); err == nil {
				w, err = l.g.Add1(n.Scope, op, x)
			}
		}
		l.ints[n.Outputs[0]] = w
		return err
	}
	if w := l.move(n); w != nil {
		l.ints[n.Outputs[0]] = w
		return nil
	}
	if len(n.Outputs) == 1 {
		w, err := l.layer(n, ops.NoActivation, nil, nil)
		if err != nil {
			return err
		}
		if w != nil {
			l.real[n.Outputs[0]] = w
			return nil
		}
	}
	in, err := l.values(n.Inputs)
	if err != nil {
		return err
	}
	op, inner, err := l.control(n.Op)
	if err != nil {
		return err
	}
	outs, err := l.g.Add(n.Scope, op, in...)
	if len(outs) > 0 {
		l.inner[outs[0].Node] = inner
		if text := l.taken[n]; text != "" {
			l.nodes[outs[0].Node] = text
		}
	}
	for i, w := range outs {
		if w.Type.Q != nil {
			l.ints[n.Outputs[i]] = w
		} else {
			l.real[n.Outputs[i]] = w
		}
	}
	return err
}

// control returns an operator that takes graphs with the int8 form of these; others as they are.
func (l *lowering) control(op ops.Op) (ops.Op, []Pattern, error) {
	lower := func(g *graph.Graph) (*graph.Graph, []Pattern, error) {
		if !l.used(g) {
			return g, nil, nil
		}
		return l.decomposed.lower(g)
	}
	switch op := op.(type) {
	case graph.If:
		then, list, err := lower(op.Then)
		if err != nil {
			return nil, nil, err
		}
		other, more, err := lower(op.Else)
		return graph.If{Then: then, Else: other, Open: op.Open}, append(list, more...), err
	case graph.Loop:
		body, list, err := lower(op.Body)
		op.Body = body
		return op, list, err
	}
	return op, nil, nil
}

// move adds an operator that only moves or compares values whose integers are known, on these.
// The real values of what it gives are the same.
func (l *lowering) move(n *graph.Node) *graph.Value {
	if !isMove(n) || l.ints[n.Inputs[0]] == nil {
		return nil
	}
	return l.moved(n, l.ints[n.Inputs[0]])
}

// isMove reports whether a node only moves or compares the values of its first input.
func isMove(n *graph.Node) bool {
	switch n.Op.(type) {
	case ops.MaxPool, ops.Slice, ops.SliceTo, ops.Pad, ops.Reshape, ops.ReshapeTo, ops.Flatten, ops.Permute, ops.Expand, ops.Tile, ops.Flip:
		return len(n.Outputs) == 1
	}
	return false
}

// moved adds a node that moves values, on the integers x.
func (l *lowering) moved(n *graph.Node, x *graph.Value) *graph.Value {
	if pad, ok := n.Op.(ops.Pad); ok {
		q := x.Type.Q
		if float64(q.Quantize(float32(pad.Value), 0)-q.ZeroPoint[0])*float64(q.Scale[0]) != float64(pad.Value) {
			return nil // no integer stands for what fills the edges
		}
	}
	in := []*graph.Value{x}
	for _, v := range n.Inputs[1:] {
		w, err := l.value(v)
		if err != nil {
			return nil
		}
		in = append(in, w)
	}
	w := l.try(n, "dequantize, "+n.Op.Name(), n.Op, in...)
	if w != nil && !w.Type.Q.Equal(x.Type.Q) {
		return nil
	}
	return w
}

// quantized returns the integers of v with the parameters q, nil where no int8 operator gives them.
func (l *lowering) quantized(v *graph.Value, q *tensor.QParams) (*graph.Value, error) {
	if x := l.ints[v]; x != nil {
		if x.Type.Q.Equal(q) {
			return x, nil
		}
		return l.g.Add1(v.Node.Scope, int8.NewTable("requantize", x.Type.Q, q, nil), x)
	}
	n := v.Node
	if n == nil || len(n.Outputs) != 1 || len(n.Inputs) == 0 {
		return nil, nil
	}
	if isMove(n) && l.only(n.Inputs[0]) {
		x, err := l.quantized(n.Inputs[0], q)
		if x == nil || err != nil {
			return nil, err
		}
		return l.moved(n, x), nil
	}
	if act, ok := ops.AsActivation(n.Op); ok && act.IsClamp() && l.only(n.Inputs[0]) && l.uses[v] == 1 {
		if w, err := l.computed(n.Inputs[0].Node, act, q, ", "+n.Op.Name()); w != nil || err != nil {
			return w, err
		}
	}
	if l.uses[v] > 1 && l.hasWeight(n) {
		return nil, nil // its real values are used, too
	}
	return l.computed(n, ops.NoActivation, q, "")
}

// only reports whether a node computes v for one user.
func (l *lowering) only(v *graph.Value) bool {
	return v.Node != nil && len(v.Node.Outputs) == 1 && l.uses[v] == 1
}

// hasWeight reports whether a node is a layer with an int8 weight.
func (l *lowering) hasWeight(n *graph.Node) bool {
	return len(n.Inputs) > 1 && n.Inputs[1].Const != nil && l.weights[n.Inputs[1].Const] != nil
}

// computed adds the int8 form of node n, with an activation behind it and the output's parameters.
func (l *lowering) computed(n *graph.Node, act ops.Activation, q *tensor.QParams, behind string) (*graph.Value, error) {
	nodes := fmt.Sprintf("dequantize, %s%s, quantize", n.Op.Name(), behind)
	switch op := n.Op.(type) {
	case ops.Conv, ops.Linear:
		return l.layer(n, act, q, nil)
	case ops.Binary:
		return l.binary(n, op, act, q, nodes)
	}
	if act != ops.NoActivation {
		return nil, nil
	}
	x := l.ints[n.Inputs[0]]
	switch op := n.Op.(type) {
	case ops.AvgPool:
		return l.try(n, nodes, int8.AvgPool{AvgPoolAttributes: ops.AvgPoolAttributes(op), Out: q}, x), nil
	case ops.AdaptiveAvgPool:
		return l.try(n, nodes, int8.AdaptiveAvgPool{AdaptiveAvgPoolAttributes: ops.AdaptiveAvgPoolAttributes(op), Out: q}, x), nil
	case ops.Unary:
		if x == nil {
			return nil, nil
		}
		t, err := int8.TableOf(op, x.Type.Q, q, nil)
		if err != nil {
			return nil, nil
		}
		return l.try(n, nodes, t, x), nil
	case ops.Concat:
		return l.join(n, q, nodes)
	}
	return nil, nil
}

// join adds a concatenation of values with the output's parameters.
func (l *lowering) join(n *graph.Node, q *tensor.QParams, nodes string) (*graph.Value, error) {
	in := make([]*graph.Value, len(n.Inputs))
	for i, v := range n.Inputs {
		x := l.ints[v]
		if x == nil {
			return nil, nil
		}
		if !x.Type.Q.Equal(q) {
			var err error
			if x, err = l.g.Add1(n.Scope, int8.NewTable("requantize", x.Type.Q, q, nil), x); err != nil {
				return nil, err
			}
		}
		in[i] = x
	}
	return l.try(n, nodes, n.Op, in...), nil
}

// binary adds a sum, with that of a layer's output as part of the layer, a product, or a
// function of one value and a number.
func (l *lowering) binary(n *graph.Node, op ops.Binary, act ops.Activation, q *tensor.QParams, nodes string) (*graph.Value, error) {
	a, b := l.ints[n.Inputs[0]], l.ints[n.Inputs[1]]
	switch {
	case a != nil && b != nil && op.Fn == ops.Add:
		return l.try(n, nodes, int8.Add{Act: act, Out: q}, a, b), nil
	case a != nil && b != nil && op.Fn == ops.Mul:
		if w := l.try(n, nodes, int8.Mul{Act: act, Out: q}, a, b); w != nil {
			return w, nil
		}
		return l.try(n, nodes, int8.Mul{Act: act, Out: q}, b, a), nil
	case op.Fn == ops.Add:
		for i, other := range []*graph.Value{b, a} {
			v := n.Inputs[i]
			if other == nil || !l.only(v) || !other.Type.Shape.Equal(v.Type.Shape) {
				continue
			}
			if w, err := l.layer(v.Node, act, q, other); w != nil || err != nil {
				return w, err
			}
		}
	}
	for i, x := range []*graph.Value{a, b} {
		other := n.Inputs[1-i].Const
		if x == nil || other == nil || other.Numel() != 1 || other.Rank() > len(x.Type.Shape) || act != ops.NoActivation {
			continue
		}
		operands := make([]*tensor.Tensor, 2)
		operands[1-i] = other
		if t, err := int8.TableOf(op, x.Type.Q, q, operands...); err == nil {
			return l.try(n, nodes, t, x), nil
		}
	}
	return nil, nil
}
