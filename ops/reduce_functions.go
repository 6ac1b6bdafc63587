package ops

import (
	"math"

	"github.com/octet-ml/octet/tensor"
)

// reduction describes a function of many elements as some passes over
// them. W holds elements, A what is accumulated.
type reduction[W, A compute] struct {
	first  pass[W, A]
	second *pass[W, A] // sees what the first pass gave as aux
	third  *pass[W, A] // sees the same as aux
	// finish turns what the first pass, or the second one if there is one, accumulated over n elements into the result. Its aux is what the third
	// pass accumulated, or without one what the passes saw.
	finish func(acc, aux A, n int) A
	// between turns what the first pass accumulated into aux.
	between func(acc A, n int) A
}

// pass accumulates from start on: rows of elements into one accumulator, or
// one element each into a row of accumulators.
type pass[W, A compute] struct {
	start A
	row   func(acc, aux A, x []W) A
	cols  func(acc, aux []A, x []W)
}

// passOf makes a pass of a function of one element.
func passOf[W, A compute](start A, f func(acc, aux A, x W) A) pass[W, A] {
	return pass[W, A]{
		start: start,
		row: func(acc, aux A, x []W) A {
			for _, v := range x {
				acc = f(acc, aux, v)
			}
			return acc
		},
		cols: func(acc, aux []A, x []W) {
			for i, v := range x {
				acc[i] = f(acc[i], aux[i], v)
			}
		},
	}
}

func sumPass[W, A compute]() pass[W, A] {
	return pass[W, A]{
		row: func(acc, _ A, x []W) A {
			var s0, s1, s2, s3 A
			for ; len(x) >= 4; x = x[4:] {
				s0 += A(x[0])
				s1 += A(x[1])
				s2 += A(x[2])
				s3 += A(x[3])
			}
			for _, v := range x {
				s0 += A(v)
			}
			return acc + ((s0 + s1) + (s2 + s3))
		},
		cols: func(acc, _ []A, x []W) {
			acc = acc[:len(x)]
			for i, v := range x {
				acc[i] += A(v)
			}
		},
	}
}

func maxPass[W, A compute](start A) pass[W, A] {
	return passOf(start, func(acc, _ A, x W) A {
		if v := A(x); v > acc || v != v {
			return v
		}
		return acc
	})
}

func minPass[W, A compute](start A) pass[W, A] {
	return passOf(start, func(acc, _ A, x W) A {
		if v := A(x); v < acc || v != v {
			return v
		}
		return acc
	})
}

// anyPass and allPass give 0 or 1.

func anyPass[W, A compute]() pass[W, A] {
	return passOf(0, func(acc, _ A, x W) A {
		if x != 0 {
			return 1
		}
		return acc
	})
}

func allPass[W, A compute]() pass[W, A] {
	return passOf(1, func(acc, _ A, x W) A {
		if x == 0 {
			return 0
		}
		return acc
	})
}

func prodPass[W, A compute]() pass[W, A] {
	return passOf(1, func(acc, _ A, x W) A { return acc * A(x) })
}

// intReduction returns a function of integers and bool.
func intReduction(fn ReduceFn) reduction[int64, int64] {
	r := reduction[int64, int64]{finish: func(acc, _ int64, _ int) int64 { return acc }}
	switch fn {
	case Sum:
		r.first = sumPass[int64, int64]()
	case Prod:
		r.first = prodPass[int64, int64]()
	case AMax:
		r.first = maxPass[int64](int64(math.MinInt64))
	case AMin:
		r.first = minPass[int64](int64(math.MaxInt64))
	case Any:
		r.first = anyPass[int64, int64]()
	default:
		r.first = allPass[int64, int64]()
	}
	return r
}

// floatReduction returns a function of floats.
func floatReduction[W float32 | float64](op Reduce) reduction[W, float64] {
	r := reduction[W, float64]{finish: func(acc, _ float64, _ int) float64 { return acc }}
	infinity := math.Inf(1)
	switch op.Fn {
	case Sum:
		r.first = sumPass[W, float64]()
	case Mean:
		r.first = sumPass[W, float64]()
		r.finish = func(acc, _ float64, n int) float64 { return acc / float64(n) }
	case Prod:
		r.first = prodPass[W, float64]()
	case AMax:
		r.first = maxPass[W](-infinity)
	case AMin:
		r.first = minPass[W](infinity)
	case Any:
		r.first = anyPass[W, float64]()
	case All:
		r.first = allPass[W, float64]()
	case Norm:
		r.first, r.finish = normPass[W](float64(op.P))
	case Var, Std:
		r.first = sumPass[W, float64]()
		r.between = func(acc float64, n int) float64 { return acc / float64(n) }
		squares := passOf(0, func(acc, mean float64, x W) float64 {
			d := float64(x) - mean
			return acc + float64(d*d)
		})
		// The mean is rounded. Its error counts where it is far above the deviations, and elements are as exact as it: the sum of the
		// deviations then is not 0 (Chan, Golub and LeVeque, Algorithms for Computing the Sample Variance, 1983, eq. 1.7).
		exact := computeTypeOf[W]() == tensor.Float64
		if exact {
			sum := passOf(0, func(acc, mean float64, x W) float64 { return acc + (float64(x) - mean) })
			r.third = &sum
		}
		r.second = &squares
		r.finish = func(acc, left float64, n int) float64 {
			if exact {
				acc = max(acc-float64(left*left)/float64(n), 0)
			}
			v := acc / float64(max(n-op.Correction, 0))
			if op.Fn == Std {
				return math.Sqrt(v)
			}
			return v
		}
	case LogSumExp:
		r.first = maxPass[W](-infinity)
		r.between = func(acc float64, _ int) float64 {
			if math.IsInf(acc, 0) {
				return 0
			}
			return acc
		}
		exps := passOf(0, func(acc, top float64, x W) float64 { return acc + math.Exp(float64(x)-top) })
		r.second = &exps
		r.finish = func(acc, top float64, _ int) float64 { return math.Log(acc) + top }
	}
	return r
}

// normPass returns the norm of order p: for infinities the greatest or least
// magnitude, for 0 the number of elements other than 0, else sum(|x|^p)^(1/p).
func normPass[W float32 | float64](p float64) (pass[W, float64], func(acc, aux float64, n int) float64) {
	same := func(acc, _ float64, _ int) float64 { return acc }
	switch {
	case math.IsInf(p, 1):
		return passOf(0, func(acc, _ float64, x W) float64 {
			if v := math.Abs(float64(x)); v > acc || v != v {
				return v
			}
			return acc
		}), same
	case math.IsInf(p, -1):
		return passOf(math.Inf(1), func(acc, _ float64, x W) float64 {
			if v := math.Abs(float64(x)); v < acc || v != v {
				return v
			}
			return acc
		}), same
	case p == 0:
		return passOf(0, func(acc, _ float64, x W) float64 {
			if x != 0 {
				acc++
			}
			return acc
		}), same
	case p == 1:
		return passOf(0, func(acc, _ float64, x W) float64 { return acc + math.Abs(float64(x)) }), same
	case p == 2:
		return passOf(0, func(acc, _ float64, x W) float64 { return acc + float64(float64(x)*float64(x)) }),
			func(acc, _ float64, _ int) float64 { return math.Sqrt(acc) }
	}
	return passOf(0, func(acc, _ float64, x W) float64 { return acc + math.Pow(math.Abs(float64(x)), p) }),
		func(acc, _ float64, _ int) float64 { return math.Pow(acc, 1/p) }
}
