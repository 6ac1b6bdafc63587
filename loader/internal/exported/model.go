package exported

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader/internal/aten"
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Model is a program with its weights, ready to be specialized. It may be used by many
// goroutines.
type Model struct {
	Program  *Program
	Contract *Contract
	table    aten.Table
	weights  []*tensor.Tensor // by input of the program, contiguous
	overlaps []int            // by input of the program: another whose memory in the file is partly the same, -1 for none
	limits   build.Limits     // of what is done while a graph is made
}

// Error is something that went wrong while a program was executed, at a node of its graph.
type Error struct {
	Node   string // its name and operator
	Module string // path of the module whose node it is
	Err    error
}

func (e *Error) Error() string {
	where := e.Node
	if e.Module != "" {
		where = e.Module + ", " + where
	}
	return where + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// NewModel returns a program with its weights, as Archive.Weights gives them. A program
// that does what octet cannot gives a *tensor.FileError.
func NewModel(p *Program, weights []*tensor.Tensor, limits build.Limits) (*Model, error) {
	for i, in := range p.Inputs {
		switch in.Kind {
		case CustomInput:
			return nil, unsupported("a program with an object of a custom class, "+p.Inputs[i].Target, "")
		case TokenInput:
			return nil, unsupported("a program whose operators have effects, which tokens put in order", "")
		}
	}
	for _, out := range p.Outputs {
		switch out.Kind {
		case LossOutput, GradientOutput, TokenOutput:
			return nil, unsupported("a program with an output that is a "+out.Kind.String(), "export the model for inference")
		}
	}
	m := &Model{Program: p, limits: limits}
	var err error
	if m.Contract, err = p.Contract(); err != nil {
		return nil, err
	}
	if m.table, err = aten.Operators(); err != nil {
		return nil, err
	}
	m.weights = joinTied(weights)
	m.overlaps = overlaps(spansOf(weights), m.weights, compareSpans)
	return m, nil
}

// Inputs returns the names of the inputs that a caller gives.
func (m *Model) Inputs() []string {
	names := make([]string, len(m.Contract.Inputs))
	for i, in := range m.Contract.Inputs {
		names[i] = in.Name
	}
	return names
}

// CheckOperators looks for operators that are not known and lists them all in a
// *aten.UnsupportedError.
func (m *Model) CheckOperators() error {
	uses := make(map[string]*aten.OperatorUse)
	m.missing(m.Program.Graph, uses)
	var list []aten.OperatorUse
	for _, u := range uses {
		list = append(list, *u)
	}
	return aten.NewUnsupportedError(list)
}

func (m *Model) missing(g *Graph, uses map[string]*aten.OperatorUse) {
	live, _ := g.live()
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if !live[i] {
			continue
		}
		for _, in := range n.Inputs {
			if s, ok := in.Arg.(*Subgraph); ok {
				m.missing(s.Graph, uses)
			}
		}
		if m.knows(n.Target) {
			continue
		}
		name := describeTarget(n.Target)
		u := uses[name]
		if u == nil {
			u = &aten.OperatorUse{Name: name}
			uses[name] = u
		}
		u.Count++
		if at := n.place(i).String(); !slices.Contains(u.Lines, at) {
			u.Lines = append(u.Lines, at)
		}
	}
}

// knows reports whether a node can be executed, as far as its operator says.
func (m *Model) knows(target string) bool {
	if name, ok := strings.CutPrefix(target, higherOrderPrefix); ok {
		return higherOrder[name] != nil
	}
	name := operatorName(target)
	return name != "" && m.table.Supports(name)
}

// Check checks inputs that a graph made before is to serve.
func (m *Model) Check(types []ops.Type) error {
	_, err := m.Contract.Check(types)
	return err
}

