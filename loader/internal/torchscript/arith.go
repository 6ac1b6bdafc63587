package torchscript

import (
	"errors"
	"fmt"
	"math"

	"github.com/octet-ml/octet/ops"
)

// errZeroDivision is Python's.
var errZeroDivision = &RaisedError{"ZeroDivisionError", "division by zero"}

// arithmeticOf computes a function of two numbers as TorchScript does: mostly like
// Python, but floats are divided by zero, and powers are always floats.
func (c *call) arithmeticOf(fn ops.BinaryFn, a, b *number) (value, error) {
	if a == nil || b == nil {
		return nil, errors.New("a number is missing")
	}
	out := &number{deps: a.deps.union(b.deps)}
	if a.known != nil && b.known != nil {
		v, err := plainArithmetic(fn, a.known, b.known)
		if err != nil {
			c.depend(out.deps)
			return nil, err
		}
		out.known = v
		out.kind, _ = kindOf(v)
		if len(out.deps) == 0 {
			return v, nil
		}
	} else {
		k, err := resultKind(fn, a.kind, b.kind)
		if err != nil {
			return nil, err
		}
		out.kind = k
	}
	if a.computable() && b.computable() {
		out.term = termOf(fn, a, b, out)
	}
	if out.term == nil && out.known == nil {
		return nil, errDataDependent
	}
	return out, nil
}

// termOf returns how a graph computes a function as Python does, nil where its
// operators compute another one.
func termOf(fn ops.BinaryFn, a, b, out *number) *term {
	toFloat := func(n *number) *number {
		if n.kind == floatKind {
			return n
		}
		return asNumber(n.to(floatKind))
	}
	if out.kind == floatKind {
		a, b = toFloat(a), toFloat(b)
	}
	t := &term{fn: fn, a: a, b: b}
	if t.size(maxTerm) > maxTerm && out.known != nil {
		return nil
	}
	return t
}

// resultKind returns the kind of a function's result.
func resultKind(fn ops.BinaryFn, a, b kind) (kind, error) {
	switch fn {
	case ops.Eq, ops.Ne, ops.Lt, ops.Le, ops.Gt, ops.Ge, ops.LogicalAnd, ops.LogicalOr, ops.LogicalXor:
		return boolKind, nil
	case ops.Div:
		return floatKind, nil
	case ops.BitAnd, ops.BitOr, ops.BitXor:
		if a == boolKind && b == boolKind {
			return boolKind, nil
		}
		return intKind, nil
	case ops.Pow:
		return floatKind, nil
	}
	return max(a, b, intKind), nil
}

// plainArithmetic computes a function of two plain numbers.
func plainArithmetic(fn ops.BinaryFn, a, b value) (value, error) {
	ka, _ := kindOf(a)
	kb, _ := kindOf(b)
	if ka == floatKind || kb == floatKind || fn == ops.Div || fn == ops.Pow {
		x, _ := plainFloat(a)
		y, _ := plainFloat(b)
		return floatArithmetic(fn, x, y)
	}
	if ka == boolKind && kb == boolKind {
		x, y := a.(bool), b.(bool)
		switch fn {
		case ops.BitAnd, ops.LogicalAnd:
			return x && y, nil
		case ops.BitOr, ops.LogicalOr:
			return x || y, nil
		case ops.BitXor, ops.LogicalXor:
			return x != y, nil
		}
	}
	return intArithmetic(fn, convert(a, intKind).(int64), convert(b, intKind).(int64))
}

func floatArithmetic(fn ops.BinaryFn, x, y float64) (value, error) {
	switch fn {
	case ops.Add:
		return x + y, nil
	case ops.Sub:
		return x - y, nil
	case ops.Mul:
		return x * y, nil
	case ops.Div:
		return x / y, nil
	case ops.FloorDiv:
		return math.Floor(x / y), nil
	case ops.TruncDiv:
		return math.Trunc(x / y), nil
	case ops.Remainder:
		r := math.Mod(x, y)
		if r != 0 && (r < 0) != (y < 0) {
			r += y
		}
		return r, nil
	case ops.Fmod:
		return math.Mod(x, y), nil
	case ops.Pow:
		return math.Pow(x, y), nil
	case ops.Max:
		return max(x, y), nil
	case ops.Min:
		return min(x, y), nil
	case ops.Atan2:
		return math.Atan2(x, y), nil
	}
	return comparison(fn, x, y)
}

func intArithmetic(fn ops.BinaryFn, x, y int64) (value, error) {
	switch fn {
	case ops.Add:
		return x + y, nil
	case ops.Sub:
		return x - y, nil
	case ops.Mul:
		return x * y, nil
	case ops.FloorDiv, ops.TruncDiv, ops.Remainder, ops.Fmod:
		if y == 0 {
			return nil, errZeroDivision
		}
		if y == -1 { // the least integer has no opposite
			if fn == ops.Remainder || fn == ops.Fmod {
				return int64(0), nil
			}
			return -x, nil
		}
		q, r := x/y, x%y
		switch {
		case fn == ops.TruncDiv:
			return q, nil
		case fn == ops.Fmod:
			return r, nil
		case r != 0 && (r < 0) != (y < 0):
			q, r = q-1, r+y
		}
		if fn == ops.FloorDiv {
			return q, nil
		}
		return r, nil
	case ops.Max:
		return max(x, y), nil
	case ops.Min:
		return min(x, y), nil
	case ops.BitAnd:
		return x & y, nil
	case ops.BitOr:
		return x | y, nil
	case ops.BitXor:
		return x ^ y, nil
	}
	return comparison(fn, x, y)
}

func comparison[T int64 | float64](fn ops.BinaryFn, x, y T) (value, error) {
	switch fn {
	case ops.Eq:
		return x == y, nil
	case ops.Ne:
		return x != y, nil
	case ops.Lt:
		return x < y, nil
	case ops.Le:
		return x <= y, nil
	case ops.Gt:
		return x > y, nil
	case ops.Ge:
		return x >= y, nil
	case ops.LogicalAnd:
		return x != 0 && y != 0, nil
	case ops.LogicalOr:
		return x != 0 || y != 0, nil
	case ops.LogicalXor:
		return (x != 0) != (y != 0), nil
	}
	return nil, fmt.Errorf("%v of numbers", fn)
}
