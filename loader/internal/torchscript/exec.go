package torchscript

import (
	"errors"
	"fmt"

	"github.com/octet-ml/octet/loader/internal/aten"
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/loader/internal/script"
)

// block executes statements until one does not go on to the next.
func (m *machine) block(f *frame, body []script.Stmt) (aten.Flow, aten.Value, error) {
	for _, s := range body {
		how, v, err := m.exec(f, s)
		if errors.Is(err, build.ErrDataDependent) {
			m.Note(sourceLine{f.fn.file, s}, err.Error())
			m.forget(f, s)
			continue
		}
		if err != nil {
			return aten.Next, nil, m.at(f, s, err)
		}
		if how != aten.Next {
			return how, v, nil
		}
	}
	return aten.Next, nil, nil
}

// blockOf returns statements as something that can be executed.
func (m *machine) blockOf(f *frame, body []script.Stmt) aten.Block {
	return func() (aten.Flow, aten.Value, error) { return m.block(f, body) }
}

// forget makes what a statement assigns unknown.
func (m *machine) forget(f *frame, s script.Stmt) {
	script.Walk(s, func(n script.Node) bool {
		if a, ok := n.(*script.Assign); ok {
			for _, t := range a.Targets {
				if name, ok := t.(*script.Name); ok {
					f.Vars[name.Name] = aten.Unknown{}
				} else if tuple, ok := t.(*script.Tuple); ok {
					for _, x := range tuple.Elements {
						if name, ok := x.(*script.Name); ok {
							f.Vars[name.Name] = aten.Unknown{}
						}
					}
				}
			}
		}
		return true
	})
}

func (m *machine) exec(f *frame, s script.Stmt) (aten.Flow, aten.Value, error) {
	if err := m.Step(); err != nil {
		return aten.Next, nil, err
	}
	switch s := s.(type) {
	case *script.Assign:
		if s.Value == nil {
			return aten.Next, nil, nil
		}
		v, err := m.eval(f, s.Value)
		if err != nil {
			return aten.Next, nil, err
		}
		for _, target := range s.Targets {
			if err := m.assign(f, target, v); err != nil {
				return aten.Next, nil, err
			}
		}
		return aten.Next, nil, nil
	case *script.AugAssign:
		x, err := m.eval(f, s.Target)
		if err != nil {
			return aten.Next, nil, err
		}
		y, err := m.eval(f, s.Value)
		if err != nil {
			return aten.Next, nil, err
		}
		v, err := m.binary(s.Op, x, y)
		if err != nil {
			return aten.Next, nil, err
		}
		return aten.Next, nil, m.assign(f, s.Target, v)
	case *script.ExprStmt:
		_, err := m.eval(f, s.X)
		return aten.Next, nil, err
	case *script.Return:
		if s.Value == nil {
			return aten.Returns, nil, nil
		}
		v, err := m.eval(f, s.Value)
		return aten.Returns, v, err
	case *script.If:
		c, err := m.eval(f, s.Cond)
		if err != nil {
			return aten.Next, nil, err
		}
		return m.Branch(&f.Frame, c, m.blockOf(f, s.Then), m.blockOf(f, s.Else))
	case *script.While:
		return m.while(f, s)
	case *script.For:
		return m.forEach(f, s)
	case *script.With:
		return m.with(f, s)
	case *script.Raise:
		v, err := m.eval(f, s.Value)
		if err != nil {
			return aten.Next, nil, err
		}
		return aten.Next, nil, &aten.RaisedError{Message: aten.Format(v)}
	case *script.Assert:
		return aten.Next, nil, m.assert(f, s)
	case *script.Delete:
		for _, t := range s.Targets {
			if n, ok := t.(*script.Name); ok {
				delete(f.Vars, n.Name)
			}
		}
		return aten.Next, nil, nil
	case *script.FuncDef:
		f.Vars[s.Name] = &closure{f, &function{name: s.Name, file: f.fn.file, def: s}}
		return aten.Next, nil, nil
	case *script.Pass, *script.Global:
		return aten.Next, nil, nil
	case *script.Break:
		return aten.Breaks, nil, nil
	case *script.Continue:
		return aten.Continues, nil, nil
	}
	return aten.Next, nil, fmt.Errorf("a statement of type %T cannot be executed", s)
}

