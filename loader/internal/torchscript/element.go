package torchscript

import (
	"fmt"
)

// item returns an element.
func (c *call) item(v, i value) (value, error) {
	if _, ok := v.(unknown); ok {
		return v, nil
	}
	if _, ok := i.(unknown); ok {
		return i, nil
	}
	i, err := c.plainValue(i)
	if err != nil {
		return nil, err
	}
	if d, ok := v.(*dict); ok {
		if err := c.seek(d, i); err != nil {
			return nil, err
		}
		x, ok := d.get(i)
		if !ok {
			return nil, &RaisedError{"KeyError", repr(i)}
		}
		return x, nil
	}
	if s, ok := v.(string); ok {
		k, err := position(i, len(s))
		if err != nil {
			return nil, err
		}
		return s[k : k+1], nil
	}
	items, ok := itemsOf(v)
	if !ok {
		return nil, fmt.Errorf("a %s has no elements", typeName(v))
	}
	k, err := position(i, len(items))
	if err != nil {
		return nil, err
	}
	return items[k], nil
}

// position resolves an index, which may count from the end.
func position(i value, n int) (int, error) {
	k, ok := i.(int64)
	if !ok {
		return 0, fmt.Errorf("a %s is used as an index", typeName(i))
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
func (c *call) setItem(x, i, v value) error {
	i, err := c.plainValue(i)
	if err != nil {
		return err
	}
	switch x := x.(type) {
	case unknown:
		return nil
	case *list:
		k, err := position(i, len(x.items))
		if err != nil {
			return err
		}
		x.items[k], err = v, c.toil(c.record(x))
		return err
	case *dict:
		if err := c.spend(1); err != nil {
			return err
		}
		switch i.(type) {
		case nil, bool, int64, float64, string, *enum, device, *tuple:
		default:
			return fmt.Errorf("a %s is the key of a dict", typeName(i))
		}
		if err := c.seek(x, i); err != nil {
			return err
		}
		err := c.toil(c.record(x))
		x.set(i, v)
		return err
	}
	return fmt.Errorf("elements of a %s cannot be set", typeName(x))
}

// seek counts what is looked at to find a key: all of them, when it is a tuple.
func (c *call) seek(d *dict, key value) error {
	if _, ok := plainKey(key); ok {
		return nil
	}
	return c.toil(len(d.keys))
}
