package bench

import (
	"cmp"
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/sorting"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// Summary describes a model. Of one whose graph is made when the shapes of its
// inputs are known, only what its file says is known: neither its outputs nor its
// multiply-accumulates, and its operators are the file's.
type Summary struct {
	Inputs         []Port     `json:"inputs"`
	Outputs        []Port     `json:"outputs,omitempty"`
	Precision      string     `json:"precision,omitempty"`
	Parameters     int64      `json:"parameters"` // elements of the constants
	ParameterBytes int64      `json:"parameter_bytes"`
	MACs           int64      `json:"macs"` // for the example shapes of the inputs
	Int8MACs       int64      `json:"int8_macs"`
	Operators      []Operator `json:"operators"`
	Modules        []Class    `json:"modules"`
	Tree           []Module   `json:"tree"`
	// Float lists, for a model that has int8 operators, those that compute in float32.
	Float []FloatNode `json:"float,omitempty"`
}

// Port is an input or output.
type Port struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// Operator is an operator and how often it occurs.
type Operator struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
	MACs  int64  `json:"macs"`
}

// Class is a class of modules and how many of them the graph has.
type Class struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// FloatNode is an operator that computes in float32 though others are int8.
type FloatNode struct {
	Name string `json:"name"`
	Op   string `json:"op"`
	Why  string `json:"why"`
}

// Summarize describes a graph. modules are those that the file of the model names,
// each with its own parameters; nil where it names none. Of an open graph it
// describes what the first run made of it, if there was one.
func Summarize(g *graph.Graph, modules []Module) (*Summary, error) {
	if c, err := g.Concrete(); err == nil {
		g = c
	}
	s := &Summary{}
	for _, v := range g.Inputs {
		s.Inputs = append(s.Inputs, Port{v.Name, v.Type.String()})
	}
	for i, name := range g.OutputNames() {
		s.Outputs = append(s.Outputs, Port{name, g.Outputs[i].Type.String()})
	}
	for _, v := range g.Constants() {
		s.Parameters += int64(v.Const.Numel())
		s.ParameterBytes += int64(v.Type.Bytes())
	}
	err := walk(g, exampleTypes(g), func(n *graph.Node, in, out []ops.Type) {
		w := ops.WorkOf(n.Op, in, out)
		s.MACs += w.MACs + w.Int8MACs
		s.Int8MACs += w.Int8MACs
		name := n.Op.Name()
		i := slices.IndexFunc(s.Operators, func(o Operator) bool { return o.Name == name })
		if i < 0 {
			i = len(s.Operators)
			s.Operators = append(s.Operators, Operator{Name: name})
		}
		s.Operators[i].Count++
		s.Operators[i].MACs += w.MACs + w.Int8MACs
		if why := whyFloatNode(n, in, out); why != "" {
			s.Float = append(s.Float, FloatNode{n.Scope.Path, name, why})
		}
	})
	if err != nil {
		return nil, err
	}
	sorting.Func(s.Operators, func(a, b Operator) int {
		return cmp.Or(cmp.Compare(b.MACs, a.MACs), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name))
	})
	if s.Tree, err = moduleTree(g, modules); err != nil {
		return nil, err
	}
	s.Modules = CountClasses(s.Tree)
	s.Precision = Precision(g)
	if s.Int8MACs == 0 {
		s.Float = nil
	}
	return s, nil
}

// CountClasses counts the modules of each class, the most frequent first.
func CountClasses(modules []Module) []Class {
	counts := make(map[string]int)
	for _, m := range modules {
		if m.Class != "" {
			counts[m.Class]++
		}
	}
	var list []Class
	for name, n := range counts {
		list = append(list, Class{name, n})
	}
	sorting.Func(list, func(a, b Class) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name))
	})
	return list
}

// whyFloatNode says why a node of a quantized graph computes floats; "" when it
// does not, or is the border between the two.
func whyFloatNode(n *graph.Node, in, out []ops.Type) string {
	switch n.Op.(type) {
	case int8.Quantize, int8.Dequantize:
		return ""
	}
	if len(in) == 0 || in[0].DType != tensor.Float32 || len(out) == 0 || out[0].DType != tensor.Float32 {
		return ""
	}
	for _, v := range n.Inputs {
		if v.Node != nil {
			if _, ok := v.Node.Op.(int8.Dequantize); ok {
				return "converted back to float32 in front of it: excluded, or without an int8 form"
			}
		}
	}
	return "its input is float32"
}
