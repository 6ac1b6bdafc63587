package torchscript

import (
	"fmt"

	"github.com/octet-ml/octet/loader/internal/script"
)

// callExpr evaluates a call of an operator, a method, a function, a class or a
// builtin.
func (m *machine) callExpr(f *frame, x *script.Call) (value, error) {
	switch fn := x.Func.(type) {
	case *script.Op:
		args, keywords, err := m.arguments(f, x)
		if err != nil {
			return nil, err
		}
		return m.Operator(sourceLine{f.fn.file, x}, fn.Namespace+"::"+fn.Name, args, keywords)
	case *script.Name:
		if local, ok := f.Vars[fn.Name]; ok {
			args, keywords, err := m.arguments(f, x)
			if err != nil {
				return nil, err
			}
			return m.callValue(local, args, keywords)
		}
		args, _, err := m.arguments(f, x)
		if err != nil {
			return nil, err
		}
		return m.builtin(fn.Name, args)
	case *script.Attr:
		self, err := m.eval(f, fn.Value)
		if err != nil {
			return nil, err
		}
		args, keywords, err := m.arguments(f, x)
		if err != nil {
			return nil, err
		}
		return m.callMethod(self, fn.Name, args, keywords)
	}
	callee, err := m.eval(f, x.Func)
	if err != nil {
		return nil, err
	}
	args, keywords, err := m.arguments(f, x)
	if err != nil {
		return nil, err
	}
	return m.callValue(callee, args, keywords)
}

func (m *machine) arguments(f *frame, x *script.Call) ([]value, map[string]value, error) {
	args, err := m.evalAll(f, x.Args)
	if err != nil {
		return nil, nil, err
	}
	var keywords map[string]value
	for _, k := range x.Keywords {
		v, err := m.eval(f, k.Value)
		if err != nil {
			return nil, nil, err
		}
		if keywords == nil {
			keywords = make(map[string]value)
		}
		keywords[k.Name] = v
	}
	return args, keywords, nil
}

func (m *machine) callMethod(self value, name string, args []value, keywords map[string]value) (value, error) {
	switch self := self.(type) {
	case unknown:
		return self, nil
	case *object:
		if fn := classOf(self).methods[name]; fn != nil {
			return m.call(fn, append([]value{self}, args...), keywords)
		}
	case *packed:
		if name == "unpack" && len(args) == 0 {
			return self.unpack(), nil
		}
	case *Tensor:
		if name == "tolist" {
			return m.toList(self)
		}
	}
	callee, err := m.attribute(self, name)
	if err != nil {
		return nil, err
	}
	return m.callValue(callee, args, keywords)
}

// callValue calls a function, a bound method or a class.
func (m *machine) callValue(callee value, args []value, keywords map[string]value) (value, error) {
	switch c := callee.(type) {
	case unknown:
		return c, nil
	case *function:
		return m.call(c, args, keywords)
	case *method:
		return m.call(c.fn, append([]value{c.self}, args...), keywords)
	case *closure:
		inner := &frame{fn: c.fn, Frame: c.frame.Frame}
		_, v, err := m.block(inner, c.fn.def.Body)
		return v, err
	case *class:
		if c.def.Base == script.BaseNamedTuple {
			return m.namedTuple(c, args, keywords)
		}
		if c.methods["__init__"] != nil {
			o := newObject(c)
			_, err := m.call(c.methods["__init__"], append([]value{o}, args...), keywords)
			return o, err
		}
	}
	return nil, fmt.Errorf("a %s cannot be called", typeName(callee))
}

func (m *machine) namedTuple(c *class, args []value, keywords map[string]value) (value, error) {
	t := &tuple{class: c, items: args}
	for _, a := range c.def.Attributes[min(len(args), len(c.def.Attributes)):] {
		v, ok := keywords[a.Name]
		if !ok && a.Value != nil {
			var err error
			if v, err = m.eval(&frame{fn: &function{name: c.name, file: c.file}}, a.Value); err != nil {
				return nil, err
			}
			ok = true
		}
		if !ok {
			return nil, fmt.Errorf("%s needs its element %s", c.public, a.Name)
		}
		t.items = append(t.items, v)
	}
	if len(t.items) != len(c.def.Attributes) {
		return nil, fmt.Errorf("%s takes %d elements and gets %d", c.public, len(c.def.Attributes), len(t.items))
	}
	return t, nil
}

// builtin calls a function of the language itself.
func (m *machine) builtin(name string, args []value) (value, error) {
	for _, a := range args {
		if _, ok := a.(unknown); ok {
			return a, nil
		}
	}
	one := func() (value, error) {
		if len(args) != 1 {
			return nil, fmt.Errorf("%s with %d arguments", name, len(args))
		}
		return args[0], nil
	}
	switch name {
	case "int", "float", "bool":
		v, err := one()
		if err != nil {
			return nil, err
		}
		return toNumber(m.builder, v, map[string]kind{"int": intKind, "float": floatKind, "bool": boolKind}[name])
	case "str":
		v, err := one()
		if err != nil {
			return nil, err
		}
		s := formatValue(v)
		return s, m.spend(len(s))
	case "complex":
		if len(args) == 2 {
			re, ok1 := plainFloat(args[0])
			im, ok2 := plainFloat(args[1])
			if ok1 && ok2 {
				return complex(re, im), nil
			}
		}
	case "print":
		return nil, nil // what a model prints is nobody's business here
	case "fork", "awaitable":
		if len(args) < 1 {
			break
		}
		return m.callValue(args[0], args[1:], nil)
	case "list":
		v, err := one()
		if err != nil {
			return nil, err
		}
		if items, ok := itemsOf(v); ok {
			return &list{items: append([]value(nil), items...)}, m.spend(len(items))
		}
	case "range":
		var bounds []int64
		for _, a := range args {
			p, err := m.plainValue(a)
			if err != nil {
				return nil, err
			}
			i, ok := p.(int64)
			if !ok {
				return nil, fmt.Errorf("range of a %s", typeName(p))
			}
			bounds = append(bounds, i)
		}
		return m.Range(bounds)
	}
	// What is printed without its namespace: sorted, min, ord.
	for _, space := range []string{"aten::", "prim::"} {
		if m.Table().has(space + name) {
			return m.Dispatch(space+name, args, nil)
		}
	}
	return nil, fmt.Errorf("%s is not defined", name)
}

// toList returns a tensor's elements as nested lists. They must be known.
func (m *machine) toList(t *Tensor) (value, error) {
	v, err := m.read(t)
	if err != nil {
		return nil, err
	}
	known := m.known(v)
	if known == nil {
		return nil, errDataDependent
	}
	if err := m.spend(2 * known.Numel()); err != nil {
		return nil, err
	}
	flat, err := known.Contiguous().Reshape(-1)
	if known.Rank() == 0 || err != nil {
		x, _ := plainOf(known)
		return x, err
	}
	items := make([]value, known.Numel())
	for i := range items {
		one, err := flat.Slice(0, i, i+1, 1)
		if err != nil {
			return nil, err
		}
		items[i], _ = plainOf(one)
	}
	shape := known.Shape()
	for d := len(shape) - 1; d > 0; d-- {
		outer := make([]value, len(items)/max(shape[d], 1))
		for i := range outer {
			outer[i] = &list{items: items[i*shape[d] : (i+1)*shape[d]]}
		}
		items = outer
	}
	return &list{items: items}, nil
}
