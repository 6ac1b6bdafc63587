package torchscript

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// containers are the operators on lists, dicts, strings and None.
var containers = []operator{
	{"aten::__is__", "self:v obj:v", is(true)},
	{"aten::__isnot__", "self:v obj:v", is(false)},
	{"aten::len", "a:v", length},
	{"aten::append", "self:l el:v", appendItem},
	{"aten::extend", "self:l other:l", extendList},
	{"aten::insert", "self:l idx:i el:v", insertItem},
	{"aten::pop", "self:l idx:i=-1", popItem},
	{"aten::pop", "self:v key:v", popKey},
	{"aten::reverse", "self:l", reverseList},
	{"aten::clear", "self:v", clearItems},
	{"aten::copy", "self:v", copyItems},
	{"aten::list", "l:v", listOf},
	{"aten::index", "self:l el:v", indexOf},
	{"aten::count", "self:l el:v", countOf},
	{"aten::remove", "self:l el:v", removeItem},
	{"aten::sort", "self:l reverse:b=False", sortList},
	{"aten::sorted", "self:l", sortedList},
	{"aten::_set_item", "self:v idx:v v:v", setItem},
	{"aten::__getitem__", "self:v idx:v", getItem},
	{"aten::Delete", "self:v idx:v", deleteItem},
	{"aten::slice", "l:v start:i?=None end:i?=None step:i=1", sliceItems},
	{"aten::add", "a:l b:l", joinLists},
	{"aten::add_", "self:l b:l", extendList},
	{"aten::mul", "l:l n:i", repeatList},
	{"aten::mul", "n:i l:l", func(c *call) value { c.args[0], c.args[1] = c.args[1], c.args[0]; return repeatList(c) }},
	{"aten::__contains__", "l:v item:v", contains},
	{"aten::eq", "a:v b:v", equal(true)},
	{"aten::ne", "a:v b:v", equal(false)},
	{"aten::lt", "a:s b:s", compareStrings(func(n int) bool { return n < 0 })},
	{"aten::gt", "a:s b:s", compareStrings(func(n int) bool { return n > 0 })},
	{"aten::sum", "self:l", sumList},
	{"prim::all", "self:l", func(c *call) value { return c.allTrue(true) }},
	{"prim::any", "self:l", func(c *call) value { return c.allTrue(false) }},
	{"aten::all", "self:l", func(c *call) value { return c.allTrue(true) }},
	{"aten::any", "self:l", func(c *call) value { return c.allTrue(false) }},
	{"aten::keys", "self:v", dictItems(func(d *dict, i int) value { return d.keys[i] })},
	{"aten::values", "self:v", dictItems(func(d *dict, i int) value { return d.values[i] })},
	{"aten::items", "self:v", dictItems(func(d *dict, i int) value { return &tuple{items: []value{d.keys[i], d.values[i]}} })},
	{"aten::get", "self:v key:v default_value:v=None", getKey},
	{"aten::update", "self:v other:v", updateDict},
	{"aten::dict", "self:v", copyItems},
}

func is(same bool) func(*call) value {
	return func(c *call) value {
		a, b := c.args[0], c.args[1]
		if a == nil || b == nil {
			return (a == nil && b == nil) == same
		}
		w := newWalker()
		equal := w.equal(a, b)
		c.failed(c.toil(maxWalk - w.left))
		return equal == same
	}
}

func length(c *call) value {
	switch v := c.args[0].(type) {
	case *dict:
		return int64(len(v.keys))
	case string:
		return int64(len(v))
	case *object:
		return c.callMethod(v, "__len__")
	}
	items, ok := itemsOf(c.args[0])
	if !ok {
		return c.fail("a %s has no length", typeName(c.args[0]))
	}
	return int64(len(items))
}

// list returns argument i, a list that is about to be changed.
func (c *call) list(i int) *list {
	l := c.args[i].(*list)
	c.failed(c.toil(c.record(l)))
	return l
}

