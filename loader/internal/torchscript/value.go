package torchscript

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/octet-ml/octet/tensor"
)

// value is what an expression gives:
//
//	None                     nil
//	bool, int, float, str    bool, int64, float64, string
//	the first three, where the inputs decide them   *number
//	complex                  complex128
//	Tensor                   *Tensor
//	tuple, list, dict        *tuple, *list, *dict
//	instance of a class      *object
//	member of an enum        *enum
//	function, method, class  Callable
//	device                   device
//	packed weights           *packed
type value any

// tuple is a tuple, or a named one.
type tuple struct {
	items []value
	class Class // of a NamedTuple
}

// itemsOf returns the elements of a tuple or list.
func itemsOf(v value) ([]value, bool) {
	switch v := v.(type) {
	case *tuple:
		return v.items, true
	case *list:
		return v.items, true
	}
	return nil, false
}

// list is a list, which is shared and can be changed.
type list struct {
	items []value
	id    int // of what the file holds
}

// dict is a dict in insertion order, which is shared and can be changed.
type dict struct {
	keys   []value
	values []value
	places map[value]int // of keys that are plain
	id     int           // of what the file holds
}

// plainKey returns a form of a key that Go compares as Python does: 1, 1.0 and
// True are one key.
func plainKey(key value) (value, bool) {
	switch k := key.(type) {
	case string, int64:
		return k, true
	case bool:
		return convert(k, intKind), true
	case float64:
		if i := int64(k); float64(i) == k {
			return i, true
		}
		return k, true
	}
	return nil, false
}

func (d *dict) index(key value) int {
	if k, ok := plainKey(key); ok {
		if i, ok := d.places[k]; ok {
			return i
		}
		return -1
	}
	return slices.IndexFunc(d.keys, func(k value) bool { return equalPlain(k, key) })
}

// get returns the value of a key.
func (d *dict) get(key value) (value, bool) {
	if i := d.index(key); i >= 0 {
		return d.values[i], true
	}
	return nil, false
}

// set gives a value to a key, new ones behind those there are.
func (d *dict) set(key, v value) {
	if i := d.index(key); i >= 0 {
		d.values[i] = v
		return
	}
	d.put(key, v)
}

// put adds a key that is not there.
func (d *dict) put(key, v value) {
	if k, ok := plainKey(key); ok {
		if d.places == nil {
			d.places = make(map[value]int)
		}
		d.places[k] = len(d.keys)
	}
	d.keys, d.values = append(d.keys, key), append(d.values, v)
}

// remove removes a key that is there.
func (d *dict) remove(i int) {
	keys, values := slices.Delete(slices.Clone(d.keys), i, i+1), slices.Delete(slices.Clone(d.values), i, i+1)
	*d = dict{id: d.id}
	for j, k := range keys {
		d.put(k, values[j])
	}
}

// clone returns a dict with the same keys and values.
func (d *dict) clone() *dict {
	out := &dict{id: d.id}
	for i, k := range d.keys {
		out.put(k, d.values[i])
	}
	return out
}

// device is a device's name.
type device string

// packed is the weight of a quantized layer, which PyTorch keeps in the form its
// backend computes with.
type packed struct {
	class  string // of the packing: "Conv2dPackedParamsBase"
	weight *tensor.Tensor
	bias   *tensor.Tensor // float32, or nil

	stride, padding, outputPadding, dilation []int
	groups                                   int
	transposed                               bool

	flat   *tensor.Tensor                     // weight without an extra dimension
	biases map[*tensor.QParams]*tensor.Tensor // as integers, by the input's parameters
}

// uninitialized is a value that may be passed on, but that no path uses.
type uninitialized struct{}

// unknown stands for what an operator that is not supported would give, so that
// the rest of the program can be looked at.
type unknown struct{}

// missing is an output that an operator does not give; using it is not supported.
type missing struct{ what string }

