package exported

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Contract is what a program takes: the types of its inputs, and what must hold of their
// extents. PyTorch looked at these when it exported the model, and left out whatever
// would have gone another way, so what violates them would be computed as another
// model. They are those that PyTorch checks itself when an exported program is called.
type Contract struct {
	Inputs []ContractInput
	ranges map[string]Range
	guards []Guard
	places map[string]int  // indices of Inputs, by the text of their places
	given  map[string]bool // symbols in extents of inputs, and those that are values of inputs
}

// ContractInput is an input that a caller gives.
type ContractInput struct {
	Name string
	Arg  Arg         // Tensor or Symbol
	Meta *TensorMeta // nil of a number
	Expr *Expr       // of a number: the symbol it is, nil if none
	spec int         // index of Program.Inputs
}

// Contract returns what the program takes. What it says in a way that is not read is
// an error, for a condition cannot be left out.
func (p *Program) Contract() (*Contract, error) {
	c := &Contract{ranges: p.Ranges, guards: p.Guards, places: make(map[string]int)}
	leaf := make(map[int]int) // of the user's inputs and constants, in order, to indices of Inputs
	leaves := 0
	for i, in := range p.Inputs {
		switch in.Kind {
		case UserInput:
			u, err := p.userInput(i)
			if err != nil {
				return nil, err
			}
			if u == nil {
				break
			}
			leaf[leaves] = len(c.Inputs)
			c.Inputs = append(c.Inputs, *u)
		case ConstantInput:
		default:
			continue
		}
		leaves++
	}
	c.place(p, leaf, leaves)
	c.given = c.symbols()
	c.assertions(p.Graph)
	for _, g := range p.Guards {
		if err := c.known(g.Cond); err != nil {
			return nil, &tensor.FileError{Reason: fmt.Sprintf("the guard %q on the inputs", g.Text), Err: err}
		}
	}
	return c, nil
}

// has reports whether a symbol stands in an input's extents or is its value.
func (in *ContractInput) has(symbol string) bool {
	if in.Meta == nil {
		return in.Expr != nil && in.Expr.Symbol == symbol
	}
	found := false
	for _, e := range in.Meta.Sizes {
		if e.Expr != nil {
			e.Expr.Symbols(func(name string) { found = found || name == symbol })
		}
	}
	return found
}

// userInput returns an input that a caller gives, nil for None and constants.
func (p *Program) userInput(i int) (*ContractInput, error) {
	in := p.Inputs[i]
	u := &ContractInput{Name: in.Name, Arg: in.Arg, spec: i}
	switch in.Arg.(type) {
	case Tensor:
		u.Meta = p.Graph.Tensors[in.Name]
		if err := u.Meta.readable(); err != nil {
			return nil, &tensor.FileError{Record: in.Name, Err: err}
		}
		return u, nil
	case Symbol:
		if e := p.Graph.Symbols[in.Name]; e.Op == opSymbol {
			u.Expr = e
		}
		return u, nil
	case nil, bool, int64, float64, string:
		return nil, nil
	}
	return nil, &tensor.FileError{Record: in.Name, Reason: fmt.Sprintf("an input of type %T is not read", in.Arg)}
}

// flatArgs are the inputs as leaves, by which the guards of strict export (PyTorch 2.14) call them.
const flatArgs = "flat_args"

// place finds how guards call the inputs.
func (c *Contract) place(p *Program, leaf map[int]int, leaves int) {
	if p.In == nil || p.In.Leaves() != leaves || len(p.In.Children) != 2 {
		for i, in := range c.Inputs {
			c.places["L['"+in.Name+"']"] = i
			c.places[placeText([]any{flatArgs, int64(i)})] = i
		}
		return
	}
	n := 0
	p.In.walk(nil, func(path []any) {
		i, ok := leaf[n]
		n++
		if !ok || len(path) < 2 {
			return
		}
		c.places[placeText([]any{flatArgs, int64(n - 1)})] = i
		path = path[1:] // args or kwargs
		if k, isIndex := path[0].(int64); isIndex && int(k) < len(p.ArgNames) {
			path = append([]any{p.ArgNames[k]}, path[1:]...)
			c.places[placeText(path)] = i
			// An argument of *args is called args_0 there and L['args'][0] in guards.
			if base, index, ok := cutNumber(p.ArgNames[k]); ok {
				path = append([]any{base, index}, path[1:]...)
			}
		}
		if _, taken := c.places[placeText(path)]; !taken {
			c.places[placeText(path)] = i
		}
	})
}

