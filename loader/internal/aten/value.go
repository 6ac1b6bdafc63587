package aten

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/tensor"
)

// Value is what an expression gives:
//
//	None                     nil
//	bool, int, float, str    bool, int64, float64, string
//	the first three, where the inputs decide them   *build.Number
//	complex                  complex128
//	Tensor                   *build.Tensor
//	tuple, list, dict        *Tuple, *List, *Dict
//	instance of a class      *Object
//	member of an enum        *Enum
//	function, method, class  Callable
//	device                   Device
//	packed weights           *Packed, *CellParams, *LayerContext
//	nested tensor            *Nested
type Value any

// Tuple is a tuple, or a named one.
type Tuple struct {
	Items []Value
	Class Class // of a NamedTuple
}

// Items returns the elements of a tuple or list.
//
//go:noinline
func Items(v Value) ([]Value, bool) {
	switch v := v.(type) {
	case *Tuple:
		return v.Items, true
	case *List:
		return v.Items, true
	}
	return nil, false
}

// List is a list, which is shared and can be changed.
type List struct {
	Items []Value
	Of    string // type of the elements where the program says it, such as "int": an empty list does not show it
	ID    int    // of what the file holds
}

// Dict is a dict in insertion order, which is shared and can be changed.
type Dict struct {
	Keys   []Value
	Values []Value
	places map[Value]int // of keys that are plain
	ID     int           // of what the file holds
}

// plainKey returns a form of a key that Go compares as Python does: 1, 1.0 and
// True are one key.
func plainKey(key Value) (Value, bool) {
	switch k := key.(type) {
	case string, int64:
		return k, true
	case bool:
		return build.Convert(k, build.Int), true
	case float64:
		if i := int64(k); float64(i) == k {
			return i, true
		}
		return k, true
	}
	return nil, false
}

func (d *Dict) index(key Value) int {
	if k, ok := plainKey(key); ok {
		if i, ok := d.places[k]; ok {
			return i
		}
		return -1
	}
	return slices.IndexFunc(d.Keys, func(k Value) bool { return EqualPlain(k, key) })
}

// Get returns the value of a key.
func (d *Dict) Get(key Value) (Value, bool) {
	if i := d.index(key); i >= 0 {
		return d.Values[i], true
	}
	return nil, false
}

// Set gives a value to a key, new ones behind those there are.
//
//go:noinline
func (d *Dict) Set(key, v Value) {
	if i := d.index(key); i >= 0 {
		d.Values[i] = v
		return
	}
	d.put(key, v)
}

// put adds a key that is not there.
func (d *Dict) put(key, v Value) {
	if k, ok := plainKey(key); ok {
		if d.places == nil {
			d.places = make(map[Value]int)
		}
		d.places[k] = len(d.Keys)
	}
	d.Keys, d.Values = append(d.Keys, key), append(d.Values, v)
}

// remove removes a key that is there.
func (d *Dict) remove(i int) {
	keys, values := slices.Delete(slices.Clone(d.Keys), i, i+1), slices.Delete(slices.Clone(d.Values), i, i+1)
	*d = Dict{ID: d.ID}
	for j, k := range keys {
		d.put(k, values[j])
	}
}

// clone returns a dict with the same keys and values.
func (d *Dict) clone() *Dict {
	out := &Dict{ID: d.ID}
	for i, k := range d.Keys {
		out.put(k, d.Values[i])
	}
	return out
}

// Device is a device's name.
type Device string

// Packed is the weight of a quantized layer, which PyTorch keeps in the form its
// backend computes with.
type Packed struct {
	class  string // of the packing: "Conv2dPackedParamsBase"
	Weight *tensor.Tensor
	Bias   *tensor.Tensor // float32, or nil

	stride, padding, outputPadding, dilation []int
	groups                                   int
	transposed                               bool

	flat   *tensor.Tensor              // weight without an extra dimension
	biases map[*tensor.QParams]intBias // as integers, by the input's parameters
}

// Uninitialized is a value that may be passed on, but that no path uses.
type Uninitialized struct{}

// Unknown stands for what an operator that is not supported would give, so that
// the rest of the program can be looked at.
type Unknown struct{}

// Missing is an output that an operator does not give, and whose use is not supported, or one that is computed where it is used.
type Missing struct {
	What string
	make func() (Value, error)
}

// Given returns a value, computed where that was left until now.
func Given(v Value) (Value, error) {
	if m, ok := v.(*Missing); ok && m.make != nil {
		return m.make()
	}
	return v, nil
}

