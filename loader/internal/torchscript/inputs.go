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

// input is a parameter of forward, or an element of one that is a tuple.
type input struct {
	name     string
	param    int // of forward
	part     int // of a tuple, -1 for the whole parameter
	kind     string
	optional bool
}

// findInputs lists the parameters of forward that are inputs. Behind a list, which has all tensors that are left, optional ones
// keep their defaults.
func (p *Program) findInputs() error {
	for i, q := range p.forward.def.Params {
		if i == 0 { // self
			continue
		}
		if p.TakesList() {
			break
		}
		add := func(t *script.Type, part int) error {
			in := input{name: q.Name, param: i, part: part, optional: q.Default != nil}
			if part >= 0 {
				in.name = fmt.Sprintf("%s.%d", q.Name, part)
			}
			if t != nil && t.Name == "Optional" && len(t.Args) == 1 {
				in.optional, t = true, t.Args[0]
			}
			in.kind = "Tensor"
			if t != nil {
				in.kind = t.Name
			}
			switch in.kind {
			case "Tensor", "int", "float", "bool", "number", "Scalar":
			case "List":
				in.kind = "list"
				if len(t.Args) == 1 && t.Args[0].Name == "Tensor" && !slices.ContainsFunc(p.forward.def.Params[i+1:], required) {
					break
				}
				fallthrough
			default:
				switch {
				case in.optional:
					in.kind = "default"
				case p.bindable(t):
					in.kind = "parts"
				default:
					return positioned(p.forward.file, q, fmt.Errorf("the input %s is a %s: inputs are tensors, numbers, and lists, dicts and tuples of these", q.Name, typeText(t))).reject()
				}
			}
			p.inputs = append(p.inputs, in)
			return nil
		}
		t := q.Type
		if t != nil && t.Name == "Optional" && len(t.Args) == 1 {
			t = t.Args[0]
		}
		if t == nil || t.Name != "Tuple" || q.Default != nil || q.Type.Name == "Optional" {
			if err := add(q.Type, -1); err != nil {
				return err
			}
			continue
		}
		for k, a := range t.Args {
			if err := add(a, k); err != nil {
				return err
			}
		}
	}
	return nil
}

// required reports whether a parameter has neither a default nor may be None.
func required(q *script.Param) bool {
	return q.Default == nil && (q.Type == nil || q.Type.Name != "Optional")
}

// Inputs returns the names of the inputs, in the order of forward's parameters.
func (p *Program) Inputs() []string {
	names := make([]string, len(p.inputs))
	for i, in := range p.inputs {
		names[i] = in.name
	}
	return names
}

// TakesList reports whether the last input, as far as they are known, is a list of tensors.
func (p *Program) TakesList() bool {
	return len(p.inputs) > 0 && p.inputs[len(p.inputs)-1].kind == "list"
}

// arguments makes inputs of the graph, and of them the arguments of forward.
func (p *Program) arguments(m *machine, types []ops.Type) ([]aten.Value, error) {
	args := make([]aten.Value, len(p.forward.def.Params)-1)
	given := make([]bool, len(args))
	next := 0
	take := func(in input) (aten.Value, error) {
		t, name := types[next], in.name
		if in.kind == "list" {
			name = fmt.Sprintf("%s.%d", in.name, next-len(p.inputs)+1)
		}
		next++
		if err := checkInput(in.name, t); err != nil {
			return nil, err
		}
		return m.argument(in, m.Input(name, t), t)
	}
	for _, in := range p.inputs {
		i := in.param - 1
		if in.kind == "list" {
			if in.optional && next == len(types) {
				continue
			}
			l := &aten.List{}
			for next < len(types) {
				v, err := take(in)
				if err != nil {
					return nil, err
				}
				l.Items = append(l.Items, v)
			}
			args[i], given[i] = l, true
			continue
		}
		switch in.kind {
		case "default":
			continue
		case "parts":
			return nil, p.unbound(in)
		}
		if next == len(types) {
			if !in.optional {
				return nil, &graph.InputError{Index: -1, Reason: fmt.Sprintf("%d given where the model takes %v", len(types), p.Inputs())}
			}
			continue
		}
		v, err := take(in)
		if err != nil {
			return nil, err
		}
		given[i] = true
		if in.part < 0 {
			args[i] = v
			continue
		}
		t, _ := args[i].(*aten.Tuple)
		if t == nil {
			t = &aten.Tuple{}
			args[i] = t
		}
		t.Items = append(t.Items, v)
	}
	if next < len(types) {
		return nil, &graph.InputError{Index: -1, Reason: fmt.Sprintf("%d given where the model takes %v", len(types), p.Inputs())}
	}
	return args, p.defaults(m, args, given)
}

// defaults evaluates the defaults of parameters that are not given.
func (p *Program) defaults(m *machine, args []aten.Value, given []bool) error {
	for i, q := range p.forward.def.Params[1:] {
		if given[i] || q.Default == nil {
			continue
		}
		v, err := m.eval(&frame{fn: p.forward}, q.Default)
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

// argument returns an input as the program sees it.
func (m *machine) argument(in input, v *graph.Value, t ops.Type) (aten.Value, error) {
	if in.kind == "Tensor" || in.kind == "list" {
		return m.InputTensor(v, t), nil
	}
	n := m.InputNumber(v, t)
	if n == nil {
		return nil, &graph.InputError{Name: in.name, Reason: fmt.Sprintf("it is %v where the model takes a number: give an array without dimensions", t)}
	}
	k, ok := map[string]build.Kind{"int": build.Int, "float": build.Float, "bool": build.Bool}[in.kind]
	if !ok {
		k = n.Kind
	}
	return n.To(k), nil
}

var _ graph.ListProgram = (*Program)(nil)