func placeText(path []any) string {
	text := "L"
	for _, k := range path {
		if s, ok := k.(string); ok {
			text += "['" + s + "']"
		} else {
			text += fmt.Sprintf("[%v]", k)
		}
	}
	return text
}

// cutNumber cuts the number off a name such as args_0.
func cutNumber(name string) (base string, number int64, ok bool) {
	i := strings.LastIndexByte(name, '_')
	if i < 0 {
		return "", 0, false
	}
	number, err := strconv.ParseInt(name[i+1:], 10, 64)
	if err != nil || strconv.FormatInt(number, 10) != name[i+1:] {
		return "", 0, false
	}
	return name[:i], number, true
}

// known checks that all inputs of a guard are there.
func (c *Contract) known(e *Expr) error {
	if e.Place != nil {
		i, ok := c.places[e.Place.Text]
		if !ok {
			return fmt.Errorf("%s is no input that a caller gives", e.Place.Text)
		}
		if (e.Op == opInput) == (c.Inputs[i].Meta != nil) {
			return fmt.Errorf("%v does not fit what the input %s is", e, c.Inputs[i].Name)
		}
		if len(e.Args) > 0 {
			rank := int64(len(c.Inputs[i].Meta.Sizes))
			if axis := e.Args[0].Const.(int64); axis < -rank || axis >= rank {
				return fmt.Errorf("%v of an input of %d dimensions", e, rank)
			}
		}
		return nil
	}
	for _, a := range e.Args {
		if err := c.known(a); err != nil {
			return err
		}
	}
	return nil
}

// Check checks the types of all inputs and returns the values of the symbols. What does
// not fit is a *graph.InputError that names the input and the condition.
func (c *Contract) Check(types []ops.Type) (map[string]int64, error) {
	if len(types) != len(c.Inputs) {
		names := make([]string, len(c.Inputs))
		for i, in := range c.Inputs {
			names[i] = in.Name
		}
		return nil, &graph.InputError{Index: -1, Reason: fmt.Sprintf("%d given where the model takes %v", len(types), names)}
	}
	b := &binding{Contract: c, types: types, symbols: make(map[string]int64), from: make(map[string]string)}
	for i := range c.Inputs {
		if err := b.input(i); err != nil {
			return nil, err
		}
	}
	if err := b.solve(); err != nil {
		return nil, err
	}
	for i := range c.Inputs {
		if err := b.extents(i); err != nil {
			return nil, err
		}
	}
	return b.symbols, b.conditions()
}

// binding is a check in progress.
type binding struct {
	*Contract
	types   []ops.Type
	symbols map[string]int64
	from    map[string]string // where the value of a symbol comes from
}

//go:noinline
func (b *binding) reject(i int, format string, args ...any) error {
	return &graph.InputError{Index: i, Name: b.Inputs[i].Name, Reason: fmt.Sprintf(format, args...)}
}

