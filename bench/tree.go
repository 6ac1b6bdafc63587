package bench

import (
	"strings"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
)

// Module is a module of a model, with what lies inside it.
type Module struct {
	Path       string `json:"path"` // "layer1.0.conv1"; "" is the model
	Class      string `json:"class,omitempty"`
	Parameters int64  `json:"parameters"`       // elements, those inside included
	MACs       int64  `json:"macs,omitempty"`   // for the example shapes of the inputs
	Output     string `json:"output,omitempty"` // type of what its last operator gives
}

// Depth returns how many modules lie around a module.
func (m Module) Depth() int {
	if m.Path == "" {
		return 0
	}
	return 1 + strings.Count(m.Path, ".")
}

// Name returns the last component of the path.
func (m Module) Name() string { return m.Path[strings.LastIndexByte(m.Path, '.')+1:] }

// moduleTree returns the modules that the nodes of a graph belong to, each before
// those inside it. own lists the modules that the file of the model names, each with
// the parameters that are in it and in none inside; without, parameters are the
// constants of nodes.
func moduleTree(g *graph.Graph, own []Module) ([]Module, error) {
	t := newTree(own)
	seen := make(map[string]map[*graph.Value]bool)
	err := walk(g, exampleTypes(g), func(n *graph.Node, in, out []ops.Type) {
		w := ops.WorkOf(n.Op, in, out)
		path := n.Scope.Path
		if m := t.at(path); m.Class == "" {
			m.Class = n.Scope.Class
		}
		for m := range t.around(path) {
			m.MACs += w.MACs + w.Int8MACs
			if len(out) > 0 {
				m.Output = out[0].String()
			}
			if own != nil {
				continue
			}
			if seen[m.Path] == nil {
				seen[m.Path] = make(map[*graph.Value]bool)
			}
			for _, v := range n.Inputs {
				if v.Const != nil && !seen[m.Path][v] {
					seen[m.Path][v] = true
					m.Parameters += int64(v.Const.Numel())
				}
			}
		}
	})
	return t.list(), err
}

// SumParameters returns modules that each have the parameters of those inside as
// well, of a list in which each has its own.
func SumParameters(own []Module) []Module { return newTree(own).list() }

type tree struct {
	modules []*Module
	index   map[string]*Module
}

func newTree(own []Module) *tree {
	t := &tree{index: make(map[string]*Module)}
	t.at("")
	for _, o := range own {
		t.at(o.Path).Class = o.Class
		for m := range t.around(o.Path) {
			m.Parameters += o.Parameters
		}
	}
	return t
}

// at returns a module, which is added, after those around it, where it is new.
func (t *tree) at(path string) *Module {
	if m := t.index[path]; m != nil {
		return m
	}
	if path != "" {
		t.at(outerPath(path))
	}
	m := &Module{Path: path}
	t.index[path] = m
	t.modules = append(t.modules, m)
	return m
}

// around visits a module and those around it.
func (t *tree) around(path string) func(yield func(*Module) bool) {
	return func(yield func(*Module) bool) {
		for yield(t.at(path)) && path != "" {
			path = outerPath(path)
		}
	}
}

// outerPath returns the path of the module around one.
func outerPath(path string) string { return path[:max(strings.LastIndexByte(path, '.'), 0)] }

// list returns the modules, those inside a module directly behind it.
func (t *tree) list() []Module {
	inside := make(map[string][]*Module)
	for _, m := range t.modules {
		if m.Path != "" {
			inside[outerPath(m.Path)] = append(inside[outerPath(m.Path)], m)
		}
	}
	out := make([]Module, 0, len(t.modules))
	var add func(m *Module)
	add = func(m *Module) {
		out = append(out, *m)
		for _, i := range inside[m.Path] {
			add(i)
		}
	}
	add(t.index[""])
	return out
}
