package torchscript

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/octet-ml/octet/loader/internal/aten"
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/loader/internal/pickle"
	"github.com/octet-ml/octet/loader/internal/script"
	"github.com/octet-ml/octet/tensor"
)

// Source is the content of an archive, decoded.
type Source struct {
	Data      pickle.Value      // of data.pkl: the root module
	Constants []pickle.Value    // of constants.pkl
	Code      map[string][]byte // source files by their path below code/
	Version   int               // of the operators
	Limits    build.Limits      // of what the program may do while a graph is made
	Method    string            // of the root module that runs, "" for forward
	// Tensor returns the tensor that a value of a pickle is; constant says of
	// which one. It returns nil for what is no tensor.
	Tensor func(v pickle.Value, constant bool) (*tensor.Tensor, error)
	// Short reports whether a tensor's elements are int16, which Tensor returns in int32.
	Short func(v pickle.Value) bool
}

// reader makes values of an archive's pickles.
type reader struct {
	src     Source
	code    *code
	values  map[pickle.Value]aten.Value // of what is shared
	tensors map[*tensor.Tensor]*build.Tensor
	// contiguous keeps tensors in row-major order, so that all graphs of a program
	// have the same ones.
	contiguous map[*tensor.Tensor]*tensor.Tensor
	// origins are the objects, lists, dicts and tensors, in the order they are
	// read, which is the same each time.
	origins []aten.Value
	// states are objects whose own method restores them, with what it gets.
	states []restored
}

type restored struct {
	object *aten.Object
	state  aten.Value
}

// value decodes a value. where is its path in the tree, for names and errors.
func (r *reader) value(v pickle.Value, where string, constant bool) (aten.Value, error) {
	switch v := v.(type) {
	case nil, bool, int64, float64, string:
		return v, nil
	case pickle.Tuple:
		items, err := r.values1(v, where, constant)
		return &aten.Tuple{Items: items}, err
	case pickle.Bytes: // cannot be the key of a map
		return nil, &tensor.FileError{Record: where, Reason: "holds bytes, which no TorchScript value is"}
	}
	if known, ok := r.values[v]; ok {
		return known, nil
	}
	out, err := r.shared(v, where, constant)
	if err == nil {
		r.values[v] = out
	}
	return out, err
}

