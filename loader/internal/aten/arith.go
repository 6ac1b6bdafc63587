package aten

import (
	"errors"
	"fmt"
	"math"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
)

// errZeroDivision is Python's.
var errZeroDivision = &RaisedError{"ZeroDivisionError", "division by zero"}

// arithmeticOf computes a function of two numbers as TorchScript does: mostly like
// Python, but floats are divided by zero, and powers are always floats.
func (c *call) arithmeticOf(fn ops.BinaryFn, a, b *build.Number) (Value, error) {
	if a == nil || b == nil {
		return nil, errors.New("a number is missing")
	}
	if yes, no := fn == ops.Eq || fn == ops.Le || fn == ops.Ge, fn == ops.Ne || fn == ops.Lt || fn == ops.Gt; (yes || no) && sameInt(a, b) {
		return yes, nil
	}
	if (fn == ops.Eq || fn == ops.Ne) && neverEqual(a, b) {
		return fn == ops.Ne, nil
	}
	out := &build.Number{Deps: a.Deps.Union(b.Deps)}
	if a.Known != nil && b.Known != nil {
		v, err := plainArithmetic(fn, a.Known, b.Known)
		if err != nil {
			c.Depend(out.Deps)
			return nil, err
		}
		out.Known = v
		out.Kind, _ = build.KindOf(v)
		if len(out.Deps) == 0 {
			return v, nil
		}
	} else {
		k, err := resultKind(fn, a.Kind, b.Kind)
		if err != nil {
			return nil, err
		}
		out.Kind = k
	}
	if out.Kind == build.Int {
		out.Divisor = divisorOf(fn, a, b)
	}
	if a.Computable() && b.Computable() {
		out.Term = termOf(fn, a, b, out)
	}
	if out.Term == nil && out.Known == nil {
		return nil, build.ErrDataDependent
	}
	return out, nil
}

// termOf returns how a graph computes a function as Python does, nil where its
// operators compute another one.
func termOf(fn ops.BinaryFn, a, b, out *build.Number) *build.Term {
	toFloat := func(n *build.Number) *build.Number {
		if n.Kind == build.Float {
			return n
		}
		return build.AsNumber(n.To(build.Float))
	}
	if out.Kind == build.Float {
		a, b = toFloat(a), toFloat(b)
	}
	t := &build.Term{Fn: fn, A: a, B: b}
	if t.Size(build.MaxTerm) > build.MaxTerm && out.Known != nil {
		return nil
	}
	return t
}

// resultKind returns the kind of a function's result.
func resultKind(fn ops.BinaryFn, a, b build.Kind) (build.Kind, error) {
	switch fn {
	case ops.Eq, ops.Ne, ops.Lt, ops.Le, ops.Gt, ops.Ge, ops.LogicalAnd, ops.LogicalOr, ops.LogicalXor:
		return build.Bool, nil
	case ops.Div:
		return build.Float, nil
	case ops.BitAnd, ops.BitOr, ops.BitXor:
		if a == build.Bool && b == build.Bool {
			return build.Bool, nil
		}
		return build.Int, nil
	case ops.Pow:
		return build.Float, nil
	}
	return max(a, b, build.Int), nil
}

// sameInt reports whether two numbers are one int, whatever that is.
func sameInt(a, b *build.Number) bool {
	return a.Kind == build.Int && b.Kind == build.Int && build.SameNumber(a, b)
}

// neverEqual reports whether an int differs from a constant whatever the inputs are, since it is a multiple of what does not divide that: as the number of values that
// group norm takes of a batch, which TorchScript compares with 1.
func neverEqual(a, b *build.Number) bool {
	constant, ok := b.Known.(int64)
	if !ok || len(b.Deps) > 0 || len(a.Deps) == 0 || a.Kind != build.Int {
		return false
	}
	return constant%divisor(a) != 0
}

// divisor returns an int that divides a number whatever the inputs are.
func divisor(n *build.Number) int64 {
	if k, ok := n.Known.(int64); ok && len(n.Deps) == 0 && k != 0 && k == int64(int32(k)) {
		return max(k, -k)
	}
	return max(n.Divisor, 1)
}

// divisorOf is divisor of a function of two numbers.
func divisorOf(fn ops.BinaryFn, a, b *build.Number) int64 {
	x, y := divisor(a), divisor(b)
	switch {
	case fn == ops.Mul && x <= math.MaxInt32 && y <= math.MaxInt32:
		return x * y
	case fn == ops.FloorDiv && len(b.Deps) == 0 && b.Known == y && x%y == 0:
		return x / y
	}
	return 1
}

// plainArithmetic computes a function of two plain numbers.
func plainArithmetic(fn ops.BinaryFn, a, b Value) (Value, error) {
	ka, _ := build.KindOf(a)
	kb, _ := build.KindOf(b)
	if ka == build.Float || kb == build.Float || fn == ops.Div || fn == ops.Pow {
		x, _ := build.ToFloat(a)
		y, _ := build.ToFloat(b)
		return floatArithmetic(fn, x, y)
	}
	if ka == build.Bool && kb == build.Bool {
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
	return intArithmetic(fn, build.Convert(a, build.Int).(int64), build.Convert(b, build.Int).(int64))
}

func floatArithmetic(fn ops.BinaryFn, x, y float64) (Value, error) {
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

func intArithmetic(fn ops.BinaryFn, x, y int64) (Value, error) {
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

func comparison[T int64 | float64](fn ops.BinaryFn, x, y T) (Value, error) {
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
