package torchscript

import (
	"errors"
	"fmt"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader/internal/script"
)

// machine executes a program, for inputs of given types, and builds the graph
// of what it computes with tensors.
type machine struct {
	*builder
	code      *code
	table     table
	constants []value
	version   int     // of the operators
	origins   []value // what the archive holds, by its number

	uses     uses // operators that are not supported
	poisoned bool // an unknown value exists: what follows need not make sense
	depth    int
	steps    int
	items    int
	work     int
}

// The limits of a program, far above those of real ones.
const (
	maxCalls = 200     // nested
	maxSteps = 1 << 23 // statements
	maxItems = 1 << 24 // elements of lists and bytes of strings that are made
	maxWork  = 1 << 25 // elements and bytes that are looked at
)

var errSteps = errors.New("the program runs too long before its graph is complete")

// step counts a statement.
func (m *machine) step() error {
	if m.steps++; m.steps > maxSteps {
		return errSteps
	}
	return nil
}

// spend counts what lists and strings take.
func (m *machine) spend(n int) error {
	if m.items += n; n < 0 || m.items > maxItems {
		return errors.New("the program makes too many list elements and strings")
	}
	return nil
}

// toil counts elements of lists and bytes of strings that are looked at: one
// statement may look at millions.
func (m *machine) toil(n int) error {
	if m.work += n; n < 0 || m.work > maxWork {
		return errSteps
	}
	return nil
}

// sizeOf is what an operator may look at in an argument.
func sizeOf(v value) int {
	switch v := v.(type) {
	case string:
		return len(v) / 16
	case *dict:
		return len(v.keys)
	}
	items, _ := itemsOf(v)
	return len(items)
}

// frame is a call in progress.
type frame struct {
	fn     *function
	locals map[string]value
}

// flow is how a statement ends.
type flow uint8

const (
	next flow = iota
	breaks
	continues
	returns
)

// at adds the place of n to an error that has none.
func (m *machine) at(f *frame, n script.Node, err error) error {
	var e *Error
	if err == nil || errors.As(err, &e) {
		return err
	}
	e = positioned(f.fn.file, n, err)
	e.Module = m.scope.Path
	return e
}

// call calls a function of the archive. self comes first among a method's arguments.
func (m *machine) call(fn *function, args []value, keywords map[string]value) (value, error) {
	if m.depth++; m.depth > maxCalls {
		return nil, errDepth
	}
	defer func() { m.depth-- }()
	f := &frame{fn: fn, locals: make(map[string]value)}
	if err := m.bindParams(f, args, keywords); err != nil {
		return nil, err
	}
	if len(args) > 0 {
		if o, ok := args[0].(*object); ok && fn.class == o.class && o.class.isModule() {
			outer := m.scope
			m.scope = graph.Scope{Path: o.path, Class: o.class.public}
			defer func() { m.scope = outer }()
		}
	}
	how, v, err := m.block(f, fn.def.Body)
	if err != nil {
		return nil, err
	}
	if how == breaks || how == continues {
		return nil, positioned(fn.file, fn.def, errors.New("break or continue outside of a loop"))
	}
	return v, nil
}

// bindParams assigns arguments to parameters.
func (m *machine) bindParams(f *frame, args []value, keywords map[string]value) error {
	params := f.fn.def.Params
	if len(args) > len(params) {
		return fmt.Errorf("%s takes %d arguments and gets %d", f.fn.name, len(params), len(args))
	}
	used := 0
	for i, p := range params {
		v, named := keywords[p.Name]
		switch {
		case i < len(args) && named:
			return fmt.Errorf("%s gets its argument %s twice", f.fn.name, p.Name)
		case i < len(args):
			v = args[i]
		case named:
			used++
		case p.Default != nil:
			var err error
			if v, err = m.eval(&frame{fn: f.fn}, p.Default); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s needs its argument %s", f.fn.name, p.Name)
		}
		f.locals[p.Name] = v
	}
	if used != len(keywords) {
		return fmt.Errorf("%s does not have all of the arguments it is called with", f.fn.name)
	}
	return nil
}

