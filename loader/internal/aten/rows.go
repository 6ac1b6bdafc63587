package aten

import (
	"fmt"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// rows are the elements of a list of which only the run knows how many there are, such as one that some iterations append to. It stands in
// the list as its only item. Each tensor or number of an element is a row of a tensor.
type rows struct {
	like   Value           // an element
	leaves []*build.Tensor // [n, ...] each, in the order in which mapLeaves comes to those of an element
}

// rowsIn returns the rows among the items of a list, nil where the items are known one by one.
func rowsIn(items []Value) *rows {
	if len(items) != 1 {
		return nil
	}
	r, _ := items[0].(*rows)
	return r
}

// rowsOf returns the items of a list as rows. Those of an empty list are like others.
func (m *Evaluator) rowsOf(items []Value, others *rows) (*rows, error) {
	if r := rowsIn(items); r != nil {
		return r, nil
	}
	if len(items) == 0 {
		return m.noRows(others)
	}
	// An element is copied, since what is done to a list in it later is not done to the rows.
	like, err := mapLeaves(NewWalker(), items[0], func(leaf Value) (Value, error) { return leaf, nil })
	if err != nil {
		return nil, err
	}
	r := &rows{like: like}
	var columns [][]*build.Tensor
	for i, x := range items {
		if shapeOf([]Value{x}) != shapeOf(items[:1]) {
			return nil, fmt.Errorf("%w: a list of different elements has another length", build.ErrDataDependent)
		}
		leaves, err := leafList([]Value{x})
		if err != nil {
			return nil, err
		}
		if i == 0 {
			columns = make([][]*build.Tensor, len(leaves))
		}
		for k, leaf := range leaves {
			if t, ok := leaf.(*build.Tensor); ok {
				if err := m.keep(t); err != nil {
					return nil, err
				}
			}
			v, err := m.LeafValue(leaf)
			if err != nil {
				return nil, err
			}
			columns[k] = append(columns[k], build.NewTensor(v))
		}
	}
	if len(columns) == 0 {
		return nil, fmt.Errorf("%w: a list without tensors and numbers has another length", build.ErrDataDependent)
	}
	c := m.newCall("a list", nil)
	for _, column := range columns {
		r.leaves = append(r.leaves, c.apply(ops.Stack{}, column...))
	}
	if c.Err() != nil {
		return nil, fmt.Errorf("%w: the elements of a list of another length: %w", build.ErrDataDependent, c.Err())
	}
	return r, nil
}

// noRows returns no rows like others.
func (m *Evaluator) noRows(others *rows) (*rows, error) {
	if others == nil {
		return nil, fmt.Errorf("%w: a list has other elements", build.ErrDataDependent)
	}
	r, c := &rows{like: others.like}, m.newCall("a list", nil)
	for _, t := range others.leaves {
		typ := t.Type()
		if typ.Q != nil {
			return nil, fmt.Errorf("%w: a list of quantized tensors has another length", build.ErrDataDependent)
		}
		size := []*build.Number{build.Extent(0)}
		for _, n := range m.Dims(t)[1:] {
			size = append(size, m.Here(n))
		}
		r.leaves = append(r.leaves, c.fullOf(size, 0, typ.DType))
	}
	return r, c.Err()
}

// count returns how many rows there are.
func (m *Evaluator) count(r *rows) *build.Number { return m.Dims(r.leaves[0])[0] }

// indexOfRun returns the number that an operator on a list takes for an index.
func indexOfRun(name string, args []Value) (*build.Number, bool) {
	if name != "aten::__getitem__" && name != "aten::_set_item" || len(args) < 2 {
		return nil, false
	}
	n, ok := args[1].(*build.Number)
	return n, ok
}

// onlyRun reports whether only the run knows a number.
func (m *Evaluator) onlyRun(n *build.Number) bool {
	_, known := m.Plain(n)
	return !known
}

// rowAt returns the index of a row as a tensor; one that is negative counts from the end. check says that the run has to find out whether
// there is such a row.
func (c *call) rowAt(count *build.Number, index Value, check bool) *build.Tensor {
	i := build.AsNumber(index)
	if i == nil {
		c.fail("a %s is used as an index", TypeName(index))
		return c.anything()
	}
	n, at, zero := c.lift(count), c.lift(i), build.OfNumber(build.Extent(0))
	at = c.apply(ops.Where{}, c.apply(ops.Binary{Fn: ops.Lt}, at, zero), c.apply(ops.Binary{Fn: ops.Add}, at, n), at)
	if check {
		inside := c.apply(ops.Binary{Fn: ops.LogicalAnd}, c.apply(ops.Binary{Fn: ops.Ge}, at, zero), c.apply(ops.Binary{Fn: ops.Lt}, at, n))
		c.assertAll(inside, "list index out of range")
	}
	return at
}

// replaced returns the rows with another element in place of one.
func (m *Evaluator) replaced(r *rows, index, element Value) (*rows, error) {
	one, err := m.rowsOf([]Value{element}, r)
	if err != nil {
		return nil, err
	}
	if shapeOf([]Value{one.like}) != shapeOf([]Value{r.like}) {
		return nil, fmt.Errorf("%w: a list of different elements has another length", build.ErrDataDependent)
	}
	c := m.newCall("aten::_set_item", nil)
	at := c.reshape(c.rowAt(m.count(r), index, true), []*build.Number{build.Extent(1)})
	out := &rows{like: r.like}
	for k, t := range r.leaves {
		out.leaves = append(out.leaves, c.apply(ops.IndexPut{Axes: []int{0}}, t, one.leaves[k], at))
	}
	return out, c.Err()
}

// element returns a row, whose index counts from the end where it is negative. check says that the run has to find out whether there is one.
func (m *Evaluator) element(r *rows, index Value, check bool) (Value, error) {
	c := m.newCall("aten::__getitem__", nil)
	at := c.rowAt(m.count(r), index, check)
	k := 0
	v, err := mapLeaves(NewWalker(), r.like, func(leaf Value) (Value, error) {
		row := c.apply(ops.IndexSelect{}, r.leaves[k], c.reshape(at, []*build.Number{build.Extent(1)}))
		row = c.reshape(row, c.Dims(r.leaves[k])[1:])
		k++
		if kind, ok := build.KindOf(leaf); ok && c.Err() == nil {
			return m.Element(c.read(row), kind), nil
		}
		return row, c.Err()
	})
	if c.Err() != nil {
		return nil, c.Err()
	}
	return v, err
}

// appended returns the rows with others behind them.
func (m *Evaluator) appended(r *rows, items []Value) (*rows, error) {
	if len(items) == 0 {
		return r, nil
	}
	more, err := m.rowsOf(items, r)
	if err != nil {
		return nil, err
	}
	if shapeOf([]Value{more.like}) != shapeOf([]Value{r.like}) {
		return nil, fmt.Errorf("%w: a list of different elements has another length", build.ErrDataDependent)
	}
	c := m.newCall("aten::append", nil)
	out := &rows{like: r.like}
	for k := range r.leaves {
		out.leaves = append(out.leaves, c.apply(ops.Concat{}, r.leaves[k], more.leaves[k]))
	}
	if c.Err() != nil {
		return nil, fmt.Errorf("%w: the elements of a list of another length: %w", build.ErrDataDependent, c.Err())
	}
	return out, nil
}

// part returns the rows from one index to another.
func (m *Evaluator) part(r *rows, start, end *build.Number) (*rows, error) {
	c := m.newCall("aten::slice", nil)
	out := &rows{like: r.like}
	for _, t := range r.leaves {
		out.leaves = append(out.leaves, c.sliced(t, 0, start, end, 1))
	}
	return out, c.Err()
}

// joined returns the tensors of a list side by side along a dimension, as cat does, or along a new one, as stack does.
func (m *Evaluator) joined(r *rows, args []Value, stacked bool) (Value, error) {
	c := m.newCall("aten::cat", append(args[:len(args):len(args)], int64(0)))
	t := r.leaves[0]
	rank := t.Rank() - 1
	if stacked {
		rank++
	}
	axis := c.axis(1, rank)
	c.assertAll(c.arithNumber(ops.Gt, c.lift(m.count(r)), int64(0)), "a non-empty list of Tensors is expected")
	order := make([]int, 0, t.Rank())
	for i := 1; i < t.Rank(); i++ {
		order = append(order, i)
	}
	order = append(order[:axis], append([]int{0}, order[axis:]...)...)
	out := c.apply(ops.Permute{Order: order}, t)
	if !stacked && c.Err() == nil {
		dims := c.Dims(out)
		to := append(append([]*build.Number(nil), dims[:axis]...), build.Extent(-1))
		out = c.reshape(out, append(to, dims[axis+2:]...))
	}
	return out, c.Err()
}

// onOpenLists evaluates an operator on a list whose length only the run knows. One that does not take such lists finds those of the run's
// length among its arguments, on which the graph then depends.
func (m *Evaluator) onOpenLists(name string, args []Value, keywords map[string]Value) (v Value, done bool, err error) {
	if len(args) == 0 {
		return nil, false, nil
	}
	if v, done, err := m.onRows(name, args, keywords); done || err != nil {
		return v, done, err
	}
	for _, a := range args {
		if err := m.Listed(a); err != nil {
			return nil, false, err
		}
	}
	return nil, false, nil
}

// onRows evaluates an operator on the rows of its first argument, or reports that it does not take them.
func (m *Evaluator) onRows(name string, args []Value, keywords map[string]Value) (v Value, done bool, err error) {
	l, ok := args[0].(*List)
	if !ok {
		return nil, false, nil
	}
	r := rowsIn(l.Items)
	if r == nil {
		if n, ok := indexOfRun(name, args); !ok || !m.onlyRun(n) {
			return nil, false, nil
		}
		var err error
		if r, err = m.rowsOf(l.Items, nil); err != nil {
			return nil, false, err
		}
	}
	put := func(r *rows, err error) error {
		if err == nil {
			m.record(l)
			l.Items = []Value{r}
		}
		return err
	}
	_, isTensor := r.like.(*build.Tensor)
	switch {
	case name == "aten::len":
		return m.count(r), true, nil
	case name == "aten::append" && len(args) == 2:
		return l, true, put(m.appended(r, args[1:]))
	case (name == "aten::extend" || name == "aten::add_") && len(args) == 2:
		if more, ok := args[1].(*List); ok {
			return l, true, put(m.appended(r, more.Items))
		}
	case name == "aten::__getitem__" && len(args) == 2:
		v, err := m.element(r, args[1], true)
		m.freezeAll(v)
		return v, true, err
	case name == "aten::_set_item" && len(args) == 3:
		return l, true, put(m.replaced(r, args[1], args[2]))
	case name == "aten::pop" && len(args) == 1:
		v, err := m.element(r, int64(-1), true)
		m.freezeAll(v)
		if err == nil {
			err = put(m.part(r, build.Extent(0), build.Extent(-1)))
		}
		return v, true, err
	case name == "aten::clear":
		m.record(l)
		l.Items = nil
		return nil, true, nil
	case name == "aten::copy" || name == "aten::list":
		return &List{Items: l.Items}, true, nil
	case name == "aten::tensor" && build.IsNumber(r.like):
		t := r.leaves[0]
		if t.DType() == tensor.Float64 && keywords["dtype"] == nil {
			t = m.newCall(name, nil).cast(t, tensor.Float32)
		}
		v, err := m.Dispatch(name, append([]Value{t}, args[1:]...), keywords)
		return v, true, err
	case isTensor && (name == "aten::stack" || name == "aten::cat" || name == "aten::concat"):
		v, err := m.joined(r, args, name == "aten::stack")
		return v, true, err
	}
	return nil, false, nil
}

// Listed makes a list of the length of the run of one whose length only the run knows; the graph then depends on it.
func (m *Evaluator) Listed(v Value) error {
	l, ok := v.(*List)
	if !ok || rowsIn(l.Items) == nil {
		return nil
	}
	r := rowsIn(l.Items)
	n, err := m.Int(m.count(r))
	if err != nil {
		return err
	}
	items := make([]Value, n)
	for i := range items {
		if items[i], err = m.element(r, int64(i), false); err != nil {
			return err
		}
	}
	m.record(l)
	l.Items, m.listed = items, true
	return nil
}

// OpenOutputs reports whether the program may have another number of outputs for other values, none among them.
func (m *Evaluator) OpenOutputs() bool { return m.listed || m.Decided() }