func appendItem(c *call) value {
	l := c.list(0)
	c.failed(c.spend(1))
	l.items = append(l.items, c.args[1])
	return l
}

func extendList(c *call) value {
	l, other := c.list(0), c.args[1].(*list)
	c.failed(c.spend(len(other.items)))
	if c.err == nil {
		l.items = append(l.items, other.items...)
	}
	return l
}

func insertItem(c *call) value {
	l := c.list(0)
	i := c.int(1)
	if i < 0 {
		i = max(i+len(l.items), 0)
	}
	c.failed(c.spend(1))
	l.items = slices.Insert(l.items, min(i, len(l.items)), c.args[2])
	return nil
}

// place resolves argument i as an index of n elements.
func (c *call) place(i, n int) int {
	k, err := position(int64(c.int(i)), n)
	c.failed(err)
	return k
}

func popItem(c *call) value {
	l := c.list(0)
	i := c.place(1, len(l.items))
	if c.err != nil {
		return nil
	}
	v := l.items[i]
	if i == len(l.items)-1 {
		l.items = l.items[:i:i]
		return v
	}
	c.failed(c.toil(len(l.items)))
	l.items = slices.Delete(slices.Clone(l.items), i, i+1)
	return v
}

// dict returns argument i as a dict.
func (c *call) dict(i int) *dict {
	d, ok := c.args[i].(*dict)
	if !ok {
		c.fail("a %s is no dict", typeName(c.args[i]))
		return &dict{}
	}
	return d
}

func popKey(c *call) value {
	d := c.dict(0)
	i := d.index(c.args[1])
	if c.err != nil || i < 0 {
		return c.failed(&RaisedError{"KeyError", repr(c.args[1])})
	}
	v := d.values[i]
	c.record(d)
	c.failed(c.toil(2 * len(d.keys)))
	d.remove(i)
	return v
}

func reverseList(c *call) value {
	slices.Reverse(c.list(0).items)
	return nil
}

func clearItems(c *call) value {
	switch v := c.args[0].(type) {
	case *list:
		c.list(0).items = nil
	case *dict:
		c.record(v)
		*v = dict{id: v.id}
	default:
		return c.fail("a %s cannot be cleared", typeName(v))
	}
	return nil
}

func copyItems(c *call) value {
	switch v := c.args[0].(type) {
	case *list:
		c.failed(c.spend(len(v.items)))
		return &list{items: slices.Clone(v.items)}
	case *dict:
		c.failed(c.spend(len(v.keys)))
		d := v.clone()
		d.id = 0
		return d
	}
	return c.fail("a %s cannot be copied", typeName(c.args[0]))
}

// listOf is list(): of a list, a tuple, a string or the keys of a dict.
func listOf(c *call) value {
	var items []value
	switch v := c.args[0].(type) {
	case string:
		c.failed(c.spend(len(v)))
		for _, r := range v {
			items = append(items, string(r))
		}
	case *dict:
		items = slices.Clone(v.keys)
	default:
		have, ok := itemsOf(v)
		if !ok {
			return c.fail("a %s has no elements", typeName(v))
		}
		items = slices.Clone(have)
	}
	c.failed(c.spend(len(items)))
	return &list{items: items}
}

func (c *call) find(l *list, v value) int {
	return slices.IndexFunc(l.items, func(x value) bool { return c.same(x, v) })
}

// same compares two values, whose numbers the graph then depends on.
func (c *call) same(a, b value) bool {
	w := newWalker()
	a, errA := c.plainTree(w, a)
	b, errB := c.plainTree(w, b)
	c.failed(errA)
	c.failed(errB)
	same := w.equal(a, b)
	c.failed(c.toil(maxWalk - w.left))
	return same
}

