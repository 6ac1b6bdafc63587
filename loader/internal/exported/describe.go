package exported

import (
	"errors"
	"fmt"
	"slices"
	"strings"

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
	// Unknown are the operators that octet does not have.
	Unknown []aten.OperatorUse `json:"-"`
}

// InputDescription is an input of a program.
type InputDescription struct {
	Name string `json:"name"`
	Type string `json:"type"` // "float32[s0, 3]"
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
