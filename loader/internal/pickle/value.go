// Package pickle decodes the pickles that torch.save and torch.jit.save write
// into plain values. Nothing a pickle names is ever run: classes and functions
// stay names, and what would call them becomes an Object.
//
// A pickle is read twice. The scanner (scan.go) reads its opcodes alone and refuses
// what PyTorch does not write, what does not fit and what is too much. Then the
// machine (machine.go) makes the values.
package pickle

import (
	"fmt"
	"slices"

	"github.com/octet-ml/octet/internal/nametable"
)

// Value is a decoded value:
//
//	None    nil          tuple          Tuple
//	bool    bool         list           *List
//	int     int64        dict           *Dict, with OrderedDict as Class too
//	long    Long         class          *Class (also functions, dtypes, qschemes)
//	float   float64      instance       *Object (also results of functions)
//	str     string       persistent id  *Persistent
//	bytes   Bytes
//
// Pointers that were shared in Python are shared here. There are no cycles.
type Value any

// Bytes is a Python bytes object.
type Bytes []byte

// Long is a Python int that no int64 holds, as Python's hex writes it.
type Long string

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

// IsAny reports whether String returns one of these, without making that string.
func (c *Class) IsAny(names ...string) bool {
	n := len(c.Module)
	for _, full := range names {
		if len(full) == n+1+len(c.Name) && full[:n] == c.Module && full[n] == '.' && full[n+1:] == c.Name {
			return true
		}
	}
	return false
}

// Object is what calling Class with Args gives, or, when New is set, a new
// instance that was not initialised, made with Args and Keywords. State is what was
// set on it afterwards, a dict of its attributes as a rule; Items and Dict are what
// was appended to and set in it, for classes derived from list, set and dict.
type Object struct {
	Class    *Class
	Args     Tuple
	State    Value
	Items    []Value
	Dict     *Dict
	Keywords *Dict
	New      bool
}

// Persistent refers to something outside of the pickle: a storage.
type Persistent struct{ ID Tuple }

// Dict is a Python dict in insertion order. Keys are what Python hashes: anything
// but lists and dicts.
type Dict struct {
	Ordered bool // a collections.OrderedDict
	entries []dictEntry
	// Of the keys that Get finds, once there are more than a few: the strings, and the others.
	names *nametable.Table
	index map[Value]int32
}

type dictEntry struct{ key, value Value }

// fewKeys is how many keys are looked through one by one.
const fewKeys = 8

// Len returns the number of keys.
func (d *Dict) Len() int { return len(d.entries) }

// At returns the i-th key and its value.
func (d *Dict) At(i int) (key, value Value) { return d.entries[i].key, d.entries[i].value }

// Release forgets the i-th value, so that its memory can be used while others are read.
func (d *Dict) Release(i int) { d.entries[i].value = nil }

// Get returns the value of a key that is a string, int64, float64, bool or nil.
func (d *Dict) Get(key Value) (Value, bool) {
	if !plainKey(key) {
		return nil, false
	}
	if i := d.find(key); i >= 0 {
		return d.entries[i].value, true
	}
	return nil, false
}

// find returns the place of a plain key, -1 where it has none.
func (d *Dict) find(key Value) int {
	if d.names == nil {
		for i := range d.entries {
			if k := d.entries[i].key; plainKey(k) && k == key {
				return i
			}
		}
		return -1
	}
	if name, ok := key.(string); ok {
		return d.names.Find(name, d.nameAt)
	}
	if i, ok := d.index[key]; ok {
		return int(i)
	}
	return -1
}

func (d *Dict) nameAt(i int) string { return d.entries[i].key.(string) }

// note adds a key at a place, which is new unless an equal one has another, to those that find finds, and returns the
// place that it has.
func (d *Dict) note(key Value, place int) int {
	if name, ok := key.(string); ok {
		return d.names.Add(name, place, d.nameAt)
	}
	if !plainKey(key) {
		return place
	}
	if i, ok := d.index[key]; ok {
		return int(i)
	}
	d.index[key] = int32(place)
	return place
}

// reserve makes room for n more keys.
func (d *Dict) reserve(n int) {
	if n += len(d.entries); n > max(fewKeys, cap(d.entries)) {
		d.entries = slices.Grow(d.entries, max(n, 2*len(d.entries))-len(d.entries))
		d.list(cap(d.entries))
	}
}

// list makes a list of the keys with room for n of them, so that find does not look at each.
func (d *Dict) list(n int) {
	d.names, d.index = nametable.New(n), make(map[Value]int32)
	for i := range d.entries {
		d.note(d.entries[i].key, i)
	}
}

// plainKey reports whether keys of this kind are found and stand once. Others are only listed.
func plainKey(key Value) bool {
	switch key.(type) {
	case nil, bool, int64, float64, string:
		return true
	}
	return false
}

// set sets a key as Python does: a key that is there keeps its place. It reports whether Python hashes the key.
func (d *Dict) set(key, value Value) bool {
	switch key.(type) {
	case *List, *Dict:
		return false
	}
	i := len(d.entries)
	if d.names != nil {
		i = d.note(key, i)
	} else if found := d.find(key); found >= 0 && plainKey(key) {
		i = found
	}
	if i < len(d.entries) {
		d.entries[i].value = value
		return true
	}
	d.entries = append(d.entries, dictEntry{key, value})
	if d.names == nil && len(d.entries) > fewKeys {
		d.list(len(d.entries))
	}
	return true
}

// named reports whether all keys are strings.
func (d *Dict) named() bool {
	for i := range d.entries {
		if _, ok := d.entries[i].key.(string); !ok {
			return false
		}
	}
	return true
}

// kindOf names the kind of a value, without how many it holds.
func kindOf(v Value) string {
	switch v := v.(type) {
	case bool:
		return "a bool"
	case int64, Long:
		return "an int"
	case float64:
		return "a float"
	case Tuple:
		return "a tuple"
	case *List:
		return "a list"
	case *Dict:
		if v.Ordered {
			return "an OrderedDict"
		}
		return "a dict"
	case *Class:
		return "a class"
	case *Object:
		return "an object"
	case *Persistent:
		return "a persistent id"
	}
	return Describe(v)
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
	case bool, int64, float64, Long:
		return fmt.Sprintf("the number %v", v)
	case fmt.Stringer:
		return v.String()
	}
	return fmt.Sprintf("a %T", v)
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