func (r *reader) values1(items []pickle.Value, where string, constant bool) ([]aten.Value, error) {
	out := make([]aten.Value, len(items))
	for i, item := range items {
		var err error
		if out[i], err = r.value(item, fmt.Sprintf("%s.%d", where, i), constant); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (r *reader) shared(v pickle.Value, where string, constant bool) (aten.Value, error) {
	t, err := r.src.Tensor(v, constant)
	if err != nil {
		return nil, &tensor.FileError{Record: where, Err: err}
	}
	if t != nil {
		if r.tensors[t] == nil {
			if r.contiguous[t] == nil {
				r.contiguous[t] = t.Contiguous()
			}
			p := build.Parameter(where, r.contiguous[t])
			if t.DType().IsComplex() {
				if p, err = build.ComplexParameter(where, t); err != nil {
					return nil, &tensor.FileError{Record: where, Err: err}
				}
			}
			p.Store.ID, p.Store.Short = r.origin(p), r.src.Short(v)
			p.Literal = constant
			r.tensors[t] = p
		}
		return r.tensors[t], nil
	}
	reject := func(format string, args ...any) error {
		return &tensor.FileError{Record: where, Reason: fmt.Sprintf(format, args...)}
	}
	switch v := v.(type) {
	case *pickle.List:
		return r.list(v, where, constant)
	case *pickle.Dict:
		d := &aten.Dict{}
		d.ID = r.origin(d)
		for i := range v.Len() {
			k, x := v.At(i)
			key, err := r.value(k, where, constant)
			if err != nil {
				return nil, err
			}
			item, err := r.value(x, fmt.Sprintf("%s.%v", where, k), constant)
			if err != nil {
				return nil, err
			}
			d.Set(key, item)
		}
		return d, nil
	case *pickle.Object:
		return r.object(v, where, constant)
	}
	return nil, reject("holds %s, which no TorchScript value is", pickle.Describe(v))
}

// origin numbers something that the archive holds, from 1 on.
func (r *reader) origin(v aten.Value) int {
	r.origins = append(r.origins, v)
	return len(r.origins)
}

func (r *reader) list(v *pickle.List, where string, constant bool) (aten.Value, error) {
	l := &aten.List{}
	l.ID = r.origin(l)
	var err error
	l.Items, err = r.values1(v.Items, where, constant)
	return l, err
}

// The functions that PyTorch pickles lists with, for their element types.
var listBuilders = []string{"build_intlist", "build_doublelist", "build_boollist", "build_tensorlist"}

func (r *reader) object(v *pickle.Object, where string, constant bool) (aten.Value, error) {
	reject := func(format string, args ...any) error {
		return &tensor.FileError{Record: where, Reason: fmt.Sprintf(format, args...)}
	}
	name := v.Class.String()
	switch {
	case v.Class.Module == "torch.jit._pickle" && slices.Contains(listBuilders, v.Class.Name) && len(v.Args) == 1:
		l, ok := v.Args[0].(*pickle.List)
		if !ok {
			return nil, reject("a list made of %s", pickle.Describe(v.Args[0]))
		}
		return r.list(l, where, constant)
	case v.Class.Is("torch.jit._pickle", "restore_type_tag") && len(v.Args) == 2:
		return r.value(v.Args[0], where, constant)
	case v.Class.Is("torch", "device") && len(v.Args) >= 1:
		kind, ok := v.Args[0].(string)
		if !ok {
			return nil, reject("a device named %s", pickle.Describe(v.Args[0]))
		}
		return aten.Device(kind), nil
	case v.Class.Is("builtins", "complex") && len(v.Args) == 2:
		re, ok1 := v.Args[0].(float64)
		im, ok2 := v.Args[1].(float64)
		if ok1 && ok2 {
			return complex(re, im), nil
		}
	}
	if c := r.code.classes[name]; c != nil {
		return r.instance(c, v, where, constant)
	}
	if strings.HasPrefix(name, packedClasses) {
		state, err := r.value(v.State, where, constant)
		if err != nil {
			return nil, err
		}
		p, err := aten.UnpackWeights(v.Class.Name, state)
		if err != nil {
			return nil, &tensor.FileError{Record: where, Err: err}
		}
		return p, nil
	}
	return nil, reject("is a %s, a class that the archive's code does not define", name)
}

// instance makes an instance of a class of the archive's code.
func (r *reader) instance(c *class, v *pickle.Object, where string, constant bool) (aten.Value, error) {
	switch c.def.Base {
	case script.BaseEnum:
		if len(v.Args) != 1 {
			return nil, &tensor.FileError{Record: where, Reason: "a member of an enum without its value"}
		}
		x, err := r.value(v.Args[0], where, constant)
		if err != nil {
			return nil, err
		}
		for name, e := range c.finals {
			if lit := literal(e); lit != nil && aten.EqualPlain(*lit, x) {
				return &aten.Enum{Class: c, Name: name, Value: x}, nil
			}
		}
		return nil, &tensor.FileError{Record: where, Reason: fmt.Sprintf("%s has no member %s", c.public, aten.Repr(x))}
	case script.BaseNamedTuple:
		items, err := r.values1(v.Args, where, constant)
		if err == nil && len(items) != len(c.def.Attributes) {
			err = &tensor.FileError{Record: where, Reason: fmt.Sprintf("a %s of %d elements", c.public, len(items))}
		}
		return &aten.Tuple{Items: items, Class: c}, err
	}
	o := aten.NewObject(c)
	o.ID = r.origin(o)
	if c.isModule() {
		o.Path = where
	}
	r.values[v] = o
	if c.methods["__setstate__"] != nil {
		state, err := r.value(v.State, where, constant)
		r.states = append(r.states, restored{o, state})
		return o, err
	}
	if v.State == nil {
		return o, nil
	}
	attrs, ok := v.State.(*pickle.Dict)
	if !ok {
		return nil, &tensor.FileError{Record: where, Reason: fmt.Sprintf("the attributes of a %s are %s", c.public, pickle.Describe(v.State))}
	}
	for i := range attrs.Len() {
		k, x := attrs.At(i)
		name, ok := k.(string)
		if !ok {
			return nil, &tensor.FileError{Record: where, Reason: "an attribute whose name is " + pickle.Describe(k)}
		}
		path := name
		if where != "" {
			path = where + "." + name
		}
		a, err := r.value(x, path, constant)
		if err != nil {
			return nil, err
		}
		o.Set(name, a)
	}
	return o, nil
}

// literal returns the value of a literal, nil for another expression.
func literal(x script.Expr) *aten.Value {
	var v aten.Value
	switch x := x.(type) {
	case *script.IntLit:
		v = x.Value
	case *script.FloatLit:
		v = x.Value
	case *script.StringLit:
		v = x.Value
	case *script.BoolLit:
		v = x.Value
	case *script.NoneLit:
	default:
		return nil
	}
	return &v
}

var errNoModule = errors.New("the archive holds no module")
