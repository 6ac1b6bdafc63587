package aten

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/octet-ml/octet/internal/sorting"
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
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
	{"aten::sorted", "input:l", sortedList},
	{"aten::_set_item", "self:v idx:v v:v", setItem},
	{"aten::__getitem__", "self:v idx:v", getItem},
	{"aten::Delete", "self:v idx:v", deleteItem},
	{"aten::slice", "l:v start:i?=None end:i?=None step:i=1", sliceItems},
	{"aten::add", "a:l b:l", joinLists},
	{"aten::add_", "self:l b:l", extendList},
	{"aten::mul", "l:l n:i", repeatList},
	{"aten::mul", "n:i l:l", func(c *call) Value { c.args[0], c.args[1] = c.args[1], c.args[0]; return repeatList(c) }},
	{"aten::__contains__", "l:v item:v", contains},
	{"aten::eq", "a:v b:v", equal(true)},
	{"aten::ne", "a:v b:v", equal(false)},
	{"aten::lt", "a:s b:s", compareStrings(func(n int) bool { return n < 0 })},
	{"aten::gt", "a:s b:s", compareStrings(func(n int) bool { return n > 0 })},
	{"aten::sum", "self:l", sumList},
	{"prim::all", "self:l", func(c *call) Value { return c.allTrue(true) }},
	{"prim::any", "self:l", func(c *call) Value { return c.allTrue(false) }},
	{"aten::all", "self:l", func(c *call) Value { return c.allTrue(true) }},
	{"aten::any", "self:l", func(c *call) Value { return c.allTrue(false) }},
	{"aten::keys", "self:v", dictItems(func(d *Dict, i int) Value { return d.Keys[i] })},
	{"aten::values", "self:v", dictItems(func(d *Dict, i int) Value { return d.Values[i] })},
	{"aten::items", "self:v", dictItems(func(d *Dict, i int) Value { return &Tuple{Items: []Value{d.Keys[i], d.Values[i]}} })},
	{"aten::get", "self:v key:v default_value:v=None", getKey},
	{"aten::setdefault", "self:v key:v default_value:v", setDefault},
	{"aten::update", "self:v other:v", updateDict},
	{"aten::dict", "", func(*call) Value { return &Dict{} }},
	{"aten::dict", "self:l", dictOf},
	{"aten::dict", "self:v", copyItems},
}

//go:noinline
func is(same bool) func(*call) Value {
	return func(c *call) Value {
		a, b := c.args[0], c.args[1]
		if a == nil || b == nil {
			return (a == nil && b == nil) == same
		}
		w := NewWalker()
		equal := w.equal(a, b)
		c.failed(c.Toil(maxWalk - w.left))
		return equal == same
	}
}

func length(c *call) Value {
	switch v := c.args[0].(type) {
	case *Dict:
		return int64(len(v.Keys))
	case string:
		return int64(len(v))
	case *Object:
		return c.callMethod(v, "__len__")
	}
	items, ok := Items(c.args[0])
	if !ok {
		return c.fail("a %s has no length", TypeName(c.args[0]))
	}
	return int64(len(items))
}

// list returns argument i, a list that is about to be changed.
func (c *call) list(i int) *List {
	l := c.args[i].(*List)
	c.failed(c.Toil(c.record(l)))
	return l
}

func appendItem(c *call) Value {
	l := c.list(0)
	c.failed(c.Spend(1))
	l.Items = append(l.Items, c.args[1])
	return l
}

func extendList(c *call) Value {
	l, other := c.list(0), c.args[1].(*List)
	c.failed(c.Spend(len(other.Items)))
	if c.Err() == nil {
		l.Items = append(l.Items, other.Items...)
	}
	return l
}

func insertItem(c *call) Value {
	l := c.list(0)
	i := c.int(1)
	if i < 0 {
		i = max(i+len(l.Items), 0)
	}
	c.failed(c.Spend(1))
	l.Items = slices.Insert(l.Items, min(i, len(l.Items)), c.args[2])
	return nil
}

// place resolves argument i as an index of n elements.
func (c *call) place(i, n int) int {
	k, err := position(int64(c.int(i)), n)
	c.failed(err)
	return k
}

