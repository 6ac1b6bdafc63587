package torchscript

import (
	"context"
	"fmt"
	"slices"

	"github.com/octet-ml/octet/loader/internal/aten"
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/loader/internal/script"
)

// Description says what is in an archive, without executing it.
type Description struct {
	Version   int      // of the operators
	Methods   []string // of the root module, each of which can run by itself
	Inputs    []InputInfo
	Modules   []ModuleInfo       // each module before those in it
	Operators []aten.OperatorUse // that forward can reach, most used first; each line of a loop counts once
	Unknown   []aten.OperatorUse // those of them that octet does not have
}

// InputInfo is a parameter of forward.
type InputInfo struct {
	Name     string
	Type     string // "Tensor", "int"
	Optional bool
}

// ModuleInfo is a module of the tree.
type ModuleInfo struct {
	Path       string // "" for the root
	Class      string // "torch.nn.modules.conv.Conv2d"
	Parameters int64  // elements of its own parameters and buffers of floats, and of quantized ones
	Bytes      int64
}

// Describe describes the program.
func (p *Program) Describe(ctx context.Context) (*Description, error) {
	_, root, err := p.start(ctx)
	if err != nil {
		return nil, err
	}
	d := &Description{Version: p.src.Version, Methods: classOf(root).methodNames()}
	for _, in := range p.inputs {
		if in.kind != "default" {
			d.Inputs = append(d.Inputs, InputInfo{in.name, in.kind, in.optional})
		}
	}
	seen := make(map[*aten.Object]bool)
	var walk func(o *aten.Object)
	walk = func(o *aten.Object) {
		if seen[o] {
			return
		}
		seen[o] = true
		m := ModuleInfo{Path: o.Path, Class: o.Class.PublicName()}
		var inside []*aten.Object
		for _, name := range o.Names {
			switch v := o.Attrs[name].(type) {
			case *build.Tensor:
				m.count(v)
			case *aten.Packed:
				m.count(build.Parameter("", v.Weight))
				if v.Bias != nil {
					m.count(build.Parameter("", v.Bias))
				}
			case *aten.Object:
				if classOf(v).isModule() {
					inside = append(inside, v)
				}
			}
		}
		d.Modules = append(d.Modules, m)
		for _, o := range inside {
			walk(o)
		}
	}
	walk(root)
	s := p.scan(root)
	for name, u := range s.used {
		use := aten.OperatorUse{Name: name, Count: u.count, Lines: u.lines}
		d.Operators = append(d.Operators, use)
		if !p.table.Supports(name) {
			d.Unknown = append(d.Unknown, use)
		}
	}
	aten.SortUses(d.Operators)
	aten.SortUses(d.Unknown)
	return d, nil
}

// count adds a parameter. Integers are bookkeeping, such as the batches that
// statistics were made of.
func (m *ModuleInfo) count(t *build.Tensor) {
	if p := t.Store.Param; p != nil && (p.DType().IsFloat() || p.QParams() != nil) {
		m.Parameters += int64(t.Type().Numel())
		m.Bytes += int64(t.Type().Bytes())
	}
}

// scanner looks for the operators that a program can reach: it follows calls of
// the methods of modules, whose places in the tree it knows, and of functions.
type scanner struct {
	p     *Program
	used  map[string]*scanned
	depth int
	steps int
}

// scanned is the uses of an operator.
type scanned struct {
	count   int
	lines   []string
	certain bool // outside of all branches and loops
}

func (p *Program) scan(root *aten.Object) *scanner {
	s := &scanner{p: p, used: make(map[string]*scanned)}
	for _, fn := range slices.Concat(p.before, []*function{p.entry}, p.behind) {
		if params := fn.def.Params; len(params) > 0 {
			s.function(fn, map[string]*aten.Object{params[0].Name: root}, true)
		}
	}
	return s
}

// unsupported returns an error that lists the operators that are not known, when
// one of them is sure to be executed.
func (s *scanner) unsupported() error {
	var list []aten.OperatorUse
	certain := false
	for name, x := range s.used {
		if s.p.table.Supports(name) {
			continue
		}
		certain = certain || x.certain
		list = append(list, aten.OperatorUse{Name: name, Count: x.count, Lines: x.lines})
	}
	if !certain {
		return nil
	}
	return aten.NewUnsupportedError(list)
}

