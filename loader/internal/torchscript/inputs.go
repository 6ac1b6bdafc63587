package torchscript

import (
	"fmt"
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader/internal/aten"
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/loader/internal/script"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// input is a parameter of forward, or a part of one that is a tuple or a dict, by its path.
type input struct {
	name     string
	kind     string // of the type, "list" of one of tensors; "default" and "parts" are given no inputs by order
	typ      *script.Type
	optional bool
}

// findInputs lists the inputs, in the order of forward's parameters and of what tuples and dicts among them hold. One may be a list, which has
// all tensors that are left by the others; optional parameters behind it keep their defaults.
func (p *Program) findInputs() error {
	params := p.entry.def.Params[1:]
	list := slices.IndexFunc(params, func(q *script.Param) bool { return tensorList(q.Type) })
	for i, q := range params {
		if list >= 0 && i > list && !required(q) {
			continue
		}
		if i == list {
			p.inputs = append(p.inputs, input{name: q.Name, kind: "list", typ: q.Type, optional: q.Default != nil || q.Type.Name == "Optional"})
			continue
		}
		if !p.addInputs(q.Name, q.Type, q.Default != nil) {
			return positioned(p.entry.file, q, fmt.Errorf("the input %s is a %s: inputs are tensors, numbers, and lists, dicts and tuples of these", q.Name, typeText(q.Type))).reject()
		}
	}
	return nil
}

// addInputs lists the inputs that a value is made of; false says that it can be made of none.
func (p *Program) addInputs(name string, t *script.Type, optional bool) bool {
	if t != nil && t.Name == "Optional" && len(t.Args) == 1 {
		optional, t = true, t.Args[0]
	}
	in := input{name: name, typ: t, kind: leafKind(t), optional: optional || holdsNone(t)}
	if in.kind != "" {
		p.inputs = append(p.inputs, in)
		return true
	}
	switch able := p.bindable(t); {
	case able && t.Name == "Tuple":
		for i, a := range t.Args {
			p.addInputs(fmt.Sprintf("%s.%d", name, i), a, in.optional)
		}
		return true
	case able && p.namedTuple(t) != nil:
		for _, a := range p.namedTuple(t).def.Attributes {
			p.addInputs(name+"."+a.Name, a.Type, in.optional)
		}
		return true
	case able && t.Name == "Dict" && t.Args[0].Name == "str":
		if keys, tested := p.keysRead(name); len(keys) > 0 {
			for _, key := range keys {
				p.addInputs(name+"."+key, t.Args[1], in.optional || tested[key])
			}
			return true
		}
	}
	switch {
	case in.optional:
		in.kind = "default"
	case p.bindable(t):
		in.kind = "parts"
	default:
		return false
	}
	p.inputs = append(p.inputs, in)
	return true
}

// keysRead returns the keys by which forward reads a parameter that is a dict, in the order in which they stand in the source, and those of
// them that it looks for first: without names in the data, this order is the one thing that says which tensor a key has.
func (p *Program) keysRead(param string) (keys []string, tested map[string]bool) {
	tested = make(map[string]bool)
	is := func(x script.Expr) bool {
		n, ok := x.(*script.Name)
		return ok && n.Name == param
	}
	script.Walk(p.entry.def, func(n script.Node) bool {
		switch n := n.(type) {
		case *script.Index:
			if s, ok := n.Indices[0].(*script.StringLit); ok && len(n.Indices) == 1 && is(n.Value) && !slices.Contains(keys, s.Value) {
				keys = append(keys, s.Value)
			}
		case *script.Binary:
			if s, ok := n.X.(*script.StringLit); ok && (n.Op == script.In || n.Op == script.NotIn) && is(n.Y) {
				tested[s.Value] = true
			}
		case *script.Call:
			if op, ok := n.Func.(*script.Op); ok && op.Name == "__contains__" && len(n.Args) == 2 && is(n.Args[0]) {
				if s, ok := n.Args[1].(*script.StringLit); ok {
					tested[s.Value] = true
				}
			}
		}
		return true
	})
	return keys, tested
}

// tensorList reports whether a type is a list of tensors, or None.
func tensorList(t *script.Type) bool {
	if t != nil && t.Name == "Optional" && len(t.Args) == 1 {
		t = t.Args[0]
	}
	return t != nil && t.Name == "List" && len(t.Args) == 1 && t.Args[0].Name == "Tensor"
}

// holdsNone reports whether None is of a type.
func holdsNone(t *script.Type) bool {
	return t != nil && (t.Name == "Optional" || t.Name == "Union" && slices.ContainsFunc(t.Args, func(a *script.Type) bool { return a.Name == "NoneType" }))
}

// required reports whether a parameter has neither a default nor may be None.
func required(q *script.Param) bool {
	return q.Default == nil && !holdsNone(q.Type)
}

// Inputs returns the names of the inputs, in the order of forward's parameters.
func (p *Program) Inputs() []string {
	names := make([]string, len(p.inputs))
	for i, in := range p.inputs {
		names[i] = in.name
	}
	return names
}

// TakesList reports whether one of the inputs is a list, which has all tensors that the others leave.
func (p *Program) TakesList() bool {
	return slices.ContainsFunc(p.inputs, func(in input) bool { return in.kind == "list" })
}

// arguments makes inputs of the graph, in the order of the program's, and of them the arguments of forward.
func (p *Program) arguments(m *machine, types []ops.Type) ([]aten.Value, error) {
	b, err := p.inOrder(len(types))
	if err != nil {
		return nil, err
	}
	return b.arguments(m, types)
}

// inOrder binds the program to its first n inputs, of which a list has as many tensors as are left by the others.
func (p *Program) inOrder(n int) (*bound, error) {
	b := &bound{Program: p, parts: &part{index: -1}}
	count := &graph.InputError{Index: -1, Reason: fmt.Sprintf("%d given where the model takes %v", n, p.Inputs())}
	for i, in := range p.inputs {
		switch in.kind {
		case "default":
			continue
		case "parts":
			return nil, p.unbound(in)
		case "list":
			elements := n - len(b.names) - (len(p.inputs) - i - 1)
			if elements < 0 {
				return nil, count
			}
			if elements > 0 || !in.optional {
				b.parts.at(in.name) // an empty list
			}
			for k := range elements {
				b.name(fmt.Sprintf("%s.%d", in.name, k))
			}
			continue
		}
		switch {
		case len(b.names) < n:
			b.name(in.name)
		case !in.optional:
			return nil, count
		}
	}
	if len(b.names) < n {
		return nil, count
	}
	return b, nil
}

// defaults evaluates the defaults of parameters that are not given.
func (p *Program) defaults(m *machine, args []aten.Value, given []bool) error {
	for i, q := range p.entry.def.Params[1:] {
		if given[i] || q.Default == nil {
			continue
		}
		v, err := m.eval(&frame{fn: p.entry}, q.Default)
		if err != nil {
			return err
		}
		args[i] = v
	}
	return nil
}

// checkInput refuses types of inputs that no program takes.
func checkInput(name string, t ops.Type) error {
	if t.Q != nil && (t.DType != tensor.Uint8 || t.Q.Scheme.PerChannel()) {
		return &graph.InputError{Name: name, Reason: fmt.Sprintf("it is %v: of quantized values only quint8, quantized per tensor, are inputs", t)}
	}
	return nil
}

// argument returns an input as the program sees it, of a type that is one input.
func (m *machine) argument(name string, want *script.Type, v *graph.Value, t ops.Type) (aten.Value, error) {
	kind := leafKind(want)
	if kind == "Union" {
		kind = memberKind(want, t)
	}
	if kind == "Tensor" {
		return m.ProgramInput(v, t)
	}
	n := m.InputNumber(v, t)
	if n == nil {
		return nil, &graph.InputError{Name: name, Reason: fmt.Sprintf("it is %v where the model takes a number: give an array without dimensions", t)}
	}
	k, ok := map[string]build.Kind{"int": build.Int, "float": build.Float, "bool": build.Bool}[kind]
	if !ok {
		k = n.Kind
	}
	return n.To(k), nil
}

// memberKind returns which member of a Union an input is: without dimensions, the number of its element type where the Union has that; else a tensor,
// where it has that.
func memberKind(union *script.Type, t ops.Type) string {
	has := func(name string) bool {
		return slices.ContainsFunc(union.Args, func(a *script.Type) bool { return a.Name == name })
	}
	number := "int"
	switch {
	case t.DType.IsFloat():
		number = "float"
	case t.DType == tensor.Bool:
		number = "bool"
	}
	for _, kind := range []string{number, "number", "Scalar"} {
		if len(t.Shape) == 0 && has(kind) {
			return kind
		}
	}
	for _, kind := range []string{"Tensor", "float", "int", "bool"} {
		if has(kind) {
			return kind
		}
	}
	return "number"
}

var _ graph.ListProgram = (*Program)(nil)