func popItem(c *call) Value {
	l := c.list(0)
	i := c.place(1, len(l.Items))
	if c.Err() != nil {
		return nil
	}
	v := l.Items[i]
	if i == len(l.Items)-1 {
		l.Items = l.Items[:i:i]
		return v
	}
	c.failed(c.Toil(len(l.Items)))
	l.Items = slices.Delete(slices.Clone(l.Items), i, i+1)
	return v
}

// dict returns argument i as a dict.
func (c *call) dict(i int) *Dict {
	d, ok := c.args[i].(*Dict)
	if !ok {
		c.fail("a %s is no dict", TypeName(c.args[i]))
		return &Dict{}
	}
	return d
}

func popKey(c *call) Value {
	d := c.dict(0)
	i := d.index(c.args[1])
	if c.Err() != nil || i < 0 {
		return c.failed(&RaisedError{"KeyError", Repr(c.args[1])})
	}
	v := d.Values[i]
	c.record(d)
	c.failed(c.Toil(2 * len(d.Keys)))
	d.remove(i)
	return v
}

func reverseList(c *call) Value {
	slices.Reverse(c.list(0).Items)
	return nil
}

func clearItems(c *call) Value {
	switch v := c.args[0].(type) {
	case *List:
		c.list(0).Items = nil
	case *Dict:
		c.record(v)
		*v = Dict{ID: v.ID}
	default:
		return c.fail("a %s cannot be cleared", TypeName(v))
	}
	return nil
}

func copyItems(c *call) Value {
	switch v := c.args[0].(type) {
	case *List:
		c.failed(c.Spend(len(v.Items)))
		return &List{Items: slices.Clone(v.Items)}
	case *Dict:
		c.failed(c.Spend(len(v.Keys)))
		d := v.clone()
		d.ID = 0
		return d
	}
	return c.fail("a %s cannot be copied", TypeName(c.args[0]))
}

// listOf is list(): of a list, a tuple, a string or the keys of a dict.
func listOf(c *call) Value {
	var items []Value
	switch v := c.args[0].(type) {
	case string:
		c.failed(c.Spend(len(v)))
		for _, r := range v {
			items = append(items, string(r))
		}
	case *Dict:
		items = slices.Clone(v.Keys)
	default:
		have, ok := Items(v)
		if !ok {
			return c.fail("a %s has no elements", TypeName(v))
		}
		items = slices.Clone(have)
	}
	c.failed(c.Spend(len(items)))
	return &List{Items: items}
}

func (c *call) find(l *List, v Value) int {
	return slices.IndexFunc(l.Items, func(x Value) bool { return c.same(x, v) })
}

// same compares two values, whose numbers the graph then depends on.
func (c *call) same(a, b Value) bool {
	w := NewWalker()
	a, b = withoutSame(a, b)
	a, errA := c.plainTree(w, a)
	b, errB := c.plainTree(w, b)
	c.failed(errA)
	c.failed(errB)
	same := w.equal(a, b)
	c.failed(c.Toil(maxWalk - w.left))
	return same
}

// withoutSame returns lists of one length without the ints that are the same in both whatever they are: the graph does not depend on those.
func withoutSame(a, b Value) (_, _ Value) {
	x, ok1 := a.(*List)
	y, ok2 := b.(*List)
	if !ok1 || !ok2 || len(x.Items) != len(y.Items) {
		return a, b
	}
	left, right := &List{}, &List{}
	for i, v := range x.Items {
		m, ok1 := v.(*build.Number)
		n, ok2 := y.Items[i].(*build.Number)
		if !ok1 || !ok2 || !sameInt(m, n) {
			left.Items, right.Items = append(left.Items, v), append(right.Items, y.Items[i])
		}
	}
	return left, right
}

// plainTree returns a value with all numbers in it made plain.
func (c *call) plainTree(w *Walker, v Value) (Value, error) {
	if !w.Enter() {
		return nil, fmt.Errorf("a %s is too large to be compared", TypeName(v))
	}
	defer w.Leave()
	items, ok := Items(v)
	if !ok {
		return c.PlainValue(v)
	}
	out := make([]Value, len(items))
	for i, x := range items {
		var err error
		if out[i], err = c.plainTree(w, x); err != nil {
			return nil, err
		}
	}
	if t, ok := v.(*Tuple); ok {
		return &Tuple{Items: out, Class: t.Class}, nil
	}
	return &List{Items: out}, nil
}