// Example returns types of inputs that the model takes: its only ones, or those of the
// example it was exported with; false where that is not known.
func (m *Model) Example() ([]ops.Type, bool) {
	types := make([]ops.Type, len(m.Contract.Inputs))
	for i, in := range m.Contract.Inputs {
		if in.Meta == nil {
			return nil, false
		}
		shape := make(tensor.Shape, len(in.Meta.Sizes))
		for axis, e := range in.Meta.Sizes {
			n := e.Fixed
			if e.Expr != nil {
				n = e.Hint
			}
			if n < 0 || int64(int(n)) != n {
				return nil, false
			}
			shape[axis] = int(n)
		}
		types[i] = ops.Type{DType: in.Meta.DType, Shape: shape}
	}
	_, err := m.Contract.Check(types)
	return types, err == nil
}

// FreeExtents returns which extents of the inputs the file leaves free.
func (m *Model) FreeExtents() [][]bool {
	free := make([][]bool, len(m.Contract.Inputs))
	for i, in := range m.Contract.Inputs {
		if in.Meta == nil {
			continue
		}
		free[i] = make([]bool, len(in.Meta.Sizes))
		for axis, e := range in.Meta.Sizes {
			free[i][axis] = e.Expr != nil
		}
	}
	return free
}

// IsStatic reports whether the types of all inputs are fixed: neither extents that may
// change, nor short floats, in whose place float32 may be given.
func (m *Model) IsStatic() bool {
	for _, in := range m.Contract.Inputs {
		if in.Meta == nil || in.Meta.DType == tensor.Float16 || in.Meta.DType == tensor.BFloat16 || slices.ContainsFunc(in.Meta.Sizes, func(e Extent) bool { return e.Expr != nil }) {
			return false
		}
	}
	return true
}

// Specialize executes the program for inputs of these types, and the state it kept, and
// returns the graph that comes of it.
func (m *Model) Specialize(types []ops.Type, before string) (*graph.Graph, error) {
	return m.SpecializeContext(context.Background(), types, before, graph.Items{})
}

// SpecializeContext is Specialize that ends with ctx.
func (m *Model) SpecializeContext(ctx context.Context, types []ops.Type, before string, items graph.Items) (*graph.Graph, error) {
	g, _, undecided, err := m.specialize(ctx, types, before, items, false)
	if err != nil && undecided && ctx.Err() == nil {
		// One graph for all ways through the program is not possible: one for that of the run is.
		if one, _, _, e := m.specialize(ctx, types, before, items, true); e == nil {
			g, err = one, nil
		}
	}
	if ended := ctx.Err(); err != nil && ended != nil {
		return nil, ended
	}
	return g, err
}

// specialize is Specialize, and lists the int8 operators that stand for patterns of the program.
func (m *Model) specialize(ctx context.Context, types []ops.Type, before string, items graph.Items, decide bool) (g *graph.Graph, p []aten.Pattern, undecided bool, err error) {
	start := func() *run {
		r := &run{Evaluator: aten.NewEvaluator(m.table, aten.LatestVersion, nil), Model: m, extents: make(map[string]*build.Number)}
		r.Bound(ctx, m.limits)
		r.Settled(items)
		if decide {
			r.DecideConditions()
		}
		return r
	}
	r := start()
	g, p, err = r.execute(types, before)
	if r.NeedsGenerator() {
		r = start()
		if err := r.StartGenerator(); err != nil {
			return nil, nil, false, err
		}
		g, p, err = r.execute(types, before)
	}
	return g, p, r.Undecided(), err
}

func (r *run) execute(types []ops.Type, before string) (*graph.Graph, []aten.Pattern, error) {
	m := r.Model
	was, err := aten.ParseForm(before, len(types))
	if err != nil {
		return nil, nil, err
	}
	own := len(types) - was.Values
	symbols, err := m.Contract.Check(types[:own])
	if err != nil {
		return nil, nil, err
	}
	r.symbols = symbols
	args, err := r.inputs(types[:own])
	if err != nil {
		return nil, nil, err
	}
	if err := r.Restore(was, types[own:]); err != nil {
		return nil, nil, err
	}
	r.StartJournal()
	r.noteVersions()
	out, err := r.graph(m.Program.Graph, args)
	if unsupported := r.Unsupported(); unsupported != nil {
		return nil, nil, unsupported // what else went wrong may follow from that
	}
	if err != nil {
		return nil, nil, err
	}
	g, err := r.finish(out, was, before)
	if err != nil {
		return nil, nil, err
	}
	return r.LowerQuantized(g)
}

