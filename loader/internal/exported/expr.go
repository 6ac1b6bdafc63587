package exported

import (
	"fmt"
	"strings"
)

// Expr is an expression on numbers: of shapes as SymPy prints it, or a condition on
// inputs as Python prints it. Both have one grammar, Python's expressions without
// its statements, and every function is one of a list; nothing is executed.
type Expr struct {
	Op     exprOp
	Args   []*Expr
	Const  any    // of opConst: int64, float64 or bool
	Symbol string // of opSymbol
	Place  *Place // of opSize and the like: of which input
}

// Place is an input of a call, or a part of one that is a dict, tuple or list, as Python
// writes it: L['d']['u'].
type Place struct {
	Path []any // string keys and int64 indices
	Text string
}

type exprOp uint8

const (
	opConst exprOp = iota
	opSymbol
	opInput  // a number
	opSize   // Args: dimension
	opStride // Args: dimension
	opOffset
	opAdd
	opSub
	opMul
	opTrueDiv
	opFloorDiv
	opCeilDiv
	opMod
	opPow
	opNeg
	opEq
	opNe
	opLt
	opLe
	opGt
	opGe
	opAnd
	opOr
	opNot
	opMax
	opMin
	opAbs
	opFloor
	opCeil
	opTrunc
	opRound
	opToFloat
	opToInt
	opSqrt
	opWhere
	opShiftLeft
	opShiftRight
	opModular
	opSame
)

// function is a function of expressions.
type function struct {
	op   exprOp
	min  int // arguments
	many bool
}

// functions are all that may be called, as SymPy, torch.utils._sympy.functions and
// guards name them.
var functions = map[string]function{
	"Add": {opAdd, 1, true}, "Mul": {opMul, 1, true}, "Pow": {opPow, 2, false}, "PowByNatural": {opPow, 2, false}, "FloatPow": {opPow, 2, false},
	"FloorDiv": {opFloorDiv, 2, false}, "CleanDiv": {opFloorDiv, 2, false}, "CeilDiv": {opCeilDiv, 2, false},
	"IntTrueDiv": {opTrueDiv, 2, false}, "FloatTrueDiv": {opTrueDiv, 2, false},
	"Mod": {opMod, 2, false}, "PythonMod": {opMod, 2, false}, "ModularIndexing": {opModular, 3, false},
	"Max": {opMax, 1, true}, "Min": {opMin, 1, true}, "Abs": {opAbs, 1, false}, "Identity": {opSame, 1, false},
	"Equality": {opEq, 2, false}, "Eq": {opEq, 2, false}, "Unequality": {opNe, 2, false}, "Ne": {opNe, 2, false},
	"LessThan": {opLe, 2, false}, "StrictLessThan": {opLt, 2, false}, "GreaterThan": {opGe, 2, false}, "StrictGreaterThan": {opGt, 2, false},
	"And": {opAnd, 1, true}, "Or": {opOr, 1, true}, "Not": {opNot, 1, false}, "Where": {opWhere, 3, false},
	"floor": {opFloor, 1, false}, "ceiling": {opCeil, 1, false}, "FloorToInt": {opFloor, 1, false}, "CeilToInt": {opCeil, 1, false},
	"TruncToInt": {opTrunc, 1, false}, "RoundToInt": {opRound, 1, false}, "ToFloat": {opToFloat, 1, false},
	"OpaqueUnaryFn_sqrt": {opSqrt, 1, false}, "LShift": {opShiftLeft, 2, false}, "RShift": {opShiftRight, 2, false},

	"math.floor": {opFloor, 1, false}, "math.ceil": {opCeil, 1, false}, "math.trunc": {opTrunc, 1, false}, "math.sqrt": {opSqrt, 1, false},
	"torch.sym_max": {opMax, 2, false}, "torch.sym_min": {opMin, 2, false}, "torch.sym_float": {opToFloat, 1, false},
	"torch.sym_int": {opToInt, 1, false}, "torch.sym_not": {opNot, 1, false}, "torch.sym_ite": {opWhere, 3, false},
	"torch._sym_sqrt": {opSqrt, 1, false}, "torch.sym_sum": {opAdd, 1, true},
	"max": {opMax, 2, true}, "min": {opMin, 2, true}, "abs": {opAbs, 1, false}, "round": {opRound, 1, false},
	"float": {opToFloat, 1, false}, "int": {opToInt, 1, false},
}

