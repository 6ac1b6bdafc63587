package ops

import "math"

// polygamma is derivative n of digamma, (-1)^(n+1) n! zeta(n+1, x). At poles, where n is even, it has no value.
func polygamma(n, x float64) float64 {
	switch {
	case n == 0:
		return digamma(x)
	case !(n > 0 && n <= 170) || x <= 0 && x == math.Trunc(x) && math.Mod(n, 2) == 0:
		return math.NaN()
	}
	sum := hurwitz(n+1, x) * math.Gamma(n+1)
	if math.Mod(n, 2) == 0 {
		return -sum
	}
	return sum
}

// erfcx is exp(x^2) erfc(x); from 25 on by its asymptotic series (DLMF 7.12.1).
func erfcx(x float64) float64 {
	if x < 25 {
		return math.Exp(x*x) * math.Erfc(x)
	}
	z := 1 / (2 * x * x)
	return (1 - float64(z*(1-float64(3*z*(1-float64(5*z)))))) / (x * math.Sqrt(math.Pi))
}

// logNdtr is the logarithm of the normal distribution, which underflows only where that does as a logarithm.
func logNdtr(x float64) float64 {
	if x < -1 {
		return math.Log(erfcx(-x/math.Sqrt2)/2) - float64(x*x/2)
	}
	return math.Log1p(-math.Erfc(x/math.Sqrt2) / 2)
}

// ndtri is the inverse of the normal distribution: far out by Newton's method on the logarithm.
func ndtri(p float64) float64 {
	switch {
	case p > 0.5:
		return -ndtri(1 - p)
	case p == 0:
		return math.Inf(-1)
	case !(p > 0):
		return math.NaN()
	case p > 1e-3:
		return math.Sqrt2 * math.Erfinv(float64(2*p)-1)
	}
	want := math.Log(p)
	x := -math.Sqrt(-2 * want)
	for range 8 {
		x -= (logNdtr(x) - want) * erfcx(-x/math.Sqrt2) / math.Sqrt(2/math.Pi)
	}
	return x
}

// entropy is -x ln x, 0 at 0 and -Inf below.
func entropy(x float64) float64 {
	switch {
	case x == 0:
		return 0
	case x < 0:
		return math.Inf(-1)
	}
	return -x * math.Log(x)
}

// besselI is the modified Bessel function of the first kind and order 0 or 1 times exp(-|x|): by its power series up to 30, by the
// asymptotic one from there (DLMF 10.25.2, 10.40.1).
func besselI(order int, x float64) float64 {
	n, a := float64(order), math.Abs(x)
	sum, term := 0.0, 1.0
	if a <= 30 {
		if order == 1 {
			term = a / 2
		}
		for k := 1.0; sum+term != sum; k++ {
			sum += term
			term *= a * a / (4 * k * (k + n))
		}
		sum *= math.Exp(-a)
	} else {
		for k := 1.0; k < 20 && sum+term != sum; k++ {
			sum += term
			term *= -(float64(4*n*n) - float64((2*k-1)*(2*k-1))) / (8 * a * k)
		}
		sum /= math.Sqrt(2 * math.Pi * a)
	}
	if order == 1 && x < 0 {
		return -sum
	}
	if x != x {
		return x
	}
	return sum
}

// slopeI1 is the derivative of I1, times exp(-|x|), less what scaling takes away.
func slopeI1(x, scaled float64) float64 {
	if x == 0 {
		return 0.5
	}
	return besselI(0, x) - besselI(1, x)/x - scaled
}

// sphericalJ0 is sin(x) / x, 1 at 0 and 0 at both infinities.
func sphericalJ0(x float64) float64 {
	switch {
	case x == 0:
		return 1
	case math.IsInf(x, 0):
		return 0
	}
	return math.Sin(x) / x
}
