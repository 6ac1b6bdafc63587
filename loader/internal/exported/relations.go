package exported

import (
	"fmt"
	"maps"
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/sorting"
)

// place of an extent: the number of the input, and the axis.
type extentPlace [2]int

// linear is an expression on extents: (constant + sum of factors times extents) / divisor.
type linear struct {
	factors  map[extentPlace]int64
	constant int64
	divisor  int64 // positive
}

// plus returns the sum with by times another.
func (l linear) plus(by int64, other linear) (linear, bool) {
	out := linear{factors: make(map[extentPlace]int64), divisor: l.divisor * other.divisor}
	ok := true
	add := func(at *int64, n, m int64) {
		v := n * m
		ok = ok && within(n) && within(m) && within(*at+v)
		*at += v
	}
	for _, part := range []struct {
		linear
		by int64
	}{{l, other.divisor}, {other, by * l.divisor}} {
		add(&out.constant, part.constant, part.by)
		for p, n := range part.factors {
			sum := out.factors[p]
			add(&sum, n, part.by)
			if out.factors[p] = sum; sum == 0 {
				delete(out.factors, p)
			}
		}
	}
	return out, ok && within(out.divisor)
}

// within bounds numbers so that products of two fit 64 bits.
func within(n int64) bool { return -graph.MaxRelationFactor <= n && n <= graph.MaxRelationFactor }

// relations finds what the contract says of extents together, for graphs that are used without the program and with
// these values of the inputs that are numbers. They are listed by the last input that they are about.
func (c *Contract) relations(values map[string]int64) [][]graph.Relation {
	r := &relationFinder{Contract: c, values: values, symbols: make(map[string]linear), found: make([][]graph.Relation, len(c.Inputs)), known: make(map[string]bool)}
	r.findSymbols()
	for i, in := range c.Inputs {
		if in.Meta == nil {
			continue
		}
		for axis, e := range in.Meta.Sizes {
			if e.Expr == nil {
				continue
			}
			if want, ok := r.linear(e.Expr); ok {
				r.add(extentOf(i, axis), want, graph.Relation{Text: fmt.Sprintf("extent %d of %s is %v", axis, in.Name, e.Expr)})
			} else if want, ok := r.condition(e.Expr); ok {
				extent := graph.Condition{Op: graph.ExtentOp, Input: i, Axis: axis}
				r.addCondition(operation("==", extent, want), fmt.Sprintf("extent %d of %s is %v", axis, in.Name, e.Expr))
			}
		}
	}
	for _, g := range c.guards {
		r.guard(g.Cond)
	}
	return r.found
}

type relationFinder struct {
	*Contract
	values  map[string]int64
	symbols map[string]linear
	found   [][]graph.Relation
	known   map[string]bool // those found, without their text
}

func extentOf(i, axis int) linear {
	return linear{factors: map[extentPlace]int64{{i, axis}: 1}, divisor: 1}
}

// findSymbols finds an extent for each symbol: one that is the symbol, else one of which it follows.
func (r *relationFinder) findSymbols() {
	for _, alone := range []bool{true, false} {
		for i, in := range r.Inputs {
			if in.Meta == nil {
				continue
			}
			for axis, e := range in.Meta.Sizes {
				if e.Expr != nil && (e.Expr.Op == opSymbol) == alone {
					r.symbolFrom(e.Expr, i, axis)
				}
			}
		}
	}
}

// symbolFrom takes a symbol from an extent that is a multiple of it and a constant.
func (r *relationFinder) symbolFrom(e *Expr, i, axis int) {
	symbol, several := "", false
	e.Symbols(func(name string) {
		several = several || symbol != "" && symbol != name
		symbol = name
	})
	if _, known := r.symbols[symbol]; known || several || symbol == "" {
		return
	}
	unit := extentPlace{-1, 0}
	r.symbols[symbol] = linear{factors: map[extentPlace]int64{unit: 1}, divisor: 1}
	l, ok := r.linear(e)
	delete(r.symbols, symbol)
	factor := l.factors[unit]
	if !ok || factor < 1 || len(l.factors) != 1 || l.divisor != 1 {
		return
	}
	r.symbols[symbol] = linear{factors: map[extentPlace]int64{{i, axis}: 1}, constant: -l.constant, divisor: factor}
	if factor > 1 {
		is := linear{constant: l.constant, divisor: 1}
		r.add(extentOf(i, axis), is, graph.Relation{Divisor: int(factor), Text: fmt.Sprintf("extent %d of %s is %v", axis, r.Inputs[i].Name, e)})
	}
}

