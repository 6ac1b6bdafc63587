package exported

import (
	"errors"
	"fmt"
	"strings"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader/internal/aten"
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// run is an execution of a program for inputs of given types, of which a graph comes.
type run struct {
	*aten.Evaluator
	*Model
	symbols  map[string]int64
	extents  map[string]*build.Number         // of the first input that has each symbol
	stored   map[*tensor.Tensor]*build.Tensor // tensors of the file
	given    []*build.Tensor                  // inputs, nil of a number
	versions map[*build.Storage]int           // of what is stored, at the beginning
	nested   int
	autocast tensor.DType // element type of products inside of autocast, Invalid outside
	scopes   map[string]graph.Scope
}

// place says where a node stands.
type place struct{ module, node string }

func (p place) String() string {
	if p.module == "" {
		return p.node
	}
	return p.module + ": " + p.node
}

// place returns where node i stands.
func (n *Node) place(i int) place {
	module, _ := ModuleScope(n.Stack)
	name := n.Name
	if name == "" && len(n.Outputs) > 0 {
		name = nameOf(n.Outputs[0])
	}
	if name == "" {
		name = fmt.Sprintf("node %d", i)
	}
	return place{module, name}
}

// scope holds the values of a graph that is executed, by name.
type scope struct {
	*run
	of     *Graph
	values map[string]aten.Value
	// unchecked is set for results of which files say wrong shapes: PyTorch gives the states
	// of an LSTM on a CPU one dimension too many.
	unchecked bool
	// integers is set where values that are quantized are passed on as they are: to operators
	// that dequantize. Others get plain integers.
	integers bool
	wide     bool
	used     map[string]bool           // names
	from     map[*build.Storage]source // what the node that is executed takes, where wide types are about
}

// graph executes a graph and returns its outputs.
func (r *run) graph(g *Graph, args []aten.Value) ([]aten.Value, error) {
	if len(args) != len(g.Inputs) {
		return nil, fmt.Errorf("a graph of %d inputs gets %d", len(g.Inputs), len(args))
	}
	if r.nested++; r.nested > maxNested {
		return nil, errors.New("graphs are nested too deeply")
	}
	defer func() { r.nested-- }()
	s := &scope{run: r, of: g, values: make(map[string]aten.Value), wide: g.hasWide()}
	for i, in := range g.Inputs {
		if err := s.set(in, args[i]); err != nil {
			return nil, fmt.Errorf("input %d: %w", i, err)
		}
	}
	live, used := g.live()
	s.used = used
	for i := range g.Nodes {
		if !live[i] {
			continue
		}
		if err := s.node(&g.Nodes[i], i); err != nil {
			return nil, err
		}
	}
	out := make([]aten.Value, len(g.Outputs))
	for i, a := range g.Outputs {
		var err error
		if out[i], err = s.value(a); err != nil {
			return nil, fmt.Errorf("output %d: %w", i, err)
		}
	}
	return out, nil
}

// node executes a node.
func (s *scope) node(n *Node, i int) error {
	if err := s.Step(); err != nil {
		return err
	}
	outer := s.Scope
	s.Scope = s.module(n.Stack)
	defer func() { s.Scope = outer }()
	err := s.call(n, i)
	var done *Error
	if err == nil || errors.As(err, &done) {
		return err
	}
	return &Error{Node: n.label(i), Module: s.Scope.Path, Err: err}
}

// module returns the module that a node came from; one without is of that around it.
func (r *run) module(stack string) graph.Scope {
	if s, ok := r.scopes[stack]; ok {
		return s
	}
	path, class := ModuleScope(stack)
	s := graph.Scope{Path: path, Class: class}
	if path == "" && class == "" {
		return r.Scope
	}
	if r.scopes == nil {
		r.scopes = make(map[string]graph.Scope)
	}
	r.scopes[stack] = s
	return s
}

func (s *scope) call(n *Node, i int) error {
	at := n.place(i)
	if name, ok := strings.CutPrefix(n.Target, higherOrderPrefix); ok {
		return s.higherOrder(n, at, name)
	}
	name := operatorName(n.Target)
	if name == "" {
		s.Note(at, describeTarget(n.Target))
		return s.results(n, aten.Unknown{})
	}
	if cond := n.assertion(s.of); cond != nil && s.Contract.extentsOnly(cond) {
		return nil // of the inputs, which were checked
	}
	s.integers = strings.HasPrefix(name, "quantized_decomposed::dequantize")
	args, keywords, err := s.arguments(n)
	s.integers = false
	if err != nil {
		return err
	}
	if s.autocast != tensor.Invalid {
		if err := s.lower(name, args, keywords); err != nil {
			return err
		}
	}
	if err := s.promote(name, args, keywords); err != nil {
		return err
	}
	if s.from = s.sources(n); s.from != nil && name == "aten::view" && s.reinterprets(n) {
		return errors.New("bytes of int16, uint16, uint32 and uint64 are not seen as other types")
	}
	defer func() { s.from = nil }()
	if name == "aten::batch_norm" {
		name, args, keywords = trainedBatchNorm(name, args, keywords)
	}
	v, err := s.Operator(at, name, args, keywords)
	if err != nil {
		return err
	}
	if n.Target == "_operator.pow" && intPower(args) { // an int in Python, a float in TorchScript
		if v, err = s.Operator(at, "aten::Int", []aten.Value{v}, nil); err != nil {
			return err
		}
	}
	if items, ok := aten.Items(v); ok && name == "aten::_batch_norm_with_update" && operatorName(n.Target) != name {
		v = items[0]
	}
	s.unchecked = name == "aten::lstm"
	defer func() { s.unchecked = false }()
	return s.results(n, v)
}

// trainedBatchNorm returns the call of batch norm in training mode that updates running statistics as
// PyTorch's operator for that; other calls as they are. The first five arguments are input, weight,
// bias and the running statistics, then come training, momentum and eps.
func trainedBatchNorm(name string, args []aten.Value, keywords map[string]aten.Value) (string, []aten.Value, map[string]aten.Value) {
	all := make([]aten.Value, 8)
	for i, p := range []string{"input", "weight", "bias", "running_mean", "running_var", "training", "momentum", "eps"} {
		if i < len(args) {
			all[i] = args[i]
		} else {
			all[i] = keywords[p]
		}
	}
	if all[5] != true || all[3] == nil || all[4] == nil {
		return name, args, keywords
	}
	return "aten::_batch_norm_with_update", append(all[:5:5], all[6:]...), nil
}

// arguments returns the arguments of an operator. Where a program does not say how they
// are passed, which those of PyTorch 2.6 do not, the first, which every call has, is
// positional and the others are bound by name.
func (s *scope) arguments(n *Node) ([]aten.Value, map[string]aten.Value, error) {
	var args []aten.Value
	var keywords map[string]aten.Value
	positional := !strings.HasPrefix(n.Target, operatorPrefix)
	for i, in := range n.Inputs {
		v, err := s.value(in.Arg)
		if err != nil {
			return nil, nil, fmt.Errorf("argument %s: %w", in.Name, err)
		}
		if positional || in.Kind == Positional || in.Kind == UnknownKind && i == 0 {
			args = append(args, v)
			continue
		}
		if keywords == nil {
			keywords = make(map[string]aten.Value)
		}
		if _, twice := keywords[in.Name]; twice {
			return nil, nil, fmt.Errorf("argument %s stands twice", in.Name)
		}
		keywords[in.Name] = v
	}
	return args, keywords, nil
}

// value returns an argument as a value.
func (s *scope) value(a Arg) (aten.Value, error) {
	switch a := a.(type) {
	case Tensor, Symbol:
		v, ok := s.values[nameOf(a)]
		if !ok {
			return nil, fmt.Errorf("%q has no value", nameOf(a))
		}
		if t, ok := v.(*build.Tensor); ok && !s.integers && t.Type().Q != nil {
			return s.PlainIntegers(t, s.of.Tensors[nameOf(a)].DType)
		}
		return v, nil
	case List:
		out := &aten.List{Items: make([]aten.Value, len(a))}
		for i, x := range a {
			var err error
			if out.Items[i], err = s.value(x); err != nil {
				return nil, err
			}
		}
		return out, s.Spend(len(a))
	case Dict:
		out := &aten.Dict{}
		for i, x := range a.Values {
			v, err := s.value(x)
			if err != nil {
				return nil, err
			}
			out.Set(a.Keys[i], v)
		}
		return out, s.Spend(len(a.Values))
	}
	return s.plain(a)
}

// torchTypes are the element types in the numbering of operators, wide ones as those that hold their values.
var torchTypes = map[ScalarType]int64{1: 0, 2: 1, 4: 3, 5: 4, 6: 5, 7: 6, 8: 7, 10: 9, 11: 10, 12: 11, 13: 15, 3: 3, 28: 3, 34: 4, 35: 4}

// plain returns an argument that refers to no value.
func (r *run) plain(a Arg) (aten.Value, error) {
	switch a := a.(type) {
	case nil, bool, int64, float64, string, complex128:
		return a, nil
	case ScalarType:
		if n, ok := torchTypes[a]; ok {
			return n, nil
		}
		return nil, fmt.Errorf("tensors of %s are not supported", a)
	case Layout:
		if a == Strided {
			return int64(0), nil
		}
		return nil, fmt.Errorf("tensors of layout %s are not supported", a)
	case MemoryFormat:
		if n, ok := map[MemoryFormat]int64{ContiguousFormat: 0, PreserveFormat: 1, ChannelsLast: 2, ChannelsLast3D: 3}[a]; ok {
			return n, nil
		}
		return nil, fmt.Errorf("memory format %d is not known", a)
	case Device:
		if a == "meta" {
			return nil, errors.New("tensors on the device meta have no elements")
		}
		return aten.Device("cpu"), nil
	}
	return nil, fmt.Errorf("an argument of type %T is not supported", a)
}

// results gives the results of a node their names.
func (s *scope) results(n *Node, v aten.Value) error {
	if _, ok := v.(aten.Unknown); ok {
		for _, out := range n.Outputs {
			s.unknown(out)
		}
		return nil
	}
	switch len(n.Outputs) {
	case 0:
		return nil
	case 1:
		if _, isTensor := v.(*build.Tensor); isTensor || v == nil || build.IsNumber(v) {
			return s.set(n.Outputs[0], v)
		}
		if _, isList := n.Outputs[0].(List); isList {
			return s.set(n.Outputs[0], v)
		}
	}
	items, ok := aten.Items(v)
	if !ok || len(items) < len(n.Outputs) {
		return fmt.Errorf("a %s where the file has %d results", aten.TypeName(v), len(n.Outputs))
	}
	for i, out := range n.Outputs {
		if err := s.set(out, items[i]); err != nil {
			return err
		}
	}
	return nil
}

// unknown gives results of an operator that is not supported.
func (s *scope) unknown(out Arg) {
	if list, ok := out.(List); ok {
		for _, x := range list {
			s.unknown(x)
		}
		return
	}
	s.values[nameOf(out)] = aten.Unknown{}
}

// intPower reports whether a power is one of two ints, the second of which is not negative.
func intPower(args []aten.Value) bool {
	for _, a := range args {
		if k, ok := build.KindOf(a); !ok || k == build.Float {
			return false
		}
	}
	n, ok := args[len(args)-1].(int64)
	return ok && n >= 0
}

// set gives a value its name, and compares it with what the file says of it.
func (s *scope) set(out Arg, v aten.Value) error {
	switch out := out.(type) {
	case List:
		items, ok := aten.Items(v)
		if !ok || len(items) < len(out) {
			return fmt.Errorf("a %s where the file has a list of %d", aten.TypeName(v), len(out))
		}
		for i, x := range out {
			if err := s.set(x, items[i]); err != nil {
				return err
			}
		}
		return nil
	case Tensor:
		if n := build.AsNumber(v); n != nil {
			t := build.OfNumber(n)
			v = t
			if d := s.of.Tensors[string(out)].DType; d.IsFloat() && t.DType().IsFloat() { // the default type of what was computed with numbers only
				var err error
				if v, err = s.castTensor(t, d); err != nil {
					return err
				}
			}
		}
		if t, ok := v.(*build.Tensor); ok {
			if err := s.compare(string(out), t); err != nil {
				return err
			}
			var err error
			if v, err = s.settle(s.of.Tensors[string(out)], t); err != nil {
				return err
			}
		}
		s.values[string(out)] = v
	case Symbol:
		if t, ok := v.(*build.Tensor); ok {
			var err error
			if v, err = aten.Item(s.Builder, t, build.KindOfDType(t.DType())); err != nil {
				return err
			}
		}
		s.values[string(out)] = v
	}
	return nil
}

// compare refuses a tensor that is not what the file says of it: either the file is wrong,
// or octet computes something else than PyTorch.
func (s *scope) compare(name string, t *build.Tensor) error {
	m := s.of.Tensors[name]
	if m.DType == tensor.Invalid || s.unchecked || s.used != nil && !s.used[name] {
		return nil // PyTorch 2.6 says of the last part of split() what holds for the example alone
	}
	have := t.Type()
	if t.Complex {
		have = ops.Type{DType: tensor.Complex64, Shape: have.Shape[:t.Rank()]}
		if t.DType() == tensor.Float64 {
			have.DType = tensor.Complex128
		}
	}
	if have.Q != nil && m.DType == tensor.Int8 {
		have.DType = tensor.Int8 // stored in uint8
	}
	ok := have.DType == m.DType && len(have.Shape) == len(m.Sizes)
	for axis := 0; ok && axis < len(m.Sizes); axis++ {
		e := m.Sizes[axis]
		want := e.Fixed
		if e.Expr != nil {
			var err error
			if want, err = e.Expr.EvalInt(Scope{Symbol: s.symbol}); err != nil {
				continue // a number that only the run knows
			}
		}
		ok = want == int64(have.Shape[axis])
	}
	if !ok {
		return fmt.Errorf("%s is %v where the file says %s%s", name, have, m.Type, m.shape())
	}
	return nil
}

func (r *run) symbol(name string) (int64, bool) {
	v, ok := r.symbols[name]
	return v, ok
}
