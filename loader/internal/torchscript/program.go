package torchscript

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader/internal/pickle"
	"github.com/octet-ml/octet/loader/internal/script"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Program is a module of an archive, ready to be specialized. It may be used by
// many goroutines.
type Program struct {
	src     Source
	code    *code
	table   table
	forward *function
	inputs  []input

	mu         sync.Mutex // while the archive is decoded
	contiguous map[*tensor.Tensor]*tensor.Tensor
}

// input is a parameter of forward, or an element of one that is a tuple.
type input struct {
	name     string
	param    int // of forward
	part     int // of a tuple, -1 for the whole parameter
	kind     string
	optional bool
}

// New checks an archive and returns its program. Errors are *tensor.FileError.
func New(src Source) (*Program, error) {
	code, err := parseCode(src.Code, len(src.Constants))
	if err != nil {
		return nil, err
	}
	p := &Program{src: src, code: code, contiguous: make(map[*tensor.Tensor]*tensor.Tensor)}
	if p.table, err = newTable(); err != nil {
		return nil, err
	}
	_, root, err := p.start()
	if err != nil {
		return nil, err
	}
	p.forward = root.class.methods["forward"]
	if p.forward == nil {
		return nil, &tensor.FileError{Record: root.class.file, Reason: fmt.Sprintf("%s has no method forward", root.class.public)}
	}
	if len(p.forward.def.Params) == 0 {
		return nil, positioned(p.forward.file, p.forward.def, errors.New("forward has no parameter")).reject()
	}
	return p, p.findInputs()
}

// Check looks for operators that are not known and that every run needs. It
// lists all that are not known in a *UnsupportedError.
func (p *Program) Check() error {
	_, root, err := p.start()
	if err != nil {
		return err
	}
	return p.scan(root).unsupported()
}

// start returns a machine with the modules as the archive has them. Each
// execution has its own, since programs may change them.
func (p *Program) start() (*machine, *object, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := &reader{src: p.src, code: p.code, values: make(map[pickle.Value]value), tensors: make(map[*tensor.Tensor]*Tensor), contiguous: p.contiguous}
	m := &machine{builder: newBuilder(), code: p.code, table: p.table, version: p.src.Version}
	for i, c := range p.src.Constants {
		v, err := r.value(c, fmt.Sprintf("CONSTANTS.c%d", i), true)
		if err != nil {
			return nil, nil, err
		}
		m.constants = append(m.constants, v)
	}
	v, err := r.value(p.src.Data, "", false)
	if err != nil {
		return nil, nil, err
	}
	root, ok := v.(*object)
	if !ok || !root.class.isModule() {
		return nil, nil, &tensor.FileError{Record: "data.pkl", Err: errNoModule}
	}
	for _, s := range r.states {
		if _, err := m.method(s.object, "__setstate__", s.state); err != nil {
			return nil, nil, rejected(err, s.object)
		}
	}
	if err := m.uses.err(); err != nil {
		return nil, nil, err
	}
	m.origins = r.origins
	return m, root, nil
}

// rejected makes what goes wrong while objects are restored an error of the file.
func rejected(err error, o *object) error {
	var fe *tensor.FileError
	if errors.As(err, &fe) {
		return err
	}
	return &tensor.FileError{Record: o.path, Reason: fmt.Sprintf("a %s cannot be restored", o.class.public), Err: err}
}

