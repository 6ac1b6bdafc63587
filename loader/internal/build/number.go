package build

import (
	"math"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
)

// Kind is the type of a number.
type Kind uint8

// The kinds, in the order in which arithmetic widens them.
const (
	Bool Kind = iota
	Int
	Float
)

// String returns Python's name of the kind.
func (k Kind) String() string { return [...]string{"bool", "int", "float"}[k] }

// Number is a bool, int or float that the inputs of the program decide.
type Number struct {
	Kind  Kind
	Known any   // bool, int64 or float64 for the inputs at hand; nil when only a run tells
	Deps  Deps  // what of the inputs it follows from
	Term  *Term // how a graph computes it; nil where it cannot

	Divisor int64 // divides an int whatever the inputs are; 0 says nothing

	bound *Number // of the slice whose extent it is: the same number, unless the bound lies outside of the dimension
}

// Deps is a set of facts about the inputs, by their index in Builder.facts.
type Deps []uint64

func (d Deps) with(fact int) Deps {
	out := make(Deps, max(len(d), fact/64+1))
	copy(out, d)
	out[fact/64] |= 1 << (fact % 64)
	return out
}

func (d Deps) has(fact int) bool { return fact/64 < len(d) && d[fact/64]>>(fact%64)&1 == 1 }

// meets reports whether two sets have a fact in common.
func (d Deps) meets(o Deps) bool {
	for i, w := range o {
		if i < len(d) && d[i]&w != 0 {
			return true
		}
	}
	return false
}

//go:noinline
func (d Deps) Union(o Deps) Deps {
	if len(o) > len(d) {
		d, o = o, d
	}
	for i, w := range o {
		if w&^d[i] != 0 {
			out := append(Deps(nil), d...)
			for j := i; j < len(o); j++ {
				out[j] |= o[j]
			}
			return out
		}
	}
	return d
}

// Term says how a graph computes a number: as a value without dimensions, as
// the extent of an input's dimension, or as a function of other numbers.
type Term struct {
	Value *graph.Value

	Input *graph.Value
	Axis  int

	Fn   ops.BinaryFn
	A, B *Number
	Cast *Number // to the number's kind
}

// Size returns how many operators a term takes, more than limit when it does not matter.
func (t *Term) Size(limit int) int {
	n := 1
	for _, x := range []*Number{t.A, t.B, t.Cast} {
		if x != nil && x.Term != nil && n <= limit {
			n += x.Term.Size(limit - n)
		}
	}
	return n
}

// MaxTerm bounds the terms that arithmetic builds up.
const MaxTerm = 64

// KindOf returns the kind of a number, and false for any other value.
//
//go:noinline
func KindOf(v any) (Kind, bool) {
	switch v := v.(type) {
	case bool:
		return Bool, true
	case int64:
		return Int, true
	case float64:
		return Float, true
	case *Number:
		return v.Kind, true
	}
	return 0, false
}

// IsNumber reports whether a value is a number, plain or not.
func IsNumber(v any) bool {
	_, ok := KindOf(v)
	return ok
}

// AsNumber returns a number, of a plain one as well; nil for what is none.
//
//go:noinline
func AsNumber(v any) *Number {
	if n, ok := v.(*Number); ok {
		return n
	}
	if k, ok := KindOf(v); ok {
		return &Number{Kind: k, Known: v}
	}
	return nil
}

// Plain returns a number that follows from nothing as a plain bool, int64 or float64, and
// any other as it is.
func (n *Number) Plain() any {
	if len(n.Deps) == 0 && n.Known != nil {
		return n.Known
	}
	return n
}

// Computable reports whether a graph can compute the number.
func (n *Number) Computable() bool { return n.Term != nil || n.Known != nil && len(n.Deps) == 0 }

// To converts a number to a kind.
func (n *Number) To(k Kind) any {
	if n.Kind == k {
		return n.Plain()
	}
	out := &Number{Kind: k, Deps: n.Deps}
	if n.Known != nil {
		out.Known = Convert(n.Known, k)
	}
	if n.Term != nil {
		out.Term = &Term{Cast: n}
	}
	return out.Plain()
}

// ToFloat returns a plain bool, int or float as a float.
//
//go:noinline
func ToFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// Convert returns a plain number as one of a kind, as int(), float() and bool() do.
func Convert(v any, k Kind) any {
	switch k {
	case Bool:
		f, _ := ToFloat(v)
		return f != 0
	case Int:
		switch v := v.(type) {
		case int64:
			return v
		case float64:
			if v >= -1<<63 && v < 1<<63 {
				return int64(v)
			}
			return int64(math.MinInt64)
		}
		f, _ := ToFloat(v)
		return int64(f)
	}
	f, _ := ToFloat(v)
	return f
}
