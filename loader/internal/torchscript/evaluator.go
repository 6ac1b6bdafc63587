package torchscript

import (
	"errors"
	"fmt"
	"slices"
)

// Evaluator evaluates the operators and the control flow of a program, for inputs
// of given types, and builds the graph of what they compute with tensors. It
// serves one execution of the program, on one goroutine.
type Evaluator struct {
	*builder
	budget
	table   table
	opset   int // version of the operators
	objects Objects
	origins []value // what the file holds, by its number
	journal *journal

	uses     uses // operators that are not supported
	poisoned bool // an unknown value exists: what follows need not make sense
}

// Objects is what the operators ask of a program whose values are objects, too:
// of the classes that it defines.
type Objects interface {
	// Method returns a method of an object, bound to it; nil where it has none of the name.
	Method(o *object, name string) func(args ...value) (value, error)
	// Class returns a class by its whole name; nil where there is none.
	Class(name string) Class
	// Member returns a member of an enum, by the whole name of its class, a dot and its own.
	Member(name string) (value, error)
}

// LatestVersion is the version of PyTorch's operators that this package follows.
const LatestVersion = 10

// NewEvaluator returns an evaluator that builds a new graph. version is that of the
// operators, as PyTorch counts them; objects is nil for a program without classes.
func NewEvaluator(t table, version int, objects Objects) *Evaluator {
	m := &Evaluator{builder: newBuilder(), table: t, opset: version, objects: objects}
	m.beforeWrite = func(s *storage) { m.record(s) }
	return m
}

// SetOrigins says what of the file the program may change, which becomes state. The
// number of each, one more than its index here, is its id.
func (m *Evaluator) SetOrigins(origins []value) { m.origins = origins }

// Table returns the operators.
func (m *Evaluator) Table() table { return m.table }

// StartJournal makes the evaluator note what the program changes from here on.
// What changed before is what the file holds.
func (m *Evaluator) StartJournal() { m.journal = &journal{} }

// record is called before something is left in a place. It returns how many
// elements it copied.
func (m *Evaluator) record(p place) (copied int) { return m.journal.record(p) }

// version returns the version of the operators.
func (m *Evaluator) version() int { return m.opset }

// method returns a method of an object, nil where it has none.
func (m *Evaluator) method(o *object, name string) func(args ...value) (value, error) {
	if m.objects == nil {
		return nil
	}
	return m.objects.Method(o, name)
}

// SetAttribute sets an attribute of an object.
func (m *Evaluator) SetAttribute(o *object, name string, v value) {
	m.record(attrPlace{o, name})
	o.set(name, v)
}

// Note records something that is not supported, and where it stands: the program
// goes on to find others.
func (m *Evaluator) Note(at fmt.Stringer, name string) {
	m.poisoned = true
	m.uses.add(name, at.String(), 1)
}

// Unsupported returns an *UnsupportedError with everything that was noted, nil for
// nothing. What else went wrong may follow from that.
func (m *Evaluator) Unsupported() error { return m.uses.err() }

// Operator evaluates a call of an operator, by its name without the overload. An
// operator that is not known is noted, and the program goes on to find others.
func (m *Evaluator) Operator(at fmt.Stringer, name string, args []value, keywords map[string]value) (value, error) {
	for _, a := range args {
		switch a := a.(type) {
		case *missing:
			m.Note(at, a.what)
			return unknown{}, nil
		case uninitialized:
			return nil, fmt.Errorf("%s: an argument is used before it has a value", name)
		}
	}
	if m.poisoned && slices.ContainsFunc(args, isUnknown) {
		if !m.table.supports(name) {
			m.Note(at, name)
		}
		return unknown{}, nil
	}
	v, err := m.Dispatch(name, args, keywords)
	var not *unsupported
	switch {
	case errors.As(err, &not):
		if not.reason != "" {
			name += ": " + not.reason
		}
		m.Note(at, name)
		return unknown{}, nil
	case errors.Is(err, errDataDependent):
		m.Note(at, name+": "+err.Error())
		return unknown{}, nil
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return v, nil
}

// isUnknown reports whether a value is, or holds, the result of an unsupported operator.
func isUnknown(v value) bool {
	if _, ok := v.(unknown); ok {
		return true
	}
	items, _ := itemsOf(v)
	for _, x := range items {
		if _, ok := x.(unknown); ok {
			return true
		}
	}
	return false
}

// truth returns a condition, on which the graph then depends.
func truth(b *builder, v value) (bool, error) {
	p, err := b.plainValue(v)
	if err != nil {
		return false, err
	}
	switch p := p.(type) {
	case bool:
		return p, nil
	case int64, float64:
		f, _ := plainFloat(p)
		return f != 0, nil
	}
	return false, fmt.Errorf("a %s is used as a condition", typeName(v))
}

// itemOf returns the only element of a tensor as a number of a kind.
func itemOf(b *builder, t *Tensor, k kind) (value, error) {
	if n := t.number; n != nil && t.version == t.store.version {
		return n.to(k), nil
	}
	typ := t.typ()
	if typ.Numel() != 1 || t.complex {
		return nil, fmt.Errorf("a tensor of shape %v is used as a number", typ.Shape)
	}
	if typ.Q != nil {
		return nil, unsupportedf("an element of a quantized tensor as a number")
	}
	v, err := b.read(t)
	if err != nil {
		return nil, err
	}
	if c := v.Const; c != nil {
		if x, ok := plainOf(c); ok {
			return convert(x, k), nil
		}
	}
	if len(typ.Shape) > 0 {
		if v, err = b.reshape(v, nil); err != nil {
			return nil, err
		}
	}
	if v, err = b.cast(v, k.dtype()); err != nil {
		return nil, err
	}
	return b.element(v, k).plain(), nil
}