// plainTree returns a value with all numbers in it made plain.
func (c *call) plainTree(w *walker, v value) (value, error) {
	if !w.enter() {
		return nil, fmt.Errorf("a %s is too large to be compared", typeName(v))
	}
	defer w.leave()
	items, ok := itemsOf(v)
	if !ok {
		return c.plainValue(v)
	}
	out := make([]value, len(items))
	for i, x := range items {
		var err error
		if out[i], err = c.plainTree(w, x); err != nil {
			return nil, err
		}
	}
	if t, ok := v.(*tuple); ok {
		return &tuple{items: out, class: t.class}, nil
	}
	return &list{items: out}, nil
}

func indexOf(c *call) value {
	i := c.find(c.args[0].(*list), c.args[1])
	if i < 0 {
		return c.failed(&RaisedError{"ValueError", repr(c.args[1]) + " is not in the list"})
	}
	return int64(i)
}

func countOf(c *call) value {
	n := int64(0)
	for _, x := range c.args[0].(*list).items {
		if c.same(x, c.args[1]) {
			n++
		}
	}
	return n
}

func removeItem(c *call) value {
	l := c.list(0)
	i := c.find(l, c.args[1])
	if i < 0 {
		return c.failed(&RaisedError{"ValueError", repr(c.args[1]) + " is not in the list"})
	}
	l.items = slices.Delete(slices.Clone(l.items), i, i+1)
	return nil
}

func sortList(c *call) value {
	l := c.list(0)
	l.items = c.sorted(l.items, c.bool(1))
	return nil
}

func sortedList(c *call) value {
	items := c.args[0].(*list).items
	c.failed(c.spend(len(items)))
	return &list{items: c.sorted(items, false)}
}

// sorted returns numbers or strings in order.
func (c *call) sorted(items []value, reverse bool) []value {
	out := make([]value, len(items))
	for i, x := range items {
		p, err := c.plainValue(x)
		c.failed(err)
		out[i] = p
	}
	slices.SortStableFunc(out, func(a, b value) int {
		if reverse {
			a, b = b, a
		}
		if s, ok := a.(string); ok {
			t, ok := b.(string)
			if !ok {
				c.fail("a string is compared with a %s", typeName(b))
			}
			return strings.Compare(s, t)
		}
		x, ok1 := plainFloat(a)
		y, ok2 := plainFloat(b)
		if !ok1 || !ok2 {
			c.fail("a %s is compared with a %s", typeName(a), typeName(b))
		}
		return cmp.Compare(x, y)
	})
	return out
}

func setItem(c *call) value {
	c.failed(c.setItem(c.args[0], c.args[1], c.args[2]))
	return c.args[0]
}

func getItem(c *call) value {
	v, err := c.item(c.args[0], c.args[1])
	c.failed(err)
	return v
}

func deleteItem(c *call) value {
	switch v := c.args[0].(type) {
	case *list:
		k, ok := c.plainArg(1).(int64)
		if !ok {
			return c.fail("an index that is a %s", typeName(c.args[1]))
		}
		i, err := position(k, len(v.items))
		c.failed(err)
		if c.err == nil {
			l := c.list(0)
			l.items = slices.Delete(slices.Clone(l.items), i, i+1)
		}
		return nil
	case *dict:
		return popKey(c)
	}
	return c.fail("elements of a %s cannot be deleted", typeName(c.args[0]))
}

