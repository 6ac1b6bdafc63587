// Package pickle decodes the pickles that torch.save and torch.jit.save write
// into plain values. Nothing a pickle names is ever run: classes and functions
// stay names, and what would call them becomes an Object.
//
// A pickle goes through two steps. The pass (pass.go) interprets every opcode
// abstractly, on kinds of values instead of values, and refuses what PyTorch does
// not write and whatever is not well formed. Then gopickle's machine runs the
// opcodes, on input for which each of them is known to be in order.
package pickle

import "fmt"

// Value is a decoded value:
//
//	None    nil          tuple          Tuple
//	bool    bool         list           *List
//	int     int64        dict           *Dict, with OrderedDict as Class too
//	long    *big.Int     class          *Class (also functions, dtypes, qschemes)
//	float   float64      instance       *Object (also results of functions)
//	str     string       persistent id  *Persistent
//	bytes   Bytes
//
// Pointers that were shared in Python are shared here. There are no cycles.
type Value any

// Bytes is a Python bytes object.
type Bytes []byte

// Tuple is a Python tuple.
type Tuple []Value

// List is a Python list.
type List struct{ Items []Value }

// Class is a module-level name: a class, a function or a constant.
type Class struct{ Module, Name string }

// String returns "module.name".
func (c *Class) String() string { return c.Module + "." + c.Name }

// Is reports whether the class has the given module and name.
func (c *Class) Is(module, name string) bool { return c.Module == module && c.Name == name }

// Object is what calling Class with Args gives, or, when New is set, a new
// instance that was not initialised. State is what was set on it afterwards, a
// dict of its attributes as a rule; Items and Dict are what was appended to and
// set in it, for classes derived from list and dict.
type Object struct {
	Class *Class
	Args  Tuple
	New   bool
	State Value
	Items []Value
	Dict  *Dict
}

// Persistent refers to something outside of the pickle: a storage.
type Persistent struct{ ID Tuple }

// Dict is a Python dict in insertion order. Keys are string, int64, float64,
// bool or nil.
type Dict struct {
	Ordered bool             // a collections.OrderedDict
	Attrs   map[string]Value // attributes of an OrderedDict
	keys    []Value
	values  []Value
	index   map[Value]int
}

// Len returns the number of keys.
func (d *Dict) Len() int { return len(d.keys) }

// At returns the i-th key and its value.
func (d *Dict) At(i int) (key, value Value) { return d.keys[i], d.values[i] }

// Get returns the value of a key, which must be of a kind that keys have.
func (d *Dict) Get(key Value) (Value, bool) {
	if i, ok := d.index[key]; ok {
		return d.values[i], true
	}
	return nil, false
}

// set sets a key as Python does: a key that is there keeps its place.
func (d *Dict) set(key, value Value) error {
	switch key.(type) {
	case nil, bool, int64, float64, string:
	default:
		return &Error{Reason: "the key of a dict is " + Describe(key)}
	}
	if i, ok := d.index[key]; ok {
		d.values[i] = value
		return nil
	}
	if d.index == nil {
		d.index = make(map[Value]int)
	}
	d.index[key] = len(d.keys)
	d.keys, d.values = append(d.keys, key), append(d.values, value)
	return nil
}

// Describe names what kind of value v is, for errors.
func Describe(v Value) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case Tuple:
		return fmt.Sprintf("a tuple of %d", len(v))
	case *List:
		return fmt.Sprintf("a list of %d", len(v.Items))
	case *Dict:
		return fmt.Sprintf("a dict of %d", v.Len())
	case *Class:
		return "the name " + v.String()
	case *Object:
		return "a " + v.Class.String()
	case *Persistent:
		return "a storage"
	case string:
		return "a string"
	case Bytes:
		return "bytes"
	}
	return fmt.Sprintf("the number %v", v)
}

// Error is a pickle that is refused, at a byte offset.
type Error struct {
	Offset int
	Reason string
	// Truncated says that the bytes end before the pickle does, and that nothing
	// is wrong up to there.
	Truncated bool
	Err       error
}

func (e *Error) Error() string {
	s := fmt.Sprintf("pickle byte %d: %s", e.Offset, e.Reason)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