// assign gives a value to a name, an attribute, an element, or the parts of a tuple.
func (m *machine) assign(f *frame, target script.Expr, v aten.Value) error {
	switch t := target.(type) {
	case *script.Name:
		f.Vars[t.Name] = v
		return nil
	case *script.Attr:
		o, err := m.eval(f, t.Value)
		if err != nil {
			return err
		}
		return m.setAttribute(o, t.Name, v)
	case *script.Index:
		x, err := m.eval(f, t.Value)
		if err != nil {
			return err
		}
		if len(t.Indices) != 1 {
			return errors.New("an element is assigned to by more than one index")
		}
		i, err := m.eval(f, t.Indices[0])
		if err != nil {
			return err
		}
		return m.setItem(x, i, v)
	case *script.Tuple:
		return m.unpack(f, t.Elements, v)
	case *script.List:
		return m.unpack(f, t.Elements, v)
	}
	return errors.New("this expression cannot be assigned to")
}

func (m *machine) unpack(f *frame, targets []script.Expr, v aten.Value) error {
	if _, ok := v.(aten.Unknown); ok {
		for _, t := range targets {
			if err := m.assign(f, t, v); err != nil {
				return err
			}
		}
		return nil
	}
	if err := m.Listed(v); err != nil {
		return err
	}
	items, ok := aten.Items(v)
	if !ok {
		return fmt.Errorf("a %s cannot be unpacked", aten.TypeName(v))
	}
	if len(items) != len(targets) {
		return fmt.Errorf("%d values are assigned to %d names", len(items), len(targets))
	}
	for i, t := range targets {
		if err := m.assign(f, t, items[i]); err != nil {
			return err
		}
	}
	return nil
}

// while executes a loop with a condition.
func (m *machine) while(f *frame, s *script.While) (aten.Flow, aten.Value, error) {
	return m.While(&f.Frame, aten.Loop{
		Cond:     func() (aten.Value, error) { return m.eval(f, s.Cond) },
		Body:     m.blockOf(f, s.Body),
		Assigned: func() []string { return assigned(s.Body) },
	})
}

// assigned returns the variables that statements assign to.
func assigned(body []script.Stmt) []string {
	var names []string
	var target func(t script.Expr)
	target = func(t script.Expr) {
		switch t := t.(type) {
		case *script.Name:
			names = append(names, t.Name)
		case *script.Tuple:
			for _, x := range t.Elements {
				target(x)
			}
		}
	}
	for _, s := range body {
		script.Walk(s, func(n script.Node) bool {
			if a, ok := n.(*script.Assign); ok {
				for _, t := range a.Targets {
					target(t)
				}
			}
			return true
		})
	}
	return names
}

func (m *machine) forEach(f *frame, s *script.For) (aten.Flow, aten.Value, error) {
	if c, ok := s.Iter.(*script.Call); ok {
		if n, ok := c.Func.(*script.Name); ok && n.Name == "range" {
			return m.forRange(f, s, c)
		}
	}
	v, err := m.eval(f, s.Iter)
	if err != nil {
		return aten.Next, nil, err
	}
	if _, ok := v.(aten.Unknown); ok {
		if err := m.assign(f, s.Target, v); err != nil {
			return aten.Next, nil, err
		}
		return m.Either(&f.Frame, m.blockOf(f, s.Body))
	}
	if err := m.Listed(v); err != nil {
		return aten.Next, nil, err
	}
	items, ok := aten.Items(v)
	switch v := v.(type) {
	case *aten.Dict:
		items, ok = append([]aten.Value(nil), v.Keys...), true
	case string:
		if err := m.Spend(len(v)); err != nil {
			return aten.Next, nil, err
		}
		for _, r := range v {
			items = append(items, string(r))
		}
		ok = true
	}
	if !ok {
		return aten.Next, nil, fmt.Errorf("a %s cannot be iterated over", aten.TypeName(v))
	}
	for i := 0; i < len(items); i++ {
		how, v, err := m.iteration(f, s, items[i])
		if err != nil || how == aten.Returns {
			return how, v, err
		}
		if how == aten.Breaks {
			break
		}
	}
	return aten.Next, nil, nil
}