func indexOf(c *call) Value {
	i := c.find(c.args[0].(*List), c.args[1])
	if i < 0 {
		return c.failed(&RaisedError{"ValueError", Repr(c.args[1]) + " is not in the list"})
	}
	return int64(i)
}

func countOf(c *call) Value {
	n := int64(0)
	for _, x := range c.args[0].(*List).Items {
		if c.same(x, c.args[1]) {
			n++
		}
	}
	return n
}

func removeItem(c *call) Value {
	l := c.list(0)
	i := c.find(l, c.args[1])
	if i < 0 {
		return c.failed(&RaisedError{"ValueError", Repr(c.args[1]) + " is not in the list"})
	}
	l.Items = slices.Delete(slices.Clone(l.Items), i, i+1)
	return nil
}

func sortList(c *call) Value {
	l := c.list(0)
	l.Items = c.sorted(l.Items, c.bool(1))
	return nil
}

func sortedList(c *call) Value {
	items := c.args[0].(*List).Items
	c.failed(c.Spend(len(items)))
	return &List{Items: c.sorted(items, false)}
}

// sorted returns numbers or strings in order.
func (c *call) sorted(items []Value, reverse bool) []Value {
	if out := c.sortedInRun(items, reverse); out != nil {
		return out
	}
	out := make([]Value, len(items))
	for i, x := range items {
		p, err := c.PlainValue(x)
		c.failed(err)
		out[i] = p
	}
	sorting.Func(out, func(a, b Value) int {
		if reverse {
			a, b = b, a
		}
		if s, ok := a.(string); ok {
			t, ok := b.(string)
			if !ok {
				c.fail("a string is compared with a %s", TypeName(b))
			}
			return strings.Compare(s, t)
		}
		x, ok1 := build.ToFloat(a)
		y, ok2 := build.ToFloat(b)
		if !ok1 || !ok2 {
			c.fail("a %s is compared with a %s", TypeName(a), TypeName(b))
		}
		return cmp.Compare(x, y)
	})
	return out
}

// sortedInRun is sorted of numbers of one kind, of which only the run knows some. It is nil for all else.
func (c *call) sortedInRun(items []Value, reverse bool) []Value {
	parts, plain := make([]*build.Tensor, len(items)), true
	kind := build.Int
	for i, x := range items {
		n := build.AsNumber(x)
		if n == nil || i > 0 && n.Kind != kind {
			return nil
		}
		_, known := c.Plain(n)
		parts[i], kind, plain = build.OfNumber(n), n.Kind, plain && known
	}
	if plain || c.Err() != nil {
		return nil
	}
	y := c.applyAll(ops.Sort{Descending: reverse}, c.apply(ops.Stack{}, parts...))[0]
	out := make([]Value, len(items))
	for i := range out {
		out[i] = c.itemOf(c.selected(y, 0, build.Extent(i)), kind)
	}
	return out
}

func setItem(c *call) Value {
	c.failed(c.setItem(c.args[0], c.args[1], c.args[2]))
	return c.args[0]
}

func getItem(c *call) Value {
	v, err := c.item(c.args[0], c.args[1])
	c.failed(err)
	return v
}

func deleteItem(c *call) Value {
	switch v := c.args[0].(type) {
	case *List:
		k, ok := c.plainArg(1).(int64)
		if !ok {
			return c.fail("an index that is a %s", TypeName(c.args[1]))
		}
		i, err := position(k, len(v.Items))
		c.failed(err)
		if c.Err() == nil {
			l := c.list(0)
			l.Items = slices.Delete(slices.Clone(l.Items), i, i+1)
		}
		return nil
	case *Dict:
		return popKey(c)
	}
	return c.fail("elements of a %s cannot be deleted", TypeName(c.args[0]))
}