// method calls a method of an object.
func (m *machine) method(o *object, name string, args ...value) (value, error) {
	fn := o.class.methods[name]
	if fn == nil {
		return nil, fmt.Errorf("%s has no method %s", o.class.public, name)
	}
	return m.call(fn, append([]value{o}, args...), nil)
}

// attribute returns an attribute of a value.
func (m *machine) attribute(v value, name string) (value, error) {
	switch v := v.(type) {
	case unknown:
		return v, nil
	case *object:
		if x, ok := v.attrs[name]; ok {
			return x, nil
		}
		if fn := v.class.methods[name]; fn != nil {
			return &method{v, fn}, nil
		}
		if e := v.class.finals[name]; e != nil {
			return m.eval(&frame{fn: &function{name: v.class.name, file: v.class.file}}, e)
		}
	case *tuple:
		if v.class != nil {
			for i, a := range v.class.def.Attributes {
				if a.Name == name && i < len(v.items) {
					return v.items[i], nil
				}
			}
		}
	case *enum:
		switch name {
		case "name":
			return v.name, nil
		case "value":
			return v.value, nil
		}
	}
	return nil, fmt.Errorf("a %s has no attribute %s", typeName(v), name)
}

// setAttribute sets an attribute of an object.
func (m *machine) setAttribute(v value, name string, x value) error {
	o, ok := v.(*object)
	if !ok {
		return fmt.Errorf("attributes of a %s cannot be set", typeName(v))
	}
	m.journal.record(attrPlace{o, name})
	o.set(name, x)
	return nil
}

// item returns the only element of a tensor as a number of a kind.
func (m *machine) item(t *Tensor, k kind) (value, error) {
	if n := t.number; n != nil && t.version == t.store.version {
		return m.castNumber(n, k), nil
	}
	typ := t.typ()
	if typ.Numel() != 1 || t.complex {
		return nil, fmt.Errorf("a tensor of shape %v is used as a number", typ.Shape)
	}
	if typ.Q != nil {
		return nil, unsupportedf("an element of a quantized tensor as a number")
	}
	v, err := m.read(t)
	if err != nil {
		return nil, err
	}
	if c := v.Const; c != nil {
		if x, ok := plainOf(c); ok {
			return convert(x, k), nil
		}
	}
	if len(typ.Shape) > 0 {
		if v, err = m.reshape(v, nil); err != nil {
			return nil, err
		}
	}
	if v, err = m.cast(v, k.dtype()); err != nil {
		return nil, err
	}
	n := &number{kind: k, term: &term{value: v}}
	if known := v.Type.Known; known != nil {
		if x, ok := plainOf(known); ok {
			n.known, n.deps = convert(x, k), m.info[v].content
		}
	}
	return n.plain(), nil
}

// castNumber converts a number to a kind.
func (m *machine) castNumber(n *number, k kind) value {
	if n.kind == k {
		return n.plain()
	}
	out := &number{kind: k, deps: n.deps}
	if n.known != nil {
		out.known = convert(n.known, k)
	}
	if n.term != nil {
		out.term = &term{cast: n}
	}
	return out.plain()
}

// plainValue returns a bool, int or float as a plain one, which the graph then
// depends on.
func (m *machine) plainValue(v value) (value, error) {
	n, ok := v.(*number)
	if !ok {
		return v, nil
	}
	p, ok := m.plain(n)
	if !ok {
		return nil, errDataDependent
	}
	return p, nil
}

// truth returns a condition.
func (m *machine) truth(v value) (bool, error) {
	p, err := m.plainValue(v)
	if err != nil {
		return false, err
	}
	switch p := p.(type) {
	case bool:
		return p, nil
	case int64, float64:
		f, _ := plainFloat(p)
		return f != 0, nil
	}
	return false, fmt.Errorf("a %s is used as a condition", typeName(v))
}