// maxScan bounds the nodes of the syntax tree that are looked at.
const maxScan = 1 << 22

// function looks at a function whose parameters and names are objects where the
// map says so. certain says that it is executed whenever the model is.
func (s *scanner) function(fn *function, env map[string]*aten.Object, certain bool) {
	if s.depth > maxCalls || s.steps > maxScan {
		return
	}
	s.depth++
	s.block(fn, fn.def.Body, env, certain)
	s.depth--
}

func (s *scanner) block(fn *function, body []script.Stmt, env map[string]*aten.Object, certain bool) {
	for _, st := range body {
		switch st := st.(type) {
		case *script.If:
			s.expr(fn, st.Cond, env, certain)
			s.block(fn, st.Then, env, false)
			s.block(fn, st.Else, env, false)
		case *script.While:
			s.expr(fn, st.Cond, env, certain)
			s.block(fn, st.Body, env, false)
		case *script.For:
			s.expr(fn, st.Iter, env, certain)
			s.block(fn, st.Body, env, false)
		case *script.With:
			for _, i := range st.Items {
				s.expr(fn, i.Value, env, certain)
			}
			s.block(fn, st.Body, env, certain)
		case *script.Assign:
			s.expr(fn, st.Value, env, certain)
			for _, t := range st.Targets {
				if n, ok := t.(*script.Name); ok {
					delete(env, n.Name)
					if o := s.object(st.Value, env); o != nil {
						env[n.Name] = o
					}
				}
			}
		case *script.FuncDef:
			s.block(fn, st.Body, env, false)
		default:
			script.Walk(st, func(n script.Node) bool {
				x, ok := n.(script.Expr)
				if ok {
					s.expr(fn, x, env, certain)
				}
				return !ok
			})
		}
	}
}

// expr looks for calls in an expression.
func (s *scanner) expr(fn *function, x script.Expr, env map[string]*aten.Object, certain bool) {
	if x == nil {
		return
	}
	script.Walk(x, func(n script.Node) bool {
		s.steps++
		c, ok := n.(*script.Call)
		if ok {
			s.call(fn, c, env, certain)
		}
		return s.steps <= maxScan
	})
}

func (s *scanner) call(fn *function, c *script.Call, env map[string]*aten.Object, certain bool) {
	switch f := c.Func.(type) {
	case *script.Op:
		s.use(fn, c, f.Namespace+"::"+f.Name, certain)
	case *script.Attr:
		if o := s.object(f.Value, env); o != nil {
			s.enter(classOf(o).methods[f.Name], c, env, o, certain)
		}
	case *script.Qualified:
		if name := octetOperator(f.Name); name != "" {
			s.use(fn, c, name, certain)
			return
		}
		s.enter(s.p.code.functions[f.Name], c, env, nil, certain)
	}
}

// use notes that a call is of an operator.
func (s *scanner) use(fn *function, c *script.Call, name string, certain bool) {
	u := s.used[name]
	if u == nil {
		u = &scanned{}
		s.used[name] = u
	}
	u.count++
	u.certain = u.certain || certain
	line := fmt.Sprintf("%s:%d", fn.file, c.Pos().Line)
	if len(u.lines) == 0 || u.lines[len(u.lines)-1] != line {
		u.lines = append(u.lines, line)
	}
}

// enter looks at the function that is called, with the objects it gets.
func (s *scanner) enter(fn *function, c *script.Call, env map[string]*aten.Object, self *aten.Object, certain bool) {
	if fn == nil || fn.passesOn() {
		return
	}
	inner := make(map[string]*aten.Object)
	params := fn.def.Params
	if self != nil && len(params) > 0 {
		inner[params[0].Name] = self
		params = params[1:]
	}
	for i, a := range c.Args {
		if o := s.object(a, env); o != nil && i < len(params) {
			inner[params[i].Name] = o
		}
	}
	s.function(fn, inner, certain)
}

// object returns the object that an expression is, nil where that is not known.
func (s *scanner) object(x script.Expr, env map[string]*aten.Object) *aten.Object {
	switch x := x.(type) {
	case *script.Name:
		return env[x.Name]
	case *script.Attr:
		if o := s.object(x.Value, env); o != nil {
			inner, _ := o.Attrs[x.Name].(*aten.Object)
			return inner
		}
	}
	return nil
}