// sliceItems is l[start:end:step] of lists, tuples and strings.
func sliceItems(c *call) Value {
	n := 0
	s, isString := c.args[0].(string)
	items, ok := Items(c.args[0])
	switch {
	case isString:
		n = len(s)
	case ok:
		n = len(items)
	default:
		return c.fail("a %s has no elements", TypeName(c.args[0]))
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
	c.failed(c.Spend(len(picked)))
	if isString {
		var b strings.Builder
		for _, i := range picked {
			b.WriteByte(s[i])
		}
		return b.String()
	}
	out := make([]Value, len(picked))
	for k, i := range picked {
		out[k] = items[i]
	}
	if _, ok := c.args[0].(*Tuple); ok {
		return &Tuple{Items: out}
	}
	return &List{Items: out}
}

func joinLists(c *call) Value {
	a, b := c.args[0].(*List), c.args[1].(*List)
	c.failed(c.Spend(len(a.Items) + len(b.Items)))
	if c.Err() != nil {
		return nil
	}
	return &List{Items: slices.Concat(a.Items, b.Items)}
}

func repeatList(c *call) Value {
	l := c.args[0].(*List)
	n := max(c.int(1), 0)
	if len(l.Items) > 0 && n > maxItems/len(l.Items) {
		return c.fail("a list of %d elements is repeated %d times", len(l.Items), n)
	}
	c.failed(c.Spend(n * len(l.Items)))
	if c.Err() != nil {
		return nil
	}
	return &List{Items: slices.Repeat(l.Items, n)}
}

func contains(c *call) Value {
	switch v := c.args[0].(type) {
	case *Dict:
		_, ok := v.Get(c.plainArg(1))
		return ok
	case string:
		s, ok := c.args[1].(string)
		return ok && strings.Contains(v, s)
	case *Object:
		return c.callMethod(v, "__contains__", c.args[1])
	}
	items, ok := Items(c.args[0])
	if !ok {
		return c.fail("a %s has no elements", TypeName(c.args[0]))
	}
	return slices.ContainsFunc(items, func(x Value) bool { return c.same(x, c.args[1]) })
}

//go:noinline
func equal(same bool) func(*call) Value {
	return func(c *call) Value {
		name := "__eq__"
		if o, ok := c.args[0].(*Object); ok && c.method(o, name) != nil {
			v := c.callMethod(o, name, c.args[1])
			yes, err := Truth(c.Builder, v)
			c.failed(err)
			return yes == same
		}
		return c.same(c.args[0], c.args[1]) == same
	}
}

func sumList(c *call) Value {
	var sum Value = int64(0)
	for _, x := range c.args[0].(*List).Items {
		n := build.AsNumber(x)
		if n == nil {
			return c.fail("a %s in a sum", TypeName(x))
		}
		sum = c.mustArith(0, build.AsNumber(sum), n)
	}
	return sum
}

// allTrue reports whether all elements are true, or with want false whether any is.
func (c *call) allTrue(want bool) Value {
	for _, x := range c.args[0].(*List).Items {
		yes, err := Truth(c.Builder, x)
		c.failed(err)
		if yes != want {
			return !want
		}
	}
	return want
}

//go:noinline
func dictItems(f func(d *Dict, i int) Value) func(*call) Value {
	return func(c *call) Value {
		d := c.dict(0)
		c.failed(c.Spend(len(d.Keys)))
		l := &List{}
		for i := range d.Keys {
			l.Items = append(l.Items, f(d, i))
		}
		return l
	}
}

func getKey(c *call) Value {
	if v, ok := c.dict(0).Get(c.plainArg(1)); ok {
		return v
	}
	return c.args[2]
}

// setDefault returns the value of a key, which becomes the default where there is none.
func setDefault(c *call) Value {
	if v, ok := c.dict(0).Get(c.plainArg(1)); ok || c.Err() != nil {
		return v
	}
	c.failed(c.setItem(c.dict(0), c.args[1], c.args[2]))
	return c.args[2]
}

// dictOf is dict() of a list of pairs.
func dictOf(c *call) Value {
	d := &Dict{}
	items := c.args[0].(*List).Items
	c.failed(c.Spend(2 * len(items)))
	for _, x := range items {
		pair, ok := Items(x)
		if !ok || len(pair) != 2 || c.Err() != nil {
			return c.fail("a dict of a list with a %s", TypeName(x))
		}
		c.failed(c.setItem(d, pair[0], pair[1]))
	}
	return d
}

func updateDict(c *call) Value {
	d, other := c.dict(0), c.dict(1)
	c.failed(c.Spend(len(other.Keys)))
	c.record(d)
	for i, k := range other.Keys {
		d.Set(k, other.Values[i])
	}
	return nil
}
