package aten

import (
	"errors"
	"fmt"
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
)

// Evaluator evaluates the operators and the control flow of a program, for inputs
// of given types, and builds the graph of what they compute with tensors. It
// serves one execution of the program, on one goroutine.
type Evaluator struct {
	*build.Builder
	counts  counts
	table   Table
	opset   int // version of the operators
	objects Objects
	origins []Value // what the file holds, by its number
	journal *journal
	frozen  map[*build.Storage]bool // memory that is not to be written to: see aliases.go
	// changing counts, for memory in front of loops that are being made, how many of them write to it in each iteration.
	changing map[*build.Storage]int
	pt2e     *decomposed
	packed   map[*graph.Value]*packing
	random   *build.Tensor // the state of the generator of random numbers, nil where none are drawn
	late     bool          // see NeedsGenerator

	listed    bool // the number of elements of a list was looked up, which only the run knows
	undecided bool // a branch or loop is part of the graph, since only the run decides it

	uses     uses // operators that are not supported
	poisoned bool // an unknown value exists: what follows need not make sense
}

// Objects is what the operators ask of a program whose values are objects, too:
// of the classes that it defines.
type Objects interface {
	// Method returns a method of an object, bound to it; nil where it has none of the name.
	Method(o *Object, name string) func(args ...Value) (Value, error)
	// Class returns a class by its whole name; nil where there is none.
	Class(name string) Class
	// Member returns a member of an enum, by the whole name of its class, a dot and its own.
	Member(name string) (Value, error)
}

// LatestVersion is the version of PyTorch's operators that this package follows.
const LatestVersion = 10

// NewEvaluator returns an evaluator that builds a new graph. version is that of the
// operators, as PyTorch counts them; objects is nil for a program without classes.
func NewEvaluator(t Table, version int, objects Objects) *Evaluator {
	m := &Evaluator{Builder: build.NewBuilder(), table: t, opset: version, objects: objects, pt2e: newDecomposed(), packed: make(map[*graph.Value]*packing), changing: make(map[*build.Storage]int)}
	m.BeforeWrite = m.beforeWrite
	return m
}

// SetOrigins says what of the file the program may change, which becomes state. The
// number of each, one more than its index here, is its id.
func (m *Evaluator) SetOrigins(origins []Value) { m.origins = origins }

func (m *Evaluator) decomposed() *decomposed { return m.pt2e }

// Table returns the operators.
func (m *Evaluator) Table() Table { return m.table }

// StartJournal makes the evaluator note what the program changes from here on.
// What changed before is what the file holds.
func (m *Evaluator) StartJournal() { m.journal = &journal{} }

// record is called before something is left in a place. It returns how many
// elements it copied.
func (m *Evaluator) record(p place) (copied int) { return m.journal.record(p) }

// version returns the version of the operators.
func (m *Evaluator) version() int { return m.opset }

// method returns a method of an object, nil where it has none.
func (m *Evaluator) method(o *Object, name string) func(args ...Value) (Value, error) {
	if m.objects == nil {
		return nil
	}
	return m.objects.Method(o, name)
}

// SetAttribute sets an attribute of an object.
func (m *Evaluator) SetAttribute(o *Object, name string, v Value) {
	m.record(attrPlace{o, name})
	o.Set(name, v)
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
func (m *Evaluator) Operator(at fmt.Stringer, name string, args []Value, keywords map[string]Value) (Value, error) {
	for i, a := range args {
		switch a := a.(type) {
		case *Missing:
			v, err := Given(a)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			if v == a {
				m.Note(at, a.What)
				return Unknown{}, nil
			}
			args = slices.Clone(args)
			args[i] = v
		case Uninitialized:
			return nil, fmt.Errorf("%s: an argument is used before it has a value", name)
		}
	}
	if err := m.Ended(); err != nil {
		return nil, err
	}
	if m.poisoned && slices.ContainsFunc(args, IsUnknown) {
		if !m.table.Supports(name) {
			m.Note(at, name)
		}
		return Unknown{}, nil
	}
	v, err := m.Dispatch(name, args, keywords)
	var not *unsupported
	switch {
	case errors.As(err, &not):
		if not.reason != "" {
			name += ": " + not.reason
		}
		m.Note(at, name)
		return Unknown{}, nil
	case errors.Is(err, build.ErrDataDependent):
		m.undecided = true
		m.Note(at, name+": "+err.Error())
		return Unknown{}, nil
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return v, nil
}

// IsUnknown reports whether a value is, or holds, the result of an unsupported operator.
func IsUnknown(v Value) bool {
	if _, ok := v.(Unknown); ok {
		return true
	}
	items, _ := Items(v)
	for _, x := range items {
		if _, ok := x.(Unknown); ok {
			return true
		}
	}
	return false
}

// Truth returns a condition, on which the graph then depends.
func Truth(b *build.Builder, v Value) (bool, error) {
	if n, ok := v.(*build.Number); ok {
		if _, known := b.Plain(n); !known {
			v = n.To(build.Bool)
		}
	}
	p, err := b.PlainValue(v)
	if err != nil {
		return false, err
	}
	switch p := p.(type) {
	case bool:
		return p, nil
	case int64, float64:
		f, _ := build.ToFloat(p)
		return f != 0, nil
	}
	return false, fmt.Errorf("a %s is used as a condition", TypeName(v))
}

// Item returns the only element of a tensor as a number of a kind.
func Item(b *build.Builder, t *build.Tensor, k build.Kind) (Value, error) {
	if n := t.Unwritten(); n != nil {
		return n.To(k), nil
	}
	typ := t.Type()
	if typ.Numel() != 1 || t.Complex {
		return nil, fmt.Errorf("a tensor of shape %v is used as a number", typ.Shape)
	}
	if typ.Q != nil {
		return nil, unsupportedf("an element of a quantized tensor as a number")
	}
	v, err := b.Read(t)
	if err != nil {
		return nil, err
	}
	if c := v.Const; c != nil {
		if x, ok := build.PlainElement(c); ok {
			return build.Convert(x, k), nil
		}
	}
	if len(typ.Shape) > 0 {
		if v, err = b.Reshape(v, nil); err != nil {
			return nil, err
		}
	}
	if v, err = b.Cast(v, k.DType()); err != nil {
		return nil, err
	}
	if k == build.Float { // a number has no gradient
		if v, err = b.AddOne(ops.Detach{}, v); err != nil {
			return nil, err
		}
	}
	return b.Element(v, k).Plain(), nil
}
