package quantize

import (
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// widened returns the graph with its float16 and bfloat16 values in float32, so that layers of a half model
// fuse, quantize and train as those of others do: no rounding to halves remains between operators. Inputs and
// outputs keep their types, constants their names. A graph without halves is returned as it is.
func widened(g *graph.Graph) (*graph.Graph, error) {
	if !holdsHalves(g) || len(g.Variables()) > 0 {
		return g, nil
	}
	w := &widener{
		Graph: graph.New(), values: make(map[*graph.Value]*graph.Value),
		half: make(map[*graph.Value]*graph.Value), constants: make(map[*tensor.Tensor]*tensor.Tensor),
	}
	if err := w.leaves(g); err != nil {
		return nil, err
	}
	for _, n := range g.Nodes {
		if err := w.node(n); err != nil {
			return nil, err
		}
	}
	outputs := make([]*graph.Value, len(g.Outputs))
	for i, v := range g.Outputs {
		var err error
		if outputs[i], err = w.narrow(v); err != nil {
			return nil, err
		}
		if outputs[i].Node != nil {
			outputs[i].Name = v.Name
		}
	}
	w.SetOutputs(outputs...)
	w.State = g.State
	w.RemoveDead()
	return w.Graph, nil
}

func isHalf(d tensor.DType) bool { return d == tensor.Float16 || d == tensor.BFloat16 }

func holdsHalves(g *graph.Graph) bool {
	for _, n := range g.Nodes {
		for _, v := range n.Inputs {
			if isHalf(v.Type.DType) {
				return true
			}
		}
		for _, v := range n.Outputs {
			if isHalf(v.Type.DType) {
				return true
			}
		}
	}
	return false
}

// widener writes the widened graph. A value that was a half has a float32 form, and a half form where
// something asks for one.
type widener struct {
	*graph.Graph
	values    map[*graph.Value]*graph.Value
	half      map[*graph.Value]*graph.Value
	constants map[*tensor.Tensor]*tensor.Tensor // so that what was one tensor remains one
}

// leaves adds inputs and constants.
func (w *widener) leaves(g *graph.Graph) error {
	for _, v := range g.Inputs {
		in := w.Input(v.Name, v.Type.DType, v.Type.Shape...)
		in.Guard, in.Type = v.Guard, v.Type
		w.values[v] = in
		if !isHalf(v.Type.DType) {
			continue
		}
		w.half[v] = in
		var err error
		if w.values[v], err = w.Add1(graph.Scope{}, ops.Cast{DType: tensor.Float32}, in); err != nil {
			return err
		}
	}
	for _, v := range g.Constants() {
		t := v.Const
		if isHalf(t.DType()) {
			if w.constants[t] == nil {
				out, err := ops.Eval(ops.Cast{DType: tensor.Float32}, asm.Generic, nil, t.Contiguous())
				if err != nil {
					return err
				}
				w.constants[t] = out[0]
			}
			t = w.constants[t]
		}
		w.values[v] = w.Const(v.Name, t)
	}
	return nil
}

// narrow returns v in the type it had.
func (w *widener) narrow(v *graph.Value) (*graph.Value, error) {
	switch {
	case w.values[v].Type.DType == v.Type.DType:
		return w.values[v], nil
	case w.half[v] != nil:
		return w.half[v], nil
	}
	var err error
	w.half[v], err = w.Add1(scopeOf(v), ops.Cast{DType: v.Type.DType}, w.values[v])
	return w.half[v], err
}

// node adds a node on float32 values. One that makes halves all the same, since its operator says so, runs
// as it did.
func (w *widener) node(n *graph.Node) error {
	in := make([]*graph.Value, len(n.Inputs))
	for i, v := range n.Inputs {
		in[i] = w.values[v]
	}
	op := n.Op
	if cast, ok := op.(ops.Cast); ok {
		if isHalf(cast.DType) {
			op = ops.Cast{DType: tensor.Float32}
		}
		if in[0].Type.DType == op.(ops.Cast).DType {
			w.values[n.Outputs[0]] = in[0]
			return nil
		}
	}
	before := len(w.Nodes)
	out, err := w.Add(n.Scope, op, in...)
	if err == nil && isWidened(n.Outputs, out) {
		for i, v := range n.Outputs {
			w.values[v] = out[i]
		}
		return nil
	}
	w.Nodes = w.Nodes[:before]
	return w.asItWas(n)
}

// isWidened reports whether the values have the types they had, but for halves that are float32.
func isWidened(was, are []*graph.Value) bool {
	for i, v := range was {
		want := v.Type.DType
		if isHalf(want) {
			want = tensor.Float32
		}
		if are[i].Type.DType != want {
			return false
		}
	}
	return true
}

// asItWas adds a node on halves.
func (w *widener) asItWas(n *graph.Node) error {
	in := make([]*graph.Value, len(n.Inputs))
	for i, v := range n.Inputs {
		var err error
		if in[i], err = w.narrow(v); err != nil {
			return err
		}
	}
	out, err := w.Add(n.Scope, n.Op, in...)
	if err != nil {
		return err
	}
	for i, v := range n.Outputs {
		w.values[v] = out[i]
		if !isHalf(v.Type.DType) {
			continue
		}
		w.half[v] = out[i]
		if w.values[v], err = w.Add1(n.Scope, ops.Cast{DType: tensor.Float32}, out[i]); err != nil {
			return err
		}
	}
	return nil
}