// inputs makes inputs of the graph, and of them and the weights the arguments of the program.
func (r *run) inputs(types []ops.Type) ([]aten.Value, error) {
	args := make([]aten.Value, len(r.Program.Inputs))
	stored := make(map[*tensor.Tensor]*build.Tensor)
	var origins []aten.Value
	for i, in := range r.Program.Inputs {
		w := r.weights[i]
		switch {
		case w == nil:
			args[i], _ = r.plain(in.Arg)
			continue
		case stored[w] == nil:
			p := build.Parameter(in.Target, w)
			if w.DType().IsComplex() {
				var err error
				if p, err = build.ComplexParameter(in.Target, w); err != nil {
					return nil, err
				}
			}
			origins = append(origins, p)
			p.Store.ID = len(origins)
			stored[w] = p
		}
		args[i] = build.Alias(stored[w])
	}
	r.SetOrigins(origins)
	r.stored = stored
	r.given = make([]*build.Tensor, len(types))
	for k, in := range r.Contract.Inputs {
		v, err := r.input(in, types[k])
		if err != nil {
			return nil, &graph.InputError{Index: k, Name: in.Name, Reason: err.Error()}
		}
		args[in.spec] = v
		r.given[k], _ = v.(*build.Tensor)
	}
	return args, nil
}

// input makes an input of the graph. Extents that are fixed in the file are fixed for the graph, too.
func (r *run) input(in ContractInput, t ops.Type) (aten.Value, error) {
	v := r.Input(in.Name, t)
	if in.Meta == nil {
		n := r.InputNumber(v, t)
		if n == nil {
			return nil, errors.New("it is no number")
		}
		if in.Expr != nil {
			return r.PlainValue(n.To(build.Int)) // conditions on it were checked for this value only
		}
		return n.Plain(), nil
	}
	x, err := r.ProgramInput(v, t)
	if err != nil {
		return nil, err
	}
	dims := slices.Clone(r.Dims(x))
	for axis, e := range in.Meta.Sizes {
		switch {
		case e.Expr == nil:
			if _, err := r.PlainValue(dims[axis]); err != nil {
				return nil, err
			}
		case e.Expr.Op == opSymbol: // its extents are equal, which the contract sees to, and relations of the graph
			if r.extents[e.Expr.Symbol] == nil {
				r.extents[e.Expr.Symbol] = dims[axis]
			}
			dims[axis] = r.extents[e.Expr.Symbol]
		}
	}
	if x.Complex {
		r.SetDims(x.Value, append(slices.Clone(dims), build.Extent(2)))
	}
	r.SetDims(v, dims)
	if in.Meta.Wide != nil {
		return x, r.within(in.Meta.Wide, x)
	}
	if t.DType == in.Meta.DType {
		return x, nil
	}
	c, err := r.Cast(v, in.Meta.DType)
	if err != nil {
		return nil, err
	}
	return build.NewTensor(c), nil
}

// finish makes the graph of what the program returns and keeps.
func (r *run) finish(out []aten.Value, was aten.Form, before string) (*graph.Graph, error) {
	values, err := r.outputs(out)
	if err != nil {
		return nil, err
	}
	if err := r.checkShared(); err != nil {
		return nil, err
	}
	if err := r.Detach(values); err != nil {
		return nil, err
	}
	after, state, err := r.Keep(was)
	if err != nil {
		return nil, err
	}
	if err := r.FinishGenerator(); err != nil {
		return nil, err
	}
	r.Guards()
	g := r.Graph()
	r.bounds(g)
	g.SetOutputs(append(values, state...)...)
	if after != "" {
		g.State = &graph.State{Before: before, After: after, Inputs: was.Values, Outputs: len(state)}
	}
	g.RemoveDead()
	return g, g.Verify()
}