// linear returns an expression, false where it is not linear in extents.
func (r *relationFinder) linear(e *Expr) (linear, bool) {
	none := linear{divisor: 1}
	switch e.Op {
	case opConst:
		n, ok := e.Const.(int64)
		return linear{constant: n, divisor: 1}, ok && within(n)
	case opSymbol:
		l, ok := r.symbols[e.Symbol]
		return l, ok
	case opSize:
		i := r.places[e.Place.Text]
		axis := int(e.Args[0].Const.(int64))
		if axis < 0 {
			axis += len(r.Inputs[i].Meta.Sizes)
		}
		return extentOf(i, axis), true
	case opAdd, opSub, opNeg:
		sum := none
		for k, a := range e.Args {
			l, ok := r.linear(a)
			sign := int64(1)
			if e.Op == opNeg || e.Op == opSub && k > 0 {
				sign = -1
			}
			if ok {
				sum, ok = sum.plus(sign, l)
			}
			if !ok {
				return none, false
			}
		}
		return sum, true
	case opMul:
		product := linear{constant: 1, divisor: 1}
		for _, a := range e.Args {
			l, ok := r.linear(a)
			if !ok || len(l.factors) > 0 && len(product.factors) > 0 {
				return none, false
			}
			if len(l.factors) > 0 {
				l, product = product, l
			}
			// l is a number.
			by := l.constant
			if product, ok = none.plus(by, product); !ok || l.divisor != 1 {
				return none, false
			}
		}
		return product, true
	}
	return none, false
}

// guard adds a condition, or those of its parts.
func (r *relationFinder) guard(e *Expr) {
	if e.Op == opAnd {
		for _, a := range e.Args {
			r.guard(a)
		}
		return
	}
	if r.divides(e) || r.compares(e) {
		return
	}
	if c, ok := r.condition(e); ok {
		r.addCondition(c, e.String())
	}
}

// divides adds a condition that says what divides a linear expression, false for others.
func (r *relationFinder) divides(e *Expr) bool {
	if e.Op != opEq || e.Args[0].Op != opMod || e.Args[1].Op != opConst || e.Args[1].Const != int64(0) {
		return false
	}
	x, ok := r.linear(e.Args[0].Args[0])
	by := e.Args[0].Args[1]
	n, isInt := by.Const.(int64)
	if !ok || by.Op != opConst || !isInt || n < 1 || n > graph.MaxRelationFactor || x.divisor != 1 {
		return false
	}
	r.add(x, linear{divisor: 1}, graph.Relation{Divisor: int(n), Text: e.String()})
	return true
}

// compares adds a condition that compares linear expressions, false for others.
func (r *relationFinder) compares(e *Expr) bool {
	if len(e.Args) != 2 {
		return false
	}
	x, ok := r.linear(e.Args[0])
	y, ok2 := r.linear(e.Args[1])
	if !ok || !ok2 {
		return false
	}
	one := linear{constant: 1, divisor: 1}
	is := graph.Relation{AtMost: true, Text: e.String()}
	switch e.Op {
	case opEq:
		is.AtMost = false
	case opLe, opLt:
	case opGe, opGt:
		x, y = y, x
	default:
		return false
	}
	if e.Op == opLt || e.Op == opGt {
		if x.divisor != 1 || y.divisor != 1 {
			return false
		}
		if x, ok = x.plus(1, one); !ok {
			return false
		}
	}
	r.add(x, y, is)
	return true
}

// add adds the relation between two expressions, unless it always holds.
func (r *relationFinder) add(a, b linear, is graph.Relation) {
	d, ok := a.plus(-1, b)
	if !ok || len(d.factors) == 0 {
		return
	}
	is.Constant = int(d.constant)
	last := 0
	for _, p := range sorting.Collected(maps.Keys(d.factors), func(p, q extentPlace) int { return slices.Compare(p[:], q[:]) }) {
		is.Terms = append(is.Terms, graph.RelationTerm{Input: p[0], Axis: p[1], Factor: int(d.factors[p])})
		last = max(last, p[0])
	}
	if key := fmt.Sprint(is.AtMost, is.Divisor, is.Constant, is.Terms); !r.known[key] {
		r.known[key] = true
		r.found[last] = append(r.found[last], is)
	}
}
