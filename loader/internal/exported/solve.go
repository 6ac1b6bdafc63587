package exported

import "math"

// solveFor returns the integer of a symbol for which an expression has a value, false
// where there is none or the expression is none that can be turned around: sums,
// products and powers that hold the symbol once, as PyTorch's dynamic dimensions do.
func solveFor(e *Expr, symbol string, want int64, s Scope) (int64, bool) {
	if e.Op == opSymbol && e.Symbol == symbol {
		return want, true
	}
	at := -1
	for i, a := range e.Args {
		has := false
		a.Symbols(func(name string) { has = has || name == symbol })
		if has && at >= 0 {
			return 0, false
		}
		if has {
			at = i
		}
	}
	if at < 0 {
		return 0, false
	}
	rest := func(i int) (int64, bool) {
		v, err := e.Args[i].EvalInt(s)
		return v, err == nil
	}
	switch e.Op {
	case opAdd, opMul:
		for i := range e.Args {
			if i == at {
				continue
			}
			v, ok := rest(i)
			if !ok {
				return 0, false
			}
			if e.Op == opMul {
				if v == 0 || want%v != 0 {
					return 0, false
				}
				want /= v
				continue
			}
			d, err := arith(opSub, want, v)
			if err != nil {
				return 0, false
			}
			want = d.(int64)
		}
		return solveFor(e.Args[at], symbol, want, s)
	case opSub:
		v, ok := rest(1 - at)
		if !ok || v == math.MinInt64 || want == math.MinInt64 {
			return 0, false
		}
		op, x := opAdd, want
		if at == 1 {
			op, x = opSub, v
			v = want
		}
		d, err := arith(op, x, v)
		if err != nil {
			return 0, false
		}
		return solveFor(e.Args[at], symbol, d.(int64), s)
	case opNeg:
		if want == math.MinInt64 {
			return 0, false
		}
		return solveFor(e.Args[0], symbol, -want, s)
	case opPow:
		n, ok := rest(1)
		if !ok || at != 0 || n < 1 || n > 62 || want < 0 {
			return 0, false
		}
		root := int64(math.Round(math.Pow(float64(want), 1/float64(n))))
		if p, err := power(root, n); err != nil || p != want {
			return 0, false
		}
		return solveFor(e.Args[0], symbol, root, s)
	}
	return 0, false
}
