package graph

import (
	"math"
	"math/bits"
	"slices"
)

// Condition is an expression on extents of inputs, in integers of 64 bits and in float64: a Relation that is not linear has one. As
// in Python, a division gives a float, and so does whatever has a float among its operands. It holds where it is not 0.
type Condition struct {
	Op   ConditionOp
	Args []Condition // as many as the operator takes
	// Value is that of ConstantOp, the bits of that of FloatOp. Input and Axis say which extent ExtentOp is.
	Value       int64
	Input, Axis int
}

// ConditionOp is an operator of a Condition, by its name in files. Comparisons, Python's and, or and not are 0 or 1.
type ConditionOp string

// The operators of conditions. Division and remainder round down, as Python's do.
const (
	ConstantOp ConditionOp = "constant"
	FloatOp    ConditionOp = "float constant"
	ExtentOp   ConditionOp = "extent"
)

// The limits of a condition.
const (
	maxConditionSize  = 256
	maxConditionDepth = 32
)

// conditionOps are the functions of two integers. They return false where there is no result of 64 bits.
var conditionOps = map[ConditionOp]func(a, b int64) (int64, bool){
	"+":   addExact,
	"-":   func(a, b int64) (int64, bool) { d := a - b; return d, (d < a) == (b > 0) },
	"*":   multiplyExact,
	"//":  func(a, b int64) (int64, bool) { q, _, ok := divideDown(a, b); return q, ok },
	"%":   func(a, b int64) (int64, bool) { _, r, ok := divideDown(a, b); return r, ok },
	"**":  powerExact,
	"min": func(a, b int64) (int64, bool) { return min(a, b), true },
	"max": func(a, b int64) (int64, bool) { return max(a, b), true },
	"==":  func(a, b int64) (int64, bool) { return truth(a == b), true },
	"!=":  func(a, b int64) (int64, bool) { return truth(a != b), true },
	"<":   func(a, b int64) (int64, bool) { return truth(a < b), true },
	"<=":  func(a, b int64) (int64, bool) { return truth(a <= b), true },
	"/":   func(a, b int64) (int64, bool) { return 0, false },
}

// conditionFloats are the functions of two floats, as far as they are not comparisons.
var conditionFloats = map[ConditionOp]func(a, b float64) float64{
	"+": func(a, b float64) float64 { return a + b }, "-": func(a, b float64) float64 { return a - b }, "*": func(a, b float64) float64 { return a * b },
	"/": func(a, b float64) float64 { return a / b }, "//": func(a, b float64) float64 { return math.Floor(a / b) },
	"%": func(a, b float64) float64 {
		r := math.Mod(a, b)
		if r != 0 && (r < 0) != (b < 0) {
			r += b
		}
		return r
	},
	"**": math.Pow, "min": math.Min, "max": math.Max,
}

// conditionRounds are the functions of a number that give an integer.
var conditionRounds = map[ConditionOp]func(float64) float64{"floor": math.Floor, "ceil": math.Ceil, "trunc": math.Trunc, "round": math.RoundToEven}

// conditionValue is a value of a Condition: an integer, or a float.
type conditionValue struct {
	i       int64
	f       float64
	isFloat bool
}

// float returns the value as a float.
func (v conditionValue) float() float64 {
	if v.isFloat {
		return v.f
	}
	return float64(v.i)
}

func (v conditionValue) isTrue() bool { return v.float() != 0 }

func integer(i int64) conditionValue { return conditionValue{i: i} }

func inFloat(f float64) conditionValue { return conditionValue{f: f, isFloat: true} }

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func addExact(a, b int64) (int64, bool) { s := a + b; return s, (s > a) == (b > 0) }

func multiplyExact(a, b int64) (int64, bool) {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	if a < 0 {
		hi -= uint64(b)
	}
	if b < 0 {
		hi -= uint64(a)
	}
	return int64(lo), int64(hi) == int64(lo)>>63
}

// divideDown returns quotient and remainder of a division that rounds down.
func divideDown(a, b int64) (q, r int64, ok bool) {
	if b == 0 || b == -1 && a == -a && a != 0 {
		return 0, 0, false
	}
	q, r = a/b, a%b
	if r != 0 && (r < 0) != (b < 0) {
		q, r = q-1, r+b
	}
	return q, r, true
}

// powerExact returns a power with an exponent of at most 64.
func powerExact(a, b int64) (int64, bool) {
	p, ok := int64(1), 0 <= b && b <= 64
	for i := int64(0); ok && i < b; i++ {
		p, ok = multiplyExact(p, a)
	}
	return p, ok
}