// input checks what is fixed of an input, and takes the extents that are symbols.
func (b *binding) input(i int) error {
	in, t := b.Inputs[i], b.types[i]
	if in.Meta == nil {
		v, ok := scalarOf(t.Known)
		if !ok {
			return b.reject(i, "it is %v where the model takes a number: give an array without dimensions", t)
		}
		if n, isInt := v.(int64); isInt && in.Expr != nil {
			return b.bind(i, in.Expr.Symbol, n, "its value")
		}
		return nil
	}
	if !accepts(in.Meta.DType, t.DType) || t.Q != nil {
		return b.reject(i, "it is %v where the model takes %s", t, in.Meta.Type)
	}
	if len(t.Shape) != len(in.Meta.Sizes) {
		return b.reject(i, "it has the shape %v where the model takes %s", t.Shape, in.Meta.shape())
	}
	for axis, e := range in.Meta.Sizes {
		have := int64(t.Shape[axis])
		if e.Expr == nil && e.Fixed != have {
			return b.reject(i, "its extent %d is %d where the model takes %d: that is fixed in the file (its shape is %s)", axis, have, e.Fixed, in.Meta.shape())
		}
		if e.Expr != nil && e.Expr.Op == opSymbol {
			if err := b.bind(i, e.Expr.Symbol, have, fmt.Sprintf("its extent %d", axis)); err != nil {
				return err
			}
		}
	}
	return nil
}

// accepts reports whether an input of one type may be given as another: arrays of NumPy
// have no bfloat16, so floats stand for the shorter ones, too.
func accepts(want, have tensor.DType) bool {
	return want == have || have == tensor.Float32 && (want == tensor.Float16 || want == tensor.BFloat16)
}

func (b *binding) bind(i int, symbol string, v int64, what string) error {
	if have, ok := b.symbols[symbol]; ok && have != v {
		return b.reject(i, "%s is %d where the model takes the same as %s, which is %d (%s)", what, v, b.from[symbol], have, symbol)
	} else if !ok {
		b.symbols[symbol], b.from[symbol] = v, strings.Replace(what, "its", b.Inputs[i].Name+"'s", 1)
	}
	return nil
}

// solve finds symbols that stand in expressions alone.
func (b *binding) solve() error {
	for found := true; found; {
		found = false
		for i, in := range b.Inputs {
			if in.Meta == nil {
				continue
			}
			for axis, e := range in.Meta.Sizes {
				if e.Expr == nil || e.Expr.Op == opSymbol {
					continue
				}
				symbol := b.unknown(e.Expr)
				if symbol == "" {
					continue
				}
				v, ok := solveFor(e.Expr, symbol, int64(b.types[i].Shape[axis]), b.scope())
				if !ok {
					return b.reject(i, "its extent %d is %d, which is not %v for any integer", axis, b.types[i].Shape[axis], e.Expr)
				}
				if err := b.bind(i, symbol, v, fmt.Sprintf("%s of its extent %d", symbol, axis)); err != nil {
					return err
				}
				found = true
			}
		}
	}
	return nil
}

// unknown returns the symbol of an expression that is not known, "" for none and for several.
func (b *binding) unknown(e *Expr) string {
	symbol, several := "", false
	e.Symbols(func(name string) {
		if _, ok := b.symbols[name]; ok || name == symbol {
			return
		}
		several = several || symbol != ""
		symbol = name
	})
	if several {
		return ""
	}
	return symbol
}

// extents checks the extents that are expressions.
func (b *binding) extents(i int) error {
	in := b.Inputs[i]
	if in.Meta == nil {
		return nil
	}
	for axis, e := range in.Meta.Sizes {
		if e.Expr == nil {
			continue
		}
		want, err := e.Expr.EvalInt(b.scope())
		if err != nil {
			return b.reject(i, "its extent %d should be %v: %v", axis, e.Expr, err)
		}
		if have := int64(b.types[i].Shape[axis]); have != want {
			return b.reject(i, "its extent %d is %d where the model takes %v, which is %d", axis, have, e.Expr, want)
		}
	}
	return nil
}

