package exported

import (
	"errors"
	"fmt"
	"math"
)

// Scope gives the numbers that an expression refers to. Each returns false for one
// that is not known.
type Scope struct {
	Symbol func(name string) (int64, bool)
	// Place gives what a guard asks of an input: an int64, float64 or bool.
	Place func(e *Expr) (any, bool)
}

var (
	errOverflow = errors.New("an integer of more than 64 bits")
	errDivZero  = errors.New("division by zero")
)

// unknownError says that a number is not known yet.
type unknownError struct{ name string }

func (e *unknownError) Error() string { return e.name + " is not known" }

// Eval computes an expression: an int64, float64 or bool, as Python would.
func (e *Expr) Eval(s Scope) (any, error) {
	switch e.Op {
	case opConst:
		return e.Const, nil
	case opSymbol:
		if s.Symbol != nil {
			if v, ok := s.Symbol(e.Symbol); ok {
				return v, nil
			}
		}
		return nil, &unknownError{e.Symbol}
	case opInput, opSize, opStride, opOffset:
		if s.Place != nil {
			if v, ok := s.Place(e); ok {
				return v, nil
			}
		}
		return nil, &unknownError{e.String()}
	case opAnd, opOr:
		return e.evalLogic(s)
	case opWhere:
		c, err := e.Args[0].Eval(s)
		if err != nil {
			return nil, err
		}
		if truthOf(c) {
			return e.Args[1].Eval(s)
		}
		return e.Args[2].Eval(s)
	}
	args := make([]any, len(e.Args))
	for i, a := range e.Args {
		var err error
		if args[i], err = a.Eval(s); err != nil {
			return nil, err
		}
	}
	return e.apply(args)
}

// EvalInt computes an expression that is an integer.
func (e *Expr) EvalInt(s Scope) (int64, error) {
	v, err := e.Eval(s)
	if err != nil {
		return 0, err
	}
	i, ok := intOf(v)
	if !ok {
		return 0, fmt.Errorf("%v is %v, no integer", e, v)
	}
	return i, nil
}

// Holds computes a condition.
func (e *Expr) Holds(s Scope) (bool, error) {
	v, err := e.Eval(s)
	return err == nil && truthOf(v), err
}

// evalLogic computes and, or: what follows the operand that decides does not matter.
func (e *Expr) evalLogic(s Scope) (any, error) {
	for _, a := range e.Args {
		v, err := a.Eval(s)
		if err != nil {
			return nil, err
		}
		if truthOf(v) == (e.Op == opOr) {
			return e.Op == opOr, nil
		}
	}
	return e.Op == opAnd, nil
}

func truthOf(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case int64:
		return v != 0
	case float64:
		return v != 0
	}
	return false
}

func intOf(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<62 {
			return int64(v), true
		}
	}
	return 0, false
}

func floatOf(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case bool:
		if v {
			return 1
		}
	case int64:
		return float64(v)
	}
	return 0
}

// apply computes a function of values.
func (e *Expr) apply(args []any) (any, error) {
	switch e.Op {
	case opAdd, opMul, opMax, opMin:
		v := args[0]
		for _, x := range args[1:] {
			var err error
			if v, err = arith(e.Op, v, x); err != nil {
				return nil, err
			}
		}
		return v, nil
	case opEq, opNe, opLt, opLe, opGt, opGe:
		return compare(e.Op, args[0], args[1]), nil
	case opNot:
		return !truthOf(args[0]), nil
	case opModular: // (base // divisor) % modulus
		v, err := arith(opFloorDiv, args[0], args[1])
		if err != nil {
			return nil, err
		}
		return arith(opMod, v, args[2])
	}
	if len(args) == 1 {
		return unary(e.Op, args[0])
	}
	return arith(e.Op, args[0], args[1])
}

func compare(op exprOp, a, b any) bool {
	x, isInt := a.(int64)
	y, isInt2 := b.(int64)
	c := 0
	switch {
	case isInt && isInt2 && x != y:
		c = 1
		if x < y {
			c = -1
		}
	case isInt && isInt2:
	default:
		switch x, y := floatOf(a), floatOf(b); {
		case x < y:
			c = -1
		case x > y:
			c = 1
		case x != y:
			return op == opNe // not a number
		}
	}
	switch op {
	case opEq:
		return c == 0
	case opNe:
		return c != 0
	case opLt:
		return c < 0
	case opLe:
		return c <= 0
	case opGt:
		return c > 0
	}
	return c >= 0
}

