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
		{"**", 2, 62, 1 << 62}, {"**", 2, 63, none}, {"**", 1, 65, none}, {"**", 0, 0, 1},
		{"min", 2, 3, 2}, {"max", 2, 3, 3}, {"==", 2, 2, 1}, {"!=", 2, 2, 0}, {"<", 2, 2, 0}, {"<=", 2, 2, 1}, {"and", 2, 0, 0}, {"or", 0, 3, 1},
	} {
		cond := Condition{Op: c.op, Args: []Condition{{Op: ConstantOp, Value: c.a}, {Op: ConstantOp, Value: c.b}}}
		r, ok := cond.eval(nil)
		if ok != (c.r != none) || ok && (r.i != c.r || r.isFloat) {
			t.Errorf("%d %s %d: %v, %v", c.a, c.op, c.b, r, ok)
		}
	}
}

// TestConditionFloats compares operators on floats with Python's.
func TestConditionFloats(t *testing.T) {
	float := func(f float64) Condition { return Condition{Op: FloatOp, Value: int64(math.Float64bits(f))} }
	num := func(i int64) Condition { return Condition{Op: ConstantOp, Value: i} }
	whole := func(i int64) *conditionValue { return &conditionValue{i: i} }
	real := func(f float64) *conditionValue { return &conditionValue{f: f, isFloat: true} }
	for _, c := range []struct {
		op   ConditionOp
		args []Condition
		want *conditionValue // nil where there is no result
	}{
		{"/", []Condition{num(7), num(2)}, real(3.5)}, {"/", []Condition{num(7), num(0)}, nil}, {"//", []Condition{float(-7), num(2)}, real(-4)}, {"//", []Condition{float(1), float(0)}, nil},
		{"%", []Condition{float(-7.5), num(2)}, real(0.5)}, {"%", []Condition{float(1), num(0)}, nil}, {"**", []Condition{num(2), num(-1)}, real(0.5)}, {"**", []Condition{num(9), float(0.5)}, real(3)},
		{"+", []Condition{num(1), float(0.5)}, real(1.5)}, {"min", []Condition{num(1), float(0.5)}, real(0.5)}, {"max", []Condition{num(1), float(0.5)}, real(1)},
		{"<", []Condition{num(1), float(1.5)}, whole(1)}, {"<=", []Condition{float(1.5), num(1)}, whole(0)}, {"==", []Condition{num(2), float(2)}, whole(1)}, {"!=", []Condition{float(math.NaN()), num(1)}, whole(1)},
		{"floor", []Condition{float(-1.5)}, whole(-2)}, {"ceil", []Condition{float(-1.5)}, whole(-1)}, {"trunc", []Condition{float(-1.5)}, whole(-1)}, {"round", []Condition{float(2.5)}, whole(2)},
		{"floor", []Condition{num(math.MaxInt64)}, whole(math.MaxInt64)}, {"floor", []Condition{float(1e300)}, nil}, {"ceil", []Condition{float(math.NaN())}, nil}, {"float", []Condition{num(3)}, real(3)}, {"sqrt", []Condition{num(9)}, real(3)},
		{"not", []Condition{float(0)}, whole(1)}, {"and", []Condition{float(0.5), num(1)}, whole(1)}, {"where", []Condition{float(0.5), num(4), num(5)}, whole(4)},
	} {
		cond := Condition{Op: c.op, Args: c.args}
		r, ok := cond.eval(nil)
		if ok != (c.want != nil) || ok && r != *c.want || !cond.valid(nil) {
			t.Errorf("%s %v: %v, %v", c.op, c.args, r, ok)
		}
	}
}