// outputs returns the values of the graph's outputs: the user's, in order and without None,
// and behind them what inputs are after the run, where it writes to them. What it writes
// to buffers is left in them.
func (r *run) outputs(out []aten.Value) ([]*graph.Value, error) {
	if err := r.CheckOutputs(len(out)); err != nil {
		return nil, err
	}
	var names []string
	if t := r.Program.Out; t != nil {
		names = t.Names()
	}
	var values []*graph.Value
	seen := make(map[*graph.Value]bool)
	add := func(v aten.Value, name string) error {
		v, err := aten.Given(v)
		if err != nil {
			return err
		}
		if missing, ok := v.(*aten.Missing); ok {
			return aten.UnsupportedOutput(missing.What)
		}
		if _, isText := v.(string); v == nil || isText {
			return nil
		}
		x, err := r.LeafValue(v)
		if t, ok := v.(*build.Tensor); ok && t.Complex {
			x, err = r.Output(t)
		}
		if err != nil {
			return err
		}
		if name != "" && x.Name == "" && x.Const == nil && !seen[x] {
			x.Name = name
		}
		seen[x] = true
		values = append(values, x)
		return nil
	}
	changed := make(map[string]aten.Value)
	user := 0
	for i, o := range r.Program.Outputs {
		if o.Kind == UserOutput {
			name := ""
			if user < len(names) {
				name = names[user]
			}
			user++
			if err := add(out[i], name); err != nil {
				return nil, fmt.Errorf("output %d: %w", i, err)
			}
			continue
		}
		if o.Kind == InputMutation {
			changed[o.Target] = out[i]
		} else if err := r.leave(o, out[i]); err != nil {
			return nil, fmt.Errorf("%v of %s: %w", o.Kind, o.Target, err)
		}
	}
	for k, in := range r.Contract.Inputs {
		v, ok := changed[in.Name]
		if x := r.given[k]; !ok && x != nil && x.Store.Version > 0 {
			v, ok = x, true
		}
		if !ok {
			continue
		}
		if err := add(v, in.Name+".after"); err != nil {
			return nil, err
		}
	}
	if len(values) == 0 {
		return nil, aten.UnsupportedOutput("a model that returns no tensor")
	}
	return values, nil
}

// leave leaves a new value in a buffer or parameter.
func (r *run) leave(o Output, v aten.Value) error {
	t, ok := v.(*build.Tensor)
	if !ok {
		return fmt.Errorf("it is a %s", aten.TypeName(v))
	}
	x, err := r.Read(t)
	if err != nil {
		return err
	}
	i := r.Program.written[weightName{o.Kind == ParameterMutation, o.Target}] // checked to be there
	return r.Write(r.stored[r.weights[i]], x)
}

// noteVersions remembers how often memory of the file was written to before the program began.
func (r *run) noteVersions() {
	r.versions = make(map[*build.Storage]int)
	for _, t := range r.stored {
		r.versions[t.Store] = t.Store.Version
	}
}

// checkShared refuses programs that write to memory that two of their tensors share in
// part: each has a copy here.
func (r *run) checkShared() error {
	for i, w := range r.weights {
		if w == nil || r.stored[w].Store.Version == r.versions[r.stored[w].Store] {
			continue
		}
		if j := r.overlaps[i]; j >= 0 {
			what := fmt.Sprintf("a write to %s, which shares memory with %s in the file", r.Program.Inputs[i].Target, r.Program.Inputs[j].Target)
			return aten.NewUnsupportedError([]aten.OperatorUse{{Name: what, Count: 1}})
		}
	}
	return nil
}

var (
	_ graph.Checker  = (*Model)(nil)
	_ graph.Exampler = (*Model)(nil)
	_ graph.Shaper   = (*Model)(nil)
)
