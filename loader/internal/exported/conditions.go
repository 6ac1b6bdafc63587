package exported

import (
	"fmt"
	"math"

	"github.com/octet-ml/octet/graph"
)

// conditionNames are the operators of expressions that those of a graph's conditions are, but for their order.
var conditionNames = map[exprOp]graph.ConditionOp{
	opAdd: "+", opSub: "-", opMul: "*", opFloorDiv: "//", opMod: "%", opPow: "**", opMin: "min", opMax: "max", opTrueDiv: "/",
	opEq: "==", opNe: "!=", opLt: "<", opLe: "<=", opAnd: "and", opOr: "or",
	opNot: "not", opWhere: "where", opToFloat: "float", opSqrt: "sqrt", opFloor: "floor", opCeil: "ceil", opTrunc: "trunc", opToInt: "trunc", opRound: "round",
}

// It is not inlined, for the size of programs: docs/architecture.md.
//
//go:noinline
func operation(op graph.ConditionOp, a, b graph.Condition) graph.Condition {
	return graph.Condition{Op: op, Args: []graph.Condition{a, b}}
}

func constant(n int64) graph.Condition { return graph.Condition{Op: graph.ConstantOp, Value: n} }

// condition returns an expression on extents as graphs hold it, false where it is about something else.
func (r *relationFinder) condition(e *Expr) (graph.Condition, bool) {
	var none graph.Condition
	switch e.Op {
	case opConst:
		if f, isFloat := e.Const.(float64); isFloat {
			return graph.Condition{Op: graph.FloatOp, Value: int64(math.Float64bits(f))}, true
		}
		n, ok := e.Const.(int64)
		if b, isBool := e.Const.(bool); isBool {
			n, ok = intOf(b)
		}
		return constant(n), ok
	case opSymbol:
		return r.symbolCondition(e.Symbol)
	case opSize, opStride:
		return r.placeCondition(e), true
	case opInput:
		if in := r.Inputs[r.places[e.Place.Text]]; in.Expr != nil {
			return r.symbolCondition(in.Expr.Symbol)
		}
		return none, false
	case opOffset:
		return constant(0), true
	}
	args := make([]graph.Condition, len(e.Args))
	for i, a := range e.Args {
		var ok bool
		if args[i], ok = r.condition(a); !ok {
			return none, false
		}
	}
	switch e.Op {
	case opGt:
		return operation("<", args[1], args[0]), true
	case opGe:
		return operation("<=", args[1], args[0]), true
	case opNeg:
		return operation("-", constant(0), args[0]), true
	case opAbs:
		return operation("max", args[0], operation("-", constant(0), args[0])), true
	case opCeilDiv: // -(-a // b)
		return operation("-", constant(0), operation("//", operation("-", constant(0), args[0]), args[1])), true
	case opModular:
		return operation("%", operation("//", args[0], args[1]), args[2]), true
	case opShiftLeft:
		return operation("*", args[0], operation("**", constant(2), args[1])), true
	case opShiftRight:
		return operation("//", args[0], operation("**", constant(2), args[1])), true
	case opNot, opWhere, opToFloat, opSqrt, opFloor, opCeil, opTrunc, opToInt, opRound:
		return graph.Condition{Op: conditionNames[e.Op], Args: args}, true
	}
	op, ok := conditionNames[e.Op]
	if !ok || len(args) == 0 {
		return none, false
	}
	for len(args) > 1 { // as a tree that is no deeper than it must be
		half := args[:0:0]
		if op == "-" || op == "/" || op == "//" || op == "%" || op == "**" {
			half = append(half, operation(op, args[0], args[1]))
			args = append(half, args[2:]...)
			continue
		}
		for i := 0; i < len(args); i += 2 {
			if i+1 == len(args) {
				half = append(half, args[i])
			} else {
				half = append(half, operation(op, args[i], args[i+1]))
			}
		}
		args = half
	}
	return args[0], true
}

// symbolCondition returns a symbol: what is known of it as a linear expression, or the value of an input.
func (r *relationFinder) symbolCondition(name string) (graph.Condition, bool) {
	l, ok := r.symbols[name]
	if !ok {
		n, isNumber := r.values[name]
		for _, in := range r.Inputs {
			isNumber = isNumber && (in.Meta == nil || !in.has(name))
		}
		return constant(n), isNumber
	}
	sum := constant(l.constant)
	for p, factor := range l.factors { // a symbol is that of one extent
		x := graph.Condition{Op: graph.ExtentOp, Input: p[0], Axis: p[1]}
		if factor != 1 {
			x = operation("*", constant(factor), x)
		}
		if sum = operation("+", x, sum); l.constant == 0 {
			sum = x
		}
	}
	if l.divisor != 1 {
		return operation("//", sum, constant(l.divisor)), true
	}
	return sum, true
}

// placeCondition returns an extent or a stride of an input. Inputs are contiguous.
func (r *relationFinder) placeCondition(e *Expr) graph.Condition {
	i := r.places[e.Place.Text]
	rank := len(r.Inputs[i].Meta.Sizes)
	axis := int(e.Args[0].Const.(int64))
	if axis < 0 {
		axis += rank
	}
	if e.Op == opSize {
		return graph.Condition{Op: graph.ExtentOp, Input: i, Axis: axis}
	}
	stride := constant(1)
	for axis++; axis < rank; axis++ {
		extent := graph.Condition{Op: graph.ExtentOp, Input: i, Axis: axis}
		stride = operation("*", stride, operation("max", extent, constant(1)))
	}
	return stride
}

// addCondition adds a condition that is not linear, unless it is about no extent.
func (r *relationFinder) addCondition(c graph.Condition, text string) {
	is := graph.Relation{Condition: &c, Text: text}
	last := -1
	for _, t := range c.Extents() {
		last = max(last, t.Input)
	}
	if key := fmt.Sprint(c); last >= 0 && !r.known[key] {
		r.known[key] = true
		r.found[last] = append(r.found[last], is)
	}
}