// findInputs lists the parameters of forward that are inputs.
func (p *Program) findInputs() error {
	for i, q := range p.forward.def.Params {
		if i == 0 {
			continue // self
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
				if len(t.Args) == 1 && t.Args[0].Name == "Tensor" && i == len(p.forward.def.Params)-1 {
					break
				}
				fallthrough
			default:
				if !in.optional {
					return positioned(p.forward.file, q, fmt.Errorf("the input %s is a %s: inputs are tensors, numbers, or tuples of these", q.Name, in.kind)).reject()
				}
				in.kind = "default"
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

// Inputs returns the names of the inputs, in the order of forward's parameters.
func (p *Program) Inputs() []string {
	names := make([]string, len(p.inputs))
	for i, in := range p.inputs {
		names[i] = in.name
	}
	return names
}

// TakesList reports whether the last input is a list of tensors.
func (p *Program) TakesList() bool {
	return len(p.inputs) > 0 && p.inputs[len(p.inputs)-1].kind == "list"
}

// Specialize executes the program for inputs of these types, and the state it
// kept, and returns the graph that comes of it.
func (p *Program) Specialize(types []ops.Type, before string) (*graph.Graph, error) {
	m, root, err := p.start()
	if err != nil {
		return nil, err
	}
	var was form
	if before != "" {
		if err := json.Unmarshal([]byte(before), &was); err != nil || was.Values < 0 || was.Values > len(types) {
			return nil, errForm
		}
	}
	own := len(types) - was.Values
	args, err := p.arguments(m, types[:own])
	if err != nil {
		return nil, err
	}
	if err := m.restore(was, types[own:]); err != nil {
		return nil, err
	}
	m.journal = &journal{}
	out, err := m.call(p.forward, append([]value{root}, args...), nil)
	if unsupported := m.uses.err(); unsupported != nil {
		return nil, unsupported // what else went wrong may follow from that
	}
	if err != nil {
		return nil, p.located(err)
	}
	values, err := m.outputs(out)
	if err != nil {
		return nil, p.located(err)
	}
	after, state, err := m.keep(was)
	if err != nil {
		return nil, p.located(err)
	}
	m.guards()
	g := m.region.g
	g.SetOutputs(append(values, state...)...)
	if after != "" {
		g.State = &graph.State{Before: before, After: after, Inputs: was.Values, Outputs: len(state)}
	}
	g.RemoveDead()
	if err := g.Verify(); err != nil {
		return nil, err
	}
	return g, nil
}

// located makes an error that has no place in the program one of forward as a whole.
func (p *Program) located(err error) error {
	var (
		e           *Error
		unsupported *UnsupportedError
	)
	if errors.As(err, &e) || errors.As(err, &unsupported) {
		return err
	}
	return positioned(p.forward.file, p.forward.def, err)
}

// arguments makes inputs of the graph, and of them the arguments of forward.
func (p *Program) arguments(m *machine, types []ops.Type) ([]value, error) {
	args := make([]value, len(p.forward.def.Params)-1)
	given := make([]bool, len(args))
	next := 0
	take := func(in input) (value, error) {
		t := types[next]
		if t.Q != nil && (t.DType != tensor.Uint8 || t.Q.Scheme.PerChannel()) {
			return nil, &graph.InputError{Name: in.name, Reason: fmt.Sprintf("it is %v: of quantized values only quint8, quantized per tensor, are inputs", t)}
		}
		name := in.name
		if in.kind == "list" {
			name = fmt.Sprintf("%s.%d", in.name, next-len(p.inputs)+1)
		}
		next++
		v := m.input(name, t)
		return m.argument(in, v, t)
	}
	for _, in := range p.inputs {
		i := in.param - 1
		if in.kind == "list" {
			l := &list{}
			for next < len(types) {
				v, err := take(in)
				if err != nil {
					return nil, err
				}
				l.items = append(l.items, v)
			}
			args[i], given[i] = l, true
			continue
		}
		if in.kind == "default" {
			continue
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
		t, _ := args[i].(*tuple)
		if t == nil {
			t = &tuple{}
			args[i] = t
		}
		t.items = append(t.items, v)
	}
	if next < len(types) {
		return nil, &graph.InputError{Index: -1, Reason: fmt.Sprintf("%d given where the model takes %v", len(types), p.Inputs())}
	}
	for i, q := range p.forward.def.Params[1:] {
		if !given[i] && q.Default != nil {
			v, err := m.eval(&frame{fn: p.forward}, q.Default)
			if err != nil {
				return nil, err
			}
			args[i] = v
		}
	}
	return args, nil
}

// argument returns an input as the program sees it. The value of one without
// dimensions is a number that the graph may come to depend on.
func (m *machine) argument(in input, v *graph.Value, t ops.Type) (value, error) {
	var n *number
	if t.Known != nil && len(t.Shape) == 0 {
		if x, ok := plainOf(t.Known); ok {
			k, _ := kindOf(x)
			n = &number{kind: k, known: x, deps: m.fact(v, -1), term: &term{value: v}}
		}
	}
	if in.kind == "Tensor" || in.kind == "list" {
		ref := fresh(v)
		ref.number = n
		return ref, nil
	}
	if n == nil {
		return nil, &graph.InputError{Name: in.name, Reason: fmt.Sprintf("it is %v where the model takes a number: give an array without dimensions", t)}
	}
	k, ok := map[string]kind{"int": intKind, "float": floatKind, "bool": boolKind}[in.kind]
	if !ok {
		k = n.kind
	}
	return m.castNumber(n, k), nil
}

// outputs returns a value's tensors and numbers as values of the graph.
func (m *machine) outputs(v value) ([]*graph.Value, error) {
	var values []*graph.Value
	w := newWalker()
	var add func(v value, name string) error
	add = func(v value, name string) error {
		if !w.enter() {
			return errors.New("the output is nested too deeply")
		}
		defer w.leave()
		switch v := v.(type) {
		case nil:
			return nil
		case *Tensor:
			out, err := m.read(v)
			if err != nil {
				return err
			}
			values = append(values, m.named(out, name, values))
			return nil
		case bool, int64, float64, *number:
			out, err := m.scalar(asNumber(v))
			if err != nil {
				return err
			}
			values = append(values, m.named(out, name, values))
			return nil
		case *tuple:
			for i, x := range v.items {
				inner := name
				if v.class != nil && i < len(v.class.def.Attributes) {
					inner = v.class.def.Attributes[i].Name
				}
				if err := add(x, inner); err != nil {
					return err
				}
			}
			return nil
		case *list:
			for _, x := range v.items {
				if err := add(x, name); err != nil {
					return err
				}
			}
			return nil
		case *dict:
			for i, x := range v.values {
				if err := add(x, formatValue(v.keys[i])); err != nil {
					return err
				}
			}
			return nil
		case *missing:
			return &UnsupportedError{[]OperatorUse{{Name: v.what, Count: 1}}}
		}
		return fmt.Errorf("the model returns a %s, which is no tensor or number", typeName(v))
	}
	if err := add(v, ""); err != nil {
		return nil, err
	}
	if len(values) == 0 {
		return nil, errors.New("the model returns no tensor")
	}
	return values, nil
}

// named gives an output a name, unless it has one.
func (m *machine) named(v *graph.Value, name string, before []*graph.Value) *graph.Value {
	if name != "" && v.Name == "" && v.Const == nil && !slices.Contains(before, v) {
		v.Name = name
	}
	return v
}
