package torchscript

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader/internal/aten"
	"github.com/octet-ml/octet/loader/internal/script"
	"github.com/octet-ml/octet/ops"
)

// bound is a program for inputs that were named: parameters of forward, and by "name.0" or "name.key" what lists, tuples
// and dicts among them hold. Whatever has no input keeps its default or is None.
type bound struct {
	*Program
	names []string
	parts *part
}

// Parameters returns the names of forward's parameters.
func (p *Program) Parameters() []string {
	var names []string
	for _, q := range p.entry.def.Params[1:] {
		names = append(names, q.Name)
	}
	return names
}

// Bind returns the program for inputs of these names, in their order. It fails with a *graph.InputError where the model
// has no such input, or needs one that is not named.
func (p *Program) Bind(names []string) (graph.Program, error) {
	b := &bound{Program: p, parts: &part{index: -1}}
	for i, name := range names {
		if !b.name(name) {
			return nil, &graph.InputError{Index: i, Name: name, Reason: "it is named twice, or too deep"}
		}
	}
	_, _, err := b.values(func(int, *script.Type) (aten.Value, error) { return nil, nil })
	return b, err
}

// name adds an input; false says that there is one at its path, or that the path is too deep.
func (b *bound) name(name string) bool {
	at := b.parts.at(name)
	if at == nil || at.index >= 0 || len(at.parts) > 0 {
		return false
	}
	at.index = len(b.names)
	b.names = append(b.names, name)
	return true
}

// Inputs returns the names that the program was bound to.
func (b *bound) Inputs() []string { return b.names }

// TakesList is false: the number of inputs is known.
func (b *bound) TakesList() bool { return false }

func (b *bound) Specialize(types []ops.Type, before string) (*graph.Graph, error) {
	return b.SpecializeContext(context.Background(), types, before, graph.Items{})
}

func (b *bound) SpecializeContext(ctx context.Context, types []ops.Type, before string, items graph.Items) (*graph.Graph, error) {
	return b.specializeWith(ctx, types, before, items, b.arguments)
}

func (b *bound) arguments(m *machine, types []ops.Type) ([]aten.Value, error) {
	if len(types) != len(b.names) {
		return nil, &graph.InputError{Index: -1, Reason: fmt.Sprintf("%d given where the model was bound to %d", len(types), len(b.names))}
	}
	inputs := make([]*graph.Value, len(types))
	for i, t := range types {
		if err := checkInput(b.names[i], t); err != nil {
			return nil, err
		}
		inputs[i] = m.Input(b.names[i], t)
	}
	args, given, err := b.values(func(i int, t *script.Type) (aten.Value, error) {
		return m.argument(b.names[i], t, inputs[i], types[i])
	})
	if err != nil {
		return nil, err
	}
	return args, b.defaults(m, args, given)
}

// leafMaker makes input i a value of a type.
type leafMaker func(i int, t *script.Type) (aten.Value, error)

// values returns the arguments of forward, with what leaf makes of each input, and which of them are given.
func (b *bound) values(leaf leafMaker) (args []aten.Value, given []bool, err error) {
	params := b.entry.def.Params[1:]
	args, given = make([]aten.Value, len(params)), make([]bool, len(params))
	for i, q := range params {
		at := b.parts.find(q.Name)
		if at == nil {
			if required(q) {
				return nil, nil, &graph.InputError{Index: -1, Reason: fmt.Sprintf("%s is missing, which is a %s", q.Name, typeText(q.Type))}
			}
			continue
		}
		if args[i], err = b.value(q.Type, at, leaf); err != nil {
			return nil, nil, err
		}
		given[i] = true
	}
	for _, at := range b.parts.parts {
		if !slices.ContainsFunc(params, func(q *script.Param) bool { return q.Name == at.path }) {
			return nil, nil, &graph.InputError{Index: at.first(), Name: at.path, Reason: fmt.Sprintf("%s has no such parameter: it has %v", b.entry.def.Name, b.Parameters())}
		}
	}
	return args, given, nil
}