// conditions checks ranges and guards.
func (b *binding) conditions() error {
	names := make([]string, 0, len(b.symbols))
	for s := range b.symbols {
		names = append(names, s)
	}
	slices.Sort(names)
	for _, s := range names {
		r, ok := b.ranges[s]
		if !ok {
			continue
		}
		v := b.symbols[s]
		// PyTorch lets 0 and 1 pass where it says from 2.
		if v < r.Min && r.Min > 2 || v > r.Max {
			return b.reject(b.inputOf(s), "%s is %d where the model takes %s (%s)", b.from[s], v, r, s)
		}
	}
	for _, g := range b.guards {
		ok, err := g.Cond.Holds(b.scope())
		if err == nil && ok {
			continue
		}
		reason := "guard failed: " + g.Text
		var unknown *unknownError
		if errors.As(err, &unknown) {
			reason = "guard cannot be checked: " + g.Text
		}
		var is []string
		first := -1
		b.placesOf(g.Cond, func(e *Expr, input int) {
			if first < 0 {
				first = input
			}
			if v, ok := b.at(e); ok {
				if text := fmt.Sprintf("%v is %v", e, v); !slices.Contains(is, text) {
					is = append(is, text)
				}
			}
		})
		g.Cond.Symbols(func(name string) {
			if first < 0 {
				first = b.inputOf(name)
			}
			if text := fmt.Sprintf("%s is %d", name, b.symbols[name]); !slices.Contains(is, text) {
				is = append(is, text)
			}
		})
		if err != nil && unknown == nil {
			is = append(is, err.Error())
		}
		return b.reject(max(first, 0), "%s (%s)", reason, strings.Join(is, ", "))
	}
	return nil
}

// inputOf returns an input that a symbol stands in.
func (b *binding) inputOf(symbol string) int {
	return max(0, slices.IndexFunc(b.Inputs, func(in ContractInput) bool { return in.has(symbol) }))
}

func (b *binding) placesOf(e *Expr, f func(e *Expr, input int)) {
	if e.Place != nil {
		f(e, b.places[e.Place.Text])
		return
	}
	for _, a := range e.Args {
		b.placesOf(a, f)
	}
}

func (b *binding) scope() Scope {
	return Scope{
		Symbol: func(name string) (int64, bool) { v, ok := b.symbols[name]; return v, ok },
		Place:  b.at,
	}
}

// at gives what a guard asks of an input. Inputs are contiguous.
func (b *binding) at(e *Expr) (any, bool) {
	t := b.types[b.places[e.Place.Text]]
	switch e.Op {
	case opInput:
		return scalarOf(t.Known)
	case opOffset:
		return int64(0), true
	}
	axis := e.Args[0].Const.(int64)
	if axis < 0 {
		axis += int64(len(t.Shape))
	}
	if e.Op == opSize {
		return int64(t.Shape[axis]), true
	}
	return int64(t.Shape.Strides()[axis]), true
}

// shape writes the extents of a tensor for messages: [s0, 3].
func (m *TensorMeta) shape() string {
	parts := make([]string, len(m.Sizes))
	for i, e := range m.Sizes {
		if parts[i] = fmt.Sprint(e.Fixed); e.Expr != nil {
			parts[i] = e.Expr.String()
		}
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func (r Range) String() string {
	switch {
	case r.Max == math.MaxInt64:
		return fmt.Sprintf("at least %d", r.Min)
	case r.Min == math.MinInt64:
		return fmt.Sprintf("at most %d", r.Max)
	}
	return fmt.Sprintf("%d to %d", r.Min, r.Max)
}

// scalarOf returns the value of a tensor without dimensions.
func scalarOf(t *tensor.Tensor) (any, bool) {
	if t == nil || t.Rank() != 0 {
		return nil, false
	}
	switch t.DType() {
	case tensor.Bool:
		return t.Bytes()[0] != 0, true
	case tensor.Int64:
		return t.Int64s()[0], true
	case tensor.Int32:
		return int64(t.Int32s()[0]), true
	case tensor.Float32:
		return float64(t.Float32s()[0]), true
	case tensor.Float64:
		return tensor.Data[float64](t)[0], true
	}
	return nil, false
}
