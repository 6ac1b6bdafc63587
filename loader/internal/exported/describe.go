package exported

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader/internal/aten"
)

// Description says what an exported program is, without executing it.
type Description struct {
	Name     string             `json:"name"`              // among the programs of the archive
	Models   []string           `json:"models"`            // all of them
	Schema   string             `json:"schema"`            // version of the schema: "8.20"
	Torch    string             `json:"torch"`             // version of PyTorch that wrote it
	Dialects []string           `json:"dialects"`          // "TRAINING" as exported, "ATEN" after run_decompositions
	Devices  []string           `json:"devices,omitempty"` // other than the CPU that values were on: they are computed on the CPU
	Inputs   []InputDescription `json:"inputs"`
	Outputs  []string           `json:"outputs"`          // their names, "" for one without
	Ranges   []string           `json:"ranges,omitempty"` // of the symbols in the inputs: "s0: 2 to 16"
	Guards   []string           `json:"guards,omitempty"` // other conditions on the inputs
	Nodes    int                `json:"nodes"`
	Int8     []Int8Description  `json:"int8,omitempty"` // of a quantized program
	// Unknown are the operators that octet does not have.
	Unknown []aten.OperatorUse `json:"-"`
}

// InputDescription is an input of a program.
type InputDescription struct {
	Name string `json:"name"`
	Type string `json:"type"` // "float32[s0, 3]"
}

// Int8Description is an int8 operator of a quantized program.
type Int8Description struct {
	Module string `json:"module"`
	Op     string `json:"op"`    // "int8.conv2d"
	Nodes  string `json:"nodes"` // those that it stands for: "dequantize, conv2d, relu, quantize"
}

// int8 lists the int8 operators of a program, nil of one that is not quantized or
// cannot be executed for the inputs of its example.
func (m *Model) int8() []Int8Description {
	if !m.Program.Graph.quantized() {
		return nil
	}
	types, ok := m.Example()
	if !ok {
		return nil
	}
	_, patterns, _, err := m.specialize(context.Background(), types, "", graph.Items{}, false)
	if err != nil {
		return nil
	}
	list := make([]Int8Description, len(patterns))
	for i, p := range patterns {
		list[i] = Int8Description{p.Scope.Path, p.Op, p.Nodes}
	}
	return list
}

// quantized reports whether a node, of the graph or one inside, dequantizes.
func (g *Graph) quantized() bool {
	for i := range g.Nodes {
		name, of := strings.CutPrefix(operatorName(g.Nodes[i].Target), "quantized_decomposed::")
		if of && (strings.HasPrefix(name, "dequantize") || strings.HasPrefix(name, "embedding")) {
			return true
		}
		for _, in := range g.Nodes[i].Inputs {
			if s, ok := in.Arg.(*Subgraph); ok && s.Graph.quantized() {
				return true
			}
		}
	}
	return false
}

// Describe describes a program of an archive.
func (m *Model) Describe(a *Archive) *Description {
	p := m.Program
	d := &Description{
		Name: p.Name, Models: a.Names(), Schema: fmt.Sprintf("%d.%d", p.Schema.Major, p.Schema.Minor), Torch: p.Torch,
		Dialects: p.Dialects, Devices: p.Devices, Nodes: p.Graph.count(),
	}
	symbols := make(map[string]bool)
	for _, in := range m.Contract.Inputs {
		t := "int"
		if in.Meta != nil {
			t = in.Meta.Type + in.Meta.shape()
			for _, e := range in.Meta.Sizes {
				if e.Expr != nil {
					e.Expr.Symbols(func(name string) { symbols[name] = true })
				}
			}
		} else if in.Expr != nil {
			t += " " + in.Expr.String()
			symbols[in.Expr.Symbol] = true
		}
		d.Inputs = append(d.Inputs, InputDescription{in.Name, t})
	}
	for s := range symbols {
		if r, ok := p.Ranges[s]; ok {
			d.Ranges = append(d.Ranges, s+": "+r.String())
		}
	}
	slices.Sort(d.Ranges)
	for _, g := range m.Contract.guards {
		d.Guards = append(d.Guards, g.Text)
	}
	if p.Out != nil {
		d.Outputs = p.Out.Names()
	}
	var unsupported *aten.UnsupportedError
	if errors.As(m.CheckOperators(), &unsupported) {
		d.Unknown = unsupported.Operators
	} else {
		d.Int8 = m.int8()
	}
	return d
}

// count returns the number of nodes, those of graphs inside as well.
func (g *Graph) count() int {
	n := len(g.Nodes)
	for i := range g.Nodes {
		for _, in := range g.Nodes[i].Inputs {
			if s, ok := in.Arg.(*Subgraph); ok {
				n += s.Graph.count()
			}
		}
	}
	return n
}

// Dialect returns what the program went through, for a reader.
func (d *Description) Dialect() string {
	names := make([]string, len(d.Dialects))
	for i, s := range d.Dialects {
		switch s {
		case "TRAINING":
			s = "as exported"
		case "ATEN":
			s = "decomposed"
		}
		names[i] = s
	}
	return strings.Join(names, ", ")
}