// names are the constants that have one. Infinity of the integers is as good as the largest.
var exprNames = map[string]any{
	"True": true, "true": true, "False": false, "false": false,
	"int_oo": int64(1<<63 - 1), "oo": int64(1<<63 - 1),
}

// ParseExpr reads an expression of shapes as SymPy's srepr prints it.
func ParseExpr(text string) (*Expr, error) { return parseExpr(text, false) }

// ParseGuard reads a condition on inputs, as guards_code holds it.
func ParseGuard(text string) (*Expr, error) { return parseExpr(text, true) }

func parseExpr(text string, guard bool) (*Expr, error) {
	p := &exprParser{guard: guard}
	if err := p.scan(text); err != nil {
		return nil, exprError(text, err)
	}
	e, err := p.or()
	if err == nil && p.at < len(p.tokens) {
		err = fmt.Errorf("%q where it should end", p.tokens[p.at].text)
	}
	if err != nil {
		return nil, exprError(text, err)
	}
	return e, nil
}

func exprError(text string, err error) error {
	const most = 200
	if len(text) > most {
		text = text[:most] + "..."
	}
	return fmt.Errorf("the expression %q is not read: %w", text, err)
}

// Symbols calls f for every symbol of an expression.
func (e *Expr) Symbols(f func(name string)) {
	if e.Op == opSymbol {
		f(e.Symbol)
	}
	for _, a := range e.Args {
		a.Symbols(f)
	}
}

// String writes an expression as Python would, for messages.
func (e *Expr) String() string {
	if sign, ok := exprSigns[e.Op]; ok && len(e.Args) > 1 {
		parts := make([]string, len(e.Args))
		for i, a := range e.Args {
			parts[i] = a.String()
			if _, inner := exprSigns[a.Op]; inner {
				parts[i] = "(" + parts[i] + ")"
			}
		}
		return strings.Join(parts, sign)
	}
	switch e.Op {
	case opConst:
		return fmt.Sprint(e.Const)
	case opSymbol:
		return e.Symbol
	case opInput:
		return e.Place.Text
	case opSize:
		return fmt.Sprintf("%s.size()[%v]", e.Place.Text, e.Args[0])
	case opStride:
		return fmt.Sprintf("%s.stride()[%v]", e.Place.Text, e.Args[0])
	case opOffset:
		return e.Place.Text + ".storage_offset()"
	}
	parts := make([]string, len(e.Args))
	for i, a := range e.Args {
		parts[i] = a.String()
	}
	return opNames[e.Op] + "(" + strings.Join(parts, ", ") + ")"
}

var exprSigns = map[exprOp]string{
	opAdd: " + ", opSub: " - ", opMul: "*", opTrueDiv: " / ", opFloorDiv: " // ", opMod: " % ", opPow: "**",
	opEq: " == ", opNe: " != ", opLt: " < ", opLe: " <= ", opGt: " > ", opGe: " >= ", opAnd: " and ", opOr: " or ",
}

var opNames = map[exprOp]string{
	opNeg: "-", opNot: "not ", opCeilDiv: "ceildiv", opMax: "max", opMin: "min", opAbs: "abs", opFloor: "floor", opCeil: "ceil",
	opTrunc: "trunc", opRound: "round", opToFloat: "float", opToInt: "int", opSqrt: "sqrt", opWhere: "where", opShiftLeft: "lshift",
	opShiftRight: "rshift", opModular: "modular_indexing",
}
