package torchscript

import (
	"errors"
	"fmt"
	"slices"

	"github.com/octet-ml/octet/loader/internal/aten"
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/loader/internal/script"
)

// eval evaluates an expression.
func (m *machine) eval(f *frame, x script.Expr) (aten.Value, error) {
	v, err := m.evalExpr(f, x)
	if err != nil {
		return nil, m.at(f, x, err)
	}
	return v, nil
}

func (m *machine) evalExpr(f *frame, x script.Expr) (aten.Value, error) {
	if lit := literal(x); lit != nil {
		return *lit, nil
	}
	switch x := x.(type) {
	case *script.ImaginaryLit:
		return complex(0, x.Value), nil
	case *script.Name:
		if v, ok := f.Vars[x.Name]; ok {
			return v, nil
		}
		return nil, fmt.Errorf("%s is not defined", x.Name)
	case *script.Constant:
		if x.Index >= len(m.constants) {
			return nil, fmt.Errorf("the archive has no constant %d", x.Index)
		}
		return m.constants[x.Index], nil
	case *script.Qualified:
		return m.qualified(x.Name)
	case *script.Attr:
		v, err := m.eval(f, x.Value)
		if err != nil {
			return nil, err
		}
		return m.attribute(v, x.Name)
	case *script.Call:
		return m.callExpr(f, x)
	case *script.Index:
		return m.index(f, x)
	case *script.Tuple:
		items, err := m.evalAll(f, x.Elements)
		return &aten.Tuple{Items: items}, err
	case *script.List:
		items, err := m.evalAll(f, x.Elements)
		return &aten.List{Items: items}, err
	case *script.Dict:
		d := &aten.Dict{}
		for _, i := range x.Items {
			k, err := m.eval(f, i.Key)
			if err != nil {
				return nil, err
			}
			v, err := m.eval(f, i.Value)
			if err != nil {
				return nil, err
			}
			if err := m.setItem(d, k, v); err != nil {
				return nil, err
			}
		}
		return d, nil
	case *script.Unary:
		return m.unaryExpr(f, x)
	case *script.Binary:
		if im, ok := x.Y.(*script.ImaginaryLit); ok && (x.Op == script.Add || x.Op == script.Sub) {
			return m.complexExpr(f, x, im.Value)
		}
		return m.binaryExpr(f, x)
	case *script.Cond:
		return m.condExpr(f, x)
	case *script.Annotate:
		return m.annotated(f, x.Type, x.Value)
	case *script.UncheckedCast:
		return m.annotated(f, x.Type, x.Value)
	case *script.Uninitialized:
		return aten.Uninitialized{}, nil
	case *script.IsInstance:
		v, err := m.eval(f, x.Value)
		if err != nil {
			return nil, err
		}
		is := slices.ContainsFunc(x.Types, func(t *script.Type) bool { return m.isInstance(v, t) })
		return is, m.Toil(0)
	case *script.NewObject:
		c := m.code.classes[x.Class]
		if c == nil {
			return nil, fmt.Errorf("the archive has no class %s", x.Class)
		}
		return aten.NewObject(c), nil
	}
	return nil, fmt.Errorf("an expression of type %T cannot be evaluated", x)
}