// sliceItems is l[start:end:step] of lists, tuples and strings.
func sliceItems(c *call) value {
	n := 0
	s, isString := c.args[0].(string)
	items, ok := itemsOf(c.args[0])
	switch {
	case isString:
		n = len(s)
	case ok:
		n = len(items)
	default:
		return c.fail("a %s has no elements", typeName(c.args[0]))
	}
	step := c.int(3)
	if step == 0 {
		return c.failed(&RaisedError{"ValueError", "slice step cannot be zero"})
	}
	first, last := 0, n
	if step < 0 {
		first, last = n-1, -1
	}
	clamp := func(i, fallback int) int {
		if c.isNone(i) {
			return fallback
		}
		k := c.int(i)
		if k < 0 {
			k = max(k+n, -1)
			if step > 0 {
				k = max(k, 0)
			}
		}
		if step < 0 {
			return min(k, n-1)
		}
		return min(k, n)
	}
	first, last = clamp(1, first), clamp(2, last)
	var picked []int
	for i := first; step > 0 && i < last || step < 0 && i > last; i += step {
		picked = append(picked, i)
	}
	c.failed(c.spend(len(picked)))
	if isString {
		var b strings.Builder
		for _, i := range picked {
			b.WriteByte(s[i])
		}
		return b.String()
	}
	out := make([]value, len(picked))
	for k, i := range picked {
		out[k] = items[i]
	}
	if _, ok := c.args[0].(*tuple); ok {
		return &tuple{items: out}
	}
	return &list{items: out}
}

func joinLists(c *call) value {
	a, b := c.args[0].(*list), c.args[1].(*list)
	c.failed(c.spend(len(a.items) + len(b.items)))
	if c.err != nil {
		return nil
	}
	return &list{items: slices.Concat(a.items, b.items)}
}

func repeatList(c *call) value {
	l := c.args[0].(*list)
	n := max(c.int(1), 0)
	if len(l.items) > 0 && n > maxItems/len(l.items) {
		return c.fail("a list of %d elements is repeated %d times", len(l.items), n)
	}
	c.failed(c.spend(n * len(l.items)))
	if c.err != nil {
		return nil
	}
	return &list{items: slices.Repeat(l.items, n)}
}

func contains(c *call) value {
	switch v := c.args[0].(type) {
	case *dict:
		_, ok := v.get(c.plainArg(1))
		return ok
	case string:
		s, ok := c.args[1].(string)
		return ok && strings.Contains(v, s)
	case *object:
		return c.callMethod(v, "__contains__", c.args[1])
	}
	items, ok := itemsOf(c.args[0])
	if !ok {
		return c.fail("a %s has no elements", typeName(c.args[0]))
	}
	return slices.ContainsFunc(items, func(x value) bool { return c.same(x, c.args[1]) })
}

func equal(same bool) func(*call) value {
	return func(c *call) value {
		name := "__eq__"
		if o, ok := c.args[0].(*object); ok && c.method(o, name) != nil {
			v := c.callMethod(o, name, c.args[1])
			yes, err := truth(c.builder, v)
			c.failed(err)
			return yes == same
		}
		return c.same(c.args[0], c.args[1]) == same
	}
}

func sumList(c *call) value {
	var sum value = int64(0)
	for _, x := range c.args[0].(*list).items {
		n := asNumber(x)
		if n == nil {
			return c.fail("a %s in a sum", typeName(x))
		}
		sum = c.mustArith(0, asNumber(sum), n)
	}
	return sum
}

// allTrue reports whether all elements are true, or with want false whether any is.
func (c *call) allTrue(want bool) value {
	for _, x := range c.args[0].(*list).items {
		yes, err := truth(c.builder, x)
		c.failed(err)
		if yes != want {
			return !want
		}
	}
	return want
}

func dictItems(f func(d *dict, i int) value) func(*call) value {
	return func(c *call) value {
		d := c.dict(0)
		c.failed(c.spend(len(d.keys)))
		l := &list{}
		for i := range d.keys {
			l.items = append(l.items, f(d, i))
		}
		return l
	}
}

func getKey(c *call) value {
	if v, ok := c.dict(0).get(c.plainArg(1)); ok {
		return v
	}
	return c.args[2]
}

func updateDict(c *call) value {
	d, other := c.dict(0), c.dict(1)
	c.failed(c.spend(len(other.keys)))
	c.record(d)
	for i, k := range other.keys {
		d.set(k, other.values[i])
	}
	return nil
}
