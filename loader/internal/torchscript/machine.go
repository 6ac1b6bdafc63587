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
	*Evaluator
	code      *code
	constants []value
	depth     int // of calls
}

// maxCalls bounds nested calls, far above those of real programs.
const maxCalls = 200

// frame is a call in progress.
type frame struct {
	fn *function
	Frame
}

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
	f := &frame{fn: fn, Frame: Frame{Vars: make(map[string]value)}}
	if err := m.bindParams(f, args, keywords); err != nil {
		return nil, err
	}
	if len(args) > 0 {
		if o, ok := args[0].(*object); ok && fn.class == o.class && fn.class.isModule() {
			outer := m.scope
			m.scope = graph.Scope{Path: o.path, Class: o.class.PublicName()}
			defer func() { m.scope = outer }()
		}
	}
	how, v, err := m.block(f, fn.def.Body)
	if err != nil {
		return nil, err
	}
	if how == Breaks || how == Continues {
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
		f.Vars[p.Name] = v
	}
	if used != len(keywords) {
		return fmt.Errorf("%s does not have all of the arguments it is called with", f.fn.name)
	}
	return nil
}

// method calls a method of an object.
func (m *machine) method(o *object, name string, args ...value) (value, error) {
	fn := m.Method(o, name)
	if fn == nil {
		return nil, fmt.Errorf("%s has no method %s", o.class.PublicName(), name)
	}
	return fn(args...)
}

// Method returns a method of an object, bound to it; nil where it has none of the name.
func (m *machine) Method(o *object, name string) func(args ...value) (value, error) {
	fn := classOf(o).methods[name]
	if fn == nil {
		return nil
	}
	return func(args ...value) (value, error) { return m.call(fn, append([]value{o}, args...), nil) }
}

// Class returns a class of the archive, nil where it has none of the name.
func (m *machine) Class(name string) Class {
	if c := m.code.classes[name]; c != nil {
		return c
	}
	return nil
}

// Member returns a member of an enum.
func (m *machine) Member(name string) (value, error) { return m.qualified(name) }

// attribute returns an attribute of a value.
func (m *machine) attribute(v value, name string) (value, error) {
	switch v := v.(type) {
	case unknown:
		return v, nil
	case *object:
		if x, ok := v.attrs[name]; ok {
			return x, nil
		}
		c := classOf(v)
		if fn := c.methods[name]; fn != nil {
			return &method{v, fn}, nil
		}
		if e := c.finals[name]; e != nil {
			return m.eval(&frame{fn: &function{name: c.name, file: c.file}}, e)
		}
	case *tuple:
		if v.class != nil {
			for i, field := range v.class.Fields() {
				if field == name && i < len(v.items) {
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
	m.SetAttribute(o, name, x)
	return nil
}
