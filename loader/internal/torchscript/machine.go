package torchscript

import (
	"errors"
	"fmt"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader/internal/aten"
	"github.com/octet-ml/octet/loader/internal/script"
)

// machine executes a program, for inputs of given types, and builds the graph
// of what it computes with tensors.
type machine struct {
	*aten.Evaluator
	code      *code
	constants []aten.Value
	depth     int // of calls
}

// maxCalls bounds nested calls, far above those of real programs.
const maxCalls = 200

// frame is a call in progress.
type frame struct {
	fn *function
	aten.Frame
}

// at adds the place of n to an error that has none.
func (m *machine) at(f *frame, n script.Node, err error) error {
	var e *Error
	if err == nil || errors.As(err, &e) {
		return err
	}
	e = positioned(f.fn.file, n, err)
	e.Module = m.Scope.Path
	return e
}

// call calls a function of the archive. self comes first among a method's arguments.
func (m *machine) call(fn *function, args []aten.Value, keywords map[string]aten.Value) (aten.Value, error) {
	if m.depth++; m.depth > maxCalls {
		return nil, errDepth
	}
	defer func() { m.depth-- }()
	f := &frame{fn: fn, Frame: aten.Frame{Vars: make(map[string]aten.Value)}}
	if err := m.bindParams(f, args, keywords); err != nil {
		return nil, err
	}
	if len(args) > 0 {
		if o, ok := args[0].(*aten.Object); ok && fn.class == o.Class && fn.class.isModule() {
			outer := m.Scope
			m.Scope = graph.Scope{Path: o.Path, Class: o.Class.PublicName()}
			defer func() { m.Scope = outer }()
		}
	}
	if fn.passesOn() {
		return f.Vars[fn.def.Params[1].Name], nil
	}
	how, v, err := m.block(f, fn.def.Body)
	if err != nil {
		return nil, err
	}
	if how == aten.Breaks || how == aten.Continues {
		return nil, positioned(fn.file, fn.def, errors.New("break or continue outside of a loop"))
	}
	return v, nil
}

// bindParams assigns arguments to parameters.
func (m *machine) bindParams(f *frame, args []aten.Value, keywords map[string]aten.Value) error {
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
func (m *machine) method(o *aten.Object, name string, args ...aten.Value) (aten.Value, error) {
	fn := m.Method(o, name)
	if fn == nil {
		return nil, fmt.Errorf("%s has no method %s", o.Class.PublicName(), name)
	}
	return fn(args...)
}

// Method returns a method of an object, bound to it; nil where it has none of the name.
func (m *machine) Method(o *aten.Object, name string) func(args ...aten.Value) (aten.Value, error) {
	fn := classOf(o).methods[name]
	if fn == nil {
		return nil
	}
	return func(args ...aten.Value) (aten.Value, error) { return m.call(fn, append([]aten.Value{o}, args...), nil) }
}

// Class returns a class of the archive, nil where it has none of the name.
func (m *machine) Class(name string) aten.Class {
	if c := m.code.classes[name]; c != nil {
		return c
	}
	return nil
}

// Member returns a member of an enum.
func (m *machine) Member(name string) (aten.Value, error) { return m.qualified(name) }

// attribute returns an attribute of a value.
func (m *machine) attribute(v aten.Value, name string) (aten.Value, error) {
	switch v := v.(type) {
	case aten.Unknown:
		return v, nil
	case *aten.Object:
		if x, ok := v.Attrs[name]; ok {
			return x, nil
		}
		c := classOf(v)
		if fn := c.methods[name]; fn != nil {
			return &method{v, fn}, nil
		}
		if e := c.finals[name]; e != nil {
			return m.eval(&frame{fn: &function{name: c.name, file: c.file}}, e)
		}
	case *aten.Tuple:
		if v.Class != nil {
			for i, field := range v.Class.Fields() {
				if field == name && i < len(v.Items) {
					return v.Items[i], nil
				}
			}
		}
	case *aten.Enum:
		switch name {
		case "name":
			return v.Name, nil
		case "value":
			return v.Value, nil
		}
	}
	return nil, fmt.Errorf("a %s has no attribute %s", aten.TypeName(v), name)
}

// setAttribute sets an attribute of an object.
func (m *machine) setAttribute(v aten.Value, name string, x aten.Value) error {
	o, ok := v.(*aten.Object)
	if !ok {
		return fmt.Errorf("attributes of a %s cannot be set", aten.TypeName(v))
	}
	m.SetAttribute(o, name, x)
	return nil
}
