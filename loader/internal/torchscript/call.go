package torchscript

import (
	"fmt"
	"strings"

	"github.com/octet-ml/octet/loader/internal/aten"
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/loader/internal/script"
)

// callExpr evaluates a call of an operator, a method, a function, a class or a
// builtin.
func (m *machine) callExpr(f *frame, x *script.Call) (aten.Value, error) {
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
	case *script.Qualified:
		if name := octetOperator(fn.Name); name != "" {
			args, keywords, err := m.arguments(f, x)
			if err != nil {
				return nil, err
			}
			return m.Operator(sourceLine{f.fn.file, x}, name, args, keywords)
		}
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

// octetOperator returns the operator that a function of aten.OctetFunctions is, "" for other names.
func octetOperator(function string) string {
	if name, ok := strings.CutPrefix(function, aten.OctetFunctions); ok {
		return "octet::" + name
	}
	return ""
}

func (m *machine) arguments(f *frame, x *script.Call) ([]aten.Value, map[string]aten.Value, error) {
	args, err := m.evalAll(f, x.Args)
	if err != nil {
		return nil, nil, err
	}
	var keywords map[string]aten.Value
	for _, k := range x.Keywords {
		v, err := m.eval(f, k.Value)
		if err != nil {
			return nil, nil, err
		}
		if keywords == nil {
			keywords = make(map[string]aten.Value)
		}
		keywords[k.Name] = v
	}
	return args, keywords, nil
}

func (m *machine) callMethod(self aten.Value, name string, args []aten.Value, keywords map[string]aten.Value) (aten.Value, error) {
	switch self := self.(type) {
	case aten.Unknown:
		return self, nil
	case *aten.Object:
		if fn := classOf(self).methods[name]; fn != nil {
			return m.call(fn, append([]aten.Value{self}, args...), keywords)
		}
	case *aten.Packed:
		if name == "unpack" && len(args) == 0 {
			return self.Unpack(), nil
		}
	case *build.Tensor:
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
func (m *machine) callValue(callee aten.Value, args []aten.Value, keywords map[string]aten.Value) (aten.Value, error) {
	switch c := callee.(type) {
	case aten.Unknown:
		return c, nil
	case *function:
		return m.call(c, args, keywords)
	case *method:
		return m.call(c.fn, append([]aten.Value{c.self}, args...), keywords)
	case *closure:
		inner := &frame{fn: c.fn, Frame: c.frame.Frame}
		_, v, err := m.block(inner, c.fn.def.Body)
		return v, err
	case *class:
		if c.def.Base == script.BaseNamedTuple {
			return m.namedTuple(c, args, keywords)
		}
		if c.methods["__init__"] != nil {
			o := aten.NewObject(c)
			_, err := m.call(c.methods["__init__"], append([]aten.Value{o}, args...), keywords)
			return o, err
		}
	}
	return nil, fmt.Errorf("a %s cannot be called", aten.TypeName(callee))
}

func (m *machine) namedTuple(c *class, args []aten.Value, keywords map[string]aten.Value) (aten.Value, error) {
	t := &aten.Tuple{Class: c, Items: args}
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
		t.Items = append(t.Items, v)
	}
	if len(t.Items) != len(c.def.Attributes) {
		return nil, fmt.Errorf("%s takes %d elements and gets %d", c.public, len(c.def.Attributes), len(t.Items))
	}
	return t, nil
}

// builtin calls a function of the language itself.
func (m *machine) builtin(name string, args []aten.Value) (aten.Value, error) {
	for _, a := range args {
		if _, ok := a.(aten.Unknown); ok {
			return a, nil
		}
	}
	one := func() (aten.Value, error) {
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
		return aten.ToNumber(m.Builder, v, map[string]build.Kind{"int": build.Int, "float": build.Float, "bool": build.Bool}[name])
	case "str":
		v, err := one()
		if err != nil {
			return nil, err
		}
		s := aten.Format(v)
		return s, m.Spend(len(s))
	case "complex":
		if len(args) == 2 {
			re, ok1 := build.ToFloat(args[0])
			im, ok2 := build.ToFloat(args[1])
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
		if err := m.Listed(v); err != nil {
			return nil, err
		}
		if items, ok := aten.Items(v); ok {
			return &aten.List{Items: append([]aten.Value(nil), items...)}, m.Spend(len(items))
		}
	case "range":
		var bounds []int64
		for _, a := range args {
			p, err := m.PlainValue(a)
			if err != nil {
				return nil, err
			}
			i, ok := p.(int64)
			if !ok {
				return nil, fmt.Errorf("range of a %s", aten.TypeName(p))
			}
			bounds = append(bounds, i)
		}
		return m.Range(bounds)
	}
	// What is printed without its namespace: sorted, min, ord.
	for _, space := range []string{"aten::", "prim::"} {
		if m.Table().Has(space + name) {
			return m.Dispatch(space+name, args, nil)
		}
	}
	return nil, fmt.Errorf("%s is not defined", name)
}

// toList returns a tensor's elements as nested lists, those that only the run knows as numbers that follow from it.
func (m *machine) toList(t *build.Tensor) (aten.Value, error) {
	v, err := m.Read(t)
	if err != nil {
		return nil, err
	}
	known := m.Known(v)
	if known == nil {
		return m.listOf(t)
	}
	if err := m.Spend(2 * known.Numel()); err != nil {
		return nil, err
	}
	flat, err := known.Contiguous().Reshape(-1)
	if known.Rank() == 0 || err != nil {
		x, _ := build.PlainElement(known)
		return x, err
	}
	items := make([]aten.Value, known.Numel())
	for i := range items {
		one, err := flat.Slice(0, i, i+1, 1)
		if err != nil {
			return nil, err
		}
		items[i], _ = build.PlainElement(one)
	}
	shape := known.Shape()
	for d := len(shape) - 1; d > 0; d-- {
		outer := make([]aten.Value, len(items)/max(shape[d], 1))
		for i := range outer {
			outer[i] = &aten.List{Items: items[i*shape[d] : (i+1)*shape[d]]}
		}
		items = outer
	}
	return &aten.List{Items: items}, nil
}

// listOf is toList of a tensor whose elements only the run knows.
func (m *machine) listOf(t *build.Tensor) (aten.Value, error) {
	if t.Rank() == 0 {
		return aten.Item(m.Builder, t, build.KindOfDType(t.DType()))
	}
	rows, err := m.Dispatch("aten::unbind", []aten.Value{t}, nil)
	if err != nil {
		return nil, err
	}
	items, _ := aten.Items(rows)
	for i, row := range items {
		if items[i], err = m.listOf(row.(*build.Tensor)); err != nil {
			return nil, err
		}
	}
	return &aten.List{Items: items}, nil
}
