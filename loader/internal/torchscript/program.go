package torchscript

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader/internal/aten"
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/loader/internal/pickle"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Program is a module of an archive, ready to be specialized. It may be used by
// many goroutines.
type Program struct {
	src    Source
	code   *code
	table  aten.Table
	entry  *function   // the method that runs: forward, or the one that was chosen
	before []*function // forward's pre-hooks, called with its arguments
	behind []*function // its hooks, called with its arguments and its result
	inputs []input

	mu         sync.Mutex // while the archive is decoded
	contiguous map[*tensor.Tensor]*tensor.Tensor
}

// New checks an archive and returns its program. Errors are *tensor.FileError.
// Once ctx has ended, it fails.
func New(ctx context.Context, src Source) (*Program, error) {
	code, err := parseCode(src.Code, len(src.Constants))
	if err != nil {
		return nil, err
	}
	p := &Program{src: src, code: code, contiguous: make(map[*tensor.Tensor]*tensor.Tensor)}
	if p.table, err = aten.Operators(); err != nil {
		return nil, err
	}
	_, root, err := p.start(ctx)
	if err != nil {
		return nil, err
	}
	name := cmp.Or(src.Method, "forward")
	own := classOf(root)
	p.entry = own.methods[name]
	switch {
	case p.entry == nil && src.Method != "":
		return nil, &tensor.FileError{Err: &MethodError{Asked: name, Methods: own.methodNames()}}
	case p.entry == nil:
		return nil, &tensor.FileError{Record: own.file, Reason: fmt.Sprintf("%s has no method forward", root.Class.PublicName()), Err: own.otherMethods()}
	case len(p.entry.def.Params) == 0:
		return nil, positioned(p.entry.file, p.entry.def, fmt.Errorf("%s has no parameter", name)).reject()
	}
	if name == "forward" {
		if p.before, err = hooks(root, own.def.ForwardPreHooks); err != nil {
			return nil, err
		}
		if p.behind, err = hooks(root, own.def.ForwardHooks); err != nil {
			return nil, err
		}
	}
	return p, p.findInputs()
}

// MethodError says that a module has no such method.
type MethodError struct {
	Asked   string
	Methods []string // that it has
}

func (e *MethodError) Error() string {
	return fmt.Sprintf("has no method %q: it has %s", e.Asked, strings.Join(e.Methods, ", "))
}

