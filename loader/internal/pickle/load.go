package pickle

import (
	"bytes"
	"fmt"
	"math/big"
	"strconv"

	"github.com/nlpodyssey/gopickle/pickle"
	"github.com/nlpodyssey/gopickle/types"
)

// Options say what a pickle may hold.
type Options struct {
	// Global reports why a pickle may not refer to a class or function, nil where
	// it may. Without it none is allowed. Allowing a name does not run anything.
	Global func(module, name string) error
	// BareArguments lets a class be called with an argument that is not in a tuple,
	// as TorchScript writes the members of enums.
	BareArguments bool
	// Limits replace the default limits where they are not 0.
	Limits Limits
}

// maxLimit keeps positions within an int32.
const maxLimit = 1 << 30

// Load decodes the pickle at the beginning of data and returns its value and the
// bytes it takes. A pickle that is refused gives an *Error; when the bytes end
// before the pickle does, its Truncated is set.
func Load(data []byte, opts Options) (Value, int, error) {
	if opts.Global == nil {
		opts.Global = func(module, name string) error { return fmt.Errorf("no names are allowed here") }
	}
	limits := opts.Limits
	for _, l := range []struct{ set, def *int }{
		{&limits.Bytes, &defaultLimits.Bytes}, {&limits.Values, &defaultLimits.Values},
		{&limits.Containers, &defaultLimits.Containers}, {&limits.Depth, &defaultLimits.Depth},
	} {
		if *l.set <= 0 || *l.set > maxLimit {
			*l.set = *l.def
		}
	}
	p := newPass(data, opts.Global, limits)
	p.bareAllowed = opts.BareArguments
	n, err := p.check()
	if err != nil {
		return nil, 0, err
	}
	data = p.rewritten(data[:n])
	p = nil // what it knows takes more memory than the values
	v, err := run(data)
	if err != nil {
		return nil, 0, err
	}
	return v, n, nil
}

// run decodes a pickle that has passed the check.
func run(data []byte) (v Value, err error) {
	// The check leaves nothing that panics; should it have missed something, a
	// file must not bring the program down.
	defer func() {
		if r := recover(); r != nil {
			v, err = nil, &Error{Reason: fmt.Sprintf("cannot be decoded: %v", r)}
		}
	}()
	u := pickle.NewUnpickler(bytes.NewReader(data))
	u.FindClass = func(module, name string) (any, error) { return &class{Class{module, name}}, nil }
	u.PersistentLoad = func(id any) (any, error) { return &persistent{id: id}, nil }
	raw, err := u.Load()
	if err != nil {
		return nil, &Error{Reason: "cannot be decoded", Err: err}
	}
	c := converter{done: make(map[any]Value)}
	return c.value(raw)
}

// class, object and persistent are how gopickle's machine sees ours.
type class struct{ Class }

type object struct {
	done  Value // what it was converted to
	class *class
	args  []any
	isNew bool
	state any
	items []any
	dict  []types.DictEntry
}

type persistent struct {
	done *Persistent
	id   any
}

func (c *class) Call(args ...any) (any, error) { return &object{class: c, args: args}, nil }
func (c *class) PyNew(args ...any) (any, error) {
	return &object{class: c, args: args, isNew: true}, nil
}
func (o *object) PySetState(state any) error { o.state = state; return nil }
func (o *object) Append(v any)               { o.items = append(o.items, v) }
func (o *object) Set(k, v any)               { o.dict = append(o.dict, types.DictEntry{Key: k, Value: v}) }

// converter turns gopickle's values into ours, each shared one once. It takes apart what it has turned, so that the two
// are not in memory side by side.
type converter struct{ done map[any]Value }

func (c *converter) value(raw any) (Value, error) {
	switch v := raw.(type) {
	case *big.Int:
		if strconv.IntSize < 64 && v.IsInt64() {
			return v.Int64(), nil
		}
		return v, nil
	case nil, bool, float64, string:
		return v, nil
	case int:
		return int64(v), nil
	case []byte:
		return Bytes(v), nil
	case *class:
		if v.Module == orderedDict {
			return &Class{"collections", v.Name}, nil
		}
		return &v.Class, nil
	case *persistent:
		return c.persistent(v)
	case *object:
		if v.done != nil {
			return v.done, nil
		}
		return c.object(v)
	case *types.Tuple:
		if small(*v) {
			items, err := c.values(*v)
			return Tuple(items), err
		}
	}
	if v, ok := c.done[raw]; ok {
		return v, nil
	}
	v, err := c.container(raw)
	if err == nil {
		c.done[raw] = v
	}
	return v, err
}