// TypeName names the type of a value as TorchScript does.
func TypeName(v Value) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return "bool"
	case int64:
		return "int"
	case float64:
		return "float"
	case complex128:
		return "complex"
	case string:
		return "str"
	case *build.Number:
		return v.Kind.String()
	case *build.Tensor:
		return "Tensor"
	case *Tuple:
		if v.Class != nil {
			return v.Class.PublicName()
		}
		return "tuple of " + strconv.Itoa(len(v.Items))
	case *List:
		return "list"
	case *Dict:
		return "dict"
	case *Object:
		return v.Class.PublicName()
	case *Enum:
		return v.Class.PublicName()
	case Device:
		return "device"
	case *LayerContext:
		return v.class
	case *CellParams:
		return "CellParamsBase"
	case *Nested:
		return "nested tensor"
	case *Packed:
		return v.class
	case Callable:
		return "function"
	case Uninitialized:
		return "uninitialized value"
	case Unknown, *Missing:
		return "result of an unsupported operator"
	}
	return fmt.Sprintf("%T", v)
}

// Walker bounds walks over values: a few lines of a program can nest a list in
// itself, or make one that is endless when written out.
type Walker struct{ left, depth int }

const (
	maxWalk      = 1 << 20 // values visited
	maxWalkDepth = 100
)

// NewWalker returns a walker for one walk.
func NewWalker() *Walker { return &Walker{left: maxWalk} }

// Enter counts a value. When it returns false the walk ends; otherwise leave follows.
func (w *Walker) Enter() bool {
	w.left--
	w.depth++
	return w.left > 0 && w.depth <= maxWalkDepth
}

// Leave ends what enter began.
func (w *Walker) Leave() { w.depth-- }

// EqualPlain compares values that hold no tensors and no numbers that the
// inputs decide, as == does.
func EqualPlain(a, b Value) bool { return NewWalker().equal(a, b) }

func (w *Walker) equal(a, b Value) bool {
	if !w.Enter() {
		return false
	}
	defer w.Leave()
	if x, ok := build.ToFloat(a); ok {
		y, ok := build.ToFloat(b)
		if i, isInt := a.(int64); isInt {
			if j, isInt := b.(int64); isInt {
				return i == j
			}
		}
		return ok && x == y
	}
	switch a := a.(type) {
	case nil:
		return b == nil
	case string:
		s, ok := b.(string)
		w.left -= len(a) / 16
		return ok && a == s
	case Device:
		s, ok := b.(Device)
		return ok && sameDevice(a, s)
	case complex128:
		c, ok := b.(complex128)
		return ok && a == c
	case *Tuple:
		t, ok := b.(*Tuple)
		return ok && slices.EqualFunc(a.Items, t.Items, w.equal)
	case *List:
		l, ok := b.(*List)
		return ok && slices.EqualFunc(a.Items, l.Items, w.equal)
	case *Dict:
		d, ok := b.(*Dict)
		if !ok || len(d.Keys) != len(a.Keys) {
			return false
		}
		for i, k := range a.Keys {
			if v, ok := d.Get(k); !ok || !w.equal(a.Values[i], v) {
				return false
			}
		}
		return true
	case *Enum:
		e, ok := b.(*Enum)
		return ok && a.Class == e.Class && a.Name == e.Name
	}
	return a == b
}

// sameDevice reports whether two names mean one device. There is only one
// processor, whatever its index.
func sameDevice(a, b Device) bool {
	trim := func(d Device) string { return strings.TrimSuffix(string(d), ":0") }
	return trim(a) == trim(b)
}

// Format writes a value as str() and format strings do.
func Format(v Value) string {
	switch v := v.(type) {
	case string:
		return v
	case *Enum:
		name := v.Class.Name()
		return name[strings.LastIndexByte(name, '.')+1:] + "." + v.Name
	case Device:
		return string(v)
	}
	return Repr(v)
}

// Repr writes a value as it would stand in source.
func Repr(v Value) string { return NewWalker().repr(v) }

func (w *Walker) repr(v Value) string {
	if !w.Enter() {
		return "..."
	}
	defer w.Leave()
	join := func(items []Value) string {
		parts := make([]string, len(items))
		for i, x := range items {
			parts[i] = w.repr(x)
		}
		return strings.Join(parts, ", ")
	}
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return formatFloat(v)
	case *build.Number:
		if v.Known != nil {
			return w.repr(v.Known)
		}
		return "<" + v.Kind.String() + " computed by the run>"
	case string:
		if w.left -= len(v); w.left < 0 {
			return "..."
		}
		return "'" + v + "'"
	case *build.Tensor:
		return "<Tensor>"
	case *Tuple:
		if len(v.Items) == 1 {
			return "(" + join(v.Items) + ",)"
		}
		return "(" + join(v.Items) + ")"
	case *List:
		return "[" + join(v.Items) + "]"
	case *Dict:
		parts := make([]string, len(v.Keys))
		for i, k := range v.Keys {
			parts[i] = w.repr(k) + ": " + w.repr(v.Values[i])
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return "<" + TypeName(v) + ">"
}

// formatFloat writes a float as Python does.
func formatFloat(v float64) string {
	switch {
	case math.IsNaN(v):
		return "nan"
	case math.IsInf(v, 0):
		return strings.Replace(strconv.FormatFloat(v, 'g', -1, 64), "+", "", 1)
	case v == math.Trunc(v) && math.Abs(v) < 1e16:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
