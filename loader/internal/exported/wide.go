package exported

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/octet-ml/octet/loader/internal/aten"
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/loader/internal/container"
	"github.com/octet-ml/octet/tensor"
)

// Tensors of int16, uint16, uint32 and uint64 are kept in int32 and int64. A program says the element type of
// every value, so that results can be brought back into the range of theirs, as PyTorch's wrap around.

// source is a tensor that a node takes: how often its memory was written to before, and its element type in the file.
type source struct {
	version int
	kind    string
}

// hasWide reports whether a graph has tensors of wide types.
func (g *Graph) hasWide() bool {
	for _, m := range g.Tensors {
		if m.Wide != nil {
			return true
		}
	}
	return false
}

// sources returns the memory that a node takes; nil where no wide type is among its arguments and results.
func (s *scope) sources(n *Node) map[*build.Storage]source {
	if !s.wide {
		return nil
	}
	out := make(map[*build.Storage]source)
	wide := false
	var look func(a Arg, taken bool)
	look = func(a Arg, taken bool) {
		switch a := a.(type) {
		case List:
			for _, x := range a {
				look(x, taken)
			}
		case Tensor:
			m := s.of.Tensors[string(a)]
			wide = wide || m.Wide != nil
			if t, ok := s.values[string(a)].(*build.Tensor); ok && taken {
				out[t.Store] = source{t.Store.Version, m.Type}
			}
		}
	}
	for _, in := range n.Inputs {
		look(in.Arg, true)
	}
	for _, a := range n.Outputs {
		look(a, false)
	}
	if !wide {
		return nil
	}
	return out
}

// reinterprets reports whether a view is one of the same bytes in another element type.
func (s *scope) reinterprets(n *Node) bool {
	return slices.ContainsFunc(n.Inputs, func(in NamedArg) bool { _, ok := in.Arg.(ScalarType); return ok })
}

// settle returns a result of a node with sources as PyTorch has it: wrapped around where its type is a wide
// one, and with memory of its own where PyTorch's differs from that of its source in the type.
func (s *scope) settle(m *TensorMeta, t *build.Tensor) (*build.Tensor, error) {
	from, known := s.from[t.Store]
	switch {
	case s.from == nil:
		return t, nil
	case known && from.version == t.Store.Version && from.kind == m.Type:
		return t, nil // a view
	case m.Wide == nil && (!known || from.version != t.Store.Version):
		return t, nil
	}
	var y aten.Value
	var err error
	switch {
	case m.Wide == nil || m.Wide == container.Uint64:
		y, err = s.Dispatch("aten::clone", []aten.Value{t}, nil)
	case m.Wide.Signed:
		half := int64(1) << (8*m.Wide.Size - 1)
		y, err = s.chain(t, step{"aten::add", half}, step{"aten::bitwise_and", 2*half - 1}, step{"aten::sub", half})
	default:
		y, err = s.chain(t, step{"aten::bitwise_and", int64(1)<<(8*m.Wide.Size) - 1})
	}
	if err != nil {
		return nil, err
	}
	x := y.(*build.Tensor)
	if m.Wide == container.Uint64 {
		err = s.within(m.Wide, x)
	}
	if err != nil || !known || from.version == t.Store.Version {
		return x, err
	}
	v, err := s.Read(x)
	if err != nil {
		return nil, err
	}
	return t, s.Write(t, v)
}

// step is an operator and its second argument.
type step struct {
	name string
	by   int64
}

// chain applies operators one after the other.
func (r *run) chain(v aten.Value, steps ...step) (aten.Value, error) {
	var err error
	for _, step := range steps {
		if v, err = r.Dispatch(step.name, []aten.Value{v, step.by}, nil); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// within makes the run fail where a tensor holds values that a wide type does not have, or that octet's does not.
func (r *run) within(w *container.Wide, t *build.Tensor) error {
	low, high := int64(0), int64(math.MaxInt64)
	if w.Size < 8 {
		high = int64(1)<<(8*w.Size) - 1
	}
	if w.Signed {
		low, high = -(high+1)/2, high/2
	}
	ok, err := r.chain(t, step{"aten::ge", low})
	if err != nil {
		return err
	}
	if high < math.MaxInt64 {
		below, err := r.chain(t, step{"aten::le", high})
		if err != nil {
			return err
		}
		if ok, err = r.Dispatch("aten::logical_and", []aten.Value{ok, below}, nil); err != nil {
			return err
		}
	}
	if ok, err = r.Dispatch("aten::all", []aten.Value{ok}, nil); err != nil {
		return err
	}
	message := fmt.Sprintf("a value outside of %d to %d, the range of %s here", low, high, w.Name)
	_, err = r.Dispatch("aten::_assert_async", []aten.Value{ok, message}, nil)
	return err
}

// promoting are the operators that compute in the common element type of their tensors.
var promoting = map[string]bool{
	"add": true, "sub": true, "rsub": true, "mul": true, "div": true, "true_divide": true, "floor_divide": true, "remainder": true, "fmod": true,
	"pow": true, "maximum": true, "minimum": true, "fmax": true, "fmin": true, "atan2": true, "eq": true, "ne": true, "lt": true, "le": true, "gt": true, "ge": true,
	"bitwise_and": true, "bitwise_or": true, "bitwise_xor": true, "__and__": true, "__or__": true, "__xor__": true, "where": true,
	"addcmul": true, "addcdiv": true, "cat": true, "stack": true, "float_power": true, "logical_and": true, "logical_or": true, "logical_xor": true,
}

// promote makes int32 of the int8 and uint8 tensors that an operator takes together, for PyTorch computes with the two in int16.
// Ones without dimensions do not count beside others.
func (r *run) promote(name string, args []aten.Value, keywords map[string]aten.Value) error {
	base := strings.TrimPrefix(name, "aten::")
	inPlace := strings.HasSuffix(base, "_") && !promoting[base]
	if !promoting[strings.TrimSuffix(base, "_")] && !promoting[base] {
		return nil
	}
	var found [2]map[tensor.DType]bool // without and with dimensions
	either := func(t *build.Tensor) bool {
		return (t.DType() == tensor.Int8 || t.DType() == tensor.Uint8) && t.Type().Q == nil
	}
	find := func(t *build.Tensor) (aten.Value, error) {
		if either(t) {
			k := min(t.Rank(), 1)
			if found[k] == nil {
				found[k] = make(map[tensor.DType]bool)
			}
			found[k][t.DType()] = true
		}
		return t, nil
	}
	if err := replaceTensors(args, keywords, find); err != nil {
		return err
	}
	return replaceTensors(args, keywords, func(t *build.Tensor) (aten.Value, error) {
		if !either(t) || len(found[min(t.Rank(), 1)]) < 2 || inPlace && t == args[0] {
			return t, nil
		}
		return r.castTensor(t, tensor.Int32)
	})
}

// replaceTensors puts what f gives in the place of the tensors among arguments and in lists of them.
func replaceTensors(args []aten.Value, keywords map[string]aten.Value, f func(t *build.Tensor) (aten.Value, error)) (err error) {
	replace := func(v aten.Value) aten.Value {
		if t, ok := v.(*build.Tensor); ok && err == nil {
			v, err = f(t)
		}
		return v
	}
	all := func(v aten.Value) aten.Value {
		if l, ok := v.(*aten.List); ok {
			for i, x := range l.Items {
				l.Items[i] = replace(x)
			}
		}
		return replace(v)
	}
	for i, v := range args {
		args[i] = all(v)
	}
	for k, v := range keywords {
		keywords[k] = all(v)
	}
	return err
}