// holds reports whether the expression is not 0; false, too, where a step has no result.
func (c *Condition) holds(extent func(input, axis int) int) bool {
	v, ok := c.eval(extent)
	return ok && v.isTrue()
}

// eval computes the expression. It returns false where a step has no result of 64 bits.
func (c *Condition) eval(extent func(input, axis int) int) (conditionValue, bool) {
	switch c.Op {
	case ConstantOp:
		return integer(c.Value), true
	case FloatOp:
		return inFloat(math.Float64frombits(uint64(c.Value))), true
	case ExtentOp:
		return integer(int64(extent(c.Input, c.Axis))), true
	case "and", "or":
		return c.evalLogic(extent)
	}
	a, ok := c.Args[0].eval(extent)
	switch {
	case !ok:
		return a, false
	case c.Op == "where" && a.isTrue():
		return c.Args[1].eval(extent)
	case c.Op == "where":
		return c.Args[2].eval(extent)
	case len(c.Args) == 1:
		return c.Op.unary(a)
	}
	b, ok := c.Args[1].eval(extent)
	if !ok {
		return a, false
	}
	return c.Op.binary(a, b)
}

// unary computes a function of one value.
func (op ConditionOp) unary(a conditionValue) (conditionValue, bool) {
	switch round := conditionRounds[op]; {
	case op == "not":
		return integer(truth(!a.isTrue())), true
	case op == "float":
		return inFloat(a.float()), true
	case op == "sqrt":
		return inFloat(math.Sqrt(a.float())), true
	case a.isFloat:
		f := round(a.f)
		return integer(int64(f)), math.Abs(f) < 1<<63
	}
	return a, true
}

// binary computes a function of two values.
func (op ConditionOp) binary(a, b conditionValue) (conditionValue, bool) {
	if !a.isFloat && !b.isFloat && op != "/" && (op != "**" || b.i >= 0) {
		i, ok := conditionOps[op](a.i, b.i)
		return integer(i), ok
	}
	x, y := a.float(), b.float()
	if y == 0 && (op == "/" || op == "//" || op == "%") {
		return a, false
	}
	if f := conditionFloats[op]; f != nil {
		return inFloat(f(x, y)), true
	}
	return integer(truth(op == "==" && x == y || op == "!=" && x != y || op == "<" && x < y || op == "<=" && x <= y)), true
}

// evalLogic computes and, or: what follows the operand that decides does not matter.
func (c *Condition) evalLogic(extent func(input, axis int) int) (conditionValue, bool) {
	for i := range c.Args {
		v, ok := c.Args[i].eval(extent)
		if !ok {
			return v, false
		}
		if v.isTrue() == (c.Op == "or") {
			return integer(truth(c.Op == "or")), true
		}
	}
	return integer(truth(c.Op == "and")), true
}

// arguments returns how many arguments an operator takes, -1 of one that there is not.
func (op ConditionOp) arguments() int {
	switch op {
	case ConstantOp, FloatOp, ExtentOp:
		return 0
	case "not", "float", "sqrt", "floor", "ceil", "trunc", "round":
		return 1
	case "where":
		return 3
	case "and", "or":
		return 2
	}
	if conditionOps[op] != nil {
		return 2
	}
	return -1
}

// valid reports whether the condition is within the limits and is about dimensions that inputs of these types have.
func (c *Condition) valid(inputs []*Value) bool {
	size := 0
	var check func(c *Condition, depth int) bool
	check = func(c *Condition, depth int) bool {
		size++
		if size > maxConditionSize || depth > maxConditionDepth || len(c.Args) != c.Op.arguments() {
			return false
		}
		if c.Op == ExtentOp && !hasAxis(inputs, c.Input, c.Axis) {
			return false
		}
		return !slices.ContainsFunc(c.Args, func(a Condition) bool { return !check(&a, depth+1) })
	}
	return check(c, 0)
}

// extents appends the extents that the condition is about to terms, each once.
func (c *Condition) extents(terms []RelationTerm) []RelationTerm {
	t := RelationTerm{Input: c.Input, Axis: c.Axis}
	if c.Op == ExtentOp && !slices.Contains(terms, t) {
		terms = append(terms, t)
	}
	for i := range c.Args {
		terms = c.Args[i].extents(terms)
	}
	return terms
}

// Extents returns the extents that the condition is about, in order and with factors of 0.
func (c *Condition) Extents() []RelationTerm { return c.extents(nil) }