func unary(op exprOp, v any) (any, error) {
	i, isFloat := int64(0), false
	switch x := v.(type) {
	case int64:
		i = x
	case float64:
		isFloat = true
	default:
		i, _ = intOf(v)
	}
	switch op {
	case opToFloat:
		return floatOf(v), nil
	case opSqrt:
		return math.Sqrt(floatOf(v)), nil
	case opNeg:
		if isFloat {
			return -floatOf(v), nil
		}
		return arith(opSub, int64(0), i)
	case opAbs:
		if isFloat {
			return math.Abs(floatOf(v)), nil
		}
		if i < 0 {
			return arith(opSub, int64(0), i)
		}
		return i, nil
	}
	if !isFloat {
		return i, nil
	}
	round := map[exprOp]func(float64) float64{opFloor: math.Floor, opCeil: math.Ceil, opTrunc: math.Trunc, opToInt: math.Trunc, opRound: math.RoundToEven}[op]
	if round == nil {
		return nil, fmt.Errorf("%s of a number", opNames[op])
	}
	x := round(floatOf(v))
	if math.IsNaN(x) || math.Abs(x) >= 1<<63 {
		return nil, errOverflow
	}
	return int64(x), nil
}

// arith computes a function of two numbers: of integers exactly.
func arith(op exprOp, a, b any) (any, error) {
	_, isFloat := a.(float64)
	_, isFloat2 := b.(float64)
	if isFloat || isFloat2 || op == opTrueDiv {
		return arithFloat(op, floatOf(a), floatOf(b))
	}
	x, _ := intOf(a)
	y, _ := intOf(b)
	switch op {
	case opAdd:
		if s := x + y; (s > x) == (y > 0) {
			return s, nil
		}
		return nil, errOverflow
	case opSub:
		if d := x - y; (d < x) == (y > 0) {
			return d, nil
		}
		return nil, errOverflow
	case opMul:
		return multiply(x, y)
	case opMax:
		return max(x, y), nil
	case opMin:
		return min(x, y), nil
	case opPow:
		return power(x, y)
	case opShiftLeft:
		if y < 0 || y > 62 {
			return nil, errOverflow
		}
		return multiply(x, 1<<y)
	case opShiftRight:
		if y < 0 {
			return nil, errOverflow
		}
		return x >> min(y, 63), nil
	}
	if y == 0 {
		return nil, errDivZero
	}
	if x == math.MinInt64 && y == -1 {
		return nil, errOverflow
	}
	q, r := x/y, x%y
	if r != 0 && (r < 0) != (y < 0) {
		q, r = q-1, r+y
	}
	switch op {
	case opFloorDiv:
		return q, nil
	case opCeilDiv:
		if r != 0 {
			q++
		}
		return q, nil
	case opMod:
		return r, nil
	}
	return nil, fmt.Errorf("%s of two numbers", opNames[op])
}

func multiply(x, y int64) (any, error) {
	if x == 0 || y == 0 {
		return int64(0), nil
	}
	p := x * y
	if p/y != x || x == math.MinInt64 && y == -1 || y == math.MinInt64 && x == -1 {
		return nil, errOverflow
	}
	return p, nil
}

func power(x, y int64) (any, error) {
	if y < 0 {
		return arithFloat(opPow, float64(x), float64(y))
	}
	out := any(int64(1))
	if x == 0 || x == 1 || x == -1 {
		y %= 2 // so that a long loop is none
		if y == 0 && x == 0 {
			return out, nil
		}
	}
	for range y {
		var err error
		if out, err = multiply(out.(int64), x); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func arithFloat(op exprOp, x, y float64) (any, error) {
	switch op {
	case opAdd:
		return x + y, nil
	case opSub:
		return x - y, nil
	case opMul:
		return x * y, nil
	case opMax:
		return math.Max(x, y), nil
	case opMin:
		return math.Min(x, y), nil
	case opPow:
		return math.Pow(x, y), nil
	}
	if y == 0 {
		return nil, errDivZero
	}
	switch op {
	case opTrueDiv:
		return x / y, nil
	case opFloorDiv:
		return math.Floor(x / y), nil
	case opCeilDiv:
		return math.Ceil(x / y), nil
	case opMod:
		r := math.Mod(x, y)
		if r != 0 && (r < 0) != (y < 0) {
			r += y
		}
		return r, nil
	}
	return nil, fmt.Errorf("%s of floats", opNames[op])
}