// value makes an argument of a type.
func (b *bound) value(t *script.Type, at *part, leaf leafMaker) (aten.Value, error) {
	if kind := leafKind(t); kind != "" && at.index >= 0 {
		return leaf(at.index, t)
	} else if kind != "" && kind != "Union" {
		return nil, at.unfit("it is a " + typeText(t) + ", which has no parts")
	}
	if t.Name == "Optional" && len(t.Args) == 1 {
		return b.value(t.Args[0], at, leaf)
	}
	if at.index >= 0 {
		return nil, at.unfit("it is a " + typeText(t) + ": its parts are named " + at.path + ".0, or by their keys")
	}
	switch {
	case t.Name == "Union":
		return b.union(t, at, leaf)
	case t.Name == "List" && len(t.Args) == 1:
		items, err := b.items(at, len(at.parts), func(int) *script.Type { return t.Args[0] }, leaf)
		return &aten.List{Items: items}, err
	case t.Name == "Tuple":
		items, err := b.items(at, len(t.Args), func(i int) *script.Type { return t.Args[i] }, leaf)
		return &aten.Tuple{Items: items}, err
	case t.Name == "Dict" && len(t.Args) == 2:
		return b.dict(t, at, leaf)
	}
	if c := b.namedTuple(t); c != nil {
		return b.fields(c, at, leaf)
	}
	return nil, at.unfit("it is a " + typeText(t) + ", which is given no inputs")
}

// union makes the first member of a Union that parts make.
func (b *bound) union(t *script.Type, at *part, leaf leafMaker) (aten.Value, error) {
	for _, a := range t.Args {
		if leafKind(a) != "" || !b.bindable(a) {
			continue
		}
		if v, err := b.value(a, at, leaf); err == nil {
			return v, nil
		}
	}
	return nil, at.unfit("it is a " + typeText(t) + ", none of which has these parts")
}

// items makes the n elements of a list or tuple.
func (b *bound) items(at *part, n int, typeOf func(int) *script.Type, leaf leafMaker) ([]aten.Value, error) {
	items := make([]aten.Value, n)
	found := 0
	for i := range n {
		x, t := at.find(strconv.Itoa(i)), typeOf(i)
		if x == nil {
			if t.Name == "Optional" {
				continue
			}
			return nil, at.unfit(fmt.Sprintf("its element %d is missing", i))
		}
		found++
		var err error
		if items[i], err = b.value(t, x, leaf); err != nil {
			return nil, err
		}
	}
	if found < len(at.parts) {
		return nil, at.unfit(fmt.Sprintf("it has %d elements, numbered from 0 on", n))
	}
	return items, nil
}

// namedTuple returns the class of a type that is a NamedTuple, nil of others.
func (p *Program) namedTuple(t *script.Type) *class {
	if c := p.code.classes[t.Name]; c != nil && c.def.Base == script.BaseNamedTuple && len(t.Args) == 0 {
		return c
	}
	return nil
}