func (m *machine) evalAll(f *frame, list []script.Expr) ([]aten.Value, error) {
	if err := m.Spend(len(list)); err != nil {
		return nil, err
	}
	out := make([]aten.Value, len(list))
	for i, x := range list {
		var err error
		if out[i], err = m.eval(f, x); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// qualified returns what a whole name names: a function, a class, a member of an enum.
func (m *machine) qualified(name string) (aten.Value, error) {
	if fn := m.code.functions[name]; fn != nil {
		return fn, nil
	}
	if c := m.code.classes[name]; c != nil {
		return c, nil
	}
	for i := len(name) - 1; i > 0; i-- {
		if name[i] != '.' {
			continue
		}
		c := m.code.classes[name[:i]]
		if c == nil || c.def.Base != script.BaseEnum {
			break
		}
		member := name[i+1:]
		e := c.finals[member]
		if e == nil {
			break
		}
		v, err := m.eval(&frame{fn: &function{name: name, file: c.file}}, e)
		return &aten.Enum{Class: c, Name: member, Value: v}, err
	}
	return nil, fmt.Errorf("the archive does not define %s", name)
}

// annotated evaluates a value whose type is stated, which matters where it is
// converted: a tensor to a number.
func (m *machine) annotated(f *frame, t *script.Type, x script.Expr) (aten.Value, error) {
	v, err := m.eval(f, x)
	if err != nil {
		return nil, err
	}
	if l, ok := v.(*aten.List); ok && t.Name == "List" && len(t.Args) == 1 {
		l.Of = t.Args[0].Name
	}
	ref, ok := v.(*build.Tensor)
	if !ok {
		return v, nil
	}
	switch t.Name {
	case "int":
		return aten.Item(m.Builder, ref, build.Int)
	case "float":
		return aten.Item(m.Builder, ref, build.Float)
	case "bool":
		return aten.Item(m.Builder, ref, build.Bool)
	case "number", "Scalar":
		return aten.Item(m.Builder, ref, build.KindOfDType(ref.DType()))
	}
	return v, nil
}

// index evaluates x[i] of lists, tuples, dicts and strings; tensors are indexed
// by operators.
func (m *machine) index(f *frame, x *script.Index) (aten.Value, error) {
	v, err := m.eval(f, x.Value)
	if err != nil {
		return nil, err
	}
	if len(x.Indices) != 1 {
		return nil, errors.New("more than one index")
	}
	i, err := m.eval(f, x.Indices[0])
	if err != nil {
		return nil, err
	}
	return m.getItem(v, i)
}

// getItem returns an element, as the operator does.
func (m *machine) getItem(v, i aten.Value) (aten.Value, error) {
	return m.Dispatch("aten::__getitem__", []aten.Value{v, i}, nil)
}

// setItem sets an element, as the operator does.
func (m *machine) setItem(x, i, v aten.Value) error {
	_, err := m.Dispatch("aten::_set_item", []aten.Value{x, i, v}, nil)
	return err
}

// complexExpr evaluates a complex constant, which is written as a sum.
func (m *machine) complexExpr(f *frame, x *script.Binary, im float64) (aten.Value, error) {
	v, err := m.eval(f, x.X)
	if err != nil {
		return nil, err
	}
	re, ok := build.ToFloat(v)
	if !ok {
		return nil, fmt.Errorf("a %s and an imaginary number", aten.TypeName(v))
	}
	if x.Op == script.Sub {
		im = -im
	}
	return complex(re, im), nil
}

// condExpr evaluates "a if c else b", of which only one is evaluated.
func (m *machine) condExpr(f *frame, x *script.Cond) (aten.Value, error) {
	c, err := m.eval(f, x.If)
	if err != nil {
		return nil, err
	}
	if _, ok := c.(aten.Unknown); ok {
		return c, nil
	}
	yes, err := aten.Truth(m.Builder, c)
	if err != nil {
		return nil, err
	}
	if yes {
		return m.eval(f, x.Then)
	}
	return m.eval(f, x.Else)
}

// isInstance reports whether a value has a type.
func (m *machine) isInstance(v aten.Value, t *script.Type) bool {
	if m.Toil(1) != nil {
		return false // the caller sees that, too
	}
	switch t.Name {
	case "NoneType":
		return v == nil
	case "Tensor":
		_, ok := v.(*build.Tensor)
		return ok
	case "bool", "int", "float":
		k, ok := build.KindOf(v)
		return ok && k.String() == t.Name
	case "complex":
		_, ok := v.(complex128)
		return ok
	case "number", "Scalar":
		return build.IsNumber(v)
	case "str":
		_, ok := v.(string)
		return ok
	case "Device":
		_, ok := v.(aten.Device)
		return ok
	case "Optional":
		return v == nil || len(t.Args) == 1 && m.isInstance(v, t.Args[0])
	case "Union":
		return slices.ContainsFunc(t.Args, func(a *script.Type) bool { return m.isInstance(v, a) })
	case "list", "List":
		l, ok := v.(*aten.List)
		return ok && (len(t.Args) == 0 || !slices.ContainsFunc(l.Items, func(x aten.Value) bool { return !m.isInstance(x, t.Args[0]) }))
	case "tuple", "Tuple":
		l, ok := v.(*aten.Tuple)
		if !ok || t.Args == nil {
			return ok
		}
		return slices.EqualFunc(l.Items, t.Args, m.isInstance)
	case "Dict", "dict":
		_, ok := v.(*aten.Dict)
		return ok
	case "Any":
		return true
	}
	switch v := v.(type) {
	case *aten.Object:
		return v.Class.Name() == t.Name
	case *aten.Tuple:
		return v.Class != nil && v.Class.Name() == t.Name
	case *aten.Enum:
		return v.Class.Name() == t.Name
	}
	return false
}
