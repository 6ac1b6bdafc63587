package torchscript

import (
	"math"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
)

// kind is the type of a number.
type kind uint8

// The kinds, in the order in which arithmetic widens them.
const (
	boolKind kind = iota
	intKind
	floatKind
)

// String returns Python's name of the kind.
func (k kind) String() string { return [...]string{"bool", "int", "float"}[k] }

// number is a bool, int or float that the inputs of the program decide.
type number struct {
	kind  kind
	known any   // bool, int64 or float64 for the inputs at hand; nil when only a run tells
	deps  deps  // what of the inputs it follows from
	term  *term // how a graph computes it; nil where it cannot
}

// deps is a set of facts about the inputs, by their index in builder.facts.
type deps []uint64

func (d deps) with(fact int) deps {
	out := make(deps, max(len(d), fact/64+1))
	copy(out, d)
	out[fact/64] |= 1 << (fact % 64)
	return out
}

func (d deps) has(fact int) bool { return fact/64 < len(d) && d[fact/64]>>(fact%64)&1 == 1 }

func (d deps) union(o deps) deps {
	if len(o) > len(d) {
		d, o = o, d
	}
	for i, w := range o {
		if w&^d[i] != 0 {
			out := append(deps(nil), d...)
			for j := i; j < len(o); j++ {
				out[j] |= o[j]
			}
			return out
		}
	}
	return d
}

// term says how a graph computes a number: as a value without dimensions, as
// the extent of an input's dimension, or as a function of other numbers.
type term struct {
	value *graph.Value

	input *graph.Value
	axis  int

	fn   ops.BinaryFn
	a, b *number
	cast *number // to the number's kind
}

// size returns how many operators a term takes, more than limit when it does not matter.
func (t *term) size(limit int) int {
	n := 1
	for _, x := range []*number{t.a, t.b, t.cast} {
		if x != nil && x.term != nil && n <= limit {
			n += x.term.size(limit - n)
		}
	}
	return n
}

// maxTerm bounds the terms that arithmetic builds up.
const maxTerm = 64

// kindOf returns the kind of a number, and false for any other value.
func kindOf(v any) (kind, bool) {
	switch v := v.(type) {
	case bool:
		return boolKind, true
	case int64:
		return intKind, true
	case float64:
		return floatKind, true
	case *number:
		return v.kind, true
	}
	return 0, false
}

// isNumber reports whether a value is a number, plain or not.
func isNumber(v any) bool {
	_, ok := kindOf(v)
	return ok
}

// asNumber returns a number, of a plain one as well; nil for what is none.
func asNumber(v any) *number {
	if n, ok := v.(*number); ok {
		return n
	}
	if k, ok := kindOf(v); ok {
		return &number{kind: k, known: v}
	}
	return nil
}

// plain returns a number that follows from nothing as a plain bool, int64 or float64, and
// any other as it is.
func (n *number) plain() any {
	if len(n.deps) == 0 && n.known != nil {
		return n.known
	}
	return n
}

// computable reports whether a graph can compute the number.
func (n *number) computable() bool { return n.term != nil || n.known != nil && len(n.deps) == 0 }

// to converts a number to a kind.
func (n *number) to(k kind) any {
	if n.kind == k {
		return n.plain()
	}
	out := &number{kind: k, deps: n.deps}
	if n.known != nil {
		out.known = convert(n.known, k)
	}
	if n.term != nil {
		out.term = &term{cast: n}
	}
	return out.plain()
}

// plainFloat returns a plain bool, int or float as a float.
func plainFloat(v any) (float64, bool) {
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

// convert returns a plain number as one of a kind, as int(), float() and bool() do.
func convert(v any, k kind) any {
	switch k {
	case boolKind:
		f, _ := plainFloat(v)
		return f != 0
	case intKind:
		switch v := v.(type) {
		case int64:
			return v
		case float64:
			if v >= -1<<63 && v < 1<<63 {
				return int64(v)
			}
			return int64(math.MinInt64)
		}
		f, _ := plainFloat(v)
		return int64(f)
	}
	f, _ := plainFloat(v)
	return f
}