// fields makes a NamedTuple of inputs with the names of its fields; one that is optional may be left out.
func (b *bound) fields(c *class, at *part, leaf leafMaker) (aten.Value, error) {
	fields := c.def.Attributes
	for _, x := range at.parts {
		if !slices.ContainsFunc(fields, func(a *script.Attribute) bool { return a.Name == x.name }) {
			return nil, x.unfit("it is no field of " + c.public)
		}
	}
	t := &aten.Tuple{Class: c, Items: make([]aten.Value, len(fields))}
	for i, a := range fields {
		x := at.find(a.Name)
		if x == nil {
			if a.Type != nil && a.Type.Name == "Optional" {
				continue
			}
			return nil, at.unfit("its field " + a.Name + " is missing")
		}
		var err error
		if t.Items[i], err = b.value(a.Type, x, leaf); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (b *bound) dict(t *script.Type, at *part, leaf leafMaker) (aten.Value, error) {
	d := &aten.Dict{}
	if leafKind(t.Args[1]) != "" {
		at = at.flat()
	}
	for _, x := range at.parts {
		var key aten.Value = x.name
		switch t.Args[0].Name {
		case "str":
		case "int":
			n, err := strconv.ParseInt(x.name, 10, 64)
			if err != nil {
				return nil, x.unfit("its key is no int")
			}
			key = n
		default:
			return nil, at.unfit("it is a " + typeText(t) + ": keys are str or int")
		}
		if _, twice := d.Get(key); twice {
			return nil, x.unfit("its key stands twice")
		}
		v, err := b.value(t.Args[1], x, leaf)
		if err != nil {
			return nil, err
		}
		d.Set(key, v)
	}
	return d, nil
}

// leafKind returns the kind of a type that is one input, "" of others. A Union is one where a member is.
func leafKind(t *script.Type) string {
	if t == nil {
		return "Tensor"
	}
	switch t.Name {
	case "Tensor", "int", "float", "bool", "number", "Scalar":
		return t.Name
	case "Union":
		if slices.ContainsFunc(t.Args, func(a *script.Type) bool { return a.Name != "Union" && leafKind(a) != "" }) {
			return t.Name
		}
	}
	return ""
}

// bindable reports whether inputs can make a value of a type.
func (p *Program) bindable(t *script.Type) bool {
	left := maxPartTypes
	return p.bindableWithin(t, &left)
}

// bindableWithin is bindable of a type that holds at most so many others: classes may name themselves, and each other many times.
func (p *Program) bindableWithin(t *script.Type, left *int) bool {
	if *left--; *left < 0 {
		return false
	}
	if leafKind(t) != "" {
		return true
	}
	if c := p.namedTuple(t); c != nil {
		return !slices.ContainsFunc(c.def.Attributes, func(a *script.Attribute) bool { return !p.bindableWithin(a.Type, left) })
	}
	switch {
	case t.Name == "Dict" && len(t.Args) == 2:
		return (t.Args[0].Name == "str" || t.Args[0].Name == "int") && p.bindableWithin(t.Args[1], left)
	case t.Name == "Union":
		return slices.ContainsFunc(t.Args, func(a *script.Type) bool { return p.bindableWithin(a, left) })
	case t.Name == "List" || t.Name == "Optional" || t.Name == "Tuple":
		return !slices.ContainsFunc(t.Args, func(a *script.Type) bool { return !p.bindableWithin(a, left) })
	}
	return false
}

// unbound says that the tensors of an input have to be named.
func (p *Program) unbound(in input) error {
	t := in.typ
	example := in.name + ".0"
	if t.Name == "Dict" {
		example = in.name + ".key"
	} else if p.namedTuple(t) != nil {
		example = in.name + ".field"
	}
	return &graph.InputError{Name: in.name, Reason: fmt.Sprintf("it is a %s: name its parts, such as %s (Graph.Bind)", typeText(t), example)}
}

// typeText writes a type as the source has it.
func typeText(t *script.Type) string {
	if t == nil {
		return "Tensor"
	}
	if t.Args == nil {
		return t.Name
	}
	args := make([]string, len(t.Args))
	for i, a := range t.Args {
		args[i] = typeText(a)
	}
	return t.Name + "[" + strings.Join(args, ", ") + "]"
}

// part is a value by its path, and what it holds.
type part struct {
	name, path string
	index      int // of the input, -1: it has parts
	parts      []*part
	byName     map[string]*part
}

// maxPartDepth bounds the paths of inputs; types are not nested as deep.
const maxPartDepth = 16

// maxPartTypes bounds the types that the type of one parameter is made of.
const maxPartTypes = 1 << 12

// at returns the part at a path, made where there is none, or nil where an input stands above it.
func (p *part) at(path string) *part {
	if strings.Count(path, ".") >= maxPartDepth {
		return nil
	}
	for name := range strings.SplitSeq(path, ".") {
		if p.index >= 0 {
			return nil
		}
		x := p.byName[name]
		if x == nil {
			x = p.add(name)
		}
		p = x
	}
	return p
}

func (p *part) add(name string) *part {
	x := &part{name: name, path: strings.TrimPrefix(p.path+"."+name, "."), index: -1}
	if p.byName == nil {
		p.byName = make(map[string]*part)
	}
	p.byName[name] = x
	p.parts = append(p.parts, x)
	return x
}

func (p *part) find(name string) *part { return p.byName[name] }

// flat returns the part with all inputs below it at once: keys may hold points.
func (p *part) flat() *part {
	out := &part{name: p.name, path: p.path, index: -1}
	var walk func(x *part, name string)
	walk = func(x *part, name string) {
		if x.index >= 0 {
			out.parts = append(out.parts, &part{name: name, path: x.path, index: x.index})
		}
		for _, y := range x.parts {
			walk(y, name+"."+y.name)
		}
	}
	for _, x := range p.parts {
		walk(x, x.name)
	}
	return out
}

// first returns the first input of the part.
func (p *part) first() int {
	for p.index < 0 && len(p.parts) > 0 {
		p = p.parts[0]
	}
	return p.index
}

func (p *part) unfit(reason string) error {
	return &graph.InputError{Index: p.first(), Name: p.path, Reason: reason}
}

var (
	_ graph.Binder         = (*Program)(nil)
	_ graph.ContextProgram = (*bound)(nil)
)