// iteration executes the body of a loop once.
func (m *machine) iteration(f *frame, s *script.For, v aten.Value) (aten.Flow, aten.Value, error) {
	if err := m.Step(); err != nil {
		return aten.Next, nil, err
	}
	if err := m.assign(f, s.Target, v); err != nil {
		return aten.Next, nil, err
	}
	return m.block(f, s.Body)
}

func (m *machine) forRange(f *frame, s *script.For, c *script.Call) (aten.Flow, aten.Value, error) {
	args := make([]aten.Value, len(c.Args))
	for i, x := range c.Args {
		var err error
		if args[i], err = m.eval(f, x); err != nil {
			return aten.Next, nil, err
		}
		if _, ok := args[i].(aten.Unknown); ok {
			if err := m.assign(f, s.Target, args[i]); err != nil {
				return aten.Next, nil, err
			}
			return m.Either(&f.Frame, m.blockOf(f, s.Body))
		}
	}
	loop := aten.Loop{
		SetIndex: func(i *build.Number) error { return m.assign(f, s.Target, i) },
		Body:     m.blockOf(f, s.Body),
		Assigned: func() []string { return assigned(s.Body) },
	}
	if len(args) == 1 {
		if n, ok := args[0].(*build.Number); ok && m.RepeatOrUnroll(&f.Frame, n, loop) {
			return aten.Next, nil, nil
		}
	}
	bounds := [3]int64{0, 0, 1}
	if len(args) < 1 || len(args) > 3 {
		return aten.Next, nil, fmt.Errorf("range with %d arguments", len(args))
	}
	for i, a := range args {
		p, err := m.PlainValue(a)
		if errors.Is(err, build.ErrDataDependent) && len(args) == 1 {
			return m.Repeat(&f.Frame, a.(*build.Number), loop)
		}
		if err != nil {
			return aten.Next, nil, err
		}
		n, ok := p.(int64)
		if !ok {
			return aten.Next, nil, fmt.Errorf("range of a %s", aten.TypeName(p))
		}
		k := i
		if len(args) == 1 {
			k = 1
		}
		bounds[k] = n
	}
	if bounds[2] == 0 {
		return aten.Next, nil, aten.ErrRangeStep
	}
	for i := bounds[0]; bounds[2] > 0 && i < bounds[1] || bounds[2] < 0 && i > bounds[1]; i += bounds[2] {
		how, v, err := m.iteration(f, s, i)
		if err != nil || how == aten.Returns {
			return how, v, err
		}
		if how == aten.Breaks {
			break
		}
		if bounds[2] > 0 && i > bounds[1]-bounds[2] || bounds[2] < 0 && i < bounds[1]-bounds[2] {
			break // the next would overflow
		}
	}
	return aten.Next, nil, nil
}

// with executes a body between an object's __enter__ and __exit__.
func (m *machine) with(f *frame, s *script.With) (aten.Flow, aten.Value, error) {
	defer func(noGrad bool) { m.NoGrad = noGrad }(m.NoGrad)
	var entered []*aten.Object
	for _, item := range s.Items {
		v, err := m.eval(f, item.Value)
		if err != nil {
			return aten.Next, nil, err
		}
		o, ok := v.(*aten.Object)
		if !ok {
			return aten.Next, nil, fmt.Errorf("with a %s", aten.TypeName(v))
		}
		x, err := m.method(o, "__enter__")
		if err != nil {
			return aten.Next, nil, err
		}
		if item.Name != "" {
			f.Vars[item.Name] = x
		}
		entered = append(entered, o)
	}
	how, v, err := m.block(f, s.Body)
	if err != nil {
		return aten.Next, nil, err
	}
	for i := len(entered) - 1; i >= 0; i-- {
		if _, err := m.method(entered[i], "__exit__", nil, nil, nil); err != nil {
			return aten.Next, nil, err
		}
	}
	return how, v, nil
}

func (m *machine) assert(f *frame, s *script.Assert) error {
	c, err := m.eval(f, s.Cond)
	if err != nil {
		return err
	}
	yes, err := aten.Truth(m.Builder, c)
	if err != nil || yes {
		return err
	}
	message := ""
	if s.Message != nil {
		v, err := m.eval(f, s.Message)
		if err != nil {
			return err
		}
		message = aten.Format(v)
	}
	return &aten.RaisedError{Class: "AssertionError", Message: message}
}
