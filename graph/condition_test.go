package graph

import (
	"math"
	"testing"
)

// TestConditionArithmetic compares operators of conditions with Python's, up to where 64 bits end.
func TestConditionArithmetic(t *testing.T) {
	const none = math.MinInt64 + 7 // no result
	for _, c := range []struct {
		op      ConditionOp
		a, b, r int64
	}{
		{"+", math.MaxInt64, 1, none}, {"+", math.MinInt64, -1, none}, {"+", 5, 0, 5},
		{"-", math.MinInt64, 1, none}, {"-", 0, math.MinInt64, none}, {"-", 5, 0, 5},
		{"*", 1 << 32, 1 << 31, none}, {"*", -1 << 32, 1 << 31, math.MinInt64}, {"*", math.MinInt64, -1, none}, {"*", -3, -4, 12}, {"*", -3, 4, -12},
		{"//", -7, 2, -4}, {"//", 7, -2, -4}, {"//", 7, 0, none}, {"//", math.MinInt64, -1, none}, {"//", -8, 2, -4},
		{"%", -7, 2, 1}, {"%", 7, -2, -1}, {"%", 7, 0, none}, {"%", -8, 2, 0},
		{"**", 2, 62, 1 << 62}, {"**", 2, 63, none}, {"**", 2, -1, none}, {"**", 1, 65, none}, {"**", 0, 0, 1},
		{"min", 2, 3, 2}, {"max", 2, 3, 3}, {"==", 2, 2, 1}, {"!=", 2, 2, 0}, {"<", 2, 2, 0}, {"<=", 2, 2, 1}, {"and", 2, 0, 0}, {"or", 0, 3, 1},
	} {
		cond := Condition{Op: c.op, Args: []Condition{{Op: ConstantOp, Value: c.a}, {Op: ConstantOp, Value: c.b}}}
		r, ok := cond.eval(nil)
		if ok != (c.r != none) || ok && r != c.r {
			t.Errorf("%d %s %d: %d, %v", c.a, c.op, c.b, r, ok)
		}
	}
}