// methodNames lists the methods that can run by themselves, in order: not those that restore a module, nor hooks.
func (c *class) methodNames() []string {
	var names []string
	for name := range c.methods {
		if !strings.HasPrefix(name, "__") && !slices.Contains(c.def.ForwardPreHooks, name) && !slices.Contains(c.def.ForwardHooks, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// otherMethods names the methods of a module without forward, nil where it has none.
func (c *class) otherMethods() error {
	if names := c.methodNames(); len(names) > 0 {
		return fmt.Errorf("choose one of its methods: %s", strings.Join(names, ", "))
	}
	return nil
}

// hooks returns the methods of the root that are hooks of its forward. Those of other modules stand in the code that calls them.
func hooks(root *aten.Object, names []string) ([]*function, error) {
	var out []*function
	for _, name := range names {
		fn := classOf(root).methods[name]
		if fn == nil {
			return nil, &tensor.FileError{Record: classOf(root).file, Reason: fmt.Sprintf("%s has no method %s, which is a hook of it", root.Class.PublicName(), name)}
		}
		out = append(out, fn)
	}
	return out, nil
}

// callRoot calls forward between its hooks, as torch.nn.Module.__call__ does. What a pre-hook returns takes the place of the arguments,
// what a hook returns that of the result, unless it is None.
func (p *Program) callRoot(m *machine, root *aten.Object, args []aten.Value) (aten.Value, error) {
	for _, hook := range p.before {
		v, err := m.call(hook, []aten.Value{root, &aten.Tuple{Items: args}}, nil)
		if err != nil {
			return nil, err
		}
		if t, ok := v.(*aten.Tuple); ok {
			args = t.Items
		} else if v != nil {
			args = []aten.Value{v}
		}
	}
	out, err := m.call(p.entry, append([]aten.Value{root}, args...), nil)
	for _, hook := range p.behind {
		if err != nil {
			return nil, err
		}
		var v aten.Value
		if v, err = m.call(hook, []aten.Value{root, &aten.Tuple{Items: args}, out}, nil); v != nil {
			out = v
		}
	}
	return out, err
}

// Check looks for operators that are not known and that every run needs. It
// lists all that are not known in a *aten.UnsupportedError.
func (p *Program) Check(ctx context.Context) error {
	_, root, err := p.start(ctx)
	if err != nil {
		return err
	}
	return p.scan(root).unsupported()
}

// start returns a machine with the modules as the archive has them. Each
// execution has its own, since programs may change them.
func (p *Program) start(ctx context.Context) (*machine, *aten.Object, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := &reader{src: p.src, code: p.code, values: make(map[pickle.Value]aten.Value), tensors: make(map[*tensor.Tensor]*build.Tensor), contiguous: p.contiguous}
	m := &machine{code: p.code}
	m.Evaluator = aten.NewEvaluator(p.table, p.src.Version, m)
	m.Bound(ctx, p.src.Limits)
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
	root, ok := v.(*aten.Object)
	if !ok || !classOf(root).isModule() {
		return nil, nil, &tensor.FileError{Record: "data.pkl", Err: errNoModule}
	}
	for _, s := range r.states {
		if _, err := m.method(s.object, "__setstate__", s.state); err != nil {
			return nil, nil, rejected(err, s.object)
		}
	}
	if err := m.Unsupported(); err != nil {
		return nil, nil, err
	}
	m.SetOrigins(r.origins)
	return m, root, nil
}

// rejected makes what goes wrong while objects are restored an error of the file.
func rejected(err error, o *aten.Object) error {
	var fe *tensor.FileError
	if errors.As(err, &fe) {
		return err
	}
	return &tensor.FileError{Record: o.Path, Reason: fmt.Sprintf("a %s cannot be restored", o.Class.PublicName()), Err: err}
}

// Specialize executes the program for inputs of these types, and the state it
// kept, and returns the graph that comes of it.
func (p *Program) Specialize(types []ops.Type, before string) (*graph.Graph, error) {
	return p.SpecializeContext(context.Background(), types, before, graph.Items{})
}

// SpecializeContext is Specialize that ends with ctx.
func (p *Program) SpecializeContext(ctx context.Context, types []ops.Type, before string, items graph.Items) (*graph.Graph, error) {
	return p.specializeWith(ctx, types, before, items, p.arguments)
}

// argumentMaker makes inputs of the graph, and of them the arguments of forward.
type argumentMaker func(m *machine, types []ops.Type) ([]aten.Value, error)

func (p *Program) specializeWith(ctx context.Context, types []ops.Type, before string, items graph.Items, arguments argumentMaker) (*graph.Graph, error) {
	g, undecided, err := p.specialize(ctx, types, before, items, arguments, false)
	if err != nil && undecided && ctx.Err() == nil {
		// One graph for all ways through the program is not possible: one for that of the run is.
		if one, _, e := p.specialize(ctx, types, before, items, arguments, true); e == nil {
			g, err = one, nil
		}
	}
	if ended := ctx.Err(); err != nil && ended != nil {
		return nil, ended
	}
	return g, err
}

func (p *Program) specialize(ctx context.Context, types []ops.Type, before string, items graph.Items, arguments argumentMaker, decide bool) (g *graph.Graph, undecided bool, err error) {
	m, root, err := p.start(ctx)
	if err != nil {
		return nil, false, err
	}
	set := func() {
		m.Settled(items)
		if decide {
			m.DecideConditions()
		}
	}
	set()
	g, err = p.execute(m, root, types, before, arguments)
	if m.NeedsGenerator() {
		if m, root, err = p.start(ctx); err != nil {
			return nil, false, err
		}
		set()
		if err := m.StartGenerator(); err != nil {
			return nil, false, err
		}
		g, err = p.execute(m, root, types, before, arguments)
	}
	return g, m.Undecided(), err
}

func (p *Program) execute(m *machine, root *aten.Object, types []ops.Type, before string, arguments argumentMaker) (*graph.Graph, error) {
	was, err := aten.ParseForm(before, len(types))
	if err != nil {
		return nil, err
	}
	own := len(types) - was.Values
	args, err := arguments(m, types[:own])
	if err != nil {
		return nil, err
	}
	if err := m.Restore(was, types[own:]); err != nil {
		return nil, err
	}
	m.StartJournal()
	out, err := p.callRoot(m, root, args)
	if unsupported := m.Unsupported(); unsupported != nil {
		return nil, unsupported // what else went wrong may follow from that
	}
	if err != nil {
		return nil, p.located(err)
	}
	values, err := m.outputs(out)
	if err != nil {
		return nil, p.located(err)
	}
	if err := m.Detach(values); err != nil {
		return nil, p.located(err)
	}
	after, state, err := m.Keep(was)
	if err != nil {
		return nil, p.located(err)
	}
	if err := m.FinishGenerator(); err != nil {
		return nil, err
	}
	m.Guards()
	g := m.Graph()
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
		unsupported *aten.UnsupportedError
	)
	if errors.As(err, &e) || errors.As(err, &unsupported) {
		return err
	}
	return positioned(p.entry.file, p.entry.def, err)
}

// outputs returns a value's tensors and numbers as values of the graph.
func (m *machine) outputs(v aten.Value) ([]*graph.Value, error) {
	var values []*graph.Value
	seen := make(map[*graph.Value]bool)
	w := aten.NewWalker()
	var add func(v aten.Value, name string) error
	add = func(v aten.Value, name string) error {
		if !w.Enter() {
			return errors.New("the output is nested too deeply")
		}
		defer w.Leave()
		if err := m.CheckOutputs(len(values)); err != nil {
			return err
		}
		switch v := v.(type) {
		case nil:
			return nil
		case *build.Tensor:
			out, err := m.Output(v)
			if err != nil {
				return err
			}
			values = append(values, m.named(out, name, seen))
			return nil
		case bool, int64, float64, *build.Number:
			out, err := m.Scalar(build.AsNumber(v))
			if err != nil {
				return err
			}
			values = append(values, m.named(out, name, seen))
			return nil
		case *aten.Tuple:
			for i, x := range v.Items {
				inner := name
				if v.Class != nil && i < len(v.Class.Fields()) {
					inner = v.Class.Fields()[i]
				}
				if err := add(x, inner); err != nil {
					return err
				}
			}
			return nil
		case *aten.List:
			if err := m.Listed(v); err != nil {
				return err
			}
			for _, x := range v.Items {
				if err := add(x, name); err != nil {
					return err
				}
			}
			return nil
		case *aten.Dict:
			for i, x := range v.Values {
				if err := add(x, aten.Format(v.Keys[i])); err != nil {
					return err
				}
			}
			return nil
		case *aten.Missing:
			x, err := aten.Given(v)
			if x != aten.Value(v) || err != nil {
				return errors.Join(err, add(x, name))
			}
			return aten.UnsupportedOutput(v.What)
		}
		return aten.UnsupportedOutput("an output that is a " + aten.TypeName(v) + ", which is no tensor or number")
	}
	if err := add(v, ""); err != nil {
		return nil, err
	}
	if len(values) == 0 {
		if !m.OpenOutputs() {
			return nil, aten.UnsupportedOutput("a model that returns no tensor")
		}
	}
	return values, m.CheckOutputs(len(values))
}

// named gives an output a name, unless it has one.
func (m *machine) named(v *graph.Value, name string, before map[*graph.Value]bool) *graph.Value {
	if name != "" && v.Name == "" && v.Const == nil && !before[v] {
		v.Name = name
	}
	before[v] = true
	return v
}
