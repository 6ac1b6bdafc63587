package aten

import (
	"fmt"
)

// item returns an element.
func (c *call) item(v, i Value) (Value, error) {
	if _, ok := v.(Unknown); ok {
		return v, nil
	}
	if _, ok := i.(Unknown); ok {
		return i, nil
	}
	i, err := c.PlainValue(i)
	if err != nil {
		return nil, err
	}
	if d, ok := v.(*Dict); ok {
		if err := c.seek(d, i); err != nil {
			return nil, err
		}
		x, ok := d.Get(i)
		if !ok {
			return nil, &RaisedError{"KeyError", Repr(i)}
		}
		return x, nil
	}
	if o, ok := v.(*Object); ok {
		return childOf(o, i)
	}
	if s, ok := v.(string); ok {
		k, err := position(i, len(s))
		if err != nil {
			return nil, err
		}
		return s[k : k+1], nil
	}
	items, ok := Items(v)
	if !ok {
		return nil, fmt.Errorf("a %s has no elements", TypeName(v))
	}
	k, err := position(i, len(items))
	if err != nil {
		return nil, err
	}
	return items[k], nil
}

// position resolves an index, which may count from the end.
func position(i Value, n int) (int, error) {
	k, ok := i.(int64)
	if !ok {
		return 0, fmt.Errorf("a %s is used as an index", TypeName(i))
	}
	if k < 0 {
		k += int64(n)
	}
	if k < 0 || k >= int64(n) {
		return 0, &RaisedError{"IndexError", fmt.Sprintf("index %d of %d elements", i, n)}
	}
	return int(k), nil
}

// setItem sets an element of a list or dict.
func (c *call) setItem(x, i, v Value) error {
	i, err := c.PlainValue(i)
	if err != nil {
		return err
	}
	switch x := x.(type) {
	case Unknown:
		return nil
	case *List:
		k, err := position(i, len(x.Items))
		if err != nil {
			return err
		}
		x.Items[k], err = v, c.Toil(c.record(x))
		return err
	case *Dict:
		if err := c.Spend(1); err != nil {
			return err
		}
		switch i.(type) {
		case nil, bool, int64, float64, string, *Enum, Device, *Tuple:
		default:
			return fmt.Errorf("a %s is the key of a dict", TypeName(i))
		}
		if err := c.seek(x, i); err != nil {
			return err
		}
		err := c.Toil(c.record(x))
		x.Set(i, v)
		return err
	}
	return fmt.Errorf("elements of a %s cannot be set", TypeName(x))
}

// seek counts what is looked at to find a key: all of them, when it is a tuple.
func (c *call) seek(d *Dict, key Value) error {
	if _, ok := plainKey(key); ok {
		return nil
	}
	return c.Toil(len(d.Keys))
}

// childOf returns a module of a ModuleList or ModuleDict, whose attributes they are, by its place or name.
func childOf(o *Object, i Value) (Value, error) {
	name := Format(i)
	child, ok := o.Attrs[name].(*Object)
	if !ok {
		return nil, fmt.Errorf("a %s has no module %s", TypeName(o), name)
	}
	return child, nil
}