// small reports whether a tuple takes hardly more than a note that it was converted: it may be converted each time.
func small(t types.Tuple) bool {
	if len(t) > 6 {
		return false
	}
	for _, v := range t {
		switch v.(type) {
		case nil, bool, float64, string, int, *class:
		default:
			return false
		}
	}
	return true
}

func (c *converter) persistent(p *persistent) (Value, error) {
	if p.done != nil {
		return p.done, nil
	}
	id, err := c.value(p.id)
	if err != nil {
		return nil, err
	}
	tuple, ok := id.(Tuple)
	if !ok {
		return nil, &Error{Reason: "a persistent id is " + Describe(id)}
	}
	p.done, p.id = &Persistent{tuple}, nil
	return p.done, nil
}

func (c *converter) container(raw any) (Value, error) {
	switch v := raw.(type) {
	case *types.Tuple:
		items, err := c.values(*v)
		return Tuple(items), err
	case *types.List:
		items, err := c.values(*v)
		return &List{items}, err
	case *types.Dict:
		return c.dict(*v)
	case *types.OrderedDict:
		d := &Dict{Ordered: true}
		for e := v.List.Front(); e != nil; e = e.Next() {
			entry, ok := e.Value.(*types.OrderedDictEntry)
			if !ok {
				return nil, &Error{Reason: fmt.Sprintf("unexpected %T in an OrderedDict", e.Value)}
			}
			if err := c.set(d, entry.Key, entry.Value); err != nil {
				return nil, err
			}
		}
		for name, attr := range v.PyDict {
			value, err := c.value(attr)
			if err != nil {
				return nil, err
			}
			if d.Attrs == nil {
				d.Attrs = make(map[string]Value)
			}
			d.Attrs[name] = value
		}
		return d, nil
	case *types.OrderedDictClass:
		return &Class{"collections", "OrderedDict"}, nil
	}
	return nil, &Error{Reason: fmt.Sprintf("unexpected %T", raw)}
}

func (c *converter) object(o *object) (Value, error) {
	args, err := c.values(o.args)
	if err != nil {
		return nil, err
	}
	if o.class.Module == orderedDict {
		d, err := c.orderedDict(o, args)
		*o = object{done: d}
		return d, err
	}
	out := &Object{Class: &o.class.Class, Args: args, New: o.isNew}
	if out.State, err = c.value(o.state); err != nil {
		return nil, err
	}
	if out.Items, err = c.values(o.items); err != nil {
		return nil, err
	}
	if len(o.dict) > 0 {
		if out.Dict, err = c.dict(o.dict); err != nil {
			return nil, err
		}
	}
	*o = object{done: out}
	return out, nil
}

// orderedDict makes the OrderedDict that Python 2 pickled as a call with a list
// of pairs.
func (c *converter) orderedDict(o *object, args Tuple) (Value, error) {
	d := &Dict{Ordered: true}
	if len(args) == 1 {
		list, ok := args[0].(*List)
		if !ok {
			return nil, &Error{Reason: "an OrderedDict made from " + Describe(args[0])}
		}
		for _, item := range list.Items {
			pair, _ := item.(Tuple)
			if l, ok := item.(*List); ok {
				pair = l.Items
			}
			if len(pair) != 2 {
				return nil, &Error{Reason: "an OrderedDict made from a list with " + Describe(item)}
			}
			if err := d.set(pair[0], pair[1]); err != nil {
				return nil, err
			}
		}
	}
	for i, e := range o.dict {
		if err := c.set(d, e.Key, e.Value); err != nil {
			return nil, err
		}
		o.dict[i] = types.DictEntry{}
	}
	state, err := c.value(o.state)
	if err != nil {
		return nil, err
	}
	if attrs, ok := state.(*Dict); ok {
		d.Attrs = make(map[string]Value, attrs.Len())
		for i := range attrs.Len() {
			k, v := attrs.At(i)
			if name, ok := k.(string); ok {
				d.Attrs[name] = v
			}
		}
	}
	return d, nil
}

func (c *converter) values(raw []any) ([]Value, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	out := make([]Value, len(raw))
	for i, r := range raw {
		v, err := c.value(r)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

func (c *converter) dict(entries []types.DictEntry) (*Dict, error) {
	d := &Dict{}
	for i, e := range entries {
		if err := c.set(d, e.Key, e.Value); err != nil {
			return nil, err
		}
		entries[i] = types.DictEntry{}
	}
	return d, nil
}

func (c *converter) set(d *Dict, key, value any) error {
	k, err := c.value(key)
	if err != nil {
		return err
	}
	v, err := c.value(value)
	if err != nil {
		return err
	}
	return d.set(k, v)
}