// typeName names the type of a value as TorchScript does.
func typeName(v value) string {
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
	case *number:
		return v.kind.String()
	case *Tensor:
		return "Tensor"
	case *tuple:
		if v.class != nil {
			return v.class.PublicName()
		}
		return "tuple of " + strconv.Itoa(len(v.items))
	case *list:
		return "list"
	case *dict:
		return "dict"
	case *object:
		return v.class.PublicName()
	case *enum:
		return v.class.PublicName()
	case device:
		return "device"
	case *packed:
		return v.class
	case Callable:
		return "function"
	case uninitialized:
		return "uninitialized value"
	case unknown, *missing:
		return "result of an unsupported operator"
	}
	return fmt.Sprintf("%T", v)
}

// walker bounds walks over values: a few lines of a program can nest a list in
// itself, or make one that is endless when written out.
type walker struct{ left, depth int }

const (
	maxWalk      = 1 << 20 // values visited
	maxWalkDepth = 100
)

// newWalker returns a walker for one walk.
func newWalker() *walker { return &walker{left: maxWalk} }

// enter counts a value. When it returns false the walk ends; otherwise leave follows.
func (w *walker) enter() bool {
	w.left--
	w.depth++
	return w.left > 0 && w.depth <= maxWalkDepth
}

// leave ends what enter began.
func (w *walker) leave() { w.depth-- }

// equalPlain compares values that hold no tensors and no numbers that the
// inputs decide, as == does.
func equalPlain(a, b value) bool { return newWalker().equal(a, b) }

func (w *walker) equal(a, b value) bool {
	if !w.enter() {
		return false
	}
	defer w.leave()
	if x, ok := plainFloat(a); ok {
		y, ok := plainFloat(b)
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
	case device:
		s, ok := b.(device)
		return ok && sameDevice(a, s)
	case complex128:
		c, ok := b.(complex128)
		return ok && a == c
	case *tuple:
		t, ok := b.(*tuple)
		return ok && slices.EqualFunc(a.items, t.items, w.equal)
	case *list:
		l, ok := b.(*list)
		return ok && slices.EqualFunc(a.items, l.items, w.equal)
	case *dict:
		d, ok := b.(*dict)
		if !ok || len(d.keys) != len(a.keys) {
			return false
		}
		for i, k := range a.keys {
			if v, ok := d.get(k); !ok || !w.equal(a.values[i], v) {
				return false
			}
		}
		return true
	case *enum:
		e, ok := b.(*enum)
		return ok && a.class == e.class && a.name == e.name
	}
	return a == b
}

// sameDevice reports whether two names mean one device. There is only one
// processor, whatever its index.
func sameDevice(a, b device) bool {
	trim := func(d device) string { return strings.TrimSuffix(string(d), ":0") }
	return trim(a) == trim(b)
}

// formatValue writes a value as str() and format strings do.
func formatValue(v value) string {
	switch v := v.(type) {
	case string:
		return v
	case *enum:
		name := v.class.Name()
		return name[strings.LastIndexByte(name, '.')+1:] + "." + v.name
	case device:
		return string(v)
	}
	return repr(v)
}

// repr writes a value as it would stand in source.
func repr(v value) string { return newWalker().repr(v) }

func (w *walker) repr(v value) string {
	if !w.enter() {
		return "..."
	}
	defer w.leave()
	join := func(items []value) string {
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
	case *number:
		if v.known != nil {
			return w.repr(v.known)
		}
		return "<" + v.kind.String() + " computed by the run>"
	case string:
		if w.left -= len(v); w.left < 0 {
			return "..."
		}
		return "'" + v + "'"
	case *Tensor:
		return "<Tensor>"
	case *tuple:
		if len(v.items) == 1 {
			return "(" + join(v.items) + ",)"
		}
		return "(" + join(v.items) + ")"
	case *list:
		return "[" + join(v.items) + "]"
	case *dict:
		parts := make([]string, len(v.keys))
		for i, k := range v.keys {
			parts[i] = w.repr(k) + ": " + w.repr(v.values[i])
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return "<" + typeName(v) + ">"
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
